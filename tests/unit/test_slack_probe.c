/* tests/unit/test_slack_probe.c - what Slack says of the token, its scopes and the channel. */
#include "probe_fixture.h"

#define SECTION "type = slack\ntoken = xoxb-test\nchannel = C0123456789\n"
#define CHANNEL "channel C0123456789"
#define SCOPES  "chat:write, channels:history,users:read.email"
#define TEST    "/api/auth.test"
#define HISTORY "/api/conversations.history?limit=1&channel=C0123456789"
#define INFO    "/api/conversations.info?channel=C0123456789"
#define LOOKUP  "/api/users.lookupByEmail?email=nobody%40funneld.invalid"
#define OK      "{\"ok\":true}"

#define NO_SCOPE(needed) "{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"" needed "\"}"

static void scopes_are(const char *scopes)
{
    struct http_response r =
        fixture_response(200, "{\"ok\":true,\"team\":\"Engines\",\"user\":\"funneld\"}");

    asks("POST", TEST);
    r.kept[0] = (struct http_header){x.f.request.keep[0], str_of(scopes)};
    r.n_kept = scopes ? 1 : 0;
    probe_take(&x.probe, &r);
}

static void start(const char *more, const char *scopes)
{
    char section[400];

    assert_true(snprintf(section, sizeof section, SECTION "%s", more) < (int)sizeof section);
    probe_again(section);
    scopes_are(scopes);
}

static void what_works_is_said(void **state)
{
    (void)state;
    probe_start(SECTION "mention_owner = yes\n");
    asks("POST", TEST);
    golden(&x.f, "slack/probe_token.http");
    scopes_are(SCOPES);
    asks("GET", HISTORY);
    golden(&x.f, "slack/probe_channel.http");
    is_told(200, "{\"ok\":true,\"messages\":[]}");
    asks("GET", LOOKUP);
    golden(&x.f, "slack/probe_owner.http");
    is_told(200, "{\"ok\":false,\"error\":\"users_not_found\"}");
    is_done();
    assert_int_equal(x.probe.n, 4);
    found("token", FINDING_WORKS, "of funneld in the workspace Engines");
    found("scope chat:write", FINDING_WORKS, NULL);
    found(CHANNEL, FINDING_WORKS, NULL);
    found("scope users:read.email", FINDING_WORKS, NULL);
}

static void what_is_not_wanted_is_not_asked(void **state)
{
    (void)state;
    start("", SCOPES);
    asks_and_is_told("GET", HISTORY, 200, OK);
    is_done();
}

static void what_a_token_is_refused_for_is_said(void **state)
{
    static const char *const codes[] = {
        "invalid_auth",  "not_authed",    "account_inactive",   "token_revoked",
        "token_expired", "access_denied", "org_login_required", "enterprise_is_restricted"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        char body[100];

        (void)snprintf(body, sizeof body, "{\"ok\":false,\"error\":\"%s\"}", codes[i]);
        probe_again(SECTION);
        asks_and_is_told("POST", TEST, 200, body);
        is_done();
        assert_int_equal(x.probe.n, 1);
        found("token", FINDING_FAILS, codes[i]);
        found("token", FINDING_FAILS, "; check the connector's token and the app's scopes");
    }
}

