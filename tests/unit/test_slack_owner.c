/* tests/unit/test_slack_owner.c - the lead's owner as somebody to mention. */
#include "cm.h"

#include "connector_test.h"

#define WITH_OWNER "type = slack\ntoken = xoxb-test\nchannel = C0123456789\nmention_owner = yes\n"
#define POSTED     "{\"ok\":true,\"channel\":\"C0123456789\",\"ts\":\"1767225600.000247\"}"
#define GRACE      "{\"ok\":true,\"user\":{\"id\":\"U0GRACE\",\"deleted\":false,\"name\":\"grace\"}}"
#define NOBODY     "{\"ok\":false,\"error\":\"users_not_found\"}"
#define LOOKUP     "/api/users.lookupByEmail?email="

static void owned(void)
{
    fixture_start(&f, WITH_OWNER);
    fixture_put(&f, 0, "hubspot_owner_email", " Grace@Example.com ");
}

/* Another job of the same connector, later. */
static void later(int64_t ms)
{
    int64_t now = f.job.now_ms + ms;

    fixture_job(&f, 1);
    f.job.now_ms = now;
}

static bool mentions(void)
{
    return str_find(f.request.body, STR("Owner: <@U0GRACE>")) != NULL;
}

static void post_now(void)
{
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void the_owner_is_asked_for_and_mentioned(void **state)
{
    (void)state;
    owned();
    fixture_build(&f);
    golden(&f, "slack/lookup.http");
    assert_true(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, GRACE), JUDGED_CONTINUE);
    fixture_build(&f);
    golden(&f, "slack/mention.http");
    assert_int_equal(fixture_judge(&f, 200, POSTED), JUDGED_DONE);
}

static void an_address_is_asked_about_once_a_day(void **state)
{
    (void)state;
    owned();
    fixture_step(&f, "GET", LOOKUP "grace%40example.com", 200, GRACE);
    post_now();
    later(24 * HOURS_MS - 1);
    post_now();
    assert_true(mentions());
    later(1);
    fixture_step(&f, "GET", LOOKUP, 200, GRACE);
    post_now();
    later(-48 * HOURS_MS); /* a clock that was ahead: nothing is known for two days */
    fixture_step(&f, "GET", LOOKUP, 200, GRACE);
}

static void whom_slack_does_not_know_is_asked_for_again_in_an_hour(void **state)
{
    static const char *const answers[] = {
        NOBODY, "{\"ok\":true,\"user\":{\"id\":\"U0GRACE\",\"deleted\":true}}",
        "{\"ok\":true,\"user\":{\"id\":\"<!channel>\"}}", "{\"ok\":true}",
        "{\"ok\":true,\"user\":{\"id\":\"U0123456789012345678901234\"}}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        owned();
        fixture_step(&f, "GET", LOOKUP, 200, answers[i]);
        post_now();
        assert_null(str_find(f.request.body, STR("Owner:")));
        later(HOURS_MS - 1);
        post_now();
        later(1);
        fixture_step(&f, "GET", LOOKUP, 200, GRACE);
        post_now();
        assert_true(mentions());
        fixture_end(&f);
    }
}

