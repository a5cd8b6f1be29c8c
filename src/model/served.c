/* model/served.c - what the models in use say of a lead. */
#include "funneld/model/served.h"

#include <stdlib.h>

#include "model_priv.h"

static void destroy(struct ref *ref)
{
    struct models *m = (struct models *)ref; /* its first member */

    for (int g = 0; g < GOAL_COUNT; g++)
        model_drop(m->goals[g].model);
    arena_free(&m->arena);
    free(m);
}

struct models *models_new(const struct served goals[GOAL_COUNT])
{
    struct models *m = mem_alloc(sizeof *m);

    ref_init(&m->ref, destroy);
    for (int g = 0; g < GOAL_COUNT; g++) {
        struct served *s = &m->goals[g];

        if (!goals[g].model)
            continue;
        *s = goals[g];
        s->name = arena_str(&m->arena, s->name);
        (void)model_take(s->model);
        s->inputs = lead_inputs_new(s->model, &m->arena);
    }
    return m;
}

bool models_any(const struct models *m)
{
    for (int g = 0; g < GOAL_COUNT; g++)
        if (m->goals[g].model)
            return true;
    return false;
}

static double ask(const struct served *s, const struct lead_view *v)
{
    struct cell cells[MODEL_MAX_INPUTS];

    lead_cells(s->inputs, v, cells);
    return model_probability(s->model, cells, v->at);
}

static enum band by_limits(int64_t tenths, int64_t warm, int64_t hot)
{
    if (tenths >= hot)
        return BAND_HOT;
    return tenths >= warm ? BAND_WARM : BAND_COLD;
}

/* Above a limit; where that is the one below it as well, many are at it, and to be at it is not
 * enough. What differs by less is the same. */
static bool is_above(double probability, double limit, double below)
{
    const double same = 1e-9;

    return limit - below > same ? probability > limit - same : probability > limit + same;
}

static enum band by_quartiles(double probability, const double quartiles[3])
{
    if (is_above(probability, quartiles[2], quartiles[1]))
        return BAND_HOT;
    return is_above(probability, quartiles[1], quartiles[0]) ? BAND_WARM : BAND_COLD;
}

enum band chance_band(const struct scorecard *c, const double quartiles[3], double probability,
                      int64_t score)
{
    if (c->bands == BANDS_POINTS)
        return scorecard_band(c, score);
    if (c->bands == BANDS_PROBABILITY)
        return by_limits(chance_tenths(probability), c->warm, c->hot);
    return by_quartiles(probability, quartiles);
}

enum band judged_band(const struct scorecard *c, const struct lead *judged, int64_t score)
{
    if (c->bands == BANDS_POINTS || !judged->probability.known)
        return scorecard_band(c, score);
    return judged->band;
}

static void judge_conversion(const struct served *s, const struct scorecard *c,
                             const struct lead_view *v, struct lead *lead)
{
    double quartiles[3], probability = ask(s, v);

    model_quartiles(s->model, quartiles);
    lead->probability = (struct chance){true, chance_tenths(probability)};
    lead->band = chance_band(c, quartiles, probability, lead->score);
}

void models_judge(const struct models *m, unsigned goals, const struct scorecard *c,
                  const struct lead_view *v, struct lead *lead)
{
    const struct served *conversion = &m->goals[GOAL_CONVERSION], *churn = &m->goals[GOAL_CHURN];

    lead->probability = lead->churn = (struct chance){0};
    lead->band = scorecard_band(c, lead->score);
    if (conversion->model && goals & goal_bit(GOAL_CONVERSION))
        judge_conversion(conversion, c, v, lead);
    if (churn->model && goals & goal_bit(GOAL_CHURN))
        lead->churn = (struct chance){true, chance_tenths(ask(churn, v))};
}

struct str models_reasons(const struct models *m, enum model_goal goal, const struct lead_view *v,
                          size_t n, struct arena *a)
{
    const struct served *s = &m->goals[goal];
    struct cell cells[MODEL_MAX_INPUTS];

    if (!s->model)
        return STR_NULL;
    lead_cells(s->inputs, v, cells);
    return model_reasons(s->model, cells, v->at, n, a);
}
