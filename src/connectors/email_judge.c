/* connectors/email_judge.c - what a mail server's replies mean for the delivery.
 *
 * 4xx is for later and 5xx for good (RFC 5321 4.2.1), but of what depends on the command: one
 * recipient, this message, or everything that goes through this server. What is for everything
 * ends the job.
 */
#include "email_priv.h"

#include <string.h>

#include "funneld/base/clock.h"

#define BUSY_PAUSE_MS  (1 * MINUTES_MS)  /* the server takes nothing at the moment */
#define QUOTA_PAUSE_MS (15 * MINUTES_MS) /* it counts, by the hour or the day */

enum class {
    CLASS_TOLD,
    CLASS_LATER,     /* this recipient; the others go on */
    CLASS_ALL_LATER, /* the server */
    CLASS_QUOTA,
    CLASS_POLICY,  /* some say so of a limit, others mean it: tried a few times, with long rests */
    CLASS_REFUSED, /* this recipient */
    CLASS_BROKEN,  /* the account or the settings: a person must mend them */
    CLASS_UNKNOWN,
};

/* The first line that fits counts. */
#define RELAY_ADVICE                                                                               \
    "the server carries no mail to others for you: check `user`, or its rules for this machine"

static const struct reply {
    const char *command; /* NULL: any */
    int from, to;        /* codes */
    const char *says;    /* enhanced code, or a part of the text, ASCII case ignored; NULL: any */
    enum class class;
    const char *advice;
} replies[] = {
    {"STARTTLS", 200, 299, NULL, CLASS_BROKEN,
     "the server offers no STARTTLS: smtps:// may do, or another port"},
    {"STARTTLS", 500, 599, NULL, CLASS_BROKEN,
     "the server offers no STARTTLS: smtps:// may do, or another port"},
    {"AUTH", 200, 399, NULL, CLASS_BROKEN,
     "the server offers no login that we know: another port may, or leave `user` and `password` "
     "out"},
    {"AUTH", 534, 534, NULL, CLASS_BROKEN, "the server wants an app password, or a token"},
    {"AUTH", 535, 535, "5.7.139", CLASS_BROKEN,
     "Basic authentication is switched off: an administrator can allow SMTP AUTH for the mailbox, "
     "or send through a relay"},
    {"AUTH", 500, 599, NULL, CLASS_BROKEN,
     "the server does not take user and password; check the connector's `user` and `password`"},
    {".", 200, 299, NULL, CLASS_TOLD, ""},
    {NULL, 530, 530, NULL, CLASS_BROKEN,
     "the server wants a login: give the connector `user` and `password`"},
    {NULL, 550, 550, "5.7.30", CLASS_BROKEN,
     "Basic authentication is switched off there: send through a relay"},
    {NULL, 421, 421, NULL, CLASS_ALL_LATER, ""},
    {"RCPT", 400, 499, NULL, CLASS_LATER, ""},
    {"DATA", 400, 499, NULL, CLASS_LATER, ""},
    {".", 400, 499, NULL, CLASS_LATER, ""},
    {NULL, 400, 499, NULL, CLASS_ALL_LATER, ""},
    {"RCPT", 550, 554, " 5.1.", CLASS_REFUSED, ""}, /* whatever words it quotes */
    {"RCPT", 550, 554, "relay access denied", CLASS_BROKEN, RELAY_ADVICE},
    {"RCPT", 550, 554, "relaying", CLASS_BROKEN, RELAY_ADVICE},
    {"RCPT", 550, 554, "to relay", CLASS_BROKEN, RELAY_ADVICE},
    {"RCPT", 500, 599, "5.7.1 ", CLASS_POLICY,
     "it is the server's policy: ask who runs it, and check the connector's `from`"},
    {"RCPT", 500, 599, NULL, CLASS_REFUSED, ""},
    {"MAIL", 552, 552, NULL, CLASS_REFUSED, "the message is too big for it"},
    {"MAIL", 500, 599, NULL, CLASS_BROKEN,
     "the server does not take the sender: check the connector's `from`"},
    {".", 500, 599, "5.7.1 ", CLASS_POLICY,
     "it is the server's policy: ask who runs it, and check the connector's `from`"},
    {".", 552, 552, NULL, CLASS_REFUSED, "the message or the mailbox is too big for it"},
    {"DATA", 500, 599, NULL, CLASS_REFUSED, ""},
    {".", 500, 599, NULL, CLASS_REFUSED, ""},
    {NULL, 500, 599, NULL, CLASS_BROKEN, "the server takes no mail from here"},
};

/* A password may be one of the words. */
static bool says(const struct http_response *r, const char *words)
{
    struct str reply = r->unmasked.at ? r->unmasked : r->body;
    size_t len = strlen(words);

    for (size_t i = 0; i + len <= reply.len; i++)
        if (str_ieq((struct str){reply.at + i, len}, (struct str){words, len}))
            return true;
    return false;
}

/* Limits come with every code that there is, 550 among them. */
static bool is_quota(const struct http_response *r)
{
    static const char *const words[] = {"rate limit",    "rate-limit",    "ratelimit",
                                        "sending rate",  "sending limit", "sending quota",
                                        "message limit", "throttl",       "too many"};

    for (size_t i = 0; i < ARRAY_LEN(words) && r->status >= 400; i++)
        if (says(r, words[i]))
            return true;
    return false;
}

