/* tests/contract/test_store_kinds.c - deliveries that ask, that tell, and that are of no lead. */
#include "store_world.h"

static int64_t put_as(struct world *w, const char *route, int64_t event, int64_t lead)
{
    struct delivery d = delivery_of(event, lead, "crm");

    struct lead l = {0};

    d.route = str_of(route);
    if (lead)
        l = get_lead(w, lead);
    OK(store_delivery_add(w->store, &l, &d, &w->arena));
    if (lead)
        OK(store_lead_save(w->store, &l));
    return d.id;
}

static int64_t fold(struct world *w, int64_t lead, int64_t newer)
{
    struct lead l = get_lead(w, lead);
    int64_t n = -1;
    bool urgent;

    OK(store_delivery_fold(w->store, STR("crm"), &l, newer, T0 + 7, &n, &urgent));
    return n;
}

static enum delivery_state state_of(struct world *w, int64_t id)
{
    return get_delivery(w, id).state;
}

static void to_ask_does_not_take_the_place_of_to_tell(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), event = put_event_at(w, lead, T0);
    int64_t asks = put_as(w, "enrichment", event, lead), tells = put_as(w, "hot", event, lead);
    assert_int_equal(fold(w, lead, tells), 0);
    int64_t tells_more = put_as(w, "warm", event, lead); /* of another route, and the same kind */
    assert_int_equal(fold(w, lead, tells_more), 1);
    int64_t asks_again = put_as(w, "enrichment", event, lead);
    assert_int_equal(fold(w, lead, asks_again), 1);
    OK(store_commit(w->store));
    assert_int_equal(state_of(w, asks), DELIVERY_SUPERSEDED);
    assert_int_equal(state_of(w, tells), DELIVERY_SUPERSEDED);
    assert_int_equal(state_of(w, tells_more), DELIVERY_PENDING);
    assert_int_equal(state_of(w, asks_again), DELIVERY_PENDING);
}

static void kill_it(struct world *w, int64_t id)
{
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = id,
                                                         .verdict = ATTEMPT_DEAD,
                                                         .started_at = T0,
                                                         .ended_at = T0,
                                                         .detail = STR("gone")}));
}

static int64_t retry_all(struct world *w, int64_t now)
{
    int64_t n = 0, folded = -1;

    OK(store_retry(w->store, &(struct retry_filter){0}, now, &n));
    OK(store_delivery_fold_again(w->store, STR("crm"), now, &folded));
    return folded;
}

static void what_is_put_back_is_overtaken_by_its_own_kind_only(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), event = put_event_at(w, lead, T0);
    int64_t asks = put_as(w, "enrichment", event, lead), tells = put_as(w, "hot", event, lead);
    kill_it(w, asks);
    kill_it(w, tells);
    (void)put_as(w, "warm", event, lead);
    assert_int_equal(retry_all(w, T0 + 9), 1);
    OK(store_commit(w->store));
    assert_int_equal(state_of(w, asks), DELIVERY_PENDING);
    assert_int_equal(state_of(w, tells), DELIVERY_SUPERSEDED);
}

/* The next catch-up begins where this one ends. */
static void a_catch_up_is_never_superseded(void **state)
{
    struct world *w = *state;
    struct event e = event_at(T0, 1);

    OK(store_begin(w->store));
    e.state = EVENT_UNLINKED;
    int64_t event = put_event(w, 0, &e);
    int64_t first = put_as(w, "catch-up", event, 0), second = put_as(w, "catch-up", event, 0);
    kill_it(w, first);
    assert_int_equal(retry_all(w, T0 + 9), 0);
    OK(store_commit(w->store));
    assert_int_equal(state_of(w, first), DELIVERY_PENDING);
    assert_int_equal(state_of(w, second), DELIVERY_PENDING);
    struct due_row row;
    OK(read_due_of_lead(w->reader, STR("crm"), 0, 0, &row)); /* in order, one at a time */
    assert_int_equal(row.id, first);
    assert_int_equal(count_due(w, "crm"), 1);
}

static void a_part_that_is_done_moves_the_delivery_on(void **state)
{
    struct world *w = *state;
    struct event e = event_at(T0, 1);
    struct attempt_view *views;
    size_t n;

    OK(store_begin(w->store));
    e.state = EVENT_UNLINKED;
    int64_t id = put_as(w, "catch-up", put_event(w, 0, &e), 0);
    struct attempt_end end = {.delivery = id,
                              .verdict = ATTEMPT_RETRY,
                              .started_at = T0,
                              .ended_at = T0,
                              .due_at = T0 + 5,
                              .detail = STR("HTTP 503")};
    OK(store_attempt_end(w->store, &end));
    end.verdict = ATTEMPT_MORE;
    end.due_at = T0 + 6;
    end.remote_id = STR("page 2");
    end.detail = STR("100 contacts");
    OK(store_attempt_end(w->store, &end));
    OK(store_commit(w->store));
    struct delivery d = get_delivery(w, id);
    assert_int_equal(d.state, DELIVERY_PENDING);
    assert_int_equal(d.attempts, 0); /* in a row, without success */
    assert_int_equal(d.due_at, T0 + 6);
    SAME(d.remote_id, STR("page 2"));
    SAME(d.reason, STR("100 contacts"));
    OK(store_begin(w->store));
    end.remote_id = STR_NULL;
    end.verdict = ATTEMPT_DELIVERED;
    OK(store_attempt_end(w->store, &end));
    OK(store_commit(w->store));
    SAME(get_delivery(w, id).remote_id, STR("page 2"));
    OK(read_attempts(w->reader, id, &w->arena, &views, &n));
    assert_int_equal(n, 3);
    assert_int_equal(views[1].verdict, ATTEMPT_MORE);
    assert_string_equal(attempt_verdict_name(ATTEMPT_MORE), "more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        T(to_ask_does_not_take_the_place_of_to_tell),
        T(what_is_put_back_is_overtaken_by_its_own_kind_only),
        T(a_catch_up_is_never_superseded),
        T(a_part_that_is_done_moves_the_delivery_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
