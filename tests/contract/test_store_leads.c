/* tests/contract/test_store_leads.c - leads, their properties, lists and bands. */
#include "store_world.h"

static void put(struct world *w, struct lead *l, const char *name, const char *value, int64_t at)
{
    struct dedupe_key key = key_of(at, 1);

    (void)lead_put(l, str_of(name), str_of(value), at, &key, &w->arena);
}

static void a_lead_comes_back_with_every_field(void **state)
{
    struct world *w = *state;
    struct lead l = {
        .portal_id = 62515,
        .crm_id = INT64_C(9007199254740993), /* not exact as a double */
        .email = STR("ada@example.com"),
        .state = LEAD_DELETED,
        .state_at = T0 + 1,
        .merged_into = 17,
        .created_at = T0 + 2,
        .enriched_at = T0 + 3,
        .score = -125,
        .fit = 200,
        .engagement = -325,
        .band = BAND_WARM,
        .evaluated = true,
        .erased = true,
        .probability = {true, 0},
        .churn = {true, 1000},
        .activity = {"\1\0\xff", 3},
        .source = STR("zapier"),
        .told_probability = 1000,
        .told_churn = 1,
    };

    OK(store_begin(w->store));
    OK(store_lead_add(w->store, &l));
    OK(store_commit(w->store));
    assert_true(l.id > 0);
    world_reopen(w);
    struct lead got = get_lead(w, l.id);
    assert_int_equal(got.id, l.id);
    assert_int_equal(got.portal_id, l.portal_id);
    assert_int_equal(got.crm_id, l.crm_id);
    SAME(got.email, l.email);
    assert_int_equal(got.state, l.state);
    assert_int_equal(got.state_at, l.state_at);
    assert_int_equal(got.merged_into, l.merged_into);
    assert_int_equal(got.created_at, l.created_at);
    assert_int_equal(got.enriched_at, l.enriched_at);
    assert_int_equal(got.score, l.score);
    assert_int_equal(got.fit, l.fit);
    assert_int_equal(got.engagement, l.engagement);
    assert_int_equal(got.band, l.band);
    assert_true(got.evaluated);
    assert_true(got.erased);
    assert_int_equal(got.n_properties, 0);
    assert_true(got.probability.known && got.churn.known);
    assert_int_equal(got.probability.tenths, 0);
    assert_int_equal(got.churn.tenths, 1000);
    SAME(got.activity, l.activity);
    TEXT(got.source, "zapier");
    assert_int_equal(got.told_probability, 1000);
    assert_int_equal(got.told_churn, 1);
}

static enum rc say_chances(struct world *w, struct lead_chances c)
{
    OK(store_begin(w->store));
    enum rc rc = store_lead_chances(w->store, &c);
    OK(store_commit(w->store));
    return rc;
}

static void chances_are_put_down_only_where_nothing_happened(void **state)
{
    struct world *w = *state;
    struct lead l = {.created_at = 5, .evaluated = true, .band = BAND_WARM, .last_event = 3};
    l.told_probability = 55;
    l.told_churn = 44;
    struct lead_chances c = {.last_event = 3,
                             .was = BAND_WARM,
                             .band = BAND_HOT,
                             .probability = {true, 905},
                             .activity = STR("counted")};

    OK(store_begin(w->store));
    OK(store_lead_add(w->store, &l));
    OK(store_commit(w->store));
    c.id = l.id;
    assert_false(get_lead(w, l.id).probability.known);
    OK(say_chances(w, c));
    struct lead got = get_lead(w, l.id);
    assert_int_equal(got.probability.tenths, 905);
    assert_false(got.churn.known);
    assert_int_equal(got.band, BAND_HOT);
    TEXT(got.activity, "counted");
    assert_int_equal(say_chances(w, c), RC_NONE); /* its band is another by now */
    c.was = BAND_HOT;
    c.last_event = 2;
    assert_int_equal(say_chances(w, c), RC_NONE); /* an event came */
    c.last_event = 3;
    c.activity = STR("older"); /* counted while an event counted it too */
    c.probability.known = false;
    OK(say_chances(w, c));
    got = get_lead(w, l.id);
    assert_false(got.probability.known);
    TEXT(got.activity, "counted");
    assert_int_equal(got.told_probability, 55); /* by routes: they were not asked */
    assert_int_equal(got.told_churn, 44);
    OK(store_begin(w->store));
    got.last_event = 0; /* it never was one: the audit would miss it */
    OK(store_lead_save(w->store, &got));
    OK(store_commit(w->store));
}

