/* tests/unit/hubspot_fixture.h - a hubspot source from configuration text. */
#ifndef FUNNELD_TESTS_HUBSPOT_FIXTURE_H
#define FUNNELD_TESTS_HUBSPOT_FIXTURE_H

#include "funneld/base/clock.h"
#include "request.h"

#define NOW INT64_C(1769081994066)

struct fixture {
    struct arena a;
    struct conf_problems problems;
    struct source source;
};

/* Settings come the way of production: from text, through the option table. */
static inline void bind(struct fixture *f, const char *lines)
{
    struct conf conf;
    struct str text = arena_printf(&f->a, "[source hs]\ntype = hubspot\n%s", lines);

    conf_problems_init(&f->problems, &f->a);
    assert_int_equal(conf_read_text(STR("t.conf"), text, &f->a, &conf, &f->problems), RC_OK);
    const struct source_type *type = source_types[0];
    assert_string_equal(type->name, "hubspot");
    void *settings = arena_alloc(&f->a, type->spec->size);
    conf_bind(&conf.sections[0], type->spec, settings, &f->a, &f->problems);
    f->source.settings = settings;
    f->source.type = type;
    type->check(settings, &conf.sections[0], f->source.public_url, &f->problems);
}

static inline void start(struct fixture *f, const char *lines)
{
    *f = (struct fixture){
        .source = {.name = STR("hs"), .public_url = STR("https://hooks.example.com")}};
    bind(f, lines);
    assert_int_equal(f->problems.n, 0);
}

static inline void stop(struct fixture *f)
{
    arena_free(&f->a);
}

#define FIXTURE(f, lines)                                                                          \
    struct fixture f AUTO(stop);                                                                   \
    start(&f, lines)

static const char plain[] = "secret = one\n"; /* enough for most tests */

static inline enum refusal decode(struct fixture *f, const char *body, struct event **ret,
                                  size_t *ret_n)
{
    struct request r = {.raw = {.method = STR("POST"),
                                .target = STR("/webhooks/hubspot"),
                                .body = str_of(body),
                                .received_at = NOW,
                                .request_id = STR("req-1")}};
    struct why why = {0};
    enum refusal refused =
        f->source.type->decode(&f->source, request_raw(&r), &f->a, ret, ret_n, &why);

    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    return refused;
}

static inline struct event decode_one(struct fixture *f, const char *element)
{
    struct event *events;
    size_t n;
    struct str body = arena_printf(&f->a, "[%s]", element);

    assert_int_equal(decode(f, body.at, &events, &n), REFUSED_NOT);
    assert_int_equal(n, 1);
    return events[0];
}

#define BASE     "\"portalId\":62515,\"occurredAt\":1769081990000"
#define OF(type) BASE ",\"subscriptionType\":\"" type "\""
#define CHANGE(name, value)                                                                        \
    "{" OF("contact.propertyChange") ",\"objectId\":123,\"propertyName\":\"" name                  \
                                     "\",\"propertyValue\":" value "}"

#endif
