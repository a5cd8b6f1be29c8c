/* tests/unit/test_measure.c - figures that were calculated by hand. */
#include "cm.h"

#include <math.h>
#include <stdlib.h>

#include "funneld/model/measure.h"
#include "random.h"

static void is_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12))
        fail_msg("%.17g is not %.17g", a, b);
}

static void auc_counts_pairs_and_a_tie_half(void **state)
{
    const double score[] = {0.9, 0.8, 0.8, 0.3, 0.1};
    const bool positive[] = {true, false, true, true, false};

    (void)state;
    /* pairs of 3 positives and 2 negatives: .9 wins 2, .8 ties 1 and wins 1, .3 loses 1 and wins 1
     */
    is_near(measure_auc(score, positive, 5), (2 + 1.5 + 1) / 6);
    is_near(measure_auc(score, (const bool[]){true, true, true, false, false}, 5), 1);
    is_near(measure_auc((const double[]){1, 1, 1}, positive, 3), 0.5);
}

static void log_loss_is_the_mean_and_certainty_costs_no_infinity(void **state)
{
    const bool positive[] = {true, false};

    (void)state;
    is_near(measure_log_loss((const double[]){0.8, 0.4}, positive, 2), -(log(0.8) + log(0.6)) / 2);
    double sure = measure_log_loss((const double[]){0, 1}, positive, 2);
    assert_true(sure > 34 && sure < 35);
}

static void average_precision_goes_by_steps(void **state)
{
    const double p[] = {0.9, 0.8, 0.7, 0.6};
    struct measures m;

    (void)state;
    measure(p, (const bool[]){true, false, true, false}, 4, &m);
    is_near(m.pr_auc, 0.5 * 1 + 0.5 * 2 / 3);
    is_near(m.auc, 0.75);
    is_near(m.brier, (0.01 + 0.64 + 0.09 + 0.36) / 4);
    assert_int_equal(m.n, 4);
    assert_int_equal(m.n_positive, 2);
}

static void calibration_error_is_the_mean_distance_in_ten_bins(void **state)
{
    double p[20];
    bool positive[20] = {false};
    struct measures m;

    (void)state;
    for (int i = 0; i < 20; i++)
        p[i] = 0.05 + 0.04 * i; /* bins of two rows, all different */
    positive[19] = positive[18] = true;
    measure(p, positive, 20, &m);
    double wanted = 2 - p[19] - p[18];
    for (int i = 0; i < 18; i++)
        wanted += p[i];
    is_near(m.ece, wanted / 20);
}

static void the_order_of_equal_rows_does_not_matter(void **state)
{
    enum { N = 1000 };
    double p[N];
    bool sorted[N], mixed[N];
    struct measures a, b;

    (void)state;
    for (int i = 0; i < N; i++) {
        p[i] = 0.3;
        sorted[i] = i < 300;
        mixed[i] = i % 10 < 3;
    }
    measure(p, sorted, N, &a);
    measure(p, mixed, N, &b);
    is_near(a.ece, 0);
    is_near(b.ece, 0);
    is_near(a.lift, 1);
    is_near(b.lift, 1);
    is_near(a.pr_auc, 0.3);
}

static void lift_is_how_many_times_the_rate_the_best_tenth_has(void **state)
{
    double p[40];
    bool positive[40] = {false};
    struct measures m;

    (void)state;
    for (int i = 0; i < 40; i++)
        p[i] = 0.9 - 0.02 * i;
    positive[0] = positive[2] = positive[3] = positive[20] = positive[30] = true;
    measure(p, positive, 40, &m);
    is_near(m.lift, 0.75 / (5.0 / 40));
}

/* A perfect model of 2,000 rows shows 0.019 on average, 0.028 in one of twenty cases. */
static void the_noise_floor_is_that_of_a_perfect_model(void **state)
{
    enum { N = 2000 };
    double p[N];
    bool positive[N];
    struct measures m;
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < N; i++) {
        p[i] = (double)(random_next(&seed) >> 11) / 9007199254740992.0;
        positive[i] = (double)(random_next(&seed) >> 11) / 9007199254740992.0 < p[i];
    }
    measure(p, positive, N, &m);
    assert_true(m.ece_floor > 0.016 && m.ece_floor < 0.024);
    assert_true(m.ece_floor_95 > m.ece_floor * 1.2 && m.ece_floor_95 < m.ece_floor * 2);
    assert_true(m.ece < m.ece_floor_95);
}

static void the_floor_of_many_rows_falls_with_their_root(void **state)
{
    enum { N = 80000 };
    double *p = mem_array(N, sizeof *p);
    bool *positive = mem_array(N, sizeof *positive);
    struct measures few, many;

    (void)state;
    for (int i = 0; i < N; i++)
        p[i] = (double)(i * 7919 % N) / N;
    measure(p, positive, N / 4, &few);
    measure(p, positive, N, &many);
    assert_true(fabs(many.ece_floor / few.ece_floor - 0.5) < 0.05);
    free(p);
    free(positive);
}

static void what_is_not_defined_is_no_knowledge(void **state)
{
    const double p[] = {0.2, 0.7};
    struct measures m;

    (void)state;
    measure(p, (const bool[]){false, false}, 2, &m);
    is_near(m.auc, 0.5);
    is_near(m.pr_auc, 0);
    is_near(m.lift, 1);
    measure(p, (const bool[]){true, true}, 2, &m);
    is_near(m.auc, 0.5);
    is_near(m.pr_auc, 1);
    is_near(m.lift, 1);
    measure(NULL, NULL, 0, &m);
    is_near(m.auc, 0.5);
    is_near(m.log_loss + m.brier + m.ece + m.ece_floor + m.ece_floor_95, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auc_counts_pairs_and_a_tie_half),
        cmocka_unit_test(log_loss_is_the_mean_and_certainty_costs_no_infinity),
        cmocka_unit_test(average_precision_goes_by_steps),
        cmocka_unit_test(calibration_error_is_the_mean_distance_in_ten_bins),
        cmocka_unit_test(the_order_of_equal_rows_does_not_matter),
        cmocka_unit_test(lift_is_how_many_times_the_rate_the_best_tenth_has),
        cmocka_unit_test(the_noise_floor_is_that_of_a_perfect_model),
        cmocka_unit_test(the_floor_of_many_rows_falls_with_their_root),
        cmocka_unit_test(what_is_not_defined_is_no_knowledge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
