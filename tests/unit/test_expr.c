/* tests/unit/test_expr.c - what conditions mean, and where they are wrong. */
#include "cm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/sbuf.h"
#include "funneld/score/expr.h"

enum { ALL = EXPR_EVENT | EXPR_LEAD | EXPR_SCORE, RULE = EXPR_EVENT | EXPR_LEAD };

#include "exact.h"
#include "expr_cases.h"

static const struct field data[] = {
    {{"plan", 4}, {"Pro-Plan", 8}},
    {{"utm__source", 11}, {"news", 4}},
    {{"a-b.c", 5}, {"x", 1}},
    {{"big", 3}, {"9007199254740993", 16}},
    {{"nothing", 7}, {NULL, 0}},
    {{"empty", 5}, {"", 0}},
    {{"quote", 5}, {"say \"hi\" \\", 10}},
    {{"greek", 5}, {"\xCE\xB1\xCE\xB2\xCE\xB3", 6}},
    {{"minus", 5}, {"-12.50", 6}},
    {{"exp", 3}, {"1e3", 3}},
    {{"pad", 3}, {"007.0", 5}},
    {{"date", 4}, {"2026-01-02", 10}},
    {{"az", 2}, {"az[@`{", 6}},
};

static struct property properties[] = {
    {.name = {"amount", 6}, .value = {"12.5", 4}},
    {.name = {"cleared", 7}, .value = {"", 0}},
    {.name = {"company", 7}, .value = {"Analytical Engines Ltd", 22}},
    {.name = {"email", 5}, .value = {"ada@example.com", 15}},
    {.name = {"limit", 5}, .value = {"12.50", 5}},
    {.name = {"zip", 3}, .value = {"9", 1}},
};

static const struct event event = {
    .source = {"hubspot", 7},
    .type = {"contact.propertyChange", 22},
    .property = {"demo_requested", 14},
    .value = {"true", 4},
    .occurred_at = INT64_C(1767225600000), /* 2026-01-01 */
    .data = data,
    .n_data = sizeof data / sizeof data[0],
};

static const struct lead lead = {
    .properties = properties,
    .n_properties = sizeof properties / sizeof properties[0],
};

static const struct facts facts = {.event = &event,
                                   .lead = &lead,
                                   .score = 800,
                                   .previous = 799,
                                   .band = BAND_HOT,
                                   .probability = {true, 725},
                                   .previous_probability = 699,
                                   .previous_churn = 205};

static enum rc compile_exactly(const char *text, struct arena *a, const struct expr **ret,
                               struct expr_error *error)
{
    struct exact copy = exact(text);
    enum rc rc = expr_compile(copy.text, ALL, a, ret, error);

    free(copy.bytes);
    return rc;
}

static void an_expression_means_what_the_table_says(void **state)
{
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
        const struct expr *e = NULL;
        struct expr_error error = {0};

        if (compile_exactly(meanings[i].text, &a, &e, &error))
            fail_msg("%s\ncolumn %zu: %s", meanings[i].text, error.column, error.text);
        if (expr_true(e, &facts) != meanings[i].expected)
            fail_msg("%s is not %d", meanings[i].text, meanings[i].expected);
    }
}

