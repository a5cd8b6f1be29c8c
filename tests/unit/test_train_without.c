/* tests/unit/test_train_without.c - training where XGBoost is not installed. */
#include "train_world.h"

#include <dlfcn.h>

/* In place of the C library's: there is nothing to open. */
void *dlopen(const char *file, int mode)
{
    (void)file;
    (void)mode;
    return NULL;
}

char *dlerror(void)
{
    static char error[] = "cannot open shared object file";

    return error;
}

static void without_it_there_are_no_trees_and_how_to_get_it_is_said(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(400, 1);

    (void)state;
    add_signal(&w);
    train_well(&w);
    assert_true(warns(&w, "XGBoost is not there (cannot open shared object file)"));
    assert_true(warns(&w, "apt-get install libxgboost0"));
    assert_true(str_is(model_card(w.model)->kind, "logistic regression"));
    assert_true(model_card(w.model)->usable);
}

static void few_rows_do_without_it(void **state)
{
    struct train_world w AUTO(train_world_free) = train_world(190, 1);

    (void)state;
    add_signal(&w);
    train_well(&w);
    assert_true(str_is(model_card(w.model)->kind, "logistic regression"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_it_there_are_no_trees_and_how_to_get_it_is_said),
        cmocka_unit_test(few_rows_do_without_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
