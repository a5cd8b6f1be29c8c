/* tests/unit/test_gate.c - the circuit of a lane, and the quotas of accounts. */
#include "cm.h"

#include "../../src/deliver/circuit_priv.h"
#include "../../src/deliver/governor_priv.h"
#include "funneld/base/clock.h"

enum { BACKOFF = 2000, BACKOFF_MAX = 900000, T = 1000000 };

static void note(struct circuit *c, enum attempt_health health, int64_t now)
{
    circuit_note(c, health, now, now, BACKOFF, BACKOFF_MAX, 0);
}

static void fail_often(struct circuit *c, int times, int64_t now)
{
    for (int i = 0; i < times; i++)
        note(c, HEALTH_FAILED, now);
}

static void some_failures_do_not_open_it(void **state)
{
    struct circuit c = {0};

    (void)state;
    fail_often(&c, 4, T);
    note(&c, HEALTH_UNKNOWN, T);
    assert_false(circuit_is_open(&c));
    note(&c, HEALTH_WELL, T);
    fail_often(&c, 4, T);
    assert_false(circuit_is_open(&c));
    assert_int_equal(circuit_allows(&c, 8), 8);
    assert_int_equal(circuit_ready_at(&c, T), T);
}

static void five_in_a_row_open_it_and_one_probes(void **state)
{
    struct circuit c = {0};

    (void)state;
    fail_often(&c, 5, T);
    assert_true(circuit_is_open(&c));
    assert_int_equal(circuit_ready_at(&c, T), T + BACKOFF);
    assert_int_equal(circuit_ready_at(&c, T + 9999), T + 9999);
    assert_int_equal(circuit_allows(&c, 8), 1);
}

static void one_that_says_it_is_broken_opens_it_at_once(void **state)
{
    struct circuit c = {0};

    (void)state;
    note(&c, HEALTH_BROKEN, T);
    assert_true(circuit_is_open(&c));
}

static void probes_wait_twice_as_long_each_time_up_to_the_maximum(void **state)
{
    struct circuit c = {0};
    int64_t now = T, wait = BACKOFF;

    (void)state;
    fail_often(&c, 5, now);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(circuit_ready_at(&c, now) - now, wait);
        now += wait;
        note(&c, HEALTH_FAILED, now);
        wait = wait * 2 > BACKOFF_MAX ? BACKOFF_MAX : wait * 2;
    }
}

static void jitter_takes_off_a_half_at_most(void **state)
{
    (void)state;
    for (uint64_t random = 0; random < 5000; random += 7) {
        struct circuit c = {0};

        circuit_note(&c, HEALTH_BROKEN, T, T, BACKOFF, BACKOFF_MAX, random);
        assert_in_range(circuit_ready_at(&c, T) - T, BACKOFF / 2, BACKOFF);
    }
}

static void what_began_before_it_opened_says_nothing_new_but_that_it_is_well(void **state)
{
    struct circuit c = {0};

    (void)state;
    fail_often(&c, 5, T);
    int64_t probe_at = circuit_ready_at(&c, T);
    circuit_note(&c, HEALTH_FAILED, T - 1, T + 1, BACKOFF, BACKOFF_MAX, 0);
    assert_int_equal(circuit_ready_at(&c, T), probe_at);
    circuit_note(&c, HEALTH_WELL, T - 1, T + 1, BACKOFF, BACKOFF_MAX, 0);
    assert_false(circuit_is_open(&c));
}

static void after_a_recovery_it_starts_slowly(void **state)
{
    static const size_t at_once[] = {1, 2, 4, 8, 16, 32};
    struct circuit c = {0};

    (void)state;
    fail_often(&c, 5, T);
    for (size_t i = 0; i < ARRAY_LEN(at_once); i++) {
        note(&c, HEALTH_WELL, T);
        assert_int_equal(circuit_allows(&c, 64), at_once[i]);
    }
    note(&c, HEALTH_WELL, T);
    assert_int_equal(circuit_allows(&c, 64), 64);
    assert_int_equal(circuit_allows(&c, 3), 3);
}

static void a_failure_ends_the_slow_start_only_when_it_opens_again(void **state)
{
    struct circuit c = {0};

    (void)state;
    fail_often(&c, 5, T);
    note(&c, HEALTH_WELL, T);
    fail_often(&c, 4, T);
    assert_false(circuit_is_open(&c));
    assert_int_equal(circuit_allows(&c, 64), 1);
    fail_often(&c, 1, T);
    assert_true(circuit_is_open(&c));
}

static void it_can_be_asked_to_probe_now(void **state)
{
    struct circuit c = {0};

    (void)state;
    circuit_probe_now(&c, T);
    assert_false(circuit_is_open(&c));
    note(&c, HEALTH_BROKEN, T);
    circuit_probe_now(&c, T + 5);
    assert_int_equal(circuit_ready_at(&c, T + 5), T + 5);
    assert_true(circuit_is_open(&c));
}

