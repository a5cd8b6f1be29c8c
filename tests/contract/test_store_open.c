/* tests/contract/test_store_open.c - opening, the lock, readers, transactions, a full store. */
#include "store_world.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static bool event_is_there(struct reader *r, int64_t id)
{
    struct arena a AUTO(arena_free) = {0};
    struct event_view v;
    enum rc rc = read_event(r, id, &a, &v);

    assert_true(rc == RC_OK || rc == RC_NONE);
    return rc == RC_OK;
}

static void a_database_has_an_id_that_stays(void **state)
{
    struct world *w = *state;
    char id[9];

    (void)snprintf(id, sizeof id, "%s", reader_database_id(w->reader));
    assert_int_equal(strlen(id), 8);
    assert_int_equal(strspn(id, "0123456789abcdef"), 8);
    world_reopen(w);
    assert_string_equal(reader_database_id(w->reader), id);
    struct reader *other;
    OK(reader_open(w->path.at, &other, &w->why));
    assert_string_equal(reader_database_id(other), id);
    reader_close(other);
}

static void two_databases_have_different_ids(void **state)
{
    struct world *w = *state;
    struct store_settings settings = w->settings;
    struct store *other = NULL;

    settings.path = arena_printf(&w->arena, "%s/other.db", w->dir);
    OK(store_open(&settings, T0, &other, &w->why));
    assert_string_not_equal(reader_database_id(store_reader(other)), reader_database_id(w->reader));
    store_close(other);
}

static void a_second_store_is_refused_while_the_first_is_open(void **state)
{
    struct world *w = *state;
    struct store *second = NULL;

    assert_int_equal(store_open(&w->settings, T0, &second, &w->why), RC_BUSY);
    assert_null(second);
    assert_non_null(strstr(w->why.text, w->path.at));
    store_close(w->store);
    w->store = NULL;
    OK(store_open(&w->settings, T0, &second, &w->why));
    store_close(second);
}

/* In a process of its own: opens the store, stores `n` events, commits all but the last, says so
 * and waits to be killed. */
static void be_killed(struct world *w, int n, int ready)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) /* should the test fail before it comes to that */
        _exit(5);
    if (store_open(&w->settings, T0, &w->store, NULL) != RC_OK)
        _exit(1);
    for (int i = 0; i < n; i++) {
        struct event e = event_at(T0 + i, i);
        int64_t id = 0;

        if (store_begin(w->store) != RC_OK || store_dedupe(w->store, &e, &id) != RC_OK ||
            store_event_add(w->store, id, NULL, &e, true, e.received_at) != RC_OK)
            _exit(2);
        if (i < n - 1 && store_commit(w->store) != RC_OK)
            _exit(3);
    }
    if (write(ready, "!", 1) != 1)
        _exit(4);
    for (;;)
        (void)pause();
}

static void after_a_kill_all_that_was_committed_is_there_and_nothing_else(void **state)
{
    struct world *w = *state;
    int ready[2], status = 0;
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_killed(w, 20, ready[1]);
    assert_int_equal(close(ready[1]), 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(store_open(&w->settings, T0, &w->store, &w->why), RC_BUSY);
    assert_non_null(strstr(w->why.text, "another funneld"));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(close(ready[0]), 0);
    world_reopen(w); /* the lock died with its holder */
    for (int64_t id = 1; id < 20; id++)
        assert_true(event_is_there(w->reader, id));
    assert_false(event_is_there(w->reader, 20));
}

static void a_folder_that_is_not_there_is_an_error_that_names_it(void **state)
{
    struct world *w = *state;
    struct store *st = NULL;

    w->settings.path = arena_printf(&w->arena, "%s/missing/funneld.db", w->dir);
    assert_int_equal(store_open(&w->settings, T0, &st, &w->why), RC_IO);
    assert_null(st);
    assert_non_null(strstr(w->why.text, w->settings.path.at));
}

static void others_may_read_none_of_its_files(void **state)
{
    struct world *w = *state;
    mode_t before = umask(077); /* as main sets it */
    int files = 0;

    world_reopen(w);
    OK(store_begin(w->store));
    (void)put_event_at(w, 0, T0);
    OK(store_commit(w->store));
    (void)umask(before);
    DIR *dir = opendir(w->dir);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct stat s;

        assert_int_equal(fstatat(dirfd(dir), entry->d_name, &s, 0), 0);
        if (!S_ISREG(s.st_mode))
            continue;
        assert_int_equal(s.st_mode & 0177, 0);
        files++;
    }
    assert_int_equal(closedir(dir), 0);
    assert_true(files >= 2);
}

