/* model/contest.h - champion against challenger: does a new model foresee better than the one in
 * use?
 *
 * The newest rows are set aside, the challenger learns from those whose outcome was known before
 * the first of them, and both foresee the newest. So neither is asked about what it has seen. The
 * challenger wins when its log loss is lower by more than the standard error; without a champion,
 * when it is lower than that of the rate alone. The one that then takes over is of the same recipe
 * and has learnt from all rows. Pure, but for XGBoost.
 */
#ifndef FUNNELD_MODEL_CONTEST_H
#define FUNNELD_MODEL_CONTEST_H

#include "funneld/model/train.h"

enum {
    CONTEST_MIN_NEWEST = 100,  /* fewer leads that are new, or */
    CONTEST_MIN_POSITIVE = 10, /* fewer of the rarer outcome among them, decide nothing */
};

struct contest {
    bool won;
    double gain, error;          /* of log loss in the newest rows, and its standard error */
    size_t n_newest, n_positive; /* leads */
    struct str reason;           /* a sentence, in the arena */
    struct trained challenger;   /* of all rows, where it won */
};

/* The set must say times. champion NULL: there is none; champion_since: when it was trained, in the
 * set's unit. Rows before that do not judge: it may have learnt from them, and what was known by
 * then is the least that the challenger must know. RC_NONE: too few rows judge, with the reason;
 * else as model_train. */
MUST_CHECK enum rc model_contest(const struct training_set *set, const struct model *champion,
                                 double champion_since, const struct train_options *o,
                                 struct arena *a, struct contest *ret, struct why *why);

/* Which column of the table each input of the model is, SIZE_MAX: none; and one row's cells. */
size_t *model_columns(const struct model *m, const struct table *t, struct arena *a);
void model_row(const struct model *m, const struct table *t, const size_t columns[], size_t row,
               struct cell ret[]);

#endif
