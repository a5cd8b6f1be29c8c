/* connectors/slack_message.c - what a lead looks like in Slack.
 *
 * Everything that a lead may have typed stands in plain_text objects and is escaped, so that
 * nobody is pinged and no link is shown that the lead made up; whom we mention is checked to be a
 * user's id. Sizes stay far below Slack's: besides the documented limits there is one over all
 * blocks that no document states.
 */
#include "slack_priv.h"

#include "funneld/base/clock.h"
#include "funneld/lead/feedback.h"

enum {
    HEADER_POINTS = 150, /* Slack's own limit */
    FIELD_POINTS = 200,
    SECTION_POINTS = 2900,
    FALLBACK_POINTS = 1000,
    CONTEXT_POINTS = 300,
    PERSON_POINTS = 80,
    URL_BYTES_MAX = 3000,
};

/* The template escapes its values itself; only its length is still to be bounded. */
static struct str own_text(const struct slack_view *v)
{
    const struct parcel *p = v->parcel;

    if (!p->message)
        return STR("");
    return arena_str(
        v->arena,
        slack_cut(message_written(p, p->message->text, ESCAPE_SLACK, v->arena), SECTION_POINTS));
}

static struct str fallback_text(const struct slack_view *v)
{
    return slack_line(message_summary(v->parcel, v->arena), FALLBACK_POINTS, v->arena);
}

static void fields_block(struct sbuf *b, const struct slack_view *v)
{
    struct message_line lines[MESSAGE_LINES_MAX];
    size_t n = message_lines(v->parcel, v->arena, lines);

    json_open(b, '{');
    json_kv_text(b, "type", "section");
    json_key(b, "fields");
    json_open(b, '[');
    for (size_t i = 0; i < n; i++)
        slack_text_object(
            b, "plain_text",
            arena_printf(v->arena, "%s\n%.*s", lines[i].label,
                         STR_ARG(slack_line(lines[i].value, FIELD_POINTS, v->arena))));
    json_close(b, ']');
    json_close(b, '}');
}

static void origin_block(struct sbuf *b, const struct slack_view *v)
{
    slack_context(b, "plain_text",
                  slack_line(message_origin(v->parcel, v->arena), CONTEXT_POINTS, v->arena));
}

static void built_in_blocks(struct sbuf *b, const struct slack_view *v)
{
    struct str title = message_title(v->parcel, v->arena);
    struct str reasons = slack_text(v->parcel->d.facts.reasons, SECTION_POINTS, v->arena);
    struct str chances[MESSAGE_CHANCES_MAX];
    size_t n = message_chances(v->parcel, v->arena, chances);

    slack_text_block(b, "header", "plain_text", slack_line(title, HEADER_POINTS, v->arena));
    fields_block(b, v);
    if (reasons.len)
        slack_text_block(b, "section", "plain_text", reasons);
    for (size_t i = 0; i < n; i++)
        slack_text_block(b, "section", "plain_text",
                         slack_text(chances[i], SECTION_POINTS, v->arena));
    origin_block(b, v);
}

/* What people said of the lead */

static const struct property *property_of(const struct lead *l, const char *name)
{
    for (size_t i = 0; i < l->n_properties; i++)
        if (str_is(l->properties[i].name, name) && l->properties[i].value.len)
            return &l->properties[i];
    return NULL;
}

static bool is_asleep(const struct slack_view *v)
{
    int64_t until;

    return time_parse(lead_text(v->parcel->lead, FEEDBACK_UNTIL), &until) && until > v->now_ms;
}

static bool has_verdict(const struct slack_view *v, const char *verdict)
{
    return str_is(lead_text(v->parcel->lead, FEEDBACK_VERDICT), verdict);
}

/* A property may come from anywhere: only what looks like a user's id is a mention. */
static struct str person(struct str user, struct arena *a)
{
    return slack_is_user(user) ? arena_printf(a, "<@%.*s>", STR_ARG(user))
                               : slack_line(user, PERSON_POINTS, a);
}

static struct str minute(int64_t at, struct arena *a)
{
    char text[TIME_TEXT];

    time_text(at, text);
    return arena_printf(a, "%.16sZ", text);
}

/* "Claimed by <@U1> at 2026-01-01T00:00Z"; missing when nobody decided. */
static struct str decision(const struct slack_view *v)
{
    const struct property *verdict = property_of(v->parcel->lead, FEEDBACK_VERDICT);
    bool claimed = has_verdict(v, FEEDBACK_CLAIMED);

    if (!claimed && !has_verdict(v, FEEDBACK_NOT_A_FIT))
        return STR_NULL;
    struct str who = lead_text(v->parcel->lead, claimed ? FEEDBACK_OWNER : FEEDBACK_BY);
    return PHRASE_WITH(v->parcel->language, claimed ? PHRASE_CLAIMED_BY : PHRASE_NOT_A_FIT_BY,
                       v->arena, person(who, v->arena), minute(verdict->at, v->arena));
}

