/* tests/unit/http_world.h - the real server in this process, a writer that does as it is told,
 * and raw sockets at the other end. */
#ifndef FUNNELD_TESTS_HTTP_WORLD_H
#define FUNNELD_TESTS_HTTP_WORLD_H

#include "cm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "funneld/app/config.h"
#include "funneld/base/clock.h"
#include "funneld/http/server.h"
#include "funneld/observe/health.h"
#include "funneld/observe/log.h"
#include "funneld/observe/metrics.h"

#define SECRET "X-Test-Secret: open\r\n"
#define HOST   "Host: hooks.example.com\r\n"

struct world {
    struct server *server;
    struct server_settings settings;
    struct admin_settings admin;
    struct source source;
    struct source_common source_settings;
    const struct config *config; /* whose routes and connectors are served; NULL: none */
    struct ref owner;            /* of the sites; must be back at 0 in the end */
    atomic_int owner_gone;
    /* The writer */
    pthread_t writer;
    struct mailbox *box;
    atomic_int refuse;  /* what submit answers, enum rc */
    atomic_int outcome; /* what a commit ends with, enum rc */
    atomic_bool hold;   /* commits nothing */
    atomic_bool stop;
    atomic_int committed;
    char first_body[64]; /* of the first event committed */
};

static struct world *the_world; /* for the callbacks that get no pointer of ours */

/* A source whose secret is "open" and whose body is [eee...], an event for each e. */
static enum refusal test_verify_head(const struct source *s, const struct raw_request *r,
                                     struct arena *a, struct why *why)
{
    size_t n, stale;

    (void)s;
    (void)a;
    (void)r->header(r->self, "x-test-secret", &n);
    (void)r->header(r->self, "x-test-stale", &stale);
    if (n != 1)
        (void)why_fail(RC_DENIED, why, "there is no secret");
    return n != 1 ? REFUSED_SIGNATURE : stale ? REFUSED_TIMESTAMP : REFUSED_NOT;
}

static enum refusal test_verify(const struct source *s, const struct raw_request *r,
                                struct arena *a, struct why *why)
{
    size_t n, stale;
    struct str secret = r->header(r->self, "x-test-secret", &n);

    (void)s;
    (void)a;
    (void)r->header(r->self, "x-test-stale", &stale);
    if (n != 1 || !str_is(secret, "open")) {
        (void)why_fail(RC_DENIED, why, "the secret does not match");
        return REFUSED_SIGNATURE;
    }
    return stale ? REFUSED_TIMESTAMP : REFUSED_NOT;
}

static enum refusal test_decode(const struct source *s, const struct raw_request *r,
                                struct arena *a, struct event **ret, size_t *ret_n, struct why *why)
{
    if (!str_starts(r->body, STR("[")) || !str_ends(r->body, STR("]"))) {
        (void)why_fail(RC_INVALID, why, "the body is no array");
        return REFUSED_JSON;
    }
    struct event *events = arena_array(a, r->body.len, sizeof(*events));
    size_t n = 0;
    for (size_t i = 0; i < r->body.len; i++)
        if (r->body.at[i] == 'e')
            events[n++] = (struct event){.source = s->name,
                                         .body = r->target,
                                         .request_id = r->request_id,
                                         .received_at = r->received_at};
    *ret = events;
    *ret_n = n;
    return REFUSED_NOT;
}

static const struct source_type test_type = {
    .name = "test",
    .verify_head = test_verify_head,
    .verify = test_verify,
    .decode = test_decode,
};

static enum rc test_submit(void *self, struct work *work)
{
    struct world *w = self;
    int refuse = atomic_load(&w->refuse);

    return refuse ? (enum rc)refuse : mailbox_put(w->box, &work->mail);
}

static void moment(void)
{
    const struct timespec ms = {.tv_nsec = 1000 * 1000};
    (void)nanosleep(&ms, NULL);
}

/* What a command would do is not done: a test says how it ends. */
static void end_command(struct world *w, struct work *work)
{
    work->rc = (enum rc)atomic_load(&w->outcome);
    atomic_fetch_add(&w->committed, 1);
    work->done(work);
}

static void commit_one(struct world *w, struct intake *in)
{
    while (atomic_load(&w->hold) && !atomic_load(&w->stop))
        moment();
    if (in->work.kind == WORK_COMMAND) {
        end_command(w, &in->work);
        return;
    }
    if (!w->first_body[0])
        (void)!snprintf(w->first_body, sizeof(w->first_body), "%.*s", STR_ARG(in->events[0].body));
    in->work.rc = (enum rc)atomic_load(&w->outcome);
    in->accepted = (uint32_t)in->n;
    in->duplicates = 2;
    in->unprocessable = 1;
    atomic_fetch_add(&w->committed, 1);
    in->work.done(&in->work);
}

static void *writer_main(void *self)
{
    struct world *w = self;

    for (;;) {
        struct mail *m = mailbox_take(w->box, 1000 * EVENT_WEIGHT, 20);
        if (!m && atomic_load(&w->stop))
            return NULL;
        while (m) {
            struct mail *next = m->next;
            commit_one(w, (struct intake *)m);
            m = next;
        }
    }
}

static void owner_gone(struct ref *ref)
{
    (void)ref;
    atomic_store(&the_world->owner_gone, 1);
}

