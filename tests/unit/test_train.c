/* tests/unit/test_train.c - what is learnt of a table, and what is not. */
#include "train_world.h"

#include <dirent.h>
#include <stdlib.h>

static void what_goes_by_the_columns_is_learnt(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(1500, 1);
    struct cell good[2] = {{STR(" PARTNER "), NAN}, {STR_NULL, 9}},
                bad[2] = {{STR("web"), NAN}, {STR_NULL, 0}};

    (void)state;
    add_signal(&w);
    train_well(&w);
    assert_true(model_card(w.model)->usable);
    assert_false(str_is(model_card(w.model)->kind, "base rate"));
    assert_int_equal(model_card(w.model)->n_rows, 1500);
    assert_true(report_number(&w, "report.measures.auc") > 0.75);
    assert_true(report_number(&w, "report.measures.ece") <
                report_number(&w, "report.measures.ece_floor_95"));
    assert_true(model_probability(w.model, good, 0) > 0.75);
    assert_true(model_probability(w.model, bad, 0) < 0.15);
}

static void where_nothing_is_to_be_learnt_the_base_rate_is_said(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct train_world w AUTO(train_world_free) = train_world(600, seed);
        struct cell cells[1] = {{STR_NULL, 0.7}};
        double *x = add_numbers(&w, "x");

        (void)state;
        add_coin_tosses(&w);
        for (size_t i = 0; i < w.n; i++)
            x[i] = noise(&w);
        train_well(&w);
        assert_false(model_card(w.model)->usable);
        assert_true(str_is(model_card(w.model)->kind, "base rate"));
        assert_non_null(str_find(model_card(w.model)->verdict, STR("no better than the base")));
        double rate = model_card(w.model)->base_rate;
        assert_true(fabs(model_probability(w.model, cells, 0) - rate) < 1e-9);
        assert_int_equal(w.trained.trees.len, 0);
    }
}

/* A title that one person has stands in no model, and no row does as it was. */
static void no_row_of_anybody_stands_in_the_model(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(1500, 1);
    struct str *title = add_texts(&w, "title");
    double *income = add_numbers(&w, "income");
    size_t texts = 0, numbers = 0, missing = 0;

    (void)state;
    add_signal(&w);
    for (size_t i = 0; i < w.n; i++) {
        title[i] = i % 3 ? STR("buyer") : arena_printf(&w.arena, "keeper of gate %zu", i);
        income[i] = 20000.25 + floor(chance(&w) * 1e6);
    }
    w.o.keep = (struct str[]){STR("title")};
    w.o.n_keep = 1;
    train_well(&w);
    assert_learnt(&w, "title");
    assert_null(str_find(w.trained.sidecar, STR("keeper of gate")));
    const json *samples = json_get(w.sidecar.root, "samples");
    assert_int_equal(json_count(samples), 20);
    for (const json *s = json_first(samples); s; s = json_next(s))
        for (const json *c = json_first(json_get(s, "cells")); c; c = json_next(c)) {
            double n;

            texts += json_type(c) == JSON_STRING;
            numbers += json_type(c) == JSON_NUMBER;
            missing += json_type(c) == JSON_NULL;
            for (size_t i = 0; i < w.n && json_real(c, &n); i++)
                assert_true(n != income[i]);
        }
    assert_true(texts > 10 && numbers > 10 && missing > 3);
}

static void few_rows_are_left_to_rules_and_some_to_a_line(void **state)
{
    struct train_world few AUTO(train_world_free) = train_world(49, 1);
    struct train_world some AUTO(train_world_free) = train_world(190, 1);

    (void)state;
    add_signal(&few);
    train_well(&few);
    assert_false(model_card(few.model)->usable);
    assert_non_null(str_find(model_card(few.model)->verdict, STR("too little to learn from")));
    add_signal(&some);
    train_well(&some);
    assert_true(model_card(some.model)->usable);
    assert_true(str_is(model_card(some.model)->kind, "logistic regression"));
}

static void ten_of_the_rarer_class_are_asked_for(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(400, 1);

    (void)state;
    add_signal(&w);
    for (size_t i = 0; i < w.n; i++)
        w.positive[i] = i % 50 == 0;
    train_well(&w);
    assert_int_equal(model_card(w.model)->n_positive, 8);
    assert_false(model_card(w.model)->usable);
}

static void a_set_that_can_teach_nothing_is_refused(void **state)
{
    struct train_world none AUTO(train_world_free) = train_world(0, 1);
    struct train_world one AUTO(train_world_free) = train_world(100, 1);
    struct train_world bare AUTO(train_world_free) = train_world(100, 1);

    (void)state;
    add_signal(&none);
    train(&none);
    assert_int_equal(none.rc, RC_INVALID);
    add_signal(&one);
    memset(one.positive, 1, one.n);
    train(&one);
    assert_int_equal(one.rc, RC_INVALID);
    assert_non_null(strstr(one.why.text, "same outcome"));
    add_coin_tosses(&bare);
    train(&bare);
    assert_int_equal(bare.rc, RC_INVALID);
}

