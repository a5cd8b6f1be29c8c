/* cli/health.c - asks the admin listener's /livez over a plain socket, 2 s at most. */
#include "cli_priv.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/base/url.h"

enum { LIMIT_MS = 2000, ANSWER_MAX = 16 * 1024 };

/* A connection, and until when it may take. */
struct probe {
    int fd;
    int64_t deadline_us;
};

static void probe_end(struct probe *p)
{
    if (p->fd >= 0)
        (void)close(p->fd); /* what was asked is answered or given up */
    p->fd = -1;
}

static enum rc wait_for(const struct probe *p, short events, struct why *why)
{
    struct pollfd fd = {.fd = p->fd, .events = events};

    for (;;) {
        int64_t left = (p->deadline_us - clock_mono_us()) / 1000;
        int n = left > 0 ? poll(&fd, 1, (int)left) : 0;

        if (n > 0)
            return RC_OK;
        if (n == 0)
            return why_fail(RC_TIMEOUT, why, "no answer within %d s", LIMIT_MS / 1000);
        if (errno != EINTR)
            return why_fail(RC_IO, why, "%s", strerror(errno));
    }
}

static enum rc connect_to(const struct addrinfo *to, struct probe *p, struct why *why)
{
    int error = 0;
    socklen_t len = sizeof error;

    p->fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
    if (p->fd < 0)
        return why_fail(RC_IO, why, "%s", strerror(errno));
    if (connect(p->fd, to->ai_addr, to->ai_addrlen) == 0)
        return RC_OK;
    if (errno != EINPROGRESS)
        return why_fail(RC_IO, why, "%s", strerror(errno));
    enum rc rc = wait_for(p, POLLOUT, why);
    if (rc == RC_OK && (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error))
        rc = why_fail(RC_IO, why, "%s", strerror(error ? error : errno));
    return rc;
}

static enum rc connect_host(const char *host, uint16_t port, struct probe *p, struct why *why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    struct arena a AUTO(arena_free) = {0};
    int bad = getaddrinfo(host, arena_printf(&a, "%u", port).at, &hints, &found);
    enum rc rc = RC_IO;

    if (bad)
        return why_fail(rc, why, "%s", gai_strerror(bad));
    for (const struct addrinfo *to = found; to && rc != RC_OK; to = to->ai_next) {
        probe_end(p);
        rc = connect_to(to, p, why);
    }
    freeaddrinfo(found);
    return rc;
}

/* "Any address" to listen on means loopback to connect to, in either family. */
static enum rc connect_listener(struct str listen, struct probe *p, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct str host;
    uint16_t port;
    enum rc rc = host_port_parse(listen, &host, &port, why);

    if (rc != RC_OK)
        return rc;
    if (str_is(host, "0.0.0.0"))
        host = STR("127.0.0.1");
    if (host.len && !str_is(host, "::"))
        return connect_host(arena_text(&a, host), port, p, why);
    rc = connect_host("::1", port, p, why);
    return rc == RC_OK ? rc : connect_host("127.0.0.1", port, p, why);
}

static enum rc send_request(const struct probe *p, const struct admin_settings *admin,
                            struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);

    sbuf_printf(&b, "GET /livez HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n",
                STR_ARG(admin->listen));
    if (admin->token.len)
        sbuf_printf(&b, "Authorization: Bearer %.*s\r\n", STR_ARG(admin->token));
    sbuf_text(&b, "\r\n");
    for (size_t sent = 0; sent < b.len;) {
        enum rc rc = wait_for(p, POLLOUT, why);

        if (rc != RC_OK)
            return rc;
        ssize_t n = send(p->fd, b.at + sent, b.len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return why_fail(RC_IO, why, "%s", strerror(errno));
        sent += n > 0 ? (size_t)n : 0;
    }
    return RC_OK;
}

static enum rc receive_answer(const struct probe *p, struct sbuf *b, struct why *why)
{
    char piece[2048];

    while (!b->failed) {
        enum rc rc = wait_for(p, POLLIN, why);

        if (rc != RC_OK)
            return rc;
        ssize_t n = recv(p->fd, piece, sizeof piece, 0);
        if (n == 0)
            return RC_OK;
        if (n > 0)
            sbuf_add(b, (struct str){piece, (size_t)n});
        else if (errno != EAGAIN && errno != EINTR)
            return why_fail(RC_IO, why, "%s", strerror(errno));
    }
    return why_fail(RC_TOOBIG, why, "the answer is too long to be funneld's");
}

/* "HTTP/1.1 200 OK" */
static enum rc judge(struct str answer, struct why *why)
{
    const size_t version = sizeof "HTTP/1.1 " - 1;
    struct str line;
    int64_t status;

    if (!str_split(&answer, '\n', &line) || !str_starts(line, STR("HTTP/1.")) ||
        line.len < version + 3 || !str_int64((struct str){line.at + version, 3}, &status))
        return why_fail(RC_INVALID, why, "the answer is not HTTP");
    if (status != 200)
        return why_fail(RC_INVALID, why, "it answered %.*s",
                        STR_ARG(str_trim(str_from(line, version))));
    return RC_OK;
}

int cli_health(struct cli *cli)
{
    struct probe p AUTO(probe_end) = {-1, clock_mono_us() + LIMIT_MS * INT64_C(1000)};
    struct sbuf answer AUTO(sbuf_free) = SBUF(ANSWER_MAX);
    struct why why = {0};
    int status = cli_load(cli);

    if (status != DONE)
        return status;
    const struct admin_settings *admin = &cli->config->admin;
    enum rc rc = connect_listener(admin->listen, &p, &why);
    if (rc == RC_OK)
        rc = send_request(&p, admin, &why);
    if (rc == RC_OK)
        rc = receive_answer(&p, &answer, &why);
    if (rc == RC_OK)
        rc = judge(sbuf_str(&answer), &why);
    if (rc != RC_OK)
        return cli_fail(cli, "%.*s/livez: %s", STR_ARG(admin->listen), why.text);
    sbuf_text(&cli->out, "alive\n");
    return DONE;
}
