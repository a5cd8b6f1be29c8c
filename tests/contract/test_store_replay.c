/* tests/contract/test_store_replay.c - stored events that take effect later than they came. */
#include "store_world.h"

/* Nobody's event, as it was kept. */
static int64_t put_odd(struct world *w, int64_t at, enum event_state state)
{
    struct event e = event_at(at, at);

    e.state = state;
    e.reason = STR("no objectId");
    return put_event(w, 0, &e);
}

static struct event_view get_event(struct world *w, int64_t id)
{
    struct event_view v;

    OK(read_event(w->reader, id, &w->arena, &v));
    return v;
}

static enum rc take(struct world *w, int64_t id, int64_t lead, bool keep_body, int64_t now)
{
    struct lead l = get_lead(w, lead);
    struct event e = event_at(T0 + 500, 1);

    e.type = STR("contact.creation");
    enum rc rc = store_event_take(w->store, id, &l, &e, keep_body, now);
    if (rc == RC_OK)
        OK(store_lead_save(w->store, &l));
    return rc;
}

struct ids {
    int64_t at[64];
    size_t n;
};

static void keep(void *self, const struct event_view *v)
{
    struct ids *ids = self;

    assert_true(ids->n < ARRAY_LEN(ids->at));
    ids->at[ids->n++] = v->id;
}

static struct ids history(struct world *w, int64_t lead, int64_t by)
{
    struct ids ids = {0};

    OK(read_lead_history(w->reader, lead, by, keep, &ids));
    return ids;
}

static void an_event_taken_later_is_the_leads_since_then(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com"), odd = put_odd(w, T0 + 1, EVENT_UNPROCESSABLE);
    OK(take(w, odd, lead, true, T0 + 1000));
    OK(store_commit(w->store));
    struct event_view v = get_event(w, odd);
    assert_int_equal(v.state, EVENT_PROCESSED);
    assert_int_equal(v.lead, lead);
    assert_null(v.reason.at);
    TEXT(v.type, "contact.creation");
    TEXT(v.body, "{\"propertyName\":\"email\"}");
    assert_int_equal(v.occurred_at, T0 + 500);
    assert_int_equal(v.received_at, T0 + 1); /* as it came */
    assert_int_equal(v.committed_at, T0 + 1);
    assert_int_equal(v.replayed_at, T0 + 1000);
    assert_int_equal(get_lead(w, lead).last_event, odd);
    assert_int_equal(history(w, lead, T0 + 999).n, 0); /* then it was nothing */
    assert_int_equal(history(w, lead, T0 + 1000).n, 1);
    check_promises(w, T0 + 2000);
}

static void it_is_taken_once(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com"), odd = put_odd(w, T0 + 1, EVENT_UNLINKED);
    OK(take(w, odd, lead, true, T0 + 1000));
    assert_int_equal(take(w, odd, lead, true, T0 + 2000), RC_NONE);
    assert_int_equal(take(w, 4711, lead, true, T0 + 2000), RC_NONE);
    OK(store_commit(w->store));
    assert_int_equal(get_event(w, odd).replayed_at, T0 + 1000);
}

static void of_an_erased_lead_it_keeps_no_body(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), odd = put_odd(w, T0 + 1, EVENT_UNPROCESSABLE);
    struct lead l = get_lead(w, lead);
    l.erased = true;
    OK(store_lead_save(w->store, &l));
    OK(take(w, odd, lead, false, T0 + 1000));
    OK(store_commit(w->store));
    assert_null(get_event(w, odd).body.at);
    check_promises(w, T0 + 2000);
}

/* The chain falls in its ids, wherever the taken one stands; their order is that of effects. */
static void it_finds_its_place_among_the_leads_events(void **state)
{
    struct world *w = *state;
    int64_t ids[6];

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    for (int i = 0; i < 6; i++)
        ids[i] = i % 2 ? put_event_at(w, lead, T0 + i) : put_odd(w, T0 + i, EVENT_UNPROCESSABLE);
    OK(take(w, ids[2], lead, true, T0 + 1000)); /* in the middle, then the oldest, then between */
    OK(take(w, ids[0], lead, true, T0 + 1001));
    OK(take(w, ids[4], lead, true, T0 + 1002));
    OK(store_commit(w->store));
    check_promises(w, T0 + 2000);
    const int64_t order[] = {ids[1], ids[3], ids[5], ids[2], ids[0], ids[4]};
    struct ids all = history(w, lead, INT64_MAX);
    assert_int_equal(all.n, 6);
    assert_memory_equal(all.at, order, sizeof order);
    assert_int_equal(get_lead(w, lead).last_event, ids[5]);
}

