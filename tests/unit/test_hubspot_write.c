/* tests/unit/test_hubspot_write.c - what a contact is told of its lead, and what HubSpot says to
 * it.
 */
#include "cm.h"

#include "crm_write_test.h"

static void a_batch_says_what_each_lead_is_worth(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_job(&f, 2);
    f.parcels[1].d.facts.score = -5;
    f.parcels[1].d.facts.band = BAND_COLD;
    f.parcels[1].d.facts.reasons = STR("");
    fixture_build(&f);
    golden(&f, "hubspot/batch_update.http");
    assert_true(f.request.repeatable);
}

static void properties_are_renamed_or_left_out(void **state)
{
    (void)state;
    fixture_start(&f, SECTION "property.score = lead_score\nproperty.band = tier\n"
                              "property.reasons =\nproperty.updated =\n");
    fixture_build(&f);
    golden(&f, "hubspot/batch_update_renamed.http");
}

static void a_lead_without_a_number_is_written_to_by_its_address(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    f.leads[0].crm_id = f.leads[0].portal_id = 0;
    f.leads[0].email = STR("a/d+a?b@example.org");
    fixture_build(&f);
    golden(&f, "hubspot/patch_by_email.http");
    assert_int_equal(fixture_judge(&f, 200, DONE("555")), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "555"));
}

static const char *const hostile[] = {
    "<!channel> =HYPERLINK(\"http://evil\") \r\nBcc: x@y.example",
    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xe2\x80\xae\xf0\x9f\x92\xa5",
    "bad \xff\xfe bytes",
};

static void hostile_reasons_stay_text(void **state)
{
    char *big;

    (void)state;
    fixture_start(&f, SECTION);
    fixture_job(&f, 4);
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
        f.parcels[i].d.facts.reasons = str_of(hostile[i]);
    f.parcels[3].d.facts.reasons = (struct str){"a\0b", 3};
    fixture_build(&f);
    golden(&f, "hubspot/batch_update_hostile.http");
    fixture_end(&f);

    fixture_start(&f, SECTION);
    f.leads[0].crm_id = f.leads[0].portal_id = 0;
    f.leads[0].email = STR("%2e%2e/&idproperty=x#a@example.org");
    fixture_hostile_reasons(&f);
    fixture_build(&f);
    golden(&f, "hubspot/patch_hostile.http");
    fixture_end(&f);

    fixture_start(&f, SECTION);
    big = arena_alloc(&f.arena, 70000);
    memset(big, 'x', 70000);
    f.parcels[0].d.facts.reasons = (struct str){big, 70000};
    fixture_build(&f);
    assert_in_range(f.request.body.len, 65536, 65536 + 400); /* HubSpot's limit of a text */
}

static void what_was_written_is_remembered_and_not_written_again(void **state)
{
    struct str stamp;

    (void)state;
    fixture_start(&f, SECTION);
    fixture_last(&f, "POST", PATH, 200, ANSWER(DONE("101")));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "101"));
    stamp = f.outcomes[0].remote_lead;
    assert_true(str_starts(stamp, STR("87.5 hot ")));

    fixture_job(&f, 1);
    f.job.now_ms += 60000; /* the time alone is no news */
    f.parcels[0].remote_lead = stamp;
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_NONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, "nothing has changed");
    assert_null(f.outcomes[0].remote_lead.at);
}

