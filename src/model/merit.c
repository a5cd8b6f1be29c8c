/* merit.c - which columns come first where there is no room for all. */
#include <stdlib.h>

#include "learn.h"

struct placed {
    const struct learn_column *column;
    size_t at;
};

static int by_merit(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->column->keep != y->column->keep)
        return x->column->keep ? -1 : 1;
    if (x->column->tells != y->column->tells)
        return x->column->tells < y->column->tells ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

void merit_order(const struct learn_column *const columns[], size_t n, size_t ret[])
{
    AUTO(mem_freep) struct placed *p = mem_array(n + 1, sizeof *p);

    for (size_t i = 0; i < n; i++)
        p[i] = (struct placed){columns[i], i};
    qsort(p, n, sizeof *p, by_merit);
    for (size_t i = 0; i < n; i++)
        ret[i] = p[i].at;
}
