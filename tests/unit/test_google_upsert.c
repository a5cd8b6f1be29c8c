/* tests/unit/test_google_upsert.c - a row for each lead, found by its id and kept current; tabs for
 * single routes. */
#include "google_fixture.h"

#define UPSERT "mode = upsert\n"
#define KEYED                                                                                      \
    "{\"values\":[[\"Delivery "                                                                    \
    "ID\",\"Time\",\"Lead\",\"Email\",\"Score\",\"Band\",\"Reasons\",\"CRM\",\"Lead ID\"]]}"
#define LEAD(n) "0a1b2c3d-" n
#define BELOW   "{\"range\":\"x\"}"
#define SHOWN(id)                                                                                  \
    "{\"updatedData\":{\"values\":[[\"\",\"\",\"\",\"\",87.5,\"\",\"\",\"\",\"" id "\"]]}}"
#define UPDATED(rows) "{\"totalUpdatedRows\":1,\"responses\":[" rows "]}"

static void a_new_sheet_has_a_column_for_the_leads_id(void **state)
{
    (void)state;
    fixture_start(&f, section(UPSERT));
    fixture_step(&f, "POST", "/token", 200, TOKEN);
    fixture_step(&f, "GET", "1%3A1", 200, BELOW);
    fixture_build(&f);
    golden(&f, "google_sheets/write_keyed_header.http");
    assert_int_equal(fixture_judge(&f, 200, "{}"), JUDGED_CONTINUE);
    fixture_build(&f);
    golden(&f, "google_sheets/find.http");
    assert_int_equal(fixture_judge(&f, 200, "{\"values\":[[\"Lead ID\"]]}"), JUDGED_CONTINUE);
    fixture_step(&f, "GET", "I25001%3AI50000", 200, BELOW);
    fixture_build(&f);
    golden(&f, "google_sheets/append_keyed.http");
    assert_false(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, APPENDED("Leads!A2:I2")), JUDGED_DONE);
    assert_true(str_is(f.outcomes[0].remote_id, "Leads!A2"));
}

static void a_hostile_lead_is_a_row_of_texts_there_too(void **state)
{
    (void)state;
    start_known(UPSERT, KEYED);
    fixture_job(&f, 1);
    fixture_hostile_reasons(&f);
    fixture_step(&f, "GET", "I1%3AI25000", 200, "{\"values\":[[\"Lead ID\"],[\"" LEAD("7") "\"]]}");
    fixture_build(&f);
    golden(&f, "google_sheets/update_hostile.http");
}

/* The first parcel's lead stands in row 4, the second's nowhere. */
static void rows_that_are_there_are_updated_and_the_others_appended(void **state)
{
    (void)state;
    start_known(UPSERT, KEYED);
    fixture_job(&f, 2);
    fixture_step(&f, "GET", "I1%3AI25000", 200,
                 "{\"values\":[[\"Lead ID\"],[\"x\"],[],[\"" LEAD("7") "\"],[\"" LEAD("7") "\"]]}");
    fixture_verdict(&f, 0, VERDICT_NONE, NULL);
    fixture_step(&f, "GET", "I25001%3AI50000", 200, BELOW);
    fixture_build(&f);
    golden(&f, "google_sheets/update.http");
    assert_true(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, UPDATED(SHOWN(LEAD("7")))), JUDGED_CONTINUE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "Leads!A4"));
    fixture_verdict(&f, 1, VERDICT_NONE, NULL);
    fixture_build(&f);
    assert_null(str_find(f.request.body, STR(LEAD("41"))));
    assert_non_null(str_find(f.request.body, STR(LEAD("42"))));
    assert_int_equal(fixture_judge(&f, 200, APPENDED("Leads!A6:I6")), JUDGED_DONE);
    assert_true(str_is(f.outcomes[1].remote_id, "Leads!A6"));
}

static void find_all(void)
{
    fixture_job(&f, 2);
    fixture_step(&f, "GET", "I1%3AI25000", 200,
                 "{\"values\":[[\"Lead ID\"],[\"" LEAD("8") "\"],[\"" LEAD("7") "\"]]}");
}

static void when_all_are_found_reading_ends_and_nothing_is_appended(void **state)
{
    (void)state;
    start_known(UPSERT, KEYED);
    find_all();
    fixture_last(&f, "POST", "values:batchUpdate", 200,
                 UPDATED(SHOWN(LEAD("7")) "," SHOWN(LEAD("8"))));
    assert_true(str_is(f.outcomes[0].remote_id, "Leads!A3"));
    assert_true(str_is(f.outcomes[1].remote_id, "Leads!A2"));
}

