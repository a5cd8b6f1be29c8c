/* tests/unit/test_deliverer.c - order, pace, marks, batches: a deliverer in virtual time.
 */
#include "cm.h"
#include "delivery_world.h"

#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

static const char *const two[] = {"c", "other"};

static void a_due_delivery_is_sent_and_recorded(void **state)
{
    static const struct message own = {.connector = {"c", 1}};
    static const struct route hot = {.name = {"hot", 3}, .messages = &own, .n_messages = 1};
    static const struct routes routes = {&hot, 1, LANGUAGE_EN};
    struct world *w = world_new(one, 1);

    (void)state;
    w->lanes.routes = &routes;
    w->lanes.crm = &w->connectors[0];
    world_start_deliverer(w);
    post(w, "c", 7);
    step(w);
    assert_string_equal(fake_last_text, "0badcafe-1 0badcafe-7 https://crm/5/507 page7 message");
    assert_int_equal(fake_last_parcel.d.event, 1001);
    assert_int_equal(fake_row(1)->state, DELIVERY_PENDING);
    w->now += 250;
    answer(w, "post/1", 200);
    assert_int_equal(fake_row(1)->state, DELIVERY_DELIVERED);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_DELIVERED);
    assert_int_equal(last_end(w)->status, 200);
    assert_int_equal(last_end(w)->at, w->now);
    assert_int_equal(counted("c", "delivered"), 1);
    struct sbuf page AUTO(sbuf_free) = SBUF(1 << 20);
    metrics_render(&page);
    assert_non_null(str_find(sbuf_str(&page), /* it was created when it was posted */
                             STR("funneld_delivery_seconds_sum{connector=\"c\"} 0.25\n")));
    assert_true(deliverer_idle(w->d));
    world_free(w);
}

static void of_one_lead_one_is_in_flight_and_in_order(void **state)
{
    struct world *w = world_new(one, 1);

    (void)state;
    w->settings[0].common.concurrency = 8;
    world_start_deliverer(w);
    for (int i = 0; i < 3; i++)
        post(w, "c", 1);
    post(w, "c", 2);
    step(w);
    assert_int_equal(open_requests(w), 2);
    answer(w, "post/4", 200);
    answer(w, "post/1", 500);
    assert_int_equal(open_requests(w), 0); /* 2 waits for 1 */
    step_to(w, w->next);
    answer(w, "post/1", 200);
    answer(w, "post/2", 404);
    answer(w, "post/3", 200);
    assert_int_equal(counted("c", "delivered"), 3);
    assert_int_equal(counted("c", "retried"), 1);
    assert_int_equal(counted("c", "dead"), 1);
    world_free(w);
}

static void no_more_run_at_once_than_allowed(void **state)
{
    struct world *w = world_new(one, 1);

    (void)state;
    w->settings[0].common.concurrency = 3;
    world_start_deliverer(w);
    for (int lead = 1; lead <= 5; lead++)
        post(w, "c", lead);
    step(w);
    assert_int_equal(open_requests(w), 3);
    answer(w, "post/2", 200);
    assert_int_equal(open_requests(w), 3);
    assert_non_null(open_request(w, "post/4"));
    world_free(w);
}

static void requests_keep_to_the_rate(void **state)
{
    struct world *w = world_new(one, 1);
    int64_t begin = w->now;

    (void)state;
    w->settings[0].common.rate = 2;
    w->settings[0].common.concurrency = 8;
    w->settings[0].needs_token = true;
    world_start_deliverer(w);
    post(w, "c", 1);
    post(w, "c", 2);
    step(w);
    assert_int_equal(open_requests(w), 1);
    answer(w, "token/1", 200); /* the next step of the same job waits its turn, too */
    assert_int_equal(open_requests(w), 0);
    assert_int_equal(w->next, begin + 500);
    step_to(w, begin + 500);
    assert_int_equal(open_requests(w), 1);
    assert_int_equal(w->next, begin + 1000);
    step_to(w, begin + 999);
    assert_int_equal(open_requests(w), 1);
    step_to(w, begin + 1000);
    assert_non_null(open_request(w, "post/2"));
    world_free(w);
}

static void what_is_not_repeatable_leaves_only_after_its_mark_is_committed(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->store = STORE_WAITS;
    post(w, "c", 1);
    step(w);
    assert_int_equal(open_requests(w), 0);
    assert_false(deliverer_idle(w->d));
    w->now += 30;
    world_commit(w);
    assert_int_equal(fake_row(1)->open_attempt_at, w->now - 30);
    assert_int_equal(open_requests(w), 0);
    step(w);
    assert_non_null(open_request(w, "post/1"));
    answer(w, "post/1", 200);
    assert_int_equal(w->n_marked, 1);
    assert_int_equal(fake_row(1)->state, DELIVERY_PENDING);
    world_commit(w);
    step(w);
    assert_int_equal(last_end(w)->started_at, w->now - 30);
    assert_int_equal(fake_row(1)->open_attempt_at, 0);
    world_free(w);
}

