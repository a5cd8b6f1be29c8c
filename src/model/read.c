/* model/read.c - a model from its two texts, which nobody vouches for.
 *
 * The shape of the sidecar is described in sidecar.h. What is not understood is passed over, what
 * is missing or out of range is refused by name; at the end the model must answer its own sample
 * rows as it did where it was trained.
 */
#include <math.h>
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "sidecar.h"

enum { MAX_WORDS = 2000, MAX_HORIZON_DAYS = 3650 };

struct loading {
    struct model *m;
    struct why *why;
};

static enum rc bad(const struct loading *l, const char *what)
{
    return why_fail(RC_INVALID, l->why, "the sidecar: %s", what);
}

static enum rc bad_key(const struct loading *l, const char *key)
{
    return why_fail(RC_INVALID, l->why, "the sidecar: \"%s\" is missing or out of range", key);
}

static enum rc real(const struct loading *l, const json *at, const char *key, double low,
                    double high, double *ret)
{
    double n;

    if (!json_real(json_get(at, key), &n) || !(n >= low && n <= high))
        return bad_key(l, key);
    *ret = n;
    return RC_OK;
}

static enum rc count(const struct loading *l, const json *at, const char *key, size_t *ret)
{
    int64_t n;

    if (!json_int64(json_get(at, key), &n) || n < 0)
        return bad_key(l, key);
    *ret = (size_t)n;
    return RC_OK;
}

static enum rc whole(const struct loading *l, const json *at, const char *key, int64_t *ret)
{
    int64_t n = -1;

    if (!json_int64(json_get(at, key), &n) || n < 0)
        return bad_key(l, key);
    *ret = n;
    return RC_OK;
}

static enum rc text(const struct loading *l, const json *at, const char *key, struct str *ret)
{
    struct str s = json_string(json_get(at, key));

    if (!s.at)
        return bad_key(l, key);
    *ret = arena_str(&l->m->arena, s);
    return RC_OK;
}

/* How an array of numbers is read. */
struct reals {
    double low, high;
    double null; /* what null stands for; NaN: it is refused */
};

static enum rc read_reals(const struct loading *l, const json *at, const char *key, size_t n,
                          struct reals how, const double **ret)
{
    double *list = arena_array(&l->m->arena, n, sizeof *list);
    const json *array = json_get(at, key);
    size_t i = 0;

    if (json_type(array) != JSON_ARRAY)
        return bad_key(l, key);
    for (const json *item = json_first(array); item; item = json_next(item), i++) {
        if (i == n)
            return bad_key(l, key);
        if (json_type(item) == JSON_NULL && !isnan(how.null))
            list[i] = how.null;
        else if (!json_real(item, &list[i]) || !(list[i] >= how.low && list[i] <= how.high))
            return bad_key(l, key);
    }
    if (i != n)
        return bad_key(l, key);
    *ret = list;
    return RC_OK;
}

static enum rc read_texts(const struct loading *l, const json *at, const char *key, size_t max,
                          const struct str **ret, size_t *ret_n)
{
    const json *array = json_get(at, key);
    size_t n = json_count(array), i = 0;
    struct str *list = NULL;

    if ((array && json_type(array) != JSON_ARRAY) || n > max)
        return bad_key(l, key);
    list = arena_array(&l->m->arena, n, sizeof *list);
    for (const json *item = json_first(array); item; item = json_next(item), i++) {
        list[i] = arena_str(&l->m->arena, json_string(item));
        if (!list[i].at || list[i].len > MODEL_TEXT_BYTES)
            return bad_key(l, key);
    }
    *ret = list;
    *ret_n = n;
    return RC_OK;
}

/* For people. */
static enum rc words(const struct loading *l, const json *at, const char *key, struct str *ret)
{
    enum rc rc = text(l, at, key, ret);

    return rc == RC_OK && (ret->len > MAX_WORDS || !text_is_shown(*ret)) ? bad_key(l, key) : rc;
}

static enum rc read_goal(const struct loading *l, const json *root)
{
    struct str goal = json_string(json_get(root, "goal"));

    for (int g = 0; g < GOAL_COUNT; g++)
        if (str_is(goal, goal_name((enum model_goal)g))) {
            l->m->card.goal = (enum model_goal)g;
            return RC_OK;
        }
    return bad_key(l, "goal");
}

