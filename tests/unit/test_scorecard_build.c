/* tests/unit/test_scorecard_build.c - sections become rules, and are kept as text. */
#include "scorecard_world.h"

static void a_section_becomes_a_rule(void **state)
{
    struct world w AUTO(world_free);

    (void)state;
    build_sound(&w, str_of(sales));
    assert_int_equal(w.card.warm, 400);
    assert_int_equal(w.card.hot, 800);
    assert_int_equal(w.card.n_rules, 4);
    assert_int_equal(w.card.n_groups, 2);
    const struct rule *demo = &w.card.rules[0], *pricing = &w.card.rules[1];
    const struct rule *title = &w.card.rules[2], *free_address = &w.card.rules[3];
    assert_true(demo->engagement && pricing->engagement);
    assert_false(title->engagement || free_address->engagement);
    assert_int_equal(demo->points, 350);
    assert_int_equal(demo->half_life_ms, 30 * DAYS_MS);
    assert_true(demo->max == INT64_MAX);
    assert_true(str_is(demo->why, "demo request"));
    assert_true(str_is(demo->group, "engagement"));
    assert_int_equal(pricing->max, 200);
    assert_true(str_is(pricing->why, "visited pricing"));
    assert_true(str_is(title->why, "decides about budgets"));
    assert_null(title->group.at);
    assert_int_equal(free_address->points, -105);
}

