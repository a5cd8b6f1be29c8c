/* store/sqlite/ledger.c - firings of engagement rules, and the rule sets of the past. */
#include "db.h"

enum rc store_ledger_add(struct store *st, const struct ledger_row *row)
{
    enum rc rc = db_run(store_db(st), SQL_LEDGER_ADD, "iitttiiiii", row->lead, row->event,
                        row->rule, row->group, row->why, row->points, row->half_life_ms, row->max,
                        row->occurred_at, row->received_at);

    if (rc == RC_OK)
        rc = db_run(store_db(st), SQL_LEDGER_LINK, "ii", row->lead,
                    (int64_t)sqlite3_last_insert_rowid(store_db(st)->handle));
    return rc;
}

static void row_ledger(sqlite3_stmt *s, struct arena *a, struct ledger_row *ret)
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

enum rc read_ledger(struct reader *r, int64_t lead, int64_t received_by, struct arena *a,
                    struct ledger_row **ret, size_t *ret_n)
{
    struct ledger_row *rows = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_LEDGER_LIST, "ii", lead, received_by);

    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK) {
        if (n == cap) {
            size_t more = cap ? cap * 2 : 16;
            struct ledger_row *grown = arena_array(a, more, sizeof *grown);

            for (size_t i = 0; i < n; i++)
                grown[i] = rows[i];
            rows = grown;
            cap = more;
        }
        row_ledger(s, a, &rows[n++]);
    }
    rc = db_finish(s, rc);
    if (rc == RC_OK) {
        *ret = rows;
        *ret_n = n;
    }
    return rc;
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
