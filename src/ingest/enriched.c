/* ingest/enriched.c - what a CRM read brings back, as an event like any other.
 *
 * The event is made by writing its canonical body and decoding that, so what a stored body is
 * decoded to later cannot differ from what was folded in at first.
 */
#include <stdlib.h>
#include <string.h>

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

void enriched_event(struct str source, int64_t portal_id, int64_t object_id, int64_t updated_at,
                    const struct field *properties, size_t n, int64_t received_at, struct arena *a,
                    struct event *ret)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    struct str body;
    struct why why = {0};

    json_open(&b, '{');
    json_kv_int(&b, "objectId", object_id);
    json_kv_int(&b, "portalId", portal_id);
    json_key(&b, "properties");
    write_properties(&b, properties, n, a);
    json_kv_int(&b, "updatedAt", updated_at);
    json_close(&b, '}');
    if (sbuf_seal(&b, a, &body) || enriched_decode(body, received_at, a, ret, &why)) {
        struct request_facts facts = {.received_at = received_at};
        uint8_t hash[SHA256_LEN];

        event_init(ret, &facts, STR(""), a);
        ret->type = STR("contact.enriched");
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

enum rc enriched_decode(struct str body, int64_t received_at, struct arena *a, struct event *ret,
                        struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct request_facts facts = {.received_at = received_at};
    struct event e;
    uint8_t hash[SHA256_LEN];
    int64_t updated_at;

    if (json_parse(body, &doc, why))
        return why_wrap(RC_INVALID, why, "read a contact.enriched event");
    event_init(&e, &facts, body, a);
    e.type = STR("contact.enriched");
    e.effect = EFFECT_PROPERTIES;
    const json *properties = json_get(doc.root, "properties");
    if (!json_int64(json_get(doc.root, "portalId"), &e.portal_id) ||
        !json_int64(json_get(doc.root, "objectId"), &e.object_id) ||
        !json_int64(json_get(doc.root, "updatedAt"), &updated_at) || updated_at < 0 ||
        json_type(properties) != JSON_OBJECT)
        return why_fail(RC_INVALID, why,
                        "contact.enriched lacks portalId, objectId, updatedAt or properties");
    e.occurred_at = event_time(updated_at, received_at);
    read_properties(properties, a, &e);
    struct flat data = flatten(doc.root, a);
    e.data = data.items;
    e.n_data = data.n;
    fact_hash(doc.root, &(struct fact_rules){.domain = "enriched"}, a, hash);
    e.key = dedupe_key_of(updated_at, hash);
    *ret = e;
    return RC_OK;
}
