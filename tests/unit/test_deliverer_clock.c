/* tests/unit/test_deliverer_clock.c - a deliverer whose clock is set back. */
#include "cm.h"
#include "delivery_world.h"

#include "funneld/base/clock.h"

static const char *const one[] = {"c"};

static struct world *world_one(void)
{
    struct world *w = world_new(one, 1);

    world_start_deliverer(w);
    return w;
}

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
        cmocka_unit_test(a_row_that_is_due_in_a_year_is_due_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
