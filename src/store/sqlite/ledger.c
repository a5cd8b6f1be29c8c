/* store/sqlite/ledger.c - firings of engagement rules, in their lead's row; rule sets of the past.
 *
 * JSON, in the order of the events: [[event,terms,occurred_at,late],...], where received_at is
 * occurred_at + late. A score takes all of a lead's firings each time one of its events comes, and
 * then its row is read and written anyway. For people and for SQL there is the view `ledger`.
 */
#include "db.h"

#include <assert.h>
#include <stdio.h>

static bool take_firing(struct str *rest, struct firing *ret)
{
    int64_t late = 0;
    bool ok = str_take(rest, '[') && str_take_int64(rest, ',', &ret->event) &&
              str_take_int64(rest, ',', &ret->terms) &&
              str_take_int64(rest, ',', &ret->occurred_at) && str_take_int64(rest, ']', &late);
    if (ok)
        ret->received_at = (int64_t)((uint64_t)ret->occurred_at + (uint64_t)late);
    return ok;
}

enum rc firings_read(struct str json, struct arena *a, struct firing **ret, size_t *ret_n)
{
    struct firing *at = NULL;
    size_t n = 0, cap = 0;
    struct str rest = json;
    bool ok = str_take(&rest, '['), end = ok && str_is(rest, "]");

    while (ok && !end) {
        at = arena_more(a, at, n, &cap, sizeof *at);
        ok = take_firing(&rest, &at[n]) && (n == 0 || at[n].event >= at[n - 1].event);
        n++;
        end = ok && str_is(rest, "]");
        ok = ok && (end || str_take(&rest, ','));
    }
    if (!ok)
        return RC_INVALID;
    *ret = at;
    *ret_n = n;
    return RC_OK;
}

static void add_firing(struct sbuf *b, const struct firing *f)
{
    /* Unsigned: a sender may date an event anywhere. */
    const int64_t late = (int64_t)((uint64_t)f->received_at - (uint64_t)f->occurred_at);
    const int64_t numbers[] = {f->event, f->terms, f->occurred_at, late};

    if (b->len > 1)
        sbuf_char(b, ',');
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        sbuf_char(b, i ? ',' : '[');
        sbuf_int(b, numbers[i]);
    }
    sbuf_char(b, ']');
}

static enum rc seal(struct sbuf *b, struct arena *a, struct lead *lead)
{
    sbuf_char(b, ']');
    return sbuf_seal(b, a, &lead->ledger);
}

enum rc firings_write(struct store *st, const struct firing *at, size_t n, struct arena *a,
                      struct lead *lead)
{
    struct sbuf *b = &st->ledger;

    sbuf_reset(b);
    sbuf_char(b, '[');
    for (size_t i = 0; i < n; i++)
        add_firing(b, &at[i]);
    return seal(b, a, lead);
}

static enum rc firing_of(struct store *st, const struct ledger_row *row, struct firing *ret)
{
    *ret = (struct firing){
        .event = row->event, .occurred_at = row->occurred_at, .received_at = row->received_at};
    return terms_id(st, row, &ret->terms);
}

/* By event; those of one event as they stand, x before y. */
static struct firing *merge(const struct firing *x, size_t n_x, const struct firing *y, size_t n_y,
                            struct arena *a)
{
    struct firing *both = arena_array(a, n_x + n_y, sizeof *both);
    size_t i = 0, k = 0;

    while (i < n_x || k < n_y) {
        bool from_x = k == n_y || (i < n_x && x[i].event <= y[k].event);

        both[i + k] = from_x ? x[i] : y[k];
        *(from_x ? &i : &k) += 1;
    }
    return both;
}

enum rc store_ledger_add_all(struct store *st, struct lead *lead, const struct ledger_row *rows,
                             size_t n, struct arena *a)
{
    struct firing *known = NULL, *new = arena_array(a, n, sizeof *new);
    size_t n_known = 0;
    enum rc rc = n ? firings_of(store_db(st), lead, a, &known, &n_known) : RC_OK;

    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        assert(i == 0 || rows[i].event >= rows[i - 1].event);
        rc = firing_of(st, &rows[i], &new[i]);
    }
    if (rc != RC_OK || !n)
        return rc;
    const struct firing *all = merge(known, n_known, new, n, a);
    return firings_write(st, all, n_known + n, a, lead);
}

enum rc store_ledger_add(struct store *st, struct lead *lead, const struct ledger_row *row,
                         struct arena *a)
{
    struct str known = lead->ledger.len ? lead->ledger : STR("[]");
    struct firing f;

    if (row->event < lead->last_event)
        return store_ledger_add_all(st, lead, row, 1, a);
    enum rc rc = firing_of(st, row, &f);
    if (rc != RC_OK)
        return rc;
    sbuf_reset(&st->ledger);
    sbuf_add(&st->ledger, (struct str){known.at, known.len - 1});
    add_firing(&st->ledger, &f);
    return seal(&st->ledger, a, lead);
}

enum rc firings_of(struct db *db, const struct lead *lead, struct arena *a, struct firing **ret,
                   size_t *ret_n)
{
    enum rc rc = lead->ledger.len ? firings_read(lead->ledger, a, ret, ret_n) : RC_OK;

    if (rc != RC_OK)
        (void)!snprintf(db->error, sizeof db->error, "the ledger of lead %lld cannot be read",
                        (long long)lead->id);
    return rc;
}

enum rc ledger_row_of(struct db *db, const struct firing *f, struct ledger_row *ret)
{
    const struct terms *terms = NULL;
    enum rc rc = terms_get(db, f->terms, &terms);

    if (rc == RC_NONE)
        (void)!snprintf(db->error, sizeof db->error, "a ledger names terms %lld, which are missing",
                        (long long)f->terms);
    if (rc != RC_OK)
        return rc == RC_NONE ? RC_INVALID : rc;
    *ret = terms->row;
    ret->event = f->event;
    ret->occurred_at = f->occurred_at;
    ret->received_at = f->received_at;
    return RC_OK;
}

enum rc read_ledger(struct reader *r, const struct lead *lead, int64_t received_by, struct arena *a,
                    struct ledger_row **ret, size_t *ret_n)
{
    struct firing *firings = NULL;
    size_t n = 0, n_rows = 0;
    enum rc rc = firings_of(&r->db, lead, a, &firings, &n);

    if (rc != RC_OK)
        return rc;
    struct ledger_row *rows = arena_array(a, n, sizeof *rows);
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        if (firings[i].received_at <= received_by)
            rc = ledger_row_of(&r->db, &firings[i], &rows[n_rows++]);
    if (rc != RC_OK)
        return rc;
    *ret = rows;
    *ret_n = n_rows;
    return RC_OK;
}

enum rc ledger_move(struct store *st, struct lead *from, struct lead *into, struct arena *a)
{
    struct firing *x = NULL, *y = NULL;
    size_t n_x = 0, n_y = 0;
    enum rc rc = firings_of(store_db(st), from, a, &x, &n_x);

    if (rc == RC_OK)
        rc = firings_of(store_db(st), into, a, &y, &n_y);
    if (rc != RC_OK)
        return rc;
    from->ledger = STR_NULL;
    return firings_write(st, merge(x, n_x, y, n_y, a), n_x + n_y, a, into);
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
