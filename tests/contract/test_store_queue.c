/* tests/contract/test_store_queue.c - what is due, in which order, and how much waits. */
#include "store_world.h"

static void only_the_oldest_of_a_connector_and_lead_is_due(void **state)
{
    struct world *w = *state;
    struct due_row rows[8], head;
    size_t n = 0;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL), bob = put_lead(w, NULL);
    int64_t a1 = put_delivery(w, ada, "slack", T0 + 50), a2 = put_delivery(w, ada, "slack", T0);
    int64_t b1 = put_delivery(w, bob, "slack", T0 + 10), n1 = put_delivery(w, ada, "notion", T0);
    OK(store_attempt_begin(w->store, b1, T0 + 1));
    OK(store_commit(w->store));
    n = due(w, "slack", false, 8, rows);
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].id, b1);
    assert_int_equal(rows[0].lead, bob);
    assert_int_equal(rows[0].due_at, T0 + 10);
    assert_int_equal(rows[0].open_attempt_at, T0 + 1);
    assert_int_equal(rows[1].id, a1);
    OK(read_due_of_lead(w->reader, STR("slack"), ada, 0, &head));
    assert_int_equal(head.id, a1);
    OK(read_due_of_lead(w->reader, STR("notion"), ada, 0, &head));
    assert_int_equal(head.id, n1);
    OK(store_begin(w->store));
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = a1,
                                                         .verdict = ATTEMPT_DELIVERED,
                                                         .started_at = T0,
                                                         .ended_at = T0}));
    OK(store_commit(w->store));
    OK(read_due_of_lead(w->reader, STR("slack"), ada, 0, &head));
    assert_int_equal(head.id, a2);
}

static int64_t put_subscription(struct world *w, const char *address)
{
    struct subscription s = {
        .token = str_of(address), .route = STR("hot-lead"), .target = str_of(address)};
    bool fresh = false;

    OK(store_subscribe(w->store, &w->arena, &s, &fresh));
    return s.id;
}

static void of_one_lead_each_subscription_has_its_own_order(void **state)
{
    struct world *w = *state;
    struct due_row rows[8], first;
    int64_t ids[4];
    size_t n = 0;

    int64_t s[2];

    OK(store_begin(w->store));
    for (int i = 0; i < 2; i++)
        s[i] = put_subscription(w, i ? "https://x/1" : "https://x/0");
    int64_t ada = put_lead(w, NULL);
    for (int i = 0; i < 4; i++) {
        struct delivery d = delivery_of(put_event_at(w, ada, i + 1), ada, "slack");

        d.target = s[i % 2];
        add_delivery(w, &d);
        ids[i] = d.id;
    }
    OK(store_commit(w->store));
    assert_int_equal(due(w, "slack", false, 8, rows), 0); /* they are for nobody else */
    for (int i = 0; i < 2; i++) {
        struct due_scan scan = {.connector = STR("slack"), .target = s[i]};

        OK(read_due(w->reader, &scan, 8, rows, &n));
        assert_int_equal(n, 1);
        assert_int_equal(rows[0].id, ids[i]);
        assert_int_equal(rows[0].target, s[i]);
    }
    OK(read_due_of_lead(w->reader, STR("slack"), ada, s[1], &first));
    assert_int_equal(first.id, ids[1]);
    assert_int_equal(read_due_of_lead(w->reader, STR("slack"), ada, s[1] + 1, &first), RC_NONE);
}

static void what_is_urgent_is_due_apart(void **state)
{
    struct world *w = *state;
    struct due_row rows[8];
    size_t n = 0;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL), bob = put_lead(w, NULL);
    int64_t routine = put_delivery(w, ada, "slack", T0);
    struct delivery d = delivery_of(put_event_at(w, bob, 1), bob, "slack");
    struct delivery behind = delivery_of(put_event_at(w, ada, 2), ada, "slack");
    d.urgent = behind.urgent = true;
    add_delivery(w, &d);
    add_delivery(w, &behind); /* Ada's routine one comes first, and is as urgent now */
    int64_t other = put_one(w, "slack");
    OK(store_commit(w->store));
    n = due(w, "slack", true, 8, rows);
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].id, routine);
    assert_int_equal(rows[1].id, d.id);
    assert_true(rows[0].urgent && get_delivery(w, d.id).urgent);
    n = due(w, "slack", false, 8, rows);
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].id, other);
    assert_false(rows[0].urgent);
}