static void a_clock_set_back_does_not_make_it_wait_longer(void **state)
{
    struct circuit c = {0};

    (void)state;
    circuit_shift(&c, 500);
    assert_false(circuit_is_open(&c));
    note(&c, HEALTH_BROKEN, T);
    circuit_shift(&c, 500);
    assert_int_equal(circuit_ready_at(&c, T - 500), T - 500 + BACKOFF);
}

/* Quotas */

static const struct quota app = {.key = 1, .per_second = 10, .burst = 5};
static const struct quota search = {.key = 2, .per_second = 1, .burst = 1};

static void quotas_are_counted_apart_and_the_slowest_decides(void **state)
{
    const struct quota both[] = {app, search};
    struct governor g = {0};

    (void)state;
    assert_int_equal(governor_ready_at(&g, both, 2, T), T);
    governor_count(&g, both, 2, T);
    assert_int_equal(governor_ready_at(&g, both, 2, T), T + 1000);
    for (int i = 1; i < 5; i++) {
        assert_int_equal(governor_ready_at(&g, &app, 1, T), T);
        governor_count(&g, &app, 1, T);
    }
    assert_int_equal(governor_ready_at(&g, &app, 1, T), T + 100);
    assert_int_equal(governor_ready_at(&g, &search, 1, T + 1000), T + 1000);
    governor_free(&g);
}

static void a_rest_is_for_all_who_draw_from_it(void **state)
{
    struct governor g = {0};

    (void)state;
    governor_block(&g, &app, 1, T + 30000);
    governor_block(&g, &app, 1, T + 10000);
    assert_int_equal(governor_ready_at(&g, &app, 1, T), T + 30000);
    assert_int_equal(governor_rests_until(&g, &app, 1), T + 30000);
    assert_int_equal(governor_ready_at(&g, &search, 1, T), T);
    assert_int_equal(governor_rests_until(&g, &search, 1), 0);
    governor_shift(&g, 5000);
    assert_int_equal(governor_ready_at(&g, &app, 1, T), T + 25000);
    governor_free(&g);
}

static void what_is_left_is_spread_over_its_time(void **state)
{
    struct governor g = {0};

    (void)state;
    governor_learn(&g, &(struct quota_left){1, 99, 10000}, T);
    assert_int_equal(governor_ready_at(&g, &app, 1, T), T + 100);
    governor_learn(&g, &(struct quota_left){1, 0, 10000}, T);
    assert_int_equal(governor_ready_at(&g, &app, 1, T), T + 10000);
    governor_learn(&g, &(struct quota_left){0, 0, 10000}, T);
    governor_learn(&g, &(struct quota_left){2, -1, 10000}, T);
    governor_learn(&g, &(struct quota_left){2, 5, 0}, T);
    assert_int_equal(governor_ready_at(&g, &search, 1, T), T);
    governor_free(&g);
}

static void after_a_rest_there_is_no_burst(void **state)
{
    const struct quota five = {7, 2, 5};
    struct governor g = {0};

    (void)state;
    governor_block(&g, &five, 1, T + 30000);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(governor_ready_at(&g, &five, 1, T), T + 30000 + 500 * i);
        governor_count(&g, &five, 1, T + 30000 + 500 * i);
    }
    governor_free(&g);
}

/* A quota that rests must not be forgotten for one that does not. */
static void there_is_an_end_to_what_is_remembered(void **state)
{
    struct governor g = {0};
    struct quota q = search;

    (void)state;
    governor_block(&g, &app, 1, T + 1000 * HOURS_MS);
    for (uint64_t key = 100; key < 100 + 3 * GOVERNOR_MAX; key++) {
        q.key = key;
        governor_count(&g, &q, 1, T + (int64_t)key);
    }
    assert_int_equal(g.n, GOVERNOR_MAX);
    assert_int_equal(governor_ready_at(&g, &app, 1, T), T + 1000 * HOURS_MS);
    assert_int_equal(governor_ready_at(&g, &q, 1, T), T + (int64_t)q.key + 1000);
    governor_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_failures_do_not_open_it),
        cmocka_unit_test(five_in_a_row_open_it_and_one_probes),
        cmocka_unit_test(one_that_says_it_is_broken_opens_it_at_once),
        cmocka_unit_test(probes_wait_twice_as_long_each_time_up_to_the_maximum),
        cmocka_unit_test(jitter_takes_off_a_half_at_most),
        cmocka_unit_test(what_began_before_it_opened_says_nothing_new_but_that_it_is_well),
        cmocka_unit_test(after_a_recovery_it_starts_slowly),
        cmocka_unit_test(a_failure_ends_the_slow_start_only_when_it_opens_again),
        cmocka_unit_test(it_can_be_asked_to_probe_now),
        cmocka_unit_test(a_clock_set_back_does_not_make_it_wait_longer),
        cmocka_unit_test(quotas_are_counted_apart_and_the_slowest_decides),
        cmocka_unit_test(a_rest_is_for_all_who_draw_from_it),
        cmocka_unit_test(what_is_left_is_spread_over_its_time),
        cmocka_unit_test(after_a_rest_there_is_no_burst),
        cmocka_unit_test(there_is_an_end_to_what_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
