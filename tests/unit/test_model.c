/* tests/unit/test_model.c - a model is what its texts say, and explains what it answers. */
#include "model_world.h"

static void is_near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%.17g is not %.17g", a, b);
}

static const double shares[] = {0, 0.3, 1};

static void the_sample_row_is_answered_as_where_it_was_trained(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        struct model_world w = {0};

        model_world_open(&w, shares[i]); /* refused if it were not */
        model_world_close(&w);
    }
}

static void the_card_says_what_it_is(void **state)
{
    struct model_world w = {0};
    double q[3];
    size_t input = 9;

    (void)state;
    model_world_open(&w, 0.3);
    const struct model_card *c = model_card(w.model);
    assert_true(str_is(c->name, "main"));
    assert_int_equal(c->goal, GOAL_CONVERSION);
    assert_int_equal(c->horizon_ms, INT64_C(90) * DAY);
    assert_int_equal(c->trained_at, INT64_C(1772366400000));
    assert_true(c->usable);
    assert_true(str_is(c->kind, "blend"));
    assert_true(str_starts(c->verdict, STR("trees and")));
    assert_int_equal(c->n_inputs, 5);
    assert_int_equal(c->n_rows, 2000);
    assert_int_equal(c->n_positive, 800);
    is_near(c->base_rate, 0.4, 0);
    model_quartiles(w.model, q);
    is_near(q[2], 0.6, 0);
    assert_true(model_input_find(w.model, STR("trial"), &input));
    assert_int_equal(input, 2);
    assert_false(model_input_find(w.model, STR("tria"), &input));
    assert_true(str_is(model_input_name(w.model, 1), "seats"));
    model_world_close(&w);
}

/* Texts, sentinels, numbers without sense, dates, nothing at all. */
static void random_cells(struct arena *a, uint64_t *seed, struct cell ret[])
{
    static const char *const texts[] = {
        "de",         "FR",    " Fr\t",    "it",           "unknown", "",
        NULL,         "999",   "12",       "-3.5",         "1e9",     "nan",
        "0x10",       "yes",   "No",       "true",         "0",       "2024-01-31",
        "2024-13-31", "1e400", "\xff\xfe", "1727740800000"};

    for (size_t i = 0; i < WORLD_INPUTS; i++)
        ret[i] = cell_text_of(texts[random_below(seed, ARRAY_LEN(texts))]);
    if (random_below(seed, 2))
        ret[4] = cell_number_of((double)random_below(seed, 30));
    if (random_below(seed, 50) == 0) {
        char *huge = arena_alloc(a, 100000);

        memset(huge, 'x', 100000);
        ret[0].text = (struct str){huge, 100000};
        ret[1].text = (struct str){huge, 100000};
    }
    if (random_below(seed, 20) == 0)
        ret[4] = cell_number_of(random_below(seed, 2) ? INFINITY : -1e300);
}

static void parts_and_bias_add_up_to_the_log_odds(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        struct model_world w = {0};

        model_world_open(&w, shares[i]);
        double usual = 0, first = NAN;
        int compared = 0;
        for (int k = 0; k < 2000; k++) {
            struct arena a AUTO(arena_free) = {0};
            struct cell cells[WORLD_INPUTS];
            double parts[WORLD_INPUTS], bias;
            int64_t at = random_below(&seed, 3) ? WORLD_AT : 0;

            random_cells(&a, &seed, cells);
            double p = model_probability(w.model, cells, at);
            assert_true(p >= 0 && p <= 1);
            model_explain(w.model, cells, at, &a, parts, &bias);
            for (size_t c = 0; c < WORLD_INPUTS; c++)
                usual += parts[c];
            double sum = bias;
            for (size_t c = 0; c < WORLD_INPUTS; c++)
                sum += parts[c];
            is_near(sum, 0.9 * model_margin(w.model, cells, at) + 0.1, 1e-9 * (1 + fabs(sum)));
            if (fabs(sum) > 20)
                continue; /* as far as doubles go */
            is_near(log(p / (1 - p)), sum, 1e-6);
            double mean = w.model->share * w.model->trees.mean;
            if (w.model->logistic.weight)
                mean += (1 - w.model->share) * w.model->logistic.bias;
            is_near(bias, w.model->platt_a * mean + w.model->platt_b, 1e-5);
            first = isnan(first) ? bias : first;
            is_near(bias, first, 1e-6); /* it is the same for every row */
            compared++;
        }
        assert_true(compared > 1000);
        assert_true(fabs(usual) > 1); /* they say something at all */
        model_world_close(&w);
    }
}

/* Printed ones: to a whole point, or to a tenth below one; what is below a twentieth is not said.
 */
static double printed_points(struct str reasons, size_t *ret_n)
{
    double sum = 0;

    *ret_n = 0;
    for (size_t i = 0; i + 3 < reasons.len; i++)
        if (reasons.at[i] == ':' && (reasons.at[i + 2] == '+' || reasons.at[i + 2] == '-')) {
            sum += strtod(reasons.at + i + 2, NULL);
            ++*ret_n;
        }
    return sum;
}