static struct sites world_sites(struct world *w)
{
    return (struct sites){.server = &w->settings,
                          .admin = &w->admin,
                          .sources = &w->source,
                          .n_sources = 1,
                          .routes = w->config ? &w->config->routes : NULL,
                          .connectors = w->config ? w->config->connectors : NULL,
                          .n_connectors = w->config ? w->config->n_connectors : 0,
                          .owner = &w->owner};
}

static void world_init(struct world *w)
{
    *w = (struct world){
        .settings = {.listen = STR("127.0.0.1:0"),
                     .max_body = 64 * 1024,
                     .threads = 2,
                     .max_connections = 1024,
                     .idle_timeout_ms = 75000,
                     .header_timeout_ms = 10000,
                     .body_timeout_ms = 20000,
                     .shutdown_timeout_ms = 8000},
        .admin = {.listen = STR("127.0.0.1:0")},
        .source_settings = {.path = STR("/in")},
    };
    w->source =
        (struct source){.type = &test_type, .name = STR("crm"), .settings = &w->source_settings};
    w->box = mailbox_new((size_t)64 << 20);
    ref_init(&w->owner, owner_gone);
    the_world = w;
    unsetenv("PORT");
    atomic_store(&health.ready, true);
    atomic_store(&health.stopping, false);
    atomic_store(&health.writer_beat, clock_now_ms());
    atomic_store(&health.deliverer_beat, clock_now_ms());
    log_configure(&(struct log_settings){.level = LOG_ERROR});
}

static void world_start(struct world *w)
{
    struct why why = {0};
    const struct sites sites = world_sites(w);
    const struct http_ports ports = {.submit = test_submit, .self = w};
    enum rc rc = server_start(&sites, &ports, &w->server, &why);

    if (rc)
        fail_msg("server_start: %s", why.text);
    assert_int_equal(pthread_create(&w->writer, NULL, writer_main, w), 0);
}

static inline enum rc world_try_reload(struct world *w, struct why *why)
{
    const struct sites sites = world_sites(w);

    ref_take(&w->owner); /* taken over */
    enum rc rc = server_reload(w->server, &sites, why);
    if (rc)
        ref_drop(&w->owner);
    return rc;
}

static inline void world_reload(struct world *w)
{
    struct why why = {0};

    if (world_try_reload(w, &why))
        fail_msg("server_reload: %s", why.text);
}

static void world_end(struct world *w)
{
    server_stop(w->server);
    atomic_store(&w->stop, true);
    mailbox_wake(w->box);
    assert_int_equal(pthread_join(w->writer, NULL), 0);
    mailbox_free(w->box);
    assert_true(atomic_load(&w->owner_gone)); /* no request and no listener kept its sites */
}

static inline int world_setup(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));
    world_init(w);
    world_start(w);
    *state = w;
    return 0;
}

static inline int world_teardown(void **state)
{
    world_end(*state);
    free(*state);
    return 0;
}

/* --- the other end --- */

static int dial(uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* false: the other end is gone; why is seen when its answer is read. */
static bool say_bytes(int fd, const char *at, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static void say(int fd, const char *text)
{
    (void)say_bytes(fd, text, strlen(text));
}

struct heard {
    int status; /* 0: the connection ended without an answer */
    char text[16384];
    size_t len;
    size_t body_at;
};

static inline const char *body_of(const struct heard *h)
{
    return h->text + h->body_at;
}

static bool whole(struct heard *h)
{
    const char *end = strstr(h->text, "\r\n\r\n");
    const char *length = strcasestr(h->text, "\r\nContent-Length:");

    if (!end)
        return false;
    h->body_at = (size_t)(end + 4 - h->text);
    if (strncmp(h->text, "HTTP/1.1 100", 12) == 0)
        return true;
    return length && h->len - h->body_at >= strtoul(length + 17, NULL, 10);
}

static struct heard hear(int fd)
{
    struct heard h = {0};

    while (!whole(&h) && h.len + 1 < sizeof(h.text)) {
        ssize_t n = recv(fd, h.text + h.len, sizeof(h.text) - 1 - h.len, 0);
        if (n <= 0)
            break;
        h.len += (size_t)n;
    }
    if (h.len > 12)
        h.status = (int)strtol(h.text + 9, NULL, 10);
    return h;
}

/* Whether the other end closed, within the receive limit. */
static inline bool hear_end(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

static struct heard ask_at(uint16_t port, const char *text)
{
    int fd = dial(port);
    say(fd, text);
    struct heard h = hear(fd);
    close(fd);
    return h;
}

static inline struct heard ask(struct world *w, const char *text)
{
    return ask_at(server_port(w->server), text);
}

static inline bool has_header(const struct heard *h, const char *line)
{
    const char *at = strcasestr(h->text, line);
    return at && at < body_of(h) && at[strlen(line)] == '\r';
}

static inline double rejected(const char *reason)
{
    return metric_value(metric(METRIC_REQUESTS_REJECTED, STR("crm"), str_of(reason)));
}

static inline double answered(const char *code)
{
    return metric_value(metric(METRIC_REQUEST_SECONDS, STR("crm"), str_of(code)));
}

#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int tries = 0;                                                                             \
        for (; !(condition) && tries < 10000; tries++)                                             \
            moment();                                                                              \
        if (tries == 10000)                                                                        \
            fail_msg("never: %s", #condition);                                                     \
    } while (0)

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

#endif
