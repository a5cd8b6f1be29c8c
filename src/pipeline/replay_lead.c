/* pipeline/replay_lead.c - a lead's events asked again: what would have fired, who would have
 * heard. */
#include "replay_priv.h"

/* What is to be told to one connector. */
struct routed {
    const struct route *route;
    const struct connector *connector;
    int64_t event;
    struct delivery_facts facts;
    struct routed *next;
};

struct redo {
    struct batch *b;
    struct replay *p;
    struct lead lead;  /* as it is stored */
    struct lead today; /* as models see it now */
    struct past past;
    struct arena scratch;     /* for one event */
    const struct event *e;    /* that is asked about, and */
    int64_t id;               /* its id */
    struct ledger_row *fired; /* that did not fire before */
    size_t n_fired, cap;
    struct routed *told, **last;
    bool wanted, folded;
    enum rc rc;
};

static void fired(void *self, const struct ledger_row *row)
{
    struct redo *r = self;

    r->fired = arena_more(r->b->arena, r->fired, r->n_fired, &r->cap, sizeof *r->fired);
    r->fired[r->n_fired] = *row;
    if (row->received_at < r->b->now_ms) /* before now it counted for nothing */
        r->fired[r->n_fired].received_at = r->b->now_ms;
    r->n_fired++;
}

/* As it was then. The lines of a score are as many as all firings: only words are kept. */
static struct delivery_facts facts_of_then(struct redo *r)
{
    struct arena *a = r->b->arena;
    const struct past *p = &r->past;
    const struct before_event before = {p->previous, p->previous_band, p->previous_probability,
                                        p->previous_churn};
    struct delivery_facts f;

    state_facts(r->b->rules, r->e, &p->lead, p->rows, p->n_rows, before, &r->scratch, &f);
    f.reasons = arena_str(a, f.reasons);
    f.event_source = arena_str(a, f.event_source);
    f.event_type = arena_str(a, f.event_type);
    f.event_property = arena_str(a, f.event_property);
    f.event_value = arena_str(a, f.event_value);
    return f;
}

/* For those that say it. */
static void explain_then(struct redo *r, const struct connector *c, struct delivery_facts *f,
                         bool *explained)
{
    const struct lead_view v = past_view(&r->past);

    if (*explained || !c->type->explains)
        return;
    state_chance_reasons(r->b, &v, f);
    *explained = true;
}

static bool is_news(struct redo *r, const struct route *route, struct str connector)
{
    bool known = false;

    if (!r->p->again && r->rc == RC_OK)
        r->rc = read_delivery_known(r->b->reader, r->id, route->name, connector, &known);
    return r->rc == RC_OK && !known;
}

static void heard(void *self, const struct route *route)
{
    struct redo *r = self;
    struct delivery_facts facts;
    bool stated = false, explained = false;

    for (size_t i = 0; i < route->to.n; i++) {
        const struct connector *c = connector_find(r->b->rules, route->to.items[i]);

        if (!is_news(r, route, route->to.items[i]))
            continue;
        if (!stated)
            facts = facts_of_then(r);
        stated = true;
        explain_then(r, c, &facts, &explained);
        struct routed *t = ARENA_NEW(r->b->arena, struct routed);
        *t = (struct routed){.route = route, .connector = c, .event = r->id, .facts = facts};
        *r->last = t;
        r->last = &t->next;
    }
}

/* What an event did to the lead's state, or to others, it did. */
static void fold_again(struct redo *r, const struct event *e)
{
    if (e->effect == EFFECT_PROPERTIES && lead_fold(&r->lead, e, r->b->arena))
        r->folded = true;
}

static void redo_event(void *self, const struct event_view *v)
{
    struct redo *r = self;
    bool wanted = replay_wants(&r->p->filter, v);
    struct event e;

    arena_reset(&r->scratch);
    replay_step(r->p);
    r->p->sums.asked += wanted;
    enum rc rc = stored_event(r->b->rules, v, &r->scratch, &e);
    if (rc == RC_OK && e.state != EVENT_PROCESSED)
        rc = RC_INVALID;
    if (rc != RC_OK && wanted)
        replay_count_unread(r->p, v, rc);
    if (rc != RC_OK || r->rc != RC_OK)
        return;
    r->e = &e;
    r->id = v->id;
    past_event(&r->past, &e, v->id, wanted ? PAST_ADDS : PAST_PASSES);
    if (!wanted || past_is_moot(&r->past, &e))
        return;
    r->wanted = true;
    fold_again(r, &e);
    past_routes(&r->past, &e, heard, r);
}

static enum rc go_through(struct redo *r)
{
    struct batch *b = r->b;
    struct ledger_row *known = NULL;
    int64_t purged = 0;
    size_t n_known = 0;
    enum rc rc = read_ledger(b->reader, &r->lead, INT64_MAX, b->arena, &known, &n_known);

