/* tests/contract/test_store_attempts.c - attempts begin and end; retries; connectors that go. */
#include "store_world.h"

static void an_attempt_that_begins_is_open(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack");
    OK(store_attempt_begin(w->store, id, T0 + 3));
    OK(store_commit(w->store));
    world_reopen(w);
    struct delivery d = get_delivery(w, id);
    assert_int_equal(d.open_attempt_at, T0 + 3);
    assert_int_equal(d.state, DELIVERY_PENDING);
    assert_int_equal(d.attempts, 0);
}

static void an_attempt_at_what_is_no_longer_pending_does_not_begin(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack");
    OK(end_with(w, id, ATTEMPT_DEAD, "revoked"));
    assert_int_equal(store_attempt_begin(w->store, id, T0 + 3), RC_NONE);
    assert_int_equal(store_attempt_begin(w->store, 4711, T0 + 3), RC_NONE);
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, id).open_attempt_at, 0);
}

static void delivered_is_the_end(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack");
    OK(end_with(w, id, ATTEMPT_RETRY, "503"));
    OK(store_attempt_begin(w->store, id, T0 + 11));
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = id,
                                                         .verdict = ATTEMPT_DELIVERED,
                                                         .started_at = T0 + 11,
                                                         .ended_at = T0 + 12,
                                                         .status = 200,
                                                         .remote_id = STR("168.42")}));
    OK(store_commit(w->store));
    struct delivery d = get_delivery(w, id);
    assert_int_equal(d.state, DELIVERY_DELIVERED);
    assert_int_equal(d.attempts, 2);
    assert_int_equal(d.done_at, T0 + 12);
    assert_int_equal(d.open_attempt_at, 0);
    TEXT(d.remote_id, "168.42");
    assert_null(d.reason.at);
    assert_int_equal(count_due(w, "slack"), 0);
}

static void dead_is_the_end_with_a_reason(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack");
    OK(store_attempt_begin(w->store, id, T0 + 10));
    OK(end_with(w, id, ATTEMPT_DEAD, "channel_not_found"));
    OK(store_commit(w->store));
    struct delivery d = get_delivery(w, id);
    assert_int_equal(d.state, DELIVERY_DEAD);
    assert_int_equal(d.attempts, 1);
    assert_int_equal(d.done_at, T0 + 20);
    assert_int_equal(d.open_attempt_at, 0);
    TEXT(d.reason, "channel_not_found");
    assert_null(d.remote_id.at);
}

static void a_retry_is_due_again_later(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack");
    OK(store_attempt_begin(w->store, id, T0 + 10));
    OK(end_with(w, id, ATTEMPT_RETRY, "503"));
    OK(store_commit(w->store));
    struct delivery d = get_delivery(w, id);
    assert_int_equal(d.state, DELIVERY_PENDING);
    assert_int_equal(d.attempts, 1);
    assert_int_equal(d.due_at, T0 + 500);
    assert_int_equal(d.done_at, 0);
    assert_int_equal(d.open_attempt_at, 0);
    TEXT(d.reason, "503");
}

/* Other failures come in between and count for nothing. */
static void answers_that_nobody_knows_are_counted_apart(void **state)
{
    struct world *w = *state;
    struct attempt_end end = {
        .verdict = ATTEMPT_RETRY, .unclear = true, .due_at = T0 + 500, .detail = STR("odd")};

    OK(store_begin(w->store));
    int64_t id = end.delivery = put_one(w, "slack");
    OK(store_attempt_end(w->store, &end));
    OK(end_with(w, id, ATTEMPT_RETRY, "503"));
    end.verdict = ATTEMPT_AMBIGUOUS;
    OK(store_attempt_end(w->store, &end));
    OK(store_commit(w->store));
    struct delivery d = get_delivery(w, id);
    assert_int_equal(d.attempts, 3);
    assert_int_equal(d.unclear, 2);
    OK(store_begin(w->store));
    OK(end_with(w, id, ATTEMPT_DEAD, "odd"));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, id).unclear, 2);
    int64_t n;
    OK(store_begin(w->store));
    OK(store_retry(w->store, &(struct retry_filter){0}, T0 + 30, &n));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, id).unclear, 0); /* a person has seen to it */
    end.verdict = ATTEMPT_RETRY;
    OK(store_begin(w->store));
    OK(store_attempt_end(w->store, &end));
    end.verdict = ATTEMPT_MORE;
    OK(store_attempt_end(w->store, &end));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, id).unclear, 0); /* it got on */
}

