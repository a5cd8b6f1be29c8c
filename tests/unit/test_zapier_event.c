/* tests/unit/test_zapier_event.c - Zaps: what becomes of a body. */
#include "cm.h"

#include <string.h>

#include "zapier_fixture.h"

static enum refusal decode_as(struct fixture *f, const char *type, const char *body, int64_t now,
                              struct event **ret, size_t *ret_n)
{
    struct request r = {.raw = {.method = STR("POST"),
                                .body = str_of(body),
                                .received_at = now,
                                .request_id = STR("req-1")}};

    if (type)
        request_add(&r, "Content-Type", str_of(type));
    return f->source.type->decode(&f->source, request_raw(&r), &f->a, ret, ret_n, NULL);
}

static struct event decode_at(struct fixture *f, const char *body, int64_t now)
{
    struct event *events;
    size_t n;

    assert_int_equal(decode_as(f, "application/json", body, now, &events, &n), REFUSED_NOT);
    assert_int_equal(n, 1);
    return events[0];
}

static struct event decode_one(struct fixture *f, const char *body)
{
    return decode_at(f, body, NOW);
}

static struct str property(const struct event *e, const char *name)
{
    return field_get(e->properties, e->n_properties, name);
}

static void object_becomes_one_event_with_flat_properties(void **state)
{
    static const char body[] = " {\"event_id\":\"e-1\",\"event_type\":\"form.submitted\","
                               "\"occurred_at\":\"2026-01-22T11:39:00Z\","
                               "\"email\":\" Ada@Example.com\",\"firstname\":\"Ada\","
                               "\"score\":87,\"vip\":true,\"empty\":\"\",\"none\":null,"
                               "\"utm\":{\"source\":\"ads\",\"ids\":[1,2]},"
                               "\"items\":[{\"sku\":\"a\"},{\"sku\":\"b\"}]}\n";
    FIXTURE(f, plain);
    struct event e = decode_one(&f, body);

    (void)state;
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_int_equal(e.effect, EFFECT_PROPERTIES);
    assert_true(str_is(e.source, "forms"));
    assert_true(str_is(e.type, "form.submitted"));
    assert_true(str_is(e.email, "ada@example.com"));
    assert_int_equal(e.occurred_at, INT64_C(1769081940000));
    assert_int_equal(e.portal_id, 0);
    assert_null(e.property.at);
    assert_null(e.value.at);
    assert_true(str_is(property(&e, "firstname"), "Ada"));
    assert_true(str_is(property(&e, "score"), "87"));
    assert_true(str_is(property(&e, "vip"), "true"));
    assert_true(str_is(property(&e, "utm__source"), "ads"));
    assert_true(str_is(property(&e, "utm__ids"), "1, 2"));
    assert_true(str_is(property(&e, "items__1__sku"), "b"));
    assert_true(str_is(property(&e, "email"), "ada@example.com"));
    assert_int_equal(e.n_properties, 8);
    assert_null(property(&e, "event_id").at);
    assert_null(field_get(e.data, e.n_data, "empty").at);
    assert_true(str_is(field_get(e.data, e.n_data, "event_id"), "e-1"));
    assert_true(str_starts(e.body, STR("{")) && str_ends(e.body, STR("}")));
    assert_true(str_is(e.request_id, "req-1"));
}

static void array_becomes_one_event_for_each_object(void **state)
{
    struct event *events;
    size_t n;
    FIXTURE(f, plain);

    (void)state;
    assert_int_equal(decode_as(&f, "application/json",
                               "[{\"email\":\"a@b\"}, 5, {\"email\":\"c@d\"},[]]", NOW, &events,
                               &n),
                     REFUSED_NOT);
    assert_int_equal(n, 4);
    assert_true(str_is(events[0].email, "a@b"));
    assert_int_equal(events[1].state, EVENT_UNPROCESSABLE);
    assert_true(str_is(events[1].body, "5"));
    assert_true(str_is(events[2].body, "{\"email\":\"c@d\"}"));
    assert_int_equal(events[3].state, EVENT_UNPROCESSABLE);
    assert_int_equal(decode_as(&f, "application/json", "[]", NOW, &events, &n), REFUSED_NOT);
    assert_int_equal(n, 0);
}

static void defaults_are_our_time_and_a_type(void **state)
{
    FIXTURE(f, plain);
    struct event e = decode_one(&f, "{\"email\":\"a@b\",\"event_type\":\"\",\"occurred_at\":\"\","
                                    "\"event_id\":null}");

    (void)state;
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_true(str_is(e.type, "zapier.event"));
    assert_int_equal(e.occurred_at, NOW);
    assert_int_equal(e.dedupe_window_ms, 24 * HOURS_MS);
}