/* What Google does not show it is not asked about. */
static void an_answer_without_values_is_taken_at_its_word(void **state)
{
    static const char *const silent[] = {
        "{\"totalUpdatedRows\":2}",
        UPDATED("{\"updatedData\":{}},{}"),
        UPDATED("{\"updatedData\":{\"values\":[[\"\",87.5]]}}," SHOWN("")),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
        start_known(UPSERT, KEYED);
        find_all();
        fixture_last(&f, "POST", "values:batchUpdate", 200, silent[i]);
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
        fixture_end(&f);
    }
}

static void rows_that_somebody_sorted_meanwhile_are_looked_for_again_once(void **state)
{
    (void)state;
    start_known(UPSERT, KEYED);
    find_all();
    fixture_step(&f, "POST", "values:batchUpdate", 200,
                 UPDATED(SHOWN(LEAD("9")) "," SHOWN(LEAD("8"))));
    fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
    fixture_step(&f, "GET", "I1%3AI25000", 200, "{\"values\":[[],[],[],[\"" LEAD("7") "\"]]}");
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR("'Leads'!A4:I4")));
    assert_null(str_find(f.request.body, STR("'Leads'!A2")));
    assert_int_equal(fixture_judge(&f, 200, UPDATED(SHOWN(LEAD("5")))), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_RETRY, "were moved");
    assert_false(f.job.broken);
}

static void rows_that_were_deleted_meanwhile_are_looked_for_again(void **state)
{
    (void)state;
    start_known(UPSERT, KEYED);
    find_all();
    fixture_step(&f, "POST", "values:batchUpdate", 400,
                 FAILURE("400", "INVALID_ARGUMENT", "Range ('Leads'!A3:I3) exceeds grid limits."));
    fixture_step(&f, "GET", "I1%3AI25000", 200, "{\"values\":[[\"" LEAD("8") "\"]]}");
    fixture_step(&f, "GET", "I25001%3AI50000", 200, BELOW);
    fixture_step(&f, "POST", "values:batchUpdate", 200, UPDATED(SHOWN(LEAD("8"))));
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A2:I2"));
    assert_true(str_is(f.outcomes[0].remote_id, "Leads!A2"));
    assert_true(str_is(f.outcomes[1].remote_id, "Leads!A1"));
}

/* Only an append can be in doubt. */
static void an_update_is_just_repeated(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum verdict verdict;
        bool broken;
    } cases[] = {
        {500, "", VERDICT_RETRY, false},
        {503, "<html>", VERDICT_RETRY, false},
        {200, "<html>", VERDICT_RETRY, false},
        {429, "", VERDICT_RETRY, false},
        {404, FAILURE("404", "NOT_FOUND", "Requested entity was not found."), VERDICT_RETRY, true},
        {400, FAILURE("400", "INVALID_ARGUMENT", "something else"), VERDICT_DEAD, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start_known(UPSERT, KEYED);
        find_all();
        fixture_last(&f, "POST", "values:batchUpdate", cases[i].status, cases[i].body);
        fixture_verdict(&f, 0, cases[i].verdict, NULL);
        fixture_verdict(&f, 1, cases[i].verdict, NULL);
        assert_int_equal(f.job.broken, cases[i].broken);
        fixture_end(&f);
    }
}

static void in_doubt_a_row_that_is_there_is_updated(void **state)
{
    (void)state;
    start_known(UPSERT, KEYED);
    f.job.look = true;
    fixture_step(&f, "GET", "I1%3AI25000", 200, "{\"values\":[[\"" LEAD("7") "\"]]}");
    fixture_last(&f, "POST", "values:batchUpdate", 200, UPDATED(SHOWN(LEAD("7"))));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void the_key_is_needed_and_stands_anywhere(void **state)
{
    (void)state;
    fixture_start(&f, section(UPSERT));
    fixture_step(&f, "POST", "/token", 200, TOKEN);
    fixture_last(&f, "GET", "1%3A1", 200, HEADER);
    fixture_broken(&f, 0, "no column \"Lead ID\"");
    fixture_end(&f);

    start_known(UPSERT, "{\"values\":[[\"lead id\",\"Owner\",\"Score\"]]}");
    fixture_step(&f, "GET", "A1%3AA25000", 200, "{\"values\":[[\"" LEAD("7") "\"]]}");
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR("\"values\":[[null,null,87.5]]")));
    assert_int_equal(
        fixture_judge(&f, 200, UPDATED("{\"updatedData\":{\"values\":[[\"" LEAD("7") "\"]]}}")),
        JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

/* A column that only looks like ours, in a sheet with a row for each delivery, is filled as well.
 */
static void without_upsert_the_leads_id_is_written_where_there_is_a_column(void **state)
{
    (void)state;
    start_known("", KEYED);
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR(",\"" LEAD("7") "\"]")));
}

