/* choose.h - which way of predicting is taken: the simplest that nothing beats beyond the noise. */
#ifndef FUNNELD_MODEL_CHOOSE_H
#define FUNNELD_MODEL_CHOOSE_H

#include "logistic.h"
#include "search.h"

enum choice { CHOSE_BASE, CHOSE_LOGISTIC, CHOSE_TREES, CHOSE_BLEND };

struct chosen {
    enum choice which;
    double share;            /* of the trees */
    double *margins;         /* [n]: out of fold, before calibration; NaN in no fold */
    double *probability;     /* [n]: calibrated by other folds, in order of time by those before */
    double platt_a, platt_b; /* by all folds */
    struct str verdict;
    const struct logistic_lesson *drift_rows; /* for trying what time does; NULL: cannot be */
};

/* trees NULL: they were not tried. Writes the candidates of the report. */
void choose(struct lesson *l, const struct logistic_lesson *logistic,
            const struct tree_lesson *trees, struct chosen *ret);

/* platt.c: log-odds = a * margin + b, fitted to the rows of those folds for which `by` says so; of
 * none: 1 and 0. */
void platt_fit(const struct lesson *l, const double margins[], const bool by[], double *ret_a,
               double *ret_b);

/* outcome.c: measures and curves of what was chosen. */
void outcome_report(struct lesson *l, const struct chosen *c);
/* trend.c: rate and score along the time, or the rows. */
void drift_report(struct lesson *l, const struct chosen *c);

#endif
