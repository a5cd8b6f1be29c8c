/* tests/contract/test_store_backup.c - a copy made in use is whole, and comes back. */
#include "store_world.h"

static const char *beside(struct world *w, const char *name)
{
    return arena_printf(&w->arena, "%s/%s", w->dir, name).at;
}

static int64_t put_committed(struct world *w, int64_t at)
{
    OK(store_begin(w->store));
    int64_t id = put_event_at(w, 0, at);
    OK(store_commit(w->store));
    return id;
}

static void fill(struct world *w, int n)
{
    OK(store_begin(w->store));
    for (int i = 0; i < n; i++)
        (void)put_event_at(w, put_lead(w, NULL), T0 + i);
    OK(store_commit(w->store));
}

static bool holds(const char *path, int64_t event)
{
    struct arena a AUTO(arena_free) = {0};
    struct reader *r = NULL;
    struct event_view v;

    OK(reader_open(path, &r, NULL));
    enum rc rc = read_event(r, event, &a, &v);
    reader_close(r);
    return rc == RC_OK;
}

static void back_up(struct world *w, const char *path)
{
    struct backup *b = NULL;
    bool done = false;
    int64_t bytes = 0;

    OK(backup_begin(w->store, path, &b, &w->why));
    while (!done)
        OK(backup_step(b, 4, &done, &w->why));
    OK(backup_finish(b, NULL, &bytes, &w->why));
    backup_end(b);
    assert_true(bytes > 0);
}

static void what_is_committed_while_it_runs_is_in_the_copy(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db");
    struct backup *b = NULL;
    int64_t bytes = 0, last = 0;
    bool done = false;
    int steps = 0;

    fill(w, 400);
    OK(backup_begin(w->store, copy, &b, &w->why));
    for (; !done; steps++) {
        OK(backup_step(b, 4, &done, &w->why));
        OK(backup_sync(b, &w->why));
        assert_int_not_equal(access(copy, F_OK), 0); /* not before it is whole */
        if (!done)
            last = put_committed(w, T0 + 1000 + steps);
        OK(store_checkpoint_all(w->store));
    }
    assert_true(steps > 5);
    OK(backup_finish(b, NULL, &bytes, &w->why));
    backup_end(b);

    struct stat file;
    assert_int_equal(stat(copy, &file), 0);
    assert_int_equal(file.st_size, bytes);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_true(holds(copy, 1) && holds(copy, last));
    assert_int_not_equal(access(beside(w, "copy.db.partial"), F_OK), 0);
    assert_int_not_equal(access(beside(w, "copy.db-wal"), F_OK), 0);
}

static void what_is_rolled_back_while_it_runs_is_not(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db");
    struct backup *b = NULL;
    int64_t bytes = 0;
    bool done = false;

    fill(w, 400);
    OK(backup_begin(w->store, copy, &b, &w->why));
    OK(backup_step(b, 8, &done, &w->why));
    OK(store_begin(w->store));
    int64_t undone = put_event_at(w, 0, T0 + 5000);
    store_rollback(w->store);
    while (!done)
        OK(backup_step(b, 8, &done, &w->why));
    OK(backup_finish(b, NULL, &bytes, &w->why));
    backup_end(b);
    assert_true(holds(copy, 400));
    assert_false(holds(copy, undone));
}

static void an_earlier_copy_is_replaced_and_one_that_was_cut_short_is_gone(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db");
    struct backup *b = NULL;
    bool done = false;

    back_up(w, copy);
    int64_t id = put_committed(w, T0);
    OK(backup_begin(w->store, copy, &b, &w->why));
    OK(backup_step(b, 1, &done, &w->why));
    assert_int_equal(access(beside(w, "copy.db.partial"), F_OK), 0);
    backup_end(b);
    assert_int_not_equal(access(beside(w, "copy.db.partial"), F_OK), 0);
    assert_false(holds(copy, id)); /* the earlier one still counts */
    back_up(w, copy);
    assert_true(holds(copy, id));
}

static void a_copy_that_is_damaged_does_not_count(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db"), *partial = beside(w, "copy.db.partial");
    struct backup *b = NULL;
    int64_t bytes = 0;
    bool done = false;
    char noise[4096];

    fill(w, 400);
    memset(noise, 0xa5, sizeof noise);
    OK(backup_begin(w->store, copy, &b, &w->why));
    while (!done)
        OK(backup_step(b, -1, &done, &w->why));
    int fd = open(partial, O_WRONLY);
    assert_int_equal(pwrite(fd, noise, sizeof noise, 10L * (long)sizeof noise), sizeof noise);
    assert_int_equal(close(fd), 0);
    assert_int_equal(backup_finish(b, NULL, &bytes, &w->why), RC_CORRUPT);
    assert_non_null(strstr(w->why.text, "damaged"));
    backup_end(b);
    assert_int_not_equal(access(copy, F_OK), 0);
    assert_int_not_equal(access(partial, F_OK), 0);
    (void)put_committed(w, T0 + 9999); /* the store is well */
}

