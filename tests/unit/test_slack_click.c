/* tests/unit/test_slack_click.c - the press of a button in Slack: what becomes of it. */
#include "cm.h"

#include "funneld/base/json.h"
#include "slack_clicks.h"

static struct str property(const struct event *e, const char *name)
{
    return field_get(e->properties, e->n_properties, name);
}

static struct str datum(const struct event *e, const char *name)
{
    return field_get(e->data, e->n_data, name);
}

#define IS(given, wanted) assert_true(str_is(given, wanted))

static void a_claim_names_lead_owner_and_message(void **state)
{
    CLICKS(f, "secret = one\n");
    struct event e = click_of(&f, PAYLOAD("funneld_claim", ""));

    (void)state;
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_int_equal(e.effect, EFFECT_PROPERTIES);
    IS(e.source, "buttons");
    IS(e.type, "slack.claim");
    IS(e.lead, "0a1b2c3d-7");
    IS(e.answered, "0a1b2c3d-41");
    IS(e.remote, "C0123456789:1767225600.000247");
    IS(e.request_id, "req-1");
    assert_int_equal(e.occurred_at, INT64_C(1769081990123));
    assert_int_equal(e.received_at, NOW);
    assert_int_equal(dedupe_key_time(&e.key), INT64_C(1769081990123));
    assert_null(e.email.at);
    assert_int_equal(e.n_properties, 5);
    IS(property(&e, "funneld_owner"), "U0ADA");
    IS(property(&e, "funneld_owner_name"), "ada");
    IS(property(&e, "funneld_feedback"), "claimed");
    IS(property(&e, "funneld_feedback_by"), "U0ADA");
    IS(property(&e, "funneld_snoozed_until"), "");
    IS(datum(&e, "user"), "U0ADA");
    IS(datum(&e, "team"), "T1");
    IS(datum(&e, "channel"), "C0123456789");
    IS(datum(&e, "action"), "funneld_claim");
}

static void not_a_fit_is_feedback_and_leaves_the_owner(void **state)
{
    CLICKS(f, "secret = one\n");
    struct event e = click_of(&f, PAYLOAD("funneld_not_a_fit", ""));

    (void)state;
    IS(e.type, "slack.not_a_fit");
    assert_int_equal(e.n_properties, 3);
    IS(property(&e, "funneld_feedback"), "not_a_fit");
    IS(property(&e, "funneld_feedback_by"), "U0ADA");
    assert_null(property(&e, "funneld_owner").at);
}

static void snooze_lasts_as_long_as_configured(void **state)
{
    CLICKS(day, "secret = one\n");
    CLICKS(hour, "secret = one\nsnooze = 1h\n");
    struct event e = click_of(&day, PAYLOAD("funneld_snooze", ""));

    (void)state;
    IS(e.type, "slack.snooze");
    assert_int_equal(e.n_properties, 2);
    IS(property(&e, "funneld_snoozed_until"), "2026-01-23T11:39:50.123Z");
    IS(property(&e, "funneld_snoozed_by"), "U0ADA");
    e = click_of(&hour, PAYLOAD("funneld_snooze", ""));
    IS(property(&e, "funneld_snoozed_until"), "2026-01-22T12:39:50.123Z");
}

/* What is stored is ours: no address that acts, no token, not the message. */
static void what_is_kept_makes_the_same_event_again(void **state)
{
    static const char *const actions[] = {"funneld_claim", "funneld_snooze", "funneld_not_a_fit"};
    CLICKS(f, "secret = one\n");
    CLICKS(changed, "secret = one\nsnooze = 9h\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        struct sbuf b AUTO(sbuf_free) = SBUF(1 << 16);
        struct event e, again;

        sbuf_printf(&b, PAYLOAD("%s", ""), actions[i]);
        e = click_of(&f, arena_text(&f.a, sbuf_str(&b)));
        assert_null(str_find(e.body, STR("hooks.slack.com")));
        assert_null(str_find(e.body, STR("old-token")));
        assert_null(str_find(e.body, STR("1.2.3")));
        const struct stored_body stored = {e.body, NOW, READ_AS_IT_CAME};
        assert_int_equal(
            changed.source.type->decode_stored(&changed.source, &stored, &changed.a, &again, NULL),
            RC_OK);
        assert_memory_equal(&e.key, &again.key, sizeof e.key);
        assert_true(str_eq(e.lead, again.lead) && str_eq(e.type, again.type));
        assert_true(str_eq(e.remote, again.remote) && str_eq(e.answered, again.answered));
        assert_int_equal(e.n_properties, again.n_properties);
        for (size_t k = 0; k < e.n_properties; k++)
            assert_true(str_eq(e.properties[k].value, again.properties[k].value));
    }
}

