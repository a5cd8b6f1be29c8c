/* tests/unit/test_trees.c - trees walked here are XGBoost's to the bit, and so are their reasons.
 */
#include "xgboost_world.h"

#include <stdio.h>

#include "../../src/model/model_priv.h"
#include "funneld/base/clock.h"

static struct xgboost xg;

static int open_library(void **state)
{
    (void)state;
    xgboost_open(&xg);
    return 0;
}

static void is_near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%.17g is not %.17g", a, b);
}

struct forest {
    struct arena arena;
    BoosterHandle booster;
    struct str text;
    struct trees trees;
    size_t columns;
    uint64_t seed;
};

static void grow(struct forest *f, struct grown g)
{
    struct why why = {0};

    f->seed = 7;
    f->columns = g.columns;
    f->booster = xgboost_grow(&xg, &g, &f->arena, &f->seed);
    f->text = xgboost_text(&xg, f->booster, &f->arena);
    if (trees_read(f->text, g.columns, &f->arena, &f->trees, &why) != RC_OK)
        fail_msg("%s", why.text);
    assert_int_equal(f->trees.n_trees, g.rounds);
}

static void fell(struct forest *f)
{
    assert_int_equal(xg.XGBoosterFree(f->booster), 0);
    arena_free(&f->arena);
}

static const struct grown forests[] = {
    {.columns = 12, .rounds = 300, .depth = 5, .base_score = "0.384"},
    {.columns = 5, .rounds = 40, .depth = 8, .base_score = "0.5"},
    {.columns = 3, .rounds = 100, .depth = 12, .base_score = "0.05"},
    {.columns = 1, .rounds = 10, .depth = 1, .base_score = "0.9"},
    {.columns = 40, .rounds = 60, .depth = 3, .base_score = "0.117"},
};

static void margins_are_those_of_xgboost_to_the_bit(void **state)
{
    enum { ROWS = 5000 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forests); i++) {
        struct forest f = {0};

        grow(&f, forests[i]);
        float *rows = random_rows(&f.arena, &f.seed, ROWS, f.columns);
        const float *wanted = xgboost_predict(&xg, f.booster, rows, ROWS, f.columns, 1);
        for (size_t k = 0; k < ROWS; k++) {
            float margin = trees_margin(&f.trees, rows + k * f.columns);

            assert_memory_equal(&margin, &wanted[k], sizeof margin);
        }
        fell(&f);
    }
}

static void contributions_are_those_of_xgboost(void **state)
{
    enum { ROWS = 300 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forests); i++) {
        struct forest f = {0};

        grow(&f, forests[i]);
        float *rows = random_rows(&f.arena, &f.seed, ROWS, f.columns);
        const float *wanted = xgboost_predict(&xg, f.booster, rows, ROWS, f.columns, 2);
        for (size_t k = 0; k < ROWS; k++, wanted += f.columns + 1) {
            const float *row = rows + k * f.columns;
            double *parts = arena_array(&f.arena, f.columns, sizeof *parts), sum = f.trees.mean;

            trees_explain(&f.trees, row, &f.arena, parts);
            for (size_t c = 0; c < f.columns; c++) {
                is_near(parts[c], (double)wanted[c], 1e-4);
                sum += parts[c];
            }
            is_near(f.trees.mean, (double)wanted[f.columns], 1e-4);
            is_near(sum, (double)trees_margin(&f.trees, row), 1e-5 * (1 + fabs(sum)));
        }
        fell(&f);
    }
}

/* Over all sets of features, as the definition says. */
static double known_value(const struct trees *t, uint32_t node, const float x[], uint32_t known)
{
    const struct tree_node *n = &t->nodes[node];

    if (!n->left)
        return (double)n->split;
    if (known >> n->feature & 1) {
        bool right = isnan(x[n->feature]) ? n->missing_right : !(x[n->feature] < n->split);

        return known_value(t, n->left + right, x, known);
    }
    return t->share[n->left] * known_value(t, n->left, x, known) +
           t->share[n->left + 1] * known_value(t, n->left + 1, x, known);
}

static double shapley(const struct trees *t, const float x[], size_t columns, size_t feature)
{
    double sum = 0;

    for (uint32_t set = 0; set < 1u << columns; set++) {
        size_t size = (size_t)__builtin_popcount(set);
        double weight = 1, with = 0;

        if (set >> feature & 1)
            continue;
        for (size_t i = 1; i <= columns; i++) /* |S|! (n - |S| - 1)! / n! */
            weight *=
                (i <= size ? (double)i : 1) * (i < columns - size ? (double)i : 1) / (double)i;
        for (size_t i = 0; i < t->n_trees; i++)
            with += known_value(t, t->roots[i], x, set | 1u << feature) -
                    known_value(t, t->roots[i], x, set);
        sum += weight * with;
    }
    return sum;
}

