/* pipeline/verdict.c - what the delivery thread reports: attempts that begin, attempts that ended.
 */
#include "batch.h"

#include "funneld/base/clock.h"

/* A subscription that nobody answered for so long has been left behind. Subscribers do not always
 * say that they are gone; and a clock that jumps ahead makes days out of nothing, but no tries. */
#define EXPIRES_MS (7 * DAYS_MS)
enum { EXPIRES_TRIES = 10 };

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

/* The lead that was told of, or what it has become since; RC_NONE: nobody that could be found. */
static enum rc read_survivor(struct batch *b, int64_t id, struct lead *ret)
{
    enum rc rc = read_lead(b->reader, id, b->arena, ret);

    if (rc == RC_OK)
        rc = follow_merges(b, ret);
    return rc == RC_INVALID ? RC_NONE : rc;
}

/* The CRM was asked about this lead: what waited for that may go. */
static enum rc enriched(struct batch *b, const struct attempt_end *end, struct lead *lead)
{
    lead->enriched_at = end->ended_at;
    enum rc rc = store_lead_save(b->store, lead);

    return rc == RC_OK ? store_delivery_release(b->store, lead, b->now_ms, released, b) : rc;
}

/* Where the lead was merged while its message was under way, the survivor's own object wins. */
static enum rc keep_remote(struct batch *b, const struct attempt_end *end, const struct lead *lead)
{
    struct str own;

    if (lead->id != end->lead) {
        enum rc rc = end->remote_lead.len
                         ? read_remote(b->reader, lead->id, end->connector, b->arena, &own)
                         : RC_OK;
        if (rc != RC_NONE)
            return rc;
    }
    return store_remote_set(b->store, lead->id, end->connector, end->remote_lead, end->ended_at);
}

/* The CRM was asked about this object. */
static enum rc note_object(struct batch *b, const struct attempt_end *end)
{
    struct object o;
    enum rc rc = end->enriched ? read_object(b->reader, -end->lead, b->arena, &o) : RC_NONE;

    if (rc != RC_OK)
        return rc == RC_NONE ? RC_OK : rc;
    o.record.enriched_at = end->ended_at;
    return store_object_save(b->store, &o);
}

static enum rc note_lead(struct batch *b, const struct attempt_end *end)
{
    struct lead lead;

    if (end->lead < 0)
        return note_object(b, end);
    if (!end->remote_lead.at && !end->enriched)
        return RC_OK;
    enum rc rc = read_survivor(b, end->lead, &lead);
    if (rc != RC_OK)
        return rc == RC_NONE ? RC_OK : rc;
    if (end->remote_lead.at)
        rc = keep_remote(b, end, &lead);
    return rc == RC_OK && end->enriched ? enriched(b, end, &lead) : rc;
}

static void cancelled(void *self, struct str connector)
{
    batch_count(self, metric(METRIC_DELIVERIES, connector, STR("cancelled")), 1);
}

static enum rc target_failed(struct batch *b, const struct attempt_end *end)
{
    int64_t failures, since;
    enum rc rc = store_subscription_failed(b->store, end->target, end->ended_at, &failures, &since);

    if (rc == RC_OK && failures >= EXPIRES_TRIES && end->ended_at - since >= EXPIRES_MS)
        rc = store_subscription_end(b->store, end->target, b->now_ms, cancelled, b);
    return rc == RC_NONE ? RC_OK : rc;
}

/* Who subscribed heard it, wants no more, or could not be reached. */
static enum rc note_target(struct batch *b, const struct attempt_end *end)
{
    if (!end->target)
        return RC_OK;
    if (end->verdict == ATTEMPT_DELIVERED)
        return store_subscription_well(b->store, end->target);
    if (end->target_gone)
        return store_subscription_end(b->store, end->target, b->now_ms, cancelled, b);
    return target_failed(b, end);
}

static enum rc apply_one(struct batch *b, struct attempt_end *end)
{
    bool fresh, raw;
    enum rc rc = store_attempt_end(b->store, end);

    if (rc != RC_OK && rc != RC_NONE)
        return rc;
    end->applied = rc == RC_OK;
    rc = note_target(b, end);
    if (rc != RC_OK)
        return rc;
    rc = note_lead(b, end); /* first: the answer's event must not ask again */
    for (size_t i = 0; i < end->n_events && rc == RC_OK; i++)
        rc = process_alone(b, &end->events[i], &fresh, &raw);
    return rc;
}

enum rc apply_verdicts(struct batch *b, struct verdicts *w)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < w->n && rc == RC_OK; i++)
        rc = apply_one(b, &w->ends[i]);
    return rc;
}
