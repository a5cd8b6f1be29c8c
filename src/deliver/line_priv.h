/* deliver/line_priv.h - the heads that wait for a connector, or for one who subscribed there.
 *
 * What is urgent has a window of its own, and goes first. A window holds the earliest heads; when
 * there are more, the rest stays on disk and the line knows when the first of them is due. It is
 * read bit by bit: however much waits, nobody waits for one reading. Each line has a circuit: who
 * does not answer keeps nobody but himself waiting. Sends nothing. The delivery thread owns it; it
 * never moves in memory.
 */
#ifndef FUNNELD_DELIVER_LINE_H
#define FUNNELD_DELIVER_LINE_H

#include "circuit_priv.h"
#include "dueq_priv.h"
#include "funneld/store/store.h"

enum {
    LANE_WINDOW = 4096,
    TARGET_WINDOW = 128
}; /* of a connector's own line; of a subscription's */
#define NEVER INT64_MAX

/* The heads of one urgency. */
struct queue {
    struct dueq window;
    struct due_scan read; /* how far the disk was read: what is due before is in the window */
    int64_t scan_at;      /* when to begin anew; NEVER: no need */
    int64_t unseen_due;   /* the earliest that is only on disk; NEVER: the window is complete */
    int64_t rest_until;   /* no scan for what is unseen before */
};
enum urgency { URGENT, ROUTINE, URGENCIES };

struct line {
    struct line *next;
    int64_t target; /* a subscription; 0: the connector's own */
    struct queue queues[URGENCIES];
    struct circuit circuit;
    int64_t paused_until;
    int64_t used_at;
    size_t running; /* attempts */
    bool retired;   /* it is in no lane any more; the last attempt frees it */
};

static inline int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The disk is to be read. A target starts slowly: it may be gone. window: of each queue, 0: as
 * above. */
struct line *line_new(struct str connector, int64_t target, size_t window);
void line_drop(struct line *line); /* it is in no lane any more; NULL is fine */
void line_begin(struct line *line, int64_t now_ms);
void line_end(struct line *line);                    /* may be the end of a retired one */
void line_shift(struct line *line, int64_t back_ms); /* the clock was set back */

struct queue *line_queue(struct line *line, const struct due_row *row);
const struct due_row *line_head(const struct line *line, int64_t key); /* in a window; NULL */
/* Takes the place of what its windows have of that key. disk_due_at: as it stands on disk. */
void line_put(struct line *line, const struct due_row *row, int64_t disk_due_at);
void line_remove(struct line *line, int64_t key);
/* A row that is only on disk. */
void line_turn_away(struct line *line, const struct due_row *row, int64_t disk_due_at);
/* Whether all heads are in its windows: else an older one of a lead may be on disk, of either
 * urgency. */
bool line_knows_all(const struct line *line);

/* The next head that is due, what is urgent before the rest; NULL: none is. */
const struct due_row *line_next(const struct line *line, int64_t now_ms);
const struct due_row *queue_next(const struct queue *q, int64_t now_ms);
bool line_take(struct line *line, int64_t now_ms, struct due_row *ret); /* out of its window */
size_t line_count(const struct line *line);                             /* heads in its windows */
size_t line_count_due(const struct line *line, int64_t now_ms, size_t most);
int64_t line_first_due(const struct line *line); /* NEVER: none is in its windows */

/* Nothing waits, here or on disk, and there is no reason why something should. */
bool line_is_idle(const struct line *line, int64_t now_ms);
/* When its target may be asked again: now or later. */
int64_t line_ready_at(const struct line *line, int64_t now_ms);

void line_rescan(struct line *line, int64_t at_ms);
int64_t line_next_scan(const struct line *line, int64_t now_ms); /* NEVER: there is no need */
int64_t queue_next_scan(const struct queue *q, int64_t now_ms);

#endif
