/* connectors/slack.c - messages by bot token or by incoming webhook: what can be configured.
 *
 * Slack has no idempotency key. A message carries the delivery's id in its metadata; after an
 * attempt that may have worked, a bot that may read the channel's history looks for it there.
 */
#include "slack_priv.h"

#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/url.h"

enum { DIGEST_COUNT_MAX = 10000 };

#define DIGEST_WINDOW_MAX_MS (24 * HOURS_MS)

static const char *const doubts[] = {"look", "resend", "drop", NULL};

static const struct option slack_options[] = {
    {.key = "token",
     .type = OPTION_SECRET,
     .offset = offsetof(struct slack, token),
     .example = "${SLACK_BOT_TOKEN}",
     .help = "bot token (xoxb-...) with chat:write, and channels:history to look before repeating"},
    {.key = "channel",
     .type = OPTION_TEXT,
     .offset = offsetof(struct slack, channel),
     .example = "C0123456789",
     .help = "id of the channel, with a token; names work only sometimes"},
    {.key = "webhook",
     .type = OPTION_SECRET,
     .offset = offsetof(struct slack, webhook),
     .example = "${SLACK_WEBHOOK_URL}",
     .help = "instead of token and channel: the address of an incoming webhook"},
    {.key = "on_ambiguous",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct slack, on_ambiguous),
     .choices = doubts,
     .example = "look",
     .help = "what to do about a message that may have arrived; look needs a token"},
    {.key = "buttons",
     .type = OPTION_BOOL,
     .offset = offsetof(struct slack, buttons),
     .fallback = "no",
     .help = "Claim, Snooze and Not a fit under a message; clicks need a [source] of type slack"},
    {.key = "thread",
     .type = OPTION_BOOL,
     .offset = offsetof(struct slack, thread),
     .fallback = "no",
     .help = "what follows of a lead answers in the thread of its first message"},
    {.key = "mention_owner",
     .type = OPTION_BOOL,
     .offset = offsetof(struct slack, mention_owner),
     .fallback = "no",
     .help = "mention the lead's owner, found by e-mail; needs users:read.email"},
    {.key = "owner_property",
     .type = OPTION_TEXT,
     .offset = offsetof(struct slack, owner_property),
     .fallback = "hubspot_owner_email",
     .help = "the lead's property that holds the owner's e-mail address"},
    {.key = "digest",
     .type = OPTION_TEXT,
     .offset = offsetof(struct slack, digest),
     .example = "20/1m",
     .help = "more leads than this in this time become one message with the best of them"},
    CONNECTOR_OPTIONS(struct slack, "https://slack.com", "15s", "1", "1/s", "5s"),
};

static const struct section_spec slack_spec = {
    .kind = "connector",
    .type = "slack",
    .named = true,
    .options = slack_options,
    .n_options = ARRAY_LEN(slack_options),
    .size = sizeof(struct slack),
    .help = "a message in a Slack channel",
};

static bool is_channel_id(struct str s)
{
    if (s.len < 2 || !strchr("CGDU", s.at[0]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!(s.at[i] >= 'A' && s.at[i] <= 'Z') && !(s.at[i] >= '0' && s.at[i] <= '9'))
            return false;
    return true;
}

static void check_token(const struct slack *s, const struct conf_section *section,
                        struct conf_problems *problems)
{
    if (!s->channel.len)
        conf_problem(problems, section, NULL, "channel = C0123456789",
                     "a Slack token needs the id of a channel");
    else if (!is_channel_id(s->channel))
        conf_problem(problems, section, conf_find(section, "channel"),
                     "in Slack: channel details, at the bottom: C0123456789",
                     "the channel must be given by its id");
}

/* What needs a method of the Web API, or the id of a message. */
static void check_token_only(const struct slack *s, const struct conf_section *section,
                             struct conf_problems *problems)
{
    const struct {
        const char *key, *what;
        bool on;
    } keys[] = {
        {"buttons", "a webhook cannot change a message that somebody answered", s->buttons},
        {"thread", "a webhook does not say where a thread begins", s->thread},
        {"mention_owner", "a webhook cannot ask who an address belongs to", s->mention_owner},
    };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].on)
            conf_problem(problems, section, conf_find(section, keys[i].key),
                         "use a token and a channel instead of the webhook", "%s", keys[i].what);
}

