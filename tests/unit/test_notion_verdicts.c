/* tests/unit/test_notion_verdicts.c - what Notion's answers mean, and pages that people deleted. */
#include "notion_fixture.h"

static void a_page_that_a_person_deleted_is_forgotten_and_made_again(void **state)
{
    static const struct {
        int status;
        const char *body;
    } gone[] = {
        {404, ABSENT},
        {200, "{\"object\":\"page\",\"id\":\"page-1\",\"in_trash\":true}"},
        {200, "{\"object\":\"page\",\"id\":\"page-1\",\"archived\":true}"},
        {400, ERROR("400", "validation_error", "Can't edit block that is archived.")},
        {400, ERROR("400", "validation_error", "Can't edit a page in trash.")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        start_known(FULL);
        next_job("page-1");
        fixture_step(&f, "PATCH", "/v1/pages/page-1", gone[i].status, gone[i].body);
        assert_true(f.job.settled);
        assert_non_null(f.outcomes[0].remote_lead.at);
        assert_int_equal(f.outcomes[0].remote_lead.len, 0);
        fixture_step(&f, "POST", "/query", 200, HITS(""));
        fixture_last(&f, "POST", "/v1/pages", 200, "{\"object\":\"page\",\"id\":\"page-2\"}");
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        assert_true(str_is(f.outcomes[0].remote_lead, "page-2"));
        fixture_end(&f);
    }
}

/* What is wrong is the request, or the schema. */
static void a_page_that_cannot_be_written_is_not_taken_for_deleted(void **state)
{
    (void)state;
    start_known(FULL);
    next_job("page-1");
    fixture_last(&f, "PATCH", "/v1/pages/page-1", 400, ERROR("400", "invalid_json", "in trash"));
    fixture_verdict(&f, 0, VERDICT_DEAD, "invalid_json");
    assert_null(f.outcomes[0].remote_lead.at);

    next_job("page-1");
    fixture_step(&f, "PATCH", "/v1/pages/page-1", 400, INVALID);
    assert_null(f.outcomes[0].remote_lead.at);
    fixture_build(&f);
    assert_non_null(str_find(f.request.url, STR("/v1/databases/")));
}

static void a_page_that_vanishes_twice_is_left_for_later(void **state)
{
    (void)state;
    start_known(FULL);
    next_job("page-1");
    fixture_step(&f, "PATCH", "/v1/pages/page-1", 404, ABSENT);
    fixture_step(&f, "POST", "/query", 200,
                 HITS(HIT("page-2", "2025-01-01T00:00:00.000Z", LEAD, "false")));
    fixture_last(&f, "PATCH", "/v1/pages/page-2", 404, ABSENT);
    fixture_verdict(&f, 0, VERDICT_RETRY, "deleted while it was written");
}

static const struct error_case {
    int status;
    const char *body;
    enum fate { DEAD, RETRY, UNSURE, BROKEN } of_query, of_create;
    bool pauses;
} error_cases[] = {
#define SAYS(status, code, of_query, of_create)                                                    \
    {                                                                                              \
        status, ERROR(#status, code, "m"), of_query, of_create, false                              \
    }
    /* A question holds nothing of the lead's: what is wrong with it is wrong with all. */
    SAYS(400, "invalid_json", BROKEN, DEAD),
    SAYS(400, "invalid_request_url", BROKEN, DEAD),
    SAYS(400, "invalid_request", BROKEN, DEAD),
    SAYS(400, "missing_version", BROKEN, BROKEN),
    SAYS(400, "invalid_grant", BROKEN, BROKEN),
    SAYS(401, "unauthorized", BROKEN, BROKEN),
    SAYS(403, "restricted_resource", BROKEN, BROKEN),
    SAYS(409, "conflict_error", RETRY, RETRY),
    {429, ERROR("429", "rate_limited", "m"), RETRY, RETRY, true},
    {529, ERROR("529", "service_overload", "m"), RETRY, RETRY, true},
    SAYS(500, "internal_server_error", RETRY, UNSURE),
    SAYS(502, "bad_gateway", RETRY, UNSURE),
    SAYS(504, "gateway_timeout", RETRY, UNSURE),
    SAYS(503, "service_unavailable", RETRY, UNSURE),
    SAYS(503, "database_connection_unavailable", RETRY, UNSURE),
    /* The code counts before the status. */
    SAYS(418, "rate_limited", RETRY, RETRY),
    SAYS(418, "service_overload", RETRY, RETRY),
    SAYS(418, "internal_server_error", RETRY, UNSURE),
    SAYS(418, "bad_gateway", RETRY, UNSURE),
    SAYS(418, "gateway_timeout", RETRY, UNSURE),
    SAYS(418, "service_unavailable", RETRY, UNSURE),
    SAYS(418, "database_connection_unavailable", RETRY, UNSURE),
    SAYS(500, "brand_new", RETRY, UNSURE),
    SAYS(418, "brand_new", BROKEN, RETRY), /* the first tries */
    {400, ERROR("400", "brand_new", "Your workspace has reached its block limit."), BROKEN, BROKEN,
     false},
    {403, ERROR("403", "restricted_resource", "Upgrade your plan: 1,000 Blocks is the Limit"),
     BROKEN, BROKEN, false},
    {403, "<html>blocked</html>", RETRY, RETRY, true},
    {502, "<html>", RETRY, UNSURE, false},
    {408, "", RETRY, RETRY, true},
    {200, "<html>", RETRY, UNSURE, false},
    {200, "{\"results\":7}", RETRY, UNSURE, false},
    {400, "{\"code\":7}", RETRY, RETRY, true},
    {299, "", RETRY, UNSURE, false},
    {300, "", BROKEN, BROKEN, false},
    {399, "", BROKEN, BROKEN, false},
    {400, "", RETRY, RETRY, true},
#undef SAYS
};

static void has_fate(enum fate fate)
{
    static const enum verdict verdicts[] = {
        [DEAD] = VERDICT_DEAD,
        [RETRY] = VERDICT_RETRY,
        [UNSURE] = VERDICT_AMBIGUOUS,
        [BROKEN] = VERDICT_RETRY,
    };

    fixture_verdict(&f, 0, verdicts[fate], NULL);
    assert_int_equal(f.job.broken, fate == BROKEN);
}

static void every_error_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(error_cases); i++) {
        const struct error_case *c = &error_cases[i];

        start_known(FULL);
        fixture_last(&f, "POST", "/query", c->status, c->body);
        has_fate(c->of_query);
        assert_int_equal(f.job.pause_ms > 0, c->pauses);
        fixture_end(&f);

        start_known(FULL);
        fixture_step(&f, "POST", "/query", 200, HITS(""));
        fixture_last(&f, "POST", "/v1/pages", c->status, c->body);
        has_fate(c->of_create);
        fixture_end(&f);
    }
}

