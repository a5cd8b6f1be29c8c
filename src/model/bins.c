/* bins.c - any column as a small number for each row, for looking at it quickly. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Limits between quantiles of the values; equal ones are one. */
static size_t limits(const double value[], size_t n, size_t max, double sorted[], double ret[])
{
    size_t m = 0, k = 0;

    for (size_t i = 0; i < n; i++)
        if (!isnan(value[i]))
            sorted[m++] = value[i];
    qsort(sorted, m, sizeof *sorted, by_value);
    for (size_t q = 1; q < max && m; q++) {
        double limit = sorted[q * m / max];

        if (limit > sorted[0] && (!k || limit > ret[k - 1]))
            ret[k++] = limit;
    }
    return k;
}

/* How many of the rising limits are not above x. */
static size_t n_at_most(const double limit[], size_t k, double x)
{
    size_t low = 0;

    while (low < k) {
        size_t middle = low + (k - low) / 2;

        if (limit[middle] <= x)
            low = middle + 1;
        else
            k = middle;
    }
    return low;
}

static size_t number_bins(const struct lesson *l, const struct learn_column *c, size_t max,
                          uint32_t ret[])
{
    AUTO(mem_freep) double *sorted = mem_array(l->n + 1, sizeof *sorted);
    AUTO(mem_freep) double *limit = mem_array(max, sizeof *limit);
    size_t k = limits(c->value, l->n, max, sorted, limit);

    for (size_t i = 0; i < l->n; i++) {
        ret[i] = isnan(c->value[i]) ? 0 : 1 + (uint32_t)n_at_most(limit, k, c->value[i]);
    }
    return k + 2;
}

/* The most frequent levels; all others are one more. */
static size_t text_bins(const struct lesson *l, const struct learn_column *c, size_t max,
                        uint32_t ret[])
{
    AUTO(mem_freep) struct ranked *rank = mem_array(c->n_levels + 1, sizeof *rank);
    AUTO(mem_freep) uint32_t *bin = mem_array(c->n_levels + 1, sizeof *bin);
    size_t kept = c->n_levels < max ? c->n_levels : max;

    for (size_t i = 0; i < c->n_levels; i++)
        rank[i] = (struct ranked){c->counts[i], (uint32_t)i};
    ranked_sort(rank, c->n_levels);
    for (size_t i = 0; i < c->n_levels; i++)
        bin[rank[i].level + 1] = (uint32_t)(i < kept ? i + 1 : kept + 1);
    for (size_t i = 0; i < l->n; i++)
        ret[i] = bin[c->code[i]];
    return kept + 2;
}

size_t column_bins(const struct lesson *l, const struct learn_column *c, size_t max, uint32_t ret[])
{
    return c->value ? number_bins(l, c, max, ret) : text_bins(l, c, max, ret);
}
