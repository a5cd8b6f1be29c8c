/* tests/unit/test_notion_ids.c - ids that Notion gave, in addresses and bodies of later requests.
 */
#include "cm.h"

#include "connector_test.h"

#define SECTION "type = notion\ntoken = ntn_test\ndatabase = 668d797c76fa49349b05ad288df2d136\n"

static void an_id_stays_one_segment_of_the_path(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_step(&f, "GET", "/v1/databases/", 200, "{\"data_sources\":[{\"id\":\"a b/../c?d\"}]}");
    fixture_build(&f);
    assert_true(str_is(f.request.url, "https://api.notion.com/v1/data_sources/a%20b%2F..%2Fc%3Fd"));
}

static void an_id_without_end_ends_the_job(void **state)
{
    char answer[4096];
    int n = snprintf(answer, sizeof answer, "{\"data_sources\":[{\"id\":\"%03000d\"}]}", 1);

    (void)state;
    assert_true(n > 0 && n < (int)sizeof answer);
    fixture_start(&f, SECTION);
    fixture_step(&f, "GET", "/v1/databases/", 200, answer);
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
    assert_non_null(strstr(f.why.text, "address"));
}

static void two_of_our_columns_cannot_be_one_of_theirs(void **state)
{
    (void)state;
    fixture_start(&f, SECTION "property.reasons = Lead ID\n");
    fixture_step(&f, "GET", "/v1/databases/", 200, "{\"data_sources\":[{\"id\":\"ds-1\"}]}");
    fixture_last(
        &f, "GET", "/v1/data_sources/", 200,
        "{\"properties\":{\"T\":{\"id\":\"t\",\"type\":\"title\"},\"Lead ID\":{\"id\":\"k\","
        "\"type\":\"rich_text\"},\"Score\":{\"id\":\"s\",\"type\":\"number\"}}}");
    fixture_broken(&f, 0, "Lead ID and Reasons are one column");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_id_stays_one_segment_of_the_path, teardown),
        cmocka_unit_test_teardown(an_id_without_end_ends_the_job, teardown),
        cmocka_unit_test_teardown(two_of_our_columns_cannot_be_one_of_theirs, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
