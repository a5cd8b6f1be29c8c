/* tests/unit/test_lane.c - what a lane holds, what it leaves on disk, when it wakes. */
#include "cm.h"
#include "lane_world.h"

#include "funneld/base/clock.h"

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

/* A merge brings a lead what is older than all that waited for it. */
static void an_older_head_takes_the_place_of_the_one_that_is_known(void **state)
{
    struct lane *lane = new_lane();
    struct due_row old = fake_add("c", 7, 10);

    (void)state;
    notify(lane, fake_add("c", 1, 10), 10);
    old.lead = fake_row(old.id)->lead = 1;
    notify(lane, old, 20);
    assert_int_equal(take(lane, 20), old.id);
    assert_int_equal(take(lane, 20), 0);
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

enum { ENDS = 100 };

/* Somebody subscribes, does not answer, and is gone. */
static void fail_and_end(struct lane *lane, int64_t target, int64_t now)
{
    struct due_row row = fake_add("c", 1, now);

    settings.backoff_ms = settings.backoff_max_ms = 2000;
    row.target = fake_row(row.id)->target = target;
    notify(lane, row, now);
    lane_scan(lane, NULL, now);
    struct line *line = lane_next_line(lane, now);
    assert_non_null(line);
    assert_int_equal(line->target, target);
    for (int i = 0; i < 5; i++) {
        lane_begin(lane, line, now);
        lane_note_health(lane, line, HEALTH_FAILED, STR("gone"), now, now, 0);
        lane_end(lane, line);
    }
    assert_true(circuit_is_open(&line->circuit));
    assert_int_equal(take(lane, now + settings.backoff_max_ms), row.id);
    fake_row(row.id)->state = DELIVERY_CANCELLED;
}

static void of_those_who_ended_without_an_answer_nothing_is_kept(void **state)
{
    struct lane *lane = new_lane();
    int64_t now = 1700000000000;

    (void)state;
    for (int64_t target = 1; target <= ENDS; target++) {
        now += 3 * HOURS_MS;
        lane_clock(lane, now, 0);
        assert_in_range(lane->by_target.n, 1, 2); /* with the connector's own */
        fail_and_end(lane, target, now);
    }
    lane_free(lane);
}

/* Nothing waits for it, but it asked not to be asked. */
static void while_it_rests_a_line_is_kept(void **state)
{
    struct lane *lane = new_lane();
    int64_t now = 1700000000000;

    (void)state;
    lane_clock(lane, now, 0);
    fail_and_end(lane, 7, now);
    int64_t until = now + 10 * HOURS_MS;
    for (struct line *l = lane->lines; l; l = l->next)
        l->paused_until = l->target ? until : 0;
    for (; now < until; now += 2 * HOURS_MS) {
        lane_clock(lane, now, 0);
        assert_int_equal(lane->by_target.n, 2);
    }
    lane_clock(lane, now, 0);
    assert_int_equal(lane->by_target.n, 1);
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
        cmocka_unit_test(pause_rate_and_concurrency_hold_it_back),
        cmocka_unit_test(what_is_urgent_goes_first_once_it_is_due),
        cmocka_unit_test(an_urgent_one_waits_for_an_older_one_of_its_lead),
        cmocka_unit_test(an_older_head_takes_the_place_of_the_one_that_is_known),
        cmocka_unit_test(of_one_lead_each_target_has_its_own_head),
        cmocka_unit_test(of_those_who_ended_without_an_answer_nothing_is_kept),
        cmocka_unit_test(while_it_rests_a_line_is_kept),
        cmocka_unit_test(at_rest_it_never_wakes),
        cmocka_unit_test(a_session_lives_until_its_last_user_is_gone),
    };

    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