static void each_change_is_written(void **state)
{
    struct str stamp;

    (void)state;
    for (int change = 0; change < 6; change++) {
        fixture_start(&f, SECTION);
        fixture_last(&f, "POST", PATH, 200, ANSWER(DONE("101")));
        stamp = f.outcomes[0].remote_lead;
        fixture_job(&f, 2);
        f.parcels[0].remote_lead = f.parcels[1].remote_lead = stamp;
        if (change == 0)
            f.parcels[0].d.facts.score++;
        else if (change == 1)
            f.parcels[0].d.facts.band = BAND_WARM;
        else if (change == 2)
            f.parcels[0].d.facts.reasons = STR("others");
        else if (change == 3)
            f.leads[0].crm_id = 9; /* another record since a merge */
        else if (change == 4)
            f.parcels[0].remote_lead = STR("");
        else
            f.parcels[0].remote_lead = STR_NULL;
        fixture_build(&f);
        assert_true(asks_for(change == 3 ? "9" : "101"));
        assert_true(asks_for("102")); /* it has another stamp, as another contact */
        fixture_end(&f);
    }
}

/* It may have arrived, or not: what was remembered before is worth nothing now. */
static void what_failed_is_not_taken_for_written(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    f.parcels[0].remote_lead = STR("50 warm 0123456789abcdef");
    fixture_build(&f);
    assert_non_null(f.outcomes[0].remote_lead.at);
    assert_int_equal(f.outcomes[0].remote_lead.len, 0);
    assert_int_equal(fixture_judge(&f, 503, ""), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_RETRY, "HTTP 503");
    assert_int_equal(f.outcomes[0].remote_lead.len, 0);
}

static void who_is_no_contact_of_ours_needs_no_request(void **state)
{
    (void)state;
    fixture_start(&f, SECTION "portal = 62515\n");
    fixture_job(&f, 2);
    f.leads[0].portal_id = 99;
    f.leads[1].crm_id = 0;
    f.leads[1].email = STR_NULL;
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_NONE);
    fixture_verdict(&f, 0, VERDICT_DEAD, "no contact of this HubSpot account");
    fixture_verdict(&f, 1, VERDICT_DEAD, "no contact of this HubSpot account");
}

static void the_others_do_not_wait_for_one_that_cannot_be_written(void **state)
{
    (void)state;
    fixture_start(&f, SECTION "portal = 62515\n");
    fixture_job(&f, 3);
    f.leads[1].portal_id = 99;
    fixture_build(&f);
    assert_true(asks_for("101") && asks_for("103"));
    assert_false(asks_for("102"));
    assert_int_equal(fixture_judge(&f, 200, ANSWER(DONE("103") "," DONE("101"))), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    fixture_verdict(&f, 1, VERDICT_DEAD, "no contact");
    fixture_verdict(&f, 2, VERDICT_DELIVERED, NULL);
}

static const struct element_case {
    const char *error;
    int64_t unclear; /* such answers before */
    enum verdict verdict;
    const char *reason;
    bool broken;
} element_cases[] = {
    {ERROR("OBJECT_NOT_FOUND", "gone", "\"ids\":[\"101\"]"), 0, VERDICT_DEAD, "no such contact",
     false},
    {ERROR("VALIDATION_ERROR", "not a number", "\"ids\":[\"101\"]"), 0, VERDICT_DEAD,
     "VALIDATION_ERROR: not a number", false},
    {ERROR("VALIDATION_ERROR", "not a number", "\"objectWriteTraceId\":[\"101\"]"), 0, VERDICT_DEAD,
     "not a number", false},
    {ERROR("VALIDATION_ERROR", "not a number", "\"objectWriteTraceId\":\"101\""), 0, VERDICT_DEAD,
     "not a number", false},
    {ERROR("VALIDATION_ERROR", "PROPERTY_DOESNT_EXIST", "\"ids\":[\"101\"]"), 0, VERDICT_RETRY,
     "the property is missing", true},
    {ERROR("CONFLICT", "merging", "\"ids\":[101]"), 0, VERDICT_RETRY, "CONFLICT: merging", false},
    {ERROR("CONFLICT", "merging", "\"ids\":[101]"), 3, VERDICT_DEAD, "CONFLICT: merging", false},
    {ERROR("RATE_LIMITS", "slow", "\"ids\":[\"101\"]"), 0, VERDICT_RETRY, "slow", false},
    {ERROR("NEWS", "odd", "\"ids\":[\"7\"]"), 0, VERDICT_RETRY, "does not say", false},
    {"{\"category\":\"NEWS\",\"message\":\"of nobody\"}", 0, VERDICT_RETRY, "NEWS: of nobody",
     false},
    {"", 0, VERDICT_RETRY, "does not say", false},
    {"", 3, VERDICT_DEAD, "does not say", false},
};

static void every_error_of_one_input_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(element_cases); i++) {
        const struct element_case *c = &element_cases[i];
        struct str body;

        fixture_start(&f, SECTION);
        fixture_job(&f, 2);
        f.parcels[0].d.attempts = 99; /* an outage before it */
        f.parcels[0].d.unclear = c->unclear;
        body = arena_printf(&f.arena, PARTLY(DONE("102"), "%s"), c->error);
        fixture_last(&f, "POST", PATH, 207, body.at);
        fixture_verdict(&f, 0, c->verdict, c->reason);
        fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
        assert_int_equal(f.job.broken, c->broken);
        assert_null(f.outcomes[0].remote_lead.at);
        fixture_end(&f);
    }
}

