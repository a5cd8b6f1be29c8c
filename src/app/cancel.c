/* app/cancel.c - what waits for a subscription that has ended is cancelled, slice by slice.
 *
 * There may be a million. The database says what is left to do, so that a restart goes on with it.
 */
#include "scheduler_priv.h"

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"
#include "funneld/observe/metrics.h"

enum { PAUSE_MS = 10, LOOK_MS = 10 * SECONDS_MS, AFTER_FAILURE_MS = MINUTES_MS };

struct cancelled {
    struct arena arena;
    struct str *connectors;
    size_t n, cap;
};

static void count(void *self, struct str connector)
{
    struct cancelled *c = self;

    c->connectors = arena_more(&c->arena, c->connectors, c->n, &c->cap, sizeof *c->connectors);
    c->connectors[c->n++] = arena_str(&c->arena, connector);
}

static enum rc cancel_some(struct store *st, void *arg, struct why *why)
{
    enum rc rc = store_begin(st);

    if (rc == RC_OK)
        rc = store_cancel_ended(st, clock_now_ms(), count, arg);
    return scheduler_commit(st, rc == RC_NONE ? RC_OK : rc, why);
}

/* What was counted is committed. */
static void tell(const struct cancelled *c)
{
    for (size_t i = 0; i < c->n; i++)
        metric_add(metric(METRIC_DELIVERIES, c->connectors[i], STR("cancelled")), 1);
}

int64_t cancel_step(struct scheduler *s)
{
    struct cancelled c = {0};
    struct why why = {0};
    int64_t subscription = 0;
    enum rc rc = read_ended(s->reader, &subscription);

    if (rc == RC_NONE)
        return LOOK_MS;
    if (rc == RC_OK)
        rc = daemon_chore(s->daemon, cancel_some, &c, &why);
    else
        rc = why_fail(rc, &why, "%s", reader_error(s->reader));
    if (rc == RC_OK)
        tell(&c);
    else
        log_write(LOG_WARN, "cancel.failed", L_INT("subscription", subscription), L_WHY(&why),
                  L_END);
    arena_free(&c.arena);
    return rc == RC_OK ? PAUSE_MS : AFTER_FAILURE_MS;
}
