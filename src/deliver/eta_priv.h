/* deliver/eta_priv.h - when a queue will be empty, at the pace of late. Pure. */
#ifndef FUNNELD_DELIVER_ETA_H
#define FUNNELD_DELIVER_ETA_H

#include <stddef.h>
#include <stdint.h>

/* Averages over the last attempts, the newer the weightier. Zeroed: none has ended yet. */
struct pace {
    double attempts; /* how many have been seen, as far as that matters */
    double ended;    /* deliveries that are done with, per attempt */
    double requests; /* per attempt */
    double seconds;  /* per attempt */
};

void pace_note(struct pace *p, size_t ended, int requests, int64_t ms);
/* Seconds until `depth` deliveries are done with; INFINITY: never at that pace. per_second:
 * requests that may leave, 0: no limit. */
double pace_eta(const struct pace *p, int64_t depth, double per_second, size_t concurrency);

#endif
