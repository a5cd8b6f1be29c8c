/* tests/unit/model_world.h - a small model of every kind of input, and its two texts.
 *
 * country (text: de, fr; unknown is missing), seats (number; 999 is missing), trial (truth),
 * signed_up (age), @event.pricing.count.30d: 4 + 1 + 1 + 1 + 1 features.
 */
#ifndef FUNNELD_TESTS_MODEL_WORLD_H
#define FUNNELD_TESTS_MODEL_WORLD_H

#include "xgboost_world.h"

#include <stdio.h>

#include "../../src/model/model_priv.h"
#include "funneld/base/clock.h"

enum { WORLD_INPUTS = 5, WORLD_FEATURES = 8, DAY = 86400000 };

#define WORLD_AT (INT64_C(20000) * DAY) /* 2024-10-04 */

struct model_world {
    struct arena arena;
    struct str trees, sidecar;
    double share;
    struct model *model;
};

static inline struct cell cell_text_of(const char *text)
{
    return (struct cell){.text = str_of(text), .number = NAN};
}

static inline struct cell cell_number_of(double number)
{
    return (struct cell){.number = number};
}

#define WORLD_HEAD                                                                                 \
    "{\"format\":\"funneld-model\",\"version\":1,\"name\":\"main\",\"goal\":\"conversion\","       \
    "\"horizon_ms\":7776000000,\"trained_at_ms\":1772366400000,\"seed\":\"1\",\"usable\":true,"    \
    "\"kind\":\"blend\",\"verdict\":\"trees and logistic regression beat the base rate\","         \
    "\"rows\":2000,\"positive\":800,\"base_rate\":0.4,\"inputs\":["                                \
    "{\"name\":\"country\",\"kind\":\"text\",\"levels\":[\"de\",\"fr\"],\"sentinels\":["           \
    "\"unknown\"],\"shares\":[0.5,0.2,0.2,0.1],\"weight\":0.21},"                                  \
    "{\"name\":\"seats\",\"kind\":\"number\",\"sentinels\":[\"999\"],\"edges\":[2,10],"            \
    "\"shares\":[0.25,0.25,0.25,0.25],\"weight\":0.1},"                                            \
    "{\"name\":\"trial\",\"kind\":\"truth\",\"sentinels\":[],\"edges\":[0.5],"                     \
    "\"shares\":[0.5,0.4,0.1],\"weight\":0.05},"                                                   \
    "{\"name\":\"signed_up\",\"kind\":\"age\",\"sentinels\":[],\"edges\":[],"                      \
    "\"shares\":[0.9,0.1],\"weight\":0.04},"                                                       \
    "{\"name\":\"@event.pricing.count.30d\",\"kind\":\"number\",\"sentinels\":[],\"edges\":[],"    \
    "\"shares\":[1,0],\"weight\":0.3}],\"features\":8,\"base_log_odds\":-0.4,"
#define WORLD_LOGISTIC                                                                             \
    "\"logistic\":{\"bias\":-0.3,\"weight\":[0.5,-0.25,0.125,0,0.2,0.3,-0.1,0.4],"                 \
    "\"mean\":[0.5,0.2,0.2,0.1,5,0.5,100,2],\"scale\":[0.5,0.4,0.4,0.3,4,0.5,50,2],"               \
    "\"missing\":[0,0,0,0,-0.05,0.01,0.02,0],\"low\":[0,0,0,0,null,0,null,null],"                  \
    "\"high\":[1,1,1,1,40,1,1000,20]},"
#define WORLD_TAIL "\"platt\":{\"a\":0.9,\"b\":0.1},\"quartiles\":[0.1,0.3,0.6],"

static const double world_weight[] = {0.5, -0.25, 0.125, 0, 0.2, 0.3, -0.1, 0.4},
                    world_mean[] = {0.5, 0.2, 0.2, 0.1, 5, 0.5, 100, 2},
                    world_scale[] = {0.5, 0.4, 0.4, 0.3, 4, 0.5, 50, 2};

/* One row, as cells and as features. */
static const struct cell world_cells[WORLD_INPUTS] = {
    {.text = {"DE ", 3}, .number = NAN},
    {.text = {"12.5", 4}, .number = NAN},
    {.text = {"Yes", 3}, .number = NAN},
    {.text = {"2024-07-06", 10}, .number = NAN},
    {.number = 4},
};
static const float world_row[WORLD_FEATURES] = {1, 0, 0, 0, 12.5F, 1, 90, 4};

static inline double world_logistic(void)
{
    double margin = -0.3;

    for (size_t i = 0; i < WORLD_FEATURES; i++)
        margin += world_weight[i] * ((double)world_row[i] - world_mean[i]) / world_scale[i];
    return margin;
}

/* share 0: no trees. What the row's probability is, is calculated here anew. */
static inline void model_world_texts(struct model_world *w, double share)
{
    double margin = (1 - share) * world_logistic();

    w->share = share;
    w->trees = STR("");
    if (share > 0) {
        struct xgboost xg;
        uint64_t seed = 11;
        const struct grown g = {
            .columns = WORLD_FEATURES, .rounds = 25, .depth = 3, .base_score = "0.4"};

        xgboost_open(&xg);
        BoosterHandle b = xgboost_grow(&xg, &g, &w->arena, &seed);
        w->trees = xgboost_text(&xg, b, &w->arena);
        margin += share * (double)*xgboost_predict(&xg, b, world_row, 1, WORLD_FEATURES, 1);
        XG(xg.XGBoosterFree(b));
    }
    w->sidecar = arena_printf(&w->arena,
                              WORLD_HEAD WORLD_LOGISTIC
                              "\"share\":%.3f," WORLD_TAIL
                              "\"samples\":[{\"at_ms\":%lld,\"cells\":[\"DE \",\"12.5\","
                              "\"Yes\",\"2024-07-06\",4],\"probability\":%.12f}]}",
                              share, (long long)WORLD_AT, sigmoid(0.9 * margin + 0.1));
}

static inline void model_world_open(struct model_world *w, double share)
{
    struct why why = {0};

    model_world_texts(w, share);
    if (model_read(w->trees, w->sidecar, &w->model, &why) != RC_OK)
        fail_msg("%s", why.text);
}

static inline void model_world_close(struct model_world *w)
{
    model_drop(w->model);
    arena_free(&w->arena);
}

#endif
