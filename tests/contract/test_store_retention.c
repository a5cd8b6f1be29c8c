/* tests/contract/test_store_retention.c - what is old goes, what still counts stays. */
#include "store_world.h"

#include <sqlite3.h>

#include "funneld/base/clock.h"

enum { SLICE = 2 };

/* Whole rounds in small slices, as the scheduler does it. */
static void purge(struct world *w, int64_t before)
{
    bool done = false;

    OK(store_begin(w->store));
    while (!done)
        OK(store_purge_events(w->store, before, INT64_MAX, SLICE, &done));
    for (done = false; !done;)
        OK(store_purge_dedupe(w->store, before, SLICE, &done));
    OK(store_commit(w->store));
}

static struct shown events_of(struct world *w, int64_t lead)
{
    const struct list_filter all = {.limit = 64, .lead = lead};
    struct shown s = {0};

    OK(read_events(w->reader, &all, show_event, &s));
    return s;
}

static bool is_known(struct world *w, int64_t at, int64_t number)
{
    struct event e = event_at(at, number);
    int64_t id = 0;

    OK(store_begin(w->store));
    enum rc rc = store_dedupe(w->store, &e, &id);
    store_rollback(w->store);
    return rc == RC_EXISTS;
}

static void old_events_go_with_their_keys_and_the_rest_stays(void **state)
{
    struct world *w = *state;
    int64_t ids[6];

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    for (int i = 0; i < 6; i++)
        ids[i] = put_event_at(w, lead, T0 + i);
    OK(store_commit(w->store));

    purge(w, T0 + 3);
    SHOWN(events_of(w, lead), ids[5], ids[4], ids[3]);
    SHOWN(events_of(w, 0), ids[5], ids[4], ids[3]);
    for (int i = 0; i < 6; i++)
        assert_int_equal(is_known(w, T0 + i, lead), i >= 3);
    assert_true(get_lead(w, lead).last_event == ids[5]);

    int64_t until = 0;
    OK(read_purged(w->reader, &until));
    assert_int_equal(until, T0 + 2);
}

static void nothing_is_known_to_be_purged_where_nothing_was(void **state)
{
    struct world *w = *state;
    int64_t until = -1;

    OK(read_purged(w->reader, &until));
    assert_int_equal(until, 0);
}

static void the_newest_event_stays_so_that_its_id_is_not_given_again(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    int64_t first = put_event_at(w, lead, T0), last = put_event_at(w, lead, T0 + 1);
    OK(store_commit(w->store));
    purge(w, T0 + 100);
    SHOWN(events_of(w, lead), last);
    world_reopen(w);
    OK(store_begin(w->store));
    assert_true(put_event_at(w, lead, T0 + 200) > last && last > first);
    OK(store_commit(w->store));
}

static int64_t put_ended(struct world *w, int64_t event, int64_t lead, int64_t done_at)
{
    struct delivery d = delivery_of(event, lead, "slack");

    add_delivery(w, &d);
    if (done_at)
        OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = d.id,
                                                             .lead = lead,
                                                             .connector = STR("slack"),
                                                             .verdict = ATTEMPT_DELIVERED,
                                                             .started_at = done_at,
                                                             .ended_at = done_at}));
    return d.id;
}

static bool has_delivery(struct world *w, int64_t id)
{
    struct delivery d;

    return read_delivery(w->reader, id, &w->arena, &d) == RC_OK;
}

static void ended_deliveries_go_along_with_their_attempts(void **state)
{
    struct world *w = *state;
    struct attempt_view *views;
    size_t n = 1;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    int64_t old = put_ended(w, put_event_at(w, lead, T0), lead, T0 + 1);
    (void)put_ended(w, put_event_at(w, lead, T0 + 50), lead, 0);
    OK(store_commit(w->store));
    purge(w, T0 + 10);
    assert_false(has_delivery(w, old));
    OK(read_attempts(w->reader, old, &w->arena, &views, &n));
    assert_int_equal(n, 0);
}

