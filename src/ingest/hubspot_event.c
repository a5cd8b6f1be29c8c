/* ingest/hubspot_event.c - one element of HubSpot's array into one typed event (hubspot.md 1). */
#include <string.h>

#include "hubspot_priv.h"

/* Parts of a notification that change from one delivery of a fact to the next, or with the
 * subscription that told us; the type is put back in its mapped form. */
enum { META_FIELDS = 6 };
static const char *const meta_fields[META_FIELDS] = {
    "eventId", "subscriptionId", "appId", "attemptNumber", "sourceId", "changeSource",
};

static const struct object_kind {
    const char *type_id, *name;
} object_kinds[] = {
    {"0-1", "contact"},
    {"0-2", "company"},
    {"0-3", "deal"},
    {"0-5", "ticket"},
};

static struct str event_type(const json *node)
{
    struct str type = json_string(json_get(node, "subscriptionType"));

    return type.len ? type : json_string(json_get(node, "eventType"));
}

/* The kind that an objectTypeId stands for; NULL for custom objects and where there is none. */
static const char *object_kind(const json *node)
{
    struct str id = json_string(json_get(node, "objectTypeId"));

    for (size_t i = 0; i < ARRAY_LEN(object_kinds); i++)
        if (str_is(id, object_kinds[i].type_id))
            return object_kinds[i].name;
    return NULL;
}

/* object.creation of a contact is the same fact as contact.creation. */
static struct str mapped_type(struct str type, const char *kind, struct arena *a)
{
    const struct str generic = STR("object.");

    if (!kind || !str_starts(type, generic))
        return arena_str(a, type);
    struct str change = str_from(type, generic.len);
    return arena_printf(a, "%s.%.*s", kind, STR_ARG(change));
}

static bool is_about(struct str type, const char *kind)
{
    struct str name = str_of(kind);

    return str_starts(type, name) && type.len > name.len && type.at[name.len] == '.';
}

/* A generic notification says isSensitive: false where the older one says nothing; told both
 * ways it is still one fact. */
static void set_key(const json *node, const char *kind, int64_t own_time, struct arena *a,
                    struct event *e)
{
    const json *sensitive = json_get(node, "isSensitive");
    const char *ignored[META_FIELDS + 5] = {0};
    size_t n = META_FIELDS;
    uint8_t hash[SHA256_LEN];

    memcpy(ignored, meta_fields, sizeof meta_fields);
    if (e->type.len) {
        ignored[n++] = "subscriptionType";
        ignored[n++] = "eventType";
    }
    if (kind && is_about(e->type, kind))
        ignored[n++] = "objectTypeId";
    if (json_type(sensitive) == JSON_BOOL && !json_true(sensitive))
        ignored[n++] = "isSensitive";
    const struct fact_rules rules = {
        .domain = "hubspot",
        .ignored = ignored,
        .type_key = STR("subscriptionType"),
        .type = e->type.len ? e->type : STR_NULL,
    };
    fact_hash(node, &rules, a, hash);
    e->key = dedupe_key_of(own_time, hash);
}

static bool read_id(const json *node, const char *key, int64_t *ret)
{
    int64_t id;

    if (!json_int64(json_get(node, key), &id) || id <= 0)
        return false;
    *ret = id;
    return true;
}

/* Each reader below answers NULL, or why the event cannot be processed. */
typedef const char *reader(const json *node, struct arena *a, struct event *e);

static const char *read_subject(const json *node, struct arena *a, struct event *e)
{
    (void)a;
    return read_id(node, "objectId", &e->object_id)
               ? NULL
               : "objectId is missing or not a positive integer";
}

/* The value of a sensitive property is not sent: the word REDACTED must not become it. */
static bool is_redacted(const json *node, struct str value)
{
    return json_true(json_get(node, "isSensitive")) && str_is(value, "REDACTED");
}

static const char *read_change(const json *node, struct arena *a, struct event *e)
{
    const json *value = json_get(node, "propertyValue");
    struct str name = json_string(json_get(node, "propertyName"));
    const char *odd = read_subject(node, a, e);

    if (odd)
        return odd;
    if (!name.len)
        return "propertyName is missing or not a text";
    if (name.len > FLAT_NAME_MAX)
        return "propertyName is longer than 255 bytes";
    if (json_type(value) == JSON_ARRAY || json_type(value) == JSON_OBJECT)
        return "propertyValue is not a text";
    e->property = arena_str(a, name);
    e->value = json_scalar(value, a); /* missing or null: cleared */
    if (is_redacted(node, e->value)) {
        e->effect = EFFECT_NONE;
        return NULL;
    }
    struct field *set = ARENA_NEW(a, struct field);
    *set = (struct field){e->property, e->value};
    e->properties = set;
    e->n_properties = 1;
    return NULL;
}