static enum rc read_counts(const struct loading *l, const json *root)
{
    struct model_card *c = &l->m->card;
    enum rc rc = count(l, root, "rows", &c->n_rows);

    if (rc == RC_OK)
        rc = count(l, root, "positive", &c->n_positive);
    if (rc == RC_OK)
        rc = real(l, root, "base_rate", 0, 1, &c->base_rate);
    if (rc == RC_OK)
        rc = whole(l, root, "horizon_ms", &c->horizon_ms);
    if (rc == RC_OK && c->horizon_ms > MAX_HORIZON_DAYS * (int64_t)DAYS_MS)
        rc = bad_key(l, "horizon_ms");
    return rc == RC_OK ? whole(l, root, "trained_at_ms", &c->trained_at) : rc;
}

static enum rc read_card(const struct loading *l, const json *root)
{
    struct model_card *c = &l->m->card;
    enum rc rc = text(l, root, "name", &c->name);

    if (rc == RC_OK && !model_name_ok(c->name))
        rc = bad_key(l, "name");
    if (rc == RC_OK)
        rc = words(l, root, "verdict", &c->verdict);
    if (rc == RC_OK)
        rc = words(l, root, "kind", &c->kind);
    if (rc == RC_OK)
        rc = read_goal(l, root);
    if (rc == RC_OK && json_type(json_get(root, "usable")) != JSON_BOOL)
        rc = bad_key(l, "usable");
    c->usable = json_true(json_get(root, "usable"));
    return rc == RC_OK ? read_counts(l, root) : rc;
}

static enum rc read_bins(const struct loading *l, const json *item, struct input *in)
{
    static const double real_max = 1e39; /* of a float */
    double sum = 0;
    enum rc rc = RC_OK;

    in->n_bins = json_count(json_get(item, "shares"));
    if (in->kind == INPUT_TEXT ? in->n_bins != in->n_features
                               : in->n_bins < 2 || in->n_bins > MODEL_MAX_BINS)
        return bad_key(l, "shares");
    rc = read_reals(l, item, "shares", in->n_bins, (struct reals){0, 1, NAN}, &in->shares);
    for (size_t i = 0; i < in->n_bins && rc == RC_OK; i++)
        sum += in->shares[i];
    if (rc == RC_OK && fabs(sum - 1) > 0.01)
        rc = bad_key(l, "shares");
    if (rc != RC_OK || in->kind == INPUT_TEXT)
        return rc;
    rc = read_reals(l, item, "edges", in->n_bins - 2, (struct reals){-real_max, real_max, NAN},
                    &in->edges);
    for (size_t i = 1; i + 2 < in->n_bins && rc == RC_OK; i++)
        if (in->edges[i] < in->edges[i - 1])
            rc = bad_key(l, "edges");
    return rc;
}

static enum rc read_kind(const struct loading *l, const json *item, struct input *in)
{
    static const char *const kinds[] = {[INPUT_NUMBER] = "number",
                                        [INPUT_TEXT] = "text",
                                        [INPUT_TRUTH] = "truth",
                                        [INPUT_AGE] = "age"};
    struct str kind = json_string(json_get(item, "kind"));

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is(kind, kinds[i])) {
            in->kind = (enum input_kind)i;
            return RC_OK;
        }
    return bad_key(l, "kind");
}

static bool is_twice(const struct str list[], size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq(list[k], list[i]))
            return true;
    return false;
}

/* Texts that a folded one is held against: another would never be met. */
static enum rc check_folded(const struct loading *l, const char *key, const struct str list[],
                            size_t n)
{
    char buffer[MODEL_TEXT_BYTES];

    for (size_t i = 0; i < n; i++)
        if (!str_eq(value_fold(list[i], buffer, sizeof buffer), list[i]) || is_twice(list, i))
            return why_fail(RC_INVALID, l->why,
                            "the sidecar: \"%s\" has one that is empty, not trimmed, not in lower "
                            "case, or there twice",
                            key);
    return RC_OK;
}

static enum rc read_input(const struct loading *l, const json *item, struct input *in)
{
    enum rc rc = text(l, item, "name", &in->name);

