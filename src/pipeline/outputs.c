/* pipeline/outputs.c - from a judged lead to rows in the queue. */
#include "batch.h"

#include <assert.h>

#include "funneld/base/clock.h"

enum { REASONS = 3, ENRICHMENT_PATIENCE_MS = 30000 };
/* Of the time that passes, a tenth; so much may be saved up. */
enum { EXPLAIN_SHARE = 10, EXPLAIN_MOST_US = 50000 };
/* An object is read that long after news of it; one that nobody had, not again before. */
enum { OBJECT_SETTLE_MS = 2000, NOBODYS_STALE_AFTER_MS = 60000 };

/* NULL: there is none any more. */
static const struct connector *connector_called(const struct rules *r, struct str name)
{
    for (size_t i = 0; i < r->n_connectors; i++)
        if (str_eq(r->connectors[i].name, name))
            return &r->connectors[i];
    return NULL;
}

/* One that the configuration names: its check saw to it that there is one. */
const struct connector *connector_find(const struct rules *r, struct str name)
{
    const struct connector *c = connector_called(r, name);

    assert(c);
    return c;
}

const struct source *source_find(const struct rules *r, struct str name)
{
    for (size_t i = 0; i < r->n_sources; i++)
        if (str_eq(r->sources[i].name, name))
            return &r->sources[i];
    return NULL;
}

/* A newer message to keep a lead current takes the place of the one that still waits. */
static enum rc fold_older(struct batch *b, const struct lead *lead, struct delivery *d)
{
    int64_t n = 0;
    bool urgent = false;
    enum rc rc = store_delivery_fold(b->store, d->connector, lead, d->id, b->now_ms, &n, &urgent);

    if (rc != RC_OK)
        return rc;
    d->urgent |= urgent;
    batch_count(b, metric(METRIC_DELIVERIES, d->connector, STR("superseded")), n);
    return RC_OK;
}

static enum rc queue_one(struct batch *b, const struct connector *c, struct lead *lead,
                         struct delivery *d)
{
    enum rc rc = store_delivery_add(b->store, lead, d, b->arena);

    if (rc == RC_OK && connector_upserts(c))
        rc = fold_older(b, lead, d);
    if (rc != RC_OK)
        return rc;
    const struct due_row row = due_row_of(d);
    batch_notice(b, d->connector, &row);
    return RC_OK;
}

static bool stale(const struct connector *c, const struct lead *lead, int64_t now_ms)
{
    return !lead->enriched_at || lead->enriched_at > now_ms || /* a clock that was ahead */
           lead->enriched_at + hubspot_stale_after_ms(c->settings) <= now_ms;
}

/* The CRM that a source asks; a lead that was told of an object which a CRM was asked about is
 * asked of the same. NULL: none. */
static const struct connector *crm_of(const struct rules *r, const struct event *e)
{
    const struct source *s = source_find(r, e->source);
    const struct connector *c = s ? NULL : connector_called(r, e->source);

    if (s)
        return s->enrich_with.at ? connector_find(r, s->enrich_with) : NULL;
    return c && c->type->enriches && e->effect == EFFECT_FACTS ? c : NULL;
}

/* Whose record it is: a lead's, or an object's. One question at a time. */
static enum rc ask(struct batch *b, const struct connector *c, int64_t event, struct lead *whose,
                   int64_t due_at)
{
    bool waiting = false;
    enum rc rc = read_delivery_waiting(b->reader, c->name, route_enrichment, whose, &waiting);

    if (rc != RC_OK || waiting)
        return rc;
    struct delivery d = {
        .event = event,
        .route = route_enrichment,
        .connector = c->name,
        .urgent = true,
        .created_at = b->now_ms,
        .due_at = due_at,
    };
    return queue_one(b, c, whose, &d);
}

enum rc queue_enrichment(struct batch *b, const struct event *e, int64_t event, struct lead *lead,
                         bool *ret_waiting)
{
    const struct connector *c = crm_of(b->rules, e);

    *ret_waiting = c && lead->crm_id && lead->state == LEAD_ACTIVE && stale(c, lead, b->now_ms);
    return *ret_waiting ? ask(b, c, event, lead, b->now_ms) : RC_OK;
}

