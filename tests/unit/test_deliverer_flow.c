/* tests/unit/test_deliverer_flow.c - services that fail, accounts with quotas, channels in a flood.
 */
#include "cm.h"

#include <math.h>

#include "delivery_world.h"

static const char *const two[] = {"a", "b"};

static double gauge(enum metric which, const char *connector)
{
    return metric_value(metric(which, str_of(connector), STR_NULL));
}

static struct world *start(const char *const names[], size_t n)
{
    struct world *w = world_new(names, n);

    world_start_deliverer(w);
    return w;
}

/* Answers all that is open; what that lets out stays so. */
static size_t answer_all(struct world *w, int status)
{
    size_t sent = w->n_sent, answered = 0;

    for (size_t i = 0; i < sent; i++)
        if (w->sent[i].open) {
            respond(w, &w->sent[i],
                    (struct http_response){.fate = HTTP_ANSWERED,
                                           .status = status,
                                           .body = STR("none"),
                                           .retry_after_ms = -1});
            answered++;
        }
    return answered;
}

/* No mail server that refuses one recipient after another is dead; one that goes is. */
static void a_mail_server_that_refuses_is_well(void **state)
{
    static const int codes[] = {550, 421};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct world *w = start(one, 1);

        for (int64_t lead = 1; lead <= 20; lead++) {
            post(w, "c", lead);
            step_to(w, w->now + 60000);
            for (size_t k = 0; k < w->n_sent; k++)
                if (w->sent[k].open)
                    respond(w, &w->sent[k],
                            (struct http_response){
                                .fate = HTTP_ANSWERED, .status = codes[i], .command = "RCPT"});
        }
        assert_int_equal(gauge(METRIC_CIRCUIT_OPEN, "c") == 1, codes[i] == 421);
        world_free(w);
    }
}

/* The same at the time when something can happen. */
static size_t turn(struct world *w, int status)
{
    step_to(w, w->next > w->now && w->next != INT64_MAX ? w->next : w->now);
    return answer_all(w, status);
}

static void fail_until_open(struct world *w)
{
    for (int i = 0; i < 1000 && gauge(METRIC_CIRCUIT_OPEN, "c") < 1; i++)
        (void)turn(w, 500);
    assert_true(gauge(METRIC_CIRCUIT_OPEN, "c") == 1);
}

static void a_dead_service_is_probed_by_one_at_a_time(void **state)
{
    struct world *w = start(one, 1);
    size_t asked = 0;

    (void)state;
    w->settings[0].common.concurrency = 4;
    for (int64_t lead = 1; lead <= 100; lead++)
        (void)post(w, "c", lead);
    step(w);
    fail_until_open(w);
    int64_t day = w->now + 24 * 3600 * 1000;
    while (w->now < day) {
        size_t n = turn(w, 500);

        assert_in_range(n, 0, 1);
        asked += n;
    }
    /* Waits of 30 to 60 s, once they have grown to backoff_max. */
    assert_in_range(asked, 24 * 60, 24 * 120 + 20);
    assert_int_equal(counted("c", "dead"), 0);
    assert_true(isinf(gauge(METRIC_QUEUE_ETA, "c")));
    world_free(w);
}

static void what_waited_for_a_dead_service_all_arrives(void **state)
{
    struct world *w = start(one, 1);
    size_t most = 0;

    (void)state;
    w->settings[0].common.concurrency = 4;
    for (int64_t lead = 1; lead <= 100; lead++)
        (void)post(w, "c", lead);
    fail_until_open(w);
    while (counted("c", "delivered") < 100) {
        size_t n = turn(w, 200);

        most = n > most ? n : most;
        if (counted("c", "delivered") == 1)
            assert_int_equal(n, 1);
    }
    assert_true(gauge(METRIC_CIRCUIT_OPEN, "c") == 0);
    assert_true(most > 1); /* the slow start ends */
    world_free(w);
}

static void a_service_that_is_broken_keeps_all_that_waits(void **state)
{
    struct world *w = start(one, 1);

    (void)state;
    for (int64_t lead = 1; lead <= 10; lead++)
        (void)post(w, "c", lead);
    assert_int_equal(turn(w, 401), 1);
    assert_true(gauge(METRIC_CIRCUIT_OPEN, "c") == 1);
    assert_int_equal(open_requests(w), 0);
    assert_string_equal(last_end(w)->detail, "the token was revoked");
    for (int i = 0; i < 30; i++)
        (void)turn(w, 401);
    assert_int_equal(counted("c", "dead"), 0);
    world_free(w);
}

