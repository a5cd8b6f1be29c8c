/* app/scheduler_priv.h - what the scheduler's jobs share. */
#ifndef FUNNELD_APP_SCHEDULER_PRIV_H
#define FUNNELD_APP_SCHEDULER_PRIV_H

#include "funneld/base/clock.h"
#include "scheduler.h"

enum { SCHEDULER_NEVER = 1 << 30 }; /* as a step's answer */

struct retention {
    int64_t kept_ms; /* by which this round goes */
    int phase;
    int64_t before; /* of this round: older events go */
    int64_t ledger_after;
};

struct backup_job {
    struct backup *run; /* the scheduler thread's */
    int64_t began_us;
    /* Under the lock. */
    enum backup_state state;
    char *file;
    int64_t bytes;
    struct why why;
};

struct audit_job {
    struct audit_cursor cursor;
    int64_t found, last; /* in this round, in the one before */
};

struct rescore_job {
    struct rescoring *run; /* NULL: no round is under way */
    struct models *models; /* of the round, as the configuration */
    struct config *config;
    int64_t began_ms, next_ms; /* by the steady clock; next_ms 0: not by itself */
    int64_t leads;             /* the greatest id when it began */
    size_t seen, changed;
};

struct scheduler {
    struct daemon *daemon;
    struct reader *reader;
    pthread_t thread;
    bool runs;
    /* Its thread's own. */
    struct trusted_time trusted;
    struct retention retention;
    struct audit_job audit;
    struct backup_job backup;
    struct rescore_job rescore;
    /* Shared. */
    atomic_bool rescore_wanted;
    _Atomic int64_t retention_ms;
    atomic_bool ending; /* as `stopping`, for what looks without the lock */
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool stopping, woken; /* under the lock */
};

/* Nothing is purged by a clock that is wrong. */
int64_t scheduler_trusted_now(struct scheduler *s);
int64_t scheduler_doubted_ms(const struct scheduler *s); /* 0: it is believed */

/* At the end of a chore: commits, or takes back what failed. */
MUST_CHECK enum rc scheduler_commit(struct store *st, enum rc rc, struct why *why);

/* Each does a little; the answer is when to call again, in milliseconds. */
int64_t retention_step(struct scheduler *s);
int64_t audit_step(struct scheduler *s);
int64_t cancel_step(struct scheduler *s);
int64_t backup_job_step(struct scheduler *s);
int64_t rescore_step(struct scheduler *s);
void rescore_job_drop(struct scheduler *s); /* at the end, if a round is under way */
void backup_job_drop(struct scheduler *s);  /* at the end, if one runs */

#endif
