/* tests/unit/test_notion.c - one page per lead: discovery, upsert, settings. */
#include "notion_fixture.h"

#define WITH_CHANCES                                                                               \
    SCHEMA(REQUIRED "," SCORE "," P("Probability", "pro", "number") "," P("Churn", "chu", "number"))

static void a_new_lead_is_looked_up_by_key_and_created(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_build(&f);
    golden(&f, "notion/database.http");
    assert_int_equal(fixture_judge(&f, 200, ONE_SOURCE), JUDGED_CONTINUE);
    fixture_build(&f);
    golden(&f, "notion/schema.http");
    assert_int_equal(fixture_judge(&f, 200, FULL), JUDGED_CONTINUE);
    fixture_build(&f);
    golden(&f, "notion/query.http");
    assert_int_equal(fixture_judge(&f, 200, HITS("")), JUDGED_CONTINUE);
    fixture_build(&f);
    golden(&f, "notion/create.http");
    assert_false(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, PAGE), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "page-1"));
    assert_true(str_is(f.outcomes[0].remote_lead, "page-1"));
}

static void a_known_page_is_patched_without_another_question(void **state)
{
    (void)state;
    start_known(FULL);
    next_job("page-1");
    fixture_build(&f);
    golden(&f, "notion/patch.http");
    assert_true(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, PAGE), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "page-1"));
    assert_null(f.outcomes[0].remote_lead.at);
}

static void columns_for_what_models_say_are_filled_where_they_are(void **state)
{
    (void)state;
    start_known(WITH_CHANCES);
    next_job("page-1");
    fixture_chances(&f);
    f.leads[0].churn.known = false;
    fixture_build(&f);
    golden(&f, "notion/chances.http");
}

static void a_hostile_lead_is_a_page_of_texts(void **state)
{
    (void)state;
    start_known(FULL);
    fixture_step(&f, "POST", "/query", 200, HITS(""));
    fixture_hostile_reasons(&f);
    fixture_build(&f);
    golden(&f, "notion/create_hostile.http");
    next_job("page-1");
    fixture_build(&f);
    golden(&f, "notion/patch_hostile.http");
}

static void only_the_required_columns_are_needed(void **state)
{
    (void)state;
    start_known(SMALL);
    fixture_step(&f, "POST", "/query", 200, HITS(""));
    fixture_build(&f);
    golden(&f, "notion/small.http");
}

static void missing_facts_clear_their_columns(void **state)
{
    (void)state;
    start_known(FULL);
    next_job("page-1");
    f.leads[0].n_properties = 0;
    f.leads[0].email = STR_NULL;
    f.leads[0].state = LEAD_DELETED; /* Status has no such option: people's own value stays */
    f.parcels[0].crm_url = STR_NULL;
    f.parcels[0].d.facts.reasons = STR_NULL;
    fixture_build(&f);
    golden(&f, "notion/cleared.http");
}

static void of_several_pages_the_oldest_true_one_is_patched(void **state)
{
    (void)state;
    start_known(FULL);
    fixture_step(
        &f, "POST", "/v1/data_sources/ds-1/query", 200,
        HITS(HIT("trashed", "2020-01-01T00:00:00.000Z", LEAD, "true") "," HIT(
            "other", "2020-01-01T00:00:00.000Z", "0A1B2C3D-7",
            "false") "," KEYLESS
                     "," HIT("young", "2025-02-01T00:00:00.000Z", LEAD, "false") "," HIT(
                         "old", "2025-01-01T00:00:00.000Z", LEAD,
                         "false") "," HIT("twin", "2025-01-01T00:00:00.000Z", LEAD,
                                          "false") "," HIT("younger", "2025-03-01T00:00:00.000Z",
                                                           LEAD, "false")));
    fixture_last(&f, "PATCH", "/v1/pages/old", 200, "{\"object\":\"page\",\"id\":\"old\"}");
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_lead, "old"));
}

static void in_doubt_the_key_is_asked_twice(const char *known, const char *then, const char *path)
{
    start_known(FULL);
    next_job(known);
    f.job.look = true;
    fixture_step(&f, "POST", "/query", 200, HITS(""));
    fixture_step(&f, "POST", "/query", 200, then);
    fixture_last(&f, path[9] ? "PATCH" : "POST", path, 200, PAGE);
    fixture_end(&f);
}

/* A page can be known all the same: that of another lead which became one with this. */
static void after_a_create_of_unknown_fate_the_key_is_asked_twice(void **state)
{
    const char *hit = HITS(HIT("page-1", "2025-01-01T00:00:00.000Z", LEAD, "false"));

    (void)state;
    in_doubt_the_key_is_asked_twice("", hit, "/v1/pages/page-1");
    in_doubt_the_key_is_asked_twice("", HITS(""), "/v1/pages");
    in_doubt_the_key_is_asked_twice("page-9", hit, "/v1/pages/page-1");
    in_doubt_the_key_is_asked_twice("page-9", HITS(""), "/v1/pages/page-9");
}

