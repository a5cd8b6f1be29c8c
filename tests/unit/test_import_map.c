/* tests/unit/test_import_map.c - columns of a file, and its rows, as what was so at a time. */
#include "cm.h"

#include <stdlib.h>
#include <string.h>

#include "../../src/cli/import.h"
#include "funneld/base/clock.h"

static struct arena arena;
static struct why why;

static struct import_column *columns(const char *const names[], size_t n)
{
    struct import_column *c = arena_array(&arena, n, sizeof *c);

    for (size_t i = 0; i < n; i++) {
        c[i].name = str_of(names[i]);
        import_propose(&c[i], &arena);
    }
    return c;
}

#define COLUMNS(...)                                                                               \
    columns((const char *const[]){__VA_ARGS__},                                                    \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
#define BECOMES(c, wanted) assert_true(str_is(import_target_text(&(c)), wanted))

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    why.text[0] = 0;
    return 0;
}

static void what_a_column_is_is_proposed_by_its_name(void **state)
{
    (void)state;
    struct import_column *c =
        COLUMNS("Record ID", " First Name ", "Number of Pageviews", "E-Mail", "Create Date", "%%%",
                "Stra\xc3\x9f"
                "e");

    BECOMES(c[0], "@id");
    BECOMES(c[1], "firstname");
    BECOMES(c[2], "number_of_pageviews");
    BECOMES(c[3], "email");
    BECOMES(c[4], "@created_at");
    BECOMES(c[5], "@ignore");
    BECOMES(c[6], "stra_e");
}

/* The owner's name in a file is a number in webhooks: it is for a person to decide. */
static void internal_names_are_known_and_an_owners_name_is_no_id(void **state)
{
    (void)state;
    struct import_column *c = COLUMNS("hs_object_id", "createdate", "Contact owner", "email");

    BECOMES(c[0], "@id");
    BECOMES(c[1], "@created_at");
    BECOMES(c[2], "contact_owner");
    BECOMES(c[3], "email");
}

static void a_map_says_it_otherwise(void **state)
{
    (void)state;
    struct import_column *c = COLUMNS("Email", "a = b", "When", "Notes");

    assert_int_equal(import_map_read(STR("\xef\xbb\xbf; a comment\r\n\r\n# another\r\n"
                                         "a = b = size\r\nWHEN=@at\n  Notes =  @ignore  "),
                                     c, 4, &arena, &why),
                     RC_OK);
    BECOMES(c[0], "email");
    BECOMES(c[1], "size");
    BECOMES(c[2], "@at");
    BECOMES(c[3], "@ignore");
    assert_int_equal(import_map_check(c, 4, &why), RC_OK);
}

static void refused(const char *map, const char *because)
{
    struct import_column *c = COLUMNS("Email", "When", "Notes");

    why.text[0] = 0;
    enum rc rc = import_map_read(str_of(map), c, 3, &arena, &why);
    if (rc == RC_OK)
        rc = import_map_check(c, 3, &why);
    assert_int_equal(rc, RC_INVALID);
    if (!strstr(why.text, because))
        fail_msg("\"%s\" does not say \"%s\"", why.text, because);
}

static void what_a_map_must_not_say_is_told_with_its_line(void **state)
{
    (void)state;
    refused("\n\nNotes", "line 3: write: Column name = property");
    refused("Nots = x", "the file has no column \"Nots\"; did you mean \"Notes\"?");
    refused("Notes = a b", "line 1: a b is neither a property");
    refused("Notes = ", "is neither a property");
    refused("Notes = @now", "@created_at");
    refused("Notes = a\nNotes = b", "line 2: the column \"Notes\" has a line already");
    refused("Notes = when", "\"When\" and \"Notes\" would both be when");
    refused("Notes = email", "would both be email");
    refused("Email = mail", "no column says who a row is about");
    refused("Notes = \xff", "UTF-8");
}

static void a_map_that_is_written_reads_back(void **state)
{
    (void)state;
    struct sbuf b AUTO(sbuf_free) = SBUF(4096);
    struct import_column *c = COLUMNS("Email", "Record ID", "x = y", "line\nbreak");
    struct import_column *again = COLUMNS("Email", "Record ID", "x = y", "line\nbreak");

    import_map_write(c, 4, &b);
    assert_int_equal(import_map_read(sbuf_str(&b), again, 4, &arena, &why), RC_OK);
    for (size_t i = 0; i < 3; i++)
        assert_true(str_eq(import_target_text(&c[i]), import_target_text(&again[i])));
}

/* Rows: E-mail, id, since when, when, a property */

static struct import_rules rules(int64_t portal)
{
    struct import_column *c = COLUMNS("Email", "Record ID", "Create Date", "When", "Company");

    c[3].use = USE_AT;
    return (struct import_rules){.columns = c, .n = 5, .portal = portal, .file_at = 99};
}

static enum rc row(const struct import_rules *r, struct imported *ret, const char *email,
                   const char *id, const char *created, const char *when, const char *company)
{
    const struct str cells[] = {str_of(email), str_of(id), str_of(created), str_of(when),
                                str_of(company)};

    why.text[0] = 0;
    return import_row(r, cells, &arena, ret, &why);
}

static void a_row_says_who_when_and_what(void **state)
{
    (void)state;
    struct import_rules r = rules(0);
    struct imported i;

    assert_int_equal(
        row(&r, &i, " Ada@Example.com ", "62515:7", "2026-01-01", "2026-01-02 10:30", " Acme "),
        RC_OK);
    assert_true(str_is(i.email, "ada@example.com"));
    assert_int_equal(i.portal_id, 62515);
    assert_int_equal(i.crm_id, 7);
    assert_int_equal(i.first_at, INT64_C(1767225600000));
    assert_int_equal(i.at, INT64_C(1767225600000) + DAYS_MS + 10 * HOURS_MS + 30 * MINUTES_MS);
    assert_int_equal(i.n_properties, 2);
    assert_true(str_is(i.properties[0].name, "email"));
    assert_true(str_is(i.properties[1].value, "Acme"));
}