static void printed_points_add_up_to_the_way_from_the_base(void **state)
{
    struct model_world w = {0};
    uint64_t seed = 9;

    (void)state;
    model_world_open(&w, 0.3);
    for (int k = 0; k < 500; k++) {
        struct arena a AUTO(arena_free) = {0};
        struct cell cells[WORLD_INPUTS];
        double parts[WORLD_INPUTS], bias;
        size_t n = 0;

        random_cells(&a, &seed, cells);
        model_explain(w.model, cells, WORLD_AT, &a, parts, &bias);
        double way = 100 * (model_probability(w.model, cells, WORLD_AT) - sigmoid(bias));
        double told = printed_points(model_reasons(w.model, cells, WORLD_AT, WORLD_INPUTS, &a), &n);
        is_near(told, way, 0.5 * (double)n + 0.05 * (double)(WORLD_INPUTS - n) + 1e-6);
    }
    model_world_close(&w);
}

static void reasons_are_in_words_and_add_up_to_the_way_from_the_base(void **state)
{
    struct model_world w = {0};
    struct cell cells[WORLD_INPUTS];

    (void)state;
    model_world_open(&w, 0);
    memcpy(cells, world_cells, sizeof cells);
    struct str all = model_reasons(w.model, cells, WORLD_AT, 9, &w.arena);
    for (size_t i = 0; i < 5; i++) {
        static const char *const words[] = {"country is DE: +", "seats is 12.5: +",
                                            "trial is yes: +", "signed_up was 90 days ago: +",
                                            "pricing 4 times in 30 days: +"};
        if (!str_find(all, str_of(words[i])))
            fail_msg("%s is not in %.*s", words[i], STR_ARG(all));
    }
    cells[0] = cell_text_of(NULL);
    cells[1] = cell_text_of("999");
    cells[2] = cell_text_of("NO");
    cells[3] = cell_text_of("2024-10-30");
    cells[4] = cell_number_of(0);
    all = model_reasons(w.model, cells, WORLD_AT, 9, &w.arena);
    for (size_t i = 0; i < 5; i++) {
        static const char *const words[] = {"country is not known: -", "seats is not known: -",
                                            "trial is no: -", "signed_up is in 26 days: +",
                                            "no pricing in 30 days: -"};
        if (!str_find(all, str_of(words[i])))
            fail_msg("%s is not in %.*s", words[i], STR_ARG(all));
    }
    assert_true(str_starts(model_reasons(w.model, cells, WORLD_AT, 1, &w.arena),
                           STR("signed_up is in 26 days: +")));
    assert_int_equal(model_reasons(w.model, cells, WORLD_AT, 0, &w.arena).len, 0);
    model_world_close(&w);
}

static void hostile_texts_stay_short_and_whole(void **state)
{
    struct model_world w = {0};
    struct cell cells[WORLD_INPUTS];
    char huge[5000];

    (void)state;
    model_world_open(&w, 0);
    memcpy(cells, world_cells, sizeof cells);
    for (size_t i = 0; i + 2 <= sizeof huge; i += 2)
        memcpy(huge + i, "\xc3\xa9", 2);
    huge[0] = 'a';
    huge[1] = '\n';
    cells[0].text = (struct str){huge, sizeof huge};
    struct str all = model_reasons(w.model, cells, WORLD_AT, 9, &w.arena);
    assert_true(all.len < 400);
    assert_true(str_is_utf8(all));
    assert_null(str_chr(all, '\n'));
    assert_non_null(str_find(all, STR("...")));
    model_world_close(&w);
}

static void unseen_levels_and_missing_ones_have_features_of_their_own(void **state)
{
    static const struct {
        const char *text;
        float wanted[4];
    } cases[] = {{"de", {1, 0, 0, 0}}, {" DE\r\n", {1, 0, 0, 0}}, {"Fr", {0, 1, 0, 0}},
                 {"it", {0, 0, 1, 0}}, {"d", {0, 0, 1, 0}},       {"", {0, 0, 0, 1}},
                 {NULL, {0, 0, 0, 1}}, {"  ", {0, 0, 0, 1}},      {"Unknown", {0, 0, 0, 1}}};
    struct model_world w = {0};

    (void)state;
    model_world_open(&w, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cell c = cell_text_of(cases[i].text);
        float x[4];

        model_encode(&w.model->inputs[0], 1, &c, 0, x);
        assert_memory_equal(x, cases[i].wanted, sizeof x);
    }
    model_world_close(&w);
}

static float encoded(const struct model_world *w, size_t input, struct cell c, int64_t at)
{
    float x[WORLD_FEATURES];
    struct input in = w->model->inputs[input];

    in.feature = 0;
    model_encode(&in, 1, &c, at, x);
    return x[0];
}

