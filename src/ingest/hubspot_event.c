/* ingest/hubspot_event.c - one element of HubSpot's array into one typed event (hubspot.md 1). */
#include <string.h>

#include "funneld/lead/object.h"
#include "hubspot_priv.h"

/* Parts of a notification that change from one delivery of a fact to the next, or with the
 * subscription that told us; the type is put back in its mapped form. */
enum { META_FIELDS = 6 };
static const char *const meta_fields[META_FIELDS] = {
    "eventId", "subscriptionId", "appId", "attemptNumber", "sourceId", "changeSource",
};

static const struct {
    const char *type_id, *name;
} record_kinds[] = {
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

static const char *kind_of_type_id(const json *id)
{
    for (size_t i = 0; i < ARRAY_LEN(record_kinds); i++)
        if (str_is(json_string(id), record_kinds[i].type_id))
            return record_kinds[i].name;
    return NULL;
}

/* "CONTACT" or "DEAL" of CONTACT_TO_DEAL; NULL: of another kind, or there is no such text. */
static const char *kind_of_side(const json *node, bool from)
{
    struct str type = json_string(json_get(node, "associationType"));
    const char *to = str_find(type, STR("_TO_"));

    if (!to)
        return NULL;
    size_t before = (size_t)(to - type.at);
    struct str side = from ? (struct str){type.at, before} : str_from(type, before + 4);
    for (size_t i = 0; i < ARRAY_LEN(record_kinds); i++)
        if (str_ieq(side, str_of(record_kinds[i].name)))
            return record_kinds[i].name;
    return NULL;
}

/* Generic notifications have ids of types in place of the text (hubspot.md 1.2: unverified). */
static const char *kind_of_end(const json *node, bool from)
{
    const char *kind = kind_of_side(node, from);

    return kind ? kind
                : kind_of_type_id(json_get(node, from ? "fromObjectTypeId" : "toObjectTypeId"));
}

/* The kind of record that a generic notification is about; NULL for custom objects and where none
 * is said. Of an association it is that of the side where it starts. */
static const char *record_kind(const json *node)
{
    const char *kind = kind_of_type_id(json_get(node, "objectTypeId"));

    return kind || json_get(node, "objectTypeId") ||
                   !str_is(event_type(node), "object.associationChange")
               ? kind
               : kind_of_end(node, true);
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

/* Told from either side, an association of a contact with an object is one and the same. */
static void note_association(const json *node, int64_t from, struct event *e)
{
    const char *ends[] = {kind_of_end(node, true), kind_of_end(node, false)};
    bool from_contact = ends[0] && str_is(str_of(ends[0]), "contact");
    bool to_contact = ends[1] && str_is(str_of(ends[1]), "contact");
    const char *other = ends[from_contact];
    int64_t to;

    if (from_contact == to_contact || !other || !read_id(node, "toObjectId", &to))
        return;
    e->association = (struct association){
        .kind = object_kind_of(str_of(other)),
        .object_id = from_contact ? to : from,
        .contact_id = from_contact ? from : to,
        .removed = json_true(json_get(node, "associationRemoved")),
    };
}

static void leave_unlinked(struct event *e, const char *reason)
{
    e->state = EVENT_UNLINKED;
    e->reason = str_of(reason);
    e->object = OBJECT_NONE;
    e->effect = EFFECT_NONE;
}

static const char *read_association(const json *node, struct arena *a, struct event *e)
{
    struct str type = json_string(json_get(node, "associationType"));
    struct str from_type = json_string(json_get(node, "fromObjectTypeId"));

    (void)a;
    if (!e->object && !str_starts(type, STR("CONTACT_TO_")) &&
        !(!type.at && str_is(from_type, "0-1"))) {
        leave_unlinked(e, "the association does not start at a contact");
        return NULL;
    }
    if (!read_id(node, "fromObjectId", &e->object_id))
        return "fromObjectId is missing or not a positive integer";
    note_association(node, e->object_id, e);
    if (e->object && e->association.kind != e->object)
        leave_unlinked(e, "the association is with no contact");
    else if (e->object)
        e->object_id = e->association.object_id;
    return NULL;
}

static const struct change {
    const char *name;
    enum event_effect effect;
    reader *read;
    bool of_contacts; /* alone */
} changes[] = {
    {"propertyChange", EFFECT_PROPERTIES, read_change, false},
    {"creation", EFFECT_NONE, read_subject, false},
    {"deletion", EFFECT_DELETE, read_subject, false},
    {"restore", EFFECT_RESTORE, read_subject, false},
    {"privacyDeletion", EFFECT_ERASE, read_subject, true},
    {"merge", EFFECT_MERGE, read_merge, false},
    {"associationChange", EFFECT_NONE, read_association, false},
};

/* *ret_object: of what; OBJECT_NONE: a contact. NULL: of anything else. */
static const struct change *change_of(struct str type, enum object_kind *ret_object)
{
    enum object_kind object = object_kind_of_type(type);
    struct str kind, change = type;

    if (!str_split(&change, '.', &kind) || (!object && !str_is(kind, "contact")))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        if (str_is(change, changes[i].name) && !(object && changes[i].of_contacts)) {
            *ret_object = object;
            return &changes[i];
        }
    return NULL;
}

static void unlink_event(const json *node, struct event *e)
{
    leave_unlinked(e, event_type_index(e->type) < n_known_event_types
                          ? "it is about no contact, company, deal or ticket"
                          : "it is of a type that we do not know");
    (void)read_id(node, "portalId", &e->portal_id); /* 0 is all right: nobody looks it up */
    (void)read_id(node, "objectId", &e->object_id);
}

static void read_by_kind(const json *node, struct arena *a, struct event *e)
{
    const struct change *change = change_of(e->type, &e->object);

    if (!change) {
        unlink_event(node, e);
        return;
    }
    e->effect = change->effect;
    const char *odd = change->read(node, a, e);
    if (!odd && !read_id(node, "portalId", &e->portal_id))
        odd = "portalId is missing or not a positive integer";
    if (odd)
        event_odd(e, odd);
}

void hubspot_event(const json *node, struct arena *a, struct event *e)
{
    const char *kind = record_kind(node);
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
