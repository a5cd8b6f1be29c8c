/* store/sqlite/db.h - one connection and its prepared statements.
 *
 * db_run for statements without rows; db_query, db_step, db_end for those with. Arguments by a
 * format: i int64_t, n int64_t or NULL for 0, d int (enum, bool), t struct str (missing is
 * NULL), b const void * and size_t (blob), m int and int64_t (0: NULL). Texts and blobs must live
 * until db_end.
 */
#ifndef FUNNELD_STORE_SQLITE_DB_H
#define FUNNELD_STORE_SQLITE_DB_H

#include <sqlite3.h>

#include "funneld/store/store.h"

enum statement {
#define STMT(name, sql) SQL_##name,
#include "statements.def"
#undef STMT
    SQL_COUNT
};

enum { PAGE_SIZE = 4096 }; /* as creation_pragmas say */

/* What a list's filter by state gives to SQL: a state, or one of these. */
enum { EVERY_STATE = -1, NO_STATE = 127 };

/* What a rule gave when it fired, without the event. */
struct terms {
    int64_t id;
    struct ledger_row row;
};

/* In the order of their ids; all up to the last. */
struct terms_cache {
    struct terms *at;
    size_t n, cap;
    struct arena arena;
};

struct db {
    sqlite3 *handle;
    struct terms_cache terms;
    sqlite3_stmt *prepared[SQL_COUNT];
    char error[256]; /* of the last failure */
    bool damaged;    /* an I/O error or corruption was met */
};

struct reader {
    struct db db; /* first: a reader is a db */
    char database_id[9];
};

struct store {
    struct reader reader; /* first: a store is also a reader */
    int lock_fd;
    char *path;
    int64_t next_event;
    int64_t purged_to; /* the last event that this round of purging has looked at */
    struct dedupe_key purged_key;
    int64_t checkpoint_bytes;
    int wal_pages;          /* as of the last commit */
    struct sbuf properties; /* of the lead that is being saved */
    struct sbuf ledger;     /* of the lead whose rules fire */
    bool new_terms;         /* since the last commit */
};

MUST_CHECK enum rc db_open(struct db *db, const char *path, int flags, struct why *why);
void db_close(struct db *db);
MUST_CHECK enum rc db_exec(struct db *db, const char *sql);
MUST_CHECK enum rc db_failed(struct db *db, int code); /* keeps the text, gives the rc */

MUST_CHECK enum rc db_run(struct db *db, enum statement which, const char *format, ...);
/* db_run, and how many rows it changed. */
MUST_CHECK enum rc db_change(struct db *db, int64_t *ret_rows, enum statement which,
                             const char *format, ...);
MUST_CHECK enum rc db_query(struct db *db, sqlite3_stmt **ret, enum statement which,
                            const char *format, ...);
MUST_CHECK enum rc db_step(struct db *db, sqlite3_stmt *s); /* RC_OK: a row; RC_NONE: the end */
void db_end(sqlite3_stmt *s);                               /* NULL is fine */
/* Ends a loop of db_step: RC_NONE at the end of rows is success. */
MUST_CHECK enum rc db_finish(sqlite3_stmt *s, enum rc rc);
/* The first row of a query; RC_NONE: there is none. Call db_end afterwards in any case. */
MUST_CHECK enum rc db_first(struct db *db, sqlite3_stmt **ret, enum statement which,
                            const char *format, ...);

/* The number in the first column of the only row; that of a key in meta, 0 where it is not. */
MUST_CHECK enum rc db_count(struct db *db, enum statement which, int64_t *ret);
MUST_CHECK enum rc db_number(struct db *db, const char *key, int64_t *ret);

struct str col_str(sqlite3_stmt *s, int column, struct arena *a);
struct str col_bytes(sqlite3_stmt *s, int column, struct arena *a); /* missing when empty */
/* Points into the statement: valid until its next step. */
struct str col_view(sqlite3_stmt *s, int column);

