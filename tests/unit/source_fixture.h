/* tests/unit/source_fixture.h - a source of any kind, from configuration text. */
#ifndef FUNNELD_TESTS_SOURCE_FIXTURE_H
#define FUNNELD_TESTS_SOURCE_FIXTURE_H

#include "funneld/base/clock.h"
#include "request.h"

#define NOW INT64_C(1769081994066)

struct fixture {
    struct arena a;
    struct conf_problems problems;
    struct source source;
};

static inline const struct source_type *type_named(const char *name)
{
    for (size_t i = 0; i < n_source_types; i++)
        if (strcmp(source_types[i]->name, name) == 0)
            return source_types[i];
    fail_msg("there is no source of type %s", name);
    return NULL;
}

/* Settings come the way of production: from text, through the option table. */
static inline void bind(struct fixture *f, const char *lines)
{
    const struct source_type *type = f->source.type;
    struct conf conf;
    struct str text = arena_printf(&f->a, "[source s]\ntype = %s\n%s", type->name, lines);

    conf_problems_init(&f->problems, &f->a);
    assert_int_equal(conf_read_text(STR("t.conf"), text, &f->a, &conf, &f->problems), RC_OK);
    void *settings = arena_alloc(&f->a, type->spec->size);
    conf_bind(&conf.sections[0], type->spec, settings, &f->a, &f->problems);
    f->source.settings = settings;
    type->check(settings, &conf.sections[0], f->source.public_url, &f->problems);
}

static inline void start(struct fixture *f, const char *type, const char *lines)
{
    *f = (struct fixture){.source = {.type = type_named(type),
                                     .name = STR("s"),
                                     .public_url = STR("https://hooks.example.com")}};
    bind(f, lines);
}

static inline void stop(struct fixture *f)
{
    arena_free(&f->a);
}

#define FIXTURE(f, type, lines)                                                                    \
    struct fixture f AUTO(stop);                                                                   \
    start(&f, type, lines)

/* The only problem of these lines, for people; "" where there is none. */
static inline const char *problem_of(struct fixture *f)
{
    if (!f->problems.n)
        return "";
    if (f->problems.n > 1)
        fail_msg("%zu problems, the first: %s", f->problems.n, f->problems.first->message.at);
    return f->problems.first->message.at;
}

static inline enum refusal decode_as(struct fixture *f, const char *media_type, struct str body,
                                     struct event **ret, size_t *ret_n)
{
    struct request r = {.raw = {.method = STR("POST"),
                                .target = source_path(&f->source),
                                .body = body,
                                .received_at = NOW,
                                .request_id = STR("req-1")}};
    struct why why = {0};

    if (media_type)
        request_add(&r, "Content-Type", str_of(media_type));
    enum refusal refused =
        f->source.type->decode(&f->source, request_raw(&r), &f->a, ret, ret_n, &why);
    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    return refused;
}

static inline struct event decode_one(struct fixture *f, const char *body)
{
    struct event *events;
    size_t n;

    assert_int_equal(decode_as(f, "application/json", str_of(body), &events, &n), REFUSED_NOT);
    assert_int_equal(n, 1);
    return events[0];
}

static inline struct event decode_as_stored(struct fixture *f, struct str body,
                                            enum rereading reading)
{
    const struct stored_body stored = {body, NOW, reading};
    struct event e;

    assert_int_equal(f->source.type->decode_stored(&f->source, &stored, &f->a, &e, NULL), RC_OK);
    return e;
}

/* As it is read where it is one of a lead's past, or is taken up again. */
static inline struct event decode_again(struct fixture *f, const struct event *e)
{
    return decode_as_stored(f, e->body, e->state == EVENT_PROCESSED ? READ_AS_IT_CAME : READ_ANEW);
}

static inline struct str property(const struct event *e, const char *name)
{
    return field_get(e->properties, e->n_properties, name);
}

static inline bool same_key(const struct event *x, const struct event *y)
{
    return memcmp(&x->key, &y->key, DEDUPE_KEY_LEN) == 0;
}

static inline void is(struct str got, const char *want)
{
    if (!got.at ? want != NULL : !want || !str_is(got, want))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(got), want ? want : "missing");
}

#endif
