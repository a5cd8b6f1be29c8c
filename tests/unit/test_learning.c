/* tests/unit/test_learning.c - rows of a lead's past: what was known by then, and what came of it.
 */
#include "../../src/pipeline/learning_priv.h"
#include "learning_world.h"

static void note_name(void *self, struct str name)
{
    *(struct str *)self = name;
}

/* Ages at which a lead is looked at: 1 h, 1 d, 7 d, 30 d, 90 d, 365 d. */
static void later(struct pipeline *p, int64_t ms)
{
    p->now += ms;
}

static void what_came_after_a_date_is_not_in_its_row(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 3 * DAY);
    change(p, 7, "plan", "large");
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 5);
    TEXT(text_at(&l, "plan", 0), "small");
    TEXT(text_at(&l, "plan", 1), "small");
    TEXT(text_at(&l, "plan", 2), "large");
    assert_true(l.set.time[0] == (double)(START + HOUR));
    assert_true(l.set.time[2] == (double)(START + 7 * DAY));
    learning_free(&l);
}

/* What was late news at a date was not known, however long ago it had happened. */
static void late_news_count_from_when_they_came(void **state)
{
    struct pipeline *p = *state;
    int64_t happened = START + HOUR / 2;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 3 * DAY);
    post_one(p, change_json(p, 7, "plan", "large", happened));
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    TEXT(text_at(&l, "plan", 1), "small");
    TEXT(text_at(&l, "plan", 2), "large");
    learning_free(&l);
}

static void an_outcome_within_the_horizon_is_one(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 20 * DAY);
    change(p, 7, "stage", "won");
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 3); /* behind it there is nothing left to foresee */
    for (size_t i = 0; i < 3; i++) {
        assert_true(l.set.positive[i]);
        assert_true(l.set.known_at[i] == l.set.time[i] + (double)(30 * DAY));
        assert_int_equal(l.set.group[i], l.set.group[0]);
    }
    learning_free(&l);
}

/* From the row at one day the horizon ends after 31: just in it, and just behind it. */
static void the_horizon_ends_on_the_millisecond(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    change(p, 8, "plan", "small");
    later(p, 31 * DAY);
    change(p, 7, "stage", "won");
    later(p, 1);
    change(p, 8, "stage", "won");
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    size_t yes = 0, no = 0;
    for (size_t i = 0; i < l.set.table.n_rows; i++)
        if (l.set.time[i] == (double)(START + DAY)) {
            yes += l.set.positive[i];
            no += !l.set.positive[i];
            if (!l.set.positive[i])
                assert_true(l.set.known_at[i] == (double)(START + 31 * DAY));
        }
    assert_int_equal(yes, 1);
    assert_int_equal(no, 1);
    learning_free(&l);
}

static void open_ones_are_left_out_and_counted(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 31 * DAY); /* the rows at 7 and 30 days are open; that at one day has just ended */
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 2);
    assert_false(l.set.positive[0] || l.set.positive[1]);
    assert_int_equal(l.censored, 2);
    learning_free(&l);
    later(p, -1);
    l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 1);
    assert_int_equal(l.censored, 3);
    learning_free(&l);
}

/* Else those that are quick to reach it would be learnt from, and the others of their day not. */
static void a_time_that_is_not_over_is_open_whatever_came(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 2 * DAY);
    change(p, 7, "stage", "won");
    later(p, 20 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 0);
    assert_int_equal(l.censored, 2);
    learning_free(&l);
    later(p, 300 * DAY);
    l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 2);
    learning_free(&l);
}

static void a_record_that_went_away_is_open(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 10 * DAY);
    tell(p, "contact.deletion", 7);
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 0);
    assert_int_equal(l.censored, 3);
    learning_free(&l);
}

/* Else of those who went away only those who had bought would be learnt from. */
static void it_is_open_whatever_had_come_of_it(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 10 * DAY);
    change(p, 7, "stage", "won");
    later(p, 10 * DAY);
    tell(p, "contact.deletion", 7);
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 0);
    assert_int_equal(l.censored, 3);
    learning_free(&l);
}

static void who_had_reached_the_goal_at_first_gives_no_row(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "stage", "won");
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 0);
    assert_int_equal(l.reached, 1);
    learning_free(&l);
}

/* The outcome counts from when it happened, a row before that it had come in is one that must not
 * be learnt from. */
