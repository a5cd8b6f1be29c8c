/* pipeline/past.c - stored events decoded again, and a lead's past under a set of rules. */
#include "funneld/pipeline/past.h"

#include "batch.h"

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
                 .created_at = now->created_at},
        .known = known,
        .counted = arena_array(a, n_known, sizeof(bool)),
        .n_known = n_known,
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
}

/* What fired for this event; and for one that is not there any more, once its time has come. */
static void count_known(struct past *p, const struct event *e, int64_t id, enum past_part part)
{
    for (size_t i = 0; i < p->n_known; i++) {
        const struct ledger_row *row = &p->known[i];
        bool own = row->event == id;

        if (p->counted[i] || (!own && (row->event > id || row->received_at > e->received_at)))
            continue;
        p->counted[i] = true;
        if (!own || part != PAST_ANEW)
            count(p, row);
    }
}

/* Firings of events that are purged count before the first that is left. */
void past_opens(struct past *p, const struct event *first, int64_t id)
{
    if (p->at)
        return;
    for (size_t i = 0; i < p->n_known && p->known[i].event < id; i++) {
        if (p->counted[i] || p->known[i].received_at > first->received_at)
            continue; /* its event is there, and took effect later */
        p->counted[i] = true;
        count(p, &p->known[i]);
        p->purged = true;
    }
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
    for (size_t i = 0; i < p->n_known; i++)
        if (p->known[i].event == event && str_eq(p->known[i].rule, rule))
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

void past_score(struct past *p)
{
    if (!p->scored && p->at)
        score_lead(&p->rules->scorecard, &p->lead, p->rows, p->n_rows, p->at);
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

void past_event(struct past *p, const struct event *e, int64_t id, enum past_part part)
{
    struct firing_past f = {.past = p, .e = e, .id = id, .part = part};
    const struct facts facts = {.event = e, .lead = &p->lead};

    past_opens(p, e, id);
    if (part != PAST_PASSES)
        past_score(p);
    p->previous = p->lead.evaluated ? p->lead.score : 0;
    if (!past_is_moot(p, e))
        (void)lead_fold(&p->lead, e, p->arena); /* older news change nothing */
    count_known(p, e, id, part);
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
                              .band = p->lead.band};

    for (size_t i = 0; i < p->rules->routes.n && p->lead.state == LEAD_ACTIVE; i++)
        if (!past_is_moot(p, e) && expr_true(p->rules->routes.items[i].when, &now))
            heard(self, &p->rules->routes.items[i]);
}
