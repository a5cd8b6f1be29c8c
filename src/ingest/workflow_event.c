/* ingest/workflow_event.c - the body of a workflow's webhook into one typed event (hubspot.md 3).
 *
 * Three shapes, told apart by what is in them: the action of an app (callbackId, origin, object,
 * inputFields); all properties, in the form of the old contacts API (vid, portal-id,
 * properties.X.value); and keys that a user chose. None says when: it is the time of arrival.
 */
#include "workflow_priv.h"

#include "funneld/lead/lead.h"

/* A record's id and the account's, by any of their names; not properties of the lead. */
static const char *const id_keys[] = {"objectId", "hs_object_id", "canonical-vid", "vid"};
static const char *const portal_keys[] = {"portalId", "portal-id", "portal_id"};
static const char *const other_keys[] = {"callbackId", "is-contact", "objectType", "objectTypeId"};

enum { PROPERTIES_MAX = 5000 }; /* of one lead at once: HubSpot's accounts have some hundreds */

struct record {
    const json *ids, *properties; /* objects that hold them; properties may be ids */
    const json *portal;           /* object that holds the account's id */
};

static bool is_one_of(struct str name, const char *const names[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static bool is_own_key(struct str name)
{
    return is_one_of(name, id_keys, ARRAY_LEN(id_keys)) ||
           is_one_of(name, portal_keys, ARRAY_LEN(portal_keys)) ||
           is_one_of(name, other_keys, ARRAY_LEN(other_keys));
}

static struct record find_record(const json *node)
{
    const json *object = json_get(node, "object"), *origin = json_get(node, "origin");
    const json *record = json_type(object) == JSON_OBJECT ? object : node;
    const json *properties = json_get(record, "properties");

    return (struct record){
        .ids = record,
        .properties = json_type(properties) == JSON_OBJECT ? properties : record,
        .portal = json_type(origin) == JSON_OBJECT ? origin : node,
    };
}

/* "Ada", or {"value":"Ada","versions":[...]}; what nobody filled in is missing. */
static struct str property_value(const json *node, struct arena *a)
{
    struct str text =
        flat_value(json_type(node) == JSON_OBJECT ? json_get(node, "value") : node, a);

    return text.len ? text : STR_NULL;
}

static int64_t positive(const json *node)
{
    int64_t id;

    return json_int64(node, &id) && id > 0 ? id : 0;
}

static int64_t positive_text(struct str text)
{
    int64_t id;

    return str_int64(text, &id) && id > 0 ? id : 0;
}

static int64_t find_id(const json *object, const char *const names[], size_t n)
{
    int64_t id = 0;

    for (size_t i = 0; i < n && !id; i++)
        id = positive(json_get(object, names[i]));
    return id;
}

static struct str mapped_path(const struct mapping *m, const char *name)
{
    for (size_t i = 0; i < m->map.n; i++)
        if (str_is(m->map.items[i].name, name))
            return m->map.items[i].value;
    return STR_NULL;
}

static void read_ids(const json *node, const struct record *r, const struct mapping *m,
                     struct arena *a, struct event *e)
{
    struct str own = property_value(json_get(r->properties, "hs_object_id"), a);
    struct str portal = mapped_path(m, "portal_id");

    e->object_id = find_id(r->ids, id_keys, ARRAY_LEN(id_keys));
    if (!e->object_id)
        e->object_id = positive_text(own);
    e->portal_id = find_id(r->portal, portal_keys, ARRAY_LEN(portal_keys));
    if (!e->portal_id)
        e->portal_id = find_id(node, portal_keys, ARRAY_LEN(portal_keys));
    if (!e->portal_id && path_is_constant(portal))
        e->portal_id = positive_text(path_constant(portal));
}

static bool is_contact(const json *node, const struct record *r, const struct workflow *w)
{
    static const char *const others[] = {"companyId", "dealId", "ticketId"};
    struct str type = json_string(json_get(r->ids, "objectType"));

    if (!type.len)
        type = json_string(json_get(r->ids, "objectTypeId"));
    if (type.len)
        return str_ieq(type, STR("CONTACT")) || str_is(type, "0-1");
    if (w->object != OBJECT_NONE)
        return false;
    return json_get(node, "vid") || !find_id(node, others, ARRAY_LEN(others));
}

static void read_properties(const struct record *r, struct arena *a, struct event *e)
{
    struct field *set = arena_array(a, json_count(r->properties) + 1, sizeof *set);
    bool apart = r->properties != r->ids; /* then there is nothing else among them */

    for (const json *c = json_first(r->properties); c; c = json_next(c)) {
        struct str name = json_name(c), value = property_value(c, a);

        if (value.at && name.len && name.len <= FLAT_NAME_MAX && (apart || !is_own_key(name)))
            set[e->n_properties++] = (struct field){arena_str(a, name), value};
    }
    e->properties = set;
    e->effect = e->n_properties ? EFFECT_PROPERTIES : EFFECT_NONE;
}

/* By the record where it is known, else by its address. NULL, or why that is not possible. */
static const char *link_event(const struct record *r, struct arena *a, struct event *e)
{
    struct str email = property_value(json_get(r->properties, "email"), a);

    if (e->object_id && e->portal_id)
        return NULL;
    e->email = email_normalise(email, a);
    if (e->email.at) {
        e->object_id = e->portal_id = 0;
        return NULL;
    }
    if (e->object_id)
        return "the body does not name the account: set portal in the source's section";
    return email.at ? "email is not an address, and no record's id is there"
                    : "neither a record's id nor an email is there: there is no lead to link it to";
}

static struct str find_data(const struct event *e, struct str name)
{
    for (size_t i = 0; i < e->n_data; i++)
        if (str_eq(e->data[i].name, name))
            return e->data[i].value;
    return STR_NULL;
}

static struct str event_id(const json *node, const struct event *e, const struct mapping *m,
                           struct arena *a)
{
    struct str path = mapped_path(m, "event_id");

    if (!path.len)
        return str_trim(json_scalar(json_get(node, "callbackId"), a));
    if (path.at[0] == '$')
        return str_trim(flat_value(path_find(node, path), a));
    return str_trim(find_data(e, path));
}

static void set_key(const json *node, const struct mapping *m, struct arena *a, struct event *e)
{
    const struct fact_rules rules = {.domain = "workflow.body", .scope = e->source};
    struct str id = e->state == EVENT_UNPROCESSABLE ? STR_NULL : event_id(node, e, m, a);
    uint8_t hash[SHA256_LEN];

    if (id.len) {
        fact_hash_text("workflow.id", e->source, id, hash);
    } else {
        fact_hash(node, &rules, a, hash);
        e->dedupe_window_ms = m->dedupe_window;
    }
    e->key = dedupe_key_of(0, hash);
}

static void read_record(const json *node, const struct workflow *w, const struct mapping *m,
                        struct arena *a, struct event *e)
{
    const struct record r = find_record(node);

    read_ids(node, &r, m, a, e);
    if (!is_contact(node, &r, w)) {
        e->state = EVENT_UNLINKED;
        e->reason = STR("it is not about a contact");
        return;
    }
    read_properties(&r, a, e);
    const char *odd = e->n_properties > PROPERTIES_MAX ? "it has more than 5000 properties"
                                                       : link_event(&r, a, e);
    if (odd)
        event_odd(e, odd);
}

void workflow_event(const json *node, const struct workflow *w, const struct mapping *m,
                    struct arena *a, struct event *e)
{
    struct flat data = {0};

    e->type = STR("workflow.enrolled");
    if (json_type(node) == JSON_OBJECT) {
        data = flatten(node, a); /* what does not fit is a field we do not know */
        e->data = data.items;
        e->n_data = data.n;
        read_record(node, w, m, a, e);
    } else {
        event_odd(e, "it is not a JSON object");
    }
    set_key(node, m, a, e);
}