static void what_is_repeatable_needs_no_mark(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].repeatable = true;
    post(w, "c", 1);
    step(w);
    lose(w, "post/1", HTTP_UNKNOWN);
    assert_int_equal(w->n_marked, 0);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    assert_string_equal(last_end(w)->detail, "the line broke");
    assert_int_equal(last_end(w)->status, 0);
    world_free(w);
}

static void a_mark_that_fails_sends_nothing_and_is_tried_again_in_a_second(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->store = STORE_FAILS;
    post(w, "c", 1);
    step(w);
    assert_int_equal(w->n_sent, 0);
    assert_int_equal(w->next, w->now + 1000);
    step_to(w, w->next);
    assert_int_equal(w->n_sent, 0);
    w->store = STORE_COMMITS;
    step_to(w, w->next);
    answer(w, "post/1", 200);
    assert_int_equal(counted("c", "delivered"), 1);
    assert_int_equal(counted("c", "retried"), 0);
    world_free(w);
}

static void a_verdict_that_is_not_stored_is_stored_later_and_nothing_begins_meanwhile(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    post(w, "c", 2);
    step(w);
    w->store = STORE_FAILS;
    answer(w, "post/1", 200);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(w->next, w->now + 1000);
        step_to(w, w->next);
        assert_int_equal(w->n_sent, 1);
    }
    assert_int_equal(counted("c", "delivered"), 0);
    w->store = STORE_COMMITS;
    step_to(w, w->next);
    assert_int_equal(counted("c", "delivered"), 1);
    assert_non_null(open_request(w, "post/2"));
    world_free(w);
}

static void what_is_due_travels_together(void **state)
{
    struct world *w = world_new(one, 1);

    (void)state;
    w->settings[0].batch = 3;
    world_start_deliverer(w);
    for (int lead = 1; lead <= 4; lead++)
        post(w, "c", lead);
    post(w, "c", 1); /* of a lead whose head is in the batch */
    step(w);
    assert_int_equal(w->n_marked, 3);
    answer(w, "post/1,2,3", 207);
    assert_int_equal(fake_row(1)->state, DELIVERY_DELIVERED);
    assert_int_equal(fake_row(2)->state, DELIVERY_PENDING);
    assert_int_equal(counted("c", "retried"), 2);
    answer(w, "post/4,5", 200);
    world_free(w);
}

/* Those that are passed over are not forgotten, and none of them waits for ever. */
static void what_does_not_go_together_travels_apart(void **state)
{
    struct world *w = world_new(one, 1);

    (void)state;
    w->settings[0].batch = 3;
    w->settings[0].kinds = 2;
    world_start_deliverer(w);
    for (int lead = 1; lead <= 9; lead++)
        post(w, "c", lead);
    step(w);
    answer(w, "post/1,3,5", 200);
    answer(w, "post/2,4,6", 200); /* the first that waits says who comes along */
    answer(w, "post/7,9", 200);
    answer(w, "post/8", 200);
    for (int64_t id = 1; id <= 9; id++)
        assert_int_equal(fake_row(id)->state, DELIVERY_DELIVERED);
    world_free(w);
}

static void what_cannot_be_said_is_dead_with_the_reason(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].invalid = true;
    post(w, "c", 1);
    step(w);
    assert_int_equal(fake_row(1)->state, DELIVERY_DEAD);
    assert_string_equal(last_end(w)->detail, "it cannot be said");
    w->settings[0].invalid = false;
    w->transport_rc = RC_INVALID;
    post(w, "c", 2);
    step(w);
    assert_int_equal(fake_row(2)->state, DELIVERY_DEAD);
    w->transport_rc = RC_IO;
    post(w, "c", 3);
    step(w);
    assert_int_equal(fake_row(3)->state, DELIVERY_PENDING);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    assert_int_equal(w->n_sent, 0);
    world_free(w);
}

static void a_conversation_without_end_or_verdict_is_ended(void **state)
{
    struct world *w = world_one();
    int steps = 0;

    (void)state;
    post(w, "c", 1);
    step(w);
    for (; open_requests(w); steps++)
        answer(w, "post/1", 299);
    assert_in_range(steps, 50, 100);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_AMBIGUOUS);
    w->settings[0].repeatable = true;
    post(w, "c", 2);
    step(w);
    answer(w, "post/2", 298);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    assert_true(strlen(last_end(w)->detail) > 0);
    world_free(w);
}

static void what_the_crm_said_comes_back_as_an_event(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].enriches = true;
    post(w, "c", 1);
    step(w);
    answer(w, "post/1", 200);
    assert_int_equal(last_end(w)->event_time, 77);
    assert_true(last_end(w)->enriched);
    world_free(w);
}

