/* pipeline/verdict.c - what the delivery thread reports: attempts that begin, attempts that ended.
 */
#include "batch.h"

enum rc apply_attempts(struct batch *b, const struct attempts *w)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < w->n && rc == RC_OK; i++)
        rc = store_attempt_begin(b->store, w->deliveries[i], w->at);
    /* One was cancelled or superseded since it was read: nothing of this request may leave. */
    return rc == RC_NONE ? RC_DENIED : rc;
}

static void released(void *self, struct str connector, const struct due_row *row)
{
    batch_notice(self, connector, row);
}

/* The CRM was asked about this lead: what waited for that may go. */
static enum rc enriched(struct batch *b, const struct attempt_end *end)
{
    struct lead lead;
    enum rc rc = read_lead(b->reader, end->lead, b->arena, &lead);

    while (rc == RC_OK && lead.state == LEAD_MERGED)
        rc = read_lead(b->reader, lead.merged_into, b->arena, &lead);
    if (rc != RC_OK)
        return rc == RC_NONE ? RC_OK : rc;
    lead.enriched_at = end->ended_at;
    rc = store_lead_save(b->store, &lead);
    return rc == RC_OK ? store_delivery_release(b->store, lead.id, b->now_ms, released, b) : rc;
}

static enum rc apply_one(struct batch *b, struct attempt_end *end)
{
    bool fresh;
    enum rc rc = store_attempt_end(b->store, end);

    if (rc != RC_OK && rc != RC_NONE)
        return rc;
    end->applied = rc == RC_OK;
    rc = end->remote_lead.at ? store_remote_set(b->store, end->lead, end->connector,
                                                end->remote_lead, end->ended_at)
                             : RC_OK;
    if (rc == RC_OK && end->event)
        rc = process_event(b, end->event, &fresh);
    return rc == RC_OK && end->enriched ? enriched(b, end) : rc;
}

enum rc apply_verdicts(struct batch *b, struct verdicts *w)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < w->n && rc == RC_OK; i++)
        rc = apply_one(b, &w->ends[i]);
    return rc;
}
