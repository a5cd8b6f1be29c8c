/* search.h - boosted trees of a lesson: which settings, how many rounds, and out of fold. */
#ifndef FUNNELD_MODEL_SEARCH_H
#define FUNNELD_MODEL_SEARCH_H

#include "learn.h"

struct tree_lesson {
    struct booster_settings settings;
    size_t rounds, tried;
    double *margins; /* [n]: out of fold; NaN in none */
    double log_loss; /* of them */
};

/* RC_CLOSED: it was stopped. RC_NONE: XGBoost is not there. */
MUST_CHECK enum rc search_trees(struct lesson *l, struct tree_lesson *ret, struct why *why);

/* grow.c: a stage of the search. Each fold's matrices are made once, of at most so many rows. */
struct grove;
MUST_CHECK enum rc grove_new(struct lesson *l, size_t most, struct grove **ret, struct why *why);
void grove_free(struct grove *g); /* NULL is fine */
/* Tries them all in the first n_folds; the best of them and of *best, which has no margins where it
 * is not to be compared, becomes *best. losses[n], which may be NULL, are told too. from and to:
 * share of the progress. */
MUST_CHECK enum rc grove_try(struct grove *g, const struct booster_settings settings[], size_t n,
                             size_t n_folds, double from, double to, struct tree_lesson *best,
                             double losses[], struct why *why);

#endif
