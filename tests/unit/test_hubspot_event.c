/* tests/unit/test_hubspot_event.c - HubSpot bodies: what becomes of each element. */
#include "cm.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/lead/object.h"
#include "hubspot_fixture.h"

static void property_change_sets_one_property(void **state)
{
    FIXTURE(f, plain);
    struct event e = decode_one(&f, CHANGE("lifecyclestage", "\"customer\""));

    (void)state;
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_int_equal(e.effect, EFFECT_PROPERTIES);
    assert_true(str_is(e.source, "hs"));
    assert_true(str_is(e.type, "contact.propertyChange"));
    assert_int_equal(e.portal_id, 62515);
    assert_int_equal(e.object_id, 123);
    assert_int_equal(e.occurred_at, INT64_C(1769081990000));
    assert_int_equal(e.received_at, NOW);
    assert_true(str_is(e.property, "lifecyclestage"));
    assert_true(str_is(e.value, "customer"));
    assert_int_equal(e.n_properties, 1);
    assert_true(str_is(e.properties[0].name, "lifecyclestage"));
    assert_true(str_is(e.properties[0].value, "customer"));
    assert_true(str_is(e.request_id, "req-1"));
    assert_true(str_is(e.body, CHANGE("lifecyclestage", "\"customer\"")));
    assert_true(str_is(field_get(e.data, e.n_data, "portalId"), "62515"));
    assert_int_equal(e.dedupe_window_ms, 0);
    assert_null(e.email.at);
}

static void cleared_value_is_missing_whether_null_or_not_sent(void **state)
{
    FIXTURE(f, plain);
    struct event null = decode_one(&f, CHANGE("phone", "null"));
    struct event absent = decode_one(
        &f, "{" OF("contact.propertyChange") ",\"objectId\":123,\"propertyName\":\"phone\"}");
    struct event empty = decode_one(&f, CHANGE("phone", "\"\""));

    (void)state;
    assert_null(null.value.at);
    assert_int_equal(null.n_properties, 1);
    assert_null(null.properties[0].value.at);
    assert_null(absent.properties[0].value.at);
    assert_memory_equal(&null.key, &absent.key, DEDUPE_KEY_LEN);
    assert_int_equal(empty.properties[0].value.len, 0);
    assert_int_equal(empty.state, EVENT_PROCESSED);
}

static void values_that_are_no_texts_become_texts(void **state)
{
    FIXTURE(f, plain);

    (void)state;
    assert_true(str_is(decode_one(&f, CHANGE("n", "12.5")).value, "12.5"));
    assert_true(str_is(decode_one(&f, CHANGE("n", "true")).value, "true"));
    assert_int_equal(decode_one(&f, CHANGE("n", "[1]")).state, EVENT_UNPROCESSABLE);
}

static void redacted_value_is_not_taken_for_the_property(void **state)
{
    FIXTURE(f, plain);
    struct event e =
        decode_one(&f, "{" OF("contact.propertyChange") ",\"objectId\":1,\"propertyName\":\"ssn\","
                                                        "\"propertyValue\":\"REDACTED\","
                                                        "\"isSensitive\":true}");

    (void)state;
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_int_equal(e.effect, EFFECT_NONE);
    assert_int_equal(e.n_properties, 0);
    assert_true(str_is(e.property, "ssn"));
}

static void contact_types_have_their_effects(void **state)
{
    static const struct {
        const char *element;
        enum event_effect effect;
    } cases[] = {
        {"{" OF("contact.creation") ",\"objectId\":7}", EFFECT_NONE},
        {"{" OF("contact.deletion") ",\"objectId\":7}", EFFECT_DELETE},
        {"{" OF("contact.restore") ",\"objectId\":7}", EFFECT_RESTORE},
        {"{" OF("contact.privacyDeletion") ",\"objectId\":7}", EFFECT_ERASE},
        {"{" OF("contact.associationChange") ",\"fromObjectId\":7,\"toObjectId\":8,"
                                             "\"associationType\":\"CONTACT_TO_DEAL\"}",
         EFFECT_NONE},
        {"{" BASE ",\"eventType\":\"contact.deletion\",\"objectId\":7}", EFFECT_DELETE},
        {"{" OF("object.deletion") ",\"objectTypeId\":\"0-1\",\"objectId\":7}", EFFECT_DELETE},
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event e = decode_one(&f, cases[i].element);

        assert_int_equal(e.state, EVENT_PROCESSED);
        assert_int_equal(e.effect, cases[i].effect);
        assert_int_equal(e.object_id, 7);
        assert_int_equal(e.portal_id, 62515);
        assert_int_equal(e.n_properties, 0);
        assert_null(e.property.at);
    }
}

