/* tests/unit/test_activity.c - how often a lead did what, whatever order it came in. */
#include "cm.h"

#include <math.h>
#include <string.h>

#include "funneld/lead/activity.h"
#include "random.h"

#define DAY INT64_C(86400000)
#define NOW (INT64_C(20000) * DAY + DAY / 2)

static uint32_t hash(const char *kind)
{
    return activity_hash(str_of(kind));
}

static void what_happened_is_counted_by_kind_and_window(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct activity *t = activity_read(STR_NULL, &a);

    (void)state;
    for (int i = 0; i < 3; i++)
        activity_add(t, STR("visit"), NOW - i * DAY, &a);
    activity_add(t, STR("visit"), NOW - 29 * DAY, &a);
    activity_add(t, STR("visit"), NOW - 30 * DAY, &a);
    activity_add(t, STR("form"), NOW - 89 * DAY, &a);
    activity_add(t, STR("form"), NOW - 90 * DAY, &a);
    assert_int_equal(activity_count(t, hash("visit"), NOW, 1), 1);
    assert_int_equal(activity_count(t, hash("visit"), NOW, 7), 3);
    assert_int_equal(activity_count(t, hash("visit"), NOW, 30), 4);
    assert_int_equal(activity_count(t, hash("visit"), NOW, 90), 5);
    assert_int_equal(activity_count(t, hash("form"), NOW, 90), 1);
    assert_int_equal(activity_count(t, hash("other"), NOW, 90), 0);
}

/* A date in the past is asked about: what came after it had not happened yet. */
static void what_comes_after_the_date_does_not_count(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct activity *t = activity_read(STR_NULL, &a);

    (void)state;
    activity_add(t, STR("visit"), NOW, &a);
    activity_add(t, STR("visit"), NOW - 3 * DAY, &a);
    assert_int_equal(activity_count(t, hash("visit"), NOW - 2 * DAY, 7), 1);
    assert_int_equal(activity_count(t, hash("visit"), NOW - 4 * DAY, 7), 0);
    assert_int_equal(activity_count(t, hash("visit"), INT64_MIN, 90), 0);
}

static void the_last_one_is_so_many_days_ago(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct activity *t = activity_read(STR_NULL, &a);

    (void)state;
    assert_true(isnan(activity_recency(t, hash("visit"), NOW)));
    activity_add(t, STR("visit"), NOW - 2 * DAY, &a);
    activity_add(t, STR("visit"), NOW - 40 * DAY, &a);
    assert_true(activity_recency(t, hash("visit"), NOW + DAY / 2) == 2.5);
    assert_true(activity_recency(t, hash("visit"), NOW - 3 * DAY) == 0);
    assert_true(activity_recency(t, hash("visit"), NOW + 88 * DAY) == 90);
    assert_true(isnan(activity_recency(t, hash("visit"), NOW + 88 * DAY + 1)));
}

static void of_too_many_kinds_the_oldest_go(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct activity *t = activity_read(STR_NULL, &a);

    (void)state;
    for (int i = 0; i < ACTIVITY_KINDS + 2; i++)
        activity_add(t, arena_printf(&a, "kind%d", i), NOW + i, &a);
    assert_int_equal(activity_count(t, hash("kind0"), NOW, 90), 0);
    assert_int_equal(activity_count(t, hash("kind1"), NOW, 90), 0);
    for (int i = 2; i < ACTIVITY_KINDS + 2; i++)
        assert_int_equal(activity_count(t, activity_hash(arena_printf(&a, "kind%d", i)), NOW, 90),
                         1);
}

static void a_time_that_cannot_be_counts_for_nothing(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct activity *t = activity_read(STR_NULL, &a);
    struct str empty = activity_write(t, &a);

    (void)state;
    activity_add(t, STR("visit"), INT64_MAX, &a);
    activity_add(t, STR("visit"), INT64_MIN, &a);
    activity_add(t, STR("visit"), -1, &a);
    assert_true(str_eq(activity_write(t, &a), empty));
    assert_true(empty.len > 0); /* counted, and there was nothing */
}

static bool is_kind(struct event e, const char *wanted)
{
    struct str kind = STR_NULL;

    return activity_kind(&e, &kind) && str_is(kind, wanted);
}

