/* encoding.c - the inputs of a model, learnt from the columns that are left, and the rows by them.
 *
 * Levels and bins are learnt without the outcome, so that no fold is told anything of its rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn.h"

enum { MOST_LEVELS = 20, MOST_LEVELS_FEW_ROWS = 10, MANY_ROWS = 1000, MOST_FEATURES = 500 };

static bool is_sentinel(const struct learn_column *c, struct str level)
{
    for (size_t i = 0; i < c->n_sentinels; i++)
        if (str_eq(c->sentinels[i], level))
            return true;
    return false;
}

/* The most frequent levels that enough rows have. */
static void choose_levels(const struct lesson *l, const struct learn_column *c, size_t most,
                          struct input *in)
{
    AUTO(mem_freep) struct ranked *rank = mem_array(c->n_levels + 1, sizeof *rank);
    struct str *levels = arena_array(l->arena, most + 1, sizeof *levels);
    size_t least = l->n / 200 > 10 ? l->n / 200 : 10, n = 0;

    for (size_t i = 0; i < c->n_levels; i++)
        if (c->counts[i] >= least && !is_sentinel(c, c->levels[i]))
            rank[n++] = (struct ranked){c->counts[i], (uint32_t)i};
    ranked_sort(rank, n);
    in->n_levels = n < most ? n : most;
    for (size_t i = 0; i < in->n_levels; i++)
        levels[i] = c->levels[rank[i].level];
    in->levels = levels;
}

/* False: no level is frequent enough to learn anything of it. */
static bool make_input(struct lesson *l, struct learn_column *c, size_t most, struct input *in)
{
    *in = (struct input){.name = c->name,
                         .kind = c->kind,
                         .n_features = 1,
                         .sentinels = c->sentinels,
                         .n_sentinels = c->n_sentinels};
    if (c->kind != INPUT_TEXT)
        return true;
    choose_levels(l, c, most, in);
    in->n_features = in->n_levels + 2;
    if (in->n_levels || c->n_missing * 20 > l->n)
        return true;
    screen_out(l, c, "levels", "has %zu different texts, none of them in enough rows", c->n_levels);
    return !c->out;
}

static size_t most_levels(const struct lesson *l)
{
    size_t texts = 0, most = l->n < MANY_ROWS ? MOST_LEVELS_FEW_ROWS : MOST_LEVELS;

    for (size_t i = 0; i < l->n_columns; i++)
        texts += !l->columns[i].out && l->columns[i].kind == INPUT_TEXT;
    while (most > 2 && texts * (most + 2) > MOST_FEATURES)
        most--;
    return most;
}

static struct cell cell_of(const struct lesson *l, const struct learn_column *c, size_t i)
{
    size_t row = l->row[i];

    return c->from->texts ? (struct cell){c->from->texts[row], NAN}
                          : (struct cell){STR_NULL, c->from->numbers[row]};
}

static void cells_of(const struct lesson *l, size_t i, struct cell ret[])
{
    for (size_t k = 0; k < l->n_inputs; k++)
        ret[k] = cell_of(l, l->input_columns[k], i);
}

static void encode_rows(struct lesson *l)
{
    float *x = arena_array(l->arena, l->n * l->n_features + 1, sizeof *x);
    AUTO(mem_freep) struct cell *cells = mem_array(l->n_inputs + 1, sizeof *cells);

    for (size_t i = 0; i < l->n; i++) {
        cells_of(l, i, cells);
        model_encode(l->inputs, l->n_inputs, cells, learn_at(l, i), x + i * l->n_features);
    }
    l->x = x;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static size_t bin_of(const struct input *in, float x)
{
    size_t bin = 0;

    if (isnan(x))
        return in->n_bins - 1;
    while (bin + 2 < in->n_bins && (double)x > in->edges[bin])
        bin++;
    return bin;
}

static void number_edges(const struct lesson *l, struct input *in, float sorted[])
{
    double *edges = arena_array(l->arena, LEARN_BINS, sizeof *edges);
    size_t n = 0, k = 0;

    for (size_t i = 0; i < l->n; i++)
        if (!isnan(l->x[i * l->n_features + in->feature]))
            sorted[n++] = l->x[i * l->n_features + in->feature];
    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t q = 1; q < LEARN_BINS && n; q++) {
        double edge = (double)sorted[q * n / LEARN_BINS];

        if (edge < (double)sorted[n - 1] && (!k || edge > edges[k - 1]))
            edges[k++] = edge;
    }
    in->edges = edges;
    in->n_bins = k + 2;
}

static void distribution(const struct lesson *l, struct input *in, float sorted[])
{
    if (in->kind == INPUT_TEXT)
        in->n_bins = in->n_features;
    else
        number_edges(l, in, sorted);
    double *shares = arena_array(l->arena, in->n_bins, sizeof *shares);
    for (size_t i = 0; i < l->n; i++) {
        const float *x = l->x + i * l->n_features + in->feature;
        size_t bin = 0;

        if (in->kind == INPUT_TEXT)
            while (x[bin] < 0.5F)
                bin++;
        else
            bin = bin_of(in, *x);
        shares[bin] += 1;
    }
    for (size_t k = 0; k < in->n_bins; k++)
        shares[k] /= (double)l->n;
    in->shares = shares;
}

/* Where there are more than a model may have, those that tell most are taken. */
static void leave_out_many(struct lesson *l)
{
    AUTO(mem_freep) const struct learn_column **left = mem_array(l->n_columns + 1, sizeof *left);
    AUTO(mem_freep) size_t *order = mem_array(l->n_columns + 1, sizeof *order);
    size_t n = 0;

    for (size_t i = 0; i < l->n_columns; i++)
        if (!l->columns[i].out)
            left[n++] = &l->columns[i];
    if (n <= MODEL_MAX_INPUTS)
        return;
    merit_order(left, n, order);
    for (size_t i = MODEL_MAX_INPUTS; i < n; i++) {
        struct learn_column *c = &l->columns[left[order[i]] - l->columns];

        screen_out(l, c, "many", "tells less than %d other columns, and a model has no more",
                   MODEL_MAX_INPUTS);
        c->out = true;
    }
}

void encoding_learn(struct lesson *l)
{
    AUTO(mem_freep) float *sorted = mem_array(l->n + 1, sizeof *sorted);
    leave_out_many(l);
    size_t most = most_levels(l);
    l->inputs = arena_array(l->arena, l->n_columns + 1, sizeof *l->inputs);
    l->input_columns = arena_array(l->arena, l->n_columns + 1, sizeof *l->input_columns);
    for (size_t i = 0; i < l->n_columns; i++) {
        struct learn_column *c = &l->columns[i];
        struct input *in = &l->inputs[l->n_inputs];

        if (c->out || !make_input(l, c, most, in))
            continue;
        in->feature = l->n_features;
        l->n_features += in->n_features;
        l->input_columns[l->n_inputs++] = c;
    }
    encode_rows(l);
    for (size_t k = 0; k < l->n_inputs && !learn_stopped(l); k++)
        distribution(l, &l->inputs[k], sorted);
}
