/* ingest/mapping.c - one JSON object of a Zap or another sender into one typed event (design 1.6).
 *
 * The dedupe key's time is 0: a request that is repeated days later has the same body, and where
 * that has no occurred_at the only time at hand is ours, which differs. With an id the key is made
 * of it alone; without one of the whole body, and dedupe_window says for how long. Events of one
 * millisecond that set the same property are therefore ordered by hash: any order will do as long
 * as it is always the same.
 */
#include "mapping_priv.h"

#include "funneld/lead/lead.h"

/* Below it milliseconds would be of the first three years after 1970. */
#define SECONDS_BELOW INT64_C(100000000000)

enum own { OWN_ID, OWN_TYPE, OWN_TIME, OWN_EMAIL, OWN_FIELDS };
static const struct own_field {
    struct str name, path;
    bool fixed_text; /* 'text' has a meaning for it */
} own_fields[OWN_FIELDS] = {
    [OWN_ID] = {{"event_id", 8}, {"$.event_id", 10}, false},
    [OWN_TYPE] = {{"event_type", 10}, {"$.event_type", 12}, true},
    [OWN_TIME] = {{"occurred_at", 11}, {"$.occurred_at", 13}, false},
    [OWN_EMAIL] = {{"email", 5}, {"$.email", 7}, false},
};

static const struct own_field *own_field(struct str name)
{
    for (size_t i = 0; i < OWN_FIELDS; i++)
        if (str_eq(name, own_fields[i].name))
            return &own_fields[i];
    return NULL;
}

/* Configuration */

static void path_problem(struct conf_problems *p, const struct conf_section *section,
                         const struct conf_entry *e, const struct path_error *error)
{
    int blanks = 0;

    for (size_t i = 0; i < error->column && i < e->value.len; i++)
        blanks += ((unsigned char)e->value.at[i] & 0xC0) != 0x80; /* one for each character */
    conf_problem(p, section, e, NULL, "\"%.*s\": %s\n    %.*s\n    %*s^", STR_ARG(e->key),
                 error->text, STR_ARG(e->value), blanks, "");
}

static void check_entry(const struct conf_entry *e, const struct conf_section *section,
                        struct conf_problems *problems)
{
    struct str name = str_from(e->key, sizeof "map." - 1);
    const struct own_field *own = own_field(name);
    struct path_error error;

    if (e->raw.len && e->raw.at[0] == '"' && e->value.len && e->value.at[0] != '$')
        conf_problem(problems, section, e,
                     "'text' is always this text; a key of the body stands without quotes",
                     "\"%.*s\" has double quotes, which could mean either", STR_ARG(e->key));
    else if (!path_valid(e->value, &error))
        path_problem(problems, section, e, &error);
    else if (path_is_constant(e->value) && own && !own->fixed_text)
        conf_problem(problems, section, e, "say where it stands in the body, as in $.person.mail",
                     "\"%.*s\" cannot be the same for all events", STR_ARG(e->key));
}

void mapping_check(const struct str_pairs *map, const struct conf_section *section,
                   struct conf_problems *problems)
{
    for (size_t i = 0; i < map->n; i++) {
        struct str key = arena_printf(problems->arena, "map.%.*s", STR_ARG(map->items[i].name));
        const struct conf_entry *e = conf_find(section, key.at);

        if (e)
            check_entry(e, section, problems);
    }
}

/* Events */

struct reading {
    const json *node;
    const struct mapping *m;
    struct flat flat;        /* what is not "" */
    const struct str *taken; /* flat names that the map speaks of, in its order */
    struct arena *a;
};

static const struct str_pair *mapped(const struct reading *r, struct str name)
{
    for (size_t i = 0; i < r->m->map.n; i++)
        if (str_eq(r->m->map.items[i].name, name))
            return &r->m->map.items[i];
    return NULL;
}

static struct str flat_get(const struct reading *r, struct str name)
{
    for (size_t i = 0; i < r->flat.n; i++)
        if (str_eq(r->flat.items[i].name, name))
            return r->flat.items[i].value;
    return STR_NULL;
}

static struct str read_path(const struct reading *r, struct str path)
{
    struct str text;

    if (path_is_constant(path))
        text = path_constant(path);
    else if (path.at[0] == '$')
        text = flat_value(path_find(r->node, path), r->a);
    else
        text = flat_get(r, path);
    return text.len ? text : STR_NULL;
}

/* Missing when it is not there, null or empty; false when it is an array or object. */
static bool read_own(const struct reading *r, enum own field, struct str *ret)
{
    const struct str_pair *pair = mapped(r, own_fields[field].name);
    struct str path = pair ? pair->value : own_fields[field].path;

    if (path.at[0] == '$') {
        enum json_type type = json_type(path_find(r->node, path));

        if (type == JSON_ARRAY || type == JSON_OBJECT)
            return false;
    }
    struct str text = str_trim(read_path(r, path));
    *ret = text.len ? text : STR_NULL;
    return true;
}