static void a_validation_error_reads_the_schema_again_once(void **state)
{
    (void)state;
    start_known(FULL);
    fixture_step(&f, "POST", "/query", 200, HITS(""));
    fixture_step(&f, "POST", "/v1/pages", 400, INVALID);
    assert_true(f.job.settled);
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_step(&f, "GET", "/v1/data_sources/ds-1", 200, SMALL);
    fixture_last(&f, "POST", "/v1/pages", 400, INVALID);
    fixture_verdict(&f, 0, VERDICT_DEAD, "Score is expected to be rich_text");
    fixture_verdict(&f, 0, VERDICT_DEAD, "req-9");
    assert_null(str_find(f.request.body, STR("\"ema\"")));
}

static void a_data_source_id_does_as_well_as_a_database_id(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_step(&f, "GET", "/v1/databases/", 404, ABSENT);
    fixture_step(&f, "GET", "/v1/data_sources/668d797c-76fa-4934-9b05-ad288df2d136", 200, FULL);
    fixture_step(&f, "POST", "/v1/data_sources/668d797c-76fa-4934-9b05-ad288df2d136/query", 200,
                 HITS(""));
    fixture_end(&f);

    fixture_start(&f, SECTION);
    fixture_step(&f, "GET", "/v1/databases/", 404, ABSENT);
    fixture_last(&f, "GET", "/v1/data_sources/", 404, ABSENT);
    fixture_broken(&f, 0, "share the database with the integration");
    fixture_end(&f);

    fixture_start(&f, SECTION); /* not Notion's own 404 */
    fixture_last(&f, "GET", "/v1/databases/", 404, "<html>");
    fixture_verdict(&f, 0, VERDICT_RETRY, "HTTP 404");
}

static void of_several_data_sources_the_option_names_one(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_last(&f, "GET", "/v1/databases/", 200, TWO_SOURCES);
    fixture_broken(&f, 0, "name one with `data_source = NAME`: Leads, Archive");
    fixture_end(&f);

    fixture_start(&f, SECTION "data_source = Nope\n");
    fixture_last(&f, "GET", "/v1/databases/", 200, TWO_SOURCES);
    fixture_broken(&f, 0, "no data source Nope; it has: Leads, Archive");
    fixture_end(&f);

    fixture_start(&f, SECTION "data_source = Archive\n");
    fixture_step(&f, "GET", "/v1/databases/", 200, TWO_SOURCES);
    fixture_step(&f, "GET", "/v1/data_sources/22222222-2222-", 200, FULL);
    fixture_end(&f);

    fixture_start(&f, SECTION "data_source = 11111111111111111111111111111111\n");
    fixture_step(&f, "GET", "/v1/databases/", 200, TWO_SOURCES);
    fixture_step(&f, "GET", "/v1/data_sources/11111111-1111-", 200, FULL);
}

static const struct schema_case {
    const char *schema, *reason;
} schema_cases[] = {
    {SCHEMA(P("Lead ID", "k", "rich_text") "," P("Score", "s", "number")),
     "no column \"Name\": give it its name back, add it as title"},
    {SCHEMA(P("N", "t", "title") "," P("Score", "s", "number")),
     "no column \"Lead ID\": give it its name back, add it as rich_text"},
    {SCHEMA(REQUIRED),
     "no column \"Score\": give it its name back, add it as number, or name another "
     "with `property.score = ...`"},
    {SCHEMA(REQUIRED "," P("Points", "p", "number") "," P("Age", "a", "number")),
     "of that type there are: Points, Age"},
    {SCHEMA(REQUIRED "," P("Score", "s", "rich_text")),
     "\"Score\" is of type rich_text, expected number"},
    {SCHEMA(REQUIRED "," P("score", "s", "number")), "no column \"Score\""},
};

static void a_schema_that_does_not_fit_says_which_column_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(schema_cases); i++) {
        fixture_start(&f, SECTION);
        fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
        fixture_last(&f, "GET", "/v1/data_sources/", 200, schema_cases[i].schema);
        fixture_broken(&f, 0, schema_cases[i].reason);
        fixture_end(&f);
    }
}

static void a_column_that_nobody_asked_for_is_left_out_where_it_does_not_fit(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_step(&f, "GET", "/v1/data_sources/", 200,
                 SCHEMA(REQUIRED "," P("Score", "s", "number") "," P("Band", "b", "multi_select")));
    fixture_step(&f, "POST", "/query", 200, HITS(""));
    fixture_build(&f);
    assert_null(str_find(f.request.body, STR("\"b\"")));
    fixture_end(&f);

    fixture_start(&f, SECTION "property.band = Band\n");
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_last(&f, "GET", "/v1/data_sources/", 200,
                 SCHEMA(REQUIRED "," P("Score", "s", "number") "," P("Band", "b", "multi_select")));
    fixture_broken(&f, 0, "\"Band\" is of type multi_select, expected select");
}

