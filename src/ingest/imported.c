/* ingest/imported.c - what a file or the CRM's history says of a lead's past, as an event like any
 * other.
 *
 * The event is made by writing its canonical body and decoding that, as enriched.c does it. A state
 * (a row of a file) has no property of its own, so no rule about a change fires; a change (a
 * version out of the CRM's history) has one, and counts as of when it happened.
 */
#include <stdlib.h>
#include <string.h>

#include "funneld/lead/lead.h"
#include "ingest_priv.h"

enum { BODY_MAX = 512 * 1024 }; /* two of them go over the control socket at once */

const struct str imported_type = {"contact.imported", sizeof "contact.imported" - 1};

static int by_name(const void *a, const void *b)
{
    return str_cmp((*(const struct field *const *)a)->name,
                   (*(const struct field *const *)b)->name);
}

static void write_properties(struct sbuf *b, const struct imported *i, struct arena *a)
{
    const struct field **sorted = arena_array(a, i->n_properties + 1, sizeof *sorted);

    for (size_t k = 0; k < i->n_properties; k++)
        sorted[k] = &i->properties[k];
    qsort(sorted, i->n_properties, sizeof *sorted, by_name);
    json_key(b, "properties");
    json_open(b, '{');
    for (size_t k = 0; k < i->n_properties; k++) {
        if (k && str_eq(sorted[k]->name, sorted[k - 1]->name))
            continue; /* a body with a key twice could not be read again */
        json_key_str(b, sorted[k]->name);
        json_str(b, sorted[k]->value);
    }
    json_close(b, '}');
}

enum rc imported_body(const struct imported *i, struct arena *a, struct str *ret)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);

    json_open(&b, '{');
    json_kv_int(&b, "at", i->at);
    if (i->email.at)
        json_kv(&b, "email", i->email);
    if (i->first_at)
        json_kv_int(&b, "firstAt", i->first_at);
    if (i->crm_id) {
        json_kv_int(&b, "objectId", i->crm_id);
        json_kv_int(&b, "portalId", i->portal_id);
    }
    if (i->property.at) {
        json_kv(&b, "property", i->property);
        json_kv(&b, "value", i->value.at ? i->value : STR(""));
    }
    write_properties(&b, i, a);
    json_close(&b, '}');
    return sbuf_seal(&b, a, ret);
}

static void read_properties(const json *object, struct arena *a, struct event *e)
{
    struct field *set = arena_array(a, json_count(object) + 2, sizeof *set);

    for (const json *m = json_first(object); m; m = json_next(m))
        set[e->n_properties++] = (struct field){arena_str(a, json_name(m)), json_scalar(m, a)};
    if (e->property.at)
        set[e->n_properties++] = (struct field){e->property, e->value};
    e->properties = set;
}

static bool optional_int(const json *node, int64_t *ret)
{
    return !node || json_int64(node, ret);
}

static bool is_text_or_missing(const json *node)
{
    return !node || json_type(node) == JSON_STRING;
}

/* false: it is not what imported_body writes. */
static bool read_fact(const json *root, struct arena *a, int64_t *ret_at, struct event *e)
{
    const json *property = json_get(root, "property"), *value = json_get(root, "value");
    const json *email = json_get(root, "email");

    if (!json_int64(json_get(root, "at"), ret_at) || *ret_at < 0 || *ret_at > EVENT_TIME_MAX ||
        !optional_int(json_get(root, "firstAt"), &e->first_at) || e->first_at < 0 ||
        !optional_int(json_get(root, "objectId"), &e->object_id) || e->object_id < 0 ||
        !optional_int(json_get(root, "portalId"), &e->portal_id) || e->portal_id < 0 ||
        !is_text_or_missing(property) || !is_text_or_missing(value) || !is_text_or_missing(email) ||
        json_type(json_get(root, "properties")) != JSON_OBJECT)
        return false;
    e->email = email_normalise(json_string(email), a);
    e->property = arena_str(a, json_string(property));
    e->value = e->property.at ? arena_str(a, json_string(value)) : STR_NULL;
    return true;
}

enum rc imported_decode(struct str body, int64_t received_at, struct arena *a, struct event *ret,
                        struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct request_facts facts = {.received_at = received_at};
    struct event e;
    uint8_t hash[SHA256_LEN];
    int64_t at = 0;

    if (json_parse(body, &doc, why))
        return why_wrap(RC_INVALID, why, "read what was imported");
    event_init(&e, &facts, body, a);
    e.type = imported_type;
    e.effect = EFFECT_PROPERTIES;
    e.imported = true;
    if (!read_fact(doc.root, a, &at, &e))
        return why_fail(RC_INVALID, why, "what was imported lacks at, properties or an identity");
    if (!e.object_id && !e.email.at)
        return why_fail(RC_INVALID, why, "it says of nobody: there is no e-mail address and no id");
    e.occurred_at = event_time(at, received_at);
    if (!e.first_at || e.first_at > e.occurred_at)
        e.first_at = e.occurred_at;
    read_properties(json_get(doc.root, "properties"), a, &e);
    struct flat data = flatten(doc.root, a);
    e.data = data.items;
    e.n_data = data.n;
    fact_hash(doc.root, &(struct fact_rules){.domain = "imported"}, a, hash);
    e.key = dedupe_key_of(at, hash);
    *ret = e;
    return RC_OK;
}

enum rc imported_event(struct str source, struct str body, int64_t received_at, struct arena *a,
                       struct event *ret, struct why *why)
{
    enum rc rc = imported_decode(body, received_at, a, ret, why);

    if (rc != RC_OK)
        return rc;
    ret->source = source;
    ret->request_id = arena_printf(a, "import-%lld", (long long)received_at);
    return RC_OK;
}