static void closing_nothing_is_fine(void **state)
{
    (void)state;
    store_close(NULL);
    reader_close(NULL);
}

static void without_a_database_there_is_nothing_to_read(void **state)
{
    struct world *w = *state;
    struct reader *r = NULL;

    assert_int_equal(reader_open(w->path.at, &r, &w->why), RC_NONE);
    assert_null(r);
    assert_non_null(strstr(w->why.text, w->path.at));
    assert_int_equal(access(w->path.at, F_OK), -1); /* looking makes nothing */
}

static void a_reader_sees_what_is_committed_only(void **state)
{
    struct world *w = *state;
    struct reader *r;

    OK(reader_open(w->path.at, &r, &w->why));
    OK(store_begin(w->store));
    int64_t id = put_event_at(w, 0, T0);
    assert_false(event_is_there(r, id));
    assert_true(event_is_there(w->reader, id)); /* the writer sees its own */
    OK(store_commit(w->store));
    assert_true(event_is_there(r, id));
    reader_close(r);
}

static void a_reader_needs_no_store_and_outlives_one(void **state)
{
    struct world *w = *state;
    struct reader *r;

    OK(store_begin(w->store));
    int64_t first = put_event_at(w, 0, T0);
    OK(store_commit(w->store));
    store_close(w->store);
    w->store = NULL;
    OK(reader_open(w->path.at, &r, &w->why));
    assert_true(event_is_there(r, first));
    world_reopen(w);
    OK(store_begin(w->store));
    int64_t second = put_event_at(w, 0, T0 + 1);
    OK(store_commit(w->store));
    assert_true(event_is_there(r, second));
    store_close(w->store);
    w->store = NULL;
    assert_true(event_is_there(r, second));
    reader_close(r);
    world_reopen(w);
    assert_true(event_is_there(w->reader, second));
}

static void what_is_rolled_back_never_was(void **state)
{
    struct world *w = *state;
    struct event e = event_at(T0, 1);

    OK(store_begin(w->store));
    int64_t id = put_event(w, 0, &e);
    int64_t lead = put_lead(w, "ada@example.com");
    store_rollback(w->store);
    store_rollback(w->store); /* nothing left to take back */
    assert_false(event_is_there(w->reader, id));
    struct lead l;
    assert_int_equal(read_lead(w->reader, lead, &w->arena, &l), RC_NONE);
    OK(store_begin(w->store));
    id = put_event(w, 0, &e); /* its key is free again */
    OK(store_commit(w->store));
    assert_true(event_is_there(w->reader, id));
}

static void closing_in_a_transaction_rolls_it_back(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_event_at(w, 0, T0);
    world_reopen(w);
    assert_false(event_is_there(w->reader, id));
}

static void undoing_one_event_leaves_its_neighbours(void **state)
{
    struct world *w = *state;
    int64_t id[3];

    OK(store_begin(w->store));
    for (int i = 0; i < 3; i++) {
        OK(store_savepoint(w->store));
        int64_t lead = put_lead(w, NULL);
        id[i] = put_event_at(w, lead, T0 + i);
        if (i == 1)
            OK(store_undo(w->store));
        else
            OK(store_release(w->store));
    }
    OK(store_commit(w->store));
    assert_true(event_is_there(w->reader, id[0]));
    assert_false(event_is_there(w->reader, id[1]));
    assert_true(event_is_there(w->reader, id[2]));
    OK(store_begin(w->store));
    (void)put_event_at(w, 0, T0 + 1); /* its key is free again */
    OK(store_commit(w->store));
}

