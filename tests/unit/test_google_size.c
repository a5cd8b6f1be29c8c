/* tests/unit/test_google_size.c - cells and requests that are too much for Google. */
#include "google_fixture.h"

/* Google may count otherwise than we do. */
static void a_cell_that_is_too_long_is_cut_shorter_once(void **state)
{
    struct str too_long = STR(FAILURE("400", "INVALID_ARGUMENT",
                                      "Your input contains more than the maximum of 50000 "
                                      "characters in a single cell."));
    char text[60001];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    start_known("", HEADER);
    f.parcels[0].d.facts.reasons = str_of(text);
    fixture_build(&f);
    assert_in_range(f.request.body.len, 50000, 51000);
    assert_int_equal(fixture_judge(&f, 400, too_long.at), JUDGED_CONTINUE);
    assert_true(f.job.settled);
    fixture_build(&f);
    assert_in_range(f.request.body.len, 10000, 11000);
    assert_int_equal(fixture_judge(&f, 400, too_long.at), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DEAD, "too long for a cell");
}

static void has_rows(size_t n, const char *first_id)
{
    struct json_doc doc = {0};

    assert_in_range(f.request.body.len, 1, 4 << 20);
    assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
    assert_int_equal(json_count(json_get(doc.root, "values")), n);
    assert_true(str_is(json_string(json_path(doc.root, "values.0.0")), first_id));
    json_doc_free(&doc);
}

/* Each row of 1.2 MB: a batch of them must not be above what a request may hold. */
static void rows_that_are_too_many_bytes_go_with_the_next_request(void **state)
{
    static char text[50001]; /* six bytes each in JSON */

    (void)state;
    memset(text, 1, sizeof text - 1);
    start_known("", HEADER);
    fixture_job(&f, 4);
    for (size_t i = 0; i < 4; i++) {
        fixture_put(&f, i, "firstname", text);
        fixture_put(&f, i, "email", text);
        f.parcels[i].d.facts.reasons = str_of(text);
        f.parcels[i].crm_url = str_of(text);
    }
    fixture_build(&f);
    has_rows(2, "0a1b2c3d-41");
    assert_int_equal(fixture_judge(&f, 200, APPENDED("Leads!A2:H3")), JUDGED_CONTINUE);
    fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
    fixture_verdict(&f, 2, VERDICT_NONE, NULL);
    fixture_build(&f);
    has_rows(2, "0a1b2c3d-43");
    assert_int_equal(fixture_judge(&f, 200, APPENDED("Leads!A4:H5")), JUDGED_DONE);
    assert_true(str_is(f.outcomes[3].remote_id, "Leads!A5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_cell_that_is_too_long_is_cut_shorter_once, teardown),
        cmocka_unit_test_teardown(rows_that_are_too_many_bytes_go_with_the_next_request, teardown),
    };

    return cmocka_run_group_tests(tests, make_key, drop_key);
}
