/* tests/unit/probe_fixture.h - a connector that is asked whether it works, and what it is told. */
#ifndef FUNNELD_TESTS_PROBE_FIXTURE_H
#define FUNNELD_TESTS_PROBE_FIXTURE_H

#include "cm.h"

#include "connector_fixture.h"

#include "funneld/connectors/probe.h"

#ifndef MAYBE
#define MAYBE __attribute__((unused))
#endif

struct probing {
    struct fixture f;
    struct connector connector;
    struct probe probe;
    struct str route_names[4];
};
static struct probing x;

static void probe_start(const char *section)
{
    memset(&x, 0, sizeof x);
    assert_string_equal(fixture_load(&x.f, section), "");
    x.connector = (struct connector){x.f.type, STR("c"), x.f.settings};
    x.probe = (struct probe){.connector = &x.connector, .arena = &x.f.arena, .now_ms = FIXTURE_NOW};
    probe_begin(&x.probe);
}

static int probe_teardown(void **state)
{
    (void)state;
    if (x.probe.connector)
        probe_end(&x.probe);
    arena_free(&x.f.arena);
    memset(&x, 0, sizeof x);
    return 0;
}

static MAYBE void probe_again(const char *section)
{
    (void)probe_teardown(NULL);
    probe_start(section);
}

static MAYBE void probe_route(const char *name)
{
    x.route_names[x.probe.routes.n++] = str_of(name);
    x.probe.routes.items = x.route_names;
}

static void asks(const char *method, const char *url_part)
{
    x.f.request = (struct http_request){0};
    if (probe_next(&x.probe, &x.f.request, &x.f.why) != RC_OK)
        fail_msg("no question: %s", x.f.why.text);
    assert_string_equal(x.f.request.method, method);
    if (!str_find(x.f.request.url, str_of(url_part)))
        fail_msg("%.*s does not hold %s", STR_ARG(x.f.request.url), url_part);
}

static void is_told(int status, const char *body)
{
    struct http_response r = fixture_response(status, body);

    probe_take(&x.probe, &r);
}

static MAYBE void asks_and_is_told(const char *method, const char *url_part, int status,
                                   const char *body)
{
    asks(method, url_part);
    is_told(status, body);
}

static void is_done(void)
{
    assert_int_equal(probe_next(&x.probe, &x.f.request, &x.f.why), RC_NONE);
    assert_int_equal(probe_next(&x.probe, &x.f.request, &x.f.why), RC_NONE);
}

static MAYBE void found(const char *what, enum finding_state state, const char *detail)
{
    for (size_t i = 0; i < x.probe.n; i++) {
        const struct finding *one = &x.probe.findings[i];

        if (!str_is(one->what, what))
            continue;
        if (one->state != state || (detail && !str_find(one->detail, str_of(detail))))
            fail_msg("%s: %s: %.*s", what, finding_state_name(one->state), STR_ARG(one->detail));
        if (!detail && state == FINDING_WORKS && one->detail.at)
            fail_msg("%s: %.*s", what, STR_ARG(one->detail));
        return;
    }
    fail_msg("%s was not found", what);
}

static MAYBE void found_nothing_of(const char *what)
{
    for (size_t i = 0; i < x.probe.n; i++)
        if (str_is(x.probe.findings[i].what, what))
            fail_msg("%s: %.*s", what, STR_ARG(x.probe.findings[i].detail));
}

#endif