static void a_press_that_arrives_twice_is_one(void **state)
{
    CLICKS(f, "secret = one\n");
    struct event one = click_of(&f, PAYLOAD("funneld_claim", ""));
    struct event two = click_of(&f, PAYLOAD("funneld_claim", ",\"is_enterprise_install\":false"));
    struct event other = click_of(&f, PAYLOAD("funneld_snooze", ""));

    (void)state;
    assert_memory_equal(&one.key, &two.key, sizeof one.key);
    assert_memory_not_equal(&one.key, &other.key, sizeof one.key);
}

#define ACTION(fields)                                                                             \
    "{\"type\":\"block_actions\",\"user\":{\"id\":\"U1\"},\"actions\":[" fields "]}"
#define PRESSED "\"action_id\":\"funneld_claim\",\"action_ts\":\"1769081990.123456\""

static const struct odd_case {
    const char *payload, *type, *reason;
} odd_cases[] = {
    {"{}", "slack.interaction", "not the press of a button"},
    {"{\"type\":\"view_submission\",\"user\":{\"id\":\"U1\"}}", "slack.interaction",
     "not the press of a button"},
    {"{\"type\":\"view_submission\",\"actions\":[{" PRESSED ",\"value\":\"0a1b2c3d-7\"}]}",
     "slack.interaction", "not the press of a button"},
    {ACTION("7"), "slack.interaction", "none of funneld's"},
    {ACTION("null"), "slack.interaction", "none of funneld's"},
    {ACTION("{\"action_id\":\"approve\",\"value\":\"0a1b2c3d-7\"}"), "slack.interaction",
     "none of funneld's"},
    {ACTION("{\"action_id\":7}"), "slack.interaction", "none of funneld's"},
    {"{\"type\":\"block_actions\",\"actions\":[{" PRESSED ",\"value\":\"0a1b2c3d-7\"}]}",
     "slack.claim", "who pressed"},
    {"{\"type\":\"block_actions\",\"user\":{\"id\":\"<!channel>\"},\"actions\":[{" PRESSED
     ",\"value\":\"0a1b2c3d-7\"}]}",
     "slack.claim", "who pressed"},
    {ACTION("{\"action_id\":\"funneld_claim\",\"value\":\"0a1b2c3d-7\"}"), "slack.claim", "when"},
    {ACTION("{\"action_id\":\"funneld_claim\",\"action_ts\":\"-1.5\"}"), "slack.claim", "when"},
    {ACTION("{\"action_id\":\"funneld_claim\",\"action_ts\":\"99999999999999.1\"}"), "slack.claim",
     "when"},
    {ACTION("{\"action_id\":\"funneld_claim\",\"action_ts\":\"1.0000000001\"}"), "slack.claim",
     "when"},
    {ACTION("{" PRESSED "}"), "slack.claim", "id of a lead"},
    {ACTION("{" PRESSED ",\"value\":7}"), "slack.claim", "id of a lead"},
    {ACTION("{" PRESSED ",\"value\":\"7\"}"), "slack.claim", "id of a lead"},
    {ACTION("{" PRESSED ",\"value\":\"0a1b2c3d-\"}"), "slack.claim", "id of a lead"},
    {ACTION("{" PRESSED ",\"value\":\"0a1b2c3d-0\"}"), "slack.claim", "id of a lead"},
    {ACTION("{" PRESSED ",\"value\":\"0a1b2c3d--7\"}"), "slack.claim", "id of a lead"},
    {ACTION("{" PRESSED ",\"value\":\"0a1b2c3d-07\"}"), "slack.claim", "id of a lead"},
    {ACTION("{" PRESSED ",\"value\":\"0A1B2C3D-7\"}"), "slack.claim", "id of a lead"},
    {ACTION("{" PRESSED ",\"value\":\"0a1b2c3d-99999999999999999999\"}"), "slack.claim",
     "id of a lead"},
};

