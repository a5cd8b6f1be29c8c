/* tests/unit/test_json.c - strict JSON: what is refused, what stays exact, what is written. */
#include "cm.h"
#include <math.h>
#include <string.h>

#include "funneld/base/json.h"

static bool parses(const char *text)
{
    struct json_doc doc = {0};
    struct why why = {0};
    enum rc rc = json_parse(str_of(text), &doc, &why);

    if (rc == RC_OK)
        json_doc_free(&doc);
    else
        assert_true(why.text[0] != '\0');
    return rc == RC_OK;
}

static void what_rfc_8259_allows_is_read(void **state)
{
    static const char *const good[] = {
        "[]",
        "{}",
        " [ 1 , 2 ] ",
        "\"a\"",
        "-0",
        "0.5e-3",
        "1E+2",
        "{\"a\":{\"b\":[null,true,false]}}",
        "[\"\\u00e9\\ud83d\\ude00\\n\\/\"]",
        "[[],[[]],{}]",
        "[{},{\"a\":[]}]",
        "\"\"",
        "[\"\x7f\"]",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!parses(good[i]))
            fail_msg("refused: %s", good[i]);
}

static void what_rfc_8259_forbids_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":}",
        "[1 2]",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "nul",
        "truefalse",
        "[1] x",
        "{} {}",
        "'a'",
        "[\"a]",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"\\u0000\"",
        "\"a\tb\"",
        "\"a\nb\"",
        "// c\n1",
        "\xEF\xBB\xBF[]",
        "\"\xFF\"",
        "\"\xC0\xAF\"",
        "\"\xED\xA0\x80\"",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "1e400",
        "[1\x0c]",
        "{\"a\":1]",
        "[1}",
        "\"\\",
        "{\"a\":{\"b\":1,\"c\":2,\"b\":3}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (parses(bad[i]))
            fail_msg("accepted: %s", bad[i]);
}

static void nesting_ends_at_64(void **state)
{
    char text[200];

    (void)state;
    for (size_t depth = 64; depth <= 65; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        assert_int_equal(parses(text), depth == 64);
    }
}

static void long_integers_stay_exact(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        {"0", 0},
        {"-7", -7},
        {"999999999999999", 999999999999999},
        {"9007199254740993", 9007199254740993},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"\"123\"", 123},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_doc doc = {0};
        int64_t value = -1;

        assert_int_equal(json_parse(str_of(rows[i].text), &doc, NULL), RC_OK);
        assert_true(json_int64(doc.root, &value));
        assert_int_equal(value, rows[i].value);
        json_doc_free(&doc);
    }
}

static void scalars_keep_their_text(void **state)
{
    static const char *const rows[][2] = {
        {"12.5", "12.5"}, {"0.30000000000000004", "0.30000000000000004"},   {"true", "true"},
        {"\"x\"", "x"},   {"12345678901234567890", "12345678901234567890"}, {"-3", "-3"},
        {"100", "100"},
    };
    struct arena a = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_doc doc = {0};

        assert_int_equal(json_parse(str_of(rows[i][0]), &doc, NULL), RC_OK);
        assert_string_equal(arena_text(&a, json_scalar(doc.root, &a)), rows[i][1]);
        json_doc_free(&doc);
    }
    arena_free(&a);
}

static void elements_of_a_root_array_keep_their_bytes(void **state)
{
    struct json_doc doc = {0};

    (void)state;
    assert_int_equal(json_parse(STR(" [ {\"a\" : 1} ,2, [3,[4]] ] "), &doc, NULL), RC_OK);
    assert_int_equal(doc.n_elements, 3);
    assert_true(str_is(doc.elements[0], "{\"a\" : 1}"));
    assert_true(str_is(doc.elements[1], "2"));
    assert_true(str_is(doc.elements[2], "[3,[4]]"));
    json_doc_free(&doc);
    assert_int_equal(json_parse(STR("[]"), &doc, NULL), RC_OK);
    assert_int_equal(doc.n_elements, 0);
    json_doc_free(&doc);
}

