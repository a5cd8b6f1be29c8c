/* route/template.c - texts with {{name}} in them. */
#include "template_priv.h"

#include <stdio.h>
#include <string.h>

enum {
    ALL_NAMES = EXPR_EVENT | EXPR_LEAD | EXPR_SCORE,
    TEMPLATE_MAX_TEXT = 32 * 1024,
    NESTED_MAX = 16,
    NAMES_MAX = 500,
};

/* A template that is being read. */
struct reading {
    struct str text;
    size_t at; /* up to where */
    struct arena *arena;
    struct expr_error *error;
    struct piece *pieces;
    size_t n, n_names;
    size_t open[NESTED_MAX]; /* pieces whose {{/name}} is still to come ... */
    size_t column[NESTED_MAX];
    size_t depth;
};

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
        "event.type",
        "event.source",
        "event.property",
        "event.value",
        "event.time",
        "event.data.KEY",
        "lead.NAME",
        "lead.name_full",
        "lead.url",
        "score",
        "score.previous",
        "score.band",
        "reasons",
        "probability",
        "probability.previous",
        "probability.reasons",
        "churn",
        "churn.previous",
        "churn.reasons",
    };
    struct str shown = str_cut(name, 40);

    if (!name.len)
        return refuse(error, column, "a name is missing, as in {{lead.firstname}}");
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] && strchr(" \t\n\"'", name.at[i]))
            return refuse(error, column + i,
                          "| is missing before the text for a missing value, or a filter: "
                          "{{lead.firstname | \"someone\"}}");
    if (template_extra(name) || expr_name_known(name, ALL_NAMES))
        return RC_OK;
    const char *near = conf_nearest(name, names, ARRAY_LEN(names));
    if (near)
        return refuse(error, column, "unknown name %.*s; did you mean %s?", STR_ARG(shown), near);
    if (!str_chr(name, '.'))
        return refuse(error, column, "unknown name %.*s; a property is {{lead.%.*s}}",
                      STR_ARG(shown), STR_ARG(shown));
    return refuse(error, column,
                  "unknown name %.*s; known are lead.NAME lead.name_full lead.url reasons score "
                  "score.band probability churn event.type event.value ...",
                  STR_ARG(shown));
}

/* The name in front of | or }}, which at is left on. */
static enum rc read_name(struct reading *r, struct str *ret)
{
    size_t end = r->at;

    while (end < r->text.len && r->text.at[end] != '|' && r->text.at[end] != '}')
        end++;
    struct str name = str_trim((struct str){r->text.at + r->at, end - r->at});
    r->at = end;
    *ret = arena_str(r->arena, name);
    return check_name(name, name.len ? (size_t)(name.at - r->text.at) : end, r->error);
}

static void skip_blanks(struct reading *r)
{
    while (r->at < r->text.len && r->text.at[r->at] && strchr(" \t\n", r->text.at[r->at]))
        r->at++;
}

/* A text in quotes; at stands behind it afterwards. */
static enum rc read_default(struct reading *r, struct filter_call *ret)
{
    struct str text = r->text;
    size_t from = r->at, i = from + 1, n = 0;
    char *to = arena_alloc(r->arena, text.len - from);

    for (; i < text.len && text.at[i] != text.at[from]; i++) {
        if (text.at[i] == '\\' && i + 1 < text.len)
            i++;
        to[n++] = text.at[i];
    }
    if (i >= text.len)
        return refuse(r->error, from, "the closing %c of this text is missing", text.at[from]);
    *ret = (struct filter_call){.text = {to, n}};
    r->at = i + 1;
    return RC_OK;
}

static enum rc read_filter(struct reading *r, struct filter_call *ret)
{
    size_t from = r->at;
    struct why why = {0};
    struct str bad;

    while (r->at < r->text.len && !strchr("|}\"'", r->text.at[r->at]))
        r->at++;
    struct str word = str_trim((struct str){r->text.at + from, r->at - from});
    if (filter_parse(word, ret, &bad, &why))
        return refuse(r->error, bad.len ? (size_t)(bad.at - r->text.at) : from, "%s", why.text);
    return RC_OK;
}

/* Whatever stands behind the name, each behind its |. */
static enum rc read_filters(struct reading *r, struct piece *p)
{
    struct filter_call *calls = arena_array(r->arena, FILTERS_MAX, sizeof *calls);
    enum rc rc = RC_OK;

    p->filters = calls;
    while (rc == RC_OK && r->at < r->text.len && r->text.at[r->at] == '|') {
        size_t bar = r->at++;

        if (p->n_filters == FILTERS_MAX)
            return refuse(r->error, bar, "more than %d filters", FILTERS_MAX);
        skip_blanks(r);
        bool quoted =
            r->at < r->text.len && (r->text.at[r->at] == '"' || r->text.at[r->at] == '\'');
        rc = quoted ? read_default(r, &calls[p->n_filters++])
                    : read_filter(r, &calls[p->n_filters++]);
        skip_blanks(r);
    }
    return rc;
}

