/* tests/unit/test_json_suite.c - the cases of nst/JSONTestSuite that are JSON, or may be.
 *
 * Table by table what the strict reader does: y_ accepted with this value, but for four; i_
 * decided. What is no JSON (n_) stands in test_json_suite_bad.c.
 */
#include "json_suite.h"

#include <string.h>

static const struct {
    const char *name;
    struct str text, value;
} valid[] = {
    {"array, spaces in it", T("[[]   ]"), T("[[]]")},
    {"array of an empty string", T("[\"\"]"), T("[\"\"]")},
    {"array, empty", T("[]"), T("[]")},
    {"array and a newline", T("[\"a\"]\n"), T("[\"a\"]")},
    {"array of false", T("[false]"), T("[false]")},
    {"array of many types", T("[null, 1, \"1\", {}]"), T("[null,1,\"1\",{}]")},
    {"array of null", T("[null]"), T("[null]")},
    {"array, newline before its end", T("[1\n]"), T("[1]")},
    {"array behind a space", T(" [1]"), T("[1]")},
    {"array of nulls", T("[1,null,null,null,2]"), T("[1,null,null,null,2]")},
    {"array and a space", T("[2] "), T("[2]")},
    {"number with an exponent", T("[123e65]"), T("[1.23e+67]")},
    {"0e+1", T("[0e+1]"), T("[0]")},
    {"0e1", T("[0e1]"), T("[0]")},
    {"number behind a space", T("[ 4]"), T("[4]")},
    {"number close to zero, over 63 bytes",
     T("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
     T("[-1e-78]")},
    {"integer with an exponent", T("[20e1]"), T("[200]")},
    {"minus zero", T("[-0]"), T("[-0]")},
    {"negative integer", T("[-123]"), T("[-123]")},
    {"minus one", T("[-1]"), T("[-1]")},
    {"E", T("[1E22]"), T("[1e+22]")},
    {"E-", T("[1E-2]"), T("[0.01]")},
    {"E+", T("[1E+2]"), T("[100]")},
    {"real with an exponent", T("[123e45]"), T("[1.23e+47]")},
    {"fraction and exponent", T("[123.456e78]"), T("[1.23456e+80]")},
    {"e-", T("[1e-2]"), T("[0.01]")},
    {"e+", T("[1e+2]"), T("[100]")},
    {"simple integer", T("[123]"), T("[123]")},
    {"simple real", T("[123.456789]"), T("[123.456789]")},
    {"object", T("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"), T("{\"asd\":\"sdf\",\"dfg\":\"fgh\"}")},
    {"object, one member", T("{\"asd\":\"sdf\"}"), T("{\"asd\":\"sdf\"}")},
    {"object, empty", T("{}"), T("{}")},
    {"empty key", T("{\"\":0}"), T("{\"\":0}")},
    {"numbers of 28 digits by exponent", T("{ \"min\": -1.0e+28, \"max\": 1.0e+28 }"),
     T("{\"min\":-1e+28,\"max\":1e+28}")},
    {"long strings",
     T("{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}], \"id\": "
       "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}"),
     T("{\"x\":[{\"id\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}],\"id\":"
       "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}")},
    {"object of an array", T("{\"a\":[]}"), T("{\"a\":[]}")},
    {"escapes of Cyrillic", T("{\"title\":\"\\u041f\\u043e\"}"),
     T("{\"title\":\"\320\237\320\276\"}")},
    {"object over lines", T("{\n\"a\": \"b\"\n}"), T("{\"a\":\"b\"}")},
    {"escapes of 1 to 3 bytes", T("[\"\\u0060\\u012a\\u12AB\"]"), T("[\"`\304\252\341\212\253\"]")},
    {"surrogate pair", T("[\"\\uD801\\udc37\"]"), T("[\"\360\220\220\267\"]")},
    {"surrogate pairs", T("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
     T("[\"\360\237\230\271\360\237\222\215\"]")},
    {"all short escapes", T("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
     T("[\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\"]")},
    {"escaped backslash, then u0000", T("[\"\\\\u0000\"]"), T("[\"\\\\u0000\"]")},
    {"escaped quote", T("[\"\\\"\"]"), T("[\"\\\"\"]")},
    {"comments in a string", T("[\"a/*b*/c/*d//e\"]"), T("[\"a/*b*/c/*d//e\"]")},
    {"escaped backslash, then a", T("[\"\\\\a\"]"), T("[\"\\\\a\"]")},
    {"escaped backslash, then n", T("[\"\\\\n\"]"), T("[\"\\\\n\"]")},
    {"escaped control character", T("[\"\\u0012\"]"), T("[\"\\u0012\"]")},
    {"escaped U+FFFF", T("[\"\\uFFFF\"]"), T("[\"\357\277\277\"]")},
    {"string in an array", T("[\"asd\"]"), T("[\"asd\"]")},
    {"string behind a space", T("[ \"asd\"]"), T("[\"asd\"]")},
    {"last surrogates", T("[\"\\uDBFF\\uDFFF\"]"), T("[\"\364\217\277\277\"]")},
    {"escaped no-break space", T("[\"new\\u00A0line\"]"), T("[\"new\302\240line\"]")},
    {"U+10FFFF", T("[\"\364\217\277\277\"]"), T("[\"\364\217\277\277\"]")},
    {"U+FFFF", T("[\"\357\277\277\"]"), T("[\"\357\277\277\"]")},
    {"escaped comma", T("[\"\\u002c\"]"), T("[\",\"]")},
    {"pi", T("[\"\317\200\"]"), T("[\"\317\200\"]")},
    {"U+1BFFF", T("[\"\360\233\277\277\"]"), T("[\"\360\233\277\277\"]")},
    {"ASCII", T("[\"asd \"]"), T("[\"asd \"]")},
    {"a string alone, a space", T("\" \""), T("\" \"")},
    {"clef by surrogates", T("[\"\\uD834\\uDd1e\"]"), T("[\"\360\235\204\236\"]")},
    {"escape of three bytes", T("[\"\\u0821\"]"), T("[\"\340\240\241\"]")},
    {"escape of two bytes", T("[\"\\u0123\"]"), T("[\"\304\243\"]")},
    {"U+2028", T("[\"\342\200\250\"]"), T("[\"\342\200\250\"]")},
    {"U+2029", T("[\"\342\200\251\"]"), T("[\"\342\200\251\"]")},
    {"escapes in lower and upper case", T("[\"\\u0061\\u30af\\u30EA\\u30b9\"]"),
     T("[\"a\343\202\257\343\203\252\343\202\271\"]")},
    {"escaped newline", T("[\"new\\u000Aline\"]"), T("[\"new\\nline\"]")},
    {"DEL", T("[\"\177\"]"), T("[\"\\u007f\"]")},
    {"U+A66D", T("[\"\\uA66D\"]"), T("[\"\352\231\255\"]")},
    {"backslash by its number", T("[\"\\u005C\"]"), T("[\"\\\\\"]")},
    {"Chinese", T("[\"\342\215\202\343\210\264\342\215\202\"]"),
     T("[\"\342\215\202\343\210\264\342\215\202\"]")},
    {"U+10FFFE", T("[\"\\uDBFF\\uDFFE\"]"), T("[\"\364\217\277\276\"]")},
    {"U+1FFFE", T("[\"\\uD83F\\uDFFE\"]"), T("[\"\360\237\277\276\"]")},
    {"U+200B", T("[\"\\u200B\"]"), T("[\"\342\200\213\"]")},
    {"U+2064", T("[\"\\u2064\"]"), T("[\"\342\201\244\"]")},
    {"U+FDD0", T("[\"\\uFDD0\"]"), T("[\"\357\267\220\"]")},
    {"U+FFFE", T("[\"\\uFFFE\"]"), T("[\"\357\277\276\"]")},
    {"quote by its number", T("[\"\\u0022\"]"), T("[\"\\\"\"]")},
    {"euro and clef", T("[\"\342\202\254\360\235\204\236\"]"),
     T("[\"\342\202\254\360\235\204\236\"]")},
    {"DEL between letters", T("[\"a\177a\"]"), T("[\"a\\u007fa\"]")},
    {"false alone", T("false"), T("false")},
    {"integer alone", T("42"), T("42")},
    {"negative real alone", T("-0.1"), T("-0.1")},
    {"null alone", T("null"), T("null")},
    {"string alone", T("\"asd\""), T("\"asd\"")},
    {"true alone", T("true"), T("true")},
    {"empty string alone", T("\"\""), T("\"\"")},
    {"newline behind an array", T("[\"a\"]\n"), T("[\"a\"]")},
    {"true in an array", T("[true]"), T("[true]")},
    {"blanks around", T(" [] "), T("[]")},
};

static void what_is_json_is_read_with_its_value(void **state)
{
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
        struct str value = json_value(valid[i].text, &a);

        if (!str_eq(value, valid[i].value))
            fail_msg("%s: %.*s", valid[i].name, STR_ARG(value));
    }
}

/* RFC 8259 would let them pass. */
static const struct {
    const char *name;
    struct str text;
    const char *why_not;
} deviations[] = {
    {"duplicated key", T("{\"a\":\"b\",\"a\":\"c\"}"),
     "which of the two a reader takes is not agreed on: a proxy may have seen the other"},
    {"duplicated key and value", T("{\"a\":\"b\",\"a\":\"b\"}"), "the same"},
    {"escaped null in a key", T("{\"foo\\u0000bar\": 42}"),
     "texts end in NUL in C and in SQLite: nothing behind it would be seen"},
    {"escaped null", T("[\"\\u0000\"]"), "the same"},
};

static void four_texts_that_are_json_are_refused_all_the_same(void **state)
{
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(deviations); i++)
        if (json_value(deviations[i].text, &a).at)
            fail_msg("%s is accepted, but %s", deviations[i].name, deviations[i].why_not);
}

/* value missing: refused */
static const struct decision {
    const char *name;
    struct str text, value;
    const char *why;
} decisions[] =
    {
        {"huge negative exponent", T("[123.456e-789]"), T("[0]"), "nearest number"},
        {"huge exponent of 65 digits",
         T("[0.4e00000000000000000000000000000000000000000000000000000000000066999]"),
         {0},
         "no number"},
        {"negative integer, huge exponent", T("[-1e+9999]"), {0}, "no number"},
        {"positive, huge exponent", T("[1.5e+9999]"), {0}, "no number"},
        {"real, overflow downwards", T("[-123123e100000]"), {0}, "no number"},
        {"real, overflow upwards", T("[123123e100000]"), {0}, "no number"},
        {"real, underflow", T("[123e-10000000]"), T("[0]"), "nearest number"},
        {"integer of 30 digits, negative", T("[-123123123123123123123123123123]"),
         T("[\"-123123123123123123123123123123\"]"), "kept as text"},
        {"integer of 21 digits", T("[100000000000000000000]"), T("[\"100000000000000000000\"]"),
         "kept as text"},
        {"integer of 48 digits, negative", T("[-237462374673276894279832749832423479823246327846]"),
         T("[\"-237462374673276894279832749832423479823246327846\"]"), "kept as text"},
        {"key, a lone second surrogate", T("{\"\\uDFAA\":0}"), {0}, "not text"},
        {"first surrogate, second missing", T("[\"\\uDADA\"]"), {0}, "not text"},
        {"first surrogate, second invalid", T("[\"\\uD888\\u1234\"]"), {0}, "not text"},
        {"UTF-16LE with a BOM", T("\377\376[\000\"\000\351\000\"\000]\000"), {0}, "not UTF-8"},
        {"invalid UTF-8 sequence", T("[\"\346\227\245\321\210\372\"]"), {0}, "not UTF-8"},
        {"U+D800 in UTF-8", T("[\"\355\240\200\"]"), {0}, "not UTF-8"},
        {"incomplete surrogate, then an escape", T("[\"\\uD800\\n\"]"), {0}, "not text"},
        {"incomplete surrogate pair", T("[\"\\uDd1ea\"]"), {0}, "not text"},
        {"incomplete surrogates", T("[\"\\uD800\\uD800\\n\"]"), {0}, "not text"},
        {"lonely surrogate", T("[\"\\ud800\"]"), {0}, "not text"},
        {"surrogate, then letters", T("[\"\\ud800abc\"]"), {0}, "not text"},
        {"invalid UTF-8", T("[\"\377\"]"), {0}, "not UTF-8"},
        {"surrogates the wrong way round", T("[\"\\uDd1e\\uD834\"]"), {0}, "not text"},
        {"ISO Latin 1", T("[\"\351\"]"), {0}, "not UTF-8"},
        {"lone second surrogate", T("[\"\\uDFAA\"]"), {0}, "not text"},
        {"lone continuation byte", T("[\"\201\"]"), {0}, "not UTF-8"},
        {"beyond U+10FFFF", T("[\"\364\277\277\277\"]"), {0}, "not UTF-8"},
        {"overlong, 2 bytes", T("[\"\300\257\"]"), {0}, "not UTF-8"},
        {"overlong, 6 bytes", T("[\"\374\203\277\277\277\277\"]"), {0}, "not UTF-8"},
        {"overlong null, 6 bytes", T("[\"\374\200\200\200\200\200\"]"), {0}, "not UTF-8"},
        {"truncated UTF-8", T("[\"\340\377\"]"), {0}, "not UTF-8"},
        {"UTF-16BE without a BOM", T("\000[\000\"\000\351\000\"\000]"), {0}, "not UTF-8"},
        {"UTF-16LE without a BOM", T("[\000\"\000\351\000\"\000]\000"), {0}, "not UTF-8"},
        {"BOM before an object", T("\357\273\277{}"), {0}, "no BOM (RFC 8259 8.1)"},
},
  numbers[] = {
      {"integer of 15 digits", T("999999999999999"), T("999999999999999"), "exact as a number"},
      {"integer of 16 digits", T("9007199254740993"), T("\"9007199254740993\""), "kept as text"},
      {"largest int64", T("9223372036854775807"), T("\"9223372036854775807\""), "kept as text"},
      {"least int64", T("-9223372036854775808"), T("\"-9223372036854775808\""), "kept as text"},
      {"beyond int64", T("9223372036854775808"), T("\"9223372036854775808\""), "kept as text"},
      {"0.1 of 17 digits", T("0.10000000000000001"), T("\"0.10000000000000001\""), "kept as text"},
      {"16 digits, the last 0", T("1234567890123450"), T("\"1234567890123450\""), "kept as text"},
      {"15 digits and a point", T("123456789.123456"), T("123456789.123456"),
       "a double holds them"},
      {"1.0, zeros without end",
       T("1."
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "00000000000"),
       T("1"), "a number"},
      {"100 zeros in an exponent",
       T("1e000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "00000000000002"),
       T("100"), "a number"},
      {"out of range, 16 digits", T("1.000000000000001e999"), T("\"1.000000000000001e999\""),
       "kept as text"},
      {"1e308", T("1e308"), T("1e+308"), "a number"},
      {"1e309", T("1e309"), {0}, "no number"},
      {"-1e309", T("-1e309"), {0}, "no number"},
      {"-0.0", T("-0.0"), T("-0"), "a number"},
      {"-0e9", T("-0e9"), T("-0"), "a number"},
};

static void check_decisions(const struct decision *rows, size_t n)
{
    struct arena a AUTO(arena_free) = {0};

    for (size_t i = 0; i < n; i++) {
        struct str value = json_value(rows[i].text, &a);

        if (!str_eq(value, rows[i].value))
            fail_msg("%s (%s): %.*s", rows[i].name, rows[i].why, STR_ARG(value));
    }
}

static void what_readers_may_decide_is_decided(void **state)
{
    (void)state;
    check_decisions(decisions, ARRAY_LEN(decisions));
}

static void a_number_that_a_double_does_not_hold_is_kept_as_text(void **state)
{
    (void)state;
    check_decisions(numbers, ARRAY_LEN(numbers));
}

static void five_hundred_nested_arrays_are_too_deep(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    char text[1000];

    (void)state;
    memset(text, '[', 500);
    memset(text + 500, ']', 500);
    assert_null(json_value((struct str){text, sizeof text}, &a).at);
    assert_non_null(json_value((struct str){text + 436, 128}, &a).at); /* 64 are not */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json_is_read_with_its_value),
        cmocka_unit_test(four_texts_that_are_json_are_refused_all_the_same),
        cmocka_unit_test(what_readers_may_decide_is_decided),
        cmocka_unit_test(a_number_that_a_double_does_not_hold_is_kept_as_text),
        cmocka_unit_test(five_hundred_nested_arrays_are_too_deep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
