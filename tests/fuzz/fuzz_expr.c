/* tests/fuzz/fuzz_expr.c - expressions: an error has its place, and logic holds. */
#include "facts.h"

static const unsigned all = EXPR_EVENT | EXPR_LEAD | EXPR_SCORE;

static const struct expr *compiled(struct str text, struct arena *a)
{
    const struct expr *e = NULL;

    return expr_compile(text, all, a, &e, NULL) ? NULL : e;
}

static void is_like(struct str text, const struct expr *e, bool negated, struct arena *a)
{
    const struct expr *other = compiled(text, a);

    for (size_t i = 0; other && i < ARRAY_LEN(fuzz_facts); i++) /* NULL: it is too large by now */
        assert_int_equal(expr_true(other, &fuzz_facts[i]), negated != expr_true(e, &fuzz_facts[i]));
}

static void is_always(struct str text, bool value, struct arena *a)
{
    const struct expr *e = compiled(text, a);

    for (size_t i = 0; e && i < ARRAY_LEN(fuzz_facts); i++)
        assert_int_equal(expr_true(e, &fuzz_facts[i]), value);
}

static void check_logic(struct str text, const struct expr *e, struct arena *a)
{
    is_always(arena_printf(a, "(%.*s) or 1 == 1", STR_ARG(text)), true, a);
    is_always(arena_printf(a, "1 == 2 and (%.*s)", STR_ARG(text)), false, a);
    is_like(text, e, false, a);
    is_like(arena_printf(a, "not (%.*s)", STR_ARG(text)), e, true, a);
    is_like(arena_printf(a, "(%.*s) and (%.*s)", STR_ARG(text), STR_ARG(text)), e, false, a);
    is_like(arena_printf(a, "(%.*s) or not (%.*s) and 1 == 2", STR_ARG(text), STR_ARG(text)), e,
            false, a);
    is_like(arena_printf(a, "not ((%.*s) and 1 == 1)", STR_ARG(text)), e, true, a);
}

static void check_error(struct str text, const struct expr_error *error, struct arena *a)
{
    assert_true(error->column <= text.len);
    assert_true(error->text[0] && str_is_utf8(str_of(error->text)));
    assert_true(fuzz_holds(expr_caret(text, error, a), error->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct str text = fuzz_text(data, size);
    const struct expr *e = NULL, *rule = NULL;
    struct expr_error error = {0};

    if (memchr(text.at, '\0', text.len) || !str_is_utf8(text))
        return 0; /* the reader of the file lets neither through */
    if (expr_compile(text, all, &a, &e, &error)) {
        assert_null(e);
        check_error(text, &error, &a);
        return 0;
    }
    assert_int_equal(expr_uses(e) & ~all, 0);
    check_logic(text, e, &a);
    /* A rule may say the same unless it looks at the score. */
    enum rc rc = expr_compile(text, EXPR_EVENT | EXPR_LEAD, &a, &rule, NULL);
    assert_int_equal(rc == RC_OK, !(expr_uses(e) & EXPR_SCORE));
    return 0;
}
