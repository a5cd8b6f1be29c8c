/* score/expr_parse.c - from the words of an expression to its tests, or to a sentence why not. */
#include <stdlib.h>
#include <string.h>

#include "expr_priv.h"
#include "funneld/base/clock.h"

enum node_kind { NODE_TEST, NODE_AND, NODE_OR, NODE_NOT };

struct node {
    enum node_kind kind;
    const struct node *a, *b;
    struct test test;
};

struct parser {
    struct str text;
    size_t at;
    struct token token;
    unsigned allowed, uses;
    size_t depth, n_tests;
    struct arena *keep;   /* of the caller: what the compiled expression holds */
    struct arena scratch; /* tree and words, until compiling is over */
    struct expr_error *error;
};

/* NULL, or false, for whoever could not go on. */
static void *refuse(struct parser *p, size_t column, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void *refuse(struct parser *p, size_t column, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)expr_vfail(p->error, column, fmt, args); /* always RC_INVALID */
    va_end(args);
    return NULL;
}

static const struct {
    const char *word;
    enum op op;
} word_operators[] = {{"in", OP_IN}, {"contains", OP_CONTAINS}, {"matches", OP_MATCHES}};

static bool advance(struct parser *p)
{
    return expr_scan(p->text, &p->at, &p->scratch, &p->token, p->error) == RC_OK;
}

static bool at_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_NAME && str_is(p->token.text, word);
}

static bool at_operator(const struct parser *p, enum op *ret)
{
    if (p->token.kind == TOKEN_OPERATOR) {
        *ret = p->token.op;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(word_operators); i++)
        if (at_word(p, word_operators[i].word)) {
            *ret = word_operators[i].op;
            return true;
        }
    return false;
}

static bool at_reserved(const struct parser *p)
{
    enum op op;

    return at_word(p, "and") || at_word(p, "or") || at_word(p, "not") || at_operator(p, &op);
}

static struct node *node_new(struct parser *p, enum node_kind kind, const struct node *a,
                             const struct node *b)
{
    struct node *n = ARENA_NEW(&p->scratch, struct node);

    *n = (struct node){.kind = kind, .a = a, .b = b};
    return n;
}

static struct value literal_of(const struct parser *p, enum value_kind kind)
{
    return (struct value){.kind = kind, .literal = true, .text = arena_str(p->keep, p->token.text)};
}

static bool parse_operand(struct parser *p, struct operand *ret)
{
    const struct token t = p->token;
    struct operand o = {0};

    if (t.kind == TOKEN_NAME && !at_reserved(p)) {
        if (name_parse(t.text, p->allowed, t.column, &o.name, p->error))
            return false;
        o.is_name = true;
        o.name.key = arena_str(p->keep, o.name.key);
        p->uses |= name_uses(o.name.id);
    } else if (t.kind == TOKEN_NUMBER) {
        o.literal = literal_of(p, VALUE_NUMBER);
        (void)str_decimal(t.text, &o.literal.number); /* the scanner knows what a number is */
    } else if (t.kind == TOKEN_TEXT) {
        o.literal = literal_of(p, VALUE_TEXT);
    } else if (t.kind == TOKEN_END) {
        return refuse(p, t.column, "a name, a number or a text in quotes is missing at the end");
    } else {
        return refuse(p, t.column, "a name, a number or a text in quotes is missing before %.*s",
                      STR_ARG(t.text));
    }
    *ret = o;
    return advance(p);
}

static bool is_band(struct str text)
{
    for (int b = 0; b < BAND_COUNT; b++)
        if (str_is(text, band_name((enum band)b)))
            return true;
    return false;
}

static bool band_fits(struct parser *p, const struct value *literal, size_t column)
{
    if (literal->kind == VALUE_TEXT && is_band(literal->text))
        return true;
    return refuse(p, column, "score.band is \"cold\", \"warm\" or \"hot\"");
}

/* What can be said of a literal beside a name is said, or done, when compiling. */
static bool literal_fits(struct parser *p, const struct operand *name, struct operand *literal,
                         size_t column)
{
    struct value *v = &literal->literal;
    enum value_kind kind;
    int64_t ms;

    if (!name->is_name || literal->is_name)
        return true;
    if (name->name.id == NAME_BAND)
        return band_fits(p, v, column);
    kind = name_kind(name->name.id);
    if (v->kind != VALUE_TEXT || kind == VALUE_TEXT)
        return true;
    if (kind == VALUE_NUMBER) {
        if (!str_decimal(v->text, &v->number))
            return refuse(p, column, "a score is compared with a number");
        v->kind = VALUE_NUMBER;
        return true;
    }
    if (!time_parse(v->text, &ms))
        return refuse(p, column,
                      "event.time is compared with a date: \"2026-01-31\" or "
                      "\"2026-01-31T08:00:00Z\"");
    *v = (struct value){.kind = VALUE_TIME, .literal = true, .number = (double)ms};
    return true;
}

