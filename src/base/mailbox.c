/* base/mailbox.c - a bounded list under a mutex. */
#include "funneld/base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "funneld/base/mem.h"

struct mailbox {
    size_t max_weight;
    /* All below under lock. */
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct mail *first, **last;
    size_t weight;
    bool closed, woken;
};

/* pthread's errors here are our own bugs (bad object, not the owner). */
static void sure(int error)
{
    assert(error == 0);
    (void)error;
}

struct mailbox *mailbox_new(size_t max_weight)
{
    struct mailbox *box = mem_alloc(sizeof *box);
    pthread_condattr_t attr;

    box->max_weight = max_weight;
    box->last = &box->first;
    sure(pthread_mutex_init(&box->lock, NULL));
    sure(pthread_condattr_init(&attr));
    sure(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC)); /* time-outs survive clock jumps */
    sure(pthread_cond_init(&box->filled, &attr));
    sure(pthread_condattr_destroy(&attr));
    return box;
}

void mailbox_free(struct mailbox *box)
{
    if (!box)
        return;
    assert(!box->first);
    sure(pthread_cond_destroy(&box->filled));
    sure(pthread_mutex_destroy(&box->lock));
    free(box);
}

static enum rc put(struct mailbox *box, struct mail *mail, bool bounded)
{
    enum rc rc = RC_OK;

    sure(pthread_mutex_lock(&box->lock));
    if (box->closed)
        rc = RC_CLOSED;
    else if (bounded && box->weight + mail->weight > box->max_weight && box->first)
        rc = RC_BUSY;
    else {
        mail->next = NULL;
        *box->last = mail;
        box->last = &mail->next;
        box->weight += mail->weight;
        sure(pthread_cond_signal(&box->filled));
    }
    sure(pthread_mutex_unlock(&box->lock));
    return rc;
}

enum rc mailbox_put(struct mailbox *box, struct mail *mail)
{
    return put(box, mail, true);
}

enum rc mailbox_force(struct mailbox *box, struct mail *mail)
{
    return put(box, mail, false);
}

static void wait_filled(struct mailbox *box, int timeout_ms)
{
    struct timespec until;

    if (timeout_ms < 0) {
        while (!box->first && !box->closed && !box->woken)
            sure(pthread_cond_wait(&box->filled, &box->lock));
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (!box->first && !box->closed && !box->woken)
        if (pthread_cond_timedwait(&box->filled, &box->lock, &until) == ETIMEDOUT)
            return;
}

/* The longest prefix of at most max_weight, at least one. */
static struct mail *take_prefix(struct mailbox *box, size_t max_weight)
{
    struct mail *taken = box->first, *end = box->first;

    if (!taken)
        return NULL;
    size_t weight = end->weight;
    while (end->next && weight + end->next->weight <= max_weight) {
        end = end->next;
        weight += end->weight;
    }
    box->first = end->next;
    if (!box->first)
        box->last = &box->first;
    end->next = NULL;
    box->weight -= weight;
    return taken;
}

struct mail *mailbox_take(struct mailbox *box, size_t max_weight, int timeout_ms)
{
    sure(pthread_mutex_lock(&box->lock));
    if (timeout_ms != 0)
        wait_filled(box, timeout_ms);
    box->woken = false;
    struct mail *taken = take_prefix(box, max_weight);
    sure(pthread_mutex_unlock(&box->lock));
    return taken;
}

void mailbox_wake(struct mailbox *box)
{
    sure(pthread_mutex_lock(&box->lock));
    box->woken = true;
    sure(pthread_cond_signal(&box->filled));
    sure(pthread_mutex_unlock(&box->lock));
}

void mailbox_close(struct mailbox *box)
{
    sure(pthread_mutex_lock(&box->lock));
    box->closed = true;
    sure(pthread_cond_broadcast(&box->filled));
    sure(pthread_mutex_unlock(&box->lock));
}

size_t mailbox_weight(struct mailbox *box)
{
    sure(pthread_mutex_lock(&box->lock));
    size_t weight = box->weight;
    sure(pthread_mutex_unlock(&box->lock));
    return weight;
}
