/* tests/unit/test_deliverer_urgent.c - what becomes urgent while it is under way: the store makes a
 * head urgent when something urgent comes behind it.
 */
#include "cm.h"
#include "../../src/deliver/lane_priv.h"
#include "delivery_world.h"

enum { HEAD = 1, LEAD = 1 };

/* Something urgent for the lead; its head becomes so. */
static void hurry(struct world *w)
{
    struct due_row row = fake_add("c", LEAD, w->now);

    row.urgent = fake_row(row.id)->urgent = true;
    fake_row(HEAD)->urgent = true;
    deliverer_notify(w->d, STR("c"), &row);
}

/* Its head is under way, others wait. */
static struct world *start(int64_t leads)
{
    struct world *w = world_one();

    for (int64_t lead = LEAD; lead <= leads; lead++)
        (void)post(w, "c", lead);
    step(w);
    assert_non_null(open_request(w, "post/1"));
    return w;
}

static void it_is_tried_again_as_urgent(void **state)
{
    struct world *w = start(5);

    (void)state;
    hurry(w);
    answer(w, "post/1", 503);
    step_to(w, w->now + 5000); /* it has backed off long enough */
    answer(w, "post/2", 200);
    answer(w, "post/1", 200);
    answer(w, "post/6", 200);
    answer(w, "post/3", 200);
    world_free(w);
}

static void it_is_not_lost_when_the_window_has_no_room(void **state)
{
    struct world *w = start(LANE_WINDOW + 100);

    (void)state;
    hurry(w);
    answer(w, "post/1", 503);
    step_to(w, w->now + 5000);
    answer(w, "post/2", 200);
    answer(w, "post/1", 200);
    answer(w, "post/4197", 200);
    answer(w, "post/3", 200);
    world_free(w);
}

/* Nothing was sent: the store could not say that it began. */
static void it_goes_back_as_urgent(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->store = STORE_WAITS;
    (void)post(w, "c", LEAD);
    step(w);
    struct due_row earlier = fake_add("c", LEAD + 1, w->now - 1000);
    deliverer_notify(w->d, STR("c"), &earlier);
    hurry(w);
    step(w);
    w->store = STORE_FAILS;
    world_commit(w);
    step(w);
    w->store = STORE_COMMITS;
    step_to(w, w->now + 2000);
    answer(w, "post/1", 200);
    answer(w, "post/3", 200);
    answer(w, "post/2", 200);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_tried_again_as_urgent),
        cmocka_unit_test(it_is_not_lost_when_the_window_has_no_room),
        cmocka_unit_test(it_goes_back_as_urgent),
    };

    return cmocka_run_group_tests_name("deliverer_urgent", tests, quiet, NULL);
}
