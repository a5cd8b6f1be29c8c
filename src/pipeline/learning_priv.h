/* pipeline/learning_priv.h - the past of one lead (learning_lead.c), and the table that rows of it
 * come into (learning_table.c).
 */
#ifndef FUNNELD_PIPELINE_LEARNING_PRIV_H
#define FUNNELD_PIPELINE_LEARNING_PRIV_H

#include "funneld/model/inputs.h"
#include "funneld/pipeline/learning.h"
#include "funneld/pipeline/past.h"

/* The ages at which a lead is looked at. */
enum { LEARNING_AGES = 6 };

/* One lead's past, gone through. */
struct lead_past {
    struct learning *l;
    struct reader *reader;
    /* Called for each row that may become one, in the order of time; what is in the view is gone
     * afterwards. n: how many came before. */
    void (*snapshot)(void *self, const struct lead_view *v, size_t n);
    /* Of each event that was activity, with its kind; NULL: not wanted. */
    void (*acted)(void *self, const struct event *e, struct str kind);
    void *self;

    struct arena arena; /* emptied with each lead */
    struct snapshot {
        int64_t at, known_at; /* known_at: since when it may be learnt from */
        enum { OUTCOME_OPEN, OUTCOME_NO, OUTCOME_YES, OUTCOME_BEFORE } outcome;
    } snapshots[LEARNING_AGES];
    size_t n, n_others; /* others: looked at, but the goal is not foreseen of such */
    bool cut;           /* its first events were purged: there are no snapshots */
    bool too_long;      /* nor where it has more events than are read */
    bool reached_first; /* it reached the goal before the first of them */
};

/* RC_NONE: the lead is gone since it was listed. */
MUST_CHECK enum rc lead_past_read(struct lead_past *p, int64_t lead);

/* Texts, each once. */
struct counted {
    struct str text;
    int64_t n, live; /* live: those that were not imported */
};
struct texts {
    struct counted *items; /* in the order in which they came */
    size_t n, cap;
    uint32_t *slots; /* index + 1; 0: empty */
    size_t n_slots;
};
struct counted *texts_add(struct texts *t, struct str text, struct arena *a); /* until the next */
void texts_free(struct texts *t);

/* Rows as columns, which grow. */
struct rows;
struct rows *rows_new(const struct str names[], size_t n, struct arena *a);
/* The cells of a row that may be dropped, `place` from 0 to LEARNING_AGES - 1: their texts are the
 * lead's; */
void rows_put(struct rows *r, size_t place, const struct lead_view *v);
/* and that is one, of the same or another table with the same columns. */
void rows_keep(struct rows *r, const struct rows *put, size_t place, const struct snapshot *s,
               uint32_t group);
size_t rows_count(const struct rows *r);
/* Each column that has too many texts to be learnt from. */
void rows_pass_over(struct rows *r, void (*passed)(void *self, struct str name), void *self);
void rows_table(const struct rows *r, const struct str without[], size_t n,
                struct training_set *ret);
void rows_free(struct rows *r); /* NULL is fine */

#endif