static void keys_are_case_sensitive_and_paths_walk(void **state)
{
    struct json_doc doc = {0};
    int64_t n = 0;

    (void)state;
    assert_int_equal(json_parse(STR("{\"A\":1,\"a\":{\"b\":[5,6]}}"), &doc, NULL), RC_OK);
    assert_true(json_int64(json_get(doc.root, "A"), &n) && n == 1);
    assert_true(json_int64(json_path(doc.root, "a.b.1"), &n) && n == 6);
    assert_null(json_path(doc.root, "a.b.2"));
    assert_null(json_get(doc.root, "B"));
    json_doc_free(&doc);
}

static void what_is_written_reads_back(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);

    (void)state;
    json_open(&b, '{');
    json_kv_text(&b, "text", "a\"\\\n\x01ü");
    json_kv(&b, "none", STR_NULL);
    json_kv_int(&b, "int", INT64_MIN);
    json_kv_tenths(&b, "t1", -5);
    json_kv_tenths(&b, "t2", 125);
    json_kv_id(&b, "id", 42);
    json_kv_time(&b, "at", 1769081993375);
    json_key(&b, "list");
    json_open(&b, '[');
    json_num(&b, 0.1);
    json_num(&b, NAN);
    json_bool(&b, true);
    json_str(&b, (struct str){"\xFFx", 2});
    json_close(&b, ']');
    json_close(&b, '}');
    assert_string_equal(
        b.at, "{\"text\":\"a\\\"\\\\\\n\\u0001ü\",\"none\":null,\"int\":-9223372036854775808,"
              "\"t1\":-0.5,\"t2\":12.5,\"id\":\"42\",\"at\":\"2026-01-22T11:39:53.375Z\","
              "\"list\":[0.1,null,true,\"\xEF\xBF\xBDx\"]}");
    assert_true(parses(b.at));
}

static void a_full_builder_fails_once_and_for_all(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4);
    struct arena a = {0};
    struct str out = STR("kept");

    (void)state;
    sbuf_text(&b, "abcd");
    assert_false(b.failed);
    sbuf_char(&b, 'e');
    assert_true(b.failed);
    assert_int_equal(sbuf_seal(&b, &a, &out), RC_TOOBIG);
    assert_true(str_is(out, "kept"));
    arena_free(&a);
}

static void a_number_of_any_length_comes_back_as_it_was_written(void **state)
{
    static const double numbers[] = {
        0.1, 1.0 / 3, -2.5e-300, 1e22, 0, 12345678901234567.0, 0.30000000000000004};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct sbuf b AUTO(sbuf_free) = SBUF(100);
        struct json_doc doc AUTO(json_doc_free) = {0};
        double back = 7;

        json_open(&b, '[');
        json_num(&b, numbers[i]);
        json_close(&b, ']');
        assert_int_equal(json_parse(sbuf_str(&b), &doc, NULL), RC_OK);
        assert_true(json_real(json_first(doc.root), &back));
        assert_memory_equal(&back, &numbers[i], sizeof back);
    }
}

static void what_is_no_number_is_no_real(void **state)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    double n = 7;

    (void)state;
    assert_int_equal(
        json_parse(STR("[\"\",\"x\",\"nan\",\"inf\",\"0x10\",\"1 \",\"1e999\",\"-\",true,"
                       "null,[1],{}]"),
                   &doc, NULL),
        RC_OK);
    for (const json *item = json_first(doc.root); item; item = json_next(item))
        assert_false(json_real(item, &n));
    assert_false(json_real(NULL, &n));
    assert_true(n == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rfc_8259_allows_is_read),
        cmocka_unit_test(what_rfc_8259_forbids_is_refused),
        cmocka_unit_test(a_number_of_any_length_comes_back_as_it_was_written),
        cmocka_unit_test(what_is_no_number_is_no_real),
        cmocka_unit_test(nesting_ends_at_64),
        cmocka_unit_test(long_integers_stay_exact),
        cmocka_unit_test(scalars_keep_their_text),
        cmocka_unit_test(elements_of_a_root_array_keep_their_bytes),
        cmocka_unit_test(keys_are_case_sensitive_and_paths_walk),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(a_full_builder_fails_once_and_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
