/* tests/contract/test_sqlite_upgrade.c - a database of every level opens and loses nothing.
 *
 * Each is made by the migrations up to its level and filled as the funneld of that time would have:
 * Zoë, known by a CRM id, and Bob, whose events came first and who was merged into her.
 */
#include "store_world.h"

#include <sqlite3.h>

static const struct {
    int version;
    const char *name, *sql;
} migrations[] = {
#include "migrations.inc"
};

#define HASH "00ff00000000000000000000000000000000000000000000000000000000000000000000000000ff"
#define DELIVERY                                                                                   \
    "id, event, lead, route, connector, state, attempts, created_at, due_at, done_at,"             \
    " open_attempt_at, wait_until, reason, remote_id, facts"
static const char common_rows[] =
    "INSERT INTO meta VALUES ('database_id', '0badcafe');"
    "INSERT INTO dedupe VALUES (x'" HASH "', 3);"
    "INSERT INTO lead (id, portal_id, crm_id, email, state, state_at, erased, merged_into,"
    " created_at, enriched_at, score, fit, engagement, band, evaluated, last_event)"
    " VALUES (1, 62515, 7, 'zoe@example.com', 0, 0, 0, NULL, 5, 0, 350, 0, 350, 1, 1, 3),"
    " (2, NULL, NULL, 'bob@example.com', 2, 9, 0, 1, 6, 0, 0, 0, 0, 0, 1, NULL);"
    "INSERT INTO delivery (" DELIVERY
    ") VALUES (1, 4, 1, 'hot', 'slack', 0, 1, 4, 5, 0, 4, 0, 'timed out', NULL,"
    " '{\"score\":35,\"previous\":0,\"fit\":0,\"engagement\":35,\"band\":\"warm\",\"reasons\":null,"
    "\"event_source\":\"hubspot\",\"event_type\":\"d\",\"event_property\":null,\"event_value\":"
    "null,"
    "\"event_time\":4}');"
    "INSERT INTO attempt (delivery, n, started_at, ended_at, status, verdict, detail)"
    " VALUES (1, 1, 4, 5, 503, 1, 'timed out');"
    "INSERT INTO remote VALUES (1, 'notion', 'page-1', 4);";

/* A value that holds what separates, and one that was cleared. */
static const char properties_1[] =
    "INSERT INTO property VALUES (1, 'name', '1:2:Zoë', -5, x'" HASH "');"
    "INSERT INTO property VALUES (1, 'city', '', 7, zeroblob(40));";
static const char properties_2[] = "UPDATE lead SET properties = CAST('4:0:7:city' || zeroblob(40) "
                                   "|| '4:8:-5:name1:2:Zoë' || x'" HASH "' AS BLOB) WHERE id = 1;";
/* From 0005 on keys are shorter, and a time may be left out. */
#define SHORT_HASH "00ff00000000000000000000000000000000000000000000"
static const char short_keys[] =
    "UPDATE dedupe SET key = x'" SHORT_HASH "';"
    "UPDATE lead SET properties = CAST('4:0::city' || x'0000000000000007' || zeroblob(16) "
    "|| '4:8:-5:name1:2:Zoë' || x'" SHORT_HASH "' AS BLOB) WHERE id = 1;";

/* Bob's chain, 3 -> 1, was hung before Zoë's, 4 -> 2. From 0007 on without the request's hash. */
#define EVENTS(column, hash)                                                                       \
    "INSERT INTO event (id, lead, prev, source, type, state, reason, occurred_at, received_at,"    \
    " request_id, " column "body, body_sha256) VALUES"                                             \
    " (1, 1, 4, 'zapier', 'a', 0, NULL, 1, 1, 'r1', " hash "'{}', zeroblob(32)),"                  \
    " (2, 1, NULL, 'hubspot', 'b', 0, NULL, 2, 2, 'r2', " hash "'{}', zeroblob(32)),"              \
    " (3, 1, 1, 'zapier', 'c', 0, NULL, 3, 3, 'r3', " hash "'{}', zeroblob(32)),"                  \
    " (4, 1, 2, 'hubspot', 'd', 0, NULL, 4, 4, 'r4', " hash "'{}', zeroblob(32));"