static void whoever_mends_it_need_not_wait(void **state)
{
    struct world *w = start(one, 1);

    (void)state;
    (void)post(w, "c", 1);
    (void)post(w, "c", 2);
    (void)turn(w, 401);
    step(w);
    assert_int_equal(open_requests(w), 0);
    deliverer_probe(w->d);
    step(w);
    assert_int_equal(open_requests(w), 1);
    (void)turn(w, 401);
    deliverer_reload(w->d, &w->lanes);
    step(w);
    assert_true(gauge(METRIC_CIRCUIT_OPEN, "c") == 0);
    assert_int_equal(open_requests(w), 0); /* both back off */
    world_free(w);
}

static void two_connectors_of_one_account_share_its_quota(void **state)
{
    struct world *w = start(two, 2);
    int64_t began = w->now;

    (void)state;
    w->settings[0].quota = w->settings[1].quota = 2;
    for (int64_t lead = 1; lead <= 10; lead++) {
        (void)post(w, "a", lead);
        (void)post(w, "b", lead);
    }
    while (counted("a", "delivered") + counted("b", "delivered") < 20)
        assert_in_range(turn(w, 200), 0, 1);
    assert_in_range(w->now - began, 9500, 9600);
    assert_in_range(counted("a", "delivered"), 9, 10);
    world_free(w);
}

static void a_rest_that_one_was_told_to_take_is_for_both(void **state)
{
    struct world *w = start(two, 2);

    (void)state;
    w->settings[0].quota = w->settings[1].quota = 1000;
    (void)post(w, "a", 1);
    (void)post(w, "b", 1);
    step(w);
    int64_t told = w->now;
    assert_int_equal(open_requests(w), 1); /* the other one's turn is a millisecond later */
    for (size_t i = 0; i < w->n_sent; i++)
        respond(w, &w->sent[i],
                (struct http_response){.fate = HTTP_ANSWERED,
                                       .status = 429,
                                       .body = STR("none"),
                                       .retry_after_ms = 30000});
    while (!open_requests(w))
        step_to(w, w->next);
    assert_int_equal(w->now - told, 30000);
    world_free(w);
}

static void what_is_under_way_ends_after_its_connector_is_gone(void **state)
{
    struct world *w = start(one, 1);
    struct lanes none = {0};

    (void)state;
    w->settings[0].needs_token = true;
    w->settings[0].common.rate = 10;
    (void)post(w, "c", 1);
    step(w);
    deliverer_reload(w->d, &none);
    step(w);
    answer(w, "token/1", 200);
    step_to(w, w->now + 100);
    answer(w, "post/1", 200);
    assert_int_equal(counted("c", "delivered"), 1);
    world_free(w);
}

/* Its turn was reserved before the other one was told to rest. */
static void a_request_whose_turn_was_set_rests_as_well(void **state)
{
    struct world *w = start(one, 1);

    (void)state;
    w->settings[0].needs_token = true;
    w->settings[0].common.concurrency = 2;
    w->settings[0].common.rate = 1;
    (void)post(w, "c", 1);
    (void)post(w, "c", 2);
    step(w);
    step_to(w, w->now + 1000);
    answer(w, "token/1", 200); /* its post may leave in a second */
    int64_t told = w->now;
    respond(
        w, open_request(w, "token/2"),
        (struct http_response){
            .fate = HTTP_ANSWERED, .status = 429, .body = STR("none"), .retry_after_ms = 30000});
    step_to(w, w->now + 1000);
    while (!open_requests(w))
        step_to(w, w->next);
    assert_int_equal(w->now, told + 30000);
    world_free(w);
}

/* A server that counts: after the rest there is not one too many in any second. */
static void who_waited_for_the_end_of_a_rest_does_not_leave_all_at_once(void **state)
{
    struct world *w = start(one, 1);
    int64_t last = 0;
    int sent = 0;

    (void)state;
    w->settings[0].needs_token = true;
    w->settings[0].common.concurrency = 8;
    w->settings[0].common.rate = 1;
    w->settings[0].quota = 2;
    for (int64_t lead = 1; lead <= 20; lead++)
        (void)post(w, "c", lead);
    step(w);
    while (open_requests(w) < 8)
        step_to(w, w->next);
    for (size_t i = 1; i < 8; i++) /* seven more turns are given away */
        respond(w, &w->sent[i],
                (struct http_response){.fate = HTTP_ANSWERED, .status = 200, .retry_after_ms = -1});
    int64_t until = w->now + 30000;
    respond(
        w, &w->sent[0],
        (struct http_response){
            .fate = HTTP_ANSWERED, .status = 429, .body = STR("none"), .retry_after_ms = 30000});
    while (counted("c", "delivered") < 20) {
        if (open_requests(w)) {
            assert_int_equal(open_requests(w), 1);
            assert_true(w->now >= until && w->now - last >= 1000);
            last = w->now;
            sent++;
            (void)answer_all(w, 200);
        } else {
            step_to(w, w->next);
        }
    }
    assert_true(sent >= 20);
    world_free(w);
}

/* Digests */

static struct world *start_digesting(int64_t count)
{
    struct world *w = start(one, 1);

