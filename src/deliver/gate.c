/* deliver/gate.c - when a lane may start its next attempt, and at how much. */
#include "lane_priv.h"

#include <math.h>

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

/* At high rates several requests may leave in one turn of the loop; up to 10/s they are spaced. */
#define BURST_MS 100.0

void lane_pause(struct lane *lane, int64_t until_ms)
{
    lane->paused_until = later(lane->paused_until, until_ms);
}

int64_t lane_ready_at(const struct lane *lane, double per_second, int64_t now_ms)
{
    now_ms = later(now_ms, lane->paused_until);
    return rate_ready_at(&lane->rate, per_second, BURST_MS - 1000.0 / per_second, now_ms);
}

void lane_count_request(struct lane *lane, double per_second, int64_t at_ms)
{
    rate_count(&lane->rate, per_second, at_ms);
}

/* Floods */

static bool digests(const struct lane *lane, int64_t *ret_count, int64_t *ret_window_ms)
{
    const struct connector_type *type = lane->connector->type;

    return type->digest && type->digest(lane->connector->settings, ret_count, ret_window_ms);
}

static bool window_is_full(const struct flood *f, int64_t count)
{
    return f->n >= count;
}

/* More wait than may leave one by one; or they came while no more were allowed to. */
bool lane_is_flooded(const struct lane *lane, int64_t now_ms)
{
    int64_t count, window_ms;

    if (!digests(lane, &count, &window_ms))
        return false;
    size_t due = lane_count_due(lane, now_ms, (size_t)count + 1);
    return due > (size_t)count || (due > 1 && window_is_full(&lane->flood, count) &&
                                   lane_first_due(lane) < lane->flood.from + window_ms);
}

/* Until then what is due waits for more; now: it does not. */
static int64_t flood_ends_at(const struct lane *lane, int64_t now_ms)
{
    int64_t count, window_ms;

    if (!digests(lane, &count, &window_ms) || !window_is_full(&lane->flood, count))
        return now_ms;
    if (lane_count_due(lane, now_ms, (size_t)count + 1) > (size_t)count)
        return now_ms;
    return later(now_ms, lane->flood.from + window_ms);
}

void lane_count_start(struct lane *lane, size_t n, int64_t now_ms)
{
    struct flood *f = &lane->flood;
    int64_t count, window_ms;

    if (!digests(lane, &count, &window_ms))
        return;
    if (n > 1 || now_ms >= f->from + window_ms)
        *f = (struct flood){.from = now_ms};
    f->n++;
}

/* Health */

static void tell_change(const struct lane *lane, const struct line *line, struct str reason,
                        int64_t now_ms)
{
    const struct circuit *c = &line->circuit;

    if (circuit_is_open(c))
        log_write(LOG_ERROR, "circuit.opened", L_STR("connector", lane->name),
                  L_INT("target", line->target), L_INT("probe_ms", c->probe_at - now_ms),
                  L_STR("reason", reason), L_END);
    else
        log_write(LOG_INFO, "circuit.closed", L_STR("connector", lane->name),
                  L_INT("target", line->target), L_END);
}

void lane_note_health(struct lane *lane, struct line *line, enum attempt_health health,
                      struct str reason, int64_t began, int64_t now_ms, uint64_t random)
{
    bool was_open = circuit_is_open(&line->circuit);

    if (!lane->connector || line->retired)
        return;
    circuit_note(&line->circuit, health, began, now_ms, lane_common(lane)->backoff_ms,
                 lane_common(lane)->backoff_max_ms, random);
    if (circuit_is_open(&line->circuit) == was_open)
        return;
    if (!line->target) /* one of many who subscribed is no trouble of the connector's */
        metric_set(lane->circuit_open, !was_open);
    tell_change(lane, line, reason, now_ms);
}

/* How many attempts at once. One who subscribed and does not answer gets no more than one, and
 * nobody all of them while there are others. */
static size_t line_allows(const struct lane *lane, const struct line *line)
{
    size_t concurrency = (size_t)lane_common(lane)->concurrency;
    size_t most = circuit_allows(&line->circuit, concurrency);

    if (!line->target)
        return most;
    if (line->circuit.failures)
        return 1;
    bool alone = lane->by_target.n <= 2; /* with the connector's own */
    return most < concurrency || most == 1 || alone ? most : most - 1;
}

int64_t lane_line_ready_at(const struct lane *lane, const struct line *line, int64_t now_ms)
{
    return line->running < line_allows(lane, line) ? line_ready_at(line, now_ms) : NEVER;
}

/* Outlook */

#define ETA_EVERY_MS (1 * SECONDS_MS)

static double slower(double a, double b)
{
    return a > 0 && (b <= 0 || a < b) ? a : b;
}

static double eta(const struct lane *lane, int64_t depth, double per_second, int64_t now_ms)
{
    const struct connector_common *c = lane_common(lane);
    const struct circuit *circuit = &lane_own(lane)->circuit;
    size_t at_once = circuit_allows(circuit, (size_t)c->concurrency);
    double rest = (double)(later(lane->paused_until, now_ms) - now_ms) / 1000.0;

    if (depth == 0)
        return 0;
    if (circuit_is_open(circuit))
        return INFINITY;
    return rest + pace_eta(&lane->pace, depth, slower(c->rate, per_second), at_once);
}

void lane_tell_eta(struct lane *lane, struct reader *reader, double per_second, int64_t now_ms)
{
    int64_t depth = 0, oldest = 0;
    bool paused = false;

    if (!lane->connector || now_ms - lane->eta_told_at < ETA_EVERY_MS)
        return;
    lane->eta_told_at = now_ms;
    if (read_queue(reader, lane->name, &depth, &oldest) != RC_OK ||
        read_paused(reader, lane->name, &paused) != RC_OK)
        return; /* the last one stands; who cannot read says so where it matters */
    metric_set(lane->eta, paused && depth ? INFINITY : eta(lane, depth, per_second, now_ms));
}

/* All of it */

static bool has_room(const struct lane *lane)
{
    return lane->running < (size_t)lane_common(lane)->concurrency;
}

/* When the next attempt may start, as far as the lane itself knows. */
static int64_t start_at(const struct lane *lane, int64_t now_ms)
{
    return later(lane_ready_at(lane, lane_common(lane)->rate, now_ms), flood_ends_at(lane, now_ms));
}

bool lane_may_start(const struct lane *lane, int64_t now_ms)
{
    return lane->connector && has_room(lane) && start_at(lane, now_ms) <= now_ms;
}

/* When the next head is due whose target may be asked. */
static int64_t next_due(const struct lane *lane, int64_t now_ms)
{
    int64_t at = NEVER;

    for (const struct line *l = lane->lines; l; l = l->next) {
        int64_t due = line_first_due(l);

        if (due < at)
            due = later(due, lane_line_ready_at(lane, l, now_ms));
        at = due < at ? due : at;
    }
    return at;
}

int64_t lane_wake_at(const struct lane *lane, int64_t quota_at, int64_t now_ms)
{
    if (!lane->connector)
        return NEVER;

    int64_t at = lane_next_scan(lane, now_ms),
            due = has_room(lane) ? next_due(lane, now_ms) : NEVER;
    if (due == NEVER)
        return at;
    int64_t start = later(later(due, quota_at), start_at(lane, now_ms));
    return start < at ? start : at;
}
