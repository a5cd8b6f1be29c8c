/* app/control.c - the control socket, both ends. */
#include "funneld/app/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon_priv.h"
#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "funneld/observe/log.h"
#include "scheduler.h"

enum { LINE_MAX_BYTES = 1 << 20, ASK_TIMEOUT_S = 10, SERVE_TIMEOUT_S = 1, BACKLOG = 16 };

static void closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* a socket; nothing of ours is lost */
}

static enum rc address(const char *path, struct sockaddr_un *ret, struct why *why)
{
    size_t len = strlen(path);

    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len >= sizeof ret->sun_path)
        return why_fail(RC_INVALID, why, "the control socket's path is over 107 bytes: %s", path);
    memcpy(ret->sun_path, path, len + 1);
    return RC_OK;
}

static void set_timeouts(int fd, int seconds)
{
    const struct timeval limit = {.tv_sec = seconds};

    /* Without them a call would only wait longer. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static enum rc send_line(int fd, struct str line, struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(LINE_MAX_BYTES);

    sbuf_add(&b, line);
    sbuf_char(&b, '\n');
    for (size_t sent = 0; sent < b.len;) {
        ssize_t n = send(fd, b.at + sent, b.len - sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return why_fail(RC_IO, why, "writing to the control socket: %s", strerror(errno));
        sent += (size_t)n;
    }
    return b.failed ? RC_TOOBIG : RC_OK;
}

/* The socket's time-out is for each piece; `seconds` is for the line, however it trickles in. */
static enum rc receive_line(int fd, int seconds, struct arena *a, struct str *ret, struct why *why)
{
    int64_t deadline = clock_mono_us() + seconds * INT64_C(1000000);

    struct sbuf b AUTO(sbuf_free) = SBUF(LINE_MAX_BYTES);
    char piece[4096];

    while (!b.len || b.at[b.len - 1] != '\n') {
        ssize_t n = recv(fd, piece, sizeof piece, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0 && clock_mono_us() >= deadline)
            return why_fail(RC_IO, why, "the line on the control socket came too slowly");
        if (n <= 0)
            return why_fail(n == 0 ? RC_IO : RC_TIMEOUT, why, "the control socket %s",
                            n == 0 ? "was closed without an answer" : "did not answer in time");
        sbuf_add(&b, (struct str){piece, (size_t)n});
        if (b.failed)
            return why_fail(RC_TOOBIG, why, "the line on the control socket is too long");
    }
    b.len--;
    return sbuf_seal(&b, a, ret);
}

static enum rc ask_within(struct str socket_path, struct str request, int seconds, struct arena *a,
                          struct str *ret, struct why *why)
{
    int fd AUTO(closep) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to;
    enum rc rc = address(arena_text(a, socket_path), &to, why);

    if (rc != RC_OK)
        return rc;
    if (fd < 0)
        return why_fail(RC_IO, why, "cannot make a socket: %s", strerror(errno));
    set_timeouts(fd, seconds);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return why_fail(RC_NONE, why, "no funneld is running at %s", to.sun_path);
        return why_fail(RC_DENIED, why, "cannot connect to %s: %s", to.sun_path, strerror(errno));
    }
    rc = send_line(fd, request, why);
    return rc == RC_OK ? receive_line(fd, seconds, a, ret, why) : rc;
}

enum rc control_ask(struct str socket_path, struct str request, struct arena *a, struct str *ret,
                    struct why *why)
{
    return ask_within(socket_path, request, ASK_TIMEOUT_S, a, ret, why);
}

enum rc control_request(struct str socket_path, struct str request, struct arena *a,
                        struct json_doc *ret, struct why *why)
{
    return control_request_within(socket_path, request, ASK_TIMEOUT_S, a, ret, why);
}

enum rc control_request_within(struct str socket_path, struct str request, int seconds,
                               struct arena *a, struct json_doc *ret, struct why *why)
{
    struct str answer = STR_NULL;
    enum rc rc = ask_within(socket_path, request, seconds, a, &answer, why);

    if (rc == RC_OK)
        rc = json_parse(answer, ret, why);
    if (rc != RC_OK)
        return rc;
    struct str error = json_string(json_get(ret->root, "error"));
    return error.at ? why_fail(RC_IO, why, "%.*s", STR_ARG(error)) : RC_OK;
}

enum rc control_listen(const char *path, int *ret_fd, struct why *why)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at;
    enum rc rc = address(path, &at, why);

    if (rc == RC_OK && fd < 0)
        rc = why_fail(RC_IO, why, "cannot make a socket: %s", strerror(errno));
    if (rc == RC_OK) {
        (void)unlink(path); /* a dead one's: we hold the database's lock */
        if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || chmod(path, 0600) != 0 ||
            listen(fd, BACKLOG) != 0)
            rc = why_fail(RC_IO, why, "cannot listen on the control socket %s: %s", path,
                          strerror(errno));
    }
    if (rc == RC_OK)
        *ret_fd = fd;
    else
        closep(&fd);
    return rc;
}

static void answer_error(struct sbuf *b, const char *text)
{
    json_open(b, '{');
    json_kv_text(b, "error", text);
    json_close(b, '}');
}

static void answer_status(struct daemon *d, struct sbuf *b)
{
    pthread_mutex_lock(&d->overview_lock);
    status_write(d->config, d->overview_reader, true, clock_now_ms(), b);
    pthread_mutex_unlock(&d->overview_lock);
}

static bool is_text_or_missing(const json *node)
{
    return json_type(node) == JSON_STRING || json_type(node) == JSON_NULL;
}

static bool number_or_missing(const json *node, int64_t *ret)
{
    return json_type(node) == JSON_NULL || json_int64(node, ret);
}

/* So many looked at at once hold up nobody who posts; who asked comes again for more. */
enum { RETRY_MOST = 20000 };

