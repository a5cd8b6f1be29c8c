/* tests/sim/hub_hooks.c - see hub.h. A batch that nobody answers 200 in time is sent again, 10
 * times within 24 hours, in growing and random intervals; then it is lost. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "hub.h"
#include "random.h"

enum { REQUESTS = 512, EVENTS = 100, LOST = 16384, ATTEMPTS = 11 };

struct told {
    struct str text;
    int64_t contact, at;
};

struct request {
    struct arena arena;
    struct told events[EVENTS];
    size_t n;
    int attempts;
    int64_t at; /* of the next attempt */
};

static struct {
    struct request requests[REQUESTS]; /* n 0: free */
    struct request next;               /* that is being told */
    struct {
        int64_t contact, at;
    } lost[LOST];
    size_t n_lost;
    int64_t given_up, serial;
    uint64_t chance;
} k;

static const int minutes[ATTEMPTS - 1] = {1, 5, 15, 30, 60, 120, 180, 240, 300, 480};

static void forget(struct request *r)
{
    arena_free(&r->arena);
    *r = (struct request){0};
}

void hub_hooks_begin(uint64_t seed)
{
    for (int i = 0; i < REQUESTS; i++)
        forget(&k.requests[i]);
    forget(&k.next);
    k.n_lost = 0;
    k.given_up = k.serial = 0;
    k.chance = seed;
}

void hub_tell(struct str event, int64_t contact, int64_t at)
{
    if (k.next.n == EVENTS)
        hub_send(at);
    k.next.events[k.next.n++] = (struct told){arena_str(&k.next.arena, event), contact, at};
}

void hub_send(int64_t now)
{
    int i = 0;

    if (!k.next.n)
        return;
    while (k.requests[i].n)
        i++;
    assert(i < REQUESTS - 1);
    k.requests[i] = k.next;
    k.requests[i].at = now + 50 + (int64_t)random_below(&k.chance, 5000);
    k.next = (struct request){0};
}

static struct str body_of(const struct request *r, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    struct str ret = STR("");

    sbuf_char(&b, '[');
    for (size_t i = 0; i < r->n; i++)
        sbuf_printf(&b, "%s{\"eventId\":%" PRId64 ",\"attemptNumber\":%d,%.*s}", i ? "," : "",
                    ++k.serial, r->attempts, STR_ARG(r->events[i].text));
    sbuf_char(&b, ']');
    return sbuf_seal(&b, a, &ret) ? STR("") : ret;
}

static void give_up(const struct request *r)
{
    for (size_t i = 0; i < r->n; i++) {
        assert(k.n_lost < LOST);
        k.lost[k.n_lost].contact = r->events[i].contact;
        k.lost[k.n_lost++].at = r->events[i].at;
    }
    k.given_up++;
}

static void attempt(struct request *r, int64_t now, hub_taken *taken, void *self)
{
    struct arena a AUTO(arena_free) = {0};

    if (taken(self, body_of(r, &a))) {
        forget(r);
        return;
    }
    if (++r->attempts == ATTEMPTS) {
        give_up(r);
        forget(r);
        return;
    }
    int64_t wait = minutes[r->attempts - 1] * MINUTES_MS;
    r->at = now + wait * 8 / 10 + (int64_t)random_below(&k.chance, (uint64_t)wait / 5);
}

void hub_hooks(int64_t now, hub_taken *taken, void *self)
{
    for (int i = 0; i < REQUESTS; i++)
        if (k.requests[i].n && k.requests[i].at <= now)
            attempt(&k.requests[i], now, taken, self);
}

int64_t hub_hooks_next(void)
{
    int64_t next = INT64_MAX;

    for (int i = 0; i < REQUESTS; i++)
        if (k.requests[i].n && k.requests[i].at < next)
            next = k.requests[i].at;
    return next;
}

bool hub_gave_up(int64_t contact, int64_t at)
{
    for (size_t i = 0; i < k.n_lost; i++)
        if (k.lost[i].contact == contact && (!at || k.lost[i].at == at))
            return true;
    return false;
}

int64_t hub_given_up(void)
{
    return k.given_up;
}
