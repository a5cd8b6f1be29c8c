/* tests/contract/test_store_deliveries.c - deliveries: added, folded, released, due, listed. */
#include "store_world.h"

static void a_delivery_comes_back_with_its_facts(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com"), event = put_event_at(w, lead, T0);
    struct delivery d = delivery_of(event, lead, "slack");
    d.due_at = T0 + 5;
    d.wait_until = T0 + 30;
    d.facts = (struct delivery_facts){
        .score = 815,
        .previous = -25,
        .fit = 200,
        .engagement = 615,
        .band = BAND_HOT,
        .reasons = STR("demo \"request\" +35, \xf0\x9f\x8e\x89"),
        .event_source = STR("hubspot"),
        .event_type = STR("contact.propertyChange"),
        .event_property = STR("demo_requested"),
        .event_value = STR(""),
        .event_time = T0 - 1,
    };
    add_delivery(w, &d);
    OK(store_commit(w->store));
    struct delivery got = get_delivery(w, d.id);
    assert_int_equal(got.id, d.id);
    assert_int_equal(got.event, event);
    TEXT(got.request_id, "req-1"); /* of the event */
    assert_int_equal(got.lead, lead);
    SAME(got.route, d.route);
    SAME(got.connector, d.connector);
    assert_int_equal(got.state, DELIVERY_PENDING);
    assert_int_equal(got.attempts, 0);
    assert_int_equal(got.created_at, T0);
    assert_int_equal(got.due_at, T0 + 5);
    assert_int_equal(got.wait_until, T0 + 30);
    assert_int_equal(got.done_at, 0);
    assert_int_equal(got.open_attempt_at, 0);
    assert_null(got.reason.at);
    assert_null(got.remote_id.at);
    assert_int_equal(got.facts.score, 815);
    assert_int_equal(got.facts.previous, -25);
    assert_int_equal(got.facts.fit, 200);
    assert_int_equal(got.facts.engagement, 615);
    assert_int_equal(got.facts.band, BAND_HOT);
    assert_int_equal(got.facts.event_time, T0 - 1);
    SAME(got.facts.reasons, d.facts.reasons);
    SAME(got.facts.event_source, d.facts.event_source);
    SAME(got.facts.event_type, d.facts.event_type);
    SAME(got.facts.event_property, d.facts.event_property);
    SAME(got.facts.event_value, d.facts.event_value);
}

static void a_long_value_is_no_obstacle(void **state)
{
    enum { LONG = 1 << 20 };
    struct world *w = *state;
    char *value = arena_alloc(&w->arena, LONG);

    memset(value, '"', LONG); /* twice as long as JSON */
    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL);
    struct delivery d = delivery_of(put_event_at(w, lead, T0), lead, "slack");
    d.facts.event_value = (struct str){value, LONG};
    add_delivery(w, &d);
    OK(store_commit(w->store));
    SAME(get_delivery(w, d.id).facts.event_value, d.facts.event_value);
}

static void what_a_delivery_is_to_bring_up_to_date_stays_known(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    struct delivery d = delivery_of(put_event_at(w, lead, T0), lead, "slack");
    d.remote_id = STR("C1:1.2");
    add_delivery(w, &d);
    TEXT(get_delivery(w, d.id).remote_id, "C1:1.2");
    struct attempt_end end = {.delivery = d.id,
                              .lead = lead,
                              .connector = STR("slack"),
                              .verdict = ATTEMPT_DEAD,
                              .started_at = T0,
                              .ended_at = T0,
                              .detail = STR("message_not_found")};
    OK(store_attempt_end(w->store, &end));
    OK(store_commit(w->store));
    TEXT(get_delivery(w, d.id).remote_id, "C1:1.2"); /* for a retry */
}

static void a_delivery_that_is_not_there_is_none(void **state)
{
    struct world *w = *state;
    struct delivery d = {.id = -1};
    struct due_row row = {.id = -1};

    assert_int_equal(read_delivery(w->reader, 9, &w->arena, &d), RC_NONE);
    assert_int_equal(d.id, -1);
    assert_int_equal(read_due_of_lead(w->reader, STR("slack"), 1, 0, &row), RC_NONE);
    assert_int_equal(row.id, -1);
}

static int64_t fold(struct world *w, const char *connector, int64_t lead, int64_t newer)
{
    struct lead l = get_lead(w, lead);
    int64_t n = -1;
    bool urgent;

    OK(store_delivery_fold(w->store, str_of(connector), &l, newer, T0 + 7, &n, &urgent));
    return n;
}

static void a_newer_delivery_takes_the_place_of_those_that_wait(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL), bob = put_lead(w, NULL);
    int64_t one = put_delivery(w, ada, "notion", T0), two = put_delivery(w, ada, "notion", T0);
    int64_t others = put_delivery(w, bob, "notion", T0), slack = put_delivery(w, ada, "slack", T0);
    int64_t newest = put_delivery(w, ada, "notion", T0), later = put_delivery(w, ada, "notion", T0);
    assert_int_equal(fold(w, "notion", ada, newest), 2);
    OK(store_commit(w->store));
    const int64_t gone[] = {one, two}, kept[] = {others, slack, newest, later};
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        struct delivery d = get_delivery(w, gone[i]);

        assert_int_equal(d.state, DELIVERY_SUPERSEDED);
        assert_int_equal(d.done_at, T0 + 7);
        assert_true(d.reason.len > 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        assert_int_equal(get_delivery(w, kept[i]).state, DELIVERY_PENDING);
}

