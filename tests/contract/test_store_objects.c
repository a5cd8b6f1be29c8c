/* tests/contract/test_store_objects.c - the CRM's objects and which contacts they have. */
#include "store_world.h"

enum { PORTAL = 5, DEAL = 90 };

static struct object put_object(struct world *w, enum object_kind kind, int64_t crm_id)
{
    struct object o = {.kind = kind, .record = {.portal_id = PORTAL, .crm_id = crm_id}};
    const struct dedupe_key key = key_of(T0, crm_id);

    (void)lead_put(&o.record, STR("amount"), STR("5"), T0, &key, &w->arena);
    OK(store_object_add(w->store, &o));
    return o;
}

static size_t contacts_of(struct world *w, const struct object *o, int64_t ret[8])
{
    size_t n = 0;

    OK(read_object_contacts(w->reader, o->id, 8, ret, &n));
    return n;
}

static bool has(struct world *w, const struct object *o, int64_t contact)
{
    int64_t ids[8];
    size_t n = contacts_of(w, o, ids);

    for (size_t i = 0; i < n; i++)
        if (ids[i] == contact)
            return true;
    return false;
}

static void object_comes_back_as_it_was_put(void **state)
{
    struct world *w = *state;
    struct object got, none = {.id = 77};

    OK(store_begin(w->store));
    struct object o = put_object(w, OBJECT_DEAL, DEAL);
    o.changed_at = T0 + 1;
    o.contacts_at = T0 + 2;
    o.record.enriched_at = T0 + 3;
    o.record.state = LEAD_DELETED;
    o.record.state_at = T0 + 4;
    OK(store_object_save(w->store, &o));
    assert_int_equal(store_object_save(w->store, &none), RC_NONE);
    OK(store_commit(w->store));
    world_reopen(w);
    OK(read_object_by_crm(w->reader, OBJECT_DEAL, PORTAL, DEAL, &w->arena, &got));
    assert_int_equal(got.id, o.id);
    assert_int_equal(got.changed_at, T0 + 1);
    assert_int_equal(got.contacts_at, T0 + 2);
    assert_int_equal(got.record.enriched_at, T0 + 3);
    assert_int_equal(got.record.state, LEAD_DELETED);
    assert_int_equal(got.record.state_at, T0 + 4);
    TEXT(lead_get(&got.record, STR("amount")), "5");
    OK(read_object(w->reader, o.id, &w->arena, &got));
    assert_int_equal(got.kind, OBJECT_DEAL);
    assert_int_equal(got.record.crm_id, DEAL);
    assert_int_equal(read_object_by_crm(w->reader, OBJECT_TICKET, PORTAL, DEAL, &w->arena, &got),
                     RC_NONE);
    assert_int_equal(read_object(w->reader, o.id + 1, &w->arena, &got), RC_NONE);
}

static void newest_word_of_an_association_counts(void **state)
{
    struct world *w = *state;
    int64_t ids[8];

    OK(store_begin(w->store));
    struct object o = put_object(w, OBJECT_DEAL, DEAL);
    OK(store_associate(w->store, &o, 7, true, T0));
    OK(store_associate(w->store, &o, 8, true, T0));
    assert_int_equal(contacts_of(w, &o, ids), 2);
    assert_int_equal(ids[0], 8);
    OK(store_associate(w->store, &o, 7, false, T0 - 1));
    assert_true(has(w, &o, 7));
    OK(store_associate(w->store, &o, 7, false, T0)); /* of the same time, that which ends it */
    assert_false(has(w, &o, 7));
    OK(store_associate(w->store, &o, 7, true, T0));
    assert_false(has(w, &o, 7));
    OK(store_associate(w->store, &o, 7, true, T0 + 1));
    assert_true(has(w, &o, 7));
    OK(store_commit(w->store));
}

static void a_reading_of_all_contacts_makes_older_words_void(void **state)
{
    static const int64_t read[] = {7};
    struct world *w = *state;

    OK(store_begin(w->store));
    struct object o = put_object(w, OBJECT_DEAL, DEAL);
    OK(store_associate(w->store, &o, 8, true, T0));
    OK(store_associate(w->store, &o, 9, true, T0 + 20));
    OK(store_contacts_read(
        w->store, &o,
        &(struct contact_list){.ids = read, .n = 1, .all = true, .read_at = T0 + 10}));
    assert_int_equal(o.contacts_at, T0 + 10);
    assert_true(has(w, &o, 7) && has(w, &o, 9));
    assert_false(has(w, &o, 8));
    OK(store_associate(w->store, &o, 10, true, T0 + 5));
    assert_false(has(w, &o, 10));
    OK(store_associate(w->store, &o, 7, false, T0 + 5));
    assert_true(has(w, &o, 7));
    OK(store_contacts_read(w->store, &o, /* one that is older, and says nobody */
                           &(struct contact_list){.all = true, .read_at = T0 + 1}));
    assert_int_equal(o.contacts_at, T0 + 10);
    assert_true(has(w, &o, 7));
    OK(store_contacts_read(
        w->store, &o, /* and one that is not of all */
        &(struct contact_list){.ids = (const int64_t[]){11}, .n = 1, .read_at = T0 + 30}));
    assert_int_equal(o.contacts_at, T0 + 10);
    assert_true(has(w, &o, 7) && has(w, &o, 11));
    OK(store_commit(w->store));
}