static enum piece_kind read_kind(struct reading *r)
{
    static const char marks[] = "#^/";
    const char *mark;

    skip_blanks(r);
    if (r->at >= r->text.len || !r->text.at[r->at] || !(mark = strchr(marks, r->text.at[r->at])))
        return PIECE_VALUE;
    r->at++;
    return (enum piece_kind)(PIECE_IF + (mark - marks));
}

/* {{#name}} and {{/name}} find each other. */
static enum rc nest(struct reading *r, struct piece *p, size_t column)
{
    if (p->kind == PIECE_VALUE)
        return RC_OK;
    if (p->n_filters)
        return refuse(r->error, column, "{{# {{^ and {{/ take a name alone, without |");
    if (p->kind != PIECE_END) {
        if (r->depth == NESTED_MAX)
            return refuse(r->error, column, "sections are nested more than %d deep", NESTED_MAX);
        r->column[r->depth] = column;
        r->open[r->depth++] = r->n;
        return RC_OK;
    }
    struct str shown = str_cut(p->text, 40);
    if (!r->depth)
        return refuse(r->error, column, "there is no {{#%.*s}} for this", STR_ARG(shown));
    struct piece *open = &r->pieces[r->open[--r->depth]];
    struct str wanted = str_cut(open->text, 40);
    if (!str_eq(open->text, p->text))
        return refuse(r->error, column, "{{/%.*s}} must come first", STR_ARG(wanted));
    open->end = r->n;
    return RC_OK;
}

/* From behind {{ to behind }}. */
static enum rc read_tag(struct reading *r)
{
    size_t open = r->at - 2;
    struct piece p = {.kind = read_kind(r)};
    enum rc rc = read_name(r, &p.text);

    if (rc == RC_OK)
        rc = read_filters(r, &p);
    if (rc)
        return rc;
    if (!str_starts(str_from(r->text, r->at), STR("}}")))
        return refuse(r->error, open, "the closing }} of this is missing");
    if (++r->n_names > NAMES_MAX)
        return refuse(r->error, open, "more than %d names in one text", NAMES_MAX);
    r->at += 2;
    rc = nest(r, &p, open);
    if (rc == RC_OK)
        r->pieces[r->n++] = p;
    return rc;
}

static size_t blanks_before(struct str text, size_t at)
{
    size_t n = 0;

    while (n < at && (text.at[at - n - 1] == ' ' || text.at[at - n - 1] == '\t'))
        n++;
    return n;
}

/* A {{#, {{^ or {{/ that has its line for itself leaves no line behind: the blanks before it are
 * taken back, those behind it skipped. `open`: where it begins; `plain`: the text before it. */
static void close_line(struct reading *r, size_t open, struct piece *plain)
{
    size_t before = blanks_before(r->text, open), behind = r->at;

    while (behind < r->text.len && (r->text.at[behind] == ' ' || r->text.at[behind] == '\t'))
        behind++;
    if ((open > before && r->text.at[open - before - 1] != '\n') ||
        (behind < r->text.len && r->text.at[behind] != '\n'))
        return;
    if (plain)
        plain->text.len -= before < plain->text.len ? before : plain->text.len;
    r->at = behind < r->text.len ? behind + 1 : behind;
}

static struct piece *read_plain(struct reading *r)
{
    struct str rest = str_from(r->text, r->at);
    const char *open = str_find(rest, STR("{{"));
    size_t plain = open ? (size_t)(open - rest.at) : rest.len;

    r->at += plain;
    if (!plain)
        return NULL;
    r->pieces[r->n] = (struct piece){.text = arena_str(r->arena, (struct str){rest.at, plain})};
    return &r->pieces[r->n++];
}

static enum rc read_all(struct reading *r)
{
    while (r->at < r->text.len) {
        struct piece *plain = read_plain(r);
        size_t open = r->at;

        if (open == r->text.len)
            break;
        r->at += 2;
        enum rc rc = read_tag(r);
        if (rc)
            return rc;
        if (r->pieces[r->n - 1].kind != PIECE_VALUE)
            close_line(r, open, plain);
    }
    if (!r->depth)
        return RC_OK;
    struct str name = str_cut(r->pieces[r->open[r->depth - 1]].text, 40);
    return refuse(r->error, r->column[r->depth - 1], "the {{/%.*s}} of this is missing",
                  STR_ARG(name));
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
    struct reading r = {.text = text, .arena = a, .error = error};
    struct template *t = ARENA_NEW(a, struct template);

    if (text.len > TEMPLATE_MAX_TEXT)
        return refuse(error, TEMPLATE_MAX_TEXT, "longer than %d bytes", TEMPLATE_MAX_TEXT);
    r.pieces = arena_array(a, count_pieces(text), sizeof *r.pieces);
    enum rc rc = read_all(&r);
    if (rc)
        return rc;
    *t = (struct template){r.pieces, r.n};
    *ret = t;
    return RC_OK;
}
