/* store/sqlite/deliveries.c - adding deliveries, and every change of their state. */
#include "db.h"

#include "funneld/route/route.h"

enum rc store_delivery_add(struct store *st, struct lead *lead, struct delivery *d, struct arena *a)
{
    struct sbuf facts AUTO(sbuf_free) = SBUF(COMMIT_WEIGHT);
    bool room = false;

    facts_to_json(&d->facts, &facts);
    if (facts.failed)
        return RC_TOOBIG;
    enum rc rc = waiting_room(st, lead, a, &room);
    if (rc != RC_OK)
        return rc;
    rc = db_run(store_db(st), SQL_DELIVERY_ADD, "iittdiiitditd", d->event, lead->id, d->route,
                d->connector, (int)d->state, d->created_at, d->due_at, d->wait_until,
                sbuf_str(&facts), (int)d->urgent, d->target, d->remote_id, (int)!room);
    if (rc != RC_OK)
        return rc;
    d->id = sqlite3_last_insert_rowid(store_db(st)->handle);
    d->lead = lead->id;
    if (room)
        waiting_add(lead, d->id, a);
    return d->urgent ? db_run(store_db(st), SQL_DELIVERY_HURRY, "ttiii", d->connector,
                              lead->waiting, d->target, d->id, lead->id)
                     : RC_OK;
}

enum rc store_delivery_fold(struct store *st, struct str connector, const struct lead *lead,
                            int64_t newer, int64_t now_ms, int64_t *ret_n, bool *ret_urgent)
{
    struct db *db = store_db(st);
    bool urgent = false;
    int64_t n = 0;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(db, &s, SQL_DELIVERY_FOLD, "ttiii", connector, lead->waiting, newer,
                          now_ms, lead->id);

    for (; rc == RC_OK && (rc = db_step(db, s)) == RC_OK; n++)
        urgent |= sqlite3_column_int(s, 0) != 0;
    rc = db_finish(s, rc);
    if (rc == RC_OK && urgent)
        rc = db_run(db, SQL_DELIVERY_HURRY_ONE, "i", newer);
    if (rc != RC_OK)
        return rc;
    *ret_n = n;
    *ret_urgent = urgent;
    return RC_OK;
}

enum rc store_delivery_fold_again(struct store *st, struct str connector, int64_t now_ms,
                                  int64_t *ret_n)
{
    struct db *db = store_db(st);
    enum rc rc = db_run(db, SQL_DELIVERY_HEIR, "ti", connector, now_ms);

    if (rc == RC_OK) /* what waits before the heir, but is of another kind */
        rc = db_run(db, SQL_DELIVERY_HURRY_AGAIN, "ti", connector, now_ms);
    return rc == RC_OK ? db_change(db, ret_n, SQL_DELIVERY_FOLD_AGAIN, "ti", connector, now_ms)
                       : rc;
}

enum rc store_delivery_release(struct store *st, const struct lead *lead, int64_t now_ms,
                               due_seen *released, void *self)
{
    sqlite3_stmt *s = NULL;
    enum rc rc =
        db_query(store_db(st), &s, SQL_DELIVERY_RELEASE, "tii", lead->waiting, now_ms, lead->id);

    return rows_due(store_db(st), s, rc, released, self);
}

enum rc store_attempt_begin(struct store *st, int64_t delivery, int64_t at)
{
    int64_t rows = 0;
    enum rc rc = db_change(store_db(st), &rows, SQL_ATTEMPT_BEGIN, "ii", delivery, at);

    return rc == RC_OK && rows == 0 ? RC_NONE : rc;
}

/* Every state change names the state it leaves; a row that is no longer pending stays as it is. */
static enum rc end_state(struct store *st, const struct attempt_end *e, int64_t *rows)
{
    struct db *db = store_db(st);

    switch (e->verdict) {
    case ATTEMPT_DELIVERED:
        return db_change(db, rows, SQL_ATTEMPT_DONE, "idittd", e->delivery, (int)DELIVERY_DELIVERED,
                         e->ended_at, STR_NULL, e->remote_id, 0);
    case ATTEMPT_DEAD:
        return db_change(db, rows, SQL_ATTEMPT_DONE, "idittd", e->delivery, (int)DELIVERY_DEAD,
                         e->ended_at, e->detail, e->remote_id, (int)e->in_doubt);
    case ATTEMPT_RETRY:
        return db_change(db, rows, SQL_ATTEMPT_AGAIN, "iititd", e->delivery, e->due_at, e->detail,
                         INT64_C(0), e->remote_id, (int)e->unclear);
    case ATTEMPT_AMBIGUOUS:
        return db_change(db, rows, SQL_ATTEMPT_AGAIN, "iititd", e->delivery, e->due_at, e->detail,
                         e->started_at, e->remote_id, (int)e->unclear);
    case ATTEMPT_MORE:
        return db_change(db, rows, SQL_ATTEMPT_MORE, "iitt", e->delivery, e->due_at, e->detail,
                         e->remote_id);
    }
    return RC_INVALID;
}