static void merge_names_the_survivor_and_all_it_absorbed(void **state)
{
    static const struct {
        const char *fields;
        int64_t into, merged[3];
        size_t n;
    } cases[] = {
        {"\"primaryObjectId\":1,\"mergedObjectIds\":[2,3],\"newObjectId\":1", 1, {2, 3}, 2},
        {"\"primaryObjectId\":1,\"mergedObjectIds\":[2],\"newObjectId\":9", 9, {2, 1}, 2},
        {"\"primaryObjectId\":1,\"mergedObjectIds\":[1,2],\"newObjectId\":9", 9, {1, 2}, 2},
        {"\"primaryObjectId\":1,\"mergedObjectIds\":[2]", 1, {2}, 1},
        {"\"mergedObjectIds\":[2,9],\"newObjectId\":9", 9, {2}, 1},
        {"\"primaryObjectId\":1,\"mergedObjectIds\":[9007199254740993],\"newObjectId\":1",
         1,
         {INT64_C(9007199254740993)},
         1},
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text = arena_printf(&f.a, "{%s,%s}", "" OF("contact.merge"), cases[i].fields);
        struct event e = decode_one(&f, text.at);

        assert_int_equal(e.state, EVENT_PROCESSED);
        assert_int_equal(e.effect, EFFECT_MERGE);
        assert_int_equal(e.merge_into, cases[i].into);
        assert_int_equal(e.object_id, cases[i].into);
        assert_int_equal(e.n_merged, cases[i].n);
        assert_memory_equal(e.merged, cases[i].merged, cases[i].n * sizeof(int64_t));
    }
}

static void odd_elements_are_kept_raw_with_a_reason(void **state)
{
    static const char *const cases[] = {
        "1",
        "null",
        "\"contact.creation\"",
        "[1]",
        "{}",
        "{" BASE ",\"objectId\":1}",
        "{" BASE ",\"subscriptionType\":5,\"objectId\":1}",
        "{" BASE ",\"subscriptionType\":\"\",\"objectId\":1}",
        "{\"portalId\":1,\"objectId\":1,\"subscriptionType\":\"contact.creation\"}",
        "{\"portalId\":1,\"objectId\":1,\"subscriptionType\":\"contact.creation\","
        "\"occurredAt\":-1}",
        "{\"portalId\":1,\"objectId\":1,\"subscriptionType\":\"contact.creation\","
        "\"occurredAt\":1.5}",
        "{\"portalId\":1,\"objectId\":1,\"subscriptionType\":\"contact.creation\","
        "\"occurredAt\":\"today\"}",
        "{\"portalId\":1,\"objectId\":1,\"subscriptionType\":\"deal.creation\","
        "\"occurredAt\":null}",
        "{\"portalId\":1,\"objectId\":1,\"subscriptionType\":\"contact.creation\","
        "\"occurredAt\":999999999999999}",
        "{\"portalId\":1,\"objectId\":1,\"subscriptionType\":\"contact.creation\","
        "\"occurredAt\":1769081990000000000000}",
        "{" OF("contact.creation") "}",
        "{" OF("contact.restore") ",\"objectId\":null}",
        "{" OF("contact.creation") ",\"objectId\":0}",
        "{" OF("contact.creation") ",\"objectId\":-5}",
        "{" OF("contact.creation") ",\"objectId\":1.5}",
        "{" OF("contact.creation") ",\"objectId\":\"x\"}",
        "{" OF("contact.creation") ",\"objectId\":9223372036854775808}",
        "{\"occurredAt\":1,\"subscriptionType\":\"contact.creation\",\"objectId\":1}",
        "{" OF("contact.propertyChange") ",\"objectId\":1}",
        "{" OF("contact.propertyChange") ",\"objectId\":1,\"propertyName\":\"\"}",
        "{" OF("contact.propertyChange") ",\"propertyName\":\"a\"}",
        "{" OF("contact.merge") ",\"objectId\":1}",
        "{" OF("contact.merge") ",\"primaryObjectId\":1}",
        "{" OF("contact.merge") ",\"primaryObjectId\":1,\"mergedObjectIds\":[]}",
        "{" OF("contact.merge") ",\"primaryObjectId\":1,\"mergedObjectIds\":[1]}",
        "{" OF("contact.merge") ",\"primaryObjectId\":1,\"mergedObjectIds\":[2,\"x\"]}",
        "{" OF("contact.merge") ",\"mergedObjectIds\":[2]}",
        "{" OF("contact.associationChange") ",\"associationType\":\"CONTACT_TO_DEAL\"}",
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event e = decode_one(&f, cases[i]);

        if (e.state != EVENT_UNPROCESSABLE)
            fail_msg("%s should be unprocessable", cases[i]);
        assert_true(e.reason.len > 0);
        assert_true(str_is(e.body, cases[i]));
        assert_int_equal(e.effect, EFFECT_NONE);
        assert_int_equal(e.object_id, 0);
        for (size_t k = 0; k < i; k++) {
            struct event other = decode_one(&f, cases[k]);

            assert_memory_not_equal(&e.key, &other.key, DEDUPE_KEY_LEN);
        }
    }
}

