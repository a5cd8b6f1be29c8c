/* tests/unit/test_train_screen.c - columns that are not learnt from, and those that are. */
#include "train_world.h"

#include "../../src/model/logistic.h"
#include "funneld/base/clock.h"

static struct str text_of(struct train_world *w, const char *format, size_t i)
{
    struct str number = arena_printf(&w->arena, "%zu", i);

    return arena_printf(&w->arena, "%s%.*s", format, STR_ARG(number));
}

static void what_only_tells_rows_apart_is_left_out(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(600, 1);
    struct str *key, *serial, *clock, *money;

    (void)state;
    add_signal(&w);
    key = add_texts(&w, "Prospect ID");
    serial = add_texts(&w, "Lead Number");
    clock = add_texts(&w, "Counter");
    money = add_texts(&w, "Revenue");
    for (size_t i = 0; i < w.n; i++) {
        key[i] = text_of(&w, "key-", i * 7919);
        serial[i] = text_of(&w, "", 500000 + i * 7 % 600); /* in no order, none twice */
        clock[i] = text_of(&w, "", 1000000 + 1000 * i * i);
        money[i] = text_of(&w, "", random_below(&w.seed, 100000000));
    }
    train_well(&w);
    assert_left_out(&w, "Prospect ID", "identifier");
    assert_left_out(&w, "Lead Number", "identifier");
    assert_left_out(&w, "Counter", "clock");
    assert_learnt(&w, "Revenue");
}

static void what_is_always_the_same_or_said_twice_is_left_out(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(600, 1);
    struct str *same, *nearly, *shouted, *plain;

    (void)state;
    add_signal(&w);
    plain = add_texts(&w, "plan");
    same = add_texts(&w, "country");
    (void)add_texts(&w, "nothing");
    nearly = add_texts(&w, "newspaper");
    shouted = add_texts(&w, "plan again");
    for (size_t i = 0; i < w.n; i++) {
        plain[i] = random_below(&w.seed, 3) ? STR("free") : STR("pro");
        shouted[i] = str_is(plain[i], "pro") ? STR("PRO") : STR("none of it");
        same[i] = i % 2 ? STR("de ") : STR("DE");
        nearly[i] = i == 7 || i == 99 ? STR("Yes") : STR("No");
    }
    train_well(&w);
    assert_left_out(&w, "country", "constant");
    assert_left_out(&w, "nothing", "empty");
    assert_left_out(&w, "newspaper", "constant");
    assert_left_out(&w, "plan again", "duplicate");
    assert_learnt(&w, "plan");
}

static void what_tells_the_outcome_is_left_out_by_name(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(900, 1);
    struct str *tags, *reason;
    double *seconds;

    (void)state;
    add_signal(&w);
    tags = add_texts(&w, "Tags");
    reason = add_texts(&w, "closed because");
    seconds = add_numbers(&w, "duration");
    for (size_t i = 0; i < w.n; i++) {
        bool yes = w.positive[i];

        tags[i] = chance(&w) < 0.02 ? STR("ringing")
                  : yes             ? STR("will revert")
                                    : STR("not interested");
        if (yes && chance(&w) < 0.5)
            reason[i] = chance(&w) < 0.5 ? STR("price") : STR("quality");
        /* Alone no more than a good column, together with the others far too much. */
        seconds[i] = 300 + 200 * noise(&w) + (yes ? 350 : 0);
    }
    train_well(&w);
    assert_left_out(&w, "Tags", "leakage");
    assert_left_out(&w, "closed because", "leakage");
    assert_left_out(&w, "duration", "leakage");
    assert_learnt(&w, "pages");
    assert_learnt(&w, "source");
    assert_true(report_number(&w, "report.measures.auc") < 0.93);
}

