/* base/url.h - URLs taken apart and put together (RFC 3986). Pure. */
#ifndef FUNNELD_BASE_URL_H
#define FUNNELD_BASE_URL_H

#include <stdint.h>

#include "funneld/base/rc.h"
#include "funneld/base/sbuf.h"
#include "funneld/base/str.h"

struct url {
    struct str scheme; /* "http", "https", "smtp" or "smtps", lower case as written */
    struct str host;   /* without brackets */
    uint16_t port;     /* 443, 80, 587 or 465 where none is written */
    struct str target; /* path and query; empty when there is none */
};

/* http and https only; refuses user info, fragments, blanks and control characters. */
MUST_CHECK enum rc url_parse(struct str text, struct url *ret, struct why *why);
/* The same for smtp and smtps. */
MUST_CHECK enum rc mail_url_parse(struct str text, struct url *ret, struct why *why);
bool host_is_loopback(struct str host); /* localhost, 127.0.0.0/8, ::1 */

/* Everything but unreserved characters becomes %XX: safe as one path segment or query value. */
void url_encode(struct sbuf *b, struct str raw);

/* Back from it, and from a form's + for a blank; the bytes may be of any kind. false: a % with no
 * two hex digits behind it. */
MUST_CHECK bool url_decode(struct sbuf *b, struct str text);

/* "[::]:8443", "0.0.0.0:80", ":8443": host may be empty. */
MUST_CHECK enum rc host_port_parse(struct str text, struct str *ret_host, uint16_t *ret_port,
                                   struct why *why);

#endif
