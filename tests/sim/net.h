/* tests/sim/net.h - the network between the daemon and the services: requests that are lost, late,
 * answered wrongly, or done without an answer. A transport in virtual time.
 *
 * Every request has a plan, drawn when it starts: when the service does it (or never), and what
 * the daemon hears when. A request that has left is on its way, whatever becomes of its sender.
 */
#ifndef FUNNELD_SIM_NET_H
#define FUNNELD_SIM_NET_H

#include "services.h"

#include "funneld/deliver/transport.h"

enum net_mood {
    NET_WELL,    /* all is done and answered; exceptions are rare */
    NET_FLAKY,   /* anything may happen */
    NET_DOWN,    /* nothing gets through */
    NET_REFUSES, /* with an answer that is final */
    NET_PERFECT, /* no exceptions */
    NET_LOSES,   /* all is done, and of every other request the answer is lost */
    NET_MOODS
};

void net_begin(uint64_t seed);
void net_end(void);
void net_set_mood(enum service s, enum net_mood mood);
const struct transport *net_transport(void);

/* All that is due by now is done; returns when something is to happen next, INT64_MAX: nothing. */
int64_t net_run(int64_t now);
bool net_has_answers(void);
void net_hang_up(void); /* the daemon's process is gone: no answer reaches it any more */
void net_clock_jumped(
    void); /* forwards: what a service has not done yet may be looked for too early */
/* Its connector is paused or goes on, by a command that was obeyed; what is under way may end. */
void net_pause(enum service s, bool paused);
bool net_is_paused(enum service s);
void net_idle(void);    /* and now nothing is under way */
int64_t net_lost(void); /* answers to requests that may not be repeated, since the program began */
bool net_has_refused(enum service s); /* finally, at least once */

#endif
