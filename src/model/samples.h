/* samples.h - made-up rows that a model is asked where it is trained and again where it is read.
 *
 * They show that both sides agree, and stand in a file that is handed on: no row is of anybody.
 */
#ifndef FUNNELD_MODEL_SAMPLES_H
#define FUNNELD_MODEL_SAMPLES_H

#include "learn.h"

/* Cells and times of the report's samples. Each input goes through its levels, another text and
 * none, or through the middles and the ends of its bins, once as a number and once as a text. */
void samples_make(struct lesson *l);
/* Their features, [MODEL_MAX_SAMPLES][n_features]. */
void samples_encode(const struct lesson *l, float ret[]);

#endif
