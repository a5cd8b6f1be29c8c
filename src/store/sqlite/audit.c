/* store/sqlite/audit.c - looks through every table for rows that break a promise.
 *
 * Each statement asks one slice of a table all questions about its rows at once, and so in one
 * snapshot; a column that is true is a violation.
 */
#include "db.h"

#include <string.h>

#include "funneld/route/route.h"

#define WORDS(words, sql) words,
static const char *const of_event[] = {AUDIT_EVENT(WORDS)};
static const char *const of_dedupe[] = {AUDIT_DEDUPE(WORDS)};
static const char *const of_lead[] = {AUDIT_LEAD(WORDS)};
static const char *const of_ledger[] = {AUDIT_LEDGER(WORDS)};
static const char *const of_terms[] = {AUDIT_TERMS(WORDS)};
static const char *const of_delivery[] = {AUDIT_DELIVERY(WORDS)};
static const char *const of_attempt[] = {AUDIT_ATTEMPT(WORDS)};
static const char *const of_remote[] = {AUDIT_REMOTE(WORDS)};
static const char *const of_object[] = {AUDIT_OBJECT(WORDS)};
static const char *const of_association[] = {AUDIT_ASSOCIATION(WORDS)};
static const char *const of_queue[] = {AUDIT_QUEUE(WORDS)};
static const char *const of_model[] = {AUDIT_MODEL(WORDS)};
static const char *const of_model_use[] = {AUDIT_MODEL_USE(WORDS)};

static const struct {
    const char *name;
    enum statement which;
    const char *const *words;
    size_t n_words;
} tables[] = {
    {"event", SQL_AUDIT_EVENT, of_event, ARRAY_LEN(of_event)},
    {"dedupe", SQL_AUDIT_DEDUPE, of_dedupe, ARRAY_LEN(of_dedupe)},
    {"lead", SQL_AUDIT_LEAD, of_lead, ARRAY_LEN(of_lead)},
    {"ledger", SQL_AUDIT_LEDGER, of_ledger, ARRAY_LEN(of_ledger)},
    {"terms", SQL_AUDIT_TERMS, of_terms, ARRAY_LEN(of_terms)},
    {"delivery", SQL_AUDIT_DELIVERY, of_delivery, ARRAY_LEN(of_delivery)},
    {"attempt", SQL_AUDIT_ATTEMPT, of_attempt, ARRAY_LEN(of_attempt)},
    {"remote", SQL_AUDIT_REMOTE, of_remote, ARRAY_LEN(of_remote)},
    {"object", SQL_AUDIT_OBJECT, of_object, ARRAY_LEN(of_object)},
    {"association", SQL_AUDIT_ASSOCIATION, of_association, ARRAY_LEN(of_association)},
    {"queue", SQL_AUDIT_QUEUE, of_queue, ARRAY_LEN(of_queue)},
    {"model", SQL_AUDIT_MODEL, of_model, ARRAY_LEN(of_model)},
    {"model use", SQL_AUDIT_MODEL_USE, of_model_use, ARRAY_LEN(of_model_use)},
};

static void sql_sha256(sqlite3_context *context, int n, sqlite3_value **values)
{
    struct str text = {(const char *)sqlite3_value_text(values[0]),
                       (size_t)sqlite3_value_bytes(values[0])};
    uint8_t hash[SHA256_LEN];

    (void)n;
    sha256(&text, 1, hash);
    sqlite3_result_blob(context, hash, sizeof hash, SQLITE_TRANSIENT);
}

static void sql_properties_ok(sqlite3_context *context, int n, sqlite3_value **values)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead lead = {0};
    struct str bytes = {sqlite3_value_blob(values[0]), (size_t)sqlite3_value_bytes(values[0])};

    (void)n;
    sqlite3_result_int(context, properties_read(bytes, &a, &lead) == RC_OK);
}

static void sql_ledger_ok(sqlite3_context *context, int n, sqlite3_value **values)
{
    struct arena a AUTO(arena_free) = {0};
    struct firing *firings;
    struct str json = {(const char *)sqlite3_value_text(values[0]),
                       (size_t)sqlite3_value_bytes(values[0])};
    size_t n_firings;

    (void)n;
    sqlite3_result_int(context, firings_read(json, &a, &firings, &n_firings) == RC_OK);
}

static void sql_facts_ok(sqlite3_context *context, int n, sqlite3_value **values)
{
    struct arena a AUTO(arena_free) = {0};
    struct delivery_facts facts;
    struct str json = {(const char *)sqlite3_value_text(values[0]),
                       (size_t)sqlite3_value_bytes(values[0])};

    (void)n;
    sqlite3_result_int(context, facts_from_json(json, &a, &facts, NULL) == RC_OK);
}