static void an_outcome_that_had_happened_is_not_foreseen(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 10 * DAY);
    post_one(p, change_json(p, 7, "stage", "won", START + 2 * DAY));
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 2); /* an hour and a day, not seven */
    assert_true(l.set.positive[1]);
    assert_true(l.set.known_at[1] == (double)(START + 31 * DAY));
    learning_free(&l);
}

static void what_the_goal_looks_at_and_what_we_write_is_left_out(void **state)
{
    struct pipeline *p = *state;
    const struct imported i = {
        .email = STR("a@example.com"),
        .at = START,
        .properties = (struct field[]){{STR("funneld_score"), STR("9")},
                                       {STR("plan"), STR("small")},
                                       {STR("stage"), STR("lead")}},
        .n_properties = 3,
    };

    load(p, CONF);
    (void)import_one(p, &i);
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_non_null(column(&l, "plan"));
    assert_null(column(&l, "stage"));
    assert_null(column(&l, "funneld_score"));
    assert_string_equal(why_left_out(&l, "stage"), "the goal itself is told by it");
    assert_string_equal(why_left_out(&l, "funneld_score"), "funneld writes it");
    learning_free(&l);
}

static void what_leads_did_and_what_rules_gave_is_as_of_then(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, HOUR / 2);
    change(p, 7, "page", "pricing");
    later(p, 2 * DAY);
    change(p, 7, "page", "pricing");
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_true(number_at(&l, "@event.page.count.7d", 0) == 1);
    assert_true(number_at(&l, "@event.page.count.30d", 2) == 2);
    assert_true(number_at(&l, "@event.page.count.7d", 3) == 0);
    assert_true(number_at(&l, "@event.page.count.90d", 3) == 2);
    assert_true(number_at(&l, "@rule.pricing.count.30d", 0) == 1);
    assert_true(number_at(&l, "@rule.pricing.count.30d", 2) == 2);
    assert_true(number_at(&l, "@engagement", 0) == 25.5);
    assert_true(number_at(&l, "@engagement", 2) == 51);
    assert_true(fabs(number_at(&l, "@age.days", 2) - 7) < 1e-9);
    TEXT(text_at(&l, "@source", 0), "hubspot");
    learning_free(&l);
}

static void those_who_were_merged_have_one_past(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 2 * DAY);
    change(p, 8, "size", "9");
    later(p, DAY);
    merge(p, 8, 7);
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.leads, 1);
    assert_int_equal(l.set.table.n_rows, 5);
    TEXT(text_at(&l, "size", 2), "9");
    assert_null(text_at(&l, "size", 1).at);
    learning_free(&l);
}

static void leads_whose_beginning_was_purged_are_left_out(void **state)
{
    struct pipeline *p = *state;
    bool done = false;

    load(p, CONF);
    change(p, 7, "plan", "small");
    later(p, 10 * DAY);
    change(p, 7, "plan", "large");
    change(p, 8, "plan", "large");
    while (!done)
        OK(store_purge_events(p->w->store, START + DAY, INT64_MAX, 100, &done));
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.leads, 2);
    assert_int_equal(l.cut, 1);
    assert_int_equal(l.set.table.n_rows, 5);
    assert_int_equal(l.purged_at, START);
    learning_free(&l);
}

static void what_was_imported_counts_from_when_it_happened(void **state)
{
    struct pipeline *p = *state;
    const int64_t then = START - 300 * DAY;
    struct imported i = {.portal_id = PORTAL, .crm_id = 7, .at = then, .first_at = then - DAY};

    load(p, CONF);
    change(p, 8, "page", "pricing"); /* it is no kind of the past alone */
    i.property = STR("page");
    i.value = STR("pricing");
    (void)import_one(p, &i);
    i.at = then + 20 * DAY;
    i.property = STR("stage");
    i.value = STR("won");
    (void)import_one(p, &i);
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 3);
    assert_true(l.set.time[0] == (double)(then + HOUR) && l.set.positive[0]);
    assert_true(number_at(&l, "@rule.pricing.count.30d", 0) == 1);
    assert_true(number_at(&l, "@event.page.count.7d", 1) == 1);
    learning_free(&l);
}

static void where_there_are_too_many_leads_are_passed_over_evenly(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    for (int64_t c = 1; c <= 100; c++)
        change(p, c, "plan", c % 2 ? "small" : "large");
    later(p, 300 * DAY);
    struct learning l = learn(p, 250);
    assert_int_equal(l.leads, 100);
    assert_in_range(l.sampled, 40, 50);
    assert_in_range(l.set.table.n_rows, 200, 250);
    assert_true(l.set.group[l.set.table.n_rows - 1] > 90);
    learning_free(&l);
}

