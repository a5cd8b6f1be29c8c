/* deliver/prober.c - drives the probes over the transport. */
#include "funneld/deliver/prober.h"

#include <math.h>

#include "mask_priv.h"

enum { LOOK_MS = 1000 }; /* a wake-up that was lost costs no more */

struct asking {
    struct probe *probe;
    struct http_request request; /* the question */
    int64_t asked_at;
    enum { ANSWERED, READY, UNDER_WAY, OVER } state;
};

/* The answer as it is to be seen; slices that the transport takes back are copied. */
static void take(struct asking *a, const struct http_response *r, int64_t now_ms)
{
    const struct connector *c = a->probe->connector;
    struct arena *arena = a->probe->arena;
    struct http_response seen = *r;

    seen.unmasked = r->body;
    seen.body = mask_secrets(c, &a->request, arena_str(arena, r->body), arena);
    seen.error = mask_secrets(c, &a->request, arena_str(arena, r->error), arena);
    for (size_t i = 0; i < seen.n_kept; i++)
        seen.kept[i].value =
            mask_secrets(c, &a->request, arena_str(arena, r->kept[i].value), arena);
    a->probe->now_ms = now_ms;
    probe_take(a->probe, &seen);
    a->state = ANSWERED;
}

static void build(struct asking *a, int64_t now_ms)
{
    struct why why = {{0}}; /* it is found already */

    a->probe->now_ms = now_ms;
    a->request = (struct http_request){0};
    a->state = probe_next(a->probe, &a->request, &why) == RC_OK ? READY : OVER;
}

/* What keeps it from being sent is the answer. */
static void ask(const struct transport *t, struct asking *a, int64_t now_ms)
{
    const struct connector_common *common = a->probe->connector->settings;
    const struct transport_call call = {.request = &a->request,
                                        .timeout_ms = common->timeout_ms,
                                        .ca_file = common->ca_file,
                                        .tag = a};
    struct why why = {{0}};

    a->asked_at = now_ms;
    a->state = UNDER_WAY;
    if (t->start(t->self, &call, &why) == RC_OK)
        return;
    take(a,
         &(struct http_response){
             .fate = HTTP_NOT_SENT, .error = str_of(why.text), .retry_after_ms = -1},
         now_ms);
}

/* Until the next question may be asked, by the connector's rate. */
static int64_t rest_of(const struct asking *a, int64_t now_ms)
{
    const struct connector_common *common = a->probe->connector->settings;
    int64_t gap = common->rate > 0 ? (int64_t)ceil(1000 / common->rate) : 0;
    int64_t since = now_ms - a->asked_at;

    return since < 0 || since >= gap ? 0 : gap - since;
}

/* As far as it goes now; returns when it may go on. */
static int64_t go_on(const struct transport *t, struct asking *a, int64_t now_ms)
{
    for (;;) {
        if (a->state == ANSWERED)
            build(a, now_ms);
        if (a->state != READY)
            return LOOK_MS;

        int64_t rest = rest_of(a, now_ms);
        if (rest)
            return rest;
        ask(t, a, now_ms);
    }
}

/* false: all is known of all. */
static bool ask_all(const struct transport *t, struct asking all[], size_t n, int64_t now_ms,
                    int64_t *ret_wait_ms)
{
    bool open = false;

    *ret_wait_ms = LOOK_MS;
    for (size_t i = 0; i < n; i++) {
        int64_t rest = go_on(t, &all[i], now_ms);

        *ret_wait_ms = rest < *ret_wait_ms ? rest : *ret_wait_ms;
        open |= all[i].state != OVER;
    }
    return open;
}

void probe_all(const struct transport *t, int64_t (*clock_ms)(void), struct probe probes[],
               size_t n)
{
    struct asking *all = mem_array(n + 1, sizeof *all);
    struct transport_result result;
    int64_t wait_ms;

    for (size_t i = 0; i < n; i++) {
        probe_begin(&probes[i]);
        all[i] = (struct asking){.probe = &probes[i], .asked_at = INT64_MAX}; /* never yet */
    }
    for (int64_t now_ms = clock_ms(); ask_all(t, all, n, now_ms, &wait_ms);) {
        t->wait(t->self, (int)wait_ms);
        now_ms = clock_ms();
        while (t->take(t->self, &result))
            take(result.tag, &result.response, now_ms);
    }
    for (size_t i = 0; i < n; i++)
        probe_end(&probes[i]);
    mem_freep(&all);
}
