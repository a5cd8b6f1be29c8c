/* linger_priv.h - lets a sender read the answer it got before its body was read.
 *
 * Closing a socket that still holds unread bytes resets the connection, and the reset may
 * overtake the answer. So the socket is kept for a moment, half closed, and what comes is
 * thrown away.
 */
#ifndef FUNNELD_HTTP_LINGER_PRIV_H
#define FUNNELD_HTTP_LINGER_PRIV_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { LINGER_MAX = 64 }; /* more than this at once are closed the hard way */

struct lingerer {
    int fd;
    int64_t until_us;
};

struct lingering {
    pthread_mutex_t lock;
    struct lingerer items[LINGER_MAX]; /* lock */
    size_t n;                          /* lock */
};

void lingering_init(struct lingering *l);
void lingering_end(struct lingering *l);
void linger(struct lingering *l, int fd, int64_t now_us); /* keeps a duplicate of fd */
void lingering_read(struct lingering *l, int64_t now_us); /* never blocks */

#endif