static const struct {
    const char *text;
    size_t column;
    const char *says; /* a part of the sentence */
} errors[] = {
    {"", 0, "empty"},
    {"  \n ", 0, "empty"},
    {"event.proprty == \"x\"", 0, "did you mean event.property?"},
    {"churn.prevous < 1", 0, "did you mean churn.previous?"},
    {"score >= 80 and event.tpye == \"x\"", 16, "did you mean event.type?"},
    {"event.email == \"x\"", 0, "event.data.email"},
    {"firstname == \"Ada\"", 0, "lead.firstname"},
    {"_first == \"Ada\"", 0, "lead._first"},
    {"Zip == 1", 0, "lead.Zip"},
    {"Age == 1", 0, "lead.Age"},
    {"zip == 1", 0, "lead.zip"},
    {"age == 1", 0, "lead.age"},
    {"contact.firstname == \"Ada\"", 0, "known are event.type"},
    {"event.value == true", 15, "\"true\""},
    {"event.value == null", 15, "missing"},
    {"lead == \"x\"", 0, "lead.NAME"},
    {"lead. == \"x\"", 0, "lead.NAME"},
    {"event.value = \"x\"", 12, "use == instead of ="},
    {"score => 5", 6, "use >= instead of =>"},
    {"score === 5", 6, "use == instead of ==="},
    {"score !== 5", 6, "use != instead of !=="},
    {"score <> 5", 6, "use != instead of <>"},
    {"score > 5 && score < 9", 10, "use and instead of &&"},
    {"! score > 5", 0, "use not instead of !"},
    {"score > 5 AND score < 9", 10, "lower case"},
    {"score > 5 and and score < 9", 14, "missing before and"},
    {"score > or", 8, "missing before or"},
    {"score > not", 8, "missing before not"},
    {"score > 5 score < 9", 10, "and or or is missing"},
    {"1 < score < 9", 10, "chained"},
    {"score == 1 == 1", 11, "chained"},
    {"event.source in (\"a\") in (\"b\")", 22, "chained"},
    {"event.value == \"x", 15, "closing \""},
    {"event.value == 'x\"", 15, "closing '"},
    {"event.value == \"x\\\"", 15, "closing \""},
    {"event.value == \"a\\n\"", 17, "backslash"},
    {"event.value == \xE2\x80\x9Cx\xE2\x80\x9D", 15, "plain quotes"},
    {"event.value == \xE2\x80\x98x", 15, "plain quotes"},
    {"score > \xE2\x80\x9D", 8, "plain quotes"},
    {"score > \xE2\x80\x99", 8, "plain quotes"},
    {"event.value ==", 14, "missing at the end"},
    {"== 5", 0, "missing before =="},
    {"event.value", 0, "compared with nothing"},
    {"event.value and score > 5", 0, "compared with nothing"},
    {"event.value \"x\"", 12, "comparison is missing"},
    {"event.value LIKE \"x\"", 12, "matches"},
    {"event.value not in (\"x\")", 12, "write not before"},
    {"(score > 5", 0, "closing )"},
    {"(score > 5 score", 11, "and, or or )"},
    {"(score > 5) \"x", 12, "closing \""},
    {"score > 5)", 9, "closes nothing"},
    {"()", 1, "missing before )"},
    {"event.source in \"a\"", 16, "takes a list"},
    {"event.source in (foo)", 17, "lead.foo"},
    {"event.source in (\"a\", \"x", 22, "closing \""},
    {"event.source in ()", 17, "missing before )"},
    {"event.source in (\"a\"", 20, "closing )"},
    {"event.source in [\"a\")", 20, "closing ]"},
    {"event.source in (\"a\",)", 21, "missing before )"},
    {"score > 30d", 8, "30d is no number"},
    {"score > 1.", 8, "no number"},
    {"score > 1.x", 8, "1.x is no number"},
    {"score > 1. and 1 == 1", 8, "1. is no number"},
    {"score > .5", 8, "0.5"},
    {"score > -", 8, "- means nothing"},
    {"score > -x", 8, "- means nothing"},
    {"score > 5 # hot", 10, "# means nothing"},
    {"score > 5 \x01", 10, "nothing outside quotes"},
    {"score > 5 \x7F", 10, "nothing outside quotes"},
    {"score > 5 ~", 10, "~ means nothing"},
    {"score > \"many\"", 8, "number"},
    {"score contains \"8\"", 6, "text only"},
    {"event.time contains \"2026\"", 11, "text only"},
    {"event.value matches lead.pattern", 20, "pattern in quotes"},
    {"event.time > \"yesterday\"", 13, "date"},
    {"score.band == \"hott\"", 14, "\"cold\", \"warm\" or \"hot\""},
    {"score.band in (\"hot\", \"tepid\")", 22, "\"cold\", \"warm\" or \"hot\""},
    {"score.band >= \"warm\"", 11, "no order"},
    {"score.band <= \"warm\"", 11, "no order"},
    {"score.band < \"warm\"", 11, "no order"},
    {"score.band > \"warm\"", 11, "no order"},
    {"\"warm\" < score.band", 7, "no order"},
};

static void an_error_names_its_column_and_what_to_do(void **state)
{
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        const struct expr *e = NULL;
        struct expr_error error = {0};

        if (!compile_exactly(errors[i].text, &a, &e, &error))
            fail_msg("%s is accepted", errors[i].text);
        assert_null(e);
        if (error.column != errors[i].column || !strstr(error.text, errors[i].says))
            fail_msg("%s\ncolumn %zu: %s", errors[i].text, error.column, error.text);
    }
}

static void a_rule_may_not_use_score(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct expr *e = NULL;
    struct expr_error error = {0};

    (void)state;
    assert_int_equal(expr_compile(STR("lead.x == 1 and score > 5"), RULE, &a, &e, &error),
                     RC_INVALID);
    assert_int_equal(error.column, 16);
    assert_non_null(strstr(error.text, "a rule may not use score"));
    assert_int_equal(expr_compile(STR("score > 5"), RULE, &a, &e, NULL), RC_INVALID);
    assert_int_equal(expr_compile(STR("hubspot.x > 5"), RULE, &a, &e, &error), RC_INVALID);
    assert_non_null(strstr(error.text, "lead.NAME"));
    assert_null(strstr(error.text, "score"));
    assert_int_equal(expr_compile(STR("event.value == 1"), EXPR_LEAD, &a, &e, &error), RC_INVALID);
    assert_string_equal(error.text, "event.value cannot be used here");
}

