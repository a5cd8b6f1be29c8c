/* store/sqlite/retention.c - what is old goes, a slice at a time.
 *
 * Ids rise with the time of receipt, so the events that go are the first ones of the table, and
 * those of a lead are the end of its chain: a `prev` that leads to an event which is gone is where
 * the chain ends. An event that is spared, because one of its deliveries has not ended, would be
 * cut off when a newer one goes; then the lead's chain is linked anew around those that go.
 */
#include "db.h"

#include <stdio.h>
#include <string.h>

/* *ret_to: before the first that was received since; one from the future is passed over, and is not
 * *ret_last. */
static enum rc next_range(struct store *st, int64_t before, int64_t now, size_t limit,
                          int64_t *ret_to, int64_t *ret_last, int64_t *ret_received_at)
{
    struct db *db = store_db(st);
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(db, &s, SQL_PURGE_RANGE, "ii", st->purged_to, (int64_t)limit);

    *ret_to = *ret_last = 0;
    *ret_received_at = 0;
    while (rc == RC_OK && (rc = db_step(db, s)) == RC_OK) {
        int64_t received_at = sqlite3_column_int64(s, 1);

        if (received_at >= before && received_at <= now)
            break;
        *ret_to = sqlite3_column_int64(s, 0);
        if (received_at >= before)
            continue;
        *ret_last = *ret_to;
        if (received_at > *ret_received_at)
            *ret_received_at = received_at;
    }
    return db_finish(s, rc);
}

static enum rc link_around(struct db *db, int64_t from, int64_t to, int64_t before)
{
    struct arena a AUTO(arena_free) = {0};
    int64_t *leads = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(db, &s, SQL_PURGE_CUT, "iii", from, to, before);

    while (rc == RC_OK && (rc = db_step(db, s)) == RC_OK) {
        leads = arena_more(&a, leads, n, &cap, sizeof *leads);
        leads[n++] = sqlite3_column_int64(s, 0);
    }
    rc = db_finish(s, rc);
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        rc = db_run(db, SQL_PURGE_RELINK, "iiii", from, to, before, leads[i]);
        if (rc == RC_OK)
            rc = db_run(db, SQL_PURGE_REHEAD, "iiii", from, to, before, leads[i]);
    }
    return rc;
}

static enum rc set_number(struct db *db, const char *key, int64_t value)
{
    char text[INT64_TEXT];

    return db_run(db, SQL_META_SET, "tt", str_of(key), str_of_int64(value, text));
}

/* The audit wants to know which events may be missing, whoever asks for the past what time. */
static enum rc remember(struct store *st, const char *key, int64_t value)
{
    int64_t known = 0;
    enum rc rc = db_number(store_db(st), key, &known);

    return rc != RC_OK || known >= value ? rc : set_number(store_db(st), key, value);
}

enum rc store_purge_events(struct store *st, int64_t before, int64_t now, size_t limit,
                           bool *ret_done)
{
    static const enum statement purges[] = {SQL_PURGE_ATTEMPTS, SQL_PURGE_DELIVERIES,
                                            SQL_PURGE_EVENTS};
    struct db *db = store_db(st);
    int64_t from = st->purged_to + 1, to = 0, last = 0, received_at = 0;
    enum rc rc = next_range(st, before, now, limit, &to, &last, &received_at);

    if (rc == RC_OK && !to) {
        st->purged_to = 0;
        *ret_done = true;
        return RC_OK;
    }
    if (rc == RC_OK)
        rc = link_around(db, from, to, before);
    for (size_t i = 0; i < ARRAY_LEN(purges) && rc == RC_OK; i++)
        rc = db_run(db, purges[i], "iii", from, to, before);
    if (rc == RC_OK)
        rc = remember(st, "purged", received_at);
    if (rc == RC_OK)
        rc = remember(st, "purged_to", last);
    if (rc != RC_OK)
        return rc;
    st->purged_to = to; /* after a rollback the next round comes by again */
    *ret_done = false;
    return RC_OK;
}

/* A key begins with its event's own time, so that old ones stand together; one that arrived late
 * still has its event and stays. */
enum rc store_purge_dedupe(struct store *st, int64_t before, size_t limit, bool *ret_done)
{
    struct db *db = store_db(st);
    static const uint8_t first_hash[SHA256_LEN];
    const struct dedupe_key end = dedupe_key_of(before, first_hash);
    struct dedupe_key last = end;
    const size_t size = sizeof end.bytes;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(db, &s, SQL_PURGE_KEYS, "bbi", st->purged_key.bytes, size, end.bytes,
                          size, (int64_t)limit - 1);
    bool more = rc == RC_OK && sqlite3_column_bytes(s, 0) == (int)size;