static bool is_text(const struct operand *o)
{
    return o->is_name ? name_kind(o->name.id) == VALUE_TEXT : o->literal.text.at != NULL;
}

static bool test_fits(struct parser *p, const struct test *t, const struct token *op, size_t column)
{
    bool search = t->op == OP_CONTAINS || t->op == OP_MATCHES;
    bool order = t->op == OP_LT || t->op == OP_LE || t->op == OP_GT || t->op == OP_GE;
    const struct operand *right = t->right;

    if (search && (!is_text(&t->left) || !is_text(right)))
        return refuse(p, op->column, "%.*s works on text only", STR_ARG(op->text));
    if (t->op == OP_MATCHES && right->is_name)
        return refuse(p, column, "matches takes a pattern in quotes");
    if (order && ((t->left.is_name && t->left.name.id == NAME_BAND) ||
                  (right->is_name && right->name.id == NAME_BAND)))
        return refuse(p, op->column,
                      "bands have no order; write score.band in (\"warm\", \"hot\")");
    return true;
}

/* ("a", "b") or ["a", "b"] */
static bool parse_list(struct parser *p, struct test *t)
{
    enum token_kind close = p->token.kind == TOKEN_OPEN ? TOKEN_CLOSE : TOKEN_LIST_CLOSE;
    struct operand *items = NULL;
    size_t n = 0, cap = 0;

    if (p->token.kind != TOKEN_OPEN && p->token.kind != TOKEN_LIST_OPEN)
        return refuse(p, p->token.column, "in takes a list: in (\"a\", \"b\")");
    do {
        items = arena_more(&p->scratch, items, n, &cap, sizeof *items);
        if (!advance(p))
            return false;
        size_t column = p->token.column;
        if (!parse_operand(p, &items[n]) || !literal_fits(p, &t->left, &items[n], column) ||
            !literal_fits(p, &items[n], &t->left, column))
            return false;
        n++;
    } while (p->token.kind == TOKEN_COMMA);
    if (p->token.kind != close)
        return refuse(p, p->token.column, "a comma or the closing %c is missing",
                      close == TOKEN_CLOSE ? ')' : ']');
    struct operand *kept = arena_array(p->keep, n, sizeof *kept);
    memcpy(kept, items, n * sizeof *kept);
    t->right = kept;
    t->n_right = n;
    return advance(p);
}

static bool parse_right(struct parser *p, struct test *t, const struct token *op,
                        size_t left_column)
{
    size_t column = p->token.column;
    struct operand *right;

    if (t->op == OP_IN)
        return parse_list(p, t);
    right = ARENA_NEW(p->keep, struct operand);
    if (!parse_operand(p, right))
        return false;
    t->right = right;
    t->n_right = 1;
    return test_fits(p, t, op, column) && literal_fits(p, &t->left, right, column) &&
           literal_fits(p, right, &t->left, left_column);
}

/* A word that is no name has a sentence of its own, which is set when this is true. */
static bool at_unknown_name(struct parser *p)
{
    struct name ignored;

    return p->token.kind == TOKEN_NAME && !at_reserved(p) &&
           name_parse(p->token.text, p->allowed, p->token.column, &ignored, p->error) != RC_OK;
}

/* What stands where only `and`, `or` or an end may follow. */
static void *refuse_rest(struct parser *p, const char *missing)
{
    if (at_unknown_name(p))
        return NULL;
    return refuse(p, p->token.column, "%s is missing before %.*s", missing,
                  STR_ARG(str_cut(p->token.text, 40)));
}

static struct node *no_operator(struct parser *p, const struct token *left)
{
    struct str shown = str_cut(left->text, 40);

    if (at_word(p, "not"))
        return refuse(p, p->token.column, "write not before what it denies: not %.*s ...",
                      STR_ARG(shown));
    if (p->token.kind == TOKEN_END || p->token.kind == TOKEN_CLOSE || at_reserved(p))
        return refuse(p, left->column,
                      "%.*s is compared with nothing; write for example %.*s == \"text\"",
                      STR_ARG(shown), STR_ARG(shown));
    if (at_unknown_name(p))
        return NULL;
    return refuse(p, p->token.column,
                  "a comparison is missing here: == != < <= > >= in contains matches");
}

