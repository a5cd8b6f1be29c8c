/* tests/unit/test_conf_expand.c - what values take in: quotes off, environment, files. */
#include "conf_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void quotes_come_off_only_around_the_whole(void **state)
{
    (void)state;
    good("[a]\nq = \"  two blanks \"\ne = \"\"\nw = \"a\" == \"b\"\nd = \"\nr = say \"x\"\n"
         "s = 'single'\nwhen = event.property == \"demo\" and event.value == \"true\"\n");
    assert_string_equal(value("q"), "  two blanks ");
    assert_string_equal(value("e"), "");
    assert_string_equal(value("w"), "\"a\" == \"b\"");
    assert_string_equal(value("d"), "\"");
    assert_string_equal(value("r"), "say \"x\"");
    assert_string_equal(value("s"), "'single'");
    assert_string_equal(value("when"), "event.property == \"demo\" and event.value == \"true\"");
    assert_string_equal(text_of(entry("q")->raw), "\"  two blanks \"");
}

static void the_environment_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(setenv("FUNNELD_TEST_A", "a ; \"b\"\n$$ ${X} = c", 1), 0);
    assert_int_equal(setenv("FUNNELD_TEST_EMPTY", "", 1), 0);
    assert_int_equal(unsetenv("FUNNELD_TEST_UNSET"), 0);
    good("[a]\none = ${FUNNELD_TEST_A}  ; c\ntwo = <${FUNNELD_TEST_A}${FUNNELD_TEST_EMPTY}>\n"
         "three = $$ $5 a$ $${X} $$$${FUNNELD_TEST_EMPTY}\nfour = ${FUNNELD_TEST_EMPTY}\n"
         "five = \"${FUNNELD_TEST_A}\"\n");
    assert_string_equal(value("one"), "a ; \"b\"\n$$ ${X} = c");
    assert_string_equal(value("two"), "<a ; \"b\"\n$$ ${X} = c>");
    assert_string_equal(value("three"), "$ $5 a$ ${X} $${FUNNELD_TEST_EMPTY}");
    assert_string_equal(value("four"), "");
    assert_string_equal(value("five"), "a ; \"b\"\n$$ ${X} = c");
    assert_string_equal(text_of(entry("one")->raw), "${FUNNELD_TEST_A}");

    bad("[a]\nk = x${FUNNELD_TEST_UNSET}\n", 2,
        "\"k\" in [a]: the environment variable FUNNELD_TEST_UNSET is not set");
    bad("[a]\nk = ${1A}\n", 2, "${ is not followed by a name");
    bad("[a]\nk = ${A\n", 2, "${ is not followed by a name");
    bad("[a]\nk = ${}\n", 2, "${ is not followed by a name");
    bad("[a]\nk = ${A-b}\n", 2, "${ is not followed by a name");
    assert_int_equal(setenv("FUNNELD_TEST_A", "\xff", 1), 0);
    bad("[a]\nk = ${FUNNELD_TEST_A}\n", 2, "FUNNELD_TEST_A is not UTF-8");
}

static void write_file(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void values_are_read_from_files(void **state)
{
    char dir[] = "/tmp/funneld-test-XXXXXX", path[64], text[512];

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_true(snprintf(path, sizeof path, "%s/secret", dir) > 0);
    assert_true(snprintf(text, sizeof text, "[a]\nk = file:%s ; c\nn = file:relative\n", path) > 0);

    write_file(path, "two\nlines ; ${X}\n\n", 18);
    good(text);
    assert_string_equal(value("k"), "two\nlines ; ${X}\n");
    assert_string_equal(value("n"), "file:relative");
    write_file(path, "crlf\r\n", 6);
    good(text);
    assert_string_equal(value("k"), "crlf");
    write_file(path, "none", 4);
    assert_int_equal(setenv("FUNNELD_TEST_A", dir, 1), 0);
    good("[a]\nk = file:${FUNNELD_TEST_A}/secret\n");
    assert_string_equal(value("k"), "none");
    write_file(path, "a\0b", 3);
    bad(text, 2, "is not UTF-8 text");

    assert_int_equal(unlink(path), 0);
    bad(text, 2, path);
    assert_true(holds(problems.first->message, "No such file or directory"));
    assert_true(snprintf(text, sizeof text, "[a]\nk = file:%s\n", dir) > 0);
    bad(text, 2, "Is a directory");
    assert_int_equal(rmdir(dir), 0);
}

static void a_file_that_cannot_be_read_is_a_problem(void **state)
{
    (void)state;
    arena_reset(&arena);
    conf_problems_init(&problems, &arena);
    assert_int_equal(conf_read_file("/nonexistent/x.conf", &arena, &conf, &problems), RC_IO);
    assert_int_equal(problems.n, 1);
    assert_int_equal(problems.first->line, 0);
    assert_true(str_is(problems.first->file, "/nonexistent/x.conf"));
    assert_true(holds(problems.first->message, "No such file or directory"));
    assert_int_equal(conf.n_sections, 0);
}

static void a_file_is_read_like_a_text(void **state)
{
    char path[] = "/tmp/funneld-test-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    write_file(path, "[a]\nk = v", 9);
    arena_reset(&arena);
    conf_problems_init(&problems, &arena);
    assert_int_equal(conf_read_file(path, &arena, &conf, &problems), RC_OK);
    assert_int_equal(unlink(path), 0);
    assert_string_equal(value("k"), "v");
    assert_true(str_is(conf.file, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_come_off_only_around_the_whole),
        cmocka_unit_test(the_environment_is_replaced),
        cmocka_unit_test(values_are_read_from_files),
        cmocka_unit_test(a_file_that_cannot_be_read_is_a_problem),
        cmocka_unit_test(a_file_is_read_like_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