static void only_an_upsert_folds(void **state)
{
    struct connector c;

    (void)state;
    fixture_start(&f, section(UPSERT));
    c = (struct connector){.type = f.type, .settings = f.settings};
    assert_true(connector_upserts(&c));
    fixture_end(&f);
    fixture_start(&f, section(""));
    c.settings = f.settings;
    assert_false(connector_upserts(&c));
}

#define TABS "range.hot-lead = 'Hot leads'!A:H\nrange.vip = VIPs\n"

static void a_route_may_have_a_tab_of_its_own(void **state)
{
    (void)state;
    start_known(TABS, HEADER);
    assert_non_null(str_find(f.request.url, STR("/values/%27Hot%20leads%27%211%3A1")));
    fixture_last(&f, "POST", "/values/%27Hot%20leads%27%21A%3AH:append", 200,
                 APPENDED("'Hot leads'!A2:H2"));
    assert_true(str_is(f.outcomes[0].remote_id, "Hot leads!A2"));

    fixture_job(&f, 1);
    f.parcels[0].d.route = STR("vip"); /* each tab has a header of its own */
    fixture_step(&f, "GET", "/values/%27VIPs%27%211%3A1", 200, BELOW);
    fixture_step(&f, "PUT", "/values/%27VIPs%27%21A1%3AH1", 200, "{}");
    fixture_last(&f, "POST", "/values/%27VIPs%27%21A%3AH:append", 200, APPENDED("VIPs!A2:H2"));

    fixture_job(&f, 1);
    f.parcels[0].d.route = STR("other");
    fixture_step(&f, "GET", "/values/%27Leads%27%211%3A1", 200, HEADER);
    fixture_job(&f, 1);
    f.parcels[0].d.route = STR("hot-lead"); /* and is remembered */
    fixture_last(&f, "POST", ":append", 200, APPENDED("'Hot leads'!A3:H3"));
}

static void only_what_goes_to_one_tab_goes_together(void **state)
{
    (void)state;
    fixture_start(&f, section(TABS));
    assert_true(f.type->together(f.settings, &f.parcels[0], &f.parcels[1]));
    f.parcels[1].d.route = STR("warm-lead");
    assert_false(f.type->together(f.settings, &f.parcels[0], &f.parcels[1]));
    f.parcels[0].d.route = STR("cold-lead");
    assert_true(f.type->together(f.settings, &f.parcels[0], &f.parcels[1]));
    assert_int_equal(f.type->per_route(f.settings)->n, 2);
}

static void refused(const char *text, const char *expected)
{
    memset(&f, 0, sizeof(f));
    const char *said = fixture_load(&f, section(text));
    if (!strstr(said, expected))
        fail_msg("\"%s\" does not say %s", said, expected);
    fixture_end(&f);
}

static void settings_that_cannot_work_are_refused(void **state)
{
    (void)state;
    refused("range.hot = B:H\n", "must name a tab and begin at column A (Hot leads!A:H)");
    refused("mode = upsert\nrange.hot = Hot!A:H\n", "a connector for each tab");
    refused("mode = update\n", "append");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_new_sheet_has_a_column_for_the_leads_id),
        T(a_hostile_lead_is_a_row_of_texts_there_too),
        T(rows_that_are_there_are_updated_and_the_others_appended),
        T(when_all_are_found_reading_ends_and_nothing_is_appended),
        T(an_answer_without_values_is_taken_at_its_word),
        T(rows_that_somebody_sorted_meanwhile_are_looked_for_again_once),
        T(rows_that_were_deleted_meanwhile_are_looked_for_again),
        T(an_update_is_just_repeated),
        T(in_doubt_a_row_that_is_there_is_updated),
        T(the_key_is_needed_and_stands_anywhere),
        T(without_upsert_the_leads_id_is_written_where_there_is_a_column),
        T(only_an_upsert_folds),
        T(a_route_may_have_a_tab_of_its_own),
        T(only_what_goes_to_one_tab_goes_together),
        T(settings_that_cannot_work_are_refused),
    };

    return cmocka_run_group_tests(tests, make_key, drop_key);
}
