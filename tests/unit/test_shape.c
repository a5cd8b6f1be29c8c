/* tests/unit/test_shape.c - the JSON that scripts read, fixed to the name of a field. */
#include "cm.h"

#include <string.h>

#include "../../src/cli/shape.h"

static struct arena arena;
static struct sbuf out = SBUF(64 * 1024);

static int setup(void **state)
{
    (void)state;
    sbuf_reset(&out);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sbuf_free(&out);
    arena_free(&arena);
    return 0;
}

static const int64_t t0 = INT64_C(1795528659123); /* 2026-11-24T13:57:39.123Z */

static struct event_view an_event(void)
{
    struct event_view e = {
        .id = 17,
        .lead = 3,
        .occurred_at = t0,
        .received_at = t0 + 877,
        .source = STR("hubspot"),
        .type = STR("contact.propertyChange"),
        .request_id = STR("r1"),
        .body = STR("{\"a\": 12345678901234567890,\n\t\"b\": \"x\\ny\"}\n"),
        .state = EVENT_PROCESSED,
    };

    memset(e.body_sha256, 'a', sizeof e.body_sha256 - 1);
    return e;
}

static struct delivery a_delivery(void)
{
    return (struct delivery){
        .id = 9,
        .event = 17,
        .lead = 3,
        .route = STR("hot-lead"),
        .connector = STR("sales-slack"),
        .state = DELIVERY_DELIVERED,
        .attempts = 2,
        .due_at = t0,
        .done_at = t0 + 1,
        .remote_id = STR("1699.5"),
    };
}

#define EVENT_FIELDS                                                                               \
    "\"id\":\"17\",\"source\":\"hubspot\",\"type\":\"contact.propertyChange\",\"lead\":\"3\","     \
    "\"occurred_at\":\"2026-11-24T13:57:39.123Z\",\"received_at\":\"2026-11-24T13:57:40.000Z\","   \
    "\"request_id\":\"r1\",\"state\":\"processed\",\"reason\":null"
#define RECEIPT_FIELDS                                                                             \
    ",\"signature\":\"v3\",\"committed_at\":\"2026-11-24T13:57:40.000Z\",\"replayed_at\":null"
#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DELIVERY_FIELDS                                                                            \
    "\"id\":\"9\",\"event\":\"17\",\"lead\":\"3\",\"route\":\"hot-lead\","                         \
    "\"connector\":\"sales-slack\",\"state\":\"delivered\",\"attempts\":2,"                        \
    "\"due_at\":\"2026-11-24T13:57:39.123Z\",\"done_at\":\"2026-11-24T13:57:39.124Z\","            \
    "\"reason\":null,\"remote_id\":\"1699.5\""

static void event_in_a_list(void **state)
{
    struct event_view e = an_event();

    (void)state;
    shape_event(&e, &out);
    assert_string_equal(out.at, "{" EVENT_FIELDS "}");
}

static void unlinked_event_has_no_lead_but_a_reason(void **state)
{
    struct event_view e = an_event();

    (void)state;
    e.lead = 0;
    e.state = EVENT_UNLINKED;
    e.reason = STR("of a company");
    shape_event(&e, &out);
    assert_non_null(strstr(out.at, "\"lead\":null,"));
    assert_non_null(strstr(out.at, "\"state\":\"unlinked\",\"reason\":\"of a company\"}"));
}

static void whole_event_embeds_its_body_in_one_line_and_its_deliveries(void **state)
{
    struct attempt_view attempt = {t0, t0 + 5, 400, ATTEMPT_DEAD, STR("no"), STR("{\"a\x1b\0\xff")};
    const struct delivery_receipt d = {a_delivery(), &attempt, 1, STR("https://there.example/9")};
    struct event_view e = an_event();

    (void)state;
    e.signature = STR("v3");
    e.committed_at = t0 + 877;
    shape_event_whole(&e, NULL, &d, 1, &out);
    assert_string_equal(out.at,
                        "{" EVENT_FIELDS RECEIPT_FIELDS ",\"body\":{\"a\": 12345678901234567890, "
                        "\t\"b\": \"x\\ny\"},\"body_sha256\":\"" HASH
                        "\",\"effects\":null,\"deliveries\":[{" DELIVERY_FIELDS
                        ",\"link\":\"https://there.example/9\",\"history\":["
                        "{\"at\":\"2026-11-24T13:57:39.123Z\",\"status\":400,"
                        "\"verdict\":\"dead\",\"detail\":\"no\","
                        "\"ended_at\":\"2026-11-24T13:57:39.128Z\","
                        "\"answer\":\"{\\\"a\\u001b\\u0000\xEF\xBF\xBD\"}]}]}");
}

