/* tests/unit/test_deliverer_life.c - a deliverer among others: changes behind its back, too much at
 * once, reload, stop, threads.
 */
#include "cm.h"
#include "delivery_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/observe/health.h"

static const char *const two[] = {"c", "other"};

static void what_was_superseded_meanwhile_is_not_sent(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    post(w, "c", 1);
    fake_row(1)->state = DELIVERY_SUPERSEDED;
    step(w);
    answer(w, "post/2", 200);
    assert_int_equal(w->n_sent, 1);
    world_free(w);
}

static void a_row_of_a_merged_lead_goes_on_under_the_other(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].common.concurrency = 8;
    post(w, "c", 1);
    post(w, "c", 2);
    fake_row(1)->lead = 2;
    step(w);
    assert_int_equal(open_requests(w), 1);
    answer(w, "post/1", 200);
    answer(w, "post/2", 200);
    assert_int_equal(counted("c", "delivered"), 2);
    world_free(w);
}

static void a_row_of_a_merged_lead_is_not_taken_twice(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].common.concurrency = 8;
    post(w, "c", 1);
    step(w);
    fake_row(1)->lead = 2;
    deliverer_rescan(w->d);
    step_to(w, w->now + 60000);
    assert_int_equal(w->n_sent, 1);
    answer(w, "post/1", 503);
    step_to(w, w->now + 60000);
    assert_int_equal(w->n_sent, 2);
    world_free(w);
}

static void a_verdict_that_came_too_late_is_not_counted(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].repeatable = true;
    post(w, "c", 1);
    step(w);
    fake_row(1)->state = DELIVERY_SUPERSEDED;
    post(w, "c", 1);
    answer(w, "post/1", 503);
    assert_false(last_end(w)->applied);
    assert_int_equal(counted("c", "retried"), 0);
    answer(w, "post/2", 200);
    assert_int_equal(counted("c", "delivered"), 1);
    world_free(w);
}

static void a_stale_notice_does_not_send_before_its_time(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    fake_row(1)->due_at = w->now + 7000;
    post(w, "c", 2);
    fake_row(2)->open_attempt_at = w->now;
    step(w);
    assert_int_equal(w->n_sent, 0);
    step_to(w, w->now + 5000);
    answer(w, "look/2", 200);
    answer(w, "post/2", 200);
    step_to(w, w->now + 2000);
    answer(w, "post/1", 200);
    world_free(w);
}

static void a_read_that_fails_is_repeated_after_a_second(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    fake_read_error = RC_IO;
    step(w);
    assert_int_equal(w->n_sent, 0);
    assert_int_equal(w->next, w->now + 1000);
    fake_read_error = RC_OK;
    step_to(w, w->next);
    answer(w, "post/1", 200);
    world_free(w);
}

/* What the read would have found is older than what is told meanwhile. */
static void a_notice_does_not_overtake_what_a_failed_read_left_out(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    int64_t second = post(w, "c", 1); /* its lead is in flight: it is read when that has ended */
    fake_read_error = RC_IO;
    answer(w, "post/1", 200);
    step(w);
    fake_read_error = RC_OK;
    (void)post(w, "c", 1);
    size_t sent = w->n_sent;
    step(w);
    assert_int_equal(w->n_sent, sent);
    step_to(w, w->now + 1000);
    assert_int_equal(w->n_sent, sent + 1);
    assert_int_equal(second, 2);
    answer(w, "post/2", 200);
    world_free(w);
}

static void more_notices_than_it_can_hold_are_read_from_disk(void **state)
{
    struct world *w = world_one();
    enum { MANY = 18000 }; /* more than the mailbox, and than the window */

    (void)state;
    w->settings[0].batch = 1000;
    for (int i = 0; i < MANY; i++)
        post(w, "c", i + 1);
    step(w);
    while (open_requests(w))
        respond(w, &w->sent[w->n_sent - 1],
                (struct http_response){
                    .fate = HTTP_ANSWERED, .status = 200, .body = STR(""), .retry_after_ms = -1});
    assert_in_range(fake_scans, 3, 12);
    assert_int_equal(counted("c", "delivered"), MANY);
    world_free(w);
}