static size_t count_waiting(struct world *w, int64_t lead)
{
    struct lead l = get_lead(w, lead);
    size_t n = 1;

    for (size_t i = 0; i < l.waiting.len; i++)
        n += l.waiting.at[i] == ',';
    return n;
}

/* Those that have ended stay in it for a while, those that wait all the time. */
static void what_waits_for_a_lead_is_known_however_many_have_ended(void **state)
{
    enum { MANY = 300 };
    struct world *w = *state;
    struct due_row first;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), oldest = put_delivery(w, lead, "slack", T0);
    for (int i = 0; i < MANY; i++) {
        struct attempt_end end = {.delivery = put_delivery(w, lead, "notion", T0),
                                  .verdict = ATTEMPT_DELIVERED,
                                  .started_at = T0,
                                  .ended_at = T0};

        OK(store_attempt_end(w->store, &end));
        assert_in_range(count_waiting(w, lead), 1, 8);
    }
    for (int i = 0; i < MANY; i++)
        (void)put_delivery(w, lead, "notion", T0);
    assert_in_range(count_waiting(w, lead), 32, 64); /* the others are found without it */
    OK(store_commit(w->store));
    OK(read_due_of_lead(w->reader, STR("slack"), lead, 0, &first));
    assert_int_equal(first.id, oldest);
    struct lead l = get_lead(w, lead);
    OK(read_first_waiting(w->reader, STR("slack"), &l, &first));
    assert_int_equal(first.id, oldest);
}

static void due_rows_are_ordered_by_time_then_id_and_limited(void **state)
{
    struct world *w = *state;
    struct due_row rows[8];
    size_t n = 0;
    int64_t id[4];

    OK(store_begin(w->store));
    for (int i = 0; i < 4; i++)
        id[i] = put_delivery(w, put_lead(w, NULL), "slack", i == 3 ? T0 - 1 : T0);
    OK(store_commit(w->store));
    n = due(w, "slack", false, 3, rows);
    assert_int_equal(n, 3);
    assert_int_equal(rows[0].id, id[3]);
    assert_int_equal(rows[1].id, id[0]);
    assert_int_equal(rows[2].id, id[1]);
    n = due(w, "nobody", false, 3, rows);
    assert_int_equal(n, 0);
}

/* A call goes on behind the last one, and looks at so many rows that none takes long. */
static void heads_are_read_bit_by_bit_past_what_are_none(void **state)
{
    enum { BEHIND = DUE_ROWS_MAX + 10 };
    struct world *w = *state;
    struct due_scan scan = {.connector = STR("slack")};
    struct due_row rows[8];
    size_t n = 9;

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, NULL), event = put_event_at(w, ada, 1);
    struct lead l = get_lead(w, ada);
    struct delivery first = delivery_of(event, ada, "slack");
    first.urgent = true; /* the head of all the others, and not among them */
    OK(store_delivery_add(w->store, &l, &first, &w->arena));
    for (int i = 0; i < BEHIND; i++) {
        struct delivery d = delivery_of(event, ada, "slack");

        OK(store_delivery_add(w->store, &l, &d, &w->arena));
        l.waiting = STR_NULL; /* a list of the first alone will do */
    }
    l.waiting = arena_printf(&w->arena, "[%d]", (int)first.id);
    OK(store_lead_save(w->store, &l));
    int64_t bob[2] = {put_one(w, "slack"), put_one(w, "slack")};
    OK(store_commit(w->store));
    OK(read_due(w->reader, &scan, 1, rows, &n));
    assert_int_equal(n, 0);
    assert_false(scan.done);
    OK(read_due(w->reader, &scan, 1, rows, &n));
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].id, bob[0]);
    assert_false(scan.done);
    OK(read_due(w->reader, &scan, 8, rows, &n));
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].id, bob[1]);
    assert_true(scan.done);
}