/* A job that knew the schema reads it anew; the next one begins with reading it. */
static void a_column_that_is_gone_keeps_everything_until_it_is_back(void **state)
{
    (void)state;
    start_known(FULL);
    next_job("page-1");
    fixture_step(&f, "PATCH", "/v1/pages/page-1", 400, INVALID);
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_last(&f, "GET", "/v1/data_sources/", 200, SCHEMA(REQUIRED));
    fixture_broken(&f, 0, "no column \"Score\"");
    next_job("page-1");
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_step(&f, "GET", "/v1/data_sources/", 200, FULL);
    fixture_last(&f, "PATCH", "/v1/pages/page-1", 200, PAGE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void a_column_can_have_another_name(void **state)
{
    (void)state;
    fixture_start(&f, SECTION "property.score = Heat\nproperty.name = Company\n");
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_step(&f, "GET", "/v1/data_sources/", 200,
                 SCHEMA(REQUIRED "," P("Heat", "hea", "number") "," P("Score", "s", "rich_text")));
    fixture_step(&f, "POST", "/query", 200, HITS(""));
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR("\"hea\":{\"number\":87.5}")));
    fixture_end(&f);

    fixture_start(&f, SECTION "property.email = Mail\n"); /* asked for, so it must be there */
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_last(&f, "GET", "/v1/data_sources/", 200, FULL);
    fixture_broken(&f, 0, "no column \"Mail\"");
    fixture_end(&f);

    fixture_start(&f, SECTION "property.score = sco%3A\n"); /* its id outlives all names */
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_step(&f, "GET", "/v1/data_sources/", 200,
                 SCHEMA(REQUIRED "," P("Whatever", "sco%3A", "number")));
    fixture_step(&f, "POST", "/query", 200, HITS(""));
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR("\"sco%3A\":{\"number\":87.5}")));
}

static void all_connectors_with_one_token_draw_from_one_quota(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    struct quota ours = fixture_quota(&f);
    assert_true(ours.key == quota_key(STR("ntn_test"), "notion"));
    assert_true(ours.per_second == 2.5 && ours.burst >= 1);
    fixture_end(&f);

    fixture_start(&f, SECTION "rate = 5/s\n");
    assert_true(fixture_quota(&f).per_second == 5 && fixture_quota(&f).key == ours.key);
    fixture_end(&f);

    fixture_start(&f, SECTION "rate = 1/s\n"); /* a slower one leaves the rest to the others */
    assert_true(fixture_quota(&f).per_second == 2.5);
}

static void a_band_is_written_as_people_write_it(void **state)
{
    (void)state;
    start_known(FULL);
    next_job("page-1");
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR("\"ban\":{\"select\":{\"name\":\"Hot\"}}")));
    f.leads[0].band = BAND_WARM; /* not among the options yet */
    fixture_build(&f);
    assert_non_null(str_find(f.request.body, STR("\"ban\":{\"select\":{\"name\":\"warm\"}}")));
}

static void long_text_is_split_into_elements(void **state)
{
    struct sbuf b = SBUF(1 << 20);
    struct json_doc doc = {0};
    const json *texts;

    (void)state;
    start_known(FULL);
    next_job("page-1");
    for (int i = 0; i < 2000; i++)
        sbuf_text(&b, "\xf0\x9f\x94\xa5"); /* two UTF-16 units each: 4,000 */
    f.parcels[0].d.facts.reasons = sbuf_str(&b);
    fixture_build(&f);
    assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
    texts = json_path(doc.root, "properties.rea.rich_text");
    assert_int_equal(json_count(texts), 3);
    assert_int_equal(json_string(json_path(texts, "0.text.content")).len, 950 * 4);
    assert_int_equal(json_string(json_path(texts, "2.text.content")).len, 100 * 4);
    json_doc_free(&doc);
    sbuf_free(&b);
}

static void settings_that_cannot_work_are_refused(void **state)
{
    (void)state;
    refused("type = notion\ntoken = t\ndatabase = Leads\n", "no id of a Notion database");
    refused(SECTION "version = 2022-06-28\n", "2025-09-03 or later");
    refused(SECTION "property.scor = X\n", "no column scor (score)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_new_lead_is_looked_up_by_key_and_created),
        T(columns_for_what_models_say_are_filled_where_they_are),
        T(a_hostile_lead_is_a_page_of_texts),
        T(a_known_page_is_patched_without_another_question),
        T(only_the_required_columns_are_needed),
        T(missing_facts_clear_their_columns),
        T(of_several_pages_the_oldest_true_one_is_patched),
        T(after_a_create_of_unknown_fate_the_key_is_asked_twice),
        T(a_validation_error_reads_the_schema_again_once),
        T(a_data_source_id_does_as_well_as_a_database_id),
        T(of_several_data_sources_the_option_names_one),
        T(a_schema_that_does_not_fit_says_which_column_and_why),
        T(a_column_can_have_another_name),
        T(a_column_that_nobody_asked_for_is_left_out_where_it_does_not_fit),
        T(a_column_that_is_gone_keeps_everything_until_it_is_back),
        T(all_connectors_with_one_token_draw_from_one_quota),
        T(a_band_is_written_as_people_write_it),
        T(long_text_is_split_into_elements),
        T(settings_that_cannot_work_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
