/* trend.c - whether what was learnt yesterday holds today, as far as the rows can tell.
 *
 * Ten stretches of as many rows, in order of their time, or, where no time is known, as they stand:
 * many tables are exported in order of time. Where the rate changes more than chance would have it
 * a logistic regression learns from the first rows, as far as their outcome was known by then, and
 * is tried on later rows of other leads: that is what a model will really do.
 */
#include <math.h>
#include <string.h>

#include "choose.h"

static void fill_block(const struct lesson *l, const struct chosen *c, const struct moment m[],
                       size_t n, struct block *ret)
{
    AUTO(mem_freep) double *p = mem_array(n + 1, sizeof *p);
    AUTO(mem_freep) bool *positive = mem_array(n + 1, sizeof *positive);

    *ret = (struct block){.n = n};
    for (size_t i = 0; i < n; i++) {
        p[i] = c->probability[m[i].row];
        positive[i] = l->positive[m[i].row];
        ret->predicted += p[i] / (double)n;
        ret->observed += (positive[i] ? 1 : 0) / (double)n;
    }
    ret->auc = measure_auc(p, positive, n);
}

/* How many leads' worth of outcomes a stretch has: rows of one lead have one outcome, mostly. */
static double weight_of(const struct lesson *l, const struct moment m[], size_t n)
{
    AUTO(mem_freep) double *rows = mem_array(l->n_leads + 1, sizeof *rows);
    double squares = 0;

    for (size_t i = 0; i < n; i++)
        rows[l->lead[m[i].row]]++;
    for (size_t k = 0; k < l->n_leads; k++)
        squares += rows[k] * rows[k];
    return squares > 0 ? (double)n * (double)n / squares : 0;
}

/* How far the rates of the stretches are from one rate for all: chi-squared, 9 degrees of freedom
 * (28 is 1 in 1000 by chance). */
static double unevenness(const struct lesson *l, const struct moment order[], size_t n)
{
    double rate = 0, sum = 0;

    for (size_t i = 0; i < n; i++)
        rate += (l->positive[order[i].row] ? 1 : 0) / (double)n;
    for (size_t k = 0; k < REPORT_TENTHS && rate > 0 && rate < 1; k++) {
        size_t from = k * n / REPORT_TENTHS, to = (k + 1) * n / REPORT_TENTHS;
        double d = l->report->blocks[k].observed - rate;

        sum += weight_of(l, order + from, to - from) * d * d / (rate * (1 - rate));
    }
    return sum;
}

struct forward {
    double log_loss, base_loss, auc;
};

/* The first 60 % of the rows whose outcome was known when the rest begins, and of the rest those of
 * other leads; returns how many are learnt from. */
static size_t split(const struct lesson *l, const struct moment order[], size_t n, uint32_t rows[],
                    size_t *ret_all)
{
    AUTO(mem_freep) bool *learnt = mem_array(l->n_leads + 1, sizeof *learnt);
    size_t border = n * 6 / 10, first = 0;

    for (size_t i = 0; i < border; i++)
        if (!l->set->time || folds_known_at(l, order[i].row) < order[border].at) {
            learnt[l->lead[order[i].row]] = true;
            rows[first++] = order[i].row;
        }
    *ret_all = first;
    for (size_t i = border; i < n; i++)
        if (!learnt[l->lead[order[i].row]])
            rows[(*ret_all)++] = order[i].row;
    return first;
}

/* false: there is too little for it, or it was stopped. */
static bool try_forward(const struct lesson *l, const struct logistic_lesson *g,
                        const struct moment order[], size_t n, struct forward *ret)
{
    AUTO(mem_freep) double *w = mem_array(g->rows.n_features + 1, sizeof *w);
    AUTO(mem_freep) uint32_t *rows = mem_array(n + 1, sizeof *rows);
    AUTO(mem_freep) double *margins = mem_array(n + 1, sizeof *margins);
    AUTO(mem_freep) bool *positive = mem_array(n + 1, sizeof *positive);
    size_t all, first = split(l, order, n, rows, &all), rest = all - first, hits = 0;

    for (size_t i = 0; i < first; i++)
        hits += l->positive[rows[i]];
    if (!leads_both(leads_count(l, rows, first)) || hits == first ||
        leads_count(l, rows + first, rest).n < FEW_OF_A_CLASS ||
        !ridge_fit(&g->rows, rows, first, l->positive, g->penalty, l->o->stop, w))
        return false;
    double base = log((double)hits / (double)(first - hits));
    *ret = (struct forward){0};
    for (size_t i = 0; i < rest; i++) {
        margins[i] = ridge_margin(&g->rows, rows[first + i], w);
        positive[i] = l->positive[rows[first + i]];
        ret->log_loss += margin_loss(margins[i], positive[i]) / (double)rest;
        ret->base_loss += margin_loss(base, positive[i]) / (double)rest;
    }
    ret->auc = measure_auc(margins, positive, rest);
    return true;
}

static void warn(struct lesson *l, const struct chosen *c, const struct moment order[], size_t n)
{
    const struct block *first = &l->report->blocks[0],
                       *last = &l->report->blocks[REPORT_TENTHS - 1];
    const char *along = l->set->time ? "time" : "the rows";
    double low = 1, high = 0;
    struct forward f;

    for (size_t k = 0; k < REPORT_TENTHS; k++) {
        low = fmin(low, l->report->blocks[k].observed);
        high = fmax(high, l->report->blocks[k].observed);
    }
    learn_warn(l,
               "drift: the rate changes along %s: %.1f %% in the first tenth, %.1f %% in the last, "
               "between %.1f %% and %.1f %%; a score learnt from the past is off by as much",
               along, 100 * first->observed, 100 * last->observed, 100 * low, 100 * high);
    if (!c->drift_rows || !try_forward(l, c->drift_rows, order, n, &f))
        return;
    learn_warn(
        l,
        "drift: learnt from the first 60 %% of the rows and tried on the rest, logistic "
        "regression has an AUC of %.2f, not %.2f, and a log loss of %.3f (base rate: %.3f)%s",
        f.auc, l->report->measures.auc, f.log_loss, f.base_loss,
        l->set->time ? ""
                     : "; if the rows are in order of time, the figures of random folds say "
                       "nothing about next month: name the time by --time");
}

void drift_report(struct lesson *l, const struct chosen *c)
{
    AUTO(mem_freep) struct moment *order = mem_array(l->n + 1, sizeof *order);
    struct training_report *r = l->report;
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        if (!isnan(l->base[i]))
            order[n++] = (struct moment){learn_time(l, i), (uint32_t)i};
    if (n < 10 * REPORT_TENTHS)
        return;
    moments_sort(order, n);
    for (size_t k = 0; k < REPORT_TENTHS; k++) {
        size_t from = k * n / REPORT_TENTHS, to = (k + 1) * n / REPORT_TENTHS;

        fill_block(l, c, order + from, to - from, &r->blocks[k]);
    }
    if (unevenness(l, order, n) > 40)
        warn(l, c, order, n);
}