static const struct status_case {
    int status;
    const char *body;
    enum verdict verdict;
    int64_t pause_ms;
    const char *reason;
    bool broken;
} status_cases[] = {
    {400, FAILURE("VALIDATION_ERROR", "PROPERTY_DOESNT_EXIST"), VERDICT_RETRY, 0,
     "the property is missing", true},
    {400, FAILURE("VALIDATION_ERROR", "not a number"), VERDICT_DEAD, 0, "corr-1", false},
    {401, FAILURE("INVALID_AUTHENTICATION", "bad"), VERDICT_RETRY, 0, "token is not valid", true},
    {403, FAILURE("MISSING_SCOPES", "x"), VERDICT_RETRY, 0, "crm.objects.contacts.write", true},
    {404, FAILURE("OBJECT_NOT_FOUND", "x"), VERDICT_DEAD, 0, "deleted or merged", false},
    {404, "<html>", VERDICT_RETRY, 0, "connector's `url`", true},
    {404, "{\"message\":\"resource not found\"}", VERDICT_RETRY, 0, "connector's `url`", true},
    {405, "", VERDICT_RETRY, 0, "connector's `url`", true},
    {408, "", VERDICT_RETRY, 0, "HTTP 408", false},
    {409, FAILURE("CONFLICT", "taken"), VERDICT_RETRY, 0, "taken", false},
    {414, "", VERDICT_DEAD, 0, "HTTP 414", false},
    {415, "", VERDICT_DEAD, 0, "HTTP 415", false},
    {418, "", VERDICT_RETRY, 0, "does not document", false},
    {423, "", VERDICT_RETRY, 2000, "HTTP 423", false},
    {429, "{\"policyName\":\"TEN_SECONDLY_ROLLING\"}", VERDICT_RETRY, 11000, "ten seconds", false},
    {429, "{\"policyName\":\"DAILY\"}", VERDICT_RETRY, 3600000, "daily", false},
    {477, "", VERDICT_RETRY, 60000, "HTTP 477", false},
    {500, "", VERDICT_RETRY, 0, "HTTP 500", false},
    {502, "", VERDICT_RETRY, 0, "HTTP 502", false},
    {503, "", VERDICT_RETRY, 0, "HTTP 503", false},
    {504, "", VERDICT_RETRY, 0, "HTTP 504", false},
    {521, "", VERDICT_RETRY, 0, "HTTP 521", false},
    {522, "", VERDICT_RETRY, 0, "HTTP 522", false},
    {523, "", VERDICT_RETRY, 0, "HTTP 523", false},
    {524, "", VERDICT_RETRY, 0, "HTTP 524", false},
    {302, "", VERDICT_DEAD, 0, "never redirects", false},
    {200, "<html>", VERDICT_RETRY, 0, "not what it documents", false},
    {200, "[]", VERDICT_RETRY, 0, "not what it documents", false},
    {200, "{\"results\":7}", VERDICT_RETRY, 0, "not what it documents", false},
};

