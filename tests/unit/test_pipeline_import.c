/* tests/unit/test_pipeline_import.c - what is imported, on the way of every event. */
#include "funneld/lead/activity.h"
#include "learning_world.h"
#include "replay_world.h"
#include "imported_fixture.h"

#undef CONF
#define CONF PLAIN_CONF CRM "[route any]\nwhen = score >= -1000\nto = sales-slack, lead-book\n" GOAL

static const struct field acme[] = {{{"company", 7}, {"Acme", 4}}};

static struct intake import_company(struct pipeline *p, const char *company, int64_t at)
{
    const struct field field = {STR("company"), str_of(company)};
    const struct imported i = {
        .portal_id = PORTAL, .crm_id = 7, .at = at, .properties = &field, .n_properties = 1};

    return import_one(p, &i);
}

static void it_is_scored_and_nobody_is_told_or_asked(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    struct intake in = import_company(p, "Acme", p->now - 100 * DAY);
    COUNTS(in, 1, 0, 0);
    struct lead l = contact_lead(p, 7);
    assert_int_equal(l.score, 150);
    assert_int_equal(l.created_at, p->now - 100 * DAY);
    assert_int_equal(deliveries(p, NULL, NULL).n, 0);
    change(p, 7, "note", "a"); /* but of what comes then */
    assert_true(count_deliveries(p, "sales-slack", NULL) == 1);
}

static void done_again_it_changes_nothing(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    int64_t at = p->now - DAY;
    (void)import_company(p, "Acme", at);
    p->now += DAY;
    struct intake in = import_company(p, "Acme", at);
    COUNTS(in, 0, 1, 0);
}

static void what_is_newer_stays(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "company", "New");
    (void)import_company(p, "Old", p->now - DAY);
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "company", "New");
    assert_int_equal(l.created_at, p->now - DAY); /* but it is known since then */
}

static void a_change_of_the_past_fires_rules_as_of_then(void **state)
{
    struct pipeline *p = *state;
    const struct imported i = {.portal_id = PORTAL,
                               .crm_id = 7,
                               .at = p->now - 10 * DAY,
                               .first_at = p->now - 20 * DAY,
                               .property = STR("page"),
                               .value = STR("pricing")};
    struct ledger_row *rows;

    load(p, CONF);
    (void)import_one(p, &i);
    struct lead l = contact_lead(p, 7);
    assert_int_equal(ledger(p, l.id, &rows), 1);
    assert_int_equal(rows[0].occurred_at, p->now - 10 * DAY);
    PROPERTY(l, "page", "pricing");
    assert_int_equal(activity_count(activity_read(l.activity, &p->w->arena),
                                    activity_hash(STR("page")), p->now, 30),
                     1);
}

static void purge(struct pipeline *p, int64_t before)
{
    bool done = false;

    p->now += MINUTE;
    change(p, 9, "note", "the newest event stays");
    while (!done)
        OK(store_purge_events(p->w->store, before, INT64_MAX, 100, &done));
    for (done = false; !done;)
        OK(store_purge_dedupe(p->w->store, before, 100, &done));
}

static size_t fired_at(struct pipeline *p, int64_t at)
{
    const struct imported i = {.portal_id = PORTAL,
                               .crm_id = 7,
                               .at = at,
                               .first_at = START - DAY,
                               .property = STR("page"),
                               .value = STR("pricing")};
    struct ledger_row *rows;

    (void)import_one(p, &i);
    return ledger(p, contact_lead(p, 7).id, &rows);
}

/* Retention takes the event, and leaves what it is worth. */
static void what_came_in_and_was_purged_counts_once(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF); /* nothing waits for the event */
    change(p, 7, "page", "pricing");
    p->now += 100 * DAY;
    purge(p, START + DAY);
    assert_int_equal(fired_at(p, START + 900), 1);
    assert_int_equal(fired_at(p, START - MINUTE), 2); /* it is older, but was never told */
    purge(p, p->now + 1);
    assert_int_equal(fired_at(p, START - MINUTE), 2); /* and the import itself, done again */
    assert_int_equal(fired_at(p, START + MINUTE), 3);
}

static void what_is_purged_nowhere_may_be_of_one_time(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    change(p, 7, "page", "pricing");
    p->now += 100 * DAY;
    assert_int_equal(fired_at(p, START + 900), 2);
}

/* One that is not imported is asked for it, and that is no activity either. */
static void what_a_record_is_created_with_is_no_activity(void **state)
{
    struct pipeline *p = *state;
    const int64_t born = p->now - 10 * DAY;
    struct imported i = {.portal_id = PORTAL,
                         .crm_id = 7,
                         .first_at = born,
                         .at = born + MINUTE - 1,
                         .property = STR("page"),
                         .value = STR("pricing")};

    load(p, CONF);
    (void)import_one(p, &i);
    i.at = born + MINUTE;
    (void)import_one(p, &i);
    i.property = STR("createdate");
    (void)import_one(p, &i);
    struct lead l = contact_lead(p, 7);
    const struct activity *did = activity_read(l.activity, &p->w->arena);
    assert_int_equal(activity_count(did, activity_hash(STR("page")), p->now, 30), 1);
    assert_int_equal(activity_count(did, activity_hash(STR("createdate")), p->now, 30), 0);
}