    if (rc == RC_OK)
        rc = read_purged(b->reader, &purged);
    if (rc != RC_OK)
        return rc;
    past_begin(&r->past, b->rules, &r->lead, purged, known, n_known, b->arena);
    if (b->models && models_any(b->models))
        r->past.models = b->models;
    r->past.fired = fired;
    r->past.self = r;
    rc = read_lead_history(b->reader, r->lead.id, INT64_MAX, redo_event, r);
    arena_free(&r->scratch);
    return rc == RC_OK ? r->rc : rc;
}

/* What models say is as of now, as whenever all leads are looked at again: the lead's newest event
 * may be long ago. */
static void ask_by_now(struct redo *r, const struct ledger_row *rows, size_t n_rows)
{
    const struct batch *b = r->b;
    const struct lead_view v = view_lead(&r->lead, rows, n_rows, b->now_ms, b->arena);

    r->today = lead_by_now(b->models, b->rules, &v);
    r->lead.probability = r->today.probability;
    r->lead.churn = r->today.churn;
    r->lead.band = judged_band(&b->rules->scorecard, &r->today, r->lead.score);
}

/* As of its newest event, as if these rules had been there when that came. */
static enum rc settle(struct redo *r, struct ledger_row **ret_rows, size_t *ret_n)
{
    struct batch *b = r->b;
    enum rc rc = store_ledger_add_all(b->store, &r->lead, r->fired, r->n_fired, b->arena);

    if (rc == RC_OK && r->folded)
        rc = join_by_email(b, &r->lead);
    if (rc == RC_OK)
        rc = evaluate_lead(b, &r->lead, r->past.at, ret_rows, ret_n);
    if (rc == RC_OK && b->models)
        ask_by_now(r, *ret_rows, *ret_n);
    return rc;
}

/* What keeps an object of the lead current must not set it back to what the lead was. */
static void bring_up_to_date(const struct delivery_facts *today, struct delivery_facts *f)
{
    f->score = today->score;
    f->fit = today->fit;
    f->engagement = today->engagement;
    f->band = today->band;
    f->reasons = today->reasons;
    f->probability = today->probability;
    f->churn = today->churn;
    f->chance_reasons = today->chance_reasons;
    f->churn_reasons = today->churn_reasons;
}

static enum rc tell(struct redo *r, const struct ledger_row *rows, size_t n_rows)
{
    struct batch *b = r->b;
    const struct event now = {.received_at = r->past.at};
    const struct lead_view v = view_lead(&r->today, rows, n_rows, b->now_ms, b->arena);
    struct delivery_facts today;
    enum rc rc = RC_OK;

    state_facts(b->rules, &now, &r->lead, rows, n_rows, (struct before_event){0}, b->arena, &today);
    state_chance_reasons(b, &v, &today);
    for (struct routed *t = r->told; t && rc == RC_OK; t = t->next) {
        if (connector_upserts(t->connector))
            bring_up_to_date(&today, &t->facts);
        struct delivery d = {
            .event = t->event,
            .route = t->route->name,
            .connector = t->connector->name,
            .urgent = t->route->urgent,
            .created_at = b->now_ms,
            .due_at = b->now_ms,
            .facts = t->facts,
        };
        rc = queue_delivery(b, t->connector, &r->lead, &d);
    }
    return rc;
}

/* Chances change by themselves as time goes by: they are put down with what else is. */
static bool is_rescored(const struct lead *before, const struct lead *now)
{
    return before->score != now->score || before->fit != now->fit ||
           before->engagement != now->engagement || before->band != now->band ||
           before->evaluated != now->evaluated;
}

/* Routes were asked of its newest event as well: what they heard then is no rise any more. */
static void note_told(struct redo *r)
{
    const struct lead *then = &r->past.lead;

    if (r->past.scored && then->probability.known)
        r->lead.told_probability = then->probability.tenths;
    if (r->past.scored && then->churn.known)
        r->lead.told_churn = then->churn.tenths;
}

static enum rc finish(struct redo *r, const struct lead *before)
{
    struct ledger_row *rows = NULL;
    size_t n_rows = 0;
    enum rc rc = settle(r, &rows, &n_rows);
    bool changed = r->n_fired || r->folded || is_rescored(before, &r->lead);
    bool tells = r->told && r->lead.state == LEAD_ACTIVE;

    if (tells)
        note_told(r);
    if (rc == RC_OK && tells)
        rc = tell(r, rows, n_rows);
    if (rc == RC_OK && (changed || tells))
        rc = store_lead_save(r->b->store, &r->lead);
    if (rc == RC_OK && changed)
        count_band(r->b, before, &r->lead);
    r->p->sums.fired += (int64_t)r->n_fired;
    r->p->sums.leads += changed || tells;
    return rc;
}

enum rc replay_lead(struct batch *b, struct replay *p, int64_t id)
{
    struct redo r = {.b = b, .p = p};
    enum rc rc = read_lead(b->reader, id, b->arena, &r.lead);

    r.last = &r.told;
    if (rc != RC_OK || r.lead.erased || r.lead.state == LEAD_MERGED)
        return rc == RC_NONE ? RC_OK : rc;
    const struct lead before = r.lead;
    rc = go_through(&r);
    return rc == RC_OK && r.wanted ? finish(&r, &before) : rc;
}
