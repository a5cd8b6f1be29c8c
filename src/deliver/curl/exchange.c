/* deliver/curl/exchange.c - one request and its answer on a curl easy handle.
 *
 * libcurl sends a request again by itself when a kept connection dies before the first byte of
 * the answer, whatever the method. For a request that is not repeatable that would be a second
 * Slack message, so it must not be able to:
 *   with a body: the body comes from a read function and there is no seek function, so that the
 *   second try ends in CURLE_SEND_FAIL_REWIND (unless no body byte had left: then the service
 *   cannot have acted on it);
 *   without a body: there is nothing to rewind, so it never uses a kept connection.
 */
#include "exchange_priv.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/url.h"

#ifndef FUNNELD_VERSION
#define FUNNELD_VERSION "development"
#endif

enum {
    CONNECT_MAX_MS = 10000,
    KEPT_IDLE_S = 30,      /* shorter than what load balancers keep: fewer dead connections */
    KEPT_LIFETIME_S = 300, /* so that a change of DNS is noticed */
    KEEPALIVE_S = 30,
    ERROR_MAX = 512,
    ANSWER_KEPT = 64 << 10, /* an answer buffer larger than this is given back */
};

struct exchange *exchange_new(void)
{
    struct exchange *x = mem_alloc(sizeof *x);

    x->answer.max = ANSWER_MAX;
    x->error.max = ERROR_MAX;
    return x;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    curl_easy_cleanup(x->easy); /* before the header list that it points to */
    curl_slist_free_all(x->headers);
    sbuf_free(&x->answer);
    sbuf_free(&x->error);
    free(x);
}

/* A handle is not used again: libcurl before 8.1 keeps a pointer to a header of the old answer,
 * which is freed, and follows it when the next answer begins with a folded line. */
void exchange_clear(struct exchange *x)
{
    curl_easy_cleanup(x->easy); /* NULL is fine */
    x->easy = NULL;
    curl_slist_free_all(x->headers);
    x->headers = NULL;
    x->call = (struct transport_call){0};
    x->unsent = STR_NULL;
    x->blocked = false;
    x->curl_error[0] = '\0';
    if (x->answer.cap > ANSWER_KEPT)
        sbuf_free(&x->answer);
    sbuf_reset(&x->answer);
    sbuf_reset(&x->error);
}

/* 0 makes curl end the transfer with CURLE_WRITE_ERROR: more than we are willing to hold. */
static size_t on_answer(char *at, size_t size, size_t n, void *self)
{
    struct exchange *x = self;

    sbuf_add(&x->answer, (struct str){at, size * n});
    return x->answer.failed ? 0 : size * n;
}

static size_t on_send(char *to, size_t size, size_t n, void *self)
{
    struct exchange *x = self;
    size_t len = size * n < x->unsent.len ? size * n : x->unsent.len;

    if (len)
        memcpy(to, x->unsent.at, len);
    x->unsent = str_from(x->unsent, len);
    return len;
}

