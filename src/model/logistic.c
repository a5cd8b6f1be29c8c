/* logistic.c - see logistic.h.
 *
 * Features are standardised by all rows, which tells nothing of an outcome; numbers are held within
 * their middle 99 % first. What is missing adds a weight of its own. A text's features stay 0 where
 * they are 0, which keeps rows short: taking the mean off all of them would only move the bias.
 * Newton's steps cost the third power of the features: of very many those inputs that tell most are
 * let in.
 */
#include "logistic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FEATURES = 500 };

static const double penalties[] = {100, 20, 4};

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static void bound(struct logistic_lesson *g, size_t f, const float sorted[], size_t n)
{
    float low = sorted[n / 200], high = sorted[n - 1 - n / 200];

    g->low[f] = (double)(high > low ? low : sorted[0]);
    g->high[f] = (double)(high > low ? high : sorted[n - 1]);
}

static double held(const struct logistic_lesson *g, size_t f, float x)
{
    return fmin(fmax((double)x, g->low[f]), g->high[f]);
}

static void describe(const struct lesson *l, struct logistic_lesson *g, size_t f, float column[])
{
    size_t n = 0;
    double sum = 0, squares = 0;

    for (size_t i = 0; i < l->n; i++) {
        float x = l->x[i * l->n_features + f];

        if (!isnan(x))
            column[n++] = x;
    }
    double missing = 1 - (double)n / (double)l->n;
    g->missing_scale[f] = sqrt(missing * (1 - missing));
    g->scale[f] = 1;
    if (n == 0)
        return;
    qsort(column, n, sizeof *column, by_value);
    bound(g, f, column, n);
    for (size_t i = 0; i < n; i++)
        sum += held(g, f, column[i]);
    g->mean[f] = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = held(g, f, column[i]) - g->mean[f];

        squares += d * d;
    }
    double scale = sqrt(squares / (double)n);
    g->scale[f] = scale > 1e-9 * (1 + fabs(g->mean[f])) ? scale : 0;
}

static void describe_all(const struct lesson *l, struct logistic_lesson *g)
{
    AUTO(mem_freep) float *column = mem_array(l->n, sizeof *column);
    size_t n = l->n_features;
    double **each[] = {&g->mean, &g->scale, &g->low, &g->high, &g->missing_scale};

    for (size_t i = 0; i < ARRAY_LEN(each); i++)
        *each[i] = arena_array(l->arena, n, sizeof **each[i]);
    for (size_t f = 0; f < n && !learn_stopped(l); f++)
        describe(l, g, f, column);
}

static void shut_out(struct logistic_lesson *g, const struct input *in)
{
    for (size_t f = in->feature; f < in->feature + in->n_features; f++)
        g->scale[f] = g->missing_scale[f] = 0;
}

static size_t room_of(const struct logistic_lesson *g, const struct input *in)
{
    size_t n = in->n_features;

    for (size_t f = in->feature; f < in->feature + in->n_features; f++)
        n += g->missing_scale[f] > 0;
    return n;
}

/* Numbers the features of the inputs that there is room for, then those of what is missing. */
static void let_in(const struct lesson *l, struct logistic_lesson *g)
{
    AUTO(mem_freep) size_t *order = mem_array(l->n_inputs + 1, sizeof *order);
    AUTO(mem_freep) bool *out = mem_array(l->n_inputs + 1, sizeof *out);
    size_t room = MOST_FEATURES, n = 0;

    merit_order(l->input_columns, l->n_inputs, order);
    for (size_t i = 0; i < l->n_inputs; i++) {
        const struct input *in = &l->inputs[order[i]];

        out[order[i]] = room_of(g, in) > room;
        if (out[order[i]])
            shut_out(g, in);
        else
            room -= room_of(g, in);
    }
    g->at = arena_array(l->arena, l->n_features, sizeof *g->at);
    g->missing = arena_array(l->arena, l->n_features, sizeof *g->missing);
    for (size_t k = 0; k < l->n_inputs; k++)
        for (size_t f = 0; f < l->inputs[k].n_features && !out[k]; f++)
            g->at[l->inputs[k].feature + f] = n++;
    for (size_t f = 0; f < l->n_features; f++)
        if (g->missing_scale[f] > 0)
            g->missing[f] = n++;
    g->rows.n_features = n;
}

/* Entries of one row; those for what is missing have the highest features and come last. */
struct entries {
    uint32_t *feature;
    double *value;
    size_t n;
};

static void add_entry(struct entries *e, size_t feature, double value)
{
    e->feature[e->n] = (uint32_t)feature;
    e->value[e->n++] = value;
}

