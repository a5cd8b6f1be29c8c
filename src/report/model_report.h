/* report/model_report.h - a sidecar's report, read; its shape is described in model/sidecar.h. */
#ifndef FUNNELD_REPORT_MODEL_REPORT_H
#define FUNNELD_REPORT_MODEL_REPORT_H

#include "funneld/report/model.h"

enum {
    MOST_CANDIDATES = 32,
    MOST_POINTS = 1001,
    MOST_INPUTS = 1000,
    MOST_FINDINGS = 2000,
    N_TENTHS = 10,
    N_BARS = 20
};

struct report_gain {
    double mean, se;
};
struct report_candidate {
    struct str kind;
    double log_loss, auc, brier;
    struct report_gain over_base, over_logistic;
    bool chosen;
    int64_t depth, rounds;
    double eta, share;
};
struct report_point {
    double x, y;
};
struct report_curve {
    struct report_point *at;
    size_t n;
};
struct report_tenth {
    double predicted, observed;
    int64_t n;
};
struct report_finding {
    struct str column, kind, reason;
};
struct report_findings {
    struct report_finding *at;
    size_t n;
};
struct report_input {
    struct str name;
    double weight;
};

struct model_report {
    struct str name, goal, kind, verdict;
    int64_t warm, hot; /* as in struct reported_model */
    int64_t version, horizon_ms, trained_at, rows, positive;
    bool active, usable;
    double base_rate, quartiles[3];
    struct report_input *inputs; /* the most important first */
    size_t n_inputs;
    bool any; /* it has what follows */
    bool by_time, grouped;
    int64_t n_folds, scored;
    struct report_candidate *candidates;
    size_t n_candidates;
    double auc, pr_auc, log_loss, brier, ece, ece_floor, ece_floor_95, top_lift;
    double lift[N_TENTHS];
    size_t n_lift;
    struct report_curve roc, precision_recall;
    struct report_tenth calibration[N_TENTHS], blocks[N_TENTHS];
    size_t n_calibration, n_blocks;
    int64_t histogram[N_BARS];
    size_t n_histogram;
    struct report_findings excluded, suspects;
    struct str *warnings;
    size_t n_warnings;
};

MUST_CHECK enum rc report_read(const struct reported_model *m, struct arena *a,
                               struct model_report *ret, struct why *why);

/* Rows whose probability is from `low` on and below `high`, by the bars of the histogram. */
int64_t report_rows_between(const struct model_report *r, double low, double high);

/* By which a lead is told to be one of a band, when limits are probabilities. */
struct report_band {
    const char *name;
    double low, high;
};
enum { N_BANDS = 4 };
extern const struct report_band report_bands[N_BANDS];

#endif
