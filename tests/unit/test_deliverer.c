/* tests/unit/test_deliverer.c - order, pace, marks, doubts, verdicts: a deliverer in virtual time.
 */
#include "cm.h"
#include "delivery_world.h"

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

static const char *const one[] = {"c"};
static const char *const two[] = {"c", "other"};

static struct world *world_one(void)
{
    struct world *w = world_new(one, 1);

    world_start_deliverer(w);
    return w;
}

static void a_due_delivery_is_sent_and_recorded(void **state)
{
    static const struct route hot = {.name = {"hot", 3}};
    static const struct routes routes = {&hot, 1};
    struct world *w = world_new(one, 1);

    (void)state;
    w->lanes.routes = &routes;
    w->lanes.crm = &w->connectors[0];
    world_start_deliverer(w);
    post(w, "c", 7);
    step(w);
    assert_string_equal(fake_last_text, "0badcafe-1 0badcafe-7 https://crm/5/507 page7 built-in");
    assert_int_equal(fake_last_parcel.d.event, 1001);
    assert_int_equal(fake_row(1)->state, DELIVERY_PENDING);
    w->now += 250;
    answer(w, "post/1", 200);
    assert_int_equal(fake_row(1)->state, DELIVERY_DELIVERED);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_DELIVERED);
    assert_int_equal(last_end(w)->status, 200);
    assert_int_equal(last_end(w)->at, w->now);
    assert_int_equal(counted("c", "delivered"), 1);
    assert_true(metric_value(metric(METRIC_DELIVERY_SECONDS, STR("c"), STR_NULL)) == 1);
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

static void what_surely_was_not_sent_is_sent_again(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    lose(w, "post/1", HTTP_NOT_SENT);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    assert_in_range(w->next, w->now + 100, w->now + 2000);
    assert_int_equal(fake_row(1)->open_attempt_at, 0);
    step_to(w, w->next);
    assert_non_null(open_request(w, "post/1"));
    world_free(w);
}

static void what_may_have_arrived_is_looked_for_after_it_settled(void **state)
{
    struct world *w = world_one();
    int64_t began = w->now;

    (void)state;
    post(w, "c", 1);
    step(w);
    w->now += 1000;
    lose(w, "post/1", HTTP_UNKNOWN);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_AMBIGUOUS);
    assert_int_equal(fake_row(1)->open_attempt_at, began);
    assert_int_equal(w->next, w->now + 5000);
    step_to(w, w->next);
    assert_int_equal(w->n_sent, 2);
    respond(w, open_request(w, "look/1"),
            (struct http_response){HTTP_ANSWERED, 200, STR("found"), -1, STR_NULL});
    assert_int_equal(fake_row(1)->state, DELIVERY_DELIVERED);
    assert_int_equal(w->n_sent, 2);
    assert_int_equal(w->n_marked, 1);
    world_free(w);
}

static void what_is_not_found_is_sent_again_under_a_new_mark(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    lose(w, "post/1", HTTP_UNKNOWN);
    step_to(w, w->next);
    answer(w, "look/1", 200);
    assert_int_equal(w->n_marked, 2);
    assert_int_equal(fake_row(1)->open_attempt_at, w->now);
    lose(w, "post/1", HTTP_UNKNOWN);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_AMBIGUOUS);
    assert_int_equal(w->next, w->now + 5000);
    step_to(w, w->next);
    answer(w, "look/1", 200);
    lose(w, "post/1", HTTP_NOT_SENT); /* looked, and surely not sent: no doubt is left */
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    step_to(w, w->next);
    assert_non_null(open_request(w, "post/1"));
    world_free(w);
}

static void a_look_that_fails_leaves_the_doubt(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    lose(w, "post/1", HTTP_UNKNOWN);
    for (int i = 0; i < 6; i++) {
        step_to(w, w->next);
        if (i % 3 == 0)
            answer(w, "look/1", 503); /* for which the connector says RETRY */
        else
            lose(w, "look/1", i % 3 == 1 ? HTTP_UNKNOWN : HTTP_NOT_SENT);
        assert_int_equal(last_end(w)->verdict, ATTEMPT_AMBIGUOUS);
        assert_true(fake_row(1)->open_attempt_at != 0);
        assert_in_range(w->next, w->now + 100, w->now + 60000);
    }
    assert_int_equal(w->n_marked, 1);
    world_free(w);
}

