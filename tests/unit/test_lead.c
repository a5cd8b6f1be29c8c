/* tests/unit/test_lead.c - folding events into a lead. */
#include "cm.h"

#include <stdio.h>
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

static bool fold(struct lead *l, const char *name, const char *value, int64_t at, uint8_t tail,
                 struct arena *a)
{
    struct field field = {str_of(name), str_of(value)};
    struct event e = change(&field, at, tail);

    return lead_fold(l, &e, a);
}

static void assert_get(const struct lead *l, const char *name, const char *expected)
{
    struct str value = lead_get(l, str_of(name));

    if (!expected) {
        assert_null(value.at);
        return;
    }
    assert_non_null(value.at);
    assert_true(str_is(value, expected));
}

static void newest_value_wins(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {0};

    (void)state;
    assert_true(fold(&l, "stage", "lead", 10, 1, &a));
    assert_true(fold(&l, "stage", "customer", 20, 1, &a));
    assert_false(fold(&l, "stage", "subscriber", 15, 9, &a));
    assert_get(&l, "stage", "customer");
    assert_int_equal(l.properties[0].at, 20);
    assert_true(l.properties[0].changed);
}

static void greater_key_wins_at_the_same_time(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {0};

    (void)state;
    assert_true(fold(&l, "stage", "b", 10, 2, &a));
    assert_false(fold(&l, "stage", "a", 10, 1, &a));
    assert_false(fold(&l, "stage", "again", 10, 2, &a));
    assert_get(&l, "stage", "b");
    assert_true(fold(&l, "stage", "c", 10, 3, &a));
    assert_get(&l, "stage", "c");
}

static void cleared_property_reads_as_missing_and_stays_cleared(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {0};

    (void)state;
    assert_true(fold(&l, "phone", "1", 10, 1, &a));
    assert_true(fold(&l, "phone", NULL, 20, 1, &a));
    assert_get(&l, "phone", NULL);
    assert_int_equal(l.n_properties, 1);
    assert_false(fold(&l, "phone", "2", 15, 1, &a));
    assert_get(&l, "phone", NULL);
    assert_true(fold(&l, "phone", "3", 30, 1, &a));
    assert_get(&l, "phone", "3");
    assert_get(&l, "unknown", NULL);
}

static void properties_are_found_among_many_and_sorted(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {0};
    uint64_t seed = 7;
    char name[32];

    (void)state;
    for (int i = 0; i < 500; i++) {
        (void)snprintf(name, sizeof name, "p%d", (int)random_below(&seed, 200));
        (void)fold(&l, name, name, i + 1, 1, &a);
    }
    for (size_t i = 1; i < l.n_properties; i++)
        assert_true(str_cmp(l.properties[i - 1].name, l.properties[i].name) < 0);
    for (size_t i = 0; i < l.n_properties; i++)
        assert_true(str_eq(lead_get(&l, l.properties[i].name), l.properties[i].name));
    assert_in_range(l.n_properties, 150, 200);
}

static void lead_keeps_its_own_copy_of_texts(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {0};
    char name[] = "city", value[] = "Bath";

    (void)state;
    assert_true(fold(&l, name, value, 1, 1, &a));
    memset(name, 'x', 4);
    memset(value, 'x', 4);
    assert_get(&l, "city", "Bath");
}

static void email_property_becomes_the_leads_address(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {0};

    (void)state;
    (void)fold(&l, "email", " Ada@Example.COM ", 10, 1, &a);
    assert_true(str_is(l.email, "ada@example.com"));
    assert_get(&l, "email", " Ada@Example.COM ");
    (void)fold(&l, "email", "older@example.com", 5, 1, &a);
    assert_true(str_is(l.email, "ada@example.com"));
    (void)fold(&l, "email", "not an address", 20, 1, &a);
    assert_null(l.email.at);
    (void)fold(&l, "email", "b@c", 30, 1, &a);
    assert_true(str_is(l.email, "b@c"));
    (void)fold(&l, "email", "", 40, 1, &a);
    assert_null(l.email.at);
}