static void a_copy_that_cannot_be_written_says_where(void **state)
{
    struct world *w = *state;
    struct backup *b = NULL;

    assert_int_equal(backup_begin(w->store, beside(w, "missing/copy.db"), &b, &w->why), RC_IO);
    assert_non_null(strstr(w->why.text, "missing/copy.db"));
    assert_int_equal(backup_begin(w->store, w->path.at, &b, &w->why), RC_INVALID);
    assert_null(b);
}

/* The daemon would go on writing to a file without a name. */
static void the_database_by_another_name_is_not_written_over(void **state)
{
    struct world *w = *state;
    struct backup *b = NULL;
    const char *link = beside(w, "link.db"), *dotted = beside(w, "./funneld.db");

    assert_int_equal(symlink(w->path.at, link), 0);
    const char *const names[] = {link, dotted, beside(w, "funneld.db-wal"),
                                 beside(w, "funneld.db.lock")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(backup_begin(w->store, names[i], &b, &w->why), RC_INVALID);
    (void)put_committed(w, T0);
}

/* Of a copy that was made by hand: SQLite would play it into the new one. */
static void a_log_that_lies_beside_the_copy_is_taken_away(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db"), *log = beside(w, "copy.db-wal");

    fill(w, 50);
    int fd = open(log, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "what was", 8), 8);
    assert_int_equal(close(fd), 0);
    int64_t id = put_committed(w, T0);
    back_up(w, copy);
    assert_int_not_equal(access(log, F_OK), 0);
    assert_true(holds(copy, id));
}

static void only_a_plain_file_is_replaced(void **state)
{
    struct world *w = *state;
    struct backup *b = NULL;
    const char *pipe = beside(w, "pipe"), *link = beside(w, "link"), *other = beside(w, "other");

    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(symlink(other, link), 0);
    assert_int_equal(backup_begin(w->store, pipe, &b, &w->why), RC_INVALID);
    assert_non_null(strstr(w->why.text, "pipe is no plain file"));
    assert_int_equal(backup_begin(w->store, link, &b, &w->why), RC_INVALID);
    assert_int_equal(backup_begin(w->store, w->dir, &b, &w->why), RC_INVALID);
    assert_null(b);
}

/* On its way a copy of X is called X.partial. */
static void a_database_that_is_called_partial_is_not_removed(void **state)
{
    struct world *w = *state;
    struct backup *b = NULL;

    store_close(w->store);
    w->store = NULL;
    w->path = arena_printf(&w->arena, "%s/x.partial", w->dir);
    w->settings.path = w->path;
    world_reopen(w);
    assert_int_equal(backup_begin(w->store, beside(w, "x"), &b, &w->why), RC_INVALID);
    assert_int_equal(access(w->path.at, F_OK), 0);
}

static void one_file_has_one_lock_whatever_it_is_called(void **state)
{
    struct world *w = *state;
    struct store *second = NULL;
    struct store_settings s = w->settings;
    const char *link = beside(w, "link.db");

    assert_int_equal(symlink(w->path.at, link), 0);
    s.path = str_of(link);
    assert_int_equal(store_open(&s, T0, &second, &w->why), RC_BUSY);
    assert_null(second);

    const char *early = beside(w, "early.db"); /* a link to what is not there yet */
    assert_int_equal(symlink(beside(w, "later.db"), early), 0);
    store_close(w->store);
    w->store = NULL;
    w->settings.path = str_of(early);
    world_reopen(w);
    s.path = str_of(early);
    assert_int_equal(store_open(&s, T0, &second, &w->why), RC_BUSY);
    s.path = str_of(beside(w, "later.db"));
    assert_int_equal(store_open(&s, T0, &second, &w->why), RC_BUSY);
    assert_null(second);
}

static void verifying_is_given_up_when_it_is_told_to(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db");
    atomic_bool stop = true;
    struct backup *b = NULL;
    int64_t bytes = 0;
    bool done = false;

    fill(w, 4000);
    OK(backup_begin(w->store, copy, &b, &w->why));
    while (!done)
        OK(backup_step(b, -1, &done, &w->why));
    assert_int_not_equal(backup_finish(b, &stop, &bytes, &w->why), RC_OK);
    backup_end(b);
    assert_int_not_equal(access(copy, F_OK), 0);
}

static void a_restore_brings_back_the_copy_with_a_new_id_and_keeps_what_was_there(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db"), *kept = beside(w, "kept.db");
    struct stat was, is;
    char before[16];

    int64_t old = put_committed(w, T0);
    memcpy(before, reader_database_id(w->reader), 9);
    back_up(w, copy);
    int64_t later = put_committed(w, T0 + 1);
    assert_int_equal(store_restore(w->path.at, copy, kept, &w->why), RC_BUSY); /* in use */
    store_close(w->store);
    w->store = NULL;
    if (geteuid() == 0) /* who then leaves it to whom it belonged */
        assert_int_equal(chown(w->path.at, 4711, 4712), 0);
    assert_int_equal(stat(w->path.at, &was), 0);
    OK(store_restore(w->path.at, copy, kept, &w->why));
    assert_int_equal(stat(w->path.at, &is), 0);
    assert_true(is.st_uid == was.st_uid && is.st_gid == was.st_gid);
    assert_true(holds(w->path.at, old) && !holds(w->path.at, later));
    assert_true(holds(kept, old) && holds(kept, later));
    assert_true(holds(copy, old));
    world_reopen(w);
    assert_string_not_equal(reader_database_id(w->reader), before);
    assert_int_equal(strlen(reader_database_id(w->reader)), 8);
}