static void after_a_restart_an_open_attempt_is_looked_at(void **state)
{
    struct world *w = world_new(one, 1);

    (void)state;
    fake_add("c", 1, 500);
    fake_add("c", 2, 600);
    fake_row(1)->open_attempt_at = w->now - 2000;
    world_start_deliverer(w);
    assert_int_equal(w->n_sent, 1);
    answer(w, "post/2", 200);
    assert_int_equal(w->next, w->now + 3000);
    step_to(w, w->next);
    assert_non_null(open_request(w, "look/1"));
    world_free(w);
}

static void a_step_before_the_effect_may_fail_without_doubt(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].needs_token = true;
    post(w, "c", 1);
    step(w);
    lose(w, "token/1", HTTP_UNKNOWN);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    assert_int_equal(w->n_marked, 0);
    step_to(w, w->next);
    answer(w, "token/1", 200);
    answer(w, "post/1", 200);
    post(w, "c", 2);
    step(w);
    answer(w, "post/2", 200); /* the session kept the token */
    world_free(w);
}

static void a_step_after_the_effect_that_fails_leaves_a_doubt(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    answer(w, "post/1", 299);
    lose(w, "post/1", HTTP_NOT_SENT);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_AMBIGUOUS);
    assert_int_equal(w->n_marked, 1);
    world_free(w);
}

static void a_doubt_needs_something_that_cannot_be_repeated(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    answer(w, "post/1", 250);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_AMBIGUOUS);
    w->settings[0].repeatable = true;
    post(w, "c", 2);
    step(w);
    answer(w, "post/2", 250);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    world_free(w);
}

static void backoff_grows_with_the_attempts(void **state)
{
    struct world *w = world_one();
    int64_t longest = 0;

    (void)state;
    post(w, "c", 1);
    step(w);
    for (int i = 0; i < 40; i++) {
        int64_t most = i < 5 ? INT64_C(2000) << i : 60000;

        lose(w, "post/1", HTTP_NOT_SENT);
        assert_in_range(w->next - w->now, 100, most);
        longest = w->next - w->now > longest ? w->next - w->now : longest;
        step_to(w, w->next);
    }
    assert_true(longest > 30000);
    world_free(w);
}

static void retry_after_is_a_floor_and_rests_the_lane(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    post(w, "c", 2);
    step(w);
    respond(w, open_request(w, "post/1"),
            (struct http_response){HTTP_ANSWERED, 429, STR(""), 90000, STR_NULL});
    assert_int_equal(last_end(w)->due_at, w->now + 90000);
    assert_int_equal(w->next, w->now + 90000);
    step_to(w, w->now + 89999);
    assert_int_equal(open_requests(w), 0);
    step_to(w, w->now + 1);
    assert_int_equal(open_requests(w), 1);
    respond(w, open_request(w, "post/2"),
            (struct http_response){HTTP_ANSWERED, 500, STR(""), 70000, STR_NULL});
    assert_int_equal(last_end(w)->due_at, w->now + 70000);
    assert_non_null(open_request(w, "post/1")); /* 500: only that one rests */
    answer(w, "post/1", 420);                   /* the connector asks for 5 s */
    assert_int_equal(last_end(w)->due_at >= w->now + 5000, 1);
    post(w, "c", 3);
    step_to(w, w->now + 4999);
    assert_int_equal(open_requests(w), 0);
    step_to(w, w->now + 1);
    assert_int_equal(open_requests(w), 1);
    world_free(w);
}

static void it_gives_up_by_age_with_the_last_reason(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].common.give_up_ms = DAYS_MS;
    post(w, "c", 1);
    step(w);
    lose(w, "post/1", HTTP_NOT_SENT);
    step_to(w, w->now + DAYS_MS - 1);
    answer(w, "post/1", 503);
    assert_int_equal(fake_row(1)->state, DELIVERY_PENDING);
    step_to(w, w->next);
    answer(w, "post/1", 503);
    assert_int_equal(fake_row(1)->state, DELIVERY_DEAD);
    assert_string_equal(last_end(w)->detail, "refused");
    assert_int_equal(counted("c", "dead"), 1);
    world_free(w);
}

static void a_doubt_is_looked_at_once_before_it_is_given_up(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].common.give_up_ms = 1000;
    post(w, "c", 1);
    step(w);
    w->now += 2000;
    lose(w, "post/1", HTTP_UNKNOWN);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_AMBIGUOUS);
    step_to(w, w->next);
    lose(w, "look/1", HTTP_UNKNOWN);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_DEAD);
    world_free(w);
}