    if (rc == RC_OK && !input_name_ok(in->name))
        rc = bad_key(l, "name");
    if (rc == RC_OK)
        rc = read_kind(l, item, in);
    if (rc == RC_OK && in->kind == INPUT_TEXT)
        rc = read_texts(l, item, "levels", MODEL_MAX_LEVELS, &in->levels, &in->n_levels);
    if (rc == RC_OK)
        rc =
            read_texts(l, item, "sentinels", MODEL_MAX_SENTINELS, &in->sentinels, &in->n_sentinels);
    if (rc == RC_OK)
        rc = check_folded(l, "levels", in->levels, in->n_levels);
    if (rc == RC_OK)
        rc = check_folded(l, "sentinels", in->sentinels, in->n_sentinels);
    if (rc == RC_OK)
        rc = real(l, item, "weight", 0, MODEL_MAX_WEIGHT, &in->weight);
    in->n_features = in->kind == INPUT_TEXT ? in->n_levels + 2 : 1;
    return rc == RC_OK ? read_bins(l, item, in) : rc;
}

static enum rc read_inputs(const struct loading *l, const json *root)
{
    const json *list = json_get(root, "inputs");
    struct model *m = l->m;
    size_t n = json_count(list), features = 0, i = 0;
    enum rc rc = RC_OK;

    if (json_type(list) != JSON_ARRAY || n > MODEL_MAX_INPUTS)
        return bad_key(l, "inputs");
    m->inputs = arena_array(&m->arena, n, sizeof *m->inputs);
    m->n_inputs = m->card.n_inputs = n;
    for (const json *item = json_first(list); item && rc == RC_OK; item = json_next(item), i++) {
        struct input *in = &m->inputs[i];
        size_t same = i;

        rc = read_input(l, item, in);
        (void)model_input_find(m, in->name, &same);
        if (rc == RC_OK && same < i)
            rc = bad(l, "its name was that of another input");
        if (rc != RC_OK)
            return why_wrap(rc, l->why, "input %zu", i + 1);
        in->feature = m->n_features;
        m->n_features += in->n_features;
    }
    rc = count(l, root, "features", &features);
    if (rc == RC_OK && (features != m->n_features || features > MODEL_MAX_FEATURES))
        rc = bad_key(l, "features");
    return rc;
}

static enum rc read_logistic(const struct loading *l, const json *root)
{
    static const struct reals weights = {-MODEL_MAX_WEIGHT, MODEL_MAX_WEIGHT, NAN};
    static const struct reals values = {-1e39, 1e39, NAN}, scales = {1e-30, 1e39, NAN};
    static const struct reals lows = {-1e39, 1e39, -INFINITY}, highs = {-1e39, 1e39, INFINITY};
    struct logistic *g = &l->m->logistic;
    const json *at = json_get(root, "logistic");
    const struct {
        const char *key;
        struct reals how;
        const double **ret;
    } arrays[] = {{"weight", weights, &g->weight}, {"mean", values, &g->mean},
                  {"scale", scales, &g->scale},    {"missing", weights, &g->missing},
                  {"low", lows, &g->low},          {"high", highs, &g->high}};

    if (json_type(at) == JSON_NULL)
        return RC_OK;
    enum rc rc = real(l, at, "bias", -MODEL_MAX_WEIGHT, MODEL_MAX_WEIGHT, &g->bias);
    for (size_t i = 0; i < ARRAY_LEN(arrays) && rc == RC_OK; i++)
        rc = read_reals(l, at, arrays[i].key, l->m->n_features, arrays[i].how, arrays[i].ret);
    for (size_t i = 0; i < l->m->n_features && rc == RC_OK; i++)
        if (g->low[i] > g->high[i])
            rc = bad_key(l, "low");
    return rc;
}

static enum rc read_blend(const struct loading *l, const json *root)
{
    struct model *m = l->m;
    const json *platt = json_get(root, "platt");
    const double *quartiles = NULL;
    enum rc rc = real(l, root, "share", 0, 1, &m->share);

    if (rc == RC_OK)
        rc = real(l, root, "base_log_odds", -MODEL_MAX_WEIGHT, MODEL_MAX_WEIGHT, &m->base_log_odds);
    if (rc == RC_OK)
        rc = real(l, platt, "a", -MODEL_MAX_WEIGHT, MODEL_MAX_WEIGHT, &m->platt_a);
    if (rc == RC_OK)
        rc = real(l, platt, "b", -MODEL_MAX_WEIGHT, MODEL_MAX_WEIGHT, &m->platt_b);
    if (rc == RC_OK)
        rc = read_reals(l, root, "quartiles", 3, (struct reals){0, 1, NAN}, &quartiles);
    for (size_t i = 0; i < 3 && rc == RC_OK; i++) {
        m->quartiles[i] = quartiles[i];
        if (i > 0 && quartiles[i] < quartiles[i - 1])
            rc = bad_key(l, "quartiles");
    }
    return rc;
}

