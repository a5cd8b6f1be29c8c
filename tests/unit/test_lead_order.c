/* tests/unit/test_lead_order.c - the order of events does not matter to the lead they end in. */
#include "cm.h"

#include <string.h>

#include "funneld/lead/lead.h"
#include "random.h"

static struct dedupe_key key_of(uint8_t tail)
{
    struct dedupe_key key = {{0}};

    key.bytes[DEDUPE_KEY_LEN - 1] = tail;
    return key;
}

static struct event change(const struct field *field, int64_t at, uint8_t tail)
{
    return (struct event){.effect = EFFECT_PROPERTIES,
                          .properties = field,
                          .n_properties = 1,
                          .occurred_at = at,
                          .key = key_of(tail)};
}

enum { MANY = 60 };

struct world {
    struct field fields[MANY];
    struct event events[MANY];
};

/* Few names, values and times, so that ties are frequent; the key is unique to each event. */
static void make_events(struct world *w, uint64_t *seed)
{
    static const char *const names[] = {"email", "firstname", "stage", "phone"};
    static const char *const values[] = {"a@b.c", "D@E.F", "plain", "", NULL};

    for (int i = 0; i < MANY; i++) {
        struct event *e = &w->events[i];

        w->fields[i] = (struct field){str_of(names[random_below(seed, 4)]),
                                      str_of(values[random_below(seed, 5)])};
        *e = change(&w->fields[i], (int64_t)random_below(seed, 8), (uint8_t)i);
        if (random_below(seed, 4) == 0)
            e->effect = random_below(seed, 2) ? EFFECT_DELETE : EFFECT_RESTORE;
    }
}

static void shuffle(struct event *events, size_t n, uint64_t *seed)
{
    for (size_t i = n - 1; i > 0; i--) {
        size_t k = random_below(seed, i + 1);
        struct event swap = events[i];

        events[i] = events[k];
        events[k] = swap;
    }
}

static void assert_same(const struct lead *x, const struct lead *y)
{
    assert_int_equal(x->state, y->state);
    assert_int_equal(x->state_at, y->state_at);
    assert_int_equal(x->erased, y->erased);
    assert_true(str_eq(x->email, y->email));
    assert_int_equal(x->n_properties, y->n_properties);
    for (size_t i = 0; i < x->n_properties; i++) {
        assert_true(str_eq(x->properties[i].name, y->properties[i].name));
        assert_true(str_eq(x->properties[i].value, y->properties[i].value));
        assert_int_equal(x->properties[i].at, y->properties[i].at);
        assert_memory_equal(&x->properties[i].key, &y->properties[i].key, DEDUPE_KEY_LEN);
    }
}

static struct lead fold_all(const struct event *events, size_t n, struct arena *a)
{
    struct lead l = {0};

    for (size_t i = 0; i < n; i++)
        (void)lead_fold(&l, &events[i], a);
    return l;
}

static void any_order_of_the_same_events_ends_in_the_same_lead(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 300; round++) {
        struct arena a AUTO(arena_free) = {0};
        struct world w;
        uint64_t seed = round;

        make_events(&w, &seed);
        struct lead expected = fold_all(w.events, MANY, &a);
        for (int i = 0; i < 10; i++) {
            shuffle(w.events, MANY, &seed);
            struct lead l = fold_all(w.events, MANY, &a);
            assert_same(&expected, &l);
        }
    }
}

static void erasure_at_any_place_ends_in_the_same_tombstone(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 50; round++) {
        struct arena a AUTO(arena_free) = {0};
        struct world w;
        uint64_t seed = round;

        make_events(&w, &seed);
        w.events[0].effect = EFFECT_ERASE;
        struct lead expected = fold_all(w.events, MANY, &a);
        assert_int_equal(expected.n_properties, 0);
        shuffle(w.events, MANY, &seed);
        struct lead l = fold_all(w.events, MANY, &a);
        assert_same(&expected, &l);
    }
}

static void absorbing_is_the_same_as_folding_both_leads_events(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 100; round++) {
        struct arena a AUTO(arena_free) = {0};
        struct world w;
        uint64_t seed = round;

        make_events(&w, &seed);
        for (int i = 0; i < MANY; i++)
            w.events[i].effect = EFFECT_PROPERTIES;
        size_t cut = random_below(&seed, MANY);
        struct lead expected = fold_all(w.events, MANY, &a);
        struct lead l = fold_all(w.events, cut, &a);
        struct lead from = fold_all(w.events + cut, MANY - cut, &a);
        lead_absorb(&l, &from, &a);
        assert_same(&expected, &l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_the_same_events_ends_in_the_same_lead),
        cmocka_unit_test(erasure_at_any_place_ends_in_the_same_tombstone),
        cmocka_unit_test(absorbing_is_the_same_as_folding_both_leads_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
