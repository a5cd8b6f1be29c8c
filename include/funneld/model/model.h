/* model/model.h - a trained model: what it takes, what it predicts, and why.
 *
 * Immutable, shared by reference, any thread. Kept as two texts, which are also what is exported:
 * `trees`, XGBoost's own JSON (1.7), and `sidecar`, our JSON with all else: inputs and their
 * encoding, logistic weights, blend, calibration, what was measured, sample rows. Serving needs no
 * XGBoost: trees are flattened and walked here, bit-equal to it.
 */
#ifndef FUNNELD_MODEL_MODEL_H
#define FUNNELD_MODEL_MODEL_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/model/table.h"

/* At most 64 bytes that a terminal shows, no colon. */
bool model_name_ok(struct str name);

enum model_goal { GOAL_CONVERSION, GOAL_CHURN, GOAL_COUNT };
const char *goal_name(enum model_goal g); /* "conversion", "churn" */
/* In a set of goals. */
static inline unsigned goal_bit(enum model_goal g)
{
    return 1U << g;
}

struct model;

/* Of each of the two texts; what is learnt here has a tenth of it. */
enum { MODEL_MOST_BYTES = 16 << 20, MODEL_MOST_VALUES = 2000000 };

/* Checks all it can, also against the sample rows that the sidecar has: RC_INVALID says what does
 * not fit. Files of others are not trusted: no size, depth, index or number in them is. */
MUST_CHECK enum rc model_read(struct str trees, struct str sidecar, struct model **ret,
                              struct why *why);
struct model *model_take(struct model *m); /* one reference more; NULL stays NULL */
void model_drop(struct model *m);          /* NULL is fine */

struct model_card { /* slices live as long as the model */
    struct str name;
    enum model_goal goal;
    int64_t horizon_ms, trained_at;
    bool usable; /* it won by more than its standard error; else: why not */
    struct str
        verdict;     /* in words: "trees and logistic regression beat ...", "no better than ..." */
    struct str kind; /* "base rate", "logistic regression", "trees", "blend" */
    size_t n_inputs, n_rows, n_positive;
    double base_rate;
};
const struct model_card *model_card(const struct model *m);
struct str model_input_name(const struct model *m, size_t input);
bool model_input_find(const struct model *m, struct str name, size_t *ret);

/* cells[n_inputs], each as its column was in the table. at: Unix ms, for dates as ages; 0: none.
 * Between 0 and 1, calibrated. Allocates nothing. */
double model_probability(const struct model *m, const struct cell cells[], int64_t at);
/* The same before calibration: the log-odds of the blend. */
double model_margin(const struct model *m, const struct cell cells[], int64_t at);

/* What each input adds to the calibrated log-odds, exact TreeSHAP; their sum and the bias are the
 * log-odds of model_probability. scratch is emptied by the caller. */
void model_explain(const struct model *m, const struct cell cells[], int64_t at, struct arena *a,
                   double ret_parts[], double *ret_bias);

/* Percentage points for each unit of log-odds, on a way of so many from the bias. */
double model_points(double bias, double way);

/* The strongest inputs in words, at most n for each sign: "visited pricing 4 times: +11 points,
 * country is DE: -3 points". Points are percentage points of the probability, shared out in
 * proportion to the log-odds, so that all of them add up to the way from the base. */
struct str model_reasons(const struct model *m, const struct cell cells[], int64_t at, size_t n,
                         struct arena *a);

/* Population stability index of an input, against the training set: counts[] as binned by
 * model_bin (0 .. model_bins - 1; the last one is missing). */
size_t model_bins(const struct model *m, size_t input);
size_t model_bin(const struct model *m, size_t input, const struct cell *cell, int64_t at);
double model_psi(const struct model *m, size_t input, const uint32_t counts[]);

/* Quartiles of the probability over the training set, out of fold: for bands. */
void model_quartiles(const struct model *m, double ret[3]);

#endif
