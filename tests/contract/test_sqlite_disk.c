/* tests/contract/test_sqlite_disk.c - disks that are full or cannot do what SQLite needs. */
#include "store_world.h"

#include "fault_vfs.h"

/* One transaction of one event of a quarter MiB. */
static enum rc put_big(struct world *w, int64_t number)
{
    static char body[256 * 1024];
    struct event e = event_at(T0 + number, number);
    int64_t id = 0;
    enum rc rc = store_begin(w->store);

    memset(body, 'x', sizeof body);
    e.body = (struct str){body, sizeof body};
    if (rc == RC_OK)
        rc = store_dedupe(w->store, &e, &id);
    if (rc == RC_OK)
        rc = store_event_add(w->store, id, NULL, &e, true, e.received_at);
    if (rc == RC_OK)
        return store_commit(w->store);
    store_rollback(w->store);
    return rc;
}

/* A long log needs a longer index, which is a file as well. */
static void no_room_for_the_index_of_the_log_is_a_full_disk(void **state)
{
    struct world *w = *state;
    int n = 0;
    enum rc rc = RC_OK;

    fault_install();
    world_reopen(w);
    fault_arm((struct fault){.kind = FAULT_FULL, .only = "xShmMap", .times = INT64_MAX});
    while (n < 100 && (rc = put_big(w, n)) == RC_OK)
        n++;
    assert_int_equal(rc, RC_FULL);
    assert_int_equal(put_big(w, n), RC_FULL);
    fault_clear();
    OK(put_big(w, n));
    store_close(w->store);
    w->store = NULL;
    fault_remove();
}

static void a_database_that_is_there_is_opened_on_a_full_disk(void **state)
{
    struct world *w = *state;

    store_close(w->store);
    w->store = NULL;
    fault_install();
    fault_arm((struct fault){.kind = FAULT_FULL, .only = "xWrite", .times = INT64_MAX});
    world_reopen(w);
    assert_false(fault_fired());
    assert_int_equal(put_big(w, 1), RC_FULL);
    fault_clear();
    OK(put_big(w, 1));
    store_close(w->store);
    w->store = NULL;
    fault_remove();
}

static void without_a_write_ahead_log_nothing_is_stored(void **state)
{
    struct world *w = *state;

    fault_install();
    fault_allow_shared_memory(false);
    assert_int_equal(store_open(&w->settings, T0, &w->store, &w->why), RC_IO);
    assert_non_null(strstr(w->why.text, "write-ahead log"));
    fault_allow_shared_memory(true);
    fault_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(no_room_for_the_index_of_the_log_is_a_full_disk),
        RUN(a_database_that_is_there_is_opened_on_a_full_disk),
        cmocka_unit_test_setup_teardown(without_a_write_ahead_log_nothing_is_stored,
                                        world_setup_empty, world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