static void odd_element_does_not_fail_its_neighbours(void **state)
{
    struct event *events;
    size_t n;
    FIXTURE(f, plain);

    (void)state;
    assert_int_equal(
        decode(&f, " [ " CHANGE("a", "\"1\"") " , {\"odd\": [1, 2]} ,\n" CHANGE("b", "\"2\"") " ] ",
               &events, &n),
        REFUSED_NOT);
    assert_int_equal(n, 3);
    assert_int_equal(events[0].state, EVENT_PROCESSED);
    assert_int_equal(events[1].state, EVENT_UNPROCESSABLE);
    assert_int_equal(events[2].state, EVENT_PROCESSED);
    assert_true(str_is(events[1].body, "{\"odd\": [1, 2]}"));
    assert_true(str_is(events[2].body, CHANGE("b", "\"2\"")));
}

static void bodies_of_another_shape_are_refused(void **state)
{
    static const char *const cases[] = {
        "", "{}", "1", "null", "\"x\"", "[", "[1", "[1],", "[{\"a\":1,\"a\":2}]", "[\"\xff\"]",
    };
    struct event *events;
    size_t n;
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(decode(&f, cases[i], &events, &n), REFUSED_JSON);
    assert_int_equal(decode(&f, "[]", &events, &n), REFUSED_NOT);
    assert_int_equal(n, 0);
}

static void more_events_than_allowed_are_refused(void **state)
{
    struct event *events;
    size_t n;
    FIXTURE(f, "secret = one\nmax_events = 2\n");

    (void)state;
    assert_int_equal(decode(&f, "[1,2]", &events, &n), REFUSED_NOT);
    assert_int_equal(decode(&f, "[1,2,3]", &events, &n), REFUSED_TOO_LARGE);
}

static void another_media_type_matters_only_when_the_body_is_not_json(void **state)
{
    struct request r = {.raw = {.body = STR("a=1&b=2"), .received_at = NOW}};
    struct event *events;
    size_t n;
    FIXTURE(f, plain);

    (void)state;
    request_add(&r, "Content-Type", STR("application/x-www-form-urlencoded"));
    assert_int_equal(f.source.type->decode(&f.source, request_raw(&r), &f.a, &events, &n, NULL),
                     REFUSED_MEDIA_TYPE);
    r.raw.body = STR("[]");
    assert_int_equal(f.source.type->decode(&f.source, request_raw(&r), &f.a, &events, &n, NULL),
                     REFUSED_NOT);
}

static void ids_are_exact(void **state)
{
    FIXTURE(f, plain);
    struct event e = decode_one(&f, "{\"portalId\":9007199254740993,\"objectId\":"
                                    "9223372036854775807,\"occurredAt\":1,"
                                    "\"subscriptionType\":\"contact.creation\"}");

    (void)state;
    assert_int_equal(e.portal_id, INT64_C(9007199254740993));
    assert_int_equal(e.object_id, INT64_MAX);
    assert_true(str_is(field_get(e.data, e.n_data, "objectId"), "9223372036854775807"));
}

