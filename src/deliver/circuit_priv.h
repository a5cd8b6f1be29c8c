/* deliver/circuit_priv.h - whether a service is worth asking just now. Pure.
 *
 *      +------------ an attempt goes well: few at once first, twice as many with each ----------+
 *      v                                                                                        |
 *   CLOSED -- so many fail in a row, or it says itself that it is broken --> OPEN -- wait --> PROBE
 *                                                                             ^                 |
 *                                                                             +---- it fails ---+
 *                                                                               the wait doubles
 *
 * While it is open one attempt at a time is let through, when the wait is over.
 */
#ifndef FUNNELD_DELIVER_CIRCUIT_H
#define FUNNELD_DELIVER_CIRCUIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct circuit {       /* zeroed: closed */
    int failures;      /* in a row */
    int64_t opened_at; /* when it opened first; 0: closed */
    int64_t wait_from; /* when it opened last */
    int64_t probe_at;
    int opens;         /* in a row */
    size_t slow_start; /* attempts at once, at most; 0: no limit */
};

enum attempt_health {
    HEALTH_UNKNOWN, /* it was not asked */
    HEALTH_WELL,    /* the service answers */
    HEALTH_FAILED,  /* it does not, or not with sense */
    HEALTH_BROKEN,  /* it says that it will not work before somebody mends something */
};

static inline bool circuit_is_open(const struct circuit *c)
{
    return c->opened_at != 0;
}

/* Few at once first, as after a recovery: nothing is known of it yet. */
void circuit_start_slowly(struct circuit *c);
/* When the next attempt may start: now or later. */
int64_t circuit_ready_at(const struct circuit *c, int64_t now_ms);
/* How many may run at once. */
size_t circuit_allows(const struct circuit *c, size_t concurrency);
/* An attempt that began at `began` has ended. What began before the circuit opened says nothing new
 * unless it went well. */
void circuit_note(struct circuit *c, enum attempt_health health, int64_t began, int64_t now_ms,
                  int64_t backoff_ms, int64_t backoff_max_ms, uint64_t random);
/* Somebody may have mended it: the next attempt need not wait. */
void circuit_probe_now(struct circuit *c, int64_t now_ms);
/* The clock was set back. */
void circuit_shift(struct circuit *c, int64_t back_ms);

#endif
