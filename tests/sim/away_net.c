/* tests/sim/away_net.c - see away_priv.h. */
#include "away_priv.h"

#include <assert.h>

#include "funneld/base/clock.h"
#include "hub.h"
#include "random.h"

enum { CALLS = 64, ANSWER_MAX = 8 << 20 };

struct call {
    bool used;
    void *tag;
    struct arena arena;
    struct str method, path, body;
    int64_t serve_at, answer_at;
    enum http_fate fate;
    int status;
    struct str answer;
};

static struct {
    int64_t now;
    uint64_t chance;
    struct call calls[CALLS], *taken;
} w;

int64_t away_below(int64_t n)
{
    return (int64_t)random_below(&w.chance, (uint64_t)n);
}

static enum rc start(void *self, const struct transport_call *call, struct why *why)
{
    struct call *c = w.calls;
    struct str rest = str_from(call->request->url, sizeof "https://" - 1);
    const char *slash = str_chr(rest, '/');

    (void)self;
    (void)why;
    assert(slash);
    while (c->used)
        c++;
    assert(c < w.calls + CALLS);
    *c = (struct call){.used = true, .tag = call->tag, .serve_at = w.now + 20 + away_below(100)};
    c->method = arena_str(&c->arena, str_of(call->request->method));
    c->path = arena_str(&c->arena, str_from(rest, (size_t)(slash - rest.at)));
    c->body = arena_str(&c->arena, call->request->body);
    c->answer_at = c->serve_at + 20 + away_below(100);
    int64_t turn = away_below(100);
    c->fate = turn == 0 ? HTTP_UNKNOWN : HTTP_ANSWERED;
    c->status = turn == 1 ? 503 : 0;
    if (turn == 0)
        c->answer_at = w.now + call->timeout_ms;
    return RC_OK;
}

static void serve_call(struct call *c)
{
    struct sbuf answer AUTO(sbuf_free) = SBUF(ANSWER_MAX);
    int status;

    if (!c->status) {
        status = hub_serve(c->method, c->path, c->body, w.now, &answer, &c->arena);
        c->status = status;
    }
    c->answer = arena_str(&c->arena, sbuf_str(&answer));
    c->serve_at = INT64_MAX;
}

static void serve_all(int64_t by)
{
    for (struct call *c = w.calls; c < w.calls + CALLS; c++)
        if (c->used && c->serve_at <= by)
            serve_call(c);
}

static struct call *next_answer(void)
{
    for (struct call *c = w.calls; c < w.calls + CALLS; c++)
        if (c->used && c->answer_at <= w.now)
            return c;
    return NULL;
}

static void let_go(struct call *c)
{
    arena_free(&c->arena);
    *c = (struct call){0};
}

static bool take(void *self, struct transport_result *ret)
{
    struct call *c;

    (void)self;
    if (w.taken)
        let_go(w.taken);
    w.taken = c = next_answer();
    if (!c)
        return false;
    c->answer_at = INT64_MAX;
    *ret = (struct transport_result){c->tag,
                                     {.fate = c->fate,
                                      .status = c->fate == HTTP_ANSWERED ? c->status : 0,
                                      .body = c->answer,
                                      .retry_after_ms = -1,
                                      .error = STR("the line broke")}};
    return true;
}

static void rests(void *self, int timeout_ms)
{
    (void)self;
    (void)timeout_ms;
}

static void wakes(void *self)
{
    (void)self;
}

const struct transport *away_transport(void)
{
    static const struct transport transport = {
        .start = start, .take = take, .wait = rests, .wake = wakes};

    return &transport;
}

void away_net_begin(uint64_t seed)
{
    w.chance = seed;
}

void away_net_pass(int64_t now)
{
    w.now = now;
    serve_all(now);
}

bool away_net_answers(void)
{
    return next_answer() != NULL;
}

int64_t away_net_next(void)
{
    int64_t at = INT64_MAX;

    for (const struct call *c = w.calls; c < w.calls + CALLS; c++) {
        if (c->used && c->answer_at < at)
            at = c->answer_at;
        if (c->used && c->serve_at < at)
            at = c->serve_at;
    }
    return at;
}

void away_net_hang_up(void)
{
    serve_all(w.now + SECONDS_MS);
    w.taken = NULL;
    for (struct call *c = w.calls; c < w.calls + CALLS; c++)
        if (c->used)
            let_go(c);
}
