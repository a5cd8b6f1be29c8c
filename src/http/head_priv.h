/* head_priv.h - a request's headers, as far as HTTP itself is concerned.
 *
 * libmicrohttpd 0.9.75 lets through what ends as request smuggling behind a proxy; here it is
 * seen and named. What cannot be seen: bare LF between chunks, and folded trailers, which we do
 * not read.
 */
#ifndef FUNNELD_HTTP_HEAD_PRIV_H
#define FUNNELD_HTTP_HEAD_PRIV_H

#include <microhttpd.h>

#include "funneld/base/str.h"

struct head_field {
    struct str value; /* of the first; missing: it was not sent */
    size_t n;         /* how often it was sent */
};

struct head {
    struct head_field length, coding, host, type, content_encoding, expect;
    bool odd_name, odd_value, odd_line;
    bool chunked;
    bool has_length;
    int64_t bytes; /* Content-Length, with has_length */
};

/* `method` and `version` as the handler got them, the target as it was sent. */
void head_read(struct MHD_Connection *connection, const char *method, struct str target,
               const char *version, struct head *ret);

enum hole { HOLE_NONE, HOLE_FRAMING, HOLE_OTHER };
/* *ret_detail says what is wrong, for people. */
enum hole head_hole(const struct head *h, struct str target, struct str version,
                    const char **ret_detail);

bool head_has_body(const struct head *h);
/* A coding of the content is not understood. */
bool head_is_encoded(const struct head *h);

#endif