static void addresses_are_normalised_or_missing(void **state)
{
    static const struct {
        const char *raw, *normal;
    } cases[] = {
        {"ada@example.com", "ada@example.com"},
        {"\tADA@EXAMPLE.com\r\n", "ada@example.com"},
        {"Zo\xc3\x8b@x", "zo\xc3\x8b@x"},
        {"a@b", "a@b"},
        {"@b", NULL},
        {"a@", NULL},
        {"@", NULL},
        {"a@b@c", NULL},
        {"a@@b", NULL},
        {"ab", NULL},
        {"", NULL},
        {NULL, NULL},
        {"a b@c", NULL},
        {"a@b\nc", NULL},
    };
    struct arena a AUTO(arena_free) = {0};
    char text[300];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(str_eq(email_normalise(str_of(cases[i].raw), &a), str_of(cases[i].normal)));
    memset(text, 'a', sizeof text);
    text[1] = '@';
    assert_int_equal(email_normalise((struct str){text, 254}, &a).len, 254);
    assert_null(email_normalise((struct str){text, 255}, &a).at);
}

static bool fold_effect(struct lead *l, enum event_effect effect, int64_t at, struct arena *a)
{
    struct event e = {.effect = effect, .occurred_at = at};

    return lead_fold(l, &e, a);
}

static void newest_of_deletion_and_restore_wins_and_deletion_wins_ties(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {0};

    (void)state;
    assert_true(fold_effect(&l, EFFECT_RESTORE, 20, &a));
    assert_false(fold_effect(&l, EFFECT_DELETE, 10, &a));
    assert_int_equal(l.state, LEAD_ACTIVE);
    assert_true(fold_effect(&l, EFFECT_DELETE, 20, &a));
    assert_int_equal(l.state, LEAD_DELETED);
    assert_false(fold_effect(&l, EFFECT_DELETE, 20, &a));
    assert_false(fold_effect(&l, EFFECT_RESTORE, 20, &a));
    assert_int_equal(l.state, LEAD_DELETED);
    assert_true(fold_effect(&l, EFFECT_RESTORE, 21, &a));
    assert_int_equal(l.state, LEAD_ACTIVE);
    assert_int_equal(l.state_at, 21);
}

static void merged_lead_stays_merged(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {.state = LEAD_MERGED, .merged_into = 3};

    (void)state;
    assert_false(fold_effect(&l, EFFECT_DELETE, 20, &a));
    assert_false(fold_effect(&l, EFFECT_RESTORE, 30, &a));
    assert_int_equal(l.state, LEAD_MERGED);
}

static void other_effects_change_nothing(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {0};

    (void)state;
    assert_false(fold_effect(&l, EFFECT_NONE, 20, &a));
    assert_false(fold_effect(&l, EFFECT_MERGE, 20, &a));
    assert_int_equal(l.state_at, 0);
}

static void erasure_leaves_a_tombstone_that_nothing_brings_back(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {.crm_id = 7, .portal_id = 1};

    (void)state;
    (void)fold(&l, "email", "ada@example.com", 10, 1, &a);
    assert_true(fold_effect(&l, EFFECT_ERASE, 20, &a));
    assert_true(l.erased);
    assert_int_equal(l.n_properties, 0);
    assert_null(l.email.at);
    assert_int_equal(l.state, LEAD_DELETED);
    assert_int_equal(l.crm_id, 7);
    assert_false(fold(&l, "email", "ada@example.com", 30, 1, &a));
    assert_false(fold_effect(&l, EFFECT_RESTORE, 40, &a));
    assert_false(fold_effect(&l, EFFECT_ERASE, 50, &a));
    assert_int_equal(l.n_properties, 0);
    assert_null(l.email.at);
    assert_int_equal(l.state, LEAD_DELETED);
}