static void the_same_set_gives_the_same_bytes_on_any_number_of_threads(void **state)
{
    struct train_world a AUTO(train_world_free) = train_world(700, 4);
    struct train_world b AUTO(train_world_free) = train_world(700, 4);
    struct train_world c AUTO(train_world_free) = train_world(700, 4);

    (void)state;
    b.o.threads = 3;
    c.o.seed = 2;
    for (struct train_world *const *w = (struct train_world *[]){&a, &b, &c, NULL}; *w; w++) {
        add_signal(*w);
        train_well(*w);
    }
    assert_true(str_eq(a.trained.sidecar, b.trained.sidecar));
    assert_true(str_eq(a.trained.trees, b.trained.trees));
    assert_false(str_eq(a.trained.sidecar, c.trained.sidecar));
}

/* Stops when so much is done; counts how often it is called afterwards. */
struct stopper {
    double from;
    atomic_bool stop;
    int later;
    double last;
};

static void stop_there(void *self, double share, const char *what)
{
    struct stopper *s = self;

    assert_non_null(what);
    assert_true(share >= s->last && share <= 1);
    s->last = share;
    s->later += atomic_load(&s->stop);
    if (share >= s->from)
        atomic_store(&s->stop, true);
}

static void training_stops_wherever_it_is(void **state)
{
    static const double shares[] = {0, .02, .08, .15, .3, .5, .8, .92};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        struct train_world w AUTO(train_world_free) = train_world(600, 1);
        struct stopper s = {.from = shares[i]};

        w.o.stop = &s.stop;
        w.o.progress = stop_there;
        w.o.self = &s;
        add_signal(&w);
        train(&w);
        assert_int_equal(w.rc, RC_CLOSED);
        assert_string_equal(w.why.text, "training was stopped");
        assert_true(s.later <= 3);
        assert_null(w.trained.sidecar.at);
    }
}

static void too_many_rows_are_taken_evenly(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(900, 1);

    (void)state;
    w.o.max_rows = 300;
    add_signal(&w);
    train_well(&w);
    assert_int_equal(model_card(w.model)->n_rows, 300);
    assert_true(warns(&w, "300 of the 900 rows"));
}

static const json *candidate(const struct train_world *w, const char *kind)
{
    const json *all = json_path(w->sidecar.root, "report.candidates");

    for (const json *c = json_first(all); c; c = json_next(c))
        if (str_is(json_string(json_get(c, "kind")), kind))
            return c;
    fail_msg("%s was not tried", kind);
    return NULL;
}

/* Settings are told apart by some of the folds; what is reported is of all. */
static void of_many_rows_each_is_predicted_out_of_fold(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(12000, 1);
    int64_t tried = 0;

    (void)state;
    w.o.threads = 2;
    add_signal(&w);
    train_well(&w);
    assert_true(model_card(w.model)->usable);
    assert_true(report_number(&w, "report.scored") == 12000);
    assert_true(report_number(&w, "report.measures.n") == 12000);
    assert_true(json_int64(json_get(candidate(&w, "trees"), "tried"), &tried));
    assert_true(tried >= 10 && tried <= 12);
}

static size_t n_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    size_t n = 0;

    assert_non_null(tasks);
    for (struct dirent *d; (d = readdir(tasks));)
        n += d->d_name[0] != '.';
    assert_int_equal(closedir(tasks), 0);
    return n;
}

static void xgboost_starts_no_threads(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(600, 1);
    size_t before = n_threads();
    int64_t tried = 0;

    (void)state;
    w.o.threads = 2;
    add_signal(&w);
    train_well(&w);
    assert_true(
        json_int64(json_get(candidate(&w, "trees"), "tried"), &tried)); /* they were grown */
    assert_true(tried > 5);
    assert_int_equal(n_threads(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_by_the_columns_is_learnt),
        cmocka_unit_test(where_nothing_is_to_be_learnt_the_base_rate_is_said),
        cmocka_unit_test(no_row_of_anybody_stands_in_the_model),
        cmocka_unit_test(few_rows_are_left_to_rules_and_some_to_a_line),
        cmocka_unit_test(ten_of_the_rarer_class_are_asked_for),
        cmocka_unit_test(a_set_that_can_teach_nothing_is_refused),
        cmocka_unit_test(the_same_set_gives_the_same_bytes_on_any_number_of_threads),
        cmocka_unit_test(training_stops_wherever_it_is),
        cmocka_unit_test(too_many_rows_are_taken_evenly),
        cmocka_unit_test(of_many_rows_each_is_predicted_out_of_fold),
        cmocka_unit_test(xgboost_starts_no_threads),
    };

    booster_prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
