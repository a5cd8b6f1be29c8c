/* tests/unit/test_hubspot_connector.c - what HubSpot's answers mean, limits, settings, echoes. */
#include "cm.h"

#include "crm_test.h"

static void start(const char *section)
{
    fixture_start(&f, section);
    fixture_route(&f, "enrichment");
}

static const struct status_case {
    int status;
    const char *body;
    enum verdict verdict;
    int64_t pause_ms;
    const char *reason;
} status_cases[] = {
    {400, FAILURE("VALIDATION_ERROR", "PROPERTY_DOESNT_EXIST"), VERDICT_RETRY, 0,
     "check the connector's `properties`"},
    {400, FAILURE("VALIDATION_ERROR", "Invalid input JSON"), VERDICT_DEAD, 0, "Invalid input JSON"},
    {401, FAILURE("INVALID_AUTHENTICATION", "bad"), VERDICT_RETRY, 0, "token is not valid"},
    {403, FAILURE("MISSING_SCOPES", "scopes"), VERDICT_RETRY, 0, "crm.objects.contacts.read"},
    {404, "", VERDICT_RETRY, 0, "HTTP 404"},
    {405, "", VERDICT_RETRY, 0, "HTTP 405"},
    {409, FAILURE("CONFLICT", "busy"), VERDICT_RETRY, 0, "busy"},
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

/* Nothing gets through before a person has done something: all that waits is kept. */
static bool is_to_be_mended(const struct status_case *c)
{
    return c->status == 401 || c->status == 403 || c->status == 404 || c->status == 405 ||
           strstr(c->body, "PROPERTY_DOESNT_EXIST");
}

/* The same to every request of the job; how many there were. */
static int answer_all(int status, const char *body)
{
    int n = 0;

    do {
        assert_true(n++ < 16);
        fixture_build(&f);
        assert_non_null(str_find(f.request.url, STR(READ)));
    } while (fixture_judge(&f, status, body) == JUDGED_CONTINUE);
    return n;
}

/* Whose fault a refusal is, halves tell: both, then each. */
static bool may_be_of_one(const struct status_case *c)
{
    return (c->status == 400 || c->status == 409) && !is_to_be_mended(c);
}

static void every_status_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(status_cases); i++) {
        const struct status_case *c = &status_cases[i];

        start(SECTION);
        fixture_job(&f, 2);
        assert_int_equal(answer_all(c->status, c->body), may_be_of_one(c) ? 3 : 1);
        fixture_verdict(&f, 0, c->verdict, c->reason);
        fixture_verdict(&f, 1, c->verdict, c->reason);
        assert_int_equal(f.job.pause_ms, c->pause_ms);
        assert_false(f.outcomes[0].enriched);
        assert_int_equal(f.job.broken, is_to_be_mended(c));
        fixture_end(&f);
    }
}

static void retry_after_wins_over_our_own_pause(void **state)
{
    struct http_response r = fixture_response(477, "");

    (void)state;
    start(SECTION);
    fixture_build(&f);
    r.retry_after_ms = 7200000;
    assert_int_equal(f.type->judge(&f.job, &r), JUDGED_DONE);
    assert_int_equal(f.job.pause_ms, 7200000);
}

/* Limits */

static void put_header(struct http_response *r, const char *name, const char *value)
{
    r->kept[r->n_kept++] = (struct http_header){name, str_of(value)};
}

static const struct limit_case {
    const char *rest, *interval, *day, *day_rest;
    int64_t requests, window_ms; /* 0: nothing is learnt */
} limit_cases[] = {
    {"99", "10000", "250000", "249000", 99, 10000},
    {"0", "10000", NULL, NULL, 0, 10000},
    {"5", NULL, NULL, NULL, 0, 0},
    {NULL, "10000", NULL, NULL, 0, 0},
    {"many", "10000", NULL, NULL, 0, 0},
    {"-1", "10000", NULL, NULL, 0, 0},
    {"5", "0", NULL, NULL, 0, 0},
    {"5", "86400001", NULL, NULL, 0, 0},
    {"99", "10000", "250000", "25000", 99, 10000},
    {"99", "10000", "250000", "24000", 1000, HOURS_MS},
    {NULL, NULL, "250000", "0", 0, HOURS_MS},
    {"99", "10000", "250000", "few", 99, 10000},
};

