/* test_drift.c - what a model is told of its leads, and what that makes of it. */
#include <math.h>

#include "cm.h"
#include "funneld/model/drift.h"
#include "random.h"
#include "tiny_model.h"

enum { LEADS = 2000 };

static const double edges[] = {-0.67, 0, 0.67};
static const double shares[] = {0.25, 0.25, 0.25, 0.25, 0};

/* Log-odds -2 + 2 x, where x is spread like the normal distribution when it learnt. */
static struct model *model_of_x(void)
{
    static const struct tiny_input input = {"x", NULL, 2};
    struct model *m = tiny_model(GOAL_CONVERSION, "main", -2, &input, 1);

    m->inputs[0].edges = edges;
    m->inputs[0].shares = shares;
    m->inputs[0].n_bins = 5;
    return m;
}

static double uniform(uint64_t *state)
{
    return ((double)(random_next(state) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    return sqrt(-2 * log(uniform(state))) * cos(2 * 3.14159265358979 * uniform(state));
}

/* How the world is: x is moved by shift, the log-odds are bias + slope * x. */
struct truth {
    double shift, bias, slope;
    size_t seen, matured; /* leads */
    size_t rows;          /* of each that matured */
};

static void live(struct drift *d, const struct truth *t)
{
    uint64_t chance = 7;

    for (size_t i = 0; i < t->matured || i < t->seen; i++) {
        struct cell x = {.number = normal(&chance) + t->shift};
        bool positive = uniform(&chance) < sigmoid(t->bias + t->slope * x.number);

        if (i < t->seen)
            drift_see(d, &x, 0);
        for (size_t k = 0; i < t->matured && k < t->rows; k++)
            drift_mature(d, &x, 0, positive, (uint32_t)i);
    }
}

static struct drift_report judged_as(const struct truth *t, int64_t horizon_ms, struct arena *a)
{
    struct model *m = model_of_x();
    struct drift *d = drift_new(m, a);
    struct drift_report report;

    m->card.horizon_ms = horizon_ms;
    live(d, t);
    drift_judge(d, &report);
    model_drop(m);
    return report;
}

static struct drift_report judged(const struct truth *t, struct arena *a)
{
    return judged_as(t, 1, a);
}

static void a_model_that_is_right_holds(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct truth as_learnt = {0, -2, 2, LEADS, LEADS, 1};
    struct drift_report r = judged(&as_learnt, &a);

    (void)state;
    assert_int_equal(r.verdict, DRIFT_NONE);
    assert_true(r.psi[0] < 0.02);
    assert_true(fabs(r.predicted - r.observed) < 0.03);
    assert_true(r.gain > 0.1 && r.gain_error < 0.02);
    assert_true(r.matured.ece < 0.03);
}

static void inputs_that_moved_are_an_alarm_and_no_verdict(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct truth moved = {1.5, -2, 2, LEADS, 0, 1};
    struct drift_report r = judged(&moved, &a);

    (void)state;
    assert_int_equal(r.verdict, DRIFT_WATCH);
    assert_true(r.psi[0] > 0.25);
    assert_non_null(str_find(r.reason, STR("x is not what the model learnt from")));
}

static void inputs_that_moved_while_it_is_right_are_watched(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct truth moved = {1.5, -2, 2, LEADS, LEADS, 1};

    (void)state;
    assert_int_equal(judged(&moved, &a).verdict, DRIFT_WATCH);
}

static void a_rate_that_moved_is_watched_while_the_model_helps(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct truth more = {0, -1.2, 2, LEADS, LEADS, 1};
    struct drift_report r = judged(&more, &a);

    (void)state;
    assert_int_equal(r.verdict, DRIFT_WATCH);
    assert_true(r.observed > r.predicted + 0.05);
    assert_non_null(str_find(r.reason, STR("the model drifts")));
}

static void a_model_that_is_worse_than_the_rate_alone_is_to_go(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct truth reversed = {0, -2, -2, LEADS, LEADS, 1};
    struct drift_report r = judged(&reversed, &a);

    (void)state;
    assert_int_equal(r.verdict, DRIFT_ACT);
    assert_true(r.gain < 0);
    assert_non_null(str_find(r.reason, STR("worse than none")));
}

/* It says what came in whatever time; the store asks for what came soon. */
static void a_model_of_a_table_is_judged_by_whom_it_puts_first(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct truth rare = {0, -6, 2, LEADS, 8 * LEADS, 1},
                       rare_reversed = {0, -6, -2, LEADS, 8 * LEADS, 1};

    (void)state;
    assert_int_equal(judged_as(&rare, 1, &a).verdict, DRIFT_ACT);
    struct drift_report r = judged_as(&rare, 0, &a);
    assert_int_equal(r.verdict, DRIFT_WATCH); /* it promises too much */
    assert_true(r.predicted > 5 * r.observed);
    assert_int_equal(judged_as(&rare_reversed, 0, &a).verdict, DRIFT_ACT);
}

static void too_few_leads_say_nothing(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct truth nobody = {0},
                       some = {0, -2, -2, DRIFT_MIN_SEEN - 1, DRIFT_MIN_MATURED - 1, 1};

    (void)state;
    assert_int_equal(judged(&nobody, &a).verdict, DRIFT_UNKNOWN);
    assert_int_equal(judged(&some, &a).verdict, DRIFT_UNKNOWN);
}

/* Years of being wrong are forgotten once the newest are as many as count. */
static void the_newest_outcomes_count(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct model *m = model_of_x();
    struct drift *d = drift_new(m, &a);
    struct drift_report r;
    const struct truth wrong = {0, -2, -2, 0, DRIFT_MAX_MATURED, 1},
                       right = {0, -2, 2, 0, DRIFT_MAX_MATURED, 1};

    (void)state;
    live(d, &wrong);
    drift_judge(d, &r);
    assert_int_equal(r.verdict, DRIFT_ACT);
    live(d, &right);
    drift_judge(d, &r);
    assert_int_equal(r.verdict, DRIFT_NONE);
    assert_true(r.matured.n <= DRIFT_MAX_MATURED);
    model_drop(m);
}

static void a_gain_is_the_mean_difference_of_log_loss(void **state)
{
    const double a[] = {0.5, 0.5, 0.5, 0.5}, b[] = {0.8, 0.2, 0.8, 0.2};
    const bool positive[] = {true, false, true, false};
    const struct outcomes all = {positive, NULL, 4}, none = {0};
    double gain, error;

    (void)state;
    log_loss_gain(a, b, &all, &gain, &error);
    assert_true(fabs(gain - log(0.8 / 0.5)) < 1e-12);
    assert_true(error < 1e-9);
    log_loss_gain(b, a, &all, &gain, &error);
    assert_true(fabs(gain + log(0.8 / 0.5)) < 1e-12);
    log_loss_gain(a, b, &none, &gain, &error);
    assert_true(gain == 0 && error == 0);
}

/* Else the same lead, looked at six times, would be proof of something. */
static void rows_of_one_lead_are_one_lead(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct truth once = {0, -2, 2, 0, 400, 1}, often = {0, -2, 2, 0, 400, 6},
                       few = {0, -2, -2, 0, DRIFT_MIN_MATURED - 1, 6};
    struct drift_report r = judged(&once, &a), six = judged(&often, &a);

    (void)state;
    assert_int_equal(six.n_leads, 400);
    assert_int_equal(six.n_reached, r.n_reached);
    assert_true(fabs(six.gain - r.gain) < 1e-9);
    assert_true(fabs(six.gain_error - r.gain_error) < 1e-9);
    assert_int_equal(judged(&few, &a).verdict, DRIFT_UNKNOWN);
}

/* A model that is right and helps little is looked at every day for a year. */
static void a_model_that_is_right_is_not_given_up_by_chance(void **state)
{
    static const struct tiny_input input = {"x", NULL, 0.3};
    struct arena a AUTO(arena_free) = {0};
    int given_up = 0;

    (void)state;
    for (uint64_t life = 0; life < 40; life++) {
        struct model *m = tiny_model(GOAL_CONVERSION, "main", -2.2, &input, 1);
        struct drift *d = drift_new(m, &a);
        struct drift_report r;
        uint64_t chance = 100 + life;
        bool gone = false;

        m->card.horizon_ms = 1;
        for (uint32_t day = 0; day < 365 && !gone; day++) {
            struct cell x = {.number = normal(&chance)};
            bool positive = uniform(&chance) < sigmoid(-2.2 + 0.3 * x.number);

            for (int row = 0; row < 6; row++)
                drift_mature(d, &x, 0, positive, day);
            if (day % 5)
                continue;
            drift_judge(d, &r);
            gone = r.verdict == DRIFT_ACT;
        }
        given_up += gone;
        model_drop(m);
        arena_reset(&a);
    }
    assert_in_range(given_up, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_that_is_right_holds),
        cmocka_unit_test(inputs_that_moved_are_an_alarm_and_no_verdict),
        cmocka_unit_test(inputs_that_moved_while_it_is_right_are_watched),
        cmocka_unit_test(a_rate_that_moved_is_watched_while_the_model_helps),
        cmocka_unit_test(a_model_that_is_worse_than_the_rate_alone_is_to_go),
        cmocka_unit_test(a_model_of_a_table_is_judged_by_whom_it_puts_first),
        cmocka_unit_test(too_few_leads_say_nothing),
        cmocka_unit_test(the_newest_outcomes_count),
        cmocka_unit_test(a_gain_is_the_mean_difference_of_log_loss),
        cmocka_unit_test(rows_of_one_lead_are_one_lead),
        cmocka_unit_test(a_model_that_is_right_is_not_given_up_by_chance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