static void rescan_finds_what_nobody_told(void **state)
{
    struct world *w = world_one();

    (void)state;
    fake_add("c", 1, w->now);
    step_to(w, w->now + 60000);
    assert_int_equal(w->n_sent, 0);
    deliverer_rescan(w->d);
    step(w);
    answer(w, "post/1", 200);
    world_free(w);
}

static void at_rest_it_neither_wakes_nor_reads(void **state)
{
    struct world *w = world_one();
    int scans = fake_scans;

    (void)state;
    post(w, "c", 1);
    step(w);
    answer(w, "post/1", 200);
    for (int i = 0; i < 100; i++)
        step_to(w, w->now + 1000);
    assert_int_equal(w->next, INT64_MAX);
    assert_int_equal(fake_scans, scans);
    assert_int_equal(atomic_load(&health.deliverer_beat), w->now);
    world_free(w);
}

struct owner {
    struct ref ref;
    int dropped;
};

static void note_drop(struct ref *r)
{
    ((struct owner *)(void *)r)->dropped++;
}

static void a_reload_ends_old_jobs_by_the_old_rules(void **state)
{
    struct world *w = world_new(two, 2);
    struct owner owners[2] = {0};
    struct fake_settings fresh = {0};
    struct connector reloaded[] = {w->connectors[1]}; /* "c" is removed */

    (void)state;
    for (int i = 0; i < 2; i++)
        ref_init(&owners[i].ref, note_drop);
    w->lanes.owner = &owners[0].ref;
    world_start_deliverer(w);
    post(w, "c", 1);
    post(w, "c", 2);
    post(w, "other", 1);
    step(w);
    fresh = w->settings[1];
    fresh.needs_token = true;
    reloaded[0].settings = &fresh;
    deliverer_reload(w->d,
                     &(struct lanes){.connectors = reloaded, .n = 1, .owner = &owners[1].ref});
    step(w);
    assert_int_equal(owners[0].dropped, 0); /* two jobs in flight work by it */
    assert_int_equal(fake_sessions_freed, 0);
    answer(w, "post/1", 200);
    answer(w, "post/3", 200);
    assert_int_equal(owners[0].dropped, 1);
    assert_int_equal(fake_sessions_freed, 2);
    assert_int_equal(counted("c", "delivered"), 1);
    assert_int_equal(open_requests(w), 0); /* row 2 has no lane */
    post(w, "other", 5);
    step(w);
    assert_non_null(open_request(w, "token/4"));
    answer(w, "token/4", 500);
    deliverer_free(w->d);
    assert_int_equal(owners[1].dropped, 1);
    free(w);
}

static void a_connector_that_comes_back_finds_its_rows(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    post(w, "c", 2);
    step(w);
    deliverer_reload(w->d, &(struct lanes){0});
    step(w);
    deliverer_reload(w->d, &w->lanes);
    step(w);
    assert_int_equal(open_requests(w), 1); /* the old attempt still takes the slot */
    answer(w, "post/1", 200);
    answer(w, "post/2", 200);
    world_free(w);
}

static void stopped_it_begins_nothing_and_ends_what_runs(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    deliverer_stop(w->d);
    post(w, "c", 2);
    step(w);
    assert_false(deliverer_idle(w->d));
    answer(w, "post/1", 200);
    assert_true(deliverer_idle(w->d));
    assert_int_equal(w->n_sent, 1);
    assert_int_equal(w->next, INT64_MAX);
    assert_int_equal(fake_row(1)->state, DELIVERY_DELIVERED);
    world_free(w);
}

static void stopped_it_does_not_wait_for_the_rate(void **state)
{
    struct world *w = world_one();

    (void)state;
    w->settings[0].common.rate = 0.01;
    w->settings[0].needs_token = true;
    post(w, "c", 1);
    step(w);
    answer(w, "token/1", 200);
    deliverer_stop(w->d);
    step(w);
    assert_true(deliverer_idle(w->d));
    assert_int_equal(w->n_ends, 0);
    world_free(w);
}

static void when_the_store_is_closed_nothing_begins(void **state)
{
    struct world *w = world_one();

    (void)state;
    post(w, "c", 1);
    step(w);
    w->store = STORE_CLOSED;
    answer(w, "post/1", 200);
    post(w, "c", 2);
    step_to(w, w->now + 60000);
    assert_int_equal(w->n_sent, 1);
    assert_true(deliverer_idle(w->d));
    assert_true(fake_row(1)->open_attempt_at != 0);
    world_free(w);
}