static void undoing_without_a_transaction_says_that_there_is_none(void **state)
{
    struct world *w = *state;

    assert_int_equal(store_undo(w->store), RC_IO);
    OK(store_begin(w->store));
    OK(store_commit(w->store));
}

static void there_is_no_commit_without_a_transaction(void **state)
{
    struct world *w = *state;

    assert_int_not_equal(store_commit(w->store), RC_OK);
    assert_true(strlen(store_error(w->store)) > 0);
}

enum { FEW = 400 * 1024 };

/* One transaction of one event with a body of 64 KiB. */
static enum rc put_big(struct world *w, int64_t number, int64_t *ret_id)
{
    static char body[64 * 1024];
    struct event e = event_at(T0 + number, number);
    enum rc rc = store_begin(w->store);

    assert_int_equal(rc, RC_OK);
    memset(body, 'x', sizeof body);
    e.body = (struct str){body, sizeof body};
    rc = store_dedupe(w->store, &e, ret_id);
    if (rc == RC_OK)
        rc = store_event_add(w->store, *ret_id, NULL, &e, true, e.received_at);
    if (rc == RC_OK)
        return store_commit(w->store);
    store_rollback(w->store);
    return rc;
}

static void a_full_store_says_so_and_recovers_when_there_is_room(void **state)
{
    struct world *w = *state;
    int64_t id[32], lost = 0;
    int n = 0;
    enum rc rc = RC_OK;

    w->settings.max_size = FEW;
    store_limits(w->store, &w->settings);
    while (n < 32 && (rc = put_big(w, n, &id[n])) == RC_OK)
        n++;
    assert_int_equal(rc, RC_FULL);
    assert_true(n > 0 && strlen(store_error(w->store)) > 0);
    assert_int_equal(put_big(w, 99, &lost), RC_FULL);
    for (int i = 0; i < n; i++)
        assert_true(event_is_there(w->reader, id[i]));
    assert_false(event_is_there(w->reader, lost));
    w->settings.max_size = 0;
    store_limits(w->store, &w->settings);
    OK(put_big(w, 99, &lost));
    assert_true(event_is_there(w->reader, lost));
}

static void a_limit_below_the_present_size_takes_nothing_away(void **state)
{
    struct world *w = *state;
    int64_t id = 0, lost = 0;

    for (int i = 0; i < 10; i++)
        OK(put_big(w, i, &id));
    w->settings.max_size = 4096;
    store_limits(w->store, &w->settings);
    assert_int_equal(put_big(w, 99, &lost), RC_FULL);
    assert_true(event_is_there(w->reader, id));
    world_reopen(w); /* so small a limit is no reason not to start */
    assert_true(event_is_there(w->reader, id));
    assert_int_equal(put_big(w, 99, &lost), RC_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_database_has_an_id_that_stays),
        RUN(two_databases_have_different_ids),
        RUN(a_second_store_is_refused_while_the_first_is_open),
        RUN_EMPTY(after_a_kill_all_that_was_committed_is_there_and_nothing_else),
        RUN_EMPTY(a_folder_that_is_not_there_is_an_error_that_names_it),
        RUN_EMPTY(others_may_read_none_of_its_files),
        RUN(closing_nothing_is_fine),
        RUN_EMPTY(without_a_database_there_is_nothing_to_read),
        RUN(a_reader_sees_what_is_committed_only),
        RUN(a_reader_needs_no_store_and_outlives_one),
        RUN(what_is_rolled_back_never_was),
        RUN(closing_in_a_transaction_rolls_it_back),
        RUN(undoing_one_event_leaves_its_neighbours),
        RUN(undoing_without_a_transaction_says_that_there_is_none),
        RUN(there_is_no_commit_without_a_transaction),
        RUN(a_full_store_says_so_and_recovers_when_there_is_room),
        RUN(a_limit_below_the_present_size_takes_nothing_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
