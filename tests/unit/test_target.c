/* tests/unit/test_target.c - which rows of a table had which outcome. */
#include "cm.h"

#include <string.h>

#include "../../src/cli/target.h"

static struct arena arena;

static struct target parsed(const char *text)
{
    struct target t = {0};

    if (target_parse(str_of(text), &t, &arena, NULL) != RC_OK)
        fail_msg("%s is refused", text);
    return t;
}

static void a_value_alone_stands_against_all_others(void **state)
{
    struct target t = parsed("Converted=1");

    (void)state;
    assert_true(str_is(t.column, "Converted"));
    assert_int_equal(target_class(&t, STR("1")), TARGET_POSITIVE);
    assert_int_equal(target_class(&t, STR(" 1\r")), TARGET_POSITIVE);
    assert_int_equal(target_class(&t, STR("0")), TARGET_NEGATIVE);
    assert_int_equal(target_class(&t, STR("maybe")), TARGET_NEGATIVE);
    assert_int_equal(target_class(&t, STR("")), TARGET_UNKNOWN);
    assert_int_equal(target_class(&t, STR(" ")), TARGET_UNKNOWN);
    assert_int_equal(target_class(&t, STR_NULL), TARGET_UNKNOWN);
}

static void with_both_values_others_are_not_known(void **state)
{
    struct target t = parsed("deal stage=Won:Lost");

    (void)state;
    assert_true(str_is(t.column, "deal stage"));
    assert_int_equal(target_class(&t, STR("WON")), TARGET_POSITIVE);
    assert_int_equal(target_class(&t, STR("lost")), TARGET_NEGATIVE);
    assert_int_equal(target_class(&t, STR("Engaging")), TARGET_UNKNOWN);
}

static void a_colon_of_a_value_is_written_with_a_backslash(void **state)
{
    struct target t = parsed("stage=4\\: won:5\\:lost");

    (void)state;
    assert_true(str_is(t.positive, "4: won"));
    assert_true(str_is(t.negative, "5:lost"));
    t = parsed("path=C:\\x");
    assert_true(str_is(t.positive, "C"));
    assert_true(str_is(t.negative, "\\x"));
}

static void what_is_no_target_is_refused_with_the_reason(void **state)
{
    static const char *const wrong[] = {
        "", "Converted", "=1", "a=", "a=:b", "a=b:", "a=Yes:yes", "a=1:2:3"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct target t = {0};
        struct why why = {0};

        assert_int_equal(target_parse(str_of(wrong[i]), &t, &arena, &why), RC_INVALID);
        assert_true(strlen(why.text) > 0);
        assert_null(t.column.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_alone_stands_against_all_others),
        cmocka_unit_test(with_both_values_others_are_not_known),
        cmocka_unit_test(a_colon_of_a_value_is_written_with_a_backslash),
        cmocka_unit_test(what_is_no_target_is_refused_with_the_reason),
    };

    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
