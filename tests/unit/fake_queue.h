/* tests/unit/fake_queue.h - the store as the deliverer sees it: deliveries in an array.
 *
 * Defines the read_* functions of store.h themselves; one test program includes it once.
 */
#ifndef FUNNELD_TESTS_FAKE_QUEUE_H
#define FUNNELD_TESTS_FAKE_QUEUE_H

#include <stdlib.h>

#include "funneld/base/idmap.h"
#include "funneld/store/store.h"

enum { FAKE_ROWS = 60000 };

static struct delivery fake_rows[FAKE_ROWS];
static size_t fake_n;              /* ids are 1 .. fake_n */
static enum rc fake_read_error;    /* what every read answers; RC_OK: the truth */
static int fake_scans, fake_looks; /* read_due, read_due_of_lead */
static size_t fake_ended_n;        /* as many rows at the front have ended for good */
static int64_t fake_ended;         /* a subscription that is not there any more */
static int64_t fake_seen;          /* rows that read_due looked at */

static inline void fake_clear(void)
{
    for (size_t i = 0; i < fake_n; i++)
        fake_rows[i] = (struct delivery){0};
    fake_n = 0;
    fake_scans = 0;
    fake_seen = 0;
    fake_ended_n = 0;
    fake_read_error = RC_OK;
}

static inline struct delivery *fake_row(int64_t id)
{
    return id >= 1 && id <= (int64_t)fake_n ? &fake_rows[id - 1] : NULL;
}

static inline struct due_row fake_due_row(const struct delivery *d)
{
    return due_row_of(d);
}

static inline struct due_row fake_add(const char *connector, int64_t lead, int64_t due_at)
{
    struct delivery *d = &fake_rows[fake_n++];

    *d = (struct delivery){.id = (int64_t)fake_n,
                           .lead = lead,
                           .event = 1000 + (int64_t)fake_n,
                           .route = STR("hot"),
                           .connector = str_of(connector),
                           .created_at = due_at,
                           .due_at = due_at};
    return fake_due_row(d);
}

static inline int fake_by_due(const void *left, const void *right)
{
    const struct due_row *a = left, *b = right;

    if (a->due_at != b->due_at)
        return a->due_at < b->due_at ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static inline size_t fake_first(void)
{
    while (fake_ended_n < fake_n && fake_rows[fake_ended_n].state != DELIVERY_PENDING)
        fake_ended_n++;
    return fake_ended_n;
}

/* What waits for the connector, in order of its time; which of them are heads, the map says. */
static inline size_t fake_pending(const struct due_scan *scan, struct idmap *heads,
                                  struct due_row ret[])
{
    size_t n = 0;

    for (size_t i = fake_first(); i < fake_n; i++) {
        struct due_row row = fake_due_row(&fake_rows[i]);

        if (fake_rows[i].state != DELIVERY_PENDING ||
            !str_eq(fake_rows[i].connector, scan->connector))
            continue;
        if (!idmap_find(heads, due_key(&row)))
            idmap_set(heads, due_key(&row), row.id);
        if (row.urgent == scan->urgent && row.target == scan->target)
            ret[n++] = row;
    }
    qsort(ret, n, sizeof *ret, fake_by_due);
    return n;
}

enum rc read_due(struct reader *r, struct due_scan *scan, size_t limit, struct due_row ret[],
                 size_t *ret_n)
{
    static struct due_row rows[FAKE_ROWS];
    struct idmap heads = {0};
    const struct due_row from = {.id = scan->id, .due_at = scan->due_at};
    size_t n = 0, seen = 0;

    (void)r;
    fake_scans++;
    if (fake_read_error)
        return fake_read_error;
    size_t all = scan->target && scan->target == fake_ended ? 0 : fake_pending(scan, &heads, rows);
    size_t i = 0;
    while (i < all && scan->id && fake_by_due(&rows[i], &from) <= 0)
        i++;
    for (; i < all && n < limit && seen < DUE_ROWS_MAX; i++, seen++) {
        scan->due_at = rows[i].due_at;
        scan->id = rows[i].id;
        if (*idmap_find(&heads, due_key(&rows[i])) == rows[i].id)
            ret[n++] = rows[i];
    }
    scan->done = i == all && n < limit && seen < DUE_ROWS_MAX;
    scan->looked_at = seen;
    fake_seen += (int64_t)seen;
    idmap_free(&heads);
    *ret_n = n;
    return RC_OK;
}

enum rc read_targets(struct reader *r, struct str connector, struct arena *a, int64_t **ret,
                     size_t *ret_n)
{
    struct idmap seen = {0};

    (void)r;
    if (fake_read_error)
        return fake_read_error;
    *ret = arena_array(a, fake_n, sizeof **ret);
    *ret_n = 0;
    for (size_t i = 0; i < fake_n; i++) {
        int64_t target = fake_rows[i].target;

        if (fake_rows[i].state != DELIVERY_PENDING || !str_eq(fake_rows[i].connector, connector) ||
            !target || target == fake_ended || idmap_find(&seen, target))
            continue;
        idmap_set(&seen, target, 1);
        (*ret)[(*ret_n)++] = target;
    }
    idmap_free(&seen);
    return RC_OK;
}

enum rc read_due_of_lead(struct reader *r, struct str connector, int64_t lead, int64_t target,
                         struct due_row *ret)
{
    (void)r;
    fake_looks++;
    if (fake_read_error)
        return fake_read_error;
    for (size_t i = fake_first(); i < fake_n; i++)
        if (fake_rows[i].state == DELIVERY_PENDING && fake_rows[i].lead == lead &&
            fake_rows[i].target == target && str_eq(fake_rows[i].connector, connector)) {
            *ret = fake_due_row(&fake_rows[i]);
            return RC_OK;
        }
    return RC_NONE;
}

static bool fake_paused;

enum rc read_paused(struct reader *r, struct str connector, bool *ret)
{
    (void)r;
    (void)connector;
    *ret = fake_paused;
    return fake_read_error;
}

enum rc read_queue(struct reader *r, struct str connector, int64_t *ret_depth,
                   int64_t *ret_oldest_created_at)
{
    (void)r;
    if (fake_read_error)
        return fake_read_error;
    *ret_depth = *ret_oldest_created_at = 0;
    for (size_t i = 0; i < fake_n; i++)
        *ret_depth +=
            fake_rows[i].state == DELIVERY_PENDING && str_eq(fake_rows[i].connector, connector);
    return RC_OK;
}

#endif