static void what_is_no_copy_of_ours_is_not_restored(void **state)
{
    struct world *w = *state;
    const char *other = beside(w, "other.db"), *kept = beside(w, "kept.db");
    int64_t id = put_committed(w, T0);
    int fd = open(other, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, "nonsense that is long enough to be a header of a file", 53), 53);
    assert_int_equal(close(fd), 0);
    store_close(w->store);
    w->store = NULL;
    assert_int_equal(store_restore(w->path.at, other, kept, &w->why), RC_CORRUPT);
    assert_int_not_equal(store_restore(w->path.at, beside(w, "none.db"), kept, &w->why), RC_OK);
    assert_non_null(strstr(w->why.text, "none.db"));
    assert_true(holds(w->path.at, id));
    assert_int_not_equal(access(kept, F_OK), 0);
    assert_int_not_equal(access(beside(w, "funneld.db.restoring"), F_OK), 0);
}

/* Its log may hold what nobody has read yet. */
static void a_damaged_database_is_kept_with_its_log(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db"), *kept = beside(w, "kept.db");
    struct reader *r = NULL;
    int fd;

    int64_t id = put_committed(w, T0);
    back_up(w, copy);
    OK(store_checkpoint_all(w->store));
    OK(reader_open(w->path.at, &r, &w->why)); /* so that closing leaves the log */
    (void)put_committed(w, T0 + 1);
    store_close(w->store);
    w->store = NULL;
    reader_close(r);
    fd = open(w->path.at, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "all is lost", 11), 11);
    assert_int_equal(close(fd), 0);
    OK(store_restore(w->path.at, copy, kept, &w->why));
    assert_true(holds(w->path.at, id));
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(access(beside(w, "kept.db-wal"), F_OK), 0);
}

/* SQLite would play an old log into what was restored. */
static void a_log_without_its_database_is_kept_apart(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db"), *kept = beside(w, "kept.db");
    struct reader *r = NULL;

    int64_t id = put_committed(w, T0);
    back_up(w, copy);
    OK(reader_open(w->path.at, &r, &w->why)); /* so that closing leaves the log */
    int64_t later = put_committed(w, T0 + 1);
    store_close(w->store);
    w->store = NULL;
    reader_close(r);
    assert_int_equal(rename(w->path.at, beside(w, "broken.db")), 0);
    OK(store_restore(w->path.at, copy, kept, &w->why));
    assert_int_equal(access(beside(w, "kept.db-wal"), F_OK), 0);
    world_reopen(w);
    store_close(w->store);
    w->store = NULL;
    assert_true(holds(w->path.at, id) && !holds(w->path.at, later));
}

static void what_was_kept_is_not_written_over(void **state)
{
    struct world *w = *state;
    const char *copy = beside(w, "copy.db"), *kept = beside(w, "kept.db");
    int64_t id = put_committed(w, T0);

    back_up(w, copy);
    int64_t later = put_committed(w, T0 + 1);
    store_close(w->store);
    w->store = NULL;
    OK(store_restore(w->path.at, copy, kept, &w->why));
    assert_int_equal(store_restore(w->path.at, copy, kept, &w->why), RC_IO);
    assert_non_null(strstr(w->why.text, "kept.db"));
    assert_true(holds(kept, later) && holds(w->path.at, id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(what_is_committed_while_it_runs_is_in_the_copy),
        RUN(what_is_rolled_back_while_it_runs_is_not),
        RUN(an_earlier_copy_is_replaced_and_one_that_was_cut_short_is_gone),
        RUN(a_copy_that_is_damaged_does_not_count),
        RUN(a_copy_that_cannot_be_written_says_where),
        RUN(the_database_by_another_name_is_not_written_over),
        RUN(a_log_that_lies_beside_the_copy_is_taken_away),
        RUN(only_a_plain_file_is_replaced),
        RUN(a_database_that_is_called_partial_is_not_removed),
        RUN(one_file_has_one_lock_whatever_it_is_called),
        RUN(verifying_is_given_up_when_it_is_told_to),
        RUN(a_restore_brings_back_the_copy_with_a_new_id_and_keeps_what_was_there),
        RUN(what_is_no_copy_of_ours_is_not_restored),
        RUN(a_damaged_database_is_kept_with_its_log),
        RUN(a_log_without_its_database_is_kept_apart),
        RUN(what_was_kept_is_not_written_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
