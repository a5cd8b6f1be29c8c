/* tests/unit/test_slack_thread.c - what follows of a lead answers in its thread. */
#include "cm.h"

#include "connector_test.h"

#define WITH_THREAD   "type = slack\ntoken = xoxb-test\nchannel = C0123456789\nthread = yes\n"
#define PARENT        "C0123456789:1767225600.000247:hot-lead"
#define POSTED        "{\"ok\":true,\"channel\":\"C0123456789\",\"ts\":\"1767225700.000100\"}"
#define REFUSED(code) "{\"ok\":false,\"error\":\"" code "\"}"

static void in_thread(void)
{
    fixture_start(&f, WITH_THREAD);
    f.parcels[0].remote_lead = STR(PARENT);
}

static bool says(const char *text)
{
    return str_find(f.request.body, str_of(text)) != NULL;
}

static void the_first_message_is_where_the_thread_begins(void **state)
{
    (void)state;
    fixture_start(&f, WITH_THREAD);
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    assert_false(says("thread_ts"));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_lead, "C0123456789:1767225700.000100:hot-lead"));
    fixture_end(&f);

    fixture_start(&f, "type = slack\ntoken = x\nchannel = C0123456789\n");
    f.parcels[0].remote_lead = STR(PARENT); /* of when it had threads */
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    assert_false(says("thread_ts"));
    assert_null(f.outcomes[0].remote_lead.at);
}

static void what_follows_replies_and_refreshes_the_first_message(void **state)
{
    (void)state;
    in_thread();
    fixture_build(&f);
    golden(&f, "slack/reply.http");
    assert_false(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, POSTED), JUDGED_CONTINUE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "C0123456789:1767225700.000100"));
    assert_null(f.outcomes[0].remote_lead.at); /* the thread stays */
    fixture_build(&f);
    golden(&f, "slack/refresh.http");
    assert_true(f.request.repeatable);
    assert_int_equal(fixture_judge(&f, 200, POSTED), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void a_hostile_lead_pings_nobody_in_a_thread(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 16);

    (void)state;
    in_thread();
    for (int i = 0; i < 10000; i++)
        sbuf_text(&b, "x");
    fixture_put(&f, 0, "firstname", "<!channel>\r\n\xd9\x85\xf0\x9f\x91\x8b");
    fixture_put(&f, 0, "lastname", b.at);
    f.parcels[0].d.facts.reasons = (struct str){"<@U1> nul \0 =HYPERLINK(1)", 25};
    fixture_build(&f);
    golden(&f, "slack/reply_hostile.http");
    assert_false(says("<"));
}

static void a_template_speaks_in_the_thread(void **state)
{
    struct expr_error error;
    struct message *own;

    (void)state;
    in_thread();
    own = ARENA_NEW(&f.arena, struct message);
    assert_int_equal(template_compile(STR("*{{score}}* now"), &f.arena, &own->text, &error), RC_OK);
    f.parcels[0].message = own;
    fixture_build(&f);
    golden(&f, "slack/reply_template.http");
}

static void another_routes_message_is_not_overwritten(void **state)
{
    (void)state;
    in_thread();
    f.parcels[0].d.route = STR("note");
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    assert_true(says("\"thread_ts\":\"1767225600.000247\""));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void a_thread_that_is_gone_is_forgotten_and_another_begun(void **state)
{
    static const char *const codes[] = {REFUSED("message_not_found"), REFUSED("thread_not_found"),
                                        REFUSED("cannot_reply_to_message"),
                                        REFUSED("restricted_action_thread_locked"),
                                        REFUSED("restricted_action_non_threadable_channel")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        in_thread();
        fixture_step(&f, "POST", "/api/chat.postMessage", 200, codes[i]);
        assert_true(f.outcomes[0].remote_lead.at && !f.outcomes[0].remote_lead.len);
        fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
        assert_false(says("thread_ts"));
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        assert_false(f.job.broken);
        assert_true(str_is(f.outcomes[0].remote_lead, "C0123456789:1767225700.000100:hot-lead"));
        fixture_end(&f);
    }
}

static void a_thread_stays_forgotten_when_the_new_message_has_to_wait(void **state)
{
    (void)state;
    in_thread();
    fixture_step(&f, "POST", "/api/chat.postMessage", 200, REFUSED("thread_not_found"));
    assert_true(f.job.settled);
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, REFUSED("service_unavailable"));
    fixture_verdict(&f, 0, VERDICT_RETRY, "service_unavailable");
    assert_true(f.outcomes[0].remote_lead.at && !f.outcomes[0].remote_lead.len);
}

