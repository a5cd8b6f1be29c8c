/* tests/unit/mail_world.h - a transport that mails to a server that follows a script. */
#ifndef FUNNELD_TESTS_MAIL_WORLD_H
#define FUNNELD_TESTS_MAIL_WORLD_H

#include "smtp_stub.h"

#include "funneld/base/clock.h"
#include "funneld/base/mem.h"
#include "funneld/deliver/transport.h"

#define RULE(command_, reply_)                                                                     \
    {                                                                                              \
        .command = (command_), .reply = (reply_)                                                   \
    }
#define MESSAGE "Subject: x\r\n\r\nHello\r\n.dot\r\n..\r\nend\r\n"

struct world {
    struct transport t;
    struct arena arena;
};

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof *w);

    smtp_script(NULL, 0);
    *state = w;
    return curl_transport_new(&w->t, NULL);
}

static int teardown(void **state)
{
    struct world *w = *state;

    if (w->t.free)
        w->t.free(w->t.self);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static struct http_request *mail_to(struct world *w, const char *to, bool clear)
{
    struct http_request *r = ARENA_NEW(&w->arena, struct http_request);
    struct envelope *e = ARENA_NEW(&w->arena, struct envelope);

    *e = (struct envelope){.from = STR("leads@example.com"),
                           .to = str_of(to),
                           .user = STR("ada"),
                           .password = STR("s3cret word"),
                           .clear_text = clear};
    *r = (struct http_request){.method = "MAIL", .envelope = e, .body = STR(MESSAGE)};
    r->url = arena_printf(&w->arena, "smtp://127.0.0.1:%d/example.com", smtp.port);
    return r;
}

static void start(struct world *w, const struct http_request *r, int64_t timeout_ms, void *tag)
{
    struct transport_call call = {.request = r, .timeout_ms = timeout_ms, .tag = tag};
    struct why why = {0};

    if (w->t.start(w->t.self, &call, &why) != RC_OK)
        fail_msg("%s", why.text);
}

static struct transport_result await(struct world *w)
{
    struct transport_result r = {0};
    int64_t until = clock_mono_us() + 20 * 1000 * 1000;

    while (!w->t.take(w->t.self, &r)) {
        assert_true(clock_mono_us() < until);
        w->t.wait(w->t.self, 1000);
    }
    return r;
}

static struct http_response send_mail(struct world *w, const struct http_request *r,
                                      int64_t timeout_ms)
{
    start(w, r, timeout_ms, w);
    struct transport_result result = await(w);
    assert_ptr_equal(result.tag, w);
    return result.response;
}

#endif