static void seconds_are_not_taken_for_milliseconds(void **state)
{
    (void)state;
    struct import_rules r = rules(0);
    struct imported i;

    assert_int_equal(row(&r, &i, "a@b.c", "", "", "1769081994", ""), RC_INVALID);
    assert_non_null(strstr(why.text, "seconds? write milliseconds"));
    assert_int_equal(row(&r, &i, "a@b.c", "", "", "99999999999", ""), RC_INVALID);
    assert_int_equal(row(&r, &i, "a@b.c", "", "", "1769081994066", ""), RC_OK);
    assert_int_equal(i.at, INT64_C(1769081994066));
    assert_int_equal(row(&r, &i, "a@b.c", "", "", "1970-01-02", ""), RC_OK);
}

static void of_two_rows_of_one_lead_and_time_only_the_same_is_taken(void **state)
{
    (void)state;
    struct import_rules r = rules(0);
    struct import_seen seen = {0};
    struct imported i;
    static const struct {
        const char *email, *when, *company;
        enum rc rc;
    } rows[] = {
        {"a@b.c", "2026-01-02", "Old", RC_OK},      {"a@b.c", "2026-01-02", "Old", RC_OK},
        {"A@b.c", "2026-01-02", "New", RC_INVALID}, {"a@b.c", "2026-01-03", "New", RC_OK},
        {"b@b.c", "2026-01-02", "New", RC_OK},
    };

    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        assert_int_equal(row(&r, &i, rows[k].email, "", "", rows[k].when, rows[k].company), RC_OK);
        assert_int_equal(import_seen_add(&seen, &i, (int64_t)k + 2, &arena, &why), rows[k].rc);
        assert_true(!rows[k].rc || strstr(why.text, "line 2 says something else"));
    }
    import_seen_free(&seen);
}

static void an_empty_cell_says_nothing(void **state)
{
    (void)state;
    struct import_rules r = rules(62515);
    struct imported i;

    assert_int_equal(row(&r, &i, "", "7", "", "1767225600000", ""), RC_OK);
    assert_null(i.email.at);
    assert_int_equal(i.portal_id, 62515);
    assert_int_equal(i.n_properties, 0);
    assert_int_equal(row(&r, &i, "a@example.com", "", "", "  ", ""), RC_NONE); /* no time */
    assert_int_equal(row(&r, &i, "", "", "", "2026-01-01", "x"), RC_INVALID);
    assert_non_null(strstr(why.text, "nobody is named"));
}

static void without_a_column_for_it_the_time_is_the_files(void **state)
{
    (void)state;
    struct import_column *c = COLUMNS("Email");
    const struct import_rules r = {.columns = c, .n = 1, .file_at = 99};
    const struct str cell = STR("a@example.com");
    struct imported i;

    assert_int_equal(import_row(&r, &cell, &arena, &i, &why), RC_OK);
    assert_int_equal(i.at, 99);
}

static void odd_cells_are_named(void **state)
{
    static const struct {
        const char *email, *id, *created, *when, *because;
    } odd[] = {
        {"nobody", "", "", "2026-01-01", "Email: \"nobody\" is no e-mail address"},
        {"a@b@c", "", "", "2026-01-01", "is no e-mail address"},
        {"", "seven", "", "2026-01-01", "Record ID: \"seven\" is no id"},
        {"", "-7", "", "2026-01-01", "is no id"},
        {"", "99999999999999999999", "", "2026-01-01", "is no id"},
        {"", "7", "", "2026-01-01", "says not of which HubSpot account"},
        {"a@example.com", "", "01/02/2026", "2026-01-01", "Create Date: \"01/02/2026\" is no time"},
        {"a@example.com", "", "", "2026-13-01", "When: \"2026-13-01\" is no time"},
        {"a@example.com", "", "", "-99999999999", "is no time"},
        {"a@example.com", "", "", "999999999999999999", "is no time"},
    };
    struct import_rules r = rules(0);
    struct imported i;

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(odd); k++) {
        assert_int_equal(row(&r, &i, odd[k].email, odd[k].id, odd[k].created, odd[k].when, ""),
                         RC_INVALID);
        if (!strstr(why.text, odd[k].because))
            fail_msg("\"%s\" does not say \"%s\"", why.text, odd[k].because);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_a_column_is_is_proposed_by_its_name, teardown),
        cmocka_unit_test_teardown(internal_names_are_known_and_an_owners_name_is_no_id, teardown),
        cmocka_unit_test_teardown(a_map_says_it_otherwise, teardown),
        cmocka_unit_test_teardown(what_a_map_must_not_say_is_told_with_its_line, teardown),
        cmocka_unit_test_teardown(a_map_that_is_written_reads_back, teardown),
        cmocka_unit_test_teardown(a_row_says_who_when_and_what, teardown),
        cmocka_unit_test_teardown(seconds_are_not_taken_for_milliseconds, teardown),
        cmocka_unit_test_teardown(of_two_rows_of_one_lead_and_time_only_the_same_is_taken,
                                  teardown),
        cmocka_unit_test_teardown(an_empty_cell_says_nothing, teardown),
        cmocka_unit_test_teardown(without_a_column_for_it_the_time_is_the_files, teardown),
        cmocka_unit_test_teardown(odd_cells_are_named, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
