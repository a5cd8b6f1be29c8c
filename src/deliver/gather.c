/* deliver/gather.c - which due deliveries make one attempt, and all that a message needs of them.
 */
#include "attempt_priv.h"

#include <inttypes.h>

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

/* After a read that failed. */
#define UNREAD_PAUSE_MS (1 * SECONDS_MS)
#define INVALID_REST_MS (1 * MINUTES_MS)
/* Before a row that another attempt holds is looked at again. */
#define UNDER_WAY_MS (1 * SECONDS_MS)
/* So many that do not go along are passed over, so that those behind them make one attempt. */
enum { ASIDE_MAX = 400 };

/* At most so many parcels, and room for no more than there are. */
static size_t batch_room(const struct lane *lane, const struct line *line, int64_t now_ms)
{
    const struct connector_type *type = lane->connector->type;
    int64_t max =
        type->batch_limit ? type->batch_limit(lane->connector->settings) : (int64_t)type->max_batch;

    if (lane_is_flooded(lane, now_ms))
        max = DIGEST_MAX;
    if (max > (int64_t)line_count(line))
        max = (int64_t)line_count(line);
    return max > 1 ? (size_t)max : 1;
}

static struct str public_id(struct reader *reader, int64_t id, struct arena *a)
{
    return arena_printf(a, "%s-%" PRId64, reader_database_id(reader), id);
}

/* A lead that is gone leaves the facts that stand in the delivery. */
static enum rc read_its_lead(struct reader *reader, int64_t id, struct arena *a,
                             const struct lead **ret)
{
    struct lead *lead = ARENA_NEW(a, struct lead);
    enum rc rc = read_lead(reader, id, a, lead);

    if (rc == RC_NONE)
        *lead = (struct lead){.id = id};
    else if (rc)
        return rc;
    *ret = lead;
    return RC_OK;
}

/* Ids below 0 are those of no lead: what is said of the lead is nothing. */
static enum rc read_its_object(struct reader *reader, const struct delivery *d, struct arena *a,
                               const struct object **ret)
{
    struct object *o = ARENA_NEW(a, struct object);
    enum rc rc = read_object(reader, -d->lead, a, o);

    if (rc == RC_OK)
        *ret = o;
    return rc == RC_NONE ? RC_INVALID : rc;
}

static struct str link_to_crm(const struct lanes *by, const struct lead *lead, struct arena *a)
{
    if (!by->crm || !lead->crm_id)
        return STR_NULL;
    return hubspot_contact_url(by->crm->settings, lead->portal_id, lead->crm_id, a);
}

/* RC_NONE: the subscription has ended. */
static enum rc read_its_target(struct reader *reader, struct parcel *p, struct arena *a)
{
    struct subscription s;
    enum rc rc = p->d.target ? read_subscription(reader, p->d.target, a, &s) : RC_OK;

    if (rc == RC_OK && p->d.target)
        p->target = s.target;
    return rc;
}

/* The rest of a parcel whose delivery is read; RC_NONE as above. */
static enum rc complete(struct attempt *at, struct parcel *p)
{
    struct reader *reader = at->engine->ports.reader;
    struct arena *a = &at->arena;
    enum rc rc = p->d.lead < 0 ? read_its_object(reader, &p->d, a, &p->object) : RC_OK;

    if (rc == RC_OK)
        rc = read_its_lead(reader, p->d.lead, a, &p->lead);
    if (rc)
        return rc;
    rc = read_remote(reader, p->d.lead, at->lane->name, a, &p->remote_lead);
    if (rc && rc != RC_NONE)
        return rc;

    rc = read_its_target(reader, p, a);
    if (rc)
        return rc;
    if (at->by.routes) {
        p->message = routes_message(at->by.routes, p->d.route, at->lane->name);
        p->language = at->by.routes->language;
    }
    p->public_id = public_id(reader, p->d.id, a);
    p->lead_public_id = public_id(reader, p->d.lead, a);
    p->crm_url = link_to_crm(&at->by, p->lead, a);
    return RC_OK;
}

enum fit {
    FIT_TAKEN,
    FIT_NOT,   /* it is not due after all: gone, merged into another lead, put off */
    FIT_ASIDE, /* it is due and does not go along with the first */
    FIT_LATER, /* it is due, but not in this attempt */
    FIT_UNREAD,
};

