/* tests/contract/test_store_retry.c - dead deliveries that are put back, and connectors that are
 * held. */
#include "store_world.h"

struct dead {
    int64_t slack_a, slack_b, notion, delivered;
};

static struct dead three_dead(struct world *w)
{
    struct dead d;

    OK(store_begin(w->store));
    d.slack_a = put_one(w, "slack");
    d.slack_b = put_one(w, "slack");
    d.notion = put_one(w, "notion");
    d.delivered = put_one(w, "slack");
    OK(end_with(w, d.slack_a, ATTEMPT_DEAD, "Channel_not_found"));
    OK(end_with(w, d.slack_b, ATTEMPT_DEAD, "token revoked"));
    OK(end_with(w, d.notion, ATTEMPT_DEAD, "TOKEN expired"));
    OK(end_with(w, d.delivered, ATTEMPT_DELIVERED, NULL));
    return d;
}

static int64_t retry(struct world *w, struct retry_filter f)
{
    int64_t n = -1;

    OK(store_retry(w->store, &f, T0 + 900, &n));
    return n;
}

static void without_a_filter_all_that_is_dead_is_tried_again(void **state)
{
    struct world *w = *state;
    struct dead d = three_dead(w);

    assert_int_equal(retry(w, (struct retry_filter){0}), 3);
    assert_int_equal(retry(w, (struct retry_filter){0}), 0);
    OK(store_commit(w->store));
    struct delivery got = get_delivery(w, d.slack_a);
    assert_int_equal(got.state, DELIVERY_PENDING);
    assert_int_equal(got.due_at, T0 + 900);
    assert_int_equal(got.created_at, T0 + 900); /* give_up counts from here */
    assert_int_equal(got.done_at, 0);
    assert_int_equal(get_delivery(w, d.delivered).state, DELIVERY_DELIVERED);
    assert_int_equal(count_due(w, "slack"), 2);
}

static void a_limit_leaves_the_rest_for_the_next_time(void **state)
{
    struct world *w = *state;

    (void)three_dead(w);
    assert_int_equal(retry(w, (struct retry_filter){.limit = 2}), 2);
    assert_int_equal(retry(w, (struct retry_filter){.limit = 2}), 1);
    OK(store_commit(w->store));
}

static void what_died_in_doubt_is_looked_at_when_it_is_tried_again(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack");
    OK(store_attempt_begin(w->store, id, T0 + 5));
    const struct attempt_end end = {.delivery = id,
                                    .connector = STR("slack"),
                                    .verdict = ATTEMPT_DEAD,
                                    .started_at = T0 + 6,
                                    .ended_at = T0 + 7,
                                    .in_doubt = true};
    OK(store_attempt_end(w->store, &end));
    assert_int_equal(retry(w, (struct retry_filter){0}), 1);
    OK(store_commit(w->store));
    struct delivery got = get_delivery(w, id);
    assert_int_equal(got.state, DELIVERY_PENDING);
    assert_int_equal(got.open_attempt_at, T0 + 5);
    assert_int_equal(got.attempts, 0); /* backoff begins anew */
}

static void a_retry_keeps_to_all_of_its_filters(void **state)
{
    static const struct str slack = {"slack", 5}, token = {"Token", 5};
    struct world *w = *state;
    struct dead d = three_dead(w);
    const int64_t ids[] = {d.slack_a, d.notion, d.delivered, 4711};

    assert_int_equal(retry(w, (struct retry_filter){.connector = STR("crm")}), 0);
    assert_int_equal(retry(w, (struct retry_filter){.reason = STR("%")}), 0);
    assert_int_equal(retry(w, (struct retry_filter){.connector = slack, .reason = token}), 1);
    assert_int_equal(get_delivery(w, d.slack_b).state, DELIVERY_PENDING);
    assert_int_equal(
        retry(w,
              (struct retry_filter){.ids = ids, .n_ids = 4, .connector = slack, .reason = token}),
        0);
    assert_int_equal(retry(w, (struct retry_filter){.ids = ids, .n_ids = 4, .connector = slack}),
                     1);
    assert_int_equal(get_delivery(w, d.slack_a).state, DELIVERY_PENDING);
    assert_int_equal(retry(w, (struct retry_filter){.ids = ids, .n_ids = 4}), 1);
    assert_int_equal(get_delivery(w, d.notion).state, DELIVERY_PENDING);
    assert_int_equal(get_delivery(w, d.delivered).state, DELIVERY_DELIVERED);
    OK(store_commit(w->store));
}

static void nothing_cancelled(void *self, struct str connector)
{
    (void)self;
    (void)connector;
}

static void what_an_erased_lead_had_is_not_tried_again(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    int64_t id = put_delivery(w, lead, "slack", T0);
    OK(end_with(w, id, ATTEMPT_DEAD, "revoked"));
    struct lead l = get_lead(w, lead);
    OK(store_lead_erase(w->store, &l, T0, nothing_cancelled, NULL));
    OK(store_lead_save(w->store, &l));
    assert_int_equal(retry(w, (struct retry_filter){0}), 0);
    assert_int_equal(retry(w, (struct retry_filter){.ids = &id, .n_ids = 1}), 0);
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, id).state, DELIVERY_DEAD);
}

