/* tests/unit/test_deliverer_kinds.c - what does not travel together, what need not travel, what
 * arrives in parts, and what is answered that nobody knows. */
#include "cm.h"
#include "delivery_world.h"

static void post_as(struct world *w, const char *route, int64_t lead)
{
    fake_row(post(w, "c", lead))->route = str_of(route);
}

static void kinds_that_do_not_go_together_still_make_full_batches(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].batch = 3;
    w->settings[0].apart = true;
    for (int64_t lead = 1; lead <= 6; lead++)
        post_as(w, lead % 2 ? "ask" : "tell", lead);
    step(w);
    answer(w, "post/1,3,5", 200);
    answer(w, "post/2,4,6", 200);
    assert_int_equal(counted("c", "delivered"), 6);
    world_free(w);
}

static void what_was_passed_over_keeps_its_turn(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].batch = 2;
    w->settings[0].apart = true;
    post_as(w, "ask", 1);
    post_as(w, "tell", 2);
    for (int64_t lead = 3; lead <= 5; lead++)
        post_as(w, "ask", lead);
    step(w);
    answer(w, "post/1,3", 200);
    answer(w, "post/2", 200); /* before those that came behind it */
    answer(w, "post/4,5", 200);
    world_free(w);
}

/* Behind a wall of others nothing is looked for without end; it comes when the wall is gone. */
static void only_so_many_are_passed_over(void **state)
{
    struct world *w = world_one();
    int64_t last = 1000;

    (void)state;
    w->settings[0].batch = 100;
    w->settings[0].apart = true;
    post_as(w, "ask", 1);
    for (int64_t lead = 2; lead < last; lead++)
        post_as(w, "tell", lead);
    post_as(w, "ask", last);
    step(w);
    answer(w, "post/1", 200);
    while (!open_request(w, "post/1000")) {
        struct sent *next = &w->sent[w->n_sent - 1];

        assert_true(next->open);
        respond(w, next,
                (struct http_response){.fate = HTTP_ANSWERED, .status = 200, .retry_after_ms = -1});
    }
    assert_true(counted("c", "delivered") > 500); /* not before most of the wall */
    answer(w, "post/1000", 200);
    assert_int_equal(counted("c", "delivered"), last);
    world_free(w);
}

static void what_needs_no_request_is_delivered_without_one(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].batch = 2;
    w->settings[0].nothing = true;
    post(w, "c", 1);
    post(w, "c", 2);
    step(w);
    assert_int_equal(w->n_sent, 0);
    assert_int_equal(w->n_marked, 0);
    assert_int_equal(counted("c", "delivered"), 2);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_DELIVERED);
    assert_int_equal(last_end(w)->status, 0);
    assert_string_equal(last_end(w)->detail, "as it was");
    world_free(w);
}

static void what_arrives_in_parts_goes_on_at_once_and_is_no_failure(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].repeatable = true;
    post(w, "c", 0); /* of no lead */
    step(w);
    for (int part = 0; part < 100; part++) {
        answer(w, "post/1", 206);
        assert_int_equal(last_end(w)->verdict, ATTEMPT_MORE);
        assert_int_equal(last_end(w)->due_at, w->now);
        assert_int_equal(last_end(w)->n_events, 2);
        assert_int_equal(last_end(w)->event_time, 88);
        assert_true(last_end(w)->remote_id);
        assert_int_equal(fake_row(1)->state, DELIVERY_PENDING);
    }
    answer(w, "post/1", 503); /* a failure is one as ever */
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    assert_true(last_end(w)->due_at <= w->now + 2000); /* by a first try's backoff */
    assert_int_equal(counted("c", "retried"), 1);
    step_to(w, last_end(w)->due_at);
    answer(w, "post/1", 200);
    assert_int_equal(counted("c", "delivered"), 1);
    assert_int_equal(counted("c", "dead"), 0);
    world_free(w);
}

static void a_part_that_is_not_stored_is_no_part(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].repeatable = true;
    post(w, "c", 1);
    step(w);
    w->store = STORE_FAILS;
    answer(w, "post/1", 206);
    step_to(w, w->now + 100);
    assert_int_equal(open_requests(w), 0); /* nothing goes on before it is on disk */
    w->store = STORE_COMMITS;
    step_to(w, w->now + 1000);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_MORE);
    assert_int_equal(open_requests(w), 1);
    world_free(w);
}

static void an_answer_that_nobody_knows_is_stored_as_such(void **state)
{
    struct world *w = world_one();

    (void)state;
    post_as(w, "a", 1);
    step(w);
    answer(w, "post/1", 503);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    assert_false(last_end(w)->unclear);
    post_as(w, "a", 2);
    step(w);
    answer(w, "post/2", 418);
    assert_int_equal(last_end(w)->verdict, ATTEMPT_RETRY);
    assert_true(last_end(w)->unclear);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_that_do_not_go_together_still_make_full_batches),
        cmocka_unit_test(what_was_passed_over_keeps_its_turn),
        cmocka_unit_test(only_so_many_are_passed_over),
        cmocka_unit_test(what_needs_no_request_is_delivered_without_one),
        cmocka_unit_test(what_arrives_in_parts_goes_on_at_once_and_is_no_failure),
        cmocka_unit_test(a_part_that_is_not_stored_is_no_part),
        cmocka_unit_test(an_answer_that_nobody_knows_is_stored_as_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