static void body_that_is_no_json_is_a_string(void **state)
{
    struct event_view e = an_event();

    (void)state;
    e.body = STR("{\"a\":1,\"a\":2}"); /* no JSON by our measure: a key twice */
    shape_event_whole(&e, NULL, NULL, 0, &out);
    assert_non_null(strstr(out.at, "\"body\":\"{\\\"a\\\":1,\\\"a\\\":2}\",\"body_sha256\""));
    assert_non_null(strstr(out.at, "\"deliveries\":[]}"));
}

static void effects_of_an_event(void **state)
{
    const struct property_change changes[] = {{STR("company"), STR_NULL, STR("Acme")},
                                              {STR("phone"), STR("1"), STR_NULL}};
    const struct ledger_row fired = {
        .rule = STR("demo"), .points = 350, .why = STR("asked"), .received_at = t0};
    const struct effects effects = {changes, 2, &fired, 1, 400, 750, BAND_COLD, BAND_WARM};
    struct event_view e = an_event();

    (void)state;
    shape_event_whole(&e, &effects, NULL, 0, &out);
    assert_non_null(
        strstr(out.at, ",\"effects\":{\"properties\":["
                       "{\"name\":\"company\",\"before\":null,\"after\":\"Acme\"},"
                       "{\"name\":\"phone\",\"before\":\"1\",\"after\":null}],\"rules\":["
                       "{\"rule\":\"demo\",\"points\":35,\"why\":\"asked\","
                       "\"fired_at\":\"2026-11-24T13:57:39.123Z\"}],\"score_before\":40,"
                       "\"score_after\":75,\"band_before\":\"cold\",\"band_after\":\"warm\"},"));
}

static void erased_body_is_null(void **state)
{
    struct event_view e = an_event();

    (void)state;
    e.body = STR_NULL;
    shape_event_whole(&e, NULL, NULL, 0, &out);
    assert_non_null(strstr(out.at, "\"body\":null,\"body_sha256\":\"" HASH "\""));
}

static void lead_with_its_properties(void **state)
{
    const struct dedupe_key key = {{1}};
    struct lead l = {
        .id = 3,
        .portal_id = 62515,
        .crm_id = 1246965,
        .email = STR("ada@example.com"),
        .score = 725,
        .fit = 200,
        .engagement = 525,
        .band = BAND_WARM,
        .probability = {true, 725},
    };

    (void)state;
    (void)lead_put(&l, STR("company"), STR("A \"B\" C"), t0, &key, &arena);
    (void)lead_put(&l, STR("phone"), STR(""), t0, &key, &arena);
    shape_lead(&l, &out);
    assert_string_equal(
        out.at, "{\"id\":\"3\",\"portal_id\":\"62515\",\"crm_id\":\"1246965\","
                "\"email\":\"ada@example.com\",\"score\":72.5,\"band\":\"warm\",\"fit\":20,"
                "\"engagement\":52.5,\"probability\":72.5,\"churn\":null,\"state\":\"active\","
                "\"merged_into\":null,\"properties\":{"
                "\"company\":{\"value\":\"A \\\"B\\\" C\",\"at\":\"2026-11-24T13:57:39.123Z\"},"
                "\"phone\":{\"value\":null,\"at\":\"2026-11-24T13:57:39.123Z\"}}}");
}

static void merged_lead_says_where_it_went(void **state)
{
    const struct lead l = {.id = 4, .state = LEAD_MERGED, .merged_into = 3};

    (void)state;
    shape_lead(&l, &out);
    assert_string_equal(out.at, "{\"id\":\"4\",\"portal_id\":null,\"crm_id\":null,\"email\":null,"
                                "\"score\":0,\"band\":\"cold\",\"fit\":0,\"engagement\":0,"
                                "\"probability\":null,\"churn\":null,"
                                "\"state\":\"merged\",\"merged_into\":\"3\",\"properties\":{}}");
}

