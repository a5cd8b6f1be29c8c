/* ingest/slack_click.c - a press of a button into one typed event.
 *
 * Of Slack's payload, which repeats the whole message and carries addresses that act for half an
 * hour, only what says who did what to which lead is kept. A press may arrive twice: it is known
 * by its time, who did it and which button.
 */
#include "slack_priv.h"

#include "funneld/lead/feedback.h"

enum { TEXT_BYTES_MAX = 255, CLICK_BYTES_MAX = 8 * 1024, ID_MAX = 32, PUBLIC_ID_DATABASE = 8 };

/* What is kept: its name in our JSON, and where Slack's payload has it. */
static const struct kept {
    const char *name, *path, *or_path;
} kept_of_payload[] = {
    {"payload", "type", NULL},
    {"user", "user.id", NULL},
    {"user_name", "user.username", "user.name"},
    {"team", "team.id", NULL},
    {"channel", "channel.id", "container.channel_id"},
    {"message_ts", "container.message_ts", "message.ts"},
};
static const struct kept kept_of_action[] = {
    {"action", "action_id", NULL},
    {"lead", "value", NULL},
    {"delivery", "block_id", NULL},
    {"action_ts", "action_ts", NULL},
};

static const struct button {
    const char *action, *type;
} buttons[] = {
    {BUTTON_CLAIM, "slack.claim"},
    {BUTTON_SNOOZE, "slack.snooze"},
    {BUTTON_NOT_A_FIT, "slack.not_a_fit"},
};

static const char *type_of(struct str action)
{
    for (size_t i = 0; i < ARRAY_LEN(buttons); i++)
        if (str_is(action, buttons[i].action))
            return buttons[i].type;
    return NULL;
}

static void keep(struct sbuf *b, const json *from, const struct kept *kept, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str value = json_string(json_path(from, kept[i].path));

        if (!value.at && kept[i].or_path)
            value = json_string(json_path(from, kept[i].or_path));
        if (value.at)
            json_kv(b, kept[i].name, str_cut(value, TEXT_BYTES_MAX));
    }
}

/* "1767225600.000247" */
static bool read_ts(struct str text, int64_t *ret_ms)
{
    enum { FRACTION_MAX = 9 };
    struct str seconds;
    int64_t whole, fraction = 0;
    double valid;

    if (!str_decimal(text, &valid) || text.at[0] == '-' || !str_split(&text, '.', &seconds) ||
        !str_int64(seconds, &whole) || whole > EVENT_TIME_MAX / SECONDS_MS ||
        text.len > FRACTION_MAX)
        return false;
    for (size_t i = 0; i < 3; i++)
        fraction = fraction * 10 + (i < text.len ? text.at[i] - '0' : 0);
    *ret_ms = whole * SECONDS_MS + fraction;
    return true;
}

struct str slack_click_body(const json *payload, const json *action, const struct slack_source *s,
                            int64_t received_at, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(CLICK_BYTES_MAX);
    int64_t at = received_at;
    char until[TIME_TEXT];
    struct str ret;

    json_open(&b, '{');
    keep(&b, payload, kept_of_payload, ARRAY_LEN(kept_of_payload));
    keep(&b, action, kept_of_action, ARRAY_LEN(kept_of_action));
    if (str_is(json_string(json_get(action, "action_id")), BUTTON_SNOOZE)) {
        (void)read_ts(json_string(json_get(action, "action_ts")), &at);
        time_text(at + s->snooze, until);
        json_kv_text(&b, "snoozed_until", until);
    }
    json_close(&b, '}');
    return sbuf_seal(&b, a, &ret) ? STR("{}") : ret; /* ten short texts always fit */
}