static void an_ambiguous_attempt_stays_open(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack");
    OK(store_attempt_begin(w->store, id, T0 + 9));
    OK(end_with(w, id, ATTEMPT_AMBIGUOUS, "time-out"));
    OK(store_commit(w->store));
    struct delivery d = get_delivery(w, id);
    assert_int_equal(d.state, DELIVERY_PENDING);
    assert_int_equal(d.attempts, 1);
    assert_int_equal(d.due_at, T0 + 500);
    assert_int_equal(d.open_attempt_at, T0 + 9);
    TEXT(d.reason, "time-out");
}

static void a_doubt_keeps_the_time_it_began_until_it_is_settled(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack"); /* no beginning was committed */
    OK(end_with(w, id, ATTEMPT_AMBIGUOUS, "time-out"));
    assert_int_equal(get_delivery(w, id).open_attempt_at, T0 + 10);
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = id,
                                                         .verdict = ATTEMPT_AMBIGUOUS,
                                                         .started_at = T0 + 600,
                                                         .ended_at = T0 + 601,
                                                         .due_at = T0 + 900}));
    assert_int_equal(get_delivery(w, id).open_attempt_at, T0 + 10);
    OK(end_with(w, id, ATTEMPT_RETRY, "it did not arrive"));
    assert_int_equal(get_delivery(w, id).open_attempt_at, 0);
    OK(store_commit(w->store));
}

static void an_attempt_ends_the_wait_for_enrichment(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL);
    struct delivery d = delivery_of(put_event_at(w, lead, T0), lead, "slack");
    d.wait_until = T0;
    add_delivery(w, &d);
    OK(end_with(w, d.id, ATTEMPT_RETRY, "503"));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, d.id).wait_until, 0);
}

static void every_attempt_has_its_row_in_the_history(void **state)
{
    struct world *w = *state;
    struct attempt_view *views;
    size_t n = 0;

    OK(store_begin(w->store));
    int64_t id = put_one(w, "slack"), other = put_one(w, "slack");
    for (int i = 0; i < 20; i++)
        OK(end_with(w, id, i % 2 ? ATTEMPT_RETRY : ATTEMPT_AMBIGUOUS, "503"));
    OK(end_with(w, other, ATTEMPT_DEAD, NULL));
    OK(store_commit(w->store));
    OK(read_attempts(w->reader, id, &w->arena, &views, &n));
    assert_int_equal(n, 20);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(views[i].started_at, T0 + 10);
        assert_int_equal(views[i].ended_at, T0 + 20);
        assert_int_equal(views[i].status, 503);
        assert_int_equal(views[i].verdict, i % 2 ? ATTEMPT_RETRY : ATTEMPT_AMBIGUOUS);
        TEXT(views[i].detail, "503");
    }
    OK(read_attempts(w->reader, other, &w->arena, &views, &n));
    assert_int_equal(n, 1);
    assert_null(views[0].detail.at);
    OK(read_attempts(w->reader, 4711, &w->arena, &views, &n));
    assert_int_equal(n, 0);
}

