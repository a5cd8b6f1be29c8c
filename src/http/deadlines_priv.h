/* deadlines_priv.h - the open connections of a listener, and by when each must have got further.
 *
 * libmicrohttpd 0.9.75 knows only idle time, which every byte resets; a sender of one byte a
 * second would stay for ever. So each connection has a phase with a deadline, and whoever is
 * past it is shut down. Callbacks of a connection run in its own pool thread; conns_cut runs in
 * another, hence the atomics and the lock.
 */
#ifndef FUNNELD_HTTP_DEADLINES_PRIV_H
#define FUNNELD_HTTP_DEADLINES_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linger_priv.h"

enum phase {
    PHASE_OPEN,    /* accepted; TLS handshake and first request line */
    PHASE_HEADERS, /* request line read */
    PHASE_BODY,
    PHASE_WAITING, /* suspended until the commit, with a deadline of its own */
    PHASE_ANSWER,
    PHASE_IDLE, /* kept alive between two requests */
    PHASE_COUNT
};

struct request;
struct conn {
    /* Its pool thread */
    bool lingers; /* answered before its body was read */
    /* Begun, and not yet handed over: libmicrohttpd forgets one whose head it refuses itself. */
    struct request *unseen;
    /* Any thread */
    atomic_int phase;
    _Atomic int64_t deadline_us;
    /* conns->lock */
    struct conn *prev, *next;
    int fd; /* open as long as the conn is in the list */
};

struct conns {
    _Atomic int64_t limit_us[PHASE_COUNT]; /* 0: none */
    atomic_size_t n;
    pthread_mutex_t lock;
    struct conn *first; /* lock */
    struct lingering lingering;
};

void conns_init(struct conns *cs);
void conns_end(struct conns *cs); /* every connection is closed */

struct conn *conn_open(struct conns *cs, int fd, int64_t now_us);
void conn_close(struct conns *cs, struct conn *c, int64_t now_us); /* fd still open; frees c */
/* The deadline of the first request's headers runs from the connection's start. */
void conn_enter(struct conns *cs, struct conn *c, enum phase phase, int64_t now_us);

size_t conns_busy(struct conns *cs); /* those in the middle of a request */

enum cut { CUT_LATE, CUT_LATE_AND_IDLE };
void conns_cut(struct conns *cs, enum cut what, int64_t now_us);

#endif
