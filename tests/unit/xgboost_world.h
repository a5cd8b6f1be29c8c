/* tests/unit/xgboost_world.h - the real XGBoost, opened when a test needs it, to compare with. */
#ifndef FUNNELD_TESTS_XGBOOST_WORLD_H
#define FUNNELD_TESTS_XGBOOST_WORLD_H

#include "cm.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xgboost/c_api.h>

#include "funneld/base/mem.h"
#include "random.h"

#define XGBOOST_CALLS(X)                                                                           \
    X(XGDMatrixCreateFromMat)                                                                      \
    X(XGDMatrixSetFloatInfo)                                                                       \
    X(XGDMatrixFree)                                                                               \
    X(XGBoosterCreate)                                                                             \
    X(XGBoosterSetParam)                                                                           \
    X(XGBoosterUpdateOneIter)                                                                      \
    X(XGBoosterSaveModelToBuffer)                                                                  \
    X(XGBoosterPredictFromDMatrix)                                                                 \
    X(XGBoosterFree)

struct xgboost {
    void *library;
#define X(name) __typeof__(name) *name;
    XGBOOST_CALLS(X)
#undef X
};

static inline void xgboost_open(struct xgboost *x)
{
    assert_int_equal(setenv("OMP_NUM_THREADS", "1", 1), 0);
    x->library = dlopen("libxgboost.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!x->library)
        fail_msg("%s", dlerror());
#define X(name)                                                                                    \
    *(void **)&x->name = dlsym(x->library, #name);                                                 \
    assert_non_null(x->name);
    XGBOOST_CALLS(X)
#undef X
}

struct grown {
    size_t columns;
    int rounds, depth;
    const char *base_score;
};

/* Rows of numbers, a tenth of them missing, and some of them 0 or 1. */
static inline float *random_rows(struct arena *a, uint64_t *seed, size_t rows, size_t columns)
{
    float *x = arena_array(a, rows * columns, sizeof *x);

    for (size_t i = 0; i < rows * columns; i++) {
        uint64_t r = random_next(seed);
        double u = (double)(r >> 11) / 9007199254740992.0;

        x[i] = r % 10 == 0            ? NAN
               : i % columns % 3 == 1 ? (float)(r % 2)
               : i % columns % 3 == 2 ? (float)(r % 7)
                                      : (float)(u * 20 - 10);
    }
    return x;
}

#define XG(call) assert_int_equal((call), 0)

/* Some trees that learnt of noise and of a signal. */
static inline BoosterHandle xgboost_grow(const struct xgboost *x, const struct grown *g,
                                         struct arena *a, uint64_t *seed)
{
    enum { ROWS = 2000 };
    float *rows = random_rows(a, seed, ROWS, g->columns), label[ROWS];
    DMatrixHandle set;
    BoosterHandle b;
    char number[16];

    for (size_t i = 0; i < ROWS; i++) {
        const float *row = rows + i * g->columns;
        float sum = 0;

        for (size_t k = 0; k < g->columns && k < 4; k++)
            sum += isnan(row[k]) ? 1.0f : row[k] * (k % 2 ? -2.0f : 1.0f);
        label[i] = sum + (float)(random_next(seed) % 10) > 4;
    }
    XG(x->XGDMatrixCreateFromMat(rows, ROWS, g->columns, NAN, &set));
    XG(x->XGDMatrixSetFloatInfo(set, "label", label, ROWS));
    XG(x->XGBoosterCreate(&set, 1, &b));
    XG(x->XGBoosterSetParam(b, "objective", "binary:logistic"));
    XG(x->XGBoosterSetParam(b, "nthread", "1"));
    XG(x->XGBoosterSetParam(b, "tree_method", "hist"));
    XG(x->XGBoosterSetParam(b, "eta", "0.1"));
    XG(x->XGBoosterSetParam(b, "subsample", "0.8"));
    XG(x->XGBoosterSetParam(b, "base_score", g->base_score));
    assert_true(snprintf(number, sizeof number, "%d", g->depth) > 0);
    XG(x->XGBoosterSetParam(b, "max_depth", number));
    for (int i = 0; i < g->rounds; i++)
        XG(x->XGBoosterUpdateOneIter(b, i, set));
    XG(x->XGDMatrixFree(set));
    return b;
}

/* type 1: margins, 2: contributions. They live until the next call. */
static inline const float *xgboost_predict(const struct xgboost *x, BoosterHandle b,
                                           const float *rows, size_t n, size_t columns, int type)
{
    char config[160];
    DMatrixHandle m;
    const bst_ulong *shape;
    bst_ulong dim;
    const float *ret;

    assert_true(snprintf(config, sizeof config,
                         "{\"type\":%d,\"training\":false,\"iteration_begin\":0,"
                         "\"iteration_end\":0,\"strict_shape\":false}",
                         type) > 0);
    XG(x->XGDMatrixCreateFromMat(rows, n, columns, NAN, &m));
    XG(x->XGBoosterPredictFromDMatrix(b, m, config, &shape, &dim, &ret));
    XG(x->XGDMatrixFree(m));
    return ret;
}

static inline struct str xgboost_text(const struct xgboost *x, BoosterHandle b, struct arena *a)
{
    bst_ulong len;
    const char *text;

    XG(x->XGBoosterSaveModelToBuffer(b, "{\"format\":\"json\"}", &len, &text));
    return arena_str(a, (struct str){text, len});
}

#endif