/* An answer to the question does not ask it again; a search does not answer it. */
static const struct connector *asked_about_objects(const struct rules *r, const struct event *e)
{
    const struct connector *c = is_recovered_type(e->type) ? connector_called(r, e->source) : NULL;

    if (c)
        return c->type->enriches ? c : NULL;
    return source_find(r, e->source) ? crm_of(r, e) : NULL;
}

/* People choose its contacts just after they made it. */
enum rc queue_object_read(struct batch *b, const struct event *e, int64_t event, struct object *o,
                          bool of_nobody)
{
    const struct connector *c = asked_about_objects(b->rules, e);
    bool is_old = of_nobody && o->record.enriched_at + NOBODYS_STALE_AFTER_MS <= b->now_ms;

    if (!c || o->record.state != LEAD_ACTIVE || !(is_old || stale(c, &o->record, b->now_ms)))
        return RC_OK;
    return ask(b, c, event, &o->record, b->now_ms + OBJECT_SETTLE_MS);
}

void state_facts(const struct rules *r, const struct event *e, const struct lead *lead,
                 const struct ledger_row *rows, size_t n_rows, struct before_event before,
                 struct arena *a, struct delivery_facts *ret)
{
    struct verdict_score v;

    scorecard_evaluate(&r->scorecard, lead, rows, n_rows, e->received_at, a, &v);
    *ret = (struct delivery_facts){
        .score = lead->score,
        .previous = before.score,
        .fit = lead->fit,
        .engagement = lead->engagement,
        .band = lead->band,
        .previous_band = before.band,
        .probability = lead->probability,
        .churn = lead->churn,
        .previous_probability = before.probability,
        .previous_churn = before.churn,
        .reasons = score_reasons(&v, REASONS, a),
        .event_source = e->source,
        .event_type = e->type,
        .event_property = e->property,
        .event_value = e->value,
        .event_time = e->occurred_at,
    };
}

static bool may_explain(struct explaining *x, int64_t now_us)
{
    int64_t left = x->at_us ? x->left_us + (now_us - x->at_us) / EXPLAIN_SHARE : EXPLAIN_MOST_US;

    x->left_us = left < EXPLAIN_MOST_US ? left : EXPLAIN_MOST_US;
    x->at_us = now_us;
    return x->left_us > 0;
}

void state_chance_reasons(struct batch *b, const struct lead_view *v, struct delivery_facts *ret)
{
    int64_t began = clock_mono_us();

    if (!b->models || (b->explaining && !may_explain(b->explaining, began)))
        return;
    if (v->lead->probability.known)
        ret->chance_reasons = models_reasons(b->models, GOAL_CONVERSION, v, REASONS, b->arena);
    if (v->lead->churn.known)
        ret->churn_reasons = models_reasons(b->models, GOAL_CHURN, v, REASONS, b->arena);
    if (b->explaining)
        b->explaining->left_us -= clock_mono_us() - began;
}

/* How long a message waits for the CRM's answer: 30 s from the first of the lead that waits, or
 * news in shorter intervals would put an upsert off for ever. 0: it does not wait. */
static enum rc waits_until(struct batch *b, const struct connector *c, const struct lead *lead,
                           int64_t *ret)
{
    struct due_row first;

    *ret = b->now_ms + ENRICHMENT_PATIENCE_MS;
    if (!connector_upserts(c))
        return RC_OK;
    enum rc rc = read_first_waiting(b->reader, c->name, lead, &first);
    if (rc == RC_OK && first.due_at < *ret)
        *ret = first.due_at > b->now_ms ? first.due_at : 0;
    return rc == RC_NONE ? RC_OK : rc;
}

/* Each subscriber by a delivery of its own: tried, counted and ended alone. */
static enum rc queue_subscribed(struct batch *b, const struct connector *c, struct lead *lead,
                                struct delivery *d)
{
    struct subscription *all = NULL;
    size_t n = 0;
    enum rc rc = read_subscriptions(b->reader, d->route, b->arena, &all, &n);

    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        d->target = all[i].id;
        rc = queue_one(b, c, lead, d);
    }
    return rc;
}

