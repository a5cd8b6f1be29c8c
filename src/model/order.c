/* order.c - rows in the order of time, levels by how many rows have them; each order is the only
 * one.
 */
#include <stdlib.h>

#include "learn.h"

static int by_moment(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

void moments_sort(struct moment m[], size_t n)
{
    if (n)
        qsort(m, n, sizeof *m, by_moment);
}

static int by_count(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->level > y->level) - (x->level < y->level);
}

void ranked_sort(struct ranked r[], size_t n)
{
    if (n)
        qsort(r, n, sizeof *r, by_count);
}
