/* logistic.h - the logistic regression of a lesson: by which penalty, and out of fold. */
#ifndef FUNNELD_MODEL_LOGISTIC_H
#define FUNNELD_MODEL_LOGISTIC_H

#include "learn.h"
#include "ridge.h"

struct logistic_lesson {
    double penalty;
    double *margins;    /* [n]: out of fold; NaN in none */
    double log_loss;    /* of them */
    struct sparse rows; /* the lesson's, as it takes them */
    size_t *at;         /* [n_features]: its number in rows, where it has a scale */
    size_t *missing;    /* [n_features]: the number of its missing; 0: it has none */
    double *mean, *scale, *low, *high, *missing_scale; /* [n_features] */
};

/* false: it was stopped. */
bool logistic_learn(struct lesson *l, struct logistic_lesson *ret);
/* On all rows. */
bool logistic_refit(const struct lesson *l, const struct logistic_lesson *from,
                    struct logistic *ret);

#endif