static void a_firing_of_an_older_event_stands_before_those_of_newer_ones(void **state)
{
    struct world *w = *state;
    struct ledger_row *rows;
    size_t n;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    int64_t first = put_row(w, lead, "demo", T0, 0), second = put_row(w, lead, "demo", T0 + 1, 0);
    add_row(w, lead,
            &(struct ledger_row){.event = first,
                                 .rule = STR("late"),
                                 .why = STR("late"),
                                 .occurred_at = T0 - 1,
                                 .received_at = T0 + 1000});
    OK(store_commit(w->store));
    struct lead l = get_lead(w, lead);
    OK(read_ledger(w->reader, &l, INT64_MAX, &w->arena, &rows, &n));
    assert_int_equal(n, 3);
    TEXT(rows[1].rule, "late");
    assert_int_equal(rows[1].event, first);
    assert_int_equal(rows[2].event, second);
    OK(read_ledger(w->reader, &l, T0 + 999, &w->arena, &rows, &n));
    assert_int_equal(n, 2); /* it counts since it was booked */
    check_promises(w, T0 + 2000);
}

static void its_key_is_its_own_unless_another_has_it(void **state)
{
    struct world *w = *state;
    int64_t other = 0;

    OK(store_begin(w->store));
    int64_t odd = put_odd(w, T0 + 1, EVENT_UNPROCESSABLE),
            rival = put_odd(w, T0 + 2, EVENT_UNLINKED);
    struct event fact = event_at(T0, 4711), known = event_at(T0 + 2, T0 + 2);
    OK(store_dedupe_again(w->store, &fact, odd, &other));
    OK(store_dedupe_again(w->store, &fact, odd, &other)); /* done again */
    assert_int_equal(store_dedupe_again(w->store, &fact, rival, &other), RC_EXISTS);
    assert_int_equal(other, odd);
    assert_int_equal(store_dedupe_again(w->store, &known, odd, &other), RC_EXISTS);
    assert_int_equal(other, rival);
    known.dedupe_window_ms = 100; /* the same text again, long after that */
    known.received_at = T0 + 1000;
    OK(store_dedupe_again(w->store, &known, odd, &other));
    OK(store_commit(w->store));
}

static void what_still_has_no_effect_says_why_in_new_words(void **state)
{
    struct world *w = *state;
    struct event e = event_at(T0, 1);

    OK(store_begin(w->store));
    int64_t odd = put_odd(w, T0, EVENT_UNPROCESSABLE), lead = put_lead(w, "ada@example.com");
    int64_t well = put_event_at(w, lead, T0 + 1);
    e.state = EVENT_UNLINKED;
    e.type = STR("company.creation");
    e.reason = STR("of a company");
    OK(store_event_restate(w->store, odd, &e));
    OK(store_event_restate(w->store, well, &e));
    OK(store_commit(w->store));
    assert_int_equal(get_event(w, odd).state, EVENT_UNLINKED);
    TEXT(get_event(w, odd).type, "company.creation");
    TEXT(get_event(w, odd).reason, "of a company");
    assert_int_equal(get_event(w, well).state, EVENT_PROCESSED);
    assert_null(get_event(w, well).reason.at);
}

/* All that a filter finds, however small its portions are. */
static struct ids untaken(struct world *w, const struct untaken_filter *f, int64_t span,
                          size_t room)
{
    struct ids all = {0};
    int64_t after = 0, found[64];
    bool end = false;

    for (int turns = 0; !end && turns < 200; turns++) {
        size_t n = 99;

        OK(read_untaken(w->reader, f, span, room, &after, found, &n, &end));
        assert_true(n <= room);
        for (size_t i = 0; i < n; i++)
            all.at[all.n++] = found[i];
    }
    assert_true(end);
    return all;
}