/* curl writes header values as they are: a CR LF inside would start a header of its own. */
static bool is_header_value(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* *rc: what went wrong first. */
static void add_header(struct exchange *x, struct sbuf *line, const char *name, const char *after,
                       struct str value, enum rc *rc)
{
    sbuf_reset(line);
    sbuf_text(line, name);
    sbuf_text(line, after);
    sbuf_add(line, value);
    if (line->failed && *rc == RC_OK)
        *rc = RC_INVALID;
    if (*rc != RC_OK)
        return;
    struct curl_slist *longer = curl_slist_append(x->headers, line->at);
    if (longer)
        x->headers = longer;
    else
        *rc = RC_IO;
}

/* In curl's lists "Name:" takes a header out and "Name;" sends it empty. */
static enum rc set_headers(struct exchange *x, const struct http_request *r, struct why *why)
{
    struct sbuf line AUTO(sbuf_free) = SBUF(64 * 1024);
    bool typed = false;
    enum rc rc = RC_OK;

    add_header(x, &line, "Expect", ":", STR_NULL, &rc); /* would wait 1 s before the body */
    for (size_t i = 0; i < r->n_headers; i++) {
        const struct http_header *h = &r->headers[i];

        if (!str_is_token(str_of(h->name)))
            return why_fail(RC_INVALID, why, "a header of the request has no proper name");
        if (!is_header_value(h->value))
            return why_fail(RC_INVALID, why, "the value of header %s holds a control character",
                            h->name);
        typed |= str_ieq(str_of(h->name), STR("content-type"));
        add_header(x, &line, h->name, h->value.len ? ": " : ";", h->value, &rc);
    }
    if (!typed) /* curl's guess is a form */
        add_header(x, &line, "Content-Type", ":", STR_NULL, &rc);
    if (rc == RC_OK)
        return rc;
    return why_fail(rc, why, "%s",
                    rc == RC_IO ? "curl has no memory" : "a header of the request is too long");
}

#define SET(option, value) ok &= curl_easy_setopt(x->easy, option, value) == CURLE_OK

static bool set_method(struct exchange *x, const struct http_request *r)
{
    bool ok = true;
    bool post = strcmp(r->method, "POST") == 0;
    bool body = r->body.at != NULL;

    if (body || post) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        if (r->repeatable || !r->body.len) {
            SET(CURLOPT_POSTFIELDS, r->body.len ? r->body.at : "");
        } else {
            x->unsent = r->body;
            SET(CURLOPT_READFUNCTION, on_send);
            SET(CURLOPT_READDATA, x);
        }
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    if (r->only_connects)
        SET(CURLOPT_CONNECT_ONLY, 1L);
    if (!r->repeatable && !r->body.len)
        SET(CURLOPT_FRESH_CONNECT, 1L);
    if (strcmp(r->method, body || post ? "POST" : "GET") != 0)
        SET(CURLOPT_CUSTOMREQUEST, r->method);
    return ok;
}

/* No redirects, proxy from the environment, cookies, netrc or HTTP/2: what is sent goes where the
 * configuration points, once. */
static bool set_options(struct exchange *x, const char *url)
{
    bool ok = true;
    long timeout = (long)x->call.timeout_ms;

    SET(CURLOPT_URL, url);
    SET(CURLOPT_PRIVATE, x);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_USERAGENT, "funneld/" FUNNELD_VERSION);
    SET(CURLOPT_ERRORBUFFER, x->curl_error);
    SET(CURLOPT_HTTPHEADER, x->headers);
    SET(CURLOPT_WRITEFUNCTION, on_answer);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_TIMEOUT_MS, timeout);
    SET(CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_MAX_MS ? timeout : (long)CONNECT_MAX_MS);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    SET(CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    SET(CURLOPT_MAXAGE_CONN, (long)KEPT_IDLE_S);
    SET(CURLOPT_MAXLIFETIME_CONN, (long)KEPT_LIFETIME_S);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    return ok;
}

static bool set_roots(struct exchange *x)
{
    if (!x->call.ca_file.len)
        return true;

    bool ok = true;
    char *path AUTO(mem_freep) = mem_text(x->call.ca_file);
    SET(CURLOPT_CAINFO, path); /* curl copies it */
    return ok;
}

enum rc exchange_set(struct exchange *x, const struct transport_call *call, struct why *why)
{
    struct url parts;
    enum rc rc = url_parse(call->request->url, &parts, why);

    if (rc)
        return why_wrap(RC_INVALID, why, "the address of the request");
    x->call = *call;
    x->easy = curl_easy_init();
    if (!x->easy)
        return why_fail(RC_IO, why, "curl gives no handle");
    rc = set_headers(x, call->request, why);
    if (rc)
        return rc;

    x->answer.max = call->request->guarded ? GUARDED_ANSWER_MAX : ANSWER_MAX;
    char *url AUTO(mem_freep) = mem_text(call->request->url);
    if (!set_options(x, url) || !set_method(x, call->request) || !set_roots(x))
        return why_fail(RC_IO, why, "curl refuses an option of the request");
    if (call->request->guarded && guard_set(x))
        return why_fail(RC_IO, why, "curl refuses to guard the request");
    return RC_OK;
}

