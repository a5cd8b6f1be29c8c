/* tests/unit/test_cli_args.c - options, words, times, ids, shell words of the command line. */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/cli/args.h"
#include "../../src/cli/curl_command.h"
#include "../../src/cli/values.h"
#include "funneld/base/clock.h"

enum { LIST = TAKES(JSON) | TAKES(LIMIT) | TAKES(STATE) | TAKES(CONFIG) | TAKES(HELP) };

static struct arena arena;
static struct args args;
static struct why why;

static int setup(void **state)
{
    (void)state;
    args = (struct args){0};
    why = (struct why){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

#define ARGV(...) ((char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void parse(char *argv[])
{
    if (args_parse(&args, LIST, argv, &arena, &why))
        fail_msg("%s", why.text);
}

static void refused(char *argv[], const char *because)
{
    args = (struct args){0};
    assert_int_equal(args_parse(&args, LIST, argv, &arena, &why), RC_INVALID);
    if (!strstr(why.text, because))
        fail_msg("\"%s\" does not say \"%s\"", why.text, because);
}

#define W(text) ((char[]){text})

static void value_stands_behind_or_after_equals(void **state)
{
    (void)state;
    parse(ARGV(W("--limit"), W("50"), W("--state=dead")));
    assert_string_equal(args.values[ARG_LIMIT], "50");
    assert_string_equal(args.values[ARG_STATE], "dead");
    assert_null(args.values[ARG_JSON]);
    assert_int_equal(args.n_words, 0);
}

static void letter_takes_its_value_with_or_without_a_blank(void **state)
{
    (void)state;
    parse(ARGV(W("-c"), W("a.conf")));
    assert_string_equal(args.values[ARG_CONFIG], "a.conf");
    args = (struct args){0};
    parse(ARGV(W("-cb.conf"), W("-h")));
    assert_string_equal(args.values[ARG_CONFIG], "b.conf");
    assert_non_null(args.values[ARG_HELP]);
}

static void value_may_hold_equals_and_dashes(void **state)
{
    (void)state;
    parse(ARGV(W("--state=a=b"), W("--limit"), W("--json")));
    assert_string_equal(args.values[ARG_STATE], "a=b");
    assert_string_equal(args.values[ARG_LIMIT], "--json");
    assert_null(args.values[ARG_JSON]);
}

static void words_and_options_mix(void **state)
{
    (void)state;
    parse(ARGV(W("show"), W("--json"), W("17")));
    assert_int_equal(args.n_words, 2);
    assert_string_equal(args.words[0], "show");
    assert_string_equal(args.words[1], "17");
    assert_non_null(args.values[ARG_JSON]);
}

static void two_dashes_end_the_options_and_one_is_a_word(void **state)
{
    (void)state;
    parse(ARGV(W("-"), W("--"), W("--json"), W("--")));
    assert_int_equal(args.n_words, 3);
    assert_string_equal(args.words[0], "-");
    assert_string_equal(args.words[1], "--json");
    assert_string_equal(args.words[2], "--");
    assert_null(args.values[ARG_JSON]);
}

static void unknown_option_is_named_with_the_nearest(void **state)
{
    (void)state;
    refused(ARGV(W("--limti"), W("5")), "--limti; did you mean --limit?");
    refused(ARGV(W("--limti=5")), "--limti; did you mean --limit?");
    refused(ARGV(W("--zzzzzzz")), "--zzzzzzz; known are --config, --help, --json");
    refused(ARGV(W("-x")), "-x");
    refused(ARGV(W("--connector"), W("c")), "--connector"); /* of other commands only */
}

static void option_twice_is_refused(void **state)
{
    (void)state;
    refused(ARGV(W("--limit=1"), W("--limit"), W("2")), "--limit is given twice");
    refused(ARGV(W("--json"), W("--json")), "--json is given twice");
}

static void missing_and_needless_values_are_refused(void **state)
{
    (void)state;
    refused(ARGV(W("--limit")), "--limit needs a value: --limit N");
    refused(ARGV(W("--limit=")), "--limit needs a value");
    refused(ARGV(W("-c")), "--config needs a value: --config FILE");
    refused(ARGV(W("--json=yes")), "--json takes no value");
}

static void leading_options_end_at_the_command(void **state)
{
    char **argv = ARGV(W("-c"), W("x"), W("events"), W("--limit"), W("1"));
    size_t n = 0;

    (void)state;
    assert_int_equal(args_leading(&args, TAKES(CONFIG) | TAKES(HELP), argv, &n, &why), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(args_parse(&args, LIST, argv + n + 1, &arena, &why), RC_OK);
    assert_string_equal(args.values[ARG_CONFIG], "x");
    assert_string_equal(args.values[ARG_LIMIT], "1");
}

static void time_is_ago_or_iso_or_milliseconds(void **state)
{
    const int64_t now = INT64_C(1795528659123);
    int64_t at = 0;

    (void)state;
    assert_true(value_time(STR("2h"), now, &at));
    assert_int_equal(at, now - 2 * HOURS_MS);
    assert_true(value_time(STR("90m"), now, &at));
    assert_int_equal(at, now - 90 * MINUTES_MS);
    assert_true(value_time(STR("14d"), now, &at));
    assert_int_equal(at, now - 14 * DAYS_MS);
    assert_true(value_time(STR("250ms"), now, &at));
    assert_int_equal(at, now - 250);
    assert_true(value_time(STR("2026-11-24T13:57:39.123Z"), now, &at));
    assert_int_equal(at, now);
    assert_true(value_time(STR("1795528659123"), 0, &at));
    assert_int_equal(at, now);
    assert_false(value_time(STR("yesterday"), now, &at));
    assert_false(value_time(STR("5"), now, &at));
    assert_false(value_time(STR("h"), now, &at));
    assert_false(value_time(STR("-2h"), now, &at));
    assert_false(value_time(STR("99999999999999999d"), now, &at));
    assert_false(value_time(STR(""), now, &at));
}

static void id_is_plain_or_of_this_database(void **state)
{
    int64_t id = 0;

    (void)state;
    assert_true(value_id(STR("17"), "1a2b3c4d", &id));
    assert_int_equal(id, 17);
    assert_true(value_id(STR("1a2b3c4d-18"), "1a2b3c4d", &id));
    assert_int_equal(id, 18);
    assert_false(value_id(STR("ffffffff-18"), "1a2b3c4d", &id));
    assert_false(value_id(STR("0"), "1a2b3c4d", &id));
    assert_false(value_id(STR("-3"), "1a2b3c4d", &id));
    assert_false(value_id(STR("1a2b3c4d-"), "1a2b3c4d", &id));
    assert_false(value_id(STR("1a2b3c4d--3"), "1a2b3c4d", &id));
    assert_false(value_id(STR("x"), "1a2b3c4d", &id));
    assert_int_equal(id, 18);
}

static void crm_id_has_two_numbers(void **state)
{
    int64_t portal = 0, id = 0;

    (void)state;
    assert_true(value_crm(STR("62515:1246965"), &portal, &id));
    assert_int_equal(portal, 62515);
    assert_int_equal(id, 1246965);
    assert_false(value_crm(STR("62515"), &portal, &id));
    assert_false(value_crm(STR("62515:"), &portal, &id));
    assert_false(value_crm(STR(":5"), &portal, &id));
    assert_false(value_crm(STR("1:2:3"), &portal, &id));
}

static const char *duration(int64_t ms)
{
    return arena_text(&arena, show_duration(ms, &arena));
}

static void durations_show_two_units(void **state)
{
    (void)state;
    assert_string_equal(duration(0), "0s");
    assert_string_equal(duration(-5), "0s");
    assert_string_equal(duration(7), "7ms");
    assert_string_equal(duration(59999), "59s");
    assert_string_equal(duration(61 * SECONDS_MS), "1m 1s");
    assert_string_equal(duration(3 * DAYS_MS + 4 * HOURS_MS + 5 * MINUTES_MS), "3d 4h");
    assert_string_equal(duration(30 * DAYS_MS), "30d");
}

static void tenths_and_times_are_fixed_in_form(void **state)
{
    (void)state;
    assert_string_equal(show_tenths(125, &arena).at, "12.5");
    assert_string_equal(show_tenths(-5, &arena).at, "-0.5");
    assert_string_equal(show_tenths(800, &arena).at, "80.0");
    assert_string_equal(show_time(INT64_C(1795528659123), &arena).at, "2026-11-24 13:57:39");
    assert_string_equal(show_time(0, &arena).at, "-");
}

static const char *quoted(struct str word)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1024);

    shell_quote(&b, word);
    return arena_text(&arena, sbuf_str(&b));
}

static void plain_words_are_not_quoted_others_are(void **state)
{
    (void)state;
    assert_string_equal(quoted(STR("https://a.example:8443/b_c-d")),
                        "https://a.example:8443/b_c-d");
    assert_string_equal(quoted(STR("")), "''");
    assert_string_equal(quoted(STR("a b")), "'a b'");
    assert_string_equal(quoted(STR("it's")), "'it'\\''s'");
    assert_string_equal(quoted(STR("$(id)`id`\\\"!")), "'$(id)`id`\\\"!'");
    assert_string_equal(quoted(STR("~root")), "'~root'");
    assert_string_equal(quoted(STR("a\nb")), "'a\nb'");
}

/* What the shell makes of it. */
static void every_byte_comes_back_from_a_shell(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    char all[255], back[256];

    (void)state;
    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    sbuf_text(&b, "printf %s ");
    shell_quote(&b, (struct str){all, sizeof all});
    FILE *shell = popen(b.at, "re");
    assert_non_null(shell);
    assert_int_equal(fread(back, 1, sizeof back, shell), sizeof all);
    assert_int_equal(pclose(shell), 0);
    assert_memory_equal(all, back, sizeof all);
}

static const char *command(const struct signed_request *r)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);

    curl_command(r, &b);
    return arena_text(&arena, sbuf_str(&b));
}

