/* tests/unit/transport_world.h - the curl transport and one request after the other. */
#ifndef FUNNELD_TESTS_TRANSPORT_WORLD_H
#define FUNNELD_TESTS_TRANSPORT_WORLD_H

#include "http_stub.h"

#include "funneld/base/clock.h"
#include "funneld/base/mem.h"
#include "funneld/deliver/transport.h"

struct world {
    struct transport t;
    struct arena arena;
};

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof *w);

    atomic_store(&connections, 0);
    atomic_store(&requests, 0);
    *state = w;
    return curl_transport_new(&w->t, NULL);
}

static int teardown(void **state)
{
    struct world *w = *state;

    w->t.free(w->t.self);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static struct str at_port(struct world *w, uint16_t port, const char *path)
{
    return arena_printf(&w->arena, "http://127.0.0.1:%d%s", port, path);
}

static struct transport_result await(struct world *w)
{
    struct transport_result r = {0};
    int64_t until = clock_mono_us() + 10 * 1000 * 1000;

    while (!w->t.take(w->t.self, &r)) {
        assert_true(clock_mono_us() < until);
        w->t.wait(w->t.self, 100);
    }
    return r;
}

static struct http_response exchange_for(struct world *w, const struct http_request *r,
                                         int64_t timeout_ms)
{
    struct transport_call call = {.request = r, .timeout_ms = timeout_ms, .tag = w};
    struct why why = {0};

    if (w->t.start(w->t.self, &call, &why) != RC_OK)
        fail_msg("%s", why.text);
    struct transport_result result = await(w);
    assert_ptr_equal(result.tag, w);
    return result.response;
}

static struct http_response send_to(struct world *w, const char *method, const char *path,
                                    struct str body, bool repeatable)
{
    struct http_request *r = ARENA_NEW(&w->arena, struct http_request);

    *r = (struct http_request){.method = method,
                               .url = at_port(w, server_port, path),
                               .body = body,
                               .repeatable = repeatable};
    return exchange_for(w, r, 5000);
}

#endif
