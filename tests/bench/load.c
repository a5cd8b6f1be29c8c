/* load.c - posts signed webhooks over kept connections as fast as they are answered.
 *
 *     load --port N [--tls CERTIFICATE] [--clients 64] [--requests 60000] [--batch 1]
 *          [--seconds 20] [--insist]
 *
 * One thread, at 127.0.0.1 only, each client sending its next request when the last was
 * answered; with --insist what is refused is sent again at once, until it is taken. Signing and
 * connecting come before the clock starts. Prints one JSON object; latencies are of what was taken.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client.h"
#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "pool.h"

struct settings {
    int64_t port, clients, requests, batch, seconds;
    const char *certificate;
    bool insists;
};

struct load {
    struct pool pool;
    struct client *clients;
    size_t n_clients;
    int epoll;
    bool insists;
    size_t *carries; /* which request each client has under way */
    size_t sent, settled, taken, refused, duplicate;
    size_t rude; /* refusals other than 503 with Retry-After: 5 */
    uint32_t *latency_us;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "failed");
    exit(1);
}

static void usage(void)
{
    (void)fputs("usage: load --port N [--tls CERTIFICATE] [--clients N] [--requests N]"
                " [--batch N] [--seconds N] [--insist]\n",
                stderr);
    exit(2);
}

static void read_arguments(int argc, char *argv[], struct settings *s)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},    {"tls", required_argument, NULL, 't'},
        {"clients", required_argument, NULL, 'c'}, {"requests", required_argument, NULL, 'r'},
        {"batch", required_argument, NULL, 'b'},   {"seconds", required_argument, NULL, 's'},
        {"insist", no_argument, NULL, 'i'},        {NULL, 0, NULL, 0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int64_t *number = letter == 'p'   ? &s->port
                          : letter == 'c' ? &s->clients
                          : letter == 'r' ? &s->requests
                          : letter == 'b' ? &s->batch
                          : letter == 's' ? &s->seconds
                                          : NULL;
        if (letter == 't')
            s->certificate = optarg;
        else if (letter == 'i')
            s->insists = true;
        else if (!number || !str_int64(str_of(optarg), number) || *number <= 0)
            usage();
    }
    if (optind < argc || !s->port || s->port > UINT16_MAX || s->clients > s->requests ||
        s->requests * s->batch > 10000000)
        usage();
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

static void watch(struct load *l, struct client *c, int how, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    if (epoll_ctl(l->epoll, how, c->fd, &e) != 0)
        die("epoll_ctl");
}

static void connect_all(struct load *l, const struct settings *s)
{
    SSL_CTX *tls = trust(s->certificate);
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* a failure shows in connect */
    }
    l->n_clients = (size_t)s->clients;
    l->clients = mem_array(l->n_clients, sizeof *l->clients);
    l->carries = mem_array(l->n_clients, sizeof *l->carries);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < l->n_clients; i++) {
        if (!client_open(&l->clients[i], (uint16_t)s->port, tls))
            die("connect");
        watch(l, &l->clients[i], EPOLL_CTL_ADD, EPOLLIN);
    }
    SSL_CTX_free(tls); /* each connection holds its own reference */
}

static void send_one(struct load *l, struct client *c, int64_t now_us)
{
    size_t request = l->carries[c - l->clients];
    enum progress p = client_start(c, l->pool.requests[request].wire, now_us);

    if (p == CLIENT_BROKEN)
        die("send");
    if (p == CLIENT_WANTS_WRITE)
        watch(l, c, EPOLL_CTL_MOD, EPOLLOUT);
}

static void send_next(struct load *l, struct client *c, int64_t now_us)
{
    if (l->sent == l->pool.n)
        return;
    l->carries[c - l->clients] = l->sent++;
    send_one(l, c, now_us);
}

static void note_taken(struct load *l, const struct client *c, struct str body, int64_t now_us)
{
    l->latency_us[l->taken++] = (uint32_t)(now_us - c->began_us);
    l->duplicate += !str_find(body, STR("\"duplicates\":0,"));
}

static void note_refused(struct load *l, const struct client *c, int status)
{
    l->refused++;
    l->rude += status != 503 || !str_find((struct str){c->in, c->got}, STR("Retry-After: 5\r\n"));
}

static void take_answer(struct load *l, struct client *c)
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
        note_taken(l, c, body, now);
    else
        note_refused(l, c, status);
    if (status != 200 && l->insists) {
        send_one(l, c, now);
        return;
    }
    l->settled++;
    send_next(l, c, now);
}

static void go_on_sending(struct load *l, struct client *c)
{
    enum progress p = client_write(c);

    if (p == CLIENT_BROKEN)
        die("send");
    if (p == CLIENT_WAITS)
        watch(l, c, EPOLL_CTL_MOD, EPOLLIN);
}

/* Returns the microseconds that it took. */
static int64_t run(struct load *l, int64_t seconds)
{
    struct epoll_event ready[512];
    int64_t began = clock_mono_us(), end = began + seconds * 1000000;

    for (size_t i = 0; i < l->n_clients; i++)
        send_next(l, &l->clients[i], clock_mono_us());
    while (l->settled < l->sent) {
        int n = epoll_wait(l->epoll, ready, ARRAY_LEN(ready), 15000);

        if (n <= 0) {
            errno = n ? errno : ETIMEDOUT;
            die("waiting for an answer");
        }
        for (int i = 0; i < n; i++)
            if (ready[i].events & EPOLLOUT)
                go_on_sending(l, ready[i].data.ptr);
            else
                take_answer(l, ready[i].data.ptr);
        if (clock_mono_us() > end)
            l->pool.n = l->sent; /* time is up: only what is under way */
    }
    return clock_mono_us() - began;
}

static int by_value(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static double milliseconds(const struct load *l, double quantile)
{
    return l->taken ? l->latency_us[(size_t)((double)(l->taken - 1) * quantile)] / 1000.0 : 0;
}

static void print(const struct load *l, const struct settings *s, int64_t took_us)
{
    struct rusage used;

    qsort(l->latency_us, l->taken, sizeof *l->latency_us, by_value);
    if (getrusage(RUSAGE_SELF, &used) != 0)
        die("getrusage");
    (void)printf("{\"requests\":%zu,\"events\":%" PRId64 ",\"seconds\":%.3f,\"rate\":%.0f,"
                 "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"refused\":%zu,"
                 "\"rude\":%zu,\"duplicates\":%zu}\n",
                 l->taken, (int64_t)l->taken * s->batch, (double)took_us / 1e6,
                 (double)l->taken * 1e6 / (double)took_us, milliseconds(l, 0.5),
                 milliseconds(l, 0.99), milliseconds(l, 1), l->refused, l->rude, l->duplicate);
}

int main(int argc, char *argv[])
{
    struct settings s = {.clients = 64, .requests = 60000, .batch = 1, .seconds = 20};
    struct load l = {0};

    read_arguments(argc, argv, &s);
    l.insists = s.insists;
    pool_make(&l.pool, &(struct pool_plan){.requests = (size_t)s.requests,
                                           .batch = (size_t)s.batch,
                                           .now_ms = clock_now_ms()});
    l.latency_us = mem_array(l.pool.n, sizeof *l.latency_us);
    connect_all(&l, &s);
    print(&l, &s, run(&l, s.seconds));
    for (size_t i = 0; i < l.n_clients; i++)
        client_close(&l.clients[i]);
    (void)close(l.epoll); /* nothing is watched any more */
    free(l.clients);
    free(l.carries);
    free(l.latency_us);
    pool_free(&l.pool);
    return 0;
}