static void a_bare_lead_has_neither_ids_nor_address(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    int64_t id = put_lead(w, NULL);
    OK(store_commit(w->store));
    struct lead l = get_lead(w, id);
    assert_int_equal(l.portal_id, 0);
    assert_int_equal(l.crm_id, 0);
    assert_null(l.email.at);
    assert_int_equal(l.merged_into, 0);
    assert_false(l.evaluated);
    assert_false(l.erased);
}

static void a_lead_that_is_not_there_is_none_and_changes_nothing(void **state)
{
    struct world *w = *state;
    struct lead l = {.id = -1};

    assert_int_equal(read_lead(w->reader, 5, &w->arena, &l), RC_NONE);
    assert_int_equal(read_lead_by_crm(w->reader, 1, 2, &w->arena, &l), RC_NONE);
    assert_int_equal(read_lead_by_email(w->reader, STR("a@b.c"), &w->arena, &l), RC_NONE);
    assert_int_equal(l.id, -1);
}

static int64_t put_crm_lead(struct world *w, int64_t portal, int64_t crm)
{
    struct lead l = {.portal_id = portal, .crm_id = crm, .created_at = T0};

    OK(store_lead_add(w->store, &l));
    return l.id;
}

static void a_lead_is_found_by_both_of_its_crm_ids(void **state)
{
    struct world *w = *state;
    struct lead l;

    OK(store_begin(w->store));
    int64_t a = put_crm_lead(w, 1, 100), b = put_crm_lead(w, 2, 100), c = put_crm_lead(w, 0, 100);
    OK(store_commit(w->store));
    OK(read_lead_by_crm(w->reader, 1, 100, &w->arena, &l));
    assert_int_equal(l.id, a);
    OK(read_lead_by_crm(w->reader, 2, 100, &w->arena, &l));
    assert_int_equal(l.id, b);
    OK(read_lead_by_crm(w->reader, 0, 100, &w->arena, &l));
    assert_int_equal(l.id, c);
    assert_int_equal(read_lead_by_crm(w->reader, 1, 101, &w->arena, &l), RC_NONE);
}

static void two_leads_cannot_be_the_same_crm_contact(void **state)
{
    struct world *w = *state;
    struct lead again = {.portal_id = 1, .crm_id = 100, .created_at = T0};
    struct lead nobody = {.portal_id = 0, .crm_id = 7, .created_at = T0};

    OK(store_begin(w->store));
    (void)put_crm_lead(w, 1, 100);
    assert_int_equal(store_lead_add(w->store, &again), RC_INVALID);
    assert_int_equal(again.id, 0);
    OK(store_lead_add(w->store, &nobody));
    assert_int_equal(store_lead_add(w->store, &nobody), RC_INVALID);
    OK(store_commit(w->store));
}

static void the_oldest_active_lead_with_an_address_is_the_one(void **state)
{
    struct world *w = *state;
    struct lead l;

    OK(store_begin(w->store));
    int64_t merged = put_lead(w, "ada@example.com");
    int64_t older = put_lead(w, "ada@example.com"), newer = put_lead(w, "ada@example.com");
    (void)put_lead(w, "bob@example.com");
    l = get_lead(w, merged);
    l.state = LEAD_MERGED;
    OK(store_lead_save(w->store, &l));
    OK(store_commit(w->store));
    OK(read_lead_by_email(w->reader, STR("ada@example.com"), &w->arena, &l));
    assert_int_equal(l.id, older);
    l.state = LEAD_DELETED;
    OK(store_begin(w->store));
    OK(store_lead_save(w->store, &l));
    OK(store_commit(w->store));
    OK(read_lead_by_email(w->reader, STR("ada@example.com"), &w->arena, &l));
    assert_int_equal(l.id, newer);
}

