/* tests/unit/fake_queue.h - the store as the deliverer sees it: deliveries in an array.
 *
 * Defines the read_* functions of store.h themselves; one test program includes it once.
 */
#ifndef FUNNELD_TESTS_FAKE_QUEUE_H
#define FUNNELD_TESTS_FAKE_QUEUE_H

#include <stdlib.h>

#include "funneld/store/store.h"

enum { FAKE_ROWS = 20000 };

static struct delivery fake_rows[FAKE_ROWS];
static size_t fake_n;              /* ids are 1 .. fake_n */
static enum rc fake_read_error;    /* what every read answers; RC_OK: the truth */
static int fake_scans, fake_looks; /* read_due, read_due_of_lead */

static inline void fake_clear(void)
{
    for (size_t i = 0; i < fake_n; i++)
        fake_rows[i] = (struct delivery){0};
    fake_n = 0;
    fake_scans = 0;
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

static inline bool fake_is_head(const struct delivery *d)
{
    if (d->state != DELIVERY_PENDING)
        return false;
    for (const struct delivery *o = fake_rows; o < d; o++)
        if (o->state == DELIVERY_PENDING && o->lead == d->lead && o->target == d->target &&
            str_eq(o->connector, d->connector))
            return false;
    return true;
}

static int fake_by_due(const void *left, const void *right)
{
    const struct due_row *a = left, *b = right;

    if (a->due_at != b->due_at)
        return a->due_at < b->due_at ? -1 : 1;
    return a->id < b->id ? -1 : 1;
}

enum rc read_due(struct reader *r, struct str connector, bool urgent, size_t limit,
                 struct due_row ret[], size_t *ret_n)
{
    static struct due_row heads[FAKE_ROWS];
    size_t n = 0;

    (void)r;
    fake_scans++;
    if (fake_read_error)
        return fake_read_error;
    for (size_t i = 0; i < fake_n; i++)
        if (str_eq(fake_rows[i].connector, connector) && fake_rows[i].urgent == urgent &&
            fake_is_head(&fake_rows[i]))
            heads[n++] = fake_due_row(&fake_rows[i]);
    qsort(heads, n, sizeof *heads, fake_by_due);
    *ret_n = n < limit ? n : limit;
    for (size_t i = 0; i < *ret_n; i++)
        ret[i] = heads[i];
    return RC_OK;
}

enum rc read_due_of_lead(struct reader *r, struct str connector, int64_t lead, int64_t target,
                         struct due_row *ret)
{
    (void)r;
    fake_looks++;
    if (fake_read_error)
        return fake_read_error;
    for (size_t i = 0; i < fake_n; i++)
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
