/* base/http.h - an HTTP exchange as plain data, for those who build or judge one without sending.
 *
 * A mail is one, too: a request with an envelope, to smtp:// or smtps://, whose body is the whole
 * message (RFC 5322, lines end in CRLF) and whose answer is the server's last reply.
 *
 * All slices live in the arena of whoever built them. Header values never hold CR, LF or NUL:
 * the transport refuses such a request.
 */
#ifndef FUNNELD_BASE_HTTP_H
#define FUNNELD_BASE_HTTP_H

#include <stdint.h>

#include "funneld/base/str.h"

enum { HTTP_MAX_HEADERS = 12, HTTP_MAX_KEPT = 4, HTTP_MAX_KEPT_LEN = 1023 };

struct http_header {
    const char *name;
    struct str value;
};

struct envelope {
    struct str from, to;       /* addresses alone: ASCII, no brackets, no blanks */
    struct str user, password; /* missing: without login */
    bool clear_text;           /* no TLS; to this machine only */
};

struct http_request {
    const char *method;              /* "GET", "POST", "PUT", "PATCH", "DELETE"; of a mail "MAIL" */
    struct str url;                  /* absolute; the path of a mail's is the name for EHLO */
    const struct envelope *envelope; /* NULL: no mail */
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t n_headers;
    struct str body; /* missing: none is sent */
    bool guarded; /* a third party gave the address: only where the Internet is, little is read */
    bool secret_url; /* who knows the address may use it: it is shown nowhere */
    /* No request: only whether one could be made, TLS included; of a mail, EHLO, TLS and login. The
     * answer's status is then 0, and of a mail the last reply; of AUTH the one to EHLO, where a
     * login is wanted and none is offered. */
    bool only_connects;
    bool repeatable; /* sending it twice does no more than once (RFC 9110 9.2.2, or by its content)
                      */
    const char *const *keep; /* headers of the answer that are wanted, HTTP_MAX_KEPT at most */
    size_t n_keep;
};

enum http_fate {
    HTTP_ANSWERED, /* status and body are there */
    HTTP_NOT_SENT, /* surely never reached the service: no connection, no byte of the request */
    HTTP_UNKNOWN,  /* it may have been processed: time-out, reset, cut answer */
};

/* Why there is no answer, as far as it says what to mend. */
enum http_trouble {
    TROUBLE_OTHER,
    TROUBLE_NAME,        /* the host's name is not known */
    TROUBLE_CONNECT,     /* nobody takes the connection */
    TROUBLE_TIME,        /* it took too long */
    TROUBLE_TLS,         /* no encrypted connection comes about */
    TROUBLE_CERTIFICATE, /* whoever answers cannot prove who it is */
    TROUBLE_ROOTS,       /* ca_file cannot be read */
};

struct http_response {
    enum http_fate fate;
    int status;             /* 0 unless answered; of a mail the reply code */
    struct str body;        /* at most the transport's cap; of a mail the reply */
    struct str unmasked;    /* body before secrets were starred out, to decide by, never to be
                               shown or kept; missing: body is so */
    int64_t retry_after_ms; /* from Retry-After, both forms; -1: none */
    struct str error;       /* for people, when not answered */
    enum http_trouble trouble;
    const char *command; /* of a mail: what the reply is to: "" the connection, "EHLO",
                            "STARTTLS", "AUTH", "NOOP", "MAIL", "RCPT", "DATA", "." the
                            message */
    /* Of the headers that the request wanted kept, those that came; a value is cut at
     * HTTP_MAX_KEPT_LEN bytes. */
    struct http_header kept[HTTP_MAX_KEPT];
    size_t n_kept;
};

static inline void http_header_add(struct http_request *r, const char *name, struct str value)
{
    if (r->n_headers < HTTP_MAX_HEADERS)
        r->headers[r->n_headers++] = (struct http_header){name, value};
}

/* By its name as the request gave it; missing: it did not come. */
static inline struct str http_kept(const struct http_response *r, const char *name)
{
    for (size_t i = 0; i < r->n_kept; i++)
        if (str_is(str_of(r->kept[i].name), name))
            return r->kept[i].value;
    return STR_NULL;
}

#endif
