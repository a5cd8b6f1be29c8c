/* store/sqlite/backup.c - a copy of the database while it is in use, and the way back.
 *
 * The writer's own connection copies a few pages at a time: SQLite then carries what is committed
 * meanwhile over into the copy by itself, and no snapshot keeps the write-ahead log from being
 * copied back. The copy is called FILE.partial until it was verified and is on disk.
 */
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct backup {
    struct db copy, *source;
    sqlite3_backup *run; /* from the first step on */
    struct arena arena;
    const char *path, *partial;
    int fd; /* of the copy, to sync it by */
};

static enum rc failed(const char *what, const char *path, struct why *why)
{
    enum rc rc = errno == ENOSPC || errno == EDQUOT ? RC_FULL : RC_IO;

    return why_fail(rc, why, "cannot %s %s: %s", what, path, strerror(errno));
}

static enum rc create(const char *path, int *ret_fd, struct why *why)
{
    if (unlink(path) != 0 && errno != ENOENT) /* of one that was cut short */
        return failed("remove", path, why);
    *ret_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *ret_fd < 0 ? failed("create", path, why) : RC_OK;
}

static enum rc sync_path(const char *path, int flags, struct why *why)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0)
        return failed("open", path, why);
    enum rc rc = fsync(fd) == 0 ? RC_OK : failed("write", path, why);
    (void)close(fd); /* it is on disk or was said not to be */
    return rc;
}

static const char *folder_of(const char *path, struct arena *a)
{
    const char *slash = strrchr(path, '/');

    return slash ? arena_text(a, (struct str){path, (size_t)(slash - path) + 1}) : ".";
}

static enum rc sync_folder_of(const char *path, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};

    return sync_path(folder_of(path, &a), O_RDONLY | O_DIRECTORY, why);
}

static enum rc rename_over(const char *from, const char *to, struct why *why)
{
    if (rename(from, to) != 0)
        return failed("put the copy in the place of", to, why);
    return sync_folder_of(to, why);
}

static enum rc open_copy(struct backup *b, struct why *why)
{
    enum rc rc = create(b->partial, &b->fd, why);

    if (rc == RC_OK)
        rc = db_open(&b->copy, b->partial, SQLITE_OPEN_READWRITE, why);
    if (rc != RC_OK)
        return rc;
    /* It counts only once it is whole and was synced, by us. */
    rc = db_exec(&b->copy, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
    return rc == RC_OK ? rc : why_fail(rc, why, "%s: %s", b->partial, b->copy.error);
}

/* SQLite would put nothing but a database in the place of what is no plain file, or follow a link
 * to who knows where. */
static enum rc check_target(const char *path, struct why *why)
{
    struct stat file;

    if (lstat(path, &file) != 0)
        return errno == ENOENT ? RC_OK : failed("look at", path, why);
    return S_ISREG(file.st_mode) ? RC_OK : why_fail(RC_INVALID, why, "%s is no plain file", path);
}

static enum rc begin(struct db *source, const char *path, const char *suffix, struct backup **ret,
                     struct why *why)
{
    struct backup *b = mem_alloc(sizeof *b);

    b->fd = -1;
    b->source = source;
    b->path = arena_text(&b->arena, str_of(path));
    b->partial = arena_printf(&b->arena, "%s%s", path, suffix).at;
    enum rc rc = check_target(path, why);
    if (rc == RC_OK)
        rc = open_copy(b, why);
    if (rc == RC_OK)
        *ret = b;
    else
        backup_end(b);
    return rc;
}

/* Whatever the two are called. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

enum rc backup_begin(struct store *st, const char *path, struct backup **ret, struct why *why)
{
    static const char *const ours[] = {"", "-wal", "-shm", ".lock"};
    struct arena a AUTO(arena_free) = {0};
    const char *partial = arena_printf(&a, "%s.partial", path).at;

    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        const char *our = arena_printf(&a, "%s%s", st->path, ours[i]).at;

        if (is_same_file(path, our) || is_same_file(partial, our))
            return why_fail(RC_INVALID, why, "%s is the database itself, or belongs to it", path);
    }
    return begin(store_db(st), path, ".partial", ret, why);
}

static void close_copy(struct backup *b)
{
    if (b->run)
        (void)sqlite3_backup_finish(b->run); /* repeats the error of the last step */
    b->run = NULL;
    if (b->copy.handle)
        db_close(&b->copy);
}

