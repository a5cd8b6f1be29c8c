/* tests/contract/test_store_models.c - trained models, and which of them served when. */
#include "store_world.h"

enum { CONVERSION, CHURN };

static int64_t put_model(struct world *w, const char *name, int goal)
{
    struct model_record m = {
        .name = str_of(name),
        .goal = goal,
        .created_at = T0 + 1,
        .usable = true,
        .trees = STR("{\"learner\":{}}"),
        .sidecar = STR("{\"funneld\":1}"),
    };

    OK(store_begin(w->store));
    OK(store_model_add(w->store, &m));
    OK(store_commit(w->store));
    assert_true(m.id > 0);
    return m.id;
}

static enum rc use(struct world *w, int goal, int64_t id, int64_t at)
{
    OK(store_begin(w->store));
    enum rc rc = store_model_use(w->store, goal, id, at, STR("activated"));
    OK(store_commit(w->store));
    return rc;
}

static enum rc go_back(struct world *w, int goal, int64_t id, int64_t at)
{
    OK(store_begin(w->store));
    enum rc rc = store_model_back(w->store, goal, id, at, STR("rolled back"));
    OK(store_commit(w->store));
    return rc;
}

static int64_t before(struct world *w, int goal)
{
    int64_t id = -1;
    enum rc rc = read_model_before(w->reader, goal, &id);

    if (rc == RC_NONE)
        return -1;
    OK(rc);
    return id;
}

static int64_t at(struct world *w, int goal, int64_t time)
{
    int64_t id = -1;
    enum rc rc = read_model_at(w->reader, goal, time, &id);

    if (rc == RC_NONE)
        return 0;
    OK(rc);
    return id;
}

static void a_model_comes_back_as_it_was_kept(void **state)
{
    struct world *w = *state;
    struct model_record m;
    int64_t id = put_model(w, "won", CHURN);

    world_reopen(w);
    OK(read_model(w->reader, id, &w->arena, &m));
    assert_int_equal(m.id, id);
    TEXT(m.name, "won");
    assert_int_equal(m.version, 1);
    assert_int_equal(m.goal, CHURN);
    assert_int_equal(m.created_at, T0 + 1);
    assert_true(m.usable);
    assert_false(m.active);
    TEXT(m.trees, "{\"learner\":{}}");
    TEXT(m.sidecar, "{\"funneld\":1}");
    assert_int_equal(read_model(w->reader, id + 1, &w->arena, &m), RC_NONE);
    OK(read_model_card(w->reader, id, &w->arena, &m));
    assert_true(str_is(m.name, "won"));
    assert_null(m.trees.at);
    assert_int_equal(read_model_card(w->reader, id + 1, &w->arena, &m), RC_NONE);
}

static void texts_of_many_megabytes_are_kept_whole(void **state)
{
    struct world *w = *state;
    size_t size = 8u << 20;
    char *text = arena_alloc(&w->arena, size);
    struct model_record m = {.name = STR("big"), .sidecar = STR("{}")}, back;

    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + i % 26);
    m.trees = (struct str){text, size};
    OK(store_begin(w->store));
    OK(store_model_add(w->store, &m));
    OK(store_commit(w->store));
    OK(read_model(w->reader, m.id, &w->arena, &back));
    SAME(back.trees, m.trees);
}

static void a_model_without_trees_has_none(void **state)
{
    struct world *w = *state;
    struct model_record m = {.name = STR("base"), .sidecar = STR("{}")}, back;

    OK(store_begin(w->store));
    OK(store_model_add(w->store, &m));
    OK(store_commit(w->store));
    OK(read_model(w->reader, m.id, &w->arena, &back));
    assert_int_equal(back.trees.len, 0);
    assert_false(back.usable);
}

static void versions_count_by_name(void **state)
{
    struct world *w = *state;
    struct model_record m;

    (void)put_model(w, "a", CONVERSION);
    (void)put_model(w, "b", CONVERSION);
    int64_t second = put_model(w, "a", CONVERSION);
    OK(read_model_named(w->reader, STR("a"), 0, &w->arena, &m));
    assert_int_equal(m.id, second);
    assert_int_equal(m.version, 2);
    OK(read_model_named(w->reader, STR("a"), 1, &w->arena, &m));
    assert_int_equal(m.version, 1);
    assert_true(m.id < second);
    assert_int_equal(read_model_named(w->reader, STR("a"), 3, &w->arena, &m), RC_NONE);
    assert_int_equal(read_model_named(w->reader, STR("c"), 0, &w->arena, &m), RC_NONE);
}

struct list {
    size_t n;
    struct model_record at[8];
};

static void list_model(void *self, const struct model_record *m)
{
    struct list *l = self;

    assert_true(l->n < ARRAY_LEN(l->at));
    l->at[l->n] = *m;
    l->at[l->n++].name = STR_NULL; /* it was lent */
}

static void the_list_is_newest_first_and_says_which_are_active(void **state)
{
    struct world *w = *state;
    struct list l = {0};
    int64_t a = put_model(w, "a", CONVERSION), b = put_model(w, "b", CHURN);
    int64_t c = put_model(w, "a", CONVERSION);

    OK(use(w, CONVERSION, a, T0));
    OK(use(w, CHURN, b, T0));
    OK(read_models(w->reader, list_model, &l));
    assert_int_equal(l.n, 3);
    assert_int_equal(l.at[0].id, c);
    assert_false(l.at[0].active);
    assert_int_equal(l.at[1].id, b);
    assert_true(l.at[1].active);
    assert_int_equal(l.at[2].id, a);
    assert_true(l.at[2].active);
    assert_null(l.at[2].trees.at);
}