static void absorbing_takes_the_crm_record_with_its_state(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {.id = 1, .email = STR("a@b"), .created_at = 10, .enriched_at = 0};
    struct lead from = {.id = 2,
                        .portal_id = 5,
                        .crm_id = 6,
                        .state = LEAD_DELETED,
                        .state_at = 40,
                        .created_at = 5,
                        .enriched_at = 30};

    (void)state;
    lead_absorb(&l, &from, &a);
    assert_int_equal(l.id, 1);
    assert_int_equal(l.portal_id, 5);
    assert_int_equal(l.crm_id, 6);
    assert_int_equal(l.state, LEAD_DELETED);
    assert_int_equal(l.created_at, 5);
    assert_int_equal(l.enriched_at, 30);
    assert_true(str_is(l.email, "a@b"));
}

static void deletion_of_the_losing_record_spares_the_winner(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {.crm_id = 1};
    struct lead from = {.crm_id = 2, .state = LEAD_DELETED, .state_at = 40};

    (void)state;
    lead_absorb(&l, &from, &a);
    assert_int_equal(l.crm_id, 1);
    assert_int_equal(l.state, LEAD_ACTIVE);
}

static void address_without_a_property_is_absorbed_only_where_there_is_none(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead from = {.email = STR("from@x")}, bare = {0}, own = {.email = STR("own@x")};
    struct lead cleared = {0};

    (void)state;
    lead_absorb(&bare, &from, &a);
    assert_true(str_is(bare.email, "from@x"));
    lead_absorb(&own, &from, &a);
    assert_true(str_is(own.email, "own@x"));
    (void)fold(&cleared, "email", NULL, 1, 1, &a);
    lead_absorb(&cleared, &from, &a);
    assert_null(cleared.email.at);
}

static void erased_lead_absorbs_nothing(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {.erased = true, .state = LEAD_DELETED}, from = {.email = STR("a@b")};

    (void)state;
    (void)fold(&from, "phone", "1", 1, 1, &a);
    lead_absorb(&l, &from, &a);
    assert_int_equal(l.n_properties, 0);
    assert_null(l.email.at);
}

static void name_is_the_best_that_is_known(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct lead l = {.id = 9};

    (void)state;
    assert_true(str_is(lead_name(&l, &a), "Lead 9"));
    l.crm_id = 123;
    assert_true(str_is(lead_name(&l, &a), "HubSpot contact 123"));
    (void)fold(&l, "email", "ada@example.com", 1, 1, &a);
    assert_true(str_is(lead_name(&l, &a), "ada@example.com"));
    (void)fold(&l, "lastname", "Lovelace", 1, 1, &a);
    assert_true(str_is(lead_name(&l, &a), "Lovelace"));
    (void)fold(&l, "firstname", " Ada ", 1, 1, &a);
    assert_true(str_is(lead_name(&l, &a), "Ada Lovelace"));
}

static void names_are_the_words_of_the_field(void **state)
{
    (void)state;
    assert_string_equal(lead_state_name(LEAD_MERGED), "merged");
    assert_string_equal(band_name(BAND_HOT), "hot");
    assert_string_equal(event_state_name(EVENT_UNLINKED), "unlinked");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_value_wins),
        cmocka_unit_test(greater_key_wins_at_the_same_time),
        cmocka_unit_test(cleared_property_reads_as_missing_and_stays_cleared),
        cmocka_unit_test(properties_are_found_among_many_and_sorted),
        cmocka_unit_test(lead_keeps_its_own_copy_of_texts),
        cmocka_unit_test(email_property_becomes_the_leads_address),
        cmocka_unit_test(addresses_are_normalised_or_missing),
        cmocka_unit_test(newest_of_deletion_and_restore_wins_and_deletion_wins_ties),
        cmocka_unit_test(merged_lead_stays_merged),
        cmocka_unit_test(other_effects_change_nothing),
        cmocka_unit_test(erasure_leaves_a_tombstone_that_nothing_brings_back),
        cmocka_unit_test(absorbing_takes_the_crm_record_with_its_state),
        cmocka_unit_test(deletion_of_the_losing_record_spares_the_winner),
        cmocka_unit_test(address_without_a_property_is_absorbed_only_where_there_is_none),
        cmocka_unit_test(erased_lead_absorbs_nothing),
        cmocka_unit_test(name_is_the_best_that_is_known),
        cmocka_unit_test(names_are_the_words_of_the_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