static void properties_come_back_sorted_and_unchanged(void **state)
{
    struct world *w = *state;
    struct lead l = {.created_at = T0};
    const struct dedupe_key key = key_of(T0, 1);

    put(w, &l, "lastname", "L\xc3\xb6velace", T0);
    put(w, &l, "firstname", "Ada", T0);
    put(w, &l, "Zip", "", T0); /* cleared */
    OK(store_begin(w->store));
    OK(store_lead_add(w->store, &l));
    OK(store_commit(w->store));
    l = get_lead(w, l.id);
    assert_int_equal(l.n_properties, 3);
    TEXT(l.properties[0].name, "Zip");
    TEXT(l.properties[0].value, "");
    TEXT(l.properties[1].name, "firstname");
    TEXT(l.properties[2].value, "L\xc3\xb6velace");
    for (size_t i = 0; i < l.n_properties; i++) {
        assert_false(l.properties[i].changed);
        assert_int_equal(l.properties[i].at, T0);
        assert_memory_equal(l.properties[i].key.bytes, key.bytes, sizeof key.bytes);
    }
    assert_null(lead_get(&l, STR("Zip")).at);
}

static void the_newest_value_is_kept_over_several_saves(void **state)
{
    struct world *w = *state;
    struct lead l = {.created_at = T0};

    put(w, &l, "stage", "lead", T0);
    OK(store_begin(w->store));
    OK(store_lead_add(w->store, &l));
    l = get_lead(w, l.id);
    put(w, &l, "stage", "customer", T0 + 10);
    OK(store_lead_save(w->store, &l));
    l = get_lead(w, l.id);
    put(w, &l, "stage", "subscriber", T0 + 5); /* old news */
    OK(store_lead_save(w->store, &l));
    OK(store_commit(w->store));
    l = get_lead(w, l.id);
    TEXT(lead_get(&l, STR("stage")), "customer");
    assert_int_equal(l.properties[0].at, T0 + 10);
}

static void properties_are_written_when_one_is_marked_as_changed(void **state)
{
    struct world *w = *state;
    struct lead l = {.created_at = T0};

    put(w, &l, "a", "1", T0);
    put(w, &l, "b", "1", T0);
    OK(store_begin(w->store));
    OK(store_lead_add(w->store, &l));
    l = get_lead(w, l.id);
    l.properties[0].value = STR("not marked as changed");
    OK(store_lead_save(w->store, &l));
    l = get_lead(w, l.id);
    put(w, &l, "b", "2", T0 + 1);
    OK(store_lead_save(w->store, &l));
    OK(store_commit(w->store));
    l = get_lead(w, l.id);
    TEXT(lead_get(&l, STR("a")), "1");
    TEXT(lead_get(&l, STR("b")), "2");
}

static void properties_of_one_lead_are_not_those_of_another(void **state)
{
    struct world *w = *state;
    struct lead a = {.created_at = T0}, b = {.created_at = T0};

    put(w, &a, "x", "a's", T0);
    put(w, &b, "x", "b's", T0);
    OK(store_begin(w->store));
    OK(store_lead_add(w->store, &a));
    OK(store_lead_add(w->store, &b));
    OK(store_commit(w->store));
    a = get_lead(w, a.id);
    b = get_lead(w, b.id);
    TEXT(lead_get(&a, STR("x")), "a's");
    TEXT(lead_get(&b, STR("x")), "b's");
}

/* A form's sender is known by an address that need not be the property `email`. */
static void the_address_is_the_stored_one_however_the_lead_is_read(void **state)
{
    struct world *w = *state;
    struct lead l = {.created_at = T0}, got;

    put(w, &l, "email", "other@example.com", T0);
    l.email = STR("sender@example.com");
    OK(store_begin(w->store));
    OK(store_lead_add(w->store, &l));
    OK(store_commit(w->store));
    TEXT(get_lead(w, l.id).email, "sender@example.com");
    OK(read_lead_by_email(w->reader, STR("sender@example.com"), &w->arena, &got));
    TEXT(got.email, "sender@example.com");
    TEXT(lead_get(&got, STR("email")), "other@example.com");
}

static void see_address(void *self, const struct lead *l)
{
    TEXT(l->email, "sender@example.com");
    TEXT(lead_get(l, STR("email")), "other@example.com");
    ++*(int *)self;
}

