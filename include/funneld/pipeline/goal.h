/* pipeline/goal.h - what a model is to foresee of a lead: [goal conversion] and [goal churn].
 *
 * An outcome has happened with the first event after which the goal's `when` is true. Immutable
 * once built, any thread.
 */
#ifndef FUNNELD_PIPELINE_GOAL_H
#define FUNNELD_PIPELINE_GOAL_H

#include "funneld/config/conf.h"
#include "funneld/model/model.h"
#include "funneld/score/expr.h"

struct goal {
    const struct expr *when; /* NULL: there is no such goal */
    struct str text;         /* of it, as configured */
    int64_t horizon_ms;      /* within which it counts */
};

struct goals {
    struct goal of[GOAL_COUNT];
};

extern const struct section_spec goal_spec;

/* Builds from every [goal NAME] section of conf; problems are added. A conversion is there without
 * one as well. */
void goals_build(const struct conf *conf, struct arena *a, struct goals *ret,
                 struct conf_problems *problems);

#endif
