/* pipeline/watch.h - how a model in use does: drift of the leads in the store, and what became of
 * those whose time is over.
 *
 * Reads, and writes nothing; any thread that owns the reader.
 */
#ifndef FUNNELD_PIPELINE_WATCH_H
#define FUNNELD_PIPELINE_WATCH_H

#include "funneld/model/drift.h"
#include "funneld/pipeline/learning.h"

enum {
    WATCH_RECENT_DAYS = 30, /* leads that were heard of since are what leads are like now */
    WATCH_LEADS = 5000,     /* of them, evenly, where there are more */
};

/* `past` was read for the model's goal and is as of past->now_ms. What is in the report lives in
 * the arena. */
MUST_CHECK enum rc watch_model(struct model *m, const struct learning *past, struct reader *r,
                               struct arena *a, struct drift_report *ret);

#endif
