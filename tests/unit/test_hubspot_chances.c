/* tests/unit/test_hubspot_chances.c - what models say of a lead, in properties of its contact. */
#include "cm.h"

#include "crm_write_test.h"

static void what_models_say_is_written_where_it_is_known(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_job(&f, 2);
    fixture_chances(&f);
    fixture_build(&f);
    golden(&f, "hubspot/batch_update_chances.http");
}

#define LACKS(name)                                                                                \
    "[{\\\"isValid\\\":false,\\\"message\\\":\\\"Property " name                                   \
    " does not exist\\\",\\\"error\\\":\\\"PROPERTY_DOESNT_EXIST\\\"}]"
#define QUOTED(name) "\\\\\\\"" name "\\\\\\\""

/* The score is no worse for it. */
static void a_missing_property_of_models_is_left_out(void **state)
{
    static const struct {
        const char *said;
        bool probability, churn; /* are left out */
    } cases[] = {
        {LACKS(QUOTED("funneld_probability")), true, false},
        {LACKS(QUOTED("funneld_churn")), false, true},
        {"PROPERTY_DOESNT_EXIST", true, true}, /* of any */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture_start(&f, SECTION);
        fixture_job(&f, 2);
        fixture_chances(&f);
        fixture_build(&f);
        struct str body = arena_printf(
            &f.arena, "{\"category\":\"VALIDATION_ERROR\",\"message\":\"%s\"}", cases[i].said);
        assert_int_equal(fixture_judge(&f, 400, body.at), JUDGED_CONTINUE);
        fixture_build(&f);
        assert_true(str_find(f.request.body, STR("funneld_score")));
        assert_true(!str_find(f.request.body, STR("funneld_probability")) == cases[i].probability);
        assert_true(!str_find(f.request.body, STR("funneld_churn")) == cases[i].churn);
        assert_int_equal(fixture_judge(&f, 200, ANSWER(DONE("101") "," DONE("102"))), JUDGED_DONE);
        fixture_verdict(&f, 0, VERDICT_DELIVERED,
                        cases[i].probability ? "without funneld_probability, which HubSpot"
                                             : "without funneld_churn, which HubSpot");
        fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL); /* it has neither */
        assert_false(f.job.broken);
        fixture_end(&f);
    }
}

static void of_one_input_as_well(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_job(&f, 2);
    fixture_chances(&f);
    fixture_build(&f);
    assert_int_equal(
        fixture_judge(&f, 207,
                      PARTLY(DONE("102"), ERROR("VALIDATION_ERROR", LACKS("funneld_probability"),
                                                "\"ids\":[\"101\"]"))),
        JUDGED_CONTINUE);
    fixture_build(&f);
    assert_true(asks_for("101"));
    assert_false(asks_for("102"));
    assert_null(str_find(f.request.body, STR("funneld_probability")));
    assert_int_equal(fixture_judge(&f, 200, ANSWER(DONE("101"))), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, "without funneld_probability");
}

static struct str built_again(struct str remembered)
{
    struct delivery_facts *facts = &f.parcels[0].d.facts;

    fixture_job(&f, 1);
    facts->probability = facts->churn = (struct chance){0};
    f.parcels[0].remote_lead = remembered;
    fixture_build(&f);
    return f.request.body;
}

/* Once no model serves. */
static void what_nobody_says_any_more_is_cleared_once(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        fixture_start(&f, SECTION);
        fixture_chances(&f);
        fixture_last(&f, "POST", PATH, fails ? 503 : 200, ANSWER(DONE("101")));
        struct str remembered = f.outcomes[0].remote_lead;
        struct str body = built_again(remembered);
        assert_non_null(str_find(body, STR("\"funneld_probability\":\"\"")));
        assert_non_null(str_find(body, STR("\"funneld_churn\":\"\"")));
        assert_int_equal(fixture_judge(&f, 503, ""), JUDGED_DONE);
        body = built_again(f.outcomes[0].remote_lead); /* nobody knows whether it was */
        assert_non_null(str_find(body, STR("\"funneld_churn\":\"\"")));
        assert_int_equal(fixture_judge(&f, 200, ANSWER(DONE("101"))), JUDGED_DONE);
        remembered = f.outcomes[0].remote_lead;
        fixture_job(&f, 1);
        f.parcels[0].remote_lead = remembered;
        assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_NONE);
        fixture_verdict(&f, 0, VERDICT_DELIVERED, "nothing has changed");
        fixture_job(&f, 1);
        f.parcels[0].remote_lead = remembered;
        f.parcels[0].d.facts.score++;
        fixture_build(&f);
        assert_null(str_find(f.request.body, STR("funneld_churn")));
        fixture_end(&f);
    }
}

static void any_other_missing_property_is_to_be_mended(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    fixture_chances(&f);
    fixture_last(&f, "POST", PATH, 400, FAILURE("VALIDATION_ERROR", LACKS("funneld_score")));
    fixture_verdict(&f, 0, VERDICT_RETRY, "the property is missing");
    assert_true(f.job.broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(what_models_say_is_written_where_it_is_known),
        T(a_missing_property_of_models_is_left_out),
        T(of_one_input_as_well),
        T(what_nobody_says_any_more_is_cleared_once),
        T(any_other_missing_property_is_to_be_mended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
