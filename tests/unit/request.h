/* tests/unit/request.h - a raw request with headers, for the tests of sources. */
#ifndef FUNNELD_TESTS_REQUEST_H
#define FUNNELD_TESTS_REQUEST_H

#include <string.h>

#include "funneld/ingest/source.h"

enum { REQUEST_HEADERS = 8 };

struct request {
    struct raw_request raw;
    struct field headers[REQUEST_HEADERS];
    size_t n;
};

static inline struct str request_header(const void *self, const char *name, size_t *ret_count)
{
    const struct request *r = self;
    struct str value = STR_NULL;

    *ret_count = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (!str_ieq(r->headers[i].name, str_of(name)))
            continue;
        value = r->headers[i].value;
        (*ret_count)++;
    }
    return value;
}

/* raw.self must point to where the request lives, so it is set on each use. */
static inline const struct raw_request *request_raw(struct request *r)
{
    r->raw.header = request_header;
    r->raw.self = r;
    return &r->raw;
}

static inline void request_add(struct request *r, const char *name, struct str value)
{
    r->headers[r->n++] = (struct field){str_of(name), value};
}

static inline void request_drop(struct request *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_ieq(r->headers[i].name, str_of(name)))
            r->headers[i--] = r->headers[--r->n];
}

static inline void request_set(struct request *r, const char *name, struct str value)
{
    request_drop(r, name);
    request_add(r, name, value);
}

/* Signs like `funneld sign` and turns the result into the request that curl would send. */
static inline struct request request_signed(const struct source *s, const char *version,
                                            struct str body, int64_t now_ms, struct arena *a)
{
    struct request r = {.raw = {.method = STR("POST"),
                                .target = source_path(s),
                                .body = body,
                                .received_at = now_ms,
                                .request_id = STR("req-1")}};
    struct field headers[4];
    struct str url;
    enum rc rc =
        s->type->sign(s, STR_NULL, str_of(version), body, now_ms, a, headers, &r.n, &url, NULL);

    if (rc)
        return r;
    memcpy(r.headers, headers, r.n * sizeof *headers);
    return r;
}

static inline struct str field_get(const struct field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(fields[i].name, name))
            return fields[i].value;
    return STR_NULL;
}

#endif