/* Two honest columns that tell much together; nothing else speaks against either. */
static void good_columns_of_a_small_table_are_learnt_from(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(1200, 1);
    double *budget, *need;

    (void)state;
    budget = add_numbers(&w, "budget");
    need = add_numbers(&w, "need");
    for (size_t i = 0; i < w.n; i++) {
        budget[i] = noise(&w);
        need[i] = noise(&w);
        w.positive[i] = chance(&w) < 1 / (1 + exp(-3 * (budget[i] + need[i])));
    }
    train_well(&w);
    assert_learnt(&w, "budget");
    assert_learnt(&w, "need");
    assert_true(str_is(finding(&w, "suspects", "need"), "leakage"));
    assert_true(model_card(w.model)->usable);
}

/* What stands in all rows of a lead tells the lead, though each of its values comes several times.
 */
static void of_leads_with_many_rows_one_row_is_looked_at(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(1200, 1);
    uint32_t *lead = arena_array(&w.arena, w.n, sizeof *lead);
    struct str *key, *serial, *clock;

    (void)state;
    add_signal(&w);
    key = add_texts(&w, "key");
    serial = add_texts(&w, "serial");
    clock = add_texts(&w, "clock");
    for (size_t i = 0; i < w.n; i++) {
        size_t k = i / 4;

        lead[i] = (uint32_t)k;
        key[i] = text_of(&w, "key-", k * 7919);
        serial[i] = text_of(&w, "", 500000 + k * 7 % 300);
        clock[i] = text_of(&w, "", 1000000 + 1000 * k * k);
    }
    w.set.group = lead;
    train_well(&w);
    assert_left_out(&w, "key", "identifier");
    assert_left_out(&w, "serial", "identifier");
    assert_left_out(&w, "clock", "clock");
    assert_learnt(&w, "pages");
}

static void what_is_to_be_kept_is_kept_and_told(void **state)
{
    const struct str keep[] = {STR("tags"), STR("id")}, exclude[] = {STR("Pages")};
    struct train_world w AUTO(train_world_free) = train_world(400, 1);
    struct str *tags, *id;

    (void)state;
    add_signal(&w);
    tags = add_texts(&w, "Tags");
    id = add_texts(&w, "id");
    for (size_t i = 0; i < w.n; i++) {
        tags[i] = w.positive[i] ? STR("won") : STR("lost");
        id[i] = text_of(&w, "", 1000 + i * 7 % 400);
    }
    w.o.keep = keep;
    w.o.n_keep = 2;
    w.o.exclude = exclude;
    w.o.n_exclude = 1;
    train_well(&w);
    assert_learnt(&w, "Tags");
    assert_learnt(&w, "id");
    assert_true(str_is(finding(&w, "suspects", "Tags"), "leakage"));
    assert_true(str_is(finding(&w, "suspects", "id"), "identifier"));
    assert_left_out(&w, "pages", "asked");
}

static void another_tools_columns_and_asked_ones_are_suspected(void **state)
{
    static const char *const names[] = {"grade a", "grade b", "grade c"};
    struct train_world w AUTO(train_world_free) = train_world(800, 1);
    struct str *asked, *last, *grade[3];

    (void)state;
    add_signal(&w);
    asked = add_texts(&w, "occupation");
    last = add_texts(&w, "Last Activity");
    for (size_t k = 0; k < 3; k++)
        grade[k] = add_texts(&w, names[k]);
    for (size_t i = 0; i < w.n; i++) {
        bool graded = random_below(&w.seed, 2);

        if (chance(&w) < (w.positive[i] ? 0.9 : 0.5))
            asked[i] = random_below(&w.seed, 2) ? STR("student") : STR("working");
        last[i] = random_below(&w.seed, 2) ? STR("email opened") : STR("page visited");
        for (size_t k = 0; k < 3 && graded; k++)
            grade[k][i] = text_of(&w, "grade ", random_below(&w.seed, 4));
    }
    train_well(&w);
    assert_learnt(&w, "occupation");
    assert_true(finding(&w, "suspects", "occupation").at);
    assert_true(finding(&w, "suspects", "Last Activity").at);
    assert_true(finding(&w, "suspects", "grade a").at);
    assert_true(finding(&w, "suspects", "grade c").at);
    assert_null(finding(&w, "suspects", "source").at);
}

