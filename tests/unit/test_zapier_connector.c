/* tests/unit/test_zapier_connector.c - what a catch hook is sent, and what its answer means. */
#include "hook_fixture.h"

#define URL  "https://hooks.zapier.com/hooks/catch/1234567/s3crethook/"
#define HOOK "type = zapier\nurl = " URL "\n"

static void a_lead_is_one_flat_object(void **state)
{
    struct json_doc doc = {0};

    (void)state;
    fixture_start(&f, HOOK);
    fixture_build(&f);
    golden(&f, "zapier/post.http");
    assert_true(str_is(f.request.url, URL)); /* without the slash it is another address */
    assert_true(f.request.secret_url);
    assert_false(f.request.repeatable);
    body_parse(&doc);
    for (const json *m = json_first(doc.root); m; m = json_next(m)) {
        struct str name = json_name(m);

        assert_true(json_type(m) != JSON_OBJECT && json_type(m) != JSON_ARRAY);
        for (size_t i = 0; i < name.len; i++)
            assert_true((name.at[i] >= 'a' && name.at[i] <= 'z') || name.at[i] == '_');
    }
    json_doc_free(&doc);
}

static void what_models_say_goes_along(void **state)
{
    (void)state;
    fixture_start(&f, HOOK);
    fixture_chances(&f);
    fixture_build(&f);
    golden(&f, "zapier/chances.http");
}

static void hostile_texts_stay_inside_their_strings(void **state)
{
    (void)state;
    fixture_start(&f, HOOK);
    fixture_hostile(&f);
    fixture_build(&f);
    golden(&f, "zapier/hostile.http");
    assert_true(str_is(fixture_header(&f.request, "X-Recurse-Parse"), "false"));
}

static void every_status_has_its_verdict(void **state)
{
    static const struct status_case cases[] = {
        {301, VERDICT_DEAD, "catch hook"},    {302, VERDICT_RETRY, "redirects"},
        {308, VERDICT_DEAD, "catch hook"},    {400, VERDICT_RETRY, "HTTP 400"},
        {401, VERDICT_RETRY, "HTTP 401"},     {404, VERDICT_RETRY, "HTTP 404"},
        {410, VERDICT_DEAD, "catch hook"},    {413, VERDICT_DEAD, "too large"},
        {429, VERDICT_RETRY, "HTTP 429"},     {500, VERDICT_RETRY, "HTTP 500"},
        {502, VERDICT_AMBIGUOUS, "HTTP 502"}, {503, VERDICT_RETRY, "HTTP 503"},
        {504, VERDICT_AMBIGUOUS, "HTTP 504"},
    };

    (void)state;
    statuses(HOOK, cases, ARRAY_LEN(cases));
    missing(HOOK, "catch hook");
    fixture_start(&f, HOOK);
    fixture_build(&f);
    (void)fixture_judge(&f, 429, "");
    assert_int_equal(f.job.pause_ms, 60000); /* all Zaps of the account wait */
    fixture_end(&f);
}

/* Whatever stands in the answer. */
static void the_status_alone_decides(void **state)
{
    static const char *const bodies[] = {"", "{\"status\":\"error\"}", "{\"status\":\"success\"",
                                         "<html>", "\xff"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        fixture_start(&f, HOOK);
        fixture_build(&f);
        (void)fixture_judge(&f, 200, bodies[i]);
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        fixture_end(&f);
    }
}

static void what_may_have_started_a_zap_is_sent_again_or_not(void **state)
{
    (void)state;
    doubted(HOOK);
}

static void the_rate_stays_below_what_zapier_takes(void **state)
{
    const struct connector_common *c;

    (void)state;
    fixture_start(&f, HOOK);
    c = f.settings;
    assert_true(c->rate * 300 < 10000); /* in 5 minutes, by the stricter of the two figures */
    assert_true(c->rate < 30);
}

static void settings_that_cannot_work_are_refused(void **state)
{
    (void)state;
    refused("type = zapier\n", "url");
    refused("type = zapier\nurl = s3cret\n", "no address");
    refused("type = zapier\nurl = http://hooks.zapier.com/s3cret/\n", "on this machine only");
    fixture_start(&f, "type = zapier\nurl = http://127.0.0.1:8080/hooks/catch/1/abc/\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_lead_is_one_flat_object),
        T(what_models_say_goes_along),
        T(hostile_texts_stay_inside_their_strings),
        T(every_status_has_its_verdict),
        T(the_status_alone_decides),
        T(what_may_have_started_a_zap_is_sent_again_or_not),
        T(the_rate_stays_below_what_zapier_takes),
        T(settings_that_cannot_work_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
