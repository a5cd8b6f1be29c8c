/* tests/contract/test_store_events.c - dedupe keys, events, a lead's history, lists of events. */
#include "store_world.h"

static void a_fresh_key_gives_ids_that_count_up(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    assert_int_equal(put_event_at(w, 0, T0), 1);
    assert_int_equal(put_event_at(w, 0, T0 + 1), 2);
    OK(store_commit(w->store));
}

static void a_key_that_was_claimed_names_the_event_that_has_it(void **state)
{
    struct world *w = *state;
    struct event first = event_at(T0, 1), other = event_at(T0, 2);
    int64_t id = 0;

    OK(store_begin(w->store));
    int64_t owner = put_event(w, 0, &first);
    (void)put_event(w, 0, &other);
    assert_int_equal(store_dedupe(w->store, &first, &id), RC_EXISTS);
    assert_int_equal(id, owner);
    OK(store_commit(w->store));
    OK(store_begin(w->store));
    assert_int_equal(store_dedupe(w->store, &first, &id), RC_EXISTS);
    assert_int_equal(id, owner);
    store_rollback(w->store);
}

static void keys_are_remembered_after_a_restart_and_ids_go_on(void **state)
{
    struct world *w = *state;
    struct event e = event_at(T0, 1);
    int64_t id = 0;

    OK(store_begin(w->store));
    int64_t first = put_event(w, 0, &e);
    OK(store_commit(w->store));
    world_reopen(w);
    OK(store_begin(w->store));
    assert_int_equal(store_dedupe(w->store, &e, &id), RC_EXISTS);
    assert_int_equal(id, first);
    assert_int_equal(put_event_at(w, 0, T0 + 1), first + 1);
    OK(store_commit(w->store));
}

static void keys_of_the_same_time_and_of_the_same_hash_are_different(void **state)
{
    struct world *w = *state;
    struct event a = event_at(T0, 1), b = event_at(T0, 2), c = event_at(T0 + 1, 1);

    OK(store_begin(w->store));
    (void)put_event(w, 0, &a);
    (void)put_event(w, 0, &b);
    (void)put_event(w, 0, &c);
    OK(store_commit(w->store));
}

static struct event windowed(int64_t received_at)
{
    struct event e = event_at(0, 7);

    e.received_at = received_at;
    e.dedupe_window_ms = 1000;
    return e;
}

static void inside_the_window_the_same_hash_is_a_duplicate(void **state)
{
    struct world *w = *state;
    struct event first = windowed(T0), again = windowed(T0 + 999), earlier = windowed(T0 - 50);
    int64_t id = 0;

    OK(store_begin(w->store));
    int64_t owner = put_event(w, 0, &first);
    assert_int_equal(store_dedupe(w->store, &again, &id), RC_EXISTS);
    assert_int_equal(id, owner);
    assert_int_equal(store_dedupe(w->store, &earlier, &id), RC_EXISTS);
    OK(store_commit(w->store));
}

/* The clock was ahead when it came first. */
static void a_window_does_not_reach_into_the_future(void **state)
{
    struct world *w = *state;
    struct event first = windowed(T0 + 1000000), now = windowed(T0), soon = windowed(T0 + 1);
    int64_t id = 0;

    OK(store_begin(w->store));
    int64_t one = put_event(w, 0, &first);
    int64_t two = put_event(w, 0, &now);
    assert_int_not_equal(one, two);
    assert_int_equal(store_dedupe(w->store, &soon, &id), RC_EXISTS);
    assert_int_equal(id, two);
    OK(store_commit(w->store));
}

static void after_the_window_the_same_hash_is_a_new_event(void **state)
{
    struct world *w = *state;
    struct event first = windowed(T0), later = windowed(T0 + 1000), again = windowed(T0 + 1500);
    int64_t id = 0;

    OK(store_begin(w->store));
    int64_t one = put_event(w, 0, &first);
    int64_t two = put_event(w, 0, &later);
    assert_int_not_equal(one, two);
    /* The window runs from the newest that counted. */
    assert_int_equal(store_dedupe(w->store, &again, &id), RC_EXISTS);
    assert_int_equal(id, two);
    OK(store_commit(w->store));
}

