/* tests/unit/test_train_time.c - leads that come more than once, and what was known when. */
#include "train_world.h"

#include "../../src/model/learn.h"

enum { LEADS = 300, SNAPSHOTS = 4 };

/* Snapshots of leads that are told apart by two numbers, which say nothing of the outcome. */
static struct train_world snapshots(double **ret_time, double **ret_known, uint32_t **ret_lead)
{
    struct train_world w = train_world((size_t)LEADS * SNAPSHOTS, 5);
    double *a = add_numbers(&w, "a"), *b = add_numbers(&w, "b");
    double *time = arena_array(&w.arena, w.n, sizeof *time);
    double *known = arena_array(&w.arena, w.n, sizeof *known);
    uint32_t *lead = arena_array(&w.arena, w.n, sizeof *lead);

    for (size_t k = 0; k < LEADS; k++) {
        double x = noise(&w), y = noise(&w), begin = 10 * (double)k;
        bool won = chance(&w) < 0.4;

        for (size_t s = 0; s < SNAPSHOTS; s++) {
            size_t i = k * SNAPSHOTS + s;

            a[i] = x;
            b[i] = y + 0.001 * (double)s;
            w.positive[i] = won;
            lead[i] = (uint32_t)k;
            time[i] = begin + 100 * (double)s;
            known[i] = begin + 500;
        }
    }
    *ret_time = time;
    *ret_known = known;
    *ret_lead = lead;
    return w;
}

static void snapshots_of_a_lead_do_not_tell_each_others_outcome(void **state)
{
    double *time, *known;
    uint32_t *lead;
    struct train_world naive AUTO(train_world_free) = snapshots(&time, &known, &lead);
    struct train_world grouped AUTO(train_world_free) = snapshots(&time, &known, &lead);

    (void)state;
    train_well(&naive);
    grouped.set.group = lead;
    train_well(&grouped);
    assert_true(report_number(&naive, "report.measures.auc") > 0.7);
    assert_true(model_card(naive.model)->usable);
    assert_true(report_number(&grouped, "report.measures.auc") < 0.57);
    assert_false(model_card(grouped.model)->usable);
    assert_true(json_true(json_path(grouped.sidecar.root, "report.grouped")));
}

static void in_order_of_time_they_do_not_either(void **state)
{
    double *time, *known;
    uint32_t *lead;
    struct train_world w AUTO(train_world_free) = snapshots(&time, &known, &lead);

    (void)state;
    w.set.time = time;
    w.set.known_at = known;
    w.set.group = lead;
    train_well(&w);
    assert_true(str_is(json_string(json_path(w.sidecar.root, "report.folds")), "time"));
    assert_false(model_card(w.model)->usable);
}

/* A lesson as far as folds need one. */
static struct lesson lesson_of(struct train_world *w, struct training_report *report)
{
    uint32_t *row = arena_array(&w->arena, w->n, sizeof *row);

    for (size_t i = 0; i < w->n; i++)
        row[i] = (uint32_t)i;
    return (struct lesson){.set = &w->set,
                           .o = &w->o,
                           .arena = &w->arena,
                           .row = row,
                           .n = w->n,
                           .positive = w->positive,
                           .report = report};
}

static void nothing_is_learnt_from_an_outcome_that_was_not_known_yet(void **state)
{
    double *time, *known;
    uint32_t *lead;
    struct train_world w AUTO(train_world_free) = snapshots(&time, &known, &lead);
    struct training_report *report = ARENA_NEW(&w.arena, struct training_report);
    struct lesson l = lesson_of(&w, report);

    (void)state;
    w.set.time = time;
    w.set.known_at = known;
    w.set.group = lead;
    leads_number(&l);
    folds_make(&l);
    assert_true(l.by_time && l.n_folds >= 3);
    for (size_t k = 0; k < l.n_folds; k++) {
        const struct fold *f = &l.folds[k];
        bool tested[LEADS] = {false};
        double begin = INFINITY;

        for (size_t i = 0; i < f->n_test; i++) {
            begin = fmin(begin, time[f->test[i]]);
            tested[lead[f->test[i]]] = true;
        }
        for (size_t i = 0; i < f->n_train; i++) {
            assert_true(known[f->train[i]] < begin);
            assert_false(tested[lead[f->train[i]]]);
        }
    }
}

static void folds_at_random_hold_each_row_once_and_a_lead_together(void **state)
{
    double *time, *known;
    uint32_t *lead;
    struct train_world w AUTO(train_world_free) = snapshots(&time, &known, &lead);
    struct training_report *report = ARENA_NEW(&w.arena, struct training_report);
    struct lesson l = lesson_of(&w, report);
    size_t fold_of[LEADS] = {0}, seen = 0, most = 0, least = SIZE_MAX;

    (void)state;
    w.set.group = lead;
    leads_number(&l);
    folds_make(&l);
    assert_int_equal(l.n_folds, LEARN_FOLDS);
    for (size_t k = 0; k < l.n_folds; k++) {
        const struct fold *f = &l.folds[k];
        size_t positive = 0;

        assert_int_equal(f->n_train + f->n_test, w.n);
        for (size_t i = 0; i < f->n_test; i++) {
            size_t *is_in = &fold_of[lead[f->test[i]]];

            assert_true(*is_in == 0 || *is_in == k + 1);
            *is_in = k + 1;
            positive += w.positive[f->test[i]];
        }
        most = positive > most ? positive : most;
        least = positive < least ? positive : least;
        seen += f->n_test;
    }
    assert_int_equal(seen, w.n);
    assert_true(most - least <= SNAPSHOTS);
}

