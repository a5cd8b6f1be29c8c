/* tests/unit/test_deliverer_targets.c - those who subscribed, each with a line of its own: one who
 * is away keeps nobody else waiting.
 */
#include "cm.h"
#include "delivery_world.h"

#include "funneld/base/clock.h"

enum { DEAD = 7, WELL = 8 };

static int64_t put_for(struct world *w, int64_t target, int64_t lead)
{
    struct due_row row = fake_add("c", lead, w->now);

    fake_row(row.id)->target = target;
    return row.id;
}

static void post_for(struct world *w, int64_t target, int64_t lead)
{
    struct due_row row = fake_due_row(fake_row(put_for(w, target, lead)));

    deliverer_notify(w->d, STR("c"), &row);
}

static struct world *start(int64_t concurrency)
{
    struct world *w = world_new(one, 1);

    w->settings[0].repeatable = true;
    w->settings[0].common.concurrency = concurrency;
    w->settings[0].common.backoff_max_ms = 900000;
    return w;
}

/* When nothing is to be done, nothing passes. */
static int64_t next_time(const struct world *w)
{
    return w->next == INT64_MAX ? w->now : w->next;
}

static int64_t target_of(const struct sent *s)
{
    return fake_row(atoll(s->path + sizeof "post/" - 1))->target;
}

static size_t open_for(const struct world *w, int64_t target)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_sent; i++)
        n += w->sent[i].open && target_of(&w->sent[i]) == target;
    return n;
}

static void reply(struct world *w, struct sent *s, int status, int64_t retry_after_ms)
{
    respond(w, s,
            (struct http_response){.fate = HTTP_ANSWERED,
                                   .status = status,
                                   .body = STR("none"),
                                   .retry_after_ms = retry_after_ms});
}

static void reply_to(struct world *w, int64_t target, int status, int64_t retry_after_ms)
{
    size_t sent = w->n_sent;

    for (size_t i = 0; i < sent && i < w->n_sent; i++) /* old ones are forgotten meanwhile */
        if (w->sent[i].open && target_of(&w->sent[i]) == target)
            reply(w, &w->sent[i], status, retry_after_ms);
}

/* Time-outs of the dead one, half a minute after it was asked; the well one answers at once. */
static void let_pass(struct world *w, int64_t until, int64_t *asked_at)
{
    while (w->now < until) {
        reply_to(w, WELL, 200, -1);
        if (*asked_at && w->now - *asked_at >= 30 * SECONDS_MS) {
            reply_to(w, DEAD, 504, -1);
            *asked_at = 0;
        }
        if (!*asked_at && open_for(w, DEAD))
            *asked_at = w->now;
        int64_t next = w->next < until ? w->next : until;
        if (*asked_at && *asked_at + 30 * SECONDS_MS < next)
            next = *asked_at + 30 * SECONDS_MS;
        step_to(w, next > w->now ? next : w->now);
    }
}

static int64_t worst_of(int64_t target)
{
    int64_t worst = 0;

    for (int64_t id = 1; id <= (int64_t)fake_n; id++)
        if (fake_row(id)->target == target && fake_row(id)->state != DELIVERY_DELIVERED)
            worst = INT64_MAX;
    return worst;
}

static void one_who_is_away_with_50000_waiting_delays_nobody_else_and_loses_nothing(void **state)
{
    enum { QUEUED = 50000, NEWS = 500 };
    struct world *w = start(4);
    int64_t asked_at = 0, worst = 0;

    (void)state;
    for (int64_t lead = 1; lead <= QUEUED; lead++)
        (void)put_for(w, DEAD, lead);
    world_start_deliverer(w);
    for (int i = 0; i < NEWS; i++) {
        size_t before = (size_t)counted("c", "delivered");

        let_pass(w, w->now + 20 * SECONDS_MS, &asked_at);
        post_for(w, WELL, 1 + i % 100);
        int64_t at = w->now;
        step(w);
        while ((size_t)counted("c", "delivered") == before)
            if (open_for(w, WELL))
                reply_to(w, WELL, 200, -1);
            else
                step_to(w, next_time(w));
        worst = w->now - at > worst ? w->now - at : worst;
    }
    assert_int_equal(worst, 0);
    assert_int_equal(counted("c", "delivered"), NEWS);
    assert_int_equal(counted("c", "dead"), 0);
    /* It was asked again and again, and not in vain once it is back. */
    assert_in_range(counted("c", "retried"), 20, 60);
    while (counted("c", "delivered") < QUEUED + NEWS) {
        reply_to(w, DEAD, 200, -1);
        if (!open_requests(w))
            step_to(w, next_time(w));
    }
    assert_in_range(fake_seen, QUEUED, 2 * QUEUED); /* each was read about once */
    assert_int_equal(worst_of(DEAD), 0);
    assert_true(metric_value(metric(METRIC_CIRCUIT_OPEN, STR("c"), STR_NULL)) == 0);
    world_free(w);
}

static void while_there_are_others_nobody_takes_all_there_is(void **state)
{
    struct world *w = start(4);

    (void)state;
    for (int64_t lead = 1; lead <= 200; lead++)
        (void)put_for(w, DEAD, lead);
    (void)put_for(w, WELL, 1);
    world_start_deliverer(w);
    assert_int_equal(open_for(w, DEAD), 1); /* nothing is known of it yet */
    for (int i = 0; i < 5; i++)
        reply_to(w, DEAD, 200, -1);
    assert_int_equal(open_for(w, DEAD), 3);
    assert_int_equal(open_for(w, WELL), 1);
    world_free(w);
}