static void of_a_goal_one_is_active(void **state)
{
    struct world *w = *state;
    struct model_record m;
    int64_t a = put_model(w, "a", CONVERSION), b = put_model(w, "b", CONVERSION);

    OK(use(w, CONVERSION, a, T0));
    OK(use(w, CONVERSION, b, T0 + 1));
    OK(read_model(w->reader, a, &w->arena, &m));
    assert_false(m.active);
    OK(read_model(w->reader, b, &w->arena, &m));
    assert_true(m.active);
    OK(use(w, CONVERSION, 0, T0 + 2));
    OK(read_model(w->reader, b, &w->arena, &m));
    assert_false(m.active);
}

static void what_is_missing_or_of_another_goal_is_not_used(void **state)
{
    struct world *w = *state;
    int64_t a = put_model(w, "a", CONVERSION);

    assert_int_equal(use(w, CONVERSION, a + 1, T0), RC_NONE);
    assert_int_equal(use(w, CHURN, a, T0), RC_NONE);
    assert_int_equal(at(w, CHURN, INT64_MAX), 0);
}

static void the_model_of_a_time_is_known(void **state)
{
    struct world *w = *state;
    int64_t a = put_model(w, "a", CONVERSION), b = put_model(w, "b", CONVERSION);

    OK(use(w, CONVERSION, a, 100));
    OK(use(w, CONVERSION, b, 200));
    OK(use(w, CONVERSION, 0, 300));
    assert_int_equal(at(w, CONVERSION, 99), 0);
    assert_int_equal(at(w, CONVERSION, 100), a);
    assert_int_equal(at(w, CONVERSION, 199), a);
    assert_int_equal(at(w, CONVERSION, 200), b);
    assert_int_equal(at(w, CONVERSION, 300), 0);
    assert_int_equal(at(w, CHURN, 200), 0);
}

static void rolling_back_twice_goes_back_twice(void **state)
{
    struct world *w = *state;
    int64_t a = put_model(w, "a", CONVERSION), b = put_model(w, "b", CONVERSION);
    int64_t c = put_model(w, "c", CONVERSION);

    assert_int_equal(before(w, CONVERSION), -1);
    OK(use(w, CONVERSION, 0, 90));
    assert_int_equal(before(w, CONVERSION), -1);
    OK(use(w, CONVERSION, a, 100));
    assert_int_equal(before(w, CONVERSION), 0);
    OK(use(w, CONVERSION, b, 200));
    OK(use(w, CONVERSION, c, 300));
    assert_int_equal(before(w, CONVERSION), b);
    OK(go_back(w, CONVERSION, b, 400));
    assert_int_equal(before(w, CONVERSION), a);
    OK(go_back(w, CONVERSION, a, 500));
    assert_int_equal(before(w, CONVERSION), 0);
    OK(go_back(w, CONVERSION, 0, 600));
    assert_int_equal(before(w, CONVERSION), -1);
    assert_int_equal(at(w, CONVERSION, 450), b);
    OK(use(w, CONVERSION, c, 700));
    assert_int_equal(before(w, CONVERSION), 0);
}

static void what_is_activated_again_can_be_taken_back(void **state)
{
    struct world *w = *state;
    int64_t a = put_model(w, "a", CONVERSION), b = put_model(w, "b", CONVERSION);

    OK(use(w, CONVERSION, a, 100));
    OK(use(w, CONVERSION, b, 200));
    OK(use(w, CONVERSION, a, 300));
    assert_int_equal(before(w, CONVERSION), b);
    OK(go_back(w, CONVERSION, b, 400));
    assert_int_equal(before(w, CONVERSION), a);
    assert_int_equal(go_back(w, CONVERSION, b + 1, 500), RC_NONE);
    OK(go_back(w, CONVERSION, 0, 600)); /* not the one before: as if it were chosen */
    assert_int_equal(before(w, CONVERSION), b);
}

static void using_what_is_used_changes_nothing(void **state)
{
    struct world *w = *state;
    int64_t a = put_model(w, "a", CONVERSION), b = put_model(w, "b", CONVERSION);

    OK(use(w, CONVERSION, a, 100));
    OK(use(w, CONVERSION, b, 200));
    OK(use(w, CONVERSION, b, 300));
    assert_int_equal(before(w, CONVERSION), a);
}

static void turning_it_off_can_be_taken_back(void **state)
{
    struct world *w = *state;
    int64_t a = put_model(w, "a", CONVERSION), b = put_model(w, "b", CONVERSION);

    OK(use(w, CONVERSION, a, 100));
    OK(use(w, CONVERSION, b, 200));
    OK(use(w, CONVERSION, 0, 300));
    assert_int_equal(before(w, CONVERSION), b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_model_comes_back_as_it_was_kept),
        RUN(texts_of_many_megabytes_are_kept_whole),
        RUN(a_model_without_trees_has_none),
        RUN(versions_count_by_name),
        RUN(the_list_is_newest_first_and_says_which_are_active),
        RUN(of_a_goal_one_is_active),
        RUN(what_is_missing_or_of_another_goal_is_not_used),
        RUN(the_model_of_a_time_is_known),
        RUN(rolling_back_twice_goes_back_twice),
        RUN(what_is_activated_again_can_be_taken_back),
        RUN(using_what_is_used_changes_nothing),
        RUN(turning_it_off_can_be_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