/* Slack's ids: capitals and digits, the first says of what. */
static bool is_id(struct str s, const char *firsts)
{
    if (s.len < 2 || s.len > ID_MAX || !str_chr(str_of(firsts), s.at[0]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!(s.at[i] >= 'A' && s.at[i] <= 'Z') && !(s.at[i] >= '0' && s.at[i] <= '9'))
            return false;
    return true;
}

/* "0a1b2c3d-7" */
static bool is_public_id(struct str s)
{
    struct str database;
    int64_t n;

    if (!str_split(&s, '-', &database) || database.len != PUBLIC_ID_DATABASE)
        return false;
    for (size_t i = 0; i < database.len; i++)
        if (!str_chr(STR("0123456789abcdef"), database.at[i]))
            return false;
    return str_int64(s, &n) && n > 0 && s.at[0] != '0';
}

static struct str text_of(const json *click, const char *name, struct arena *a)
{
    return arena_str(a, json_string(json_get(click, name)));
}

/* NULL, or why it cannot be processed. */
static const char *judge_click(const json *click, struct arena *a, struct event *e)
{
    struct str action = text_of(click, "action", a);
    int64_t at;

    if (!str_is(json_string(json_get(click, "payload")), "block_actions"))
        return "it is not the press of a button (block_actions)";
    if (!type_of(action))
        return "the button is none of funneld's";
    e->type = str_of(type_of(action));
    if (!is_id(json_string(json_get(click, "user")), "UW"))
        return "it does not say who pressed the button";
    if (!read_ts(json_string(json_get(click, "action_ts")), &at))
        return "it does not say when the button was pressed";
    e->lead = text_of(click, "lead", a);
    if (!is_public_id(e->lead))
        return "the value of the button is not the id of a lead";
    e->occurred_at = event_time(at, e->received_at);
    return NULL;
}

/* What the click was on; without it the message stays as it is. */
static void read_message(const json *click, struct arena *a, struct event *e)
{
    struct str channel = json_string(json_get(click, "channel"));
    struct str ts = json_string(json_get(click, "message_ts")), delivery;
    int64_t at;

    delivery = text_of(click, "delivery", a);
    if (!is_id(channel, "CGD") || !read_ts(ts, &at) || !is_public_id(delivery))
        return;
    e->answered = delivery;
    e->remote = arena_printf(a, "%.*s:%.*s", STR_ARG(channel), STR_ARG(ts));
}

/* An empty value clears a property: whoever decides anew wakes a lead that was put to sleep. */
static void set_properties(const json *click, struct arena *a, struct event *e)
{
    struct str user = text_of(click, "user", a), name = text_of(click, "user_name", a);
    const struct field claim[] = {
        {STR(FEEDBACK_OWNER), user},
        {STR(FEEDBACK_OWNER_NAME), name.at ? name : STR("")},
        {STR(FEEDBACK_VERDICT), STR(FEEDBACK_CLAIMED)},
        {STR(FEEDBACK_BY), user},
        {STR(FEEDBACK_UNTIL), STR("")},
    };
    const struct field not_a_fit[] = {
        {STR(FEEDBACK_VERDICT), STR(FEEDBACK_NOT_A_FIT)},
        {STR(FEEDBACK_BY), user},
        {STR(FEEDBACK_UNTIL), STR("")},
    };
    const struct field snooze[] = {
        {STR(FEEDBACK_UNTIL), text_of(click, "snoozed_until", a)},
        {STR(FEEDBACK_SNOOZED_BY), user},
    };
    const struct {
        const char *type;
        const struct field *set;
        size_t n;
    } effects[] = {
        {"slack.claim", claim, ARRAY_LEN(claim)},
        {"slack.not_a_fit", not_a_fit, ARRAY_LEN(not_a_fit)},
        {"slack.snooze", snooze, ARRAY_LEN(snooze)},
    };
    struct field *set = arena_array(a, ARRAY_LEN(claim), sizeof *set);

    for (size_t i = 0; i < ARRAY_LEN(effects); i++)
        for (size_t k = 0; str_is(e->type, effects[i].type) && k < effects[i].n; k++)
            set[e->n_properties++] = effects[i].set[k];
    e->properties = set;
    e->effect = EFFECT_PROPERTIES;
}

static void set_data(const json *click, struct arena *a, struct event *e)
{
    const struct flat flat = flatten(click, a);

    e->data = flat.items;
    e->n_data = flat.n;
}

static void set_key(const json *click, struct arena *a, const char *odd, struct event *e)
{
    uint8_t hash[SHA256_LEN];
    struct str ts = json_string(json_get(click, "action_ts"));
    struct str user = json_string(json_get(click, "user"));
    struct str action = json_string(json_get(click, "action"));
    int64_t at = 0;

    if (odd) {
        fact_hash(click, &(struct fact_rules){.domain = "slack.odd", .scope = e->source}, a, hash);
    } else {
        (void)read_ts(ts, &at);
        fact_hash_text(
            "slack.click", e->source,
            arena_printf(a, "%.*s %.*s %.*s", STR_ARG(ts), STR_ARG(user), STR_ARG(action)), hash);
    }
    e->key = dedupe_key_of(at, hash);
}

void slack_click_event(const json *click, struct arena *a, struct event *e)
{
    e->type = STR("slack.interaction");
    set_data(click, a, e);

    const char *odd = judge_click(click, a, e);
    if (odd) {
        event_odd(e, odd);
        e->lead = STR_NULL;
    } else {
        read_message(click, a, e);
        set_properties(click, a, e);
    }
    set_key(click, a, odd, e);
}
