/* deliver/dueq.c - a binary heap that knows where each lead's row is. */
#include "dueq_priv.h"

#include <stdlib.h>

static bool before(const struct due_row *a, const struct due_row *b)
{
    return a->due_at != b->due_at ? a->due_at < b->due_at : a->id < b->id;
}

static void place(struct dueq *q, size_t i, struct due_row row)
{
    q->heap[i] = row;
    idmap_set(&q->places, due_key(&row), (int64_t)i);
}

static void sift_up(struct dueq *q, size_t i, struct due_row row)
{
    while (i > 0 && before(&row, &q->heap[(i - 1) / 2])) {
        place(q, i, q->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(q, i, row);
}

static void sift_down(struct dueq *q, size_t i, struct due_row row)
{
    for (size_t child; (child = 2 * i + 1) < q->n; i = child) {
        if (child + 1 < q->n && before(&q->heap[child + 1], &q->heap[child]))
            child++;
        if (!before(&q->heap[child], &row))
            break;
        place(q, i, q->heap[child]);
    }
    place(q, i, row);
}

enum rc dueq_add(struct dueq *q, struct due_row row)
{
    if (idmap_find(&q->places, due_key(&row)))
        return RC_EXISTS;
    if (q->n >= q->max)
        return RC_BUSY;
    if (q->n == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 16;
        q->heap = mem_grow(q->heap, q->cap, sizeof *q->heap);
    }
    q->n++;
    sift_up(q, q->n - 1, row);
    return RC_OK;
}

const struct due_row *dueq_find(const struct dueq *q, int64_t key)
{
    const int64_t *i = idmap_find(&q->places, key);

    return i ? &q->heap[*i] : NULL;
}

const struct due_row *dueq_first(const struct dueq *q)
{
    return q->n ? &q->heap[0] : NULL;
}

/* Below one that is not due none is: what has to be looked at is a little more than what is due. */
static size_t count_due(const struct dueq *q, size_t i, int64_t now_ms, size_t most)
{
    if (most == 0 || i >= q->n || q->heap[i].due_at > now_ms)
        return 0;
    size_t n = 1 + count_due(q, 2 * i + 1, now_ms, most - 1);
    return n + count_due(q, 2 * i + 2, now_ms, most - n);
}

size_t dueq_count_due(const struct dueq *q, int64_t now_ms, size_t most)
{
    return count_due(q, 0, now_ms, most);
}

bool dueq_remove(struct dueq *q, int64_t key)
{
    const int64_t *found = idmap_find(&q->places, key);

    if (!found)
        return false;

    size_t i = (size_t)*found;
    struct due_row last = q->heap[--q->n];
    (void)idmap_remove(&q->places, key); /* it was found just now */
    if (i == q->n)
        return true;
    if (i > 0 && before(&last, &q->heap[(i - 1) / 2]))
        sift_up(q, i, last);
    else
        sift_down(q, i, last);
    return true;
}

void dueq_clear(struct dueq *q)
{
    q->n = 0;
    idmap_clear(&q->places);
}

void dueq_free(struct dueq *q)
{
    free(q->heap);
    idmap_free(&q->places);
    *q = (struct dueq){.max = q->max};
}
