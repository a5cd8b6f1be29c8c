/* together.c - what a column adds to all the others.
 *
 * A logistic regression on bins of every column, on some of the rows, with and without the column.
 * Quick, and near enough to tell a column that gives the answer away from one that is merely good.
 */
#include <math.h>
#include <string.h>

#include "knows.h"
#include "ridge.h"

enum { SOME_ROWS = 6000, SOME_BINS = 8, SOME_FOLDS = 3 };

static const double penalty = 10;

struct sketch {
    const struct lesson *l;
    size_t n, n_columns;  /* rows, columns */
    const uint32_t *bins; /* [n_columns][n] */
    const size_t *first;  /* [n_columns + 1]: number of a column's first feature */
    const bool *positive; /* [n] */
    const double *value;  /* ones */
    double *losses;       /* [jobs]: by which column is left out */
};

/* The rows as a table without one column; n_columns: with all. */
static struct sparse without(const struct sketch *s, size_t left_out, size_t start[],
                             uint32_t feature[])
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        start[i] = n;
        for (size_t k = 0; k < s->n_columns; k++)
            if (k != left_out)
                feature[n++] = (uint32_t)(s->first[k] + s->bins[k * s->n + i]);
    }
    start[s->n] = n;
    return (struct sparse){s->n, s->first[s->n_columns], start, feature, s->value};
}

static bool one_fold(const struct sketch *s, const struct sparse *table, size_t fold, double *loss)
{
    AUTO(mem_freep) double *w = mem_array(table->n_features + 1, sizeof *w);
    AUTO(mem_freep) uint32_t *rows = mem_array(s->n + 1, sizeof *rows);
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        if (i % SOME_FOLDS != fold)
            rows[n++] = (uint32_t)i;
    if (!ridge_fit(table, rows, n, s->positive, penalty, s->l->o->stop, w))
        return false;
    for (size_t i = fold; i < s->n; i += SOME_FOLDS)
        *loss += margin_loss(ridge_margin(table, i, w), s->positive[i]) / (double)s->n;
    return true;
}

static bool leave_out(void *arg, size_t job)
{
    struct sketch *s = arg;
    size_t left_out = job ? job - 1 : s->n_columns;
    AUTO(mem_freep) size_t *start = mem_array(s->n + 1, sizeof *start);
    AUTO(mem_freep) uint32_t *feature = mem_array(s->n * s->n_columns + 1, sizeof *feature);
    struct sparse table = without(s, left_out, start, feature);
    bool going = true;

    for (size_t k = 0; k < SOME_FOLDS && going; k++)
        going = one_fold(s, &table, k, &s->losses[job]);
    return going;
}

/* Some of the rows in an order of chance, so that folds are alike; columns in bins. */
static void draw(const struct lesson *l, struct learn_column *const columns[], struct sketch *s,
                 struct arena *a)
{
    uint32_t *bins = arena_array(a, s->n_columns * s->n, sizeof *bins);
    size_t *first = arena_array(a, s->n_columns + 1, sizeof *first);
    uint32_t *all = arena_array(a, l->n, sizeof *all), *order = arena_array(a, l->n, sizeof *order);
    bool *positive = arena_array(a, s->n, sizeof *positive);
    uint64_t seed = learn_seed(l, 7);

    for (size_t i = 0; i < l->n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = 0; i < s->n; i++) {
        size_t k = i + learn_random(&seed) % (l->n - i);
        uint32_t swap = order[i];

        order[i] = order[k];
        order[k] = swap;
        positive[i] = l->positive[order[i]];
    }
    for (size_t k = 0; k < s->n_columns; k++) {
        first[k + 1] = first[k] + column_bins(l, columns[k], SOME_BINS, all);
        for (size_t i = 0; i < s->n; i++)
            bins[k * s->n + i] = all[order[i]];
    }
    s->bins = bins;
    s->first = first;
    s->positive = positive;
}

static double entropy(const struct sketch *s)
{
    double rate = 0;

    for (size_t i = 0; i < s->n; i++)
        rate += (s->positive[i] ? 1 : 0) / (double)s->n;
    return rate > 0 && rate < 1 ? -rate * log(rate) - (1 - rate) * log(1 - rate) : 1;
}

bool knowledge_added(const struct lesson *l, struct learn_column *const columns[], size_t n,
                     size_t n_asked, double ret[], double *ret_all)
{
    struct arena a AUTO(arena_free) = {0};
    struct sketch s = {.l = l, .n = l->n < SOME_ROWS ? l->n : SOME_ROWS, .n_columns = n};

    draw(l, columns, &s, &a);
    double *ones = arena_array(&a, s.n * n + 1, sizeof *ones);
    for (size_t i = 0; i < s.n * n; i++)
        ones[i] = 1;
    s.value = ones;
    s.losses = arena_array(&a, n_asked + 1, sizeof *s.losses);
    if (!learn_parallel(l, n_asked + 1, leave_out, &s))
        return false;
    for (size_t k = 0; k < n_asked; k++)
        ret[k] = (s.losses[k + 1] - s.losses[0]) / entropy(&s);
    *ret_all = 1 - s.losses[0] / entropy(&s);
    return true;
}
