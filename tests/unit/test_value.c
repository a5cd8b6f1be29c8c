/* tests/unit/test_value.c - every type of option with its units, limits and refusals. */
#include "option_table.h"

#include <stdlib.h>

static void durations_have_units(void **state)
{
    static const struct {
        const char *line;
        int64_t ms;
    } rows[] = {{"wait = 250ms", 250},   {"wait = 30s", 30000},  {"wait = 5m", 300000},
                {"wait = 600s", 600000}, {"wait = 10m", 600000}, {"wait = 100ms", 100}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        is_good(rows[i].line);
        assert_int_equal(bound.wait, rows[i].ms);
    }
    is_bad("wait = 30", "\"wait\" in [connector x]: \"30\" is not a duration", "as in 250ms");
    is_bad("wait = 1.5h", "is not a duration", "as in 250ms");
    is_bad("wait = -5s", "is not a duration", "as in 250ms");
    is_bad("wait = 5 s", "is not a duration", "as in 250ms");
    is_bad("wait = s", "is not a duration", "as in 250ms");
    is_bad("wait = 5sec", "is not a duration", "as in 250ms");
    is_bad("wait = 9223372036854775807d", "is not a duration", "as in 250ms");
    is_bad("wait =", "is empty", "as in 250ms");
    is_bad("wait = 0", "\"0\" is less than 100ms", NULL);
    is_bad("wait = 1d", "\"1d\" is more than 10m", NULL);
    assert_int_equal(bound.wait, 30000); /* the default stays */
}

static void long_durations_and_zero_are_durations(void **state)
{
    static const struct option wait = {.key = "wait", .type = OPTION_DURATION, .fallback = "90d"};
    static const struct section_spec spec = {.kind = "x", .options = &wait, .n_options = 1};
    int64_t ms = 0;

    (void)state;
    conf_defaults(&spec, &ms, &arena);
    assert_int_equal(ms, INT64_C(90) * 24 * 3600 * 1000);
    assert_int_equal(read_conf("[x]\nwait = 0\n"), RC_OK);
    conf_bind(first(), &spec, &ms, &arena, &problems);
    assert_int_equal(problems.n, 0);
    assert_int_equal(ms, 0);
    assert_int_equal(read_conf("[x]\nwait = 24h\n"), RC_OK);
    conf_bind(first(), &spec, &ms, &arena, &problems);
    assert_int_equal(ms, 86400000);
}

static void sizes_have_binary_units(void **state)
{
    static const struct {
        const char *line;
        int64_t bytes;
    } rows[] = {{"size = 0", 0},
                {"size = 512", 512},
                {"size = 16KiB", 16384},
                {"size = 1MiB", 1048576},
                {"size = 2GiB", INT64_C(2) << 30},
                {"size = 1TiB", INT64_C(1) << 40}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        is_good(rows[i].line);
        assert_int_equal(bound.size, rows[i].bytes);
    }
    is_bad("size = 1MB", "\"1MB\" is not a size", "as in 1MiB");
    is_bad("size = 1.5MiB", "is not a size", "as in 1MiB");
    is_bad("size = -1", "is not a size", "as in 1MiB");
    is_bad("size = 9223372036854775807KiB", "is not a size", "as in 1MiB");
}

static void rates_are_per_second(void **state)
{
    (void)state;
    is_good("rate = 10/s");
    assert_true(bound.rate == 10);
    is_good("rate = 60/m");
    assert_true(bound.rate == 1);
    is_good("rate = 900/h");
    assert_true(bound.rate == 0.25);
    is_good("rate = 2.5/s");
    assert_true(bound.rate == 2.5);
    is_bad("rate = 10", "is not a rate", "as in 2.5/s");
    is_bad("rate = 10/d", "is not a rate", "as in 2.5/s");
    is_bad("rate = -1/s", "is not a rate", "as in 2.5/s");
    is_bad("rate = /s", "is not a rate", "as in 2.5/s");
    is_bad("rate = 0/s", "nothing would ever be sent", NULL);
    is_bad("rate = 101/s", "is more than 100/s", NULL);
}

