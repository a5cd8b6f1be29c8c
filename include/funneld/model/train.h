/* model/train.h - from a training set to a model, by a recipe that chooses by itself.
 *
 * Screens the columns (what knows too much, identifiers, clocks, constants, sentinels), learns the
 * encoding, tries rules only, logistic regression, boosted trees and their blend by out-of-fold log
 * loss, calibrates (Platt on log-odds of out-of-fold margins) and refits on all rows. The same set,
 * options and seed give the same bytes, however many threads there are. Reads no clock. Trees need
 * libxgboost, which is opened where they are tried; without it they are not, and a warning of the
 * report says so.
 */
#ifndef FUNNELD_MODEL_TRAIN_H
#define FUNNELD_MODEL_TRAIN_H

#include <stdatomic.h>

#include "funneld/model/model.h"
#include "funneld/model/table.h"

struct train_options {
    struct str name; /* of the model */
    enum model_goal goal;
    int64_t horizon_ms;     /* 0: the table says what counts */
    int64_t trained_at;     /* Unix ms, stands in the model */
    const struct str *keep; /* columns that are not left out, whatever the screen says */
    size_t n_keep;
    const struct str *exclude;
    size_t n_exclude;
    size_t max_rows; /* more are sampled evenly; 0: 200,000 */
    int threads;     /* that fit folds at once; each runs XGBoost with one */
    uint64_t seed;
    atomic_bool *stop; /* becomes true: RC_CLOSED soon after; NULL: never */
    /* From 0 to 1, and what is done now; from the calling thread, or another, never two at once.
     * May be NULL. */
    void (*progress)(void *self, double share, const char *what);
    void *self;
};

/* The result as model_read takes it: trees is XGBoost's own JSON, empty where it has none. */
struct trained {
    struct str trees, sidecar;
};

/* How many rows of so many columns are learnt from at most; max_rows as in the options. */
size_t model_most_rows(size_t max_rows, size_t n_columns);

/* RC_INVALID: nothing can be learnt of such a set (no rows, one class, no columns), with the
 * reason. A model that did not win is a result as well: its sidecar says that it is not to be
 * activated. */
MUST_CHECK enum rc model_train(const struct training_set *set, const struct train_options *o,
                               struct arena *a, struct trained *ret, struct why *why);

#endif