static void a_list_shows_the_stored_address_and_the_properties(void **state)
{
    struct world *w = *state;
    struct lead l = {.created_at = T0};
    int seen = 0;

    put(w, &l, "email", "other@example.com", T0);
    l.email = STR("sender@example.com");
    OK(store_begin(w->store));
    OK(store_lead_add(w->store, &l));
    OK(store_commit(w->store));
    OK(read_leads(w->reader, &(struct list_filter){.limit = 10}, see_address, &seen));
    assert_int_equal(seen, 1);
}

static void saving_a_lead_that_is_not_there_is_none(void **state)
{
    struct world *w = *state;
    struct lead l = {.id = 12, .created_at = T0};

    OK(store_begin(w->store));
    assert_int_equal(store_lead_save(w->store, &l), RC_NONE);
    OK(store_commit(w->store));
}

static void lists_show_the_newest_first_page_and_filter(void **state)
{
    struct world *w = *state;
    struct shown s = {0};
    int64_t id[4];

    OK(store_begin(w->store));
    for (int i = 0; i < 4; i++) {
        struct lead l = {.created_at = T0 + i, .state = i == 1 ? LEAD_DELETED : LEAD_ACTIVE};

        OK(store_lead_add(w->store, &l));
        id[i] = l.id;
    }
    OK(store_commit(w->store));
    OK(read_leads(w->reader, &(struct list_filter){.limit = 3}, show_lead, &s));
    SHOWN(s, id[3], id[2], id[1]);
    s.n = 0;
    OK(read_leads(w->reader, &(struct list_filter){.limit = 3, .after = id[1]}, show_lead, &s));
    SHOWN(s, id[0]);
    s.n = 0;
    OK(read_leads(w->reader, &(struct list_filter){.limit = 9, .state = STR("deleted")}, show_lead,
                  &s));
    SHOWN(s, id[1]);
    s.n = 0;
    OK(read_leads(w->reader, &(struct list_filter){.limit = 9, .since = T0 + 2}, show_lead, &s));
    SHOWN(s, id[3], id[2]);
    s.n = 0;
    OK(read_leads(w->reader, &(struct list_filter){.limit = 9, .state = STR("nonsense")}, show_lead,
                  &s));
    assert_int_equal(s.n, 0);
}

static void bands_count_active_leads_that_were_evaluated(void **state)
{
    static const struct lead leads[] = {
        {.band = BAND_HOT, .evaluated = true},
        {.band = BAND_HOT, .evaluated = true},
        {.band = BAND_WARM, .evaluated = true},
        {.band = BAND_HOT, .evaluated = true, .state = LEAD_MERGED},
        {.band = BAND_WARM, .evaluated = true, .state = LEAD_DELETED},
        {.band = BAND_COLD, .evaluated = false},
    };
    struct world *w = *state;
    int64_t bands[BAND_COUNT] = {9, 9, 9};

    OK(read_bands(w->reader, bands));
    assert_int_equal(bands[BAND_HOT], 0);
    OK(store_begin(w->store));
    for (size_t i = 0; i < ARRAY_LEN(leads); i++) {
        struct lead l = leads[i];

        OK(store_lead_add(w->store, &l));
    }
    OK(store_commit(w->store));
    OK(read_bands(w->reader, bands));
    assert_int_equal(bands[BAND_COLD], 0);
    assert_int_equal(bands[BAND_WARM], 1);
    assert_int_equal(bands[BAND_HOT], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_lead_comes_back_with_every_field),
        RUN(a_bare_lead_has_neither_ids_nor_address),
        RUN(a_lead_that_is_not_there_is_none_and_changes_nothing),
        RUN(a_lead_is_found_by_both_of_its_crm_ids),
        RUN(two_leads_cannot_be_the_same_crm_contact),
        RUN(the_oldest_active_lead_with_an_address_is_the_one),
        RUN(properties_come_back_sorted_and_unchanged),
        RUN(the_newest_value_is_kept_over_several_saves),
        RUN(properties_are_written_when_one_is_marked_as_changed),
        RUN(properties_of_one_lead_are_not_those_of_another),
        RUN(the_address_is_the_stored_one_however_the_lead_is_read),
        RUN(a_list_shows_the_stored_address_and_the_properties),
        RUN(saving_a_lead_that_is_not_there_is_none),
        RUN(lists_show_the_newest_first_page_and_filter),
        RUN(chances_are_put_down_only_where_nothing_happened),
        RUN(bands_count_active_leads_that_were_evaluated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