static void it_is_known_for_which_subscriptions_something_waits(void **state)
{
    struct world *w = *state;
    int64_t *targets = NULL, s[3];
    size_t n = 9;

    OK(store_begin(w->store));
    OK(read_targets(w->reader, STR("hooks"), &w->arena, &targets, &n));
    assert_int_equal(n, 0);
    int64_t ada = put_lead(w, NULL);
    for (int i = 0; i < 3; i++) {
        s[i] = put_subscription(w, arena_printf(&w->arena, "https://x/%d", i).at);
        struct delivery d =
            delivery_of(put_event_at(w, ada, 1 + i), ada, i == 1 ? "others" : "hooks");

        d.target = s[i];
        add_delivery(w, &d);
    }
    (void)put_one(w, "hooks");
    OK(store_commit(w->store));
    OK(read_targets(w->reader, STR("hooks"), &w->arena, &targets, &n));
    assert_int_equal(n, 2);
    assert_int_equal(targets[0], s[0]);
    assert_int_equal(targets[1], s[2]);
    OK(read_targets(w->reader, STR("nobody"), &w->arena, &targets, &n));
    assert_int_equal(n, 0);
}

struct listed {
    int64_t ada, bob, event, id[5];
};

/* Ada and Bob in turn; connectors slack and notion in turn; the last one is dead. */
static struct listed five_deliveries(struct world *w)
{
    struct listed l;

    OK(store_begin(w->store));
    l.ada = put_lead(w, NULL);
    l.bob = put_lead(w, NULL);
    l.event = put_event_at(w, l.ada, T0);
    for (int i = 0; i < 5; i++) {
        int64_t lead = i % 2 ? l.bob : l.ada;
        int64_t event = i == 0 || i == 4 ? l.event : put_event_at(w, lead, T0 + i);
        struct delivery d = delivery_of(event, lead, i < 3 ? "slack" : "notion");

        d.created_at = T0 + i;
        add_delivery(w, &d);
        l.id[i] = d.id;
    }
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = l.id[4],
                                                         .verdict = ATTEMPT_DEAD,
                                                         .started_at = T0,
                                                         .ended_at = T0}));
    OK(store_commit(w->store));
    return l;
}

static struct shown list(struct world *w, const struct list_filter *f)
{
    struct shown s = {0};

    OK(read_deliveries(w->reader, f, show_delivery, &s));
    return s;
}

static void lists_show_the_newest_first_page_and_filter(void **state)
{
    struct world *w = *state;
    struct listed l = five_deliveries(w);
    const int64_t *id = l.id;

    SHOWN(list(w, &(struct list_filter){.limit = 9}), id[4], id[3], id[2], id[1], id[0]);
    SHOWN(list(w, &(struct list_filter){.limit = 2}), id[4], id[3]);
    SHOWN(list(w, &(struct list_filter){.limit = 2, .after = id[3]}), id[2], id[1]);
    SHOWN(list(w, &(struct list_filter){.limit = 9, .lead = l.bob}), id[3], id[1]);
    SHOWN(list(w, &(struct list_filter){.limit = 9, .connector = STR("notion")}), id[4], id[3]);
    SHOWN(list(w, &(struct list_filter){.limit = 9, .state = STR("dead")}), id[4]);
    SHOWN(list(w, &(struct list_filter){.limit = 9, .since = T0 + 3}), id[4], id[3]);
    SHOWN(list(w,
               &(struct list_filter){
                   .limit = 9, .lead = l.ada, .connector = STR("notion"), .state = STR("dead")}),
          id[4]);
    assert_int_equal(list(w, &(struct list_filter){.limit = 9, .state = STR("lost")}).n, 0);
    assert_int_equal(list(w, &(struct list_filter){.limit = 9, .connector = STR("x")}).n, 0);
}

/* For a sample of what people are told. */
static void lists_leave_out_what_the_crm_is_asked_and_look_back_a_span(void **state)
{
    struct world *w = *state;
    struct listed l = five_deliveries(w);
    const int64_t *id = l.id;
    const char *const asked[] = {"enrichment", "catch-up"};

    OK(store_begin(w->store));
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct delivery d = delivery_of(l.event, l.ada, "crm");

        d.route = str_of(asked[i]);
        add_delivery(w, &d);
    }
    OK(store_commit(w->store));
    SHOWN(list(w, &(struct list_filter){.limit = 2, .told = true}), id[4], id[3]);
    SHOWN(list(w, &(struct list_filter){.limit = 9, .told = true, .span = 4}), id[4], id[3]);
    assert_int_equal(list(w, &(struct list_filter){.limit = 9, .span = 2}).n, 2);
    assert_int_equal(list(w, &(struct list_filter){.limit = 9, .span = 1000}).n, 7);
    assert_int_equal(list(w, &(struct list_filter){.limit = 9, .route = STR("enrichment")}).n, 1);
}

