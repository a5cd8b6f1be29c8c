/* tests/unit/test_slack_verdicts.c - what Slack's answers mean. */
#include "cm.h"

#include "slack_test.h"

static void a_posted_message_is_delivered_and_known_by_channel_and_ts(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TOKEN);
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, POSTED);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "C0123456789:1767225600.000247"));
}

static void a_warning_is_no_error(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TOKEN);
    fixture_last(&f, "POST", "/api/chat.postMessage", 200,
                 "{\"ok\":true,\"warning\":\"missing_charset\",\"channel\":\"C1\",\"ts\":\"1.2\"}");
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static void a_message_without_a_channel_is_in_ours(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TOKEN);
    fixture_last(&f, "POST", "/api/chat.postMessage", 200, "{\"ok\":true,\"ts\":\"1.2\"}");
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_true(str_is(f.outcomes[0].remote_id, "C0123456789:1.2"));
}

static const struct code_case {
    const char *code;
    enum verdict verdict;
    bool pauses, broken;
} code_cases[] = {
#define ROW(code, verdict)                                                                         \
    {                                                                                              \
        code, VERDICT_##verdict, false, false                                                      \
    }
#define REST(code)                                                                                 \
    {                                                                                              \
        code, VERDICT_RETRY, true, false                                                           \
    }
#define BROKEN(code)                                                                               \
    {                                                                                              \
        code, VERDICT_RETRY, false, true                                                           \
    }
    BROKEN("invalid_auth"),
    BROKEN("not_authed"),
    BROKEN("account_inactive"),
    BROKEN("token_revoked"),
    BROKEN("token_expired"),
    BROKEN("missing_scope"),
    BROKEN("no_permission"),
    BROKEN("not_allowed_token_type"),
    BROKEN("ekm_access_denied"),
    BROKEN("org_login_required"),
    BROKEN("enterprise_is_restricted"),
    BROKEN("team_access_not_granted"),
    BROKEN("access_denied"),
    BROKEN("accesslimited"),
    BROKEN("method_deprecated"),
    BROKEN("deprecated_endpoint"),
    BROKEN("channel_not_found"),
    BROKEN("not_in_channel"),
    BROKEN("is_archived"),
    BROKEN("messages_tab_disabled"),
    BROKEN("team_not_found"),
    BROKEN("restricted_action"),
    BROKEN("restricted_action_read_only_channel"),
    BROKEN("restricted_action_thread_only_channel"),
    BROKEN("restricted_action_thread_locked"),
    BROKEN("restricted_action_non_threadable_channel"),
    ROW("no_text", DEAD),
    ROW("too_many_attachments", DEAD),
    ROW("attachment_payload_limit_exceeded", DEAD),
    ROW("markdown_text_conflict", DEAD),
    ROW("cannot_reply_to_message", DEAD),
    ROW("thread_not_found", DEAD),
    ROW("message_not_found", DEAD),
    ROW("cant_update_message", DEAD),
    ROW("edit_window_closed", DEAD),
    ROW("is_inactive", DEAD),
    ROW("msg_too_long", DEAD),
    ROW("external_channel_migrating", RETRY),
    ROW("update_failed", RETRY),
    ROW("streaming_state_conflict", RETRY),
    ROW("metadata_too_large", DEAD),
    ROW("invalid_metadata_format", DEAD),
    ROW("invalid_metadata_schema", DEAD),
    ROW("invalid_arguments", DEAD),
    ROW("invalid_arg_name", DEAD),
    ROW("invalid_array_arg", DEAD),
    ROW("invalid_charset", DEAD),
    ROW("invalid_form_data", DEAD),
    ROW("invalid_post_type", DEAD),
    ROW("missing_post_type", DEAD),
    ROW("duplicate_message_not_found", DEAD),
    ROW("duplicate_channel_not_found", DEAD),
    REST("ratelimited"),
    REST("rate_limited"),
    ROW("internal_error", AMBIGUOUS),
    ROW("fatal_error", AMBIGUOUS),
    ROW("service_unavailable", RETRY),
    ROW("request_timeout", RETRY),
    REST("team_added_to_org"),
    REST("message_limit_exceeded"),
#undef ROW
#undef REST
#undef BROKEN
};

static void every_error_code_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(code_cases); i++) {
        const struct code_case *c = &code_cases[i];
        struct str body;

        fixture_start(&f, WITH_TOKEN);
        f.parcels[0].d.unclear = 99; /* what is known has its verdict, whatever came before */
        body = arena_printf(&f.arena, "{\"ok\":false,\"error\":\"%s\"}", c->code);
        fixture_last(&f, "POST", "/api/chat.postMessage", 200, body.at);
        fixture_verdict(&f, 0, c->verdict, c->code);
        assert_int_equal(f.job.pause_ms > 0, c->pauses);
        assert_int_equal(f.job.broken, c->broken);
        fixture_end(&f);
    }
}

