/* tests/unit/test_hubspot_objects.c - reading companies, deals and tickets, and whose they are. */
#include "cm.h"

#include "connector_test.h"

#define SECTION  "type = hubspot\ntoken = pat-test\nticket_properties = subject\n"
#define DEALS    "/crm/v3/objects/deals/batch/read"
#define OF_DEALS "/crm/v4/associations/deals/contacts/batch/read"
#define DEAL(id, stage)                                                                            \
    "{\"id\":\"" id "\",\"properties\":{\"dealstage\":" stage ",\"amount\":null},"                 \
    "\"updatedAt\":\"2025-12-31T12:00:00.500Z\",\"archived\":false}"
#define HAS(id, to)     "{\"from\":{\"id\":\"" id "\"},\"to\":[" to "]}"
#define TO(id)          "{\"toObjectId\":\"" id "\",\"associationTypes\":[]}"
#define NOT_FOUND       "{\"category\":\"OBJECT_NOT_FOUND\"}"
#define ANSWER(results) "{\"status\":\"COMPLETE\",\"results\":[" results "]}"

/* A job that asks for so many deals, of the ids 101, 102 ... */
static void ask_deals(size_t n)
{
    fixture_start(&f, SECTION);
    fixture_job(&f, n);
    for (size_t i = 0; i < n; i++)
        (void)fixture_object(&f, i, OBJECT_DEAL);
}

static void step(const char *path, int status, const char *body, enum judged wanted)
{
    fixture_build(&f);
    assert_true(str_ends(f.request.url, str_of(path)));
    assert_true(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, status, body), wanted);
}