static const struct reply *find_reply(const struct http_response *r)
{
    static const struct reply unknown = {.class = CLASS_UNKNOWN, .advice = ""},
                              quota = {.class = CLASS_QUOTA,
                                       .advice = "the server's limit of mails is used up"};

    if (is_quota(r))
        return &quota;

    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        const struct reply *known = &replies[i];

        if (r->status >= known->from && r->status <= known->to &&
            (!known->command || (r->command && strcmp(r->command, known->command) == 0)) &&
            (!known->says || says(r, known->says)))
            return known;
    }
    return &unknown;
}

/* Reasons are logged, and addresses are not for logs. */
static struct str without_addresses(struct str words, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1024);
    struct str word;

    while (str_split(&words, ' ', &word)) {
        sbuf_text(&b, b.len ? " " : "");
        sbuf_add(&b, str_chr(word, '@') ? STR("...") : word);
    }
    return arena_str(a, sbuf_str(&b));
}

/* "the server ... (550 5.1.1 unknown user, to RCPT)"; its text is theirs: cut and cleaned. */
static struct str reason_of(const struct http_response *r, const struct reply *known,
                            struct arena *a)
{
    struct str words = without_addresses(text_line(r->body, EMAIL_HEADER_POINTS, a), a);
    const char *to = r->command && *r->command ? r->command : "the connection";

    if (!words.len)
        words = arena_printf(a, "%d", r->status);
    if (*known->advice)
        return arena_printf(a, "%s (%.*s, to %s)", known->advice, STR_ARG(words), to);
    return arena_printf(a, "%.*s (to %s)", STR_ARG(words), to);
}

struct str email_reason(const struct http_response *r, struct arena *a)
{
    return reason_of(r, find_reply(r), a);
}

/* One more that was not told. */
static void note(struct job *job, struct str *list, struct str reason)
{
    const struct email *s = job->settings;
    const struct email_round *round = job->scratch;
    struct str to = s->to.items[round->at];

    *list = arena_printf(job->arena, "%.*s%s%.1s...@%.*s: %.*s", STR_ARG(*list),
                         list->len ? "; " : "", to.at, STR_ARG(email_domain(to)), STR_ARG(reason));
}

static void told(struct job *job)
{
    const struct email *s = job->settings;
    const struct email_round *round = job->scratch;
    struct str *ids = &job->outcomes[0].remote_id, before = *ids;
    struct str id = email_message_id(s, &job->parcels[0], s->to.items[round->at], job->arena);

    *ids =
        arena_printf(job->arena, "%.*s%s%.*s", STR_ARG(before), before.len ? " " : "", STR_ARG(id));
}

/* The next one's turn, or what came of all of them. */
static enum judged go_on(struct job *job)
{
    const struct email *s = job->settings;
    struct email_round *round = job->scratch;

    round->at = email_next(job, round->at + 1);
    if (round->at < s->to.n)
        return judge_settled(job);
    if (round->later.len)
        return judge_all(job, VERDICT_RETRY, round->later);
    if (round->refused.len)
        return judge_all(job, VERDICT_DEAD, round->refused);
    return judge_all(job, VERDICT_DELIVERED, STR_NULL);
}

/* What is said of one recipient keeps no other from being told. */
static bool is_of_one(const struct http_response *r)
{
    const char *c = r->command ? r->command : "";

    return strcmp(c, "RCPT") == 0 || strcmp(c, "DATA") == 0 || strcmp(c, ".") == 0;
}

/* As judge_unknown: for a while it may change, then it will not. */
static enum judged doubtful(struct job *job, const struct http_response *r, struct str reason)
{
    struct email_round *round = job->scratch;
    bool early = job->parcels[0].d.unclear < UNCLEAR_ANSWERS_MAX;

    if (!is_of_one(r))
        return judge_unknown(job, reason);
    job->outcomes[0].unclear |= early;
    note(job, early ? &round->later : &round->refused, reason);
    return go_on(job);
}

static enum judged rest(struct job *job, const struct http_response *r, int64_t pause_ms,
                        enum verdict v, struct str reason)
{
    job_rest(job, r, pause_ms);
    return judge_all(job, v, reason);
}

enum judged email_judge(struct job *job, const struct http_response *r)
{
    struct email_round *round = job->scratch;
    const struct reply *known = find_reply(r);
    struct str reason = reason_of(r, known, job->arena);

    switch (known->class) {
    case CLASS_TOLD:
        told(job);
        return go_on(job);
    case CLASS_LATER:
        note(job, &round->later, reason);
        return go_on(job);
    case CLASS_REFUSED:
        note(job, &round->refused, reason);
        return go_on(job);
    case CLASS_ALL_LATER:
        return rest(job, r, BUSY_PAUSE_MS, VERDICT_RETRY, reason);
    case CLASS_POLICY:
        job_rest(job, r, QUOTA_PAUSE_MS);
        return doubtful(job, r, reason);
    case CLASS_QUOTA:
        if (!is_of_one(r))
            return rest(job, r, QUOTA_PAUSE_MS, VERDICT_RETRY, reason);
        job_rest(job, r, QUOTA_PAUSE_MS);
        note(job, &round->later, reason);
        return go_on(job);
    case CLASS_BROKEN:
        job->broken = true;
        return judge_all(job, VERDICT_RETRY, reason);
    case CLASS_UNKNOWN:
        break;
    }
    return doubtful(job, r, reason);
}
