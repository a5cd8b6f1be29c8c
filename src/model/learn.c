/* learn.c - what all steps of training use: chance, progress, threads. */
#include "learn.h"

#include <pthread.h>
#include <stdarg.h>

uint64_t learn_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t learn_seed(const struct lesson *l, uint64_t purpose)
{
    uint64_t state = l->o->seed ^ purpose * UINT64_C(0xD1342543DE82EF95);

    return learn_random(&state);
}

bool learn_stopped(const struct lesson *l)
{
    return l->o->stop && atomic_load_explicit(l->o->stop, memory_order_relaxed);
}

void learn_progress(const struct lesson *l, double share, const char *what)
{
    if (l->o->progress)
        l->o->progress(l->o->self, share, what);
}

void learn_warn(struct lesson *l, const char *fmt, ...)
{
    struct sbuf text AUTO(sbuf_free) = SBUF(1000);
    va_list args;

    va_start(args, fmt);
    sbuf_vprintf(&text, fmt, args);
    va_end(args);
    l->warnings =
        arena_more(l->arena, l->warnings, l->n_warnings, &l->warnings_cap, sizeof *l->warnings);
    l->warnings[l->n_warnings++] = arena_str(l->arena, sbuf_str(&text));
}

double learn_time(const struct lesson *l, size_t i)
{
    return l->set->time ? l->set->time[l->row[i]] : (double)i;
}

int64_t learn_at(const struct lesson *l, size_t i)
{
    return l->set->time && l->set->time_is_ms ? (int64_t)l->set->time[l->row[i]] : 0;
}

struct work {
    const struct lesson *l;
    size_t n_jobs;
    learn_job *fn;
    void *arg;
    atomic_size_t next;
    atomic_bool failed;
};

static void *run(void *arg)
{
    struct work *w = arg;

    while (!atomic_load(&w->failed) && !learn_stopped(w->l)) {
        size_t job = atomic_fetch_add(&w->next, 1);

        if (job >= w->n_jobs)
            break;
        if (!w->fn(w->arg, job))
            atomic_store(&w->failed, true);
    }
    return NULL;
}

/* The calling thread works too; where no other can be had it does all. */
bool learn_parallel(const struct lesson *l, size_t n_jobs, learn_job *fn, void *arg)
{
    struct work w = {.l = l, .n_jobs = n_jobs, .fn = fn, .arg = arg};
    pthread_t threads[16];
    size_t n = 0, more = l->o->threads > 1 ? (size_t)l->o->threads - 1 : 0;

    while (n < more && n < ARRAY_LEN(threads) && n + 1 < n_jobs &&
           pthread_create(&threads[n], NULL, run, &w) == 0)
        n++;
    (void)run(&w);
    while (n > 0)
        (void)pthread_join(threads[--n], NULL); /* it is ours, and joined once */
    return !atomic_load(&w.failed) && !learn_stopped(l);
}