enum rc audit_functions(struct db *db)
{
    enum { FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY };
    static const struct {
        const char *name;
        void (*call)(sqlite3_context *context, int n, sqlite3_value **values);
    } functions[] = {{"sha256", sql_sha256},
                     {"properties_ok", sql_properties_ok},
                     {"ledger_ok", sql_ledger_ok},
                     {"facts_ok", sql_facts_ok}};
    enum rc rc = RC_OK;

    for (size_t i = 0; i < ARRAY_LEN(functions) && rc == RC_OK; i++)
        rc = db_failed(db, sqlite3_create_function(db->handle, functions[i].name, 1, FLAGS, NULL,
                                                   functions[i].call, NULL, NULL));
    return rc;
}

static enum rc start(struct reader *r, const struct audit_cursor *c, size_t rows, int64_t now_ms,
                     sqlite3_stmt **ret)
{
    enum statement which = tables[c->table].which;

    if (which == SQL_AUDIT_DEDUPE)
        return db_query(&r->db, ret, which, "bii", c->key.bytes, c->id ? sizeof c->key.bytes : 0,
                        (int64_t)rows, now_ms);
    return db_query(&r->db, ret, which, "iii", c->id, (int64_t)rows, now_ms);
}

static void look_at(sqlite3_stmt *s, struct audit_cursor *c, violation_seen *seen, void *self)
{
    bool keyed = tables[c->table].which == SQL_AUDIT_DEDUPE;
    size_t bytes = (size_t)sqlite3_column_bytes(s, 0);

    if (keyed) {
        memset(c->key.bytes, 0, sizeof c->key.bytes);
        memcpy(c->key.bytes, sqlite3_column_blob(s, 0),
               bytes < sizeof c->key.bytes ? bytes : sizeof c->key.bytes);
    }
    c->id = keyed ? 1 : sqlite3_column_int64(s, 0);
    for (size_t i = 0; i < tables[c->table].n_words; i++)
        if (sqlite3_column_int(s, (int)i + 1))
            seen(self, &(struct violation){.table = tables[c->table].name,
                                           .what = tables[c->table].words[i],
                                           .id = keyed ? 0 : c->id});
}

/* The next rows of the table; *ret_n: how many there were. */
static enum rc slice(struct reader *r, struct audit_cursor *c, size_t rows, int64_t now_ms,
                     violation_seen *seen, void *self, size_t *ret_n)
{
    sqlite3_stmt *s = NULL;
    size_t n = 0;
    enum rc rc = start(r, c, rows, now_ms, &s);

    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK) {
        look_at(s, c, seen, self);
        n++;
    }
    *ret_n = n;
    return db_finish(s, rc);
}

/* Damage is what is looked for: that of one table does not hide what stands in the next. */
static enum rc passable(struct reader *r, const char *table, enum rc rc, violation_seen *seen,
                        void *self)
{
    if (rc != RC_CORRUPT)
        return rc;
    seen(self, &(struct violation){
                   .table = table, .what = "it is damaged", .detail = str_of(r->db.error)});
    return RC_OK;
}

enum rc read_audit(struct reader *r, struct audit_cursor *c, size_t rows, int64_t now_ms,
                   violation_seen *seen, void *self, bool *ret_done)
{
    enum rc rc = RC_OK;

    *ret_done = false;
    for (size_t left = rows; left && rc == RC_OK;) {
        size_t n = 0;

        rc = passable(r, tables[c->table].name, slice(r, c, left, now_ms, seen, self, &n), seen,
                      self);
        if (rc != RC_OK || n == left)
            break;
        left -= n;
        *c = (struct audit_cursor){.table = c->table + 1};
        if ((size_t)c->table < ARRAY_LEN(tables))
            continue;
        *c = (struct audit_cursor){0};
        *ret_done = true;
        break;
    }
    return rc;
}

enum rc read_integrity(struct reader *r, int64_t max_bytes, violation_seen *seen, void *self)
{
    enum { MOST = 20 };
    sqlite3_stmt *s = NULL;
    int64_t pages = 0;
    enum rc rc = db_count(&r->db, SQL_PAGE_COUNT, &pages);

    if (rc != RC_OK || pages * PAGE_SIZE > max_bytes)
        return rc;
    rc = db_query(&r->db, &s, SQL_INTEGRITY, "d", MOST);
    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK)
        if (!str_is(col_view(s, 0), "ok"))
            seen(self, &(struct violation){
                           .table = "file", .what = "it is damaged", .detail = col_view(s, 0)});
    return passable(r, "file", db_finish(s, rc), seen, self);
}
