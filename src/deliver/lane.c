/* deliver/lane.c - one connector's queue: what waits, what is in flight, when it may go on. */
#include "lane_priv.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"

/* Longer than that nothing is put off on purpose: a Retry-After counts up to a day. */
#define PUT_OFF_MAX_MS (25 * HOURS_MS)

/* A line in which nothing waits is kept that long. */
#define LINE_KEPT_MS (1 * HOURS_MS)

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

struct lane *lane_new(struct str name, size_t window)
{
    struct lane *lane = mem_alloc(sizeof *lane);

    lane->name_text = mem_text(name);
    lane->name = str_of(lane->name_text);
    lane->last_line = &lane->lines;
    lane->window = window;
    lane->targets_at = NEVER;
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

/* Lines */

static struct line *find_line(const struct lane *lane, int64_t target)
{
    const int64_t *at = idmap_find(&lane->by_target, target);

    return at ? (struct line *)(intptr_t)*at : NULL;
}

static void append(struct lane *lane, struct line *line)
{
    line->next = NULL;
    *lane->last_line = line;
    lane->last_line = &line->next;
}

static void unlink_line(struct lane *lane, struct line **at)
{
    struct line *line = *at;

    *at = line->next;
    if (!line->next)
        lane->last_line = at;
}

/* Of a subscription that was not heard of for a while none is kept: it may have ended. */
static void drop_idle(struct lane *lane)
{
    if (lane->now_ms - lane->tidied_at < LINE_KEPT_MS)
        return;
    lane->tidied_at = lane->now_ms;
    for (struct line **at = &lane->lines; *at;) {
        struct line *line = *at;

        if (!line->target || !line_is_idle(line, lane->now_ms) ||
            lane->now_ms - line->used_at < LINE_KEPT_MS) {
            at = &line->next;
            continue;
        }
        unlink_line(lane, at);
        (void)idmap_remove(&lane->by_target, line->target); /* it is there */
        line_drop(line);
    }
}

struct line *lane_line(struct lane *lane, int64_t target)
{
    struct line *line = find_line(lane, target);

    if (line)
        return line;
    line = line_new(lane->name, target, lane->window);
    line->used_at = lane->now_ms;
    append(lane, line);
    idmap_set(&lane->by_target, target, (int64_t)(intptr_t)line);
    return line;
}

static struct line *take_lines(struct lane *lane)
{
    struct line *lines = lane->lines;

    lane->lines = NULL;
    lane->last_line = &lane->lines;
    idmap_clear(&lane->by_target);
    return lines;
}

static void drop_lines(struct line *lines)
{
    for (struct line *next; lines; lines = next) {
        next = lines->next;
        line_drop(lines);
    }
}

/* Of the old ones no more is known than who is to rest: what was broken may be mended. */
static void renew_lines(struct lane *lane, int64_t now_ms)
{
    struct line *old = take_lines(lane);

    if (lane->connector)
        (void)lane_line(lane, 0);
    for (const struct line *l = old; l && lane->connector; l = l->next)
        if (l->paused_until > now_ms)
            lane_pause_target(lane, l->target, l->paused_until);
    drop_lines(old);
}

void lane_pause_target(struct lane *lane, int64_t target, int64_t until_ms)
{
    if (!lane->connector)
        return;
    struct line *line = lane_line(lane, target);
    line->paused_until = later(line->paused_until, until_ms);
}

struct line *lane_own(const struct lane *lane)
{
    return find_line(lane, 0);
}

void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    session_drop(lane->session);
    drop_lines(take_lines(lane));
    idmap_free(&lane->by_target);
    idmap_free(&lane->flight);
    free(lane->name_text);
    free(lane);
}

void lane_configure(struct lane *lane, const struct connector *connector, int64_t now_ms)
{
    session_drop(lane->session);
    lane->session = connector ? session_new(connector->type) : NULL;
    lane->connector = connector;
    renew_lines(lane, now_ms);
    metric_set(lane->circuit_open, 0);
    metric_set(lane->eta, 0);
    lane->targets_at = connector ? now_ms : NEVER;
}

void lane_rescan(struct lane *lane, int64_t now_ms)
{
    lane->targets_at = now_ms;
    for (struct line *l = lane->lines; l; l = l->next)
        line_rescan(l, now_ms);
}

void lane_probe_now(struct lane *lane, int64_t now_ms)
{
    for (struct line *l = lane->lines; l; l = l->next)
        circuit_probe_now(&l->circuit, now_ms);
}