/* With a real thread: a transport that answers at once, a store that commits at once. */
struct threaded {
    struct transport transport;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool wake;
    void *tags[64];
    size_t n;
};

static enum rc threaded_start(void *self, const struct transport_call *call, struct why *why)
{
    struct threaded *t = self;

    (void)why;
    t->tags[t->n++] = call->tag;
    return RC_OK;
}

static bool threaded_take(void *self, struct transport_result *ret)
{
    struct threaded *t = self;

    if (!t->n)
        return false;
    *ret = (struct transport_result){
        .tag = t->tags[--t->n],
        .response = {
            .fate = HTTP_ANSWERED, .status = 200, .body = STR("ok"), .retry_after_ms = -1}};
    return true;
}

static void threaded_wait(void *self, int timeout_ms)
{
    struct threaded *t = self;
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000 + 1;
    pthread_mutex_lock(&t->lock);
    while (!t->wake && timeout_ms > 0)
        if (pthread_cond_timedwait(&t->woken, &t->lock, &until))
            break;
    t->wake = false;
    pthread_mutex_unlock(&t->lock);
}

static void threaded_wake(void *self)
{
    struct threaded *t = self;

    pthread_mutex_lock(&t->lock);
    t->wake = true;
    pthread_cond_signal(&t->woken);
    pthread_mutex_unlock(&t->lock);
}

static void other_threads_may_notify_and_stop_it(void **state)
{
    static struct world commits = {.store = STORE_COMMITS}; /* big: not on the stack */
    struct threaded t = {.lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};
    struct fake_settings settings = {.batch = 1, .common = {.timeout_ms = 1000, .concurrency = 4}};
    struct connector connector = {&fake_type, STR("c"), &settings};
    struct lanes lanes = {.connectors = &connector, .n = 1};
    struct deliver_ports ports = {
        .transport = &t.transport, .submit = world_submit, .self = &commits};
    enum { MANY = 50 };
    struct due_row rows[MANY];
    pthread_t thread;

    (void)state;
    t.transport =
        (struct transport){&t, threaded_start, threaded_take, threaded_wait, threaded_wake, NULL};
    fake_clear();
    metrics_reset();
    struct deliverer *d = deliverer_new(&ports, &lanes);
    for (int i = 0; i < MANY; i++) /* before the thread looks at the array */
        rows[i] = fake_add("c", i + 1, 1);
    assert_int_equal(pthread_create(&thread, NULL, deliverer_run, d), 0);
    for (int i = 0; i < MANY; i++)
        deliverer_notify(d, STR("c"), &rows[i]);
    for (int i = 0; i < 1000 && counted("c", "delivered") < MANY; i++)
        usleep(10000);
    deliverer_stop(d);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(counted("c", "delivered"), MANY);
    assert_true(deliverer_idle(d));
    deliverer_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_superseded_meanwhile_is_not_sent),
        cmocka_unit_test(a_row_of_a_merged_lead_goes_on_under_the_other),
        cmocka_unit_test(a_row_of_a_merged_lead_is_not_taken_twice),
        cmocka_unit_test(a_verdict_that_came_too_late_is_not_counted),
        cmocka_unit_test(a_stale_notice_does_not_send_before_its_time),
        cmocka_unit_test(a_read_that_fails_is_repeated_after_a_second),
        cmocka_unit_test(a_notice_does_not_overtake_what_a_failed_read_left_out),
        cmocka_unit_test(more_notices_than_it_can_hold_are_read_from_disk),
        cmocka_unit_test(rescan_finds_what_nobody_told),
        cmocka_unit_test(at_rest_it_neither_wakes_nor_reads),
        cmocka_unit_test(a_reload_ends_old_jobs_by_the_old_rules),
        cmocka_unit_test(a_connector_that_comes_back_finds_its_rows),
        cmocka_unit_test(stopped_it_begins_nothing_and_ends_what_runs),
        cmocka_unit_test(stopped_it_does_not_wait_for_the_rate),
        cmocka_unit_test(when_the_store_is_closed_nothing_begins),
        cmocka_unit_test(other_threads_may_notify_and_stop_it),
    };

    return cmocka_run_group_tests_name("deliverer_life", tests, quiet, NULL);
}
