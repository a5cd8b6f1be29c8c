/* app/backup.c - an online backup as a job of the scheduler: begin, many short steps, verify. */
#include "scheduler_priv.h"

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

enum { PAGES = 32, PAUSE_MS = 2 };

struct turn {
    struct scheduler *s;
    bool done;
};

static enum rc step(struct store *st, void *arg, struct why *why)
{
    struct turn *t = arg;

    (void)st;
    enum rc rc = backup_step(t->s->backup.run, PAGES, &t->done, why);
    return rc == RC_BUSY ? RC_OK : rc; /* the next one */
}

static enum rc drop(struct store *st, void *arg, struct why *why)
{
    (void)st;
    (void)why;
    backup_end(arg);
    return RC_OK;
}

/* By the writer, for an unfinished copy hangs on its connection; if that is broken and does no
 * more, scheduler_free does it once its thread has ended. */
static void drop_copy(struct scheduler *s)
{
    if (s->backup.run && daemon_chore(s->daemon, drop, s->backup.run, NULL) == RC_OK)
        s->backup.run = NULL;
}

static void ended(struct scheduler *s, enum rc rc, int64_t bytes, const struct why *why)
{
    struct backup_job *job = &s->backup;
    int64_t took_ms = (clock_mono_us() - job->began_us) / 1000;

    if (rc == RC_OK)
        log_write(LOG_INFO, "backup.done", L_TEXT("file", job->file), L_INT("bytes", bytes),
                  L_INT("took_ms", took_ms), L_END);
    else
        log_write(LOG_ERROR, "backup.failed", L_TEXT("file", job->file), L_WHY(why), L_END);
    drop_copy(s);
    pthread_mutex_lock(&s->lock);
    job->state = rc == RC_OK ? BACKUP_DONE : BACKUP_FAILED;
    job->bytes = bytes;
    job->why = *why;
    pthread_mutex_unlock(&s->lock);
}

static bool wanted(struct scheduler *s)
{
    pthread_mutex_lock(&s->lock);
    bool running = s->backup.state == BACKUP_RUNNING;
    pthread_mutex_unlock(&s->lock);
    return running;
}

int64_t backup_job_step(struct scheduler *s)
{
    struct turn turn = {.s = s};
    struct why why = {0};
    int64_t bytes = 0;
    enum rc rc;

    if (!wanted(s))
        return SCHEDULER_NEVER;
    if (!s->backup.run) {
        s->backup.began_us = clock_mono_us();
        /* The file's name does not change while one is under way. */
        rc = backup_begin(s->daemon->store, s->backup.file, &s->backup.run, &why);
    } else {
        rc = daemon_chore(s->daemon, step, &turn, &why);
        if (rc == RC_OK)
            rc = backup_sync(s->backup.run, &why);
    }
    if (rc == RC_OK && !turn.done)
        return PAUSE_MS;
    if (rc == RC_OK)
        rc = backup_finish(s->backup.run, &s->ending, &bytes, &why);
    ended(s, rc, bytes, &why);
    return SCHEDULER_NEVER;
}

void backup_job_drop(struct scheduler *s)
{
    if (!s->backup.run)
        return;
    log_write(LOG_WARN, "backup.cut", L_TEXT("file", s->backup.file),
              L_TEXT("reason", "the daemon stops"), L_END);
    drop_copy(s);
}
