/* tests/unit/test_lane.c - what a lane holds, what it leaves on disk, when it wakes. */
#include "cm.h"
#include "fake_queue.h"

#include "../../src/deliver/lane_priv.h"

static struct connector_common settings;
static int sessions_freed;

static void count_free(void *session)
{
    assert_non_null(session);
    sessions_freed++;
}

static const struct connector_type type = {
    .upsert = true, .name = "fake", .session_size = 8, .session_free = count_free, .max_batch = 1};
static const struct connector connector = {&type, {"c", 1}, &settings};

static struct lane *new_lane(void)
{
    struct lane *lane = lane_new(STR("c"));

    fake_clear();
    settings = (struct connector_common){.concurrency = 2, .settle_ms = 500};
    lane_configure(lane, &connector, 0);
    lane_scan(lane, NULL, 0);
    return lane;
}

static int64_t take(struct lane *lane, int64_t now)
{
    struct line *line = lane_next_line(lane, now);
    struct due_row row = {0};

    return line && line_take(line, now, &row) ? row.id : 0;
}

static void notify(struct lane *lane, struct due_row row, int64_t now)
{
    lane_notify(lane, NULL, &row, now);
}

static void the_window_holds_the_head_of_each_lead(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    notify(lane, fake_add("c", 1, 10), 5); /* 1 */
    notify(lane, fake_add("c", 1, 8), 5);  /* 2: behind 1 although due before */
    notify(lane, fake_add("c", 2, 9), 5);  /* 3 */
    assert_int_equal(take(lane, 8), 0);
    assert_int_equal(take(lane, 20), 3);
    assert_int_equal(take(lane, 20), 1);
    assert_int_equal(take(lane, 20), 0);
    lane_free(lane);
}

static void a_lead_in_flight_takes_no_other_row(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    idmap_set(&lane->flight, 1, 1);
    notify(lane, fake_add("c", 1, 10), 20);
    lane_refresh(lane, NULL, &(struct due_row){.lead = 1}, 20);
    lane_rescan(lane, 20);
    lane_scan(lane, NULL, 20);
    assert_int_equal(take(lane, 30), 0);
    assert_true(idmap_remove(&lane->flight, 1));
    lane_refresh(lane, NULL, &(struct due_row){.lead = 1}, 30);
    assert_int_equal(take(lane, 30), 1);
    lane_free(lane);
}

static void a_row_that_becomes_due_earlier_is_moved(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    notify(lane, fake_add("c", 1, 30000), 5); /* waits for enrichment */
    fake_row(1)->due_at = 7;
    notify(lane, fake_due_row(fake_row(1)), 7);
    assert_int_equal(lane_wake_at(lane, 7, 7), 7);
    assert_int_equal(take(lane, 7), 1);
    lane_free(lane);
}

static void a_newer_row_is_seen_when_the_head_was_superseded(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    notify(lane, fake_add("c", 1, 30000), 5);
    fake_row(1)->state = DELIVERY_SUPERSEDED;
    notify(lane, fake_add("c", 1, 6), 6);
    assert_int_equal(take(lane, 6), 2);
    lane_free(lane);
}

static void an_open_attempt_is_due_after_it_settled(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    struct due_row row = fake_add("c", 1, 10);
    row.open_attempt_at = 100;
    notify(lane, row, 100);
    assert_int_equal(lane_wake_at(lane, 100, 100), 600);
    assert_int_equal(take(lane, 599), 0);
    assert_int_equal(take(lane, 600), 1);
    lane_free(lane);
}

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

static void pause_rate_and_concurrency_hold_it_back(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    notify(lane, fake_add("c", 1, 10), 10);
    assert_true(lane_may_start(lane, 10));
    lane_pause(lane, 50);
    lane_pause(lane, 40);
    assert_false(lane_may_start(lane, 49));
    assert_int_equal(lane_wake_at(lane, 10, 10), 50);
    settings.rate = 1;
    lane_count_request(lane, 1, 45);
    assert_false(lane_may_start(lane, 50));
    assert_int_equal(lane_wake_at(lane, 50, 50), 1045);
    assert_true(lane_may_start(lane, 1045));
    lane->running = 2;
    assert_false(lane_may_start(lane, 5000));
    assert_int_equal(lane_wake_at(lane, 5000, 5000), NEVER);
    lane->running = 0;
    lane_free(lane);
}

static struct due_row urgent(int64_t lead, int64_t due_at)
{
    struct due_row row = fake_add("c", lead, due_at);

    row.urgent = fake_row(row.id)->urgent = true;
    return row;
}

