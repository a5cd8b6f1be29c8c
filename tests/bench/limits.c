/* limits.c - what the machine and the libraries give when nothing but the bare work is done.
 *
 *     limits http [CERTIFICATE KEY]           libmicrohttpd answers every POST alike
 *     limits durable FILE [CERTIFICATE KEY]   the same after HMAC, JSON and SQLite's group commit
 *                                             of event and queue row
 *     limits loop FILE GROUP EVENTS           that without HTTP: HMAC, JSON, group commit
 *     limits send URL FILE COUNT CONNECTIONS  curl_multi posts the file's text over and over
 *
 * Servers run until SIGTERM. Poll mode, TLS priorities, pragmas and checkpoint size are those of
 * the daemon.
 */
#include "limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 10000000 };

void need(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "limits: %s failed\n", what);
    exit(1);
}

char *text_of_file(const char *path, size_t *ret_len)
{
    static const size_t max = 64 * 1024;
    char *text = mem_alloc(max);
    FILE *f = fopen(path, "re");

    need(f != NULL, path);
    *ret_len = fread(text, 1, max - 1, f);
    need(*ret_len > 0, path);
    need(fclose(f) == 0, path);
    return text;
}

void print_rate(size_t n, int64_t took_us)
{
    double seconds = (double)took_us / 1e6;

    (void)printf("{\"requests\":%zu,\"events\":%zu,\"seconds\":%.3f,\"rate\":%.0f}\n", n, n,
                 seconds, (double)n / seconds);
}

static bool count_of(const char *text, size_t *ret)
{
    int64_t n;

    if (!str_int64(str_of(text), &n) || n <= 0 || n > MOST)
        return false;
    *ret = (size_t)n;
    return true;
}

/* argv[0] is what is asked for. */
static bool run(int argc, char *argv[])
{
    bool http = !strcmp(argv[0], "http"), durable = !strcmp(argv[0], "durable");
    size_t first, second;

    if (http && (argc == 1 || argc == 3))
        bare_http(argc == 3 ? argv[1] : NULL, argc == 3 ? argv[2] : NULL);
    else if (durable && (argc == 2 || argc == 4))
        bare_durable(argv[1], argc == 4 ? argv[2] : NULL, argc == 4 ? argv[3] : NULL);
    else if (!strcmp(argv[0], "loop") && argc == 4 && count_of(argv[2], &first) &&
             count_of(argv[3], &second))
        bare_loop(argv[1], first, second);
    else if (!strcmp(argv[0], "send") && argc == 5 && count_of(argv[3], &first) &&
             count_of(argv[4], &second))
        bare_send(argv[1], argv[2], first, second);
    else
        return false;
    return true;
}

int main(int argc, char *argv[])
{
    if (argc >= 2 && run(argc - 1, argv + 1))
        return 0;
    (void)fputs("usage: limits http [CERTIFICATE KEY] | limits durable FILE [CERTIFICATE KEY] |\n"
                "       limits loop FILE GROUP EVENTS | limits send URL FILE COUNT CONNECTIONS\n",
                stderr);
    return 2;
}
