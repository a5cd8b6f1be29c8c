/* deliver/deliverer.h - every delivery, until it is delivered or dead with a reason.
 *
 * One lane per connector: own concurrency, rate, backoff. Of each (connector, lead) only the
 * oldest pending delivery is a candidate, and one is in flight. Before a request that is not
 * repeatable leaves, the writer commits that its attempt began; an attempt that may have
 * happened is looked at after `settle`, not repeated. The window holds ids and times only; what
 * does not fit waits on disk.
 *
 * deliverer_step runs in one thread: the delivery thread, or a test in virtual time.
 */
#ifndef FUNNELD_DELIVER_DELIVERER_H
#define FUNNELD_DELIVER_DELIVERER_H

#include "funneld/base/clock.h"
#include "funneld/base/ref.h"
#include "funneld/connectors/connector.h"
#include "funneld/deliver/transport.h"
#include "funneld/route/route.h"
#include "funneld/store/store.h"

/* What it works by; immutable, shared by reference. */
struct lanes {
    const struct connector *connectors;
    size_t n;
    const struct routes *routes; /* for messages */
    const struct connector *crm; /* for links to the record; NULL: none */
    struct ref *owner;           /* dropped when replaced */
};

struct deliver_ports {
    struct reader *reader;
    struct transport *transport;
    enum rc (*submit)(void *self, struct work *work); /* attempts and verdicts; RC_CLOSED only */
    void *self;
    uint64_t seed;               /* for jitter */
    struct trusted_time trusted; /* what the wall clock is believed by, to begin with */
    size_t window; /* heads that are in memory for each who is told, the rest is on disk; 0: many */
};

struct deliverer;
/* Takes over lanes->owner; the ports stay the caller's. The disk is read in the first step. */
struct deliverer *deliverer_new(const struct deliver_ports *ports, const struct lanes *lanes);
/* Not while the writer holds works of it, or the transport its requests: when it is idle, or after
 * both were freed. */
void deliverer_free(struct deliverer *d); /* NULL is fine */

/* Does all that can be done at now; returns when to come back (Unix ms) if nothing happens before;
 * INT64_MAX: not at all. */
int64_t deliverer_step(struct deliverer *d, int64_t now_ms, int64_t steady_ms);

/* From any thread */
void deliverer_notify(struct deliverer *d, struct str connector, const struct due_row *row);
void deliverer_rescan(struct deliverer *d); /* look at the disk again */
/* A service that failed is asked again at once: somebody may have mended it. Rescans as well. */
void deliverer_probe(struct deliverer *d);
void deliverer_reload(struct deliverer *d, const struct lanes *lanes); /* takes over lanes->owner */
void deliverer_stop(struct deliverer *d);                              /* start nothing new */
bool deliverer_idle(struct deliverer *d);                              /* nothing in flight */

/* The thread around it. */
void *deliverer_run(void *deliverer); /* until stopped and idle */

#endif
