/* app/scheduler.c - what is due when: retention, checkpoints, the audit, a backup, what is to be
 * cancelled; spare memory. */
#include "scheduler_priv.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

enum { TRIM_MS = 10 * SECONDS_MS };

/* What a crowd of connections needed goes back to the system, which malloc alone does not do: pages
 * in the middle of its heaps stay. */
static int64_t trim_step(struct scheduler *s)
{
    (void)s;
    (void)malloc_trim(0); /* there may have been nothing */
    return TRIM_MS;
}

enum rc scheduler_commit(struct store *st, enum rc rc, struct why *why)
{
    if (rc == RC_OK)
        rc = store_commit(st);
    else
        store_rollback(st);
    return rc == RC_OK ? rc : why_fail(rc, why, "%s", store_error(st));
}

static enum rc checkpoint_all(struct store *st, void *arg, struct why *why)
{
    (void)arg;
    enum rc rc = store_checkpoint_all(st);
    return rc == RC_OK ? rc : why_fail(rc, why, "%s", store_error(st));
}

/* What is quiet is copied back, so that a backup of the file alone or a start has little to do. */
static int64_t checkpoint_step(struct scheduler *s)
{
    struct why why = {0};

    if (daemon_chore(s->daemon, checkpoint_all, NULL, &why) != RC_OK)
        log_write(LOG_WARN, "checkpoint.failed", L_WHY(&why), L_END);
    return MINUTES_MS;
}

static const struct {
    int64_t (*step)(struct scheduler *s);
    int64_t first_ms; /* after the start */
} jobs[] = {
    {backup_job_step, 0},          {cancel_step, SECONDS_MS},
    {audit_step, 2 * SECONDS_MS},  {retention_step, 5 * SECONDS_MS},
    {checkpoint_step, MINUTES_MS}, {trim_step, TRIM_MS},
    {rescore_step, SECONDS_MS},
};

static int64_t mono_ms(void)
{
    return clock_mono_us() / 1000;
}

int64_t scheduler_trusted_now(struct scheduler *s)
{
    return trusted_time(&s->trusted, clock_now_ms(), mono_ms());
}

/* Until the time by the steady clock, or somebody has news; false: the end. */
static bool wait_until(struct scheduler *s, int64_t until_ms)
{
    int error = 0;

    pthread_mutex_lock(&s->lock);
    while (!s->stopping && !s->woken && error != ETIMEDOUT)
        error = steady_wait(&s->lock, &s->told, until_ms);
    bool go_on = !s->stopping;
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

/* Somebody has news: all that is not on its way anyhow looks at once. */
static bool take_news(struct scheduler *s)
{
    pthread_mutex_lock(&s->lock);
    bool woken = s->woken;
    s->woken = false;
    pthread_mutex_unlock(&s->lock);
    return woken;
}

static void *run(void *scheduler)
{
    struct scheduler *s = scheduler;
    int64_t due[ARRAY_LEN(jobs)], next;

    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        due[i] = mono_ms() + jobs[i].first_ms;
    do {
        bool woken = take_news(s);

        next = INT64_MAX;
        for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
            if (woken || due[i] <= mono_ms())
                due[i] = jobs[i].step(s) + mono_ms();
            if (due[i] < next)
                next = due[i];
        }
    } while (wait_until(s, next));
    backup_job_drop(s);
    rescore_job_drop(s);
    return NULL;
}

static void see_time(void *self, const struct event_view *e)
{
    *(int64_t *)self = e->received_at;
}

/* After a quiet weekend the newest event is old: then, as with any other jump, the clock is
 * believed after a day; but what it has been doubted for before the start counts. */
struct trusted_time scheduler_trusted_start(struct reader *reader)
{
    const struct list_filter newest = {.limit = 1};
    int64_t now = clock_now_ms(), steady = mono_ms(), known = 0, doubted = 0;
    enum rc rc = read_trusted(reader, &known, &doubted);

    if (rc == RC_OK && !known)
        rc = read_events(reader, &newest, see_time, &known);
    if (rc != RC_OK || !known || known > now || now - known < DAYS_MS)
        return (struct trusted_time){.wall_ms = now, .steady_ms = steady};
    return (struct trusted_time){.wall_ms = known,
                                 .steady_ms = steady,
                                 .doubt_since_ms = steady - doubted,
                                 .doubted_wall_ms = now - doubted};
}

int64_t scheduler_doubted_ms(const struct scheduler *s)
{
    return s->trusted.doubt_since_ms ? mono_ms() - s->trusted.doubt_since_ms : 0;
}

enum rc scheduler_start(struct daemon *d, struct reader *reader, struct scheduler **ret,
                        struct why *why)
{
    struct scheduler *s = mem_alloc(sizeof *s);

    s->daemon = d;
    s->reader = reader;
    s->trusted = scheduler_trusted_start(reader);
    atomic_store(&s->retention_ms, d->config->store.retention_ms);
    steady_wait_init(&s->lock, &s->told);
    enum rc rc = daemon_thread(&s->thread, run, s, why);
    s->runs = rc == RC_OK;
    *ret = s;
    return rc;
}

static void tell(struct scheduler *s, bool *what)
{
    pthread_mutex_lock(&s->lock);
    *what = true;
    pthread_cond_signal(&s->told);
    pthread_mutex_unlock(&s->lock);
}

void scheduler_stop(struct scheduler *s)
{
    atomic_store(&s->ending, true);
    tell(s, &s->stopping);
}

bool scheduler_joined(struct scheduler *s)
{
    if (s->runs && pthread_tryjoin_np(s->thread, NULL) == 0)
        s->runs = false;
    return !s->runs;
}

void scheduler_free(struct scheduler *s)
{
    if (!s)
        return;
    (void)pthread_cond_destroy(&s->told);
    (void)pthread_mutex_destroy(&s->lock);
    backup_end(s->backup.run); /* the writer has ended */
    reader_close(s->reader);
    free(s->backup.file);
    free(s);
}

void scheduler_retention(struct scheduler *s, int64_t retention_ms)
{
    atomic_store(&s->retention_ms, retention_ms);
    tell(s, &s->woken);
}

void scheduler_rescore(struct scheduler *s)
{
    atomic_store(&s->rescore_wanted, true);
    tell(s, &s->woken);
}

enum rc scheduler_backup(struct scheduler *s, struct str file, struct why *why)
{
    enum rc rc = RC_OK;

    pthread_mutex_lock(&s->lock);
    if (s->backup.state == BACKUP_RUNNING)
        rc = why_fail(RC_BUSY, why, "a backup to %s is under way", s->backup.file);
    if (rc == RC_OK) {
        free(s->backup.file);
        s->backup.file = mem_text(file);
        s->backup.state = BACKUP_RUNNING;
    }
    pthread_mutex_unlock(&s->lock);
    if (rc == RC_OK)
        tell(s, &s->woken);
    return rc;
}

void scheduler_backup_report(struct scheduler *s, struct arena *a, struct backup_report *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = (struct backup_report){
        .state = s->backup.state,
        .file = arena_str(a, str_of(s->backup.file)),
        .bytes = s->backup.bytes,
        .error = arena_str(a, str_of(s->backup.why.text)),
    };
    pthread_mutex_unlock(&s->lock);
}