/* Nothing is discarded because a service is down for longer than events are kept. */
static void an_event_stays_while_a_delivery_of_it_has_not_ended_long_ago(void **state)
{
    struct world *w = *state;
    int64_t ids[7];

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    for (int i = 0; i < 7; i++)
        ids[i] = put_event_at(w, lead, T0 + i);
    int64_t pending = put_ended(w, ids[1], lead, 0);
    int64_t lately = put_ended(w, ids[3], lead, T0 + 100);
    (void)put_ended(w, ids[6], lead, 0);
    OK(store_commit(w->store));

    purge(w, T0 + 6);
    assert_true(has_delivery(w, pending) && has_delivery(w, lately));
    SHOWN(events_of(w, lead), ids[6], ids[3], ids[1]); /* still one chain */
    assert_true(is_known(w, T0 + 1, lead));
    assert_false(is_known(w, T0 + 2, lead));

    purge(w, T0 + 101);
    SHOWN(events_of(w, lead), ids[6], ids[1]);
}

static void a_chain_whose_newest_events_go_begins_at_the_one_that_is_spared(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com"), other = put_lead(w, "bob@example.com");
    int64_t spared = put_event_at(w, lead, T0);
    (void)put_ended(w, spared, lead, 0);
    (void)put_event_at(w, lead, T0 + 1);
    (void)put_event_at(w, other, T0 + 9);
    OK(store_commit(w->store));
    purge(w, T0 + 5);
    assert_int_equal(get_lead(w, lead).last_event, spared);
    SHOWN(events_of(w, lead), spared);
}

static void leads_that_merge_keep_what_is_left_of_both_chains(void **state)
{
    struct world *w = *state;
    int64_t of_a[4], of_b[4];

    OK(store_begin(w->store));
    int64_t a = put_lead(w, "ada@example.com"), b = put_lead(w, "bob@example.com");
    for (int i = 0; i < 4; i++) {
        of_a[i] = put_event_at(w, a, T0 + 2 * i);
        of_b[i] = put_event_at(w, b, T0 + 2 * i + 1);
    }
    (void)put_ended(w, of_a[0], a, 0);
    OK(store_commit(w->store));
    purge(w, T0 + 3);
    OK(store_begin(w->store));
    move_lead(w, b, a);
    OK(store_commit(w->store));
    SHOWN(events_of(w, a), of_b[3], of_a[3], of_b[2], of_a[2], of_b[1], of_a[0]);
    purge(w, T0 + 6);
    SHOWN(events_of(w, a), of_b[3], of_a[3], of_a[0]);
    assert_int_equal(events_of(w, b).n, 0);
}

static void purging_that_is_rolled_back_is_done_by_the_next_round(void **state)
{
    struct world *w = *state;
    bool done = false;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    (void)put_event_at(w, lead, T0);
    int64_t last = put_event_at(w, lead, T0 + 1);
    OK(store_commit(w->store));
    OK(store_begin(w->store));
    OK(store_purge_events(w->store, T0 + 1, INT64_MAX, SLICE, &done));
    store_rollback(w->store);
    assert_int_equal(events_of(w, lead).n, 2);
    purge(w, T0 + 1); /* the rest of that round */
    purge(w, T0 + 1);
    SHOWN(events_of(w, lead), last);
}

static int64_t purged_to(struct world *w)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_open(w->path.at, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = 'purged_to'", -1, &s, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t id = sqlite3_column_int64(s, 0);
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return id;
}