static unsigned uses(const char *text)
{
    struct arena a AUTO(arena_free) = {0};
    const struct expr *e = NULL;

    assert_int_equal(expr_compile(str_of(text), ALL, &a, &e, NULL), RC_OK);
    return expr_uses(e);
}

static void what_it_looks_at_is_known(void **state)
{
    (void)state;
    assert_int_equal(uses("event.type == \"x\""), EXPR_EVENT);
    assert_int_equal(uses("lead.a in (\"x\", event.value)"), EXPR_EVENT | EXPR_LEAD);
    assert_int_equal(uses("not (lead.a == 1 and score.band == \"hot\")"), EXPR_LEAD | EXPR_SCORE);
    assert_int_equal(uses("1 == 1"), 0);
}

static void without_event_and_lead_all_is_null(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct expr *e = NULL;
    const struct facts none = {0};

    (void)state;
    assert_int_equal(
        expr_compile(STR("event.time > 0 or event.data.x != 1 or lead.x != 1"), ALL, &a, &e, NULL),
        RC_OK);
    assert_false(expr_true(e, &none));
    assert_int_equal(expr_compile(STR("score.band == \"cold\" and score == 0"), ALL, &a, &e, NULL),
                     RC_OK);
    assert_true(expr_true(e, &none));
}

/* begin n times, middle, end n times */
static struct str nested(struct arena *a, const char *begin, size_t n, const char *middle,
                         const char *end)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    struct str ret = STR_NULL;

    for (size_t i = 0; i < n; i++)
        sbuf_text(&b, begin);
    sbuf_text(&b, middle);
    for (size_t i = 0; i < n; i++)
        sbuf_text(&b, end);
    assert_int_equal(sbuf_seal(&b, a, &ret), RC_OK);
    return ret;
}

static void depth_terms_and_length_have_limits(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct expr *e = NULL;
    struct expr_error error;

    (void)state;
    assert_int_equal(expr_compile(nested(&a, "(", 32, "1==1", ")"), ALL, &a, &e, &error), RC_OK);
    assert_int_equal(expr_compile(nested(&a, "(", 33, "1==1", ")"), ALL, &a, &e, &error),
                     RC_INVALID);
    assert_int_equal(error.column, 32);
    assert_non_null(strstr(error.text, "32 deep"));
    assert_int_equal(expr_compile(nested(&a, "not ", 33, "1==1", ""), ALL, &a, &e, &error),
                     RC_INVALID);
    assert_int_equal(expr_compile(nested(&a, "(1==1) and ", 200, "1==1", ""), ALL, &a, &e, &error),
                     RC_OK);
    assert_true(expr_true(e, &facts));
    assert_int_equal(expr_compile(nested(&a, "1==2 or ", 255, "1==1", ""), ALL, &a, &e, &error),
                     RC_OK);
    assert_true(expr_true(e, &facts));
    assert_int_equal(expr_compile(nested(&a, "1==2 or ", 256, "1==1", ""), ALL, &a, &e, &error),
                     RC_INVALID);
    assert_non_null(strstr(error.text, "256 comparisons"));
    assert_int_equal(expr_compile(nested(&a, " ", 8188, "1==1", ""), ALL, &a, &e, &error), RC_OK);
    assert_int_equal(expr_compile(nested(&a, " ", 8189, "1==1", ""), ALL, &a, &e, &error),
                     RC_INVALID);
    assert_non_null(strstr(error.text, "8192"));
}

static void evaluating_takes_no_memory(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct expr *e = NULL;

    (void)state;
    assert_int_equal(
        expr_compile(STR("lead.email matches \"*q*\" or lead.company contains \"zzz\""), ALL, &a,
                     &e, NULL),
        RC_OK);
    size_t used = a.used;
    assert_false(expr_true(e, &facts));
    assert_int_equal(a.used, used);
}