static void answers_that_are_not_slacks_are_said(void **state)
{
    static const struct {
        int status;
        const char *body, *detail;
    } cases[] = {
        {200, "<html>", "what answers is not the service: check the connector's `url`"},
        {404, "{}", "what answers is not the service: check the connector's `url` (HTTP 404"},
        {200, "{\"ok\":false}", "what answers is not the service"},
        {200, "{\"ok\":false,\"error\":\"internal_error\"}",
         "internal_error; try again in a minute"},
        {200, "{\"ok\":false,\"error\":\"team_added_to_org\"}", "; try again in 900 s"},
        {200, "{\"ok\":false,\"error\":\"made_up\"}", "made_up"},
        {302, "", "never redirects"},
        {503, "", "has trouble"},
        {429, "{\"ok\":false,\"error\":\"ratelimited\"}", "asked too much just now"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        probe_again(SECTION);
        asks_and_is_told("POST", TEST, cases[i].status, cases[i].body);
        found("token", FINDING_FAILS, cases[i].detail);
        is_done();
    }
}

static void a_scope_that_lacks_is_named(void **state)
{
    (void)state;
    start("", "channels:history,chat:write.customize");
    asks("GET", HISTORY); /* the channel is asked for all the same */
    found("scope chat:write", FINDING_FAILS, "it has: channels:history,chat:write.customize");
    start("", NULL);
    found("scope chat:write", FINDING_NOT_KNOWN, "does not say which scopes");
}

/* Of a header that is as long as one may be, the end is missing, in the midst of a scope. */
static void what_more_scopes_there_are_is_not_known(void **state)
{
    static const char not_in_channel[] = "{\"ok\":false,\"error\":\"not_in_channel\"}";
    char scopes[HTTP_MAX_KEPT_LEN + 1];
    static const struct {
        const char *begins, *ends;
        enum finding_state state;
    } cases[] = {
        {"chat:write,", "channels:r", FINDING_WORKS},
        {"", "channels:r", FINDING_NOT_KNOWN},
        {"", ",chat:write", FINDING_NOT_KNOWN}, /* chat:write.customize, perhaps */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memset(scopes, 'x', sizeof scopes);
        memcpy(scopes, cases[i].begins, strlen(cases[i].begins));
        memcpy(scopes + HTTP_MAX_KEPT_LEN - strlen(cases[i].ends), cases[i].ends,
               strlen(cases[i].ends) + 1);
        start("on_ambiguous = resend\n", scopes);
        asks_and_is_told("GET", HISTORY, 200, not_in_channel);
        is_done();
        found("scope chat:write", cases[i].state,
              cases[i].state == FINDING_WORKS ? NULL : "or not of all");
        found(CHANNEL, FINDING_NOT_KNOWN, "chat:write.public");
    }
    start("on_ambiguous = resend\n", NULL);
    asks_and_is_told("GET", HISTORY, 200, NO_SCOPE("channels:history"));
    asks_and_is_told("GET", INFO, 200, "{\"ok\":true,\"channel\":{\"is_member\":false}}");
    found(CHANNEL, FINDING_NOT_KNOWN, "invite it");
    start("", NULL); /* who looks must be a member */
    asks_and_is_told("GET", HISTORY, 200, not_in_channel);
    found(CHANNEL, FINDING_FAILS, "not_in_channel; check");
}

static void what_a_channel_is_refused_for_is_said(void **state)
{
    static const char *const codes[] = {"channel_not_found", "not_in_channel", "is_archived",
                                        "team_not_found"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        char body[100];

        (void)snprintf(body, sizeof body, "{\"ok\":false,\"error\":\"%s\"}", codes[i]);
        start("mention_owner = yes\n", SCOPES);
        asks_and_is_told("GET", HISTORY, 200, body);
        found(CHANNEL, FINDING_FAILS, codes[i]);
        found(CHANNEL, FINDING_FAILS, "; check the connector's channel and invite the app to it");
        asks("GET", LOOKUP); /* that has nothing to do with it */
    }
}

/* It posts without the scope for the history, but cannot look. */
static void without_the_history_the_channel_itself_is_asked_for(void **state)
{
    static const struct {
        const char *info, *detail;
        enum finding_state state;
    } cases[] = {
        {"{\"ok\":true,\"channel\":{\"is_member\":true}}", NULL, FINDING_WORKS},
        {"{\"ok\":true,\"channel\":{\"is_member\":false}}",
         "not_in_channel; check the connector's channel and invite the app to it", FINDING_FAILS},
        {"{\"ok\":true,\"channel\":{\"is_member\":true,\"is_archived\":true}}",
         "is_archived; check the connector's channel", FINDING_FAILS},
        {"{\"ok\":false,\"error\":\"channel_not_found\"}", "channel_not_found; check",
         FINDING_FAILS},
        {NO_SCOPE("channels:read"), "channels:history or channels:read only", FINDING_NOT_KNOWN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start("", "chat:write");
        asks_and_is_told("GET", HISTORY, 200, NO_SCOPE("groups:history"));
        found("scope groups:history", FINDING_FAILS, "missing_scope (needed: groups:history)");
        found("scope groups:history", FINDING_FAILS, "on_ambiguous = resend");
        asks("GET", INFO);
        if (i == 0)
            golden(&x.f, "slack/probe_info.http");
        is_told(200, cases[i].info);
        found(CHANNEL, cases[i].state, cases[i].detail);
        is_done();
    }
    start("on_ambiguous = resend\n", "chat:write");
    asks_and_is_told("GET", HISTORY, 200, "{\"ok\":false,\"error\":\"missing_scope\"}");
    asks("GET", INFO);
    assert_int_equal(x.probe.n, 2); /* nothing looks, so nothing lacks */
}

static void an_app_may_post_where_it_is_no_member(void **state)
{
    static const char body[] = "{\"ok\":false,\"error\":\"not_in_channel\"}";

    (void)state;
    start("", "chat:write,chat:write.public,channels:history");
    asks_and_is_told("GET", HISTORY, 200, body);
    found(CHANNEL, FINDING_FAILS, "invite it, or set on_ambiguous = resend");
    start("on_ambiguous = drop\n", "chat:write,chat:write.public,channels:history");
    asks_and_is_told("GET", HISTORY, 200, body);
    found(CHANNEL, FINDING_WORKS, "without being a member");
    start("on_ambiguous = drop\n", "chat:write,chat:write.public");
    asks_and_is_told("GET", HISTORY, 200, NO_SCOPE("channels:history"));
    asks_and_is_told("GET", INFO, 200, "{\"ok\":true,\"channel\":{\"is_member\":false}}");
    found(CHANNEL, FINDING_WORKS, NULL);
}

static void one_person_is_no_channel(void **state)
{
    (void)state;
    probe_start("type = slack\ntoken = xoxb-test\nchannel = U0123456789\nmention_owner = yes\n");
    scopes_are(SCOPES);
    asks_and_is_told("GET", LOOKUP, 200, NO_SCOPE("users:read.email"));
    is_done();
    found("channel U0123456789", FINDING_NOT_ASKED, "opens when it is written to");
    found("scope users:read.email", FINDING_FAILS, "missing_scope (needed: users:read.email)");
}

static void of_a_webhook_only_the_connection_is_tried(void **state)
{
    struct http_response r = {.fate = HTTP_ANSWERED, .retry_after_ms = -1};

    (void)state;
    probe_start("type = slack\nwebhook = https://hooks.slack.com/services/T0/B0/secret\n");
    asks("GET", "https://hooks.slack.com/services/T0/B0/secret");
    assert_true(x.f.request.only_connects && x.f.request.secret_url);
    probe_take(&x.probe, &r);
    is_done();
    found("connection", FINDING_WORKS, NULL);
    found("webhook", FINDING_NOT_ASKED, "taken for a message");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, probe_teardown)
        T(what_works_is_said),
        T(what_is_not_wanted_is_not_asked),
        T(what_a_token_is_refused_for_is_said),
        T(answers_that_are_not_slacks_are_said),
        T(a_scope_that_lacks_is_named),
        T(what_more_scopes_there_are_is_not_known),
        T(what_a_channel_is_refused_for_is_said),
        T(without_the_history_the_channel_itself_is_asked_for),
        T(an_app_may_post_where_it_is_no_member),
        T(one_person_is_no_channel),
        T(of_a_webhook_only_the_connection_is_tried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