static void check_webhook(const struct slack *s, const struct conf_section *section,
                          struct conf_problems *problems)
{
    const struct conf_entry *doubt = conf_find(section, "on_ambiguous");
    struct url url;

    /* No text of url_parse: it may hold the address, which is a secret. */
    if (url_parse(s->webhook, &url, NULL))
        conf_problem(problems, section, conf_find(section, "webhook"),
                     "it looks like https://hooks.slack.com/services/...",
                     "the webhook is no address");
    else if (str_is(url.scheme, "http") && !host_is_loopback(url.host))
        conf_problem(problems, section, conf_find(section, "webhook"), "https://...",
                     "the webhook may be http:// on this machine only");
    if (s->channel.len)
        conf_problem(problems, section, conf_find(section, "channel"), "leave it out",
                     "a webhook posts to its own channel only");
    if (doubt && s->on_ambiguous == SLACK_DOUBT_LOOK)
        conf_problem(problems, section, doubt, "resend or drop",
                     "a webhook cannot look whether a message arrived");
    check_token_only(s, section, problems);
}

static int64_t unit_ms(struct str unit)
{
    return str_is(unit, "s")   ? SECONDS_MS
           : str_is(unit, "m") ? MINUTES_MS
           : str_is(unit, "h") ? HOURS_MS
                               : 0;
}

/* "20/1m" */
static bool digest_parse(struct str text, int64_t *ret_count, int64_t *ret_window_ms)
{
    int64_t count, number, unit;

    if (!text.len || !str_take_int64(&text, '/', &count) || !text.len)
        return false;
    unit = unit_ms(str_from(text, text.len - 1));
    if (!unit || !str_int64((struct str){text.at, text.len - 1}, &number) || count < 1 ||
        count > DIGEST_COUNT_MAX || number < 1 || number > DIGEST_WINDOW_MAX_MS / unit)
        return false;
    *ret_count = count;
    *ret_window_ms = number * unit;
    return true;
}

static bool slack_digest(const void *settings, int64_t *ret_count, int64_t *ret_window_ms)
{
    return digest_parse(((const struct slack *)settings)->digest, ret_count, ret_window_ms);
}

/* A message that somebody answered is brought up to date by itself. One of unknown fate, of a lead
 * that has a thread, may stand in that, where no digest looks. */
static bool stands_alone(const struct slack *s, const struct parcel *p)
{
    return p->d.remote_id.len || (s->thread && p->d.open_attempt_at && p->remote_lead.len);
}

static bool slack_together(const void *settings, const struct parcel *first,
                           const struct parcel *other)
{
    return !stands_alone(settings, first) && !stands_alone(settings, other);
}

static void check_digest(const struct slack *s, const struct conf_section *section,
                         struct conf_problems *problems)
{
    int64_t count, window;

    if (s->digest.at && !digest_parse(s->digest, &count, &window))
        conf_problem(problems, section, conf_find(section, "digest"),
                     "20/1m: more than 20 in a minute; up to 10000 in up to 24h",
                     "\"%.*s\" does not say how many leads in what time", STR_ARG(s->digest));
}

static void slack_check(const void *settings, const struct conf_section *section,
                        struct conf_problems *problems)
{
    const struct slack *s = settings;

    if (!s->token.len && !s->webhook.len)
        conf_problem(problems, section, NULL, "token = ${SLACK_BOT_TOKEN}",
                     "a slack connector needs a token or a webhook");
    else if (s->token.len && s->webhook.len)
        conf_problem(problems, section, conf_find(section, "webhook"), "leave one of them out",
                     "a slack connector takes a token or a webhook, not both");
    else if (s->token.len)
        check_token(s, section, problems);
    else
        check_webhook(s, section, problems);
    check_digest(s, section, problems);
}

const struct connector_type slack_connector = {
    .name = "slack",
    .spec = &slack_spec,
    .session_size = sizeof(struct slack_session),
    .max_batch = 1,
    .explains = true,
    .routable = true,
    .answers = true,
    .digest = slack_digest,
    .together = slack_together,
    .check = slack_check,
    .build = slack_build,
    .quotas = slack_quotas,
    .judge = slack_judge,
    .probe_next = slack_probe_next,
    .probe_take = slack_probe_take,
};
