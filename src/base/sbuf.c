/* base/sbuf.c - the capped string builder. */
#include "funneld/base/sbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sbuf_free(struct sbuf *b)
{
    free(b->at);
    *b = (struct sbuf){.max = b->max};
}

void sbuf_reset(struct sbuf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->at)
        b->at[0] = '\0';
}

/* Room for n more bytes and a NUL; false sets the sticky failure. */
static bool reserve(struct sbuf *b, size_t n)
{
    if (b->failed || n > b->max || b->len > b->max - n) {
        b->failed = true;
        return false;
    }
    if (b->len + n + 1 > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 128;

        if (cap < b->len + n + 1)
            cap = b->len + n + 1;
        b->at = mem_grow(b->at, cap, 1);
        b->cap = cap;
    }
    return true;
}

void sbuf_add(struct sbuf *b, struct str s)
{
    if (!reserve(b, s.len))
        return;
    if (s.len)
        memcpy(b->at + b->len, s.at, s.len);
    b->len += s.len;
    b->at[b->len] = '\0';
}

void sbuf_text(struct sbuf *b, const char *text)
{
    sbuf_add(b, str_of(text));
}

void sbuf_char(struct sbuf *b, char c)
{
    sbuf_add(b, (struct str){&c, 1});
}

void sbuf_int(struct sbuf *b, int64_t value)
{
    char digits[INT64_TEXT];

    sbuf_add(b, str_of_int64(value, digits));
}

void sbuf_vprintf(struct sbuf *b, const char *fmt, va_list args)
{
    char few[128]; /* most texts: formatted once */
    va_list again;

    va_copy(again, args);
    int n = vsnprintf(few, sizeof few, fmt, args);
    if (n < 0)
        b->failed = true;
    else if ((size_t)n < sizeof few)
        sbuf_add(b, (struct str){few, (size_t)n});
    else if (reserve(b, (size_t)n)) {
        (void)!vsnprintf(b->at + b->len, (size_t)n + 1, fmt, again); /* measured above */
        b->len += (size_t)n;
    }
    va_end(again);
}

void sbuf_printf(struct sbuf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    sbuf_vprintf(b, fmt, args);
    va_end(args);
}

struct str sbuf_str(const struct sbuf *b)
{
    return (struct str){b->at ? b->at : "", b->len};
}

enum rc sbuf_seal(const struct sbuf *b, struct arena *a, struct str *ret)
{
    if (b->failed)
        return RC_TOOBIG;
    *ret = arena_str(a, sbuf_str(b));
    return RC_OK;
}
