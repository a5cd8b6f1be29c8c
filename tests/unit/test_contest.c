/* test_contest.c - who foresees the newest leads better, and what that takes. */
#include <math.h>

#include "cm.h"
#include "funneld/model/contest.h"
#include "random.h"
#include "tiny_model.h"

enum { ROWS = 1100 };

static const struct train_options options = {
    .name = {"main", 4}, .trained_at = 1, .threads = 1, .seed = 1};

static double uniform(uint64_t *state)
{
    return ((double)(random_next(state) >> 11) + 0.5) / 9007199254740992.0;
}

/* Rows at times 0, 1, 2 ...; the log-odds are -1 + 3 x. */
struct world {
    struct arena arena;
    struct training_set set;
    struct column column;
};

static void make(struct world *w, size_t rows, double slope)
{
    double *x = arena_array(&w->arena, rows, sizeof *x);
    double *time = arena_array(&w->arena, rows, sizeof *time);
    bool *positive = arena_array(&w->arena, rows, sizeof *positive);
    uint64_t chance = 11;

    for (size_t i = 0; i < rows; i++) {
        x[i] = 2 * uniform(&chance) - 1;
        time[i] = (double)i;
        positive[i] = uniform(&chance) < sigmoid(-1 + slope * x[i]);
    }
    w->column = (struct column){.name = STR("x"), .numbers = x};
    w->set =
        (struct training_set){.table = {&w->column, 1, rows}, .positive = positive, .time = time};
}

static struct model *champion(double slope)
{
    const struct tiny_input input = {"x", NULL, slope};

    return tiny_model(GOAL_CONVERSION, "main", -1, &input, 1);
}

static enum rc fight(struct world *w, double slope, double knows, struct contest *ret)
{
    struct model *m = champion(slope);
    struct why why = {0};
    enum rc rc = model_contest(&w->set, m, knows, &options, &w->arena, ret, &why);

    model_drop(m);
    return rc;
}

static void a_better_model_takes_over(void **state)
{
    struct world w = {0};
    struct contest c;

    (void)state;
    make(&w, ROWS, 3);
    assert_int_equal(fight(&w, -3, 0, &c), RC_OK);
    assert_true(c.won && c.gain > c.error);
    assert_in_range(c.n_newest, ROWS / 5 - 1, ROWS / 5);
    assert_true(c.challenger.sidecar.len > 0);
    assert_non_null(str_find(c.reason, STR("it takes over")));
    arena_free(&w.arena);
}

static void nobody_beats_one_that_is_right(void **state)
{
    struct world w = {0};
    struct contest c;

    (void)state;
    make(&w, ROWS, 3);
    assert_int_equal(fight(&w, 3, 0, &c), RC_OK);
    assert_false(c.won);
    assert_null(c.challenger.sidecar.at);
    arena_free(&w.arena);
}

static void without_a_champion_the_rate_is_to_be_beaten(void **state)
{
    struct world some = {0}, none = {0};
    struct contest c;

    (void)state;
    make(&some, ROWS, 3);
    assert_int_equal(model_contest(&some.set, NULL, 0, &options, &some.arena, &c, NULL), RC_OK);
    assert_true(c.won);
    make(&none, ROWS, 0); /* there is nothing to be learnt */
    assert_int_equal(model_contest(&none.set, NULL, 0, &options, &none.arena, &c, NULL), RC_OK);
    assert_false(c.won);
    arena_free(&some.arena);
    arena_free(&none.arena);
}

static void rows_that_the_champion_may_have_learnt_from_do_not_count(void **state)
{
    struct world w = {0};
    struct contest c;

    (void)state;
    make(&w, ROWS, 3);
    assert_int_equal(fight(&w, -3, ROWS - 150, &c), RC_OK);
    assert_int_equal(c.n_newest, 149);
    assert_int_equal(fight(&w, -3, ROWS - 50, &c), RC_NONE);
    arena_free(&w.arena);
}

/* Else the challenger would know the lead that it is asked about. */
static void leads_that_were_learnt_from_do_not_judge(void **state)
{
    struct world w = {0};
    struct contest c;

    (void)state;
    make(&w, ROWS, 3);
    uint32_t *group = arena_array(&w.arena, ROWS, sizeof *group);
    for (uint32_t i = 0; i < ROWS; i++) /* half of the newest had a row before */
        group[i] = i >= ROWS - ROWS / 5 && i % 2 ? i - ROWS / 2 : i;
    w.set.group = group;
    assert_int_equal(fight(&w, -3, 0, &c), RC_OK);
    assert_in_range(c.n_newest, ROWS / 10 - 1, ROWS / 10 + 1);
    for (uint32_t i = 0; i < ROWS; i++)
        group[i] = i % (ROWS / 5); /* each had */
    assert_int_equal(fight(&w, -3, 0, &c), RC_NONE);
    arena_free(&w.arena);
}

static void outcomes_that_came_later_are_not_learnt_from(void **state)
{
    struct world w = {0};
    struct contest c;

    (void)state;
    make(&w, ROWS, 3);
    double *known = arena_array(&w.arena, ROWS, sizeof *known);
    for (size_t i = 0; i < ROWS; i++)
        known[i] = w.set.time[i] + ROWS;
    w.set.known_at = known;
    assert_int_equal(fight(&w, -3, 0, &c), RC_INVALID);
    arena_free(&w.arena);
}

/* As in a store, where each row is known a horizon later: none of the rows that judge, and none
 * whose time was not over by then, is learnt from. */
static void a_challenger_knows_what_was_known_when_the_newest_began(void **state)
{
    struct world w = {0};
    struct contest c;

    (void)state;
    make(&w, ROWS, 3);
    double *known = arena_array(&w.arena, ROWS, sizeof *known);
    for (size_t i = 0; i < ROWS; i++)
        known[i] = w.set.time[i] + 200;
    w.set.known_at = known;
    assert_int_equal(fight(&w, -3, ROWS * 2 / 3, &c), RC_OK);
    assert_in_range(c.n_newest, ROWS / 5 - 1, ROWS / 5);
    assert_true(c.won);
    arena_free(&w.arena);
}

static void a_row_says_what_the_model_asks(void **state)
{
    struct world w = {0};
    struct model *m = champion(1);
    struct cell cell;

    (void)state;
    make(&w, 3, 1);
    size_t *columns = model_columns(m, &w.set.table, &w.arena);
    model_row(m, &w.set.table, columns, 2, &cell);
    assert_true(cell.number == w.column.numbers[2]);
    w.column.name = STR("y");
    columns = model_columns(m, &w.set.table, &w.arena);
    model_row(m, &w.set.table, columns, 2, &cell);
    assert_true(isnan(cell.number) && !cell.text.at);
    model_drop(m);
    arena_free(&w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_better_model_takes_over),
        cmocka_unit_test(nobody_beats_one_that_is_right),
        cmocka_unit_test(without_a_champion_the_rate_is_to_be_beaten),
        cmocka_unit_test(rows_that_the_champion_may_have_learnt_from_do_not_count),
        cmocka_unit_test(leads_that_were_learnt_from_do_not_judge),
        cmocka_unit_test(outcomes_that_came_later_are_not_learnt_from),
        cmocka_unit_test(a_challenger_knows_what_was_known_when_the_newest_began),
        cmocka_unit_test(a_row_says_what_the_model_asks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
