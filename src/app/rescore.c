/* app/rescore.c - the scheduler's rounds through all leads, after a model was swapped and daily.
 *
 * A slice is worked out here and put down by the writer in a transaction of its own, small enough
 * that no sender notices it, and no sooner than SLICE_MS after the one before, so that a round
 * leaves the machine to those who send: a million leads take three quarters of a minute. Another
 * swap begins anew; so does a restart.
 */
#include <stdlib.h>

#include "funneld/observe/health.h"
#include "funneld/observe/log.h"
#include "funneld/pipeline/rescore.h"
#include "scheduler_priv.h"

enum { ROUND_MS = 24 * HOURS_MS, AFTER_FAILURE_MS = MINUTES_MS, SLICE_MS = 22 };

static int64_t mono_ms(void)
{
    return clock_mono_us() / 1000;
}

static enum rc write_slice(struct store *st, void *arg, struct why *why)
{
    enum rc rc = rescore_write(st, arg);

    return rc == RC_OK ? rc : why_fail(rc, why, "%s", store_error(st));
}

static void end_round(struct rescore_job *j)
{
    if (!j->run)
        return;
    arena_free(&j->run->arena);
    free(j->run);
    ref_drop(&j->models->ref);
    ref_drop(&j->config->ref);
    j->run = NULL;
    atomic_store(&health.rescored_percent, RESCORED_ALL);
}

void rescore_job_drop(struct scheduler *s)
{
    end_round(&s->rescore);
}

/* By the models and the rules that are in force now. */
static enum rc begin_round(struct scheduler *s)
{
    struct rescore_job *j = &s->rescore;
    struct daemon *d = s->daemon;

    end_round(j);
    *j = (struct rescore_job){.began_ms = mono_ms(), .next_ms = mono_ms() + ROUND_MS};
    enum rc rc = read_last_lead(s->reader, &j->leads);
    if (rc != RC_OK)
        return rc;
    pthread_mutex_lock(&d->overview_lock);
    j->models = d->models;
    (void)ref_take(&j->models->ref);
    j->config = d->overview_config;
    (void)ref_take(&j->config->ref);
    pthread_mutex_unlock(&d->overview_lock);
    j->run = mem_alloc(sizeof *j->run);
    *j->run =
        (struct rescoring){.rules = &j->config->rules, .models = j->models, .before = INT64_MAX};
    log_write(LOG_INFO, "rescore.begins", L_INT("leads", j->leads), L_END);
    return RC_OK;
}

static void show_progress(const struct rescore_job *j)
{
    int64_t left = j->run->before < j->leads ? j->run->before : j->leads;

    atomic_store(&health.rescored_percent, j->leads ? (int)(100 - 100 * left / j->leads) : 100);
}

static enum rc one_slice(struct scheduler *s, struct why *why)
{
    struct rescore_job *j = &s->rescore;
    enum rc rc = rescore_read(s->reader, j->run, clock_now_ms());

    if (rc != RC_OK)
        return why_fail(rc, why, "%s", reader_error(s->reader));
    if (j->run->n_changed)
        rc = daemon_chore(s->daemon, write_slice, j->run, why);
    j->seen += j->run->n_seen;
    j->changed += j->run->n_changed;
    show_progress(j);
    return rc;
}

static int64_t failed(struct scheduler *s, const struct why *why)
{
    struct rescore_job *j = &s->rescore;

    log_write(LOG_WARN, "rescore.failed", L_WHY(why), L_END);
    end_round(j);
    j->next_ms = mono_ms() + AFTER_FAILURE_MS;
    return AFTER_FAILURE_MS;
}

static int64_t until(int64_t at_ms)
{
    int64_t left = at_ms - mono_ms();

    return left > 0 ? left : 0;
}

static int64_t until_next_round(const struct rescore_job *j)
{
    return j->next_ms ? until(j->next_ms) : SCHEDULER_NEVER;
}

int64_t rescore_step(struct scheduler *s)
{
    struct rescore_job *j = &s->rescore;
    struct why why = {0};
    int64_t now = mono_ms();
    bool due = j->next_ms && now >= j->next_ms && !j->run;

    if (atomic_exchange(&s->rescore_wanted, false) || due) {
        if (begin_round(s) != RC_OK) {
            (void)why_fail(RC_IO, &why, "%s", reader_error(s->reader));
            return failed(s, &why);
        }
    }
    if (!j->run)
        return until_next_round(j);
    if (one_slice(s, &why) != RC_OK)
        return failed(s, &why);
    if (!j->run->done)
        return until(now + SLICE_MS);
    log_write(LOG_INFO, "rescore.done", L_INT("leads", (int64_t)j->seen),
              L_INT("changed", (int64_t)j->changed), L_INT("ms", mono_ms() - j->began_ms), L_END);
    if (!models_any(j->models)) /* nothing can change by itself */
        j->next_ms = 0;
    end_round(j);
    return until_next_round(j);
}
