/* pipeline/replay.h - stored events, processed again by the rules of today.
 *
 * First, event by event, what never took effect (unprocessable, unlinked): it is decoded anew and,
 * where it is something now, takes effect as if it had just come; its row stays the one that it is.
 * Then, lead by lead, what did take effect: rules fire that did not fire for it, and routes are
 * asked what they would have been told then; nothing is told twice. What keeps an object of the
 * lead current says what the lead is now. Slice by slice; done again, or gone on with after it was
 * interrupted, it ends in the same.
 */
#ifndef FUNNELD_PIPELINE_REPLAY_H
#define FUNNELD_PIPELINE_REPLAY_H

#include "funneld/pipeline/writer.h"

/* Which events; all that is set must match. */
struct replay_filter {
    const int64_t *ids;   /* in rising order */
    size_t n_ids;         /* 0: all */
    int64_t since, until; /* received in between; 0: whenever */
    struct str source;
    int64_t lead; /* 0: any */
    int state;    /* an event_state; -1: any */
};

struct replay_place {
    bool leads; /* the first part is through */
    int64_t after;
};

/* Deliveries to one connector. */
struct replay_queued {
    struct str connector;
    int64_t n;
    struct replay_queued *next;
};

struct replay_sums {
    int64_t taken;                          /* events that take effect now */
    int64_t left;                           /* that still do not */
    int64_t asked;                          /* that had taken effect */
    int64_t erased, sourceless, unreadable; /* that are nothing to the configuration any more */
    int64_t failed;                   /* events and leads that the store refused: as they were */
    int64_t fired, leads, deliveries; /* leads: of which anything changed, or was told */
};

struct replay {
    struct replay_filter filter;
    bool again;               /* also what was told before */
    bool dry_run;             /* nothing of it stays */
    struct replay_place from; /* zeroes begin */
    struct arena *arena;      /* for `queued` */
    /* Set by each slice, however often it is tried. */
    struct replay_place next;
    bool done;
    struct replay_sums sums; /* of this slice */
    struct replay_queued *queued;
    size_t steps; /* events that were gone through or told, and deliveries */
};

/* One slice inside the caller's transaction, where no writer runs. models: that the store has in
 * use. */
MUST_CHECK enum rc replay_in(struct store *st, const struct rules *r, const struct models *models,
                             int64_t now_ms, struct replay *p);

#endif