static struct node *parse_comparison(struct parser *p)
{
    const struct token left = p->token;
    struct test t = {0};
    enum op op;

    if (!parse_operand(p, &t.left))
        return NULL;
    const struct token operator_token = p->token;
    if (!at_operator(p, &t.op))
        return no_operator(p, &left);
    if (!advance(p) || !parse_right(p, &t, &operator_token, left.column))
        return NULL;
    if (at_operator(p, &op))
        return refuse(p, p->token.column, "comparisons cannot be chained; write a < b and b < c");
    if (++p->n_tests > EXPR_MAX_TESTS)
        return refuse(p, left.column, "more than %d comparisons", EXPR_MAX_TESTS);
    struct node *n = node_new(p, NODE_TEST, NULL, NULL);
    n->test = t;
    return n;
}

static struct node *parse_or(struct parser *p);

static struct node *parse_group(struct parser *p)
{
    size_t column = p->token.column;

    if (!advance(p))
        return NULL;
    struct node *inner = parse_or(p);
    if (!inner)
        return NULL;
    if (p->token.kind == TOKEN_END)
        return refuse(p, column, "the closing ) of this is missing");
    if (p->token.kind != TOKEN_CLOSE)
        return refuse_rest(p, "and, or or )");
    return advance(p) ? inner : NULL;
}

static struct node *parse_not(struct parser *p)
{
    bool deny = at_word(p, "not");
    struct node *n;

    if (!deny && p->token.kind != TOKEN_OPEN)
        return parse_comparison(p);
    if (++p->depth > EXPR_MAX_DEPTH)
        return refuse(p, p->token.column, "nested more than %d deep", EXPR_MAX_DEPTH);
    if (deny)
        n = advance(p) ? parse_not(p) : NULL;
    else
        n = parse_group(p);
    p->depth--;
    return n && deny ? node_new(p, NODE_NOT, n, NULL) : n;
}

static struct node *parse_chain(struct parser *p, const char *word, enum node_kind kind,
                                struct node *(*part)(struct parser *))
{
    struct node *n = part(p);

    while (n && at_word(p, word)) {
        struct node *right = advance(p) ? part(p) : NULL;

        n = right ? node_new(p, kind, n, right) : NULL;
    }
    return n;
}

static struct node *parse_and(struct parser *p)
{
    return parse_chain(p, "and", NODE_AND, parse_not);
}

static struct node *parse_or(struct parser *p)
{
    return parse_chain(p, "or", NODE_OR, parse_and);
}

static struct node *parse_all(struct parser *p)
{
    if (p->text.len > EXPR_MAX_TEXT)
        return refuse(p, EXPR_MAX_TEXT, "longer than %d bytes", EXPR_MAX_TEXT);
    if (!advance(p))
        return NULL;
    if (p->token.kind == TOKEN_END)
        return refuse(p, 0, "the condition is empty");
    struct node *n = parse_or(p);
    if (!n || p->token.kind == TOKEN_END)
        return n;
    if (p->token.kind == TOKEN_CLOSE)
        return refuse(p, p->token.column, "this ) closes nothing");
    return refuse_rest(p, "and or or");
}

/* Lays the tests out from right to left, so that each knows its successors; returns where n
 * begins. At most EXPR_MAX_TESTS deep. */
static uint16_t lay_out(const struct node *n, uint16_t yes, uint16_t no, struct test *tests,
                        uint16_t *count)
{
    switch (n->kind) {
    case NODE_AND:
        return lay_out(n->a, lay_out(n->b, yes, no, tests, count), no, tests, count);
    case NODE_OR:
        return lay_out(n->a, yes, lay_out(n->b, yes, no, tests, count), tests, count);
    case NODE_NOT:
        return lay_out(n->a, no, yes, tests, count);
    default:
        tests[*count] = n->test;
        tests[*count].on_true = yes;
        tests[*count].on_false = no;
        return (*count)++;
    }
}

enum rc expr_compile(struct str text, unsigned allowed, struct arena *a, const struct expr **ret,
                     struct expr_error *error)
{
    struct parser p = {.text = text, .allowed = allowed, .keep = a, .error = error};
    const struct node *root = parse_all(&p);

    if (root) {
        struct expr *e = ARENA_NEW(a, struct expr);
        struct test *tests = arena_array(a, p.n_tests, sizeof *tests);
        uint16_t count = 0;

        *e = (struct expr){.uses = p.uses, .tests = tests, .n_tests = p.n_tests};
        e->first = lay_out(root, EXPR_YES, EXPR_NO, tests, &count);
        *ret = e;
    }
    arena_free(&p.scratch);
    return root ? RC_OK : RC_INVALID;
}