/* By a clock that was years ahead for a moment. */
static void an_event_from_the_future_holds_up_no_other(void **state)
{
    struct world *w = *state;
    bool done = false;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    (void)put_event_at(w, lead, T0);
    int64_t ahead = put_event_at(w, lead, T0 + 1000 * DAYS_MS);
    (void)put_event_at(w, lead, T0 + 1);
    int64_t last = put_event_at(w, lead, T0 + 50);
    while (!done)
        OK(store_purge_events(w->store, T0 + 10, T0 + 60, SLICE, &done));
    OK(store_commit(w->store));
    SHOWN(events_of(w, lead), last, ahead);
    int64_t until = 0;
    OK(read_purged(w->reader, &until));
    assert_int_equal(until, T0 + 1);

    /* What was passed over is not what may be missing. */
    OK(store_begin(w->store));
    int64_t later = put_event_at(w, lead, T0 + 2000 * DAYS_MS);
    (void)put_event_at(w, lead, T0 + 70);
    for (done = false; !done;)
        OK(store_purge_events(w->store, T0 + 60, T0 + 65, SLICE, &done));
    OK(store_commit(w->store));
    assert_true(purged_to(w) < later && purged_to(w) >= last);
}

static void the_time_that_was_trusted_is_remembered(void **state)
{
    struct world *w = *state;
    int64_t now = 7, doubted = 7;

    OK(read_trusted(w->reader, &now, &doubted));
    assert_true(now == 0 && doubted == 0);
    OK(store_trust(w->store, T0 + 9, 0));
    OK(store_trust(w->store, T0 + 5, 77)); /* it was set back */
    world_reopen(w);
    OK(read_trusted(w->reader, &now, &doubted));
    assert_int_equal(now, T0 + 5);
    assert_int_equal(doubted, 77);
}

/* One lead's ledger that cannot be read, which the audit tells of, is in nobody's way. */
static void an_unreadable_ledger_is_passed_over(void **state)
{
    struct world *w = *state;
    int64_t leads[8], after = 0;
    size_t n = 0;

    OK(store_begin(w->store));
    int64_t broken = put_lead(w, "ada@example.com"), lead = put_lead(w, "bob@example.com");
    (void)put_row(w, broken, "visit", T0, 10);
    (void)put_row(w, lead, "visit", T0, 10);
    struct lead l = get_lead(w, broken);
    l.ledger = STR("[[1");
    OK(store_lead_save(w->store, &l));
    OK(store_purge_ledger(w->store, broken, T0 + 500));
    OK(store_commit(w->store));
    OK(read_faded(w->reader, &after, T0 + 500, ARRAY_LEN(leads), leads, &n));
    assert_int_equal(n, 1);
    assert_int_equal(leads[0], lead);
}

static void ledger_rows_go_only_when_they_are_worth_nothing(void **state)
{
    struct world *w = *state;
    struct ledger_row *rows;
    int64_t leads[8], after = 0;
    size_t n = 0;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    (void)put_row(w, lead, "visit", T0, 10); /* in 500 ms worth nothing */
    int64_t kept = put_row(w, lead, "visit", T0 + 1, 0);
    (void)put_row(w, lead, "visit", T0 + 2, 10);
    int64_t slow = put_row(w, lead, "visit", T0 + 3, 100000);
    int64_t late = put_row(w, lead, "visit", T0 + 900, 10);
    OK(store_commit(w->store));

    OK(read_faded(w->reader, &after, T0 + 500, ARRAY_LEN(leads), leads, &n));
    assert_int_equal(n, 1);
    assert_int_equal(leads[0], lead);
    OK(read_faded(w->reader, &after, T0 + 500, ARRAY_LEN(leads), leads, &n));
    assert_int_equal(n, 0);

    OK(store_begin(w->store));
    OK(store_purge_ledger(w->store, lead, T0 + 500));
    OK(store_commit(w->store));
    struct lead l = get_lead(w, lead);
    OK(read_ledger(w->reader, &l, INT64_MAX, &w->arena, &rows, &n));
    assert_int_equal(n, 3);
    assert_true(rows[0].event == kept && rows[1].event == slow && rows[2].event == late);

    int64_t until = 0; /* what the score was before is not known any more, but since then it is */
    OK(read_purged(w->reader, &until));
    assert_int_equal(until, T0 + 500);
}

