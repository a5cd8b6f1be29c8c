/* pipeline/learning_lead.c - one lead's past, gone through once: what it was at some ages, and what
 * came of it.
 *
 * An event counts from when it was known: what was imported from when it happened, all else from
 * when it came in. So a lead that was known long before we were has a past as well.
 */
#include <stdlib.h>

#include "batch.h"
#include "funneld/base/clock.h"
#include "learning_priv.h"

/* A lead with more events than anybody's is a robot. */
enum { EVENTS_MOST = 50000 };

static const int64_t ages[LEARNING_AGES] = {HOURS_MS,     DAYS_MS,      7 * DAYS_MS,
                                            30 * DAYS_MS, 90 * DAYS_MS, 365 * DAYS_MS};

struct known_event {
    struct event e;
    int64_t id;
};

struct gathering {
    struct lead_past *p;
    struct known_event *items;
    size_t n, cap;
    bool more; /* than were taken */
};

static void gather(void *self, const struct event_view *v)
{
    struct gathering *g = self;
    struct arena *a = &g->p->arena;
    struct event_view kept = *v;
    struct event e;

    if (v->state != EVENT_PROCESSED)
        return;
    if (g->n == EVENTS_MOST) {
        g->more = true;
        return;
    }
    kept.source = arena_str(a, v->source);
    kept.type = arena_str(a, v->type);
    kept.request_id = arena_str(a, v->request_id);
    kept.body = arena_str(a, v->body);
    if (stored_event(g->p->l->rules, &kept, a, &e) != RC_OK) {
        g->p->l->unread++;
        return;
    }
    if (e.imported && e.occurred_at < e.received_at)
        e.received_at = e.occurred_at;
    g->items = arena_more(a, g->items, g->n, &g->cap, sizeof *g->items);
    g->items[g->n++] = (struct known_event){e, v->id};
}

static int by_time(const void *a, const void *b)
{
    const struct known_event *x = a, *y = b;

    if (x->e.received_at != y->e.received_at)
        return x->e.received_at > y->e.received_at ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* While the lead is gone through. */
struct walk {
    struct lead_past *p;
    struct past past;
    struct activity *activity;
    struct str source; /* that it came from first */
    int64_t first;     /* when its first event was known */
    int64_t outcome,
        known_at;  /* when the goal was reached, and when that was known; 0: it is not */
    int64_t ended; /* when it was deleted; 0: it is there */
    size_t age;    /* the next one to look at */
};

static void look(struct walk *w, int64_t at)
{
    struct lead_past *p = w->p;
    struct past *past = &w->past;

    if (!goal_among(p->l->goal, &past->lead)) {
        p->n_others++;
        return;
    }
    past->at = at;
    past->scored = false;
    past_score(past);
    const struct lead_view v = {.lead = &past->lead,
                                .rows = past->rows,
                                .n_rows = past->n_rows,
                                .activity = w->activity,
                                .at = at};
    p->snapshot(p->self, &v, p->n);
    p->snapshots[p->n++].at = at;
}

/* At all ages that came before `until`; where it had reached the goal, or was gone, there is
 * nothing left to foresee. */
static void look_until(struct walk *w, int64_t until)
{
    for (; w->age < LEARNING_AGES && w->first + ages[w->age] < until; w->age++)
        if (!w->outcome && w->past.lead.state == LEAD_ACTIVE)
            look(w, w->first + ages[w->age]);
}

static void note_activity(struct walk *w, const struct event *e)
{
    struct lead_past *p = w->p;
    struct str kind;

    if (past_is_moot(&w->past, e) || !event_activity(p->l->rules, e, &kind))
        return;
    activity_add(w->activity, kind, e->occurred_at, &p->arena);
    if (p->acted)
        p->acted(p->self, e, kind);
}

static void note_outcome(struct walk *w, const struct event *e)
{
    const struct facts facts = {.event = e, .lead = &w->past.lead};

    if (w->past.lead.state == LEAD_ACTIVE)
        w->ended = 0;
    else if (!w->ended)
        w->ended = e->received_at;
    if (w->outcome || past_is_moot(&w->past, e) || !expr_true(w->p->l->goal->when, &facts))
        return;
    w->outcome = e->occurred_at;
    w->known_at = e->received_at > e->occurred_at ? e->received_at : e->occurred_at;
}

/* As it was then: an import later on may have told that the lead is older, and that it was
 * imported tells that it was still there. */
static void note_beginning(struct walk *w, const struct event *e)
{
    struct lead *l = &w->past.lead;
    int64_t since = e->first_at && e->first_at < e->received_at ? e->first_at : e->received_at;

    if (!l->created_at || since < l->created_at)
        l->created_at = since;
    if (!e->imported && str_eq(e->source, w->source))
        l->source = w->source;
}

static void happen(struct walk *w, const struct known_event *k)
{
    look_until(w, k->e.received_at);
    note_beginning(w, &k->e);
    past_event(&w->past, &k->e, k->id, k->e.imported ? PAST_ANEW : PAST_PASSES);
    note_activity(w, &k->e);
    note_outcome(w, &k->e);
}

/* A row counts once its time is over, whatever came earlier: those that reached the goal at once
 * would else be learnt from before the others of their day. And its record may have been deleted
 * before: then nobody knows of most, and those of whom it is known are none like the others. */
static void judge(const struct walk *w, struct snapshot *s)
{
    const struct learning *l = w->p->l;
    int64_t end = s->at + l->horizon_ms;

    s->known_at = end;
    if (w->outcome && w->outcome <= s->at)
        s->outcome = OUTCOME_BEFORE;
    else if (end > l->now_ms)
        s->outcome = OUTCOME_OPEN;
    else if (w->ended && w->ended <= end)
        s->outcome = OUTCOME_OPEN;
    else
        s->outcome = w->outcome && w->outcome <= end ? OUTCOME_YES : OUTCOME_NO;
    if (s->outcome == OUTCOME_YES && w->known_at > end)
        s->known_at = w->known_at; /* late news */
}

/* Where it begins is missing, or it would begin with its first event. */
static bool is_cut(const struct learning *l, const struct lead *lead, int64_t first)
{
    return l->purged_at && lead->created_at <= l->purged_at && lead->created_at < first;
}

/* Of an event that was purged and was imported again: that fires anew. */
static bool is_repeated(const struct lead_past *p, const struct ledger_row *row,
                        const struct gathering *g)
{
    for (size_t i = 0; i < g->n && row->received_at <= p->l->purged_at; i++)
        if (g->items[i].e.imported && g->items[i].e.property.at &&
            is_alike(g->items[i].e.occurred_at, row->occurred_at))
            return true;
    return false;
}

static size_t drop_repeated(const struct lead_past *p, struct ledger_row *rows, size_t n,
                            const struct gathering *g)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (!is_repeated(p, &rows[i], g))
            rows[kept++] = rows[i];
    return kept;
}

