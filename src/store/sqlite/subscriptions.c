/* store/sqlite/subscriptions.c - who wants to hear of a route, and for how long nobody heard. */
#include "db.h"

static void row_subscription(sqlite3_stmt *s, struct arena *a, struct subscription *ret)
{
    *ret = (struct subscription){
        .id = sqlite3_column_int64(s, 0),
        .token = col_str(s, 1, a),
        .route = col_str(s, 2, a),
        .target = col_str(s, 3, a),
        .created_at = sqlite3_column_int64(s, 4),
    };
}

enum rc store_subscribe(struct store *st, struct arena *a, struct subscription *s, bool *ret_fresh)
{
    struct db *db = store_db(st);
    sqlite3_stmt *row = NULL;
    struct str token = s->token;
    enum rc rc = db_first(db, &row, SQL_SUBSCRIPTION_ADD, "ttti", s->token, s->route, s->target,
                          s->created_at);

    if (rc == RC_OK) {
        row_subscription(row, a, s);
        *ret_fresh = str_eq(s->token, token);
        rc = db_step(db, row); /* to its end, or it is not done */
    }
    return db_finish(row, rc);
}

enum { CANCELLED_AT_ONCE = 500 };

static enum rc cancel_some(struct db *db, int64_t id, int64_t now_ms, connector_seen *cancelled,
                           void *self)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(db, &s, SQL_DELIVERY_CANCEL_TARGET, "iid", id, now_ms, CANCELLED_AT_ONCE);

    while (rc == RC_OK && (rc = db_step(db, s)) == RC_OK)
        cancelled(self, col_view(s, 0));
    return db_finish(s, rc);
}

enum rc store_subscription_end(struct store *st, int64_t id, int64_t now_ms,
                               connector_seen *cancelled, void *self)
{
    struct db *db = store_db(st);
    enum rc rc = cancel_some(db, id, now_ms, cancelled, self);

    if (rc == RC_OK)
        rc = db_run(db, SQL_ENDED_ADD, "i", id);
    return rc == RC_OK ? db_run(db, SQL_SUBSCRIPTION_END, "i", id) : rc;
}

enum rc read_ended(struct reader *r, int64_t *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_ENDED_FIRST, "");
    int64_t id = rc == RC_OK ? sqlite3_column_int64(s, 0) : 0;

    db_end(s);
    if (rc == RC_OK)
        *ret = id;
    return rc;
}

enum rc store_cancel_ended(struct store *st, int64_t now_ms, connector_seen *cancelled, void *self)
{
    struct db *db = store_db(st);
    int64_t id = 0;
    enum rc rc = read_ended(store_reader(st), &id);

    if (rc == RC_OK)
        rc = cancel_some(db, id, now_ms, cancelled, self);
    return rc == RC_OK ? db_run(db, SQL_ENDED_DROP, "i", id) : rc;
}

enum rc store_unsubscribe(struct store *st, struct str token, int64_t now_ms,
                          connector_seen *cancelled, void *self)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(store_db(st), &s, SQL_SUBSCRIPTION_BY_TOKEN, "t", token);
    int64_t id = rc == RC_OK ? sqlite3_column_int64(s, 0) : 0;

    db_end(s);
    return rc == RC_OK ? store_subscription_end(st, id, now_ms, cancelled, self) : rc;
}

enum rc store_subscription_well(struct store *st, int64_t id)
{
    return db_run(store_db(st), SQL_SUBSCRIPTION_WELL, "i", id);
}

enum rc store_subscription_failed(struct store *st, int64_t id, int64_t at, int64_t *ret_failures,
                                  int64_t *ret_since)
{
    struct db *db = store_db(st);
    sqlite3_stmt *s = NULL;
    int64_t failures = 0, since = 0;
    enum rc rc = db_first(db, &s, SQL_SUBSCRIPTION_FAILED, "ii", id, at);

    if (rc == RC_NONE) {
        db_end(s);
        return rc;
    }
    if (rc == RC_OK) {
        failures = sqlite3_column_int64(s, 0);
        since = sqlite3_column_int64(s, 1);
        rc = db_step(db, s);
    }
    rc = db_finish(s, rc);
    if (rc == RC_OK) {
        *ret_failures = failures;
        *ret_since = since;
    }
    return rc;
}

enum rc read_subscriptions(struct reader *r, struct str route, struct arena *a,
                           struct subscription **ret, size_t *ret_n)
{
    struct subscription *all = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_SUBSCRIPTION_OF_ROUTE, "t", route);

    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK) {
        all = arena_more(a, all, n, &cap, sizeof *all);
        row_subscription(s, a, &all[n++]);
    }
    rc = db_finish(s, rc);
    if (rc == RC_OK) {
        *ret = all;
        *ret_n = n;
    }
    return rc;
}

enum rc read_subscription(struct reader *r, int64_t id, struct arena *a, struct subscription *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_SUBSCRIPTION_GET, "i", id);

    if (rc == RC_OK)
        row_subscription(s, a, ret);
    db_end(s);
    return rc;
}

enum rc read_subscription_count(struct reader *r, int64_t *ret)
{
    return db_count(&r->db, SQL_SUBSCRIPTION_COUNT, ret);
}
