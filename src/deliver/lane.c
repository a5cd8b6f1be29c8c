/* deliver/lane.c - one connector's queue: what waits, what is in flight, when it may go on. */
#include "lane_priv.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

/* After a failed read, and between two scans that found nothing to do. */
#define SCAN_REST_MS (1 * SECONDS_MS)

/* Longer than that nothing is put off on purpose: a Retry-After counts up to a day. */
#define PUT_OFF_MAX_MS (25 * HOURS_MS)

/* And hardly ever longer than a backoff or what waits for enrichment. */
#define BACKOFF_LEAST_MS (1 * MINUTES_MS)

struct session *session_new(const struct connector_type *type)
{
    struct session *s = mem_alloc(sizeof *s);

    *s = (struct session){.users = 1, .type = type};
    if (type->session_size)
        s->data = mem_alloc(type->session_size);
    return s;
}

void session_drop(struct session *s)
{
    if (!s || --s->users)
        return;
    if (s->data && s->type->session_free)
        s->type->session_free(s->data);
    if (s->data)
        explicit_bzero(s->data, s->type->session_size); /* access tokens */
    free(s->data);
    free(s);
}

struct lane *lane_new(struct str name)
{
    struct lane *lane = mem_alloc(sizeof *lane);

    lane->name_text = mem_text(name);
    lane->name = str_of(lane->name_text);
    lane->window.max = LANE_WINDOW;
    lane->scan_at = lane->unseen_due = lane->too_late = lane->put_off = NEVER;
    lane->delivered = metric(METRIC_DELIVERIES, name, STR("delivered"));
    lane->retried = metric(METRIC_DELIVERIES, name, STR("retried"));
    lane->dead = metric(METRIC_DELIVERIES, name, STR("dead"));
    (void)metric(METRIC_DELIVERIES, name, STR("superseded")); /* the writer counts these two */
    (void)metric(METRIC_DELIVERIES, name, STR("cancelled"));
    lane->circuit_open = metric(METRIC_CIRCUIT_OPEN, name, STR_NULL);
    lane->eta = metric(METRIC_QUEUE_ETA, name, STR_NULL);
    lane->seconds = metric(METRIC_DELIVERY_SECONDS, name, STR_NULL);
    return lane;
}

void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    session_drop(lane->session);
    dueq_free(&lane->window);
    leadmap_free(&lane->flight);
    free(lane->name_text);
    free(lane);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void lane_configure(struct lane *lane, const struct connector *connector, int64_t now_ms)
{
    session_drop(lane->session);
    lane->session = connector ? session_new(connector->type) : NULL;
    lane->connector = connector;
    lane_close_circuit(lane); /* what was broken may be mended */
    dueq_clear(&lane->window);
    lane->unseen_due = NEVER;
    lane->scan_at = connector ? now_ms : NEVER;
}

void lane_clock(struct lane *lane, int64_t now_ms, int64_t back_ms)
{
    lane->began_at = lane->began_at ? lane->began_at - back_ms : now_ms;
    if (!lane->connector)
        return;
    int64_t backoff = later(lane_common(lane)->backoff_max_ms, BACKOFF_LEAST_MS);
    if (back_ms > backoff) {
        lane->doubt_until = now_ms + PUT_OFF_MAX_MS;
        lane->began_at = now_ms; /* what has just left settles by the new clock */
    }
    lane->too_late = now_ms + later(backoff, PUT_OFF_MAX_MS);
    lane->put_off = now_ms < lane->doubt_until ? now_ms + backoff : lane->too_late;
    if (back_ms <= 0)
        return;
    lane->rate.next_ms -= (double)back_ms;
    circuit_shift(&lane->circuit, back_ms);
    lane->flood.from -= back_ms;
    lane->eta_told_at -= back_ms;
    lane->paused_until -= back_ms;
    lane->rest_until -= back_ms;
    lane->scan_at = now_ms;
}

const struct connector_common *lane_common(const struct lane *lane)
{
    return lane->connector->settings;
}

int64_t lane_due_at(const struct lane *lane, const struct due_row *row)
{
    int64_t left_by = row->open_attempt_at > lane->began_at ? row->open_attempt_at : lane->began_at;
    int64_t settle = lane_common(lane)->settle_ms, look_at = left_by + settle;
    int64_t at_once = row->open_attempt_at ? lane->began_at + settle : 0;

    if (row->open_attempt_at && look_at > row->due_at) /* too early it may see nothing yet */
        return look_at > lane->too_late ? at_once : look_at;
    return row->due_at > lane->put_off ? at_once : row->due_at;
}

