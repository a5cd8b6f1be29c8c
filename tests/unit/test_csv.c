/* tests/unit/test_csv.c - tables in files. */
#include "cm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "funneld/base/csv.h"
#include "funneld/base/sbuf.h"

struct file {
    char path[64];
    struct arena arena;
    struct csv *csv;
    struct why why;
    enum rc rc;
};

static struct file open_bytes(const char *text, size_t len)
{
    struct file f = {.path = "/tmp/funneld-csv-XXXXXX"};
    int fd = mkstemp(f.path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(close(fd), 0);
    f.rc = csv_open(f.path, &f.arena, &f.csv, &f.why);
    return f;
}

static struct file open_text(const char *text)
{
    return open_bytes(text, strlen(text));
}

static void file_free(struct file *f)
{
    csv_close(f->csv);
    arena_free(&f->arena);
    assert_int_equal(unlink(f->path), 0);
}

/* All rows as "a|b\nc|d\n", for comparing. */
static struct str rows(struct file *f)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(10000);
    struct str cells[8], ret = STR("");

    assert_int_equal(f->rc, RC_OK);
    assert_true(csv_columns(f->csv) <= 8);
    while ((f->rc = csv_row(f->csv, &f->arena, cells, &f->why)) == RC_OK) {
        for (size_t i = 0; i < csv_columns(f->csv); i++) {
            assert_non_null(cells[i].at);
            sbuf_printf(&b, "%s%.*s", i ? "|" : "", STR_ARG(cells[i]));
        }
        sbuf_char(&b, '\n');
    }
    if (b.len)
        assert_int_equal(sbuf_seal(&b, &f->arena, &ret), RC_OK);
    return ret;
}

static void assert_rows(const char *text, const char *expected)
{
    struct file f AUTO(file_free) = open_text(text);
    struct str got = rows(&f);

    assert_int_equal(f.rc, RC_NONE);
    if (!str_is(got, expected))
        fail_msg("got \"%.*s\"", STR_ARG(got));
    assert_int_equal(csv_offset(f.csv), csv_size(f.csv));
}

static void all_line_ends_and_separators_are_read(void **state)
{
    (void)state;
    assert_rows("a,b\n1,2\n3,4\n", "1|2\n3|4\n");
    assert_rows("a,b\r\n1,2\r\n3,4", "1|2\n3|4\n");
    assert_rows("a;b;c,d\r1;2;3\r", "1|2|3\n");
    assert_rows("\xEF\xBB\xBF"
                "a\tb\n1\t2\n",
                "1|2\n");
    assert_rows("\"a,,,,\";b\n1;2\n", "1|2\n");
    assert_rows("a,b\n\n1,\n\r\n,\n\n", "1|\n|\n");
    assert_rows("a\n1\n", "1\n");
}

static void quotes_hold_separators_lines_and_quotes(void **state)
{
    (void)state;
    assert_rows("a,b\n\"x,y\",\"1\n2\"\n", "x,y|1\n2\n");
    assert_rows("a,b\n\"say \"\"hi\"\"\",\"\"\n", "say \"hi\"|\n");
    assert_rows("a,b\nx\"y,\"\"\"\"\n", "x\"y|\"\n");
}

static void lines_are_counted_in_quotes_too(void **state)
{
    struct file f AUTO(file_free) = open_text("a,b\r\n\"1\r\n\r\n2\",3\n\n4,5\n");
    struct str cells[2];

    (void)state;
    assert_int_equal(csv_row(f.csv, &f.arena, cells, &f.why), RC_OK);
    assert_int_equal(csv_line(f.csv), 2);
    assert_int_equal(csv_row(f.csv, &f.arena, cells, &f.why), RC_OK);
    assert_int_equal(csv_line(f.csv), 6);
}

