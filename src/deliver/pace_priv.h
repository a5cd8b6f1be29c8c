/* deliver/pace_priv.h - how fast: requests per second, and waits between attempts. Pure. */
#ifndef FUNNELD_DELIVER_PACE_H
#define FUNNELD_DELIVER_PACE_H

#include <stdint.h>

/* A token bucket, kept as the time at which its next token is there. Zeroed: full. */
struct rate {
    double next_ms;
};

/* When the next request may leave: now or later, `burst_ms` before its token is there at the
 * earliest. A rate of 0 sets no limit. */
int64_t rate_ready_at(const struct rate *r, double per_second, double burst_ms, int64_t now_ms);
/* A request leaves at that time. */
void rate_count(struct rate *r, double per_second, int64_t at_ms);

/* Full jitter: between a little and base * 2^attempts, or max where that is less. */
int64_t backoff_wait(int64_t base_ms, int64_t max_ms, int64_t attempts, uint64_t random);

uint64_t random_next(uint64_t *state); /* splitmix64: for jitter, not for secrets */

#endif