static void delivery_in_a_list(void **state)
{
    struct delivery d = a_delivery();

    (void)state;
    shape_delivery(&d, &out);
    assert_string_equal(out.at, "{" DELIVERY_FIELDS "}");
}

static void whole_delivery_has_its_history(void **state)
{
    const struct attempt_view attempts[] = {
        {t0, t0 + 5, 0, ATTEMPT_AMBIGUOUS, STR("no answer"), STR_NULL},
        {t0 + 877, t0 + 900, 200, ATTEMPT_DELIVERED, STR_NULL, STR_NULL},
    };
    struct delivery d = a_delivery();

    (void)state;
    shape_delivery_whole(&d, attempts, 2, &out);
    assert_string_equal(out.at, "{" DELIVERY_FIELDS ",\"history\":["
                                "{\"at\":\"2026-11-24T13:57:39.123Z\",\"status\":null,"
                                "\"verdict\":\"ambiguous\",\"detail\":\"no answer\","
                                "\"ended_at\":\"2026-11-24T13:57:39.128Z\",\"answer\":null},"
                                "{\"at\":\"2026-11-24T13:57:40.000Z\",\"status\":200,"
                                "\"verdict\":\"delivered\",\"detail\":null,"
                                "\"ended_at\":\"2026-11-24T13:57:40.023Z\",\"answer\":null}]}");
}

static void score_with_lines_of_every_kind(void **state)
{
    struct score_line lines[] = {
        {.rule = STR("company"), .part = PART_FIT, .points = 200, .worth = 200, .why = STR("big")},
        {.rule = STR("demo"),
         .group = STR("web"),
         .part = PART_ENGAGEMENT,
         .points = 350,
         .worth = 175,
         .occurred_at = t0,
         .event = 17,
         .why = STR("asked")},
        {.group = STR("web"),
         .part = PART_ENGAGEMENT,
         .points = -75,
         .worth = -75,
         .why = STR("cap of group web"),
         .cap = true},
    };
    const struct verdict_score v = {300, 200, 100, BAND_COLD, lines, 3};

    (void)state;
    shape_score(3, t0, &v, STR("[]"), &out);
    assert_string_equal(
        out.at,
        "{\"lead\":\"3\",\"at\":\"2026-11-24T13:57:39.123Z\",\"score\":30,\"band\":\"cold\","
        "\"fit\":20,\"engagement\":10,\"lines\":["
        "{\"rule\":\"company\",\"part\":\"fit\",\"group\":null,\"points\":20,\"worth\":20,"
        "\"occurred_at\":null,\"event\":null,\"why\":\"big\"},"
        "{\"rule\":\"demo\",\"part\":\"engagement\",\"group\":\"web\",\"points\":35,"
        "\"worth\":17.5,\"occurred_at\":\"2026-11-24T13:57:39.123Z\",\"event\":\"17\","
        "\"why\":\"asked\"},"
        "{\"rule\":null,\"part\":\"engagement\",\"group\":\"web\",\"points\":-7.5,"
        "\"worth\":-7.5,\"occurred_at\":null,\"event\":null,\"why\":\"cap of group "
        "web\"}],\"models\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(event_in_a_list, setup),
        cmocka_unit_test_setup(unlinked_event_has_no_lead_but_a_reason, setup),
        cmocka_unit_test_setup(whole_event_embeds_its_body_in_one_line_and_its_deliveries, setup),
        cmocka_unit_test_setup(body_that_is_no_json_is_a_string, setup),
        cmocka_unit_test_setup(effects_of_an_event, setup),
        cmocka_unit_test_setup(erased_body_is_null, setup),
        cmocka_unit_test_setup(lead_with_its_properties, setup),
        cmocka_unit_test_setup(merged_lead_says_where_it_went, setup),
        cmocka_unit_test_setup(delivery_in_a_list, setup),
        cmocka_unit_test_setup(whole_delivery_has_its_history, setup),
        cmocka_unit_test_setup(score_with_lines_of_every_kind, setup),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
