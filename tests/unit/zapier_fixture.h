/* tests/unit/zapier_fixture.h - a zapier source from configuration text. */
#ifndef FUNNELD_TESTS_ZAPIER_FIXTURE_H
#define FUNNELD_TESTS_ZAPIER_FIXTURE_H

#include "funneld/base/clock.h"
#include "request.h"

#define NOW INT64_C(1769081994066)

struct fixture {
    struct arena a;
    struct conf_problems problems;
    struct source source;
};

static inline void start(struct fixture *f, const char *lines)
{
    struct conf conf;

    *f = (struct fixture){.source = {.name = STR("forms"), .type = source_types[1]}};
    struct str text = arena_printf(&f->a, "[source forms]\ntype = zapier\n%s", lines);
    conf_problems_init(&f->problems, &f->a);
    assert_int_equal(conf_read_text(STR("t.conf"), text, &f->a, &conf, &f->problems), RC_OK);
    assert_string_equal(f->source.type->name, "zapier");
    void *settings = arena_alloc(&f->a, f->source.type->spec->size);
    f->source.settings = settings;
    conf_bind(&conf.sections[0], f->source.type->spec, settings, &f->a, &f->problems);
    f->source.type->check(settings, &conf.sections[0], STR_NULL, &f->problems);
}

static inline void stop(struct fixture *f)
{
    arena_free(&f->a);
}

#define FIXTURE(f, lines)                                                                          \
    struct fixture f AUTO(stop);                                                                   \
    start(&f, lines)

static const char plain[] = "secret = s:one\n";

#endif
