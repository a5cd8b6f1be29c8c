/* pipeline/past.h - what is stored, taken up again: an event decoded anew, and a lead's past event
 * by event under a set of rules.
 *
 * Reads nothing and writes nothing: events and firings come from the caller, in the order in which
 * they took effect. Each event finds the lead as it was then, so that a rise is a rise, whenever it
 * is asked for. A lead's past is that of all who were merged into it. Where there are models, they
 * are asked as well, those of now as the rules are those of now, about what the lead had done by
 * then; what it did in events that are purged they do not see.
 */
#ifndef FUNNELD_PIPELINE_PAST_H
#define FUNNELD_PIPELINE_PAST_H

#include "funneld/pipeline/writer.h"
#include "funneld/score/tally.h"

/* *ret lives as long as *v and the arena; received_at is when it took effect. What took effect is
 * read by its source's settings of that day, what did not by those of now. RC_NONE: the
 * configuration does not have its source any more, or the body is erased; RC_INVALID: it cannot be
 * read. */
MUST_CHECK enum rc stored_event(const struct rules *r, const struct event_view *v, struct arena *a,
                                struct event *ret);
/* By the settings in r, whatever it was taken for when it came. */
MUST_CHECK enum rc stored_event_anew(const struct rules *r, const struct event_view *v,
                                     struct arena *a, struct event *ret);

/* Whether the event is something that its lead did, and of which kind. */
bool event_activity(const struct rules *r, const struct event *e, struct str *ret_kind);
/* What the lead did, by its stored events of the last 90 days, as lead->activity: of a lead with
 * more than 2,000 events, by the newest 2,000. */
MUST_CHECK enum rc count_history(struct reader *r, const struct rules *rules,
                                 const struct lead *lead, int64_t now_ms, struct arena *a,
                                 struct str *ret);

struct models;
struct lead_view;

enum past_part {
    PAST_PASSES, /* as it was: what fired, fired */
    PAST_ADDS,   /* rules fire that did not fire for it */
    PAST_ANEW,   /* what fired is forgotten, these rules decide */
};

struct past {
    const struct rules *rules;
    struct arena *arena; /* in which the lead and its firings grow */
    struct lead lead; /* as of the event that came last; its score too, where that was asked for */
    const struct ledger_row *known; /* what is stored of its firings, by event */
    bool *counted;                  /* those that are in rows, or forgotten */
    size_t n_known, n_passed;       /* passed: of events up to the newest that came */
    size_t *late; /* of those the ones that do not count yet: a heap, what counts first on top */
    size_t n_late;
    struct ledger_row *rows; /* that count by now */
    size_t n_rows, cap;
    struct tally *tally;         /* of them */
    const struct models *models; /* set behind past_begin; NULL: none are asked */
    struct activity *activity;   /* of the lead by now, where there are models */
    /* Score, band and chances before the event that came last. */
    int64_t previous, previous_probability, previous_churn;
    enum band previous_band;
    int64_t at;  /* when it took effect; 0: none came */
    bool scored; /* the lead's score is of then */
    bool purged; /* something was before the first event */
    /* Of a rule that fires now and is in no ledger; may be NULL. */
    void (*fired)(void *self, const struct ledger_row *row);
    void *self;
};

/* Before its first event. purged_at: until when events were purged; 0: they were not. */
void past_begin(struct past *p, const struct rules *r, const struct lead *now, int64_t purged_at,
                const struct ledger_row *known, size_t n_known, struct arena *a);
void past_event(struct past *p, const struct event *e, int64_t id, enum past_part part);
/* The lead as it was before its first event that is left; past_event does it as well. `at` stays 0
 * where there was nothing. */
void past_opens(struct past *p, const struct event *first, int64_t id);
/* Whether the event says nothing to this lead. */
bool past_is_moot(const struct past *p, const struct event *e);
/* The routes that hear of the event that came last, which did not just pass. */
void past_routes(const struct past *p, const struct event *e,
                 void (*heard)(void *self, const struct route *route), void *self);
/* The lead's score, and what models say, as of the event that came last. */
void past_score(struct past *p);
struct lead_view past_view(const struct past *p); /* the lead as models see it */

#endif
