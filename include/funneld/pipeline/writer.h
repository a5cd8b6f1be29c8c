/* pipeline/writer.h - the event's way inside one transaction, and the thread that batches it.
 *
 * Group commit: what waits (at most 8 MiB or 2,000 events) goes into one transaction:
 * dedupe, event, lead, ledger, score and queue rows together; then all are
 * answered. writer_step runs in one thread: the writer, or a test.
 */
#ifndef FUNNELD_PIPELINE_WRITER_H
#define FUNNELD_PIPELINE_WRITER_H

#include "funneld/base/ref.h"
#include "funneld/connectors/connector.h"
#include "funneld/ingest/source.h"
#include "funneld/model/served.h"
#include "funneld/pipeline/goal.h"
#include "funneld/route/route.h"
#include "funneld/score/scorecard.h"
#include "funneld/store/store.h"

/* What it works by; immutable. Taken over with COMMAND_RULES. */
struct rules {
    struct scorecard scorecard;
    struct routes routes;
    struct goals goals;
    const struct connector *connectors;
    size_t n_connectors;
    const struct source *sources;
    size_t n_sources;
    struct ref *owner; /* dropped when replaced */
};

struct writer_ports {
    struct store *store;
    /* After a commit: a delivery that is pending now. */
    void (*notify)(void *self, struct str connector, const struct due_row *row);
    void (*rescan)(void *self); /* after commands that change many */
    void (*failed)(void *self); /* RC_IO or RC_CORRUPT: the process must restart */
    void *self;
};

struct writer;
/* The first work it gets must be a COMMAND_RULES. What leads had of models stays as it is until the
 * first COMMAND_MODELS. max_weight bounds the intake that waits. */
struct writer *writer_new(const struct writer_ports *ports, size_t max_weight);
void writer_free(struct writer *w); /* closed and empty; drops rules and models */

/* From any thread. Intake: RC_BUSY when too much waits; others only RC_CLOSED. */
MUST_CHECK enum rc writer_submit(struct writer *w, struct work *work);
void writer_close(struct writer *w); /* what waits is still done, then writer_run returns */

/* One group commit of what waits; false when closed and empty. Waits up to wait_ms for work. */
bool writer_step(struct writer *w, int64_t now_ms, int wait_ms);
void *writer_run(void *writer);

#endif
