/* pipeline/learning.h - what to learn from: the leads in the store as they were at past moments,
 * and what came of them.
 *
 * A lead's past is gone through event by event. At some ages of the lead (an hour after its first
 * event, then days) a row is taken of what was known by then and no later. Its outcome is whether
 * the goal was reached within the horizon from then; where that time has not passed yet, nobody
 * knows, and the row is left out. What was imported counts as known since it happened, all else
 * since it came in. Inputs are those of model/inputs.h, made by the same code that serves them.
 */
#ifndef FUNNELD_PIPELINE_LEARNING_H
#define FUNNELD_PIPELINE_LEARNING_H

#include <stdatomic.h>

#include "funneld/model/table.h"
#include "funneld/pipeline/goal.h"
#include "funneld/pipeline/writer.h"

enum { LEARNING_RECENT_DAYS = 30 };

struct left_out {
    struct str name, reason;
};

struct learning {
    /* Set by the caller */
    const struct rules *rules;
    const struct goal *goal;
    int64_t horizon_ms, now_ms;
    size_t max_rows;   /* leads are passed over evenly where there were more; 0: 200,000 */
    atomic_bool *stop; /* becomes true: RC_CLOSED soon after; NULL: never */
    void (*progress)(void *self, double share); /* may be NULL */
    void *self;

    /* The result, until learning_free */
    struct training_set set;
    struct training_set recent; /* rows of the last LEARNING_RECENT_DAYS, whatever came of them:
                                   what leads are like now. Its outcomes mean nothing */
    struct left_out *left_out;  /* inputs that must not be learnt from */
    size_t n_left_out;
    int64_t leads;     /* there are */
    int64_t sampled;   /* of them looked at */
    int64_t cut;       /* of those, left out: their first events were purged */
    int64_t too_long;  /* of those, left out: a robot's, whose end was not read */
    int64_t unread;    /* events that could not be read again */
    int64_t censored;  /* rows left out: their outcome is not known yet */
    int64_t others;    /* rows left out: the goal is not foreseen of a lead as it was then */
    int64_t reached;   /* leads that had reached the goal before there was a row of them */
    int64_t purged_at; /* until when the past was purged; 0: it was not */
    struct arena arena;
    struct rows *rows, *recent_rows; /* its own */
};

/* RC_CLOSED: stopped. Otherwise as reading the store fails; what there is must be freed as well. */
MUST_CHECK enum rc learning_read(struct learning *l, struct reader *r);
void learning_free(struct learning *l);

#endif