static void without_a_section_the_bands_are_40_and_80(void **state)
{
    struct world w AUTO(world_free);

    (void)state;
    build_sound(&w, STR(""));
    assert_int_equal(scorecard_band(&w.card, -5), BAND_COLD);
    assert_int_equal(scorecard_band(&w.card, 399), BAND_COLD);
    assert_int_equal(scorecard_band(&w.card, 400), BAND_WARM);
    assert_int_equal(scorecard_band(&w.card, 799), BAND_WARM);
    assert_int_equal(scorecard_band(&w.card, 800), BAND_HOT);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    static const struct {
        const char *text, *says, *hint;
        int line;
    } wrong[] = {
        {"[score]\nwarm = 50\nhot = 40\n", "hot is less than warm", "raise hot", 3},
        {"[rule a]\npoints = 1\nwhen = lead.x = 1\n",
         "use == instead of =\n    lead.x = 1\n           ^", NULL, 3},
        {"[rule a]\npoints = 1\nwhen = lead.x == 1\n  and event.tpye == 2\n",
         "did you mean event.type?\n    and event.tpye == 2\n        ^", NULL, 4},
        {"[rule a]\npoints = 1\nwhen = score > 5\n", "a rule may not use score", NULL, 3},
        {"[rule a]\npoints = 1\nhalf_life = 30d\nwhen = lead.x == 1\n", "decays", "event.*", 3},
        {"[group fit]\nmax = 5\n[rule a]\npoints = 1\ngroup = fi\nwhen = lead.x == 1\n",
         "there is no group fi", "did you mean fit?", 5},
        {"[rule a]\npoints = 1\ngroup = other\nwhen = lead.x == 1\n", "there is no group other",
         "add a section [group other]", 3},
        {"[rule a]\npoints = 1\n", "\"when\" is missing", NULL, 1},
        {"[rule a]\nwhen = lead.x == 1\n", "\"points\" is missing", NULL, 1},
        {"[group a]\n", "\"max\" is missing", NULL, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct world w AUTO(world_free);

        build(&w, str_of(wrong[i].text));
        const struct conf_problem *p = w.problems.first;
        if (w.problems.n != 1)
            fail_msg("%zu problems: %s", w.problems.n, wrong[i].text);
        bool caret = strchr(wrong[i].says, '^') != NULL; /* and then nothing behind it */
        if (!strstr(arena_text(&w.arena, p->message), wrong[i].says) || p->line != wrong[i].line ||
            (caret && !str_ends(p->message, STR("^"))))
            fail_msg("%d: %.*s", p->line, STR_ARG(p->message));
        if (wrong[i].hint && !strstr(arena_text(&w.arena, p->hint), wrong[i].hint))
            fail_msg("hint %.*s", STR_ARG(p->hint));
    }
}

static bool same_rule(const struct rule *x, const struct rule *y)
{
    return str_eq(x->name, y->name) && str_eq(x->group, y->group) && str_eq(x->why, y->why) &&
           x->engagement == y->engagement && x->points == y->points &&
           x->half_life_ms == y->half_life_ms && x->max == y->max;
}

static void the_kept_text_builds_the_same_scorecard(void **state)
{
    struct world w AUTO(world_free), again AUTO(world_free);

    (void)state;
    build_sound(&w, str_of(sales));
    build_sound(&again, w.card.text);
    assert_int_equal(again.card.n_rules, w.card.n_rules);
    assert_int_equal(again.card.n_groups, w.card.n_groups);
    assert_int_equal(again.card.warm, w.card.warm);
    assert_int_equal(again.card.hot, w.card.hot);
    for (size_t i = 0; i < w.card.n_rules; i++)
        assert_true(same_rule(&w.card.rules[i], &again.card.rules[i]));
    for (size_t i = 0; i < w.card.n_groups; i++) {
        assert_true(str_eq(w.card.groups[i].name, again.card.groups[i].name));
        assert_int_equal(w.card.groups[i].max, again.card.groups[i].max);
    }
    assert_true(str_eq(w.card.text, again.card.text));
}

/* What is not part of the rules leaves no trace in their text; bands are always there. */
static void the_kept_text_depends_on_the_rules_only(void **state)
{
    struct world w AUTO(world_free), other AUTO(world_free);

    (void)state;
    build_sound(&w, STR("[rule a]\nwhen = lead.x == \"a;b\"\npoints = 1\n"));
    build_sound(&other, STR("; a comment\n[log]\nlevel = debug\n[rule a]\n"
                            "points    =   1 ; one\nwhen=lead.x == \"a;b\"\n"
                            "[score]\nwarm = 40\nhot = 80.0\n"));
    assert_true(str_eq(w.card.text, other.card.text));
    assert_non_null(str_find(w.card.text, STR("hot=80\n")));
}

struct fired {
    const char *names[8];
    size_t n;
};

static void note(void *self, const struct rule *rule)
{
    struct fired *f = self;

    f->names[f->n++] = rule->name.at;
}

static void a_condition_in_quotes_at_both_ends_is_kept_whole(void **state)
{
    struct world w AUTO(world_free), again AUTO(world_free);

    (void)state;
    build_sound(&w, STR("[rule a]\nwhen = \"x\" == lead.a or lead.b == \"y\"\npoints = 1\n"
                        "why = \"tells; all\"\n"));
    build_sound(&again, w.card.text);
    assert_true(str_is(again.card.rules[0].why, "tells; all"));
    assert_true(str_eq(w.card.text, again.card.text));
}

static void only_engagement_rules_fire(void **state)
{
    struct world w AUTO(world_free);
    const struct event demo = {.property = {"demo_requested", 14}, .value = {"true", 4}};
    struct fired fired = {0};

    (void)state;
    build_sound(&w, str_of(sales));
    scorecard_fire(&w.card, &(struct facts){.event = &demo, .lead = &vp}, note, &fired);
    assert_int_equal(fired.n, 1);
    assert_string_equal(fired.names[0], "demo-request");
}

static void too_many_rules_are_refused(void **state)
{
    struct world w AUTO(world_free);
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

    (void)state;
    for (int i = 0; i < 501; i++)
        sbuf_printf(&b, "[rule r%d]\nwhen = lead.x == 1\npoints = 1\n", i);
    build(&w, sbuf_str(&b));
    assert_int_equal(w.problems.n, 1);
    assert_non_null(str_find(w.problems.first->message, STR("at most 500")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_becomes_a_rule),
        cmocka_unit_test(without_a_section_the_bands_are_40_and_80),
        cmocka_unit_test(what_is_wrong_is_said_with_its_line),
        cmocka_unit_test(the_kept_text_builds_the_same_scorecard),
        cmocka_unit_test(the_kept_text_depends_on_the_rules_only),
        cmocka_unit_test(a_condition_in_quotes_at_both_ends_is_kept_whole),
        cmocka_unit_test(only_engagement_rules_fire),
        cmocka_unit_test(too_many_rules_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
