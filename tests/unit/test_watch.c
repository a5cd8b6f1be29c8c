/* test_watch.c - a model in use is held against what became of the leads in the store. */
#include "funneld/pipeline/watch.h"

#include "learning_world.h"
#include "random.h"
#include "tiny_model.h"

enum { LEADS = 240 };

static const double shares[] = {0.5, 0.5, 0};

/* A large plan: three in four are won; else one in five. Half of the leads had a large plan. */
static struct model *model_of_plan(int64_t trained_at)
{
    static const struct tiny_input input = {"plan", "large", 2.5};
    struct model *m = tiny_model(GOAL_CONVERSION, "main", -1.4, &input, 1);

    m->inputs[0].shares = shares;
    m->card.trained_at = trained_at;
    m->card.horizon_ms = 30 * DAY;
    return m;
}

/* How often leads of each plan are won, in percent, and how many have the large one. */
struct truth {
    unsigned large_won, small_won, large;
};

static void live(struct pipeline *p, const struct truth *t)
{
    uint64_t chance = 3;

    load(p, CONF);
    for (int64_t id = 1; id <= LEADS; id++) {
        bool large = random_below(&chance, 100) < t->large;

        change(p, id, "plan", large ? "large" : "small");
    }
    p->now += 10 * DAY;
    chance = 3;
    uint64_t fate = 5;
    for (int64_t id = 1; id <= LEADS; id++) {
        bool large = random_below(&chance, 100) < t->large;

        if (random_below(&fate, 100) < (large ? t->large_won : t->small_won))
            change(p, id, "stage", "won");
    }
}

static struct drift_report watched(struct pipeline *p, int64_t trained_at)
{
    struct model *m = model_of_plan(trained_at);
    struct learning l = learn(p, 0);
    struct drift_report r;

    watch_model(m, &l, &p->w->arena, &r);
    learning_free(&l);
    model_drop(m);
    return r;
}

static void a_model_that_came_true_holds(void **state)
{
    struct pipeline *p = *state;
    const struct truth as_learnt = {75, 20, 50};

    live(p, &as_learnt);
    p->now += 60 * DAY;
    struct drift_report r = watched(p, START);
    assert_int_equal(r.verdict, DRIFT_NONE);
    assert_true(r.matured.n >= LEADS);
    assert_true(r.gain > 2 * r.gain_error && r.observed > 0.3);
}

static void a_model_that_came_false_is_to_go(void **state)
{
    struct pipeline *p = *state;
    const struct truth reversed = {10, 80, 50};

    live(p, &reversed);
    p->now += 60 * DAY;
    assert_int_equal(watched(p, START).verdict, DRIFT_ACT);
}

/* Whether they came early or late. */
static void outcomes_of_a_time_that_it_learnt_from_do_not_count(void **state)
{
    struct pipeline *p = *state;
    const struct truth reversed = {10, 80, 50};

    live(p, &reversed);
    p->now += 60 * DAY;
    struct drift_report r = watched(p, START + 61 * DAY);
    assert_int_equal(r.matured.n, 0);
    assert_true(r.verdict != DRIFT_ACT);
}

static void nothing_is_said_before_a_time_is_over(void **state)
{
    struct pipeline *p = *state;
    const struct truth reversed = {10, 80, 50};

    live(p, &reversed);
    assert_int_equal(watched(p, START).matured.n, 0);
}

static void leads_of_another_kind_are_an_alarm(void **state)
{
    struct pipeline *p = *state;
    const struct truth all_large = {75, 20, 98};

    live(p, &all_large);
    struct drift_report r = watched(p, START);
    assert_true(r.n_seen >= LEADS);
    assert_true(r.psi[0] > 0.25);
    assert_int_equal(r.verdict, DRIFT_WATCH);
}

static void leads_of_long_ago_are_not_what_leads_are_like(void **state)
{
    struct pipeline *p = *state;
    const struct truth all_large = {0, 0, 98};

    live(p, &all_large);
    p->now += 300 * DAY;
    assert_int_equal(watched(p, START).n_seen, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_model_that_came_true_holds),
        CHECKS(a_model_that_came_false_is_to_go),
        CHECKS(outcomes_of_a_time_that_it_learnt_from_do_not_count),
        CHECKS(nothing_is_said_before_a_time_is_over),
        CHECKS(leads_of_another_kind_are_an_alarm),
        CHECKS(leads_of_long_ago_are_not_what_leads_are_like),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