static void numbers_truths_and_dates_are_understood_strictly(void **state)
{
    struct model_world w = {0};

    (void)state;
    model_world_open(&w, 0);
    assert_true(encoded(&w, 1, cell_text_of("12"), 0) == 12);
    assert_true(encoded(&w, 1, cell_text_of(" -1.5e2 "), 0) == -150);
    assert_true(encoded(&w, 1, cell_text_of(".5"), 0) == 0.5F);
    assert_true(encoded(&w, 1, cell_text_of("1e300"), 0) < INFINITY);
    assert_true(encoded(&w, 1, cell_number_of(-INFINITY), 0) > -INFINITY);
    static const char *const no_numbers[] = {"999", "",  "-",  "1,5",   "1 2", "0x1", "inf", "nan",
                                             "1e",  ".", "e5", "1e400", "12a", "--1", "+-1"};
    for (size_t i = 0; i < ARRAY_LEN(no_numbers); i++)
        if (!isnan(encoded(&w, 1, cell_text_of(no_numbers[i]), 0)))
            fail_msg("%s is a number", no_numbers[i]);
    assert_true(encoded(&w, 2, cell_text_of("TRUE"), 0) == 1);
    assert_true(encoded(&w, 2, cell_text_of("no"), 0) == 0);
    assert_true(isnan(encoded(&w, 2, cell_text_of("perhaps"), 0)));
    assert_true(encoded(&w, 3, cell_text_of("2024-07-06"), WORLD_AT) == 90);
    assert_true(encoded(&w, 3, cell_text_of("2024-10-14T00:00:00Z"), WORLD_AT) == -10);
    assert_true(isnan(encoded(&w, 3, cell_text_of("2024-07-06"), 0))); /* at no time */
    assert_true(isnan(encoded(&w, 3, cell_text_of("yesterday"), WORLD_AT)));
    model_world_close(&w);
}

static void counts_like_those_of_the_training_have_no_psi(void **state)
{
    struct model_world w = {0};
    struct cell de = cell_text_of("De"), none = cell_text_of(NULL);

    (void)state;
    model_world_open(&w, 0);
    assert_int_equal(model_bins(w.model, 0), 4);
    assert_int_equal(model_bin(w.model, 0, &de, 0), 0);
    assert_int_equal(model_bin(w.model, 0, &none, 0), 3);
    assert_int_equal(model_bin(w.model, 1, &(struct cell){.number = 2}, 0), 0);
    assert_int_equal(model_bin(w.model, 1, &(struct cell){.number = 2.1}, 0), 1);
    assert_int_equal(model_bin(w.model, 1, &(struct cell){.number = 1e9}, 0), 2);
    assert_int_equal(model_bin(w.model, 1, &none, 0), 3);
    is_near(model_psi(w.model, 0, (const uint32_t[]){50, 20, 20, 10}), 0, 1e-12);
    is_near(model_psi(w.model, 0, (const uint32_t[]){20, 50, 20, 10}), 2 * 0.3 * log(2.5), 1e-12);
    is_near(model_psi(w.model, 0, (const uint32_t[]){0, 0, 0, 0}), 0, 0);
    assert_true(model_psi(w.model, 0, (const uint32_t[]){0, 0, 0, 7}) > 1);
    model_world_close(&w);
}

static void references_keep_it(void **state)
{
    struct model_world w = {0};

    (void)state;
    model_world_open(&w, 0);
    struct model *again = model_take(w.model);
    model_drop(w.model);
    assert_true(str_is(model_card(again)->name, "main"));
    assert_null(model_take(NULL));
    model_drop(NULL);
    model_world_close(&w);
}

static void all_of_it_takes_few_microseconds(void **state)
{
    enum { TIMES = 20000 };
    struct model_world w = {0};
    double sum = 0;

    (void)state;
    model_world_open(&w, 0.3);
    int64_t start = clock_mono_us();
    for (int i = 0; i < TIMES; i++)
        sum += model_probability(w.model, world_cells, WORLD_AT + i);
    int64_t took = clock_mono_us() - start;
    print_message("%.2f us (%f)\n", (double)took / TIMES, sum);
    assert_true(took < 500 * TIMES);
    model_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_row_is_answered_as_where_it_was_trained),
        cmocka_unit_test(the_card_says_what_it_is),
        cmocka_unit_test(parts_and_bias_add_up_to_the_log_odds),
        cmocka_unit_test(printed_points_add_up_to_the_way_from_the_base),
        cmocka_unit_test(reasons_are_in_words_and_add_up_to_the_way_from_the_base),
        cmocka_unit_test(hostile_texts_stay_short_and_whole),
        cmocka_unit_test(unseen_levels_and_missing_ones_have_features_of_their_own),
        cmocka_unit_test(numbers_truths_and_dates_are_understood_strictly),
        cmocka_unit_test(counts_like_those_of_the_training_have_no_psi),
        cmocka_unit_test(references_keep_it),
        cmocka_unit_test(all_of_it_takes_few_microseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
