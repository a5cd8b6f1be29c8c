/* pipeline/event.c - the way of one event inside the transaction. */
#include "batch.h"

#include <string.h>

static bool counted(const struct lead *l)
{
    return l->state == LEAD_ACTIVE && l->evaluated;
}

void count_band(struct batch *b, const struct lead *before, const struct lead *after)
{
    if (counted(before))
        batch_count(b, metric(METRIC_LEADS, str_of(band_name(before->band)), STR_NULL), -1);
    if (after && counted(after))
        batch_count(b, metric(METRIC_LEADS, str_of(band_name(after->band)), STR_NULL), 1);
}

struct firing {
    struct batch *b;
    const struct event *e;
    int64_t event;
    struct lead *lead;
    enum rc rc;
};

struct ledger_row rule_row(const struct rule *rule, const struct event *e, int64_t event)
{
    return (struct ledger_row){
        .event = event,
        .rule = rule->name,
        .group = rule->group,
        .why = rule->why,
        .points = rule->points,
        .half_life_ms = rule->half_life_ms,
        .max = rule->max,
        .occurred_at = e->occurred_at,
        .received_at = e->received_at,
    };
}

static void fired(void *self, const struct rule *rule)
{
    struct firing *f = self;
    const struct ledger_row row = rule_row(rule, f->e, f->event);
    bool before = false;

    if (f->rc == RC_OK)
        f->rc = fired_before_purge(f->b, f->e, f->lead, rule->name, &before);
    if (before)
        return;
    if (f->b->replay)
        f->b->replay->sums.fired++;
    if (f->rc == RC_OK)
        f->rc = store_ledger_add(f->b->store, f->lead, &row, f->b->arena);
}

static enum rc fire_rules(struct batch *b, const struct event *e, int64_t event, struct lead *lead)
{
    struct firing f = {.b = b, .e = e, .event = event, .lead = lead};
    const struct facts facts = {.event = e, .lead = lead};

    scorecard_fire(&b->rules->scorecard, &facts, fired, &f);
    return f.rc;
}

void take_score(struct lead *lead, const struct verdict_score *v)
{
    lead->score = v->score;
    lead->fit = v->fit;
    lead->engagement = v->engagement;
    lead->band = v->band;
    lead->evaluated = true;
}

static void score_lead(const struct scorecard *c, struct lead *lead, const struct ledger_row *rows,
                       size_t n_rows, int64_t at)
{
    struct verdict_score v;

    scorecard_evaluate(c, lead, rows, n_rows, at, NULL, &v);
    take_score(lead, &v);
}

struct lead_view view_lead(const struct lead *lead, const struct ledger_row *rows, size_t n_rows,
                           int64_t at, struct arena *a)
{
    return (struct lead_view){
        .lead = lead,
        .rows = rows,
        .n_rows = n_rows,
        .activity = lead->activity.at ? activity_read(lead->activity, a) : NULL,
        .at = at,
    };
}

/* What the lead did is decoded for a model alone. */
static void ask_models(struct batch *b, struct lead *lead, const struct ledger_row *rows,
                       size_t n_rows, int64_t at)
{
    const struct lead_view v = models_any(b->models) ? view_lead(lead, rows, n_rows, at, b->arena)
                                                     : (struct lead_view){.lead = lead, .at = at};

    judge_lead(b->models, b->rules, &v, lead);
}

enum rc evaluate_lead(struct batch *b, struct lead *lead, int64_t at, struct ledger_row **ret_rows,
                      size_t *ret_n)
{
    enum rc rc = read_ledger(b->reader, lead, INT64_MAX, b->arena, ret_rows, ret_n);

    if (rc != RC_OK)
        return rc;
    score_lead(&b->rules->scorecard, lead, *ret_rows, *ret_n, at);
    if (b->models)
        ask_models(b, lead, *ret_rows, *ret_n, at);
    return RC_OK;
}

/* As it was before an event. */
static struct before_event before_event(const struct lead *lead)
{
    if (!lead->evaluated)
        return (struct before_event){0};
    return (struct before_event){lead->score, lead->band, lead->told_probability, lead->told_churn};
}

/* Of a goal that has no model now, what was said when it had one stays: a rise is announced once.
 */
static void note_told(struct lead *lead)
{
    if (lead->probability.known)
        lead->told_probability = lead->probability.tenths;
    if (lead->churn.known)
        lead->told_churn = lead->churn.tenths;
}

