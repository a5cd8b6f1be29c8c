/* deliver/governor_priv.h - the quotas of all accounts, whichever lanes draw from them.
 *
 * A lane has its own rate; what an account may ask in all is counted here, so that two connectors
 * with one token do not overrun it together. What is not used any more is forgotten. The delivery
 * thread owns it; times are Unix milliseconds.
 */
#ifndef FUNNELD_DELIVER_GOVERNOR_H
#define FUNNELD_DELIVER_GOVERNOR_H

#include "funneld/connectors/connector.h"
#include "pace_priv.h"

enum { GOVERNOR_MAX = 1024 };

struct governed {
    uint64_t key;
    struct rate rate;
    int64_t blocked_until; /* the service said so */
    int64_t spread_until;  /* for the next one, so that what is left lasts */
};

struct governor { /* zeroed: nothing was used yet */
    struct governed *items;
    size_t n, cap;
};

void governor_free(struct governor *g);
/* When a request that draws from these may leave: now or later. */
int64_t governor_ready_at(const struct governor *g, const struct quota quotas[], size_t n,
                          int64_t now_ms);
/* Until when the service wants one of them to rest; in the past: it does not. */
int64_t governor_rests_until(const struct governor *g, const struct quota quotas[], size_t n);
/* Until when the next one waits, so that what is left lasts: as above. */
int64_t governor_spread_until(const struct governor *g, const struct quota quotas[], size_t n);
/* It leaves at that time. */
void governor_count(struct governor *g, const struct quota quotas[], size_t n, int64_t at_ms);
/* All of these rest until then, and begin without a burst. */
void governor_block(struct governor *g, const struct quota quotas[], size_t n, int64_t until_ms);
/* What is left is spread over the time that it must last; if nothing is, there is a rest. */
void governor_learn(struct governor *g, const struct quota_left *left, int64_t now_ms);
void governor_shift(struct governor *g, int64_t back_ms); /* the clock was set back */

#endif
