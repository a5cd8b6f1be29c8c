/* search.c - which settings of the trees: narrowed down in three stages.
 *
 * First the depth, then one thing at a time around it, with quick steps; last the two best with
 * small steps. Few rows get shallow trees only: what regularises decides, not what fits.
 */
#include "search.h"

/* From so many rows on, few folds, and some of their rows, are enough to tell settings apart. */
enum { MANY_ROWS = 10000, SOME_ROWS = 60000 };

static const struct booster_settings depths[] = {
    {.depth = 2, .eta = .1, .min_child_weight = 5, .subsample = .8, .colsample = .6, .lambda = 10},
    {.depth = 3, .eta = .1, .min_child_weight = 5, .subsample = .8, .colsample = .6, .lambda = 10},
    {.depth = 4, .eta = .1, .min_child_weight = 5, .subsample = .8, .colsample = .6, .lambda = 3},
    {.depth = 6, .eta = .1, .min_child_weight = 10, .subsample = .8, .colsample = .6, .lambda = 3},
};

/* How deep so many rows let a tree grow. */
static size_t n_depths(const struct lesson *l)
{
    return l->n < 1000 ? 2 : l->n < 3000 ? 3 : ARRAY_LEN(depths);
}

static void each_alone(const struct booster_settings *b, struct booster_settings ret[4])
{
    for (size_t i = 0; i < 4; i++)
        ret[i] = *b;
    ret[0].colsample = .35;
    ret[1].min_child_weight *= 4;
    ret[2].lambda *= 4;
    ret[3].subsample = .6;
}

/* All that won alone, together. */
static struct booster_settings together(const struct booster_settings *b,
                                        const struct booster_settings tried[4],
                                        const double losses[4], double before)
{
    struct booster_settings ret = *b;

    if (losses[0] < before)
        ret.colsample = tried[0].colsample;
    if (losses[1] < before)
        ret.min_child_weight = tried[1].min_child_weight;
    if (losses[2] < before)
        ret.lambda = tried[2].lambda;
    if (losses[3] < before)
        ret.subsample = tried[3].subsample;
    return ret;
}

static bool same(const struct booster_settings *a, const struct booster_settings *b)
{
    return a->depth == b->depth && a->eta == b->eta && a->min_child_weight == b->min_child_weight &&
           a->subsample == b->subsample && a->colsample == b->colsample && a->lambda == b->lambda;
}

/* With many rows a few folds tell settings apart as well. */
static size_t few_folds(const struct lesson *l)
{
    if (l->n < MANY_ROWS)
        return l->n_folds;
    return l->by_time ? l->n_folds - 1 : 3;
}

/* Who is left for the last stage. What was tried in a few folds only is tried again. */
static size_t finalists(const struct lesson *l, const struct tree_lesson *best,
                        const struct booster_settings *joined, struct booster_settings ret[3])
{
    double small = l->n < 1000 ? .05 : .03;
    size_t n = 0;

    ret[n] = best->settings;
    ret[n++].eta = small;
    ret[n] = *joined;
    ret[n].eta = small;
    n += !same(&ret[0], &ret[1]);
    if (few_folds(l) < l->n_folds)
        ret[n++] = best->settings;
    return n;
}

/* What the first stages leave: the best so far, and what might be better still. */
struct shortlist {
    struct tree_lesson *best;
    struct booster_settings joined;
};

static enum rc narrow(struct lesson *l, struct grove *g, struct shortlist *list, struct why *why)
{
    struct booster_settings first[ARRAY_LEN(depths)], alone[4];
    struct tree_lesson *best = list->best;
    double losses[4];
    size_t few = few_folds(l);

    for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
        first[i] = depths[i];
        first[i].seed = (uint32_t)(learn_seed(l, 100) >> 33);
    }
    enum rc rc = grove_try(g, first, n_depths(l), few, .15, .35, best, NULL, why);
    if (rc)
        return rc;
    struct booster_settings base = best->settings;
    double before = best->log_loss;
    each_alone(&base, alone);
    rc = grove_try(g, alone, 4, few, .35, .6, best, losses, why);
    if (rc == RC_OK)
        list->joined = together(&base, alone, losses, before);
    return rc;
}

static enum rc decide(struct lesson *l, struct grove *g, struct shortlist *list, struct why *why)
{
    struct booster_settings last[3];
    size_t n = finalists(l, list->best, &list->joined, last);

    if (few_folds(l) < l->n_folds)
        list->best->margins = NULL; /* what few folds or rows said is not to be compared */
    return grove_try(g, last, n, l->n_folds, .6, .9, list->best, NULL, why);
}

static void grove_freep(struct grove **g)
{
    grove_free(*g);
}

static enum rc shorten(struct lesson *l, struct shortlist *list, struct why *why)
{
    AUTO(grove_freep) struct grove *g = NULL;
    enum rc rc = grove_new(l, SOME_ROWS, &g, why);

    return rc ? rc : narrow(l, g, list, why);
}

enum rc search_trees(struct lesson *l, struct tree_lesson *ret, struct why *why)
{
    AUTO(grove_freep) struct grove *g = NULL;
    struct shortlist list = {.best = ret};

    *ret = (struct tree_lesson){0};
    enum rc rc = shorten(l, &list, why);
    if (rc == RC_OK)
        rc = grove_new(l, SIZE_MAX, &g, why);
    return rc ? rc : decide(l, g, &list, why);
}
