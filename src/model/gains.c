/* gains.c - how far apart two ways of predicting are, and how sure that is. */
#include <math.h>
#include <stdlib.h>

#include "learn.h"

double margin_loss(double margin, bool positive)
{
    double x = positive ? -margin : margin;

    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

double margins_loss(const struct lesson *l, const double margins[])
{
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        if (!isnan(l->base[i])) {
            sum += margin_loss(margins[i], l->positive[i]);
            n++;
        }
    return n ? sum / (double)n : 0;
}

struct share {
    uint32_t cluster;
    double gain;
};

static int by_cluster(const void *a, const void *b)
{
    const struct share *x = a, *y = b;

    if (x->cluster != y->cluster)
        return x->cluster < y->cluster ? -1 : 1;
    return (x->gain > y->gain) - (x->gain < y->gain);
}

/* Of a mean over clusters that need not be of one size. */
static double standard_error(struct share s[], size_t n, double mean)
{
    double squares = 0, sum = 0;
    size_t clusters = 0;

    qsort(s, n, sizeof *s, by_cluster);
    for (size_t i = 0; i < n; i++) {
        sum += s[i].gain - mean;
        if (i + 1 < n && s[i + 1].cluster == s[i].cluster)
            continue;
        squares += sum * sum;
        sum = 0;
        clusters++;
    }
    double m = (double)clusters;
    return clusters < 2 ? 0 : sqrt(squares * m / (m - 1)) / (double)n;
}

static double error_by(const struct lesson *l, const double gain[], const uint32_t cluster[],
                       double mean)
{
    AUTO(mem_freep) struct share *s = mem_array(l->n + 1, sizeof *s);
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        if (!isnan(gain[i]))
            s[n++] = (struct share){cluster ? cluster[i] : (uint32_t)i, gain[i]};
    return standard_error(s, n, mean);
}

/* In order of time the folds are what varies; else the leads are. */
static double error_of(const struct lesson *l, const double gain[], double mean)
{
    AUTO(mem_freep) uint32_t *cluster = mem_array(l->n + 1, sizeof *cluster);

    for (size_t i = 0; i < l->n; i++)
        cluster[i] = l->set->group ? l->set->group[l->row[i]] : (uint32_t)i;
    double by_lead = error_by(l, gain, cluster, mean);
    if (!l->by_time)
        return by_lead;
    for (size_t k = 0; k < l->n_folds; k++)
        for (size_t i = 0; i < l->folds[k].n_test; i++)
            cluster[l->folds[k].test[i]] = (uint32_t)k;
    return fmax(by_lead, error_by(l, gain, cluster, mean));
}

struct gain margins_gain(const struct lesson *l, const double by[], const double than[])
{
    AUTO(mem_freep) double *gain = mem_array(l->n + 1, sizeof *gain);
    double sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        gain[i] = NAN;
        if (isnan(l->base[i]))
            continue;
        gain[i] = margin_loss(than[i], l->positive[i]) - margin_loss(by[i], l->positive[i]);
        sum += gain[i];
        n++;
    }
    double mean = n ? sum / (double)n : 0;
    return (struct gain){mean, error_of(l, gain, mean)};
}