static void what_is_left_is_learnt_from_the_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(limit_cases); i++) {
        const struct limit_case *c = &limit_cases[i];
        struct http_response r = fixture_response(200, ANSWER(CONTACT("101", "null")));

        start(SECTION);
        fixture_build(&f);
        assert_int_equal(f.request.n_keep, 4);
        if (c->rest)
            put_header(&r, f.request.keep[0], c->rest);
        if (c->interval)
            put_header(&r, f.request.keep[1], c->interval);
        if (c->day_rest)
            put_header(&r, f.request.keep[2], c->day_rest);
        if (c->day)
            put_header(&r, f.request.keep[3], c->day);
        assert_int_equal(f.type->judge(&f.job, &r), JUDGED_DONE);
        assert_int_equal(f.job.left.requests, c->requests);
        assert_int_equal(f.job.left.window_ms, c->window_ms);
        assert_true(f.job.left.key == (c->window_ms ? quota_key(STR("pat-test"), "app") : 0));
        fixture_end(&f);
    }
}

static void an_account_has_limits_that_its_connectors_share(void **state)
{
    struct quota quotas[QUOTAS_MAX];

    (void)state;
    start(SECTION);
    assert_int_equal(f.type->quotas(&f.job, quotas), 1);
    assert_true(quotas[0].key == quota_key(STR("pat-test"), "app"));
    assert_true(quotas[0].per_second == 10.0 && quotas[0].burst == 1.0);
    fixture_route(&f, "catch-up");
    assert_int_equal(f.type->quotas(&f.job, quotas), 2);
    assert_true(quotas[1].key == quota_key(STR("pat-test"), "search"));
    assert_true(quotas[1].per_second == 4.0); /* of five; no plan has more */
    f.job.n = 0;                              /* before there are parcels */
    assert_int_equal(f.type->quotas(&f.job, quotas), 1);
    fixture_end(&f);

    start(SECTION "rate = 19/s\n");
    assert_int_equal(f.type->quotas(&f.job, quotas), 1);
    assert_true(quotas[0].per_second == 19.0);
}

/* Kinds */

static bool go_together(const char *first, const char *other)
{
    f.parcels[0].d.route = str_of(first);
    f.parcels[1].d.route = str_of(other);
    return f.type->together(f.settings, &f.parcels[0], &f.parcels[1]);
}

static void questions_and_news_do_not_travel_together(void **state)
{
    (void)state;
    start(SECTION);
    assert_true(go_together("enrichment", "enrichment"));
    assert_true(go_together("hot-lead", "warm-lead"));
    assert_false(go_together("enrichment", "hot-lead"));
    assert_false(go_together("hot-lead", "enrichment"));
    assert_false(go_together("hot-lead", "catch-up"));
    assert_false(go_together("catch-up", "catch-up")); /* a page is a job */
}

static const struct section_case {
    const char *section, *problem;
} section_cases[] = {
    {"property.score = lead_score\nproperty.reasons =\n", ""},
    {"property.scoer = lead_score\n", "nothing called scoer is written to a contact (score)"},
    {"property.score = Lead Score\n", "this is no name of a HubSpot property"},
    {"property.score = 1score\n", "this is no name of a HubSpot property"},
    {"property.score = lead-score\n", "this is no name of a HubSpot property"},
    {"property.score = x\nproperty.band = x\n",
     "score and band would be written into one property, x"},
    {"property.score =\nproperty.band =\nproperty.reasons =\nproperty.updated =\n", ""},
    {"properties = email, funneld_band\n", "a score must not feed on it"},
    {"properties = email, tier\nproperty.band = tier\n", "a score must not feed on it"},
    {"properties = email, funneld_band\nproperty.band = tier\n", ""},
    {"catch_up_after = 10ms\n", "catch_up_after"},
    {"catch_up = maybe\n", "catch_up"},
};

