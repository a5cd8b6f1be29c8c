/* app/trainer.c - see trainer.h: the thread, and what is due when. What it does with a goal stands
 * in training.c. */
#include "trainer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "training.h"

enum {
    FIRST_LOOK_MS = 60 * SECONDS_MS, /* after the start, unless check_every is shorter */
    LONGEST_WAIT_MS = HOURS_MS,      /* days on end, even if the machine slept meanwhile */
    TRAINER_STACK = 8 << 20,         /* XGBoost's own needs */
    NICEST = 19,
};

struct trainer {
    struct daemon *daemon;
    struct reader *reader;
    pthread_t thread;
    bool runs;
    /* Its thread's own. */
    int64_t look_at; /* by the steady clock */
    int64_t contests[GOAL_COUNT];
    struct looked looked[GOAL_COUNT];
    /* Shared. */
    atomic_bool ending;
    pthread_mutex_t lock;
    pthread_cond_t told;
    struct config *config; /* under the lock */
    bool reloaded;
};

static int64_t mono_ms(void)
{
    return clock_mono_us() / 1000;
}

static struct config *take_config(struct trainer *t)
{
    pthread_mutex_lock(&t->lock);
    struct config *c = t->config;
    (void)ref_take(&c->ref);
    t->reloaded = false;
    pthread_mutex_unlock(&t->lock);
    return c;
}

static void look(struct trainer *t)
{
    struct config *c = take_config(t);
    struct training work = {.daemon = t->daemon,
                            .reader = t->reader,
                            .config = c,
                            .stop = &t->ending,
                            .now_ms = clock_now_ms(),
                            .looked = t->looked,
                            .contests = t->contests};

    for (int g = 0; g < GOAL_COUNT && !atomic_load(&t->ending); g++)
        if (c->goals.of[g].when)
            training_look(&work, (enum model_goal)g);
    t->look_at = mono_ms() + c->model.check_every_ms;
    ref_drop(&c->ref);
}

enum turn { TURN_ON, TURN_RELOADED, TURN_STOP };

static enum turn wait_for_the_next(struct trainer *t)
{
    int64_t now = mono_ms(), until = t->look_at;
    int error = 0;

    if (until > now + LONGEST_WAIT_MS)
        until = now + LONGEST_WAIT_MS;
    pthread_mutex_lock(&t->lock);
    while (!atomic_load(&t->ending) && !t->reloaded && error != ETIMEDOUT)
        error = steady_wait(&t->lock, &t->told, until);
    enum turn turn = atomic_load(&t->ending) ? TURN_STOP : t->reloaded ? TURN_RELOADED : TURN_ON;
    pthread_mutex_unlock(&t->lock);
    return turn;
}

static int64_t first_look(struct trainer *t)
{
    struct config *c = take_config(t);
    int64_t every = c->model.check_every_ms;

    ref_drop(&c->ref);
    return mono_ms() + (every < FIRST_LOOK_MS ? every : FIRST_LOOK_MS);
}

static void *run(void *trainer)
{
    struct trainer *t = trainer;

    /* Of a thread, on Linux; without it training would only be less polite. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICEST);
    t->look_at = first_look(t);
    for (enum turn turn; (turn = wait_for_the_next(t)) != TURN_STOP;) {
        if (mono_ms() >= t->look_at)
            look(t);
        else if (turn == TURN_RELOADED)
            t->look_at = first_look(t);
    }
    for (int g = 0; g < GOAL_COUNT; g++)
        looked_drop(&t->looked[g]);
    return NULL;
}

static enum rc start_thread(struct trainer *t, struct why *why)
{
    pthread_attr_t attr;

    (void)pthread_attr_init(&attr); /* cannot fail on Linux */
    (void)pthread_attr_setstacksize(&attr, TRAINER_STACK);
    int error = pthread_create(&t->thread, &attr, run, t);
    (void)pthread_attr_destroy(&attr);
    t->runs = !error;
    return error ? why_fail(RC_IO, why, "cannot start the trainer's thread") : RC_OK;
}

enum rc trainer_start(struct daemon *d, struct reader *reader, struct trainer **ret,
                      struct why *why)
{
    struct trainer *t = mem_alloc(sizeof *t);

    t->daemon = d;
    t->reader = reader;
    t->config = d->config;
    (void)ref_take(&t->config->ref);
    steady_wait_init(&t->lock, &t->told);
    *ret = t;
    return start_thread(t, why);
}

void trainer_stop(struct trainer *t)
{
    pthread_mutex_lock(&t->lock);
    atomic_store(&t->ending, true);
    pthread_cond_signal(&t->told);
    pthread_mutex_unlock(&t->lock);
}

bool trainer_joined(struct trainer *t)
{
    if (t->runs && pthread_tryjoin_np(t->thread, NULL) == 0)
        t->runs = false;
    return !t->runs;
}

void trainer_free(struct trainer *t)
{
    if (!t)
        return;
    (void)pthread_cond_destroy(&t->told);
    (void)pthread_mutex_destroy(&t->lock);
    reader_close(t->reader);
    ref_drop(&t->config->ref);
    free(t);
}

void trainer_reload(struct trainer *t, struct config *c)
{
    (void)ref_take(&c->ref);
    pthread_mutex_lock(&t->lock);
    struct config *old = t->config;
    t->config = c;
    t->reloaded = true;
    pthread_cond_signal(&t->told);
    pthread_mutex_unlock(&t->lock);
    ref_drop(&old->ref);
}
