/* model/encode.c - a lead's cells become a row of features. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "model_priv.h"

static bool is_one_of(struct str s, const struct str *list, size_t n, size_t *ret)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].len == s.len && memcmp(list[i].at, s.at, s.len) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

struct str cell_text(const struct input *in, const struct cell *cell, char buffer[], size_t size)
{
    size_t ignored;

    if (!cell->text.at || cell->text.len == 0)
        return STR_NULL;
    struct str s = value_fold(cell->text, buffer, size);
    if (s.len == 0 || is_one_of(s, in->sentinels, in->n_sentinels, &ignored))
        return STR_NULL;
    return s;
}

static double as_number(struct str s)
{
    double n;

    return value_number(s, &n) ? n : NAN;
}

static double as_truth(struct str s)
{
    bool is;

    return value_truth(s, &is) ? is : NAN;
}

static double as_age(struct str s, int64_t at)
{
    int64_t date;

    return at && value_date(s, &date) ? ((double)at - (double)date) / (double)DAYS_MS : NAN;
}

static float bounded(double x)
{
    return x > (double)FLT_MAX ? FLT_MAX : x < -(double)FLT_MAX ? -FLT_MAX : (float)x;
}

static float one_number(const struct input *in, const struct cell *cell, int64_t at)
{
    char buffer[MODEL_TEXT_BYTES];

    if (!cell->text.at)
        return bounded(cell->number);
    struct str s = cell_text(in, cell, buffer, sizeof buffer);
    if (!s.at)
        return NAN;
    switch (in->kind) {
    case INPUT_TRUTH:
        return (float)as_truth(s);
    case INPUT_AGE:
        return bounded(as_age(s, at));
    default:
        return bounded(as_number(s));
    }
}

/* Which of a text's features is 1. */
static size_t text_feature(const struct input *in, const struct cell *cell)
{
    char buffer[MODEL_TEXT_BYTES];
    struct str s = cell_text(in, cell, buffer, sizeof buffer);
    size_t level = in->n_levels;

    if (!s.at)
        return in->n_levels + 1;
    (void)is_one_of(s, in->levels, in->n_levels, &level);
    return level;
}

void model_encode(const struct input inputs[], size_t n_inputs, const struct cell cells[],
                  int64_t at, float ret[])
{
    for (size_t i = 0; i < n_inputs; i++) {
        const struct input *in = &inputs[i];

        if (in->kind != INPUT_TEXT) {
            ret[in->feature] = one_number(in, &cells[i], at);
            continue;
        }
        memset(ret + in->feature, 0, in->n_features * sizeof *ret);
        ret[in->feature + text_feature(in, &cells[i])] = 1;
    }
}

size_t input_bin(const struct input *in, const float x[])
{
    size_t i = 0;

    if (in->kind == INPUT_TEXT) {
        while (i + 1 < in->n_features && x[in->feature + i] == 0)
            i++;
        return i;
    }
    double n = (double)x[in->feature];
    if (isnan(n))
        return in->n_bins - 1;
    while (i + 2 < in->n_bins && n > in->edges[i])
        i++;
    return i;
}

double logistic_part(const struct logistic *l, size_t feature, float x)
{
    if (isnan(x))
        return l->missing[feature];
    double clamped = x < l->low[feature]    ? l->low[feature]
                     : x > l->high[feature] ? l->high[feature]
                                            : (double)x;
    return l->weight[feature] * (clamped - l->mean[feature]) / l->scale[feature];
}

double logistic_margin(const struct logistic *l, const float x[], size_t n)
{
    double margin = l->bias;

    for (size_t i = 0; i < n; i++)
        margin += logistic_part(l, i, x[i]);
    return margin;
}