/* Rows in order of time, without a word of it: the rate rises. */
static void a_rate_that_changes_along_the_rows_is_told(void **state)
{
    struct train_world drifting AUTO(train_world_free) = train_world(1200, 1);
    struct train_world steady AUTO(train_world_free) = train_world(1200, 1);

    (void)state;
    add_signal(&drifting);
    for (size_t i = 0; i < drifting.n; i++)
        if (chance(&drifting) < 0.6 * (double)i / (double)drifting.n)
            drifting.positive[i] = true;
    train_well(&drifting);
    assert_true(warns(&drifting, "drift: the rate changes along the rows"));
    assert_true(warns(&drifting, "learnt from the first 60 %"));
    assert_true(report_number(&drifting, "report.blocks.9.observed") >
                report_number(&drifting, "report.blocks.0.observed") + 0.2);
    add_signal(&steady);
    train_well(&steady);
    assert_false(warns(&steady, "drift"));
}

/* Ten rows of each lead make its outcome no surer: what 1000 rows would prove 100 leads do not. */
static void rows_of_one_lead_prove_no_drift(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(3000, 2);
    uint32_t *lead = arena_array(&w.arena, w.n, sizeof *lead);
    double *x = add_numbers(&w, "x");
    bool won = false;

    (void)state;
    for (size_t i = 0; i < w.n; i++) {
        if (i % 10 == 0)
            won = chance(&w) < 0.4;
        w.positive[i] = won;
        lead[i] = (uint32_t)(i / 10);
        x[i] = noise(&w) + won;
    }
    w.set.group = lead;
    train_well(&w);
    assert_false(warns(&w, "drift"));
}

enum { SEEN_LEADS = 900, MOST_SEEN = 14 };

/* A store that was looked at for three years: leads come evenly and reach the goal by a chance per
 * day that stays the same, which a number of theirs tells. Each is looked at up to a year, until it
 * has reached the goal. What came within 30 days is known when those are over. */
static struct train_world store_of_three_years(void)
{
    static const double ages[MOST_SEEN] = {.04, 7,   30,  60,  90,  120, 150,
                                           180, 210, 240, 270, 300, 330, 365};
    struct train_world w = train_world((size_t)SEEN_LEADS * MOST_SEEN, 3);
    double *number = add_numbers(&w, "number"), *age = add_numbers(&w, "age");
    double *time = arena_array(&w.arena, w.n, sizeof *time);
    double *known = arena_array(&w.arena, w.n, sizeof *known);
    uint32_t *lead = arena_array(&w.arena, w.n, sizeof *lead);
    size_t n = 0;

    for (uint32_t k = 0; k < SEEN_LEADS; k++) {
        double x = noise(&w), begin = 1095 * (double)k / SEEN_LEADS;
        double reached = begin - log(1 - chance(&w)) / (0.006 * exp(0.6 * x));

        for (size_t s = 0; s < MOST_SEEN; s++) {
            double at = begin + ages[s];

            if (reached <= at || at + 30 > 1095)
                break;
            number[n] = x;
            age[n] = ages[s];
            w.positive[n] = reached <= at + 30;
            lead[n] = k;
            time[n] = at;
            known[n++] = at + 30;
        }
    }
    w.n = n;
    w.set.time = time;
    w.set.known_at = known;
    w.set.group = lead;
    return w;
}

static void what_leads_give_rows_until_they_reach_the_goal_is_learnt_without_bias(void **state)
{
    struct train_world w AUTO(train_world_free) = store_of_three_years();

    (void)state;
    train_well(&w);
    assert_true(str_is(json_string(json_path(w.sidecar.root, "report.folds")), "time"));
    assert_true(model_card(w.model)->usable);
    double a = report_number(&w, "platt.a"), b = report_number(&w, "platt.b");
    if (a < 0.75 || a > 1.3 || fabs(b) > 0.25)
        fail_msg("corrected by a slope of %.3f and %.3f", a, b);
    assert_false(warns(&w, "calibration"));
}

/* Few leads, however often they were looked at, teach nothing. */
static void many_rows_of_few_leads_are_left_to_rules(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(800, 1);
    uint32_t *lead = arena_array(&w.arena, w.n, sizeof *lead);

    (void)state;
    add_signal(&w);
    for (size_t i = 0; i < w.n; i++)
        lead[i] = (uint32_t)(i / 20);
    w.set.group = lead;
    train_well(&w);
    assert_false(model_card(w.model)->usable);
    assert_non_null(str_find(model_card(w.model)->verdict, STR("40 leads")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_of_a_lead_do_not_tell_each_others_outcome),
        cmocka_unit_test(in_order_of_time_they_do_not_either),
        cmocka_unit_test(nothing_is_learnt_from_an_outcome_that_was_not_known_yet),
        cmocka_unit_test(folds_at_random_hold_each_row_once_and_a_lead_together),
        cmocka_unit_test(what_leads_give_rows_until_they_reach_the_goal_is_learnt_without_bias),
        cmocka_unit_test(many_rows_of_few_leads_are_left_to_rules),
        cmocka_unit_test(rows_of_one_lead_prove_no_drift),
        cmocka_unit_test(a_rate_that_changes_along_the_rows_is_told),
    };

    booster_prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