static void deals_are_read_and_then_their_contacts(void **state)
{
    (void)state;
    ask_deals(2);
    fixture_build(&f);
    golden(&f, "hubspot/deals_read.http");
    assert_int_equal(
        fixture_judge(&f, 200, ANSWER(DEAL("102", "\"won\"") "," DEAL("101", "\"new\""))),
        JUDGED_CONTINUE);
    fixture_verdict(&f, 0, VERDICT_NONE, NULL);
    assert_null(f.outcomes[0].properties); /* whole or nothing */
    fixture_build(&f);
    golden(&f, "hubspot/deals_contacts.http");
    assert_int_equal(
        fixture_judge(&f, 200, ANSWER(HAS("102", "") "," HAS("101", TO("7") "," TO("8")))),
        JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    const struct outcome *o = &f.outcomes[0];
    assert_int_equal(o->crm_id, 101);
    assert_int_equal(o->portal_id, 62515);
    assert_int_equal(o->updated_at, INT64_C(1767182400500));
    assert_int_equal(o->n_properties, 5);
    assert_true(str_is(o->properties[1].name, "dealstage") &&
                str_is(o->properties[1].value, "new"));
    assert_true(o->properties[2].value.at && !o->properties[2].value.len);
    assert_int_equal(o->contacts.n, 2);
    assert_int_equal(o->contacts.ids[0], 7);
    assert_true(o->contacts.all && o->enriched);
    assert_int_equal(o->contacts.read_at, FIXTURE_NOW - 60000);
    assert_int_equal(f.outcomes[1].contacts.n, 0);
    assert_true(f.outcomes[1].contacts.all);
}

static void contacts_that_are_not_all_are_known_as_such(void **state)
{
    static const struct {
        int status;
        const char *body;
        size_t n;
        bool all;
    } cases[] = {
        {200, ANSWER(HAS("101", TO("7"))), 1, true},
        {200, ANSWER(HAS("101", "{\"toObjectId\":7}")), 1, true}, /* a number, as some have seen */
        {200, ANSWER(HAS("101", TO("7")) "," HAS("101", TO("8"))), 2, true},
        {200,
         ANSWER("{\"from\":{\"id\":\"101\"},\"to\":[" TO("7") "],\"paging\":{\"next\":{\"after\":"
                                                              "\"a\"}}}"),
         1, false},
        {200, ANSWER(HAS("101", TO("seven") "," TO("-1") "," TO("0") ",7,null")), 0, false},
        {200, ANSWER(HAS("999", TO("7"))), 0, true},
        {200, ANSWER(""), 0, true},
        {207,
         "{\"results\":[],\"errors\":[{\"category\":\"OBJECT_NOT_FOUND\",\"subCategory\":"
         "\"crm.associations.NO_ASSOCIATIONS_FOUND\"}]}",
         0, true},
        {207, "{\"results\":[],\"errors\":[{\"category\":\"RATE_LIMITS\"}]}", 0, false},
        {200, "{\"results\":[{\"from\":7,\"to\":{}},3,null,[]]}", 0, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ask_deals(1);
        step(DEALS, 200, ANSWER(DEAL("101", "\"new\"")), JUDGED_CONTINUE);
        step(OF_DEALS, cases[i].status, cases[i].body, JUDGED_DONE);
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        assert_int_equal(f.outcomes[0].contacts.n, cases[i].n);
        assert_int_equal(f.outcomes[0].contacts.all, cases[i].all);
        fixture_end(&f);
    }
    fixture_start(&f, SECTION);
}

static void a_deal_that_is_not_there_is_dead_but_asked(void **state)
{
    (void)state;
    ask_deals(2);
    step(DEALS, 207,
         "{\"results\":[" DEAL("102", "null") "],\"errors\":[{\"category\":\"OBJECT_NOT_FOUND\","
                                              "\"context\":{\"ids\":[\"101\"]}}]}",
         JUDGED_CONTINUE);
    fixture_verdict(&f, 0, VERDICT_DEAD, "no such deal");
    assert_true(f.outcomes[0].enriched);
    assert_null(f.outcomes[0].properties);
    fixture_build(&f);
    assert_null(str_find(f.request.body, STR("101")));
    assert_int_equal(fixture_judge(&f, 200, ANSWER(HAS("102", TO("7")))), JUDGED_DONE);
    fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
    fixture_end(&f);

    ask_deals(1);
    step(DEALS, 207,
         "{\"results\":[],\"errors\":[{\"category\":\"RATE_LIMITS\",\"message\":\"slow\","
         "\"context\":{\"ids\":[\"101\"]}}]}",
         JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_RETRY, "RATE_LIMITS: slow");
}

static void kinds_do_not_travel_together(void **state)
{
    (void)state;
    fixture_start(&f, SECTION);
    (void)fixture_object(&f, 1, OBJECT_DEAL);
    (void)fixture_object(&f, 2, OBJECT_DEAL);
    (void)fixture_object(&f, 3, OBJECT_TICKET);
    for (size_t i = 0; i < 4; i++)
        f.parcels[i].d.route = route_enrichment;
    assert_true(f.type->together(f.settings, &f.parcels[1], &f.parcels[2]));
    assert_false(f.type->together(f.settings, &f.parcels[0], &f.parcels[1]));
    assert_false(f.type->together(f.settings, &f.parcels[2], &f.parcels[3]));
}

static void what_is_of_another_account_is_not_asked_for(void **state)
{
    (void)state;
    fixture_start(&f, SECTION "portal = 62515\n");
    fixture_job(&f, 2);
    fixture_object(&f, 0, OBJECT_COMPANY)->record.portal_id = 99;
    (void)fixture_object(&f, 1, OBJECT_COMPANY);
    step("/crm/v3/objects/companies/batch/read", 200, ANSWER(DEAL("102", "null")), JUDGED_CONTINUE);
    assert_null(str_find(f.request.body, STR("\"101\"")));
    fixture_verdict(&f, 0, VERDICT_DEAD, "none of this HubSpot account");
    step("/crm/v4/associations/companies/contacts/batch/read", 200, ANSWER(""), JUDGED_DONE);
    fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
    fixture_job(&f, 1);
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
}

/* Contacts are read and written with the same connector: they do not wait for a person. */
static void a_missing_scope_of_objects_stops_nothing_else(void **state)
{
    static const struct {
        enum object_kind kind;
        const char *path, *scope;
    } cases[] = {
        {OBJECT_COMPANY, "/crm/v3/objects/companies/batch/read", "crm.objects.companies.read"},
        {OBJECT_DEAL, "/crm/v3/objects/deals/batch/read", "crm.objects.deals.read"},
        {OBJECT_TICKET, "/crm/v3/objects/tickets/batch/read", "needs tickets"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture_start(&f, SECTION);
        (void)fixture_object(&f, 0, cases[i].kind);
        step(cases[i].path, 403, "{\"category\":\"MISSING_SCOPES\"}", JUDGED_DONE);
        fixture_verdict(&f, 0, VERDICT_DEAD, cases[i].scope);
        assert_false(f.job.broken);
        fixture_end(&f);
    }
    ask_deals(1);
    step(DEALS, 400, "{\"category\":\"VALIDATION_ERROR\",\"message\":\"PROPERTY_DOESNT_EXIST\"}",
         JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DEAD, "deal_properties");
    assert_false(f.job.broken);
}

static void what_fails_for_a_while_is_tried_again_whole(void **state)
{
    static const int statuses[] = {408, 423, 429, 477, 500, 502, 503, 504, 521, 522, 523, 524};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        for (int second = 0; second < 2; second++) {
            ask_deals(1);
            if (second)
                step(DEALS, 200, ANSWER(DEAL("101", "\"new\"")), JUDGED_CONTINUE);
            step(second ? OF_DEALS : DEALS, statuses[i], "", JUDGED_DONE);
            fixture_verdict(&f, 0, VERDICT_RETRY, NULL);
            assert_null(f.outcomes[0].properties);
            assert_false(f.outcomes[0].enriched);
            fixture_end(&f);
        }
    fixture_start(&f, SECTION);
}

static void what_is_refused_says_why(void **state)
{
    static const struct {
        int status;
        enum verdict verdict;
        const char *reason;
        bool broken;
    } cases[] = {
        {400, VERDICT_DEAD, "refuses", false}, {401, VERDICT_RETRY, "token", true},
        {403, VERDICT_DEAD, "scope", false},   {404, VERDICT_DEAD, "url", false},
        {405, VERDICT_DEAD, "url", false},     {414, VERDICT_DEAD, "refuses", false},
        {415, VERDICT_DEAD, "refuses", false}, {418, VERDICT_RETRY, "does not document", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ask_deals(1);
        step(DEALS, cases[i].status, "{\"message\":\"no\"}", JUDGED_DONE);
        fixture_verdict(&f, 0, cases[i].verdict, cases[i].reason);
        assert_int_equal(f.job.broken, cases[i].broken);
        fixture_end(&f);
    }
    fixture_start(&f, SECTION);
}

static void one_bad_record_is_no_reason_against_the_others(void **state)
{
    static const char refused[] = "{\"category\":\"VALIDATION_ERROR\",\"message\":\"bad id\"}";

    (void)state;
    ask_deals(2);
    step(DEALS, 400, refused, JUDGED_CONTINUE);
    step(DEALS, 400, refused, JUDGED_CONTINUE); /* 101 alone */
    fixture_verdict(&f, 0, VERDICT_DEAD, "bad id");
    step(DEALS, 200, ANSWER(DEAL("102", "\"new\"")), JUDGED_CONTINUE);
    step(OF_DEALS, 200, ANSWER(HAS("102", TO("7"))), JUDGED_DONE);
    fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
    fixture_end(&f);

    ask_deals(2);
    step(DEALS, 200, ANSWER(DEAL("101", "\"new\"") "," DEAL("102", "\"new\"")), JUDGED_CONTINUE);
    step(OF_DEALS, 400, refused, JUDGED_CONTINUE);
    step(OF_DEALS, 200, "{\"results\":[]}", JUDGED_CONTINUE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    step(OF_DEALS, 400, refused, JUDGED_DONE);
    fixture_verdict(&f, 1, VERDICT_DEAD, "bad id");
}

static void one_that_is_refused_alone_is_dead_but_asked(void **state)
{
    (void)state;
    ask_deals(1);
    step(DEALS, 404, NOT_FOUND, JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DEAD, "no such deal");
    assert_true(f.outcomes[0].enriched);
}

/* The record has just been described: what is not known is whose it is. */
static void a_record_whose_contacts_are_not_found_is_delivered_without_them(void **state)
{
    (void)state;
    ask_deals(2);
    step(DEALS, 200, ANSWER(DEAL("101", "\"new\"") "," DEAL("102", "\"won\"")), JUDGED_CONTINUE);
    step(OF_DEALS, 404, NOT_FOUND, JUDGED_CONTINUE); /* of both; then of each alone */
    fixture_verdict(&f, 0, VERDICT_NONE, NULL);
    step(OF_DEALS, 404, NOT_FOUND, JUDGED_CONTINUE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].properties[1].value, "new"));
    assert_true(f.outcomes[0].enriched);
    assert_int_equal(f.outcomes[0].contacts.n, 0);
    assert_false(f.outcomes[0].contacts.all);
    step(OF_DEALS, 200, ANSWER(HAS("102", TO("7"))), JUDGED_DONE);
    fixture_verdict(&f, 1, VERDICT_DELIVERED, NULL);
    assert_true(f.outcomes[1].contacts.all);
}

static void an_answer_that_is_no_list_is_tried_again(void **state)
{
    static const char *const answers[] = {"", "[]", "{}", "{\"results\":{}}", "<html>"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        ask_deals(1);
        step(DEALS, 200, answers[i], JUDGED_DONE);
        fixture_verdict(&f, 0, VERDICT_RETRY, "not what it documents");
        fixture_end(&f);
    }
    fixture_start(&f, SECTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(deals_are_read_and_then_their_contacts, teardown),
        cmocka_unit_test_teardown(contacts_that_are_not_all_are_known_as_such, teardown),
        cmocka_unit_test_teardown(a_deal_that_is_not_there_is_dead_but_asked, teardown),
        cmocka_unit_test_teardown(kinds_do_not_travel_together, teardown),
        cmocka_unit_test_teardown(what_is_of_another_account_is_not_asked_for, teardown),
        cmocka_unit_test_teardown(a_missing_scope_of_objects_stops_nothing_else, teardown),
        cmocka_unit_test_teardown(what_fails_for_a_while_is_tried_again_whole, teardown),
        cmocka_unit_test_teardown(what_is_refused_says_why, teardown),
        cmocka_unit_test_teardown(one_bad_record_is_no_reason_against_the_others, teardown),
        cmocka_unit_test_teardown(one_that_is_refused_alone_is_dead_but_asked, teardown),
        cmocka_unit_test_teardown(a_record_whose_contacts_are_not_found_is_delivered_without_them,
                                  teardown),
        cmocka_unit_test_teardown(an_answer_that_is_no_list_is_tried_again, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
