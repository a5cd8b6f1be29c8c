/* store/sqlite/queue.c - what is due, one delivery whole, lists for people. */
#include "db.h"

#include "funneld/base/idmap.h"

enum rc read_delivery_waiting(struct reader *r, struct str connector, struct str route,
                              const struct lead *lead, bool *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_DELIVERY_WAITING, "ttti", connector, lead->waiting, route,
                          lead->id);

    db_end(s);
    if (rc == RC_OK || rc == RC_NONE)
        *ret = rc == RC_OK;
    return rc == RC_NONE ? RC_OK : rc;
}

enum rc read_delivery_known(struct reader *r, int64_t event, struct str route, struct str connector,
                            bool *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_DELIVERY_KNOWN, "itt", event, connector, route);

    db_end(s);
    if (rc == RC_OK || rc == RC_NONE)
        *ret = rc == RC_OK;
    return rc == RC_NONE ? RC_OK : rc;
}

/* Whether the row is the oldest of its lead's and target's. Each is asked about once, however many
 * deliveries there are. */
static enum rc is_head(struct reader *r, struct str connector, const struct due_row *row,
                       struct idmap *heads, bool *ret)
{
    struct due_row first = {0};
    const int64_t *known = idmap_find(heads, due_key(row));
    enum rc rc = known ? RC_OK : read_due_of_lead(r, connector, row->lead, row->target, &first);

    if (rc != RC_OK && rc != RC_NONE)
        return rc;
    if (!known)
        idmap_set(heads, due_key(row), first.id);
    *ret = (known ? *known : first.id) == row->id;
    return RC_OK;
}

static enum rc query_due(struct reader *r, const struct due_scan *scan, sqlite3_stmt **ret)
{
    int64_t due_at = scan->id ? scan->due_at : INT64_MIN;
    int urgent = (int)scan->urgent;

    return scan->target > 0 ? db_query(&r->db, ret, SQL_DELIVERY_DUE_OF_TARGET, "tdiii",
                                       scan->connector, urgent, due_at, scan->id, scan->target)
                            : db_query(&r->db, ret, SQL_DELIVERY_DUE, "tdii", scan->connector,
                                       urgent, due_at, scan->id);
}

enum rc read_due(struct reader *r, struct due_scan *scan, size_t limit, struct due_row ret[],
                 size_t *ret_n)
{
    struct idmap heads AUTO(idmap_free) = {0};
    struct due_scan now = *scan;
    sqlite3_stmt *s = NULL;
    size_t n = 0;
    enum rc rc = query_due(r, scan, &s);

    now.looked_at = 0;
    for (; rc == RC_OK && n < limit && now.looked_at < DUE_ROWS_MAX; now.looked_at++) {
        bool head = false;

        rc = db_step(&r->db, s);
        if (rc != RC_OK)
            break;
        row_due(s, 0, &ret[n]);
        now.due_at = ret[n].due_at;
        now.id = ret[n].id;
        rc = is_head(r, scan->connector, &ret[n], &heads, &head);
        n += head;
    }
    now.done = rc == RC_NONE;
    rc = db_finish(s, rc);
    if (rc != RC_OK)
        return rc;
    *scan = now;
    *ret_n = n;
    return RC_OK;
}

enum rc read_targets(struct reader *r, struct str connector, struct arena *a, int64_t **ret,
                     size_t *ret_n)
{
    int64_t *targets = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_DELIVERY_TARGETS, "t", connector);

    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK) {
        targets = arena_more(a, targets, n, &cap, sizeof *targets);
        targets[n++] = sqlite3_column_int64(s, 0);
    }
    rc = db_finish(s, rc);
    if (rc == RC_OK) {
        *ret = targets;
        *ret_n = n;
    }
    return rc;
}

enum rc read_due_of_lead(struct reader *r, struct str connector, int64_t lead, int64_t target,
                         struct due_row *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc =
        lead ? db_first(&r->db, &s, SQL_DELIVERY_DUE_OF_LEAD, "tii", connector, lead, target)
             : db_first(&r->db, &s, SQL_DELIVERY_DUE_OF_NOBODY, "t", connector);

    if (rc == RC_OK)
        row_due(s, 0, ret);
    db_end(s);
    return rc;
}