static void what_is_urgent_goes_first_once_it_is_due(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    notify(lane, fake_add("c", 1, 10), 10);
    notify(lane, fake_add("c", 2, 20), 20);
    notify(lane, urgent(3, 30), 20);
    assert_int_equal(line_count(lane_own(lane)), 3);
    assert_int_equal(lane_count_due(lane, 20, 9), 2);
    assert_int_equal(lane_first_due(lane), 10);
    assert_int_equal(take(lane, 20), 1);
    assert_int_equal(take(lane, 30), 3);
    assert_int_equal(take(lane, 30), 2);
    assert_int_equal(take(lane, 30), 0);
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

/* Its older one, on disk only, goes first: a lead hears of things in their order. */
static void an_urgent_one_waits_for_an_older_one_of_its_lead(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    for (int64_t lead = 1; lead <= LANE_WINDOW + 100; lead++)
        (void)fake_add("c", lead, lead);
    lane_rescan(lane, 50000);
    lane_scan(lane, NULL, 50000);
    notify(lane, urgent(LANE_WINDOW + 50, 50000), 50000);
    assert_int_equal(take(lane, 50000), 1);
    lane_free(lane);
}

static void of_one_lead_each_target_has_its_own_head(void **state)
{
    struct lane *lane = new_lane();
    struct due_row rows[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        rows[i] = fake_add("c", 1, 10 + i);
        rows[i].target = fake_row(rows[i].id)->target = 1 + i % 2;
        notify(lane, rows[i], 20);
    }
    lane_scan(lane, NULL, 20); /* what waits for somebody new is read */
    assert_int_equal(lane_count_due(lane, 20, 9), 2);
    assert_int_equal(take(lane, 20), 1);
    idmap_set(&lane->flight, due_key(&rows[0]), 1);
    lane_refresh(lane, NULL, &rows[2], 20);
    assert_int_equal(take(lane, 20), 2); /* the first target's is in flight */
    assert_int_equal(take(lane, 20), 0);
    lane_refresh(lane, NULL, &rows[3], 20);
    assert_int_equal(take(lane, 20), 2); /* still its head, as nothing became of it */
    lane_free(lane);
}

static void at_rest_it_never_wakes(void **state)
{
    struct lane *lane = new_lane();

    (void)state;
    assert_int_equal(lane_wake_at(lane, 1000, 1000), NEVER);
    lane_configure(lane, NULL, 1000);
    notify(lane, fake_add("c", 1, 10), 10);
    assert_int_equal(lane_wake_at(lane, 1000, 1000), NEVER);
    assert_false(lane_may_start(lane, 1000));
    lane_free(lane);
}

static void a_session_lives_until_its_last_user_is_gone(void **state)
{
    struct lane *lane = new_lane();
    struct session *old = lane->session;

    (void)state;
    sessions_freed = 0;
    old->users++;
    ((char *)old->data)[3] = 'x';
    lane_configure(lane, &connector, 10);
    assert_ptr_not_equal(lane->session, old);
    assert_int_equal(((char *)lane->session->data)[3], 0);
    assert_int_equal(sessions_freed, 0);
    session_drop(old);
    assert_int_equal(sessions_freed, 1);
    lane_free(lane);
    assert_int_equal(sessions_freed, 2);
}

static void its_counters_are_there_from_the_start(void **state)
{
    static const char *const outcomes[] = {"delivered", "retried", "dead", "superseded",
                                           "cancelled"};
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    struct lane *lane = new_lane();

    (void)state;
    metrics_render(&b);
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        struct arena a = {0};
        struct str line = arena_printf(
            &a, "funneld_deliveries_total{connector=\"c\",outcome=\"%s\"} 0\n", outcomes[i]);

        assert_non_null(str_find(sbuf_str(&b), line));
        arena_free(&a);
    }
    lane_free(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_counters_are_there_from_the_start),
        cmocka_unit_test(the_window_holds_the_head_of_each_lead),
        cmocka_unit_test(a_lead_in_flight_takes_no_other_row),
        cmocka_unit_test(a_row_that_becomes_due_earlier_is_moved),
        cmocka_unit_test(a_newer_row_is_seen_when_the_head_was_superseded),
        cmocka_unit_test(an_open_attempt_is_due_after_it_settled),
        cmocka_unit_test(what_does_not_fit_is_read_from_disk_in_order_of_time),
        cmocka_unit_test(while_rows_are_unseen_a_new_one_does_not_jump_the_queue),
        cmocka_unit_test(what_is_in_flight_does_not_fill_the_scan),
        cmocka_unit_test(a_full_window_that_waits_does_not_hide_what_is_due),
        cmocka_unit_test(a_full_window_without_work_is_not_read_again_and_again),
        cmocka_unit_test(a_read_that_failed_is_tried_again_after_a_second),
        cmocka_unit_test(pause_rate_and_concurrency_hold_it_back),
        cmocka_unit_test(what_is_urgent_goes_first_once_it_is_due),
        cmocka_unit_test(a_backlog_does_not_hide_what_is_urgent),
        cmocka_unit_test(an_urgent_one_waits_for_an_older_one_of_its_lead),
        cmocka_unit_test(of_one_lead_each_target_has_its_own_head),
        cmocka_unit_test(at_rest_it_never_wakes),
        cmocka_unit_test(a_session_lives_until_its_last_user_is_gone),
    };

    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