    if (more)
        memcpy(last.bytes, sqlite3_column_blob(s, 0), size);
    rc = db_finish(s, rc);
    if (rc == RC_OK)
        rc = db_run(db, SQL_PURGE_DEDUPE, "bb", st->purged_key.bytes, size, last.bytes, size);
    if (rc != RC_OK)
        return rc;
    st->purged_key = more ? last : (struct dedupe_key){0};
    *ret_done = !more;
    return RC_OK;
}

/* At `before`, not now: a score of any moment since then can still be rebuilt. */
static bool faded(const struct ledger_row *row, int64_t before)
{
    return row->half_life_ms > 0 && row->received_at < before && row->occurred_at <= before &&
           ledger_worth(row, before) == 0;
}

/* Of the firings, those that stay, in their place; *ret_n: how many. */
static enum rc keep_unfaded(struct db *db, struct firing *firings, size_t n, int64_t before,
                            size_t *ret_n)
{
    size_t kept = 0;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        struct ledger_row row;

        rc = ledger_row_of(db, &firings[i], &row);
        if (rc == RC_OK && !faded(&row, before))
            firings[kept++] = firings[i];
    }
    if (rc == RC_OK)
        *ret_n = kept;
    return rc;
}

enum rc read_faded(struct reader *r, int64_t *after, int64_t before, size_t limit, int64_t ret[],
                   size_t *ret_n)
{
    struct arena a AUTO(arena_free) = {0};
    size_t found = 0;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_LEDGERS, "i", *after);

    for (size_t seen = 0; seen < limit && rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK;
         seen++) {
        struct firing *firings;
        size_t n = 0, kept = 0;

        arena_reset(&a);
        *after = sqlite3_column_int64(s, 0);
        rc = firings_read(col_view(s, 1), &a, &firings, &n);
        if (rc == RC_OK)
            rc = keep_unfaded(&r->db, firings, n, before, &kept);
        if (rc == RC_OK && kept < n)
            ret[found++] = *after;
        if (rc == RC_INVALID) /* the audit tells of it */
            rc = RC_OK;
    }
    rc = db_finish(s, rc);
    if (rc == RC_OK)
        *ret_n = found;
    return rc;
}

enum rc store_purge_ledger(struct store *st, int64_t lead, int64_t before)
{
    struct arena a AUTO(arena_free) = {0};
    struct firing *firings = NULL;
    struct lead l;
    size_t n = 0, kept = 0;
    enum rc rc = read_lead(&st->reader, lead, &a, &l);

    if (rc == RC_OK)
        rc = firings_of(store_db(st), &l, &a, &firings, &n);
    if (rc == RC_OK)
        rc = keep_unfaded(store_db(st), firings, n, before, &kept);
    if (rc == RC_NONE || rc == RC_INVALID || (rc == RC_OK && kept == n))
        return RC_OK; /* it is gone meanwhile, or the audit tells of it */
    if (rc != RC_OK)
        return rc;
    rc = firings_write(st, firings, kept, &a, &l);
    if (rc == RC_OK)
        rc = store_lead_save(st, &l);
    return rc == RC_OK ? remember(st, "purged", before) : rc;
}

enum rc read_purged(struct reader *r, int64_t *ret_received_at)
{
    return db_number(&r->db, "purged", ret_received_at);
}

enum rc store_trust(struct store *st, int64_t now_ms, int64_t doubted_ms)
{
    enum rc rc = set_number(store_db(st), "trusted", now_ms);

    return rc == RC_OK ? set_number(store_db(st), "doubted", doubted_ms) : rc;
}

enum rc read_trusted(struct reader *r, int64_t *ret_now_ms, int64_t *ret_doubted_ms)
{
    int64_t doubted = 0;
    enum rc rc = db_number(&r->db, "doubted", &doubted);

    if (rc == RC_OK)
        rc = db_number(&r->db, "trusted", ret_now_ms);
    if (rc == RC_OK)
        *ret_doubted_ms = doubted;
    return rc;
}

enum rc store_vacuum(struct store *st, int pages, bool *ret_done)
{
    struct db *db = store_db(st);
    int64_t unused = 0, all = 0, left = 0;
    char sql[64];
    enum rc rc = db_count(db, SQL_FREE_PAGES, &unused);

    if (rc == RC_OK)
        rc = db_count(db, SQL_PAGE_COUNT, &all);
    if (rc != RC_OK)
        return rc;
    *ret_done = unused <= all / 8;
    if (*ret_done)
        return RC_OK;
    (void)!snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", pages);
    rc = db_exec(db, sql);
    if (rc == RC_OK)
        rc = db_count(db, SQL_FREE_PAGES, &left);
    *ret_done = left >= unused; /* a file that was made otherwise gives nothing back */
    return rc;
}
