/* score/tally.h - a score that is made again and again while firings are added and time goes on.
 *
 * What each firing is worth is remembered until it is worth a tenth less, so that a score costs
 * what has changed since the one before, not all firings. Pure; times are Unix milliseconds. Memory
 * is the arena's.
 */
#ifndef FUNNELD_SCORE_TALLY_H
#define FUNNELD_SCORE_TALLY_H

#include "funneld/score/scorecard.h"

struct tally;
struct tally *tally_new(const struct scorecard *c, struct arena *a); /* both outlive it */
void tally_add(struct tally *t, const struct ledger_row *row);
/* The sums that scorecard_evaluate finds for all rows that were added. A time before the last one
 * costs as much as all rows. */
void tally_evaluate(struct tally *t, const struct lead *lead, int64_t at,
                    struct verdict_score *ret);

#endif
