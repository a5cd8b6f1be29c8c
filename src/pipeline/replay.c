/* pipeline/replay.c - stored events, processed again: slices, and what never took effect. */
#include "replay_priv.h"

#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/observe/health.h"
#include "funneld/observe/log.h"

/* So much at once holds up nobody who posts. */
enum {
    EVENTS_MOST = 500,   /* that take effect */
    EVENTS_SPAN = 20000, /* ids that are looked through for them */
    LEADS_MOST = 200,
    LEADS_SPAN = 5000,
    STEPS_MOST = 5000, /* events that are gone through or told, and deliveries; one event or lead
                          may bring more */
};

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static bool is_among(const int64_t ids[], size_t n, int64_t id)
{
    return bsearch(&id, ids, n, sizeof *ids, by_number) != NULL;
}

static int64_t until(const struct replay_filter *f)
{
    return f->until ? f->until : INT64_MAX;
}

bool replay_wants(const struct replay_filter *f, const struct event_view *v)
{
    return (!f->n_ids || is_among(f->ids, f->n_ids, v->id)) && v->received_at >= f->since &&
           v->received_at <= until(f) && (!f->source.at || str_eq(f->source, v->source)) &&
           (f->state < 0 || f->state == (int)v->state);
}

static void count_queued(struct replay *p, struct str connector)
{
    struct replay_queued *q = p->queued;

    while (q && !str_eq(q->connector, connector))
        q = q->next;
    if (!q) {
        q = ARENA_NEW(p->arena, struct replay_queued);
        *q = (struct replay_queued){.connector = arena_str(p->arena, connector), .next = p->queued};
        p->queued = q;
    }
    q->n++;
    p->sums.deliveries++;
}

void replay_step(struct replay *p)
{
    p->steps++;
    atomic_store(&health.writer_beat, clock_now_ms());
}

/* In a savepoint: what the store refuses of one concerns no other. */
static enum rc alone(struct batch *b, struct replay *p, int64_t id,
                     enum rc (*redo)(struct batch *b, struct replay *p, int64_t id))
{
    const struct batch_mark mark = batch_mark(b);
    const struct replay before = *p;
    enum rc rc = store_savepoint(b->store);

    if (rc != RC_OK)
        return rc;
    rc = redo(b, p, id);
    arena_reset(b->arena);
    if (rc == RC_OK) {
        for (const struct notice *n = *mark.last_notice; n; n = n->next) {
            count_queued(p, n->connector);
            p->steps++;
        }
        return store_release(b->store);
    }
    enum rc undone = store_undo(b->store);
    batch_undo(b, mark);
    *p = before;
    p->sums.failed++;
    if (loses_group(rc) || undone != RC_OK)
        return loses_group(rc) ? rc : undone;
    log_write(LOG_WARN, "replay.failed", L_INT(p->from.leads ? "lead" : "event", id),
              L_TEXT("reason", store_error(b->store)), L_END);
    return RC_OK;
}

/* Whether it is the lead's that is asked for, by what it says of itself: it belongs to nobody yet.
 */
static enum rc is_of_lead(struct batch *b, const struct replay *p, const struct event *e, bool *ret)
{
    struct lead lead;
    enum rc rc = RC_OK;

    *ret = true;
    if (!p->filter.lead)
        return RC_OK;
    rc = e->state == EVENT_PROCESSED ? read_lead_of(b, e, &lead) : RC_NONE;
    if (rc == RC_OK || rc == RC_NONE)
        *ret = rc == RC_OK && lead.id == p->filter.lead;
    return rc == RC_NONE ? RC_OK : rc;
}

/* Why it has none, in the words of today. */
static enum rc leave(struct batch *b, struct replay *p, int64_t id, const struct event *e)
{
    p->sums.left++;
    return store_event_restate(b->store, id, e);
}

