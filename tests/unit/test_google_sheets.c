/* tests/unit/test_google_sheets.c - header, rows, and looking before appending again. */
#include "google_fixture.h"

static void an_empty_sheet_gets_its_header_and_then_the_rows(void **state)
{
    (void)state;
    fixture_start(&f, section(""));
    fixture_job(&f, 2);
    fixture_step(&f, "POST", "/token", 200, TOKEN);
    fixture_build(&f);
    golden(&f, "google_sheets/header.http");
    assert_int_equal(fixture_judge(&f, 200, "{\"range\":\"Leads!A1:Z1\"}"), JUDGED_CONTINUE);
    fixture_build(&f);
    golden(&f, "google_sheets/write_header.http");
    assert_int_equal(fixture_judge(&f, 200, "{\"updatedRange\":\"Leads!A1:H1\"}"), JUDGED_CONTINUE);
    fixture_build(&f);
    golden(&f, "google_sheets/append.http");
    assert_false(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, APPENDED("Leads!A2:H3")), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "Leads!A2"));
    assert_true(str_is(f.outcomes[1].remote_id, "Leads!A3"));
    fixture_verdict(&f, 2, VERDICT_NONE, NULL); /* there were two */
}

static void a_header_that_cannot_be_written_is_written_later(void **state)
{
    (void)state;
    fixture_start(&f, section(""));
    fixture_step(&f, "POST", "/token", 200, TOKEN);
    fixture_step(&f, "GET", "1%3A1", 200, "{\"range\":\"Leads!A1:Z1\"}");
    fixture_last(&f, "PUT", "A1%3AH1", 503, "");
    fixture_verdict(&f, 0, VERDICT_RETRY, "HTTP 503");
    fixture_job(&f, 1);
    fixture_step(&f, "GET", "1%3A1", 200, "{\"range\":\"Leads!A1:Z1\"}");
    fixture_step(&f, "PUT", "A1%3AH1", 200, "{}");
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A2:H2"));
}

static void columns_are_found_by_their_words(void **state)
{
    (void)state;
    start_known("", "{\"values\":[[\"Owner\",\"score\",\"\",\"Delivery ID\",7,\"Email\"]]}");
    f.leads[0].email = STR_NULL;
    f.leads[0].n_properties = 0;
    fixture_build(&f);
    golden(&f, "google_sheets/other_columns.http");
}

static void a_header_that_cannot_be_used_is_to_be_mended(void **state)
{
    (void)state;
    fixture_start(&f, section(""));
    fixture_step(&f, "POST", "/token", 200, TOKEN);
    fixture_last(&f, "GET", "1%3A1", 200, "{\"values\":[[\"Name\",\"Email\"]]}");
    fixture_broken(&f, 0, "no column \"Delivery ID\"");
    fixture_job(&f, 1);
    fixture_last(&f, "GET", "1%3A1", 200, "{\"values\":[[\"\",\"Delivery ID\",\"Email\"]]}");
    fixture_broken(&f, 0, "must begin in A1");
    fixture_job(&f, 1);
    fixture_step(&f, "GET", "1%3A1", 200, "{\"values\":[[2026,\"Delivery ID\"]]}");
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A2:B2"));
}

static void token_and_header_are_kept_for_the_next_job_but_not_for_ever(void **state)
{
    (void)state;
    start_known("", HEADER);
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A2:H2"));
    fixture_job(&f, 1);
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A3:H3"));
    fixture_job(&f, 1);
    f.job.now_ms += 10 * MINUTES_MS; /* columns may have been moved */
    fixture_step(&f, "GET", "1%3A1", 200, HEADER);
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A3:H3"));
    fixture_job(&f, 1);
    f.job.now_ms += 3599 * SECONDS_MS - 5 * MINUTES_MS - 1;
    fixture_step(&f, "GET", "1%3A1", 200, HEADER);
    fixture_job(&f, 1);
    f.job.now_ms += 3599 * SECONDS_MS - 5 * MINUTES_MS;
    fixture_step(&f, "POST", "/token", 200, "{\"access_token\":\"b\",\"expires_in\":60}");
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A3:H3")); /* short, yet used */
}

