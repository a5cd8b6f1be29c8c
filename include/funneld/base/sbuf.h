/* base/sbuf.h - the one string builder: a ceiling, and a failure that sticks.
 *
 *     struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);     ceiling, not size
 *     json_open(&b, '{'); json_key(&b, "text"); json_str(&b, title); json_close(&b, '}');
 *     rc = sbuf_seal(&b, arena, &ret);                      RC_TOOBIG if any append failed
 *
 * Append forty times, check once. One owner, one thread.
 */
#ifndef FUNNELD_BASE_SBUF_H
#define FUNNELD_BASE_SBUF_H

#include <stdarg.h>

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/base/str.h"

struct sbuf {
    char *at; /* always NUL-terminated once anything was appended */
    size_t len, cap, max;
    bool failed;
};

#define SBUF(max_bytes)                                                                            \
    {                                                                                              \
        .max = (max_bytes)                                                                         \
    }

void sbuf_free(struct sbuf *b);
void sbuf_reset(struct sbuf *b); /* empty again, memory kept, failure forgotten */
void sbuf_add(struct sbuf *b, struct str s);
void sbuf_text(struct sbuf *b, const char *text);
void sbuf_char(struct sbuf *b, char c);
void sbuf_int(struct sbuf *b, int64_t value); /* decimal */
void sbuf_printf(struct sbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void sbuf_vprintf(struct sbuf *b, const char *fmt, va_list args);
struct str sbuf_str(const struct sbuf *b); /* what is there; valid until the next append */
MUST_CHECK enum rc sbuf_seal(const struct sbuf *b, struct arena *a, struct str *ret);

#endif