static void other_refusals_of_a_reply_are_judged_as_ever(void **state)
{
    static const struct {
        const char *body;
        enum verdict verdict;
        bool broken;
    } cases[] = {
        {REFUSED("is_archived"), VERDICT_RETRY, true},
        {REFUSED("restricted_action_read_only_channel"), VERDICT_RETRY, true},
        {REFUSED("no_text"), VERDICT_DEAD, false},
        {REFUSED("internal_error"), VERDICT_AMBIGUOUS, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        in_thread();
        fixture_last(&f, "POST", "/api/chat.postMessage", 200, cases[i].body);
        fixture_verdict(&f, 0, cases[i].verdict, NULL);
        assert_int_equal(f.job.broken, cases[i].broken);
        assert_null(f.outcomes[0].remote_lead.at);
        fixture_end(&f);
    }
}

static void refused_blocks_of_a_reply_are_sent_as_text(void **state)
{
    (void)state;
    in_thread();
    fixture_step(&f, "POST", "/api/chat.postMessage", 200, REFUSED("invalid_blocks"));
    assert_true(f.job.settled);
    fixture_step(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    assert_false(says("\"blocks\""));
    assert_true(says("thread_ts"));
    fixture_build(&f); /* the first message gets its blocks all the same */
    assert_true(says("\"blocks\""));
}

/* The reply is there: whatever the refresh meets, nothing is sent again. */
static void a_refresh_that_fails_costs_the_reply_nothing(void **state)
{
    static const struct {
        int status;
        const char *body;
        bool pauses, forgets;
    } cases[] = {
        {429, "", true, false},
        {500, "<html>", false, false},
        {200, "garbage", false, false},
        {200, REFUSED("invalid_blocks"), false, false},
        {200, REFUSED("token_revoked"), false, false},
        {200, REFUSED("message_not_found"), false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        in_thread();
        fixture_step(&f, "POST", "/api/chat.postMessage", 200, POSTED);
        fixture_last(&f, "POST", "/api/chat.update", cases[i].status, cases[i].body);
        fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
        assert_int_equal(f.job.pause_ms > 0, cases[i].pauses);
        assert_int_equal(f.outcomes[0].remote_lead.at != NULL, cases[i].forgets);
        fixture_end(&f);
    }
}

static void what_is_remembered_of_another_channel_begins_no_reply(void **state)
{
    static const char *const others[] = {
        "C0OTHER000:1.2:hot-lead",  "garbage",       "", "C0123456789:",
        "C0123456789:x.y:hot-lead", "<!channel>:1.2"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        in_thread();
        f.parcels[0].remote_lead = str_of(others[i]);
        fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
        assert_false(says("thread_ts"));
        fixture_end(&f);
    }
    fixture_start(&f, "type = slack\ntoken = x\nchannel = U0123456789\nthread = yes\n");
    f.parcels[0].remote_lead = STR("D0DIRECT00:1.2:hot-lead"); /* what Slack made of U... */
    fixture_build(&f);
    assert_true(says("\"channel\":\"D0DIRECT00\"") && says("\"thread_ts\":\"1.2\""));
}

static void in_doubt(void)
{
    in_thread();
    f.job.look = true;
    f.parcels[0].d.open_attempt_at = FIXTURE_NOW - 10250;
}

#define FOUND                                                                                      \
    "{\"ok\":true,\"messages\":[{\"ts\":\"1767225600.000247\"},{\"ts\":\"1767225590.000100\","     \
    "\"metadata\":{\"event_type\":\"funneld_lead\",\"event_payload\":{\"delivery\":\"0a1b2c3d-41"  \
    "\"}}}]}"
#define NOTHING "{\"ok\":true,\"messages\":[{\"ts\":\"1767225600.000247\"}],\"has_more\":false}"

static void a_reply_in_doubt_is_looked_for_in_the_thread(void **state)
{
    (void)state;
    in_doubt();
    fixture_build(&f);
    golden(&f, "slack/look_thread.http");
    assert_int_equal(fixture_judge(&f, 200, FOUND), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "C0123456789:1767225590.000100"));
    assert_null(f.outcomes[0].remote_lead.at);
}

static void a_reply_that_is_not_there_is_looked_for_in_the_channel_too(void **state)
{
    (void)state;
    in_doubt();
    fixture_step(&f, "GET", "/api/conversations.replies", 200, NOTHING);
    fixture_last(&f, "GET", "/api/conversations.history", 200, FOUND);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_lead, "C0123456789:1767225590.000100:hot-lead"));
}

