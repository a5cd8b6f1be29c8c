/* tests/contract/test_store_faults.c - every call to the disk fails once, one after the other.
 *
 * A workload runs over and over, and each time a later call fails, until none is left to fail.
 * What failed is handled as the writer does: after RC_FULL it rolls back and goes on, after
 * anything worse it closes and opens again. In the end all that was said to be committed must be
 * there, with its whole effect, and of the rest nothing in part.
 */
#include "store_world.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "fault_vfs.h"

enum { EVENTS = 3, BATCHES = 4, MERGE_AT = 1, ERASE_AT = 2, UNDONE = 1000 };

struct run {
    struct world *w;
    struct fault fault;
    struct arena scratch; /* of the batch */
    bool acked[BATCHES];
};

static const char *const people[] = {"ada@example.com", "bob@example.com", "carol@example.com"};

static struct event event_number(int64_t number)
{
    static char body[3000];
    struct event e = event_at(T0 + number, number);

    memset(body, 'x', sizeof body);
    e.body = (struct str){body, sizeof body};
    return e;
}

static enum rc find_or_add(struct run *r, const char *email, struct lead *ret)
{
    enum rc rc = read_lead_by_email(r->w->reader, str_of(email), &r->scratch, ret);

    if (rc != RC_NONE)
        return rc;
    *ret = (struct lead){.email = str_of(email), .created_at = T0};
    return store_lead_add(r->w->store, ret);
}

static enum rc add_deliveries(struct run *r, int64_t event, struct lead *lead)
{
    static const char *const connectors[] = {"slack", "notion"};
    enum rc rc = RC_OK;

    for (size_t i = 0; i < ARRAY_LEN(connectors) && rc == RC_OK; i++) {
        struct delivery d = delivery_of(event, lead->id, connectors[i]);
        int64_t folded = 0;
        bool urgent;

        rc = store_delivery_add(r->w->store, lead, &d, &r->scratch);
        if (rc == RC_OK && i == 1)
            rc = store_delivery_fold(r->w->store, d.connector, lead, d.id, T0, &folded, &urgent);
    }
    return rc;
}

/* One event with all that it does. */
static enum rc process(struct run *r, int64_t number)
{
    struct event e = event_number(number);
    struct lead lead = {0};
    int64_t id = 0;
    enum rc rc = store_dedupe(r->w->store, &e, &id);

    if (rc == RC_OK)
        rc = find_or_add(r, people[number % 3], &lead);
    if (rc == RC_OK)
        rc = store_event_add(r->w->store, id, &lead, &e, true, e.received_at);
    if (rc == RC_OK)
        rc = store_ledger_add(r->w->store, &lead,
                              &(struct ledger_row){.event = id,
                                                   .rule = STR("pricing"),
                                                   .why = STR("visited pricing"),
                                                   .points = 80,
                                                   .max = INT64_MAX,
                                                   .occurred_at = e.occurred_at,
                                                   .received_at = e.received_at},
                              &r->scratch);
    if (rc == RC_OK)
        rc = add_deliveries(r, id, &lead);
    if (rc != RC_OK)
        return rc;
    (void)lead_put(&lead, STR("last"), arena_printf(&r->scratch, "%lld", (long long)number),
                   e.occurred_at, &e.key, &r->scratch);
    return store_lead_save(r->w->store, &lead);
}

/* In a savepoint, and with one that is undone beside it. A duplicate is no failure. */
static enum rc in_savepoint(struct run *r, int64_t number)
{
    enum rc rc = store_savepoint(r->w->store);

    if (rc == RC_OK)
        rc = process(r, number);
    if (rc != RC_OK && rc != RC_EXISTS) {
        rc_ignored(store_undo(r->w->store)); /* the first error is the one to tell */
        return rc;
    }
    rc = store_release(r->w->store);
    if (rc == RC_OK)
        rc = store_savepoint(r->w->store);
    if (rc == RC_OK)
        rc = process(r, number + UNDONE);
    enum rc undone = store_undo(r->w->store);
    return rc == RC_OK ? undone : rc;
}

static void cancelled(void *self, struct str connector)
{
    (void)self;
    (void)connector;
}

static enum rc merge(struct run *r)
{
    struct lead from, into;
    enum rc rc = find_or_add(r, people[1], &from);

    if (rc == RC_OK)
        rc = find_or_add(r, people[0], &into);
    if (rc == RC_OK)
        rc = store_lead_move(r->w->store, &from, &into, &r->scratch);
    if (rc == RC_OK)
        rc = store_lead_save(r->w->store, &into);
    if (rc != RC_OK)
        return rc;
    from.state = LEAD_MERGED;
    from.merged_into = into.id;
    return store_lead_save(r->w->store, &from);
}

static enum rc erase(struct run *r)
{
    struct lead lead;
    enum rc rc = find_or_add(r, people[2], &lead);

    if (rc == RC_OK)
        rc = store_lead_erase(r->w->store, &lead, T0, cancelled, NULL);
    if (rc != RC_OK)
        return rc;
    lead.state = LEAD_DELETED;
    lead.email = STR_NULL;
    return store_lead_save(r->w->store, &lead);
}

