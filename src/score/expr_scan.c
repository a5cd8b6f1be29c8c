/* score/expr_scan.c - the words of an expression, each with its column. */
#include <stdio.h>
#include <string.h>

#include "expr_priv.h"

enum rc expr_vfail(struct expr_error *error, size_t column, const char *fmt, va_list args)
{
    if (error) {
        error->column = column;
        if (vsnprintf(error->text, sizeof error->text, fmt, args) < 0)
            error->text[0] = '\0';
    }
    return RC_INVALID;
}

enum rc expr_fail(struct expr_error *error, size_t column, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    enum rc rc = expr_vfail(error, column, fmt, args);
    va_end(args);
    return rc;
}

/* Longer ones first. Those with `instead` are what other languages say. */
static const struct symbol {
    const char *text;
    enum token_kind kind;
    enum op op;
    const char *instead;
} symbols[] = {
    {"===", .instead = "=="},
    {"!==", .instead = "!="},
    {"==", TOKEN_OPERATOR, OP_EQ, NULL},
    {"!=", TOKEN_OPERATOR, OP_NE, NULL},
    {"<=", TOKEN_OPERATOR, OP_LE, NULL},
    {">=", TOKEN_OPERATOR, OP_GE, NULL},
    {"=>", .instead = ">="},
    {"=<", .instead = "<="},
    {"<>", .instead = "!="},
    {"=~", .instead = "matches"},
    {"&&", .instead = "and"},
    {"||", .instead = "or"},
    {"<", TOKEN_OPERATOR, OP_LT, NULL},
    {">", TOKEN_OPERATOR, OP_GT, NULL},
    {"(", TOKEN_OPEN, .instead = NULL},
    {")", TOKEN_CLOSE, .instead = NULL},
    {"[", TOKEN_LIST_OPEN, .instead = NULL},
    {"]", TOKEN_LIST_CLOSE, .instead = NULL},
    {",", TOKEN_COMMA, .instead = NULL},
    {"=", .instead = "=="},
    {"!", .instead = "not"},
    {"&", .instead = "and"},
    {"|", .instead = "or"},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool in_name(char c)
{
    return starts_name(c) || is_digit(c) || c == '.' || c == '-';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str take_while(struct str s, bool (*belongs)(char))
{
    size_t n = 0;

    while (n < s.len && belongs(s.at[n]))
        n++;
    return (struct str){s.at, n};
}

static enum rc scan_number(struct str rest, struct token *t, size_t *ret_len,
                           struct expr_error *error)
{
    size_t sign = rest.at[0] == '-';
    size_t n = sign + take_while(str_from(rest, sign), is_digit).len;

    if (n + 1 < rest.len && rest.at[n] == '.' && is_digit(rest.at[n + 1]))
        n += 1 + take_while(str_from(rest, n + 1), is_digit).len;
    if (n < rest.len && in_name(rest.at[n])) {
        struct str word = {rest.at, n + take_while(str_from(rest, n), in_name).len};

        return expr_fail(error, t->column, "%.*s is no number; text goes in quotes",
                         STR_ARG(str_cut(word, 40)));
    }
    t->kind = TOKEN_NUMBER;
    t->text = (struct str){rest.at, n};
    *ret_len = n;
    return RC_OK;
}

/* rest starts with the quote; the closing one must be the same. */
static enum rc scan_text(struct str rest, struct arena *a, struct token *t, size_t *ret_len,
                         struct expr_error *error)
{
    char quote = rest.at[0], *to = arena_alloc(a, rest.len);
    size_t n = 0, i = 1;

    for (; i < rest.len && rest.at[i] != quote; i++) {
        if (rest.at[i] == '\\') {
            if (++i == rest.len)
                break;
            if (!strchr("\"'\\", rest.at[i]) || !rest.at[i])
                return expr_fail(
                    error, t->column + i - 1,
                    "after \\ only \", ' or \\ may follow; write \\\\ for a backslash");
        }
        to[n++] = rest.at[i];
    }
    if (i >= rest.len)
        return expr_fail(error, t->column, "the closing %c of this text is missing", quote);
    t->kind = TOKEN_TEXT;
    t->text = (struct str){to, n};
    *ret_len = i + 1;
    return RC_OK;
}

static enum rc unexpected(struct str rest, size_t column, struct expr_error *error)
{
    static const char *const curly[] = {"\xE2\x80\x9C", "\xE2\x80\x9D", "\xE2\x80\x98",
                                        "\xE2\x80\x99"};

    for (size_t i = 0; i < ARRAY_LEN(curly); i++)
        if (str_starts(rest, str_of(curly[i])))
            return expr_fail(error, column, "use plain quotes: \" or '");
    if (rest.at[0] == '.')
        return expr_fail(error, column, "a number starts with a digit: 0.5");
    if ((unsigned char)rest.at[0] < 0x20 || (unsigned char)rest.at[0] >= 0x7f)
        return expr_fail(error, column, "a character that means nothing outside quotes");
    return expr_fail(error, column, "%c means nothing here", rest.at[0]);
}

static enum rc scan_symbol(struct str rest, struct token *t, size_t *ret_len,
                           struct expr_error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
        const struct symbol *s = &symbols[i];

        if (!str_starts(rest, str_of(s->text)))
            continue;
        if (s->instead)
            return expr_fail(error, t->column, "use %s instead of %s", s->instead, s->text);
        t->kind = s->kind;
        t->op = s->op;
        t->text = str_of(s->text);
        *ret_len = t->text.len;
        return RC_OK;
    }
    return unexpected(rest, t->column, error);
}

enum rc expr_scan(struct str text, size_t *at, struct arena *a, struct token *ret,
                  struct expr_error *error)
{
    while (*at < text.len && is_blank(text.at[*at]))
        ++*at;
    struct token t = {.kind = TOKEN_END, .column = *at, .text = STR("")};
    struct str rest = str_from(text, *at);
    size_t len = 0;
    enum rc rc = RC_OK;
    if (rest.len && starts_name(rest.at[0])) {
        t.kind = TOKEN_NAME;
        t.text = take_while(rest, in_name);
        len = t.text.len;
    } else if (rest.len && (is_digit(rest.at[0]) ||
                            (rest.at[0] == '-' && rest.len > 1 && is_digit(rest.at[1])))) {
        rc = scan_number(rest, &t, &len, error);
    } else if (rest.len && (rest.at[0] == '"' || rest.at[0] == '\'')) {
        rc = scan_text(rest, a, &t, &len, error);
    } else if (rest.len) {
        rc = scan_symbol(rest, &t, &len, error);
    }
    if (rc)
        return rc;
    *at += len;
    *ret = t;
    return RC_OK;
}
