/* tests/unit/test_expr_bounds.c - no expression reads behind a text, whatever stands in it. */
#include "cm.h"

#include <stdlib.h>
#include <string.h>

#include "../../src/score/expr_priv.h"
#include "exact.h"

enum { ALL = EXPR_EVENT | EXPR_LEAD | EXPR_SCORE };

static void a_text_may_hold_any_byte_but_not_behind_a_backslash(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct expr *e = NULL;
    struct expr_error error = {0};

    (void)state;
    assert_int_equal(expr_compile(STR("lead.zip == \"a\0b\""), ALL, &a, &e, &error), RC_OK);
    assert_int_equal(expr_compile(STR("lead.zip == \"a\\\0b\""), ALL, &a, &e, &error), RC_INVALID);
    assert_int_equal(error.column, 14);
    assert_non_null(strstr(error.text, "backslash"));
}

static void a_value_is_read_to_its_end_and_no_further(void **state)
{
    static const struct {
        const char *text, *value;
        bool expected;
    } cases[] = {
        {"event.value matches \"?\"", "x", true},
        {"event.value matches \"*?\"", "\xCE\xB1", true},
        {"event.value matches \"*y\"", "xx", false},
        {"event.value contains \"xy\"", "xx", false},
        {"event.value contains \"xx\"", "xx", true},
        {"event.value == 12.5", "12.50", true},
        {"event.value == 0", "00", true},
        {"event.value == 7", "07", true},
        {"event.value == 7", "-07", false},
        {"event.value == -7.5", "-07.500", true},
        {"event.value == 0", "0.0", true},
        {"event.value == 1", "-", false},
    };
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exact value = exact(cases[i].value);
        const struct event e = {.value = value.text};
        const struct facts f = {.event = &e};
        const struct expr *compiled = NULL;

        assert_int_equal(expr_compile(str_of(cases[i].text), ALL, &a, &compiled, NULL), RC_OK);
        if (expr_true(compiled, &f) != cases[i].expected)
            fail_msg("%s with %s is not %d", cases[i].text, cases[i].value, cases[i].expected);
        free(value.bytes);
    }
}

/* Both sides can come from outside, and the search is quadratic. */
static void a_part_that_is_too_long_is_not_looked_for(void **state)
{
    enum { LONGEST = 1024 };
    static char text[LONGEST + 2];
    struct field part = {.name = STR("part"), .value = {text, LONGEST}};
    const struct event long_event = {.value = {text, LONGEST + 1}, .data = &part, .n_data = 1};
    const struct facts f = {.event = &long_event};
    struct arena a AUTO(arena_free) = {0};
    const struct expr *e = NULL;

    (void)state;
    memset(text, 'x', LONGEST + 1);
    assert_int_equal(expr_compile(STR("event.value contains event.data.part"), ALL, &a, &e, NULL),
                     RC_OK);
    assert_true(expr_true(e, &f));
    part.value.len++;
    assert_false(expr_true(e, &f));
}

/* A pattern may come from anywhere as well. */
static void neither_pattern_nor_text_is_read_too_far(void **state)
{
    static const struct {
        const char *text, *pattern;
        bool matches, contains;
    } cases[] = {
        {"", "", true, true},         {"x", "", false, true},      {"", "*", true, false},
        {"", "?", false, false},      {"x", "x", true, true},      {"x", "X", true, true},
        {"xy", "x", false, true},     {"x", "xy", false, false},   {"xyz", "x*z", true, false},
        {"xyz", "x*y", false, false}, {"xyz", "*", true, false},   {"xyz", "xyz*", true, false},
        {"aab", "*ab", true, false},  {"xxx", "??", false, false}, {"\xCE\xB1x", "?x", true, false},
        {"x\xCE", "x?", true, false}, {"xxy", "xy", false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exact text = exact(cases[i].text), pattern = exact(cases[i].pattern);

        if (text_matches(text.text, pattern.text) != cases[i].matches ||
            text_contains(text.text, pattern.text) != cases[i].contains)
            fail_msg("%s and %s", cases[i].text, cases[i].pattern);
        free(text.bytes);
        free(pattern.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_may_hold_any_byte_but_not_behind_a_backslash),
        cmocka_unit_test(a_value_is_read_to_its_end_and_no_further),
        cmocka_unit_test(a_part_that_is_too_long_is_not_looked_for),
        cmocka_unit_test(neither_pattern_nor_text_is_read_too_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
