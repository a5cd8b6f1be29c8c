/* pipeline/past.c - stored events decoded again, and a lead's past under a set of rules. */
#include "funneld/pipeline/past.h"

#include "batch.h"
#include "funneld/lead/activity.h"

static bool is_crm(const struct rules *r, struct str name)
{
    for (size_t i = 0; i < r->n_connectors; i++)
        if (str_eq(r->connectors[i].name, name))
            return r->connectors[i].type->enriches;
    return false;
}

static bool is_reading(struct str type)
{
    return str_ends(type, STR(".enriched")) || is_recovered_type(type);
}

static bool is_told(struct str type)
{
    return object_kind_of_type(type) || str_is(type, "contact.linked");
}

/* What we made of what others sent. A source and a connector may have the same name, and a sender
 * may choose its event's type: a record read from the CRM is what has both the type and a connector
 * that could have read it, what a lead was told of its objects has the type and such a body. */
static enum rc decode_own(const struct rules *r, const struct source *source,
                          const struct event_view *v, struct arena *a, struct event *ret)
{
    if (is_reading(v->type) && (!source || is_crm(r, v->source)) &&
        enriched_decode(v->body, v->received_at, a, ret, NULL) == RC_OK) {
        ret->type = v->type; /* the body does not say how it was asked for */
        return RC_OK;
    }
    if (str_eq(v->type, imported_type) && (!source || is_crm(r, v->source)) &&
        imported_decode(v->body, v->received_at, a, ret, NULL) == RC_OK)
        return RC_OK;
    return is_told(v->type) ? told_decode(v->body, v->received_at, a, ret, NULL) : RC_NONE;
}

static enum rc decode(const struct rules *r, const struct event_view *v, enum rereading reading,
                      struct arena *a, struct event *ret)
{
    const struct source *source = source_find(r, v->source);
    const struct stored_body stored = {v->body, v->received_at, reading};

    if (decode_own(r, source, v, a, ret) == RC_OK)
        return RC_OK;
    if (!source)
        return RC_NONE;
    return source->type->decode_stored(source, &stored, a, ret, NULL);
}

static enum rc read_stored(const struct rules *r, const struct event_view *v,
                           enum rereading reading, struct arena *a, struct event *ret)
{
    enum rc rc = v->body.at ? decode(r, v, reading, a, ret) : RC_NONE;

    if (rc != RC_OK)
        return rc;
    ret->source = v->source;
    ret->request_id = v->request_id;
    if (v->replayed_at)
        ret->received_at = v->replayed_at;
    return RC_OK;
}

enum rc stored_event_anew(const struct rules *r, const struct event_view *v, struct arena *a,
                          struct event *ret)
{
    return read_stored(r, v, READ_ANEW, a, ret);
}

enum rc stored_event(const struct rules *r, const struct event_view *v, struct arena *a,
                     struct event *ret)
{
    bool processed = v->state == EVENT_PROCESSED;
    enum rc rc = read_stored(r, v, processed ? READ_AS_IT_CAME : READ_ANEW, a, ret);

    /* Taken up by an older release, which did not keep what made sense of it. */
    if (rc == RC_OK && processed && v->replayed_at && ret->state != EVENT_PROCESSED)
        return stored_event_anew(r, v, a, ret);
    return rc;
}

void past_begin(struct past *p, const struct rules *r, const struct lead *now, int64_t purged_at,
                const struct ledger_row *known, size_t n_known, struct arena *a)
{
    *p = (struct past){
        .rules = r,
        .arena = a,
        .lead = {.id = now->id,
                 .portal_id = now->portal_id,
                 .crm_id = now->crm_id,
                 .email = now->email,
                 .created_at = now->created_at,
                 .source = now->source},
        .known = known,
        .counted = arena_array(a, n_known, sizeof(bool)),
        .n_known = n_known,
        .late = arena_array(a, n_known, sizeof(size_t)),
        .tally = tally_new(&r->scorecard, a),
        .activity = activity_read(STR_NULL, a),
    };
    /* Set by what is purged, and by nothing since. */
    for (size_t i = 0; i < now->n_properties; i++) {
        const struct property *f = &now->properties[i];

        if (f->at <= purged_at && lead_put(&p->lead, f->name, f->value, f->at, &f->key, a))
            p->purged = true;
    }
}

static void count(struct past *p, const struct ledger_row *row)
{
    p->rows = arena_more(p->arena, p->rows, p->n_rows, &p->cap, sizeof *p->rows);
    p->rows[p->n_rows++] = *row;
    tally_add(p->tally, row);
}

/* Firings that are known: each counts with its event. Where that is not among the lead's any more,
 * because it is purged or erased, it counts once its time has come: until then it is late. */

static bool is_later(const struct past *p, size_t a, size_t b)
{
    const struct ledger_row *x = &p->known[p->late[a]], *y = &p->known[p->late[b]];

    return x->received_at != y->received_at ? x->received_at > y->received_at
                                            : p->late[a] > p->late[b];
}

static void swap_late(struct past *p, size_t a, size_t b)
{
    size_t kept = p->late[a];

    p->late[a] = p->late[b];
    p->late[b] = kept;
}

static void push_late(struct past *p, size_t known)
{
    size_t i = p->n_late++;

    p->late[i] = known;
    for (; i && is_later(p, (i - 1) / 2, i); i = (i - 1) / 2)
        swap_late(p, i, (i - 1) / 2);
}

static size_t pop_late(struct past *p)
{
    size_t top = p->late[0];

    p->late[0] = p->late[--p->n_late];
    for (size_t i = 0, next; (next = 2 * i + 1) < p->n_late; i = next) {
        next += next + 1 < p->n_late && is_later(p, next, next + 1);
        if (!is_later(p, i, next))
            break;
        swap_late(p, i, next);
    }
    return top;
}