/* The oldest due one of each connector gets an attempt and its end. */
static enum rc attempt(struct run *r, struct str connector, enum attempt_verdict verdict)
{
    struct due_scan scan = {.connector = connector};
    struct due_row row;
    size_t n = 0;
    enum rc rc = read_due(r->w->reader, &scan, 1, &row, &n);

    if (rc != RC_OK || n == 0)
        return rc;
    rc = store_attempt_begin(r->w->store, row.id, T0);
    if (rc == RC_OK)
        rc = store_attempt_end(r->w->store, &(struct attempt_end){.delivery = row.id,
                                                                  .verdict = verdict,
                                                                  .started_at = T0,
                                                                  .ended_at = T0 + 1,
                                                                  .due_at = T0 + 2});
    return rc == RC_OK ? store_remote_set(r->w->store, row.lead, connector, STR("page"), T0) : rc;
}

static enum rc fill_batch(struct run *r, int batch)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < EVENTS && rc == RC_OK; i++)
        rc = in_savepoint(r, batch * EVENTS + i);
    if (rc == RC_OK)
        rc = in_savepoint(r, batch * EVENTS); /* a duplicate */
    if (rc == RC_OK)
        rc = attempt(r, STR("slack"), (enum attempt_verdict)(batch % 4));
    if (rc == RC_OK)
        rc = attempt(r, STR("notion"), ATTEMPT_RETRY);
    if (rc == RC_OK && batch == MERGE_AT)
        rc = merge(r);
    if (rc == RC_OK && batch == ERASE_AT)
        rc = erase(r);
    return rc;
}

static enum rc do_batch(struct run *r, int batch)
{
    enum rc rc = store_begin(r->w->store);

    arena_reset(&r->scratch);
    if (rc == RC_OK)
        rc = fill_batch(r, batch);
    if (rc == RC_OK)
        return store_commit(r->w->store);
    store_rollback(r->w->store);
    return rc;
}

static enum rc open_store(struct run *r)
{
    enum rc rc;

    store_close(r->w->store);
    r->w->store = NULL;
    r->w->why.text[0] = '\0';
    rc = store_open(&r->w->settings, T0, &r->w->store, &r->w->why);
    if (rc == RC_OK)
        r->w->reader = store_reader(r->w->store);
    else
        assert_true(strlen(r->w->why.text) > 0);
    return rc;
}

/* As the writer takes it: room comes back, or the process starts anew on what is there. */
static void recover(struct run *r, enum rc rc)
{
    if (!fault_fired())
        fail_msg("failed by itself: %s (%s)", rc_text(rc),
                 r->w->store ? store_error(r->w->store) : r->w->why.text);
    if (rc != RC_FULL && (rc != RC_IO || (r->fault.kind == FAULT_FULL && r->w->store)))
        fail_msg("%s gave: %s", fault_where(), rc_text(rc));
    fault_clear();
    if (rc == RC_IO || !r->w->store)
        assert_int_equal(open_store(r), RC_OK);
}

static void look(struct run *r)
{
    struct reader *other = NULL;
    struct due_scan scan = {.connector = STR("slack")};
    struct due_row rows[8];
    size_t n = 0;
    enum rc rc = reader_open(r->w->path.at, &other, &r->w->why);

    if (rc == RC_OK)
        rc = read_due(other, &scan, ARRAY_LEN(rows), rows, &n);
    reader_close(other);
    if (rc == RC_OK)
        assert_true(n <= ARRAY_LEN(people));
    else if (!fault_fired())
        fail_msg("a reader failed by itself: %s", rc_text(rc));
}

static void work(struct run *r, bool again)
{
    enum rc rc = open_store(r);

    if (rc != RC_OK)
        recover(r, rc);
    for (int batch = 0; batch < BATCHES; batch++) {
        rc = do_batch(r, batch);
        if (rc != RC_OK) {
            recover(r, rc);
            if (again)
                assert_int_equal(rc = do_batch(r, batch), RC_OK);
        }
        r->acked[batch] = rc == RC_OK;
        if (batch == 1)
            look(r);
        if (batch == 2 && (rc = store_checkpoint(r->w->store, false)) != RC_OK)
            recover(r, rc);
    }
    store_close(r->w->store);
    r->w->store = NULL;
}

static int64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    return n;
}

