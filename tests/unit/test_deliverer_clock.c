/* tests/unit/test_deliverer_clock.c - a deliverer whose clock is set back. */
#include "cm.h"
#include "delivery_world.h"

#include "funneld/base/clock.h"

/* What waits for a time that the clock will not reach again for a year goes on. */
static void a_clock_that_is_set_back_stops_nothing(void **state)
{
    const int64_t year = 365 * DAYS_MS;
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    answer(w, "post/1", 503);
    assert_true(w->next > w->now && w->next != INT64_MAX); /* it rests */
    step_to(w, w->now - year);
    step_to(w, w->now + 20 * MINUTES_MS);
    answer(w, "post/1", 200);
    world_free(w);
}

/* By less than a Retry-After may mean: then a day's wait cannot be told from one that was short. */
static void a_clock_that_is_set_back_by_hours_delays_nothing_by_hours(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    answer(w, "post/1", 503);
    step_to(w, w->now - 5 * HOURS_MS);
    step_to(w, w->now + 20 * MINUTES_MS);
    answer(w, "post/1", 200);
    world_free(w);
}

/* Two weeks are too old, but nobody knows that they have passed. */
static void a_clock_that_jumps_ahead_ends_nothing_of_age(void **state)
{
    struct world *w = world_one();
    int64_t start = w->now;

    (void)state;
    w->settings[0].common.give_up_ms = 14 * DAYS_MS;
    w->steady = start;
    post(w, "c", 1);
    step(w);
    w->now += 20 * DAYS_MS;
    w->steady += 1000;
    step(w);
    answer(w, "post/1", 503);
    assert_int_equal(fake_row(1)->state, DELIVERY_PENDING);
    w->steady += 12 * HOURS_MS;
    step_to(w, w->now + 12 * HOURS_MS);
    answer(w, "post/1", 503);
    assert_int_equal(fake_row(1)->state, DELIVERY_PENDING);
    w->steady += 13 * HOURS_MS; /* it has said so for a day */
    step_to(w, w->now + 13 * HOURS_MS);
    answer(w, "post/1", 503);
    assert_int_equal(fake_row(1)->state, DELIVERY_DEAD);
    world_free(w);
}

static void a_wall_clock_is_believed_while_it_keeps_to_the_steady_one(void **state)
{
    struct trusted_time t = {0};
    const int64_t wall = 1795000000000, hour = HOURS_MS, day = DAYS_MS;

    (void)state;
    assert_int_equal(trusted_time(&t, wall, 5), wall);
    assert_int_equal(trusted_time(&t, wall + hour + 10, 15), wall + hour + 10); /* just so */
    assert_int_equal(trusted_time(&t, wall - 3 * day, 20), wall - 3 * day);     /* back, always */
    assert_int_equal(trusted_time(&t, wall, 30), wall - 3 * day + 10); /* and ahead again */
    assert_int_equal(trusted_time(&t, wall + day, 30 + day - 1), wall - 2 * day + 9);
    assert_int_equal(trusted_time(&t, wall - 2 * day, 30 + day), wall - 2 * day); /* it was right */
    assert_int_equal(trusted_time(&t, wall, 40 + day), wall - 2 * day + 10);
    assert_int_equal(trusted_time(&t, wall + day, 40 + 2 * day), wall + day); /* a day later */
    t = (struct trusted_time){0}; /* two jumps are two doubts */
    assert_int_equal(trusted_time(&t, wall, 5), wall);
    assert_int_equal(trusted_time(&t, wall + 2 * hour, 5), wall);
    assert_int_equal(trusted_time(&t, wall + 4000 * day, 4 + day), wall + day - 1);
    assert_int_equal(trusted_time(&t, wall + 4000 * day, 6 + day), wall + day + 1);
    assert_int_equal(trusted_time(&t, wall + 4001 * day, 4 + 2 * day), wall + 4001 * day);
    t = (struct trusted_time){.wall_ms = wall, .steady_ms = 5};
    assert_int_equal(trusted_time(&t, wall + 2 * hour, 6), wall + 1); /* from the start */
}

/* Soon is not at once: what has just left may still arrive. */
static void what_is_in_doubt_settles_although_the_clock_is_set_back_by_hours(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    lose(w, "post/1", HTTP_UNKNOWN);
    step_to(w, w->now - 5 * HOURS_MS);
    step_to(w, w->now + 4999);
    assert_int_equal(open_requests(w), 0);
    step_to(w, w->now + 1);
    assert_non_null(open_request(w, "look/1"));
    world_free(w);
}

static void a_row_that_is_due_in_a_year_is_due_now(void **state)
{
    struct world *w = world_one();

    (void)state;
    fake_add("c", 1, w->now + 365 * DAYS_MS);
    deliverer_rescan(w->d);
    step(w);
    answer(w, "post/1", 200);
    fake_add("c", 2, w->now + 20 * HOURS_MS); /* a day may be meant */
    deliverer_rescan(w->d);
    step(w);
    assert_int_equal(open_requests(w), 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_set_back_stops_nothing),
        cmocka_unit_test(a_clock_that_is_set_back_by_hours_delays_nothing_by_hours),
        cmocka_unit_test(a_clock_that_jumps_ahead_ends_nothing_of_age),
        cmocka_unit_test(a_wall_clock_is_believed_while_it_keeps_to_the_steady_one),
        cmocka_unit_test(what_is_in_doubt_settles_although_the_clock_is_set_back_by_hours),
        cmocka_unit_test(a_row_that_is_due_in_a_year_is_due_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
