/* tests/sim/oracle.h - what must hold, worked out from what was said, answered and received.
 *
 * Written without a look at the daemon's code: it knows README's promises and design 1.7, its own
 * record of what was said and answered (fact.h), what the services have really got (services.h),
 * and reads the database with its own SQL. It says broken() for the first promise that is.
 */
#ifndef FUNNELD_SIM_ORACLE_H
#define FUNNELD_SIM_ORACLE_H

#include "fact.h"

#include "funneld/base/rc.h"

void oracle_begin(void);

/* What a sender was answered; counts as in the body of a 200. */
struct answer {
    const size_t *facts;
    size_t n;
    bool accepted; /* 200; else it was told to try again */
    uint32_t fresh, duplicates, unprocessable;
    int64_t received_at;
};
void oracle_answered(const struct answer *a);

/* The daemon runs (again) by this configuration: all that was promised must be there. */
void oracle_started(int variant);
void oracle_reloaded(int variant); /* without a restart; nothing waits */
/* What is dead is about to be tried again, and nothing waits; then it is, or may be. */
void oracle_retrying(void);
void oracle_retried(void);

/* Somebody subscribed to route `page` at the Zap's address, or may have. */
void oracle_subscribed(int hook);
/* Whether anything may be posted there: the subscription is in the database. */
bool oracle_may_post(int hook);
/* Which connectors are paused is what commands said; `unknown`: one was not answered. */
void oracle_paused(bool unknown);

/* When all is quiet. */
void oracle_check(void);
/* The first part of it: events, leads, scores. */
void oracle_check_leads(void);

#endif
