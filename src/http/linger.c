/* linger.c - half-closed connections whose senders may still be writing. */
#include "linger_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINGER_US = 2000 * 1000, READS_AT_ONCE = 64 };

void lingering_init(struct lingering *l)
{
    int bad = pthread_mutex_init(&l->lock, NULL);
    assert(!bad);
    l->n = 0;
}

void lingering_end(struct lingering *l)
{
    for (size_t i = 0; i < l->n; i++)
        (void)close(l->items[i].fd); /* nothing was written that could be lost */
    l->n = 0;
    pthread_mutex_destroy(&l->lock);
}

void linger(struct lingering *l, int fd, int64_t now_us)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return;
    (void)shutdown(copy, SHUT_WR); /* fails where the peer is gone: the read will tell */
    pthread_mutex_lock(&l->lock);
    bool room = l->n < LINGER_MAX;
    if (room)
        l->items[l->n++] = (struct lingerer){copy, now_us + LINGER_US};
    pthread_mutex_unlock(&l->lock);
    if (!room)
        (void)close(copy);
}

/* Whether the sender may still be writing. */
static bool read_away(int fd)
{
    char buffer[16384];
    for (int i = 0; i < READS_AT_ONCE; i++) {
        ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return false;
    }
    return true;
}

void lingering_read(struct lingering *l, int64_t now_us)
{
    pthread_mutex_lock(&l->lock);
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        struct lingerer *x = &l->items[i];
        if (now_us < x->until_us && read_away(x->fd))
            l->items[kept++] = *x;
        else
            (void)close(x->fd);
    }
    l->n = kept;
    pthread_mutex_unlock(&l->lock);
}
