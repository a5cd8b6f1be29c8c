/* ingest/zapier_event.c - one JSON object of a Zap into one typed event (design 1.6).
 *
 * The dedupe key's time is 0: a Zap that is replayed days later sends the same body, and where
 * that has no occurred_at the only time at hand is ours, which differs. With an event_id the key
 * is made of it alone; without one of the whole body, and the source's dedupe_window says for
 * how long. Events of one millisecond that set the same property are therefore ordered by hash:
 * any order will do as long as it is always the same.
 */
#include "zapier_priv.h"

#include "funneld/lead/lead.h"

static const char *const own_fields[] = {"event_id", "event_type", "occurred_at", "email"};

static bool is_own_field(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(own_fields); i++)
        if (str_is(name, own_fields[i]))
            return true;
    return false;
}

/* Missing when it is not there, null or empty; false when it is an array or object. */
static bool read_text(const json *node, const char *key, struct arena *a, struct str *ret)
{
    const json *value = json_get(node, key);
    struct str text = str_trim(json_scalar(value, a));

    *ret = text.len ? text : STR_NULL;
    return json_type(value) != JSON_ARRAY && json_type(value) != JSON_OBJECT;
}

static bool read_time(const json *node, struct arena *a, struct event *e)
{
    struct str text;
    int64_t own;

    if (!read_text(node, "occurred_at", a, &text))
        return false;
    if (!text.at)
        return true; /* it stays the time of arrival */
    if (!json_int64(json_get(node, "occurred_at"), &own) && !time_parse(text, &own))
        return false;
    if (own < 0 || own > EVENT_TIME_MAX)
        return false;
    e->occurred_at = event_time(own, e->received_at);
    return true;
}

/* Zaps send fields that nobody filled in as "", so empty is missing. */
static void read_data(const struct flat *flat, struct event *e)
{
    size_t n = 0;

    for (size_t i = 0; i < flat->n; i++)
        if (flat->items[i].value.len && flat->items[i].name.len)
            flat->items[n++] = flat->items[i];
    e->data = flat->items;
    e->n_data = n;
}

/* The address is a property as well: rules and templates ask for lead.email. */
static void read_properties(struct arena *a, struct event *e)
{
    struct field *set = arena_array(a, e->n_data + 1, sizeof *set);
    size_t n = 0;

    set[n++] = (struct field){STR("email"), e->email};
    for (size_t i = 0; i < e->n_data; i++)
        if (!is_own_field(e->data[i].name))
            set[n++] = e->data[i];
    e->properties = set;
    e->n_properties = n;
    e->effect = EFFECT_PROPERTIES;
}

/* NULL, or why it cannot be processed. */
static const char *read_object(const json *node, struct arena *a, struct event *e,
                               struct str *ret_id)
{
    struct str type, email;
    struct flat flat = flatten(node, a);

    read_data(&flat, e);
    if (!read_text(node, "event_type", a, &type))
        return "event_type is not a text";
    if (type.at)
        e->type = type;
    if (flat.cut)
        return "it has more than 1000 fields, or one whose name is longer than 255 bytes";
    if (!read_text(node, "event_id", a, ret_id))
        return "event_id is neither a text nor a number";
    if (!read_time(node, a, e))
        return "occurred_at is neither ISO 8601 nor milliseconds";
    if (!read_text(node, "email", a, &email))
        return "email is not a text";
    if (!email.at)
        return "email is missing: there is no lead to link it to";
    e->email = email_normalise(email, a);
    if (!e->email.at)
        return "email is not an address";
    read_properties(a, e);
    return NULL;
}

static void key_by_id(struct str id, struct event *e)
{
    uint8_t hash[SHA256_LEN];

    fact_hash_text("zapier.id", e->source, id, hash);
    e->key = dedupe_key_of(0, hash);
}

static void key_by_body(const json *node, const struct zapier *z, struct arena *a, struct event *e)
{
    uint8_t hash[SHA256_LEN];

    fact_hash(node, &(struct fact_rules){.domain = "zapier.body", .scope = e->source}, a, hash);
    e->key = dedupe_key_of(0, hash);
    e->dedupe_window_ms = z->dedupe_window;
}

/* An odd event is known by its body even where it has an id: the user will mend the Zap and
 * replay it, and then the id must count. */
void zapier_event(const json *node, const struct zapier *z, struct arena *a, struct event *e)
{
    struct str id = STR_NULL;
    const char *odd = "it is not a JSON object";

    e->type = STR("zapier.event");
    if (json_type(node) == JSON_OBJECT)
        odd = read_object(node, a, e, &id);
    if (odd)
        event_odd(e, odd);
    if (odd || !id.at)
        key_by_body(node, z, a, e);
    else
        key_by_id(id, e);
}