enum rc queue_delivery(struct batch *b, const struct connector *c, struct lead *lead,
                       struct delivery *d)
{
    return c->type->subscribed ? queue_subscribed(b, c, lead, d) : queue_one(b, c, lead, d);
}

static enum rc queue_route(struct batch *b, const struct route *r, int64_t event, struct lead *lead,
                           const struct delivery_facts *facts, bool waits)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < r->to.n && rc == RC_OK; i++) {
        const struct connector *c = connector_find(b->rules, r->to.items[i]);
        int64_t until = 0;

        if (waits && r->wait_for_enrichment)
            rc = waits_until(b, c, lead, &until);
        struct delivery d = {
            .event = event,
            .route = r->name,
            .connector = r->to.items[i],
            .urgent = r->urgent,
            .created_at = b->now_ms,
            .due_at = until ? until : b->now_ms,
            .wait_until = until,
            .facts = *facts,
        };

        if (rc == RC_OK)
            rc = queue_delivery(b, c, lead, &d);
    }
    return rc;
}

/* What is stated once of an event, as far as anybody reads it: explanations cost more than scores.
 */
struct statement {
    const struct event *e;
    const struct ledger_row *rows;
    size_t n_rows;
    struct before_event before;
    bool stated, explained;
    struct delivery_facts facts;
};

static bool explains(const struct rules *rules, const struct route *r)
{
    for (size_t i = 0; i < r->to.n; i++)
        if (connector_find(rules, r->to.items[i])->type->explains)
            return true;
    return false;
}

static void state(struct batch *b, const struct route *r, const struct lead *lead,
                  struct statement *s)
{
    if (!s->stated)
        state_facts(b->rules, s->e, lead, s->rows, s->n_rows, s->before, b->arena, &s->facts);
    s->stated = true;
    if (s->explained || !explains(b->rules, r))
        return;
    const struct lead_view v = view_lead(lead, s->rows, s->n_rows, s->e->received_at, b->arena);
    state_chance_reasons(b, &v, &s->facts);
    s->explained = true;
}

enum rc queue_routes(struct batch *b, const struct event *e, int64_t event, struct lead *lead,
                     const struct ledger_row *rows, size_t n_rows, struct before_event before,
                     bool enrichment_waits)
{
    const struct facts now = {.event = e,
                              .lead = lead,
                              .score = lead->score,
                              .previous = before.score,
                              .band = lead->band,
                              .probability = lead->probability,
                              .churn = lead->churn,
                              .previous_probability = before.probability,
                              .previous_churn = before.churn};
    struct statement s = {.e = e, .rows = rows, .n_rows = n_rows, .before = before};
    enum rc rc = RC_OK;

    for (size_t i = 0; i < b->rules->routes.n && rc == RC_OK; i++) {
        const struct route *r = &b->rules->routes.items[i];

        if (!expr_true(r->when, &now))
            continue;
        state(b, r, lead, &s);
        rc = queue_route(b, r, event, lead, &s.facts, enrichment_waits);
    }
    return rc;
}

/* By its lead's number then or now: it may have been merged since. */
static bool is_of_lead(const struct batch *b, const struct delivery *d, const struct event *e,
                       const struct lead *lead)
{
    int64_t named = 0;

    return d->lead == lead->id || (own_id(b, e->lead, &named) && d->lead == named);
}

enum rc queue_answer(struct batch *b, const struct event *e, int64_t event, struct lead *lead)
{
    const struct connector *c;
    struct delivery said;
    int64_t id;

    if (!own_id(b, e->answered, &id))
        return RC_OK;
    enum rc rc = read_delivery(b->reader, id, b->arena, &said);
    if (rc != RC_OK) /* purged, or not to be read: the message stays as it is */
        return rc == RC_NONE || rc == RC_INVALID ? RC_OK : rc;
    c = connector_called(b->rules, said.connector);
    if (!c || !c->type->answers || !is_of_lead(b, &said, e, lead))
        return RC_OK;
    struct delivery d = {
        .event = event,
        .lead = lead->id,
        .route = said.route,
        .connector = c->name,
        .created_at = b->now_ms,
        .due_at = b->now_ms,
        .urgent = true, /* somebody pressed a button and looks at it */
        .remote_id = e->remote,
        .facts = said.facts,
    };
    return queue_one(b, c, lead, &d);
}
