/* assemble.c - see assemble.h. */
#include "assemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "samples.h"

enum { WEIGHED_ROWS = 400 };

static const char *const kinds[] = {[CHOSE_BASE] = "base rate",
                                    [CHOSE_LOGISTIC] = "logistic regression",
                                    [CHOSE_TREES] = "trees",
                                    [CHOSE_BLEND] = "blend"};

static double base_rate(const struct lesson *l)
{
    return (double)l->n_positive / (double)l->n;
}

static void write_card(const struct lesson *l, const struct chosen *c, struct model_card *ret)
{
    *ret = (struct model_card){
        .name = l->o->name,
        .goal = l->o->goal,
        .horizon_ms = l->o->horizon_ms,
        .trained_at = l->o->trained_at,
        .usable = c->which != CHOSE_BASE,
        .verdict = c->verdict,
        .kind = str_of(kinds[c->which]),
        .n_inputs = l->n_inputs,
        .n_rows = l->n,
        .n_positive = l->n_positive,
        .base_rate = base_rate(l),
    };
}

static void matrix_freep(struct matrix **m)
{
    matrix_free(*m);
}

static void booster_freep(struct booster **b)
{
    booster_free(*b);
}

/* Rows evenly from all, for what need not be asked of each. */
static size_t some_row(const struct lesson *l, size_t i, size_t n)
{
    return i * l->n / n;
}

/* What each feature adds to the margin of the trees, [n][n_features + 1]. */
static enum rc tree_parts(const struct lesson *l, struct booster *b, size_t n, float ret[],
                          struct why *why)
{
    AUTO(mem_freep) float *x = mem_array(n * l->n_features, sizeof *x);
    AUTO(mem_freep) bool *positive = mem_array(n, sizeof *positive);
    AUTO(matrix_freep) struct matrix *m = NULL;

    for (size_t i = 0; i < n; i++)
        memcpy(x + i * l->n_features, l->x + some_row(l, i, n) * l->n_features,
               l->n_features * sizeof *x);
    enum rc rc = matrix_new(x, n, l->n_features, positive, &m, why);
    return rc ? rc : booster_parts(b, m, ret, why);
}

static double input_part(const struct model *m, const struct input *in, const float x[],
                         const float trees[])
{
    double sum = 0;

    for (size_t f = in->feature; f < in->feature + in->n_features; f++) {
        if (trees)
            sum += m->share * (double)trees[f];
        if (m->share < 1 && m->logistic.weight)
            sum += (1 - m->share) * logistic_part(&m->logistic, f, x[f]);
    }
    return m->platt_a * sum;
}

/* An input's weight is how far its part is from its mean, on the average. */
static void weigh(const struct lesson *l, struct model *m, const float trees[], size_t n)
{
    AUTO(mem_freep) double *part = mem_array(n, sizeof *part);

    for (size_t k = 0; k < l->n_inputs; k++) {
        double mean = 0, sum = 0;

        for (size_t i = 0; i < n; i++) {
            part[i] = input_part(m, &l->inputs[k], l->x + some_row(l, i, n) * l->n_features,
                                 trees ? trees + i * (l->n_features + 1) : NULL);
            mean += part[i] / (double)n;
        }
        for (size_t i = 0; i < n; i++)
            sum += fabs(part[i] - mean);
        l->inputs[k].weight = sum / (double)n;
    }
}

static enum rc refit_trees(const struct lesson *l, const struct tree_lesson *t, struct booster *b,
                           struct why *why)
{
    enum rc rc = RC_OK;

    for (size_t r = 0; r < t->rounds && rc == RC_OK; r++)
        rc = learn_stopped(l) ? RC_CLOSED : booster_round(b, why);
    return rc;
}

/* What the trees say of rows that they were not grown on. */
static enum rc margins_of(const struct lesson *l, struct booster *b, const float x[], size_t n,
                          float ret[], struct why *why)
{
    AUTO(mem_freep) bool *positive = mem_array(n, sizeof *positive);
    AUTO(matrix_freep) struct matrix *m = NULL;
    enum rc rc = matrix_new(x, n, l->n_features, positive, &m, why);

    return rc ? rc : booster_margins(b, m, 0, ret, why);
}