enum rc store_attempt_end(struct store *st, const struct attempt_end *end)
{
    int64_t rows = 0;
    enum rc rc = db_run(store_db(st), SQL_ATTEMPT_ADD, "iiiidtb", end->delivery, end->started_at,
                        end->ended_at, (int64_t)end->status, (int)end->verdict, end->detail,
                        end->answer.at, end->answer.len);

    if (rc == RC_OK)
        rc = end_state(st, end, &rows);
    return rc == RC_OK && rows == 0 ? RC_NONE : rc;
}

enum rc store_remote_set(struct store *st, int64_t lead, struct str connector, struct str remote,
                         int64_t now_ms)
{
    if (!remote.len)
        return db_run(store_db(st), SQL_REMOTE_FORGET, "it", lead, connector);
    return db_run(store_db(st), SQL_REMOTE_SET, "itti", lead, connector, remote, now_ms);
}

static enum rc retry_by(struct store *st, enum statement which, const struct retry_filter *f,
                        int64_t last, int64_t now_ms, int64_t *ret_n)
{
    int64_t n = 0;
    enum rc rc = db_change(store_db(st), &n, which, "ittitiii", now_ms, f->connector, f->reason,
                           last, f->route, f->since, f->lead, f->after);

    *ret_n += n;
    return rc;
}

/* Where a slice ends: at the last of so many that are dead. RC_NONE: no more are left. */
static enum rc dead_span(struct store *st, const struct retry_filter *f, int64_t *ret_last)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = f->limit
                     ? db_first(store_db(st), &s, SQL_DELIVERY_DEAD_SPAN, "ii", f->after, f->limit)
                     : RC_NONE;

    *ret_last = rc == RC_OK ? sqlite3_column_int64(s, 0) : INT64_MAX;
    db_end(s);
    return rc;
}

static enum rc retry_slice(struct store *st, struct retry_filter *f, int64_t now_ms, int64_t *ret_n)
{
    int64_t last = 0;
    enum rc rc = dead_span(st, f, &last);

    if (rc != RC_OK && rc != RC_NONE)
        return rc;
    f->more = rc == RC_OK;
    if (f->more)
        f->last = last;
    return retry_by(st, SQL_DELIVERY_RETRY, f, last, now_ms, ret_n);
}

enum rc store_retry(struct store *st, struct retry_filter *f, int64_t now_ms, int64_t *ret_n)
{
    int64_t total = 0;
    enum rc rc = RC_OK;

    if (!f->n_ids)
        rc = retry_slice(st, f, now_ms, &total);
    for (size_t i = 0; i < f->n_ids && rc == RC_OK; i++)
        rc = retry_by(st, SQL_DELIVERY_RETRY_ID, f, f->ids[i], now_ms, &total);
    if (rc == RC_OK && total)
        rc = db_run(store_db(st), SQL_DELIVERY_HURRY_AGAIN, "ti", STR_NULL, now_ms);
    if (rc == RC_OK)
        *ret_n = total;
    return rc;
}

static bool among(struct str name, const struct str names[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

static enum rc pending_connectors(struct store *st, struct arena *a, struct str_list *ret)
{
    enum { MOST = 1024 }; /* more names than a configuration can hold sections */
    struct str *names = arena_array(a, MOST, sizeof *names);
    size_t n = 0;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(store_db(st), &s, SQL_DELIVERY_CONNECTORS, "");

    while (rc == RC_OK && n < MOST && (rc = db_step(store_db(st), s)) == RC_OK)
        names[n++] = col_str(s, 0, a);
    rc = db_finish(s, rc);
    if (rc == RC_OK)
        *ret = (struct str_list){names, n};
    return rc;
}

enum rc store_connectors(struct store *st, const struct str names[], size_t n)
{
    struct arena a AUTO(arena_free) = {0};
    struct str_list pending;
    enum rc rc = pending_connectors(st, &a, &pending);

    for (size_t i = 0; rc == RC_OK && i < pending.n; i++)
        if (!among(pending.items[i], names, n))
            rc = db_run(store_db(st), SQL_HOLD_REMOVED, "t", pending.items[i]);
    for (size_t i = 0; rc == RC_OK && i < n; i++)
        rc = db_run(store_db(st), SQL_HOLD_BACK, "t", names[i]);
    return rc == RC_OK ? db_run(store_db(st), SQL_HOLD_NO_MORE, "") : rc;
}

enum rc store_pause(struct store *st, struct str connector, bool paused)
{
    enum rc rc = db_run(store_db(st), SQL_HOLD_PAUSED, "td", connector, (int)paused);

    return rc == RC_OK ? db_run(store_db(st), SQL_HOLD_NO_MORE, "") : rc;
}