/* They do not name the request that they answer: the schema is read anew, and says the same. */
static void a_refusal_after_the_schema_was_read_anew_is_final(void **state)
{
    static const struct {
        const char *body;
        enum fate of_query, of_create;
    } cases[] = {{INVALID, BROKEN, DEAD}, {ABSENT, BROKEN, BROKEN}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start_known(FULL);
        fixture_step(&f, "POST", "/query", 400, cases[i].body);
        fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
        fixture_step(&f, "GET", "/v1/data_sources/", 200, FULL);
        fixture_last(&f, "POST", "/query", 400, cases[i].body);
        has_fate(cases[i].of_query);

        fixture_job(&f, 1);
        fixture_step(&f, "POST", "/query", 200, HITS(""));
        fixture_step(&f, "POST", "/v1/pages", 404, cases[i].body);
        fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
        fixture_step(&f, "GET", "/v1/data_sources/", 200, FULL);
        fixture_last(&f, "POST", "/v1/pages", 404, cases[i].body);
        has_fate(cases[i].of_create);
        fixture_end(&f);
    }
}

static void what_goes_wrong_before_the_page_is_known_is_just_repeated(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_last(&f, "GET", "/v1/databases/", 500, "");
    fixture_verdict(&f, 0, VERDICT_RETRY, "HTTP 500");
    fixture_job(&f, 1);
    fixture_last(&f, "GET", "/v1/databases/", 200, "<html>");
    fixture_verdict(&f, 0, VERDICT_RETRY, "not what it documents");
    fixture_job(&f, 1);
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_last(&f, "GET", "/v1/data_sources/ds-1", 502, "{\"code\":\"bad_gateway\"}");
    fixture_verdict(&f, 0, VERDICT_RETRY, "bad_gateway");
    assert_null(str_find(f.outcomes[0].reason, STR("request id"))); /* it gave none */
    fixture_job(&f, 1);
    fixture_step(&f, "GET", "/v1/databases/", 200, ONE_SOURCE);
    fixture_last(&f, "GET", "/v1/data_sources/ds-1", 200, "<html>");
    fixture_verdict(&f, 0, VERDICT_RETRY, NULL);
    fixture_end(&f);

    start_known(FULL);
    next_job("page-1");
    fixture_last(&f, "PATCH", "/v1/pages/page-1", 502, "<html>");
    fixture_verdict(&f, 0, VERDICT_RETRY, "HTTP 502");
}

static void a_quota_rests_as_long_as_notion_says(void **state)
{
    struct http_response r = fixture_response(429, ERROR("429", "rate_limited", "m"));

    (void)state;
    start_known(FULL);
    fixture_build(&f);
    r.retry_after_ms = 42000;
    assert_int_equal(f.type->judge(&f.job, &r), JUDGED_DONE);
    assert_int_equal(f.job.pause_ms, 42000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_page_that_a_person_deleted_is_forgotten_and_made_again),
        T(a_page_that_cannot_be_written_is_not_taken_for_deleted),
        T(a_page_that_vanishes_twice_is_left_for_later),
        T(every_error_has_its_verdict),
        T(a_refusal_after_the_schema_was_read_anew_is_final),
        T(what_goes_wrong_before_the_page_is_known_is_just_repeated),
        T(a_quota_rests_as_long_as_notion_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