void lane_clock(struct lane *lane, int64_t now_ms, int64_t back_ms)
{
    lane->now_ms = now_ms;
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
    drop_idle(lane);
    if (back_ms <= 0)
        return;
    lane->rate.next_ms -= (double)back_ms;
    lane->flood.from -= back_ms;
    lane->eta_told_at -= back_ms;
    lane->tidied_at -= back_ms;
    lane->paused_until -= back_ms;
    for (struct line *l = lane->lines; l; l = l->next)
        line_shift(l, back_ms);
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

void lane_add(struct lane *lane, struct due_row row)
{
    int64_t disk_due_at = row.due_at;

    if (!lane->connector || idmap_find(&lane->flight, due_key(&row)))
        return;
    row.due_at = lane_due_at(lane, &row);
    line_put(lane_line(lane, row.target), &row, disk_due_at);
}

void lane_refresh(struct lane *lane, struct reader *reader, const struct due_row *of,
                  int64_t now_ms)
{
    struct due_row row;

    if (!lane->connector || idmap_find(&lane->flight, due_key(of)))
        return;
    struct line *line = lane_line(lane, of->target);
    line_remove(line, due_key(of));

    enum rc rc = read_due_of_lead(reader, lane->name, of->lead, of->target, &row);
    if (rc == RC_OK)
        lane_add(lane, row);
    else if (rc != RC_NONE)
        line_rescan(line, now_ms + SCAN_REST_MS);
}

/* Like line_turn_away; but with what is urgent the head of its lead became so, which stands where
 * its own time puts it. */
static void turn_away(struct lane *lane, struct reader *reader, const struct due_row *row,
                      int64_t now_ms)
{
    struct line *line = lane_line(lane, row->target);
    struct due_row head = *row;
    enum rc rc =
        row->urgent ? read_due_of_lead(reader, lane->name, row->lead, row->target, &head) : RC_OK;

    if (rc == RC_OK)
        line_turn_away(line, &head, head.due_at);
    else if (rc != RC_NONE)
        line_rescan(line, now_ms + SCAN_REST_MS);
}

void lane_notify(struct lane *lane, struct reader *reader, const struct due_row *row,
                 int64_t now_ms)
{
    if (!lane->connector || idmap_find(&lane->flight, due_key(row)))
        return; /* or an older one is in flight: at its end the disk says what is next */
    struct line *line = lane_line(lane, row->target);
    const struct due_row *head = line_head(line, due_key(row));
    const struct queue *q = line_queue(line, row);

    if (head && head->id == row->id)
        lane_add(lane, *row);
    else if (head && (row->id < head->id || (row->urgent && !head->urgent)))
        /* another lead's was merged into this one; or the head holds up what is urgent */
        lane_refresh(lane, reader, row, now_ms);
    else if (head && head->due_at > now_ms && connector_upserts(lane->connector))
        /* it may have been superseded by this one */
        lane_refresh(lane, reader, row, now_ms);
    else if (!head && line_knows_all(line))
        lane_add(lane, *row);
    else if (!head && q->unseen_due != NEVER)
        turn_away(lane, reader, row, now_ms);
    else if (!head && q->scan_at == NEVER) /* what is unseen is of the other urgency */
        lane_refresh(lane, reader, row, now_ms);
    /* Else a scan is owed, which finds both, the older first. */
}

static bool may_go(const struct lane *lane, const struct line *line, int64_t now_ms)
{
    return lane_line_ready_at(lane, line, now_ms) <= now_ms;
}

struct line *lane_next_line(const struct lane *lane, int64_t now_ms)
{
    for (int u = 0; u < URGENCIES; u++)
        for (struct line *l = lane->lines; l; l = l->next)
            if (queue_next(&l->queues[u], now_ms) && may_go(lane, l, now_ms))
                return l;
    return NULL;
}

void lane_begin(struct lane *lane, struct line *line, int64_t now_ms)
{
    struct line **at = &lane->lines;

    lane->running++;
    line_begin(line, now_ms);
    while (*at != line)
        at = &(*at)->next;
    unlink_line(lane, at);
    append(lane, line);
}

void lane_end(struct lane *lane, struct line *line)
{
    lane->running--;
    line_end(line);
}

int64_t lane_first_due(const struct lane *lane)
{
    int64_t at = NEVER;

    for (const struct line *l = lane->lines; l; l = l->next) {
        int64_t first = line_first_due(l);

        at = first < at ? first : at;
    }
    return at;
}

size_t lane_count_due(const struct lane *lane, int64_t now_ms, size_t most)
{
    size_t n = 0;

    for (const struct line *l = lane->lines; l && n < most; l = l->next)
        n += line_count_due(l, now_ms, most - n);
    return n;
}
