/* tests/unit/test_inputs.c - what a model sees of a lead at a moment. */
#include "cm.h"

#include <math.h>
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/model/inputs.h"
#include "tiny_model.h"

#define NOW (INT64_C(20000) * DAYS_MS + DAYS_MS / 2)

struct view {
    struct arena arena;
    struct lead lead;
    struct ledger_row rows[4];
    struct activity *activity;
    struct lead_view view;
};

static int set_up(void **state)
{
    struct view *v = mem_alloc(sizeof *v);
    const struct dedupe_key key = {{0}};

    v->lead = (struct lead){.fit = 155,
                            .engagement = -20,
                            .source = STR("zapier"),
                            .created_at = NOW - 10 * DAYS_MS - DAYS_MS / 4};
    assert_true(lead_put(&v->lead, STR("company"), STR("Acme"), 1, &key, &v->arena));
    assert_true(lead_put(&v->lead, STR("gone"), STR(""), 1, &key, &v->arena));
    v->rows[0] = (struct ledger_row){.rule = STR("pricing"), .occurred_at = NOW - 40 * DAYS_MS};
    v->rows[1] = (struct ledger_row){.rule = STR("pricing"), .occurred_at = NOW - 2 * DAYS_MS};
    v->rows[2] = (struct ledger_row){.rule = STR("demo"), .occurred_at = NOW - DAYS_MS};
    v->rows[3] = (struct ledger_row){.rule = STR("pricing"), .occurred_at = NOW + 1};
    v->activity = activity_read(STR_NULL, &v->arena);
    activity_add(v->activity, STR("form.submitted"), NOW - 3 * DAYS_MS, &v->arena);
    activity_add(v->activity, STR("form.submitted"), NOW - 8 * DAYS_MS, &v->arena);
    v->view = (struct lead_view){&v->lead, v->rows, 4, v->activity, NOW};
    *state = v;
    return 0;
}

static int tear_down(void **state)
{
    struct view *v = *state;

    arena_free(&v->arena);
    free(v);
    return 0;
}

/* One alone. */
static struct cell lead_cell(struct view *v, struct str name)
{
    struct cell cell;

    lead_cells(lead_inputs_named(&name, 1, &v->arena), &v->view, &cell);
    return cell;
}

static double number(struct view *v, const char *name)
{
    struct cell c = lead_cell(v, str_of(name));

    assert_null(c.text.at);
    return c.number;
}

static struct str text(struct view *v, const char *name)
{
    struct cell c = lead_cell(v, str_of(name));

    assert_true(isnan(c.number));
    return c.text;
}

static void a_property_is_its_text(void **state)
{
    struct view *v = *state;

    assert_true(str_is(text(v, "company"), "Acme"));
    assert_null(text(v, "gone").at);
    assert_null(text(v, "never heard of").at);
}

static void events_are_counted_by_kind_and_window(void **state)
{
    struct view *v = *state;

    assert_true(number(v, "@event.form.submitted.count.7d") == 1);
    assert_true(number(v, "@event.form.submitted.count.30d") == 2);
    assert_true(number(v, "@event.form.submitted.count.90d") == 2);
    assert_true(number(v, "@event.form.submitted.days") == 3);
    assert_true(number(v, "@event.page.count.90d") == 0);
    assert_true(isnan(number(v, "@event.page.days")));
    v->view.activity = NULL; /* not counted yet */
    assert_true(isnan(number(v, "@event.page.count.90d")));
}

static void firings_of_a_rule_count_up_to_now(void **state)
{
    struct view *v = *state;

    assert_true(number(v, "@rule.pricing.count.7d") == 1);
    assert_true(number(v, "@rule.pricing.count.30d") == 1);
    assert_true(number(v, "@rule.pricing.count.90d") == 2);
    assert_true(number(v, "@rule.pricing.days") == 2);
    assert_true(number(v, "@rule.other.count.90d") == 0);
    assert_true(isnan(number(v, "@rule.other.days")));
}

static void what_the_scorecard_says_is_an_input(void **state)
{
    struct view *v = *state;

    assert_true(number(v, "@fit") == 15.5);
    assert_true(number(v, "@engagement") == -2);
    assert_true(number(v, "@age.days") == 10.25);
    assert_true(str_is(text(v, "@source"), "zapier"));
}

static void a_name_that_is_none_is_missing(void **state)
{
    static const char *const odd[] = {"@",          "@age",       "@event.", "@event.days",
                                      "@event..7d", "@rule.days", "@fits",   "@event.a.count.8d"};
    struct view *v = *state;

    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_true(isnan(number(v, odd[i])));
}

static void all_at_once_are_as_one_by_one(void **state)
{
    static const struct tiny_input inputs[] = {{.name = "company", .level = "acme"},
                                               {.name = "@event.form.submitted.count.30d"},
                                               {.name = "@rule.pricing.count.90d"},
                                               {.name = "@rule.demo.days"},
                                               {.name = "@rule.pricing.days"},
                                               {.name = "@fit"},
                                               {.name = "@event.form.submitted.days"},
                                               {.name = "@source", .level = "zapier"},
                                               {.name = "@age.days"},
                                               {.name = "@odd"},
                                               {.name = "@rule.gone.count.7d"}};
    enum { N = sizeof inputs / sizeof inputs[0] };
    struct view *v = *state;
    struct model *m = tiny_model(GOAL_CONVERSION, "tiny", 0, inputs, N);
    const struct lead_inputs *all = lead_inputs_new(m, &v->arena);
    struct cell cells[N];

    lead_cells(all, &v->view, cells);
    for (size_t i = 0; i < N; i++) {
        struct cell one = lead_cell(v, str_of(inputs[i].name));

        assert_true(str_eq(cells[i].text, one.text));
        assert_true(cells[i].number == one.number || (isnan(cells[i].number) && isnan(one.number)));
    }
    model_drop(m);
}

#define VIEW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VIEW(a_property_is_its_text),
        VIEW(events_are_counted_by_kind_and_window),
        VIEW(firings_of_a_rule_count_up_to_now),
        VIEW(what_the_scorecard_says_is_an_input),
        VIEW(a_name_that_is_none_is_missing),
        VIEW(all_at_once_are_as_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
