/* deliver/verdict.c - from outcomes to what is stored, and from what was stored to what is next.
 *
 * A connector says what the service answered. What this means for the delivery depends on more:
 * whether something that cannot be repeated may have left, whether an older attempt is still in
 * doubt, how old the delivery is, what Retry-After said.
 */
#include "attempt_priv.h"

#include "funneld/base/clock.h"
#include "funneld/ingest/source.h"
#include "funneld/observe/log.h"

/* Before this attempt there was one of unknown fate, and this one did not get past looking: it
 * came to send (and was marked) only after the look. */
static bool still_in_doubt(const struct attempt *a)
{
    return a->job.look && !a->marked_at;
}

enum verdict attempt_doubt(const struct attempt *a)
{
    return a->may_have_acted ? VERDICT_AMBIGUOUS : VERDICT_RETRY;
}

/* Not by a clock that has just jumped ahead. */
static bool is_too_old(const struct attempt *a, const struct delivery *d)
{
    int64_t give_up = ((const struct connector_common *)a->job.settings)->give_up_ms;

    return give_up > 0 && a->engine->trusted_ms - d->created_at >= give_up;
}

static enum attempt_verdict weigh(const struct attempt *a, const struct outcome *o,
                                  const struct delivery *d)
{
    enum verdict v = o->verdict == VERDICT_NONE ? attempt_doubt(a) : o->verdict;

    if (v == VERDICT_DELIVERED)
        return ATTEMPT_DELIVERED;
    if (v == VERDICT_DEAD)
        return ATTEMPT_DEAD;
    if (v == VERDICT_MORE)
        return ATTEMPT_MORE;
    if (v == VERDICT_RETRY && still_in_doubt(a))
        v = VERDICT_AMBIGUOUS;
    else if (v == VERDICT_AMBIGUOUS && !a->job.look && !a->marked_at)
        v = VERDICT_RETRY; /* all that was sent may be repeated */

    /* What may have happened is looked at once before it is given up. */
    bool looked = v == VERDICT_RETRY || still_in_doubt(a);
    if (looked && is_too_old(a, d))
        return ATTEMPT_DEAD;
    return v == VERDICT_RETRY ? ATTEMPT_RETRY : ATTEMPT_AMBIGUOUS;
}

/* Retry-After is a floor, whatever asked for it. */
static int64_t next_due(struct attempt *a, enum attempt_verdict v, const struct delivery *d,
                        int64_t now_ms)
{
    const struct connector_common *c = a->job.settings;
    int64_t wait = backoff_wait(c->backoff_ms, c->backoff_max_ms, d->attempts,
                                random_next(&a->engine->random));

    if (v == ATTEMPT_AMBIGUOUS && a->marked_at && wait < c->settle_ms)
        wait = c->settle_ms;
    if (wait < a->retry_after_ms)
        wait = a->retry_after_ms;
    if (wait < a->job.pause_ms)
        wait = a->job.pause_ms;
    return now_ms + wait;
}

static struct str detail(const struct attempt *a, const struct outcome *o, enum attempt_verdict v)
{
    if (o->reason.len || v == ATTEMPT_DELIVERED)
        return o->reason;
    return o->verdict == VERDICT_NONE ? STR("the connector gave no verdict")
           : a->status                ? STR("the service refused it without saying why")
                                      : STR("it failed without saying why");
}

static void read_recovered(struct attempt *a, const struct record *r, const struct parcel *p,
                           int64_t now_ms, struct event *ret)
{
    const struct crm_record found = {
        .kind = r->kind,
        .portal_id = r->portal_id,
        .id = r->crm_id,
        .updated_at = r->updated_at,
        .properties = r->properties,
        .n_properties = r->n_properties,
    };

    record_event(a->lane->name, &found, now_ms, &a->arena, ret);
    ret->type = recovered_type(r->kind, &a->arena);
    ret->request_id = p->d.request_id; /* the question came from there */
}

/* What was asked for: the record of the lead, or of an object. */
static void read_asked(struct attempt *a, const struct outcome *o, const struct parcel *p,
                       int64_t now_ms, struct event *ret)
{
    const struct crm_record r = {
        .kind = p->object ? p->object->kind : OBJECT_NONE,
        .portal_id = o->portal_id,
        .id = o->crm_id,
        .updated_at = o->updated_at,
        .properties = o->properties,
        .n_properties = o->n_properties,
        .contacts = o->contacts,
    };

    record_event(a->lane->name, &r, now_ms, &a->arena, ret);
    ret->request_id = p->d.request_id; /* the question came from there */
}