static void a_state_is_no_activity(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    (void)import_company(p, "Acme", p->now - DAY);
    struct lead l = contact_lead(p, 7);
    assert_int_equal(activity_count(activity_read(l.activity, &p->w->arena),
                                    activity_hash(imported_type), p->now, 30),
                     0);
}

static void processed_again_it_still_tells_nobody(void **state)
{
    struct pipeline *p = *state;

    load(p, CONF);
    (void)import_company(p, "Acme", p->now - DAY);
    p->now += MINUTE;
    (void)replay_all(p);
    assert_int_equal(deliveries(p, NULL, NULL).n, 0);
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "company", "Acme");
}

static void by_address_it_is_joined_with_who_is_known(void **state)
{
    struct pipeline *p = *state;
    const struct imported i = {
        .email = STR("Ada@Example.com"), .at = p->now - DAY, .properties = acme, .n_properties = 1};

    load(p, CONF);
    fill_form(p, "ada@example.com", "");
    (void)import_one(p, &i);
    struct lead l = email_lead(p, "ada@example.com");
    PROPERTY(l, "company", "Acme");
}

static void hostile_bodies_are_refused(void **state)
{
    static const char *const odd[] = {
        "",
        "[]",
        "{}",
        "{\"at\":1,\"properties\":{}}",
        "{\"at\":1,\"email\":\"nobody\",\"properties\":{}}",
        "{\"at\":-1,\"email\":\"a@b\",\"properties\":{}}",
        "{\"at\":\"x\",\"email\":\"a@b\",\"properties\":{}}",
        "{\"at\":1e300,\"email\":\"a@b\",\"properties\":{}}",
        "{\"at\":1,\"email\":7,\"properties\":{}}",
        "{\"at\":1,\"email\":\"a@b\",\"properties\":[]}",
        "{\"at\":1,\"email\":\"a@b\"}",
        "{\"at\":1,\"objectId\":-7,\"properties\":{}}",
        "{\"at\":1,\"objectId\":7,\"firstAt\":-1,\"properties\":{}}",
        "{\"at\":1,\"objectId\":7,\"property\":{},\"properties\":{}}",
        "{\"at\":1,\"objectId\":7,\"properties\":{}} x",
        "{\"at\":1,\"objectId\":7,\"properties\":{\"a\":1,\"a\":2}}",
    };
    struct arena a AUTO(arena_free) = {0};
    struct event e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        if (imported_decode(str_of(odd[i]), START, &a, &e, NULL) != RC_INVALID)
            fail_msg("taken: %s", odd[i]);
}

/* A body is the same however its fields came, and it is read back as it was. */
static void a_body_is_canonical(void **state)
{
    const struct field some[] = {{STR("b"), STR("2")}, {STR("a"), STR("1")}, {STR("b"), STR("3")}};
    const struct imported i = {.email = STR("a@example.com"),
                               .at = 5,
                               .property = STR("c"),
                               .properties = some,
                               .n_properties = 3};
    struct arena a AUTO(arena_free) = {0};
    struct event e;
    struct why why = {0};

    (void)state;
    assert_int_equal(imported_made(STR("import"), &i, START, &a, &e, &why), RC_OK);
    TEXT(e.body, "{\"at\":5,\"email\":\"a@example.com\",\"property\":\"c\",\"value\":\"\","
                 "\"properties\":{\"a\":\"1\",\"b\":\"2\"}}");
    assert_true(e.imported);
    assert_int_equal(e.n_properties, 3); /* a cleared one as well */
    assert_int_equal(e.first_at, 5);
}

static void one_that_is_too_big_is_said(void **state)
{
    char *big = mem_array(1 << 20, 1);
    const struct field field = {STR("a"), {memset(big, 'x', 1 << 20), 1 << 20}};
    const struct imported i = {
        .email = STR("a@example.com"), .properties = &field, .n_properties = 1};
    struct arena a AUTO(arena_free) = {0};
    struct str body;

    (void)state;
    assert_int_equal(imported_body(&i, &a, &body), RC_TOOBIG);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(it_is_scored_and_nobody_is_told_or_asked),
        CHECKS(done_again_it_changes_nothing),
        CHECKS(what_is_newer_stays),
        CHECKS(a_change_of_the_past_fires_rules_as_of_then),
        CHECKS(what_came_in_and_was_purged_counts_once),
        CHECKS(what_is_purged_nowhere_may_be_of_one_time),
        CHECKS(what_a_record_is_created_with_is_no_activity),
        CHECKS(a_state_is_no_activity),
        CHECKS(processed_again_it_still_tells_nobody),
        CHECKS(by_address_it_is_joined_with_who_is_known),
        cmocka_unit_test(hostile_bodies_are_refused),
        cmocka_unit_test(a_body_is_canonical),
        cmocka_unit_test(one_that_is_too_big_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
