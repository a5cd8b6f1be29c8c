/* tests/sim/daemon_priv.h - the daemon of the simulation, for what is asked of it. */
#ifndef FUNNELD_SIM_DAEMON_PRIV_H
#define FUNNELD_SIM_DAEMON_PRIV_H

#include "daemon.h"
#include "funneld/app/config.h"
#include "funneld/pipeline/writer.h"

struct sim_daemon {
    int64_t now, skew, wake_at; /* wake_at: wall time at which the deliverer wants its next turn */
    int64_t serial, requests;
    int variant;
    struct store *store;
    struct reader *reader;
    struct writer *writer;
    struct deliverer *deliverer;
    struct transport transport;
    size_t waiting; /* works since the last commit */
    bool runs, is_broken;
};
extern struct sim_daemon d;

int64_t wall(void);
MUST_CHECK enum rc daemon_submit(void *self, struct work *work);
bool daemon_commit(void); /* all that waits; false: closed and empty */

#endif
