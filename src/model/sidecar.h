/* sidecar.h - all of a model that is not XGBoost's, as one JSON object.
 *
 *   {"format":"funneld-model","version":1,
 *    "name":"main","goal":"conversion","horizon_ms":7776000000,"trained_at_ms":1772366400000,
 *    "seed":"1","usable":true,"kind":"blend","verdict":"trees and logistic regression beat ...",
 *    "rows":28839,"positive":3248,"base_rate":0.1126,
 *    "inputs":[{"name":"job","kind":"text","levels":["admin.","services"],"sentinels":["unknown"],
 *               "edges":[],"shares":[0.3,0.2,0.4,0.1],"weight":0.21}, ...],
 *    "features":62,
 *    "base_log_odds":-2.06,
 *    "logistic":{"bias":-2.5,"weight":[..],"mean":[..],"scale":[..],"missing":[..],"low":[..],
 *                "high":[..]},
 *    "share":0.7,"platt":{"a":1.02,"b":0.01},"quartiles":[0.04,0.05,0.09],
 *    "samples":[{"at_ms":1772366400000,"cells":["services",4.5,null],"probability":0.07}, ...],
 *    "report":{...}}
 *
 * kind of an input: number, text, truth, age. Its features follow each other in the order of the
 * inputs: n_levels + 2 for a text, else 1; "features" is their sum. levels and sentinels are folded
 * and trimmed. edges are n_bins - 2 rising numbers, none for a text; shares has n_bins, a text's
 * are its features. "logistic" is null where there is none, and the trees are the other text, empty
 * where "share" is 0. A low or high that does not bound is null. "quartiles" are of the calibrated
 * probability, out of fold.
 *
 * samples, at most 20: "cells" in the order of the inputs, a text as a table may have it, a number,
 * or null where missing; at_ms 0 where no time is known; "probability" is what the model answered
 * where it was trained. A reader refuses a model that answers anything else. They are made up: no
 * row that was learnt from stands in a model.
 *
 * "report", for people; a model that was trained elsewhere may go without it:
 *   {"folds":"random"|"time","grouped":false,"n_folds":5,"scored":28839,
 *    "candidates":[{"kind":"base rate","log_loss":..,"auc":..,"brier":..,
 *        "gain_base":{"mean":..,"se":..},"gain_logistic":{"mean":..,"se":..},"chosen":false,
 *        "penalty":20,                                                       logistic regression
 *        "depth":4,"eta":0.05,"min_child_weight":5,"subsample":0.8,"colsample":0.6,"lambda":3,
 *        "rounds":311,"tried":9,                                              trees
 *        "share":0.7}, ...],                                                  blend
 *    "measures":{"n","positive","auc","pr_auc","log_loss","brier","ece","ece_floor","ece_floor_95",
 *        "lift"},                          of what was chosen, calibrated, out of fold
 *    "lift":[2.9, ...],                    of each tenth of the rows, the best first
 *    "roc":[[fpr,tpr], ...], "precision_recall":[[recall,precision], ...],   at most 101 points
 *    "calibration":[{"predicted":..,"observed":..,"n":..}, ...],             ten bins of as many
 * rows "histogram":[12, ...],                rows by probability, 20 bins of 0.05
 *    "blocks":[{"rows":..,"observed":..,"predicted":..,"auc":..}, ...],      ten, in order of time,
 *                                          else of the rows
 *    "excluded":[{"column":"duration","kind":"leakage","reason":"..."}, ...],
 *    "suspects":[{"column":..,"kind":..,"reason":..}, ...],   kept, but to be looked at
 *    "warnings":["...", ...]}
 * gains are differences of log loss (positive: better), se their standard error, clustered by lead
 * or fold. kind of a column that was left out: asked, constant, identifier, clock, date, levels,
 * duplicate, leakage, empty, name.
 */
#ifndef FUNNELD_MODEL_SIDECAR_H
#define FUNNELD_MODEL_SIDECAR_H

#include "funneld/base/sbuf.h"
#include "funneld/model/measure.h"
#include "model_priv.h"

#define SIDECAR_FORMAT "funneld-model"
enum { SIDECAR_VERSION = 1, REPORT_TENTHS = 10, REPORT_BARS = 20, REPORT_POINTS = 101 };

struct gain {
    double mean, se;
};

/* One way to predict, and how it did out of fold. */
struct candidate {
    const char *kind; /* as in struct model_card */
    double log_loss, auc, brier;
    struct gain over_base, over_logistic;
    bool chosen;
    double penalty;
    size_t depth, rounds, tried; /* depth 0: it has no trees */
    double eta, min_child_weight, subsample, colsample, lambda;
    double share;
};

struct finding {
    struct str column;
    const char *kind;
    struct str reason;
};

struct findings {
    struct finding *at;
    size_t n, cap;
};

struct point {
    double x, y;
};
struct curve {
    struct point at[REPORT_POINTS];
    size_t n;
};

struct calibration_bin {
    double predicted, observed;
    size_t n;
};

struct block {
    size_t n;
    double observed, predicted, auc;
};

struct sample {
    int64_t at_ms;
    const struct cell *cells; /* [n_inputs] */
    double probability;
};

struct training_report {
    uint64_t seed;
    bool by_time, grouped;
    size_t n_folds, n_scored;
    struct candidate candidates[4];
    size_t n_candidates;
    struct measures measures;
    double lift[REPORT_TENTHS];
    struct curve roc, precision_recall;
    struct calibration_bin calibration[REPORT_TENTHS];
    size_t histogram[REPORT_BARS];
    struct block blocks[REPORT_TENTHS];
    struct findings excluded, suspects;
    const struct str *warnings;
    size_t n_warnings;
    struct sample samples[MODEL_MAX_SAMPLES];
    size_t n_samples;
};

void sidecar_write(const struct model *m, const struct training_report *r, struct sbuf *b);

#endif