static void tab_names_are_quoted_and_the_range_is_one_segment(void **state)
{
    (void)state;
    start_known("range = 'Jon''s leads/2026'!A1:H\n", HEADER);
    fixture_build(&f);
    assert_non_null(str_find(
        f.request.url, STR("/v4/spreadsheets/sheet-1/values/%27Jon%27%27s%20leads%2F2026%27%21A1"
                           "%3AH:append?valueInputOption=RAW&insertDataOption=INSERT_ROWS")));
}

static void a_hostile_lead_is_a_row_of_texts(void **state)
{
    (void)state;
    start_known("", HEADER);
    fixture_hostile_reasons(&f);
    fixture_build(&f);
    golden(&f, "google_sheets/append_hostile.http");
}

static void formulas_stay_text_and_long_cells_are_cut(void **state)
{
    struct sbuf b = SBUF(1 << 20);
    struct json_doc doc = {0};

    (void)state;
    start_known("", HEADER);
    for (int i = 0; i < 60000; i++)
        sbuf_text(&b, "x");
    fixture_put(&f, 0, "firstname", "=1+2");
    fixture_put(&f, 0, "lastname", "");
    f.parcels[0].d.facts.reasons = sbuf_str(&b);
    fixture_build(&f);
    assert_non_null(str_find(f.request.url, STR("valueInputOption=RAW")));
    assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
    assert_true(str_is(json_string(json_path(doc.root, "values.0.2")), "=1+2"));
    assert_int_equal(json_string(json_path(doc.root, "values.0.6")).len, 50000);
    json_doc_free(&doc);
    sbuf_free(&b);
}

static void in_doubt_only_the_missing_rows_are_appended(void **state)
{
    struct json_doc doc = {0};

    (void)state;
    start_known("", HEADER);
    fixture_job(&f, 3);
    f.job.look = true;
    fixture_build(&f);
    golden(&f, "google_sheets/look.http");
    assert_int_equal(fixture_judge(&f, 200,
                                   "{\"majorDimension\":\"ROWS\",\"values\":[[\"Delivery ID\"],"
                                   "[],[\"0a1b2c3d-42\"],[7],[\"0a1b2c3d-4\"],[\"0a1b2c3d-44\"]]}"),
                     JUDGED_CONTINUE);
    fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
    fixture_verdict(&f, 3, VERDICT_NONE, NULL); /* of another job */
    assert_true(str_is(f.outcomes[1].remote_id, "Leads!A3"));
    fixture_step(&f, "GET", "A25001%3AA50000", 400,
                 FAILURE("400", "INVALID_ARGUMENT",
                         "Range (Leads!A25001:A50000) exceeds grid limits. Max rows: 1000"));
    fixture_build(&f);
    assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
    assert_int_equal(json_count(json_get(doc.root, "values")), 2);
    assert_true(str_is(json_string(json_path(doc.root, "values.0.0")), "0a1b2c3d-41"));
    assert_true(str_is(json_string(json_path(doc.root, "values.1.0")), "0a1b2c3d-43"));
    json_doc_free(&doc);
    assert_int_equal(fixture_judge(&f, 200, APPENDED("Leads!A5:H6")), JUDGED_DONE);
    assert_true(str_is(f.outcomes[0].remote_id, "Leads!A5"));
    assert_true(str_is(f.outcomes[1].remote_id, "Leads!A3"));
    assert_true(str_is(f.outcomes[2].remote_id, "Leads!A6"));
}

