/* tests/sim/outage.h - a week in which one service is dead, and the drain when it is back. */
#ifndef FUNNELD_SIM_OUTAGE_H
#define FUNNELD_SIM_OUTAGE_H

#include <stdint.h>

enum { OUTAGE_OTHERS = 3 };

struct outage {
    int64_t queued;     /* at the end of the week */
    int64_t drained_ms; /* until nothing waited any more */
    int64_t left;       /* not delivered even then */
    int64_t too_fast;   /* requests beyond a service's limit */
    int64_t mean_ms[OUTAGE_OTHERS],
        p99_ms[OUTAGE_OTHERS]; /* from commit to delivered, of the others */
};

/* So many events in a week, each for four services; one of them dead all the time, and all well.
 * NULL, or the promise that is broken. */
const char *run_outage(int64_t events, struct outage *dead, struct outage *well);

/* outage_config.c: as loaded; the caller's to drop. */
struct config *outage_config(void);
const char *outage_database(void);

#endif
