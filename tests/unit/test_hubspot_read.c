/* tests/unit/test_hubspot_read.c - who contacts are: a batch that is read, and what is wrong with
 * one of it.
 */
#include "cm.h"

#include "crm_test.h"

static void start(const char *section)
{
    fixture_start(&f, section);
    fixture_route(&f, "enrichment");
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
    start(SECTION);
    fixture_job(&f, 3);
    fixture_build(&f);
    golden(&f, "hubspot/batch_read.http");
    assert_true(f.request.repeatable);
}

static void records_are_matched_by_id_not_by_order(void **state)
{
    (void)state;
    start(SECTION);
    fixture_job(&f, 2);
    fixture_last(
        &f, "POST", READ, 200,
        ANSWER(CONTACT("102", "\"b@example.org\"") "," CONTACT("101", "\"a@example.org\"")));
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
    start(SECTION);
    fixture_last(&f, "POST", READ, 200, ANSWER(CONTACT("101", "null")));
    assert_non_null(value_of(&f.outcomes[0], "email").at);
    assert_int_equal(value_of(&f.outcomes[0], "email").len, 0);
    assert_non_null(value_of(&f.outcomes[0], "phone").at); /* missing in the answer */
    assert_int_equal(f.outcomes[0].n_properties, 6);
}

static void a_contact_that_is_not_there_is_dead_but_asked(void **state)
{
    (void)state;
    start(SECTION);
    fixture_job(&f, 2);
    fixture_last(
        &f, "POST", READ, 207,
        "{\"status\":\"COMPLETE\",\"results\":[" CONTACT(
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
    start(SECTION);
    fixture_last(&f, "POST", READ, 207,
                 "{\"results\":[],\"errors\":[{\"category\":\"RATE_LIMITS\",\"message\":\"slow\","
                 "\"context\":{\"ids\":[\"101\"]}}]}");
    fixture_verdict(&f, 0, VERDICT_RETRY, "RATE_LIMITS: slow");
    assert_false(f.outcomes[0].enriched);
}

static void a_lead_of_another_account_is_not_asked_for(void **state)
{
    (void)state;
    start(SECTION "portal = 62515\n");
    fixture_job(&f, 3);
    f.leads[0].portal_id = 99;
    f.leads[1].crm_id = 0;
    fixture_build(&f);
    assert_null(str_find(f.request.body, STR("\"101\"")));
    assert_non_null(str_find(f.request.body, STR("\"103\"")));
    assert_int_equal(fixture_judge(&f, 200, ANSWER(CONTACT("103", "null"))), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DEAD, "no contact of this HubSpot account");
    fixture_verdict(&f, 1, VERDICT_DEAD, "no contact of this HubSpot account");
    fixture_verdict(&f, 2, VERDICT_DELIVERED, NULL);

    fixture_job(&f, 2);
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
}

/* However it is said: what waits for the answer must not wait for ever. */
static void one_that_is_refused_alone_was_asked_as_well(void **state)
{
    static const struct {
        int status;
        const char *body;
        bool asked;
    } cases[] = {
        {404, FAILURE("OBJECT_NOT_FOUND", "no such object"), true},
        {400, FAILURE("OBJECT_NOT_FOUND", "no such object"), true},
        {400, FAILURE("VALIDATION_ERROR", "101 is not an id"), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start(SECTION);
        fixture_last(&f, "POST", READ, cases[i].status, cases[i].body);
        fixture_verdict(&f, 0, VERDICT_DEAD, NULL);
        assert_int_equal(f.outcomes[0].enriched, cases[i].asked);
        fixture_end(&f);
    }
    start(SECTION);
}

/* HubSpot refuses the whole request for one id that it does not like. */
static void one_bad_id_is_no_reason_against_the_others(void **state)
{
    static const struct {
        int status;
        const char *body, *reason;
    } cases[] = {
        {400, FAILURE("VALIDATION_ERROR", "101 is not an id"), "101 is not an id"},
        {404, FAILURE("OBJECT_NOT_FOUND", "no such object"), "no such contact"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start(SECTION "portal = 62515\n");
        fixture_job(&f, 4);
        f.leads[1].portal_id = 99; /* it is not asked for at all */
        fixture_step(&f, "POST", READ, cases[i].status, cases[i].body);
        fixture_build(&f);
        assert_null(str_find(f.request.body, STR("\"103\"")));
        assert_int_equal(fixture_judge(&f, cases[i].status, cases[i].body), JUDGED_CONTINUE);
        fixture_verdict(&f, 0, VERDICT_DEAD, cases[i].reason);
        fixture_step(&f, "POST", READ, 200, ANSWER(CONTACT("103", "null")));
        fixture_verdict(&f, 2, VERDICT_DELIVERED, NULL);
        fixture_last(&f, "POST", READ, 200, ANSWER(CONTACT("104", "null")));
        fixture_verdict(&f, 3, VERDICT_DELIVERED, NULL);
        fixture_verdict(&f, 1, VERDICT_DEAD, "no contact of this HubSpot account");
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
        T(one_that_is_refused_alone_was_asked_as_well),
        T(one_bad_id_is_no_reason_against_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