/* Once rows of their own, in a chain that a merge hung before the other; from 0006 on in the
 * lead's. */
static const char ledger_rows[] =
    "INSERT INTO ledger VALUES (1, 1, 3, 2, 'visit', NULL, 'visited', 50, 0, 1000, 2, 2),"
    " (2, 1, NULL, 3, 'demo', 'g', 'asked for a demo', 300, 0, 1000, -3, 3),"
    " (3, 1, 2, 4, 'visit', NULL, 'visited', 50, 0, 1000, 4, 4);"
    "UPDATE lead SET last_ledger = 1 WHERE id = 1;";
static const char ledger_of_lead[] =
    "INSERT INTO terms VALUES (1, 'visit', NULL, 'visited', 50, 0, 1000),"
    " (2, 'demo', 'g', 'asked for a demo', 300, 0, 1000);"
    "UPDATE lead SET ledger = '[[2,1,2,0],[3,2,-3,6],[4,1,4,0]]' WHERE id = 1;";

static void exec(sqlite3 *db, const char *sql)
{
    char *error = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", error, sql);
}

static void remember_migration(struct world *w, sqlite3 *db, size_t i)
{
    struct str text = str_of(migrations[i].sql);
    uint8_t hash[SHA256_LEN];
    char hex[SHA256_HEX];

    sha256(&text, 1, hash);
    hex_encode(hash, sizeof hash, hex);
    exec(db, arena_printf(&w->arena,
                          "INSERT INTO migration VALUES (%d, '%s', 1); PRAGMA user_version = %d",
                          migrations[i].version, hex, migrations[i].version)
                 .at);
}

/* Its connector is gone from the configuration. Once said in the row; from 0008 on of the
 * connector. */
static const char held_row[] =
    "INSERT INTO delivery (" DELIVERY
    ") SELECT 2, event, lead, route, 'gone', 1, 0, created_at, due_at, 0, 0, 0,"
    " NULL, NULL, facts FROM delivery WHERE id = 1;";
static const char held_connector[] =
    "INSERT INTO delivery (" DELIVERY
    ") SELECT 2, event, lead, route, 'gone', 0, 0, created_at, due_at, 0, 0, 0,"
    " NULL, NULL, facts FROM delivery WHERE id = 1;"
    "INSERT INTO hold VALUES ('gone', 0, 1);";

static void make_database(struct world *w, size_t levels)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(w->path.at, &db), SQLITE_OK);
    exec(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA application_id = "
             "1718512740; CREATE TABLE migration (version INTEGER PRIMARY KEY, sha256 TEXT NOT "
             "NULL, applied_at INTEGER NOT NULL) STRICT;");
    for (size_t i = 0; i < levels; i++) {
        exec(db, migrations[i].sql);
        remember_migration(w, db, i);
    }
    exec(db, common_rows);
    exec(db, levels == 1 ? properties_1 : properties_2);
    if (levels >= 5)
        exec(db, short_keys);
    exec(db, levels < 7 ? EVENTS("request_sha256, ", "zeroblob(32), ") : EVENTS("", ""));
    exec(db, levels < 6 ? ledger_rows : ledger_of_lead);
    exec(db, levels < 8 ? held_row : held_connector);
    if (levels >= 9)
        exec(db, "UPDATE lead SET waiting = '[1,2]' WHERE id = 1");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void check_lead(struct world *w)
{
    struct lead l = get_lead(w, 1);

    assert_int_equal(l.score, 350);
    assert_int_equal(l.crm_id, 7);
    assert_int_equal(l.n_properties, 2);
    TEXT(l.properties[0].name, "city");
    assert_int_equal(l.properties[0].value.len, 0);
    assert_int_equal(l.properties[0].at, 7);
    TEXT(l.properties[1].name, "name");
    TEXT(l.properties[1].value, "1:2:Zoë");
    assert_int_equal(l.properties[1].at, -5);
    assert_int_equal(l.properties[1].key.bytes[1], 0xff);
    assert_int_equal(l.properties[1].key.bytes[2], 0);
    assert_int_equal(l.properties[1].key.bytes[23], 0);
    assert_int_equal(get_lead(w, 2).merged_into, 1);
}

