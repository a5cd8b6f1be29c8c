/* tests/contract/test_store_subscriptions.c - who wants to hear of a route, and what waits for
 * them.
 */
#include "store_world.h"

struct cancelled {
    size_t n;
    char connectors[8][16];
};

static void cancelled(void *self, struct str connector)
{
    struct cancelled *c = self;

    assert_true(c->n < ARRAY_LEN(c->connectors));
    (void)!snprintf(c->connectors[c->n++], sizeof c->connectors[0], "%.*s", STR_ARG(connector));
}

static struct subscription subscribe(struct world *w, const char *token, const char *route,
                                     const char *target, bool fresh)
{
    struct subscription s = {
        .token = str_of(token), .route = str_of(route), .target = str_of(target), .created_at = T0};
    bool is_fresh = !fresh;

    OK(store_begin(w->store));
    OK(store_subscribe(w->store, &w->arena, &s, &is_fresh));
    OK(store_commit(w->store));
    assert_int_equal(is_fresh, fresh);
    return s;
}

static size_t count(struct world *w)
{
    int64_t n = -1;

    OK(read_subscription_count(w->reader, &n));
    return (size_t)n;
}

static void a_route_and_a_target_are_one_subscription(void **state)
{
    struct world *w = *state;
    struct subscription a = subscribe(w, "t-a", "hot", "https://x/1", true);
    struct subscription again = subscribe(w, "t-b", "hot", "https://x/1", false);

    assert_int_equal(again.id, a.id);
    TEXT(again.token, "t-a");
    assert_true(subscribe(w, "t-c", "hot", "https://x/1/", true).id > a.id);
    assert_true(subscribe(w, "t-d", "cold", "https://x/1", true).id > a.id);
    assert_int_equal(count(w), 3);
}

static void those_of_a_route_are_listed_oldest_first(void **state)
{
    struct world *w = *state;
    struct subscription *all = NULL, one;
    size_t n = 9;

    OK(read_subscriptions(w->reader, STR("hot"), &w->arena, &all, &n));
    assert_int_equal(n, 0);
    (void)subscribe(w, "t-a", "hot", "https://x/1", true);
    (void)subscribe(w, "t-b", "cold", "https://x/2", true);
    struct subscription c = subscribe(w, "t-c", "hot", "https://x/3", true);
    OK(read_subscriptions(w->reader, STR("hot"), &w->arena, &all, &n));
    assert_int_equal(n, 2);
    TEXT(all[0].target, "https://x/1");
    TEXT(all[1].target, "https://x/3");
    assert_int_equal(all[1].created_at, T0);
    OK(read_subscription(w->reader, c.id, &w->arena, &one));
    TEXT(one.token, "t-c");
    TEXT(one.route, "hot");
    assert_int_equal(read_subscription(w->reader, 99, &w->arena, &one), RC_NONE);
}

static int64_t put_for(struct world *w, int64_t lead, int64_t target)
{
    static int64_t at = T0;
    struct delivery d = delivery_of(put_event_at(w, lead, at++), lead, "hooks");

    d.target = target;
    add_delivery(w, &d);
    return d.id;
}

static void end_attempt(struct world *w, int64_t id, enum attempt_verdict verdict)
{
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = id,
                                                         .lead = 1,
                                                         .connector = STR("hooks"),
                                                         .verdict = verdict,
                                                         .started_at = T0,
                                                         .ended_at = T0 + 1,
                                                         .due_at = T0 + 5,
                                                         .detail = STR("because")}));
}

