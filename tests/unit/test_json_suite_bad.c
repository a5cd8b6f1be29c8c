/* tests/unit/test_json_suite_bad.c - the cases of nst/JSONTestSuite that are no JSON (n_). */
#include "json_suite.h"

static const struct str numbers[] = {
    T("[-]"),
    T("[++1234]"),
    T("[+1]"),
    T("[+Inf]"),
    T("[-01]"),
    T("[-1.0.]"),
    T("[-2.]"),
    T("[-NaN]"),
    T("[.-1]"),
    T("[.2e-3]"),
    T("[0.1.2]"),
    T("[0.3e+]"),
    T("[0.3e]"),
    T("[0.e1]"),
    T("[0E+]"),
    T("[0E]"),
    T("[0e+]"),
    T("[0e]"),
    T("[1.0e+]"),
    T("[1.0e-]"),
    T("[1.0e]"),
    T("[1 000.0]"),
    T("[1eE2]"),
    T("[2.e+3]"),
    T("[2.e-3]"),
    T("[2.e3]"),
    T("[9.e+]"),
    T("[Inf]"),
    T("[NaN]"),
    T("[\357\274\221]"),
    T("[1+2]"),
    T("[0x1]"),
    T("[0x42]"),
    T("[Infinity]"),
    T("[0e+-1]"),
    T("[-123.123foo]"),
    T("[-Infinity]"),
    T("[-foo]"),
    T("[- 1]"),
    T("[-012]"),
    T("[-.123]"),
    T("[-1x]"),
    T("[1ea]"),
    T("[1.]"),
    T("[.123]"),
    T("[1.2a-3]"),
    T("[1.8011670033376514H-308]"),
    T("[012]"),
    T("[123\345]"),
    T("[1e1\345]"),
    T("[0\345]"),
    T("[1e\345]"),
};

static const struct str objects[] = {
    T("{[: \"x\"}"),
    T("{\"x\", null}"),
    T("{\"x\"::\"b\"}"),
    T("{\360\237\207\250\360\237\207\255}"),
    T("{\"a\":\"a\" 123}"),
    T("{key: 'value'}"),
    T("{\"a\" b}"),
    T("{:\"b\"}"),
    T("{\"a\" \"b\"}"),
    T("{\"a\":"),
    T("{\"a\""),
    T("{1:1}"),
    T("{9999E9999:1}"),
    T("{null:null,null:null}"),
    T("{\"id\":0,,,,,}"),
    T("{'a':0}"),
    T("{\"id\":0,}"),
    T("{\"a\":\"b\"}/**/"),
    T("{\"a\":\"b\"}/**//"),
    T("{\"a\":\"b\"}//"),
    T("{\"a\":\"b\"}/"),
    T("{\"a\":\"b\",,\"c\":\"d\"}"),
    T("{a: \"b\"}"),
    T("{\"a\":\"a"),
    T("{ \"foo\" : \"bar\", \"a\" }"),
    T("{\"a\":\"b\"}#"),
    T("{\"x\": true,"),
    T("{}}"),
    T("{\"\":"),
    T("{\"a\":/*comment*/\"b\"}"),
    T("{\"a\": true} \"x\""),
    T("{"),
    T("{]"),
    T("{,"),
    T("{["),
    T("{\"a"),
    T("{'a'"),
    T("{\"a\":\"b\"}#{}"),
    T("{\"asd\":\"asd\""),
    T("{\"\271\":\"0\",}"),
};