static void neither_there_nor_here_it_is_sent(void **state)
{
    (void)state;
    in_doubt();
    fixture_step(&f, "GET", "/api/conversations.replies", 200,
                 "{\"ok\":true,\"messages\":[],\"has_more\":true,\"response_metadata\":"
                 "{\"next_cursor\":\"more\"}}");
    fixture_step(&f, "GET", "&cursor=more", 200, NOTHING);
    fixture_step(&f, "GET", "/api/conversations.history", 200, NOTHING);
    assert_null(str_find(f.request.url, STR("cursor")));
    fixture_step(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    assert_true(says("thread_ts"));
    fixture_end(&f);

    in_doubt(); /* the thread is gone: it cannot be in it */
    fixture_step(&f, "GET", "/api/conversations.replies", 200, REFUSED("thread_not_found"));
    fixture_step(&f, "GET", "/api/conversations.history", 200, NOTHING);
    fixture_step(&f, "POST", "/api/chat.postMessage", 200, REFUSED("thread_not_found"));
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
}

/* A digest looks in the channel alone. */
static void a_reply_in_doubt_goes_into_no_digest(void **state)
{
    const struct parcel other = {.lead = NULL};
    const struct parcel doubtful = {.d.open_attempt_at = 1, .remote_lead = STR("C1/1.1")};
    struct parcel first_message = doubtful;

    (void)state;
    fixture_start(&f, WITH_THREAD);
    assert_false(f.type->together(f.settings, &other, &doubtful));
    assert_false(f.type->together(f.settings, &doubtful, &other));
    first_message.remote_lead = STR_NULL; /* it stands in the channel, if anywhere */
    assert_true(f.type->together(f.settings, &other, &first_message));
    fixture_end(&f);
    fixture_start(&f, "type = slack\ntoken = x\nchannel = C0123456789\n");
    assert_true(f.type->together(f.settings, &other, &doubtful));
}

static void a_webhook_has_neither_threads_nor_buttons_nor_mentions(void **state)
{
    static const char *const keys[] = {"thread", "buttons", "mention_owner"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct sbuf b AUTO(sbuf_free) = SBUF(1 << 10);
        const char *said;

        memset(&f, 0, sizeof f);
        sbuf_printf(&b,
                    "type = slack\nwebhook = https://hooks.slack.com/services/s3cret\n%s = yes\n",
                    keys[i]);
        said = fixture_load(&f, b.at);
        assert_non_null(strstr(said, "a webhook "));
        assert_non_null(strstr(said, "use a token and a channel instead"));
        assert_null(strstr(said, "s3cret"));
        fixture_end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(the_first_message_is_where_the_thread_begins),
        T(what_follows_replies_and_refreshes_the_first_message),
        T(a_hostile_lead_pings_nobody_in_a_thread),
        T(a_template_speaks_in_the_thread),
        T(another_routes_message_is_not_overwritten),
        T(a_thread_that_is_gone_is_forgotten_and_another_begun),
        T(a_thread_stays_forgotten_when_the_new_message_has_to_wait),
        T(other_refusals_of_a_reply_are_judged_as_ever),
        T(refused_blocks_of_a_reply_are_sent_as_text),
        T(a_refresh_that_fails_costs_the_reply_nothing),
        T(what_is_remembered_of_another_channel_begins_no_reply),
        T(a_reply_in_doubt_is_looked_for_in_the_thread),
        T(a_reply_that_is_not_there_is_looked_for_in_the_channel_too),
        T(neither_there_nor_here_it_is_sent),
        T(a_reply_in_doubt_goes_into_no_digest),
        T(a_webhook_has_neither_threads_nor_buttons_nor_mentions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
