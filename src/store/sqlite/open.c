/* store/sqlite/open.c - opening, locking, transactions, checkpoints.
 *
 * SQLite 3.40 can corrupt a database when one connection checkpoints while another commits
 * (libraries.md 4.1). So one connection writes and checkpoints, guarded by flock on FILE.lock
 * (never on the database file, whose POSIX locks a close would drop); all others are read-only,
 * never checkpoint, not even on close.
 */
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PROBE_BYTES = 64 * 1024,
    LOG_PART = 64 * 1024,
    PROPERTIES_MAX = 64 << 20,
    LEDGER_MAX = 64 << 20, /* over a million firings of one lead */
};
enum { CHECKPOINT_PATIENCE = 4, CHECKPOINT_HASTE = 8 };

/* So that a link that leads nowhere yet leads somewhere: the lock's name must not change with the
 * first page. What fails here fails again where it is told. */
static void make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0)
        (void)close(fd);
}

char *store_real_path(const char *path)
{
    char *real = realpath(path, NULL);

    return real ? real : mem_text(str_of(path));
}

enum rc store_lock(const char *path, int *ret_fd, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct str lock = arena_printf(&a, "%s.lock", path);
    int fd = open(lock.at, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return why_fail(RC_IO, why, "cannot open %s: %s", lock.at, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno;

        (void)close(fd);
        if (error == EWOULDBLOCK)
            return why_fail(RC_BUSY, why, "%s is in use by another funneld", path);
        return why_fail(RC_IO, why, "cannot lock %s: %s", lock.at, strerror(error));
    }
    *ret_fd = fd;
    return RC_OK;
}

/* These stay with the file and must be chosen before it has a first page; said again to a database
 * that is there, auto_vacuum would be a write. */
static const char creation_pragmas[] = "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;";
static const char writer_pragmas[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA "
    "temp_store = MEMORY;"
    "PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -24000;"
    "PRAGMA journal_size_limit = 67108864;";
static const char reader_pragmas[] =
    "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA cache_size = -2000;";

static int count_wal(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct store *st = arg;

    (void)handle;
    (void)name;
    st->wal_pages = pages;
    return SQLITE_OK;
}

static enum rc read_meta(struct reader *r)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_META_GET, "t", STR("database_id"));

    if (rc == RC_OK && col_view(s, 0).len == sizeof r->database_id - 1)
        memcpy(r->database_id, col_view(s, 0).at, sizeof r->database_id - 1);
    else if (rc == RC_OK)
        rc = RC_CORRUPT;
    db_end(s);
    return rc;
}

/* The id that stands in front of every number shown outside; random. */
enum rc db_renew_id(struct db *db)
{
    uint8_t bytes[4];
    char id[9];

    random_bytes(bytes, sizeof bytes);
    hex_encode(bytes, sizeof bytes, id);
    return db_run(db, SQL_META_SET, "tt", STR("database_id"), str_of(id));
}

static enum rc ensure_database_id(struct store *st)
{
    enum rc rc = read_meta(&st->reader);

    if (rc != RC_NONE)
        return rc;
    rc = db_renew_id(store_db(st));
    return rc == RC_OK ? read_meta(&st->reader) : rc;
}

static enum rc find_next_event(struct store *st)
{
    enum rc rc = db_count(store_db(st), SQL_EVENT_LAST_ID, &st->next_event);

    st->next_event++;
    return rc;
}

void store_limits(struct store *st, const struct store_settings *s)
{
    char sql[64];
    int64_t pages = s->max_size ? s->max_size / PAGE_SIZE : INT64_C(4294967294);

    st->checkpoint_bytes = s->checkpoint;
    (void)!snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld",
                    (long long)(pages ? pages : 1));
    rc_ignored(db_exec(store_db(st), sql)); /* below the present size SQLite keeps what is there */
}

static enum rc prepare_connection(struct store *st, struct why *why)
{
    struct db *db = store_db(st);
    sqlite3_stmt *s = NULL;
    bool empty = false;
    enum rc rc = schema_accept(db, &empty, why); /* before the first change to the file */

    if (rc != RC_OK)
        return rc;
    if (empty)
        rc = db_exec(db, creation_pragmas);
    if (rc == RC_OK)
        rc = db_exec(db, writer_pragmas);
    if (rc == RC_OK)
        rc = db_first(db, &s, SQL_JOURNAL_MODE, "");
    if (rc != RC_OK)
        (void)why_fail(rc, why, "%s", store_error(st));
    else if (!str_is(col_view(s, 0), "wal")) /* PRAGMA says so by its answer only */
        rc = why_fail(RC_IO, why, "its file system allows no write-ahead log");
    db_end(s);
    return rc;
}

