/* deliver/pages.h - asks a connector for page after page, until there are no more.
 *
 * One question after another, no faster than the connector's `rate`, each with its own time-out.
 * Where the service asks for a rest, or is away, it is asked again later. Touches no database. What
 * a service says is starred where it repeats a secret. In the caller's thread, which owns the
 * transport.
 */
#ifndef FUNNELD_DELIVER_PAGES_H
#define FUNNELD_DELIVER_PAGES_H

#include "funneld/connectors/connector.h"
#include "funneld/deliver/transport.h"

struct pages {
    const struct connector *connector;
    struct str route; /* what the connector is asked for */
    struct str place; /* where it begins; missing: at the front */
    /* A page and, as remote_id, the place behind it (missing: it was the last). What it holds is
     * gone afterwards. Other than RC_OK it ends there. */
    enum rc (*took)(void *self, const struct outcome *page, struct why *why);
    /* Nothing comes for so long, and why. May be NULL. */
    void (*rests)(void *self, int64_t ms, struct str reason);
    void *self;
    int failures_most; /* in a row, after which it gives up */
    int shared_by;     /* so many draw from the connector's rate; 0: nobody else */
};

/* RC_IO: the service says no, or is away for too long: why says it. */
MUST_CHECK enum rc pages_read(const struct transport *t, int64_t (*clock_ms)(void),
                              const struct pages *p, struct why *why);

#endif