static void turn_away(struct lane *lane, int64_t due_at)
{
    if (due_at < lane->unseen_due)
        lane->unseen_due = due_at;
}

void lane_add(struct lane *lane, struct due_row row)
{
    if (!lane->connector || leadmap_find(&lane->flight, row.lead))
        return;
    row.due_at = lane_due_at(lane, &row);
    (void)dueq_remove(&lane->window, row.lead); /* mostly none there */
    if (dueq_add(&lane->window, row) != RC_OK)
        turn_away(lane, row.due_at);
}

void lane_refresh(struct lane *lane, struct reader *reader, int64_t lead, int64_t now_ms)
{
    struct due_row row;

    if (!lane->connector || leadmap_find(&lane->flight, lead))
        return;
    (void)dueq_remove(&lane->window, lead);

    enum rc rc = read_due_of_lead(reader, lane->name, lead, &row);
    if (rc == RC_OK)
        lane_add(lane, row);
    else if (rc != RC_NONE)
        lane->scan_at = now_ms + SCAN_REST_MS;
}

void lane_notify(struct lane *lane, struct reader *reader, const struct due_row *row,
                 int64_t now_ms)
{
    const struct due_row *head = dueq_find(&lane->window, row->lead);

    if (!lane->connector)
        return;
    if (head && head->id == row->id)
        lane_add(lane, *row);
    else if (head && head->due_at > now_ms) /* it may have been superseded by this one */
        lane_refresh(lane, reader, row->lead, now_ms);
    else if (!head && lane->unseen_due != NEVER) /* an older one of this lead may be on disk */
        turn_away(lane, row->due_at);
    else if (!head && lane->scan_at == NEVER) /* or one that a failed read had left out: the scan
                                                 that is owed since finds both, the older first */
        lane_add(lane, *row);
}

static bool is_due(const struct lane *lane, int64_t now_ms)
{
    const struct due_row *first = dueq_first(&lane->window);

    return first && first->due_at <= now_ms;
}

/* What is unseen matters only once the window has nothing to do: it is read in order of due_at. */
int64_t lane_next_scan(const struct lane *lane, int64_t now_ms)
{
    int64_t at = lane->scan_at;

    if (lane->unseen_due != NEVER && !is_due(lane, now_ms)) {
        int64_t unseen = lane->unseen_due > lane->rest_until ? lane->unseen_due : lane->rest_until;

        if (unseen < at)
            at = unseen;
    }
    return at;
}

static void fill(struct lane *lane, const struct due_row rows[], size_t n, bool more)
{
    dueq_clear(&lane->window);
    lane->unseen_due = NEVER;
    for (size_t i = 0; i < n; i++)
        lane_add(lane, rows[i]);
    if (more)
        turn_away(lane, lane_due_at(lane, &rows[n - 1]));
}

void lane_scan(struct lane *lane, struct reader *reader, int64_t now_ms)
{
    if (!lane->connector || lane_next_scan(lane, now_ms) > now_ms)
        return;

    /* Rows in flight are still pending on disk: without room for them a scan could see no other. */
    size_t limit = LANE_WINDOW + lane->flight.n, n = 0;
    struct due_row *rows AUTO(mem_freep) = mem_array(limit, sizeof *rows);
    enum rc rc = read_due(reader, lane->name, limit, rows, &n);

    if (rc == RC_OK || rc == RC_NONE) {
        lane->scan_at = NEVER;
        fill(lane, rows, n, n == limit);
    } else {
        lane->scan_at = now_ms + SCAN_REST_MS;
        log_write(LOG_ERROR, "delivery.unread", L_STR("connector", lane->name),
                  L_TEXT("reason", rc_text(rc)), L_END);
    }
    lane->rest_until = is_due(lane, now_ms) ? now_ms : now_ms + SCAN_REST_MS;
}

bool lane_take(struct lane *lane, int64_t now_ms, struct due_row *ret)
{
    if (!is_due(lane, now_ms))
        return false;
    *ret = *dueq_first(&lane->window);
    return dueq_remove(&lane->window, ret->lead);
}
