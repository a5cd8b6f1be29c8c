/* store/sqlite/terms.c - what rules gave when they fired, each set of terms once.
 *
 * Every firing names its terms by their number, so a connection keeps in memory those that it met.
 * They never change; but those that this connection added are there only once it committed.
 */
#include "db.h"

static void keep(struct terms_cache *c, sqlite3_stmt *s)
{
    c->at = arena_more(&c->arena, c->at, c->n, &c->cap, sizeof *c->at);
    c->at[c->n++] = (struct terms){
        .id = sqlite3_column_int64(s, 0),
        .row.rule = col_str(s, 1, &c->arena),
        .row.group = col_str(s, 2, &c->arena),
        .row.why = col_str(s, 3, &c->arena),
        .row.points = sqlite3_column_int64(s, 4),
        .row.half_life_ms = sqlite3_column_int64(s, 5),
        .row.max = sqlite3_column_int64(s, 6),
    };
}

/* Those that came since the last time. */
static enum rc learn(struct db *db)
{
    struct terms_cache *c = &db->terms;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(db, &s, SQL_TERMS_AFTER, "i", c->n ? c->at[c->n - 1].id : 0);

    while (rc == RC_OK && (rc = db_step(db, s)) == RC_OK)
        keep(c, s);
    return db_finish(s, rc);
}

static const struct terms *by_id(const struct terms_cache *c, int64_t id)
{
    size_t low = 0, high = c->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c->at[middle].id == id)
            return &c->at[middle];
        if (c->at[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

enum rc terms_get(struct db *db, int64_t id, const struct terms **ret)
{
    const struct terms *t = by_id(&db->terms, id);
    enum rc rc = t ? RC_OK : learn(db);

    if (rc == RC_OK && !t)
        t = by_id(&db->terms, id);
    if (rc == RC_OK && !t)
        return RC_NONE;
    if (rc == RC_OK)
        *ret = t;
    return rc;
}

static bool same(const struct ledger_row *a, const struct ledger_row *b)
{
    return a->points == b->points && a->half_life_ms == b->half_life_ms && a->max == b->max &&
           str_eq(a->rule, b->rule) && str_eq(a->group, b->group) && str_eq(a->why, b->why);
}

/* Newest first: that is the rule set of today. */
static int64_t by_content(const struct terms_cache *c, const struct ledger_row *row)
{
    for (size_t i = c->n; i > 0; i--)
        if (same(&c->at[i - 1].row, row))
            return c->at[i - 1].id;
    return 0;
}

enum rc terms_id(struct store *st, const struct ledger_row *row, int64_t *ret)
{
    struct db *db = store_db(st);
    int64_t id = by_content(&db->terms, row);
    enum rc rc = RC_OK;

    if (!id) {
        rc = learn(db);
        id = by_content(&db->terms, row);
    }
    if (rc == RC_OK && !id) {
        st->new_terms = true;
        rc = db_run(db, SQL_TERMS_ADD, "tttiii", row->rule, row->group, row->why, row->points,
                    row->half_life_ms, row->max);
        id = rc == RC_OK ? sqlite3_last_insert_rowid(db->handle) : 0;
    }
    if (rc == RC_OK)
        *ret = id;
    return rc;
}

void terms_forget(struct store *st)
{
    struct terms_cache *c = &store_db(st)->terms;

    if (!st->new_terms)
        return;
    arena_reset(&c->arena);
    c->at = NULL;
    c->n = c->cap = 0;
}