enum rc backup_step(struct backup *b, int pages, bool *ret_done, struct why *why)
{
    if (!b->run)
        b->run = sqlite3_backup_init(b->copy.handle, "main", b->source->handle, "main");
    int code = b->run ? sqlite3_backup_step(b->run, pages) : sqlite3_errcode(b->copy.handle);

    *ret_done = code == SQLITE_DONE;
    if (code == SQLITE_OK)
        return RC_OK;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return why_fail(RC_BUSY, why, "another program writes to the database");
    enum rc rc = db_failed(&b->copy, code == SQLITE_DONE ? SQLITE_OK : code);
    close_copy(b); /* while the source's own thread is here */
    return rc == RC_OK ? rc : why_fail(rc, why, "writing %s: %s", b->partial, sqlite3_errstr(code));
}

enum rc backup_sync(struct backup *b, struct why *why)
{
    return fdatasync(b->fd) == 0 ? RC_OK : failed("write", b->partial, why);
}

static enum rc integrity(struct db *db, struct why *why)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(db, &s, SQL_INTEGRITY, "d", 1);

    if (rc == RC_OK && !str_is(col_view(s, 0), "ok"))
        rc = why_fail(RC_CORRUPT, why, "it is damaged: %.*s", STR_ARG(col_view(s, 0)));
    else if (rc != RC_OK)
        (void)why_fail(rc, why, "%s", db->error);
    db_end(s);
    return rc;
}

static enum rc check_database(struct db *db, struct why *why)
{
    bool empty = false;
    /* One file without a log beside it, which can be read from anywhere. */
    enum rc rc = db_exec(db, "PRAGMA journal_mode = DELETE");

    if (rc != RC_OK)
        return why_fail(rc, why, "%s", db->error);
    rc = schema_accept(db, &empty, why);
    if (rc == RC_OK && empty)
        rc = why_fail(RC_INVALID, why, "there is nothing in it");
    return rc == RC_OK ? integrity(db, why) : rc;
}

/* SQLite asks every some thousand steps of its own. */
static int is_set(void *flag)
{
    return atomic_load((const atomic_bool *)flag);
}

/* Given up when *stop becomes true. */
static enum rc verify(const char *path, bool renew, atomic_bool *stop, struct why *why)
{
    enum { STEPS = 10000 };
    struct db db = {0};
    enum rc rc = db_open(&db, path, SQLITE_OPEN_READWRITE, why);

    if (rc != RC_OK)
        return rc;
    if (stop)
        sqlite3_progress_handler(db.handle, STEPS, is_set, stop);
    rc = check_database(&db, why);
    if (rc == RC_OK && renew && (rc = db_renew_id(&db)) != RC_OK)
        (void)why_fail(rc, why, "%s", db.error);
    db_close(&db);
    return rc == RC_OK ? sync_path(path, O_RDWR, why) : why_wrap(rc, why, "the copy %s", path);
}

static enum rc take_away_logs(const char *path, struct why *why)
{
    static const char *const logs[] = {"-wal", "-shm", "-journal"};
    struct arena a AUTO(arena_free) = {0};

    for (size_t i = 0; i < ARRAY_LEN(logs); i++)
        if (unlink(arena_printf(&a, "%s%s", path, logs[i]).at) != 0 && errno != ENOENT)
            return failed("remove the log of", path, why);
    return RC_OK;
}

enum rc backup_finish(struct backup *b, atomic_bool *stop, int64_t *ret_bytes, struct why *why)
{
    struct stat file;

    enum rc rc = verify(b->partial, false, stop, why);
    if (rc == RC_OK && stat(b->partial, &file) != 0)
        rc = failed("read", b->partial, why);
    if (rc == RC_OK) /* SQLite would play one that lies there into the copy */
        rc = take_away_logs(b->path, why);
    if (rc == RC_OK)
        rc = rename_over(b->partial, b->path, why);
    if (rc == RC_OK)
        *ret_bytes = (int64_t)file.st_size;
    return rc;
}

