/* booster.c - see model/booster.h. Of XGBoost 1.7, through its C API, found by name at run time. */
#include "funneld/model/booster.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xgboost/c_api.h>

#include "funneld/base/json.h"

#define LIBRARY "libxgboost.so.0"

#define CALLS(X)                                                                                   \
    X(XGBGetLastError)                                                                             \
    X(XGBSetGlobalConfig)                                                                          \
    X(XGDMatrixCreateFromDense)                                                                    \
    X(XGDMatrixSetFloatInfo)                                                                       \
    X(XGDMatrixFree)                                                                               \
    X(XGBoosterCreate)                                                                             \
    X(XGBoosterFree)                                                                               \
    X(XGBoosterSetParam)                                                                           \
    X(XGBoosterUpdateOneIter)                                                                      \
    X(XGBoosterPredictFromDMatrix)                                                                 \
    X(XGBoosterSaveModelToBuffer)

static struct {
    pthread_once_t once;
    bool open;
    char problem[256];
#define X(name) __typeof__(&name) name;
    CALLS(X)
#undef X
} xgb = {.once = PTHREAD_ONCE_INIT};

struct matrix {
    DMatrixHandle handle;
    size_t rows, features;
};

struct booster {
    BoosterHandle handle;
    DMatrixHandle train;
    int rounds;
};

void booster_prepare(void)
{
    (void)setenv("OMP_NUM_THREADS", "1", 1); /* without memory it says so soon enough */
}

static bool find(void *library, const char *name, void *ret)
{
    void *at = dlsym(library, name);

    memcpy(ret, &at, sizeof at); /* ISO C has no cast from an object to a function */
    return at != NULL;
}

static void open_library(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); /* stays until the process ends */
    bool found = library != NULL;

#define X(name) found = found && find(library, #name, &xgb.name);
    CALLS(X)
#undef X
    const char *error = found ? NULL : dlerror();
    (void)snprintf(xgb.problem, sizeof xgb.problem, "%s", error ? error : "a function is missing");
    if (found)
        (void)xgb.XGBSetGlobalConfig("{\"verbosity\":0}"); /* else it only says more */
    xgb.open = found;
}

enum rc booster_library(struct why *why)
{
    (void)pthread_once(&xgb.once, open_library); /* fails for a bad argument only */
    if (xgb.open)
        return RC_OK;
    return why_fail(RC_NONE, why,
                    "XGBoost is not there (%s); on Debian: apt-get install libxgboost0",
                    xgb.problem);
}

/* The first line of its message, without the time in front. */
static enum rc failed(const char *what, struct why *why)
{
    struct str all = str_of(xgb.XGBGetLastError()), line = STR("");
    const char *behind = str_find(all, STR("] "));

    if (behind)
        all = str_from(all, (size_t)(behind - all.at) + 2);
    (void)str_split(&all, '\n', &line);
    return why_fail(RC_INVALID, why, "XGBoost, %s: %.*s", what, STR_ARG(str_cut(line, 300)));
}

static enum rc set_outcomes(const struct matrix *m, const bool positive[], struct why *why)
{
    AUTO(mem_freep) float *labels = mem_array(m->rows, sizeof *labels);

    for (size_t i = 0; i < m->rows; i++)
        labels[i] = positive[i] ? 1 : 0;
    if (xgb.XGDMatrixSetFloatInfo(m->handle, "label", labels, m->rows))
        return failed("outcomes", why);
    return RC_OK;
}

static void matrix_freep(struct matrix **m)
{
    matrix_free(*m);
}

enum rc matrix_new(const float x[], size_t rows, size_t features, const bool positive[],
                   struct matrix **ret, struct why *why)
{
    AUTO(matrix_freep) struct matrix *m = mem_alloc(sizeof *m);
    char data[160];
    enum rc rc = booster_library(why);

    if (rc)
        return rc;
    *m = (struct matrix){.rows = rows, .features = features};
    (void)snprintf(data, sizeof data,
                   "{\"data\":[%llu,true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
                   (unsigned long long)(uintptr_t)x, rows, features);
    if (xgb.XGDMatrixCreateFromDense(data, "{\"missing\":NaN,\"nthread\":1}", &m->handle))
        return failed("matrix", why);
    rc = set_outcomes(m, positive, why);
    if (rc)
        return rc;
    *ret = m;
    m = NULL;
    return RC_OK;
}

void matrix_free(struct matrix *m)
{
    if (m && m->handle)
        (void)xgb.XGDMatrixFree(m->handle); /* nothing is to be done about it */
    free(m);
}

