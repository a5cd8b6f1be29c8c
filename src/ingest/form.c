/* ingest/form.c - a form's fields as one JSON object of texts.
 *
 * A key that comes several times becomes an array in its order. a[b] is named a__b, as flatten.c
 * would name it, and list[] is list.
 */
#include <string.h>

#include "mapping_priv.h"

#include "funneld/base/url.h"

enum { FORM_FIELDS = FLAT_MAX };

enum charset { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_UNKNOWN };

static void add_latin1(struct sbuf *b, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c >= 0x80)
            sbuf_char(b, (char)(0xC0 | c >> 6));
        sbuf_char(b, (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c));
    }
}

/* Escapes and + taken away; false when that leaves no text: none in JSON may hold a NUL. */
static bool decode_in(struct str s, enum charset charset, struct arena *a, struct str *ret)
{
    struct sbuf raw AUTO(sbuf_free) = SBUF(SIZE_MAX / 4); /* at most the body */
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 4);   /* at most twice the body */

    if (!url_decode(&raw, s) || str_chr(sbuf_str(&raw), '\0'))
        return false;
    if (charset == CHARSET_LATIN1)
        add_latin1(&b, sbuf_str(&raw));
    const struct sbuf *text = charset == CHARSET_LATIN1 ? &b : &raw;
    *ret = text->len ? arena_str(a, sbuf_str(text)) : STR("");
    return str_is_utf8(*ret);
}

bool form_decode(struct str s, struct arena *a, struct str *ret)
{
    return decode_in(s, CHARSET_UTF8, a, ret);
}

/* a[b][c] to a__b__c, a[] to a; whatever is not of that form stays. */
static struct str plain_name(struct str name, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 4);
    const char *open = str_chr(name, '[');
    size_t base = open ? (size_t)(open - name.at) : 0;
    struct str rest = str_from(name, base), part;

    if (!base || memchr(name.at, ']', base))
        return name;
    sbuf_add(&b, (struct str){name.at, base});
    while (str_take(&rest, '[')) {
        const char *end = str_chr(rest, ']');

        part = (struct str){rest.at, end ? (size_t)(end - rest.at) : 0};
        if (!end || str_chr(part, '['))
            return name;
        if (part.len)
            sbuf_text(&b, "__");
        sbuf_add(&b, part);
        rest = str_from(rest, part.len + 1);
    }
    return rest.len ? name : arena_str(a, sbuf_str(&b));
}

struct form {
    struct field *fields;
    size_t n;
};

static enum refusal read_field(struct str text, enum charset charset, struct arena *a,
                               struct form *f, struct why *why)
{
    const char *equals = str_chr(text, '=');
    struct str name = {text.at, equals ? (size_t)(equals - text.at) : text.len};
    struct str value = equals ? str_from(text, name.len + 1) : STR("");

    if (f->n == FORM_FIELDS)
        return refuse(REFUSED_TOO_LARGE, why, "a form of more than %d fields", FORM_FIELDS);
    if (!decode_in(name, charset, a, &name) || !decode_in(value, charset, a, &value))
        return refuse(REFUSED_JSON, why,
                      "the form's field %zu is no text: a bad %% escape, a NUL, "
                      "or not in the charset that was told",
                      f->n + 1);
    if (name.len)
        f->fields[f->n++] = (struct field){plain_name(name, a), value};
    return REFUSED_NOT;
}

static enum refusal read_fields(struct str body, enum charset charset, struct arena *a,
                                struct form *f, struct why *why)
{
    struct str part;

    f->fields = arena_array(a, FORM_FIELDS, sizeof *f->fields);
    while (str_split(&body, '&', &part)) {
        enum refusal refused = part.len ? read_field(part, charset, a, f, why) : REFUSED_NOT;

        if (refused)
            return refused;
    }
    return f->n ? REFUSED_NOT : refuse(REFUSED_JSON, why, "the form has no fields");
}

static size_t count_same(const struct form *f, size_t from)
{
    size_t n = 0;

    for (size_t i = from; i < f->n; i++)
        n += str_eq(f->fields[i].name, f->fields[from].name);
    return n;
}

static bool is_first(const struct form *f, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(f->fields[i].name, f->fields[at].name))
            return false;
    return true;
}

static void write_field(struct sbuf *b, const struct form *f, size_t at)
{
    size_t n = count_same(f, at);

    json_key_str(b, f->fields[at].name);
    if (n > 1)
        json_open(b, '[');
    for (size_t i = at; i < f->n; i++)
        if (str_eq(f->fields[i].name, f->fields[at].name))
            json_str(b, f->fields[i].value);
    if (n > 1)
        json_close(b, ']');
}

/* charset=... among the parameters of a media type. */
static enum charset charset_of(struct str content_type)
{
    static const struct {
        const char *name;
        enum charset charset;
    } names[] = {{"utf-8", CHARSET_UTF8},
                 {"utf8", CHARSET_UTF8},
                 {"us-ascii", CHARSET_UTF8},
                 {"iso-8859-1", CHARSET_LATIN1},
                 {"latin1", CHARSET_LATIN1}};
    const struct str key = STR("charset=");
    struct str part;

    (void)str_split(&content_type, ';', &part); /* the type itself */
    while (str_split(&content_type, ';', &part)) {
        part = str_trim(part);
        if (part.len < key.len || !str_ieq((struct str){part.at, key.len}, key))
            continue;
        part = str_from(part, key.len);
        if (part.len >= 2 && part.at[0] == '"' && part.at[part.len - 1] == '"')
            part = (struct str){part.at + 1, part.len - 2};
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            if (str_ieq(part, str_of(names[i].name)))
                return names[i].charset;
        return CHARSET_UNKNOWN;
    }
    return CHARSET_UTF8;
}

enum refusal form_to_json(struct str body, struct str content_type, struct arena *a,
                          struct str *ret, struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 4); /* a few times the body */
    enum charset charset = charset_of(content_type);
    struct str start = str_trim(body);
    struct form form = {0};

    if (start.len && (start.at[0] == '{' || start.at[0] == '[')) /* escaped in any form */
        return refuse(REFUSED_MEDIA_TYPE, why, "the body is JSON, but is said to be a form");
    if (charset == CHARSET_UNKNOWN)
        return refuse(REFUSED_MEDIA_TYPE, why, "the form is neither in UTF-8 nor in ISO-8859-1");
    enum refusal refused = read_fields(body, charset, a, &form, why);
    if (refused)
        return refused;
    json_open(&b, '{');
    for (size_t i = 0; i < form.n; i++)
        if (is_first(&form, i))
            write_field(&b, &form, i);
    json_close(&b, '}');
    *ret = arena_str(a, sbuf_str(&b));
    return REFUSED_NOT;
}
