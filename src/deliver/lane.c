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
    for (int u = 0; u < URGENCIES; u++)
        lane->queues[u] =
            (struct queue){.window.max = LANE_WINDOW, .scan_at = NEVER, .unseen_due = NEVER};
    lane->too_late = lane->put_off = NEVER;
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
    for (int u = 0; u < URGENCIES; u++)
        dueq_free(&lane->queues[u].window);
    idmap_free(&lane->flight);
    free(lane->name_text);
    free(lane);
}

void lane_configure(struct lane *lane, const struct connector *connector, int64_t now_ms)
{
    session_drop(lane->session);
    lane->session = connector ? session_new(connector->type) : NULL;
    lane->connector = connector;
    lane_close_circuit(lane); /* what was broken may be mended */
    metric_set(lane->eta, 0);
    for (int u = 0; u < URGENCIES; u++) {
        struct queue *q = &lane->queues[u];

        dueq_clear(&q->window);
        q->unseen_due = NEVER;
        q->scan_at = connector ? now_ms : NEVER;
    }
}

void lane_rescan(struct lane *lane, int64_t now_ms)
{
    for (int u = 0; u < URGENCIES; u++)
        lane->queues[u].scan_at = now_ms;
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
    for (int u = 0; u < URGENCIES; u++)
        lane->queues[u].rest_until -= back_ms;
    lane_rescan(lane, now_ms);
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

static struct queue *queue_of(struct lane *lane, const struct due_row *row)
{
    return &lane->queues[row->urgent ? URGENT : ROUTINE];
}

static void turn_away(struct queue *q, int64_t due_at)
{
    if (due_at < q->unseen_due)
        q->unseen_due = due_at;
}

static void take_out(struct lane *lane, int64_t key)
{
    for (int u = 0; u < URGENCIES; u++)
        (void)dueq_remove(&lane->queues[u].window, key); /* mostly none there */
}

static const struct due_row *head_of(const struct lane *lane, int64_t key)
{
    const struct due_row *head = NULL;

    for (int u = 0; u < URGENCIES && !head; u++)
        head = dueq_find(&lane->queues[u].window, key);
    return head;
}

void lane_add(struct lane *lane, struct due_row row)
{
    if (!lane->connector || idmap_find(&lane->flight, due_key(&row)))
        return;
    row.due_at = lane_due_at(lane, &row);
    take_out(lane, due_key(&row));
    if (dueq_add(&queue_of(lane, &row)->window, row) != RC_OK)
        turn_away(queue_of(lane, &row), row.due_at);
}

void lane_refresh(struct lane *lane, struct reader *reader, const struct due_row *of,
                  int64_t now_ms)
{
    struct due_row row;

    if (!lane->connector || idmap_find(&lane->flight, due_key(of)))
        return;
    take_out(lane, due_key(of));

    enum rc rc = read_due_of_lead(reader, lane->name, of->lead, of->target, &row);
    if (rc == RC_OK)
        lane_add(lane, row);
    else if (rc != RC_NONE)
        lane_rescan(lane, now_ms + SCAN_REST_MS);
}

/* An older one of its lead may be on disk, of either urgency. */
static bool knows_all(const struct lane *lane)
{
    for (int u = 0; u < URGENCIES; u++)
        if (lane->queues[u].unseen_due != NEVER || lane->queues[u].scan_at != NEVER)
            return false;
    return true;
}

void lane_notify(struct lane *lane, struct reader *reader, const struct due_row *row,
                 int64_t now_ms)
{
    const struct due_row *head = head_of(lane, due_key(row));
    const struct queue *q = queue_of(lane, row);

    if (!lane->connector)
        return;
    if (head && head->id == row->id)
        lane_add(lane, *row);
    else if (head && head->due_at > now_ms && connector_upserts(lane->connector))
        /* it may have been superseded by this one */
        lane_refresh(lane, reader, row, now_ms);
    else if (!head && knows_all(lane))
        lane_add(lane, *row);
    else if (!head && q->unseen_due != NEVER)
        turn_away(queue_of(lane, row), row->due_at);
    else if (!head && q->scan_at == NEVER) /* what is unseen is of the other urgency */
        lane_refresh(lane, reader, row, now_ms);
    /* Else a scan is owed, which finds both, the older first. */
}

const struct due_row *lane_next(const struct lane *lane, int64_t now_ms)
{
    for (int u = 0; u < URGENCIES; u++) {
        const struct due_row *first = dueq_first(&lane->queues[u].window);

        if (first && first->due_at <= now_ms)
            return first;
    }
    return NULL;
}

int64_t lane_first_due(const struct lane *lane)
{
    int64_t at = NEVER;

    for (int u = 0; u < URGENCIES; u++) {
        const struct due_row *first = dueq_first(&lane->queues[u].window);

        if (first && first->due_at < at)
            at = first->due_at;
    }
    return at;
}

size_t lane_count(const struct lane *lane)
{
    return lane->queues[URGENT].window.n + lane->queues[ROUTINE].window.n;
}

size_t lane_count_due(const struct lane *lane, int64_t now_ms, size_t most)
{
    size_t n = dueq_count_due(&lane->queues[URGENT].window, now_ms, most);

    return n + dueq_count_due(&lane->queues[ROUTINE].window, now_ms, most - n);
}

static bool is_due(const struct queue *q, int64_t now_ms)
{
    const struct due_row *first = dueq_first(&q->window);

    return first && first->due_at <= now_ms;
}

/* What is unseen matters only once the window has nothing to do: it is read in order of due_at. */
static int64_t next_scan(const struct queue *q, int64_t now_ms)
{
    int64_t at = q->scan_at;

    if (q->unseen_due != NEVER && !is_due(q, now_ms)) {
        int64_t unseen = later(q->unseen_due, q->rest_until);

        if (unseen < at)
            at = unseen;
    }
    return at;
}

int64_t lane_next_scan(const struct lane *lane, int64_t now_ms)
{
    int64_t urgent = next_scan(&lane->queues[URGENT], now_ms);
    int64_t routine = next_scan(&lane->queues[ROUTINE], now_ms);

    return urgent < routine ? urgent : routine;
}

static void fill(struct lane *lane, struct queue *q, const struct due_row rows[], size_t n,
                 bool more)
{
    dueq_clear(&q->window);
    q->unseen_due = NEVER;
    for (size_t i = 0; i < n; i++)
        lane_add(lane, rows[i]);
    if (more)
        turn_away(q, rows[n - 1].due_at);
}

static void scan(struct lane *lane, enum urgency urgency, struct reader *reader, int64_t now_ms)
{
    /* Rows in flight are still pending on disk: without room for them a scan could see no other. */
    size_t limit = LANE_WINDOW + lane->flight.n, n = 0;
    struct due_row *rows AUTO(mem_freep) = mem_array(limit, sizeof *rows);
    struct queue *q = &lane->queues[urgency];
    enum rc rc = read_due(reader, lane->name, urgency == URGENT, limit, rows, &n);

    if (rc == RC_OK || rc == RC_NONE) {
        q->scan_at = NEVER;
        fill(lane, q, rows, n, n == limit);
    } else {
        q->scan_at = now_ms + SCAN_REST_MS;
        log_write(LOG_ERROR, "delivery.unread", L_STR("connector", lane->name),
                  L_TEXT("reason", rc_text(rc)), L_END);
    }
    q->rest_until = is_due(q, now_ms) ? now_ms : now_ms + SCAN_REST_MS;
}

void lane_scan(struct lane *lane, struct reader *reader, int64_t now_ms)
{
    for (int u = 0; u < URGENCIES && lane->connector; u++)
        if (next_scan(&lane->queues[u], now_ms) <= now_ms)
            scan(lane, (enum urgency)u, reader, now_ms);
}

bool lane_take(struct lane *lane, int64_t now_ms, struct due_row *ret)
{
    const struct due_row *next = lane_next(lane, now_ms);

    if (!next)
        return false;
    *ret = *next;
    return dueq_remove(&queue_of(lane, ret)->window, due_key(ret));
}
