/* model/booster.h - gradient-boosted trees as XGBoost grows them: a port, kept in model/xgboost.
 *
 * The library is opened when it is first used, so that who never trains never loads it. OpenMP
 * reads its number of threads when it is loaded: booster_prepare has it run none of its own and is
 * called first in main, before there are threads. A booster or matrix is used by one thread at a
 * time; different ones by different threads at once. The same calls give the same bytes.
 */
#ifndef FUNNELD_MODEL_BOOSTER_H
#define FUNNELD_MODEL_BOOSTER_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"

void booster_prepare(void);
/* RC_NONE: it is not installed. Any thread. */
MUST_CHECK enum rc booster_library(struct why *why);

struct matrix;  /* rows of features with outcomes; the values are copied */
struct booster; /* trees that grow */

MUST_CHECK enum rc matrix_new(const float x[], size_t rows, size_t features, const bool positive[],
                              struct matrix **ret, struct why *why);
void matrix_free(struct matrix *m); /* NULL is fine */

struct booster_settings {
    size_t depth;
    double eta, min_child_weight, subsample, colsample, lambda;
    double base_rate;
    uint32_t seed;
};

/* Both matrices outlive it; `watched`, which may be NULL, is one that booster_margins is asked for
 * after each round, and is then quick. */
MUST_CHECK enum rc booster_new(const struct booster_settings *s, const struct matrix *train,
                               const struct matrix *watched, struct booster **ret, struct why *why);
void booster_free(struct booster *b);                                 /* NULL is fine */
MUST_CHECK enum rc booster_round(struct booster *b, struct why *why); /* one tree more */
/* Log-odds by the first `rounds` trees, of each row; 0: by all. */
MUST_CHECK enum rc booster_margins(struct booster *b, const struct matrix *m, size_t rounds,
                                   float ret[], struct why *why);
/* What each feature adds to a row's log-odds, [rows][features + 1]; the last is the bias. */
MUST_CHECK enum rc booster_parts(struct booster *b, const struct matrix *m, float ret[],
                                 struct why *why);
/* XGBoost's JSON. */
MUST_CHECK enum rc booster_text(struct booster *b, struct arena *a, struct str *ret,
                                struct why *why);

#endif