/* Codes that mean it never came to sending, even if curl had tried another connection before.
 * CURLE_UNSUPPORTED_PROTOCOL is none: an answer whose status line is odd ends in it, too. */
static bool is_before_sending(CURLcode code)
{
    switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return true;
    default:
        return false;
    }
}

static enum http_fate fate(struct exchange *x, CURLcode code)
{
    long sent = -1; /* when curl does not say, assume the worse */

    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    if (is_before_sending(code))
        return HTTP_NOT_SENT;
    if (curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK && sent == 0)
        return HTTP_NOT_SENT;
    return HTTP_UNKNOWN;
}

/* curl knows both forms, and gives 0 for none; neither form has a limit of its own. */
static int64_t retry_after_ms(struct exchange *x, int status)
{
    curl_off_t seconds = 0;
    int64_t max_s = (status == 429 ? HOURS_MS : DAYS_MS) / SECONDS_MS;

    if (curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0)
        return -1;
    return (seconds < max_s ? (int64_t)seconds : max_s) * SECONDS_MS;
}

/* Copies: what curl shows lasts until its next call. */
static void keep_headers(struct exchange *x, struct http_response *r)
{
    const struct http_request *request = x->call.request;
    struct curl_header *found;

    for (size_t i = 0; i < request->n_keep && r->n_kept < HTTP_MAX_KEPT; i++) {
        if (curl_easy_header(x->easy, request->keep[i], 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
            continue;
        char *to = x->kept[r->n_kept];
        struct str value = str_cut(str_trim(str_of(found->value)), HTTP_MAX_KEPT_LEN);
        memcpy(to, value.at, value.len);
        r->kept[r->n_kept++] = (struct http_header){request->keep[i], {to, value.len}};
    }
}

/* The host and curl's own words. Paths and queries may be secrets (incoming webhooks), so words
 * that repeat the target are left out. */
static struct str error_text(struct exchange *x, CURLcode code)
{
    struct str words = str_trim(str_of(x->curl_error));
    struct url url = {0};

    if (url_parse(x->call.request->url, &url, NULL) != RC_OK)
        url.host = STR("the service");
    if (url.target.len > 1 && str_find(words, url.target))
        words = STR_NULL;
    sbuf_add(&x->error, str_cut(url.host, 100));
    sbuf_text(&x->error, ": ");
    if (x->answer.failed)
        sbuf_printf(&x->error, "the answer is longer than %zu bytes", x->answer.max);
    else if (x->blocked)
        sbuf_text(&x->error, "blocked: its address is not on the Internet");
    else if (code == CURLE_SEND_FAIL_REWIND) /* it would send again, and must not */
        sbuf_text(&x->error, "the connection was closed before an answer");
    else if (words.len)
        sbuf_add(&x->error, str_cut(words, 300));
    else
        sbuf_text(&x->error, curl_easy_strerror(code));
    return sbuf_str(&x->error);
}

/* curl takes some digits for a status that are none. */
static bool has_status(struct exchange *x, long *ret)
{
    return curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, ret) == CURLE_OK && *ret >= 100 &&
           *ret <= 599;
}

void exchange_result(struct exchange *x, CURLcode code, struct transport_result *ret)
{
    long status = 0;

    if (code == CURLE_OK && !x->call.request->only_connects && !has_status(x, &status))
        code = CURLE_WEIRD_SERVER_REPLY;
    struct http_response r = {.fate = fate(x, code), .retry_after_ms = -1};
    if (r.fate == HTTP_ANSWERED) {
        r.status = (int)status;
        r.body = x->answer.len ? sbuf_str(&x->answer) : STR("");
        r.retry_after_ms = retry_after_ms(x, r.status);
        keep_headers(x, &r);
    } else {
        r.error = error_text(x, code);
        r.trouble = trouble_of(code);
    }
    *ret = (struct transport_result){.tag = x->call.tag, .response = r};
}
