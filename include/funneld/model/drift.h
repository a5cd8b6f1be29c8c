/* model/drift.h - whether a model still says what comes true.
 *
 * Two things are looked at. What leads look like now, against those it learnt from: PSI of each
 * input and of the probability (below 0.1 the same, from 0.25 on another population). And what
 * became of leads whose time is over, against what it had said: mean predicted and observed rate,
 * log loss beside that of somebody who only knows the rate, calibration. Inputs that moved are an
 * alarm, not a verdict: a model is given up only for what it got wrong. Pure; one owner.
 */
#ifndef FUNNELD_MODEL_DRIFT_H
#define FUNNELD_MODEL_DRIFT_H

#include "funneld/model/measure.h"
#include "funneld/model/model.h"

enum {
    DRIFT_MIN_SEEN = 200,     /* fewer leads say nothing of PSI */
    DRIFT_MIN_MATURED = 200,  /* leads with an outcome; fewer, or */
    DRIFT_MIN_POSITIVE = 20,  /* fewer of the rarer kind, say nothing of the model */
    DRIFT_MAX_MATURED = 50000 /* rows; of more, the newest count */
};

enum drift_verdict {
    DRIFT_UNKNOWN, /* too few outcomes, and the inputs say nothing */
    DRIFT_NONE,
    DRIFT_WATCH, /* look at it: inputs or rate have moved, and it still helps */
    DRIFT_ACT,   /* it says less than the rate alone would: do not use it any more */
};
const char *drift_verdict_name(enum drift_verdict v); /* "unknown", "none", "watch", "act" */

struct drift_report {
    size_t n_seen;
    double *psi; /* of each input, in the arena of drift_new */
    /* The greatest, and whose it is; 0: too few leads. @age.days does not count: how old leads are
     * when they are looked at follows from how long there has been a store. */
    double worst_psi;
    size_t worst;
    struct measures matured;    /* of rows */
    size_t n_leads, n_reached;  /* that these rows are of, and who of them reached the goal */
    double predicted, observed; /* mean probability, rate */
    double gain, gain_error;    /* log loss of the rate alone less that of the model, a row's mean,
                                   and its standard error; of a model without a horizon, which
                                   learnt from a table, after its rate was put right */
    enum drift_verdict verdict;
    struct str reason; /* a sentence for people, in the arena */
};

struct drift;
struct drift *drift_new(struct model *m, struct arena *a); /* the model must outlive it */
/* A lead as it is now. */
void drift_see(struct drift *d, const struct cell cells[], int64_t at);
/* A lead as it was, and what became of it; in the order of time. lead: rows of one lead share its
 * fate, so it is leads that are counted, and standard errors are between leads. */
void drift_mature(struct drift *d, const struct cell cells[], int64_t at, bool positive,
                  uint32_t lead);
void drift_judge(const struct drift *d, struct drift_report *ret);

/* Which came true, and of which lead each row is; lead NULL: each of its own. */
struct outcomes {
    const bool *positive;
    const uint32_t *lead;
    size_t n;
};
/* How much better b is than a on the same rows: mean difference of log loss (above 0: b is
 * better), and its standard error, between leads. */
void log_loss_gain(const double a[], const double b[], const struct outcomes *o, double *ret_gain,
                   double *ret_error);
/* How many leads there are, and how many of them have a row that is positive. */
void count_leads(const struct outcomes *o, size_t *ret_leads, size_t *ret_positive);

#endif
