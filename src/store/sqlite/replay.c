/* store/sqlite/replay.c - stored events that take effect later than they came; finding them. */
#include "db.h"

/* Where event `id` belongs in the lead's chain: *ret_newer stands on it (0: it is the newest), it
 * stands on *ret_older. */
static enum rc place(struct db *db, const struct lead *lead, int64_t id, int64_t *ret_newer,
                     int64_t *ret_older)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = RC_NONE;

    *ret_newer = 0;
    *ret_older = lead->last_event < id ? lead->last_event : 0;
    if (lead->last_event > id)
        rc = db_first(db, &s, SQL_EVENT_NEWER, "ii", lead->last_event, id);
    if (rc == RC_OK) {
        *ret_newer = sqlite3_column_int64(s, 0);
        *ret_older = sqlite3_column_int64(s, 1);
    }
    return db_finish(s, rc);
}

enum rc store_event_take(struct store *st, int64_t id, struct lead *lead, const struct event *e,
                         bool keep_body, int64_t now_ms)
{
    struct db *db = store_db(st);
    int64_t newer, older, rows = 0;
    uint8_t hash[SHA256_LEN];

    sha256(&e->body, 1, hash);
    enum rc rc = place(db, lead, id, &newer, &older);
    if (rc == RC_OK)
        rc = db_change(db, &rows, SQL_EVENT_TAKE, "iintiitb", id, lead->id, older,
                       e->type.at ? e->type : STR(""), e->occurred_at, now_ms,
                       keep_body ? e->body : STR_NULL, hash, sizeof hash);
    if (rc == RC_OK && rows == 0)
        return RC_NONE;
    if (rc == RC_OK && newer)
        rc = db_run(db, SQL_EVENT_HANG, "ii", newer, id);
    if (rc == RC_OK && !newer)
        lead->last_event = id;
    return rc;
}

enum rc store_event_restate(struct store *st, int64_t id, const struct event *e)
{
    return db_run(store_db(st), SQL_EVENT_RESTATE, "itdt", id, e->type.at ? e->type : STR(""),
                  (int)e->state, e->reason);
}

/* The ids in the first column; a full answer ends at the last of them, one that is not at *to. */
static enum rc take_ids(struct db *db, sqlite3_stmt *s, size_t room, int64_t *to, int64_t ret[],
                        size_t *ret_n)
{
    size_t n = 0;
    enum rc rc = RC_OK;

    while (n < room && (rc = db_step(db, s)) == RC_OK)
        ret[n++] = sqlite3_column_int64(s, 0);
    rc = db_finish(s, rc);
    if (rc != RC_OK)
        return rc;
    if (n == room)
        *to = ret[n - 1];
    *ret_n = n;
    return RC_OK;
}

static int64_t end_of_span(int64_t after, int64_t span, int64_t last)
{
    return after < last - span ? after + span : last;
}

enum rc read_untaken(struct reader *r, const struct untaken_filter *f, int64_t span, size_t room,
                     int64_t *after, int64_t ret[], size_t *ret_n, bool *ret_end)
{
    int state = f->state == EVENT_PROCESSED ? EVERY_STATE : f->state;
    int64_t last = 0, to;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_count(&r->db, SQL_EVENT_LAST_ID, &last);

    to = end_of_span(*after, span, last);
    if (rc == RC_OK)
        rc = db_query(&r->db, &s, SQL_EVENT_UNTAKEN, "iidtiii", *after, to, state, f->source,
                      f->since, f->until, (int64_t)room);
    if (rc == RC_OK)
        rc = take_ids(&r->db, s, room, &to, ret, ret_n);
    if (rc != RC_OK)
        return rc;
    *after = to;
    *ret_end = to >= last;
    return RC_OK;
}

enum rc read_leads_heard_of(struct reader *r, int64_t since, int64_t span, size_t room,
                            int64_t *after, int64_t ret[], size_t *ret_n, bool *ret_end)
{
    int64_t last = 0, to;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_count(&r->db, SQL_LEAD_LAST_ID, &last);

    to = end_of_span(*after, span, last);
    if (rc == RC_OK)
        rc = db_query(&r->db, &s, SQL_LEAD_HEARD_OF, "iiii", *after, to, since, (int64_t)room);
    if (rc == RC_OK)
        rc = take_ids(&r->db, s, room, &to, ret, ret_n);
    if (rc != RC_OK)
        return rc;
    *after = to;
    *ret_end = to >= last;
    return RC_OK;
}