/* Its lead was merged into another, under which nothing is in flight. */
static bool is_under_way(const struct attempt *but, int64_t id)
{
    for (const struct attempt *a = but->engine->attempts; a; a = a->next)
        for (size_t i = 0; i < a->job.n && a != but; i++)
            if (a->parcels[i].d.id == id)
                return true;
    return false;
}

/* What the disk says counts: the window may be behind. */
static enum fit fits(struct attempt *a, const struct due_row *row, const struct delivery *d,
                     int64_t now_ms)
{
    struct lane *lane = a->lane;
    struct reader *reader = a->engine->ports.reader;
    struct due_row now = due_row_of(d);

    if (d->state != DELIVERY_PENDING || d->lead != row->lead) {
        lane_refresh(lane, reader, row, now_ms);
        if (d->state == DELIVERY_PENDING)
            lane_refresh(lane, reader, &now, now_ms);
        return FIT_NOT;
    }
    if (is_under_way(a, d->id))
        now.due_at = now_ms + UNDER_WAY_MS;
    if (lane_due_at(lane, &now) > now_ms) {
        lane_add(lane, now);
        return FIT_NOT;
    }
    if (a->job.n && a->job.look != (d->open_attempt_at != 0)) {
        lane_add(lane, now);
        return FIT_LATER;
    }
    return FIT_TAKEN;
}

/* A row that says what cannot be stands in the way of no other; a store that cannot be read does.
 */
static enum fit put_back(struct lane *lane, struct due_row row, enum rc rc, int64_t now_ms)
{
    if (rc == RC_INVALID) {
        row.due_at = now_ms + INVALID_REST_MS;
        lane_add(lane, row);
        return FIT_NOT;
    }
    lane_add(lane, row);
    lane_pause(lane, now_ms + UNREAD_PAUSE_MS);
    return FIT_UNREAD;
}

static bool goes_along(const struct attempt *a, const struct parcel *p)
{
    const struct connector_type *type = a->connector->type;

    return p == a->parcels || !type->together ||
           type->together(a->connector->settings, a->parcels, p);
}

static enum fit take_row(struct attempt *a, const struct due_row *row, int64_t now_ms)
{
    struct parcel *p = &a->parcels[a->job.n];
    enum rc rc = read_delivery(a->engine->ports.reader, row->id, &a->arena, &p->d);

    if (rc == RC_NONE) {
        lane_refresh(a->lane, a->engine->ports.reader, row, now_ms);
        return FIT_NOT;
    }
    if (rc == RC_OK) {
        enum fit fit = fits(a, row, &p->d, now_ms);

        if (fit != FIT_TAKEN)
            return fit;
        rc = complete(a, p);
        if (rc == RC_NONE) /* the store is about to cancel it, and does not show it any more */
            return FIT_NOT;
    }
    if (rc) {
        log_write(LOG_ERROR, "delivery.unread", L_INT("delivery", row->id),
                  L_STR("connector", a->lane->name), L_TEXT("reason", rc_text(rc)), L_END);
        return put_back(a->lane, *row, rc, now_ms);
    }
    if (!goes_along(a, p))
        return FIT_ASIDE;
    a->job.look = p->d.open_attempt_at != 0;
    a->job.n++;
    idmap_set(&a->lane->flight, due_key(row), 1);
    return FIT_TAKEN;
}

static void fill(struct attempt *a, size_t room, int64_t now_ms)
{
    struct due_row row, aside[ASIDE_MAX];
    size_t n = 0;

    for (int seen = 0; a->job.n < room && n < ASIDE_MAX && seen < LANE_WINDOW; seen++) {
        enum fit fit = line_take(a->line, now_ms, &row) ? take_row(a, &row, now_ms) : FIT_LATER;

        if (fit == FIT_LATER || fit == FIT_UNREAD)
            break;
        if (fit != FIT_ASIDE)
            continue;
        aside[n++] = row;
        if (row.urgent != a->parcels[0].d.urgent) /* kinds mostly share their urgency */
            break;
    }
    while (n)
        lane_add(a->lane, aside[--n]);
}

struct attempt *attempt_gather(struct engine *e, struct lane *lane, int64_t now_ms)
{
    struct line *line = lane_next_line(lane, now_ms);

    if (!line)
        return NULL;

    size_t room = batch_room(lane, line, now_ms);
    struct attempt *a = attempt_new(e, lane, line, room, now_ms);
    fill(a, room, now_ms);
    a->job.digest = lane->connector->type->digest && a->job.n > 1;
    if (a->job.n)
        return a;
    attempt_free(a);
    return NULL;
}