static void what_is_odd_is_kept_with_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd_cases); i++) {
        const struct odd_case *c = &odd_cases[i];
        CLICKS(f, "secret = one\n");
        struct event e = click_of(&f, c->payload);

        if (e.state != EVENT_UNPROCESSABLE || !str_find(e.reason, str_of(c->reason)))
            fail_msg("%s: \"%.*s\" does not say %s", c->payload, STR_ARG(e.reason), c->reason);
        IS(e.type, c->type);
        assert_null(e.lead.at);
        assert_null(e.remote.at);
        assert_int_equal(e.n_properties, 0);
    }
}

static void a_click_on_no_message_of_ours_still_counts(void **state)
{
    static const char *const payloads[] = {
        ACTION("{" PRESSED ",\"value\":\"0a1b2c3d-7\",\"block_id\":\"0a1b2c3d-41\"}"),
        "{\"type\":\"block_actions\",\"user\":{\"id\":\"U1\"},\"channel\":{\"id\":\"C1 or 1\"},"
        "\"message\":{\"ts\":\"1.2\"},\"actions\":[{" PRESSED ",\"value\":\"0a1b2c3d-7\","
        "\"block_id\":\"0a1b2c3d-41\"}]}",
        "{\"type\":\"block_actions\",\"user\":{\"id\":\"U1\"},\"channel\":{\"id\":\"C1\"},"
        "\"message\":{\"ts\":\"1.2.3\"},\"actions\":[{" PRESSED ",\"value\":\"0a1b2c3d-7\","
        "\"block_id\":\"0a1b2c3d-41\"}]}",
        "{\"type\":\"block_actions\",\"user\":{\"id\":\"U1\"},\"channel\":{\"id\":\"C1\"},"
        "\"message\":{\"ts\":\"1.2\"},\"actions\":[{" PRESSED ",\"value\":\"0a1b2c3d-7\","
        "\"block_id\":\"x\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        CLICKS(f, "secret = one\n");
        struct event e = click_of(&f, payloads[i]);

        assert_int_equal(e.state, EVENT_PROCESSED);
        assert_null(e.remote.at);
        assert_null(e.answered.at);
    }
}

static void the_link_to_the_crm_is_no_feedback(void **state)
{
    CLICKS(f, "secret = one\n");
    struct event *events;
    size_t n = 9;

    (void)state;
    assert_int_equal(decode_form(&f, form_of(PAYLOAD("open_crm", ""), &f.a), &events, &n, NULL),
                     REFUSED_NOT);
    assert_int_equal(n, 0);
}

static void several_presses_in_one_payload_are_several_events(void **state)
{
    CLICKS(f, "secret = one\n");
    struct event *events;
    struct why why;
    size_t n;

    (void)state;
    assert_int_equal(decode_form(&f,
                                 form_of(ACTION("{" PRESSED ",\"value\":\"0a1b2c3d-7\"},{},"
                                                "{" PRESSED ",\"value\":\"0a1b2c3d-8\"}"),
                                         &f.a),
                                 &events, &n, NULL),
                     REFUSED_NOT);
    assert_int_equal(n, 3);
    IS(events[0].lead, "0a1b2c3d-7");
    assert_int_equal(events[1].state, EVENT_UNPROCESSABLE);
    IS(events[2].lead, "0a1b2c3d-8");

    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    sbuf_text(&b, "{\"type\":\"block_actions\",\"actions\":[0");
    for (int i = 0; i < 100; i++)
        sbuf_text(&b, ",0");
    sbuf_text(&b, "]}");
    assert_int_equal(decode_form(&f, form_of(b.at, &f.a), &events, &n, &why), REFUSED_TOO_LARGE);
}