static void every_status_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(status_cases); i++) {
        const struct status_case *c = &status_cases[i];

        fixture_start(&f, SECTION);
        fixture_last(&f, "POST", PATH, c->status, c->body);
        fixture_verdict(&f, 0, c->verdict, c->reason);
        assert_int_equal(f.job.pause_ms, c->pause_ms);
        assert_int_equal(f.job.broken, c->broken);
        assert_null(f.outcomes[0].remote_lead.at);
        fixture_end(&f);
    }
}

static void an_address_that_hubspot_does_not_know_is_dead(void **state)
{
    (void)state;
    for (int answer = 0; answer < 3; answer++) {
        fixture_start(&f, SECTION);
        f.leads[0].crm_id = 0;
        fixture_build(&f);
        if (answer < 2) { /* all fields of a refusal are optional */
            const char *said = answer ? "{\"status\":\"error\",\"message\":\"resource not found\"}"
                                      : FAILURE("OBJECT_NOT_FOUND", "x");

            assert_int_equal(fixture_judge(&f, 404, said), JUDGED_DONE);
            assert_false(f.job.broken);
            fixture_verdict(&f, 0, VERDICT_DEAD, "no contact with this address");
        } else {
            assert_int_equal(fixture_judge(&f, 200, "{}"), JUDGED_DONE);
            fixture_verdict(&f, 0, VERDICT_RETRY, "does not say");
        }
        fixture_end(&f);
    }
}

static void addresses_follow_the_batch_one_by_one(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_job(&f, 4);
    f.leads[0].crm_id = f.leads[2].crm_id = 0;
    f.leads[2].email = STR("grace@example.org");
    fixture_build(&f);
    assert_true(asks_for("102") && asks_for("104"));
    assert_int_equal(fixture_judge(&f, 200, ANSWER(DONE("102") "," DONE("104"))), JUDGED_CONTINUE);
    f.request = (struct http_request){0};
    fixture_build(&f);
    assert_non_null(str_find(f.request.url, STR("/ada%40example.org?idProperty=email")));
    assert_int_equal(fixture_judge(&f, 404, FAILURE("OBJECT_NOT_FOUND", "x")), JUDGED_CONTINUE);
    f.request = (struct http_request){0};
    fixture_build(&f);
    assert_non_null(str_find(f.request.url, STR("/grace%40example.org?idProperty=email")));
    assert_int_equal(fixture_judge(&f, 200, DONE("9")), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DEAD, "no contact with this address");
    fixture_verdict(&f, 2, VERDICT_DELIVERED, NULL);
}

static void an_address_too_long_for_a_request_is_dead(void **state)
{
    char *at;

    (void)state;
    fixture_start(&f, SECTION);
    at = arena_alloc(&f.arena, 3000);
    memset(at, '@', 3000);
    f.leads[0].crm_id = 0;
    f.leads[0].email = (struct str){at, 3000};
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
    assert_non_null(strstr(f.why.text, "address"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_batch_says_what_each_lead_is_worth),
        T(properties_are_renamed_or_left_out),
        T(a_lead_without_a_number_is_written_to_by_its_address),
        T(hostile_reasons_stay_text),
        T(what_was_written_is_remembered_and_not_written_again),
        T(each_change_is_written),
        T(what_failed_is_not_taken_for_written),
        T(who_is_no_contact_of_ours_needs_no_request),
        T(the_others_do_not_wait_for_one_that_cannot_be_written),
        T(every_error_of_one_input_has_its_verdict),
        T(every_status_has_its_verdict),
        T(an_address_that_hubspot_does_not_know_is_dead),
        T(addresses_follow_the_batch_one_by_one),
        T(an_address_too_long_for_a_request_is_dead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
