/* tests/unit/test_slack_look.c - an attempt of unknown fate: looking before repeating. */
#include "cm.h"

#include "slack_test.h"

static void start_in_doubt(const char *section)
{
    fixture_start(&f, section);
    f.job.look = true;
    f.parcels[0].d.open_attempt_at = FIXTURE_NOW - 10250;
}

#define HISTORY(delivery, tail)                                                                    \
    "{\"ok\":true,\"messages\":[{\"ts\":\"9.1\",\"text\":\"hi\"},{\"ts\":\"1767225590.000100\","   \
    "\"metadata\":{\"event_type\":\"funneld_lead\",\"event_payload\":{\"delivery\":\"" delivery    \
    "\"}}}]" tail "}"

static void in_doubt_the_message_is_looked_for_and_found(void **state)
{
    (void)state;
    start_in_doubt(WITH_TOKEN);
    fixture_build(&f);
    golden(&f, "slack/look.http");
    assert_int_equal(fixture_judge(&f, 200, HISTORY("0a1b2c3d-41", "")), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "C0123456789:1767225590.000100"));
}

static void in_doubt_all_pages_are_read_before_it_is_posted_again(void **state)
{
    (void)state;
    start_in_doubt(WITH_TOKEN);
    fixture_step(&f, "GET", "/api/conversations.history", 200,
                 HISTORY("0a1b2c3d-4",
                         ",\"has_more\":true,\"response_metadata\":{\"next_cursor\":\"bm=x\"}"));
    fixture_step(&f, "GET", "&cursor=bm%3Dx", 200, HISTORY("0a1b2c3d-40", ",\"has_more\":false"));
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

#define NEXT(cursor) ",\"has_more\":true,\"response_metadata\":{\"next_cursor\":\"" cursor "\"}"

static void in_doubt_it_does_not_read_for_ever(void **state)
{
    enum { PAGES = 50 };

    (void)state;
    start_in_doubt(WITH_TOKEN);
    for (int i = 0; i < PAGES; i++)
        fixture_step(&f, "GET", "/api/conversations.history", 200, HISTORY("x", NEXT("more")));
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    fixture_end(&f);

    start_in_doubt(WITH_TOKEN); /* more, but no way to it */
    fixture_step(&f, "GET", "/api/conversations.history", 200, HISTORY("x", NEXT("")));
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
}

static void a_token_that_may_not_look_posts_again(void **state)
{
    static const char *const codes[] = {"missing_scope", "not_in_channel",
                                        "is_archived",   "channel_not_found",
                                        "no_permission", "not_allowed_token_type"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        start_in_doubt(WITH_TOKEN);
        fixture_step(&f, "GET", "history", 200,
                     arena_printf(&f.arena, "{\"ok\":false,\"error\":\"%s\"}", codes[i]).at);
        fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        fixture_end(&f);
    }
}

static void a_look_that_fails_for_now_leaves_the_doubt(void **state)
{
    static const struct {
        int status;
        const char *body;
        bool pauses;
    } cases[] = {
        {429, "", true},
        {500, "<html>", false},
        {503, "", false},
        {408, "", false},
        {199, "", false},
        {200, "garbage", false},
        {200, "{\"ok\":false,\"error\":\"ratelimited\"}", true},
        {200, "{\"ok\":false,\"error\":\"internal_error\"}", false},
        {200, "{\"ok\":false,\"error\":\"service_unavailable\"}", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start_in_doubt(WITH_TOKEN);
        fixture_last(&f, "GET", "history", cases[i].status, cases[i].body);
        fixture_verdict(&f, 0, VERDICT_AMBIGUOUS, NULL);
        assert_int_equal(f.job.pause_ms > 0, cases[i].pauses);
        assert_false(f.outcomes[0].unclear);
        fixture_end(&f);
    }
}

/* That it is not there nobody has said. */
static void a_refusal_that_nobody_knows_is_asked_again_a_few_times(void **state)
{
    static const struct {
        int status;
        const char *body;
    } cases[] = {
        {200, "{\"ok\":false,\"error\":\"brand_new\"}"},
        {200, "{\"ok\":false,\"error\":\"invalid_cursor\"}"},
        {200, "{\"ok\":false,\"error\":\"invalid_arguments\"}"},
        {200, "{\"ok\":false}"},
        {403, "<html>who are you</html>"},
        {404, ""},
        {302, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start_in_doubt(WITH_TOKEN);
        f.parcels[0].d.attempts = 99;
        f.parcels[0].d.unclear = 2;
        fixture_last(&f, "GET", "history", cases[i].status, cases[i].body);
        fixture_verdict(&f, 0, VERDICT_AMBIGUOUS, NULL);
        assert_true(f.outcomes[0].unclear);
        assert_false(f.job.broken);
        fixture_end(&f);
        start_in_doubt(WITH_TOKEN);
        f.parcels[0].d.unclear = 3;
        fixture_step(&f, "GET", "history", cases[i].status, cases[i].body);
        fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        fixture_end(&f);
    }
}

static void a_look_with_a_dead_token_leaves_the_doubt_to_whoever_mends_it(void **state)
{
    static const char *const codes[] = {"invalid_auth", "token_revoked", "account_inactive",
                                        "token_expired", "not_authed"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        start_in_doubt(WITH_TOKEN);
        fixture_last(&f, "GET", "history", 200,
                     arena_printf(&f.arena, "{\"ok\":false,\"error\":\"%s\"}", codes[i]).at);
        fixture_verdict(&f, 0, VERDICT_AMBIGUOUS, codes[i]);
        fixture_verdict(&f, 0, VERDICT_AMBIGUOUS, "check the connector's token");
        assert_true(f.job.broken);
        assert_false(f.outcomes[0].unclear);
        fixture_end(&f);
    }
}

static void on_ambiguous_decides_between_resend_and_drop(void **state)
{
    (void)state;
    start_in_doubt(WITH_TOKEN "on_ambiguous = resend\n");
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    fixture_end(&f);

    start_in_doubt(WITH_WEBHOOK);
    fixture_last(&f, "POST", HOOK, 200, "ok");
    fixture_end(&f);

    start_in_doubt(WITH_WEBHOOK "on_ambiguous = drop\n");
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
    assert_non_null(strstr(f.why.text, "may have arrived"));
    fixture_end(&f);

    fixture_start(&f, WITH_TOKEN "on_ambiguous = drop\n"); /* no doubt: nothing is dropped */
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(in_doubt_the_message_is_looked_for_and_found),
        T(in_doubt_all_pages_are_read_before_it_is_posted_again),
        T(in_doubt_it_does_not_read_for_ever),
        T(a_token_that_may_not_look_posts_again),
        T(a_look_that_fails_for_now_leaves_the_doubt),
        T(a_refusal_that_nobody_knows_is_asked_again_a_few_times),
        T(a_look_with_a_dead_token_leaves_the_doubt_to_whoever_mends_it),
        T(on_ambiguous_decides_between_resend_and_drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
