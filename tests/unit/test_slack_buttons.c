/* tests/unit/test_slack_buttons.c - buttons under a message, and the message after a click. */
#include "cm.h"

#include "connector_test.h"

#define WITH_BUTTONS "type = slack\ntoken = xoxb-test\nchannel = C0123456789\nbuttons = yes\n"
#define MESSAGE      "C0123456789:1767225600.000247"
#define UPDATED      "{\"ok\":true,\"channel\":\"C0123456789\",\"ts\":\"1767225600.000247\"}"

/* A delivery that brings a message up to date. */
static void answered(void)
{
    fixture_start(&f, WITH_BUTTONS);
    f.parcels[0].d.remote_id = STR(MESSAGE);
}

static void claimed(void)
{
    fixture_put(&f, 0, "funneld_owner", "U0ADA");
    fixture_put(&f, 0, "funneld_owner_name", "ada");
    fixture_put(&f, 0, "funneld_feedback", "claimed");
    fixture_put(&f, 0, "funneld_feedback_by", "U0ADA");
}

static bool says(const char *text)
{
    return str_find(f.request.body, str_of(text)) != NULL;
}

static void a_message_has_buttons_that_name_the_lead(void **state)
{
    (void)state;
    fixture_start(&f, WITH_BUTTONS);
    fixture_build(&f);
    golden(&f, "slack/buttons.http");
    assert_false(f.request.repeatable);
}

static void without_a_link_there_are_buttons_all_the_same(void **state)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    (void)state;
    fixture_start(&f, WITH_BUTTONS);
    f.parcels[0].crm_url = STR_NULL;
    fixture_build(&f);
    assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
    const json *elements = json_path(doc.root, "blocks.4.elements");
    assert_int_equal(json_count(elements), 3);
    assert_true(str_is(json_string(json_path(elements, "0.action_id")), "funneld_claim"));
}

static void buttons_speak_spanish(void **state)
{
    (void)state;
    fixture_start(&f, WITH_BUTTONS);
    f.parcels[0].language = LANGUAGE_ES;
    claimed();
    fixture_build(&f);
    assert_true(says("\"Posponer\"") && says("\"No encaja\"") && says("Asignado a <@U0ADA>, "));
}

static void an_answered_message_is_updated_with_who_did_what(void **state)
{
    (void)state;
    answered();
    claimed();
    fixture_build(&f);
    golden(&f, "slack/update_claimed.http");
    assert_true(f.request.repeatable); /* an update may be sent twice */
    assert_int_equal(fixture_judge(&f, 200, UPDATED), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
    assert_null(f.outcomes[0].remote_lead.at);
}

static void not_a_fit_offers_only_to_claim_after_all(void **state)
{
    (void)state;
    answered();
    claimed();
    fixture_put(&f, 0, "funneld_feedback", "not_a_fit");
    fixture_put(&f, 0, "funneld_feedback_by", "W0BOB");
    fixture_build(&f);
    golden(&f, "slack/update_not_a_fit.http");
}

static void a_snoozed_lead_wakes_by_itself(void **state)
{
    static const struct {
        int64_t later;
        bool asleep;
    } cases[] = {{0, true}, {DAYS_MS - 1, true}, {DAYS_MS, false}, {30 * DAYS_MS, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        answered();
        fixture_put(&f, 0, "funneld_snoozed_until", "2026-01-02T00:00:00.000Z");
        fixture_put(&f, 0, "funneld_snoozed_by", "U0ADA");
        f.job.now_ms += cases[i].later;
        fixture_build(&f);
        if (!i)
            golden(&f, "slack/update_snoozed.http");
        assert_int_equal(says("Snoozed by <@U0ADA> until 2026-01-02T00:00Z"), cases[i].asleep);
        assert_int_equal(says("funneld_snooze\""), !cases[i].asleep);
        fixture_end(&f);
    }
}

static void what_was_cleared_is_not_shown(void **state)
{
    (void)state;
    answered();
    claimed();
    fixture_put(&f, 0, "funneld_snoozed_until", "2026-02-02T00:00:00.000Z");
    fixture_put(&f, 0, "funneld_snoozed_until", "");
    fixture_put(&f, 0, "funneld_feedback", "");
    fixture_build(&f);
    assert_false(says("Claimed by") || says("Snoozed by"));
    assert_true(says("funneld_claim\"") && says("funneld_snooze\""));
}

/* Properties come from anywhere: a Zap may set funneld_owner. */
static void an_owner_that_is_no_user_pings_nobody(void **state)
{
    static const char *const hostile[] = {
        "<!channel>", "U1> <!here", "S0GROUP", "U",
        "u0ada",      "@here",      "<@U1>",   "U0123456789012345678901234"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        answered();
        claimed();
        fixture_put(&f, 0, "funneld_owner", hostile[i]);
        fixture_build(&f);
        assert_false(says("<"));
        assert_true(says("Claimed by "));
        fixture_end(&f);
    }
}

#define ARABIC "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7"

static void hostile_leads_are_shown_as_they_are_called(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 16);

    (void)state;
    answered();
    claimed();
    for (int i = 0; i < 10000; i++)
        sbuf_text(&b, i % 2 ? "&" : "\xf0\x9f\x91\x8b");
    fixture_put(&f, 0, "firstname", "<!channel> =HYPERLINK(\"http://x\")\r\n");
    fixture_put(&f, 0, "lastname", ARABIC "\xe2\x80\xae \xf0\x9f\x91\x8b");
    fixture_put(&f, 0, "company", b.at);
    fixture_put(&f, 0, "funneld_owner_name", "<@U9>");
    f.parcels[0].d.facts.reasons = (struct str){"nul \0 in it", 11};
    fixture_build(&f);
    golden(&f, "slack/update_hostile.http");
    assert_false(says("<!") || says("<@U9"));
}

static void a_template_keeps_its_buttons(void **state)
{
    struct expr_error error;
    struct message *own;

    (void)state;
    answered();
    claimed();
    own = ARENA_NEW(&f.arena, struct message);
    assert_int_equal(
        template_compile(STR("*{{lead.firstname}}* {{score}}"), &f.arena, &own->text, &error),
        RC_OK);
    f.parcels[0].message = own;
    fixture_build(&f);
    golden(&f, "slack/update_template.http");
}

static void without_blocks_the_text_says_who_did_what(void **state)
{
    (void)state;
    answered();
    claimed();
    fixture_step(&f, "POST", "/api/chat.update", 200,
                 "{\"ok\":false,\"error\":\"invalid_blocks\"}");
    fixture_build(&f);
    golden(&f, "slack/update_text.http");
    assert_int_equal(fixture_judge(&f, 200, UPDATED), JUDGED_DONE);
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);
}