/* It holds people's data, and so does its log. */
static enum rc close_to_others(const char *path, struct why *why)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    struct arena a AUTO(arena_free) = {0};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct str name = arena_printf(&a, "%s%s", path, parts[i]);
        struct stat file;

        if (stat(name.at, &file) == 0 && file.st_mode & S_IRWXO &&
            chmod(name.at, file.st_mode & 07770) != 0)
            return why_fail(RC_DENIED, why,
                            "everybody on this machine can read or write it: chmod o= it");
    }
    return RC_OK;
}

/* What recovery found in the log may be in the system's memory alone: written by a process that
 * died before its sync, or before a sync that failed, after which Linux takes the pages for
 * written. Before anything is built on it, or called a duplicate of it, it goes to the disk once
 * more. */
static enum rc write_log_again(struct store *st, struct why *why)
{
    struct db *db = store_db(st);
    char *part AUTO(mem_freep) = mem_alloc(LOG_PART);
    sqlite3_file *f = NULL;
    sqlite3_int64 size = 0;
    int code = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&f);

    if (code == SQLITE_OK && f->pMethods)
        code = f->pMethods->xFileSize(f, &size);
    for (sqlite3_int64 at = 0; at < size && code == SQLITE_OK; at += LOG_PART) {
        int n = size - at < LOG_PART ? (int)(size - at) : LOG_PART;

        code = f->pMethods->xRead(f, part, n, at);
        if (code == SQLITE_OK)
            code = f->pMethods->xWrite(f, part, n, at);
    }
    if (code == SQLITE_OK && size > 0)
        code = f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
    enum rc rc = db_failed(db, code);
    if (rc == RC_OK)
        return RC_OK;
    return why_fail(rc, why, "its log cannot be written again: %s", sqlite3_errstr(code));
}

static enum rc open_database(struct store *st, const struct store_settings *s, int64_t now_ms,
                             struct why *why)
{
    enum rc rc = close_to_others(st->path, why);

    if (rc == RC_OK)
        rc = db_open(store_db(st), st->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, why);
    if (rc == RC_OK)
        rc = prepare_connection(st, why);
    if (rc != RC_OK)
        return rc;
    rc = write_log_again(st, why);
    if (rc != RC_OK)
        return rc;
    rc = migrate(store_db(st), now_ms, why);
    if (rc != RC_OK)
        return rc;
    (void)sqlite3_wal_hook(store_db(st)->handle, count_wal, st); /* returns the old argument */
    store_limits(st, s);
    rc = ensure_database_id(st);
    if (rc == RC_OK)
        rc = find_next_event(st);
    return rc == RC_OK ? rc : why_fail(rc, why, "%s", store_error(st));
}

enum rc store_open(const struct store_settings *s, int64_t now_ms, struct store **ret,
                   struct why *why)
{
    struct store *st = mem_alloc(sizeof *st);
    enum rc rc;

    st->lock_fd = -1;
    char *path AUTO(mem_freep) = mem_text(s->path);
    make_file(path);
    st->path = store_real_path(path);
    st->properties = (struct sbuf)SBUF(PROPERTIES_MAX);
    st->ledger = (struct sbuf)SBUF(LEDGER_MAX);
    rc = store_lock(st->path, &st->lock_fd, why);
    if (rc == RC_OK) {
        rc = open_database(st, s, now_ms, why);
        if (rc != RC_OK)
            (void)why_wrap(rc, why, "%s", st->path);
    }
    if (rc != RC_OK) {
        store_close(st);
        return rc;
    }
    *ret = st;
    return RC_OK;
}

