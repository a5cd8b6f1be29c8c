/* deliver/prober.c - drives the probes over the transport. */
#include "funneld/deliver/prober.h"

#include "funneld/base/clock.h"
#include "mask_priv.h"

enum { LOOK_MS = 1000 }; /* a wake-up that was lost costs no more */

struct asking {
    struct probe *probe;
    struct http_request request;
};

/* The answer as it is to be seen; slices that the transport takes back are copied. */
static void take(struct asking *a, const struct http_response *r)
{
    const struct connector *c = a->probe->connector;
    struct arena *arena = a->probe->arena;
    struct http_response seen = *r;

    seen.unmasked = r->body;
    seen.body = mask_secrets(c, &a->request, arena_str(arena, r->body), arena);
    seen.error = mask_secrets(c, &a->request, arena_str(arena, r->error), arena);
    for (size_t i = 0; i < seen.n_kept; i++)
        seen.kept[i].value = arena_str(arena, r->kept[i].value);
    a->probe->now_ms = clock_now_ms();
    probe_take(a->probe, &seen);
}

/* The next question is under way, or what keeps it from being sent has been found. false: all is
 * known. */
static bool ask(const struct transport *t, struct asking *a)
{
    const struct connector_common *common = a->probe->connector->settings;
    struct why why = {{0}};

    a->probe->now_ms = clock_now_ms();
    a->request = (struct http_request){0};
    while (probe_next(a->probe, &a->request, &why) == RC_OK) {
        const struct transport_call call = {.request = &a->request,
                                            .timeout_ms = common->timeout_ms,
                                            .ca_file = common->ca_file,
                                            .tag = a};
        if (t->start(t->self, &call, &why) == RC_OK)
            return true;
        take(a, &(struct http_response){
                    .fate = HTTP_NOT_SENT, .error = str_of(why.text), .retry_after_ms = -1});
    }
    return false;
}

void probe_all(const struct transport *t, struct probe probes[], size_t n)
{
    struct asking *all = mem_array(n + 1, sizeof *all);
    struct transport_result result;
    size_t busy = 0;

    for (size_t i = 0; i < n; i++) {
        probe_begin(&probes[i]);
        all[i].probe = &probes[i];
        busy += ask(t, &all[i]);
    }
    while (busy) {
        if (!t->take(t->self, &result)) {
            t->wait(t->self, LOOK_MS);
            continue;
        }
        take(result.tag, &result.response);
        busy -= !ask(t, result.tag);
    }
    for (size_t i = 0; i < n; i++)
        probe_end(&probes[i]);
    mem_freep(&all);
}