/* What a column's cell of such a text is worth, beside one that is empty. */
static void assert_means_missing(const struct train_world *w, const char *column, const char *text)
{
    struct cell cells[WORLD_COLUMNS], empty[WORLD_COLUMNS];
    size_t at;

    assert_true(model_input_find(w->model, str_of(column), &at));
    for (size_t i = 0; i < WORLD_COLUMNS; i++)
        cells[i] = empty[i] = (struct cell){STR_NULL, NAN};
    cells[at].text = str_of(text);
    assert_int_equal(model_bin(w->model, at, &cells[at], 0), model_bins(w->model, at) - 1);
    assert_true(model_probability(w->model, cells, 0) == model_probability(w->model, empty, 0));
}

static void words_and_numbers_that_say_nothing_are_missing(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(600, 1);
    struct str *city, *days, *page;

    (void)state;
    add_signal(&w);
    city = add_texts(&w, "city");
    days = add_texts(&w, "pdays");
    page = add_texts(&w, "landing page");
    for (size_t i = 0; i < w.n; i++) {
        city[i] = random_below(&w.seed, 2) ? STR("Select") : STR("Bonn");
        if (chance(&w) < 0.3)
            city[i] = STR("Kiel");
        days[i] = chance(&w) < 0.7 ? STR("999") : text_of(&w, "", random_below(&w.seed, 20));
        page[i] = random_below(&w.seed, 2) ? STR("d41d8cd98f00b204e9800998ecf8427e")
                                           : text_of(&w, "p", random_below(&w.seed, 3));
    }
    train_well(&w);
    assert_means_missing(&w, "city", " SELECT");
    assert_means_missing(&w, "pdays", "999");
    assert_means_missing(&w, "landing page", "d41d8cd98f00b204e9800998ecf8427e");
}

/* A date is worth something only as an age, and an age needs a time. */
static void dates_are_ages_where_the_time_is_known(void **state)
{
    struct train_world dated AUTO(train_world_free) = train_world(600, 1);
    struct train_world undated AUTO(train_world_free) = train_world(600, 1);
    double *time = arena_array(&dated.arena, dated.n, sizeof *time);
    char text[TIME_TEXT];

    (void)state;
    for (struct train_world *const *w = (struct train_world *[]){&dated, &undated, NULL}; *w; w++) {
        struct str *since;

        add_signal(*w);
        since = add_texts(*w, "customer since");
        for (size_t i = 0; i < (*w)->n; i++) {
            int64_t days = (int64_t)random_below(&(*w)->seed, 300);

            time[i] = 1.7e12 + 864e5 * (double)i;
            time_text((int64_t)time[i] - days * DAYS_MS, text);
            since[i] = arena_str(&(*w)->arena, (struct str){text, 10});
            (*w)->positive[i] = chance(*w) < (days < 100 ? 0.6 : 0.1);
        }
    }
    dated.set.time = time;
    dated.set.time_is_ms = true;
    train_well(&dated);
    train_well(&undated);
    assert_learnt(&dated, "customer since");
    assert_true(model_card(dated.model)->usable);
    assert_left_out(&undated, "customer since", "date");
}

static void numbers_with_a_decimal_comma_are_told(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(300, 1);
    struct str *price, *pair;

    (void)state;
    add_signal(&w);
    price = add_texts(&w, "price");
    pair = add_texts(&w, "pair");
    for (size_t i = 0; i < w.n; i++) {
        price[i] = arena_printf(&w.arena, "%d,%d", (int)random_below(&w.seed, 1000), (int)(i % 10));
        pair[i] = i % 2 ? STR("a,b") : STR("1,2,3");
    }
    train_well(&w);
    assert_true(str_is(finding(&w, "suspects", "price"), "number"));
    assert_null(finding(&w, "suspects", "pair").at);
}