static void without_a_window_a_key_is_claimed_for_ever(void **state)
{
    struct world *w = *state;
    struct event e = event_at(T0, 1);
    int64_t id = 0;

    OK(store_begin(w->store));
    (void)put_event(w, 0, &e);
    e.received_at += INT64_C(90) * 24 * 3600 * 1000;
    assert_int_equal(store_dedupe(w->store, &e, &id), RC_EXISTS);
    OK(store_commit(w->store));
}

static void an_event_comes_back_as_it_was_stored(void **state)
{
    struct world *w = *state;
    struct event e = event_at(T0, 1);
    struct event_view v;
    uint8_t hash[SHA256_LEN];
    char hex[SHA256_HEX];

    e.state = EVENT_UNPROCESSABLE;
    e.reason = STR("no subscriptionType");
    e.received_at = T0 + 5;
    e.body = STR("{\"text\":\"Gr\xc3\xbc\xc3\x9f\x65 \xf0\x9f\x8e\x89\"}");
    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    int64_t id = put_event(w, lead, &e);
    OK(store_commit(w->store));
    OK(read_event(w->reader, id, &w->arena, &v));
    assert_int_equal(v.id, id);
    assert_int_equal(v.lead, lead);
    assert_int_equal(v.occurred_at, T0);
    assert_int_equal(v.received_at, T0 + 5);
    assert_int_equal(v.state, EVENT_UNPROCESSABLE);
    SAME(v.reason, e.reason);
    SAME(v.source, e.source);
    SAME(v.type, e.type);
    SAME(v.request_id, e.request_id);
    SAME(v.body, e.body);
    sha256(&e.body, 1, hash);
    hex_encode(hash, sizeof hash, hex);
    assert_string_equal(v.body_sha256, hex);
}

static void without_its_body_an_event_keeps_the_hash(void **state)
{
    struct world *w = *state;
    struct event e = event_at(T0, 1);
    struct event_view v;
    int64_t id = 0;

    OK(store_begin(w->store));
    OK(store_dedupe(w->store, &e, &id));
    OK(store_event_add(w->store, id, NULL, &e, false, e.received_at));
    OK(store_commit(w->store));
    OK(read_event(w->reader, id, &w->arena, &v));
    assert_null(v.body.at);
    assert_int_equal(strlen(v.body_sha256), 64);
    assert_null(v.reason.at);
    assert_int_equal(v.lead, 0);
}

static void an_event_that_is_not_there_is_none_and_changes_nothing(void **state)
{
    struct world *w = *state;
    struct event_view v = {.id = -1};

    assert_int_equal(read_event(w->reader, 99, &w->arena, &v), RC_NONE);
    assert_int_equal(v.id, -1);
}

static void a_lead_has_its_own_history_oldest_first(void **state)
{
    struct world *w = *state;
    struct shown s = {0};

    OK(store_begin(w->store));
    int64_t ada = put_lead(w, "ada@example.com"), bob = put_lead(w, "bob@example.com");
    int64_t a1 = put_event_at(w, ada, T0), b1 = put_event_at(w, bob, T0 + 1);
    int64_t a2 = put_event_at(w, ada, T0 + 2), unlinked = put_event_at(w, 0, T0 + 3);
    int64_t a3 = put_event_at(w, ada, T0 + 4);
    OK(store_commit(w->store));
    (void)unlinked;
    OK(read_lead_history(w->reader, ada, INT64_MAX, show_event, &s));
    SHOWN(s, a1, a2, a3);
    s.n = 0;
    OK(read_lead_history(w->reader, bob, INT64_MAX, show_event, &s));
    SHOWN(s, b1);
    s.n = 0;
    OK(read_lead_history(w->reader, ada, T0 + 2, show_event, &s));
    SHOWN(s, a1, a2);
    s.n = 0;
    OK(read_events(w->reader, &(struct list_filter){.lead = ada, .limit = 50, .span = 2},
                   show_event, &s));
    SHOWN(s, a3, a2);
}

static void a_lead_without_events_or_none_at_all_has_an_empty_history(void **state)
{
    struct world *w = *state;
    struct shown s = {0};

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    OK(store_commit(w->store));
    OK(read_lead_history(w->reader, lead, INT64_MAX, show_event, &s));
    OK(read_lead_history(w->reader, 4711, INT64_MAX, show_event, &s));
    assert_int_equal(s.n, 0);
}

struct five {
    int64_t lead, ids[5];
};

/* Five events at T0, T0 + 1 ...: the lead's, nobody's, the lead's, nobody's, the lead's. */
static struct five five_events(struct world *w)
{
    struct five f;

