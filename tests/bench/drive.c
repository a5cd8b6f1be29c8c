/* drive.c - sends a pool of requests over kept connections and notes when each was answered. */
#include "drive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/base/rc.h"

enum { READY_MAX = 512, PATIENCE_US = 15000000 };

static void die(const char *what)
{
    (void)fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "failed");
    exit(1);
}

static SSL_CTX *trust(const char *certificate)
{
    if (!certificate)
        return NULL;
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (!tls || SSL_CTX_load_verify_file(tls, certificate) != 1)
        die(certificate);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    return tls;
}

static void watch(struct drive *d, struct client *c, int how, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    if (epoll_ctl(d->epoll, how, c->fd, &e) != 0)
        die("epoll_ctl");
}

void drive_connect(struct drive *d, const struct pool *pool, uint16_t port, size_t clients,
                   const char *certificate)
{
    SSL_CTX *tls = trust(certificate);
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* a failure shows in connect */
    }
    *d = (struct drive){.pool = pool,
                        .n = pool->n,
                        .clients = mem_array(clients, sizeof(struct client)),
                        .idle = mem_array(clients, sizeof(struct client *)),
                        .carries = mem_array(clients, sizeof(size_t)),
                        .n_clients = clients,
                        .epoll = epoll_create1(EPOLL_CLOEXEC),
                        .took_us = mem_array(pool->n, sizeof(uint32_t))};
    for (size_t i = 0; i < clients; i++) {
        if (!client_open(&d->clients[i], port, tls))
            die("connect");
        watch(d, &d->clients[i], EPOLL_CTL_ADD, EPOLLIN);
        d->idle[d->n_idle++] = &d->clients[i];
    }
    SSL_CTX_free(tls); /* each connection holds its own reference */
}

void drive_end(struct drive *d)
{
    for (size_t i = 0; i < d->n_clients; i++)
        client_close(&d->clients[i]);
    (void)close(d->epoll); /* nothing is watched any more */
    free(d->clients);
    free(d->idle);
    free(d->carries);
    free(d->took_us);
}

static void send_one(struct drive *d, struct client *c, int64_t from_us)
{
    size_t request = d->carries[c - d->clients];
    enum progress p = client_start(c, d->pool->requests[request].wire, from_us);

    if (p == CLIENT_BROKEN)
        die("send");
    if (p == CLIENT_WANTS_WRITE)
        watch(d, c, EPOLL_CTL_MOD, EPOLLOUT);
}

/* An idle client takes the next request; its time counts from `from_us`. */
static void send_next(struct drive *d, int64_t from_us)
{
    struct client *c = d->idle[--d->n_idle];

    d->carries[c - d->clients] = d->sent++;
    send_one(d, c, from_us);
}

static void note_taken(struct drive *d, const struct client *c, struct str body, int64_t now_us)
{
    d->took_us[d->taken++] = (uint32_t)(now_us - c->began_us);
    d->duplicate += !str_find(body, STR("\"duplicates\":0,"));
}

static void note_refused(struct drive *d, const struct client *c, int status)
{
    d->refused++;
    d->rude += status != 503 || !str_find((struct str){c->in, c->got}, STR("Retry-After: 5\r\n"));
}

static void take_answer(struct drive *d, struct client *c)
{
    int status;
    struct str body;
    enum progress p = client_read(c, &status, &body);

    if (p == CLIENT_BROKEN)
        die("receive");
    if (p != CLIENT_ANSWERED)
        return;
    int64_t now = clock_mono_us();
    if (status == 200)
        note_taken(d, c, body, now);
    else
        note_refused(d, c, status);
    if (status != 200 && d->insists) {
        send_one(d, c, now);
        return;
    }
    d->settled++;
    d->idle[d->n_idle++] = c;
}

static void go_on_sending(struct drive *d, struct client *c)
{
    enum progress p = client_write(c);

    if (p == CLIENT_BROKEN)
        die("send");
    if (p == CLIENT_WAITS)
        watch(d, c, EPOLL_CTL_MOD, EPOLLIN);
}

/* Waits that long for answers and takes them; false: there were none. */
static bool take_answers(struct drive *d, int64_t wait_us)
{
    struct epoll_event ready[READY_MAX];
    const struct timespec wait = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    int n = epoll_pwait2(d->epoll, ready, READY_MAX, &wait, NULL);

    if (n < 0 && errno != EINTR)
        die("epoll_pwait2");
    for (int i = 0; i < n; i++)
        if (ready[i].events & EPOLLOUT)
            go_on_sending(d, ready[i].data.ptr);
        else
            take_answer(d, ready[i].data.ptr);
    return n > 0;
}

static void no_answer(void)
{
    errno = ETIMEDOUT;
    die("waiting for an answer");
}

int64_t drive_as_answered(struct drive *d, int64_t at_most_us)
{
    int64_t began = clock_mono_us();

    for (;;) {
        while (d->n_idle && d->sent < d->n)
            send_next(d, clock_mono_us());
        if (d->settled == d->sent)
            return clock_mono_us() - began;
        if (!take_answers(d, PATIENCE_US))
            no_answer();
        if (clock_mono_us() - began > at_most_us)
            d->n = d->sent; /* time is up: only what is under way */
    }
}

int64_t drive_at_rate(struct drive *d, int64_t a_second)
{
    int64_t began = clock_mono_us(), heard = began;

    for (;;) {
        int64_t now = clock_mono_us(), due = INT64_MAX;

        while (d->sent < d->n) {
            due = began + (int64_t)d->sent * 1000000 / a_second;
            if (due > now || !d->n_idle)
                break;
            send_next(d, due);
        }
        if (d->settled == d->n)
            return now - began;
        bool waits = d->sent < d->n && d->n_idle; /* for the clock; else for an answer */
        if (take_answers(d, waits ? due - now : PATIENCE_US) || d->settled == d->sent)
            heard = clock_mono_us();
        else if (clock_mono_us() - heard > PATIENCE_US)
            no_answer();
    }
}
