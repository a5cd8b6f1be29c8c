/* base/str.h - a slice of bytes that somebody else owns.
 *
 * `at == NULL` is "missing" (null in our expressions), `len == 0` with `at` set is empty text.
 * Never assumed to end in NUL. All functions are pure and thread-safe.
 */
#ifndef FUNNELD_BASE_STR_H
#define FUNNELD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *at;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NULL     ((struct str){0})
#define STR_ARG(s)   (int)(s).len, str_shown(s) /* for "%.*s" */

/* For printf, which takes no NULL, not even with no bytes of it. */
static inline const char *str_shown(struct str s)
{
    return s.at ? s.at : "";
}

struct str str_of(const char *text);     /* NULL gives the missing slice */
bool str_eq(struct str a, struct str b); /* missing equals only missing */
bool str_is(struct str a, const char *text);
bool str_ieq(struct str a, struct str b); /* ASCII case folded */
int str_cmp(struct str a, struct str b);  /* bytewise, like memcmp; shorter first */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
const char *str_find(struct str s, struct str needle); /* NULL: not in it */
const char *str_chr(struct str s, char c);
struct str str_trim(struct str s); /* blanks, tabs, CR, LF at both ends */
struct str str_from(struct str s, size_t offset);

/* Takes the part up to `sep` from *rest (and the separator); false when *rest is used up. */
bool str_split(struct str *rest, char sep, struct str *ret_part);

enum { INT64_TEXT = 20 }; /* "-9223372036854775808" */
/* Decimal; the slice lies in buffer. */
struct str str_of_int64(int64_t value, char buffer[INT64_TEXT]);
/* Decimal, optional '-', no blanks, no leading '+', no overflow. */
bool str_int64(struct str s, int64_t *ret);
/* Takes this byte from the front of *rest; false: it is not there. */
bool str_take(struct str *rest, char c);
/* Takes such a number and the `end` behind it from *rest. */
bool str_take_int64(struct str *rest, char end, int64_t *ret);
/* Strictly decimal: -?digits[.digits]; no exponent, no blanks. */
bool str_decimal(struct str s, double *ret);

bool str_is_token(struct str s); /* a header's name, RFC 9110 5.6.2 */
bool str_is_utf8(struct str s);  /* well-formed, no overlong forms, no surrogates */
/* The longest prefix of at most max_bytes that does not cut a UTF-8 sequence. */
struct str str_cut(struct str s, size_t max_bytes);

#endif