/* What was worth something then and nothing now is part of the scores in between. */
static void a_row_that_faded_since_stays(void **state)
{
    struct world *w = *state;
    struct ledger_row *rows;
    int64_t leads[8], after = 0;
    size_t n = 0;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    (void)put_row(w, lead, "visit", T0, 100);
    OK(store_commit(w->store));
    OK(read_faded(w->reader, &after, T0 + 200, ARRAY_LEN(leads), leads, &n));
    assert_int_equal(n, 0);
    OK(store_begin(w->store));
    OK(store_purge_ledger(w->store, lead, T0 + 200));
    OK(store_commit(w->store));
    struct lead l = get_lead(w, lead);
    OK(read_ledger(w->reader, &l, INT64_MAX, &w->arena, &rows, &n));
    assert_int_equal(n, 1);
}

/* It stands in other services, where an old one must not be taken for it. */
static void the_id_of_the_newest_delivery_is_not_given_again(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t lead = put_lead(w, "ada@example.com");
    int64_t first = put_ended(w, put_event_at(w, lead, T0), lead, T0 + 1);
    int64_t last = put_ended(w, put_event_at(w, lead, T0 + 2), lead, T0 + 3);
    (void)put_event_at(w, lead, T0 + 50);
    OK(store_commit(w->store));
    purge(w, T0 + 10);
    assert_false(has_delivery(w, first));
    world_reopen(w);
    OK(store_begin(w->store));
    assert_true(put_ended(w, put_event_at(w, lead, T0 + 60), lead, 0) > last);
    OK(store_commit(w->store));
}

static void a_lead_that_is_gone_has_no_ledger_to_purge(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    OK(store_purge_ledger(w->store, 4711, T0));
    OK(store_commit(w->store));
}

static void a_purged_store_gives_its_pages_back(void **state)
{
    struct world *w = *state;
    struct stat before, after;
    char text[3000];
    bool done = false;
    int rounds = 0;

    memset(text, 'x', sizeof text);
    OK(store_begin(w->store));
    for (int i = 0; i < 2000; i++) {
        struct event e = event_at(T0 + i, i);

        e.body = (struct str){text, sizeof text};
        (void)put_event(w, 0, &e);
    }
    OK(store_commit(w->store));
    world_reopen(w);
    assert_int_equal(stat(w->path.at, &before), 0);
    purge(w, T0 + 2000);
    for (; !done; rounds++)
        OK(store_vacuum(w->store, 64, &done));
    world_reopen(w);
    assert_int_equal(stat(w->path.at, &after), 0);
    assert_true(after.st_size < before.st_size / 10);
    assert_true(rounds > 10); /* in slices */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(old_events_go_with_their_keys_and_the_rest_stays),
        RUN(nothing_is_known_to_be_purged_where_nothing_was),
        RUN(the_newest_event_stays_so_that_its_id_is_not_given_again),
        RUN(ended_deliveries_go_along_with_their_attempts),
        RUN(an_event_stays_while_a_delivery_of_it_has_not_ended_long_ago),
        RUN(a_chain_whose_newest_events_go_begins_at_the_one_that_is_spared),
        RUN(leads_that_merge_keep_what_is_left_of_both_chains),
        RUN(purging_that_is_rolled_back_is_done_by_the_next_round),
        RUN(an_event_from_the_future_holds_up_no_other),
        RUN(the_time_that_was_trusted_is_remembered),
        RUN(an_unreadable_ledger_is_passed_over),
        RUN(ledger_rows_go_only_when_they_are_worth_nothing),
        RUN(a_row_that_faded_since_stays),
        RUN(the_id_of_the_newest_delivery_is_not_given_again),
        RUN(a_lead_that_is_gone_has_no_ledger_to_purge),
        RUN(a_purged_store_gives_its_pages_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
