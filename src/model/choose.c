/* choose.c - see choose.h. */
#include "choose.h"

#include <math.h>
#include <string.h>

static const double shares[] = {.3, .5, .7};

/* By how many standard errors something must be better: than the base rate, for that makes a model
 * be used, and more so where many settings were tried, one of which always looks good; and than
 * something simpler. */
static const double over_base[] = {[CHOSE_LOGISTIC] = 2, [CHOSE_TREES] = 2.5, [CHOSE_BLEND] = 2.5};
static const double over_simpler = 1;

/* Slopes of the calibration beyond which something is wrong with the rows. */
static const double least_slope = .5, most_slope = 2;

static const char *const kinds[] = {[CHOSE_BASE] = "base rate",
                                    [CHOSE_LOGISTIC] = "logistic regression",
                                    [CHOSE_TREES] = "trees",
                                    [CHOSE_BLEND] = "blend"};

struct field { /* who runs */
    struct lesson *l;
    double *margins[4];
    struct candidate *at[4]; /* NULL: was not tried */
};

static bool beats(struct gain g, double errors)
{
    return g.mean > errors * g.se && g.mean > 1e-5;
}

static void measure_candidate(const struct lesson *l, const double margins[], struct candidate *c)
{
    AUTO(mem_freep) double *score = mem_array(l->n + 1, sizeof *score);
    AUTO(mem_freep) bool *positive = mem_array(l->n + 1, sizeof *positive);
    double squares = 0;
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        if (!isnan(l->base[i])) {
            double p = sigmoid(margins[i]), d = p - (l->positive[i] ? 1 : 0);

            score[n] = p;
            positive[n++] = l->positive[i];
            squares += d * d;
        }
    c->log_loss = margins_loss(l, margins);
    c->auc = measure_auc(score, positive, n);
    c->brier = n ? squares / (double)n : 0;
}

static struct candidate *enter(struct field *f, enum choice which, double *margins)
{
    struct training_report *r = f->l->report;
    struct candidate *c = &r->candidates[r->n_candidates++];

    c->kind = kinds[which];
    f->margins[which] = margins;
    f->at[which] = c;
    measure_candidate(f->l, margins, c);
    c->over_base = margins_gain(f->l, margins, f->margins[CHOSE_BASE]);
    if (which >= CHOSE_LOGISTIC)
        c->over_logistic = margins_gain(f->l, margins, f->margins[CHOSE_LOGISTIC]);
    return c;
}

static double *base_margins(const struct lesson *l)
{
    double *ret = arena_array(l->arena, l->n, sizeof *ret);

    for (size_t i = 0; i < l->n; i++)
        ret[i] = log(l->base[i] / (1 - l->base[i])); /* NaN stays */
    return ret;
}

static double *blended(const struct lesson *l, const double trees[], const double logistic[],
                       double share)
{
    double *ret = arena_array(l->arena, l->n, sizeof *ret);

    for (size_t i = 0; i < l->n; i++)
        ret[i] = share * trees[i] + (1 - share) * logistic[i];
    return ret;
}

static void enter_trees(struct field *f, const struct tree_lesson *t)
{
    struct candidate *c = enter(f, CHOSE_TREES, t->margins);

    c->depth = t->settings.depth;
    c->eta = t->settings.eta;
    c->min_child_weight = t->settings.min_child_weight;
    c->subsample = t->settings.subsample;
    c->colsample = t->settings.colsample;
    c->lambda = t->settings.lambda;
    c->rounds = t->rounds;
    c->tried = t->tried;
}

static void enter_blend(struct field *f)
{
    double *best = NULL, least = INFINITY, share = 0;

    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        double *m = blended(f->l, f->margins[CHOSE_TREES], f->margins[CHOSE_LOGISTIC], shares[i]);
        double loss = margins_loss(f->l, m);

        if (loss < least) {
            least = loss;
            best = m;
            share = shares[i];
        }
    }
    enter(f, CHOSE_BLEND, best)->share = share;
}

/* The simplest that none of the others beats beyond the noise. */
static enum choice decide(const struct field *f)
{
    enum choice best = CHOSE_BASE;

    for (enum choice c = CHOSE_LOGISTIC; c <= CHOSE_BLEND; c++) {
        if (!f->at[c] || !beats(f->at[c]->over_base, over_base[c]))
            continue;
        if (best == CHOSE_BASE ||
            beats(margins_gain(f->l, f->margins[c], f->margins[best]), over_simpler))
            best = c;
    }
    return best;
}

