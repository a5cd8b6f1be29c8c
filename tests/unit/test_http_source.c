/* tests/unit/test_http_source.c - other senders: what makes one event of a request. */
#include "cm.h"

#include "source_fixture.h"

#define STANDARD "signature = standard\nsecret = wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM=\n"

/* With a webhook-id or, without any, by its body. */
static size_t decode(struct fixture *f, const char *id, struct str body, struct event **ret)
{
    struct request r = {.raw = {.method = STR("POST"), .body = body, .received_at = NOW}};
    size_t n = 0;

    if (id)
        request_add(&r, "Webhook-Id", str_of(id));
    assert_int_equal(f->source.type->decode(&f->source, request_raw(&r), &f->a, ret, &n, NULL),
                     REFUSED_NOT);
    return n;
}

static struct event one(struct fixture *f, const char *id, const char *body)
{
    struct event *events;

    assert_int_equal(decode(f, id, str_of(body), &events), 1);
    struct event again = decode_again(f, events);
    assert_true(same_key(events, &again));
    assert_int_equal(events->dedupe_window_ms, again.dedupe_window_ms);
    assert_int_equal(events->state, again.state);
    return events[0];
}

static void a_webhook_id_makes_the_event(void **state)
{
    FIXTURE(f, "http", STANDARD "dedupe_window = 2h\n");
    struct event e = one(&f, "msg_1", "{\"email\":\"a@b\",\"type\":\"t\"}");
    struct event same = one(&f, "msg_1", "{\"email\":\"c@d\"}");
    struct event other = one(&f, "msg_2", "{\"email\":\"a@b\",\"type\":\"t\"}");
    struct event none = one(&f, NULL, "{\"email\":\"a@b\",\"type\":\"t\"}");

    (void)state;
    is(e.type, "t");
    assert_int_equal(dedupe_key_time(&e.key), 0);
    assert_int_equal(dedupe_key_time(&none.key), 0);
    assert_int_equal(e.dedupe_window_ms, 0);
    assert_int_equal(none.dedupe_window_ms, 2 * HOURS_MS);
    assert_true(same_key(&e, &same));
    assert_false(same_key(&e, &other));
    assert_false(same_key(&e, &none));
    assert_non_null(str_find(e.body, STR("\"id\":\"msg_1\"")));
    assert_null(str_find(none.body, STR("\"id\"")));
}

static void a_map_of_the_id_goes_before_the_header(void **state)
{
    FIXTURE(f, "http", STANDARD "map.event_id = $.id\nmap.event_type = $.kind\n");
    struct event e = one(&f, "msg_1", "{\"email\":\"a@b\",\"id\":1,\"kind\":\"k\",\"type\":\"t\"}");
    struct event same = one(&f, "msg_2", "{\"email\":\"a@b\",\"id\":1}");
    struct event other = one(&f, "msg_1", "{\"email\":\"a@b\",\"id\":2}");
    struct event none = one(&f, "msg_1", "{\"email\":\"a@b\"}");

    (void)state;
    is(e.type, "k");
    assert_true(same_key(&e, &same));
    assert_false(same_key(&e, &other));
    assert_int_equal(none.dedupe_window_ms, 24 * HOURS_MS);
}

static void events_of_one_array_differ(void **state)
{
    struct event *events, *again;
    FIXTURE(f, "http", STANDARD);
    struct str body = STR("[{\"email\":\"a@b\"},{\"email\":\"a@b\"},{\"email\":\"a@b\"}]");

    (void)state;
    assert_int_equal(decode(&f, "msg_1", body, &events), 3);
    assert_int_equal(decode(&f, "msg_1", body, &again), 3);
    for (size_t i = 0; i < 3; i++) {
        struct event stored = decode_again(&f, &events[i]);

        assert_int_equal(events[i].dedupe_window_ms, 0);
        assert_true(same_key(&events[i], &again[i]));
        assert_true(same_key(&events[i], &stored));
        assert_false(same_key(&events[i], &events[(i + 1) % 3]));
    }
    struct event alone = one(&f, "msg_1", "{\"email\":\"a@b\"}");
    assert_true(same_key(&alone, &events[0]));
}