static void a_bad_row_is_told_by_its_line_and_passed_over(void **state)
{
    struct file f AUTO(file_free) = open_text("a,b\n1\n1,2,3\n\"1\"x,2\n5,6\n\"7,8\n");
    struct str cells[2];

    (void)state;
    assert_int_equal(csv_row(f.csv, &f.arena, cells, &f.why), RC_INVALID);
    assert_string_equal(f.why.text, "line 2 has 1 cells, the header has 2");
    assert_int_equal(csv_row(f.csv, &f.arena, cells, &f.why), RC_INVALID);
    assert_string_equal(f.why.text, "line 3 has 3 cells, the header has 2");
    assert_int_equal(csv_row(f.csv, &f.arena, cells, &f.why), RC_INVALID);
    assert_string_equal(f.why.text, "line 4: there is text behind a quote that ended");
    assert_int_equal(csv_row(f.csv, &f.arena, cells, &f.why), RC_OK);
    assert_true(str_is(cells[1], "6"));
    assert_int_equal(csv_row(f.csv, &f.arena, cells, &f.why), RC_INVALID);
    assert_string_equal(f.why.text, "line 6: a quote does not end");
    assert_int_equal(csv_row(f.csv, &f.arena, cells, &f.why), RC_NONE);
}

static void assert_refused(const char *text, size_t len, const char *why)
{
    struct file f AUTO(file_free) = open_bytes(text, len);

    assert_int_equal(f.rc, RC_INVALID);
    assert_null(f.csv);
    if (!strstr(f.why.text, why))
        fail_msg("%s", f.why.text);
}

static void what_is_no_table_is_refused(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct csv *c = NULL;
    struct why why;

    (void)state;
    assert_refused("", 0, "no header");
    assert_refused("\n\r\n", 3, "no header");
    assert_refused("a,b,a\n", 6, "\"a\" twice");
    assert_refused("a,b\n1,\0\n", 8, "zero byte");
    assert_refused("a,b\n1,\xff\n", 8, "UTF-8");
    assert_refused("a,\"b\n", 5, "does not end");
    assert_int_equal(csv_open("/tmp/funneld-there-is-no-such-file", &a, &c, &why), RC_NONE);
    assert_int_equal(csv_open("/tmp", &a, &c, &why), RC_INVALID);
}

static void columns_are_found_by_name(void **state)
{
    struct file f AUTO(file_free) = open_text(" Email ,email,,ID\n");
    size_t i = 9;

    (void)state;
    assert_int_equal(csv_columns(f.csv), 4);
    assert_true(csv_find(f.csv, STR("email"), &i) && i == 1);
    assert_true(csv_find(f.csv, STR("id"), &i) && i == 3);
    assert_true(str_is(csv_name(f.csv, 2), "column 3"));
    assert_false(csv_find(f.csv, STR("name"), &i));
}

static void what_was_written_is_read_again(void **state)
{
    static const char *const cells[] = {"",
                                        "plain",
                                        "a,b",
                                        "a;b",
                                        "say \"hi\"",
                                        " lead",
                                        "tab\t",
                                        "two\nlines",
                                        "\"",
                                        "\xc3\xa4",
                                        "\xEF\xBB\xBF"
                                        "mark"};
    struct sbuf b AUTO(sbuf_free) = SBUF(1000);

    (void)state;
    sbuf_text(&b, "a,b\n");
    for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
        csv_write(&b, str_of(cells[i]));
        sbuf_text(&b, ",x\n");
    }
    struct file f AUTO(file_free) = open_text(b.at);
    struct str row[2];

    for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
        assert_int_equal(csv_row(f.csv, &f.arena, row, &f.why), RC_OK);
        assert_true(str_is(row[0], cells[i]));
    }
    assert_int_equal(csv_row(f.csv, &f.arena, row, &f.why), RC_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_line_ends_and_separators_are_read),
        cmocka_unit_test(quotes_hold_separators_lines_and_quotes),
        cmocka_unit_test(lines_are_counted_in_quotes_too),
        cmocka_unit_test(a_bad_row_is_told_by_its_line_and_passed_over),
        cmocka_unit_test(what_is_no_table_is_refused),
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(what_was_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