static struct str sleep_line(const struct slack_view *v)
{
    struct str who = lead_text(v->parcel->lead, FEEDBACK_SNOOZED_BY);
    int64_t until;

    if (!is_asleep(v) || !time_parse(lead_text(v->parcel->lead, FEEDBACK_UNTIL), &until))
        return STR_NULL;
    return PHRASE_WITH(v->parcel->language, PHRASE_SNOOZED_BY, v->arena, person(who, v->arena),
                       minute(until, v->arena));
}

static struct str status_line(const struct slack_view *v)
{
    struct str decided = decision(v), sleeps = sleep_line(v);

    if (!decided.len || !sleeps.len)
        return decided.len ? decided : sleeps;
    return arena_printf(v->arena, "%.*s\n%.*s", STR_ARG(decided), STR_ARG(sleeps));
}

/* Buttons: what was decided already is not offered again. */
static void feedback_buttons(struct sbuf *b, const struct slack_view *v)
{
    const struct {
        const char *action, *style;
        enum phrase label;
        bool hidden;
    } buttons[] = {
        {BUTTON_CLAIM, "primary", PHRASE_CLAIM, has_verdict(v, FEEDBACK_CLAIMED)},
        {BUTTON_SNOOZE, NULL, PHRASE_SNOOZE, is_asleep(v) || has_verdict(v, FEEDBACK_NOT_A_FIT)},
        {BUTTON_NOT_A_FIT, NULL, PHRASE_NOT_A_FIT, has_verdict(v, FEEDBACK_NOT_A_FIT)},
    };

    for (size_t i = 0; i < ARRAY_LEN(buttons); i++)
        if (!buttons[i].hidden)
            slack_button(b, &(struct slack_button){
                                .action = buttons[i].action,
                                .style = buttons[i].style,
                                .text = str_of(phrase_text(v->parcel->language, buttons[i].label)),
                                .value = v->parcel->lead_public_id,
                            });
}

/* A button with a URL needs no interactivity set up in the app. */
static void link_button(struct sbuf *b, const struct parcel *p)
{
    slack_button(b, &(struct slack_button){
                        .action = BUTTON_CRM,
                        .text = str_of(phrase_text(p->language, PHRASE_OPEN_CRM)),
                        .url = p->crm_url,
                    });
}

/* The block's id says which delivery's message a click is on; each iteration has its own. */
static void actions_block(struct sbuf *b, const struct slack_view *v)
{
    const struct parcel *p = v->parcel;
    bool linked = p->crm_url.len && p->crm_url.len <= URL_BYTES_MAX;

    if (!linked && !v->settings->buttons)
        return;
    slack_actions_open(b, v->settings->buttons ? p->public_id : STR_NULL);
    if (linked)
        link_button(b, p);
    if (v->settings->buttons)
        feedback_buttons(b, v);
    slack_actions_close(b);
}

static void blocks(struct sbuf *b, const struct slack_view *v, struct str own)
{
    struct str status = v->settings->buttons ? status_line(v) : STR_NULL;

    json_key(b, "blocks");
    json_open(b, '[');
    if (own.len)
        slack_text_block(b, "section", "mrkdwn", own);
    else
        built_in_blocks(b, v);
    if (v->owner.len)
        slack_text_block(
            b, "section", "mrkdwn",
            PHRASE_WITH(v->parcel->language, PHRASE_OWNER, v->arena, person(v->owner, v->arena)));
    if (status.len)
        slack_context(b, "mrkdwn", status);
    actions_block(b, v);
    json_close(b, ']');
}

/* Without blocks the text has to say it all. */
static struct str whole_text(const struct slack_view *v, struct str text)
{
    struct str status = v->settings->buttons ? status_line(v) : STR_NULL;

    if (v->form == SLACK_WITH_BLOCKS || !status.len)
        return text;
    return arena_printf(v->arena, "%.*s\n%.*s", STR_ARG(text), STR_ARG(status));
}

void slack_message(struct sbuf *b, const struct slack_view *v)
{
    struct str own = own_text(v);

    json_kv(b, "text", whole_text(v, own.len ? own : fallback_text(v)));
    if (v->form == SLACK_WITH_BLOCKS)
        blocks(b, v, own);
}

void slack_reply(struct sbuf *b, const struct slack_view *v)
{
    struct str own = own_text(v), text = own.len ? own : fallback_text(v);

    json_kv(b, "text", text);
    if (v->form == SLACK_TEXT_ONLY)
        return;
    json_key(b, "blocks");
    json_open(b, '[');
    slack_text_block(b, "section", own.len ? "mrkdwn" : "plain_text", text);
    if (!own.len)
        origin_block(b, v);
    json_close(b, ']');
}

void slack_metadata(struct sbuf *b, struct str delivery)
{
    json_key(b, "metadata");
    json_open(b, '{');
    json_kv_text(b, "event_type", SLACK_EVENT_TYPE);
    json_key(b, "event_payload");
    json_open(b, '{');
    json_kv(b, "delivery", delivery);
    json_close(b, '}');
    json_close(b, '}');
}
