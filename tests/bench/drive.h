/* drive.h - sends a pool of requests over kept connections and notes when each was answered.
 *
 * Two ways: closed, where each client sends its next request when the last was answered; and open,
 * where requests are due at a steady rate whatever has become of those before. There a request's
 * time counts from when it was due, so that a stall counts for all that it kept waiting.
 */
#ifndef FUNNELD_BENCH_DRIVE_H
#define FUNNELD_BENCH_DRIVE_H

#include "client.h"
#include "pool.h"

struct drive {
    const struct pool *pool;
    size_t n; /* of the pool's requests, those that are sent */
    struct client *clients, **idle;
    size_t n_clients, n_idle;
    int epoll;
    bool insists;    /* what is refused is sent again at once */
    size_t *carries; /* which request each client has under way */
    size_t sent, settled, taken, refused, duplicate;
    size_t rude;       /* refusals other than 503 with Retry-After: 5 */
    uint32_t *took_us; /* of each that was taken */
};

/* Connected to 127.0.0.1, over TLS if a certificate is to be trusted. Failures end the program. */
void drive_connect(struct drive *d, const struct pool *pool, uint16_t port, size_t clients,
                   const char *certificate);
void drive_end(struct drive *d);

/* Both return the microseconds that it took. */
int64_t drive_as_answered(struct drive *d, int64_t at_most_us);
int64_t drive_at_rate(struct drive *d, int64_t a_second);

#endif
