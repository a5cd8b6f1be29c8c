/* deliver/dueq_priv.h - the heads that wait, the earliest first; at most one of each due_key.
 *
 * Pure: reads no clock, takes no lock, logs nothing. One thread owns a dueq. Only dueq_add can
 * fail, and a failed add changes nothing.
 */
#ifndef FUNNELD_DELIVER_DUEQ_H
#define FUNNELD_DELIVER_DUEQ_H

#include "funneld/base/idmap.h"
#include "funneld/store/work.h"

/* Ordered by (due_at, id). */
struct dueq {
    struct due_row *heap;
    size_t n, cap, max;
    struct idmap places; /* due_key -> index in heap */
};

#define DUEQ(max_rows)                                                                             \
    {                                                                                              \
        .max = (max_rows)                                                                          \
    }

MUST_CHECK enum rc dueq_add(struct dueq *q,
                            struct due_row row); /* RC_EXISTS: its key; RC_BUSY: full */
const struct due_row *dueq_find(const struct dueq *q, int64_t key); /* NULL: none of this key */
const struct due_row *dueq_first(const struct dueq *q);             /* NULL: empty */
/* How many are due, counted up to `most`. */
size_t dueq_count_due(const struct dueq *q, int64_t now_ms, size_t most);
bool dueq_remove(struct dueq *q, int64_t key);
void dueq_clear(struct dueq *q);
void dueq_free(struct dueq *q);

#endif
