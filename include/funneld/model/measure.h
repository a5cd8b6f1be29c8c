/* model/measure.h - how good predictions were: pure functions over (probability, outcome).
 *
 * Probabilities are between 0 and 1. Nothing is NaN: where a figure is not defined (one class, no
 * rows) it is what a model that knows nothing would have.
 */
#ifndef FUNNELD_MODEL_MEASURE_H
#define FUNNELD_MODEL_MEASURE_H

#include "funneld/base/mem.h"

struct measures {
    size_t n, n_positive;
    double auc, pr_auc;
    double log_loss, brier;
    double ece;                     /* ten bins of as many rows each */
    double ece_floor, ece_floor_95; /* of a perfect model with these probabilities: mean, 95th
                                       percentile, by simulation with a fixed seed */
    double lift;                    /* of the top tenth */
};
void measure(const double probability[], const bool positive[], size_t n, struct measures *ret);

double measure_auc(const double score[], const bool positive[], size_t n);
double measure_log_loss(const double probability[], const bool positive[], size_t n);

#endif