/* Scores, routes and saves a lead after an event was folded into it. */
static enum rc judge(struct batch *b, const struct event *e, int64_t event, struct lead *lead)
{
    const struct before_event before = before_event(lead);
    struct ledger_row *rows = NULL;
    size_t n_rows = 0;
    bool waiting = false;
    enum rc rc = fire_rules(b, e, event, lead);

    if (rc == RC_OK)
        rc = evaluate_lead(b, lead, e->received_at, &rows, &n_rows);
    if (rc == RC_OK)
        rc = b->silent ? RC_OK : queue_enrichment(b, e, event, lead, &waiting);
    if (rc == RC_OK && lead->state == LEAD_ACTIVE && !b->silent)
        rc = queue_routes(b, e, event, lead, rows, n_rows, before, waiting);
    note_told(lead);
    if (rc == RC_OK && e->remote.len)
        rc = queue_answer(b, e, event, lead);
    return rc == RC_OK ? store_lead_save(b->store, lead) : rc;
}

static void count_cancelled(void *self, struct str connector)
{
    struct batch *b = self;

    batch_count(b, metric(METRIC_DELIVERIES, connector, STR("cancelled")), 1);
}

/* What stays is a tombstone with its CRM id, so that late events do not bring the person back. */
static enum rc erase(struct batch *b, struct lead *lead)
{
    lead->score = lead->fit = lead->engagement = 0;
    lead->band = BAND_COLD;
    lead->probability = lead->churn = (struct chance){0};
    lead->told_probability = lead->told_churn = 0;
    enum rc rc = store_lead_erase(b->store, lead, b->now_ms, count_cancelled, b);
    return rc == RC_OK ? store_lead_save(b->store, lead) : rc;
}

static enum rc keep_of_nobody(struct batch *b, const struct event *e, int64_t event)
{
    if (!b->replay)
        return store_event_add(b->store, event, NULL, e, true, b->now_ms);
    b->replay->sums.taken--; /* it was of nobody before */
    b->replay->sums.left++;
    return store_event_restate(b->store, event, e);
}

enum rc keep_event(struct batch *b, const struct event *e, int64_t event, struct lead *lead)
{
    if (!lead)
        return keep_of_nobody(b, e, event);
    return b->replay ? store_event_take(b->store, event, lead, e, !lead->erased, b->now_ms)
                     : store_event_add(b->store, event, lead, e, !lead->erased, b->now_ms);
}

static enum rc change_lead(struct batch *b, const struct event *e, int64_t event, struct lead *lead)
{
    enum rc rc = RC_OK;

    if (e->effect == EFFECT_MERGE)
        rc = merge_leads(b, e, lead);
    if (rc == RC_OK && (e->effect == EFFECT_MERGE || lead_fold(lead, e, b->arena)))
        rc = join_by_email(b, lead);
    if (rc != RC_OK)
        return rc;
    if (e->first_at && (!lead->created_at || e->first_at < lead->created_at))
        lead->created_at = e->first_at;
    if (e->effect == EFFECT_MERGE || e->effect == EFFECT_RESTORE)
        lead->enriched_at = 0; /* ask the CRM anew what the record is now */
    rc = count_activity(b, e, lead);
    if (rc == RC_OK)
        rc = keep_event(b, e, event, lead);
    if (rc != RC_OK)
        return rc;
    return lead->erased ? erase(b, lead) : judge(b, e, event, lead);
}

/* The CRM deletes the record that a merge absorbed: that says nothing of the survivor. An erased
 * lead is deaf, but for a merge: then the other one must go as well. And what we wrote to the CRM
 * ourselves is no news: to act on it would go round for ever. */
static bool is_moot(const struct batch *b, const struct event *e, const struct lead *lead,
                    bool absorbed)
{
    if (lead->erased)
        return e->effect != EFFECT_MERGE;
    if (is_own_echo(b->rules->connectors, b->rules->n_connectors, e))
        return true;
    return absorbed && (e->effect == EFFECT_DELETE || e->effect == EFFECT_RESTORE);
}

/* Where it may have missed something of its objects: it is new, or became another's too. */
static bool may_lag(const struct event *e, const struct lead *before)
{
    return e->effect != EFFECT_FACTS && (!before->last_event || e->effect == EFFECT_MERGE ||
                                         str_is(e->type, "contact.enriched"));
}

static enum rc take_linked(struct batch *b, const struct event *e, int64_t event)
{
    struct lead lead, before;
    bool absorbed = false;
    enum rc rc = find_lead(b, e, &lead, &absorbed);

