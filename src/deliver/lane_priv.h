/* deliver/lane_priv.h - one connector's queue: what waits, what is in flight, when it may go on.
 *
 * Of each lead and target one delivery is in the lane: their head, waiting in a line or in flight.
 * The connector has a line of its own, and one for each subscription for which something waits:
 * they take turns, what is urgent in any of them first. Reads the store, sends nothing. The
 * delivery thread owns it; it never moves in memory.
 */
#ifndef FUNNELD_DELIVER_LANE_H
#define FUNNELD_DELIVER_LANE_H

#include "eta_priv.h"
#include "funneld/connectors/connector.h"
#include "funneld/observe/metrics.h"
#include "line_priv.h"
#include "pace_priv.h"

/* After a failed read, and between two scans that found nothing to do. */
#define SCAN_REST_MS INT64_C(1000)

/* What a connector keeps between jobs; jobs in flight keep the old one past a reload. */
struct session {
    size_t users;
    const struct connector_type *type;
    void *data; /* zeroed at first; NULL: the type has none */
};
struct session *session_new(const struct connector_type *type);
void session_drop(struct session *s); /* NULL is fine */

/* Messages that left one by one since a time: when they are too many, what follows waits for the
 * end of the window and becomes one digest. */
struct flood {
    int64_t from, n;
};

struct lane {
    struct lane *next;
    char *name_text;
    struct str name;                   /* of name_text */
    const struct connector *connector; /* NULL: removed; what is in flight still ends */
    struct session *session;
    struct line *lines, **last_line; /* whose turn is next comes first */
    struct idmap by_target;          /* a line's address */
    size_t window;                   /* of its lines */
    int64_t targets_at;              /* when to read for whom something waits; NEVER: no need */
    int64_t now_ms;                  /* of this turn */
    struct idmap flight;             /* due_keys whose delivery is in an attempt */
    size_t running;                  /* attempts */
    struct rate rate;
    struct flood flood;
    struct pace pace;
    int64_t eta_told_at, tidied_at;
    int64_t paused_until;
    int64_t began_at; /* what an older process had sent had left by then, whatever its clock said */
    int64_t too_late; /* a row whose open attempt is to be looked for after this is due now: the
                         clock was ahead when it was written */
    int64_t put_off;  /* the same for any other row */
    int64_t doubt_until; /* the clock was set back not long ago: rows may carry times ahead of it */
    struct series *delivered, *retried, *dead, *seconds, *circuit_open, *eta;
};

struct lane *lane_new(struct str name, size_t window); /* window: as for line_new */
void lane_free(struct lane *lane);

/* Once a turn, before anything else; back_ms: by how much the clock was set back since the last, 0
 * mostly. Waits that began before it stay as long as they were. */
void lane_clock(struct lane *lane, int64_t now_ms, int64_t back_ms);
/* A new connector (fresh session, the disk is read again), or NULL: removed. */
void lane_configure(struct lane *lane, const struct connector *connector, int64_t now_ms);
const struct connector_common *lane_common(const struct lane *lane);

/* A row became pending or due earlier. */
void lane_notify(struct lane *lane, struct reader *reader, const struct due_row *row,
                 int64_t now_ms);
/* The disk is to be read: now. */
void lane_rescan(struct lane *lane, int64_t now_ms);
/* Reads the heads anew if that is needed now. */
void lane_scan(struct lane *lane, struct reader *reader, int64_t now_ms);
/* The head of the row's lead and target as the disk has it, unless one is in flight; replaces what
 * is in the window. */
void lane_refresh(struct lane *lane, struct reader *reader, const struct due_row *of,
                  int64_t now_ms);
/* Puts a head (back) into the window. */
void lane_add(struct lane *lane, struct due_row row);
/* The line whose turn it is: its next head is due, and its target may be asked. NULL: none. */
struct line *lane_next_line(const struct lane *lane, int64_t now_ms);
/* An attempt at what waits there begins: the others come first now. */
void lane_begin(struct lane *lane, struct line *line, int64_t now_ms);
void lane_end(struct lane *lane, struct line *line);
size_t lane_count_due(const struct lane *lane, int64_t now_ms, size_t most);
int64_t lane_first_due(const struct lane *lane); /* NEVER: none is in its windows */
/* When an attempt that looks for this row's open attempt, or just sends it, is due; 0: now, because
 * its own time makes no sense. */
int64_t lane_due_at(const struct lane *lane, const struct due_row *row);

void lane_pause(struct lane *lane, int64_t until_ms);
/* One who subscribed is not asked before; a reload does not change that. */
void lane_pause_target(struct lane *lane, int64_t target, int64_t until_ms);
/* When its next request may leave, at that rate and past a pause: now or later; and it does. Also
 * for what is under way in a lane whose connector is gone. */
int64_t lane_ready_at(const struct lane *lane, double per_second, int64_t now_ms);
void lane_count_request(struct lane *lane, double per_second, int64_t at_ms);
bool lane_may_start(const struct lane *lane, int64_t now_ms);
/* When the lane can do something that it cannot do now, if nothing happens before; quota_at: when
 * the account's quotas let an attempt start. */
int64_t lane_wake_at(const struct lane *lane, int64_t quota_at, int64_t now_ms);

/* When the disk is to be read again; NEVER: there is no need. */
int64_t lane_next_scan(const struct lane *lane, int64_t now_ms);
/* A subscription's, 0: the connector's own; of a new one what waits is to be read. */
struct line *lane_line(struct lane *lane, int64_t target);
/* The connector's own; NULL: it is gone. */
struct line *lane_own(const struct lane *lane);
/* When the line's next attempt may start, as far as its target goes; NEVER: not before one ends. */
int64_t lane_line_ready_at(const struct lane *lane, const struct line *line, int64_t now_ms);

/* Whether what is due goes as one message; and an attempt at n deliveries starts. */
bool lane_is_flooded(const struct lane *lane, int64_t now_ms);
void lane_count_start(struct lane *lane, size_t n, int64_t now_ms);

/* An attempt that began at `began` has ended; it says nothing of other targets than the line's. */
void lane_note_health(struct lane *lane, struct line *line, enum attempt_health health,
                      struct str reason, int64_t began, int64_t now_ms, uint64_t random);
/* From time to time: when all that waits will be done with. per_second: by the account's quotas, 0:
 * they set no limit. */
void lane_tell_eta(struct lane *lane, struct reader *reader, double per_second, int64_t now_ms);
/* Somebody may have mended what was broken: the next attempts need not wait. */
void lane_probe_now(struct lane *lane, int64_t now_ms);

#endif
