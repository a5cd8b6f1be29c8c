/* base/http.h - an HTTP exchange as plain data, for those who build or judge one without sending.
 *
 * All slices live in the arena of whoever built them. Header values never hold CR, LF or NUL:
 * the transport refuses such a request.
 */
#ifndef FUNNELD_BASE_HTTP_H
#define FUNNELD_BASE_HTTP_H

#include <stdint.h>

#include "funneld/base/str.h"

enum { HTTP_MAX_HEADERS = 12 };

struct http_header {
    const char *name;
    struct str value;
};

struct http_request {
    const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    struct str url;     /* absolute */
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t n_headers;
    struct str body; /* missing: none is sent */
    bool repeatable; /* sending it twice does no more than once (RFC 9110 9.2.2, or by its content)
                      */
};

enum http_fate {
    HTTP_ANSWERED, /* status and body are there */
    HTTP_NOT_SENT, /* surely never reached the service: no connection, no byte of the request */
    HTTP_UNKNOWN,  /* it may have been processed: time-out, reset, cut answer */
};

struct http_response {
    enum http_fate fate;
    int status;             /* 0 unless answered */
    struct str body;        /* at most the transport's cap */
    int64_t retry_after_ms; /* from Retry-After, both forms; -1: none */
    struct str error;       /* for people, when not answered */
};

static inline void http_header_add(struct http_request *r, const char *name, struct str value)
{
    if (r->n_headers < HTTP_MAX_HEADERS)
        r->headers[r->n_headers++] = (struct http_header){name, value};
}

#endif
