/* scorecard_priv.h - between building a scorecard and evaluating it. */
#ifndef FUNNELD_SCORE_SCORECARD_PRIV_H
#define FUNNELD_SCORE_SCORECARD_PRIV_H

#include "funneld/score/scorecard.h"

#define NOT_FOUND SIZE_MAX

size_t scorecard_group(const struct scorecard *c, struct str name);

#endif
