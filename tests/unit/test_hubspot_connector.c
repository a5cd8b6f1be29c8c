/* tests/unit/test_hubspot_connector.c - reading contacts, and what HubSpot's answers mean. */
#include "cm.h"

#include "connector_fixture.h"

#define SECTION "type = hubspot\ntoken = pat-test\n"
#define PATH    "/crm/v3/objects/contacts/batch/read"
#define RECORD(id, email)                                                                          \
    "{\"id\":\"" id "\",\"properties\":{\"email\":" email ",\"firstname\":\"Ada\",\"company\":"    \
    "null,\"hs_object_id\":\"" id "\"},\"createdAt\":\"2025-01-01T00:00:00Z\",\"updatedAt\":"      \
    "\"2025-12-31T12:00:00.500Z\",\"archived\":false}"
#define ANSWER(results) "{\"status\":\"COMPLETE\",\"results\":[" results "]}"
#define FAILURE(category, message)                                                                 \
    "{\"status\":\"error\",\"message\":\"" message "\",\"correlationId\":\"corr-1\",\"category\":" \
    "\"" category "\"}"

static struct fixture f;

static int teardown(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

static struct str value_of(const struct outcome *o, const char *name)
{
    for (size_t i = 0; i < o->n_properties; i++)
        if (str_is(o->properties[i].name, name))
            return o->properties[i].value;
    return STR_NULL;
}

static void contacts_are_read_in_one_request(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_job(&f, 3);
    fixture_build(&f);
    golden(&f, "hubspot/batch_read.http");
    assert_true(f.request.repeatable);
}

static void records_are_matched_by_id_not_by_order(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_job(&f, 2);
    fixture_last(&f, "POST", PATH, 200,
                 ANSWER(RECORD("102", "\"b@example.org\"") "," RECORD("101", "\"a@example.org\"")));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
    assert_true(str_is(value_of(&f.outcomes[0], "email"), "a@example.org"));
    assert_true(str_is(value_of(&f.outcomes[1], "email"), "b@example.org"));
    assert_int_equal(f.outcomes[0].crm_id, 101);
    assert_int_equal(f.outcomes[0].portal_id, 62515);
    assert_int_equal(f.outcomes[0].updated_at, INT64_C(1767182400500));
    assert_true(f.outcomes[0].enriched);
    assert_null(value_of(&f.outcomes[0], "hs_object_id").at); /* not asked for */
}

static void a_property_without_value_is_cleared(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_last(&f, "POST", PATH, 200, ANSWER(RECORD("101", "null")));
    assert_non_null(value_of(&f.outcomes[0], "email").at);
    assert_int_equal(value_of(&f.outcomes[0], "email").len, 0);
    assert_non_null(value_of(&f.outcomes[0], "phone").at); /* missing in the answer */
    assert_int_equal(f.outcomes[0].n_properties, 6);
}

static void a_contact_that_is_not_there_is_dead_but_asked(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_job(&f, 2);
    fixture_last(
        &f, "POST", PATH, 207,
        "{\"status\":\"COMPLETE\",\"results\":[" RECORD(
            "102",
            "null") "],\"numErrors\":1,"
                    "\"errors\":[{\"status\":\"error\",\"category\":\"OBJECT_NOT_FOUND\","
                    "\"message\":"
                    "\"Could not get some CONTACT objects\",\"context\":{\"ids\":[\"101\"]}}]}");
    fixture_verdict(&f, 0, VERDICT_DEAD, "no such contact");
    assert_true(f.outcomes[0].enriched);
    assert_null(f.outcomes[0].properties);
    fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
}

static void another_error_of_one_contact_is_tried_again(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_last(&f, "POST", PATH, 207,
                 "{\"results\":[],\"errors\":[{\"category\":\"RATE_LIMITS\",\"message\":\"slow\","
                 "\"context\":{\"ids\":[\"101\"]}}]}");
    fixture_verdict(&f, 0, VERDICT_RETRY, "RATE_LIMITS: slow");
    assert_false(f.outcomes[0].enriched);
}

static void a_lead_of_another_account_is_not_asked_for(void **state)
{
    (void)state;
    fixture_start(&f, SECTION "portal = 62515\n");
    fixture_job(&f, 3);
    f.leads[0].portal_id = 99;
    f.leads[1].crm_id = 0;
    fixture_build(&f);
    assert_null(str_find(f.request.body, STR("\"101\"")));
    assert_non_null(str_find(f.request.body, STR("\"103\"")));
    assert_int_equal(fixture_judge(&f, 200, ANSWER(RECORD("103", "null"))), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DEAD, "no contact of this HubSpot account");
    fixture_verdict(&f, 1, VERDICT_DEAD, "no contact of this HubSpot account");
    fixture_verdict(&f, 2, VERDICT_DELIVERED, NULL);

    fixture_job(&f, 2);
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
}

static const struct status_case {
    int status;
    const char *body;
    enum verdict verdict;
    int64_t pause_ms;
    const char *reason;
} status_cases[] = {
    {400, FAILURE("VALIDATION_ERROR", "PROPERTY_DOESNT_EXIST"), VERDICT_DEAD, 0,
     "PROPERTY_DOESNT_EXIST"},
    {401, FAILURE("INVALID_AUTHENTICATION", "bad"), VERDICT_DEAD, 0, "token is not valid"},
    {403, FAILURE("MISSING_SCOPES", "scopes"), VERDICT_DEAD, 0, "crm.objects.contacts.read"},
    {404, "", VERDICT_DEAD, 0, "HTTP 404"},
    {405, "", VERDICT_DEAD, 0, "HTTP 405"},
    {414, "", VERDICT_DEAD, 0, "HTTP 414"},
    {415, "", VERDICT_DEAD, 0, "HTTP 415"},
    {408, "", VERDICT_RETRY, 0, "HTTP 408"},
    {418, FAILURE("NEW", "teapot"), VERDICT_RETRY, 0, "correlation id corr-1"},
    {423, "", VERDICT_RETRY, 2000, "HTTP 423"},
    {429, "{\"policyName\":\"TEN_SECONDLY_ROLLING\"}", VERDICT_RETRY, 11000, "ten seconds"},
    {429, "{\"policyName\":\"SECONDLY\"}", VERDICT_RETRY, 11000, "ten seconds"},
    {429, "{\"policyName\":\"DAILY\"}", VERDICT_RETRY, 3600000, "daily"},
    {429, "<html>", VERDICT_RETRY, 11000, "ten seconds"},
    {477, "", VERDICT_RETRY, 60000, "HTTP 477"},
    {500, "", VERDICT_RETRY, 0, "HTTP 500"},
    {502, "", VERDICT_RETRY, 0, "HTTP 502"},
    {503, "", VERDICT_RETRY, 0, "HTTP 503"},
    {504, "", VERDICT_RETRY, 0, "HTTP 504"},
    {521, "", VERDICT_RETRY, 0, "HTTP 521"},
    {522, "", VERDICT_RETRY, 0, "HTTP 522"},
    {523, "", VERDICT_RETRY, 0, "HTTP 523"},
    {524, "", VERDICT_RETRY, 0, "HTTP 524"},
    {302, "", VERDICT_DEAD, 0, "never redirects"},
    {200, "<html>", VERDICT_RETRY, 0, "not what it documents"},
    {200, "{}", VERDICT_RETRY, 0, "not what it documents"},
};

static void every_status_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(status_cases); i++) {
        const struct status_case *c = &status_cases[i];

        fixture_start(&f, SECTION);
        fixture_job(&f, 2);
        fixture_last(&f, "POST", PATH, c->status, c->body);
        fixture_verdict(&f, 0, c->verdict, c->reason);
        fixture_verdict(&f, 1, c->verdict, c->reason);
        assert_int_equal(f.job.pause_ms, c->pause_ms);
        assert_false(f.outcomes[0].enriched);
        fixture_end(&f);
    }
}