static void what_is_misconfigured_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(section_cases); i++) {
        const struct section_case *c = &section_cases[i];
        struct str text, said;

        memset(&f, 0, sizeof f);
        text = arena_printf(&f.arena, SECTION "%s", c->section);
        said = str_of(fixture_load(&f, text.at));
        if (*c->problem ? !str_find(said, str_of(c->problem)) : said.len > 0)
            fail_msg("%s gives \"%.*s\"", c->section, STR_ARG(said));
        fixture_end(&f);
    }
}

static void what_it_writes_is_its_own(void **state)
{
    (void)state;
    start(SECTION "property.score = lead_score\nproperty.reasons =\n");
    assert_true(f.type->writes(f.settings, STR("lead_score")));
    assert_true(f.type->writes(f.settings, STR("funneld_band")));
    assert_true(f.type->writes(f.settings, STR("funneld_updated")));
    assert_false(f.type->writes(f.settings, STR("funneld_score")));
    assert_false(f.type->writes(f.settings, STR("funneld_reasons")));
    assert_false(f.type->writes(f.settings, STR("")));
    assert_false(f.type->writes(f.settings, STR_NULL));
}

static void an_echo_is_news_of_a_property_that_one_of_them_writes(void **state)
{
    struct event e = {.type = STR("contact.propertyChange"), .property = STR("funneld_score")};

    (void)state;
    start(SECTION);
    const struct connector all[] = {{fixture_type(STR("slack")), STR("slack"), NULL},
                                    {f.type, STR("crm"), f.settings}};
    assert_true(is_own_echo(all, 2, &e));
    assert_false(is_own_echo(all, 1, &e));
    e.property = STR("company");
    assert_false(is_own_echo(all, 2, &e));
    e.property = STR("funneld_score");
    e.type = STR("company.propertyChange");
    assert_false(is_own_echo(all, 2, &e));
}

static void a_contact_has_an_address_for_people(void **state)
{
    struct str url;

    (void)state;
    start(SECTION "ui_url = https://app-eu1.hubspot.com/\nstale_after = 1h\n");
    url = hubspot_contact_url(f.settings, 62515, 101, &f.arena);
    assert_true(str_is(url, "https://app-eu1.hubspot.com/contacts/62515/record/0-1/101"));
    assert_null(hubspot_contact_url(f.settings, 0, 101, &f.arena).at);
    assert_null(hubspot_contact_url(f.settings, 62515, 0, &f.arena).at);
    assert_int_equal(hubspot_stale_after_ms(f.settings), 3600000);
    assert_int_equal(hubspot_catch_up_after_ms(f.settings), HOURS_MS);
    assert_int_equal(hubspot_portal(f.settings), 0);
    fixture_end(&f);

    start(SECTION "portal = 7\ncatch_up = no\n");
    assert_int_equal(hubspot_catch_up_after_ms(f.settings), 0);
    assert_int_equal(hubspot_portal(f.settings), 7);
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
        start(cases[i].section);
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
        T(every_status_has_its_verdict),
        T(retry_after_wins_over_our_own_pause),
        T(what_is_left_is_learnt_from_the_headers),
        T(an_account_has_limits_that_its_connectors_share),
        T(questions_and_news_do_not_travel_together),
        T(what_is_misconfigured_is_said),
        T(what_it_writes_is_its_own),
        T(an_echo_is_news_of_a_property_that_one_of_them_writes),
        T(a_contact_has_an_address_for_people),
        T(defaults_are_those_of_the_contracts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