static void times_are_iso_or_milliseconds(void **state)
{
    static const struct {
        const char *json;
        int64_t expected; /* -1: unprocessable */
    } cases[] = {
        {"1769081990000", INT64_C(1769081990000)},
        {"\"1769081990000\"", INT64_C(1769081990000)},
        {"\"2026-01-22T11:39:50Z\"", INT64_C(1769081990000)},
        {"\"2026-01-22T12:39:50+01:00\"", INT64_C(1769081990000)},
        {"\"2026-01-22\"", INT64_C(1769040000000)},
        {"1769082294066", NOW + 300000},
        {"1769082294067", NOW}, /* ahead by more than five minutes */
        {"\"tomorrow\"", -1},
        {"-1", -1},
        {"1.5", -1},
        {"true", -1},
        {"{}", -1},
        {"[1769081990000]", -1},
        {"999999999999999", -1},
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str body =
            arena_printf(&f.a, "{\"email\":\"a@b\",\"occurred_at\":%s}", cases[i].json);
        struct event e = decode_one(&f, body.at);

        if ((e.state == EVENT_UNPROCESSABLE) != (cases[i].expected < 0))
            fail_msg("%s", cases[i].json);
        if (cases[i].expected >= 0)
            assert_int_equal(e.occurred_at, cases[i].expected);
    }
}

static void odd_objects_are_kept_with_a_reason(void **state)
{
    static const char *const cases[] = {
        "{}",
        "{\"firstname\":\"Ada\"}",
        "{\"email\":\"\"}",
        "{\"email\":null}",
        "{\"email\":\"nobody\"}",
        "{\"email\":[\"a@b\"]}",
        "{\"email\":{\"value\":\"a@b\"}}",
        "{\"email\":\"a@b\",\"event_id\":[1]}",
        "{\"email\":\"a@b\",\"event_type\":{}}",
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event e = decode_one(&f, cases[i]);

        assert_int_equal(e.state, EVENT_UNPROCESSABLE);
        assert_true(e.reason.len > 0);
        assert_int_equal(e.effect, EFFECT_NONE);
        assert_int_equal(e.n_properties, 0);
        assert_true(str_is(e.body, cases[i]));
    }
}

static void too_many_fields_or_too_long_a_name_are_odd(void **state)
{
    struct sbuf many AUTO(sbuf_free) = SBUF(1 << 16), name AUTO(sbuf_free) = SBUF(1 << 16);
    FIXTURE(f, plain);

    (void)state;
    sbuf_text(&many, "{\"email\":\"a@b\"");
    for (int i = 0; i < 1000; i++)
        sbuf_printf(&many, ",\"p%d\":1", i);
    sbuf_text(&many, "}");
    assert_int_equal(decode_one(&f, sbuf_str(&many).at).state, EVENT_UNPROCESSABLE);
    sbuf_text(&name, "{\"email\":\"a@b\",\"");
    for (int i = 0; i < 256; i++)
        sbuf_char(&name, 'x');
    sbuf_text(&name, "\":1}");
    assert_int_equal(decode_one(&f, sbuf_str(&name).at).state, EVENT_UNPROCESSABLE);
}

static bool same_key(const struct event *x, const struct event *y)
{
    return memcmp(&x->key, &y->key, DEDUPE_KEY_LEN) == 0;
}

static void event_id_alone_makes_the_key_whenever_it_is_replayed(void **state)
{
    FIXTURE(f, plain);
    struct event e = decode_at(&f, "{\"event_id\":\"7\",\"email\":\"a@b\"}", NOW);
    struct event late = decode_at(&f, "{\"email\":\"a@b\",\"event_id\":\"7\"}", NOW + 5 * DAYS_MS);
    struct event edited = decode_at(&f,
                                    "{\"event_id\":7,\"email\":\"a@b\",\"x\":1,"
                                    "\"occurred_at\":1769081990000}",
                                    NOW);
    struct event other = decode_at(&f, "{\"event_id\":\"8\",\"email\":\"a@b\"}", NOW);

    (void)state;
    assert_int_equal(e.dedupe_window_ms, 0);
    assert_true(same_key(&e, &late));
    assert_true(same_key(&e, &edited));
    assert_false(same_key(&e, &other));
    f.source.name = STR("other-forms");
    struct event elsewhere = decode_at(&f, "{\"event_id\":\"7\",\"email\":\"a@b\"}", NOW);
    assert_false(same_key(&e, &elsewhere));
}

