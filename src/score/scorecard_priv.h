/* scorecard_priv.h - between building a scorecard and evaluating it. */
#ifndef FUNNELD_SCORE_SCORECARD_PRIV_H
#define FUNNELD_SCORE_SCORECARD_PRIV_H

#include "funneld/score/scorecard.h"

/* Evaluating keeps a sum per rule and group. */
enum { SCORE_MAX_RULES = 500, SCORE_MAX_GROUPS = 100 };

#define NOT_FOUND SIZE_MAX

/* What rows of the scorecard's rules add up to. */
struct score_base {
    int64_t rules[SCORE_MAX_RULES], groups[SCORE_MAX_GROUPS], engagement;
    bool engaged[SCORE_MAX_GROUPS]; /* has a line that is worth something */
};
/* The sums of those and of more rows. */
void scorecard_evaluate_from(const struct scorecard *c, const struct score_base *base,
                             const struct lead *lead, const struct ledger_row *rows, size_t n_rows,
                             int64_t at, struct verdict_score *ret);

size_t scorecard_rule(const struct scorecard *c, struct str name);

size_t scorecard_group(const struct scorecard *c, struct str name);

#endif
