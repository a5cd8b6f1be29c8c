/* ingest/enriched.c - what a CRM read brings back, as an event like any other.
 *
 * The body of a contact's has no kind; an object's has one, and the contacts that it was read with;
 * a search does not tell them.
 *
 * The event is made by writing its canonical body and decoding that, so what a stored body is
 * decoded to later cannot differ from what was folded in at first.
 */
#include <stdlib.h>
#include <string.h>

#include "funneld/lead/object.h"
#include "ingest_priv.h"

enum { BODY_MAX = 16 * 1024 * 1024 }; /* far above what a transport lets through */

static int by_name(const void *a, const void *b)
{
    return str_cmp((*(const struct field *const *)a)->name,
                   (*(const struct field *const *)b)->name);
}

static void write_properties(struct sbuf *b, const struct field *properties, size_t n,
                             struct arena *a)
{
    const struct field **sorted = arena_array(a, n + 1, sizeof *sorted);

    for (size_t i = 0; i < n; i++)
        sorted[i] = &properties[i];
    qsort(sorted, n, sizeof *sorted, by_name);
    json_open(b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i && str_eq(sorted[i]->name, sorted[i - 1]->name))
            continue; /* a body with a key twice could not be read again */
        json_key_str(b, sorted[i]->name);
        json_str(b, sorted[i]->value);
    }
    json_close(b, '}');
}

static void write_contacts(struct sbuf *b, const struct contact_list *list)
{
    json_key(b, "contacts");
    json_open(b, '[');
    for (size_t i = 0; i < list->n; i++)
        json_int(b, list->ids[i]);
    json_close(b, ']');
    json_key(b, "allContacts");
    json_bool(b, list->all);
    json_kv_int(b, "contactsReadAt", list->read_at);
}

static void write_body(struct sbuf *b, const struct crm_record *r, struct arena *a)
{
    json_open(b, '{');
    json_kv_int(b, "objectId", r->id);
    json_kv_int(b, "portalId", r->portal_id);
    json_key(b, "properties");
    write_properties(b, r->properties, r->n_properties, a);
    json_kv_int(b, "updatedAt", r->updated_at);
    if (r->kind) {
        json_kv_text(b, "kind", object_kind_name(r->kind));
        write_contacts(b, &r->contacts);
    }
    json_close(b, '}');
}

static struct str type_of(enum object_kind kind, struct arena *a)
{
    return kind ? arena_printf(a, "%s.enriched", object_kind_name(kind)) : STR("contact.enriched");
}

struct str recovered_type(enum object_kind kind, struct arena *a)
{
    return kind ? arena_printf(a, "%s.recovered", object_kind_name(kind))
                : STR("contact.recovered");
}

bool is_recovered_type(struct str type)
{
    return str_ends(type, STR(".recovered"));
}

void record_event(struct str source, const struct crm_record *r, int64_t received_at,
                  struct arena *a, struct event *ret)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    struct str body;
    struct why why = {0};

    write_body(&b, r, a);
    if (sbuf_seal(&b, a, &body) || enriched_decode(body, received_at, a, ret, &why)) {
        struct request_facts facts = {.received_at = received_at};
        uint8_t hash[SHA256_LEN];

        event_init(ret, &facts, STR(""), a);
        ret->type = type_of(r->kind, a);
        event_odd(ret,
                  arena_text(a, why.text[0] ? str_of(why.text) : STR("the record is too big")));
        fact_hash_text("enriched.odd", source, sbuf_str(&b), hash);
        ret->key = dedupe_key_of(0, hash);
    }
    ret->source = arena_str(a, source);
}

static void read_properties(const json *object, struct arena *a, struct event *e)
{
    struct field *set = arena_array(a, json_count(object) + 1, sizeof *set);

    for (const json *m = json_first(object); m; m = json_next(m))
        set[e->n_properties++] =
            (struct field){arena_str(a, json_name(m)), json_scalar(m, a)}; /* null: cleared */
    e->properties = set;
}

/* false: it is not what write_contacts writes. */
static bool read_contacts(const json *root, struct arena *a, struct event *e)
{
    const json *contacts = json_get(root, "contacts");
    int64_t *ids = arena_array(a, json_count(contacts) + 1, sizeof *ids);

    for (const json *c = json_first(contacts); c; c = json_next(c))
        if (!json_int64(c, &ids[e->contacts.n++]) || ids[e->contacts.n - 1] <= 0)
            return false;
    e->contacts.ids = ids;
    e->contacts.all = json_true(json_get(root, "allContacts"));
    return json_type(contacts) == JSON_ARRAY &&
           json_int64(json_get(root, "contactsReadAt"), &e->contacts.read_at);
}

static bool read_record(const json *root, struct arena *a, int64_t *ret_updated_at, struct event *e)
{
    const json *kind = json_get(root, "kind");

    e->object = object_kind_of(json_string(kind));
    if (kind && (!e->object || !read_contacts(root, a, e)))
        return false;
    return json_int64(json_get(root, "portalId"), &e->portal_id) &&
           json_int64(json_get(root, "objectId"), &e->object_id) &&
           json_int64(json_get(root, "updatedAt"), ret_updated_at) && *ret_updated_at >= 0 &&
           json_type(json_get(root, "properties")) == JSON_OBJECT;
}

enum rc enriched_decode(struct str body, int64_t received_at, struct arena *a, struct event *ret,
                        struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct request_facts facts = {.received_at = received_at};
    struct event e;
    uint8_t hash[SHA256_LEN];
    int64_t updated_at = 0;

    if (json_parse(body, &doc, why))
        return why_wrap(RC_INVALID, why, "read an event of what the CRM says");
    event_init(&e, &facts, body, a);
    e.effect = EFFECT_PROPERTIES;
    if (!read_record(doc.root, a, &updated_at, &e))
        return why_fail(RC_INVALID, why,
                        "what the CRM says lacks portalId, objectId, updatedAt, properties or, of "
                        "an object, contacts");
    e.type = type_of(e.object, a);
    e.occurred_at = event_time(updated_at, received_at);
    if (e.contacts.read_at) /* 0: they were not */
        e.contacts.read_at = event_time(e.contacts.read_at, received_at);
    read_properties(json_get(doc.root, "properties"), a, &e);
    struct flat data = flatten(doc.root, a);
    e.data = data.items;
    e.n_data = data.n;
    fact_hash(doc.root, &(struct fact_rules){.domain = "enriched"}, a, hash);
    e.key = dedupe_key_of(updated_at, hash);
    *ret = e;
    return RC_OK;
}