static const struct str strings[] = {
    T("[\"\": 1]"),
    T("[\"\"],"),
    T("[\"x\",,]"),
    T("[\"x\"]]"),
    T("[\"\",]"),
    T("[\"x\""),
    T("[\"a\",\n4\n,1,"),
    T("[\"\""),
    T("[\"x\", truth]"),
    T("[\"\\uD800\\\"]"),
    T("[\"\\uD800\\u\"]"),
    T("[\"\\uD800\\u1\"]"),
    T("[\"\\uD800\\u1x\"]"),
    T("[\"\\x00\"]"),
    T("[\"\\\\\\\"]"),
    T("[\"\\\360\237\214\200\"]"),
    T("[\"\\\"]"),
    T("[\"\\u00A\"]"),
    T("[\"\\uD834\\uDd\"]"),
    T("[\"\\uD800\\uD800\\x\"]"),
    T("[\"\\a\"]"),
    T("[\"\\uqqqq\"]"),
    T("[\\u0020\"asd\"]"),
    T("[\\n]"),
    T("\""),
    T("['single quote']"),
    T("[\"\\"),
    T("\"\\UA66D\""),
    T("\"\"x"),
    T("[\"asd]"),
    T("['"),
    T("[\"a"),
    T("[\"a\""),
    T("[\"\\{[\"\\{[\"\\{[\"\\{"),
    T("[\\u000A\"\"]"),
    T("[\"\013a\"\014]"),
    T("[\"\\\000\"]"),
    T("[\"\\\t\"]"),
    T("[\"\\u\345\"]"),
    T("[\"\\\345\"]"),
    T("[\"a\000a\"]"),
    T("[\"new\nline\"]"),
    T("[\"\t\"]"),
};

static const struct str structure[] = {
    T("[1 true]"),
    T("[,1]"),
    T("[1,,2]"),
    T("[x"),
    T("[3[4]]"),
    T("[1:2]"),
    T("[,]"),
    T("[   , \"\"]"),
    T("[1,]"),
    T("[1,,]"),
    T("[*]"),
    T("[1,"),
    T("[1,\n1\n,1"),
    T("[{}"),
    T("[fals]"),
    T("[nul]"),
    T("[tru]"),
    T(" "),
    T("[\303\251]"),
    T("abc"),
    T("[\342\201\240]"),
    T("<.>"),
    T("[<null>]"),
    T("[1]x"),
    T("[1]]"),
    T("a\303\245"),
    T("[True]"),
    T("1]"),
    T("[][]"),
    T("]"),
    T("["),
    T("2@"),
    T("[,"),
    T("[{"),
    T("*"),
    T("[1"),
    T("[ false, nul"),
    T("[ true, fals"),
    T("[ false, tru"),
    T("\303\245"),
    T("\342\201\240"),
    T("[a\345]"),
    T("[\377]"),
    T("123\000"),
    T("\357\273\277"),
    T("\357\273{}"),
    T("\345"),
    T("[\000]"),
    T("\351"),
    T("[\014]"),
    T(""),
};

static void none_is_read(const struct str *texts, size_t n)
{
    struct arena a AUTO(arena_free) = {0};

    for (size_t i = 0; i < n; i++)
        if (json_value(texts[i], &a).at)
            fail_msg("accepted: %.*s", STR_ARG(texts[i]));
}

static void what_only_looks_like_a_number_is_refused(void **state)
{
    (void)state;
    none_is_read(numbers, ARRAY_LEN(numbers));
}

static void what_only_looks_like_an_object_is_refused(void **state)
{
    (void)state;
    none_is_read(objects, ARRAY_LEN(objects));
}

static void strings_and_arrays_of_them_that_are_broken_are_refused(void **state)
{
    (void)state;
    none_is_read(strings, ARRAY_LEN(strings));
}

static void what_is_cut_short_doubled_or_no_json_at_all_is_refused(void **state)
{
    (void)state;
    none_is_read(structure, ARRAY_LEN(structure));
}

/* 100,000 of "[", 50,000 of "[{\"\":": deep without an end. */
static void endless_nesting_is_refused(void **state)
{
    static const struct str openers[] = {T("["), T("[{\"\":")};
    struct arena a AUTO(arena_free) = {0};
    enum { TIMES = 100000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(openers); i++) {
        struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

        for (int n = 0; n < TIMES; n++)
            sbuf_add(&b, openers[i]);
        assert_false(b.failed);
        assert_null(json_value(sbuf_str(&b), &a).at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_looks_like_a_number_is_refused),
        cmocka_unit_test(what_only_looks_like_an_object_is_refused),
        cmocka_unit_test(strings_and_arrays_of_them_that_are_broken_are_refused),
        cmocka_unit_test(what_is_cut_short_doubled_or_no_json_at_all_is_refused),
        cmocka_unit_test(endless_nesting_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
