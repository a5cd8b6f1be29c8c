/* deliver/pace.c - how fast: requests per second, and waits between attempts. */
#include "pace_priv.h"

#include <math.h>

/* At high rates several requests may leave in one turn of the loop; up to 10/s they are spaced. */
#define BURST_MS 100.0

#define LEAST_MS INT64_C(100)

static double step_ms(double per_second)
{
    return 1000.0 / per_second;
}

int64_t rate_ready_at(const struct rate *r, double per_second, int64_t now_ms)
{
    if (per_second <= 0)
        return now_ms;

    double at = ceil(r->next_ms - fmax(0, BURST_MS - step_ms(per_second)));
    return at > (double)now_ms ? (int64_t)at : now_ms;
}

int64_t rate_take(struct rate *r, double per_second, int64_t now_ms)
{
    int64_t at = rate_ready_at(r, per_second, now_ms);

    if (per_second > 0)
        r->next_ms = fmax(r->next_ms, (double)now_ms) + step_ms(per_second);
    return at;
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
