/* model/inputs.h - what a model sees of a lead: the same when it learns and when it is served.
 *
 * Names of inputs:
 *   NAME                    the lead's property
 *   @event.KIND.count.7d    how often in the last 7, 30 or 90 days; KIND as in lead/activity.h
 *   @event.KIND.days        days since the last one, missing where there was none in 90 days
 *   @rule.NAME.count.30d    how often that engagement rule fired in the last 30 days
 *   @rule.NAME.days
 *   @fit @engagement        points of the scorecard
 *   @source                 name of the source that the lead was first heard of from
 *   @age.days               days since the lead was first heard of
 */
#ifndef FUNNELD_MODEL_INPUTS_H
#define FUNNELD_MODEL_INPUTS_H

#include "funneld/lead/activity.h"
#include "funneld/lead/lead.h"
#include "funneld/model/model.h"
#include "funneld/score/scorecard.h"

/* A lead at a moment. */
struct lead_view {
    const struct lead *lead; /* as it was then, its fit and engagement too */
    const struct ledger_row *rows;
    size_t n_rows;
    const struct activity *activity;
    int64_t at;
};

/* False: it begins with '@' and is none of these. */
bool lead_input_is_known(struct str name);

/* Of an event or a rule: its KIND or NAME, and in how many days it is counted; 0: since the last.
 */
bool lead_input_counted(struct str name, struct str *ret_key, int *ret_days);

/* All that a model takes: its names are understood once, when it is read. Immutable, any thread. */
struct lead_inputs;
struct lead_inputs *lead_inputs_new(const struct model *m, struct arena *a);
/* The same by names, which outlive it: before there is a model. */
struct lead_inputs *lead_inputs_named(const struct str names[], size_t n, struct arena *a);
void lead_cells(const struct lead_inputs *i, const struct lead_view *v, struct cell ret[]);

#endif