/* The first of this event or of a newer one. */
static size_t first_known(const struct past *p, int64_t event)
{
    size_t low = 0, high = p->n_known;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (p->known[middle].event < event)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of events before this one, those whose time has come by then; true if there were any. */
static bool count_late(struct past *p, int64_t id, int64_t by)
{
    bool any = false;

    for (; p->n_passed < p->n_known && p->known[p->n_passed].event < id; p->n_passed++)
        if (!p->counted[p->n_passed])
            push_late(p, p->n_passed);
    while (p->n_late && p->known[p->late[0]].received_at <= by) {
        size_t i = pop_late(p);

        if (p->counted[i])
            continue;
        p->counted[i] = any = true;
        count(p, &p->known[i]);
    }
    return any;
}

static void count_own(struct past *p, int64_t id, enum past_part part)
{
    for (size_t i = first_known(p, id); i < p->n_known && p->known[i].event == id; i++) {
        if (!p->counted[i] && part != PAST_ANEW)
            count(p, &p->known[i]);
        p->counted[i] = true;
    }
}

/* Firings of events that are purged count before the first that is left. */
void past_opens(struct past *p, const struct event *first, int64_t id)
{
    if (p->at)
        return;
    p->purged |= count_late(p, id, first->received_at); /* others took effect later */
    if (p->purged)
        p->at = first->received_at;
}

struct firing_past {
    struct past *past;
    const struct event *e;
    int64_t id;
    enum past_part part;
};

static bool has_fired(const struct past *p, struct str rule, int64_t event)
{
    for (size_t i = first_known(p, event); i < p->n_known && p->known[i].event == event; i++)
        if (str_eq(p->known[i].rule, rule))
            return true;
    return false;
}

static void fires(void *self, const struct rule *rule)
{
    struct firing_past *f = self;
    const struct ledger_row row = rule_row(rule, f->e, f->id);

    if (f->part == PAST_ADDS && has_fired(f->past, rule->name, f->id))
        return;
    count(f->past, &row);
    if (f->past->fired)
        f->past->fired(f->past->self, &row);
}

struct lead_view past_view(const struct past *p)
{
    return (struct lead_view){.lead = &p->lead,
                              .rows = p->rows,
                              .n_rows = p->n_rows,
                              .activity = p->activity,
                              .at = p->at};
}

static void ask_models(struct past *p)
{
    const struct lead_view v = past_view(p);

    judge_lead(p->models, p->rules, &v, &p->lead);
}

void past_score(struct past *p)
{
    struct verdict_score v;

    if (!p->scored && p->at) {
        tally_evaluate(p->tally, &p->lead, p->at, &v);
        take_score(&p->lead, &v);
        if (p->models)
            ask_models(p);
    }
    p->scored = true;
}

/* Told of a record that was merged into this one, it says nothing of the survivor; of an object,
 * the lead heard by an event of its own; and what we wrote to the CRM is no news. */
bool past_is_moot(const struct past *p, const struct event *e)
{
    const struct lead *l = &p->lead;

    if (e->object || is_own_echo(p->rules->connectors, p->rules->n_connectors, e))
        return true;
    return (e->effect == EFFECT_DELETE || e->effect == EFFECT_RESTORE) && e->object_id &&
           e->object_id != l->crm_id;
}

static void note_before(struct past *p)
{
    const struct lead *l = &p->lead;

    p->previous = l->evaluated ? l->score : 0;
    p->previous_band = l->evaluated ? l->band : BAND_COLD;
    p->previous_probability = l->probability.known ? l->probability.tenths : 0;
    p->previous_churn = l->churn.known ? l->churn.tenths : 0;
}

static void note_activity(struct past *p, const struct event *e)
{
    struct str kind;

    if (p->models && event_activity(p->rules, e, &kind))
        activity_add(p->activity, kind, e->occurred_at, p->arena);
}

static void take(struct past *p, const struct event *e)
{
    if (past_is_moot(p, e))
        return;
    (void)lead_fold(&p->lead, e, p->arena); /* older news change nothing */
    note_activity(p, e);
}

void past_event(struct past *p, const struct event *e, int64_t id, enum past_part part)
{
    struct firing_past f = {.past = p, .e = e, .id = id, .part = part};
    const struct facts facts = {.event = e, .lead = &p->lead};

    past_opens(p, e, id);
    if (part != PAST_PASSES)
        past_score(p);
    note_before(p);
    take(p, e);
    count_own(p, id, part);
    (void)count_late(p, id, e->received_at);
    if (part != PAST_PASSES && !past_is_moot(p, e))
        scorecard_fire(&p->rules->scorecard, &facts, fires, &f);
    p->at = e->received_at;
    p->scored = false;
    if (part != PAST_PASSES)
        past_score(p);
}

void past_routes(const struct past *p, const struct event *e,
                 void (*heard)(void *self, const struct route *route), void *self)
{
    const struct facts now = {.event = e,
                              .lead = &p->lead,
                              .score = p->lead.score,
                              .previous = p->previous,
                              .band = p->lead.band,
                              .probability = p->lead.probability,
                              .churn = p->lead.churn,
                              .previous_probability = p->previous_probability,
                              .previous_churn = p->previous_churn};

    for (size_t i = 0; i < p->rules->routes.n && p->lead.state == LEAD_ACTIVE; i++)
        if (!e->imported && !past_is_moot(p, e) && expr_true(p->rules->routes.items[i].when, &now))
            heard(self, &p->rules->routes.items[i]);
}
