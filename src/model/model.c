/* model/model.c - what a model that was read answers. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "model_priv.h"

const char *goal_name(enum model_goal g)
{
    static const char *const names[] = {[GOAL_CONVERSION] = "conversion", [GOAL_CHURN] = "churn"};

    return names[g];
}

struct model *model_take(struct model *m)
{
    if (m)
        atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
    return m;
}

void model_drop(struct model *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) > 1)
        return;
    arena_free(&m->arena);
    free(m);
}

const struct model_card *model_card(const struct model *m)
{
    return &m->card;
}

struct str model_input_name(const struct model *m, size_t input)
{
    assert(input < m->n_inputs);
    return m->inputs[input].name;
}

bool model_input_find(const struct model *m, struct str name, size_t *ret)
{
    for (size_t i = 0; i < m->n_inputs; i++)
        if (str_eq(m->inputs[i].name, name)) {
            *ret = i;
            return true;
        }
    return false;
}

static double blend(const struct model *m, const float x[])
{
    double margin = 0;

    if (!m->logistic.weight && !m->trees.n_trees)
        return m->base_log_odds;
    if (m->logistic.weight && m->share < 1)
        margin += (1 - m->share) * logistic_margin(&m->logistic, x, m->n_features);
    if (m->trees.n_trees)
        margin += m->share * (double)trees_margin(&m->trees, x);
    return margin;
}

double model_margin(const struct model *m, const struct cell cells[], int64_t at)
{
    float x[MODEL_MAX_FEATURES];

    model_encode(m->inputs, m->n_inputs, cells, at, x);
    return blend(m, x);
}

double model_probability(const struct model *m, const struct cell cells[], int64_t at)
{
    return sigmoid(m->platt_a * model_margin(m, cells, at) + m->platt_b);
}

/* Parts of features, in log-odds before calibration. */
static void explain_features(const struct model *m, const float x[], struct arena *a, double ret[])
{
    if (m->trees.n_trees) {
        trees_explain(&m->trees, x, a, ret);
        for (size_t i = 0; i < m->n_features; i++)
            ret[i] *= m->share;
    }
    if (!m->logistic.weight || !(m->share < 1))
        return;
    for (size_t i = 0; i < m->n_features; i++)
        ret[i] += (1 - m->share) * logistic_part(&m->logistic, i, x[i]);
}

/* The bias is what is left of the log-odds: in it is how the walk of the trees rounds to floats. */
void model_explain(const struct model *m, const struct cell cells[], int64_t at, struct arena *a,
                   double ret_parts[], double *ret_bias)
{
    float *x = arena_array(a, m->n_features, sizeof *x);
    double *parts = arena_array(a, m->n_features, sizeof *parts);

    model_encode(m->inputs, m->n_inputs, cells, at, x);
    explain_features(m, x, a, parts);
    double bias = m->platt_a * blend(m, x) + m->platt_b;
    for (size_t i = 0; i < m->n_inputs; i++) {
        double sum = 0;

        for (size_t f = 0; f < m->inputs[i].n_features; f++)
            sum += parts[m->inputs[i].feature + f];
        ret_parts[i] = m->platt_a * sum;
        bias -= ret_parts[i];
    }
    *ret_bias = bias;
}

size_t model_bins(const struct model *m, size_t input)
{
    assert(input < m->n_inputs);
    return m->inputs[input].n_bins;
}

size_t model_bin(const struct model *m, size_t input, const struct cell *cell, int64_t at)
{
    assert(input < m->n_inputs);
    struct input in = m->inputs[input];
    float x[MODEL_MAX_LEVELS + 2];

    in.feature = 0;
    model_encode(&in, 1, cell, at, x);
    return input_bin(&in, x);
}

double model_psi(const struct model *m, size_t input, const uint32_t counts[])
{
    static const double least = 0.0001; /* of a bin: an empty one is no infinity */
    const struct input *in = &m->inputs[input];
    double total = 0, psi = 0;

    for (size_t i = 0; i < in->n_bins; i++)
        total += counts[i];
    for (size_t i = 0; i < in->n_bins && total > 0; i++) {
        double now = fmax(counts[i] / total, least), then = fmax(in->shares[i], least);

        psi += (now - then) * log(now / then);
    }
    return psi;
}

void model_quartiles(const struct model *m, double ret[3])
{
    for (size_t i = 0; i < 3; i++)
        ret[i] = m->quartiles[i];
}
