/* hooks_priv.h - /hooks on the public listener: who subscribes to a route, who ends it, a sample.
 *
 * Built in, and there only with [server] hooks_token. What is asked of the store is done by the
 * writer; a hook is what the two sides share about one request.
 */
#ifndef FUNNELD_HTTP_HOOKS_PRIV_H
#define FUNNELD_HTTP_HOOKS_PRIV_H

#include "funneld/base/sbuf.h"
#include "funneld/connectors/connector.h"
#include "funneld/store/store.h"

struct request;

/* Of what was delivered last the writer looks through no more than it has time for. */
enum { SAMPLES = 3, SAMPLE_MAX = 256 * 1024, SAMPLE_LOOKS = 200, SAMPLE_SPAN = 20000 };

struct hook {
    const struct connector *connector; /* of type rest_hooks, of the route */
    struct subscription s;             /* wanted; after the commit: got. Or to be ended: token */
    struct str route;                  /* of the sample; missing: of any */
    const struct connector *crm;
    /* The writer's until the commit is told */
    struct arena arena;
    struct sbuf out;
    int64_t samples[SAMPLES], events[SAMPLES];
    size_t n_samples;
    struct str *cancelled; /* connectors, one for each delivery */
    size_t n_cancelled, cap_cancelled;
    bool fresh, full;
};

void hook_free(struct hook *h); /* NULL is fine */

/* Whether the path is one of these; then the reply is decided, or hooks_finish will. */
bool hooks_route(struct request *r);
void hooks_finish(struct request *r);

/* hooks_sample.c: a command_fn; writes what was delivered last, newest first, to h->out. */
MUST_CHECK enum rc hooks_sample(struct store *st, void *hook, struct why *why);

#endif