static enum rc leave_because(struct batch *b, struct replay *p, int64_t id, struct event *e,
                             struct str reason)
{
    e->state = EVENT_UNPROCESSABLE;
    e->reason = reason;
    return leave(b, p, id, e);
}

static enum rc take(struct batch *b, struct replay *p, int64_t id, struct event *e)
{
    const char *reason = NULL;
    int64_t other = 0;
    enum rc rc = e->lead.at ? check_lead(b, e, &reason) : RC_OK;

    if (rc == RC_NONE)
        return leave_because(b, p, id, e, str_of(reason)); /* it names a lead that is not there */
    if (rc == RC_OK)
        rc = store_dedupe_again(b->store, e, id, &other);
    if (rc == RC_EXISTS)
        return leave_because(
            b, p, id, e,
            arena_printf(b->arena, "it says the same as event %lld", (long long)other));
    if (rc != RC_OK)
        return rc;
    if (e->received_at < b->now_ms)
        e->received_at = b->now_ms; /* it takes effect now */
    p->sums.taken++;
    b->replay = p;
    rc = e->object ? process_object(b, e, id) : process_linked(b, e, id);
    b->replay = NULL;
    return rc;
}

static enum rc arrive(struct batch *b, struct replay *p, int64_t id)
{
    struct event_view v;
    struct event e;
    bool wanted = true;
    enum rc rc = read_event(b->reader, id, b->arena, &v);

    replay_step(p);

    if (rc != RC_OK || v.state == EVENT_PROCESSED || !replay_wants(&p->filter, &v))
        return rc == RC_NONE ? RC_OK : rc;
    enum rc read = stored_event(b->rules, &v, b->arena, &e);
    rc = read == RC_OK ? is_of_lead(b, p, &e, &wanted) : RC_OK;
    if (rc != RC_OK || !wanted || (read != RC_OK && p->filter.lead))
        return rc;
    if (read != RC_OK) {
        replay_count_unread(p, &v, read);
        return RC_OK;
    }
    return e.state == EVENT_PROCESSED ? take(b, p, id, &e) : leave(b, p, id, &e);
}

void replay_count_unread(struct replay *p, const struct event_view *v, enum rc rc)
{
    if (!v->body.at)
        p->sums.erased++;
    else if (rc == RC_NONE)
        p->sums.sourceless++;
    else
        p->sums.unreadable++;
}

/* The named ones behind `after`. */
static void next_named(const struct replay_filter *f, size_t room, int64_t *after, int64_t ret[],
                       size_t *ret_n, bool *ret_end)
{
    size_t i = 0, n = 0;

    while (i < f->n_ids && f->ids[i] <= *after)
        i++;
    for (; i < f->n_ids && n < room; i++)
        ret[n++] = f->ids[i];
    if (n)
        *after = ret[n - 1];
    *ret_n = n;
    *ret_end = i == f->n_ids;
}

static enum rc arrivals(struct batch *b, struct replay *p)
{
    const struct replay_filter *f = &p->filter;
    const struct untaken_filter untaken = {.since = f->since,
                                           .until = until(f),
                                           .source = f->source,
                                           .state = f->state < 0 ? EVENT_PROCESSED : f->state};
    int64_t ids[EVENTS_MOST];
    size_t n = 0;
    bool end = true;
    enum rc rc = RC_OK;

    if (f->n_ids && f->state != EVENT_PROCESSED)
        next_named(f, EVENTS_MOST, &p->next.after, ids, &n, &end);
    else if (f->state != EVENT_PROCESSED)
        rc = read_untaken(b->reader, &untaken, EVENTS_SPAN, EVENTS_MOST, &p->next.after, ids, &n,
                          &end);
    size_t i = 0;
    for (; i < n && rc == RC_OK && p->steps < STEPS_MOST; i++)
        rc = alone(b, p, ids[i], arrive);
    if (i < n)
        p->next.after = ids[i - 1];
    else if (end)
        p->next = (struct replay_place){.leads = true};
    return rc;
}