/* It is known by its key of today. */
static void check_dedupe(struct world *w)
{
    struct event e = {.source = STR("zapier"), .received_at = T0, .key.bytes = {0, 0xff}};
    int64_t id = 0;

    OK(store_begin(w->store));
    assert_int_equal(store_dedupe(w->store, &e, &id), RC_EXISTS);
    assert_int_equal(id, 3);
    OK(store_commit(w->store));
}

static void check_history(struct world *w)
{
    const struct list_filter all = {.limit = 64, .lead = 1};
    struct shown events = {0}, deliveries = {0};
    struct lead l = get_lead(w, 1);
    int64_t depth, oldest;
    struct attempt_view *attempts;
    struct ledger_row *rows;
    struct str remote;
    size_t n;

    OK(read_events(w->reader, &all, show_event, &events));
    SHOWN(events, 4, 3, 2, 1);
    OK(read_deliveries(w->reader, &all, show_delivery, &deliveries));
    SHOWN(deliveries, 2, 1);
    assert_int_equal(get_delivery(w, 2).state, DELIVERY_HELD);
    assert_int_equal(get_delivery(w, 1).open_attempt_at, 4);
    assert_int_equal(count_due(w, "slack"), 1);
    OK(read_queue(w->reader, STR("slack"), &depth, &oldest));
    assert_int_equal(depth, 1);
    assert_int_equal(oldest, 4);
    OK(read_attempts(w->reader, 1, &w->arena, &attempts, &n));
    assert_int_equal(n, 1);
    OK(read_ledger(w->reader, &l, INT64_MAX, &w->arena, &rows, &n));
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rows[i].event, i + 2);
    TEXT(rows[0].rule, "visit");
    assert_null(rows[0].group.at);
    TEXT(rows[1].rule, "demo");
    TEXT(rows[1].group, "g");
    TEXT(rows[1].why, "asked for a demo");
    assert_int_equal(rows[1].points, 300);
    assert_int_equal(rows[1].max, 1000);
    assert_int_equal(rows[1].occurred_at, -3);
    assert_int_equal(rows[1].received_at, 3);
    TEXT(rows[2].rule, "visit");
    OK(read_remote(w->reader, 1, STR("notion"), &w->arena, &remote));
    TEXT(remote, "page-1");
}

static void a_database_of_every_level_opens_and_loses_nothing(void **state)
{
    struct world *w = *state;

    for (size_t levels = 1; levels <= ARRAY_LEN(migrations); levels++) {
        bool chained = levels >= 3; /* from 0003 on a merge keeps chains in order */
        bool done = false;

        make_database(w, levels);
        if (chained) {
            sqlite3 *db = NULL;

            assert_int_equal(sqlite3_open(w->path.at, &db), SQLITE_OK);
            exec(db, "UPDATE event SET prev = nullif(id - 1, 0); UPDATE lead SET last_event = 4"
                     " WHERE id = 1");
            assert_int_equal(sqlite3_close(db), SQLITE_OK);
        }
        world_reopen(w);
        assert_string_equal(reader_database_id(w->reader), "0badcafe");
        check_lead(w);
        check_dedupe(w);
        check_history(w);
        OK(store_begin(w->store)); /* the chain is in order: the oldest can go */
        OK(store_purge_events(w->store, 3, INT64_MAX, 10, &done));
        OK(store_commit(w->store));
        struct shown left = {0};
        OK(read_events(w->reader, &(struct list_filter){.limit = 9, .lead = 1}, show_event, &left));
        SHOWN(left, 4, 3);
        store_close(w->store);
        w->store = NULL;
        assert_int_equal(unlink(w->path.at), 0);
    }
}