static enum rc set(struct booster *b, const char *name, const char *value, struct why *why)
{
    return xgb.XGBoosterSetParam(b->handle, name, value) ? failed(name, why) : RC_OK;
}

static enum rc set_number(struct booster *b, const char *name, double value, struct why *why)
{
    struct sbuf text AUTO(sbuf_free) = SBUF(64);

    json_num(&text, value); /* never by the locale */
    return set(b, name, text.at, why);
}

static enum rc set_fixed(struct booster *b, struct why *why)
{
    static const char *const fixed[][2] = {{"nthread", "1"},
                                           {"objective", "binary:logistic"},
                                           {"tree_method", "hist"},
                                           {"disable_default_eval_metric", "1"}};
    enum rc rc = RC_OK;

    for (size_t i = 0; i < ARRAY_LEN(fixed) && rc == RC_OK; i++)
        rc = set(b, fixed[i][0], fixed[i][1], why);
    return rc;
}

static enum rc set_all(struct booster *b, const struct booster_settings *s, struct why *why)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"max_depth", (double)s->depth},
                   {"eta", s->eta},
                   {"min_child_weight", s->min_child_weight},
                   {"subsample", s->subsample},
                   {"colsample_bytree", s->colsample},
                   {"lambda", s->lambda},
                   {"base_score", s->base_rate},
                   {"seed", (double)s->seed}};
    enum rc rc = set_fixed(b, why);

    for (size_t i = 0; i < ARRAY_LEN(numbers) && rc == RC_OK; i++)
        rc = set_number(b, numbers[i].name, numbers[i].value, why);
    return rc;
}

static void booster_freep(struct booster **b)
{
    booster_free(*b);
}

enum rc booster_new(const struct booster_settings *s, const struct matrix *train,
                    const struct matrix *watched, struct booster **ret, struct why *why)
{
    AUTO(booster_freep) struct booster *b = mem_alloc(sizeof *b);
    DMatrixHandle known[] = {train->handle, watched ? watched->handle : NULL};

    b->train = train->handle;
    if (xgb.XGBoosterCreate(known, watched ? 2 : 1, &b->handle))
        return failed("booster", why);
    enum rc rc = set_all(b, s, why);
    if (rc)
        return rc;
    *ret = b;
    b = NULL;
    return RC_OK;
}

void booster_free(struct booster *b)
{
    if (b && b->handle)
        (void)xgb.XGBoosterFree(b->handle); /* nothing is to be done about it */
    free(b);
}

enum rc booster_round(struct booster *b, struct why *why)
{
    if (xgb.XGBoosterUpdateOneIter(b->handle, b->rounds, b->train))
        return failed("training", why);
    b->rounds++;
    return RC_OK;
}

enum prediction { MARGINS = 1, CONTRIBUTIONS = 2 };

static enum rc predict(struct booster *b, const struct matrix *m, enum prediction kind,
                       size_t rounds, float ret[], struct why *why)
{
    size_t expected = m->rows * (kind == CONTRIBUTIONS ? m->features + 1 : 1);
    bst_ulong const *shape;
    bst_ulong dims, n = 1;
    const float *values;
    char config[160];

    (void)snprintf(config, sizeof config,
                   "{\"type\":%d,\"training\":false,\"iteration_begin\":0,\"iteration_end\":%zu,"
                   "\"strict_shape\":false}",
                   (int)kind, rounds);
    if (xgb.XGBoosterPredictFromDMatrix(b->handle, m->handle, config, &shape, &dims, &values))
        return failed("prediction", why);
    for (bst_ulong i = 0; i < dims; i++)
        n *= shape[i];
    if (n != expected)
        return why_fail(RC_INVALID, why, "XGBoost predicts %zu values, not %zu", (size_t)n,
                        expected);
    memcpy(ret, values, expected * sizeof *ret);
    return RC_OK;
}

enum rc booster_margins(struct booster *b, const struct matrix *m, size_t rounds, float ret[],
                        struct why *why)
{
    return predict(b, m, MARGINS, rounds, ret, why);
}

enum rc booster_parts(struct booster *b, const struct matrix *m, float ret[], struct why *why)
{
    return predict(b, m, CONTRIBUTIONS, 0, ret, why);
}

enum rc booster_text(struct booster *b, struct arena *a, struct str *ret, struct why *why)
{
    const char *text;
    bst_ulong len;

    if (xgb.XGBoosterSaveModelToBuffer(b->handle, "{\"format\":\"json\"}", &len, &text))
        return failed("saving", why);
    *ret = arena_str(a, (struct str){text, len});
    return RC_OK;
}
