/* tests/contract/test_sqlite_files.c - what only the SQLite store has: its schema, its files. */
#include "plant.h"
#include "store_world.h"

/* With a connection of its own, while no store is open. */
static void run_sql(struct world *w, const char *sql)
{
    store_close(w->store);
    w->store = NULL;
    plant_rows(w->path.at, sql);
}

static struct str ask(struct world *w, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_open(w->path.at, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    struct str text = arena_str(&w->arena, str_of((const char *)sqlite3_column_text(s, 0)));
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return text;
}

static struct str file_bytes(struct world *w)
{
    enum { MOST = 4 << 20 };
    char *bytes = arena_alloc(&w->arena, MOST);
    int fd = open(w->path.at, O_RDONLY);

    assert_true(fd >= 0);
    ssize_t n = read(fd, bytes, MOST);
    assert_true(n >= 0 && n < MOST);
    assert_int_equal(close(fd), 0);
    return (struct str){bytes, (size_t)n};
}

static void refused(struct world *w, enum rc rc, const char *with)
{
    struct store *st = NULL;

    w->why.text[0] = '\0';
    assert_int_equal(store_open(&w->settings, T0, &st, &w->why), rc);
    assert_null(st);
    assert_non_null(strstr(w->why.text, with));
    assert_non_null(strstr(w->why.text, w->path.at));
}

static void not_read(struct world *w, enum rc rc, const char *with)
{
    struct reader *r = NULL;

    w->why.text[0] = '\0';
    assert_int_equal(reader_open(w->path.at, &r, &w->why), rc);
    assert_null(r);
    assert_non_null(strstr(w->why.text, with));
}

static void the_database_says_whose_it_is_and_how_it_was_made(void **state)
{
    struct world *w = *state;
    char version[16];

    (void)snprintf(version, sizeof version, "%d", store_schema_version());
    store_close(w->store);
    w->store = NULL;
    TEXT(ask(w, "PRAGMA application_id"), "1718512740"); /* "fnld" */
    SAME(ask(w, "PRAGMA user_version"), str_of(version));
    TEXT(ask(w, "PRAGMA journal_mode"), "wal");
    TEXT(ask(w, "PRAGMA page_size"), "4096");
    TEXT(ask(w, "PRAGMA auto_vacuum"), "2"); /* incremental */
    TEXT(ask(w, "PRAGMA integrity_check"), "ok");
}

static void a_newer_schema_is_refused_and_not_touched(void **state)
{
    struct world *w = *state;

    run_sql(w, "PRAGMA user_version = 9999");
    struct str before = file_bytes(w);
    refused(w, RC_INVALID, "9999");
    not_read(w, RC_INVALID, "9999");
    SAME(file_bytes(w), before);
}

static void an_older_schema_is_not_read_but_names_what_to_do(void **state)
{
    struct world *w = *state;

    run_sql(w, "PRAGMA user_version = 0");
    not_read(w, RC_INVALID, "funneld migrate");
}

static void a_database_of_another_program_is_refused_and_not_touched(void **state)
{
    static const char *const others[] = {
        "PRAGMA application_id = 17; CREATE TABLE x (y)",
        "PRAGMA user_version = 1; CREATE TABLE x (y)",
        "CREATE TABLE x (y)", /* names itself nowhere */
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        run_sql(w, others[i]);
        struct str before = file_bytes(w);
        refused(w, RC_INVALID, "another program");
        not_read(w, RC_INVALID, "not a funneld database");
        SAME(file_bytes(w), before);
        assert_int_equal(unlink(w->path.at), 0);
    }
}

static void a_file_that_is_no_database_is_refused_and_not_touched(void **state)
{
    struct world *w = *state;
    char text[4096];
    int fd = open(w->path.at, O_WRONLY | O_CREAT, 0600);

    memset(text, '#', sizeof text);
    assert_int_equal(write(fd, text, sizeof text), sizeof text);
    assert_int_equal(close(fd), 0);
    struct str before = file_bytes(w);
    refused(w, RC_CORRUPT, "not a database");
    not_read(w, RC_CORRUPT, "not a database");
    SAME(file_bytes(w), before);
}

static void an_empty_file_becomes_a_database(void **state)
{
    struct world *w = *state;
    int fd = open(w->path.at, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(close(fd), 0);
    not_read(w, RC_INVALID, "not a funneld database");
    world_reopen(w);
    OK(store_begin(w->store));
    (void)put_event_at(w, 0, T0);
    OK(store_commit(w->store));
    store_close(w->store);
    w->store = NULL;
    TEXT(ask(w, "PRAGMA auto_vacuum"), "2");
}

static void properties_that_cannot_be_read_are_invalid(void **state)
{
    static const char *const damaged[] = {"x",          "1:1:",      "1:1:5:a",
                                          "1:1:5:ab00", "-1:1:5:ab", "1:99999999999999999999:5:ab"};
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_lead(w, "zoe@example.com");
    OK(store_commit(w->store));
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        struct lead l = {.id = 4711};

        run_sql(w, arena_printf(&w->arena, "UPDATE lead SET properties = CAST('%s' AS BLOB)",
                                damaged[i])
                       .at);
        world_reopen(w);
        assert_int_equal(read_lead(w->reader, id, &w->arena, &l), RC_INVALID);
        assert_int_equal(l.id, 4711);
        assert_non_null(strstr(store_error(w->store), "properties of lead"));
    }
}

static void an_edited_migration_is_found_out(void **state)
{
    struct world *w = *state;

    run_sql(w, "UPDATE migration SET sha256 = 'ff' WHERE version = 1");
    refused(w, RC_CORRUPT, "0001");
}

static void a_forgotten_migration_is_found_out(void **state)
{
    struct world *w = *state;

    run_sql(w, "DELETE FROM migration");
    refused(w, RC_CORRUPT, "0001");
}

static void a_creation_that_was_cut_short_is_completed(void **state)
{
    struct world *w = *state;

    run_sql(w, "PRAGMA application_id = 1718512740");
    world_reopen(w);
    run_sql(w, "DELETE FROM meta"); /* cut just before the id was drawn */
    not_read(w, RC_NONE, "no database id");
    world_reopen(w);
    assert_int_equal(strlen(reader_database_id(w->reader)), 8);
}

static void others_lose_their_rights_to_it(void **state)
{
    struct world *w = *state;
    struct stat s;

    store_close(w->store);
    w->store = NULL;
    assert_int_equal(chmod(w->path.at, 0666), 0);
    world_reopen(w);
    assert_int_equal(stat(w->path.at, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0660); /* a group may be meant */
}

static void it_is_remembered_when_a_migration_was_applied(void **state)
{
    struct world *w = *state;

    store_close(w->store);
    w->store = NULL;
    TEXT(ask(w, "SELECT applied_at FROM migration WHERE version = 1"), "1000000");
}

static int64_t size_of(struct world *w, const char *suffix)
{
    struct stat s;
    struct str name = arena_printf(&w->arena, "%s%s", w->path.at, suffix);

    return stat(name.at, &s) == 0 ? (int64_t)s.st_size : 0;
}

static void fill(struct world *w, int64_t from, int n)
{
    static char body[64 * 1024];

    memset(body, 'x', sizeof body);
    for (int i = 0; i < n; i++) {
        struct event e = event_at(T0 + from + i, i);

        e.body = (struct str){body, sizeof body};
        OK(store_begin(w->store));
        (void)put_event(w, 0, &e);
        OK(store_commit(w->store));
    }
}

static void the_log_is_copied_back_when_it_is_long_enough(void **state)
{
    struct world *w = *state;

    OK(store_checkpoint_all(w->store)); /* what the migrations wrote */
    int64_t small = size_of(w, "");
    fill(w, 0, 8); /* half of the limit */
    OK(store_checkpoint(w->store, false));
    assert_int_equal(size_of(w, ""), small);
    fill(w, 100, 16);
    OK(store_checkpoint(w->store, false));
    assert_true(size_of(w, "") > 24 * 64 * 1024);
    int64_t log = size_of(w, "-wal");
    fill(w, 200, 8); /* goes to the beginning of the log */
    assert_int_equal(size_of(w, "-wal"), log);
}

static void while_work_waits_the_log_may_be_longer(void **state)
{
    struct world *w = *state;
    int64_t small = size_of(w, "");

    fill(w, 0, 32); /* twice the limit */
    OK(store_checkpoint(w->store, true));
    assert_int_equal(size_of(w, ""), small);
    fill(w, 100, 40);
    OK(store_checkpoint(w->store, true));
    assert_true(size_of(w, "") > 72 * 64 * 1024);
}

static void see_slowly(void *self, const struct event_view *e)
{
    struct world *w = self;

    (void)e;
    OK(store_checkpoint(w->store, false));
    fill(w, 1000, 1);
}

static void a_reader_in_the_middle_holds_up_neither_checkpoint_nor_commit(void **state)
{
    struct world *w = *state;
    struct reader *r;

    fill(w, 0, 24);
    OK(reader_open(w->path.at, &r, &w->why));
    OK(read_events(r, &(struct list_filter){.limit = 1}, see_slowly, w));
    reader_close(r);
    OK(store_checkpoint(w->store, false));
}

static void a_closed_store_leaves_one_file_and_the_lock(void **state)
{
    struct world *w = *state;

    fill(w, 0, 2);
    store_close(w->store);
    w->store = NULL;
    assert_int_equal(size_of(w, "-wal"), 0);
    assert_true(size_of(w, "") > 2 * 64 * 1024);
}

static void a_reader_does_not_copy_the_log_back(void **state)
{
    struct world *w = *state;
    struct reader *r;

    OK(reader_open(w->path.at, &r, &w->why));
    fill(w, 0, 2);
    store_close(w->store); /* not the last connection: the log stays */
    w->store = NULL;
    int64_t before = size_of(w, "");
    assert_true(size_of(w, "-wal") > 0);
    reader_close(r);
    assert_int_equal(size_of(w, ""), before);
    assert_true(size_of(w, "-wal") > 0);
    world_reopen(w);
    struct event_view v;
    OK(read_event(w->reader, 2, &w->arena, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(the_database_says_whose_it_is_and_how_it_was_made),
        RUN(a_newer_schema_is_refused_and_not_touched),
        RUN(an_older_schema_is_not_read_but_names_what_to_do),
        RUN_EMPTY(a_database_of_another_program_is_refused_and_not_touched),
        RUN_EMPTY(a_file_that_is_no_database_is_refused_and_not_touched),
        RUN_EMPTY(an_empty_file_becomes_a_database),
        RUN(properties_that_cannot_be_read_are_invalid),
        RUN(an_edited_migration_is_found_out),
        RUN(a_forgotten_migration_is_found_out),
        RUN_EMPTY(a_creation_that_was_cut_short_is_completed),
        RUN(others_lose_their_rights_to_it),
        RUN(it_is_remembered_when_a_migration_was_applied),
        RUN(the_log_is_copied_back_when_it_is_long_enough),
        RUN(while_work_waits_the_log_may_be_longer),
        RUN(a_reader_in_the_middle_holds_up_neither_checkpoint_nor_commit),
        RUN(a_closed_store_leaves_one_file_and_the_lock),
        RUN(a_reader_does_not_copy_the_log_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
