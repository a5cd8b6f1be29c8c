/* sink.c - a service that says "ok" at once, as Slack's incoming webhooks do, and counts.
 *
 *     sink            prints the port that it listens at on 127.0.0.1; until SIGTERM
 *
 * POST anything: counted. GET /count: how many since the last GET /reset, and when (monotonic
 * microseconds) the first and the last came. GET /body: the last body. One thread, epoll.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/base/sbuf.h"

enum { REQUEST_MAX = 64 * 1024, BACKLOG = 512 };

struct peer {
    int fd;
    struct sbuf in;
};

struct sink {
    int epoll, listener;
    int64_t posts, first_us, last_us;
    struct sbuf body, out;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "sink: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void answer(struct sink *s, const struct peer *p, struct str body)
{
    sbuf_reset(&s->out);
    sbuf_printf(&s->out,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n\r\n%.*s",
                body.len, STR_ARG(body));
    /* An answer is far smaller than a socket's buffer: it goes out whole or the peer is gone. */
    (void)!send(p->fd, s->out.at, s->out.len, MSG_NOSIGNAL);
}

static void count(struct sink *s, struct str body)
{
    s->last_us = clock_mono_us();
    if (!s->posts++)
        s->first_us = s->last_us;
    sbuf_reset(&s->body);
    sbuf_add(&s->body, body);
}

static void obey(struct sink *s, const struct peer *p, struct str head, struct str body)
{
    char text[128];

    if (str_starts(head, STR("POST "))) {
        count(s, body);
        answer(s, p, STR("ok"));
        return;
    }
    if (str_starts(head, STR("GET /reset ")))
        s->posts = s->first_us = s->last_us = 0;
    if (str_starts(head, STR("GET /body "))) {
        answer(s, p, sbuf_str(&s->body));
        return;
    }
    int n = snprintf(text, sizeof text,
                     "{\"posts\":%" PRId64 ",\"first_us\":%" PRId64 ",\"last_us\":%" PRId64 "}",
                     s->posts, s->first_us, s->last_us);
    answer(s, p, (struct str){text, n > 0 && n < (int)sizeof text ? (size_t)n : 0});
}

static size_t content_length(struct str head)
{
    static const struct str name = {"content-length:", 15};
    struct str line;
    int64_t n = 0;

    while (str_split(&head, '\n', &line))
        if (line.len > name.len && str_ieq((struct str){line.at, name.len}, name))
            (void)str_int64(str_trim(str_from(line, name.len)), &n); /* else 0 */
    return n > 0 && n < REQUEST_MAX ? (size_t)n : 0;
}

/* Whatever is whole of what a peer sent. */
static void take_requests(struct sink *s, struct peer *p)
{
    struct str all = sbuf_str(&p->in);
    const char *end;

    while (all.len && (end = str_find(all, STR("\r\n\r\n")))) {
        struct str head = {all.at, (size_t)(end - all.at) + 4};
        size_t len = content_length(head);

        if (all.len < head.len + len)
            break;
        obey(s, p, head, (struct str){all.at + head.len, len});
        all = str_from(all, head.len + len);
    }
    if (all.len)
        memmove(p->in.at, all.at, all.len);
    p->in.len = all.len;
}

static void hear(struct sink *s, struct peer *p)
{
    char piece[16 * 1024];
    ssize_t n = recv(p->fd, piece, sizeof piece, 0);

    if (n > 0) {
        sbuf_add(&p->in, (struct str){piece, (size_t)n});
        if (!p->in.failed) {
            take_requests(s, p);
            return;
        }
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    (void)close(p->fd); /* takes it out of the epoll set, too */
    sbuf_free(&p->in);
    free(p);
}

static void watch(struct sink *s, int fd, void *what)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = what};

    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
}

static void welcome(struct sink *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;

    if (fd < 0)
        return; /* it has gone again */
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        die("setsockopt");
    struct peer *p = mem_alloc(sizeof *p);
    *p = (struct peer){.fd = fd, .in.max = REQUEST_MAX};
    watch(s, fd, p);
}

static void listen_somewhere(struct sink *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->epoll < 0 || s->listener < 0 ||
        bind(s->listener, (const struct sockaddr *)&at, sizeof at) != 0 ||
        listen(s->listener, BACKLOG) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&at, &len) != 0)
        die("listening");
    watch(s, s->listener, NULL);
    if (printf("listening on %u\n", ntohs(at.sin_port)) < 0 || fflush(stdout) != 0)
        die("printing");
}

int main(void)
{
    struct sink s = {.body.max = REQUEST_MAX, .out.max = 2 * REQUEST_MAX};
    struct epoll_event ready[256];

    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
        die("prctl");
    listen_somewhere(&s);
    for (;;) {
        int n = epoll_wait(s.epoll, ready, ARRAY_LEN(ready), -1);

        for (int i = 0; i < n; i++)
            if (ready[i].data.ptr)
                hear(&s, ready[i].data.ptr);
            else
                welcome(&s);
    }
}