static void with_give_up_0_it_never_gives_up(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    lose(w, "post/1", HTTP_NOT_SENT);
    step_to(w, w->now + 1000 * DAYS_MS);
    lose(w, "post/1", HTTP_NOT_SENT);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
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

static void those_in_doubt_never_travel_with_fresh_ones(void **state)
{
    struct world *w = world_new(one, 1);

    (void)state;
    w->settings[0].batch = 10;
    for (int lead = 1; lead <= 6; lead++) {
        fake_add("c", lead, 100 + lead);
        if (lead == 2 || lead == 3 || lead == 6)
            fake_row(lead)->open_attempt_at = 200;
    }
    world_start_deliverer(w); /* due: 1, 4, 5 at 101..105; 2, 3, 6 at 5200 */
    answer(w, "post/1,4,5", 200);
    answer(w, "look/2,3,6", 200);
    assert_int_equal(w->n_marked, 6);
    answer(w, "post/2,3,6", 200);
    assert_int_equal(counted("c", "delivered"), 6);
    world_free(w);
}

static void only_those_without_a_verdict_are_marked(void **state)
{
    struct world *w = world_new(one, 1);

    (void)state;
    w->settings[0].batch = 10;
    for (int lead = 1; lead <= 3; lead++) {
        fake_add("c", lead, 100);
        fake_row(lead)->open_attempt_at = 200;
    }
    world_start_deliverer(w);
    respond(w, open_request(w, "look/1,2,3"),
            (struct http_response){HTTP_ANSWERED, 200, STR("first"), -1, STR_NULL});
    assert_int_equal(w->n_marked, 2);
    lose(w, "post/1,2,3", HTTP_UNKNOWN);
    assert_int_equal(w->ends[0].verdict, ATTEMPT_DELIVERED);
    assert_int_equal(w->ends[1].verdict, ATTEMPT_AMBIGUOUS);
    assert_int_equal(w->ends[2].verdict, ATTEMPT_AMBIGUOUS);
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

static int quiet(void **state)
{
    static const struct log_settings s = {.level = LOG_ERROR + 1};

    (void)state;
    log_configure(&s);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_due_delivery_is_sent_and_recorded),
        cmocka_unit_test(of_one_lead_one_is_in_flight_and_in_order),
        cmocka_unit_test(no_more_run_at_once_than_allowed),
        cmocka_unit_test(requests_keep_to_the_rate),
        cmocka_unit_test(what_is_not_repeatable_leaves_only_after_its_mark_is_committed),
        cmocka_unit_test(what_is_repeatable_needs_no_mark),
        cmocka_unit_test(a_mark_that_fails_sends_nothing_and_is_tried_again_in_a_second),
        cmocka_unit_test(a_verdict_that_is_not_stored_is_stored_later_and_nothing_begins_meanwhile),
        cmocka_unit_test(what_surely_was_not_sent_is_sent_again),
        cmocka_unit_test(what_may_have_arrived_is_looked_for_after_it_settled),
        cmocka_unit_test(what_is_not_found_is_sent_again_under_a_new_mark),
        cmocka_unit_test(a_look_that_fails_leaves_the_doubt),
        cmocka_unit_test(after_a_restart_an_open_attempt_is_looked_at),
        cmocka_unit_test(a_step_before_the_effect_may_fail_without_doubt),
        cmocka_unit_test(a_step_after_the_effect_that_fails_leaves_a_doubt),
        cmocka_unit_test(a_doubt_needs_something_that_cannot_be_repeated),
        cmocka_unit_test(backoff_grows_with_the_attempts),
        cmocka_unit_test(retry_after_is_a_floor_and_rests_the_lane),
        cmocka_unit_test(it_gives_up_by_age_with_the_last_reason),
        cmocka_unit_test(a_doubt_is_looked_at_once_before_it_is_given_up),
        cmocka_unit_test(with_give_up_0_it_never_gives_up),
        cmocka_unit_test(what_is_due_travels_together),
        cmocka_unit_test(those_in_doubt_never_travel_with_fresh_ones),
        cmocka_unit_test(only_those_without_a_verdict_are_marked),
        cmocka_unit_test(what_cannot_be_said_is_dead_with_the_reason),
        cmocka_unit_test(a_conversation_without_end_or_verdict_is_ended),
        cmocka_unit_test(what_the_crm_said_comes_back_as_an_event),
        cmocka_unit_test(a_slow_lane_delays_only_itself),
    };

    return cmocka_run_group_tests_name("deliverer", tests, quiet, NULL);
}
