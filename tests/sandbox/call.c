/* tests/sandbox/call.c - reading requests and writing answers. */
#include "sandbox.h"

#include <string.h>

struct str call_header(const struct call *c, const char *name)
{
    for (size_t i = 0; i < c->n_headers; i++)
        if (str_ieq(c->headers[i].name, str_of(name)))
            return c->headers[i].value;
    return STR_NULL;
}

struct str call_query(const struct call *c, const char *name)
{
    return form_get(c->query, c->n_query, name);
}

bool call_is(const struct call *c, const char *method, const char *path)
{
    return str_is(c->method, method) && str_is(c->path, path);
}

bool call_type_is(const struct call *c, const char *type)
{
    struct str value = call_header(c, "Content-Type"), media;

    if (!str_split(&value, ';', &media))
        return false;
    return str_ieq(str_trim(media), str_of(type));
}

bool call_bearer_is(const struct call *c, const char *token)
{
    struct str value = call_header(c, "Authorization");

    return str_starts(value, STR("Bearer ")) && str_is(str_from(value, 7), token);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct str percent_decode(struct str s, bool form, struct arena *a)
{
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        int high = -1, low = -1;

        if (s.at[i] == '%' && i + 2 < s.len) {
            high = hex_digit(s.at[i + 1]);
            low = hex_digit(s.at[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            out[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[n++] = form && s.at[i] == '+' ? ' ' : s.at[i];
        }
    }
    return (struct str){out, n};
}

bool path_next(struct str *rest, struct arena *a, struct str *ret)
{
    struct str part = *rest;
    const char *slash;

    if (!part.len || part.at[0] != '/')
        return false;
    part = str_from(part, 1);
    slash = str_chr(part, '/');
    *rest = slash ? str_from(part, (size_t)(slash - part.at)) : str_from(part, part.len);
    if (slash)
        part.len = (size_t)(slash - part.at);
    *ret = percent_decode(part, false, a);
    return true;
}

size_t form_decode(struct str body, struct arena *a, struct field **ret)
{
    struct str rest = body, part;
    size_t most = 1, n = 0;

    for (size_t i = 0; i < body.len; i++)
        most += body.at[i] == '&';
    *ret = arena_array(a, most, sizeof(**ret));
    while (n < most && str_split(&rest, '&', &part)) {
        struct str name = part, value = STR("");
        const char *eq = str_chr(part, '=');

        if (!part.len)
            continue;
        if (eq) {
            name.len = (size_t)(eq - part.at);
            value = str_from(part, name.len + 1);
        }
        (*ret)[n++] = (struct field){percent_decode(name, true, a), percent_decode(value, true, a)};
    }
    return n;
}

struct str form_get(const struct field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(fields[i].name, name))
            return fields[i].value;
    return STR_NULL;
}

bool is_listed(const char *one, const char *list)
{
    struct str rest = str_of(list), item;

    while (str_split(&rest, ',', &item))
        if (str_is(item, one))
            return true;
    return false;
}

static size_t count(struct str s, size_t astral)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.at[i] & 0xc0) != 0x80)
            n += (unsigned char)s.at[i] >= 0xf0 ? astral : 1;
    return n;
}

size_t utf16_units(struct str s)
{
    return count(s, 2);
}

size_t code_points(struct str s)
{
    return count(s, 1);
}

void answer_header(struct answer *r, const char *name, struct str value)
{
    if (r->n_headers < ANSWER_HEADERS)
        r->headers[r->n_headers++] = (struct field){str_of(name), value};
}

struct sbuf *answer_json(struct answer *r, int status)
{
    sbuf_reset(&r->body);
    r->status = status;
    r->content_type = "application/json; charset=utf-8";
    return &r->body;
}

void answer_text(struct answer *r, int status, const char *text)
{
    sbuf_reset(&r->body);
    sbuf_text(&r->body, text);
    r->status = status;
    r->content_type = "text/html";
}