/* The record that results may be a third one: then the winner is absorbed as well. */
static const char *read_merge(const json *node, struct arena *a, struct event *e)
{
    const json *absorbed = json_get(node, "mergedObjectIds");
    int64_t *ids = arena_array(a, json_count(absorbed) + 1, sizeof *ids);
    int64_t winner = 0, into = 0, id;
    size_t n = 0;

    bool has_winner = read_id(node, "primaryObjectId", &winner);
    if (!read_id(node, "newObjectId", &into) && !has_winner)
        return "newObjectId and primaryObjectId are missing or not positive integers";
    if (!into)
        into = winner;
    if (json_type(absorbed) != JSON_ARRAY || !json_count(absorbed))
        return "mergedObjectIds is missing or empty";
    for (const json *c = json_first(absorbed); c; c = json_next(c)) {
        if (!json_int64(c, &id) || id <= 0)
            return "mergedObjectIds holds something else than positive integers";
        if (id == winner)
            winner = into; /* it is in the list by itself */
        if (id != into)
            ids[n++] = id;
    }
    if (winner && winner != into)
        ids[n++] = winner;
    if (!n)
        return "mergedObjectIds holds only the record that survives";
    e->object_id = e->merge_into = into;
    e->merged = ids;
    e->n_merged = n;
    return NULL;
}

static const char *read_association(const json *node, struct arena *a, struct event *e)
{
    struct str type = json_string(json_get(node, "associationType"));
    struct str from_type = json_string(json_get(node, "fromObjectTypeId"));

    (void)a;
    if (!str_starts(type, STR("CONTACT_TO_")) && !(!type.at && str_is(from_type, "0-1"))) {
        e->state = EVENT_UNLINKED;
        e->reason = STR("the association does not start at a contact");
        return NULL;
    }
    return read_id(node, "fromObjectId", &e->object_id)
               ? NULL
               : "fromObjectId is missing or not a positive integer";
}

static const struct contact_kind {
    const char *type;
    enum event_effect effect;
    reader *read;
} contact_kinds[] = {
    {"contact.propertyChange", EFFECT_PROPERTIES, read_change},
    {"contact.creation", EFFECT_NONE, read_subject},
    {"contact.deletion", EFFECT_DELETE, read_subject},
    {"contact.restore", EFFECT_RESTORE, read_subject},
    {"contact.privacyDeletion", EFFECT_ERASE, read_subject},
    {"contact.merge", EFFECT_MERGE, read_merge},
    {"contact.associationChange", EFFECT_NONE, read_association},
};

static const struct contact_kind *contact_kind(struct str type)
{
    for (size_t i = 0; i < ARRAY_LEN(contact_kinds); i++)
        if (str_is(type, contact_kinds[i].type))
            return &contact_kinds[i];
    return NULL;
}

static void unlink_event(const json *node, struct event *e)
{
    e->state = EVENT_UNLINKED;
    e->reason = event_type_index(e->type) < n_known_event_types
                    ? STR("it is not about a contact")
                    : STR("it is of a type that we do not know");
    (void)read_id(node, "portalId", &e->portal_id); /* 0 is all right: nobody looks it up */
    (void)read_id(node, "objectId", &e->object_id);
}

static void read_by_kind(const json *node, struct arena *a, struct event *e)
{
    const struct contact_kind *kind = contact_kind(e->type);

    if (!kind) {
        unlink_event(node, e);
        return;
    }
    e->effect = kind->effect;
    const char *odd = kind->read(node, a, e);
    if (!odd && !read_id(node, "portalId", &e->portal_id))
        odd = "portalId is missing or not a positive integer";
    if (odd)
        event_odd(e, odd);
}

void hubspot_event(const json *node, struct arena *a, struct event *e)
{
    const char *kind = object_kind(node);
    int64_t own_time = 0;

    bool timed = json_int64(json_get(node, "occurredAt"), &own_time) && own_time >= 0 &&
                 own_time <= EVENT_TIME_MAX;
    if (timed)
        e->occurred_at = event_time(own_time, e->received_at);
    e->type = mapped_type(event_type(node), kind, a);
    set_key(node, kind, timed ? own_time : 0, a, e);
    if (json_type(node) != JSON_OBJECT) {
        event_odd(e, "it is not a JSON object");
        return;
    }
    struct flat data = flatten(node, a); /* what does not fit is a field we do not know */
    e->data = data.items;
    e->n_data = data.n;
    if (!e->type.len)
        event_odd(e, "subscriptionType is missing or not a text");
    else if (!timed)
        event_odd(e, "occurredAt is missing or not a time in milliseconds");
    else
        read_by_kind(node, a, e);
}