    w->settings[0].digest = count;
    w->settings[0].digest_window_ms = 60000;
    return w;
}

static void a_few_messages_go_one_by_one(void **state)
{
    struct world *w = start_digesting(3);

    (void)state;
    for (int64_t lead = 1; lead <= 3; lead++) {
        (void)post(w, "c", lead);
        step(w);
        assert_int_equal(answer_all(w, 200), 1);
    }
    assert_int_equal(counted("c", "delivered"), 3);
    assert_int_equal(w->n_sent, 3);
    world_free(w);
}

static void what_follows_waits_for_the_end_of_the_window_and_becomes_one(void **state)
{
    struct world *w = start_digesting(3);
    int64_t began = w->now;

    (void)state;
    for (int64_t lead = 1; lead <= 6; lead++) {
        (void)post(w, "c", lead);
        step(w);
        (void)answer_all(w, 200);
    }
    assert_int_equal(counted("c", "delivered"), 3);
    while (!open_requests(w))
        step_to(w, w->next);
    assert_int_equal(w->now, began + 60000);
    assert_non_null(open_request(w, "post/4,5,6"));
    (void)turn(w, 200);
    assert_int_equal(counted("c", "delivered"), 6);
    world_free(w);
}

static void a_flood_that_is_there_already_is_one_message_at_once(void **state)
{
    struct world *w = start_digesting(3);

    (void)state;
    for (int64_t lead = 1; lead <= 600; lead++)
        (void)fake_add("c", lead, w->now);
    deliverer_rescan(w->d);
    step(w);
    assert_int_equal(turn(w, 200), 1);
    assert_int_equal(counted("c", "delivered"), DIGEST_MAX);
    (void)turn(w, 200);
    (void)turn(w, 200);
    assert_int_equal(counted("c", "delivered"), 600);
    world_free(w);
}

static void after_a_quiet_window_they_go_one_by_one_again(void **state)
{
    struct world *w = start_digesting(3);

    (void)state;
    for (int64_t lead = 1; lead <= 3; lead++) {
        (void)post(w, "c", lead);
        step(w);
        (void)answer_all(w, 200);
    }
    step_to(w, w->now + 60001);
    (void)post(w, "c", 4);
    (void)post(w, "c", 5);
    step(w);
    assert_non_null(open_request(w, "post/4"));
    (void)answer_all(w, 200);
    assert_non_null(open_request(w, "post/5"));
    world_free(w);
}

/* Outlook */

static void the_outlook_is_the_rate_until_it_is_known_better(void **state)
{
    struct world *w = start(one, 1);

    (void)state;
    w->settings[0].common.rate = 2;
    for (int64_t lead = 1; lead <= 100; lead++)
        (void)post(w, "c", lead);
    step_to(w, w->now + 1000);
    assert_in_range((int64_t)gauge(METRIC_QUEUE_ETA, "c"), 49, 51);
    for (int i = 0; i < 40; i++)
        (void)turn(w, i % 2 ? 200 : 500); /* every other one comes to nothing */
    step_to(w, w->now + 1000);
    double eta = gauge(METRIC_QUEUE_ETA, "c");
    assert_in_range((int64_t)eta, 60, 100);
    world_free(w);
}

static void an_empty_queue_is_done(void **state)
{
    struct world *w = start(one, 1);

    (void)state;
    assert_true(gauge(METRIC_QUEUE_ETA, "c") == 0);
    (void)post(w, "c", 1);
    (void)turn(w, 200);
    step_to(w, w->now + 1000);
    assert_true(gauge(METRIC_QUEUE_ETA, "c") == 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mail_server_that_refuses_is_well),
        cmocka_unit_test(a_dead_service_is_probed_by_one_at_a_time),
        cmocka_unit_test(what_waited_for_a_dead_service_all_arrives),
        cmocka_unit_test(a_service_that_is_broken_keeps_all_that_waits),
        cmocka_unit_test(whoever_mends_it_need_not_wait),
        cmocka_unit_test(two_connectors_of_one_account_share_its_quota),
        cmocka_unit_test(a_rest_that_one_was_told_to_take_is_for_both),
        cmocka_unit_test(what_is_under_way_ends_after_its_connector_is_gone),
        cmocka_unit_test(a_request_whose_turn_was_set_rests_as_well),
        cmocka_unit_test(who_waited_for_the_end_of_a_rest_does_not_leave_all_at_once),
        cmocka_unit_test(a_few_messages_go_one_by_one),
        cmocka_unit_test(what_follows_waits_for_the_end_of_the_window_and_becomes_one),
        cmocka_unit_test(a_flood_that_is_there_already_is_one_message_at_once),
        cmocka_unit_test(after_a_quiet_window_they_go_one_by_one_again),
        cmocka_unit_test(the_outlook_is_the_rate_until_it_is_known_better),
        cmocka_unit_test(an_empty_queue_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
