/* tests/unit/activity_check.h - what a lead did, counted by its events as they are stored. */
#ifndef FUNNELD_TESTS_ACTIVITY_CHECK_H
#define FUNNELD_TESTS_ACTIVITY_CHECK_H

#include "funneld/lead/activity.h"
#include "funneld/pipeline/past.h"
#include "pipeline_world.h"

struct counting {
    struct pipeline *p;
    struct activity *activity;
    uint32_t kinds[1000]; /* of each event */
    size_t n_kinds;
};

static void count_event(void *self, const struct event_view *v)
{
    struct counting *c = self;
    struct arena *a = &c->p->w->arena;
    struct event e;
    struct str kind;

    if (stored_event(c->p->rules, v, a, &e) != RC_OK || !activity_kind(&e, &kind))
        return;
    assert_true(c->n_kinds < ARRAY_LEN(c->kinds));
    activity_add(c->activity, kind, e.occurred_at, a);
    c->kinds[c->n_kinds++] = activity_hash(kind);
}

/* Whatever the order, what was merged and what was counted late: what is stored is counted once.
 * false: it was not counted yet. */
static MAYBE bool is_counted_right(struct pipeline *p, const struct lead *l)
{
    struct world *w = p->w;
    struct counting all = {.p = p, .activity = activity_read(STR_NULL, &w->arena)};
    const struct activity *kept = activity_read(l->activity, &w->arena);

    if (!l->activity.at)
        return false;
    OK(read_lead_history(w->reader, l->id, INT64_MAX, count_event, &all));
    for (size_t i = 0; i < all.n_kinds; i++)
        for (int days = 1; days <= ACTIVITY_DAYS; days++)
            assert_int_equal(activity_count(kept, all.kinds[i], p->now, days),
                             activity_count(all.activity, all.kinds[i], p->now, days));
    return true;
}

static void keep_active(void *self, const struct lead *l)
{
    if (l->state == LEAD_ACTIVE)
        *(int64_t *)self = l->id;
}

/* The oldest active one of the newest `n` leads is then as if it were older than counting. */
static MAYBE void forget_counted(struct pipeline *p, int n)
{
    const struct list_filter some = {.limit = n};
    int64_t id = 0;

    OK(read_leads(p->w->reader, &some, keep_active, &id));
    if (!id)
        return;
    struct lead l = get_lead(p->w, id);
    l.activity = STR_NULL;
    OK(store_begin(p->w->store));
    OK(store_lead_save(p->w->store, &l));
    OK(store_commit(p->w->store));
}

#endif
