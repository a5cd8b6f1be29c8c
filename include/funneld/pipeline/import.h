/* pipeline/import.h - a past taken over: rows of a file, or of the CRM's history.
 *
 * They are stored, folded and scored as any event is, and done again they change nothing; but no
 * route hears of them, nothing is sent and nobody is asked. Works where no writer runs.
 */
#ifndef FUNNELD_PIPELINE_IMPORT_H
#define FUNNELD_PIPELINE_IMPORT_H

#include "funneld/pipeline/writer.h"

/* What the CRM's history has within so long of something that came in is the same. */
enum { IMPORT_ALIKE_MS = 5000 };

struct import_sums {
    int64_t fresh, known, unprocessable; /* unprocessable: the store refused them; in fresh */
};

/* Inside the caller's transaction. models: that the store has in use. Adds to *sums. */
MUST_CHECK enum rc import_in(struct store *st, const struct rules *r, const struct models *models,
                             int64_t now_ms, const struct event *events, size_t n,
                             struct import_sums *sums);

#endif
