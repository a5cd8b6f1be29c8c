/* waiting_priv.h - requests that wait, suspended, for the commit of their events.
 *
 * Two may end a wait: the writer after the commit, the tick after the deadline. Whoever changes
 * `state` from WAIT_COMMIT resumes the connection, exactly once; the other lets go. After the
 * resume the winner must not touch the request.
 */
#ifndef FUNNELD_HTTP_WAITING_PRIV_H
#define FUNNELD_HTTP_WAITING_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;

enum wait_state { WAIT_NOT, WAIT_COMMIT, WAIT_OVER };

struct wait {
    atomic_int state;
    struct waiting *among; /* touched only by whoever ends the wait */
    int64_t deadline_us;   /* waiting->lock, as the links */
    struct request *prev, *next;
};

struct waiting {
    pthread_mutex_t lock;
    struct request *first, *last; /* lock; the earliest deadline first */
    bool closed;                  /* lock */
    atomic_size_t n;              /* suspended connections: counted down after the resume */
};

void waiting_init(struct waiting *w);
void waiting_end(struct waiting *w);

/* Suspends the connection and hands the events to the writer. From the handler; the request is
 * answered when the handler is called again (step STEP_WAITING), or at once when closed. */
void wait_for_commit(struct request *r, int64_t now_us);
void waiting_close(struct waiting *w); /* no wait begins any more */
/* Ends the waits that are past their deadline. */
void waiting_expire(struct waiting *w, int64_t now_us);

#endif
