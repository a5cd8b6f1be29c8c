/* pipeline/activity.c - what a lead did is counted with each of its events, and from those that are
 * stored where it was not counted before. */
#include "batch.h"

#include "funneld/lead/activity.h"
#include "funneld/pipeline/past.h"

#define DAY_MS INT64_C(86400000)

/* It happens once to each lead that an older release left uncounted, while others wait. */
enum { COUNTED_MOST = 2000 };

bool event_activity(const struct rules *r, const struct event *e, struct str *ret_kind)
{
    return !is_own_echo(r->connectors, r->n_connectors, e) && activity_kind(e, ret_kind);
}

struct counting {
    const struct rules *rules;
    struct activity *activity;
    struct arena *arena;
    struct arena scratch; /* for one event */
};

static void count_stored(void *self, const struct event_view *v)
{
    struct counting *c = self;
    struct event e;
    struct str kind;

    arena_reset(&c->scratch);
    if (v->state == EVENT_PROCESSED && stored_event(c->rules, v, &c->scratch, &e) == RC_OK &&
        event_activity(c->rules, &e, &kind))
        activity_add(c->activity, kind, e.occurred_at, c->arena);
}

enum rc count_history(struct reader *r, const struct rules *rules, const struct lead *lead,
                      int64_t now_ms, struct arena *a, struct str *ret)
{
    const struct list_filter f = {.lead = lead->id,
                                  .limit = INT64_MAX,
                                  .span = COUNTED_MOST,
                                  .since = now_ms - (ACTIVITY_DAYS + 1) * DAY_MS};
    struct counting c = {.rules = rules, .activity = activity_read(STR_NULL, a), .arena = a};
    enum rc rc = lead->last_event ? read_events(r, &f, count_stored, &c) : RC_OK;

    arena_free(&c.scratch);
    if (rc == RC_OK)
        *ret = activity_write(c.activity, a);
    return rc;
}

/* One that was just merged is saved first: its events are found by its row. */
static enum rc count_stored_ones(struct batch *b, struct lead *lead)
{
    enum rc rc = lead->last_event ? store_lead_save(b->store, lead) : RC_OK;

    if (rc == RC_OK)
        rc = count_history(b->reader, b->rules, lead, b->now_ms, b->arena, &lead->activity);
    return rc;
}

enum rc count_activity(struct batch *b, const struct event *e, struct lead *lead)
{
    struct str kind;
    enum rc rc = lead->activity.at || lead->erased ? RC_OK : count_stored_ones(b, lead);

    if (rc != RC_OK || lead->erased || !event_activity(b->rules, e, &kind))
        return rc;
    struct activity *t = activity_read(lead->activity, b->arena);
    activity_add(t, kind, e->occurred_at, b->arena);
    lead->activity = activity_write(t, b->arena);
    return RC_OK;
}
