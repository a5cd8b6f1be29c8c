/* deliver/pace.c - how fast: requests per second, and waits between attempts. */
#include "pace_priv.h"

#include <math.h>

#define LEAST_MS INT64_C(100)

int64_t rate_ready_at(const struct rate *r, double per_second, double burst_ms, int64_t now_ms)
{
    if (per_second <= 0)
        return now_ms;

    double at = ceil(r->next_ms - fmax(0, burst_ms));
    return at > (double)now_ms ? (int64_t)at : now_ms;
}

void rate_count(struct rate *r, double per_second, int64_t at_ms)
{
    if (per_second > 0)
        r->next_ms = fmax(r->next_ms, (double)at_ms) + 1000.0 / per_second;
}

int64_t backoff_wait(int64_t base_ms, int64_t max_ms, int64_t attempts, uint64_t random)
{
    int64_t most = base_ms > 0 ? base_ms : 1;

    while (attempts-- > 0 && most < max_ms)
        most = most > max_ms / 2 ? max_ms : most * 2;
    if (most > max_ms)
        most = max_ms > 0 ? max_ms : 1;

    /* Not at once: whatever failed a moment ago still fails. */
    int64_t least = most / 10 < LEAST_MS ? most / 10 : LEAST_MS;
    int64_t wait = (int64_t)(random % ((uint64_t)most + 1));
    return wait > least ? wait : least > 0 ? least : 1;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