static void are_shapley_values(struct forest *f)
{
    enum { ROWS = 20, COLUMNS = 6 };
    const float *row = random_rows(&f->arena, &f->seed, ROWS, COLUMNS);

    for (size_t k = 0; k < ROWS; k++, row += COLUMNS) {
        double parts[COLUMNS] = {0};

        trees_explain(&f->trees, row, &f->arena, parts);
        for (size_t c = 0; c < COLUMNS; c++)
            is_near(parts[c], shapley(&f->trees, row, COLUMNS, c), 1e-11);
    }
}

static void contributions_are_shapley_values_by_definition(void **state)
{
    (void)state;
    for (int depth = 1; depth <= 17; depth += 4) {
        struct forest f = {0};

        grow(&f, (struct grown){.columns = 6, .rounds = 10, .depth = depth, .base_score = "0.3"});
        are_shapley_values(&f);
        fell(&f);
    }
}

static void they_are_too_where_no_row_of_training_went(void **state)
{
    struct forest f = {0};

    (void)state;
    grow(&f, (struct grown){.columns = 6, .rounds = 10, .depth = 9, .base_score = "0.3"});
    for (size_t i = 0; i < f.trees.n_nodes; i += 3) {
        uint32_t left = f.trees.nodes[i].left;

        if (left) {
            f.trees.share[left + i % 2] = 0;
            f.trees.share[left + !(i % 2)] = i % 5 > 0; /* or nowhere */
        }
    }
    are_shapley_values(&f);
    fell(&f);
}

/* All features of the chain are alike, so each has its part of the whole; what one knot too few
 * would show. */
static void is_shared_alike(size_t depth)
{
    enum { DEPTH = MODEL_MAX_DEPTH, NODES = 2 * DEPTH + 1 };
    struct tree_node nodes[NODES] = {0};
    double share[NODES], parts[DEPTH] = {0};
    float x[DEPTH] = {0};
    uint32_t root = 0;
    struct arena a AUTO(arena_free) = {0};
    struct trees t = {.nodes = nodes, .share = share, .roots = &root, .n_trees = 1};

    t.depth = depth;
    t.n_nodes = 2 * depth + 1;
    for (uint32_t i = 0; i < depth; i++) {
        nodes[2 * i] = (struct tree_node){.split = -1, .left = 2 * i + 1, .feature = (uint16_t)i};
        nodes[2 * i + 1] = (struct tree_node){.split = 0};
        share[2 * i + 1] = 0.99;
        share[2 * i + 2] = 0.01;
    }
    nodes[2 * depth].split = 1;
    t.shap = shap_new(&t, &a);
    trees_explain(&t, x, &a, parts);
    for (size_t i = 0; i < depth; i++)
        is_near(parts[i], (1 - pow(0.01, (double)depth)) / (double)depth, 1e-14);
}

static void a_chain_of_features_is_shared_alike_at_any_depth(void **state)
{
    (void)state;
    for (size_t depth = 1; depth <= MODEL_MAX_DEPTH; depth++)
        is_shared_alike(depth);
}

/* Far above what they take, for machines that are busy. */
static void three_hundred_trees_are_fast(void **state)
{
    enum { ROWS = 2000, EXPLAINED = 200 };
    struct forest f = {0};
    double parts[12], walked = 0;

    (void)state;
    grow(&f, forests[0]);
    float *rows = random_rows(&f.arena, &f.seed, ROWS, f.columns);
    int64_t start = clock_mono_us();
    for (size_t k = 0; k < ROWS; k++)
        walked += (double)trees_margin(&f.trees, rows + k * f.columns);
    int64_t walk = clock_mono_us() - start;
    struct arena scratch AUTO(arena_free) = {0};
    start = clock_mono_us();
    for (size_t k = 0; k < EXPLAINED; k++) {
        trees_explain(&f.trees, rows + k * f.columns, &scratch, parts);
        arena_reset(&scratch);
    }
    int64_t explain = clock_mono_us() - start;
    print_message("walk %.2f us, explain %.1f us (%f)\n", (double)walk / ROWS,
                  (double)explain / EXPLAINED, walked);
    assert_true(walk < 500 * ROWS);
    assert_true(explain < 50000 * EXPLAINED);
    fell(&f);
}

static void text_with(struct forest *f, const char *from, const char *to, const char *says)
{
    struct arena a AUTO(arena_free) = {0};
    struct trees t = {0};
    struct why why = {0};
    const char *at = str_find(f->text, str_of(from));

    if (!at)
        fail_msg("%s is not in it", from);
    size_t before = (size_t)(at - f->text.at);
    struct str rest = str_from(f->text, before + strlen(from));
    struct str text = arena_printf(&a, "%.*s%s%.*s", (int)before, f->text.at, to, STR_ARG(rest));
    enum rc rc = trees_read(text, f->columns, &a, &t, &why);
    if (rc != RC_INVALID || !strstr(why.text, says))
        fail_msg("%s -> %s: %d %s", from, to, (int)rc, why.text);
    assert_null(t.nodes);
}

