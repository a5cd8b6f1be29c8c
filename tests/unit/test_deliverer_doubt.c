/* tests/unit/test_deliverer_doubt.c - what failed: sent again, looked for, put off, given up. */
#include "cm.h"
#include "delivery_world.h"

#include "funneld/base/clock.h"

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
            (struct http_response){
                .fate = HTTP_ANSWERED, .status = 200, .body = STR("found"), .retry_after_ms = -1});
    assert_int_equal(fake_row(1)->state, DELIVERY_DELIVERED);
    assert_int_equal(w->n_sent, 2);
    assert_int_equal(w->n_marked, 1);
    world_free(w);
}

/* People see stars in its place. */
static void a_password_that_is_a_word_of_the_answer_does_not_change_what_it_means(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].password = STR("found");
    post(w, "c", 1);
    step(w);
    lose(w, "post/1", HTTP_UNKNOWN);
    step_to(w, w->next);
    respond(w, open_request(w, "look/1"),
            (struct http_response){
                .fate = HTTP_ANSWERED, .status = 200, .body = STR("found"), .retry_after_ms = -1});
    assert_int_equal(fake_row(1)->state, DELIVERY_DELIVERED);
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

/* However old the mark is: the clock that it was made by may have been another, and the request
 * left later. */
static void after_a_restart_an_open_attempt_has_time_to_settle_and_is_looked_at(void **state)
{
    struct world *w = world_new(one, 1);

    (void)state;
    fake_add("c", 1, 500);
    fake_add("c", 2, 600);
    fake_row(1)->open_attempt_at = w->now - 3600000;
    world_start_deliverer(w);
    assert_int_equal(w->n_sent, 1);
    answer(w, "post/2", 200);
    assert_int_equal(w->next, w->now + 5000);
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

static void a_definite_answer_leaves_no_doubt_behind(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    answer(w, "post/1", 297);
    lose(w, "post/1", HTTP_NOT_SENT);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    post(w, "c", 2);
    step(w);
    answer(w, "post/2", 297);
    answer(w, "post/2", 299); /* that of the last one counts */
    lose(w, "post/2", HTTP_NOT_SENT);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_AMBIGUOUS);
    post(w, "c", 3);
    step(w);
    answer(w, "post/3", 297);
    lose(w, "post/3", HTTP_UNKNOWN);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_AMBIGUOUS);
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
            (struct http_response){
                .fate = HTTP_ANSWERED, .status = 429, .body = STR(""), .retry_after_ms = 90000});
    assert_int_equal(last_end(w)->due_at, w->now + 90000);
    assert_int_equal(w->next, w->now + 90000);
    step_to(w, w->now + 89999);
    assert_int_equal(open_requests(w), 0);
    step_to(w, w->now + 1);
    assert_int_equal(open_requests(w), 1);
    respond(w, open_request(w, "post/2"),
            (struct http_response){
                .fate = HTTP_ANSWERED, .status = 500, .body = STR(""), .retry_after_ms = 70000});
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
    for (int64_t age = 1; age <= 2; age++) { /* to the millisecond */
        w->settings[0].common.give_up_ms = age;
        post(w, "c", 1);
        step(w);
        w->now += age;
        lose(w, age == 1 ? "post/2" : "post/3", HTTP_NOT_SENT);
        assert_int_equal(last_end(w)->verdict, ATTEMPT_DEAD);
    }
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
    assert_true(last_end(w)->in_doubt);
    world_free(w);
}

/* One in doubt ends for good: by an answer, or because the connector does not even ask. */
static void only_what_nobody_could_tell_dies_in_doubt(void **state)
{
    struct world *w = world_one();

    (void)state;
    for (int lead = 1; lead <= 3; lead++) {
        post(w, "c", lead);
        step(w);
        lose(w, lead == 1 ? "post/1" : lead == 2 ? "post/2" : "post/3", HTTP_UNKNOWN);
        w->settings[0].invalid = lead == 3;
        step_to(w, w->next);
        if (lead == 1)
            answer(w, "look/1", 403); /* it may not look */
        if (lead == 2) {
            answer(w, "look/2", 200);
            answer(w, "post/2", 404);
        }
        assert_int_equal(last_end(w)->verdict, ATTEMPT_DEAD);
        assert_int_equal(last_end(w)->in_doubt, lead == 1);
    }
    world_free(w);
}

static void every_failure_has_a_reason(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    answer(w, "post/1", 410);
    assert_string_equal(last_end(w)->detail, "the service refused it without saying why");
    post(w, "c", 2);
    step(w);
    respond(w, open_request(w, "post/2"),
            (struct http_response){.fate = HTTP_NOT_SENT, .retry_after_ms = -1});
    assert_string_equal(last_end(w)->detail, "it failed without saying why");
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
    world_start_deliverer(w); /* due: 1, 4, 5 at 101..105; 2, 3, 6 when they have settled */
    answer(w, "post/1,4,5", 200);
    step_to(w, w->now + 5000);
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
    step_to(w, w->now + 5000);
    respond(w, open_request(w, "look/1,2,3"),
            (struct http_response){
                .fate = HTTP_ANSWERED, .status = 200, .body = STR("first"), .retry_after_ms = -1});
    assert_int_equal(w->n_marked, 2);
    lose(w, "post/1,2,3", HTTP_UNKNOWN);
    assert_int_equal(w->ends[0].verdict, ATTEMPT_DELIVERED);
    assert_int_equal(w->ends[1].verdict, ATTEMPT_AMBIGUOUS);
    assert_int_equal(w->ends[2].verdict, ATTEMPT_AMBIGUOUS);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_surely_was_not_sent_is_sent_again),
        cmocka_unit_test(what_may_have_arrived_is_looked_for_after_it_settled),
        cmocka_unit_test(a_password_that_is_a_word_of_the_answer_does_not_change_what_it_means),
        cmocka_unit_test(what_is_not_found_is_sent_again_under_a_new_mark),
        cmocka_unit_test(a_look_that_fails_leaves_the_doubt),
        cmocka_unit_test(after_a_restart_an_open_attempt_has_time_to_settle_and_is_looked_at),
        cmocka_unit_test(a_step_before_the_effect_may_fail_without_doubt),
        cmocka_unit_test(a_step_after_the_effect_that_fails_leaves_a_doubt),
        cmocka_unit_test(a_definite_answer_leaves_no_doubt_behind),
        cmocka_unit_test(a_doubt_needs_something_that_cannot_be_repeated),
        cmocka_unit_test(backoff_grows_with_the_attempts),
        cmocka_unit_test(retry_after_is_a_floor_and_rests_the_lane),
        cmocka_unit_test(it_gives_up_by_age_with_the_last_reason),
        cmocka_unit_test(a_doubt_is_looked_at_once_before_it_is_given_up),
        cmocka_unit_test(only_what_nobody_could_tell_dies_in_doubt),
        cmocka_unit_test(every_failure_has_a_reason),
        cmocka_unit_test(with_give_up_0_it_never_gives_up),
        cmocka_unit_test(those_in_doubt_never_travel_with_fresh_ones),
        cmocka_unit_test(only_those_without_a_verdict_are_marked),
    };

    return cmocka_run_group_tests_name("deliverer_doubt", tests, quiet, NULL);
}
