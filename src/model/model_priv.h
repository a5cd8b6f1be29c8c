/* model_priv.h - a model's parts, between learning, keeping and serving.
 *
 * A row goes this way: cells -> features (a matrix row of floats, NaN missing) -> two margins in
 * log-odds, of the trees and of the logistic regression -> blend -> Platt -> probability.
 */
#ifndef FUNNELD_MODEL_PRIV_H
#define FUNNELD_MODEL_PRIV_H

#include <stdatomic.h>

#include "funneld/model/model.h"

enum {
    MODEL_MAX_INPUTS = 1000,
    MODEL_MAX_LEVELS = 64, /* of a text */
    MODEL_MAX_FEATURES = 5000,
    MODEL_MAX_BINS = 20,
    MODEL_MAX_SAMPLES = 20,
    MODEL_MAX_SENTINELS = 64,
    MODEL_MAX_WEIGHT = 1000000, /* of anything in log-odds: no sum of them is infinite */
    MODEL_MAX_DEPTH = 64,       /* of a tree */
    MODEL_INPUT_NAME_BYTES = 200,
    MODEL_TEXT_BYTES = 256, /* of a folded text; what is longer is cut */
};

/* A text's features are one for each level, one for all other levels, one for missing: 0 or 1.
 * Texts are trimmed and folded (ASCII) before they are compared; sentinels are missing. A number, a
 * truth (yes/no, true/false, 1/0: 1 or 0) and an age (days from the date to the row's time) are one
 * feature, NaN where missing, or where the text is no such thing. */
enum input_kind { INPUT_NUMBER, INPUT_TEXT, INPUT_TRUTH, INPUT_AGE };

struct input {
    struct str name;
    enum input_kind kind;
    size_t feature, n_features; /* the first of its features */
    const struct str *levels;   /* folded; of a text */
    size_t n_levels;
    const struct str *sentinels; /* folded: texts that mean missing, beside the empty one */
    size_t n_sentinels;
    /* How the training set was distributed, for PSI. A text's bins are its features. The bins of
     * the others end at `edges` (n_bins - 2 of them, rising), the last bin is missing. */
    const double *edges;
    const double *shares; /* [n_bins], add up to 1 */
    size_t n_bins;
    double weight; /* mean |contribution|, in log-odds: its importance */
};

/* margin = bias + sum over features of weight * (clamped(x) - mean) / scale, or `missing` where x
 * is NaN. Arrays of n_features. */
struct logistic {
    double bias;
    const double *weight, *mean, *scale, *missing, *low, *high;
};

/* Flattened. A node with left == 0 is a leaf with value; else left when x < split, right when not,
 * `missing_right` says where to where x is NaN; left child is at `left`, right one at left + 1. */
struct tree_node {
    float split;   /* or the leaf's value */
    uint32_t left; /* the first node of all is a root, so no child is at 0 */
    uint16_t feature;
    uint16_t missing_right;
};
struct trees {
    struct tree_node *nodes;
    double *share; /* [n_nodes]: of the rows that reached the node above, those that went here */
    size_t n_nodes;
    uint32_t *roots;
    size_t n_trees;
    float base_margin; /* added first, as XGBoost does */
    double mean;       /* of the margin over the rows it was trained on: TreeSHAP's bias */
    size_t depth;      /* of the deepest */
    const struct shap *shap;
};

struct model {
    atomic_int references;
    struct arena arena;
    struct model_card card;
    struct input *inputs;
    size_t n_inputs, n_features;
    struct trees trees;       /* n_trees 0: it has none */
    struct logistic logistic; /* weight NULL: it has none */
    double share;             /* of the trees in the blend; 0: none, 1: alone */
    double platt_a, platt_b;  /* log-odds = a * margin + b */
    double base_log_odds;     /* what it says where it has neither */
    double quartiles[3];
};

/* value.c: what a text is; trimmed by the caller. Strict: no blanks, no separators of thousands. */
bool value_number(struct str text, double *ret);
bool value_truth(struct str text, bool *ret);      /* yes/no, true/false, 1/0, in any case */
bool value_date(struct str text, int64_t *ret_ms); /* ISO 8601, or Unix ms */
/* Trimmed, ASCII lower case, cut to `size` bytes between characters; lies in buffer. */
struct str value_fold(struct str text, char buffer[], size_t size);

/* bounds.c: no control character is in it, neither of ASCII nor of Latin 1. */
bool text_is_shown(struct str s);
/* A name of an input, of at most 200 bytes. */
bool input_name_ok(struct str name);
/* Of over 15 digits: such a number comes out of JSON as a text, and no date has as many. */
bool text_is_long_number(struct str s);
/* What is too big for a model is refused before a tree is built of it. */
MUST_CHECK enum rc model_text_bounded(struct str text, struct why *why);

/* encode.c: one row of features, [n_features]. Never infinite. */
void model_encode(const struct input inputs[], size_t n_inputs, const struct cell cells[],
                  int64_t at, float ret[]);

/* The folded text of a cell, or missing where it is empty or one of the input's sentinels. */
struct str cell_text(const struct input *in, const struct cell *cell, char buffer[], size_t size);

/* Which bin of an input a row is in: the first whose edge is not below the number. */
size_t input_bin(const struct input *in, const float x[]);

double logistic_margin(const struct logistic *l, const float x[], size_t n);
/* What one feature adds to it, beside the bias. */
double logistic_part(const struct logistic *l, size_t feature, float x);

/* trees.c: XGBoost's JSON, which nobody vouches for. n_features: what it must have been trained
 * with. */
MUST_CHECK enum rc trees_read(struct str text, size_t n_features, struct arena *a,
                              struct trees *ret, struct why *why);
float trees_margin(const struct trees *t, const float x[]);

/* shap.c: what explanations by these trees need beside them; the last of what trees_read does. */
const struct shap *shap_new(const struct trees *t, struct arena *a);

/* Adds what each feature adds to the margin to ret[n_features]; with t->mean it is the
 * margin. Scratch from the arena. */
void trees_explain(const struct trees *t, const float x[], struct arena *a, double ret[]);

static inline double sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + __builtin_exp(-x)) : __builtin_exp(x) / (1 + __builtin_exp(x));
}

#endif