static void when_all_rows_are_there_nothing_is_appended(void **state)
{
    (void)state;
    start_known("", HEADER);
    f.job.look = true;
    fixture_last(&f, "GET", "A1%3AA25000", 200,
                 "{\"values\":[[\"Delivery ID\"],[\"0a1b2c3d-41\"]]}");
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void the_row_of_the_first_says_nothing_of_the_second(void **state)
{
    (void)state;
    start_known("", HEADER);
    fixture_job(&f, 2);
    f.job.look = true;
    fixture_step(&f, "GET", "A1%3AA25000", 200, "{\"values\":[[\"0a1b2c3d-41\"]]}");
    fixture_step(&f, "GET", "A25001%3AA50000", 200, "{}");
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A2:H2"));
    assert_true(str_is(f.outcomes[0].remote_id, "Leads!A1"));
    assert_true(str_is(f.outcomes[1].remote_id, "Leads!A2"));
}

static void reading_goes_on_until_a_page_is_empty(void **state)
{
    (void)state;
    start_known("", HEADER);
    f.job.look = true;
    fixture_step(&f, "GET", "A1%3AA25000", 200, "{\"values\":[[\"Delivery ID\"]]}");
    fixture_step(&f, "GET", "A25001%3AA50000", 200, "{\"values\":[[\"other\"]]}");
    fixture_step(&f, "GET", "A50001%3AA75000", 200, "{\"range\":\"x\"}");
    fixture_last(&f, "POST", ":append", 503, "");
    fixture_verdict(&f, 0, VERDICT_AMBIGUOUS, "HTTP 503");
}

/* It was looked, and this append wrote nothing. */
static void a_quota_that_is_used_up_after_the_look_leaves_no_doubt(void **state)
{
    (void)state;
    start_known("", HEADER);
    f.job.look = true;
    fixture_step(&f, "GET", "A1%3AA25000", 200, "{\"range\":\"x\"}");
    fixture_last(&f, "POST", ":append", 429, "");
    fixture_verdict(&f, 0, VERDICT_RETRY, "HTTP 429");
}

static const struct error_case {
    int status;
    const char *body;
    enum fate { DEAD, RETRY, UNSURE, BROKEN } of_append, of_reading;
    int64_t pause_ms;
    const char *reason;
} error_cases[] = {
#define INVALID(text) FAILURE("400", "INVALID_ARGUMENT", text)
    {400, INVALID("Unable to parse range: Leads!A1"), BROKEN, BROKEN, 0, "missing or was renamed"},
    {400, INVALID("above the limit of 10000000 cells."), BROKEN, BROKEN, 0, "spreadsheet is full"},
    {400, INVALID("something else"), DEAD, BROKEN, 0, "something else"},
    {403, FAILURE("403", "PERMISSION_DENIED", "The caller does not have permission"), BROKEN,
     BROKEN, 0, "as editor, with funneld@example.org"},
    {403, FAILURE("403", "PERMISSION_DENIED", "You are trying to edit a protected cell"), BROKEN,
     BROKEN, 0, "let it be edited by funneld@example.org"},
    {403, FAILURE("403", "PERMISSION_DENIED", "Sheets API has not been used in project 7"), BROKEN,
     BROKEN, 0, "enable the Sheets API"},
    {404, FAILURE("404", "NOT_FOUND", "Requested entity was not found."), BROKEN, BROKEN, 0,
     "check the connector's `spreadsheet`"},
    {409, FAILURE("409", "ABORTED", "try again"), RETRY, RETRY, 0,
     "try again"},                                /* unknown: the first tries */
    {403, "{}", RETRY, RETRY, 30000, "HTTP 403"}, /* not Google's own */
    {403, "<html>", RETRY, RETRY, 30000, "HTTP 403"},
    {400, "", RETRY, RETRY, 30000, "HTTP 400"},
    {408, "", RETRY, RETRY, 0, "HTTP 408"},
    {429, FAILURE("429", "RESOURCE_EXHAUSTED", "Quota exceeded"), RETRY, RETRY, 1000,
     "Quota exceeded"},
    {500, "", UNSURE, RETRY, 0, "HTTP 500"},
    {502, "<html>", UNSURE, RETRY, 0, "HTTP 502"},
    {503, FAILURE("503", "UNAVAILABLE", "busy"), UNSURE, RETRY, 0, "busy"},
    {504, "", UNSURE, RETRY, 0, "HTTP 504"},
    {200, "<html>", UNSURE, RETRY, 0, "HTTP 200"},
    {299, "", UNSURE, RETRY, 0, "HTTP 299"},
    {300, "", BROKEN, BROKEN, 0, "never redirects"},
    {399, "", BROKEN, BROKEN, 0, "never redirects"},
#undef INVALID
};

static void has_fate(size_t i, enum fate fate, const char *reason)
{
    static const enum verdict verdicts[] = {
        [DEAD] = VERDICT_DEAD,
        [RETRY] = VERDICT_RETRY,
        [UNSURE] = VERDICT_AMBIGUOUS,
        [BROKEN] = VERDICT_RETRY,
    };

    fixture_verdict(&f, i, verdicts[fate], reason);
    assert_int_equal(f.job.broken, fate == BROKEN);
}

static void every_error_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(error_cases); i++) {
        const struct error_case *c = &error_cases[i];

        start_known("", HEADER);
        fixture_job(&f, 2);
        fixture_last(&f, "POST", ":append", c->status, c->body);
        has_fate(0, c->of_append, c->reason);
        has_fate(1, c->of_append, c->reason);
        assert_int_equal(f.job.pause_ms, c->pause_ms);

        fixture_job(&f, 1);
        f.job.now_ms += 10 * MINUTES_MS;
        fixture_last(&f, "GET", "1%3A1", c->status, c->body);
        has_fate(0, c->of_reading, c->reason);
        fixture_end(&f);

        start_known("", HEADER);
        f.job.look = true;
        fixture_last(&f, "GET", "A1%3AA25000", c->status, c->body);
        has_fate(0, c->of_reading, c->reason);
        fixture_end(&f);
    }
}

