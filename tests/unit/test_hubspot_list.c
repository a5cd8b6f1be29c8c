/* tests/unit/test_hubspot_list.c - all contacts with their history, page by page. */
#include "cm.h"

#include "crm_test.h"

#define RECORD(id, more)                                                                           \
    "{\"id\":\"" id "\",\"properties\":{\"email\":\"a@example.org\",\"company\":null},"            \
    "\"createdAt\":\"2025-01-01T00:00:00Z\",\"updatedAt\":\"2025-12-31T12:00:00.500Z\","           \
    "\"archived\":false" more "}"
#define LAST(results) "{\"results\":[" results "]}"
#define FULL(results, after)                                                                       \
    "{\"results\":[" results "],\"paging\":{\"next\":{\"after\":" after ",\"link\":\"x\"}}}"
#define HISTORY(versions) ",\"propertiesWithHistory\":{\"company\":[" versions "]}"

/* place NULL: the front. */
static void start(const char *place)
{
    fixture_start(&f, SECTION "portal = 62515\n");
    fixture_route(&f, "import");
    f.parcels[0].d.lead = 0;
    f.parcels[0].d.remote_id = str_of(place);
}

static void the_first_page_asks_for_values_and_their_history(void **state)
{
    (void)state;
    start(NULL);
    fixture_build(&f);
    golden(&f, "hubspot/list.http");
    assert_true(f.request.repeatable);
    fixture_end(&f);
}

static void the_next_one_goes_on_where_hubspot_says(void **state)
{
    (void)state;
    start("12&x=1 #");
    fixture_build(&f);
    assert_true(str_ends(f.request.url, STR("&after=12%26x%3D1%20%23")));
    fixture_end(&f);
}

static void a_page_that_does_not_come_through_is_asked_for_by_halves(void **state)
{
    static const char *const limits[] = {"?limit=50&", "?limit=25&", "?limit=12&"};

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        start(NULL);
        f.parcels[0].d.attempts = (int)i;
        fixture_build(&f);
        assert_non_null(
            str_find(f.request.url, str_of(i < ARRAY_LEN(limits) ? limits[i] : "?limit=")));
        assert_true(i < 6 || str_find(f.request.url, STR("?limit=1&")) != NULL);
        fixture_end(&f);
    }
}

static void a_page_comes_back_with_versions_and_the_place_behind_it(void **state)
{
    (void)state;
    start(NULL);
    fixture_build(&f);
    (void)fixture_judge(
        &f, 200,
        FULL(RECORD("7", HISTORY("{\"value\":\"New\",\"timestamp\":"
                                 "\"2025-06-01T00:00:00Z\"},{\"value\":\"Old\","
                                 "\"timestamp\":1735689600000},{\"value\":\"no time\"},"
                                 "{\"value\":null,\"timestamp\":\"1735689600001\"}")),
             "\"101\""));
    const struct outcome *o = &f.outcomes[0];
    assert_int_equal(o->verdict, VERDICT_MORE);
    assert_true(str_is(o->remote_id, "101"));
    assert_int_equal(o->n_recovered, 1);
    const struct record *r = &o->recovered[0];
    assert_int_equal(r->crm_id, 7);
    assert_int_equal(r->portal_id, 62515);
    assert_int_equal(r->created_at, INT64_C(1735689600000));
    assert_int_equal(r->updated_at, INT64_C(1767182400500));
    assert_int_equal(r->n_versions, 3);
    assert_true(str_is(r->versions[0].value, "New"));
    assert_int_equal(r->versions[1].at, INT64_C(1735689600000));
    assert_true(str_is(r->versions[2].value, "")); /* cleared */
    fixture_end(&f);
}

static void the_last_page_ends_it(void **state)
{
    (void)state;
    start("101");
    fixture_build(&f);
    (void)fixture_judge(&f, 200, LAST(RECORD("8", "")));
    assert_int_equal(f.outcomes[0].verdict, VERDICT_DELIVERED);
    assert_null(f.outcomes[0].remote_id.at);
    assert_int_equal(f.outcomes[0].recovered[0].n_versions, 0);
    fixture_end(&f);
}

/* A number in place of a text is one as well. */
static void what_we_write_ourselves_is_no_history(void **state)
{
    (void)state;
    start(NULL);
    fixture_build(&f);
    (void)fixture_judge(
        &f, 200,
        FULL(RECORD("7", ",\"propertiesWithHistory\":{\"funneld_score\":[{\"value\":"
                         "\"9\",\"timestamp\":\"2025-06-01T00:00:00Z\"}]}"),
             "12"));
    assert_int_equal(f.outcomes[0].recovered[0].n_versions, 0);
    assert_true(str_is(f.outcomes[0].remote_id, "12"));
    fixture_end(&f);
}

