/* scorecard_priv.h - between building a scorecard and evaluating it. */
#ifndef FUNNELD_SCORE_SCORECARD_PRIV_H
#define FUNNELD_SCORE_SCORECARD_PRIV_H

#include "funneld/score/scorecard.h"

/* Evaluating keeps a sum per rule and group. */
enum { SCORE_MAX_RULES = 500, SCORE_MAX_GROUPS = 100 };

#define NOT_FOUND SIZE_MAX

/* Of a rule that the scorecard does not have any more: what its rows add up to, their greatest max,
 * and the group of the newest. */
struct gone_rule {
    struct str name, group;
    int64_t sum, max, newest;
};
static inline struct gone_rule gone_rule_of(struct str name)
{
    return (struct gone_rule){.name = name, .max = INT64_MIN, .newest = INT64_MIN};
}
void gone_rule_take(struct gone_rule *g, const struct ledger_row *row); /* all but its worth */

/* What rows add up to. */
struct score_base {
    int64_t rules[SCORE_MAX_RULES], groups[SCORE_MAX_GROUPS], engagement;
    bool engaged[SCORE_MAX_GROUPS]; /* has a line that is worth something */
    struct gone_rule *gone;
    size_t n_gone;
};
/* The score of those rows. */
void scorecard_evaluate_from(const struct scorecard *c, const struct score_base *base,
                             const struct lead *lead, struct verdict_score *ret);

size_t scorecard_rule(const struct scorecard *c, struct str name);

size_t scorecard_group(const struct scorecard *c, struct str name);

#endif