/* open.c */
MUST_CHECK enum rc store_lock(const char *path, int *ret_fd, struct why *why);
MUST_CHECK enum rc db_renew_id(struct db *db);

/* rows.c: what a row of each kind of columns is */
MUST_CHECK enum rc row_lead(struct db *db, sqlite3_stmt *s, struct arena *a, struct lead *ret);
void row_event(sqlite3_stmt *s, struct arena *a, struct event_view *ret);
MUST_CHECK enum rc row_delivery(struct db *db, sqlite3_stmt *s, struct arena *a,
                                struct delivery *ret);
void row_due(sqlite3_stmt *s, int from, struct due_row *ret);
/* All rows of a query that has begun with `rc`: a connector, and then what row_due reads. */
MUST_CHECK enum rc rows_due(struct db *db, sqlite3_stmt *s, enum rc rc, due_seen *seen, void *self);

/* properties.c */
/* RC_TOOBIG; RC_INVALID: one has no name. */
MUST_CHECK enum rc properties_write(const struct lead *l, struct sbuf *b);
MUST_CHECK enum rc properties_read(struct str bytes, struct arena *a, struct lead *ret);

/* ledger.c: a lead's ledger as it is kept */
struct firing {
    int64_t event, terms, occurred_at, received_at;
};
/* RC_INVALID: it is not what firings_write writes. */
MUST_CHECK enum rc firings_read(struct str json, struct arena *a, struct firing **ret,
                                size_t *ret_n);
/* The lead's; none leaves *ret and *ret_n as they are. */
MUST_CHECK enum rc firings_of(struct db *db, const struct lead *lead, struct arena *a,
                              struct firing **ret, size_t *ret_n);
MUST_CHECK enum rc firings_write(struct store *st, const struct firing *at, size_t n,
                                 struct arena *a, struct lead *lead);
MUST_CHECK enum rc ledger_row_of(struct db *db, const struct firing *f, struct ledger_row *ret);
MUST_CHECK enum rc ledger_move(struct store *st, struct lead *from, struct lead *into,
                               struct arena *a);

/* waiting.c: ids of deliveries in their lead's row */
/* Whether the lead's list has room for one more. */
MUST_CHECK enum rc waiting_room(struct store *st, struct lead *lead, struct arena *a, bool *ret);
void waiting_add(struct lead *lead, int64_t id, struct arena *a);
MUST_CHECK enum rc waiting_move(struct store *st, struct lead *from, struct lead *into,
                                struct arena *a);

/* terms.c */
/* RC_NONE: there are none by that id. *ret lives as long as the connection; what was added and not
 * committed, until terms_forget. */
MUST_CHECK enum rc terms_get(struct db *db, int64_t id, const struct terms **ret);
/* The id of these terms, which are added where they are new. */
MUST_CHECK enum rc terms_id(struct store *st, const struct ledger_row *row, int64_t *ret);
/* After a rollback, of the transaction or of a part: what was added since is not there any more. */
void terms_forget(struct store *st);

/* objects.c: what becomes of the objects of a lead's contact when it is merged or erased */
MUST_CHECK enum rc contact_move(struct db *db, const struct lead *from, const struct lead *into);
MUST_CHECK enum rc contact_erase(struct db *db, const struct lead *lead);

/* audit.c: the functions of ours that its statements call */
MUST_CHECK enum rc audit_functions(struct db *db);

/* migrate.c */
/* Ours and not newer, or nothing was ever made in it. */
MUST_CHECK enum rc schema_accept(struct db *db, bool *ret_empty, struct why *why);
MUST_CHECK enum rc migrate(struct db *db, int64_t now_ms, struct why *why);
MUST_CHECK enum rc schema_check(struct db *db, struct why *why); /* exactly ours */

static inline struct db *reader_db(struct reader *r)
{
    return &r->db;
}

static inline struct db *store_db(struct store *st)
{
    return &st->reader.db;
}

#endif