static void where_history_is_refused_it_does_without(void **state)
{
    (void)state;
    start(NULL);
    fixture_build(&f);
    (void)fixture_judge(&f, 400, FAILURE("VALIDATION_ERROR", "limit"));
    assert_int_equal(f.outcomes[0].verdict, VERDICT_NONE);
    fixture_build(&f);
    assert_null(str_find(f.request.url, STR("propertiesWithHistory")));
    assert_non_null(str_find(f.request.url, STR("limit=100&")));
    (void)fixture_judge(&f, 200, FULL(RECORD("7", ""), "\"9\""));
    assert_true(str_is(f.outcomes[0].remote_id, "9")); /* with history again */
    assert_true(f.outcomes[0].without_history);
    fixture_end(&f);
}

static void a_place_that_is_refused_is_left_for_the_front(void **state)
{
    (void)state;
    start("9");
    for (int step = 0; step < 4; step++) {
        fixture_build(&f);
        assert_int_equal(str_ends(f.request.url, STR("&after=9")), step < 2);
        assert_int_equal(str_find(f.request.url, STR("propertiesWithHistory")) == NULL, step % 2);
        (void)fixture_judge(&f, 400, FAILURE("VALIDATION_ERROR", "after"));
        assert_int_equal(f.outcomes[0].verdict, step < 3 ? VERDICT_NONE : VERDICT_DEAD);
    }
    fixture_end(&f);
    start(NULL);
    for (int step = 0; step < 2; step++) {
        fixture_build(&f);
        (void)fixture_judge(&f, 400, FAILURE("VALIDATION_ERROR", "properties"));
        assert_int_equal(f.outcomes[0].verdict, step < 1 ? VERDICT_NONE : VERDICT_DEAD);
    }
    fixture_end(&f);
}

/* The last property of a contact may be the one that matters. */
static void of_too_many_versions_each_property_keeps_its_newest(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(4 << 20);

    (void)state;
    sbuf_text(&b, "{\"results\":[{\"id\":\"7\",\"properties\":{},\"updatedAt\":"
                  "\"2025-12-31T12:00:00Z\",\"propertiesWithHistory\":{\"visits\":[");
    for (int i = 0; i < 25000; i++)
        sbuf_printf(&b, "%s{\"value\":\"%d\",\"timestamp\":%lld}", i ? "," : "", i,
                    1735689600000LL - i);
    sbuf_text(&b,
              "],\"lifecyclestage\":[{\"value\":\"customer\",\"timestamp\":1735689600000}]}}]}");
    start(NULL);
    fixture_build(&f);
    (void)fixture_judge(&f, 200, arena_str(&f.arena, sbuf_str(&b)).at);
    const struct record *r = &f.outcomes[0].recovered[0];
    assert_int_equal(r->n_versions, 10002);
    assert_true(str_is(r->versions[0].value, "0"));
    assert_true(str_is(r->versions[10001].value, "customer"));
    fixture_end(&f);
}

static void odd_answers_are_asked_for_again(void **state)
{
    static const char *const odd[] = {"{}",
                                      "{\"results\":{}}",
                                      "[]",
                                      "{\"results\":[{}]}",
                                      "{\"results\":[{\"id\":\"-1\"}]}",
                                      FULL(RECORD("7", ""), "\"55\"")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        start("55");
        fixture_build(&f);
        (void)fixture_judge(&f, 200, odd[i]);
        assert_int_equal(f.outcomes[0].verdict, VERDICT_RETRY);
        fixture_end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_page_asks_for_values_and_their_history),
        cmocka_unit_test(the_next_one_goes_on_where_hubspot_says),
        cmocka_unit_test(a_page_that_does_not_come_through_is_asked_for_by_halves),
        cmocka_unit_test(a_page_comes_back_with_versions_and_the_place_behind_it),
        cmocka_unit_test(the_last_page_ends_it),
        cmocka_unit_test(what_we_write_ourselves_is_no_history),
        cmocka_unit_test(where_history_is_refused_it_does_without),
        cmocka_unit_test(a_place_that_is_refused_is_left_for_the_front),
        cmocka_unit_test(of_too_many_versions_each_property_keeps_its_newest),
        cmocka_unit_test(odd_answers_are_asked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