static void a_name_that_no_model_may_have_is_left_out_before_the_work(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(300, 1);
    char name[MODEL_INPUT_NAME_BYTES + 2] = {0};
    struct str *texts;

    (void)state;
    memset(name, 'x', MODEL_INPUT_NAME_BYTES + 1);
    add_signal(&w);
    texts = add_texts(&w, name);
    for (size_t i = 0; i < w.n; i++)
        texts[i] = i % 2 ? STR("a") : STR("b");
    train_well(&w);
    assert_left_out(&w, name, "name");
}

/* A lesson of so many columns of numbers, the later ones of which tell more. */
static struct lesson many_columns(struct train_world *w, size_t n)
{
    struct column *columns = arena_array(&w->arena, n, sizeof *columns);
    uint32_t *row = arena_array(&w->arena, w->n, sizeof *row);
    double *base = arena_array(&w->arena, w->n, sizeof *base);
    struct lesson l = {.set = &w->set, .o = &w->o, .arena = &w->arena, .row = row, .n = w->n};

    for (size_t k = 0; k < n; k++) {
        double *numbers = arena_array(&w->arena, w->n, sizeof *numbers);

        for (size_t i = 0; i < w->n; i++)
            numbers[i] = i % 3 ? noise(w) : NAN;
        columns[k] = (struct column){.name = text_of(w, "c", k), .numbers = numbers};
    }
    for (size_t i = 0; i < w->n; i++) {
        row[i] = (uint32_t)i;
        base[i] = NAN;
    }
    w->set.table = (struct table){columns, n, w->n};
    l.report = ARENA_NEW(&w->arena, struct training_report);
    l.positive = w->positive;
    l.base = base;
    columns_read(&l);
    for (size_t k = 0; k < n; k++)
        l.columns[k].tells = (double)k;
    encoding_learn(&l);
    return l;
}

static void of_too_many_columns_those_that_tell_most_are_learnt_from(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(30, 1);
    struct lesson l = many_columns(&w, MODEL_MAX_INPUTS + 3);
    struct logistic_lesson g = {0};

    (void)state;
    assert_int_equal(l.n_inputs, MODEL_MAX_INPUTS);
    assert_true(str_is(l.inputs[0].name, "c3"));
    assert_int_equal(l.report->excluded.n, 3);
    assert_string_equal(l.report->excluded.at[0].kind, "many");
    /* and of those a line takes still fewer, each with what is missing */
    assert_true(logistic_learn(&l, &g));
    assert_int_equal(g.rows.n_features, 500);
    assert_int_equal(g.rows.start[1], 250);
    assert_true(g.scale[0] == 0 && g.missing[0] == 0);
    assert_true(g.scale[MODEL_MAX_INPUTS - 1] > 0 && g.missing[MODEL_MAX_INPUTS - 1] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_tells_rows_apart_is_left_out),
        cmocka_unit_test(what_is_always_the_same_or_said_twice_is_left_out),
        cmocka_unit_test(what_tells_the_outcome_is_left_out_by_name),
        cmocka_unit_test(good_columns_of_a_small_table_are_learnt_from),
        cmocka_unit_test(of_leads_with_many_rows_one_row_is_looked_at),
        cmocka_unit_test(what_is_to_be_kept_is_kept_and_told),
        cmocka_unit_test(another_tools_columns_and_asked_ones_are_suspected),
        cmocka_unit_test(words_and_numbers_that_say_nothing_are_missing),
        cmocka_unit_test(numbers_with_a_decimal_comma_are_told),
        cmocka_unit_test(a_name_that_no_model_may_have_is_left_out_before_the_work),
        cmocka_unit_test(of_too_many_columns_those_that_tell_most_are_learnt_from),
        cmocka_unit_test(dates_are_ages_where_the_time_is_known),
    };

    booster_prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
