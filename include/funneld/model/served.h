/* model/served.h - the models that are in use, at most one for each goal, ready to be asked.
 *
 * Immutable and shared by reference, any thread. One that is swapped in later is another struct
 * models: who holds the old one goes on with it.
 */
#ifndef FUNNELD_MODEL_SERVED_H
#define FUNNELD_MODEL_SERVED_H

#include "funneld/base/ref.h"
#include "funneld/model/inputs.h"

struct served {
    struct model *model;              /* NULL: none serves this goal */
    const struct lead_inputs *inputs; /* made by models_new */
    struct str name;                  /* as the store knows it, */
    int64_t id, version;              /* and these */
};

struct models {
    struct ref ref;
    struct arena arena;
    struct served goals[GOAL_COUNT];
};

/* Takes a reference of each model; `inputs` is made. Drop it with ref_drop(&m->ref). */
struct models *models_new(const struct served goals[GOAL_COUNT]);
bool models_any(const struct models *m);
static inline void models_dropp(struct models **m) /* for AUTO() */
{
    if (*m)
        ref_drop(&(*m)->ref);
}

/* What the models say of the lead: its probability and churn are set, to not known where there is
 * no such model or `goals` (of goal_bit) has it not; its band follows, where bands are by
 * probability and that is known. The lead is the view's, its score evaluated. */
void models_judge(const struct models *m, unsigned goals, const struct scorecard *c,
                  const struct lead_view *v, struct lead *lead);
/* Of a lead with that probability and score, by a model with these quartiles. */
enum band chance_band(const struct scorecard *c, const double quartiles[3], double probability,
                      int64_t score);
/* The band of a lead that was judged, had it this score. */
enum band judged_band(const struct scorecard *c, const struct lead *judged, int64_t score);

/* In words, why the probability of a goal is what it is; missing: there is no such model. */
struct str models_reasons(const struct models *m, enum model_goal goal, const struct lead_view *v,
                          size_t n, struct arena *a);

/* A probability between 0 and 1 in tenths of a percent. */
static inline int64_t chance_tenths(double probability)
{
    return (int64_t)(probability * 1000 + 0.5);
}

#endif