static const struct candidate *closest(const struct field *f)
{
    const struct candidate *best = NULL;

    for (enum choice c = CHOSE_LOGISTIC; c <= CHOSE_BLEND; c++)
        if (f->at[c] && (!best || f->at[c]->log_loss < best->log_loss))
            best = f->at[c];
    return best;
}

static struct str refusal(const struct field *f)
{
    const struct candidate *c = closest(f);

    return arena_printf(f->l->arena,
                        "no better than the base rate: the best, %s, has a log loss of %.4f, the "
                        "base rate %.4f; a gain of %.4f with a standard error of %.4f proves "
                        "nothing",
                        c->kind, c->log_loss, f->at[CHOSE_BASE]->log_loss, c->over_base.mean,
                        c->over_base.se);
}

static struct str praise(const struct field *f, enum choice which)
{
    static const char *const who[] = {[CHOSE_LOGISTIC] = "logistic regression beats",
                                      [CHOSE_TREES] = "trees beat",
                                      [CHOSE_BLEND] =
                                          "trees and logistic regression together beat"};
    const struct candidate *c = f->at[which];
    struct sbuf b AUTO(sbuf_free) = SBUF(600);

    sbuf_printf(
        &b, "%s the base rate: log loss %.4f against %.4f, %.4f better (standard error %.4f)",
        who[which], c->log_loss, f->at[CHOSE_BASE]->log_loss, c->over_base.mean, c->over_base.se);
    if (which != CHOSE_LOGISTIC)
        sbuf_printf(&b, "; logistic regression alone has %.4f, %.4f worse (%.4f)",
                    f->at[CHOSE_LOGISTIC]->log_loss, c->over_logistic.mean, c->over_logistic.se);
    else if (f->at[CHOSE_TREES])
        sbuf_printf(&b, "; trees have %.4f, which is no better beyond the noise",
                    f->at[CHOSE_TREES]->log_loss);
    return arena_str(f->l->arena, sbuf_str(&b));
}

/* Each fold by what others say, so that the figures are not those of its own calibration; in order
 * of time by those before it, as nobody knows more then. */
static void calibrate(struct lesson *l, struct chosen *c)
{
    bool all[LEARN_FOLDS];

    c->platt_a = 1;
    c->probability = arena_array(l->arena, l->n, sizeof *c->probability);
    for (size_t k = 0; k < l->n_folds; k++) {
        bool by[LEARN_FOLDS];
        double a = 1, b = 0;

        all[k] = true;
        for (size_t j = 0; j < l->n_folds; j++)
            by[j] = l->by_time ? j < k : j != k;
        if (c->which != CHOSE_BASE)
            platt_fit(l, c->margins, by, &a, &b);
        for (size_t i = 0; i < l->folds[k].n_test; i++) {
            uint32_t row = l->folds[k].test[i];

            c->probability[row] = sigmoid(a * c->margins[row] + b);
        }
    }
    if (c->which == CHOSE_BASE)
        return;
    platt_fit(l, c->margins, all, &c->platt_a, &c->platt_b);
    if (c->platt_a < least_slope || c->platt_a > most_slope)
        learn_warn(l,
                   "calibration: what is learnt is %s for other leads, and is corrected by "
                   "a slope of %.2f (1 is none): look at whether the rows are of one kind",
                   c->platt_a < 1 ? "too sure of itself" : "too careful", c->platt_a);
}

void choose(struct lesson *l, const struct logistic_lesson *logistic,
            const struct tree_lesson *trees, struct chosen *ret)
{
    struct field f = {.l = l};

    enter(&f, CHOSE_BASE, base_margins(l));
    enter(&f, CHOSE_LOGISTIC, logistic->margins)->penalty = logistic->penalty;
    if (trees) {
        enter_trees(&f, trees);
        enter_blend(&f);
    }
    enum choice which = decide(&f);
    *ret = (struct chosen){.which = which, .margins = f.margins[which]};
    ret->share = which == CHOSE_BLEND ? f.at[which]->share : which == CHOSE_TREES ? 1 : 0;
    ret->verdict = which == CHOSE_BASE ? refusal(&f) : praise(&f, which);
    f.at[which]->chosen = true;
    calibrate(l, ret);
}
