/* deliver/prober.h - asks the services whether what the connectors are set up with works.
 *
 * All of them at once, the questions of each one after another, no faster than its `rate`, each
 * with the connector's own time-out. Touches no database and needs no daemon. What a service says
 * is starred where it repeats a secret. In the caller's thread, which owns the transport; returns
 * when all is known.
 */
#ifndef FUNNELD_DELIVER_PROBER_H
#define FUNNELD_DELIVER_PROBER_H

#include "funneld/connectors/probe.h"
#include "funneld/deliver/transport.h"

/* Each probe has its connector, arena and what else the caller sets. What the findings hold lives
 * in its arena. The clock tells Unix milliseconds. */
void probe_all(const struct transport *t, int64_t (*clock_ms)(void), struct probe probes[],
               size_t n);

#endif