static void deliveries_of_a_connector_that_is_gone_are_held_until_it_is_back(void **state)
{
    const struct str both[] = {STR("slack"), STR("notion")};
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t slack = put_one(w, "slack"), notion = put_one(w, "notion"), dead = put_one(w, "notion");
    OK(end_with(w, dead, ATTEMPT_DEAD, "revoked"));
    OK(store_connectors(w->store, both, 1));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, slack).state, DELIVERY_PENDING);
    assert_int_equal(get_delivery(w, notion).state, DELIVERY_HELD);
    assert_int_equal(get_delivery(w, dead).state, DELIVERY_DEAD);
    assert_int_equal(count_due(w, "notion"), 0);
    OK(store_begin(w->store));
    OK(store_connectors(w->store, both, 2));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, notion).state, DELIVERY_PENDING);
    assert_int_equal(get_delivery(w, notion).due_at, T0);
    assert_int_equal(get_delivery(w, dead).state, DELIVERY_DEAD);
    OK(store_begin(w->store));
    OK(store_connectors(w->store, NULL, 0));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, slack).state, DELIVERY_HELD);
    assert_int_equal(get_delivery(w, notion).state, DELIVERY_HELD);
}

static void a_paused_connector_is_held_until_it_is_resumed(void **state)
{
    const struct str slack = STR("slack");
    struct world *w = *state;
    bool paused = true;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack");
    OK(store_pause(w->store, slack, true));
    int64_t later = put_one(w, "slack");
    assert_int_equal(store_attempt_begin(w->store, id, T0), RC_NONE);
    OK(store_connectors(w->store, &slack, 1)); /* a reload, a restart */
    OK(store_commit(w->store));
    OK(read_paused(w->reader, slack, &paused));
    assert_true(paused);
    assert_int_equal(get_delivery(w, id).state, DELIVERY_HELD);
    assert_int_equal(get_delivery(w, later).state, DELIVERY_HELD);
    assert_int_equal(count_due(w, "slack"), 0);
    OK(store_begin(w->store));
    OK(store_pause(w->store, slack, false));
    OK(store_commit(w->store));
    OK(read_paused(w->reader, slack, &paused));
    assert_false(paused);
    assert_int_equal(get_delivery(w, id).state, DELIVERY_PENDING);
    assert_int_equal(count_due(w, "slack"), 2);
}

static void one_that_was_paused_and_removed_stays_paused_when_it_is_back(void **state)
{
    const struct str slack = STR("slack");
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack");
    OK(store_pause(w->store, slack, true));
    OK(store_connectors(w->store, NULL, 0));
    OK(store_connectors(w->store, &slack, 1));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, id).state, DELIVERY_HELD);
    OK(store_begin(w->store));
    OK(store_connectors(w->store, NULL, 0));
    OK(store_pause(w->store, slack, false));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, id).state, DELIVERY_HELD);
}

/* A slice goes on behind the last one: what died again meanwhile is not met a second time. */
static void slices_go_on_behind_each_other(void **state)
{
    struct world *w = *state;
    struct retry_filter f = {.limit = 2};
    int64_t ids[5], n = 0;

    OK(store_begin(w->store));
    for (int i = 0; i < 5; i++) {
        ids[i] = put_one(w, i % 2 ? "slack" : "notion");
        OK(end_with(w, ids[i], ATTEMPT_DEAD, "no"));
    }
    OK(store_retry(w->store, &f, T0 + 900, &n));
    assert_int_equal(n, 2);
    assert_int_equal(f.last, ids[1]);
    OK(end_with(w, ids[0], ATTEMPT_DEAD, "no"));
    f.after = f.last;
    OK(store_retry(w->store, &f, T0 + 901, &n));
    assert_int_equal(n, 2);
    assert_true(f.more);
    assert_int_equal(f.last, ids[3]);
    f.after = f.last;
    f.connector = STR("notion");
    OK(store_retry(w->store, &f, T0 + 902, &n));
    assert_int_equal(n, 1);
    assert_false(f.more);
    f.after = ids[4];
    OK(store_retry(w->store, &f, T0 + 903, &n));
    assert_int_equal(n, 0);
    assert_false(f.more);
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, ids[0]).state, DELIVERY_DEAD);
}

/* However few of them are asked for. */
static void a_slice_is_what_it_looks_at(void **state)
{
    struct world *w = *state;
    struct retry_filter f = {.limit = 2, .connector = STR("notion")};
    int64_t ids[5], n = -1;

    OK(store_begin(w->store));
    for (int i = 0; i < 5; i++) {
        ids[i] = put_one(w, i < 3 ? "slack" : "notion");
        OK(end_with(w, ids[i], ATTEMPT_DEAD, "no"));
    }
    OK(store_retry(w->store, &f, T0 + 900, &n));
    assert_int_equal(n, 0);
    assert_true(f.more);
    assert_int_equal(f.last, ids[1]);
    f.after = f.last;
    OK(store_retry(w->store, &f, T0 + 901, &n));
    assert_int_equal(n, 1);
    assert_true(f.more);
    assert_int_equal(f.last, ids[3]);
    f.after = f.last;
    OK(store_retry(w->store, &f, T0 + 902, &n));
    assert_int_equal(n, 1);
    assert_false(f.more);
    OK(store_commit(w->store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_slice_is_what_it_looks_at),
        RUN(without_a_filter_all_that_is_dead_is_tried_again),
        RUN(a_limit_leaves_the_rest_for_the_next_time),
        RUN(what_died_in_doubt_is_looked_at_when_it_is_tried_again),
        RUN(a_retry_keeps_to_all_of_its_filters),
        RUN(what_an_erased_lead_had_is_not_tried_again),
        RUN(deliveries_of_a_connector_that_is_gone_are_held_until_it_is_back),
        RUN(a_paused_connector_is_held_until_it_is_resumed),
        RUN(one_that_was_paused_and_removed_stays_paused_when_it_is_back),
        RUN(slices_go_on_behind_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