static void those_with_much_waiting_take_turns(void **state)
{
    struct world *w = start(1);

    (void)state;
    for (int64_t lead = 1; lead <= 1000; lead++)
        (void)put_for(w, DEAD, lead);
    w->now += 1000;
    for (int64_t lead = 1; lead <= 10; lead++)
        (void)put_for(w, WELL, lead);
    world_start_deliverer(w);
    for (int i = 0; i < 21; i++) {
        reply_to(w, DEAD, 200, -1);
        reply_to(w, WELL, 200, -1);
    }
    for (int64_t id = 1001; id <= 1010; id++)
        assert_int_equal(fake_row(id)->state, DELIVERY_DELIVERED);
    world_free(w);
}

static void who_asks_for_a_rest_gets_one_and_nobody_else(void **state)
{
    struct world *w = start(2);

    (void)state;
    for (int64_t lead = 1; lead <= 10; lead++) {
        (void)put_for(w, DEAD, lead);
        (void)put_for(w, WELL, lead);
    }
    world_start_deliverer(w);
    int64_t told = w->now;
    reply_to(w, DEAD, 429, 60000);
    assert_int_equal(open_for(w, DEAD), 0);
    for (int i = 0; i < 10; i++)
        reply_to(w, WELL, 200, -1);
    assert_int_equal(counted("c", "delivered"), 10);
    while (!open_for(w, DEAD))
        step_to(w, next_time(w));
    assert_int_equal(w->now, told + 60000);
    world_free(w);
}

static void whoever_mends_it_need_not_wait(void **state)
{
    struct world *w = start(1);

    (void)state;
    for (int64_t lead = 1; lead <= 10; lead++)
        (void)put_for(w, DEAD, lead);
    world_start_deliverer(w);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(open_for(w, DEAD), 1);
        reply_to(w, DEAD, 503, -1);
    }
    assert_int_equal(open_for(w, DEAD), 0);
    assert_true(w->next > w->now);
    deliverer_probe(w->d);
    step(w);
    assert_int_equal(open_for(w, DEAD), 1);
    world_free(w);
}

/* Its lines went with the old configuration; what was under way ends as it would have. */
static void a_reload_in_the_middle_of_it_loses_nothing(void **state)
{
    struct world *w = start(2);

    (void)state;
    for (int64_t lead = 1; lead <= 10; lead++) {
        (void)put_for(w, DEAD, lead);
        (void)put_for(w, WELL, lead);
    }
    world_start_deliverer(w);
    deliverer_reload(w->d, &w->lanes);
    step(w);
    reply_to(w, DEAD, 503, -1);
    for (int i = 0; i < 40 && counted("c", "delivered") < 20; i++) {
        reply_to(w, DEAD, 200, -1);
        reply_to(w, WELL, 200, -1);
        if (!open_requests(w))
            step_to(w, next_time(w));
    }
    assert_int_equal(counted("c", "delivered"), 20);
    world_free(w);
}

/* Whether it was told before the reload, or an answer under way says so after it. */
static void a_rest_that_one_asked_for_outlasts_a_reload(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        struct world *w = start(2);

        for (int64_t lead = 1; lead <= 10; lead++)
            (void)put_for(w, DEAD, lead);
        world_start_deliverer(w);
        int64_t told = w->now;
        if (!after)
            reply(w, &w->sent[0], 429, 60000);
        deliverer_reload(w->d, &w->lanes);
        step(w);
        assert_int_equal(w->n_sent, after ? 2 : 1); /* a new line knows nothing yet */
        if (after) {
            reply(w, &w->sent[0], 429, 60000);
            reply(w, &w->sent[1], 200, -1);
        }
        size_t sent = w->n_sent;
        for (int i = 0; i < 100 && w->n_sent == sent; i++)
            step_to(w, next_time(w));
        assert_int_equal(w->now, told + 60000);
        world_free(w);
    }
}

/* Its row waits until the store has cancelled it. */
static void nothing_is_sent_to_one_that_has_ended(void **state)
{
    struct world *w = start(2);

    (void)state;
    fake_ended = DEAD;
    for (int64_t lead = 1; lead <= 300; lead++)
        (void)put_for(w, DEAD, lead);
    (void)put_for(w, WELL, 1);
    world_start_deliverer(w);
    reply_to(w, WELL, 200, -1);
    assert_int_equal(counted("c", "delivered"), 1);
    assert_int_equal(w->n_sent, 1);
    assert_int_equal(fake_row(1)->state, DELIVERY_PENDING);
    assert_int_equal(fake_row(300)->state, DELIVERY_PENDING);
    assert_true(w->next > w->now);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_who_is_away_with_50000_waiting_delays_nobody_else_and_loses_nothing),
        cmocka_unit_test(while_there_are_others_nobody_takes_all_there_is),
        cmocka_unit_test(those_with_much_waiting_take_turns),
        cmocka_unit_test(who_asks_for_a_rest_gets_one_and_nobody_else),
        cmocka_unit_test(whoever_mends_it_need_not_wait),
        cmocka_unit_test(a_rest_that_one_asked_for_outlasts_a_reload),
        cmocka_unit_test(nothing_is_sent_to_one_that_has_ended),
        cmocka_unit_test(a_reload_in_the_middle_of_it_loses_nothing),
    };

    return cmocka_run_group_tests_name("deliverer_targets", tests, quiet, NULL);
}
