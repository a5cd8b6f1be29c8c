/* store/sqlite/db.c - a connection, its statements, its errors. */
#include "db.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const sql_texts[SQL_COUNT] = {
#define STMT(name, sql) [SQL_##name] = sql,
#include "statements.def"
#undef STMT
};

/* SQLite calls only a full disk full; a used-up quota and a limit on the file's size are the same
 * to who writes. */
static bool has_no_room(sqlite3 *handle, int code)
{
    int error = code == SQLITE_IOERR_WRITE ? sqlite3_system_errno(handle) : 0;

    return error == EDQUOT || error == EFBIG;
}

static enum rc rc_of(int code)
{
    if (code == SQLITE_IOERR_SHMSIZE) /* the shared memory file could not grow: a full disk */
        return RC_FULL;
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return RC_OK;
    case SQLITE_FULL:
        return RC_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RC_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return RC_CORRUPT;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return RC_INVALID;
    case SQLITE_TOOBIG:
        return RC_TOOBIG;
    default:
        return RC_IO;
    }
}

enum rc db_failed(struct db *db, int code)
{
    enum rc rc = has_no_room(db->handle, code) ? RC_FULL : rc_of(code);

    db->damaged |= rc == RC_IO || rc == RC_CORRUPT;
    if (rc != RC_OK) {
        struct str text = str_cut(str_of(sqlite3_errmsg(db->handle)), sizeof db->error - 32);

        (void)!snprintf(db->error, sizeof db->error, "%.*s (SQLite %d)", STR_ARG(text), code);
    }
    return rc;
}

/* SQLite counts its memory under a lock that each of its allocations takes; nobody asks it. Refused
 * once it runs, which changes nothing then. */
static void count_no_memory(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum rc db_open(struct db *db, const char *path, int flags, struct why *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, count_no_memory); /* cannot fail */
    int code = sqlite3_open_v2(path, &db->handle,
                               flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    bool ok =
        code == SQLITE_OK && sqlite3_busy_timeout(db->handle, 5000) == SQLITE_OK &&
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK &&
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL) == SQLITE_OK;

    enum rc rc = ok ? audit_functions(db) : db_failed(db, code == SQLITE_OK ? SQLITE_ERROR : code);

    if (rc == RC_OK)
        return RC_OK;
    (void)why_fail(rc, why, "cannot open %s: %s", path, db->error);
    db_close(db);
    return rc;
}

void db_close(struct db *db)
{
    for (int i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(db->prepared[i]); /* repeats the error of its last step */
    (void)sqlite3_close(db->handle);             /* cannot be busy: all statements are gone */
    arena_free(&db->terms.arena);
    *db = (struct db){0};
}

enum rc db_exec(struct db *db, const char *sql)
{
    return db_failed(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static enum rc statement(struct db *db, enum statement which, sqlite3_stmt **ret)
{
    sqlite3_stmt **s = &db->prepared[which];

    if (!*s) {
        int code = sqlite3_prepare_v3(db->handle, sql_texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                      s, NULL);
        if (code != SQLITE_OK)
            return db_failed(db, code);
    }
    *ret = *s;
    return RC_OK;
}

static int bind_str(sqlite3_stmt *s, int i, struct str text)
{
    /* SQLITE_STATIC: the caller's text outlives the statement's use. */
    return text.at ? sqlite3_bind_text64(s, i, text.at, text.len, SQLITE_STATIC, SQLITE_UTF8)
                   : sqlite3_bind_null(s, i);
}

static int bind_next(sqlite3_stmt *s, int i, char kind, va_list *args)
{
    switch (kind) {
    case 'i':
        return sqlite3_bind_int64(s, i, va_arg(*args, int64_t));
    case 'n': {
        int64_t value = va_arg(*args, int64_t);

        return value ? sqlite3_bind_int64(s, i, value) : sqlite3_bind_null(s, i);
    }
    case 'm': {
        bool known = va_arg(*args, int);
        int64_t value = va_arg(*args, int64_t);

        return known ? sqlite3_bind_int64(s, i, value) : sqlite3_bind_null(s, i);
    }
    case 'd':
        return sqlite3_bind_int(s, i, va_arg(*args, int));
    case 't':
        return bind_str(s, i, va_arg(*args, struct str));
    default: {
        assert(kind == 'b');
        const void *bytes = va_arg(*args, const void *);
        size_t len = va_arg(*args, size_t);

        return sqlite3_bind_blob64(s, i, bytes, len, SQLITE_STATIC);
    }
    }
}

static enum rc start(struct db *db, sqlite3_stmt **ret, enum statement which, const char *format,
                     va_list *args)
{
    enum rc rc = statement(db, which, ret);

    for (int i = 0; rc == RC_OK && format[i]; i++)
        rc = db_failed(db, bind_next(*ret, i + 1, format[i], args));
    return rc;
}

enum rc db_step(struct db *db, sqlite3_stmt *s)
{
    int code = sqlite3_step(s);

    if (code == SQLITE_DONE)
        return RC_NONE;
    return code == SQLITE_ROW ? RC_OK : db_failed(db, code);
}

void db_end(sqlite3_stmt *s)
{
    if (!s)
        return;
    (void)sqlite3_reset(s); /* repeats the error that db_step gave */
    (void)sqlite3_clear_bindings(s);
}

enum rc db_finish(sqlite3_stmt *s, enum rc rc)
{
    db_end(s);
    return rc == RC_NONE ? RC_OK : rc;
}

static enum rc run(struct db *db, enum statement which, const char *format, va_list *args)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = start(db, &s, which, format, args);

    while (rc == RC_OK)
        rc = db_step(db, s);
    return db_finish(s, rc);
}

enum rc db_run(struct db *db, enum statement which, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    enum rc rc = run(db, which, format, &args);
    va_end(args);
    return rc;
}

enum rc db_change(struct db *db, int64_t *ret_rows, enum statement which, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    enum rc rc = run(db, which, format, &args);
    va_end(args);
    if (rc == RC_OK)
        *ret_rows = sqlite3_changes64(db->handle);
    return rc;
}

enum rc db_query(struct db *db, sqlite3_stmt **ret, enum statement which, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    enum rc rc = start(db, ret, which, format, &args);
    va_end(args);
    return rc;
}

enum rc db_first(struct db *db, sqlite3_stmt **ret, enum statement which, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    enum rc rc = start(db, ret, which, format, &args);
    va_end(args);
    return rc == RC_OK ? db_step(db, *ret) : rc;
}

enum rc db_count(struct db *db, enum statement which, int64_t *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(db, &s, which, "");

    if (rc == RC_OK)
        *ret = sqlite3_column_int64(s, 0);
    return db_finish(s, rc);
}

enum rc db_number(struct db *db, const char *key, int64_t *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(db, &s, SQL_META_GET, "t", str_of(key));

    if (rc == RC_OK || rc == RC_NONE)
        *ret = rc == RC_OK ? sqlite3_column_int64(s, 0) : 0;
    return db_finish(s, rc);
}

struct str col_view(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);

    return text ? (struct str){text, (size_t)sqlite3_column_bytes(s, column)} : STR_NULL;
}

struct str col_bytes(sqlite3_stmt *s, int column, struct arena *a)
{
    const char *bytes = sqlite3_column_blob(s, column); /* NULL where there are none */

    return arena_str(a, (struct str){bytes, (size_t)sqlite3_column_bytes(s, column)});
}

struct str col_str(sqlite3_stmt *s, int column, struct arena *a)
{
    return arena_str(a, col_view(s, column));
}