static void what_is_no_form_with_a_payload_is_refused(void **state)
{
    static const struct {
        const char *body;
        enum refusal refusal;
    } cases[] = {
        {"", REFUSED_JSON},
        {"payload", REFUSED_JSON},
        {"payload=", REFUSED_JSON},
        {"payload=%7B%7", REFUSED_JSON},
        {"payload=%7B%7G", REFUSED_JSON},
        {"payload=%", REFUSED_JSON},
        {"payload=%7B%7D&payload=%7B%7D", REFUSED_JSON},
        {"Payload=%7B%7D", REFUSED_JSON},
        {"payload=%5B%5D", REFUSED_JSON},
        {"payload=7", REFUSED_JSON},
        {"payload=%7B%22a%22%3A1%2C%22a%22%3A2%7D", REFUSED_JSON}, /* a key twice */
        {"payload=%7B%22type%22%3A%22%ff%22%7D", REFUSED_JSON},    /* no UTF-8 */
        {"payload=%7B%00%7D", REFUSED_JSON},
        {"{\"type\":\"url_verification\"}", REFUSED_JSON},
        {"x=1&&payload=%7b%7D&y", REFUSED_NOT},
        {"payload=+%7B+%7d+", REFUSED_NOT},
    };
    CLICKS(f, "secret = one\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event *events;
        struct why why = {0};
        size_t n;

        if (decode_form(&f, str_of(cases[i].body), &events, &n, &why) != cases[i].refusal)
            fail_msg("%s: %s", cases[i].body, why.text);
    }
}

static void another_media_type_is_told_what_this_address_is_for(void **state)
{
    CLICKS(f, "secret = one\n");
    struct request r = request_of(STR("{\"type\":\"url_verification\"}"), NOW);
    struct event *events;
    struct why why;
    size_t n;

    (void)state;
    request_set(&r, "Content-Type", STR("application/json"));
    assert_int_equal(f.source.type->decode(&f.source, request_raw(&r), &f.a, &events, &n, &why),
                     REFUSED_MEDIA_TYPE);
    assert_non_null(strstr(why.text, "Events API"));
    request_set(&r, "Content-Type", STR("Application/X-WWW-Form-Urlencoded; charset=utf-8"));
    r.raw.body = form_of(PAYLOAD("funneld_claim", ""), &f.a);
    assert_int_equal(f.source.type->decode(&f.source, request_raw(&r), &f.a, &events, &n, &why),
                     REFUSED_NOT);
}

static void texts_are_cut_and_a_future_click_is_now(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    CLICKS(f, "secret = one\n");

    (void)state;
    sbuf_text(&b, "{\"type\":\"block_actions\",\"user\":{\"id\":\"U1\",\"username\":\"");
    for (int i = 0; i < 10000; i++)
        sbuf_text(&b, "\xf0\x9f\x91\x8b");
    sbuf_text(&b, "\"},\"actions\":[{\"action_id\":\"funneld_claim\",\"value\":\"0a1b2c3d-7\","
                  "\"action_ts\":\"1769091990.1\"}]}");
    struct event e = click_of(&f, b.at);
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_int_equal(property(&e, "funneld_owner_name").len, 252); /* whole code points */
    assert_int_equal(e.occurred_at, NOW);
}

static void settings_that_cannot_work_are_refused(void **state)
{
    static const struct {
        const char *lines, *says;
    } cases[] = {
        {"", "secret"},
        {"secret = one\npath = slack\n", "not a path"},
        {"secret = one\nsnooze = 10s\n", "snooze"},
        {"secret = one\nsnooze = 400d\n", "snooze"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLICKS(f, cases[i].lines);
        assert_int_equal(f.problems.n, 1);
        assert_non_null(str_find(f.problems.first->message, str_of(cases[i].says)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_names_lead_owner_and_message),
        cmocka_unit_test(not_a_fit_is_feedback_and_leaves_the_owner),
        cmocka_unit_test(snooze_lasts_as_long_as_configured),
        cmocka_unit_test(what_is_kept_makes_the_same_event_again),
        cmocka_unit_test(a_press_that_arrives_twice_is_one),
        cmocka_unit_test(what_is_odd_is_kept_with_its_reason),
        cmocka_unit_test(a_click_on_no_message_of_ours_still_counts),
        cmocka_unit_test(the_link_to_the_crm_is_no_feedback),
        cmocka_unit_test(several_presses_in_one_payload_are_several_events),
        cmocka_unit_test(what_is_no_form_with_a_payload_is_refused),
        cmocka_unit_test(another_media_type_is_told_what_this_address_is_for),
        cmocka_unit_test(texts_are_cut_and_a_future_click_is_now),
        cmocka_unit_test(settings_that_cannot_work_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
