/* deliver/governor.c - the quotas of all accounts, whichever lanes draw from them. */
#include "governor_priv.h"

#include <math.h>
#include <stdlib.h>

static struct governed *find(const struct governor *g, uint64_t key)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->items[i].key == key)
            return &g->items[i];
    return NULL;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static double busy_until(const struct governed *x)
{
    return fmax(x->rate.next_ms, (double)later(x->blocked_until, x->spread_until));
}

/* Room for one more: in the place of the one that has rested longest, when there are too many. */
static struct governed *room(struct governor *g)
{
    if (g->n < GOVERNOR_MAX) {
        if (g->n == g->cap) {
            g->cap = g->cap ? g->cap * 2 : 16;
            g->items = mem_grow(g->items, g->cap, sizeof *g->items);
        }
        return &g->items[g->n++];
    }
    struct governed *idlest = &g->items[0];
    for (size_t i = 1; i < g->n; i++)
        if (busy_until(&g->items[i]) < busy_until(idlest))
            idlest = &g->items[i];
    return idlest;
}

static struct governed *find_or_make(struct governor *g, uint64_t key)
{
    struct governed *x = find(g, key);

    if (x)
        return x;
    x = room(g);
    *x = (struct governed){.key = key};
    return x;
}

void governor_free(struct governor *g)
{
    free(g->items);
    *g = (struct governor){0};
}

int64_t governor_rests_until(const struct governor *g, const struct quota quotas[], size_t n)
{
    int64_t until = 0;

    for (size_t i = 0; i < n; i++) {
        const struct governed *x = find(g, quotas[i].key);

        until = later(until, x ? x->blocked_until : 0);
    }
    return until;
}

int64_t governor_spread_until(const struct governor *g, const struct quota quotas[], size_t n)
{
    int64_t until = 0;

    for (size_t i = 0; i < n; i++) {
        const struct governed *x = find(g, quotas[i].key);

        until = later(until, x ? x->spread_until : 0);
    }
    return until;
}

static double burst_of(const struct quota *q)
{
    return (q->burst - 1) * 1000.0 / q->per_second;
}

int64_t governor_ready_at(const struct governor *g, const struct quota quotas[], size_t n,
                          int64_t now_ms)
{
    int64_t at = later(now_ms, governor_rests_until(g, quotas, n));

    at = later(at, governor_spread_until(g, quotas, n));
    for (size_t i = 0; i < n; i++) {
        const struct quota *q = &quotas[i];
        const struct governed *x = find(g, q->key);

        if (!x)
            continue;
        at = later(at, rate_ready_at(&x->rate, q->per_second, burst_of(q), now_ms));
    }
    return at;
}

void governor_count(struct governor *g, const struct quota quotas[], size_t n, int64_t at_ms)
{
    for (size_t i = 0; i < n; i++)
        rate_count(&find_or_make(g, quotas[i].key)->rate, quotas[i].per_second, at_ms);
}

void governor_block(struct governor *g, const struct quota quotas[], size_t n, int64_t until_ms)
{
    for (size_t i = 0; i < n; i++) {
        struct governed *x = find_or_make(g, quotas[i].key);

        x->blocked_until = later(x->blocked_until, until_ms);
        x->rate.next_ms = fmax(x->rate.next_ms, (double)until_ms + burst_of(&quotas[i]));
    }
}

void governor_learn(struct governor *g, const struct quota_left *left, int64_t now_ms)
{
    if (!left->key || left->requests < 0 || left->window_ms <= 0)
        return;
    struct governed *x = find_or_make(g, left->key);
    int64_t next = now_ms + left->window_ms / (left->requests + 1);
    int64_t *until = left->requests ? &x->spread_until : &x->blocked_until;

    *until = later(*until, next);
}

void governor_shift(struct governor *g, int64_t back_ms)
{
    for (size_t i = 0; i < g->n; i++) {
        g->items[i].rate.next_ms -= (double)back_ms;
        g->items[i].blocked_until -= back_ms;
        g->items[i].spread_until -= back_ms;
    }
}
