/* deadlines.c - open connections, and the end of those that do not get further. */
#include "deadlines_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "funneld/base/mem.h"

void conns_init(struct conns *cs)
{
    int bad = pthread_mutex_init(&cs->lock, NULL);
    assert(!bad);
    lingering_init(&cs->lingering);
}

void conns_end(struct conns *cs)
{
    assert(!cs->first);
    lingering_end(&cs->lingering);
    pthread_mutex_destroy(&cs->lock);
}

static int64_t deadline(struct conns *cs, enum phase phase, int64_t now_us)
{
    int64_t limit = atomic_load_explicit(&cs->limit_us[phase], memory_order_relaxed);
    return limit > 0 ? now_us + limit : INT64_MAX;
}

struct conn *conn_open(struct conns *cs, int fd, int64_t now_us)
{
    struct conn *c = mem_alloc(sizeof(*c));
    c->fd = fd;
    atomic_init(&c->phase, PHASE_OPEN);
    atomic_init(&c->deadline_us, deadline(cs, PHASE_OPEN, now_us));
    pthread_mutex_lock(&cs->lock);
    c->next = cs->first;
    if (c->next)
        c->next->prev = c;
    cs->first = c;
    pthread_mutex_unlock(&cs->lock);
    atomic_fetch_add(&cs->n, 1);
    return c;
}

void conn_close(struct conns *cs, struct conn *c, int64_t now_us)
{
    pthread_mutex_lock(&cs->lock);
    if (c->prev)
        c->prev->next = c->next;
    else
        cs->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    pthread_mutex_unlock(&cs->lock);
    if (c->lingers)
        linger(&cs->lingering, c->fd, now_us);
    free(c);
    atomic_fetch_sub(&cs->n, 1);
}

void conn_enter(struct conns *cs, struct conn *c, enum phase phase, int64_t now_us)
{
    int before = atomic_exchange_explicit(&c->phase, (int)phase, memory_order_relaxed);
    if (before == PHASE_OPEN && phase == PHASE_HEADERS)
        return;
    atomic_store_explicit(&c->deadline_us, deadline(cs, phase, now_us), memory_order_relaxed);
}

static bool between_requests(struct conn *c)
{
    int phase = atomic_load_explicit(&c->phase, memory_order_relaxed);
    return phase == PHASE_IDLE || phase == PHASE_OPEN;
}

size_t conns_busy(struct conns *cs)
{
    size_t n = 0;

    pthread_mutex_lock(&cs->lock);
    for (struct conn *c = cs->first; c; c = c->next)
        n += !between_requests(c);
    pthread_mutex_unlock(&cs->lock);
    return n;
}

static bool to_be_cut(struct conn *c, enum cut what, int64_t now_us)
{
    if (what == CUT_LATE_AND_IDLE && between_requests(c))
        return true;
    return now_us >= atomic_load_explicit(&c->deadline_us, memory_order_relaxed);
}

/* A shut down socket wakes its pool thread, which reads the end and closes it as ever. */
void conns_cut(struct conns *cs, enum cut what, int64_t now_us)
{
    pthread_mutex_lock(&cs->lock);
    for (struct conn *c = cs->first; c; c = c->next)
        if (to_be_cut(c, what, now_us))
            (void)shutdown(c->fd, SHUT_RDWR); /* fails only where the peer was faster */
    pthread_mutex_unlock(&cs->lock);
    lingering_read(&cs->lingering, now_us);
}
