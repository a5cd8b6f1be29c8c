/* app/audit.c - the daemon looks for broken promises in its own database, all the time, slowly. */
#include "scheduler_priv.h"

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"
#include "funneld/observe/metrics.h"

enum {
    ROWS = 2000, /* in a slice */
    PAUSE_MS = 1000,
    ROUND_MS = 30 * SECONDS_MS,
    INTEGRITY_BYTES = 64 << 20, /* a larger file is checked whole when it is backed up */
    LOGGED_MAX = 20,            /* lines in a round; the metric counts all */
};

static void report(void *self, const struct violation *v)
{
    struct audit_job *job = self;
    struct arena a AUTO(arena_free) = {0};

    job->found++;
    if (job->found > LOGGED_MAX)
        return;
    struct str what = arena_printf(&a, "%s%s%.*s", v->what, v->detail.at ? ": " : "",
                                   STR_ARG(v->detail.at ? v->detail : STR("")));
    log_write(LOG_ERROR, "promise.violated", L_TEXT("table", v->table), L_INT("id", v->id),
              L_STR("reason", what), L_END);
}

static void tell(int64_t found)
{
    metric_set(metric(METRIC_PROMISE_VIOLATIONS, STR_NULL, STR_NULL), (double)found);
}

int64_t audit_step(struct scheduler *s)
{
    struct audit_job *job = &s->audit;
    bool begins = job->cursor.table == 0 && job->cursor.id == 0, done = false;
    enum rc rc = RC_OK;

    if (begins) {
        job->found = 0;
        rc = read_integrity(s->reader, INTEGRITY_BYTES, report, job);
    }
    if (rc == RC_OK)
        rc = read_audit(s->reader, &job->cursor, ROWS, clock_now_ms(), report, job, &done);
    if (rc != RC_OK)
        log_write(LOG_WARN, "audit.failed", L_TEXT("reason", reader_error(s->reader)), L_END);
    if (done || job->found > job->last)
        tell(job->found);
    if (done)
        job->last = job->found;
    return done || rc != RC_OK ? ROUND_MS : PAUSE_MS;
}
