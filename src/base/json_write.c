/* base/json_write.c - JSON straight into an sbuf. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/base/json.h"

/* A value or key needs a comma before it unless it is the first, or follows its key. Strings end
 * in a quote, so the last byte tells. */
static void separate(struct sbuf *b)
{
    char last = b->len ? b->at[b->len - 1] : '[';

    if (last != '{' && last != '[' && last != ':' && last != ',' && last != '\n')
        sbuf_char(b, ',');
}

void json_open(struct sbuf *b, char bracket)
{
    separate(b);
    sbuf_char(b, bracket);
}

void json_close(struct sbuf *b, char bracket)
{
    sbuf_char(b, bracket);
}

static void escape(struct sbuf *b, unsigned char c)
{
    switch (c) {
    case '"':
        sbuf_add(b, STR("\\\""));
        break;
    case '\\':
        sbuf_add(b, STR("\\\\"));
        break;
    case '\n':
        sbuf_add(b, STR("\\n"));
        break;
    case '\r':
        sbuf_add(b, STR("\\r"));
        break;
    case '\t':
        sbuf_add(b, STR("\\t"));
        break;
    default:
        sbuf_printf(b, "\\u%04x", c);
    }
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/* Runs of plain bytes go in one piece. */
static void quoted(struct sbuf *b, struct str s)
{
    size_t from = 0;

    sbuf_char(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (!needs_escape((unsigned char)s.at[i]))
            continue;
        sbuf_add(b, (struct str){s.at + from, i - from});
        escape(b, (unsigned char)s.at[i]);
        from = i + 1;
    }
    sbuf_add(b, str_from(s, from));
    sbuf_char(b, '"');
}

/* Text that came from outside may be damaged; what we write is always UTF-8. */
static void quoted_repaired(struct sbuf *b, struct str s)
{
    struct sbuf clean AUTO(sbuf_free) = SBUF(s.len * 3);

    for (size_t i = 0; i < s.len;) {
        size_t n = 1;

        while (n <= 4 && i + n <= s.len && !str_is_utf8((struct str){s.at + i, n}))
            n++;
        if (n <= 4 && i + n <= s.len) {
            sbuf_add(&clean, (struct str){s.at + i, n});
            i += n;
        } else {
            sbuf_add(&clean, STR("\xEF\xBF\xBD"));
            i++;
        }
    }
    quoted(b, sbuf_str(&clean));
}

void json_quote(struct sbuf *b, struct str value)
{
    if (str_is_utf8(value))
        quoted(b, value);
    else
        quoted_repaired(b, value);
}

void json_str(struct sbuf *b, struct str value)
{
    separate(b);
    if (value.at)
        json_quote(b, value);
    else
        sbuf_add(b, STR("null"));
}

void json_text(struct sbuf *b, const char *value)
{
    json_str(b, str_of(value));
}

void json_key_str(struct sbuf *b, struct str key)
{
    json_str(b, key.at ? key : STR(""));
    sbuf_char(b, ':');
}

void json_key(struct sbuf *b, const char *key)
{
    json_key_str(b, str_of(key));
}

void json_int(struct sbuf *b, int64_t value)
{
    separate(b);
    sbuf_int(b, value);
}

void json_num(struct sbuf *b, double value)
{
    char text[32];

    separate(b);
    if (!isfinite(value)) {
        sbuf_add(b, STR("null"));
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)!snprintf(text, sizeof text, "%.*g", digits, value); /* at most 24 bytes */
        if (strtod(text, NULL) == value)
            break;
    }
    sbuf_text(b, text);
}

void json_bool(struct sbuf *b, bool value)
{
    separate(b);
    sbuf_text(b, value ? "true" : "false");
}

void json_null(struct sbuf *b)
{
    separate(b);
    sbuf_add(b, STR("null"));
}

void json_raw(struct sbuf *b, struct str value)
{
    separate(b);
    sbuf_add(b, value);
}

void json_node(struct sbuf *b, const json *node)
{
    double number;

    switch (json_type(node)) {
    case JSON_STRING:
        json_str(b, json_string(node));
        break;
    case JSON_NUMBER:
        (void)json_number(node, &number); /* the type was just seen */
        json_num(b, number);
        break;
    case JSON_BOOL:
        json_bool(b, json_true(node));
        break;
    case JSON_NULL:
        json_null(b);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT: {
        bool object = json_type(node) == JSON_OBJECT;

        json_open(b, object ? '{' : '[');
        for (const json *c = json_first(node); c; c = json_next(c)) {
            if (object)
                json_key_str(b, json_name(c));
            json_node(b, c);
        }
        json_close(b, object ? '}' : ']');
    }
    }
}

void json_kv(struct sbuf *b, const char *key, struct str value)
{
    json_key(b, key);
    json_str(b, value);
}

void json_kv_text(struct sbuf *b, const char *key, const char *value)
{
    json_kv(b, key, str_of(value));
}

void json_kv_int(struct sbuf *b, const char *key, int64_t value)
{
    json_key(b, key);
    json_int(b, value);
}

void json_kv_id(struct sbuf *b, const char *key, int64_t id)
{
    json_key(b, key);
    if (id) {
        separate(b);
        sbuf_printf(b, "\"%lld\"", (long long)id);
    } else {
        json_null(b);
    }
}

void json_kv_tenths(struct sbuf *b, const char *key, int64_t tenths)
{
    long long whole = tenths / 10, rest = tenths % 10;

    json_key(b, key);
    separate(b);
    if (rest == 0)
        sbuf_int(b, whole);
    else
        sbuf_printf(b, "%s%lld.%lld", tenths < 0 ? "-" : "", llabs(whole), llabs(rest));
}

void json_kv_time(struct sbuf *b, const char *key, int64_t unix_ms)
{
    char text[TIME_TEXT];

    if (unix_ms)
        time_text(unix_ms, text);
    json_kv_text(b, key, unix_ms ? text : NULL);
}