/* Grows the trees on all rows; the margins of the samples by them. */
static enum rc plant(const struct lesson *l, const struct tree_lesson *t, const float samples[],
                     float margins[], float parts[], size_t n_parts, struct str *ret,
                     struct why *why)
{
    AUTO(matrix_freep) struct matrix *all = NULL;
    AUTO(booster_freep) struct booster *b = NULL;
    struct booster_settings settings = t->settings;
    enum rc rc = matrix_new(l->x, l->n, l->n_features, l->positive, &all, why);

    settings.base_rate = base_rate(l);
    if (rc == RC_OK)
        rc = booster_new(&settings, all, NULL, &b, why);
    if (rc == RC_OK)
        rc = refit_trees(l, t, b, why);
    if (rc == RC_OK)
        rc = margins_of(l, b, samples, l->report->n_samples, margins, why);
    if (rc == RC_OK)
        rc = tree_parts(l, b, n_parts, parts, why);
    if (rc == RC_OK)
        rc = booster_text(b, l->arena, ret, why);
    return rc;
}

static double margin_of(const struct lesson *l, const struct model *m, const float x[], float trees)
{
    double margin = 0;

    if (m->share > 0)
        margin += m->share * (double)trees;
    if (m->logistic.weight)
        margin += (1 - m->share) * logistic_margin(&m->logistic, x, l->n_features);
    return m->share > 0 || m->logistic.weight ? margin : m->base_log_odds;
}

static void answer_samples(const struct lesson *l, const struct model *m, const float x[],
                           const float trees[])
{
    for (size_t k = 0; k < l->report->n_samples; k++)
        l->report->samples[k].probability =
            sigmoid(m->platt_a * margin_of(l, m, x + k * l->n_features, trees[k]) + m->platt_b);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void quartiles(const struct lesson *l, const struct chosen *c, struct model *m)
{
    AUTO(mem_freep) double *p = mem_array(l->n + 1, sizeof *p);
    size_t n = 0;

    for (size_t i = 0; i < l->n && c->margins; i++)
        if (!isnan(l->base[i]))
            p[n++] = sigmoid(m->platt_a * c->margins[i] + m->platt_b);
    qsort(p, n, sizeof *p, by_value);
    for (size_t k = 0; k < 3; k++)
        m->quartiles[k] = c->which != CHOSE_BASE && n ? p[(k + 1) * n / 4] : base_rate(l);
}

enum rc assemble(struct lesson *l, const struct pupils *p, struct model *m, struct str *ret_trees,
                 struct why *why)
{
    size_t n_parts = l->n < WEIGHED_ROWS ? l->n : WEIGHED_ROWS;
    AUTO(mem_freep)
    float *samples = mem_array(MODEL_MAX_SAMPLES * (l->n_features + 1), sizeof *samples);
    float margins[MODEL_MAX_SAMPLES] = {0};
    AUTO(mem_freep) float *parts = mem_array(n_parts * (l->n_features + 1), sizeof *parts);
    const struct chosen *c = &p->chosen;
    bool trees = c->share > 0;
    enum rc rc = RC_OK;

    *ret_trees = STR("");
    learn_progress(l, .92, "fitting to all rows");
    m->inputs = l->inputs;
    m->n_inputs = l->n_inputs;
    m->n_features = l->n_features;
    m->share = c->share;
    m->platt_a = c->platt_a;
    m->platt_b = c->platt_b;
    m->base_log_odds = log(base_rate(l) / (1 - base_rate(l)));
    write_card(l, c, &m->card);
    samples_make(l);
    samples_encode(l, samples);
    if (trees)
        rc = plant(l, &p->trees, samples, margins, parts, n_parts, ret_trees, why);
    if (rc == RC_OK && (c->which == CHOSE_LOGISTIC || c->which == CHOSE_BLEND) &&
        !logistic_refit(l, &p->logistic, &m->logistic))
        rc = RC_CLOSED;
    if (rc)
        return rc;
    weigh(l, m, trees ? parts : NULL, n_parts);
    quartiles(l, c, m);
    answer_samples(l, m, samples, margins);
    return RC_OK;
}
