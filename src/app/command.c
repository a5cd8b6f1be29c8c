/* app/command.c - a thread asks the writer for something and waits until it is done.
 *
 * The main thread waits for some seconds, the scheduler as long as it takes. The command is on the
 * heap: after a time-out (a hung disk) the writer still holds it, and whichever side lets go last
 * frees it.
 */
#include "daemon_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "funneld/base/clock.h"

enum { PATIENCE_S = 5, TURN_MS = 250 };

struct question {
    struct command command; /* first */
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool answered;      /* under the lock */
    atomic_int holders; /* who asks and the writer */
};

static void let_go(struct question *q)
{
    if (atomic_fetch_sub(&q->holders, 1) != 1)
        return;
    (void)pthread_cond_destroy(&q->told); /* nobody waits on it any more */
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

static void answered(struct work *work)
{
    struct question *q = (struct question *)work;

    pthread_mutex_lock(&q->lock);
    q->answered = true;
    pthread_cond_signal(&q->told);
    pthread_mutex_unlock(&q->lock);
    let_go(q);
}

void steady_wait_init(pthread_mutex_t *lock, pthread_cond_t *told)
{
    pthread_condattr_t steady;

    /* None of these can fail for these values on Linux. */
    (void)pthread_mutex_init(lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(told, &steady);
    (void)pthread_condattr_destroy(&steady);
}

int steady_wait(pthread_mutex_t *lock, pthread_cond_t *told, int64_t until_ms)
{
    const struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

    return pthread_cond_timedwait(told, lock, &until);
}

/* A quarter of a second; false: not yet. */
static bool heard(struct question *q)
{
    int64_t until_ms = clock_mono_us() / 1000 + TURN_MS;
    int error = 0;

    pthread_mutex_lock(&q->lock);
    while (!q->answered && error != ETIMEDOUT)
        error = steady_wait(&q->lock, &q->told, until_ms);
    bool answered = q->answered;
    pthread_mutex_unlock(&q->lock);
    return answered;
}

/* What the writer has taken is waited for however long it takes; what still lies in its mailbox
 * when patience ends is withdrawn, so that it does not happen behind our back. */
static enum rc wait_some_time(struct daemon *d, struct question *q)
{
    int64_t patience_ends = clock_mono_us() + PATIENCE_S * INT64_C(1000000);

    while (!heard(q)) {
        int waiting = COMMAND_WAITING;

        if (d->server)
            server_tick(d->server, clock_mono_us() / 1000); /* senders' deadlines go on */
        if (clock_mono_us() >= patience_ends &&
            atomic_compare_exchange_strong(&q->command.stage, &waiting, COMMAND_WITHDRAWN))
            return RC_TIMEOUT;
    }
    return q->command.work.rc;
}

static enum rc wait_for_it(struct daemon *d, struct question *q)
{
    (void)d;
    while (!heard(q))
        ;
    return q->command.work.rc;
}

static struct question *question_new(enum command_kind kind, void *arg, command_fn *fn)
{
    struct question *q = mem_alloc(sizeof *q);

    q->command = (struct command){
        .work = {.kind = WORK_COMMAND, .done = answered}, .kind = kind, .arg = arg, .fn = fn};
    atomic_init(&q->holders, 2);
    steady_wait_init(&q->lock, &q->told);
    return q;
}

static enum rc ask(struct daemon *d, struct question *q,
                   enum rc (*wait)(struct daemon *d, struct question *q))
{
    enum rc rc = writer_submit(d->writer, &q->command.work);

    if (rc == RC_OK)
        return wait(d, q);
    atomic_store(&q->holders, 1); /* the writer never got it */
    return rc;
}

static void tell_why(const struct question *q, enum rc rc, struct why *why)
{
    if (rc == RC_TIMEOUT) /* the writer still holds it: nothing of it may be read */
        (void)why_fail(rc, why, "the writer did not answer within %d s", PATIENCE_S);
    else if (rc != RC_OK)
        (void)why_fail(rc, why, "%s", q->command.why.text[0] ? q->command.why.text : rc_text(rc));
}

enum rc daemon_command(struct daemon *d, enum command_kind kind, void *arg, command_fn *fn,
                       int64_t *ret_count, struct why *why)
{
    struct question *q = question_new(kind, arg, fn);
    enum rc rc = ask(d, q, wait_some_time);

    if (rc == RC_OK && ret_count)
        *ret_count = q->command.count;
    tell_why(q, rc, why);
    let_go(q);
    return rc;
}

enum rc daemon_chore(struct daemon *d, command_fn *fn, void *arg, struct why *why)
{
    struct question *q = question_new(COMMAND_CHORE, arg, fn);
    enum rc rc = ask(d, q, wait_for_it);

    tell_why(q, rc, why);
    let_go(q);
    return rc;
}