/* One more for each id from `first` to `last`, like the first delivery. */
static void put_copies(sqlite3 *db, struct world *w, int lead, int first, int last)
{
    exec(db,
         arena_printf(&w->arena,
                      "WITH RECURSIVE n(i) AS (VALUES (%d) UNION ALL SELECT i + 1 FROM n WHERE"
                      " i < %d) INSERT INTO delivery (" DELIVERY ") SELECT i, d.event, %d,"
                      " d.route, d.connector, d.state, d.attempts, d.created_at, d.due_at,"
                      " d.done_at, 0, 0, NULL, NULL, d.facts FROM n JOIN delivery d ON d.id = 1",
                      first, last, lead)
             .at);
}

static struct str first_64(struct world *w, const char *begin, int from, int to)
{
    struct str list = str_of(begin);

    for (int i = from; i <= to; i++)
        list = arena_printf(&w->arena, "%s%d%s", list.at, i, i < to ? "," : "]");
    return list;
}

static void end_in_order(struct world *w, int64_t lead, int n)
{
    struct due_row row = {0};

    for (int64_t last = 0; n > 0; n--, last = row.id) {
        OK(read_due_of_lead(w->reader, STR("slack"), lead, 0, &row));
        assert_true(row.id > last);
        OK(end_with(w, row.id, ATTEMPT_DELIVERED, NULL));
    }
    assert_int_equal(read_due_of_lead(w->reader, STR("slack"), lead, 0, &row), RC_NONE);
}

/* Once all that waited stood in the lead's row. */
static void a_list_without_end_is_cut_and_nothing_of_it_is_forgotten(void **state)
{
    enum { BEFORE_THE_CROWD = 16 };
    struct world *w = *state;
    sqlite3 *db = NULL;
    struct object o;

    make_database(w, BEFORE_THE_CROWD);
    assert_int_equal(sqlite3_open(w->path.at, &db), SQLITE_OK);
    put_copies(db, w, 1, 11, 110);
    put_copies(db, w, -1, 111, 210);
    exec(db,
         "UPDATE lead SET waiting = (SELECT json_group_array(id) FROM (SELECT id FROM delivery"
         " WHERE lead = 1 ORDER BY id)) WHERE id = 1;"
         "INSERT INTO object SELECT 1, 1, 62515, 9, 0, 0, NULL, 0, 0, 0, x'', json_group_array(id)"
         " FROM (SELECT id FROM delivery WHERE lead = -1 ORDER BY id)");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    world_reopen(w);
    SAME(get_lead(w, 1).waiting, first_64(w, "[1,2,", 11, 72));
    OK(read_object(w->reader, 1, &w->arena, &o));
    SAME(o.record.waiting, first_64(w, "[", 111, 174));
    OK(store_begin(w->store));
    end_in_order(w, 1, 101);
    end_in_order(w, -1, 100);
    OK(store_commit(w->store));
}

static void a_level_that_is_not_known_yet_is_refused(void **state)
{
    struct world *w = *state;
    sqlite3 *db = NULL;
    struct store *st = NULL;

    make_database(w, ARRAY_LEN(migrations));
    assert_int_equal(sqlite3_open(w->path.at, &db), SQLITE_OK);
    exec(db, arena_printf(&w->arena, "PRAGMA user_version = %d", store_schema_version() + 1).at);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(store_open(&w->settings, T0, &st, &w->why), RC_INVALID);
    assert_null(st);
    assert_non_null(strstr(w->why.text, "run the newer funneld"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_EMPTY(a_database_of_every_level_opens_and_loses_nothing),
        RUN_EMPTY(a_list_without_end_is_cut_and_nothing_of_it_is_forgotten),
        RUN_EMPTY(a_level_that_is_not_known_yet_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