static void curl_command_sends_what_was_signed(void **state)
{
    struct signed_request r = {
        .url = STR("http://[::1]:8443/webhooks/zapier"),
        .headers = {{STR("Content-Type"), STR("application/json")},
                    {STR("X-Funneld-Secret"), STR("it's")}},
        .n_headers = 2,
        .body = STR("@{\"a\": \"b'c\"}"),
    };

    (void)state;
    assert_string_equal(command(&r), "curl --silent --show-error --include --globoff \\\n"
                                     "  --header 'Content-Type: application/json' \\\n"
                                     "  --header 'X-Funneld-Secret: it'\\''s' \\\n"
                                     "  --data-raw '@{\"a\": \"b'\\''c\"}' \\\n"
                                     "  'http://[::1]:8443/webhooks/zapier'\n");
    r.n_headers = 0;
    r.body_file = STR("my body.json");
    assert_string_equal(command(&r), "curl --silent --show-error --include --globoff \\\n"
                                     "  --data-binary '@my body.json' \\\n"
                                     "  'http://[::1]:8443/webhooks/zapier'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(value_stands_behind_or_after_equals, setup),
        cmocka_unit_test_setup(letter_takes_its_value_with_or_without_a_blank, setup),
        cmocka_unit_test_setup(value_may_hold_equals_and_dashes, setup),
        cmocka_unit_test_setup(words_and_options_mix, setup),
        cmocka_unit_test_setup(two_dashes_end_the_options_and_one_is_a_word, setup),
        cmocka_unit_test_setup(unknown_option_is_named_with_the_nearest, setup),
        cmocka_unit_test_setup(option_twice_is_refused, setup),
        cmocka_unit_test_setup(missing_and_needless_values_are_refused, setup),
        cmocka_unit_test_setup(leading_options_end_at_the_command, setup),
        cmocka_unit_test(time_is_ago_or_iso_or_milliseconds),
        cmocka_unit_test(id_is_plain_or_of_this_database),
        cmocka_unit_test(crm_id_has_two_numbers),
        cmocka_unit_test(durations_show_two_units),
        cmocka_unit_test(tenths_and_times_are_fixed_in_form),
        cmocka_unit_test(plain_words_are_not_quoted_others_are),
        cmocka_unit_test(every_byte_comes_back_from_a_shell),
        cmocka_unit_test(curl_command_sends_what_was_signed),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