static void future_counts_as_received_now_but_the_key_keeps_its_own_time(void **state)
{
    static const struct {
        int64_t ahead, expected;
    } cases[] = {{300000, NOW + 300000}, {300001, NOW}, {86400000, NOW}, {-5000, NOW - 5000}};
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t own = NOW + cases[i].ahead, in_key = 0;
        struct str text = arena_printf(&f.a,
                                       "{\"portalId\":1,\"objectId\":1,\"occurredAt\":%lld,"
                                       "\"subscriptionType\":\"contact.creation\"}",
                                       (long long)own);
        struct event e = decode_one(&f, text.at);

        for (int k = 0; k < 8; k++)
            in_key = in_key << 8 | e.key.bytes[k];
        assert_int_equal(e.occurred_at, cases[i].expected);
        assert_int_equal(in_key, own);
    }
}

static void stored_body_is_decoded_to_the_same_event(void **state)
{
    static const char *const cases[] = {
        CHANGE("email", "\"ada@example.com\""),
        "{" OF("contact.merge") ",\"primaryObjectId\":1,\"mergedObjectIds\":[2]}",
        "{" OF("deal.creation") ",\"objectId\":1}",
        "{\"odd\":true}",
        "[1]",
        "17",
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event e = decode_one(&f, cases[i]), again;

        const struct stored_body stored = {e.body, NOW, READ_AS_IT_CAME};
        assert_int_equal(f.source.type->decode_stored(&f.source, &stored, &f.a, &again, NULL),
                         RC_OK);
        assert_memory_equal(&e.key, &again.key, DEDUPE_KEY_LEN);
        assert_int_equal(e.state, again.state);
        assert_int_equal(e.effect, again.effect);
        assert_int_equal(e.occurred_at, again.occurred_at);
        assert_int_equal(e.object_id, again.object_id);
        assert_int_equal(e.n_properties, again.n_properties);
        assert_int_equal(e.n_data, again.n_data);
        assert_true(str_eq(e.value, again.value));
        assert_true(str_eq(e.source, again.source));
    }
    const struct stored_body cut = {STR("{cut"), NOW, READ_AS_IT_CAME};
    struct event none;
    assert_int_equal(f.source.type->decode_stored(&f.source, &cut, &f.a, &none, NULL), RC_INVALID);
}

static void event_outlives_the_bytes_it_came_from(void **state)
{
    struct request r = {.raw = {.received_at = NOW}};
    char *body = strdup("[" CHANGE("city", "\"Bath\"") "]");
    struct event *events;
    size_t n;
    FIXTURE(f, plain);

    (void)state;
    r.raw.body = str_of(body);
    assert_int_equal(f.source.type->decode(&f.source, request_raw(&r), &f.a, &events, &n, NULL),
                     REFUSED_NOT);
    memset(body, 'x', strlen(body));
    free(body);
    assert_true(str_is(events[0].value, "Bath"));
    assert_true(str_is(events[0].body, CHANGE("city", "\"Bath\"")));
}

static void sample_is_processed(void **state)
{
    struct event *events;
    size_t n;
    FIXTURE(f, plain);

    (void)state;
    assert_int_equal(decode(&f, f.source.type->sample(NOW, &f.a).at, &events, &n), REFUSED_NOT);
    assert_int_equal(n, 1);
    assert_int_equal(events[0].state, EVENT_PROCESSED);
    assert_true(str_is(events[0].property, "demo_requested"));
    assert_int_equal(events[0].occurred_at, NOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(property_change_sets_one_property),
        cmocka_unit_test(cleared_value_is_missing_whether_null_or_not_sent),
        cmocka_unit_test(values_that_are_no_texts_become_texts),
        cmocka_unit_test(redacted_value_is_not_taken_for_the_property),
        cmocka_unit_test(contact_types_have_their_effects),
        cmocka_unit_test(merge_names_the_survivor_and_all_it_absorbed),
        cmocka_unit_test(odd_elements_are_kept_raw_with_a_reason),
        cmocka_unit_test(odd_element_does_not_fail_its_neighbours),
        cmocka_unit_test(bodies_of_another_shape_are_refused),
        cmocka_unit_test(more_events_than_allowed_are_refused),
        cmocka_unit_test(another_media_type_matters_only_when_the_body_is_not_json),
        cmocka_unit_test(ids_are_exact),
        cmocka_unit_test(future_counts_as_received_now_but_the_key_keeps_its_own_time),
        cmocka_unit_test(stored_body_is_decoded_to_the_same_event),
        cmocka_unit_test(event_outlives_the_bytes_it_came_from),
        cmocka_unit_test(sample_is_processed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
