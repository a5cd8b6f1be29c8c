/* tests/contract/test_store_imports.c - how far an import has come is kept for each connector. */
#include "store_world.h"

static struct import_place place_of(struct world *w, const char *connector, enum rc wanted)
{
    struct import_place p = {0};

    assert_int_equal(read_import(w->reader, str_of(connector), &w->arena, &p), wanted);
    return p;
}

static void set(struct world *w, const char *connector, const char *place, int64_t contacts)
{
    const struct import_place p = {.connector = str_of(connector),
                                   .place = str_of(place),
                                   .contacts = contacts,
                                   .changed_at = T0};

    OK(store_begin(w->store));
    OK(store_import_set(w->store, &p));
    OK(store_commit(w->store));
}

static void a_place_is_kept_until_it_is_through(void **state)
{
    struct world *w = *state;

    (void)place_of(w, "crm", RC_NONE);
    set(w, "crm", "50", 50);
    set(w, "crm", "100", 100);
    set(w, "other", "-7", 7);
    world_reopen(w);
    struct import_place p = place_of(w, "crm", RC_OK);
    TEXT(p.place, "100");
    assert_int_equal(p.contacts, 100);
    assert_int_equal(p.changed_at, T0);
    set(w, "crm", NULL, 120);
    (void)place_of(w, "crm", RC_NONE);
    TEXT(place_of(w, "other", RC_OK).place, "-7");
}

static void one_that_is_not_committed_is_not_there(void **state)
{
    struct world *w = *state;
    const struct import_place p = {.connector = STR("crm"), .place = STR("50")};

    OK(store_begin(w->store));
    OK(store_import_set(w->store, &p));
    store_rollback(w->store);
    (void)place_of(w, "crm", RC_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_place_is_kept_until_it_is_through),
        RUN(one_that_is_not_committed_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