static void a_missing_scope_is_named(void **state)
{
    (void)state;
    fixture_start(&f, WITH_TOKEN);
    fixture_last(&f, "POST", "/api/chat.postMessage", 200,
                 "{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"chat:write\"}");
    fixture_verdict(&f, 0, VERDICT_RETRY, "missing_scope (needed: chat:write); check");
    assert_true(f.job.broken);
}

static const struct status_case {
    int status;
    const char *body;
    enum verdict verdict;
    const char *reason;
} status_cases[] = {
    {200, "<html>ok</html>", VERDICT_AMBIGUOUS, "HTTP 200: <html>"},
    {200, "", VERDICT_AMBIGUOUS, "HTTP 200"},
    {200, "{\"unexpected\":1}", VERDICT_AMBIGUOUS, "unexpected"},
    {200, "{\"ok\":false}", VERDICT_RETRY, "HTTP 200"}, /* unknown: the first tries */
    {300, "", VERDICT_DEAD, "never redirects"},
    {302, "", VERDICT_DEAD, "never redirects"},
    {399, "", VERDICT_DEAD, "never redirects"},
    {400, "bad", VERDICT_RETRY, "HTTP 400: bad"}, /* unknown: the first tries */
    {404, "<html>", VERDICT_RETRY, "HTTP 404"},
    {408, "", VERDICT_RETRY, "HTTP 408"},
    {500, "<html>", VERDICT_AMBIGUOUS, "HTTP 500"},
    {503, "", VERDICT_AMBIGUOUS, "HTTP 503"},
    {503, "{\"ok\":false,\"error\":\"service_unavailable\"}", VERDICT_RETRY, "service_unavailable"},
    {500, "{\"ok\":false,\"error\":\"brand_new\"}", VERDICT_AMBIGUOUS, "brand_new"},
};

static void every_status_of_a_post_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(status_cases); i++) {
        const struct status_case *c = &status_cases[i];

        fixture_start(&f, WITH_TOKEN);
        fixture_last(&f, "POST", "/api/chat.postMessage", c->status, c->body);
        fixture_verdict(&f, 0, c->verdict, c->reason);
        fixture_end(&f);
    }
}

static const struct webhook_case {
    int status;
    const char *body;
    enum verdict verdict;
    bool broken;
    const char *reason;
} webhook_cases[] = {
    {200, "ok", VERDICT_DELIVERED, false, NULL},
    {200, "surprise", VERDICT_AMBIGUOUS, false, "surprise"},
    {400, "invalid_payload", VERDICT_DEAD, false, "invalid_payload"},
    {400, "user_not_found", VERDICT_DEAD, false, "user_not_found"},
    {400, "no_text", VERDICT_DEAD, false, "no_text"},
    {400, "too_many_attachments", VERDICT_DEAD, false, "too_many_attachments"},
    {400, "whatever", VERDICT_DEAD, false, "whatever"},
    {403, "action_prohibited", VERDICT_RETRY, true, "action_prohibited; the webhook may not"},
    {403, "invalid_token", VERDICT_RETRY, true, "revoked"},
    {403, "posting_to_general_channel_denied", VERDICT_RETRY, true, "ask a workspace admin"},
    {403, "<html>", VERDICT_RETRY, true, "may not post there"},
    {404, "channel_not_found", VERDICT_RETRY, true, "channel_not_found; the webhook may not"},
    {404, "no_service", VERDICT_RETRY, true, "no_service; the webhook was revoked"},
    {404, "no_service_id", VERDICT_RETRY, true, "revoked"},
    {404, "no_active_hooks", VERDICT_RETRY, true, "revoked"},
    {404, "no_team", VERDICT_RETRY, true, "revoked"},
    {404, "team_disabled", VERDICT_RETRY, true, "revoked"},
    {404, "", VERDICT_RETRY, true, "revoked"},
    {403, "no_service", VERDICT_RETRY, true, "revoked"}, /* which status is not documented */
    {410, "channel_is_archived", VERDICT_RETRY, true, "archived"},
    {410, "", VERDICT_RETRY, true, "may not post there"},
    {500, "rollup_error", VERDICT_RETRY, false, "rollup_error"},
    {500, "<html>", VERDICT_AMBIGUOUS, false, "HTTP 500"},
    {503, "", VERDICT_AMBIGUOUS, false, "HTTP 503"},
    {418, "teapot", VERDICT_RETRY, false, "teapot"},
};

static void every_answer_of_a_webhook_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(webhook_cases); i++) {
        const struct webhook_case *c = &webhook_cases[i];

        fixture_start(&f, WITH_WEBHOOK);
        fixture_last(&f, "POST", HOOK, c->status, c->body);
        fixture_verdict(&f, 0, c->verdict, c->reason);
        assert_int_equal(f.job.broken, c->broken);
        assert_null(str_find(f.outcomes[0].reason, STR("s3cret")));
        fixture_end(&f);
    }
}

