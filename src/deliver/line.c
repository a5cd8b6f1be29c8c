/* deliver/line.c - the heads that wait for a connector, or for one who subscribed there. */
#include "line_priv.h"

#include <stdlib.h>

struct line *line_new(struct str connector, int64_t target, size_t window)
{
    struct line *line = mem_alloc(sizeof *line);
    bool own = target == 0;

    if (!window)
        window = own ? LANE_WINDOW : TARGET_WINDOW;
    line->target = target;
    for (int u = 0; u < URGENCIES; u++)
        line->queues[u] = (struct queue){
            .window.max = window,
            .read = {.connector = connector, .urgent = u == URGENT, .target = target},
            .unseen_due = NEVER};
    if (!own)
        circuit_start_slowly(&line->circuit);
    return line;
}

static void line_free(struct line *line)
{
    for (int u = 0; u < URGENCIES; u++)
        dueq_free(&line->queues[u].window);
    free(line);
}

void line_drop(struct line *line)
{
    if (!line)
        return;
    line->retired = true;
    if (!line->running)
        line_free(line);
}

void line_begin(struct line *line, int64_t now_ms)
{
    line->running++;
    line->used_at = now_ms;
}

void line_end(struct line *line)
{
    line->running--;
    if (line->retired && !line->running)
        line_free(line);
}

void line_shift(struct line *line, int64_t back_ms)
{
    circuit_shift(&line->circuit, back_ms);
    line->paused_until -= back_ms;
    line->used_at -= back_ms;
    for (int u = 0; u < URGENCIES; u++)
        line->queues[u].rest_until -= back_ms;
}

struct queue *line_queue(struct line *line, const struct due_row *row)
{
    return &line->queues[row->urgent ? URGENT : ROUTINE];
}

const struct due_row *line_head(const struct line *line, int64_t key)
{
    const struct due_row *head = NULL;

    for (int u = 0; u < URGENCIES && !head; u++)
        head = dueq_find(&line->queues[u].window, key);
    return head;
}

void line_remove(struct line *line, int64_t key)
{
    for (int u = 0; u < URGENCIES; u++)
        (void)dueq_remove(&line->queues[u].window, key); /* mostly none there */
}

/* Where the disk was read past it, it is to be read again from there. */
void line_turn_away(struct line *line, const struct due_row *row, int64_t disk_due_at)
{
    struct queue *q = line_queue(line, row);
    struct due_scan *read = &q->read;

    if (row->due_at < q->unseen_due)
        q->unseen_due = row->due_at;
    if (disk_due_at < read->due_at || (disk_due_at == read->due_at && row->id <= read->id)) {
        read->due_at = disk_due_at;
        read->id = read->id ? row->id - 1 : 0;
    }
}

void line_put(struct line *line, const struct due_row *row, int64_t disk_due_at)
{
    line_remove(line, due_key(row));
    if (dueq_add(&line_queue(line, row)->window, *row) != RC_OK)
        line_turn_away(line, row, disk_due_at);
}

bool line_knows_all(const struct line *line)
{
    for (int u = 0; u < URGENCIES; u++)
        if (line->queues[u].unseen_due != NEVER || line->queues[u].scan_at != NEVER)
            return false;
    return true;
}

const struct due_row *queue_next(const struct queue *q, int64_t now_ms)
{
    const struct due_row *first = dueq_first(&q->window);

    return first && first->due_at <= now_ms ? first : NULL;
}

const struct due_row *line_next(const struct line *line, int64_t now_ms)
{
    const struct due_row *urgent = queue_next(&line->queues[URGENT], now_ms);

    return urgent ? urgent : queue_next(&line->queues[ROUTINE], now_ms);
}

bool line_take(struct line *line, int64_t now_ms, struct due_row *ret)
{
    const struct due_row *next = line_next(line, now_ms);

    if (!next)
        return false;
    *ret = *next;
    return dueq_remove(&line_queue(line, ret)->window, due_key(ret));
}

size_t line_count(const struct line *line)
{
    return line->queues[URGENT].window.n + line->queues[ROUTINE].window.n;
}

size_t line_count_due(const struct line *line, int64_t now_ms, size_t most)
{
    size_t n = dueq_count_due(&line->queues[URGENT].window, now_ms, most);

    return n + dueq_count_due(&line->queues[ROUTINE].window, now_ms, most - n);
}

int64_t line_first_due(const struct line *line)
{
    int64_t at = NEVER;

    for (int u = 0; u < URGENCIES; u++) {
        const struct due_row *first = dueq_first(&line->queues[u].window);

        if (first && first->due_at < at)
            at = first->due_at;
    }
    return at;
}

bool line_is_idle(const struct line *line, int64_t now_ms)
{
    return !line->running && !line_count(line) && line_knows_all(line) &&
           line_ready_at(line, now_ms) <= now_ms;
}

int64_t line_ready_at(const struct line *line, int64_t now_ms)
{
    return later(circuit_ready_at(&line->circuit, now_ms), line->paused_until);
}

void line_rescan(struct line *line, int64_t at_ms)
{
    for (int u = 0; u < URGENCIES; u++)
        line->queues[u].scan_at = at_ms;
}

/* What is unseen matters only once the window has nothing to do: it is read in order of due_at. */
int64_t queue_next_scan(const struct queue *q, int64_t now_ms)
{
    int64_t at = q->scan_at;

    if (q->unseen_due != NEVER && !queue_next(q, now_ms)) {
        int64_t unseen = later(q->unseen_due, q->rest_until);

        if (unseen < at)
            at = unseen;
    }
    return at;
}

int64_t line_next_scan(const struct line *line, int64_t now_ms)
{
    int64_t urgent = queue_next_scan(&line->queues[URGENT], now_ms);
    int64_t routine = queue_next_scan(&line->queues[ROUTINE], now_ms);

    return urgent < routine ? urgent : routine;
}