static void the_caret_stands_under_the_column(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct expr_error error = {.column = 4, .text = "here"};

    (void)state;
    assert_true(str_is(expr_caret(STR("abc defg"), &error, &a), "abc defg\n    ^ here"));
    error.column = 9; /* the second line; two bytes are one character, a tab stays one */
    assert_true(str_is(expr_caret(STR("abc\n\tx\xC3\xA4 y z"), &error, &a),
                       "\tx\xC3\xA4 y z\n\t   ^ here"));
    error.column = 99;
    assert_true(str_is(expr_caret(STR("abc"), &error, &a), "abc\n   ^ here"));
    error.column = 0;
    assert_true(str_is(expr_caret(STR(""), &error, &a), "\n^ here"));
    error.column = 1000; /* one long line, its end, the longest sentence */
    memset(error.text, 'e', sizeof error.text - 1);
    assert_int_equal(expr_caret(nested(&a, "x", 1000, "", ""), &error, &a).len,
                     2 * 1000 + 3 + sizeof error.text - 1);
}

static void a_name_alone_has_a_text(void **state)
{
    static const struct {
        const char *name, *text;
    } values[] = {
        {"score", "80"},
        {"score.previous", "79.9"},
        {"score.band", "hot"},
        {"probability.previous", "69.9"},
        {"event.type", "contact.propertyChange"},
        {"event.time", "2026-01-01T00:00:00.000Z"},
        {"event.data.plan", "Pro-Plan"},
        {"lead.company", "Analytical Engines Ltd"},
        {"lead.nosuch", NULL},
        {"nosuch", NULL},
    };
    struct arena a AUTO(arena_free) = {0};
    const struct facts none = {.score = -5};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        assert_true(str_is(expr_name_value(str_of(values[i].name), &facts, &a), values[i].text));
    assert_true(str_is(expr_name_value(STR("score"), &none, &a), "-0.5"));
    assert_true(str_is(expr_name_value(STR("score.previous"), &none, &a), "0"));
    assert_true(str_is(expr_name_value(STR("churn.previous"), &none, &a), "0"));
    assert_true(str_is(tenths_text(-10, &a), "-1"));
    assert_null(expr_name_value(STR("event.time"), &none, &a).at);
    assert_true(str_is(expr_name_value(STR("probability"), &facts, &a), "72.5"));
    assert_null(expr_name_value(STR("churn"), &facts, &a).at);
    assert_true(expr_name_known(STR("lead.x"), ALL));
    assert_false(expr_name_known(STR("score"), RULE));
    assert_false(expr_name_known(STR("lead."), ALL));
}

static void a_lead_of_a_form_has_an_email(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct lead form = {.email = {"ada@example.com", 15}};
    const struct facts f = {.lead = &form};

    (void)state;
    assert_true(str_is(expr_name_value(STR("lead.email"), &f, &a), "ada@example.com"));
}

/* Random words put together: whatever comes, it is an expression or an error inside the text. */
static void any_text_is_an_expression_or_an_error_inside_it(void **state)
{
    static const char *const words[] = {
        "and ",
        "or ",
        "not ",
        "in ",
        "contains ",
        "matches ",
        "(",
        ")",
        "[",
        "]",
        ",",
        "== ",
        "!= ",
        "< ",
        ">= ",
        "score ",
        "80 ",
        "-1.5 ",
        "\"a\"",
        "'b' ",
        "\\",
        "\"",
        "event.value ",
        "lead.zip ",
        "=",
        "\xFF",
        "event.time ",
        "score.band ",
        "\"2026-01-01\" ",
        "\"hot\" ",
        ".",
    };
    unsigned short seed[3] = {7, 11, 13};
    size_t accepted = 0;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        struct arena a AUTO(arena_free) = {0};
        struct sbuf b AUTO(sbuf_free) = SBUF(4096);
        const struct expr *e = NULL;
        struct expr_error error = {.column = SIZE_MAX};

        for (long n = nrand48(seed) % 9 + 1; n > 0; n--)
            sbuf_text(&b, words[(size_t)nrand48(seed) % ARRAY_LEN(words)]);
        if (expr_compile(sbuf_str(&b), ALL, &a, &e, &error)) {
            assert_true(error.column <= b.len);
            assert_true(error.text[0] != '\0');
        } else {
            accepted++;
            (void)expr_true(e, &facts);
        }
    }
    assert_true(accepted > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_means_what_the_table_says),
        cmocka_unit_test(an_error_names_its_column_and_what_to_do),
        cmocka_unit_test(a_rule_may_not_use_score),
        cmocka_unit_test(what_it_looks_at_is_known),
        cmocka_unit_test(without_event_and_lead_all_is_null),
        cmocka_unit_test(depth_terms_and_length_have_limits),
        cmocka_unit_test(evaluating_takes_no_memory),
        cmocka_unit_test(the_caret_stands_under_the_column),
        cmocka_unit_test(a_name_alone_has_a_text),
        cmocka_unit_test(a_lead_of_a_form_has_an_email),
        cmocka_unit_test(any_text_is_an_expression_or_an_error_inside_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