static void trouble_with_the_lookup_keeps_no_message_back(void **state)
{
    static const struct {
        int status;
        const char *body;
        int64_t retry_after_ms, rests_ms;
    } cases[] = {
        {200, "{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"users:read.email\"}", -1,
         HOURS_MS},
        {200, "{\"ok\":false,\"error\":\"not_allowed_token_type\"}", -1, HOURS_MS},
        {200, "{\"ok\":false,\"error\":\"brand_new\"}", -1, HOURS_MS},
        {200, "{\"ok\":false,\"error\":\"ratelimited\"}", -1, MINUTES_MS},
        {200, "{\"ok\":false,\"error\":\"internal_error\"}", -1, MINUTES_MS},
        {200, "{\"ok\":false,\"error\":\"service_unavailable\"}", -1, MINUTES_MS},
        {429, "", 7000, 7000},
        {429, "", -1, MINUTES_MS},
        {429, "", 400 * DAYS_MS, DAYS_MS},
        {500, "<html>", -1, MINUTES_MS},
        {200, "garbage", -1, MINUTES_MS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_response r = fixture_response(cases[i].status, cases[i].body);

        owned();
        fixture_build(&f);
        r.retry_after_ms = cases[i].retry_after_ms;
        assert_int_equal(f.type->judge(&f.job, &r), JUDGED_CONTINUE);
        post_now();
        assert_false(mentions());
        assert_true(!f.job.broken && !f.job.pause_ms); /* it has a limit of its own */
        later(cases[i].rests_ms - 1);
        post_now();
        later(1);
        fixture_step(&f, "GET", LOOKUP, 200, GRACE);
        post_now();
        assert_true(mentions());
        fixture_end(&f);
    }
}

static void without_an_address_nobody_is_asked_for(void **state)
{
    static const char *const odd[] = {"", "grace", "@", "a b@c@d", "\xf0\x9f\x91\x8b"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        fixture_start(&f, WITH_OWNER);
        fixture_put(&f, 0, "hubspot_owner_email", odd[i]);
        post_now();
        fixture_end(&f);
    }
    fixture_start(&f, WITH_OWNER); /* no such property at all */
    post_now();
    fixture_end(&f);

    fixture_start(&f, "type = slack\ntoken = x\nchannel = C0123456789\n"); /* not wanted */
    fixture_put(&f, 0, "hubspot_owner_email", "grace@example.com");
    post_now();
}

static void the_property_has_the_name_that_is_configured(void **state)
{
    (void)state;
    fixture_start(&f, WITH_OWNER "owner_property = account_manager\n");
    fixture_put(&f, 0, "hubspot_owner_email", "no@example.com");
    fixture_put(&f, 0, "account_manager", "a+b@example.com");
    fixture_step(&f, "GET", LOOKUP "a%2Bb%40example.com", 200, GRACE);
    post_now();
    assert_true(mentions());
}

static void many_addresses_share_a_bounded_memory(void **state)
{
    enum { MANY = 2000 };

    (void)state;
    owned();
    for (int i = 0; i < MANY; i++) {
        char email[64];

        (void)snprintf(email, sizeof email, "u%d@example.com", i);
        fixture_put(&f, 0, "hubspot_owner_email", email);
        fixture_step(&f, "GET", LOOKUP, 200, i % 2 ? GRACE : NOBODY);
        post_now();
        assert_int_equal(mentions(), i % 2); /* never somebody else's */
        later(1);
        post_now();
        assert_int_equal(mentions(), i % 2);
        later(1);
    }
}

static void a_mention_is_in_what_is_updated_too(void **state)
{
    (void)state;
    owned();
    f.parcels[0].d.remote_id = STR("C0123456789:1767225600.000247");
    fixture_step(&f, "GET", LOOKUP, 200, GRACE);
    fixture_last(&f, "POST", "/api/chat.update", 200, POSTED);
    assert_true(mentions());
}

static void in_doubt_it_is_asked_before_it_is_looked(void **state)
{
    (void)state;
    owned();
    f.job.look = true;
    f.parcels[0].d.open_attempt_at = FIXTURE_NOW - 1000;
    fixture_step(&f, "GET", LOOKUP, 200, GRACE);
    fixture_step(&f, "GET", "history", 200, "{\"ok\":true,\"messages\":[]}");
    post_now();
    assert_true(mentions());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(the_owner_is_asked_for_and_mentioned),
        T(an_address_is_asked_about_once_a_day),
        T(whom_slack_does_not_know_is_asked_for_again_in_an_hour),
        T(trouble_with_the_lookup_keeps_no_message_back),
        T(without_an_address_nobody_is_asked_for),
        T(the_property_has_the_name_that_is_configured),
        T(many_addresses_share_a_bounded_memory),
        T(a_mention_is_in_what_is_updated_too),
        T(in_doubt_it_is_asked_before_it_is_looked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
