/* ridge.h - L2 logistic regression on sparse rows, by Newton's method.
 *
 * Minimises sum of log loss + penalty / 2 * |w|^2; the bias, which comes last in w, is free. Exact
 * to about 1e-8 and the same on every run. Pure.
 */
#ifndef FUNNELD_MODEL_RIDGE_H
#define FUNNELD_MODEL_RIDGE_H

#include <stdatomic.h>

#include "funneld/base/mem.h"

/* Row i has the entries start[i] .. start[i + 1] - 1; its features rise. */
struct sparse {
    size_t n_rows, n_features;
    const size_t *start;
    const uint32_t *feature;
    const double *value;
};

/* w[n_features + 1] is where it begins, and the result. false: it was stopped. */
bool ridge_fit(const struct sparse *s, const uint32_t rows[], size_t n_rows, const bool positive[],
               double penalty, const atomic_bool *stop, double w[]);
double ridge_margin(const struct sparse *s, size_t row, const double w[]);

#endif
