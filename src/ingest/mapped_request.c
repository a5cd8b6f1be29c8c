/* ingest/mapped_request.c - the body of a Zap or another sender into events. */
#include "mapping_priv.h"

enum { MAX_EVENTS = 1000 }; /* in one array */

/* In an array the header's id is that of all: which one it is makes the event's. */
static void read_one(const json *node, const struct mapping *m, size_t index, struct arena *a,
                     struct event *e)
{
    struct mapping one = *m;

    if (m->id.len && index)
        one.id = arena_printf(a, "%.*s/%zu", STR_ARG(m->id), index);
    mapped_event(node, &one, a, e);
    e->body = envelope_seal(node, e->body, &one, e, a);
}

static enum refusal read_root(const struct source *s, const struct raw_request *r,
                              const struct json_doc *doc, struct str text, const struct mapping *m,
                              struct arena *a, struct event **ret, size_t *ret_n, struct why *why)
{
    bool array = json_type(doc->root) == JSON_ARRAY;
    size_t n = array ? doc->n_elements : 1, i = 0;

    if (!array && json_type(doc->root) != JSON_OBJECT)
        return refuse(REFUSED_JSON, why, "the body is neither a JSON object nor an array of them");
    if (n > MAX_EVENTS)
        return refuse(REFUSED_TOO_LARGE, why, "%zu events in one request, at most %d are taken", n,
                      MAX_EVENTS);
    const struct request_facts facts = request_facts(s, r, a);
    struct event *events = arena_array(a, n + 1, sizeof *events);
    const json *node = array ? json_first(doc->root) : doc->root;
    for (; node && i < n; node = json_next(node), i++) {
        event_init(&events[i], &facts, array ? doc->elements[i] : str_trim(text), a);
        read_one(node, m, i, a, &events[i]);
    }
    *ret = events;
    *ret_n = i;
    return REFUSED_NOT;
}

/* The body as JSON. */
static enum refusal read_text(const struct raw_request *r, const struct mapped_kind *kind,
                              struct arena *a, struct str *ret, struct why *why)
{
    struct str type;
    enum header_state state = header_get(r, "Content-Type", &type);

    *ret = r->body;
    if (state == HEADER_ONCE && media_type_is_form(type))
        return form_to_json(r->body, type, a, ret, why);
    if ((state == HEADER_MISSING && !kind->needs_type) ||
        (state == HEADER_ONCE && media_type_is_json(type)))
        return REFUSED_NOT;
    return refuse(REFUSED_MEDIA_TYPE, why,
                  "the body must be sent as application/json or as a form "
                  "(application/x-www-form-urlencoded)");
}

enum refusal mapped_decode(const struct source *s, const struct raw_request *r,
                           const struct mapping *m, struct arena *a, struct event **ret,
                           size_t *ret_n, struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str text;
    enum refusal refused = read_text(r, m->kind, a, &text, why);

    if (refused)
        return refused;
    if (json_parse(text, &doc, why))
        return REFUSED_JSON;
    return read_root(s, r, &doc, text, m, a, ret, ret_n, why);
}

enum rc mapped_decode_stored(const struct source *s, struct mapping now,
                             const struct stored_body *stored, struct arena *a, struct event *ret,
                             struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct request_facts facts = {.source = arena_str(a, s->name),
                                        .received_at = stored->received_at};
    struct mapping m = now;
    const json *sent;

    if (json_parse(stored->text, &doc, why) ||
        envelope_open(doc.root, stored->reading, &m, a, &sent, why))
        return why_wrap(RC_INVALID, why, "read a stored event of type %s", s->type->name);
    event_init(ret, &facts, stored->text, a);
    mapped_event(sent, &m, a, ret);
    if (stored->reading == READ_ANEW)
        ret->body = envelope_renew(sent, &m, ret, a);
    return RC_OK;
}