/* Which status goes with which of them is documented for some only. */
static void a_word_of_a_webhook_counts_whatever_its_status(void **state)
{
    static const struct {
        const char *word, *says; /* says NULL: the message is what is wrong */
    } words[] = {
        {"invalid_payload", NULL},
        {"user_not_found", NULL},
        {"no_text", NULL},
        {"too_many_attachments", NULL},
        {"action_prohibited", "may not post there"},
        {"channel_not_found", "may not post there"},
        {"posting_to_general_channel_denied", "may not post there"},
        {"channel_is_archived", "may not post there"},
        {"invalid_token", "was revoked"},
        {"no_service", "was revoked"},
        {"no_service_id", "was revoked"},
        {"no_active_hooks", "was revoked"},
        {"no_team", "was revoked"},
        {"team_disabled", "was revoked"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        fixture_start(&f, WITH_WEBHOOK);
        fixture_last(&f, "POST", HOOK, 418, words[i].word);
        fixture_verdict(&f, 0, words[i].says ? VERDICT_RETRY : VERDICT_DEAD, words[i].says);
        assert_int_equal(f.job.broken, words[i].says != NULL);
        fixture_end(&f);
    }
}

/* However often the service was away before. */
static void an_unknown_code_is_tried_three_times(void **state)
{
    (void)state;
    for (int unclear = 0; unclear < 5; unclear++) {
        fixture_start(&f, WITH_TOKEN);
        f.parcels[0].d.attempts = 99;
        f.parcels[0].d.unclear = unclear;
        fixture_last(&f, "POST", "/api/", 200, "{\"ok\":false,\"error\":\"brand_new\"}");
        fixture_verdict(&f, 0, unclear < 3 ? VERDICT_RETRY : VERDICT_DEAD, "brand_new");
        assert_int_equal(f.outcomes[0].unclear, unclear < 3);
        fixture_end(&f);
    }
    fixture_start(&f, WITH_TOKEN);
    fixture_last(&f, "POST", "/api/", 503, "");
    assert_false(f.outcomes[0].unclear);
    fixture_end(&f);
}

static void a_used_up_quota_rests_the_connector(void **state)
{
    struct http_response r = fixture_response(429, "{\"ok\":false,\"error\":\"ratelimited\"}");

    (void)state;
    for (int webhook = 0; webhook < 2; webhook++) {
        fixture_start(&f, webhook ? WITH_WEBHOOK : WITH_TOKEN);
        fixture_build(&f);
        r.retry_after_ms = 3000;
        assert_int_equal(f.type->judge(&f.job, &r), JUDGED_DONE);
        fixture_verdict(&f, 0, VERDICT_RETRY, "rate limit");
        assert_int_equal(f.job.pause_ms, 3000);
        fixture_end(&f);
    }
}

static void refused_blocks_are_sent_once_more_as_text(void **state)
{
    static const char *const codes[] = {"invalid_blocks", "invalid_blocks_format",
                                        "msg_blocks_too_long"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct str body;

        fixture_start(&f, WITH_TOKEN);
        body = arena_printf(&f.arena,
                            "{\"ok\":false,\"error\":\"%s\",\"response_metadata\":{\"messages\":"
                            "[\"must be less than 3001 characters\"]}}",
                            codes[i]);
        fixture_step(&f, "POST", "/api/chat.postMessage", 200, body.at);
        fixture_build(&f);
        golden(&f, "slack/text_only.http");
        assert_int_equal(fixture_judge(&f, 200, body.at), JUDGED_DONE);
        fixture_verdict(&f, 0, VERDICT_DEAD, "must be less than 3001");
        fixture_end(&f);
    }
    fixture_start(&f, WITH_WEBHOOK);
    fixture_step(&f, "POST", HOOK, 400, "invalid_blocks");
    assert_true(f.job.settled);
    fixture_last(&f, "POST", HOOK, 200, "ok");
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    fixture_end(&f);

    fixture_start(&f, WITH_WEBHOOK);
    fixture_step(&f, "POST", HOOK, 400, "invalid_blocks");
    fixture_last(&f, "POST", HOOK, 400, "invalid_blocks");
    fixture_verdict(&f, 0, VERDICT_DEAD, "invalid_blocks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_posted_message_is_delivered_and_known_by_channel_and_ts),
        T(a_warning_is_no_error),
        T(a_message_without_a_channel_is_in_ours),
        T(every_error_code_has_its_verdict),
        T(a_missing_scope_is_named),
        T(every_status_of_a_post_has_its_verdict),
        T(every_answer_of_a_webhook_has_its_verdict),
        T(a_word_of_a_webhook_counts_whatever_its_status),
        T(an_unknown_code_is_tried_three_times),
        T(a_used_up_quota_rests_the_connector),
        T(refused_blocks_are_sent_once_more_as_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