/* Behind one that ended another may wait on disk, and one that is tried again may be urgent now. */
static void each_end_needs_one_look_at_the_disk(void **state)
{
    static const int answers[] = {503, 250, 404, 200};
    struct world *w = world_one();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        char path[20];
        int64_t id = post(w, "c", 10 + (int64_t)i);

        assert_in_range(snprintf(path, sizeof path, "post/%d", (int)id), 6, 19);
        step(w);
        int looks = fake_looks;
        answer(w, path, answers[i]);
        assert_int_equal(fake_looks, looks + 1);
    }
    world_free(w);
}

static void a_slow_lane_delays_only_itself(void **state)
{
    struct world *w = world_new(two, 2);

    (void)state;
    world_start_deliverer(w);
    post(w, "c", 1);
    post(w, "c", 2);
    step(w);
    for (int i = 0; i < 20; i++) {
        char path[20];

        assert_in_range(snprintf(path, sizeof path, "post/%d", (int)post(w, "other", i + 1)), 6,
                        19);
        step_to(w, w->now + 1000);
        answer(w, path, 200);
    }
    assert_int_equal(counted("other", "delivered"), 20);
    assert_int_equal(open_requests(w), 1);
    world_free(w);
}

/* What the log says while a delivery is tried twice, and then comes too late. */
static void each_end_is_logged_with_its_attempt(void **state)
{
    static const struct log_settings loud = {.level = LOG_INFO};
    struct world *w = world_one();
    FILE *log = tmpfile();
    int old = dup(STDERR_FILENO);
    char text[4096] = "";

    assert_true(log && old >= 0 && dup2(fileno(log), STDERR_FILENO) >= 0);
    log_configure(&loud);
    post(w, "c", 1);
    step(w);
    answer(w, "post/1", 503);
    step_to(w, w->next);
    answer(w, "post/1", 200);
    assert_true(dup2(old, STDERR_FILENO) >= 0 && close(old) == 0);
    (void)quiet(state);
    rewind(log);
    assert_true(fread(text, 1, sizeof text - 1, log) > 0);
    assert_int_equal(fclose(log), 0);
    const char *first = strstr(text, "ev=delivery.retry"), *second = strstr(text, "attempt=2");
    assert_non_null(first);
    assert_non_null(strstr(first, "attempt=1 status=503"));
    assert_non_null(second);
    assert_non_null(strstr(second, "attempt=2 status=200"));
    assert_non_null(strstr(text, "level=info ev=delivery.delivered"));
    world_free(w);
}

static void a_row_that_cannot_be_read_is_in_nobodys_way(void **state)
{
    struct world *w = world_one();

    (void)state;
    fake_unreadable = post(w, "c", 1);
    post(w, "c", 2);
    step(w);
    answer(w, "post/2", 200);
    post(w, "c", 3);
    step(w);
    answer(w, "post/3", 200);
    assert_int_equal(fake_row(1)->state, DELIVERY_PENDING);
    fake_unreadable = 0; /* mended */
    step_to(w, w->now + MINUTES_MS);
    answer(w, "post/1", 200);
    world_free(w);
}

/* Its deliveries have minus the object's id where others have a lead's. */
static void what_asks_for_an_object_needs_no_lead(void **state)
{
    struct world *w = world_one();

    (void)state;
    (void)post(w, "c", -5);
    (void)post(w, "c", -404); /* an object that is not there */
    step(w);
    assert_int_equal(w->n_sent, 1);
    answer(w, "post/1", 200);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_DELIVERED);
    step(w);
    assert_int_equal(w->n_sent, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_asks_for_an_object_needs_no_lead),
        cmocka_unit_test(a_row_that_cannot_be_read_is_in_nobodys_way),
        cmocka_unit_test(a_due_delivery_is_sent_and_recorded),
        cmocka_unit_test(of_one_lead_one_is_in_flight_and_in_order),
        cmocka_unit_test(no_more_run_at_once_than_allowed),
        cmocka_unit_test(requests_keep_to_the_rate),
        cmocka_unit_test(what_is_not_repeatable_leaves_only_after_its_mark_is_committed),
        cmocka_unit_test(what_is_repeatable_needs_no_mark),
        cmocka_unit_test(a_mark_that_fails_sends_nothing_and_is_tried_again_in_a_second),
        cmocka_unit_test(a_verdict_that_is_not_stored_is_stored_later_and_nothing_begins_meanwhile),
        cmocka_unit_test(what_is_due_travels_together),
        cmocka_unit_test(what_does_not_go_together_travels_apart),
        cmocka_unit_test(what_cannot_be_said_is_dead_with_the_reason),
        cmocka_unit_test(a_conversation_without_end_or_verdict_is_ended),
        cmocka_unit_test(what_the_crm_said_comes_back_as_an_event),
        cmocka_unit_test(each_end_needs_one_look_at_the_disk),
        cmocka_unit_test(a_slow_lane_delays_only_itself),
        cmocka_unit_test(each_end_is_logged_with_its_attempt),
    };

    return cmocka_run_group_tests_name("deliverer", tests, quiet, NULL);
}