static void an_odd_event_is_known_by_its_body(void **state)
{
    FIXTURE(f, "http", STANDARD);
    struct event odd = one(&f, "msg_1", "{\"type\":\"t\"}");
    struct event mended = one(&f, "msg_1", "{\"type\":\"t\",\"email\":\"a@b\"}");

    (void)state;
    assert_int_equal(odd.state, EVENT_UNPROCESSABLE);
    assert_false(same_key(&odd, &mended));
}

static void other_kinds_have_no_header_with_an_id(void **state)
{
    FIXTURE(f, "http", "signature = bearer\nsecret = one\n");
    struct event e = one(&f, "msg_1", "{\"email\":\"a@b\"}");

    (void)state;
    assert_int_equal(e.dedupe_window_ms, 24 * HOURS_MS);
    is(e.body, "{\"email\":\"a@b\"}");
}

static void a_thousand_events_are_enough(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    struct event *events;
    size_t n;
    FIXTURE(f, "http", STANDARD);

    (void)state;
    for (int i = 0; i < 1000; i++)
        sbuf_text(&b, i ? ",1" : "[1");
    struct str most = arena_printf(&f.a, "%s]", b.at), more = arena_printf(&f.a, "%s,1]", b.at);
    assert_int_equal(decode_as(&f, "application/json", most, &events, &n), REFUSED_NOT);
    assert_int_equal(n, 1000);
    assert_int_equal(decode_as(&f, "application/json", more, &events, &n), REFUSED_TOO_LARGE);
}

static void a_body_without_a_type_is_taken_for_json(void **state)
{
    static const struct {
        const char *type;
        enum refusal refused;
    } cases[] = {
        {NULL, REFUSED_NOT},
        {"application/json", REFUSED_NOT},
        {"application/cloudevents+json; charset=utf-8", REFUSED_NOT},
        {"application/x-www-form-urlencoded", REFUSED_MEDIA_TYPE}, /* it is JSON all the same */
        {"text/plain", REFUSED_MEDIA_TYPE},
        {"", REFUSED_MEDIA_TYPE},
    };
    struct event *events;
    size_t n;
    FIXTURE(f, "http", STANDARD);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(decode_as(&f, cases[i].type, STR("{\"email\":\"a@b\"}"), &events, &n),
                         cases[i].refused);
}

static void times_before_1973_are_seconds(void **state)
{
    static const struct {
        const char *json;
        int64_t expected; /* -1: unprocessable */
    } cases[] = {
        {"0", 0},
        {"1", 1000},
        {"1769081990", INT64_C(1769081990000)},
        {"\"1769081990\"", INT64_C(1769081990000)},
        {"1769081990.5", -1},
        {"99999999999", NOW}, /* far ahead, in 5138 */
        {"100000000000", INT64_C(100000000000)},
        {"253402300799999", NOW},
        {"253402300800000", -1},
        {"-1", -1},
        {"\"2026-01-22T11:39:50.123456Z\"", INT64_C(1769081990123)},
    };
    FIXTURE(f, "http", STANDARD);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str body = arena_printf(&f.a, "{\"email\":\"a@b\",\"timestamp\":%s}", cases[i].json);
        struct event e = decode_one(&f, body.at);

        if ((e.state == EVENT_UNPROCESSABLE) != (cases[i].expected < 0) ||
            (cases[i].expected >= 0 && e.occurred_at != cases[i].expected))
            fail_msg("%s: %lld", cases[i].json, (long long)e.occurred_at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_id_makes_the_event),
        cmocka_unit_test(a_map_of_the_id_goes_before_the_header),
        cmocka_unit_test(events_of_one_array_differ),
        cmocka_unit_test(an_odd_event_is_known_by_its_body),
        cmocka_unit_test(other_kinds_have_no_header_with_an_id),
        cmocka_unit_test(a_thousand_events_are_enough),
        cmocka_unit_test(a_body_without_a_type_is_taken_for_json),
        cmocka_unit_test(times_before_1973_are_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