static void a_fold_leaves_open_attempts_and_what_is_done(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL);
    int64_t open = put_delivery(w, lead, "notion", T0), dead = put_delivery(w, lead, "notion", T0);
    OK(store_attempt_begin(w->store, open, T0));
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = dead,
                                                         .verdict = ATTEMPT_DEAD,
                                                         .started_at = T0,
                                                         .ended_at = T0}));
    int64_t newest = put_delivery(w, lead, "notion", T0);
    assert_int_equal(fold(w, "notion", lead, newest), 0);
    int64_t held = put_delivery(w, lead, "gone", T0);
    OK(store_connectors(w->store, &STR("notion"), 1));
    int64_t after = put_delivery(w, lead, "gone", T0);
    assert_int_equal(fold(w, "gone", lead, after), 1); /* whoever comes back hears the newest */
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, open).state, DELIVERY_PENDING);
    assert_int_equal(get_delivery(w, dead).state, DELIVERY_DEAD);
    assert_int_equal(get_delivery(w, held).state, DELIVERY_SUPERSEDED);
    assert_int_equal(get_delivery(w, after).state, DELIVERY_HELD);
}

static bool waiting(struct world *w, const char *connector, const char *route, int64_t lead)
{
    struct lead l = get_lead(w, lead);
    bool is = false;

    OK(read_delivery_waiting(w->reader, str_of(connector), str_of(route), &l, &is));
    return is;
}

static void it_is_known_whether_one_waits_already(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), other = put_lead(w, NULL);
    int64_t id = put_delivery(w, lead, "crm", T0);
    OK(store_commit(w->store));
    assert_true(waiting(w, "crm", "hot-lead", lead));
    assert_false(waiting(w, "crm", "enrichment", lead));
    assert_false(waiting(w, "slack", "hot-lead", lead));
    assert_false(waiting(w, "crm", "hot-lead", other));
    OK(store_begin(w->store));
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = id,
                                                         .verdict = ATTEMPT_DELIVERED,
                                                         .started_at = T0,
                                                         .ended_at = T0}));
    OK(store_commit(w->store));
    assert_false(waiting(w, "crm", "hot-lead", lead));
}

struct released {
    struct due_row rows[8];
    char connectors[8][16];
    size_t n;
};

static void see_released(void *self, struct str connector, const struct due_row *row)
{
    struct released *r = self;

    assert_true(r->n < ARRAY_LEN(r->rows) && connector.len < sizeof r->connectors[0]);
    memcpy(r->connectors[r->n], connector.at, connector.len);
    r->rows[r->n++] = *row;
}

static void what_waits_for_enrichment_is_released_once(void **state)
{
    struct world *w = *state;
    struct released r = {0};

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), other = put_lead(w, NULL);
    struct delivery d = delivery_of(put_event_at(w, lead, 1), lead, "slack");
    struct delivery o = delivery_of(put_event_at(w, other, 2), other, "slack");
    d.due_at = d.wait_until = o.due_at = o.wait_until = T0 + 30000;
    add_delivery(w, &d);
    add_delivery(w, &o);
    int64_t ready = put_delivery(w, lead, "notion", T0 + 5);
    struct lead l = get_lead(w, lead);
    OK(store_delivery_release(w->store, &l, T0 + 100, see_released, &r));
    assert_int_equal(r.n, 1);
    assert_string_equal(r.connectors[0], "slack");
    assert_int_equal(r.rows[0].id, d.id);
    assert_int_equal(r.rows[0].lead, lead);
    assert_int_equal(r.rows[0].due_at, T0 + 100);
    assert_int_equal(r.rows[0].open_attempt_at, 0);
    OK(store_delivery_release(w->store, &l, T0 + 200, see_released, &r));
    assert_int_equal(r.n, 1);
    OK(store_commit(w->store));
    assert_int_equal(get_delivery(w, d.id).due_at, T0 + 100);
    assert_int_equal(get_delivery(w, d.id).wait_until, 0);
    assert_int_equal(get_delivery(w, o.id).due_at, T0 + 30000);
    assert_int_equal(get_delivery(w, ready).due_at, T0 + 5);
}

/* A mail has gone to one of two recipients. */
static void what_was_made_so_far_is_kept_with_a_retry(void **state)
{
    static const enum attempt_verdict verdicts[] = {ATTEMPT_RETRY, ATTEMPT_AMBIGUOUS};
    struct world *w = *state;

    OK(store_begin(w->store));
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
        int64_t id = put_delivery(w, put_lead(w, NULL), "slack", T0);
        struct attempt_end end = {.delivery = id,
                                  .verdict = verdicts[i],
                                  .started_at = T0 + 10,
                                  .ended_at = T0 + 20,
                                  .due_at = T0 + 500,
                                  .detail = STR("450"),
                                  .remote_id = STR("<1@a>")};

        OK(store_attempt_end(w->store, &end));
        TEXT(get_delivery(w, id).remote_id, "<1@a>");
        end.remote_id = STR_NULL; /* nothing new */
        OK(store_attempt_end(w->store, &end));
        TEXT(get_delivery(w, id).remote_id, "<1@a>");
    }
    OK(store_commit(w->store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_was_made_so_far_is_kept_with_a_retry),
        RUN(a_delivery_comes_back_with_its_facts),
        RUN(a_long_value_is_no_obstacle),
        RUN(what_a_delivery_is_to_bring_up_to_date_stays_known),
        RUN(a_delivery_that_is_not_there_is_none),
        RUN(a_newer_delivery_takes_the_place_of_those_that_wait),
        RUN(a_fold_leaves_open_attempts_and_what_is_done),
        RUN(it_is_known_whether_one_waits_already),
        RUN(what_waits_for_enrichment_is_released_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
