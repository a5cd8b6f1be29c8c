/* tests/unit/test_lane_scan.c - what a lane reads from disk, how much at once, and when again. */
#include "lane_world.h"

static void what_does_not_fit_is_read_from_disk_in_order_of_time(void **state)
{
    struct lane *lane = new_lane();
    int64_t n = LANE_WINDOW + 100, now = 1000000;

    (void)state;
    for (int64_t lead = 1; lead <= n; lead++)
        notify(lane, fake_add("c", lead, 1000), 1000);
    /* An older row of this lead is unseen: the new one must not overtake it. */
    notify(lane, fake_add("c", n, 900), 1000);
    for (int64_t i = 1; i <= n; i++) {
        lane_scan(lane, NULL, now);
        int64_t id = take(lane, now);
        assert_int_equal(id, i);
        fake_row(id)->state = DELIVERY_DELIVERED;
    }
    assert_in_range(fake_scans, 2, 4);
    lane_refresh(lane, NULL, &(struct due_row){.lead = n}, now);
    assert_int_equal(take(lane, now), n + 1);
    lane_free(lane);
}

static void while_rows_are_unseen_a_new_one_does_not_jump_the_queue(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    for (int64_t lead = 1; lead <= LANE_WINDOW + 1; lead++)
        notify(lane, fake_add("c", lead, 1000), 1000);
    assert_int_equal(take(lane, 2000), 1);
    fake_row(1)->state = DELIVERY_DELIVERED;
    notify(lane, fake_add("c", LANE_WINDOW + 1, 900), 2000); /* there is room now */
    assert_null(dueq_find(&lane_own(lane)->queues[ROUTINE].window, LANE_WINDOW + 1));
    lane_free(lane);
}

static void what_is_in_flight_does_not_fill_the_scan(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    for (int64_t lead = 1; lead <= LANE_WINDOW; lead++) {
        fake_add("c", lead, 1000);
        idmap_set(&lane->flight, lead, 1);
    }
    fake_add("c", LANE_WINDOW + 1, 2000);
    lane_rescan(lane, 0);
    lane_scan(lane, NULL, 3000);
    assert_int_equal(take(lane, 3000), LANE_WINDOW + 1);
    lane_free(lane);
}

static void a_full_window_that_waits_does_not_hide_what_is_due(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    for (int64_t lead = 1; lead <= LANE_WINDOW; lead++)
        notify(lane, fake_add("c", lead, 900000), 1000);
    notify(lane, fake_add("c", LANE_WINDOW + 1, 2000), 2000);
    assert_true(lane_wake_at(lane, 2000, 2000) <= 2000);
    lane_scan(lane, NULL, 2000);
    assert_int_equal(take(lane, 2000), LANE_WINDOW + 1);
    lane_free(lane);
}

static void a_full_window_without_work_is_not_read_again_and_again(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    for (int64_t lead = 1; lead <= LANE_WINDOW + 5; lead++) {
        fake_add("c", lead, 1);
        fake_row(lead)->open_attempt_at = 1000000; /* all have to settle */
    }
    lane_rescan(lane, 0);
    fake_scans = 0;
    for (int64_t now = 10; now < 5000; now += 10)
        lane_scan(lane, NULL, now);
    assert_in_range(fake_scans, 1, 6);
    lane_free(lane);
}

static void a_read_that_failed_is_tried_again_after_a_second(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    fake_add("c", 1, 10);
    fake_read_error = RC_IO;
    lane_rescan(lane, 100);
    lane_scan(lane, NULL, 100);
    fake_read_error = RC_OK;
    assert_int_equal(lane_wake_at(lane, 101, 101), 1100);
    lane_scan(lane, NULL, 101);
    assert_int_equal(take(lane, 101), 0);
    lane_scan(lane, NULL, 1100);
    assert_int_equal(take(lane, 1100), 1);

    fake_read_error = RC_IO;
    lane_refresh(lane, NULL, &(struct due_row){.lead = 1}, 2000);
    fake_read_error = RC_OK;
    lane_scan(lane, NULL, 3000);
    assert_int_equal(take(lane, 3000), 1);
    lane_free(lane);
}

static void a_backlog_does_not_hide_what_is_urgent(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    for (int64_t lead = 1; lead <= LANE_WINDOW + 100; lead++)
        (void)fake_add("c", lead, lead);
    (void)urgent(99999, 50000);
    lane_rescan(lane, 50000);
    lane_scan(lane, NULL, 50000);
    assert_int_equal(take(lane, 50000), LANE_WINDOW + 101);
    notify(lane, urgent(99998, 50000), 50000);
    assert_int_equal(take(lane, 50000), LANE_WINDOW + 102);
    assert_int_equal(take(lane, 50000), 1);
    lane_free(lane);
}

/* Routine rows behind urgent heads are none themselves, and there may be any number of them. */
static void what_is_no_head_is_passed_over_bit_by_bit_and_once(void **state)
{
    enum { BEHIND = 3 * DUE_ROWS_MAX };
    struct lane *lane = new_lane();
    int scans = 0;

    (void)state;
    (void)urgent(1, 1000);
    for (int i = 0; i < BEHIND; i++)
        (void)fake_add("c", 1, 10);
    int64_t other = fake_add("c", 2, 20).id;
    lane_rescan(lane, 100);
    fake_seen = 0;
    for (; lane_next_scan(lane, 100) <= 100; scans++) {
        int64_t seen = fake_seen;

        lane_scan(lane, NULL, 100);
        assert_in_range(fake_seen - seen, 0, DUE_ROWS_MAX + 1);
    }
    assert_in_range(scans, 3, 5);
    assert_int_equal(fake_seen, BEHIND + 2);
    assert_int_equal(take(lane, 100), other);
    fake_row(other)->state = DELIVERY_DELIVERED;
    lane_refresh(lane, NULL, &(struct due_row){.lead = 2}, 200);
    notify(lane, fake_add("c", 3, 200), 200);
    assert_int_equal(take(lane, 200), other + 1);
    assert_int_equal(fake_seen, BEHIND + 2);
    lane_free(lane);
}

