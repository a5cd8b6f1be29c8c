/* base/json_scan.c - refuses what cJSON lets through, keeps long numbers exact.
 *
 * One pass over the bytes with an explicit stack. Numbers of more than 15 significant digits
 * are copied as strings, because cJSON keeps a double. Duplicate keys are found later, on the
 * tree, where keys are already unescaped.
 */
#include "json_scan.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/base/mem.h"

struct scan {
    const char *at, *end, *start;
    char *out; /* next byte of the copy */
    struct json_scan *ret;
    size_t cap_elements;
    struct why *why;
};

static bool fail(struct scan *s, const char *what)
{
    (void)why_fail(RC_INVALID, s->why, "%s at byte %zu", what, (size_t)(s->at - s->start));
    return false;
}

static int peek(const struct scan *s)
{
    return s->at < s->end ? (unsigned char)*s->at : -1;
}

static void copy_one(struct scan *s)
{
    *s->out++ = *s->at++;
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static int hex4(const char *at, const char *end)
{
    int value = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool escape(struct scan *s)
{
    if (s->end - s->at < 2)
        return fail(s, "an unfinished escape");
    if (s->at[1] != 'u') {
        if (!strchr("\"\\/bfnrt", s->at[1]) || !s->at[1])
            return fail(s, "an unknown escape");
        copy_one(s);
        copy_one(s);
        return true;
    }
    int code = hex4(s->at + 2, s->end);
    size_t len = 6;
    if (code < 0)
        return fail(s, "a \\u escape without four hex digits");
    if (code == 0)
        return fail(s, "a \\u0000");
    if (code >= 0xD800 && code <= 0xDFFF) {
        int low = s->end - s->at >= 12 && s->at[6] == '\\' && s->at[7] == 'u'
                      ? hex4(s->at + 8, s->end)
                      : -1;
        if (code > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
            return fail(s, "a lone surrogate");
        len = 12;
    }
    for (size_t i = 0; i < len; i++)
        copy_one(s);
    return true;
}

static bool string(struct scan *s)
{
    copy_one(s); /* the quote */
    for (;;) {
        int c = peek(s);

        if (c < 0)
            return fail(s, "an unfinished string");
        if (c < 0x20)
            return fail(s, "a control character in a string");
        if (c == '"') {
            copy_one(s);
            return true;
        }
        if (c != '\\')
            copy_one(s);
        else if (!escape(s))
            return false;
    }
}

static size_t digits(struct scan *s)
{
    size_t n = 0;

    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; n++)
        s->at++;
    return n;
}

/* Digits between the first and the last that is not 0: what a double must hold. */
static size_t significant(const char *from, const char *to)
{
    size_t n = 0, zeros = 0;

    for (; from < to && *from != 'e' && *from != 'E'; from++) {
        if (*from < '0' || *from > '9')
            continue;
        if (*from == '0') {
            zeros += n > 0;
            continue;
        }
        n += zeros + 1;
        zeros = 0;
    }
    return n;
}

static bool number(struct scan *s)
{
    const char *from = s->at;
    bool integer = true;

    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0')
        s->at++;
    else if (!digits(s))
        return fail(s, "a number without digits");
    const char *whole = s->at;
    if (peek(s) == '.') {
        integer = false;
        s->at++;
        if (!digits(s))
            return fail(s, "a number without digits after its point");
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        integer = false;
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        if (!digits(s))
            return fail(s, "a number without digits in its exponent");
    }
    size_t len = (size_t)(s->at - from);
    bool exact = significant(from, s->at) <= JSON_EXACT_DIGITS &&
                 (!integer || whole - from <= JSON_EXACT_DIGITS + (*from == '-'));
    if (!exact)
        *s->out++ = '"';
    memcpy(s->out, from, len);
    s->out += len;
    if (!exact)
        *s->out++ = '"';
    return true;
}

static bool literal(struct scan *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return fail(s, "something that is not JSON");
    memcpy(s->out, word, n);
    s->out += n;
    s->at += n;
    return true;
}

static bool scalar(struct scan *s)
{
    switch (peek(s)) {
    case '"':
        return string(s);
    case 't':
        return literal(s, "true");
    case 'f':
        return literal(s, "false");
    case 'n':
        return literal(s, "null");
    case '-':
    case '0' ... '9':
        return number(s);
    case -1:
        return fail(s, "the end, where a value should be,");
    default:
        return fail(s, "something that is not JSON");
    }
}

static void keep_element(struct scan *s, const char *from)
{
    struct json_scan *r = s->ret;

    if (r->n_elements == s->cap_elements) {
        s->cap_elements = s->cap_elements ? s->cap_elements * 2 : 16;
        r->elements = mem_grow(r->elements, s->cap_elements, sizeof *r->elements);
    }
    r->elements[r->n_elements++] = (struct str){from, (size_t)(s->at - from)};
}

static bool key(struct scan *s)
{
    skip_blanks(s);
    if (peek(s) != '"')
        return fail(s, "something else, where a key should be,");
    if (!string(s))
        return false;
    skip_blanks(s);
    if (peek(s) != ':')
        return fail(s, "no colon after a key");
    copy_one(s);
    return true;
}

/* What follows a finished value: closes containers, stops at the next value or the end. */
static bool after_value(struct scan *s, char stack[], size_t *depth, const char **element)
{
    while (*depth) {
        if (*depth == 1 && stack[0] == ']')
            keep_element(s, *element);
        skip_blanks(s);
        if (peek(s) == ',') {
            copy_one(s);
            if (stack[*depth - 1] == '}')
                return key(s);
            skip_blanks(s);
            *element = *depth == 1 ? s->at : *element;
            return true;
        }
        if (peek(s) != stack[*depth - 1])
            return fail(s, "no comma or closing bracket");
        copy_one(s);
        --*depth;
    }
    return true;
}

static bool document(struct scan *s)
{
    char stack[JSON_MAX_DEPTH];
    size_t depth = 0;
    const char *element = NULL;

    do {
        skip_blanks(s);
        int c = peek(s);
        if (c == '{' || c == '[') {
            if (depth == JSON_MAX_DEPTH)
                return fail(s, "nesting over 64 levels");
            stack[depth++] = c == '{' ? '}' : ']';
            copy_one(s);
            skip_blanks(s);
            if (peek(s) != stack[depth - 1]) {
                element = depth == 1 ? s->at : element;
                if (c == '{' && !key(s))
                    return false;
                continue;
            }
            copy_one(s); /* empty */
            depth--;
        } else if (!scalar(s)) {
            return false;
        }
        if (!after_value(s, stack, &depth, &element))
            return false;
    } while (depth);
    skip_blanks(s);
    return s->at == s->end || fail(s, "bytes after the value");
}

enum rc json_scan(struct str text, struct json_scan *ret, struct why *why)
{
    struct json_scan r = {0};
    struct scan s = {
        .at = text.at, .start = text.at, .end = text.at + text.len, .ret = &r, .why = why};

    if (!text.len)
        return why_fail(RC_INVALID, why, "no JSON, the text is empty");
    if (!str_is_utf8(text))
        return why_fail(RC_INVALID, why, "bytes that are not UTF-8");
    /* Quoting adds two bytes to a number of at least 16: an eighth more is always enough. */
    r.copy = mem_alloc(text.len + text.len / 8 + 4);
    s.out = r.copy;
    if (!document(&s)) {
        free(r.copy);
        free(r.elements);
        return RC_INVALID;
    }
    *s.out = '\0';
    r.len = (size_t)(s.out - r.copy);
    *ret = r;
    return RC_OK;
}
