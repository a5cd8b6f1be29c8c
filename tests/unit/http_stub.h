/* tests/unit/http_stub.h - a small HTTP server in this process that also misbehaves. */
#ifndef FUNNELD_TESTS_HTTP_STUB_H
#define FUNNELD_TESTS_HTTP_STUB_H

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The server: one thread per connection; what it does stands in the request's path. */
enum { REQUEST_MAX = 64 * 1024, BIG = 5 << 20 };

static uint16_t server_port;
static atomic_int connections, requests;

struct seen {
    char bytes[REQUEST_MAX + 1];
    size_t len, head;
};

/* Reads one request, headers and body; false at the end of the connection. */
static bool read_request(int fd, struct seen *s)
{
    size_t body = 0;

    s->len = s->head = 0;
    while (!s->head || s->len < s->head + body) {
        ssize_t n = read(fd, s->bytes + s->len, REQUEST_MAX - s->len);

        if (n <= 0)
            return false;
        s->len += (size_t)n;
        s->bytes[s->len] = '\0';
        char *end = strstr(s->bytes, "\r\n\r\n");
        if (end && !s->head) {
            char *length = strcasestr(s->bytes, "\r\nContent-Length:");

            s->head = (size_t)(end - s->bytes) + 4;
            if (length && length < end)
                body = strtoul(length + 17, NULL, 10);
        }
    }
    return true;
}

static void send_all(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        bytes += sent;
        n -= (size_t)sent;
    }
}

static void answer(int fd, int status, const char *header, const char *body, size_t n)
{
    char head[512];
    int len = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n", status,
                       header, n);

    assert_in_range(len, 1, sizeof head - 1);
    send_all(fd, head, (size_t)len);
    send_all(fd, body, n);
}

static bool path_is(const struct seen *s, const char *path)
{
    const char *at = strchr(s->bytes, ' ');

    return at && strncmp(at + 1, path, strlen(path)) == 0;
}

/* "/retry/429/VALUE": %20 in it stands for a blank. */
static void answer_retry(int fd, const struct seen *s)
{
    char value[64] = "", header[128];
    const char *at = strchr(s->bytes, ' ') + 1;
    int status = (int)strtol(at + 7, NULL, 10);
    size_t n = 0;

    for (at += 11; *at != ' ' && n < sizeof value - 1; at++)
        if (at[0] == '%') {
            value[n++] = ' ';
            at += 2;
        } else {
            value[n++] = *at;
        }
    assert_in_range(snprintf(header, sizeof header, "Retry-After: %s\r\n", value), 1, 127);
    answer(fd, status, header, "", 0);
}

static void answer_limits(int fd)
{
    char head[2048];
    int len = snprintf(head, sizeof head,
                       "HTTP/1.1 200 X\r\nX-Limit-Left: 7\r\nx-limit-left: 8\r\nX-Empty:\r\n"
                       "X-Long: %01500d\r\nContent-Length: 0\r\n\r\n",
                       7);

    assert_in_range(len, 1500, sizeof head - 1);
    send_all(fd, head, (size_t)len);
}

/* false: the connection ends. */
static bool serve_one(int fd, struct seen *s, int nth)
{
    if (path_is(s, "/echo"))
        answer(fd, 200, "", s->bytes, s->len);
    else if (path_is(s, "/dies-when-kept") && nth > 1)
        return false;
    else if (path_is(s, "/retry/"))
        answer_retry(fd, s);
    else if (path_is(s, "/limits"))
        answer_limits(fd);
    else if (path_is(s, "/redirect"))
        answer(fd, 302, "Location: /echo\r\n", "", 0);
    else if (path_is(s, "/status/"))
        answer(fd, (int)strtol(strchr(s->bytes, ' ') + 9, NULL, 10), "", "", 0);
    else if (path_is(s, "/folded"))
        send_all(fd, "HTTP/1.1 200 OK\r\n folded: x\r\nContent-Length: 0\r\n\r\n", 50);
    else if (path_is(s, "/cut"))
        send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 43);
    else if (path_is(s, "/big")) {
        char *big = calloc(1, BIG);
        answer(fd, 200, "", big, BIG);
        free(big);
    } else if (path_is(s, "/reset")) {
        struct linger hard = {1, 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        return false;
    } else if (path_is(s, "/silent")) {
        char c;
        while (read(fd, &c, 1) > 0)
            ;
        return false;
    } else
        answer(fd, 200, "", "ok", 2);
    return !path_is(s, "/cut");
}

static void *serve_connection(void *arg)
{
    int fd = (int)(intptr_t)arg;
    struct seen *s = malloc(sizeof *s);

    for (int nth = 1; read_request(fd, s); nth++) {
        atomic_fetch_add(&requests, 1);
        if (!serve_one(fd, s, nth))
            break;
    }
    free(s);
    close(fd);
    return NULL;
}

static void *accept_all(void *arg)
{
    int listener = (int)(intptr_t)arg;

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;

        if (fd < 0)
            return NULL;
        atomic_fetch_add(&connections, 1);
        if (pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
}

static int bound_socket(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static int server_start(void **state)
{
    int listener = bound_socket(&server_port);
    pthread_t thread;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    if (listen(listener, SOMAXCONN) != 0) /* a full queue may reset what comes */
        return -1;
    if (pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener) != 0)
        return -1;
    return pthread_detach(thread);
}

#endif
