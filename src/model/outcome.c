/* outcome.c - figures and curves of what was chosen, out of fold. */
#include <math.h>
#include <stdlib.h>

#include "choose.h"

struct scored {
    double p;
    bool positive;
};

static int best_first(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;

    if (x->p != y->p)
        return x->p < y->p ? 1 : -1;
    return x->positive - y->positive;
}

static void tenths(const struct scored s[], size_t n, double rate, struct training_report *r)
{
    for (size_t k = 0; k < REPORT_TENTHS; k++) {
        size_t from = k * n / REPORT_TENTHS, to = (k + 1) * n / REPORT_TENTHS;
        struct calibration_bin *bin = &r->calibration[REPORT_TENTHS - 1 - k]; /* lowest first */
        double positive = 0, sum = 0;

        for (size_t i = from; i < to; i++) {
            positive += s[i].positive;
            sum += s[i].p;
        }
        double m = (double)(to - from);
        *bin = (struct calibration_bin){m > 0 ? sum / m : 0, m > 0 ? positive / m : 0, to - from};
        r->lift[k] = rate > 0 ? bin->observed / rate : 0;
    }
}

static void add_point(struct curve *c, double x, double y)
{
    c->at[c->n++] = (struct point){x, y};
}

/* At even steps of the ranks, never between rows of one score. */
static void curves(const struct scored s[], size_t n, size_t n_positive, struct training_report *r)
{
    double hits = 0, all = (double)n_positive, others = (double)(n - n_positive);
    size_t next = 0;

    add_point(&r->roc, 0, 0);
    for (size_t i = 0; i < n; i++) {
        double seen = (double)(i + 1);

        hits += s[i].positive;
        bool last = i + 1 == n;
        if ((i + 1 < next || s[i].p == s[last ? i : i + 1].p) && !last)
            continue;
        next = (size_t)ceil(seen + (double)n / (REPORT_POINTS - 2));
        if (r->roc.n < REPORT_POINTS) {
            add_point(&r->roc, others > 0 ? (seen - hits) / others : 0, all > 0 ? hits / all : 0);
            add_point(&r->precision_recall, all > 0 ? hits / all : 0, hits / seen);
        }
    }
}

void outcome_report(struct lesson *l, const struct chosen *c)
{
    AUTO(mem_freep) struct scored *s = mem_array(l->n + 1, sizeof *s);
    AUTO(mem_freep) double *p = mem_array(l->n + 1, sizeof *p);
    AUTO(mem_freep) bool *positive = mem_array(l->n + 1, sizeof *positive);
    struct training_report *r = l->report;
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (isnan(l->base[i]))
            continue;
        size_t bar = (size_t)(c->probability[i] * REPORT_BARS);

        p[n] = c->probability[i];
        positive[n] = l->positive[i];
        s[n] = (struct scored){p[n], positive[n]};
        r->histogram[bar < REPORT_BARS ? bar : REPORT_BARS - 1]++;
        n++;
    }
    r->n_scored = n;
    measure(p, positive, n, &r->measures);
    qsort(s, n, sizeof *s, best_first);
    tenths(s, n, n ? (double)r->measures.n_positive / (double)n : 0, r);
    curves(s, n, r->measures.n_positive, r);
}
