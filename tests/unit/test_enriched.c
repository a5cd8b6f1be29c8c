/* tests/unit/test_enriched.c - what a CRM read brings back, as an event. */
#include "cm.h"

#include "contact_event.h"

#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/lead/lead.h"
#include "request.h"

#define NOW INT64_C(1769081994066)

static const struct field ada[] = {
    {{"lastname", 8}, {"Lovelace", 8}},
    {{"email", 5}, {"Ada@Example.com", 15}},
    {{"phone", 5}, {NULL, 0}},
};

static struct event enrich(const struct field *properties, size_t n, int64_t updated_at,
                           struct arena *a)
{
    struct event e;

    enriched_event(STR("crm"), 62515, INT64_C(9007199254740993), updated_at, properties, n, NOW, a,
                   &e);
    return e;
}

static void record_becomes_an_event_that_sets_its_properties(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct event e = enrich(ada, 3, NOW - 1000, &a);

    (void)state;
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_int_equal(e.effect, EFFECT_PROPERTIES);
    assert_true(str_is(e.source, "crm"));
    assert_true(str_is(e.type, "contact.enriched"));
    assert_int_equal(e.portal_id, 62515);
    assert_int_equal(e.object_id, INT64_C(9007199254740993));
    assert_int_equal(e.occurred_at, NOW - 1000);
    assert_int_equal(e.received_at, NOW);
    assert_null(e.property.at);
    assert_null(e.value.at);
    assert_int_equal(e.n_properties, 3);
    assert_true(str_is(field_get(e.properties, 3, "lastname"), "Lovelace"));
    assert_null(field_get(e.properties, 3, "phone").at);
    assert_true(str_is(field_get(e.data, e.n_data, "properties__lastname"), "Lovelace"));
}

static void body_is_canonical(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct field reversed[] = {ada[2], ada[1], ada[0]};
    struct event e = enrich(ada, 3, 5, &a), same = enrich(reversed, 3, 5, &a);

    (void)state;
    assert_true(str_is(e.body, "{\"objectId\":9007199254740993,\"portalId\":62515,\"properties\":{"
                               "\"email\":\"Ada@Example.com\",\"lastname\":\"Lovelace\","
                               "\"phone\":null},\"updatedAt\":5}"));
    assert_true(str_eq(e.body, same.body));
    assert_memory_equal(&e.key, &same.key, DEDUPE_KEY_LEN);
}

static void reading_the_same_record_again_is_the_same_event(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct event e = enrich(ada, 3, 5, &a), later = enrich(ada, 3, 6, &a);
    struct event fewer = enrich(ada, 2, 5, &a);
    struct event again;

    (void)state;
    enriched_event(STR("crm"), 62515, INT64_C(9007199254740993), 5, ada, 3, NOW + DAYS_MS, &a,
                   &again);
    assert_memory_equal(&e.key, &again.key, DEDUPE_KEY_LEN);
    assert_memory_not_equal(&e.key, &later.key, DEDUPE_KEY_LEN);
    assert_memory_not_equal(&e.key, &fewer.key, DEDUPE_KEY_LEN);
    assert_int_equal(e.key.bytes[7], 5);
}

static void stored_body_is_decoded_to_the_same_event(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct event e = enrich(ada, 3, NOW - 1000, &a), again;

    (void)state;
    assert_int_equal(enriched_decode(e.body, NOW, &a, &again, NULL), RC_OK);
    assert_memory_equal(&e.key, &again.key, DEDUPE_KEY_LEN);
    assert_true(str_eq(e.body, again.body));
    assert_int_equal(e.occurred_at, again.occurred_at);
    assert_int_equal(e.object_id, again.object_id);
    assert_int_equal(e.n_properties, again.n_properties);
    for (size_t i = 0; i < e.n_properties; i++)
        assert_true(str_eq(e.properties[i].value, again.properties[i].value));
}

static void other_bodies_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "{}",
        "[]",
        "{\"objectId\":1,\"portalId\":1,\"properties\":{}}",
        "{\"objectId\":1,\"portalId\":1,\"properties\":[],\"updatedAt\":1}",
        "{\"objectId\":1,\"portalId\":1,\"properties\":{},\"updatedAt\":-1}",
        "{\"objectId\":1.5,\"portalId\":1,\"properties\":{},\"updatedAt\":1}",
    };
    struct arena a AUTO(arena_free) = {0};
    struct event e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct why why = {0};

        assert_int_equal(enriched_decode(str_of(cases[i]), NOW, &a, &e, &why), RC_INVALID);
        assert_true(why.text[0] != '\0');
    }
}

static void repeated_property_is_taken_once(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct field twice[] = {ada[0], ada[0]};
    struct event e = enrich(twice, 2, 5, &a);

    (void)state;
    assert_int_equal(e.state, EVENT_PROCESSED);
    assert_int_equal(e.n_properties, 1);
}

static void unreadable_record_is_kept_as_odd(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct event e = enrich(ada, 3, -7, &a);

    (void)state;
    assert_int_equal(e.state, EVENT_UNPROCESSABLE);
    assert_true(e.reason.len > 0);
    assert_true(str_is(e.source, "crm"));
}

static void newer_webhook_wins_over_an_older_read(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct event read = enrich(ada, 3, NOW - 1000, &a);
    const struct field newer = {STR("lastname"), STR("King")};
    struct event hook = {.effect = EFFECT_PROPERTIES,
                         .occurred_at = NOW - 500,
                         .properties = &newer,
                         .n_properties = 1};
    struct lead l = {0};

    (void)state;
    assert_true(lead_fold(&l, &hook, &a));
    assert_true(lead_fold(&l, &read, &a));
    assert_true(str_is(lead_get(&l, STR("lastname")), "King"));
    assert_true(str_is(l.email, "ada@example.com"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_becomes_an_event_that_sets_its_properties),
        cmocka_unit_test(body_is_canonical),
        cmocka_unit_test(reading_the_same_record_again_is_the_same_event),
        cmocka_unit_test(stored_body_is_decoded_to_the_same_event),
        cmocka_unit_test(other_bodies_are_refused),
        cmocka_unit_test(repeated_property_is_taken_once),
        cmocka_unit_test(unreadable_record_is_kept_as_odd),
        cmocka_unit_test(newer_webhook_wins_over_an_older_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
