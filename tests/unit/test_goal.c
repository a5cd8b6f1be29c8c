/* tests/unit/test_goal.c - what a model is to foresee, as the configuration says it. */
#include "cm.h"

#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/pipeline/goal.h"

static struct arena arena;
static struct conf_problems problems;

static struct goals build(const char *text)
{
    struct goals goals;
    struct conf conf = {0};

    arena_reset(&arena);
    conf_problems_init(&problems, &arena);
    assert_int_equal(conf_read_text(STR("t.conf"), str_of(text), &arena, &conf, &problems), RC_OK);
    goals_build(&conf, &arena, &goals, &problems);
    return goals;
}

static void refused(const char *text, const char *because)
{
    (void)build(text);
    assert_int_equal(problems.n, 1);
    if (!str_find(problems.first->message, str_of(because)))
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(problems.first->message), because);
}

static bool reached(const struct goal *g, const char *name, const char *value)
{
    struct lead l = {0};
    struct dedupe_key key = {0};
    const struct facts facts = {.lead = &l};

    (void)lead_put(&l, str_of(name), str_of(value), 1, &key, &arena);
    return expr_true(g->when, &facts);
}

static void a_conversion_is_there_without_a_section(void **state)
{
    (void)state;
    struct goals g = build("");
    const struct goal *c = &g.of[GOAL_CONVERSION];

    assert_int_equal(problems.n, 0);
    assert_int_equal(c->horizon_ms, 90 * DAYS_MS);
    assert_true(reached(c, "lifecyclestage", "customer"));
    assert_true(reached(c, "deal_stage", "pipeline1_closedwon"));
    assert_false(reached(c, "lifecyclestage", "lead"));
    assert_null(g.of[GOAL_CHURN].when);
}

static void a_section_says_it_otherwise(void **state)
{
    (void)state;
    struct goals g = build("[goal conversion]\nhorizon = 30d\n"
                           "[goal churn]\nwhen = lead.plan == \"none\"\n");

    assert_int_equal(problems.n, 0);
    assert_int_equal(g.of[GOAL_CONVERSION].horizon_ms, 30 * DAYS_MS);
    assert_true(reached(&g.of[GOAL_CONVERSION], "lifecyclestage", "customer"));
    assert_true(reached(&g.of[GOAL_CHURN], "plan", "none"));
    assert_int_equal(g.of[GOAL_CHURN].horizon_ms, 90 * DAYS_MS);
}

static bool foreseen(const struct goals *g, enum model_goal goal, const char *stage)
{
    struct lead l = {0};
    struct dedupe_key key = {0};

    if (stage)
        (void)lead_put(&l, STR("stage"), str_of(stage), 1, &key, &arena);
    return goals_among(g, &l) & goal_bit(goal);
}

static void it_is_foreseen_of_those_among_whom_it_happens(void **state)
{
    (void)state;
    struct goals g = build("[goal churn]\nwhen = lead.stage == \"left\"\n"
                           "among = lead.stage == \"won\"\n");

    assert_int_equal(problems.n, 0);
    assert_true(foreseen(&g, GOAL_CHURN, "won"));
    assert_false(foreseen(&g, GOAL_CHURN, "left"));
    assert_false(foreseen(&g, GOAL_CHURN, NULL));
    assert_true(foreseen(&g, GOAL_CONVERSION, NULL)); /* it says nothing: all leads */
}

static void who_it_is_about_is_refused_with_its_line(void **state)
{
    (void)state;
    refused("[goal churn]\nwhen = lead.a == \"b\"\n\namong = lead.a = \"c\"\n", "==");
    assert_int_equal(problems.first->line, 4);
    assert_true(str_is(problems.first->file, "t.conf"));
    assert_true(str_is(problems.first->key, "among"));
    refused("[goal conversion]\namong = event.type == \"x\"\n", "event.type"); /* no event */
    refused("[goal conversion]\namong = score > 10\n", "score");
    refused("[goal conversion]\namong =\n", "");
}

static void what_cannot_be_a_goal_is_refused(void **state)
{
    (void)state;
    refused("[goal sale]\nwhen = lead.a == \"b\"\n", "there is no goal sale");
    refused("[goal churn]\nhorizon = 30d\n", "when is missing");
    refused("[goal conversion]\nwhen = lead.a = \"b\"\n", "==");
    refused("[goal conversion]\nwhen = score > 80\n", "score");
    refused("[goal conversion]\nhorizon = 1h\n", "horizon");
}

static void it_is_told_which_properties_it_looks_at(void **state)
{
    (void)state;
    struct goals g = build("");
    const struct expr *e = g.of[GOAL_CONVERSION].when;

    assert_true(expr_names_lead(e, STR("lifecyclestage")));
    assert_true(expr_names_lead(e, STR("deal_stage")));
    assert_false(expr_names_lead(e, STR("customer")));
    assert_true(expr_says_text(e, STR("customer")));
    assert_false(expr_says_text(e, STR("deal_stage")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversion_is_there_without_a_section),
        cmocka_unit_test(a_section_says_it_otherwise),
        cmocka_unit_test(it_is_foreseen_of_those_among_whom_it_happens),
        cmocka_unit_test(who_it_is_about_is_refused_with_its_line),
        cmocka_unit_test(what_cannot_be_a_goal_is_refused),
        cmocka_unit_test(it_is_told_which_properties_it_looks_at),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    arena_free(&arena);
    return failed;
}
