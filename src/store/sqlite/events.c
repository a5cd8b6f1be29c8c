/* store/sqlite/events.c - dedupe keys, events and their chain per lead. */
#include "db.h"

#include <string.h>

/* Whether `then` is within the window around `now`: a clock may have been ahead. */
static bool within(int64_t then, int64_t now, int64_t window_ms)
{
    return then + window_ms > now && then - window_ms < now;
}

/* A key claimed before the window began counts as free again. */
static enum rc claim_again(struct store *st, const struct event *e, int64_t *ret_id)
{
    struct db *db = store_db(st);
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(db, &s, SQL_DEDUPE_GET, "b", e->key.bytes, sizeof e->key.bytes);

    if (rc != RC_OK) {
        db_end(s);
        return rc == RC_NONE ? RC_CORRUPT : rc;
    }
    int64_t first = sqlite3_column_int64(s, 0), received_at = sqlite3_column_int64(s, 1);
    db_end(s);
    if (!e->dedupe_window_ms || within(received_at, e->received_at, e->dedupe_window_ms)) {
        *ret_id = first;
        return RC_EXISTS;
    }
    int64_t id = st->next_event++;
    rc = db_run(db, SQL_DEDUPE_RENEW, "bi", e->key.bytes, sizeof e->key.bytes, id);
    if (rc == RC_OK)
        *ret_id = id;
    return rc;
}

enum rc store_dedupe(struct store *st, const struct event *e, int64_t *ret_id)
{
    int64_t rows = 0;
    enum rc rc = db_change(store_db(st), &rows, SQL_DEDUPE_ADD, "bi", e->key.bytes,
                           sizeof e->key.bytes, st->next_event);

    if (rc != RC_OK)
        return rc;
    if (rows == 0)
        return claim_again(st, e, ret_id);
    *ret_id = st->next_event++; /* an id lost to a rollback leaves a gap, never a repetition */
    return RC_OK;
}

enum rc store_dedupe_again(struct store *st, const struct event *e, int64_t id, int64_t *ret_id)
{
    struct db *db = store_db(st);
    sqlite3_stmt *s = NULL;
    int64_t rows = 0;
    enum rc rc = db_change(db, &rows, SQL_DEDUPE_ADD, "bi", e->key.bytes, sizeof e->key.bytes, id);

    if (rc != RC_OK || rows)
        return rc;
    rc = db_first(db, &s, SQL_DEDUPE_GET, "b", e->key.bytes, sizeof e->key.bytes);
    int64_t first = rc == RC_OK ? sqlite3_column_int64(s, 0) : 0;
    int64_t received_at = rc == RC_OK ? sqlite3_column_int64(s, 1) : 0;
    db_end(s);
    if (rc != RC_OK)
        return rc == RC_NONE ? RC_CORRUPT : rc;
    if (first == id ||
        (e->dedupe_window_ms && !within(received_at, e->received_at, e->dedupe_window_ms)))
        return RC_OK;
    *ret_id = first;
    return RC_EXISTS;
}

enum rc store_event_add(struct store *st, int64_t id, struct lead *lead, const struct event *e,
                        bool keep_body, int64_t now_ms)
{
    uint8_t hash[SHA256_LEN];

    sha256(&e->body, 1, hash);
    enum rc rc = db_run(store_db(st), SQL_EVENT_ADD, "innttdtiittbti", id, lead ? lead->id : 0,
                        lead ? lead->last_event : 0, e->source, e->type.at ? e->type : STR(""),
                        (int)e->state, e->reason, e->occurred_at, e->received_at, e->request_id,
                        keep_body ? e->body : STR_NULL, hash, sizeof hash, e->signature, now_ms);
    if (rc == RC_OK && lead)
        lead->last_event = id;
    return rc;
}

enum rc read_event(struct reader *r, int64_t id, struct arena *a, struct event_view *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_EVENT_GET, "i", id);

    if (rc == RC_OK)
        row_event(s, a, ret);
    db_end(s);
    return rc;
}

/* Shows rows until there are no more, `limit` is reached or one is older than `since`. */
static enum rc show(struct db *db, sqlite3_stmt *s, const struct list_filter *f, event_seen *seen,
                    void *self)
{
    struct arena a AUTO(arena_free) = {0};
    enum rc rc = RC_OK;

    for (int64_t n = 0; n < f->limit && (rc = db_step(db, s)) == RC_OK; n++) {
        struct event_view e;

        arena_reset(&a);
        row_event(s, &a, &e);
        if (e.received_at < f->since)
            break;
        seen(self, &e);
    }
    return db_finish(s, rc);
}

static int event_state_of(struct str name)
{
    if (!name.at)
        return EVERY_STATE;
    for (int i = EVENT_PROCESSED; i <= EVENT_UNLINKED; i++)
        if (str_is(name, event_state_name((enum event_state)i)))
            return i;
    return NO_STATE;
}

enum rc read_events(struct reader *r, const struct list_filter *f, event_seen *seen, void *self)
{
    int64_t before = f->after ? f->after : INT64_MAX;
    int state = event_state_of(f->state);
    sqlite3_stmt *s = NULL;
    enum rc rc = f->lead ? db_query(&r->db, &s, SQL_EVENT_LIST_OF_LEAD, "iitdi", f->lead, before,
                                    f->source, state, f->span ? f->span : INT64_MAX)
                         : db_query(&r->db, &s, SQL_EVENT_LIST, "itd", before, f->source, state);

    return rc == RC_OK ? show(&r->db, s, f, seen, self) : rc;
}

enum rc read_lead_history(struct reader *r, int64_t lead, int64_t received_by, event_seen *seen,
                          void *self)
{
    const struct list_filter all = {.limit = INT64_MAX};
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_EVENT_HISTORY, "ii", lead, received_by);

    return rc == RC_OK ? show(&r->db, s, &all, seen, self) : rc;
}
