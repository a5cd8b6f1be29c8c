/* pipeline/rescore.h - what models say of leads to whom nothing happens.
 *
 * Ages grow and models are replaced: from time to time each active lead is looked at again, the
 * newest first, slice by slice. A slice is read and worked out by any thread with a reader of its
 * own; the writer then puts down what is still true. Routes hear nothing of it, for nothing
 * happened, and a score stays what it was at the last event.
 */
#ifndef FUNNELD_PIPELINE_RESCORE_H
#define FUNNELD_PIPELINE_RESCORE_H

#include "funneld/pipeline/writer.h"

enum { RESCORE_SLICE = 500 };

struct rescoring {
    const struct rules *rules;
    const struct models *models;
    int64_t before; /* leads with a smaller id are left; INT64_MAX begins */
    /* Of the slice that was read last. */
    struct arena arena;
    struct lead_chances changed[RESCORE_SLICE];
    size_t n_changed, n_seen;
    bool done; /* there is none behind it */
};

/* The next slice, with the lead as it is known at `now`. */
MUST_CHECK enum rc rescore_read(struct reader *r, struct rescoring *s, int64_t now_ms);

/* What of it is still true, in a transaction of its own; the gauge of bands follows. */
MUST_CHECK enum rc rescore_write(struct store *st, const struct rescoring *s);

#endif