static bool read_time(const struct reading *r, struct event *e)
{
    struct str text;
    int64_t own;

    if (!read_own(r, OWN_TIME, &text))
        return false;
    if (!text.at)
        return true; /* it stays the time of arrival */
    bool number = str_int64(text, &own);
    if (!number && !time_parse(text, &own))
        return false;
    if (own < 0)
        return false;
    if (number && r->m->kind->takes_seconds && own < SECONDS_BELOW)
        own *= SECONDS_MS;
    if (own > EVENT_TIME_MAX)
        return false;
    e->occurred_at = event_time(own, e->received_at);
    return true;
}

/* Fields that nobody filled in come as "", so empty is missing. */
static void read_data(struct reading *r, struct event *e)
{
    size_t n = 0;

    r->flat = flatten(r->node, r->a);
    for (size_t i = 0; i < r->flat.n; i++)
        if (r->flat.items[i].value.len && r->flat.items[i].name.len)
            r->flat.items[n++] = r->flat.items[i];
    r->flat.n = n;
    e->data = r->flat.items;
    e->n_data = n;
}

/* What a map names is not kept under its own name as well. */
static bool is_spoken_for(const struct reading *r, struct str name)
{
    if (own_field(name) || mapped(r, name))
        return true;
    for (size_t i = 0; i < r->m->map.n; i++)
        if (str_eq(r->taken[i], name))
            return true;
    return false;
}

static const struct str *flat_names(const struct mapping *m, struct arena *a)
{
    struct str *names = arena_array(a, m->map.n + 1, sizeof *names);

    for (size_t i = 0; i < m->map.n; i++)
        names[i] = path_flat_name(m->map.items[i].value, a);
    return names;
}

static size_t read_mapped(const struct reading *r, struct field *set, size_t n)
{
    for (size_t i = 0; i < r->m->map.n; i++) {
        const struct str_pair *pair = &r->m->map.items[i];
        struct str value = own_field(pair->name) ? STR_NULL : read_path(r, pair->value);

        if (value.at)
            set[n++] = (struct field){arena_str(r->a, pair->name), arena_str(r->a, value)};
    }
    return n;
}

/* The address is a property as well: rules and templates ask for lead.email. */
static void read_properties(const struct reading *r, struct event *e)
{
    struct field *set = arena_array(r->a, e->n_data + r->m->map.n + 1, sizeof *set);
    size_t n = 0;

    set[n++] = (struct field){STR("email"), e->email};
    n = read_mapped(r, set, n);
    for (size_t i = 0; i < e->n_data && r->m->kind->keeps_unmapped; i++)
        if (!is_spoken_for(r, e->data[i].name))
            set[n++] = e->data[i];
    e->properties = set;
    e->n_properties = n;
    e->effect = EFFECT_PROPERTIES;
}

/* NULL, or why it cannot be processed. */
static const char *read_object(struct reading *r, struct event *e, struct str *ret_id)
{
    struct str type, email;

    read_data(r, e);
    if (!read_own(r, OWN_TYPE, &type))
        return "event_type is not a text";
    if (type.at)
        e->type = arena_str(r->a, type);
    if (r->flat.cut && r->m->kind->keeps_unmapped)
        return "it has more than 1000 fields, or one whose name is longer than 255 bytes";
    if (!read_own(r, OWN_ID, ret_id))
        return "event_id is neither a text nor a number";
    if (!read_time(r, e))
        return "occurred_at is neither ISO 8601 nor milliseconds";
    if (!read_own(r, OWN_EMAIL, &email))
        return "email is not a text";
    if (!email.at)
        return "email is missing: there is no lead to link it to";
    e->email = email_normalise(email, r->a);
    if (!e->email.at)
        return "email is not an address";
    r->taken = flat_names(r->m, r->a);
    read_properties(r, e);
    return NULL;
}

static void key_by_id(const struct mapping *m, struct str id, struct event *e)
{
    uint8_t hash[SHA256_LEN];

    fact_hash_text(m->kind->id_domain, e->source, id, hash);
    e->key = dedupe_key_of(0, hash);
}

static void key_by_body(const json *node, const struct mapping *m, struct arena *a, struct event *e)
{
    const struct fact_rules rules = {.domain = m->kind->body_domain, .scope = e->source};
    uint8_t hash[SHA256_LEN];

    fact_hash(node, &rules, a, hash);
    e->key = dedupe_key_of(0, hash);
    e->dedupe_window_ms = m->dedupe_window;
}

/* An odd event is known by its body even where it has an id: the user will mend the sender and
 * send it again, and then the id must count. */
void mapped_event(const json *node, const struct mapping *m, struct arena *a, struct event *e)
{
    struct reading r = {.node = node, .m = m, .a = a};
    const char *odd = "it is not a JSON object";
    struct str id = STR_NULL;

    e->type = m->kind->default_type;
    if (json_type(node) == JSON_OBJECT)
        odd = read_object(&r, e, &id);
    if (!mapped(&r, own_fields[OWN_ID].name) && m->id.len)
        id = m->id;
    if (odd)
        event_odd(e, odd);
    if (odd || !id.len)
        key_by_body(node, m, a, e);
    else
        key_by_id(m, id, e);
}