static enum rc read_filter(const json *request, struct arena *a, struct retry_filter *ret,
                           struct why *why)
{
    enum rc rc = control_ids_read(request, a, &ret->ids, &ret->n_ids, why);

    if (rc != RC_OK)
        return rc;
    if (!is_text_or_missing(json_get(request, "connector")) ||
        !is_text_or_missing(json_get(request, "route")) ||
        !is_text_or_missing(json_get(request, "reason")))
        return why_fail(RC_INVALID, why, "connector, route and reason are texts");
    if (!number_or_missing(json_get(request, "since"), &ret->since) ||
        !number_or_missing(json_get(request, "lead"), &ret->lead) ||
        !number_or_missing(json_get(request, "after"), &ret->after))
        return why_fail(RC_INVALID, why, "since, lead and after are numbers");
    ret->connector = arena_str(a, json_string(json_get(request, "connector")));
    ret->route = arena_str(a, json_string(json_get(request, "route")));
    ret->reason = arena_str(a, json_string(json_get(request, "reason")));
    ret->limit = RETRY_MOST;
    return RC_OK;
}

static void answer_retry(struct daemon *d, const json *request, struct sbuf *b)
{
    struct arena a AUTO(arena_free) = {0};
    struct retry_filter filter = {0};
    struct why why = {0};
    int64_t count = 0;
    enum rc rc = read_filter(request, &a, &filter, &why);

    if (rc == RC_OK)
        rc = daemon_command(d, COMMAND_RETRY, &filter, NULL, &count, &why);
    if (rc == RC_OK) {
        deliverer_probe(d->deliverer);
        json_open(b, '{');
        json_kv_int(b, "retried", count);
        json_key(b, "more");
        json_bool(b, filter.more);
        json_kv_int(b, "last", filter.last);
        json_close(b, '}');
    } else {
        answer_error(b, why.text);
    }
}

static void answer_pause(struct daemon *d, const json *request, bool paused, struct sbuf *b)
{
    struct why why = {0};

    if (daemon_pause(d, request, paused, &why) != RC_OK) {
        answer_error(b, why.text);
        return;
    }
    json_open(b, '{');
    json_key(b, "paused");
    json_bool(b, paused);
    json_close(b, '}');
}

/* What needs a file of its own. */
static const struct {
    const char *command;
    enum rc (*answer)(struct daemon *d, const json *request, struct sbuf *b, struct why *why);
} others[] = {
    {"replay", daemon_replay},
    {"import", daemon_import},
    {"model", daemon_model},
};

static bool answer_other(struct daemon *d, struct str command, const json *request, struct sbuf *b)
{
    struct why why = {0};

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (!str_is(command, others[i].command))
            continue;
        enum rc rc = others[i].answer(d, request, b, &why);
        if (rc != RC_OK)
            answer_error(b, why.text[0] ? why.text : rc_text(rc));
        return true;
    }
    return false;
}

static void write_report(const struct backup_report *r, struct sbuf *b)
{
    static const char *const states[] = {[BACKUP_NONE] = "none",
                                         [BACKUP_RUNNING] = "running",
                                         [BACKUP_DONE] = "done",
                                         [BACKUP_FAILED] = "failed"};

    json_open(b, '{');
    json_kv_text(b, "state", states[r->state]);
    json_kv(b, "file", r->file);
    json_kv_int(b, "bytes", r->bytes);
    json_kv(b, "reason", r->error);
    json_close(b, '}');
}

/* With a file: begins. Without: how the last one stands. */
static void answer_backup(struct daemon *d, const json *request, struct sbuf *b)
{
    struct str file = json_string(json_get(request, "file"));
    struct arena a AUTO(arena_free) = {0};
    struct backup_report report;
    struct why why = {0};

    if (file.at && file.at[0] != '/')
        answer_error(b, "the backup's file must be an absolute path");
    else if (file.at && scheduler_backup(d->scheduler, file, &why) != RC_OK)
        answer_error(b, why.text);
    else {
        scheduler_backup_report(d->scheduler, &a, &report);
        write_report(&report, b);
    }
}

static void answer(struct daemon *d, struct str line, struct sbuf *b)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct why why = {0};

    if (json_parse(line, &doc, &why) != RC_OK) {
        answer_error(b, why.text);
        return;
    }
    struct str command = json_string(json_get(doc.root, "command"));
    if (str_is(command, "status"))
        answer_status(d, b);
    else if (str_is(command, "retry"))
        answer_retry(d, doc.root, b);
    else if (str_is(command, "pause") || str_is(command, "resume"))
        answer_pause(d, doc.root, str_is(command, "pause"), b);
    else if (str_is(command, "backup"))
        answer_backup(d, doc.root, b);
    else if (!answer_other(d, command, doc.root, b))
        answer_error(b, "unknown command; this funneld knows status, retry, pause, resume, replay, "
                        "import, backup and model");
}

void control_serve(struct daemon *d)
{
    int fd AUTO(closep) = accept4(d->control_fd, NULL, NULL, SOCK_CLOEXEC);
    struct arena a AUTO(arena_free) = {0};
    struct sbuf b AUTO(sbuf_free) = SBUF(LINE_MAX_BYTES);
    struct why why = {0};
    struct str line = STR_NULL;

    if (fd < 0)
        return; /* the client has gone */
    set_timeouts(fd, SERVE_TIMEOUT_S);
    enum rc rc = receive_line(fd, SERVE_TIMEOUT_S, &a, &line, &why);
    if (rc == RC_OK) {
        answer(d, line, &b);
        rc = send_line(fd, sbuf_str(&b), &why);
    }
    if (rc != RC_OK)
        log_write(LOG_WARN, "control.failed", L_WHY(&why), L_END);
}
