/* base/str.c - slices of text. */
#include "funneld/base/str.h"

#include <string.h>

struct str str_of(const char *text)
{
    return text ? (struct str){text, strlen(text)} : STR_NULL;
}

bool str_eq(struct str a, struct str b)
{
    if (!a.at || !b.at)
        return !a.at && !b.at;
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool str_is(struct str a, const char *text)
{
    return str_eq(a, str_of(text));
}

static int fold(char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool str_ieq(struct str a, struct str b)
{
    if (!a.at || !b.at)
        return !a.at && !b.at;
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (fold(a.at[i]) != fold(b.at[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.at, b.at, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.at, prefix.at, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.at + s.len - suffix.len, suffix.at, suffix.len) == 0);
}

const char *str_find(struct str s, struct str needle)
{
    if (!s.at)
        return NULL;
    return needle.len == 0 ? s.at : memmem(s.at, s.len, needle.at, needle.len);
}

const char *str_chr(struct str s, char c)
{
    return s.len ? memchr(s.at, c, s.len) : NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.at[0]))
        s = str_from(s, 1);
    while (s.len && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

struct str str_from(struct str s, size_t offset)
{
    if (!s.at)
        return s;
    if (offset > s.len)
        offset = s.len;
    return (struct str){s.at + offset, s.len - offset};
}

bool str_split(struct str *rest, char sep, struct str *ret_part)
{
    if (!rest->at)
        return false;
    const char *end = str_chr(*rest, sep);
    if (!end) {
        *ret_part = *rest;
        *rest = STR_NULL;
        return true;
    }
    *ret_part = (struct str){rest->at, (size_t)(end - rest->at)};
    *rest = str_from(*rest, ret_part->len + 1);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct str str_of_int64(int64_t value, char buffer[INT64_TEXT])
{
    size_t at = INT64_TEXT;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        buffer[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        buffer[--at] = '-';
    return (struct str){buffer + at, INT64_TEXT - at};
}

bool str_int64(struct str s, int64_t *ret)
{
    bool negative = s.len && s.at[0] == '-';
    int64_t value = 0;

    if (negative)
        s = str_from(s, 1);
    if (!s.len)
        return false;
    for (size_t i = 0; i < s.len; i++) { /* counted downwards: INT64_MIN has no positive */
        if (!is_digit(s.at[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, s.at[i] - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret = negative ? value : -value;
    return true;
}

bool str_take(struct str *rest, char c)
{
    if (!rest->len || rest->at[0] != c)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

bool str_take_int64(struct str *rest, char end, int64_t *ret)
{
    struct str part;

    return str_split(rest, end, &part) && str_int64(part, ret);
}

bool str_decimal(struct str s, double *ret)
{
    bool negative = s.len && s.at[0] == '-';
    size_t i = negative, digits = 0;
    double value = 0, scale = 1;

    for (; i < s.len && is_digit(s.at[i]); i++, digits++)
        value = value * 10 + (s.at[i] - '0');
    if (!digits)
        return false;
    if (i < s.len) {
        if (s.at[i++] != '.' || i == s.len)
            return false;
        for (; i < s.len; i++) {
            if (!is_digit(s.at[i]))
                return false;
            if (scale < 1e15) { /* further digits are below a double's precision */
                value = value * 10 + (s.at[i] - '0');
                scale *= 10;
            }
        }
    }
    *ret = (negative ? -value : value) / scale;
    return true;
}

/* Length of the well-formed sequence at s[i] (RFC 3629), 0 when there is none. */
static size_t utf8_sequence(struct str s, size_t i)
{
    const unsigned char *p = (const unsigned char *)s.at + i;
    size_t left = s.len - i, n = p[0] < 0x80   ? 1
                                 : p[0] < 0xC2 ? 0
                                 : p[0] < 0xE0 ? 2
                                 : p[0] < 0xF0 ? 3
                                 : p[0] < 0xF5 ? 4
                                               : 0;

    if (n == 0 || n > left)
        return 0;
    for (size_t k = 1; k < n; k++)
        if ((p[k] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0; /* overlong, surrogate, beyond U+10FFFF */
    return n;
}

bool str_is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!alnum && (!c || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return s.len > 0;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0; i < s.len;) {
        size_t n = utf8_sequence(s, i);

        if (!n)
            return false;
        i += n;
    }
    return true;
}

struct str str_cut(struct str s, size_t max_bytes)
{
    if (s.len <= max_bytes)
        return s;
    size_t end = max_bytes;
    while (end > 0 && ((unsigned char)s.at[end] & 0xC0) == 0x80)
        end--;
    return (struct str){s.at, end};
}