static void what_is_not_sound_is_refused_with_the_reason(void **state)
{
    struct forest f = {0};

    (void)state;
    grow(&f, (struct grown){.columns = 3, .rounds = 2, .depth = 2, .base_score = "0.5"});
    text_with(&f, "\"left_children\":[1", "\"left_children\":[0", "two parents");
    text_with(&f, "\"left_children\":[1", "\"left_children\":[6", "two parents");
    text_with(&f, "\"left_children\":[1", "\"left_children\":[2", "none that there are");
    text_with(&f, "\"left_children\":[1", "\"left_children\":[70", "none that there are");
    text_with(&f, "\"left_children\":[1", "\"left_children\":[1e9", "without what XGBoost");
    text_with(&f, "\"left_children\":[1", "\"left_children\":[1,1", "without what XGBoost");
    text_with(&f, "\"left_children\":[1", "\"left_children\":[\"x\"", "without what XGBoost");
    text_with(&f, "\"left_children\"", "\"left\"", "no nodes");
    text_with(&f, "\"right_children\":[2", "\"right_children\":[-1", "none that there are");
    text_with(&f, "\"split_indices\":[", "\"split_indices\":[9,", "without what XGBoost");
    text_with(&f, "\"sum_hessian\":[", "\"sum_hessian\":[null,", "without what XGBoost");
    text_with(&f, "\"split_type\":[0", "\"split_type\":[1", "categories");
    text_with(&f, "binary:logistic", "reg:squarederror", "objective");
    text_with(&f, "\"gbtree\"", "\"dart\"", "gbtree");
    text_with(&f, "\"num_feature\":\"3\",\"num_target\"", "\"num_feature\":\"4\",\"num_target\"",
              "3 columns");
    text_with(&f, "\"base_score\":\"5E-1\"", "\"base_score\":\"1\"", "base score");
    text_with(&f, "\"base_score\":\"5E-1\"", "\"base_score\":\"NaN\"", "base score");
    text_with(&f, "\"split_conditions\":[", "\"split_conditions\":[1e300,", "without what XGBoost");
    fell(&f);
}

static void a_base_score_in_brackets_is_the_same(void **state)
{
    static const char from[] = "\"base_score\":\"3E-1\"";
    struct forest f = {0};
    struct trees t = {0};

    (void)state;
    grow(&f, (struct grown){.columns = 3, .rounds = 2, .depth = 2, .base_score = "0.3"});
    const char *at = str_find(f.text, str_of(from));
    assert_non_null(at);
    struct str rest = str_from(f.text, (size_t)(at - f.text.at) + strlen(from));
    struct str text = arena_printf(&f.arena, "%.*s\"base_score\":\"[3E-1]\"%.*s",
                                   (int)(at - f.text.at), f.text.at, STR_ARG(rest));
    assert_int_equal(trees_read(text, 3, &f.arena, &t, NULL), RC_OK);
    assert_memory_equal(&t.base_margin, &f.trees.base_margin, sizeof t.base_margin);
    fell(&f);
}

static void a_column_that_there_is_not_is_refused(void **state)
{
    struct forest f = {0};
    struct trees t = {0};
    struct why why = {0};

    (void)state;
    grow(&f, (struct grown){.columns = 3, .rounds = 2, .depth = 2, .base_score = "0.5"});
    assert_int_equal(trees_read(f.text, 2, &f.arena, &t, &why), RC_INVALID);
    assert_non_null(strstr(why.text, "2 columns"));
    fell(&f);
}

static void a_text_that_was_cut_is_refused_wherever(void **state)
{
    struct forest f = {0};

    (void)state;
    grow(&f, (struct grown){.columns = 3, .rounds = 2, .depth = 2, .base_score = "0.5"});
    for (size_t len = 0; len < f.text.len; len += 1 + len / 50) {
        struct trees t = {0};

        assert_int_equal(trees_read((struct str){f.text.at, len}, f.columns, &f.arena, &t, NULL),
                         RC_INVALID);
    }
    fell(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(margins_are_those_of_xgboost_to_the_bit),
        cmocka_unit_test(contributions_are_those_of_xgboost),
        cmocka_unit_test(contributions_are_shapley_values_by_definition),
        cmocka_unit_test(they_are_too_where_no_row_of_training_went),
        cmocka_unit_test(a_chain_of_features_is_shared_alike_at_any_depth),
        cmocka_unit_test(three_hundred_trees_are_fast),
        cmocka_unit_test(what_is_not_sound_is_refused_with_the_reason),
        cmocka_unit_test(a_base_score_in_brackets_is_the_same),
        cmocka_unit_test(a_column_that_there_is_not_is_refused),
        cmocka_unit_test(a_text_that_was_cut_is_refused_wherever),
    };

    return cmocka_run_group_tests(tests, open_library, NULL);
}