static void the_pause_of_a_quota_doubles_up_to_a_minute(void **state)
{
    static const int64_t waits[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 64000};

    (void)state;
    start_known("", HEADER);
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        fixture_job(&f, 1);
        f.parcels[0].d.attempts = (int64_t)i;
        fixture_last(&f, "POST", ":append", 429, "");
        assert_int_equal(f.job.pause_ms, waits[i]);
    }
}

static void rows_that_landed_elsewhere_are_not_taken_for_delivered(void **state)
{
    (void)state;
    start_known("", HEADER);
    fixture_last(&f, "POST", ":append", 200, APPENDED("'Leads'!C5:J5"));
    fixture_verdict(&f, 0, VERDICT_DEAD, "not in column A"); /* they are somewhere */
    assert_true(f.job.broken);                               /* no more of them */

    fixture_job(&f, 1);
    fixture_step(&f, "GET", "1%3A1", 200, HEADER);
    fixture_last(&f, "POST", ":append", 200, APPENDED("ZZ5:AAG5"));
    fixture_verdict(&f, 0, VERDICT_DEAD, "not in column A");

    fixture_job(&f, 1);
    fixture_step(&f, "GET", "1%3A1", 200, HEADER);
    fixture_last(&f, "POST", ":append", 200, "{\"updates\":{}}");
    fixture_verdict(&f, 0, VERDICT_AMBIGUOUS, NULL);
}