    OK(store_begin(w->store));
    f.lead = put_lead(w, "ada@example.com");
    for (int i = 0; i < 5; i++) {
        struct event e = event_at(T0 + i, i);

        e.source = i < 2 ? STR("zapier") : STR("hubspot");
        e.state = i % 2 ? EVENT_UNLINKED : EVENT_PROCESSED;
        f.ids[i] = put_event(w, i % 2 ? 0 : f.lead, &e);
    }
    OK(store_commit(w->store));
    return f;
}

static void lists_show_the_newest_first_and_page_by_id(void **state)
{
    struct world *w = *state;
    struct five f = five_events(w);
    struct shown s = {0};

    OK(read_events(w->reader, &(struct list_filter){.limit = 50}, show_event, &s));
    SHOWN(s, f.ids[4], f.ids[3], f.ids[2], f.ids[1], f.ids[0]);
    s.n = 0;
    OK(read_events(w->reader, &(struct list_filter){.limit = 2}, show_event, &s));
    SHOWN(s, f.ids[4], f.ids[3]);
    s.n = 0;
    OK(read_events(w->reader, &(struct list_filter){.limit = 2, .after = f.ids[3]}, show_event,
                   &s));
    SHOWN(s, f.ids[2], f.ids[1]);
}

static void lists_keep_to_their_filters(void **state)
{
    struct world *w = *state;
    struct five f = five_events(w);
    struct shown s = {0};

    OK(read_events(w->reader, &(struct list_filter){.limit = 50, .source = STR("zapier")},
                   show_event, &s));
    SHOWN(s, f.ids[1], f.ids[0]);
    s.n = 0;
    OK(read_events(w->reader, &(struct list_filter){.limit = 50, .state = STR("unlinked")},
                   show_event, &s));
    SHOWN(s, f.ids[3], f.ids[1]);
    s.n = 0;
    OK(read_events(w->reader, &(struct list_filter){.limit = 50, .since = T0 + 3}, show_event, &s));
    SHOWN(s, f.ids[4], f.ids[3]);
    s.n = 0;
    OK(read_events(w->reader, &(struct list_filter){.limit = 50, .state = STR("no such state")},
                   show_event, &s));
    assert_int_equal(s.n, 0);
}

static void a_list_of_one_lead_keeps_to_its_filters_as_well(void **state)
{
    struct world *w = *state;
    struct five f = five_events(w);
    struct shown s = {0};

    OK(read_events(w->reader, &(struct list_filter){.limit = 50, .lead = f.lead}, show_event, &s));
    SHOWN(s, f.ids[4], f.ids[2], f.ids[0]);
    s.n = 0;
    OK(read_events(w->reader,
                   &(struct list_filter){.limit = 50, .lead = f.lead, .source = STR("hubspot")},
                   show_event, &s));
    SHOWN(s, f.ids[4], f.ids[2]);
    s.n = 0;
    OK(read_events(w->reader, &(struct list_filter){.limit = 1, .lead = f.lead, .after = f.ids[4]},
                   show_event, &s));
    SHOWN(s, f.ids[2]);
    s.n = 0;
    OK(read_events(w->reader,
                   &(struct list_filter){.limit = 9, .lead = f.lead, .state = STR("unlinked")},
                   show_event, &s));
    assert_int_equal(s.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_fresh_key_gives_ids_that_count_up),
        RUN(a_key_that_was_claimed_names_the_event_that_has_it),
        RUN(keys_are_remembered_after_a_restart_and_ids_go_on),
        RUN(keys_of_the_same_time_and_of_the_same_hash_are_different),
        RUN(inside_the_window_the_same_hash_is_a_duplicate),
        RUN(a_window_does_not_reach_into_the_future),
        RUN(after_the_window_the_same_hash_is_a_new_event),
        RUN(without_a_window_a_key_is_claimed_for_ever),
        RUN(an_event_comes_back_as_it_was_stored),
        RUN(without_its_body_an_event_keeps_the_hash),
        RUN(an_event_that_is_not_there_is_none_and_changes_nothing),
        RUN(a_lead_has_its_own_history_oldest_first),
        RUN(a_lead_without_events_or_none_at_all_has_an_empty_history),
        RUN(lists_show_the_newest_first_and_page_by_id),
        RUN(lists_keep_to_their_filters),
        RUN(a_list_of_one_lead_keeps_to_its_filters_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