static void without_event_id_the_body_makes_the_key_in_a_window(void **state)
{
    FIXTURE(f, "secret = one\ndedupe_window = 2h\n");
    struct event e = decode_at(&f, "{\"email\":\"a@b\",\"x\":{\"y\":1,\"z\":2}}", NOW);
    struct event same = decode_at(&f, "{ \"x\":{\"z\":2,\"y\":1.0}, \"email\":\"a@b\" }", NOW + 1);
    struct event other = decode_at(&f, "{\"email\":\"a@b\",\"x\":{\"y\":1,\"z\":3}}", NOW);

    (void)state;
    assert_int_equal(e.dedupe_window_ms, 2 * HOURS_MS);
    assert_true(same_key(&e, &same));
    assert_false(same_key(&e, &other));
}

static void mended_replay_of_an_odd_event_is_not_a_duplicate(void **state)
{
    FIXTURE(f, plain);
    struct event odd = decode_one(&f, "{\"event_id\":\"7\",\"email\":\"\"}");
    struct event mended = decode_one(&f, "{\"event_id\":\"7\",\"email\":\"a@b\"}");

    (void)state;
    assert_int_equal(odd.state, EVENT_UNPROCESSABLE);
    assert_false(same_key(&odd, &mended));
}

static void json_media_types_are_required(void **state)
{
    static const struct {
        const char *type;
        enum refusal refused;
    } cases[] = {
        {"application/json", REFUSED_NOT},
        {"Application/JSON; charset=utf-8", REFUSED_NOT},
        {"application/json;charset=utf-8", REFUSED_NOT},
        {"application/vnd.api+json", REFUSED_NOT},
        {"application/x-www-form-urlencoded", REFUSED_MEDIA_TYPE}, /* JSON is no form */
        {"text/plain", REFUSED_MEDIA_TYPE},
        {"application/jsonx", REFUSED_MEDIA_TYPE},
        {"application/+json", REFUSED_MEDIA_TYPE},
        {"text/x+json", REFUSED_MEDIA_TYPE},
        {"", REFUSED_MEDIA_TYPE},
        {NULL, REFUSED_MEDIA_TYPE},
    };
    struct event *events;
    size_t n;
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(decode_as(&f, cases[i].type, "{\"email\":\"a@b\"}", NOW, &events, &n),
                         cases[i].refused);
}

static void bodies_of_another_shape_are_refused(void **state)
{
    static const char *const cases[] = {"", "1", "\"x\"", "null", "{", "{}{}", "{\"a\":1,\"a\":1}"};
    struct sbuf many AUTO(sbuf_free) = SBUF(1 << 16);
    struct event *events;
    size_t n;
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(decode_as(&f, "application/json", cases[i], NOW, &events, &n),
                         REFUSED_JSON);
    for (int i = 0; i <= 1000; i++)
        sbuf_text(&many, i ? ",1" : "[1");
    sbuf_text(&many, "]");
    assert_int_equal(decode_as(&f, "application/json", sbuf_str(&many).at, NOW, &events, &n),
                     REFUSED_TOO_LARGE);
}

static void stored_body_is_decoded_to_the_same_event(void **state)
{
    static const char *const cases[] = {
        "{\"email\":\"a@b\",\"x\":1}",
        "{\"email\":\"a@b\",\"event_id\":\"q\",\"occurred_at\":1769081990000}",
        "{\"x\":1}",
        "[{\"email\":\"a@b\"}]",
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event e = decode_one(&f, cases[i]), again;

        const struct stored_body stored = {e.body, NOW, READ_AS_IT_CAME};
        assert_int_equal(f.source.type->decode_stored(&f.source, &stored, &f.a, &again, NULL),
                         RC_OK);
        assert_true(same_key(&e, &again));
        assert_int_equal(e.state, again.state);
        assert_int_equal(e.occurred_at, again.occurred_at);
        assert_int_equal(e.dedupe_window_ms, again.dedupe_window_ms);
        assert_int_equal(e.n_properties, again.n_properties);
        assert_true(str_eq(e.email, again.email));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_becomes_one_event_with_flat_properties),
        cmocka_unit_test(array_becomes_one_event_for_each_object),
        cmocka_unit_test(defaults_are_our_time_and_a_type),
        cmocka_unit_test(times_are_iso_or_milliseconds),
        cmocka_unit_test(odd_objects_are_kept_with_a_reason),
        cmocka_unit_test(too_many_fields_or_too_long_a_name_are_odd),
        cmocka_unit_test(event_id_alone_makes_the_key_whenever_it_is_replayed),
        cmocka_unit_test(without_event_id_the_body_makes_the_key_in_a_window),
        cmocka_unit_test(mended_replay_of_an_odd_event_is_not_a_duplicate),
        cmocka_unit_test(json_media_types_are_required),
        cmocka_unit_test(bodies_of_another_shape_are_refused),
        cmocka_unit_test(stored_body_is_decoded_to_the_same_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
