/* tests/sim/daemon.h - the daemon's own parts, put together in one thread and in virtual time: what
 * app/daemon.c does with threads, sockets and signals.
 *
 * True time goes forward; the daemon's wall clock is true time and a skew. When the disk has ended
 * (disk.h) the process is dead from that call on: nothing it does counts any more, and
 * daemon_bury() takes it away.
 */
#ifndef FUNNELD_SIM_DAEMON_H
#define FUNNELD_SIM_DAEMON_H

#include "fact.h"
#include "services.h"
#include "variant.h"

enum { REQUEST_FACTS = 24 };

struct request_plan {
    size_t facts[REQUEST_FACTS]; /* all HubSpot's, or all forms */
    size_t n;
    bool bad_signature;
};

void daemon_begin(int64_t now);

bool daemon_runs(void);
bool daemon_is_broken(void);    /* an I/O error: it must restart */
bool daemon_start(int variant); /* false: it could not; it does not run */
void daemon_stop(void);         /* as on SIGTERM */
void daemon_bury(void);         /* after the end of the disk */
/* As on SIGHUP; nothing may wait. Whether the new rules are in force. */
bool daemon_reload(int variant);
void daemon_retry(void); /* all dead deliveries */
/* One connector is held, or goes on. */
void daemon_hold(enum service s, bool paused);
void daemon_subscribe(int hook); /* to route `page` */

/* A request arrives. False: the sender knows at once that it has to try again. */
bool daemon_request(const struct request_plan *plan);

bool daemon_write(void);      /* one commit of what waits; false: nothing waits */
void daemon_deliver(void);    /* one turn of the deliverer */
bool daemon_waits(void);      /* something waits for a commit */
void daemon_settle(void);     /* turns until nothing is left to do at this moment */
void daemon_pass(int64_t ms); /* time passes, and whatever is due in it is done */
void daemon_wait(int64_t ms); /* time passes, and nobody takes a turn */
void daemon_jump(int64_t ms); /* the wall clock is set, forwards or backwards */
void daemon_right_clock(void);
int64_t daemon_now(void);   /* true time */
bool daemon_is_quiet(void); /* nothing is in flight, nothing is due any more */

#endif
