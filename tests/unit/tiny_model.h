/* tests/unit/tiny_model.h - a model made by hand: a logistic regression over a few inputs. */
#ifndef FUNNELD_TESTS_TINY_MODEL_H
#define FUNNELD_TESTS_TINY_MODEL_H

#include <float.h>
#include <string.h>

#include "../../src/model/model_priv.h"

struct tiny_input {
    const char *name;
    const char *level; /* of a text: its one level, which weighs; NULL: it is a number */
    double weight;     /* log-odds for each, or for the level */
};

static inline void tiny_feature(double *arrays[6], size_t feature, double weight)
{
    arrays[0][feature] = weight; /* weight, mean, scale, missing, low, high */
    arrays[2][feature] = 1;
    arrays[4][feature] = -DBL_MAX;
    arrays[5][feature] = DBL_MAX;
}

static inline void tiny_inputs(struct model *m, const struct tiny_input inputs[], double *arrays[6])
{
    static const double shares[] = {0.25, 0.25, 0.25, 0.25};
    size_t feature = 0;

    for (size_t i = 0; i < m->n_inputs; i++) {
        struct input *in = &m->inputs[i];
        struct str *level = ARENA_NEW(&m->arena, struct str);

        *in = (struct input){.name = str_of(inputs[i].name),
                             .kind = INPUT_NUMBER,
                             .feature = feature,
                             .n_features = 1,
                             .shares = shares,
                             .n_bins = 2};
        if (inputs[i].level) {
            *level = str_of(inputs[i].level);
            in->kind = INPUT_TEXT;
            in->levels = level;
            in->n_levels = 1;
            in->n_features = in->n_bins = 3;
        }
        for (size_t k = 0; k < in->n_features; k++)
            tiny_feature(arrays, feature + k, k ? 0 : inputs[i].weight);
        feature += in->n_features;
    }
    m->n_features = feature;
}

/* bias: the log-odds of a lead that has nothing of it. Texts must outlive it; drop it. */
static inline struct model *tiny_model(enum model_goal goal, const char *name, double bias,
                                       const struct tiny_input inputs[], size_t n)
{
    struct model *m = mem_alloc(sizeof *m);
    double *arrays[6];

    atomic_init(&m->references, 1);
    m->inputs = arena_array(&m->arena, n, sizeof *m->inputs);
    m->n_inputs = n;
    for (size_t i = 0; i < 6; i++)
        arrays[i] = arena_array(&m->arena, 3 * n + 1, sizeof **arrays);
    tiny_inputs(m, inputs, arrays);
    m->logistic =
        (struct logistic){bias, arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5]};
    m->platt_a = 1;
    m->quartiles[0] = 0.2;
    m->quartiles[1] = 0.5;
    m->quartiles[2] = 0.8;
    m->card = (struct model_card){.name = str_of(name),
                                  .goal = goal,
                                  .usable = true,
                                  .kind = STR("logistic regression"),
                                  .n_inputs = n,
                                  .n_rows = 100,
                                  .n_positive = 50,
                                  .base_rate = 0.5};
    return m;
}

#endif