static void the_deliveries_of_an_event_come_all_and_oldest_first(void **state)
{
    struct world *w = *state;
    struct listed l = five_deliveries(w);

    SHOWN(list(w, &(struct list_filter){.event = l.event}), l.id[0], l.id[4]);
    SHOWN(list(w, &(struct list_filter){.event = l.event, .limit = 1, .state = STR("pending")}),
          l.id[0], l.id[4]);
    assert_int_equal(list(w, &(struct list_filter){.event = 4711}).n, 0);
}

static void the_queue_is_as_deep_as_what_is_pending(void **state)
{
    struct world *w = *state;
    int64_t depth = -1, oldest = -1;

    OK(read_queue(w->reader, STR("slack"), &depth, &oldest));
    assert_int_equal(depth, 0);
    assert_int_equal(oldest, 0);
    (void)five_deliveries(w);
    OK(read_queue(w->reader, STR("slack"), &depth, &oldest));
    assert_int_equal(depth, 3);
    assert_int_equal(oldest, T0);
    OK(read_queue(w->reader, STR("notion"), &depth, &oldest));
    assert_int_equal(depth, 1);
    assert_int_equal(oldest, T0 + 3);
}

/* What a connector's queue says, next to what a list of all that is pending or held says. */
static void check_queue(struct world *w, const char *connector, int64_t oldest)
{
    const struct list_filter pending = {
        .limit = 64, .connector = str_of(connector), .state = STR("pending")};
    struct list_filter held = pending;
    int64_t depth = -1, first = -1;

    held.state = STR("held");
    OK(read_queue(w->reader, pending.connector, &depth, &first));
    assert_int_equal(depth, list(w, &pending).n + list(w, &held).n);
    assert_int_equal(first, oldest);
}

static void the_queue_follows_whatever_becomes_of_a_delivery(void **state)
{
    const struct str both[] = {STR("notion"), STR("slack")};
    struct world *w = *state;
    struct listed l = five_deliveries(w);
    int64_t n = 0;

    OK(store_begin(w->store));
    OK(store_retry(w->store, &(struct retry_filter){0}, T0 + 9, &n));
    assert_int_equal(n, 1); /* the dead one of five, whose age counts anew */
    check_queue(w, "notion", T0 + 3);
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = l.id[3],
                                                         .verdict = ATTEMPT_DELIVERED,
                                                         .started_at = T0,
                                                         .ended_at = T0}));
    check_queue(w, "notion", T0 + 9);
    OK(store_connectors(w->store, both, 1)); /* Slack's are held, and still wait */
    check_queue(w, "slack", T0);
    OK(store_connectors(w->store, both, 2));
    check_queue(w, "slack", T0);
    OK(store_savepoint(w->store));
    OK(store_connectors(w->store, NULL, 0));
    OK(store_undo(w->store));
    OK(store_commit(w->store));
    check_queue(w, "slack", T0);
    check_queue(w, "notion", T0 + 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(only_the_oldest_of_a_connector_and_lead_is_due),
        RUN(of_one_lead_each_subscription_has_its_own_order),
        RUN(what_is_urgent_is_due_apart),
        RUN(what_waits_for_a_lead_is_known_however_many_have_ended),
        RUN(heads_are_read_bit_by_bit_past_what_are_none),
        RUN(it_is_known_for_which_subscriptions_something_waits),
        RUN(due_rows_are_ordered_by_time_then_id_and_limited),
        RUN(lists_show_the_newest_first_page_and_filter),
        RUN(lists_leave_out_what_the_crm_is_asked_and_look_back_a_span),
        RUN(the_deliveries_of_an_event_come_all_and_oldest_first),
        RUN(the_queue_is_as_deep_as_what_is_pending),
        RUN(the_queue_follows_whatever_becomes_of_a_delivery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
