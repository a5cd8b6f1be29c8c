/* alone.c - what a column tells by itself: the rate of each of its bins, out of fold. */
#include <math.h>

#include "knows.h"

enum { PARTS = 5, ALONE_BINS = 50 };

static const double belief = 5; /* rows of the base rate that each bin begins with */

struct tally {
    double positive[PARTS], all[PARTS];
};

static double rate_without(const struct tally *t, size_t part, double rate)
{
    double positive = belief * rate, all = belief;

    for (size_t k = 0; k < PARTS; k++)
        if (k != part) {
            positive += t->positive[k];
            all += t->all[k];
        }
    return positive / all;
}

/* Rows of one lead stay in one part, and those beside each other in the table do not follow. */
static size_t part_of(const struct lesson *l, size_t i)
{
    uint64_t state = l->set->group ? l->set->group[l->row[i]] : i;

    return learn_random(&state) % PARTS;
}

static double entropy(double rate)
{
    return rate > 0 && rate < 1 ? -rate * log(rate) - (1 - rate) * log(1 - rate) : 0;
}

static double filled_gain(const struct knowledge *k, double rate)
{
    double yes = rate * k->filled_positive, no = (1 - rate) * k->filled_negative;
    double filled = yes + no, empty = 1 - filled;

    if (filled < 1e-9 || empty < 1e-9)
        return 0;
    double left = filled * entropy(yes / filled) + empty * entropy((rate - yes) / empty);
    return 1 - left / entropy(rate);
}

void knowledge_alone(const struct lesson *l, const struct learn_column *c, struct knowledge *ret)
{
    AUTO(mem_freep) uint32_t *bins = mem_array(l->n + 1, sizeof *bins);
    AUTO(mem_freep) double *p = mem_array(l->n + 1, sizeof *p);
    size_t n = column_bins(l, c, ALONE_BINS, bins), filled[2] = {0};
    AUTO(mem_freep) struct tally *tally = mem_array(n, sizeof *tally);
    double rate = (double)l->n_positive / (double)l->n, loss = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct tally *t = &tally[bins[i]];

        t->positive[part_of(l, i)] += l->positive[i] ? 1 : 0;
        t->all[part_of(l, i)] += 1;
        filled[l->positive[i]] += bins[i] > 0;
    }
    for (size_t i = 0; i < l->n; i++) {
        p[i] = rate_without(&tally[bins[i]], part_of(l, i), rate);
        loss -= log(l->positive[i] ? p[i] : 1 - p[i]) / (double)l->n;
    }
    ret->auc = measure_auc(p, l->positive, l->n);
    ret->gain = 1 - loss / entropy(rate);
    ret->filled_positive = (double)filled[1] / (double)l->n_positive;
    ret->filled_negative = (double)filled[0] / (double)(l->n - l->n_positive);
    ret->filled_gain = filled_gain(ret, rate);
}