static void retry_after_wins_over_our_own_pause(void **state)
{
    struct http_response r = fixture_response(477, "");

    (void)state;
    fixture_start(&f, SECTION);
    fixture_build(&f);
    r.retry_after_ms = 7200000;
    assert_int_equal(f.type->judge(&f.job, &r), JUDGED_DONE);
    assert_int_equal(f.job.pause_ms, 7200000);
}

static void a_contact_has_an_address_for_people(void **state)
{
    struct str url;

    (void)state;
    fixture_start(&f, SECTION "ui_url = https://app-eu1.hubspot.com/\nstale_after = 1h\n");
    url = hubspot_contact_url(f.settings, 62515, 101, &f.arena);
    assert_true(str_is(url, "https://app-eu1.hubspot.com/contacts/62515/record/0-1/101"));
    assert_null(hubspot_contact_url(f.settings, 0, 101, &f.arena).at);
    assert_null(hubspot_contact_url(f.settings, 62515, 0, &f.arena).at);
    assert_int_equal(hubspot_stale_after_ms(f.settings), 3600000);
    fixture_end(&f);

    fixture_start(&f, SECTION "portal = 7\n");
    url = hubspot_contact_url(f.settings, 0, 101, &f.arena);
    assert_true(str_is(url, "https://app.hubspot.com/contacts/7/record/0-1/101"));
}

static void defaults_are_those_of_the_contracts(void **state)
{
    static const struct {
        const char *section;
        int64_t timeout_ms, concurrency, settle_ms;
        double rate;
    } cases[] = {
        {"type = slack\ntoken = x\nchannel = C1\n", 15000, 1, 5000, 1.0},
        {"type = notion\ntoken = x\ndatabase = 668d797c76fa49349b05ad288df2d136\n", 60000, 1, 5000,
         2.5},
        {SECTION, 15000, 4, 0, 8.0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture_start(&f, cases[i].section);
        const struct connector_common *c = f.settings;

        assert_int_equal(c->timeout_ms, cases[i].timeout_ms);
        assert_int_equal(c->concurrency, cases[i].concurrency);
        assert_int_equal(c->settle_ms, cases[i].settle_ms);
        assert_true(c->rate == cases[i].rate);
        assert_int_equal(c->give_up_ms, 14 * DAYS_MS);
        assert_int_equal(c->backoff_ms, 2000);
        assert_int_equal(c->backoff_max_ms, 15 * MINUTES_MS);
        fixture_end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(contacts_are_read_in_one_request),
        T(records_are_matched_by_id_not_by_order),
        T(a_property_without_value_is_cleared),
        T(a_contact_that_is_not_there_is_dead_but_asked),
        T(another_error_of_one_contact_is_tried_again),
        T(a_lead_of_another_account_is_not_asked_for),
        T(every_status_has_its_verdict),
        T(retry_after_wins_over_our_own_pause),
        T(a_contact_has_an_address_for_people),
        T(defaults_are_those_of_the_contracts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