static void only_a_range_that_names_a_cell_says_where_the_rows_are(void **state)
{
    static const struct {
        const char *range, *row; /* NULL: none that could be known */
    } cases[] = {
        {"!A5", "Leads!A5"},
        {"A123:H124", "Leads!A123"},
        {"A5", "Leads!A5"},
        {"'a!b'!A7:H9", "Leads!A7"},
        {"A", NULL},
        {"5:7", NULL},
        {"'Leads'!", NULL},
        {"a5", NULL},
        {"A$5", NULL},
        {"[5", NULL},
        {"A9:H10", "Leads!A9"},
        {"A0:H10", "Leads!A0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start_known("", HEADER);
        fixture_last(
            &f, "POST", ":append", 200,
            arena_printf(&f.arena, "{\"updates\":{\"updatedRange\":\"%s\"}}", cases[i].range).at);
        fixture_verdict(&f, 0, cases[i].row ? VERDICT_DELIVERED : VERDICT_AMBIGUOUS, NULL);
        assert_true(str_is(f.outcomes[0].remote_id, cases[i].row));
        fixture_end(&f);
    }
}

static void refused(const char *text, const char *expected)
{
    memset(&f, 0, sizeof(f));
    const char *said = fixture_load(&f, text);
    if (!strstr(said, expected))
        fail_msg("\"%s\" does not say %s", said, expected);
    assert_null(strstr(said, "PRIVATE KEY"));
    fixture_end(&f);
}

static void settings_that_cannot_work_are_refused(void **state)
{
    (void)state;
    refused(section_of("nonsense", ""), "no service-account JSON");
    refused(section_of("{\"type\":\"user\"}", ""), "not of type service_account");
    refused(section_with(STR("-----BEGIN PRIVATE KEY-----"), "", ""), "no RSA key");
    refused(section_with(with_line_ends_as("\\n"), "https://evil.example/token", ""),
            "not at oauth2.googleapis.com");
    refused(section("range = A:H\n"), "must name a tab");
    refused(section("range = Leads!B:I\n"), "begin at column A");
    refused(section("range = Leads!AB:AI\n"), "begin at column A");
    fixture_start(&f, section_with(with_line_ends_as("\\n"), "http://127.0.0.1:1/token",
                                   "token_url = http://127.0.0.1:1/token\nbatch = 50\n"));
    assert_int_equal(f.type->batch_limit(f.settings), 50);
    const struct connector_common *c = f.settings;
    assert_int_equal(c->timeout_ms, 60000);
    assert_int_equal(c->settle_ms, 190000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_empty_sheet_gets_its_header_and_then_the_rows, teardown),
        cmocka_unit_test_teardown(a_hostile_lead_is_a_row_of_texts, teardown),
        cmocka_unit_test_teardown(a_header_that_cannot_be_written_is_written_later, teardown),
        cmocka_unit_test_teardown(columns_are_found_by_their_words, teardown),
        cmocka_unit_test_teardown(a_header_that_cannot_be_used_is_to_be_mended, teardown),
        cmocka_unit_test_teardown(token_and_header_are_kept_for_the_next_job_but_not_for_ever,
                                  teardown),
        cmocka_unit_test_teardown(tab_names_are_quoted_and_the_range_is_one_segment, teardown),
        cmocka_unit_test_teardown(formulas_stay_text_and_long_cells_are_cut, teardown),
        cmocka_unit_test_teardown(in_doubt_only_the_missing_rows_are_appended, teardown),
        cmocka_unit_test_teardown(when_all_rows_are_there_nothing_is_appended, teardown),
        cmocka_unit_test_teardown(the_row_of_the_first_says_nothing_of_the_second, teardown),
        cmocka_unit_test_teardown(reading_goes_on_until_a_page_is_empty, teardown),
        cmocka_unit_test_teardown(a_quota_that_is_used_up_after_the_look_leaves_no_doubt, teardown),
        cmocka_unit_test_teardown(every_error_has_its_verdict, teardown),
        cmocka_unit_test_teardown(the_pause_of_a_quota_doubles_up_to_a_minute, teardown),
        cmocka_unit_test_teardown(rows_that_landed_elsewhere_are_not_taken_for_delivered, teardown),
        cmocka_unit_test_teardown(only_a_range_that_names_a_cell_says_where_the_rows_are, teardown),
        cmocka_unit_test_teardown(settings_that_cannot_work_are_refused, teardown),
    };

    return cmocka_run_group_tests(tests, make_key, drop_key);
}
