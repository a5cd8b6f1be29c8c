/* load.c - posts signed webhooks over kept connections and says how fast they were taken.
 *
 *     load --port N [--tls CERTIFICATE] [--clients 64] [--requests 60000] [--batch 1]
 *          [--contacts 100000] [--seconds 20] [--rate N] [--insist] [--path PATH]
 *
 * One thread, at 127.0.0.1 only. As fast as answers come, for --seconds at most; with --rate, that
 * many a second however late answers are. With --insist what is refused is sent again at once,
 * until it is taken. Signing and connecting come before the clock starts. --path is another
 * server's. Prints one JSON object; latencies are of what was taken.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "drive.h"
#include "funneld/base/clock.h"

struct settings {
    int64_t port, clients, requests, batch, contacts, seconds, rate;
    const char *certificate, *path;
    bool insists;
};

static void usage(void)
{
    (void)fputs("usage: load --port N [--tls CERTIFICATE] [--clients N] [--requests N]"
                " [--batch N] [--contacts N] [--seconds N] [--rate N] [--insist]"
                " [--path PATH]\n",
                stderr);
    exit(2);
}

static void read_arguments(int argc, char *argv[], struct settings *s)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"tls", required_argument, NULL, 't'},
        {"clients", required_argument, NULL, 'c'},
        {"requests", required_argument, NULL, 'r'},
        {"batch", required_argument, NULL, 'b'},
        {"seconds", required_argument, NULL, 's'},
        {"rate", required_argument, NULL, 'a'},
        {"path", required_argument, NULL, 'u'},
        {"insist", no_argument, NULL, 'i'},
        {"contacts", required_argument, NULL, 'n'},
        {NULL, 0, NULL, 0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int64_t *number = letter == 'p'   ? &s->port
                          : letter == 'c' ? &s->clients
                          : letter == 'r' ? &s->requests
                          : letter == 'b' ? &s->batch
                          : letter == 'n' ? &s->contacts
                          : letter == 's' ? &s->seconds
                          : letter == 'a' ? &s->rate
                                          : NULL;
        if (letter == 't')
            s->certificate = optarg;
        else if (letter == 'u')
            s->path = optarg;
        else if (letter == 'i')
            s->insists = true;
        else if (!number || !str_int64(str_of(optarg), number) || *number <= 0)
            usage();
    }
    if (optind < argc || !s->port || s->port > UINT16_MAX || s->clients > s->requests ||
        s->requests * s->batch > 10000000 || s->contacts > 10000000)
        usage();
}

static int by_value(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static double milliseconds(const struct drive *d, double quantile)
{
    return d->taken ? d->took_us[(size_t)((double)(d->taken - 1) * quantile)] / 1000.0 : 0;
}

static void print(struct drive *d, const struct settings *s, int64_t took_us)
{
    qsort(d->took_us, d->taken, sizeof *d->took_us, by_value);
    (void)printf("{\"requests\":%zu,\"events\":%" PRId64 ",\"seconds\":%.3f,\"rate\":%.0f,"
                 "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f,"
                 "\"refused\":%zu,\"rude\":%zu,\"duplicates\":%zu,\"body_bytes\":%zu}\n",
                 d->taken, (int64_t)d->taken * s->batch, (double)took_us / 1e6,
                 (double)d->taken * 1e6 / (double)took_us, milliseconds(d, 0.5),
                 milliseconds(d, 0.99), milliseconds(d, 0.999), milliseconds(d, 1), d->refused,
                 d->rude, s->path ? 0 : d->duplicate, d->pool->body_bytes);
}

int main(int argc, char *argv[])
{
    struct settings s = {.clients = 64, .requests = 60000, .batch = 1, .seconds = 20};
    struct pool pool;
    struct drive d;

    read_arguments(argc, argv, &s);
    pool_make(&pool, &(struct pool_plan){.requests = (size_t)s.requests,
                                         .batch = (size_t)s.batch,
                                         .contacts = (uint32_t)s.contacts,
                                         .now_ms = clock_now_ms(),
                                         .path = s.path});
    drive_connect(&d, &pool, (uint16_t)s.port, (size_t)s.clients, s.certificate);
    d.insists = s.insists;
    print(&d, &s, s.rate ? drive_at_rate(&d, s.rate) : drive_as_answered(&d, s.seconds * 1000000));
    drive_end(&d);
    pool_free(&pool);
    return 0;
}