static void a_kind_is_the_property_or_the_type(void **state)
{
    struct str kind;

    (void)state;
    assert_true(is_kind(
        (struct event){.type = STR("contact.propertyChange"), .property = STR("hs_email_open")},
        "hs_email_open"));
    assert_true(is_kind((struct event){.type = STR("form.submitted")}, "form.submitted"));
    assert_false(activity_kind(&(struct event){.type = STR("contact.enriched")}, &kind));
    assert_false(activity_kind(&(struct event){.type = STR("deal.recovered")}, &kind));
    assert_false(activity_kind(&(struct event){.type = STR("contact.linked")}, &kind));
    assert_false(
        activity_kind(&(struct event){.type = STR("deal.creation"), .object = OBJECT_DEAL}, &kind));
    assert_false(activity_kind(
        &(struct event){.type = STR("contact.deletion"), .effect = EFFECT_DELETE}, &kind));
    assert_false(activity_kind(
        &(struct event){.type = STR("form.submitted"), .state = EVENT_UNPROCESSABLE}, &kind));
}

enum { MANY = 300 };
struct one {
    struct str kind;
    int64_t at;
};

static void make(struct one all[MANY], uint64_t *seed, struct arena *a)
{
    uint64_t days = 1 + random_below(seed, 200);

    for (int i = 0; i < MANY; i++)
        all[i] = (struct one){
            arena_printf(a, "kind%d", (int)random_below(seed, ACTIVITY_KINDS)),
            NOW + (int64_t)random_below(seed, days * (uint64_t)DAY),
        };
}

static void shuffle(struct one all[MANY], uint64_t *seed)
{
    for (size_t i = MANY - 1; i > 0; i--) {
        size_t k = random_below(seed, i + 1);
        struct one kept = all[i];

        all[i] = all[k];
        all[k] = kept;
    }
}

/* Written and read again after each, as in the database. */
static struct str count_all(const struct one all[], size_t n, struct arena *a)
{
    struct str bytes = STR_NULL;

    for (size_t i = 0; i < n; i++) {
        struct activity *t = activity_read(bytes, a);

        activity_add(t, all[i].kind, all[i].at, a);
        bytes = activity_write(t, a);
    }
    return bytes;
}

static void any_order_and_any_merge_make_the_same_bytes(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct arena a AUTO(arena_free) = {0};
        struct one all[MANY];

        make(all, &seed, &a);
        struct str wanted = count_all(all, MANY, &a);
        shuffle(all, &seed);
        assert_true(str_eq(count_all(all, MANY, &a), wanted));
        size_t half = random_below(&seed, MANY + 1);
        struct activity *one = activity_read(count_all(all, half, &a), &a);
        activity_merge(one, activity_read(count_all(all + half, MANY - half, &a), &a), &a);
        assert_true(str_eq(activity_write(one, &a), wanted));
    }
}

static void a_count_is_what_is_in_the_window(void **state)
{
    uint64_t seed = 2;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct arena a AUTO(arena_free) = {0};
        struct one all[MANY];
        int64_t newest = 0;
        uint32_t wanted = 0;

        make(all, &seed, &a);
        struct activity *t = activity_read(count_all(all, MANY, &a), &a);
        for (int i = 0; i < MANY; i++)
            newest = all[i].at > newest ? all[i].at : newest;
        for (int i = 0; i < MANY; i++)
            wanted += str_is(all[i].kind, "kind7") && all[i].at / DAY > newest / DAY - 30;
        assert_int_equal(activity_count(t, hash("kind7"), newest, 30), wanted);
    }
}

static void what_was_cut_or_spoilt_is_an_empty_one(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct one all[MANY];
    uint64_t seed = 3;

    (void)state;
    make(all, &seed, &a);
    struct str bytes = count_all(all, MANY, &a);
    struct str empty = activity_write(activity_read(STR_NULL, &a), &a);
    for (size_t i = 0; i < bytes.len; i++)
        assert_true(
            str_eq(activity_write(activity_read((struct str){bytes.at, i}, &a), &a), empty));
    char *more = arena_alloc(&a, bytes.len + 1);
    memcpy(more, bytes.at, bytes.len);
    const struct str longer = {more, bytes.len + 1};
    assert_true(str_eq(activity_write(activity_read(longer, &a), &a), empty));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happened_is_counted_by_kind_and_window),
        cmocka_unit_test(what_comes_after_the_date_does_not_count),
        cmocka_unit_test(the_last_one_is_so_many_days_ago),
        cmocka_unit_test(of_too_many_kinds_the_oldest_go),
        cmocka_unit_test(a_time_that_cannot_be_counts_for_nothing),
        cmocka_unit_test(a_kind_is_the_property_or_the_type),
        cmocka_unit_test(any_order_and_any_merge_make_the_same_bytes),
        cmocka_unit_test(a_count_is_what_is_in_the_window),
        cmocka_unit_test(what_was_cut_or_spoilt_is_an_empty_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
