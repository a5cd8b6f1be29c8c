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

static struct chance ask(const struct served *s, const struct lead_view *v)
{
    struct cell cells[MODEL_MAX_INPUTS];

    if (!s->model)
        return (struct chance){0};
    lead_cells(s->inputs, v, cells);
    return (struct chance){true, chance_tenths(model_probability(s->model, cells, v->at))};
}

static enum band by_limits(int64_t tenths, int64_t warm, int64_t hot)
{
    if (tenths >= hot)
        return BAND_HOT;
    return tenths >= warm ? BAND_WARM : BAND_COLD;
}

enum band chance_band(const struct scorecard *c, const double quartiles[3], int64_t tenths,
                      int64_t score)
{
    if (c->bands == BANDS_POINTS)
        return scorecard_band(c, score);
    if (c->bands == BANDS_PROBABILITY)
        return by_limits(tenths, c->warm, c->hot);
    return by_limits(tenths, chance_tenths(quartiles[1]), chance_tenths(quartiles[2]));
}

enum band models_band(const struct models *m, const struct scorecard *c, const struct lead *lead)
{
    const struct served *s = &m->goals[GOAL_CONVERSION];
    double quartiles[3];

    if (!lead->probability.known || !s->model)
        return scorecard_band(c, lead->score);
    model_quartiles(s->model, quartiles);
    return chance_band(c, quartiles, lead->probability.tenths, lead->score);
}

void models_judge(const struct models *m, const struct scorecard *c, const struct lead_view *v,
                  struct lead *lead)
{
    lead->probability = ask(&m->goals[GOAL_CONVERSION], v);
    lead->churn = ask(&m->goals[GOAL_CHURN], v);
    lead->band = models_band(m, c, lead);
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