    if (rc != RC_OK)
        return rc;
    before = lead;
    if (is_moot(b, e, &lead, absorbed)) {
        rc = keep_event(b, e, event, &lead);
        return rc == RC_OK ? store_lead_save(b->store, &lead) : rc;
    }
    rc = change_lead(b, e, event, &lead);
    if (rc == RC_OK) /* one that was joined with it is counted where that happened */
        count_band(b, &before, &lead);
    if (rc == RC_OK && e->association.kind)
        rc = note_association(b, e, event);
    return rc == RC_OK && may_lag(e, &before) ? tell_missed(b, e, &lead) : rc;
}

/* Also while what follows from it happens: what its lead is told of its objects. */
enum rc process_linked(struct batch *b, const struct event *e, int64_t event)
{
    bool silent = b->silent;

    b->silent |= e->imported;
    enum rc rc = take_linked(b, e, event);
    b->silent = silent;
    return rc;
}

static struct str type_label(struct str type)
{
    size_t i = event_type_index(type);

    return i < n_known_event_types ? str_of(known_event_types[i]) : STR("other");
}

enum rc process_event(struct batch *b, const struct event *e, bool *ret_fresh)
{
    int64_t id = 0;
    enum rc rc = store_dedupe(b->store, e, &id);

    *ret_fresh = rc == RC_OK;
    if (rc == RC_EXISTS) {
        batch_count(b, metric(METRIC_EVENTS_DUPLICATE, e->source, STR_NULL), 1);
        return RC_OK;
    }
    if (rc == RC_OK && e->state == EVENT_PROCESSED)
        rc = e->object ? process_object(b, e, id) : process_linked(b, e, id);
    else if (rc == RC_OK)
        rc = store_event_add(b->store, id, NULL, e, true, b->now_ms);
    if (rc != RC_OK)
        return rc;
    batch_count(b, metric(METRIC_EVENTS_RECEIVED, e->source, type_label(e->type)), 1);
    if (e->state == EVENT_UNPROCESSABLE)
        batch_count(b, metric(METRIC_EVENTS_UNPROCESSABLE, e->source, STR_NULL), 1);
    b->events++;
    return RC_OK;
}

static enum rc keep_raw(struct batch *b, const struct event *e, enum rc failure, bool *ret_fresh)
{
    struct event raw = *e;

    raw.state = EVENT_UNPROCESSABLE;
    raw.reason = arena_printf(b->arena, "it could not be processed: %s (%s)", rc_text(failure),
                              store_error(b->store));
    return process_event(b, &raw, ret_fresh);
}

static enum rc process_in_savepoint(struct batch *b, const struct event *e, bool *ret_fresh,
                                    bool *ret_raw)
{
    const struct batch_mark mark = batch_mark(b);
    enum rc rc = store_savepoint(b->store);

    if (rc != RC_OK)
        return rc;
    rc = process_event(b, e, ret_fresh);
    if (rc == RC_OK)
        return store_release(b->store);
    enum rc undone = store_undo(b->store);
    batch_undo(b, mark);
    if (loses_group(rc))
        return rc;
    if (undone != RC_OK)
        return undone;
    *ret_raw = true;
    return keep_raw(b, e, rc, ret_fresh);
}

/* One that names a lead which there is not is kept raw. *e may become *odd. */
static enum rc know_lead(struct batch *b, const struct event **e, struct event *odd)
{
    const char *reason = NULL;

    if ((*e)->state != EVENT_PROCESSED || !(*e)->lead.at)
        return RC_OK;
    enum rc rc = check_lead(b, *e, &reason);
    if (rc != RC_NONE) /* one that cannot be read is met again, where its neighbours are safe */
        return loses_group(rc) ? rc : RC_OK;
    *odd = **e;
    odd->state = EVENT_UNPROCESSABLE;
    odd->reason = str_of(reason);
    *e = odd;
    return RC_OK;
}

enum rc process_alone(struct batch *b, const struct event *e, bool *ret_fresh, bool *ret_raw)
{
    struct event odd;
    enum rc rc = know_lead(b, &e, &odd);

    *ret_raw = e->state == EVENT_UNPROCESSABLE;
    if (rc == RC_OK && b->careful)
        return process_in_savepoint(b, e, ret_fresh, ret_raw);
    if (rc == RC_OK)
        rc = process_event(b, e, ret_fresh);
    if (rc != RC_OK && !loses_group(rc))
        b->stumbled = true;
    return rc;
}