/* Each counts what must not be. */
static const char *const never[] = {
    "SELECT count(*) FROM dedupe d WHERE NOT EXISTS (SELECT 1 FROM event WHERE id = d.event)",
    "SELECT count(*) FROM event e WHERE NOT EXISTS (SELECT 1 FROM dedupe WHERE event = e.id)",
    "SELECT count(*) FROM event e WHERE (SELECT count(*) FROM delivery WHERE event = e.id) <> 2",
    "SELECT count(*) FROM delivery d WHERE NOT EXISTS (SELECT 1 FROM event WHERE id = d.event)",
    "SELECT count(*) FROM event e WHERE (SELECT count(*) FROM ledger WHERE event = e.id)"
    " <> (e.body IS NOT NULL)",
    "SELECT count(*) FROM event e WHERE NOT EXISTS (SELECT 1 FROM lead WHERE id = e.lead)",
    "SELECT count(*) FROM ledger l WHERE lead <> (SELECT lead FROM event WHERE id = l.event)",
    "SELECT count(*) FROM event WHERE occurred_at >= 1001000", /* was undone */
    "SELECT count(*) FROM delivery d WHERE attempts <> (SELECT count(*) FROM attempt WHERE delivery"
    " = d.id)",
    "SELECT count(*) FROM event e JOIN delivery d ON d.event = e.id WHERE e.body IS NULL AND "
    "d.state"
    " IN (0, 1)",
    /* what hangs in the chains is what there is */
    "WITH RECURSIVE chain(lead, id) AS (SELECT id, last_event FROM lead WHERE last_event IS NOT "
    "NULL"
    " UNION ALL SELECT chain.lead, e.prev FROM chain JOIN event e ON e.id = chain.id WHERE e.prev "
    "IS"
    " NOT NULL) SELECT (SELECT count(*) FROM event) - (SELECT count(*) FROM chain JOIN event e ON"
    " e.id = chain.id AND e.lead = chain.lead)",
    "SELECT count(*) FROM ledger WHERE rule IS NULL",
    "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
};

static void check(struct run *r)
{
    struct arena a AUTO(arena_free) = {0};
    sqlite3 *db = NULL;

    assert_int_equal(open_store(r), RC_OK); /* it can be opened, and its id be read */
    store_close(r->w->store);
    r->w->store = NULL;
    assert_int_equal(sqlite3_open_v2(r->w->path.at, &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (ask(db, never[i]) != 0)
            fail_msg("after %s: %s", fault_where(), never[i]);
    for (int batch = 0; batch < BATCHES; batch++) {
        int64_t n = ask(db, arena_printf(&a,
                                         "SELECT count(*) FROM event WHERE occurred_at >= %d AND"
                                         " occurred_at < %d",
                                         T0 + batch * EVENTS, T0 + (batch + 1) * EVENTS)
                                .at);

        if (n != EVENTS && (r->acked[batch] || n != 0)) /* a commit that failed may be there */
            fail_msg("after %s: batch %d has %lld events", fault_where(), batch, (long long)n);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Whether anything failed. */
static bool run_once(struct fault fault, bool again)
{
    struct run r = {.fault = fault};
    void *world = NULL;

    assert_int_equal(world_setup_empty(&world), 0);
    r.w = world;
    r.w->settings.checkpoint = 1;
    fault_install();
    fault_arm(fault);
    work(&r, again);
    bool fired = fault_fired();
    fault_clear();
    check(&r);
    fault_remove();
    arena_free(&r.scratch);
    assert_int_equal(world_teardown(&world), 0);
    return fired;
}

/* Until no call is left to fail; each FUNNELD_FAULT_STEP-th only where that is set, as where a
 * sanitizer makes all of them take minutes. At `least` says that the faults do reach the store. */
static void sweep(struct fault fault, bool again, int64_t least)
{
    const char *step = getenv("FUNNELD_FAULT_STEP");
    int64_t by = step ? strtoll(step, NULL, 10) : 1;

    assert_true(by > 0);
    fault.after = 0;
    while (run_once(fault, again))
        fault.after += by;
    assert_true(fault.after >= least);
}

static void without_faults_all_is_committed(void **state)
{
    (void)state;
    assert_false(run_once((struct fault){.after = INT64_MAX}, false));
}

static void after_one_failed_call_the_retry_completes_everything(void **state)
{
    (void)state;
    sweep((struct fault){.kind = FAULT_IO, .times = 1}, true, 400);
}

static void after_one_failed_call_nothing_is_there_in_part(void **state)
{
    (void)state;
    sweep((struct fault){.kind = FAULT_IO, .times = 1}, false, 400);
}

static void a_disk_that_fails_until_the_restart_loses_nothing(void **state)
{
    (void)state;
    sweep((struct fault){.kind = FAULT_IO, .times = INT64_MAX}, true, 400);
}

static void after_one_full_moment_the_retry_completes_everything(void **state)
{
    (void)state;
    sweep((struct fault){.kind = FAULT_FULL, .times = 1}, true, 200);
}

static void after_one_full_moment_nothing_is_there_in_part(void **state)
{
    (void)state;
    sweep((struct fault){.kind = FAULT_FULL, .times = 1}, false, 200);
}

static void a_disk_that_stays_full_for_a_while_loses_nothing(void **state)
{
    (void)state;
    sweep((struct fault){.kind = FAULT_FULL, .times = INT64_MAX}, true, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_faults_all_is_committed),
        cmocka_unit_test(after_one_failed_call_the_retry_completes_everything),
        cmocka_unit_test(after_one_failed_call_nothing_is_there_in_part),
        cmocka_unit_test(a_disk_that_fails_until_the_restart_loses_nothing),
        cmocka_unit_test(after_one_full_moment_the_retry_completes_everything),
        cmocka_unit_test(after_one_full_moment_nothing_is_there_in_part),
        cmocka_unit_test(a_disk_that_stays_full_for_a_while_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