static const struct update_case {
    int status;
    const char *error;
    enum verdict verdict;
    bool broken;
} update_cases[] = {
    {200, "message_not_found", VERDICT_DEAD, false},
    {200, "cant_update_message", VERDICT_DEAD, false},
    {200, "edit_window_closed", VERDICT_DEAD, false},
    {200, "is_inactive", VERDICT_DEAD, false},
    {200, "msg_too_long", VERDICT_DEAD, false},
    {200, "thread_not_found", VERDICT_DEAD, false},
    {200, "invalid_arguments", VERDICT_DEAD, false},
    {200, "external_channel_migrating", VERDICT_RETRY, false},
    {200, "update_failed", VERDICT_RETRY, false},
    {200, "streaming_state_conflict", VERDICT_RETRY, false},
    {200, "ratelimited", VERDICT_RETRY, false},
    {200, "internal_error", VERDICT_AMBIGUOUS, false}, /* the engine repeats what may be */
    {200, "brand_new", VERDICT_RETRY, false},
    {200, "token_revoked", VERDICT_RETRY, true},
    {200, "channel_not_found", VERDICT_RETRY, true},
    {200, "restricted_action", VERDICT_RETRY, true},
    {429, "ratelimited", VERDICT_RETRY, false},
    {503, "service_unavailable", VERDICT_RETRY, false},
};

static void every_error_of_an_update_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(update_cases); i++) {
        const struct update_case *c = &update_cases[i];

        answered();
        fixture_last(&f, "POST", "/api/chat.update", c->status,
                     arena_printf(&f.arena, "{\"ok\":false,\"error\":\"%s\"}", c->error).at);
        fixture_verdict(&f, 0, c->verdict, c->status == 429 ? "rate limit" : c->error);
        assert_int_equal(f.job.broken, c->broken);
        fixture_end(&f);
    }
}

static void block_mismatch_is_tried_as_text_then_dead(void **state)
{
    (void)state;
    answered();
    fixture_step(&f, "POST", "/api/chat.update", 200,
                 "{\"ok\":false,\"error\":\"block_mismatch\"}");
    fixture_last(&f, "POST", "/api/chat.update", 200,
                 "{\"ok\":false,\"error\":\"block_mismatch\"}");
    fixture_verdict(&f, 0, VERDICT_DEAD, "block_mismatch");
}

static void what_is_no_message_cannot_be_updated(void **state)
{
    static const char *const odd[] = {"C1",      "C1:",     ":1.2",   "c1:1.2",   "C1:1",
                                      "C1:-1.2", "C1:1.2x", "X1:1.2", "C1:1.2.3", "page-id"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        answered();
        f.parcels[0].d.remote_id = str_of(odd[i]);
        assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
        assert_non_null(strstr(f.why.text, "no message in Slack"));
        fixture_end(&f);
    }
    fixture_start(&f, "type = slack\nwebhook = https://hooks.slack.com/services/x\n");
    f.parcels[0].d.remote_id = STR(MESSAGE);
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
    assert_non_null(strstr(f.why.text, "a webhook cannot"));
}

static void a_message_of_buttons_keeps_below_slacks_limits(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 17);
    struct json_doc doc AUTO(json_doc_free) = {0};
    static const char *const names[] = {"firstname", "lastname", "company",
                                        "jobtitle",  "phone",    "email"};

    (void)state;
    for (int i = 0; i < 10000; i++)
        sbuf_text(&b, "<");
    answered();
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        fixture_put(&f, 0, names[i], b.at);
    claimed();
    fixture_put(&f, 0, "funneld_owner", b.at);
    f.parcels[0].d.facts.reasons = sbuf_str(&b);
    fixture_build(&f);
    assert_true(f.request.body.len < 8000);
    assert_int_equal(json_parse(f.request.body, &doc, NULL), RC_OK);
    assert_true(json_count(json_get(doc.root, "blocks")) < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_message_has_buttons_that_name_the_lead),
        T(without_a_link_there_are_buttons_all_the_same),
        T(buttons_speak_spanish),
        T(an_answered_message_is_updated_with_who_did_what),
        T(not_a_fit_offers_only_to_claim_after_all),
        T(a_snoozed_lead_wakes_by_itself),
        T(what_was_cleared_is_not_shown),
        T(an_owner_that_is_no_user_pings_nobody),
        T(hostile_leads_are_shown_as_they_are_called),
        T(a_template_keeps_its_buttons),
        T(without_blocks_the_text_says_who_did_what),
        T(every_error_of_an_update_has_its_verdict),
        T(block_mismatch_is_tried_as_text_then_dead),
        T(what_is_no_message_cannot_be_updated),
        T(a_message_of_buttons_keeps_below_slacks_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
