/* tests/unit/test_dueq.c - the queue of heads, the map of leads, rate and backoff. */
#include "cm.h"

#include <stdlib.h>

#include "../../src/deliver/dueq_priv.h"
#include "../../src/deliver/pace_priv.h"

static struct due_row row(int64_t id, int64_t lead, int64_t due_at)
{
    return (struct due_row){.id = id, .lead = lead, .due_at = due_at};
}

static void what_is_due_is_counted_up_to_a_limit(void **state)
{
    struct dueq q = DUEQ(100);

    (void)state;
    assert_int_equal(dueq_count_due(&q, 100, 9), 0);
    for (int64_t i = 0; i < 50; i++)
        assert_int_equal(dueq_add(&q, row(i + 1, i + 1, i * 37 % 50)), RC_OK);
    for (int64_t now = -1; now < 52; now++)
        for (size_t most = 0; most < 60; most += 7) {
            size_t due = now < 0 ? 0 : now > 49 ? 50 : (size_t)now + 1;

            assert_int_equal(dueq_count_due(&q, now, most), due < most ? due : most);
        }
    dueq_free(&q);
}

static void the_earliest_comes_first_and_ids_break_ties(void **state)
{
    struct dueq q = DUEQ(10);

    (void)state;
    assert_null(dueq_first(&q));
    assert_int_equal(dueq_add(&q, row(3, 1, 50)), RC_OK);
    assert_int_equal(dueq_add(&q, row(2, 2, 50)), RC_OK);
    assert_int_equal(dueq_add(&q, row(9, 3, 10)), RC_OK);
    static const int64_t order[] = {9, 2, 3};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_int_equal(dueq_first(&q)->id, order[i]);
        assert_true(dueq_remove(&q, dueq_first(&q)->lead));
    }
    assert_null(dueq_first(&q));
    dueq_free(&q);
}

static void a_lead_has_one_row_and_a_full_queue_refuses(void **state)
{
    struct dueq q = DUEQ(2);

    (void)state;
    assert_int_equal(dueq_add(&q, row(1, 7, 10)), RC_OK);
    assert_int_equal(dueq_add(&q, row(2, 7, 5)), RC_EXISTS);
    assert_int_equal(dueq_first(&q)->id, 1);
    assert_int_equal(dueq_add(&q, row(3, 8, 1)), RC_OK);
    assert_int_equal(dueq_add(&q, row(4, 9, 0)), RC_BUSY);
    assert_int_equal(dueq_first(&q)->id, 3);
    assert_null(dueq_find(&q, 9));
    assert_int_equal(dueq_find(&q, 7)->id, 1);
    assert_false(dueq_remove(&q, 9));
    dueq_clear(&q);
    assert_null(dueq_find(&q, 7));
    assert_int_equal(dueq_add(&q, row(4, 9, 0)), RC_OK);
    dueq_free(&q);
}

/* Against the plainest model: an array that is searched. */
enum { LEADS = 300, ROUNDS = 20000 };

static const struct due_row *model_first(const struct due_row model[LEADS])
{
    const struct due_row *first = NULL;

    for (size_t i = 0; i < LEADS; i++)
        if (model[i].id && (!first || model[i].due_at < first->due_at ||
                            (model[i].due_at == first->due_at && model[i].id < first->id)))
            first = &model[i];
    return first;
}

static void any_mix_of_changes_keeps_the_order(void **state)
{
    struct dueq q = DUEQ(LEADS);
    static struct due_row model[LEADS];
    uint64_t seed = 42;

    (void)state;
    for (int64_t id = 1; id <= ROUNDS; id++) {
        uint64_t r = random_next(&seed);
        size_t lead = (size_t)(r % LEADS);

        if (r >> 33 & 1 && dueq_first(&q)) /* half of the time it is the first that goes */
            lead = (size_t)(dueq_first(&q)->lead / 1000003);
        if (r >> 32 & 1) {
            struct due_row new = row(id, (int64_t)lead * 1000003, (int64_t)(r >> 40 & 255));
            enum rc rc = dueq_add(&q, new);

            assert_int_equal(rc, model[lead].id ? RC_EXISTS : RC_OK);
            if (rc == RC_OK)
                model[lead] = new;
        } else {
            assert_int_equal(dueq_remove(&q, (int64_t)lead * 1000003), model[lead].id != 0);
            model[lead].id = 0;
        }
        const struct due_row *expected = model_first(model), *first = dueq_first(&q);
        assert_int_equal(first != NULL, expected != NULL);
        if (first)
            assert_int_equal(first->id, expected->id);
    }
    dueq_free(&q);
}