static void add_input(const struct logistic_lesson *g, const struct input *in, const float x[],
                      struct entries *e)
{
    for (size_t f = in->feature; f < in->feature + in->n_features; f++) {
        if (g->scale[f] == 0 || isnan(x[f]))
            continue;
        if (in->kind != INPUT_TEXT)
            add_entry(e, g->at[f], (held(g, f, x[f]) - g->mean[f]) / g->scale[f]);
        else if (x[f] > 0)
            add_entry(e, g->at[f], 1 / g->scale[f]);
    }
}

static void build_rows(const struct lesson *l, struct logistic_lesson *g)
{
    size_t *start = arena_array(l->arena, l->n + 1, sizeof *start);
    size_t most = l->n * l->n_inputs; /* each input has one entry at most, itself or its missing */
    struct entries e = {arena_array(l->arena, most, sizeof *e.feature),
                        arena_array(l->arena, most, sizeof *e.value), 0};

    for (size_t i = 0; i < l->n; i++) {
        const float *x = l->x + i * l->n_features;

        start[i] = e.n;
        for (size_t k = 0; k < l->n_inputs; k++)
            add_input(g, &l->inputs[k], x, &e);
        for (size_t k = 0; k < l->n_inputs; k++) {
            size_t f = l->inputs[k].feature;

            if (l->inputs[k].kind != INPUT_TEXT && isnan(x[f]) && g->missing[f])
                add_entry(&e, g->missing[f], 1 / g->missing_scale[f]);
        }
    }
    start[l->n] = e.n;
    g->rows.n_rows = l->n;
    g->rows.start = start;
    g->rows.feature = e.feature;
    g->rows.value = e.value;
}

struct fitting {
    const struct lesson *l;
    const struct logistic_lesson *g;
    double *margins[ARRAY_LEN(penalties)];
};

/* One fold by all penalties, each from where the one before ended. */
static bool fit_fold(void *arg, size_t job)
{
    struct fitting *f = arg;
    const struct fold *fold = &f->l->folds[job];
    AUTO(mem_freep) double *w = mem_array(f->g->rows.n_features + 1, sizeof *w);

    for (size_t p = 0; p < ARRAY_LEN(penalties); p++) {
        if (!ridge_fit(&f->g->rows, fold->train, fold->n_train, f->l->positive, penalties[p],
                       f->l->o->stop, w))
            return false;
        for (size_t i = 0; i < fold->n_test; i++)
            f->margins[p][fold->test[i]] = ridge_margin(&f->g->rows, fold->test[i], w);
    }
    return true;
}

bool logistic_learn(struct lesson *l, struct logistic_lesson *ret)
{
    struct fitting f = {l, ret, {NULL}};

    describe_all(l, ret);
    let_in(l, ret);
    build_rows(l, ret);
    for (size_t p = 0; p < ARRAY_LEN(penalties); p++) {
        f.margins[p] = arena_array(l->arena, l->n, sizeof *f.margins[p]);
        for (size_t i = 0; i < l->n; i++)
            f.margins[p][i] = NAN;
    }
    if (!learn_parallel(l, l->n_folds, fit_fold, &f))
        return false;
    for (size_t p = 0; p < ARRAY_LEN(penalties); p++) {
        double loss = margins_loss(l, f.margins[p]);

        if (p == 0 || loss < ret->log_loss) {
            ret->log_loss = loss;
            ret->penalty = penalties[p];
            ret->margins = f.margins[p];
        }
    }
    return true;
}

bool logistic_refit(const struct lesson *l, const struct logistic_lesson *from,
                    struct logistic *ret)
{
    AUTO(mem_freep) double *w = mem_array(from->rows.n_features + 1, sizeof *w);
    AUTO(mem_freep) uint32_t *all = mem_array(l->n, sizeof *all);
    double *weight = arena_array(l->arena, l->n_features, sizeof *weight);
    double *missing = arena_array(l->arena, l->n_features, sizeof *missing);

    for (size_t i = 0; i < l->n; i++)
        all[i] = (uint32_t)i;
    if (!ridge_fit(&from->rows, all, l->n, l->positive, from->penalty, l->o->stop, w))
        return false;
    *ret = (struct logistic){
        w[from->rows.n_features], weight, from->mean, from->scale, missing, from->low, from->high};
    for (size_t k = 0; k < l->n_inputs; k++) {
        const struct input *in = &l->inputs[k];

        for (size_t f = in->feature; f < in->feature + in->n_features; f++) {
            if (from->missing[f])
                missing[f] = w[from->missing[f]] / from->missing_scale[f];
            if (from->scale[f] == 0) {
                from->scale[f] = 1;
                continue;
            }
            weight[f] = w[from->at[f]];
            if (in->kind == INPUT_TEXT)
                ret->bias += weight[f] * from->mean[f] / from->scale[f];
        }
    }
    return true;
}