/* Of the named events, in rising order, each once. */
static enum rc leads_named(struct batch *b, const struct replay_filter *f, int64_t **ret,
                           size_t *ret_n)
{
    struct arena one AUTO(arena_free) = {0};
    int64_t *leads = arena_array(b->arena, f->n_ids, sizeof *leads);
    size_t n = 0, different = 0;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < f->n_ids && rc == RC_OK; i++) {
        struct event_view v;

        arena_reset(&one);
        rc = read_event(b->reader, f->ids[i], &one, &v);
        if (rc == RC_OK && v.lead)
            leads[n++] = v.lead;
        rc = rc == RC_NONE ? RC_OK : rc;
    }
    qsort(leads, n, sizeof *leads, by_number);
    for (size_t i = 0; i < n; i++)
        if (!different || leads[different - 1] != leads[i])
            leads[different++] = leads[i];
    *ret = leads;
    *ret_n = different;
    return rc;
}

static enum rc next_leads(struct batch *b, const struct replay *p, int64_t *after, int64_t ret[],
                          size_t *ret_n, bool *ret_end)
{
    const struct replay_filter *f = &p->filter;
    struct replay_filter named = {0};
    int64_t *ids = NULL;
    enum rc rc = RC_OK;

    *ret_end = true;
    if (f->state > EVENT_PROCESSED)
        return RC_OK;
    if (!f->lead && !f->n_ids)
        return read_leads_heard_of(b->reader, f->since, LEADS_SPAN, LEADS_MOST, after, ret, ret_n,
                                   ret_end);
    if (f->lead)
        named = (struct replay_filter){.ids = &f->lead, .n_ids = 1};
    else
        rc = leads_named(b, f, &ids, &named.n_ids);
    if (ids)
        named.ids = ids;
    next_named(&named, LEADS_MOST, after, ret, ret_n, ret_end);
    arena_reset(b->arena);
    return rc;
}

static enum rc leads(struct batch *b, struct replay *p)
{
    int64_t ids[LEADS_MOST], after = p->next.after;
    size_t n = 0, i = 0;
    bool end = true;
    enum rc rc = next_leads(b, p, &after, ids, &n, &end);

    for (; i < n && rc == RC_OK && p->steps < STEPS_MOST; i++)
        rc = alone(b, p, ids[i], replay_lead);
    p->next.after = i < n ? ids[i - 1] : after;
    p->done = end && i == n;
    return rc;
}

static enum rc slice(struct batch *b, struct replay *p)
{
    p->next = p->from;
    p->done = false;
    p->sums = (struct replay_sums){0};
    p->queued = NULL;
    p->steps = 0;
    return p->from.leads ? leads(b, p) : arrivals(b, p);
}

enum rc replay_slice(struct batch *b, struct replay *p)
{
    const struct batch_mark mark = batch_mark(b);
    bool rescan = b->rescan;

    if (!p->dry_run)
        return slice(b, p);
    enum rc rc = store_savepoint(b->store);
    if (rc != RC_OK)
        return rc;
    rc = slice(b, p);
    enum rc undone = store_undo(b->store);
    batch_undo(b, mark);
    b->rescan = rescan;
    return rc == RC_OK ? undone : rc;
}

enum rc replay_in(struct store *st, const struct rules *r, const struct models *models,
                  int64_t now_ms, struct replay *p)
{
    struct arena arena AUTO(arena_free) = {0}, kept AUTO(arena_free) = {0};
    struct batch b = {.store = st,
                      .reader = store_reader(st),
                      .rules = r,
                      .models = models,
                      .now_ms = now_ms,
                      .arena = &arena,
                      .kept = &kept,
                      .last_notice = &b.notices,
                      .careful = true};
    enum rc rc = p->dry_run ? RC_OK : store_ruleset_add(st, r->scorecard.text, now_ms);

    return rc == RC_OK ? replay_slice(&b, p) : rc;
}