static void what_had_no_effect_is_found_portion_by_portion(void **state)
{
    struct world *w = *state;
    struct untaken_filter f = {.until = INT64_MAX, .state = EVENT_PROCESSED};

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    for (int i = 0; i < 30; i++)
        (void)(i % 3 ? put_odd(w, T0 + i, i % 3 == 1 ? EVENT_UNPROCESSABLE : EVENT_UNLINKED)
                     : put_event_at(w, lead, T0 + i));
    OK(store_commit(w->store));
    for (int64_t span = 1; span < 40; span += 6)
        for (size_t room = 1; room < 5; room++)
            assert_int_equal(untaken(w, &f, span, room).n, 20);
    f.state = EVENT_UNLINKED;
    assert_int_equal(untaken(w, &f, 7, 3).n, 10);
    assert_int_equal(untaken(w, &f, 7, 3).at[0], 3);
    f.state = EVENT_PROCESSED;
    f.since = T0 + 10;
    f.until = T0 + 14;
    assert_int_equal(untaken(w, &f, 7, 3).n, 4);
    f.source = STR("zapier");
    assert_int_equal(untaken(w, &f, 7, 3).n, 0);
    f.source = STR("hubspot");
    assert_int_equal(untaken(w, &f, 7, 3).n, 4);
}

static struct ids heard_of(struct world *w, int64_t since, int64_t span, size_t room)
{
    struct ids all = {0};
    int64_t after = 0, found[64];
    bool end = false;

    for (int turns = 0; !end && turns < 200; turns++) {
        size_t n = 99;

        OK(read_leads_heard_of(w->reader, since, span, room, &after, found, &n, &end));
        for (size_t i = 0; i < n; i++)
            all.at[all.n++] = found[i];
    }
    assert_true(end);
    return all;
}

static void leads_are_found_by_their_newest_event(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    for (int i = 0; i < 12; i++)
        (void)put_event_at(w, put_lead(w, NULL), T0 + i);
    struct lead merged = get_lead(w, 11), erased = get_lead(w, 12);
    merged.state = LEAD_MERGED;
    merged.merged_into = 1;
    OK(store_lead_save(w->store, &merged));
    erased.erased = true;
    OK(store_lead_save(w->store, &erased));
    (void)put_lead(w, NULL); /* of whom there are no events */
    OK(store_commit(w->store));
    for (int64_t span = 1; span < 20; span += 3)
        assert_int_equal(heard_of(w, 0, span, 2).n, 10);
    struct ids some = heard_of(w, T0 + 7, 4, 1);
    assert_int_equal(some.n, 3);
    assert_int_equal(some.at[0], 8);
}

static void what_was_told_is_known(void **state)
{
    struct world *w = *state;
    bool known = false;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, NULL), event = put_event_at(w, lead, T0);
    struct delivery d = delivery_of(event, lead, "slack");
    add_delivery(w, &d);
    OK(store_commit(w->store));
    OK(read_delivery_known(w->reader, event, STR("hot-lead"), STR("slack"), &known));
    assert_true(known);
    OK(read_delivery_known(w->reader, event, STR("hot-lead"), STR("notion"), &known));
    assert_false(known);
    OK(read_delivery_known(w->reader, event, STR("other"), STR("slack"), &known));
    assert_false(known);
    OK(read_delivery_known(w->reader, event + 1, STR("hot-lead"), STR("slack"), &known));
    assert_false(known);
}

int main(void)
{
#define CHECKS(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        CHECKS(an_event_taken_later_is_the_leads_since_then),
        CHECKS(it_is_taken_once),
        CHECKS(of_an_erased_lead_it_keeps_no_body),
        CHECKS(it_finds_its_place_among_the_leads_events),
        CHECKS(a_firing_of_an_older_event_stands_before_those_of_newer_ones),
        CHECKS(its_key_is_its_own_unless_another_has_it),
        CHECKS(what_still_has_no_effect_says_why_in_new_words),
        CHECKS(what_had_no_effect_is_found_portion_by_portion),
        CHECKS(leads_are_found_by_their_newest_event),
        CHECKS(what_was_told_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
