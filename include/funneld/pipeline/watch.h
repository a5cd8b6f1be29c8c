/* pipeline/watch.h - how a model in use does: drift of the leads in the store, and what became of
 * those whose time is over.
 *
 * Pure: it looks at what was read of the past. What leads are like now is seen at the ages at which
 * leads are learnt from, or their ages alone would tell the two apart.
 */
#ifndef FUNNELD_PIPELINE_WATCH_H
#define FUNNELD_PIPELINE_WATCH_H

#include "funneld/model/drift.h"
#include "funneld/pipeline/learning.h"

/* `past` was read for the model's goal. What is in the report lives in the arena. */
void watch_model(struct model *m, const struct learning *past, struct arena *a,
                 struct drift_report *ret);

#endif