void store_close(struct store *st)
{
    if (!st)
        return;
    /* The last connection checkpoints: not what may never have reached the disk. */
    if (store_db(st)->damaged)
        (void)sqlite3_db_config(store_db(st)->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (store_db(st)->handle)
        db_close(store_db(st));
    if (st->lock_fd >= 0)
        (void)close(st->lock_fd); /* nothing was written to it */
    sbuf_free(&st->properties);
    sbuf_free(&st->ledger);
    free(st->path);
    free(st);
}

struct reader *store_reader(struct store *st)
{
    return &st->reader;
}

enum rc reader_open(const char *path, struct reader **ret, struct why *why)
{
    struct reader *r;
    enum rc rc;

    if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return why_fail(RC_NONE, why, "there is no database at %s yet", path);
    r = mem_alloc(sizeof *r);
    rc = db_open(&r->db, path, SQLITE_OPEN_READONLY, why);
    if (rc == RC_OK &&
        sqlite3_db_config(r->db.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK)
        rc = why_fail(RC_IO, why, "cannot configure the connection");
    if (rc == RC_OK && (rc = db_exec(&r->db, reader_pragmas)) != RC_OK)
        (void)why_fail(rc, why, "%s: %s", path, r->db.error);
    if (rc == RC_OK && (rc = schema_check(&r->db, why)) != RC_OK)
        (void)why_wrap(rc, why, "%s", path);
    if (rc == RC_OK && (rc = read_meta(r)) != RC_OK)
        (void)why_fail(rc, why, "%s has no database id", path);
    if (rc != RC_OK) {
        reader_close(r);
        return rc;
    }
    *ret = r;
    return RC_OK;
}

void reader_close(struct reader *r)
{
    if (!r)
        return;
    db_close(&r->db);
    free(r);
}

const char *reader_database_id(const struct reader *r)
{
    return r->database_id;
}

bool store_damaged(const struct store *st)
{
    return st->reader.db.damaged;
}

const char *store_error(const struct store *st)
{
    return st->reader.db.error;
}

const char *reader_error(const struct reader *r)
{
    return r->db.error;
}

enum rc store_begin(struct store *st)
{
    terms_forget(st); /* where the last one was rolled back */
    st->new_terms = false;
    return db_run(store_db(st), SQL_BEGIN, "");
}

enum rc store_commit(struct store *st)
{
    enum rc rc = db_run(store_db(st), SQL_COMMIT, "");

    if (rc != RC_OK)
        store_rollback(st);
    else
        st->new_terms = false;
    return rc;
}

void store_rollback(struct store *st)
{
    /* SQLITE_FULL and others roll back by themselves. */
    if (!sqlite3_get_autocommit(store_db(st)->handle))
        rc_ignored(db_run(store_db(st), SQL_ROLLBACK, "")); /* closing does it too */
}

static enum rc commit_probe(struct store *st, struct str value)
{
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = db_run(store_db(st), SQL_META_SET, "tt", STR("probe"), value);
    if (rc == RC_OK)
        return store_commit(st);
    store_rollback(st);
    return rc;
}

enum rc store_probe(struct store *st)
{
    char *some = mem_alloc(PROBE_BYTES); /* NULs are text to SQLite when their length is told */
    enum rc rc = commit_probe(st, (struct str){some, PROBE_BYTES});

    mem_freep(&some);
    return rc == RC_OK ? commit_probe(st, STR("")) : rc;
}

enum rc store_savepoint(struct store *st)
{
    return db_run(store_db(st), SQL_SAVEPOINT, "");
}

enum rc store_release(struct store *st)
{
    return db_run(store_db(st), SQL_RELEASE, "");
}

enum rc store_undo(struct store *st)
{
    if (sqlite3_get_autocommit(store_db(st)->handle)) /* SQLITE_FULL and others */
        return RC_IO;
    terms_forget(st);
    if (db_run(store_db(st), SQL_UNDO, "") == RC_OK &&
        db_run(store_db(st), SQL_RELEASE, "") == RC_OK)
        return RC_OK;
    store_rollback(st); /* half an event must not be committed with the others */
    return RC_IO;
}

enum rc store_checkpoint_all(struct store *st)
{
    struct db *db = store_db(st);

    /* PASSIVE never waits for readers; what it leaves is taken the next time. */
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return code == SQLITE_BUSY ? RC_OK : db_failed(db, code);
}

/* A checkpoint stalls the writer for as long as it is large; but where the log grows by more than
 * an eighth of the limit between two looks, a pause in the work is none. */
static bool is_time(int64_t log, int64_t limit, bool work_waits)
{
    const int64_t early = limit / CHECKPOINT_HASTE;

    if (work_waits)
        return log >= CHECKPOINT_PATIENCE * limit;
    return log >= limit || (log >= early && log < 2 * early);
}

enum rc store_checkpoint(struct store *st, bool work_waits)
{
    if (!is_time((int64_t)st->wal_pages * PAGE_SIZE, st->checkpoint_bytes, work_waits))
        return RC_OK;
    return store_checkpoint_all(st);
}

const char *store_library(void)
{
    return sqlite3_libversion();
}