static void contacts_of_a_merged_object_are_the_winners(void **state)
{
    struct world *w = *state;

    OK(store_begin(w->store));
    struct object from = put_object(w, OBJECT_DEAL, DEAL), into = put_object(w, OBJECT_DEAL, 91);
    OK(store_associate(w->store, &from, 7, true, T0));
    OK(store_associate(w->store, &from, 8, false, T0 + 2));
    OK(store_associate(w->store, &into, 8, true, T0 + 1));
    OK(store_object_move(w->store, &from, &into));
    assert_true(has(w, &into, 7));
    assert_false(has(w, &into, 8));
    assert_false(has(w, &from, 7));
    OK(store_commit(w->store));
}

static void objects_of_a_merged_contact_are_the_winners(void **state)
{
    struct linked_object *objects = NULL;
    struct world *w = *state;
    size_t n = 0;

    OK(store_begin(w->store));
    struct object o = put_object(w, OBJECT_DEAL, DEAL);
    struct lead from = {.portal_id = PORTAL, .crm_id = 7},
                into = {.portal_id = PORTAL, .crm_id = 8};
    OK(store_lead_add(w->store, &from));
    OK(store_lead_add(w->store, &into));
    OK(store_associate(w->store, &o, 7, true, T0));
    OK(store_lead_move(w->store, &from, &into, &w->arena));
    assert_true(has(w, &o, 8));
    assert_false(has(w, &o, 7));
    OK(read_contact_objects(w->reader, PORTAL, 8, 10, &w->arena, &objects, &n));
    assert_int_equal(n, 1);
    assert_int_equal(objects[0].object.id, o.id);
    assert_int_equal(objects[0].at, T0);
    assert_true(objects[0].linked);
    OK(read_contact_objects(w->reader, PORTAL, 7, 10, &w->arena, &objects, &n));
    assert_int_equal(n, 0);
    OK(read_contact_objects(w->reader, PORTAL + 1, 8, 10, &w->arena, &objects, &n));
    assert_int_equal(n, 0);
    OK(store_commit(w->store));
}

static void no_one_cancelled(void *self, struct str connector)
{
    (void)self;
    fail_msg("cancelled for %.*s", STR_ARG(connector));
}

static void an_erased_contact_has_no_objects_and_its_own_deals_are_forgotten(void **state)
{
    struct world *w = *state;
    struct object got;

    OK(store_begin(w->store));
    struct object own = put_object(w, OBJECT_DEAL, DEAL), shared = put_object(w, OBJECT_DEAL, 91);
    struct object company = put_object(w, OBJECT_COMPANY, 92);
    struct lead lead = {.portal_id = PORTAL, .crm_id = 7};
    OK(store_lead_add(w->store, &lead));
    OK(store_associate(w->store, &own, 7, true, T0));
    OK(store_associate(w->store, &own, 9, false, T0)); /* no more */
    OK(store_associate(w->store, &shared, 7, true, T0));
    OK(store_associate(w->store, &shared, 8, true, T0));
    OK(store_associate(w->store, &company, 7, true, T0));
    OK(store_lead_erase(w->store, &lead, T0, no_one_cancelled, NULL));
    OK(store_lead_save(w->store, &lead));
    assert_false(has(w, &own, 7) || has(w, &shared, 7) || has(w, &company, 7));
    OK(read_object(w->reader, own.id, &w->arena, &got));
    assert_int_equal(got.record.n_properties, 0);
    OK(read_object(w->reader, shared.id, &w->arena, &got));
    assert_int_equal(got.record.n_properties, 1);
    OK(read_object(w->reader, company.id, &w->arena, &got));
    assert_int_equal(got.record.n_properties, 1);
    OK(store_commit(w->store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(object_comes_back_as_it_was_put),
        RUN(newest_word_of_an_association_counts),
        RUN(a_reading_of_all_contacts_makes_older_words_void),
        RUN(contacts_of_a_merged_object_are_the_winners),
        RUN(objects_of_a_merged_contact_are_the_winners),
        RUN(an_erased_contact_has_no_objects_and_its_own_deals_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
