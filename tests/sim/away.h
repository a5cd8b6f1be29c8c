/* tests/sim/away.h - an outage of our own: three days in which nobody answers HubSpot's webhooks.
 */
#ifndef FUNNELD_SIM_AWAY_H
#define FUNNELD_SIM_AWAY_H

#include <stddef.h>
#include <stdint.h>

struct reader;
struct sbuf;

struct away {
    int64_t contacts;
    int64_t given_up;  /* requests of webhooks */
    int64_t recovered; /* records that the catch-up found */
};

/* Ten days of a CRM in which so many things are done, once with the daemon there all the time, once
 * with three days without it. NULL, or how the two worlds differ in the end. */
const char *run_away(uint64_t seed, int64_t deeds, struct away *ret);

/* away_config.c: as loaded; the caller's to drop. */
struct config *away_config(void);
const char *away_database(void);

/* away_world.c: all that is known of a contact's lead, but for what may differ, as a text; and
 * whether it is what the CRM has. */
void away_describe(struct reader *r, int64_t contact, struct sbuf *ret);

#endif