static void numbers_have_limits(void **state)
{
    (void)state;
    is_good("count = 64");
    assert_int_equal(bound.count, 64);
    is_bad("count = 0", "\"0\" is less than 1", NULL);
    is_bad("count = 65", "\"65\" is more than 64", NULL);
    is_bad("count = 4x", "\"4x\" is not a whole number", "as in 4");
    is_bad("count = 0x10", "is not a whole number", "as in 4");
    is_bad("count = 99999999999999999999", "is not a whole number", "as in 4");
}

static void decimals_are_tenths(void **state)
{
    static const struct {
        const char *line;
        int64_t tenths;
    } rows[] = {{"points = 35", 350},     {"points = 2.5", 25},   {"points = -10", -100},
                {"points = -0.5", -5},    {"points = -2.5", -25}, {"points = 0", 0},
                {"points = 100.0", 1000}, {"points = 0.1", 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        is_good(rows[i].line);
        assert_int_equal(bound.points, rows[i].tenths);
    }
    is_bad("points = 2.55", "is not a number with at most one decimal", "as in 35");
    is_bad("points = 2.", "is not a number", "as in 35");
    is_bad("points = .5", "is not a number", "as in 35");
    is_bad("points = 2.-5", "is not a number", "as in 35");
    is_bad("points = 1.2.3", "is not a number", "as in 35");
    is_bad("points = 9223372036854775807", "is not a number", "as in 35");
    is_bad("points = 100.1", "is more than 100.0", NULL);
    is_bad("points = -100.1", "is less than -100.0", NULL);
}

static void an_upper_limit_may_be_zero(void **state)
{
    static const struct option count = {.key = "count", .type = OPTION_INT, .min = -5};
    static const struct section_spec spec = {.kind = "x", .options = &count, .n_options = 1};
    int64_t n = 0;

    (void)state;
    assert_int_equal(read_conf("[x]\ncount = -5\n"), RC_OK);
    conf_bind(first(), &spec, &n, &arena, &problems);
    assert_int_equal(problems.n, 0);
    assert_int_equal(n, -5);
    assert_int_equal(read_conf("[x]\ncount = 1\n"), RC_OK);
    conf_bind(first(), &spec, &n, &arena, &problems);
    assert_int_equal(problems.n, 1);
}

static void only_a_lower_limit_leaves_the_top_open(void **state)
{
    static const struct option count = {.key = "count", .type = OPTION_INT, .min = 1};
    static const struct section_spec spec = {.kind = "x", .options = &count, .n_options = 1};
    int64_t n = 0;

    (void)state;
    assert_int_equal(read_conf("[x]\ncount = 1000000\n"), RC_OK);
    conf_bind(first(), &spec, &n, &arena, &problems);
    assert_int_equal(problems.n, 0);
    assert_int_equal(n, 1000000);
    assert_int_equal(read_conf("[x]\ncount = 0\n"), RC_OK);
    conf_bind(first(), &spec, &n, &arena, &problems);
    assert_int_equal(problems.n, 1);
}

static void urls_lose_their_trailing_slash_and_stay_encrypted(void **state)
{
    (void)state;
    is_good("url = https://api.example.com/v1//");
    assert_true(str_is(bound.url, "https://api.example.com/v1"));
    is_good("url = http://127.0.0.1:9000/");
    assert_true(str_is(bound.url, "http://127.0.0.1:9000"));
    is_good("url = http://[::1]:9000");
    is_good("url = http://localhost");
    is_bad("url = http://example.com", "http:// to another machine", "https://");
    is_bad("url = http://127.0.0.1.example.com", "http:// to another machine", "https://");
    is_bad("url = ftp://example.com", "is not a URL", "https://");
    is_bad("url = example.com", "is not a URL", "https://");
    is_bad("url =", "is empty", "https://");
}

static void addresses_have_a_port(void **state)
{
    (void)state;
    is_good("address = 127.0.0.1:8444");
    assert_true(str_is(bound.address, "127.0.0.1:8444"));
    is_bad("address = localhost", "is not an address", "as in [::]:8443");
    is_bad("address = [::]:99999", "is not an address", "as in [::]:8443");
}

static void choices_know_the_nearest(void **state)
{
    (void)state;
    is_good("level = error");
    assert_int_equal(bound.level, 3);
    is_bad("level = wran", "\"wran\" is not one of its values", "did you mean \"warn\"?");
    is_bad("level = loudest", "is not one", "known: debug, info, warn, error");
    is_bad("level =", "is empty", "known: debug, info");
}

static void booleans_are_words(void **state)
{
    static const char *const yes[] = {"on = yes", "on = true", "on = ON"};
    static const char *const no[] = {"on = no", "on = False", "on = off"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        is_good(yes[i]);
        assert_true(bound.on);
        is_good(no[i]);
        assert_false(bound.on);
    }
    is_bad("on = 1", "is not yes or no", "yes, no");
}

static void lists_are_trimmed_and_have_no_holes(void **state)
{
    (void)state;
    is_good("list = a ,b,\n  c d");
    assert_int_equal(bound.list.n, 3);
    assert_true(str_is(bound.list.items[0], "a"));
    assert_true(str_is(bound.list.items[1], "b"));
    assert_true(str_is(bound.list.items[2], "c d"));
    is_good("list =");
    assert_int_equal(bound.list.n, 0);
    is_bad("list = a,,b", "has an empty item", NULL);
    is_bad("list = a,", "has an empty item", NULL);
    is_bad("list = a,b,c,d", "is more than 3 items", NULL);
}

static void maps_take_every_key_of_their_prefix(void **state)
{
    (void)state;
    is_good("property.score = My score\nproperty.Lead-ID = x ; c");
    assert_int_equal(bound.map.n, 2);
    assert_true(str_is(bound.map.items[0].name, "score"));
    assert_true(str_is(bound.map.items[0].value, "My score"));
    assert_int_equal(bound.map.items[0].line, 4);
    assert_true(str_is(bound.map.items[1].name, "Lead-ID"));
    assert_true(str_is(bound.map.items[1].value, "x"));
    is_bad("property. = x", "unknown key \"property.\"", "property.NAME");
    is_bad("propety.score = x", "unknown key \"propety.score\"",
           "did you mean \"property.score\"?");
}

static void secrets_are_never_told(void **state)
{
    (void)state;
    is_good("secret = hunter2");
    is_good("secret = ${HOME} ; a comment is fine behind a name");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/etc", 1), 0);
    is_good("secret = file:${CREDENTIALS_DIRECTORY}/hostname"); /* as under systemd */
    is_bad("secret = hunter2 ;hidden", "a comment", "line of its own");
    assert_false(holds(problems.first->message, "hunter2"));
    is_bad("secret = file:hunter2", "is not an absolute path", "file:/path");
    assert_false(holds(problems.first->message, "hunter2"));
    is_bad("secret = \"\"", "\"secret\" in [connector x]: it is empty", NULL);
    assert_int_equal(setenv("FUNNELD_TEST_EMPTY", "", 1), 0);
    is_bad("secret = ${FUNNELD_TEST_EMPTY}", "is empty", "the environment variable");
    assert_int_equal(setenv("FUNNELD_TEST_NUMBER", "hunter2", 1), 0);
    is_bad("count = ${FUNNELD_TEST_NUMBER}", "\"${FUNNELD_TEST_NUMBER}\" is not a whole number",
           "as in 4");
}

static void texts_may_be_empty(void **state)
{
    (void)state;
    is_good("text =");
    assert_non_null(bound.text.at);
    assert_int_equal(bound.text.len, 0);
    is_good("text = a = b");
    assert_true(str_is(bound.text, "a = b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(long_durations_and_zero_are_durations),
        cmocka_unit_test(sizes_have_binary_units),
        cmocka_unit_test(rates_are_per_second),
        cmocka_unit_test(numbers_have_limits),
        cmocka_unit_test(decimals_are_tenths),
        cmocka_unit_test(an_upper_limit_may_be_zero),
        cmocka_unit_test(only_a_lower_limit_leaves_the_top_open),
        cmocka_unit_test(urls_lose_their_trailing_slash_and_stay_encrypted),
        cmocka_unit_test(addresses_have_a_port),
        cmocka_unit_test(choices_know_the_nearest),
        cmocka_unit_test(booleans_are_words),
        cmocka_unit_test(lists_are_trimmed_and_have_no_holes),
        cmocka_unit_test(maps_take_every_key_of_their_prefix),
        cmocka_unit_test(secrets_are_never_told),
        cmocka_unit_test(texts_may_be_empty),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