static enum rc read_trees(const struct loading *l, struct str trees)
{
    struct model *m = l->m;

    if (trees.len == 0)
        return m->share > 0 ? bad(l, "it has a share of trees, and there are none") : RC_OK;
    if (!(m->share > 0))
        return bad(l, "there are trees, of which it takes no share");
    if (m->share < 1 && !m->logistic.weight)
        return bad(l, "it takes a part from a logistic regression that it has not");
    return trees_read(trees, m->n_features, &m->arena, &m->trees, l->why);
}

static enum rc read_cell(const struct loading *l, const struct input *in, const json *item,
                         struct cell *ret)
{
    *ret = (struct cell){.text = json_string(item), .number = NAN};
    if (json_type(item) == JSON_NULL)
        return RC_OK;
    if (in->kind != INPUT_TEXT && text_is_long_number(ret->text) && json_real(item, &ret->number))
        ret->text = STR_NULL;
    else if (!ret->text.at && !json_number(item, &ret->number))
        return bad_key(l, "cells");
    return RC_OK;
}

static enum rc check_sample(const struct loading *l, const json *sample, struct cell cells[],
                            size_t number)
{
    const json *list = json_get(sample, "cells");
    double wanted = 0;
    int64_t at = 0;
    size_t i = 0;
    enum rc rc = real(l, sample, "probability", 0, 1, &wanted);

    if (rc == RC_OK && !json_int64(json_get(sample, "at_ms"), &at))
        rc = bad_key(l, "at_ms");
    if (rc == RC_OK && json_count(list) != l->m->n_inputs)
        rc = bad_key(l, "cells");
    for (const json *c = json_first(list); c && rc == RC_OK; c = json_next(c), i++)
        rc = read_cell(l, &l->m->inputs[i], c, &cells[i]);
    if (rc != RC_OK)
        return rc;
    double answer = model_probability(l->m, cells, at);
    if (fabs(answer - wanted) <= 1e-6)
        return RC_OK;
    return why_fail(RC_INVALID, l->why,
                    "sample row %zu: the model says %.6f here, and said %.6f where it was trained",
                    number, answer, wanted);
}

static enum rc check_samples(const struct loading *l, const json *root)
{
    const json *list = json_get(root, "samples");
    struct cell *cells = mem_array(l->m->n_inputs + 1, sizeof *cells);
    size_t n = json_count(list), number = 0;
    enum rc rc = n == 0 || n > MODEL_MAX_SAMPLES ? bad_key(l, "samples") : RC_OK;

    for (const json *s = json_first(list); s && rc == RC_OK; s = json_next(s))
        rc = check_sample(l, s, cells, ++number);
    free(cells);
    return rc;
}

static enum rc read_sidecar(const struct loading *l, const json *root, struct str trees)
{
    int64_t version = 0;
    enum rc rc = RC_OK;

    if (!str_is(json_string(json_get(root, "format")), SIDECAR_FORMAT))
        return bad(l, "it is not one of a funneld model");
    if (!json_int64(json_get(root, "version"), &version) || version != SIDECAR_VERSION)
        return bad(l, "its version is not known here");
    rc = read_card(l, root);
    if (rc == RC_OK)
        rc = read_inputs(l, root);
    if (rc == RC_OK)
        rc = read_logistic(l, root);
    if (rc == RC_OK)
        rc = read_blend(l, root);
    if (rc == RC_OK)
        rc = read_trees(l, trees);
    return rc == RC_OK ? check_samples(l, root) : rc;
}

enum rc model_read(struct str trees, struct str sidecar, struct model **ret, struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    enum rc rc = model_text_bounded(sidecar, why);

    if (rc == RC_OK)
        rc = json_parse(sidecar, &doc, why);
    if (rc != RC_OK)
        return why_wrap(rc, why, "the sidecar");
    struct model *m = mem_alloc(sizeof *m);
    const struct loading l = {m, why};
    atomic_init(&m->references, 1);
    rc = read_sidecar(&l, doc.root, trees);
    if (rc != RC_OK) {
        model_drop(m);
        return rc;
    }
    *ret = m;
    return RC_OK;
}
