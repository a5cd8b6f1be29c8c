/* answer.c - what we answer, in one table; writes, counts and logs it. */
#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "funneld/observe/log.h"
#include "server_priv.h"

#define NOT_COUNTED REJECTED_COUNT

static const struct {
    int status;
    enum rejected rejected;
    const char *reason; /* for the log, where none is counted */
    const char *title, *detail;
} replies[REPLY_COUNT] = {
    [REPLY_ACCEPTED] = {200, NOT_COUNTED, "", "", ""},
    [REPLY_CONTENT] = {0, NOT_COUNTED, "", "", ""}, /* status and body are the page's own */
    [REPLY_MALFORMED] = {400, NOT_COUNTED, "malformed", "Bad Request", "The request is malformed."},
    [REPLY_FRAMING] = {400, REJECTED_LENGTH, "", "Bad Request",
                       "Where the request ends is ambiguous."},
    [REPLY_SIGNATURE] = {401, REJECTED_SIGNATURE, "", "Unauthorized",
                         "The signature or secret is missing, wrong, or was sent twice."},
    [REPLY_TIMESTAMP] = {401, REJECTED_TIMESTAMP, "", "Unauthorized",
                         "The request's timestamp is more than 5 minutes away from now."},
    [REPLY_JSON] = {400, REJECTED_JSON, "", "Bad Request",
                    "The body is not the JSON that this source sends."},
    [REPLY_TOKEN] = {401, NOT_COUNTED, "token", "Unauthorized",
                     "Send the admin token: Authorization: Bearer TOKEN."},
    [REPLY_HOOKS_TOKEN] = {401, NOT_COUNTED, "token", "Unauthorized",
                           "Send the hooks token: Authorization: Bearer TOKEN, or X-Api-Key: "
                           "TOKEN."},
    [REPLY_HOOK] = {400, NOT_COUNTED, "hook", "Bad Request", ""},
    [REPLY_FULL] = {409, NOT_COUNTED, "full", "Conflict",
                    "There are as many subscriptions as the connector's max_subscriptions allows."},
    [REPLY_NOT_FOUND] = {404, NOT_COUNTED, "path", "Not Found", "There is nothing at this path."},
    [REPLY_METHOD] = {405, REJECTED_METHOD, "", "Method Not Allowed",
                      "This path does not take this method; see Allow."},
    [REPLY_LENGTH] = {411, REJECTED_LENGTH, "", "Length Required",
                      "Send Content-Length, or Transfer-Encoding: chunked."},
    [REPLY_TOO_LARGE] = {413, REJECTED_TOO_LARGE, "", "Content Too Large",
                         "The body is larger than [server] max_body."},
    [REPLY_MEDIA_TYPE] = {415, REJECTED_MEDIA_TYPE, "", "Unsupported Media Type",
                          "Send application/json (or a form, where the source takes one) without a "
                          "Content-Encoding."},
    [REPLY_OVERLOAD] = {503, REJECTED_OVERLOAD, "", "Service Unavailable",
                        "There is more to store than can be stored at the moment; try again."},
    [REPLY_DISK] = {503, REJECTED_DISK, "", "Service Unavailable",
                    "Events cannot be stored at the moment; try again."},
    [REPLY_SHUTDOWN] = {503, REJECTED_SHUTDOWN, "", "Service Unavailable",
                        "The service is stopping; try again."},
    [REPLY_DEADLINE] = {503, REJECTED_OVERLOAD, "", "Service Unavailable",
                        "Storing took too long; try again."},
};

enum reply reply_of_rc(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return REPLY_ACCEPTED;
    case RC_BUSY:
        return REPLY_OVERLOAD;
    case RC_CLOSED:
        return REPLY_SHUTDOWN;
    default:
        return REPLY_DISK;
    }
}

enum reply reply_of_refusal(enum refusal refusal)
{
    static const enum reply of[] = {
        [REFUSED_NOT] = REPLY_NONE,
        [REFUSED_SIGNATURE] = REPLY_SIGNATURE,
        [REFUSED_TIMESTAMP] = REPLY_TIMESTAMP,
        [REFUSED_JSON] = REPLY_JSON,
        [REFUSED_MEDIA_TYPE] = REPLY_MEDIA_TYPE,
        [REFUSED_TOO_LARGE] = REPLY_TOO_LARGE,
    };
    return of[refusal];
}

void answer_content(struct request *r, int status, const char *media_type)
{
    r->reply = REPLY_CONTENT;
    r->status = status;
    r->media_type = media_type;
}

static int status_of(const struct request *r)
{
    return r->reply == REPLY_CONTENT ? r->status : replies[r->reply].status;
}

static void write_accepted(const struct request *r, struct sbuf *b)
{
    json_open(b, '{');
    json_kv_int(b, "accepted", r->intake.accepted);
    json_kv_int(b, "duplicates", r->intake.duplicates);
    json_kv_int(b, "unprocessable", r->intake.unprocessable);
    json_kv_text(b, "request_id", r->id);
    json_close(b, '}');
}