/* What the CRM said becomes events in the same commit. */
static const struct event *events_of(struct attempt *a, const struct outcome *o,
                                     const struct parcel *p, int64_t now_ms, size_t *ret_n)
{
    struct event *events = arena_array(&a->arena, o->n_recovered + 1, sizeof *events);
    size_t n = 0;

    if (o->properties)
        read_asked(a, o, p, now_ms, &events[n++]);
    for (size_t i = 0; i < o->n_recovered; i++)
        read_recovered(a, &o->recovered[i], p, now_ms, &events[n++]);
    *ret_n = n;
    return events;
}

/* A look that was refused has settled nothing; one that the connector ended without asking (drop)
 * has, and so has any definite answer to the request itself. */
static bool dies_in_doubt(const struct attempt *a, const struct outcome *o)
{
    return still_in_doubt(a) && (o->verdict != VERDICT_DEAD || a->status != 0);
}

static void settle_one(struct attempt *a, size_t i, int64_t now_ms)
{
    const struct outcome *o = &a->job.outcomes[i];
    const struct parcel *p = &a->parcels[i];
    struct attempt_end *end = &a->report.ends[i];
    enum attempt_verdict v = weigh(a, o, &p->d);

    *end = (struct attempt_end){
        .delivery = p->d.id,
        .lead = p->d.lead,
        .connector = a->lane->name,
        .verdict = v,
        .started_at = a->marked_at ? a->marked_at : a->started_at,
        .ended_at = now_ms,
        .status = a->status,
        .detail = detail(a, o, v),
        .answer = v == ATTEMPT_DEAD ? a->answer : STR_NULL,
        .remote_id = o->remote_id,
        .remote_lead = o->remote_lead,
        .target = p->d.target,
        .target_gone = o->target_gone,
        .in_doubt = v == ATTEMPT_DEAD && dies_in_doubt(a, o),
        .unclear = o->unclear,
        .enriched = o->enriched,
    };
    end->events = events_of(a, o, p, now_ms, &end->n_events);
    if (v == ATTEMPT_RETRY || v == ATTEMPT_AMBIGUOUS)
        end->due_at = next_due(a, v, &p->d, now_ms);
    else if (v == ATTEMPT_MORE)
        end->due_at = now_ms;
}

void attempt_settle(struct attempt *a, int64_t now_ms)
{
    a->report.n = a->job.n;
    a->report.ends = arena_array(&a->arena, a->job.n, sizeof *a->report.ends);
    for (size_t i = 0; i < a->job.n; i++)
        settle_one(a, i, now_ms);
}

static const struct {
    enum log_level level;
    const char *ev;
} told[] = {
    [ATTEMPT_DELIVERED] = {LOG_INFO, "delivery.delivered"},
    [ATTEMPT_RETRY] = {LOG_WARN, "delivery.retry"},
    [ATTEMPT_AMBIGUOUS] = {LOG_WARN, "delivery.ambiguous"},
    [ATTEMPT_DEAD] = {LOG_ERROR, "delivery.dead"},
    [ATTEMPT_MORE] = {LOG_INFO, "delivery.more"},
};

static void tell(const struct attempt_end *end, const struct delivery *d)
{
    /* Not applied: superseded or cancelled meanwhile; the writer has counted and said that. */
    enum log_level level = end->applied ? told[end->verdict].level : LOG_INFO;
    const char *ev = end->applied ? told[end->verdict].ev : "delivery.overtaken";

    log_write(level, ev, L_STR("req", d->request_id), L_INT("event", d->event),
              L_INT("lead", d->lead > 0 ? d->lead : 0), L_INT("delivery", d->id),
              L_STR("connector", end->connector), L_INT("attempt", d->attempts + 1),
              L_INT("status", end->status), L_STR("reason", end->detail), L_END);
}

static void count(struct lane *lane, const struct attempt_end *end, const struct delivery *d)
{
    if (end->verdict == ATTEMPT_MORE)
        return;
    if (end->verdict != ATTEMPT_DELIVERED) {
        metric_add(end->verdict == ATTEMPT_DEAD ? lane->dead : lane->retried, 1);
        return;
    }
    metric_add(lane->delivered, 1);
    metric_observe(lane->seconds, (double)(end->ended_at - d->created_at) / 1000.0);
}

void attempt_recorded(struct attempt *a, int64_t now_ms)
{
    struct lane *lane = a->lane;
    size_t ended = 0;

    for (size_t i = 0; i < a->report.n; i++) {
        const struct attempt_end *end = &a->report.ends[i];
        const struct delivery *d = &a->parcels[i].d;
        struct due_row row = due_row_of(d);

        tell(end, d);
        ended += end->verdict == ATTEMPT_DELIVERED || end->verdict == ATTEMPT_DEAD;
        if (end->applied)
            count(lane, end, d);
        (void)idmap_remove(&lane->flight, due_key(&row));
        lane_refresh(lane, a->engine->ports.reader, &row, now_ms);
    }
    pace_note(&lane->pace, ended, a->steps, now_ms - a->started_at);
}
