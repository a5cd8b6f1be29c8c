/* ingest/told.c - what an event of a CRM's object says to one of its leads.
 *
 * The event is made by writing its body and decoding that, so what a stored body is decoded to
 * later cannot differ from what was folded in at first. Facts are [value, time] by their names:
 * they are all that was known then, so that the newest of these events says it all.
 */
#include "funneld/lead/object.h"
#include "ingest_priv.h"

enum { BODY_MAX = 4 * 1024 * 1024 };

static void write_facts(struct sbuf *b, const struct told *t)
{
    json_key(b, "facts");
    json_open(b, '{');
    for (size_t i = 0; i < t->n_facts; i++) {
        json_key_str(b, t->facts[i].name);
        json_open(b, '[');
        json_str(b, t->facts[i].value);
        json_int(b, t->facts[i].at);
        json_close(b, ']');
    }
    json_close(b, '}');
}

static void write_body(struct sbuf *b, const struct told *t, struct str sent)
{
    const struct event *of = t->of;

    json_open(b, '{');
    json_kv_int(b, "contactId", t->contact_id);
    json_kv_int(b, "portalId", of->portal_id);
    json_kv(b, "type", t->type);
    json_kv_int(b, "occurredAt", of->occurred_at);
    if (of->property.at) {
        json_kv(b, "property", of->property);
        json_kv(b, "value", of->value);
    }
    write_facts(b, t);
    if (sent.len) {
        json_key(b, "event");
        json_raw(b, sent);
    }
    json_close(b, '}');
}

/* What a CRM read brought is in the facts; anything else is passed on as it was sent. */
static struct str as_sent(const struct event *of)
{
    bool is_object = of->body.len && of->body.at[0] == '{';

    return is_object && !of->contacts.read_at ? of->body : STR_NULL;
}

static enum rc make(const struct told *t, struct str sent, struct arena *a, struct event *ret,
                    struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    struct str body;

    write_body(&b, t, sent);
    if (sbuf_seal(&b, a, &body))
        return why_fail(RC_TOOBIG, why, "what is known of the lead's objects is too big");
    return told_decode(body, t->of->received_at, a, ret, why);
}

enum rc told_event(const struct told *t, struct arena *a, struct event *ret, struct why *why)
{
    enum rc rc = make(t, as_sent(t->of), a, ret, why);

    if (rc == RC_INVALID) /* inside another body it is nested too deep */
        rc = make(t, STR_NULL, a, ret, why);
    if (rc != RC_OK)
        return rc;
    ret->source = arena_str(a, t->of->source);
    ret->request_id = arena_str(a, t->of->request_id);
    ret->key = t->key;
    return RC_OK;
}

static bool read_facts(const json *object, struct arena *a, struct event *e)
{
    struct property *facts = arena_array(a, json_count(object) + 1, sizeof *facts);
    size_t n = 0;

    for (const json *m = json_first(object); m; m = json_next(m)) {
        const json *value = json_first(m);
        struct property *p = &facts[n++];

        *p = (struct property){.name = arena_str(a, json_name(m)), .value = json_string(value)};
        if (json_type(m) != JSON_ARRAY || !p->value.at || !json_int64(json_next(value), &p->at))
            return false;
        p->value = arena_str(a, p->value);
        p->key = fact_key(p);
    }
    e->facts = facts;
    e->n_facts = n;
    return json_type(object) == JSON_OBJECT;
}

enum rc told_decode(struct str body, int64_t received_at, struct arena *a, struct event *ret,
                    struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct request_facts facts = {.received_at = received_at};
    struct event e;

    if (json_parse(body, &doc, why))
        return why_wrap(RC_INVALID, why, "read what a lead was told of its objects");
    event_init(&e, &facts, body, a);
    e.effect = EFFECT_FACTS;
    e.type = arena_str(a, json_string(json_get(doc.root, "type")));
    e.property = arena_str(a, json_string(json_get(doc.root, "property")));
    e.value = arena_str(a, json_string(json_get(doc.root, "value")));
    if (!e.type.len || !json_int64(json_get(doc.root, "contactId"), &e.object_id) ||
        !json_int64(json_get(doc.root, "portalId"), &e.portal_id) ||
        !json_int64(json_get(doc.root, "occurredAt"), &e.occurred_at) ||
        !read_facts(json_get(doc.root, "facts"), a, &e))
        return why_fail(
            RC_INVALID, why,
            "what a lead was told lacks type, contactId, portalId, occurredAt or facts");
    struct flat data = flatten(json_get(doc.root, "event"), a);
    e.data = data.items;
    e.n_data = data.n;
    *ret = e;
    return RC_OK;
}