/* RFC 9457 */
static void write_problem(const struct request *r, struct sbuf *b)
{
    struct str own = str_of(replies[r->reply].detail);

    json_open(b, '{');
    json_kv_text(b, "type", "about:blank");
    json_kv_text(b, "title", replies[r->reply].title);
    json_kv_int(b, "status", replies[r->reply].status);
    json_kv(b, "detail", r->detail.len ? r->detail : own);
    json_kv_text(b, "request_id", r->id);
    json_close(b, '}');
}

static bool is_silent(const struct request *r)
{
    return r->reply == REPLY_ACCEPTED && r->site && r->site->source->type->silent;
}

static void write_body(struct request *r)
{
    if (r->reply == REPLY_CONTENT || is_silent(r))
        return;
    r->media_type = r->reply == REPLY_ACCEPTED ? "application/json" : "application/problem+json";
    if (r->reply == REPLY_ACCEPTED)
        write_accepted(r, &r->content);
    else
        write_problem(r, &r->content);
}

static bool wants_token(const struct request *r)
{
    return r->reply == REPLY_TOKEN || r->reply == REPLY_HOOKS_TOKEN;
}

static bool add_headers(struct MHD_Response *response, const struct request *r)
{
    int status = status_of(r);
    const struct {
        const char *name, *value; /* value NULL: not sent */
    } headers[] = {
        {"Content-Type", r->media_type},
        {"X-Request-Id", r->id},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Retry-After", status == 503 ? "5" : NULL},
        {"Allow", status == 405 ? r->allow : NULL},
        {"WWW-Authenticate", wants_token(r) ? "Bearer realm=\"funneld\"" : NULL},
        /* RFC 9110 wants a challenge on every 401; what senders prove is no registered scheme. */
        {"WWW-Authenticate", status == 401 && !wants_token(r) ? "Signature" : NULL},
        {"Connection", r->closes ? "close" : NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        if (headers[i].value &&
            MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES)
            return false;
    return true;
}

/* The connection ends without an answer where there is no memory for one. */
static enum MHD_Result send_it(struct request *r)
{
    if (r->content.failed)
        return MHD_NO;
    struct str body = sbuf_str(&r->content);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, r->content.at, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    enum MHD_Result sent = MHD_NO;
    if (add_headers(response, r))
        sent = MHD_queue_response(r->connection, (unsigned)status_of(r), response);
    MHD_destroy_response(response);
    return sent;
}

static void count(const struct request *r, int64_t now_us)
{
    enum rejected rejected = replies[r->reply].rejected;

    if (!r->site)
        return;
    struct series *seconds = site_seconds(r->site, status_of(r));
    if (seconds)
        metric_observe(seconds, (double)(now_us - r->started_us) / 1e6);
    if (r->reply != REPLY_ACCEPTED && rejected != NOT_COUNTED)
        metric_add(r->site->rejected[rejected], 1);
}

static void write_client(const struct request *r, char ret[INET6_ADDRSTRLEN])
{
    struct in6_addr a = request_client(r);
    address_text(&a, ret);
}

static struct str source_name(const struct request *r)
{
    return r->site ? r->site->source->name : STR("-");
}

static void note_rejected(const struct request *r)
{
    enum rejected rejected = replies[r->reply].rejected;
    const char *reason =
        rejected == NOT_COUNTED ? replies[r->reply].reason : rejected_label(rejected);
    /* Whoever scans for paths must not fill the log. */
    enum log_level level = r->reply == REPLY_NOT_FOUND ? LOG_DEBUG : LOG_INFO;
    char client[INET6_ADDRSTRLEN];

    if (!log_enabled(level))
        return;
    write_client(r, client);
    struct str detail = r->why.text[0] ? str_of(r->why.text) : r->detail;
    log_write(level, "request.rejected", L_TEXT("req", r->id), L_STR("source", source_name(r)),
              L_INT("status", status_of(r)), L_TEXT("reason", reason), L_STR("detail", detail),
              L_TEXT("client", client), L_END);
}

static void note_accepted(const struct request *r)
{
    char client[INET6_ADDRSTRLEN];

    if (!log_enabled(LOG_DEBUG))
        return;
    write_client(r, client);
    log_write(LOG_DEBUG, "request.accepted", L_TEXT("req", r->id), L_STR("source", source_name(r)),
              L_INT("status", 200), L_INT("accepted", r->intake.accepted),
              L_INT("duplicates", r->intake.duplicates),
              L_INT("unprocessable", r->intake.unprocessable), L_TEXT("client", client), L_END);
}

/* Draining may have begun after the headers were judged. */
static bool last_of_its_connection(const struct request *r)
{
    struct server *s = r->listener->server;
    return r->closes || (r->listener == &s->public && atomic_load(&s->draining));
}

enum MHD_Result answer(struct request *r)
{
    int64_t now_us = clock_mono_us();

    r->step = STEP_ANSWERED;
    r->closes = last_of_its_connection(r);
    conn_enter(&r->listener->conns, r->conn, PHASE_ANSWER, now_us);
    write_body(r);
    count(r, now_us);
    if (r->reply == REPLY_ACCEPTED)
        note_accepted(r);
    else if (r->reply != REPLY_CONTENT)
        note_rejected(r);
    return send_it(r);
}
