/* store/sqlite/waiting.c - which deliveries wait for a lead, in the lead's row.
 *
 * A JSON list of ids, rising; one that has ended stays until the list is pruned, which happens as
 * it grows, so that the end of a delivery need not touch the lead. It never gets long: each event
 * of the lead reads and writes it. Whatever is pending and finds no room in it is of the crowd,
 * which has an index.
 */
#include "db.h"

enum { PRUNE_FROM = 8, LIST_MAX = 64 }; /* ids; in between each time they have doubled */

static size_t count(struct str list)
{
    size_t n = list.len > 2;

    for (size_t i = 0; i < list.len; i++)
        n += list.at[i] == ',';
    return n;
}

static bool is_time_to_prune(size_t n)
{
    return n >= LIST_MAX || (n >= PRUNE_FROM && (n & (n - 1)) == 0);
}

static enum rc prune(struct store *st, struct lead *lead, struct arena *a)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(store_db(st), &s, SQL_LEAD_WAITING, "t", lead->waiting);

    if (rc == RC_OK)
        lead->waiting = col_str(s, 0, a);
    db_end(s);
    return rc;
}

enum rc waiting_room(struct store *st, struct lead *lead, struct arena *a, bool *ret)
{
    enum rc rc = is_time_to_prune(count(lead->waiting)) ? prune(st, lead, a) : RC_OK;

    if (rc == RC_OK)
        *ret = count(lead->waiting) < LIST_MAX;
    return rc;
}

void waiting_add(struct lead *lead, int64_t id, struct arena *a)
{
    struct str known =
        lead->waiting.len > 2 ? str_cut(lead->waiting, lead->waiting.len - 1) : STR("[");

    lead->waiting =
        arena_printf(a, "%.*s%s%lld]", STR_ARG(known), known.len > 1 ? "," : "", (long long)id);
}

/* The list is too long: what is behind the last that has room is of the crowd. */
static enum rc cut(struct store *st, struct lead *lead, struct arena *a)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_run(store_db(st), SQL_DELIVERY_CROWD, "td", lead->waiting, LIST_MAX);

    if (rc == RC_OK)
        rc = db_first(store_db(st), &s, SQL_LEAD_WAITING_FIRST, "td", lead->waiting, LIST_MAX);
    if (rc == RC_OK)
        lead->waiting = col_str(s, 0, a);
    db_end(s);
    return rc;
}

/* Both lists rise, and so does what is made of them. */
enum rc waiting_move(struct store *st, struct lead *from, struct lead *into, struct arena *a)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = from->waiting.len > 2 ? db_first(store_db(st), &s, SQL_LEAD_WAITING_BOTH, "tt",
                                                  from->waiting, into->waiting)
                                       : RC_NONE;

    if (rc == RC_OK)
        into->waiting = col_str(s, 0, a);
    db_end(s);
    from->waiting = STR_NULL;
    if (rc == RC_OK && count(into->waiting) > LIST_MAX)
        return cut(st, into, a);
    return rc == RC_NONE ? RC_OK : rc;
}