static void go_through(struct lead_past *p, const struct lead *now, const struct ledger_row *rows,
                       size_t n_rows, const struct gathering *g)
{
    struct walk w = {.p = p, .source = now->source, .first = g->items[0].e.received_at};

    p->cut = is_cut(p->l, now, w.first);
    p->too_long = g->more;
    if (p->cut || p->too_long)
        return;
    past_begin(&w.past, p->l->rules, now, 0, rows, n_rows, &p->arena);
    w.past.lead.created_at = 0;
    w.past.lead.source = STR_NULL;
    w.activity = activity_read(STR_NULL, &p->arena);
    for (size_t i = 0; i < g->n; i++)
        happen(&w, &g->items[i]);
    look_until(&w, p->l->now_ms);
    for (size_t i = 0; i < p->n; i++)
        judge(&w, &p->snapshots[i]);
    p->reached_first = w.outcome && !p->n && !p->n_others;
}

enum rc lead_past_read(struct lead_past *p, int64_t lead)
{
    struct gathering g = {.p = p};
    struct ledger_row *rows = NULL;
    struct lead now;
    size_t n_rows = 0;

    arena_reset(&p->arena);
    p->n = p->n_others = 0;
    p->cut = p->too_long = p->reached_first = false;
    enum rc rc = read_lead(p->reader, lead, &p->arena, &now);
    if (rc == RC_OK)
        rc = read_ledger(p->reader, &now, INT64_MAX, &p->arena, &rows, &n_rows);
    if (rc == RC_OK)
        rc = read_lead_history(p->reader, lead, INT64_MAX, gather, &g);
    if (rc != RC_OK || !g.n)
        return rc;
    qsort(g.items, g.n, sizeof *g.items, by_time);
    n_rows = drop_repeated(p, rows, n_rows, &g);
    go_through(p, &now, rows, n_rows, &g);
    return RC_OK;
}
