/* deliver/circuit.c - whether a service is worth asking just now. */
#include "circuit_priv.h"

enum { FAILURES_MAX = 5, SLOW_START = 1, SLOW_START_ENDS = 64 };

void circuit_start_slowly(struct circuit *c)
{
    *c = (struct circuit){.slow_start = SLOW_START};
}

int64_t circuit_ready_at(const struct circuit *c, int64_t now_ms)
{
    return circuit_is_open(c) && c->probe_at > now_ms ? c->probe_at : now_ms;
}

size_t circuit_allows(const struct circuit *c, size_t concurrency)
{
    size_t most = circuit_is_open(c) ? 1 : c->slow_start;

    return most && most < concurrency ? most : concurrency;
}

/* Between a half of it and all: many lanes that opened together do not probe together. */
static int64_t wait_for(int opens, int64_t backoff_ms, int64_t max_ms, uint64_t random)
{
    int64_t most = backoff_ms > 0 ? backoff_ms : 1;

    while (opens-- > 0 && most < max_ms)
        most = most > max_ms / 2 ? max_ms : most * 2;
    return most - (int64_t)(random % ((uint64_t)most / 2 + 1));
}

static void close_circuit(struct circuit *c)
{
    size_t next = c->slow_start ? c->slow_start * 2 : 0;

    if (circuit_is_open(c))
        next = SLOW_START;
    *c = (struct circuit){.slow_start = next < SLOW_START_ENDS ? next : 0};
}

void circuit_note(struct circuit *c, enum attempt_health health, int64_t began, int64_t now_ms,
                  int64_t backoff_ms, int64_t backoff_max_ms, uint64_t random)
{
    if (health == HEALTH_WELL) {
        close_circuit(c);
        return;
    }
    if (health == HEALTH_UNKNOWN || (circuit_is_open(c) && began < c->wait_from))
        return;
    c->failures++;
    if (!circuit_is_open(c) && health == HEALTH_FAILED && c->failures < FAILURES_MAX)
        return;
    if (!circuit_is_open(c))
        c->opened_at = now_ms;
    c->wait_from = now_ms;
    c->probe_at = now_ms + wait_for(c->opens++, backoff_ms, backoff_max_ms, random);
}

void circuit_probe_now(struct circuit *c, int64_t now_ms)
{
    if (circuit_is_open(c) && c->probe_at > now_ms)
        c->probe_at = now_ms;
}

void circuit_shift(struct circuit *c, int64_t back_ms)
{
    if (!circuit_is_open(c))
        return;
    c->opened_at -= back_ms;
    c->wait_from -= back_ms;
    c->probe_at -= back_ms;
}
