/* deliver/scan.c - what a lane reads from disk, how much at once, and when again. */
#include "lane_priv.h"

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

int64_t lane_next_scan(const struct lane *lane, int64_t now_ms)
{
    int64_t at = lane->targets_at;

    for (const struct line *l = lane->lines; l; l = l->next) {
        int64_t next = line_next_scan(l, now_ms);

        at = next < at ? next : at;
    }
    return at;
}

static void unread(const struct lane *lane, enum rc rc)
{
    log_write(LOG_ERROR, "delivery.unread", L_STR("connector", lane->name),
              L_TEXT("reason", rc_text(rc)), L_END);
}

static void scan_targets(struct lane *lane, struct reader *reader, int64_t now_ms)
{
    struct arena a AUTO(arena_free) = {0};
    int64_t *targets = NULL;
    size_t n = 0;
    enum rc rc = read_targets(reader, lane->name, &a, &targets, &n);

    lane->targets_at = rc == RC_OK ? NEVER : now_ms + SCAN_REST_MS;
    if (rc != RC_OK)
        unread(lane, rc);
    for (size_t i = 0; i < n; i++)
        (void)lane_line(lane, targets[i]);
}

/* As many as there is room for; the rest is read again. */
static void fill(struct lane *lane, struct queue *q, const struct due_row rows[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (q->window.n == q->window.max) { /* never at the first: there was room */
            q->unseen_due = q->read.due_at = rows[i - 1].due_at;
            q->read.id = rows[i - 1].id;
            return;
        }
        lane_add(lane, rows[i]);
    }
}

/* Goes on where it stopped; from the beginning where that is owed, or where the window is full of
 * what is not due. */
static void scan(struct lane *lane, struct queue *q, struct reader *reader, int64_t now_ms)
{
    struct due_scan read = q->read;
    bool anew = q->scan_at <= now_ms || q->window.n == q->window.max;

    if (anew)
        read.due_at = read.id = 0;
    /* Rows in flight are still pending on disk: without room for them a scan could see no other. */
    size_t limit = q->window.max - (anew ? 0 : q->window.n) + lane->flight.n, n = 0;
    struct due_row *rows AUTO(mem_freep) = mem_array(limit, sizeof *rows);
    enum rc rc = read_due(reader, &read, limit, rows, &n);

    if (rc != RC_OK) {
        q->scan_at = now_ms + SCAN_REST_MS;
        q->rest_until = q->scan_at;
        unread(lane, rc);
        return;
    }
    if (anew)
        dueq_clear(&q->window);
    q->read = read;
    q->scan_at = NEVER;
    q->unseen_due = read.done ? NEVER : read.due_at;
    fill(lane, q, rows, n);
    bool goes_on = !read.done && n < limit;
    q->rest_until = goes_on || queue_next(q, now_ms) ? now_ms : now_ms + SCAN_REST_MS;
}

/* How many rows were looked at. */
static size_t scan_line(struct lane *lane, struct line *line, struct reader *reader, int64_t now_ms)
{
    size_t n = 0;

    if (line_next_scan(line, now_ms) > now_ms)
        return 0;
    for (int u = 0; u < URGENCIES; u++)
        if (queue_next_scan(&line->queues[u], now_ms) <= now_ms) {
            scan(lane, &line->queues[u], reader, now_ms);
            n += line->queues[u].read.looked_at;
        }
    return n;
}

/* Not all lines at once, if much is to be looked at: what is no head costs as much as one. */
void lane_scan(struct lane *lane, struct reader *reader, int64_t now_ms)
{
    size_t n = 0;

    if (!lane->connector)
        return;
    if (lane->targets_at <= now_ms)
        scan_targets(lane, reader, now_ms);
    for (struct line *l = lane->lines; l && n < DUE_ROWS_MAX; l = l->next)
        n += scan_line(lane, l, reader, now_ms);
}