static void what_waits_for_one_that_ends_is_cancelled_and_nothing_else(void **state)
{
    struct world *w = *state;
    struct subscription a = subscribe(w, "t-a", "hot", "https://x/1", true);
    struct subscription b = subscribe(w, "t-b", "hot", "https://x/2", true);
    struct cancelled c = {0};

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    int64_t waits = put_for(w, lead, a.id), held = put_for(w, lead, a.id);
    int64_t done = put_for(w, lead, a.id), dead = put_for(w, lead, a.id);
    int64_t other = put_for(w, lead, b.id), plain = put_for(w, lead, 0);
    end_attempt(w, done, ATTEMPT_DELIVERED);
    end_attempt(w, dead, ATTEMPT_DEAD);
    OK(store_connectors(w->store, NULL, 0)); /* all are held ... */
    OK(store_connectors(w->store, &STR("hooks"), 1));
    (void)held;
    OK(store_unsubscribe(w->store, STR("t-a"), T0 + 9, cancelled, &c));
    OK(store_commit(w->store));
    assert_int_equal(c.n, 2);
    assert_string_equal(c.connectors[0], "hooks");
    assert_int_equal(get_delivery(w, waits).state, DELIVERY_CANCELLED);
    assert_int_equal(get_delivery(w, waits).done_at, T0 + 9);
    assert_int_equal(get_delivery(w, waits).target, a.id);
    TEXT(get_delivery(w, waits).reason, "the subscription has ended");
    assert_int_equal(get_delivery(w, held).state, DELIVERY_CANCELLED);
    assert_int_equal(get_delivery(w, done).state, DELIVERY_DELIVERED);
    assert_int_equal(get_delivery(w, dead).state, DELIVERY_DEAD);
    assert_int_equal(get_delivery(w, other).state, DELIVERY_PENDING);
    assert_int_equal(get_delivery(w, plain).state, DELIVERY_PENDING);
    assert_int_equal(get_delivery(w, plain).target, 0);
    assert_int_equal(count(w), 1);
    check_promises(w, T0 + 9);
}

static void count_one(void *self, struct str connector)
{
    assert_true(str_is(connector, "hooks"));
    ++*(int64_t *)self;
}

/* A transaction that is long keeps senders waiting; a restart goes on where it stopped. */
static void much_that_waits_is_cancelled_bit_by_bit(void **state)
{
    enum { MANY = 1300 };
    struct world *w = *state;
    struct subscription a = subscribe(w, "t-a", "hot", "https://x/1", true);
    struct subscription b = subscribe(w, "t-b", "hot", "https://x/2", true);
    struct due_scan scan = {.connector = STR("hooks"), .target = a.id};
    struct due_row rows[8];
    int64_t *targets, first = 0, id = 0, last = 0;
    size_t n = 0;

    assert_int_equal(read_ended(w->reader, &id), RC_NONE);
    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com"), other = put_for(w, lead, b.id);
    for (int i = 0; i < MANY; i++)
        last = put_for(w, put_lead(w, NULL), a.id);
    OK(read_due(w->reader, &scan, 8, rows, &n));
    assert_int_equal(n, 8);
    OK(store_unsubscribe(w->store, STR("t-a"), T0 + 9, count_one, &first));
    OK(store_commit(w->store));
    assert_in_range(first, 1, MANY / 2);
    check_promises(w, T0 + 9);

    /* It is not to be sent any more, nor to be put back. */
    scan.id = 0;
    OK(read_due(w->reader, &scan, 8, rows, &n));
    assert_int_equal(n, 0);
    OK(read_targets(w->reader, STR("hooks"), &w->arena, &targets, &n));
    assert_int_equal(n, 1);
    assert_int_equal(store_attempt_begin(w->store, last, T0), RC_NONE);

    world_reopen(w);
    int64_t total = first;
    for (int i = 0; read_ended(w->reader, &id) == RC_OK; i++) {
        int64_t some = 0;

        assert_int_equal(id, a.id);
        assert_true(i < MANY);
        OK(store_begin(w->store));
        OK(store_cancel_ended(w->store, T0 + 10, count_one, &some));
        OK(store_commit(w->store));
        assert_in_range(some, 1, first);
        total += some;
    }
    assert_int_equal(total, MANY);
    assert_int_equal(get_delivery(w, last).state, DELIVERY_CANCELLED);
    TEXT(get_delivery(w, last).reason, "the subscription has ended");
    assert_int_equal(get_delivery(w, other).state, DELIVERY_PENDING);
    assert_int_equal(store_cancel_ended(w->store, T0, count_one, &total), RC_NONE);
    check_promises(w, T0 + 10);
}

static void held_ones_are_cancelled_as_well(void **state)
{
    struct world *w = *state;
    struct subscription a = subscribe(w, "t-a", "hot", "https://x/1", true);
    struct cancelled c = {0};

    OK(store_begin(w->store));
    int64_t id = put_for(w, put_lead(w, "ada@example.com"), a.id);
    OK(store_connectors(w->store, NULL, 0));
    assert_int_equal(get_delivery(w, id).state, DELIVERY_HELD);
    OK(store_subscription_end(w->store, a.id, T0 + 9, cancelled, &c));
    OK(store_commit(w->store));
    assert_int_equal(c.n, 1);
    assert_int_equal(get_delivery(w, id).state, DELIVERY_CANCELLED);
}

