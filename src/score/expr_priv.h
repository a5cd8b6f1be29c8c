/* expr_priv.h - what scanner, parser and evaluation of expressions share. */
#ifndef FUNNELD_SCORE_EXPR_PRIV_H
#define FUNNELD_SCORE_EXPR_PRIV_H

#include <stdarg.h>

#include "funneld/score/expr.h"

enum {
    EXPR_MAX_TEXT = 8192,
    EXPR_MAX_TESTS = 256,
    EXPR_MAX_DEPTH = 32, /* of ( ) and not */
};

enum token_kind {
    TOKEN_END,
    TOKEN_NAME, /* and the words: and or not in contains matches */
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_LIST_OPEN,
    TOKEN_LIST_CLOSE,
    TOKEN_COMMA,
    TOKEN_OPERATOR,
};

enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_IN, OP_CONTAINS, OP_MATCHES };

struct token {
    enum token_kind kind;
    enum op op; /* of TOKEN_OPERATOR */
    size_t column;
    struct str text; /* as written; without quotes and escapes for TOKEN_TEXT */
};

enum value_kind { VALUE_NULL, VALUE_TEXT, VALUE_NUMBER, VALUE_TIME };

struct value {
    enum value_kind kind;
    bool literal;
    struct str text; /* of VALUE_TEXT, and of a numeric literal, as written */
    double number;   /* of VALUE_NUMBER, and of VALUE_TIME in Unix milliseconds */
};

enum name_id {
    NAME_EVENT_TYPE,
    NAME_EVENT_SOURCE,
    NAME_EVENT_PROPERTY,
    NAME_EVENT_VALUE,
    NAME_EVENT_TIME,
    NAME_EVENT_DATA,
    NAME_LEAD,
    NAME_SCORE,
    NAME_PREVIOUS,
    NAME_BAND,
    NAME_PROBABILITY,
    NAME_PROBABILITY_BEFORE,
    NAME_CHURN,
    NAME_CHURN_BEFORE,
};

struct name {
    enum name_id id;
    struct str key; /* of event.data.KEY and lead.NAME */
};

struct operand {
    bool is_name;
    struct name name;
    struct value literal;
};

/* One comparison, and which one to look at next. */
struct test {
    enum op op;
    uint16_t on_true, on_false; /* index of a test, EXPR_YES or EXPR_NO */
    struct operand left;
    const struct operand *right; /* more than one with OP_IN only */
    size_t n_right;
};

enum { EXPR_YES = UINT16_MAX, EXPR_NO = UINT16_MAX - 1 };

/* The tree of and, or, not is gone after compiling: every test names its two successors, which
 * always have a smaller index, so that evaluating is a loop that ends. */
struct expr {
    unsigned uses;
    uint16_t first;
    size_t n_tests;
    const struct test *tests;
};

/* Sets the sentence (cut at its size) and returns RC_INVALID. error may be NULL. */
enum rc expr_fail(struct expr_error *error, size_t column, const char *fmt, ...) PRINTF_LIKE(3, 4);
enum rc expr_vfail(struct expr_error *error, size_t column, const char *fmt, va_list args);

/* The token at *at, which moves behind it. Text is unescaped into the arena. */
MUST_CHECK enum rc expr_scan(struct str text, size_t *at, struct arena *a, struct token *ret,
                             struct expr_error *error);

/* name->key is a slice of text. */
MUST_CHECK enum rc name_parse(struct str text, unsigned allowed, size_t column, struct name *ret,
                              struct expr_error *error);
unsigned name_uses(enum name_id id);
enum value_kind name_kind(enum name_id id); /* VALUE_TEXT, VALUE_NUMBER or VALUE_TIME */
struct value name_value(const struct name *name, const struct facts *f);

bool value_compare(const struct value *a, const struct value *b, int *ret_order);
bool text_contains(struct str text, struct str part);
bool text_matches(struct str text, struct str glob);

#endif
