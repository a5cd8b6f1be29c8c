/* route/template.c - texts with {{name}} in them. */
#include <stdio.h>
#include <string.h>

#include "funneld/route/route.h"

enum { ALL_NAMES = EXPR_EVENT | EXPR_LEAD | EXPR_SCORE, TEMPLATE_MAX_TEXT = 32 * 1024 };

/* A text of its own, or a name with what stands for a missing value. */
struct piece {
    struct str text, name, fallback; /* name missing: text */
};

struct template
{
    const struct piece *pieces;
    size_t n;
};

static const struct extra {
    const char *name;
    size_t offset;
} extras[] = {
    {"reasons", offsetof(struct template_values, reasons)},
    {"lead.name_full", offsetof(struct template_values, name)},
    {"lead.url", offsetof(struct template_values, url)},
};

static const struct extra *extra_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(extras); i++)
        if (str_is(name, extras[i].name))
            return &extras[i];
    return NULL;
}

static enum rc refuse(struct expr_error *error, size_t column, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static enum rc refuse(struct expr_error *error, size_t column, const char *fmt, ...)
{
    if (error) {
        va_list args;

        va_start(args, fmt);
        error->column = column;
        if (vsnprintf(error->text, sizeof error->text, fmt, args) < 0)
            error->text[0] = '\0';
        va_end(args);
    }
    return RC_INVALID;
}

static enum rc check_name(struct str name, size_t column, struct expr_error *error)
{
    static const char *const names[] = {
        "event.type",     "event.source", "event.property", "event.value", "event.time",
        "event.data.KEY", "lead.NAME",    "lead.name_full", "lead.url",    "score",
        "score.previous", "score.band",   "reasons",
    };
    struct str shown = str_cut(name, 40);

    if (!name.len)
        return refuse(error, column, "a name is missing, as in {{lead.firstname}}");
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] && strchr(" \t\n\"'", name.at[i]))
            return refuse(error, column + i,
                          "| is missing before the text for a missing value: "
                          "{{lead.firstname | \"someone\"}}");
    if (extra_find(name) || expr_name_known(name, ALL_NAMES))
        return RC_OK;
    const char *near = conf_nearest(name, names, ARRAY_LEN(names));
    if (near)
        return refuse(error, column, "unknown name %.*s; did you mean %s?", STR_ARG(shown), near);
    if (!str_chr(name, '.'))
        return refuse(error, column, "unknown name %.*s; a property is {{lead.%.*s}}",
                      STR_ARG(shown), STR_ARG(shown));
    return refuse(error, column,
                  "unknown name %.*s; known are lead.NAME lead.name_full lead.url reasons score "
                  "score.band event.type event.value ...",
                  STR_ARG(shown));
}

/* The name in front of | or }}, which *at is left on. */
static enum rc read_name(struct str text, size_t *at, struct str *ret, struct expr_error *error)
{
    size_t from = *at, end = from;

    while (end < text.len && text.at[end] != '|' && text.at[end] != '}')
        end++;
    struct str raw = {text.at + from, end - from};
    *ret = str_trim(raw);
    *at = end;
    return check_name(*ret, ret->len ? (size_t)(ret->at - text.at) : end, error);
}

static size_t skip_blanks(struct str text, size_t at)
{
    while (at < text.len && strchr(" \t\n", text.at[at]) && text.at[at])
        at++;
    return at;
}

/* A text in quotes; *at stands behind it afterwards. */
static enum rc read_fallback(struct str text, size_t *at, struct arena *a, struct str *ret,
                             struct expr_error *error)
{
    size_t from = skip_blanks(text, *at), i = from + 1, n = 0;

    if (from >= text.len || (text.at[from] != '"' && text.at[from] != '\''))
        return refuse(error, from, "after | a text in quotes is missing: \"someone\"");
    char *to = arena_alloc(a, text.len - from);
    for (; i < text.len && text.at[i] != text.at[from]; i++) {
        if (text.at[i] == '\\' && i + 1 < text.len)
            i++;
        to[n++] = text.at[i];
    }
    if (i >= text.len)
        return refuse(error, from, "the closing %c of this text is missing", text.at[from]);
    *ret = (struct str){to, n};
    *at = i + 1;
    return RC_OK;
}

/* From behind {{ to behind }}. */
static enum rc read_placeholder(struct str text, size_t *at, struct arena *a, struct piece *ret,
                                struct expr_error *error)
{
    size_t open = *at - 2;
    struct piece p = {0};
    enum rc rc = read_name(text, at, &p.name, error);

    if (!rc && *at < text.len && text.at[*at] == '|') {
        ++*at;
        rc = read_fallback(text, at, a, &p.fallback, error);
    }
    if (rc)
        return rc;
    *at = skip_blanks(text, *at);
    if (!str_starts(str_from(text, *at), STR("}}")))
        return refuse(error, open, "the closing }} of this is missing");
    *at += 2;
    p.name = arena_str(a, p.name);
    *ret = p;
    return RC_OK;
}

static size_t count_pieces(struct str text)
{
    size_t n = 1;

    for (size_t i = 0; i + 1 < text.len; i++)
        n += text.at[i] == '{' && text.at[i + 1] == '{' ? 2 : 0;
    return n;
}

enum rc template_compile(struct str text, struct arena *a, const struct template **ret,
                         struct expr_error *error)
{
    struct template *t = ARENA_NEW(a, struct template);
    size_t at = 0;

    if (text.len > TEMPLATE_MAX_TEXT)
        return refuse(error, TEMPLATE_MAX_TEXT, "longer than %d bytes", TEMPLATE_MAX_TEXT);
    struct piece *pieces = arena_array(a, count_pieces(text), sizeof *pieces);
    while (at < text.len) {
        struct str rest = str_from(text, at);
        const char *open = str_find(rest, STR("{{"));
        size_t plain = open ? (size_t)(open - rest.at) : rest.len;

        if (plain)
            pieces[t->n++].text = arena_str(a, (struct str){rest.at, plain});
        at += plain;
        if (!open)
            break;
        at += 2;
        enum rc rc = read_placeholder(text, &at, a, &pieces[t->n++], error);
        if (rc)
            return rc;
    }
    t->pieces = pieces;
    *ret = t;
    return RC_OK;
}

/* Slack's three; in one pass, so that the & of an entity is not escaped again. */
static void write_escaped(struct sbuf *b, struct str value, enum escaping how)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}};
    size_t from = 0;

    for (size_t i = 0; i < value.len && how == ESCAPE_SLACK; i++)
        for (size_t k = 0; k < ARRAY_LEN(entities); k++)
            if (value.at[i] == entities[k].c) {
                sbuf_add(b, (struct str){value.at + from, i - from});
                sbuf_text(b, entities[k].entity);
                from = i + 1;
            }
    sbuf_add(b, str_from(value, from));
}

static struct str piece_value(const struct piece *p, const struct template_values *v,
                              struct arena *a)
{
    const struct extra *extra = extra_find(p->name);

    if (extra)
        return *(const struct str *)((const char *)v + extra->offset);
    return expr_name_value(p->name, &v->facts, a);
}

void template_write(const struct template *t, const struct template_values *v, enum escaping how,
                    struct arena *a, struct sbuf *b)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct piece *p = &t->pieces[i];
        struct str value = p->name.at ? piece_value(p, v, a) : p->text;

        if (!p->name.at)
            sbuf_add(b, p->text);
        else if (value.len)
            write_escaped(b, value, how);
        else
            sbuf_add(b, p->fallback);
    }
}
