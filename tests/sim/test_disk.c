/* tests/sim/test_disk.c - what the store keeps on a disk that loses what was not synced. */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "disk.h"
#include "funneld/store/store.h"

enum { BEGIN = 1000000 };

static char folder[] = "/tmp/funneld-disk-XXXXXX", path[64];
static struct store_settings settings = {.checkpoint = 1 << 20};

static int setup(void **state)
{
    (void)state;
    disk_install();
    if (!mkdtemp(folder)) /* for the lock alone */
        return -1;
    (void)!snprintf(path, sizeof path, "%s/funneld.db", folder);
    settings.path = str_of(path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)!snprintf(path, sizeof path, "%s/funneld.db.lock", folder);
    if (unlink(path) != 0 || rmdir(folder) != 0)
        return -1;
    disk_remove();
    return 0;
}

static struct store *open_store(void)
{
    struct store *st = NULL;
    struct why why = {0};

    if (store_open(&settings, BEGIN, &st, &why) != RC_OK)
        fail_msg("%s", why.text);
    return st;
}

static enum rc put(struct store *st, uint8_t number)
{
    struct event e = {.source = STR("zapier"),
                      .type = STR("form"),
                      .body = STR("{}"),
                      .request_id = STR("r1"),
                      .key.bytes = {number}};
    int64_t id;
    enum rc rc = store_begin(st);

    if (rc == RC_OK)
        rc = store_dedupe(st, &e, &id);
    bool known = rc == RC_EXISTS;
    if (rc == RC_OK)
        rc = store_event_add(st, id, NULL, &e, true, e.received_at);
    if (rc == RC_OK || known)
        rc = store_commit(st);
    else
        store_rollback(st);
    return rc == RC_OK && known ? RC_EXISTS : rc;
}

static struct store *end_and_open(struct store *st, enum disk_end how)
{
    disk_end_at(0, how);
    store_close(st);
    disk_restart();
    return open_store();
}

static void count_one(void *self, const struct event_view *e)
{
    (void)e;
    ++*(int64_t *)self;
}

static int64_t count(struct store *st)
{
    const struct list_filter all = {.limit = 100};
    int64_t n = 0;

    assert_int_equal(read_events(store_reader(st), &all, count_one, &n), RC_OK);
    return n;
}

static void close_store(struct store *st)
{
    disk_end_at(0, DISK_KILL);
    store_close(st);
    disk_restart();
}

/* The n-th sync from now fails, whatever else is called before. */
static enum rc put_with_failing_sync(struct store *st, uint8_t number, int64_t call)
{
    disk_fail_at(call, 1);
    return put(st, number);
}

static void what_is_committed_survives_a_power_cut_and_the_rest_may_not(void **state)
{
    int lost = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        disk_format(seed);
        struct store *st = open_store();

        assert_int_equal(put(st, 1), RC_OK);
        disk_end_at(2, DISK_POWER_CUT); /* in the middle of the next commit */
        assert_int_equal(put(st, 2), RC_IO);
        st = end_and_open(st, DISK_POWER_CUT);
        int64_t n = count(st);
        assert_in_range(n, 1, 2);
        lost += n == 1;
        close_store(st);
    }
    assert_true(lost > 0);
}

static void what_a_kill_left_unsynced_is_there_and_a_power_cut_takes_it(void **state)
{
    int after_kill = 0;

    (void)state;
    for (int64_t changes = 1; changes < 8; changes++) {
        disk_format((uint64_t)changes);
        struct store *st = open_store();

        disk_end_at(changes, DISK_KILL);
        (void)!put(st, 1);
        st = end_and_open(st, DISK_KILL);
        after_kill += count(st) == 1;
        close_store(st);
    }
    assert_true(after_kill > 0);
}

/* HubSpot sends again what was not answered; that it is there already must be true for good. */
static void what_is_called_a_duplicate_after_a_kill_survives_a_power_cut(void **state)
{
    int seen = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        disk_format(seed);
        struct store *st = open_store();

        disk_end_at(1 + (int64_t)seed % 6, DISK_KILL);
        (void)!put(st, 1);
        st = end_and_open(st, DISK_KILL);
        enum rc rc = put(st, 1);
        seen += rc == RC_EXISTS;
        st = end_and_open(st, DISK_POWER_CUT);
        if (rc == RC_EXISTS)
            assert_int_equal(count(st), 1);
        close_store(st);
    }
    assert_true(seen > 5);
}

static void what_a_failed_sync_did_not_write_is_not_built_upon(void **state)
{
    int failed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        disk_format(seed);
        struct store *st = open_store();

        enum rc rc = put_with_failing_sync(st, 1, 1 + (int64_t)seed % 8);
        disk_fail_at(0, 0);
        failed += rc == RC_IO;
        st = end_and_open(st, DISK_KILL);
        rc = put(st, 2);
        assert_int_equal(rc, RC_OK);
        st = end_and_open(st, DISK_POWER_CUT);
        assert_int_equal(put(st, 2), RC_EXISTS);
        close_store(st);
    }
    assert_true(failed > 5);
}

static void a_store_that_met_an_io_error_leaves_the_log_as_it_is(void **state)
{
    (void)state;
    disk_format(1);
    struct store *st = open_store();

    assert_int_equal(put(st, 1), RC_OK);
    assert_int_equal(put_with_failing_sync(st, 2, 1), RC_IO);
    disk_fail_at(0, 0);
    int64_t changes = disk_changes();
    store_close(st);
    assert_int_equal(disk_changes(), changes);
    disk_end_at(0, DISK_KILL);
    disk_restart();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_committed_survives_a_power_cut_and_the_rest_may_not),
        cmocka_unit_test(what_a_kill_left_unsynced_is_there_and_a_power_cut_takes_it),
        cmocka_unit_test(what_is_called_a_duplicate_after_a_kill_survives_a_power_cut),
        cmocka_unit_test(what_a_failed_sync_did_not_write_is_not_built_upon),
        cmocka_unit_test(a_store_that_met_an_io_error_leaves_the_log_as_it_is),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