/* As names and addresses do, in a store of millions. */
static void a_column_with_too_many_texts_is_passed_over(void **state)
{
    struct pipeline *p = *state;
    struct arena *a = &p->w->arena;
    const struct str names[] = {STR("name"), STR("plan"), STR("visits")};
    struct rows *rows = rows_new(names, ARRAY_LEN(names), a);
    const struct snapshot at = {.outcome = OUTCOME_NO};
    struct str passed = STR_NULL;

    for (int i = 0; i < 20001; i++) {
        struct property properties[] = {{STR("name"), arena_printf(a, "n%d", i), 1, {{0}}, false},
                                        {STR("plan"), STR("small"), 1, {{0}}, false},
                                        {STR("visits"), arena_printf(a, "%d", i), 1, {{0}}, false}};
        const struct lead lead = {.properties = properties, .n_properties = 3};
        const struct lead_view v = {.lead = &lead, .at = START};

        rows_put(rows, 0, &v);
        rows_keep(rows, rows, 0, &at, 1);
        rows_pass_over(rows, note_name, &passed);
        assert_true((passed.len > 0) == (i == 20000));
    }
    TEXT(passed, "name");
    rows_free(rows);
}

/* Else a model of who leaves would learn who is a customer. */
static void rows_are_of_leads_among_whom_it_happens_as_they_were_then(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF "[goal conversion]\nwhen = lead.stage == \"left\"\n"
                       "among = lead.stage == \"won\"\nhorizon = 30d\n");
    change(p, 7, "plan", "small");
    change(p, 8, "plan", "never");
    change(p, 9, "stage", "won");
    later(p, 20 * DAY);
    change(p, 7, "stage", "won");
    change(p, 8, "stage", "left");
    later(p, 20 * DAY);
    change(p, 7, "stage", "left");
    later(p, 300 * DAY);
    struct learning l = learn(p, 0);
    assert_int_equal(l.set.table.n_rows, 6); /* of 7 that at 30 days, of 9 all */
    size_t positive = 0;
    for (size_t i = 0; i < l.set.table.n_rows; i++) {
        assert_false(str_is(text_at(&l, "plan", i), "never"));
        positive += l.set.positive[i];
        if (l.set.positive[i])
            TEXT(text_at(&l, "plan", i), "small");
    }
    assert_int_equal(positive, 1);
    assert_int_equal(l.others, 3 + 3);
    assert_int_equal(l.reached, 0);
    learning_free(&l);
}

static void it_can_be_stopped(void **state)
{
    struct pipeline *p = *state;
    atomic_bool stop = true;

    load(p, CONF);
    change(p, 7, "plan", "small");
    struct learning l = {.rules = p->rules,
                         .goal = goal_of(p),
                         .horizon_ms = 30 * DAY,
                         .now_ms = p->now,
                         .stop = &stop};
    assert_int_equal(learning_read(&l, p->w->reader), RC_CLOSED);
    learning_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(what_came_after_a_date_is_not_in_its_row),
        CHECKS(late_news_count_from_when_they_came),
        CHECKS(an_outcome_within_the_horizon_is_one),
        CHECKS(the_horizon_ends_on_the_millisecond),
        CHECKS(open_ones_are_left_out_and_counted),
        CHECKS(a_time_that_is_not_over_is_open_whatever_came),
        CHECKS(a_record_that_went_away_is_open),
        CHECKS(it_is_open_whatever_had_come_of_it),
        CHECKS(who_had_reached_the_goal_at_first_gives_no_row),
        CHECKS(an_outcome_that_had_happened_is_not_foreseen),
        CHECKS(what_the_goal_looks_at_and_what_we_write_is_left_out),
        CHECKS(what_leads_did_and_what_rules_gave_is_as_of_then),
        CHECKS(those_who_were_merged_have_one_past),
        CHECKS(leads_whose_beginning_was_purged_are_left_out),
        CHECKS(what_was_imported_counts_from_when_it_happened),
        CHECKS(where_there_are_too_many_leads_are_passed_over_evenly),
        CHECKS(a_column_with_too_many_texts_is_passed_over),
        CHECKS(rows_are_of_leads_among_whom_it_happens_as_they_were_then),
        CHECKS(it_can_be_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
