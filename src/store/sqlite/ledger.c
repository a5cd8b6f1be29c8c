/* store/sqlite/ledger.c - firings of engagement rules, and the rule sets of the past. */
#include "db.h"

#include <stdlib.h>

enum rc store_ledger_add(struct store *st, struct lead *lead, const struct ledger_row *row)
{
    enum rc rc = db_run(store_db(st), SQL_LEDGER_ADD, "initttiiiii", lead->id, lead->last_ledger,
                        row->event, row->rule, row->group, row->why, row->points, row->half_life_ms,
                        row->max, row->occurred_at, row->received_at);

    if (rc == RC_OK)
        lead->last_ledger = sqlite3_last_insert_rowid(store_db(st)->handle);
    return rc;
}

void row_ledger(sqlite3_stmt *s, struct arena *a, struct ledger_row *ret)
{
    *ret = (struct ledger_row){
        .id = sqlite3_column_int64(s, 0),
        .event = sqlite3_column_int64(s, 1),
        .lead = sqlite3_column_int64(s, 2),
        .rule = col_str(s, 3, a),
        .group = col_str(s, 4, a),
        .why = col_str(s, 5, a),
        .points = sqlite3_column_int64(s, 6),
        .half_life_ms = sqlite3_column_int64(s, 7),
        .max = sqlite3_column_int64(s, 8),
        .occurred_at = sqlite3_column_int64(s, 9),
        .received_at = sqlite3_column_int64(s, 10),
    };
}

struct ledger_rows {
    struct ledger_row *at;
    size_t n, cap;
};

static struct ledger_row *next_row(struct ledger_rows *rows, struct arena *a)
{
    rows->at = arena_more(a, rows->at, rows->n, &rows->cap, sizeof *rows->at);
    return &rows->at[rows->n++];
}

/* Row by row: a recursive query, which builds a table and sorts it, takes thrice as long. */
static enum rc walk(struct db *db, const struct lead *lead, int64_t received_by, struct arena *a,
                    struct ledger_rows *ret)
{
    int64_t id = lead->last_ledger;
    enum rc rc = RC_OK;

    while (id && rc == RC_OK) {
        sqlite3_stmt *s = NULL;

        rc = db_first(db, &s, SQL_LEDGER_ROW, "i", id);
        if (rc == RC_OK && sqlite3_column_int64(s, 2) != lead->id)
            rc = RC_NONE; /* the id was given anew */
        if (rc == RC_NONE && id != lead->last_ledger)
            rc = RC_CORRUPT;
        if (rc == RC_OK) {
            id = sqlite3_column_int64(s, 11);
            if (sqlite3_column_int64(s, 10) <= received_by)
                row_ledger(s, a, next_row(ret, a));
        }
        db_end(s);
    }
    return rc;
}

static int by_id(const void *a, const void *b)
{
    const struct ledger_row *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

enum rc read_ledger(struct reader *r, const struct lead *lead, int64_t received_by, struct arena *a,
                    struct ledger_row **ret, size_t *ret_n)
{
    struct ledger_rows rows = {0};
    bool alone = sqlite3_get_autocommit(r->db.handle); /* the chain must hold still */
    enum rc rc = alone ? db_run(&r->db, SQL_SNAPSHOT, "") : RC_OK;

    if (rc != RC_OK)
        return rc;
    rc = walk(&r->db, lead, received_by, a, &rows);
    if (alone)
        rc_ignored(db_run(&r->db, SQL_COMMIT, "")); /* nothing was written */
    if (rc == RC_NONE && alone) /* the lead was erased or merged since it was read */
        rc = RC_OK;
    if (rc != RC_OK)
        return rc == RC_NONE ? RC_CORRUPT : rc;
    if (rows.n > 1) /* a merge hangs one chain before the other */
        qsort(rows.at, rows.n, sizeof *rows.at, by_id);
    *ret = rows.at;
    *ret_n = rows.n;
    return RC_OK;
}

enum rc store_ruleset_add(struct store *st, struct str text, int64_t now_ms)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(store_db(st), &s, SQL_RULESET_NEWEST, "");
    bool same = rc == RC_OK && str_eq(col_view(s, 0), text);

    db_end(s);
    if (rc != RC_OK && rc != RC_NONE)
        return rc;
    return same ? RC_OK : db_run(store_db(st), SQL_RULESET_ADD, "it", now_ms, text);
}

enum rc read_ruleset(struct reader *r, int64_t at, struct arena *a, struct str *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_RULESET_AT, "i", at);

    if (rc == RC_OK)
        *ret = col_str(s, 0, a);
    db_end(s);
    return rc;
}