void backup_end(struct backup *b)
{
    if (!b)
        return;
    close_copy(b);
    if (b->fd >= 0)
        (void)close(b->fd);   /* what was to be on disk was synced */
    (void)unlink(b->partial); /* not there once it is finished */
    arena_free(&b->arena);
    free(b);
}

/* From the copy to FILE.restoring, verified, with an id of its own. */
static enum rc bring_in(const char *path, const char *from, struct backup **ret, struct why *why)
{
    struct db source = {0};
    bool done = false;
    enum rc rc = db_open(&source, from, SQLITE_OPEN_READONLY, why);

    if (rc == RC_OK)
        rc = begin(&source, path, ".restoring", ret, why);
    while (rc == RC_OK && !done)
        rc = backup_step(*ret, -1, &done, why);
    if (*ret)
        close_copy(*ret); /* before its source */
    if (rc == RC_OK)
        rc = verify((*ret)->partial, true, NULL, why);
    if (source.handle)
        db_close(&source);
    return rc;
}

/* A sound database takes in what is in its log, so that no moment has one without the other; a
 * damaged one keeps its log beside it. */
static void fold_log(const char *path)
{
    struct db old = {0};

    if (db_open(&old, path, SQLITE_OPEN_READWRITE, NULL) == RC_OK && integrity(&old, NULL) == RC_OK)
        rc_ignored(db_exec(&old, "PRAGMA journal_mode = DELETE"));
    if (old.handle) {
        (void)sqlite3_db_config(old.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        db_close(&old);
    }
}

/* A second name for what is there; RC_NONE: nothing is. */
static enum rc keep(const char *path, const char *kept, struct why *why)
{
    if (link(path, kept) == 0)
        return RC_OK;
    return errno == ENOENT ? RC_NONE : failed("keep it as", kept, why);
}

/* Nothing is taken away before it has another name. A log without its database is one too: SQLite
 * would play it into whatever comes to stand beside it. */
static enum rc keep_all(const char *path, const char *kept, struct why *why)
{
    static const char *const parts[] = {"", "-wal", "-journal"};
    struct arena a AUTO(arena_free) = {0};
    enum rc rc = RC_OK;

    fold_log(path);
    for (size_t i = 0; i < ARRAY_LEN(parts) && (rc == RC_OK || rc == RC_NONE); i++)
        rc = keep(arena_printf(&a, "%s%s", path, parts[i]).at,
                  arena_printf(&a, "%s%s", kept, parts[i]).at, why);
    return rc == RC_NONE ? RC_OK : rc;
}

/* root restores, the daemon's own user must be able to write: the files are for whom the old one
 * was, or the folder is. */
static enum rc give_away(const char *path, const char *file, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct stat old;

    if (geteuid() != 0 || (stat(path, &old) != 0 && stat(folder_of(path, &a), &old) != 0))
        return RC_OK;
    return lchown(file, old.st_uid, old.st_gid) == 0 ? RC_OK : failed("give away", file, why);
}

static enum rc hand_over(const char *path, const char *partial, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    enum rc rc = give_away(path, partial, why);

    return rc == RC_OK ? give_away(path, arena_printf(&a, "%s.lock", path).at, why) : rc;
}

enum rc store_restore(const char *path, const char *from, const char *kept, struct why *why)
{
    struct backup *b = NULL;
    int lock = -1;
    enum rc rc = store_lock(path, &lock, why);

    if (rc == RC_OK)
        rc = bring_in(path, from, &b, why);
    if (rc == RC_OK)
        rc = hand_over(path, b->partial, why);
    if (rc == RC_OK)
        rc = keep_all(path, kept, why);
    if (rc == RC_OK)
        rc = take_away_logs(path, why);
    if (rc == RC_OK)
        rc = rename_over(b->partial, path, why);
    backup_end(b);
    if (lock >= 0)
        (void)close(lock); /* nothing was written to it */
    return rc;
}
