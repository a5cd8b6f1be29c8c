/* pipeline/goal.h - what a model is to foresee of a lead: [goal conversion] and [goal churn].
 *
 * An outcome has happened with the first event after which the goal's `when` is true. It is learnt
 * from leads as they were while `among` was true of them, and foreseen of those of whom it is now.
 * Immutable once built, any thread.
 */
#ifndef FUNNELD_PIPELINE_GOAL_H
#define FUNNELD_PIPELINE_GOAL_H

#include "funneld/config/conf.h"
#include "funneld/model/model.h"
#include "funneld/score/expr.h"

struct goal {
    const struct expr *when;  /* NULL: there is no such goal */
    struct str text;          /* of it, as configured */
    int64_t horizon_ms;       /* within which it counts */
    const struct expr *among; /* NULL: all leads */
    struct str among_text;    /* missing there */
};

struct goals {
    struct goal of[GOAL_COUNT];
};

extern const struct section_spec goal_spec;

/* Builds from every [goal NAME] section of conf; problems are added. A conversion is there without
 * one as well. */
void goals_build(const struct conf *conf, struct arena *a, struct goals *ret,
                 struct conf_problems *problems);

bool goal_among(const struct goal *g, const struct lead *lead);
/* Those that are foreseen of the lead, as models_judge takes them. */
unsigned goals_among(const struct goals *goals, const struct lead *lead);

#endif
