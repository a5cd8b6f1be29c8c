/* tests/unit/train_world.h - tables made from a seed, and what training makes of them. */
#ifndef FUNNELD_TESTS_TRAIN_WORLD_H
#define FUNNELD_TESTS_TRAIN_WORLD_H

#include "cm.h"
#include <math.h>
#include <string.h>

#include "funneld/base/json.h"
#include "funneld/model/booster.h"
#include "funneld/model/train.h"
#include "random.h"

enum { WORLD_COLUMNS = 16 };

struct train_world {
    struct arena arena;
    uint64_t seed;
    size_t n;
    struct column columns[WORLD_COLUMNS];
    bool *positive;
    struct training_set set;
    struct train_options o;
    struct trained trained;
    struct json_doc sidecar;
    struct model *model;
    struct why why;
    enum rc rc;
};

static inline double chance(struct train_world *w)
{
    return (double)(random_next(&w->seed) >> 11) / 9007199254740992.0;
}

/* About normal. */
static inline double noise(struct train_world *w)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += chance(w);
    return sum;
}

static inline struct train_world train_world(size_t n, uint64_t seed)
{
    struct train_world w = {.seed = seed, .n = n};

    w.positive = arena_array(&w.arena, n + 1, sizeof *w.positive);
    w.o = (struct train_options){.name = STR("test"), .threads = 1, .seed = 1};
    return w;
}

static inline void train_world_free(struct train_world *w)
{
    json_doc_free(&w->sidecar);
    model_drop(w->model);
    arena_free(&w->arena);
}

/* One more column of texts, all empty; the caller writes them. */
static inline struct str *add_texts(struct train_world *w, const char *name)
{
    struct str *texts = arena_array(&w->arena, w->n + 1, sizeof *texts);

    assert_true(w->set.table.n_columns < WORLD_COLUMNS);
    for (size_t i = 0; i < w->n; i++)
        texts[i] = STR("");
    w->columns[w->set.table.n_columns++] = (struct column){.name = str_of(name), .texts = texts};
    return texts;
}

static inline double *add_numbers(struct train_world *w, const char *name)
{
    double *numbers = arena_array(&w->arena, w->n + 1, sizeof *numbers);

    assert_true(w->set.table.n_columns < WORLD_COLUMNS);
    w->columns[w->set.table.n_columns++] =
        (struct column){.name = str_of(name), .numbers = numbers};
    return numbers;
}

/* Columns "pages" and "source", and outcomes that go by them, though not surely. */
static inline void add_signal(struct train_world *w)
{
    static const char *const sources[] = {"Ads", "partner", "Fair", "web"};
    struct str *source = add_texts(w, "source");
    double *pages = add_numbers(w, "pages");

    for (size_t i = 0; i < w->n; i++) {
        size_t s = random_below(&w->seed, 4);
        double visits = floor(chance(w) * 10);

        source[i] = str_of(sources[s]);
        pages[i] = visits;
        w->positive[i] = chance(w) < 1 / (1 + exp(4 - 0.6 * visits - (s == 1 ? 2 : 0)));
    }
}

static inline void add_coin_tosses(struct train_world *w)
{
    for (size_t i = 0; i < w->n; i++)
        w->positive[i] = chance(w) < 0.3;
}

static inline void train(struct train_world *w)
{
    w->set.table.columns = w->columns;
    w->set.table.n_rows = w->n;
    w->set.positive = w->positive;
    w->rc = model_train(&w->set, &w->o, &w->arena, &w->trained, &w->why);
}

static inline void train_well(struct train_world *w)
{
    train(w);
    if (w->rc)
        fail_msg("%s", w->why.text);
    assert_int_equal(json_parse(w->trained.sidecar, &w->sidecar, &w->why), RC_OK);
    if (model_read(w->trained.trees, w->trained.sidecar, &w->model, &w->why))
        fail_msg("%s", w->why.text);
}

static inline double report_number(const struct train_world *w, const char *path)
{
    double n;

    assert_true(json_real(json_path(w->sidecar.root, path), &n));
    return n;
}

/* The kind with which a column stands in "excluded" or "suspects"; NULL: it does not. */
static inline struct str finding(const struct train_world *w, const char *list, const char *column)
{
    const json *found = json_get(json_get(w->sidecar.root, "report"), list);

    for (const json *f = json_first(found); f; f = json_next(f))
        if (str_is(json_string(json_get(f, "column")), column)) {
            assert_true(json_string(json_get(f, "reason")).len > 5);
            return json_string(json_get(f, "kind"));
        }
    return STR_NULL;
}

static inline void assert_left_out(const struct train_world *w, const char *column,
                                   const char *kind)
{
    struct str found = finding(w, "excluded", column);
    size_t ignored;

    if (!str_is(found, kind))
        fail_msg("%s is left out as \"%.*s\", not %s", column, STR_ARG(found), kind);
    assert_false(model_input_find(w->model, str_of(column), &ignored));
}

static inline void assert_learnt(const struct train_world *w, const char *column)
{
    size_t ignored;

    if (!model_input_find(w->model, str_of(column), &ignored))
        fail_msg("%s is not learnt from: %.*s", column, STR_ARG(finding(w, "excluded", column)));
}

/* Some warning has this in it. */
static inline bool warns(const struct train_world *w, const char *part)
{
    const json *all = json_path(w->sidecar.root, "report.warnings");

    for (const json *f = json_first(all); f; f = json_next(f))
        if (str_find(json_string(f), str_of(part)))
            return true;
    return false;
}

#endif
