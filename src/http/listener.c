/* listener.c - one libmicrohttpd daemon: its options, its callbacks, its end. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"
#include "server_priv.h"
#include "tls_priv.h"

enum { HEADERS_MAX = 16 * 1024 };

/* libmicrohttpd's last words while this thread starts it; its own threads log as ever. */
static _Thread_local struct why *starting;

/* No descriptor is left for a connection. A pool thread that has none yet tries again at once,
 * without end: it may as well rest, since nobody waits for it. */
static void heed_limit(struct str line)
{
    const struct timespec rest = {.tv_nsec = 500 * 1000 * 1000};

    log_write(LOG_WARN, "http.limit", L_STR("reason", line), L_END);
    if (str_find(line, STR("FIRST connection")))
        (void)nanosleep(&rest, NULL); /* shorter is fine */
}

static void log_line(void *cls, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
static void log_line(void *cls, const char *fmt, va_list args)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(512);

    (void)cls;
    sbuf_vprintf(&b, fmt, args);
    struct str line = str_trim(sbuf_str(&b));
    if (starting)
        (void)why_fail(RC_IO, starting, "%.*s", STR_ARG(line)); /* only the text */
    else if (str_starts(line, STR("Hit process or system resource limit")))
        heed_limit(line);
    else
        log_write(LOG_DEBUG, "http.library", L_STR("reason", line), L_END);
}

static void panic(void *cls, const char *file, unsigned line, const char *reason)
{
    (void)cls;
    log_write(LOG_ERROR, "http.panic", L_TEXT("reason", reason), L_TEXT("file", file),
              L_INT("line", line), L_END);
    abort();
}

static void forget_unseen(struct conn *c)
{
    if (c->unseen)
        request_release(c->unseen);
    c->unseen = NULL;
}

static void notify_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                              enum MHD_ConnectionNotificationCode what)
{
    struct listener *l = cls;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        forget_unseen(*socket_context);
        conn_close(&l->conns, *socket_context, clock_mono_us());
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *socket_context = conn_open(&l->conns, info->connect_fd, clock_mono_us());
}

/* Called once for each request, before its headers are read. */
static void *begin(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct request *r = request_new(cls, connection, target);

    forget_unseen(r->conn);
    r->conn->unseen = r;
    return r;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request)
{
    (void)cls;
    (void)connection;
    (void)url; /* routing goes by the target as it was sent */
    ((struct request *)*request)->conn->unseen = NULL;
    return request_step(*request, method, version, data, size);
}

static void completed(void *cls, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code)
{
    struct listener *l = cls;
    struct request *r = *request;

    (void)connection;
    (void)code;
    if (!r)
        return;
    if (r->conn->unseen == r)
        r->conn->unseen = NULL;
    conn_enter(&l->conns, r->conn, PHASE_IDLE, clock_mono_us());
    request_release(r);
    *request = NULL;
}

/* Targets and arguments stay as they were sent. */
static size_t unescape(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static unsigned flags(const struct listener_options *o)
{
    /* Not the epoll flavour: with 128 connections ready at once it stops answering. */
    return MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME |
           MHD_USE_ERROR_LOG | (o->tls ? MHD_USE_TLS : 0u);
}

static struct MHD_Daemon *start(struct listener *l, const struct listener_options *o, int fd)
{
    /* A pool of one is no pool. */
    unsigned pool = o->threads > 1 ? (unsigned)o->threads : 0;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (char[]){TLS_PRIORITIES}},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_callback()},
        {MHD_OPTION_END, 0, NULL},
    };

    /* The logger first, so that it hears of the others. */
    /* clang-format off */
    return MHD_start_daemon(flags(o), 0, NULL, NULL, handle, l,
                            MHD_OPTION_EXTERNAL_LOGGER, log_line, l,
                            MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_THREAD_POOL_SIZE, pool,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->max_connections,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)o->max_per_address,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
                            MHD_OPTION_CONNECTION_TIMEOUT, 0u, /* only idle: see deadlines.c */
                            MHD_OPTION_STRICT_FOR_CLIENT, 1,
                            MHD_OPTION_UNESCAPE_CALLBACK, unescape, l,
                            MHD_OPTION_URI_LOG_CALLBACK, begin, l,
                            MHD_OPTION_NOTIFY_COMPLETED, completed, l,
                            MHD_OPTION_NOTIFY_CONNECTION, notify_connection, l,
                            MHD_OPTION_ARRAY, o->tls ? tls : &tls[ARRAY_LEN(tls) - 1],
                            MHD_OPTION_END);
    /* clang-format on */
}

enum rc listener_start(struct listener *l, const struct listener_options *o, struct why *why)
{
    struct why words = {0};
    int fd;
    enum rc rc = socket_listen(o->address, o->port, &fd, &l->port, why);

    if (rc)
        return rc;
    MHD_set_panic_func(panic, NULL);
    l->quiet_fd = -1;
    starting = &words;
    l->daemon = start(l, o, fd); /* takes the socket, also when it fails */
    starting = NULL;
    if (!l->daemon)
        return why_fail(RC_IO, why, "cannot serve on %.*s: %s", STR_ARG(o->address), words.text);
    return RC_OK;
}

void listener_limits(struct listener *l, const struct server_settings *s)
{
    const int64_t ms[PHASE_COUNT] = {
        [PHASE_OPEN] = s->header_timeout_ms, [PHASE_HEADERS] = s->header_timeout_ms,
        [PHASE_BODY] = s->body_timeout_ms,   [PHASE_ANSWER] = s->body_timeout_ms,
        [PHASE_IDLE] = s->idle_timeout_ms,
    };

    for (size_t i = 0; i < PHASE_COUNT; i++)
        atomic_store(&l->conns.limit_us[i], ms[i] * 1000);
}

/* The socket stays open until the end: a pool thread may be about to accept on its number. */
void listener_quiet(struct listener *l)
{
    if (!l->daemon || l->quiet_fd >= 0)
        return;
    l->quiet_fd = MHD_quiesce_daemon(l->daemon);
    if (l->quiet_fd >= 0)
        (void)shutdown(l->quiet_fd, SHUT_RDWR); /* refuses new ones; else they just wait */
}

void listener_stop(struct listener *l)
{
    if (!l->daemon)
        return;
    MHD_stop_daemon(l->daemon);
    l->daemon = NULL;
    if (l->quiet_fd >= 0)
        (void)close(l->quiet_fd);
    assert(!atomic_load(&l->conns.n));
}

const char *http_library(void)
{
    return MHD_get_version();
}