enum rc read_first_waiting(struct reader *r, struct str connector, const struct lead *lead,
                           struct due_row *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc =
        db_first(&r->db, &s, SQL_DELIVERY_DUE_OF_LIST, "tti", connector, lead->waiting, lead->id);

    if (rc == RC_OK)
        row_due(s, 0, ret);
    db_end(s);
    return rc;
}

enum rc read_heads(struct reader *r, const struct lead *lead, due_seen *seen, void *self)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_DELIVERY_HEADS, "ti", lead->waiting, lead->id);

    return rows_due(&r->db, s, rc, seen, self);
}

enum rc read_delivery(struct reader *r, int64_t id, struct arena *a, struct delivery *ret)
{
    struct delivery d;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_DELIVERY_GET, "i", id);

    if (rc == RC_OK)
        rc = row_delivery(&r->db, s, a, &d);
    db_end(s);
    if (rc == RC_OK)
        *ret = d;
    return rc;
}

enum rc read_remote(struct reader *r, int64_t lead, struct str connector, struct arena *a,
                    struct str *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_REMOTE_GET, "it", lead, connector);

    if (rc == RC_OK)
        *ret = col_str(s, 0, a);
    db_end(s);
    return rc;
}

static int delivery_state_of(struct str name)
{
    if (!name.at)
        return EVERY_STATE;
    for (int i = 0; i < DELIVERY_STATE_COUNT; i++)
        if (str_is(name, delivery_state_name((enum delivery_state)i)))
            return i;
    return NO_STATE;
}

enum rc read_deliveries(struct reader *r, const struct list_filter *f, delivery_seen *seen,
                        void *self)
{
    struct arena a AUTO(arena_free) = {0};
    int64_t limit = f->event ? INT64_MAX : f->limit;
    sqlite3_stmt *s = NULL;
    enum rc rc = f->event ? db_query(&r->db, &s, SQL_DELIVERY_OF_EVENT, "i", f->event)
                          : db_query(&r->db, &s, SQL_DELIVERY_LIST, "itdittid",
                                     f->after ? f->after : INT64_MAX, f->connector,
                                     delivery_state_of(f->state), f->lead, f->route, f->reason,
                                     f->span, (int)f->told);

    for (int64_t n = 0; n < limit && rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK; n++) {
        struct delivery d;

        arena_reset(&a);
        rc = row_delivery(&r->db, s, &a, &d);
        if (rc == RC_INVALID) /* with what can be read of it */
            rc = RC_OK;
        if (rc == RC_OK && !f->event && d.created_at < f->since)
            break;
        if (rc == RC_OK)
            seen(self, &d);
    }
    return db_finish(s, rc);
}

enum rc read_attempts(struct reader *r, int64_t delivery, struct arena *a,
                      struct attempt_view **ret, size_t *ret_n)
{
    struct attempt_view *views = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_ATTEMPT_LIST, "i", delivery);

    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK) {
        views = arena_more(a, views, n, &cap, sizeof *views);
        views[n++] = (struct attempt_view){
            .started_at = sqlite3_column_int64(s, 0),
            .ended_at = sqlite3_column_int64(s, 1),
            .status = sqlite3_column_int64(s, 2),
            .verdict = (enum attempt_verdict)sqlite3_column_int(s, 3),
            .detail = col_str(s, 4, a),
            .answer = col_bytes(s, 5, a),
        };
    }
    rc = db_finish(s, rc);
    if (rc == RC_OK) {
        *ret = views;
        *ret_n = n;
    }
    return rc;
}

enum rc read_queue(struct reader *r, struct str connector, int64_t *ret_depth,
                   int64_t *ret_oldest_created_at)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_DELIVERY_QUEUE, "t", connector);

    if (rc == RC_OK || rc == RC_NONE) { /* RC_NONE: it never had anything to do */
        *ret_depth = rc == RC_OK ? sqlite3_column_int64(s, 0) : 0;
        *ret_oldest_created_at = rc == RC_OK ? sqlite3_column_int64(s, 1) : 0;
    }
    return db_finish(s, rc);
}

enum rc read_paused(struct reader *r, struct str connector, bool *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_HOLD_GET, "t", connector);

    if (rc == RC_OK || rc == RC_NONE)
        *ret = rc == RC_OK && sqlite3_column_int(s, 0);
    db_end(s);
    return rc == RC_NONE ? RC_OK : rc;
}