static void a_map_forgets_only_what_is_removed(void **state)
{
    struct idmap m = {0};
    enum { N = 1000 };

    (void)state;
    assert_null(idmap_find(&m, 1));
    assert_false(idmap_remove(&m, 1));
    for (int64_t i = 0; i < N; i++)
        idmap_set(&m, i * 64, i);
    for (int64_t i = 0; i < N; i += 3)
        assert_true(idmap_remove(&m, i * 64));
    for (int64_t i = 0; i < N; i++) {
        const int64_t *value = idmap_find(&m, i * 64);

        assert_int_equal(value == NULL, i % 3 == 0);
        if (value)
            assert_int_equal(*value, i);
    }
    idmap_clear(&m);
    assert_null(idmap_find(&m, 64));
    idmap_free(&m);
}

#define AT_HIGH_RATES 100.0

/* The next request leaves as soon as it may. */
static int64_t take(struct rate *r, double per_second, double burst_ms, int64_t now)
{
    int64_t at = rate_ready_at(r, per_second, burst_ms, now);

    rate_count(r, per_second, at);
    return at;
}

static void requests_are_spaced_at_low_rates(void **state)
{
    struct rate r = {0};

    (void)state;
    assert_int_equal(take(&r, 2.5, 0, 1000), 1000);
    assert_int_equal(rate_ready_at(&r, 2.5, 0, 1000), 1400);
    assert_int_equal(take(&r, 2.5, 0, 1000), 1400);
    assert_int_equal(take(&r, 2.5, 0, 1000), 1800);
    assert_int_equal(rate_ready_at(&r, 2.5, 0, 5000), 5000);
    assert_int_equal(take(&r, 2.5, 0, 5000), 5000);
    assert_int_equal(rate_ready_at(&r, 2.5, 0, 5000), 5400);
}

static void a_burst_leaves_at_once_and_is_paid_for_afterwards(void **state)
{
    struct rate r = {0};

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(&r, 1, 4000, 1000), 1000);
    assert_int_equal(take(&r, 1, 4000, 1000), 2000);
    assert_int_equal(take(&r, 1, 4000, 1000), 3000);
}

static void high_rates_are_reached_with_a_clock_of_milliseconds(void **state)
{
    struct rate r = {0};
    int taken = 0;

    (void)state;
    for (int64_t now = 100000; now < 101000; now += 7)
        while (rate_ready_at(&r, 3000, AT_HIGH_RATES, now) <= now) {
            rate_count(&r, 3000, now);
            taken++;
        }
    assert_in_range(taken, 2900, 3400);
}

static void no_rate_is_no_limit(void **state)
{
    struct rate r = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(take(&r, 0, 0, 77), 77);
}

static void backoff_doubles_up_to_its_maximum_with_full_jitter(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int64_t attempts = 0; attempts < 70; attempts++) {
        int64_t most = attempts < 9 ? INT64_C(2000) << attempts : 900000;
        int64_t lowest = INT64_MAX, highest = 0;

        if (most > 900000)
            most = 900000;
        for (int i = 0; i < 400; i++) {
            int64_t wait = backoff_wait(2000, 900000, attempts, random_next(&seed));

            assert_in_range(wait, 100, most);
            lowest = wait < lowest ? wait : lowest;
            highest = wait > highest ? wait : highest;
        }
        assert_true(lowest < most / 4);
        assert_true(highest > most - most / 4);
    }
    assert_int_equal(backoff_wait(1, 1, 0, 0), 1);
    assert_in_range(backoff_wait(5000, 1000, 3, UINT64_MAX), 1, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_is_counted_up_to_a_limit),
        cmocka_unit_test(the_earliest_comes_first_and_ids_break_ties),
        cmocka_unit_test(a_lead_has_one_row_and_a_full_queue_refuses),
        cmocka_unit_test(any_mix_of_changes_keeps_the_order),
        cmocka_unit_test(a_map_forgets_only_what_is_removed),
        cmocka_unit_test(requests_are_spaced_at_low_rates),
        cmocka_unit_test(a_burst_leaves_at_once_and_is_paid_for_afterwards),
        cmocka_unit_test(high_rates_are_reached_with_a_clock_of_milliseconds),
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(backoff_doubles_up_to_its_maximum_with_full_jitter),
    };

    return cmocka_run_group_tests_name("dueq", tests, NULL, NULL);
}