static void the_end_of_an_attempt_that_was_overtaken_is_noted_only(void **state)
{
    struct world *w = *state;
    struct attempt_view *views;
    int64_t folded = 0;
    bool urgent;
    size_t n = 0;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL);
    int64_t id = put_delivery(w, lead, "notion", T0), newer = put_delivery(w, lead, "notion", T0);
    struct lead l = get_lead(w, lead);
    OK(store_delivery_fold(w->store, STR("notion"), &l, newer, T0, &folded, &urgent));
    for (int v = ATTEMPT_DELIVERED; v <= ATTEMPT_MORE; v++)
        assert_int_equal(end_with(w, id, (enum attempt_verdict)v, "late"), RC_NONE);
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, id).state, DELIVERY_SUPERSEDED);
    assert_int_equal(get_delivery(w, id).attempts, 0);
    OK(read_attempts(w->reader, id, &w->arena, &views, &n));
    assert_int_equal(n, 5);
}

static void an_attempt_can_end_while_its_delivery_is_held(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t good = put_one(w, "slack"), bad = put_one(w, "slack"), open = put_one(w, "slack");
    int64_t again = put_one(w, "slack");
    OK(store_attempt_begin(w->store, good, T0));
    OK(store_attempt_begin(w->store, open, T0));
    OK(store_attempt_begin(w->store, again, T0));
    OK(store_connectors(w->store, NULL, 0));
    OK(end_with(w, good, ATTEMPT_DELIVERED, NULL));
    OK(end_with(w, bad, ATTEMPT_DEAD, "revoked"));
    OK(end_with(w, open, ATTEMPT_AMBIGUOUS, "time-out"));
    OK(end_with(w, again, ATTEMPT_RETRY, "busy"));
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, good).state, DELIVERY_DELIVERED);
    assert_int_equal(get_delivery(w, bad).state, DELIVERY_DEAD);
    assert_int_equal(get_delivery(w, open).state, DELIVERY_HELD);
    assert_int_equal(get_delivery(w, open).open_attempt_at, T0);
    assert_int_equal(get_delivery(w, again).state, DELIVERY_HELD);
    assert_int_equal(get_delivery(w, again).open_attempt_at, 0); /* that one did nothing */
    assert_int_equal(get_delivery(w, again).attempts, 1);
}

static void a_remote_object_is_set_renewed_and_forgotten(void **state)
{
    struct world *w = *state;
    struct str remote = STR("untouched");

    OK(store_begin(w->store));
    OK(store_remote_set(w->store, 1, STR("notion"), STR("page"), T0));
    OK(store_remote_set(w->store, 1, STR("notion"), STR("page-2"), T0 + 1));
    OK(store_remote_set(w->store, 2, STR("notion"), STR("other"), T0));
    OK(store_commit(w->store));
    assert_int_equal(read_remote(w->reader, 1, STR("crm"), &w->arena, &remote), RC_NONE);
    TEXT(remote, "untouched");
    OK(read_remote(w->reader, 1, STR("notion"), &w->arena, &remote));
    TEXT(remote, "page-2");
    OK(store_begin(w->store));
    OK(store_remote_set(w->store, 1, STR("notion"), STR(""), T0 + 2));
    OK(store_commit(w->store));
    assert_int_equal(read_remote(w->reader, 1, STR("notion"), &w->arena, &remote), RC_NONE);
    OK(read_remote(w->reader, 2, STR("notion"), &w->arena, &remote));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(an_attempt_that_begins_is_open),
        RUN(an_attempt_at_what_is_no_longer_pending_does_not_begin),
        RUN(delivered_is_the_end),
        RUN(dead_is_the_end_with_a_reason),
        RUN(a_retry_is_due_again_later),
        RUN(answers_that_nobody_knows_are_counted_apart),
        RUN(an_ambiguous_attempt_stays_open),
        RUN(a_doubt_keeps_the_time_it_began_until_it_is_settled),
        RUN(an_attempt_ends_the_wait_for_enrichment),
        RUN(every_attempt_has_its_row_in_the_history),
        RUN(the_end_of_an_attempt_that_was_overtaken_is_noted_only),
        RUN(an_attempt_can_end_while_its_delivery_is_held),
        RUN(a_remote_object_is_set_renewed_and_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