/* The reading has passed it, and there was no room: it is gone back to. */
static void what_was_turned_away_behind_the_reading_is_read_again(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    for (int64_t lead = 1; lead <= 2 * LANE_WINDOW; lead++)
        (void)fake_add("c", lead, lead);
    lane_rescan(lane, 9000);
    lane_scan(lane, NULL, 9000);
    struct due_row late = fake_add("c", 99999, 5); /* before most of what was read */
    notify(lane, late, 9000);
    for (int64_t i = 1; i <= LANE_WINDOW; i++) {
        assert_int_equal(take(lane, 9000), i);
        fake_row(i)->state = DELIVERY_DELIVERED;
    }
    fake_seen = 0;
    lane_scan(lane, NULL, 9000);
    assert_int_equal(take(lane, 9000), late.id);
    for (int64_t i = LANE_WINDOW + 1; i < 2 * LANE_WINDOW; i++) {
        assert_int_equal(take(lane, 9000), i);
        fake_row(i)->state = DELIVERY_DELIVERED;
    }
    assert_in_range(fake_seen, LANE_WINDOW, LANE_WINDOW + 9);
    lane_free(lane);
}

/* The store made the head urgent when the other one came. */
static void a_head_that_holds_up_what_is_urgent_is_urgent(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    notify(lane, fake_add("c", 1, 10), 10);
    notify(lane, fake_add("c", 2, 11), 11);
    fake_row(2)->urgent = true;
    notify(lane, urgent(2, 12), 12);
    assert_int_equal(take(lane, 12), 2);
    assert_int_equal(take(lane, 12), 1);
    lane_free(lane);
}

/* Many with much waiting for one lead each: one reading does not look at all of it. */
static void what_is_no_head_in_many_lines_is_not_read_at_once(void **state)
{
    enum { TARGETS = 20, EACH = 2000 };
    struct lane *lane = new_lane();
    int scans = 0;

    (void)state;
    for (int64_t i = 0; i < TARGETS * EACH; i++)
        fake_row(fake_add("c", 1, 10).id)->target = 1 + i % TARGETS;
    lane_rescan(lane, 100);
    fake_seen = 0;
    for (; lane_next_scan(lane, 100) <= 100; scans++) {
        int64_t seen = fake_seen;

        lane_scan(lane, NULL, 100);
        assert_in_range(fake_seen - seen, 0, DUE_ROWS_MAX + EACH);
    }
    assert_in_range(scans, 4, 5);
    assert_int_equal(lane_count_due(lane, 100, 100), TARGETS);
    lane_free(lane);
}

/* All that is in the lane and on disk, one by one: in which turn this row comes; 0: never. */
static int64_t turn_of(struct lane *lane, int64_t id, int64_t now)
{
    for (int64_t turn = 1;; turn++) {
        lane_scan(lane, NULL, now);
        int64_t next = take(lane, now);

        if (!next || next == id)
            return next ? turn : 0;
        fake_row(next)->state = DELIVERY_DELIVERED;
    }
}

/* Neither window has room. The store has moved the head among what is urgent, by its own time: the
 * reading there has passed it. */
static void an_unseen_head_that_became_urgent_is_found(void **state)
{
    enum { LEAD = 99999, BEYOND = 100 };
    struct lane *lane = new_lane();

    (void)state;
    for (int64_t lead = 1; lead <= LANE_WINDOW; lead++)
        (void)fake_add("c", lead, lead);
    int64_t head = fake_add("c", LEAD, 5000).id;
    for (int64_t lead = 1; lead <= LANE_WINDOW + BEYOND; lead++)
        (void)urgent(10000 + lead, 10000);
    lane_rescan(lane, 20000);
    lane_scan(lane, NULL, 20000);
    fake_row(head)->urgent = true;
    notify(lane, urgent(LEAD, 20000), 20000);
    assert_in_range(turn_of(lane, head, 20000), 1, LANE_WINDOW + BEYOND);
    lane_free(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_read_from_disk_in_order_of_time),
        cmocka_unit_test(while_rows_are_unseen_a_new_one_does_not_jump_the_queue),
        cmocka_unit_test(what_is_in_flight_does_not_fill_the_scan),
        cmocka_unit_test(a_full_window_that_waits_does_not_hide_what_is_due),
        cmocka_unit_test(a_full_window_without_work_is_not_read_again_and_again),
        cmocka_unit_test(a_read_that_failed_is_tried_again_after_a_second),
        cmocka_unit_test(a_backlog_does_not_hide_what_is_urgent),
        cmocka_unit_test(what_is_no_head_is_passed_over_bit_by_bit_and_once),
        cmocka_unit_test(what_was_turned_away_behind_the_reading_is_read_again),
        cmocka_unit_test(a_head_that_holds_up_what_is_urgent_is_urgent),
        cmocka_unit_test(what_is_no_head_in_many_lines_is_not_read_at_once),
        cmocka_unit_test(an_unseen_head_that_became_urgent_is_found),
    };

    return cmocka_run_group_tests_name("lane_scan", tests, NULL, NULL);
}