static void nobody_is_unsubscribed_by_a_token_that_is_none(void **state)
{
    struct world *w = *state;
    struct cancelled c = {0};

    (void)subscribe(w, "t-a", "hot", "https://x/1", true);
    OK(store_begin(w->store));
    assert_int_equal(store_unsubscribe(w->store, STR("t-"), T0, cancelled, &c), RC_NONE);
    assert_int_equal(store_unsubscribe(w->store, STR(""), T0, cancelled, &c), RC_NONE);
    OK(store_commit(w->store));
    assert_int_equal(count(w), 1);
}

static void what_is_dead_is_not_put_back_once_nobody_wants_it(void **state)
{
    struct world *w = *state;
    struct subscription a = subscribe(w, "t-a", "hot", "https://x/1", true);
    struct retry_filter all = {0};
    struct cancelled c = {0};
    int64_t n = 0;

    OK(store_begin(w->store));
    int64_t id = put_for(w, put_lead(w, "ada@example.com"), a.id);
    end_attempt(w, id, ATTEMPT_DEAD);
    OK(store_retry(w->store, &all, T0 + 2, &n));
    assert_int_equal(n, 1);
    end_attempt(w, id, ATTEMPT_DEAD);
    OK(store_unsubscribe(w->store, STR("t-a"), T0, cancelled, &c));
    OK(store_retry(w->store, &all, T0 + 2, &n));
    assert_int_equal(n, 0);
    OK(store_retry(w->store, &(struct retry_filter){.ids = &id, .n_ids = 1}, T0 + 2, &n));
    assert_int_equal(n, 0);
    OK(store_commit(w->store));
    check_promises(w, T0 + 9);
}

/* Else what was meant for one would reach another. */
static void an_id_is_never_given_twice(void **state)
{
    struct world *w = *state;
    struct subscription a = subscribe(w, "t-a", "hot", "https://x/1", true);
    struct cancelled c = {0};

    OK(store_begin(w->store));
    OK(store_unsubscribe(w->store, STR("t-a"), T0, cancelled, &c));
    OK(store_commit(w->store));
    assert_true(subscribe(w, "t-b", "hot", "https://x/1", true).id > a.id);
}

static void failures_are_counted_from_the_first_and_forgotten_when_it_is_well(void **state)
{
    struct world *w = *state;
    struct subscription a = subscribe(w, "t-a", "hot", "https://x/1", true);
    int64_t failures = 0, since = 0;

    OK(store_begin(w->store));
    OK(store_subscription_failed(w->store, a.id, T0 + 5, &failures, &since));
    OK(store_subscription_failed(w->store, a.id, T0 + 50, &failures, &since));
    assert_int_equal(failures, 2);
    assert_int_equal(since, T0 + 5);
    OK(store_subscription_well(w->store, a.id));
    OK(store_subscription_failed(w->store, a.id, T0 + 90, &failures, &since));
    assert_int_equal(failures, 1);
    assert_int_equal(since, T0 + 90);
    OK(store_subscription_failed(w->store, a.id, T0 + 10, &failures,
                                 &since)); /* a clock put back */
    assert_int_equal(since, T0 + 10);
    OK(store_commit(w->store));
    (void)subscribe(w, "t-b", "hot", "https://x/1", false); /* is as good as new */
    OK(store_begin(w->store));
    OK(store_subscription_failed(w->store, a.id, T0 + 99, &failures, &since));
    assert_int_equal(failures, 1);
    assert_int_equal(store_subscription_failed(w->store, 77, T0, &failures, &since), RC_NONE);
    OK(store_subscription_well(w->store, 77));
    OK(store_commit(w->store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_route_and_a_target_are_one_subscription),
        RUN(those_of_a_route_are_listed_oldest_first),
        RUN(what_waits_for_one_that_ends_is_cancelled_and_nothing_else),
        RUN(much_that_waits_is_cancelled_bit_by_bit),
        RUN(held_ones_are_cancelled_as_well),
        RUN(nobody_is_unsubscribed_by_a_token_that_is_none),
        RUN(what_is_dead_is_not_put_back_once_nobody_wants_it),
        RUN(an_id_is_never_given_twice),
        RUN(failures_are_counted_from_the_first_and_forgotten_when_it_is_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
