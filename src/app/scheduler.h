/* app/scheduler.h - the thread that decides when something is due, and asks the writer for it.
 *
 * It never writes itself. Each job is a step that does a little and says when it wants to be called
 * again; a table in scheduler.c names them. What it is told from other threads stands under its
 * lock.
 */
#ifndef FUNNELD_APP_SCHEDULER_H
#define FUNNELD_APP_SCHEDULER_H

#include "daemon_priv.h"
#include "funneld/base/clock.h"

struct scheduler;

/* What the wall clock is believed by from the start on: as far as it agrees with what was trusted
 * last, or with the newest event. */
struct trusted_time scheduler_trusted_start(struct reader *reader);

/* The reader becomes the scheduler's. */
MUST_CHECK enum rc scheduler_start(struct daemon *d, struct reader *reader, struct scheduler **ret,
                                   struct why *why);
void scheduler_stop(struct scheduler *s);   /* asks it to end; while the writer still works */
bool scheduler_joined(struct scheduler *s); /* true once its thread has ended */
void scheduler_free(struct scheduler *s);   /* joined; NULL is fine */

void scheduler_retention(struct scheduler *s, int64_t retention_ms); /* after a reload */

/* All leads are looked at again by the models that serve now; a round that is under way ends. */
void scheduler_rescore(struct scheduler *s);

enum backup_state { BACKUP_NONE, BACKUP_RUNNING, BACKUP_DONE, BACKUP_FAILED };
struct backup_report {
    enum backup_state state;
    struct str file; /* in the arena given */
    int64_t bytes;   /* BACKUP_DONE */
    struct str error;
};
/* RC_BUSY: one is under way. */
MUST_CHECK enum rc scheduler_backup(struct scheduler *s, struct str file, struct why *why);
void scheduler_backup_report(struct scheduler *s, struct arena *a, struct backup_report *ret);

#endif
