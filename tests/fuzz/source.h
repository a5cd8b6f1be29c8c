/* tests/fuzz/source.h - a source as the configuration makes it, and what holds for its events. */
#ifndef FUNNELD_TESTS_FUZZ_SOURCE_H
#define FUNNELD_TESTS_FUZZ_SOURCE_H

#include "fuzz.h"
#include "request.h"

#include "../../src/ingest/ingest_priv.h"
#include "funneld/lead/lead.h"

/* Settings come the way of production: from text, through the option table. They stay. */
static inline const struct source *fuzz_source(const struct source_type *type, const char *lines)
{
    static struct arena kept;
    static struct source source;
    struct conf conf;
    struct conf_problems problems;

    if (source.type)
        return &source;
    source = (struct source){
        .type = type, .name = STR("s"), .public_url = STR("https://hooks.example.com")};
    conf_problems_init(&problems, &kept);
    struct str text = arena_printf(&kept, "[source s]\ntype = %s\n%s", type->name, lines);
    assert_int_equal(conf_read_text(STR("f.conf"), text, &kept, &conf, &problems), RC_OK);
    void *settings = arena_alloc(&kept, type->spec->size);
    conf_bind(&conf.sections[0], type->spec, settings, &kept, &problems);
    type->check(settings, &conf.sections[0], source.public_url, &problems);
    assert_int_equal(problems.n, 0);
    source.settings = settings;
    return &source;
}

static MAYBE struct request fuzz_request(struct str body)
{
    struct request r = {.raw = {.method = STR("POST"),
                                .target = STR("/webhooks/s"),
                                .body = body,
                                .received_at = FUZZ_NOW,
                                .request_id = STR("req-1")}};

    request_add(&r, "Content-Type", STR("application/json"));
    return r;
}

static void same_fields(const struct field *a, size_t n, const struct field *b, size_t m)
{
    assert_int_equal(n, m);
    for (size_t i = 0; i < n; i++) {
        fuzz_same(a[i].name, b[i].name);
        fuzz_same(a[i].value, b[i].value);
    }
}

/* All but what only the request tells. */
static void same_event(const struct event *a, const struct event *b)
{
    fuzz_same(a->type, b->type);
    fuzz_same(a->reason, b->reason);
    fuzz_same(a->email, b->email);
    fuzz_same(a->property, b->property);
    fuzz_same(a->value, b->value);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->effect, b->effect);
    assert_int_equal(a->occurred_at, b->occurred_at);
    assert_int_equal(a->portal_id, b->portal_id);
    assert_int_equal(a->object_id, b->object_id);
    assert_int_equal(a->merge_into, b->merge_into);
    assert_int_equal(a->n_merged, b->n_merged);
    assert_int_equal(a->dedupe_window_ms, b->dedupe_window_ms);
    assert_memory_equal(&a->key, &b->key, sizeof a->key);
    same_fields(a->properties, a->n_properties, b->properties, b->n_properties);
    same_fields(a->data, a->n_data, b->data, b->n_data);
}

/* Folding it in once more changes nothing. */
static void check_fold(const struct event *e, struct arena *a)
{
    struct lead lead = {.id = 1, .portal_id = e->portal_id, .crm_id = e->object_id};

    (void)lead_fold(&lead, e, a); /* whether it changes an empty lead depends on the event */
    assert_false(lead_fold(&lead, e, a));
    for (size_t i = 1; i < lead.n_properties; i++)
        assert_true(str_cmp(lead.properties[i - 1].name, lead.properties[i].name) < 0);
}

/* As the pipeline reads what is stored of it. */
static struct event fuzz_stored(const struct source *s, const struct event *e, struct str text,
                                struct arena *a)
{
    const struct stored_body stored = {text, FUZZ_NOW,
                                       e->state == EVENT_PROCESSED ? READ_AS_IT_CAME : READ_ANEW};
    struct event ret;

    assert_int_equal(s->type->decode_stored(s, &stored, a, &ret, NULL), RC_OK);
    return ret;
}

static void write_reversed(struct sbuf *b, const json *first)
{
    if (!first)
        return;
    write_reversed(b, json_next(first));
    json_key_str(b, json_name(first));
    json_node(b, first);
}

/* The order of an object's members does not make another fact. */
static void check_order(const struct source *s, const struct event *e, const json *root,
                        struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 24);
    struct event reversed;

    if (json_type(root) != JSON_OBJECT)
        return;
    json_open(&b, '{');
    write_reversed(&b, json_first(root));
    json_close(&b, '}');
    reversed = fuzz_stored(s, e, sbuf_str(&b), a);
    assert_memory_equal(&e->key, &reversed.key, sizeof e->key);
    assert_int_equal(e->state, reversed.state);
}

static bool is_lower(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] >= 'A' && s.at[i] <= 'Z')
            return false;
    return true;
}

static void check_event(const struct source *s, const struct event *e, struct arena *a)
{
    struct event stored, rewritten;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 24);

    assert_true(e->occurred_at >= 0 && e->occurred_at <= FUZZ_NOW + EVENT_AHEAD_MS);
    assert_true(e->portal_id >= 0 && e->object_id >= 0 && str_is_utf8(e->type));
    assert_true(e->state <= EVENT_UNLINKED && e->effect <= EFFECT_MERGE);
    assert_int_equal(e->state != EVENT_PROCESSED, e->reason.len > 0);
    if (e->state != EVENT_PROCESSED)
        assert_true(e->effect == EFFECT_NONE && !e->n_properties && !e->n_merged);
    assert_int_equal(e->effect == EFFECT_MERGE, e->n_merged > 0);
    assert_true(!e->email.at || str_eq(email_normalise(e->email, a), e->email));
    assert_true(is_lower(e->email));

    stored = fuzz_stored(s, e, e->body, a);
    same_event(e, &stored);
    /* Blanks, escapes and the way a number is written do not make another fact. */
    assert_int_equal(json_parse(e->body, &doc, NULL), RC_OK);
    json_node(&b, doc.root);
    rewritten = fuzz_stored(s, e, sbuf_str(&b), a);
    same_event(e, &rewritten);
    check_order(s, e, doc.root, a);
    check_fold(e, a);
}

static MAYBE void fuzz_decode(const struct source *s, struct request *r)
{
    struct arena a AUTO(arena_free) = {0};
    struct why why = {0};
    struct event *events = NULL;
    size_t n = 0;
    enum refusal refused = s->type->decode(s, request_raw(r), &a, &events, &n, &why);

    assert_true(refused <= REFUSED_TOO_LARGE);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    if (refused)
        return;
    fuzz_is_json(r->raw.body);
    for (size_t i = 0; i < n; i++)
        check_event(s, &events[i], &a);
}

#endif
