/* tests/unit/test_pipeline_identity.c - whose event it is: contacts, addresses, both, merges. */
#include "pipeline_world.h"

static void remember(struct pipeline *p, int64_t lead, const char *connector, const char *remote)
{
    OK(store_begin(p->w->store));
    OK(store_remote_set(p->w->store, lead, str_of(connector), str_of(remote), p->now));
    OK(store_commit(p->w->store));
}

static struct str remote(struct pipeline *p, int64_t lead, const char *connector)
{
    struct str ret = STR_NULL;
    enum rc rc = read_remote(p->w->reader, lead, str_of(connector), &p->w->arena, &ret);

    assert_true(rc == RC_OK || rc == RC_NONE);
    return ret;
}

static void contacts_are_told_apart_by_portal_and_id(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "demo_requested", "true");
    change(p, 8, "demo_requested", "true");
    struct intake in = post(p, "hubspot",
                            STR("[{\"eventId\":1,\"portalId\":1,\"occurredAt\":1769081990000,"
                                "\"subscriptionType\":\"contact.propertyChange\",\"objectId\":7,"
                                "\"propertyName\":\"company\",\"propertyValue\":\"Acme\"}]"));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(contact_lead(p, 7).score, 350);
    assert_int_equal(contact_lead(p, 8).score, 350);
    assert_int_not_equal(contact_lead(p, 7).id, contact_lead(p, 8).id);
    struct lead other;
    OK(read_lead_by_crm(p->w->reader, 1, 7, &p->w->arena, &other));
    assert_int_equal(other.score, 150);
}

static void forms_are_told_apart_by_normalised_address(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    fill_form(p, "Ada@Example.com", "");
    fill_form(p, " ada@example.COM ", "");
    fill_form(p, "bob@example.com", "");
    assert_int_equal(email_lead(p, "ada@example.com").score, 400);
    assert_int_equal(email_lead(p, "bob@example.com").score, 200);
    assert_int_equal(email_lead(p, "bob@example.com").portal_id, 0);
}

static void count_lead(void *self, const struct lead *l)
{
    (void)l;
    ++*(int *)self;
}

static int count_leads(struct pipeline *p)
{
    int n = 0;

    OK(read_leads(p->w->reader, &(struct list_filter){.limit = 1000}, count_lead, &n));
    return n;
}

static void a_form_of_a_known_contact_is_the_contacts(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "email", "Ada@example.com");
    fill_form(p, "ada@example.com", ",\"company\":\"Acme\"");
    struct lead l = contact_lead(p, 7);
    assert_int_equal(l.id, email_lead(p, "ada@example.com").id);
    assert_int_equal(l.score, 350); /* form 20, acme 15 */
}

static void an_older_form_lead_survives_and_becomes_the_contact(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    fill_form(p, "ada@example.com", ",\"company\":\"Acme\"");
    struct lead form = email_lead(p, "ada@example.com");
    remember(p, form.id, "lead-book", "page-of-form");
    change(p, 7, "demo_requested", "true");
    struct lead contact = contact_lead(p, 7);
    remember(p, contact.id, "lead-book", "page-of-contact");
    assert_int_not_equal(contact.id, form.id);

    p->now += 1000;
    change(p, 7, "email", "ada@example.com");
    struct lead now = contact_lead(p, 7);
    assert_int_equal(now.id, form.id);
    assert_int_equal(now.state, LEAD_ACTIVE);
    assert_int_equal(now.score, 700); /* form 20, demo 35, acme 15 */
    assert_int_equal(ledger_rows(p, now.id), 2);
    assert_int_equal(ledger_rows(p, contact.id), 0);
    TEXT(remote(p, now.id, "lead-book"), "page-of-form");
    struct lead other = get_lead(p->w, contact.id);
    assert_int_equal(other.state, LEAD_MERGED);
    assert_int_equal(other.merged_into, form.id);
    assert_int_equal(other.crm_id, 0);
    assert_int_equal(newest_event(p).lead, form.id);
}

static void a_younger_form_lead_goes_into_the_contact(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "demo_requested", "true");
    struct lead contact = contact_lead(p, 7);
    fill_form(p, "ada@example.com", ",\"company\":\"Acme\"");
    struct lead form = email_lead(p, "ada@example.com");
    assert_int_not_equal(contact.id, form.id);
    remember(p, form.id, "lead-book", "page-of-form");

    p->now += 1000;
    change(p, 7, "email", "ada@example.com");
    struct lead now = contact_lead(p, 7);
    assert_int_equal(now.id, contact.id);
    assert_int_equal(now.score, 700);
    assert_int_equal(ledger_rows(p, now.id), 2);
    TEXT(remote(p, now.id, "lead-book"), "page-of-form");
    struct lead other = get_lead(p->w, form.id);
    assert_int_equal(other.state, LEAD_MERGED);
    assert_int_equal(other.merged_into, contact.id);
    fill_form(p, "ada@example.com", "");
    assert_int_equal(contact_lead(p, 7).score, 900);
}

static void a_second_contact_with_the_address_is_not_joined(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    fill_form(p, "ada@example.com", "");
    change(p, 7, "email", "ada@example.com");
    change(p, 8, "email", "ada@example.com");
    assert_int_not_equal(contact_lead(p, 7).id, contact_lead(p, 8).id);
    assert_int_equal(contact_lead(p, 8).state, LEAD_ACTIVE);
}

/* The contact's restore was newer than a deletion that comes late: the joined lead knows it. */
static void a_joined_lead_keeps_the_fate_of_the_record(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    fill_form(p, "ada@example.com", "");
    tell(p, "contact.restore", 7);
    change(p, 7, "email", "ada@example.com");
    struct intake in = post_one(p, fact_json(p, "contact.deletion", 7, p->now - 1000));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(contact_lead(p, 7).state, LEAD_ACTIVE);
}

static void a_deleted_contact_takes_no_form_lead_with_it(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    fill_form(p, "ada@example.com", "");
    struct lead form = email_lead(p, "ada@example.com");
    tell(p, "contact.deletion", 7);
    change(p, 7, "email", "ada@example.com");
    assert_int_equal(contact_lead(p, 7).state, LEAD_DELETED);
    assert_int_equal(get_lead(p->w, form.id).state, LEAD_ACTIVE);
    assert_int_equal(get_lead(p->w, form.id).crm_id, 0);

    p->now += 1000;
    tell(p, "contact.restore", 7);
    assert_int_equal(contact_lead(p, 7).id, form.id);
    assert_int_equal(contact_lead(p, 7).state, LEAD_ACTIVE);
}

static void a_merge_moves_what_is_known_to_the_survivor(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "demo_requested", "true");
    change(p, 7, "company", "Acme");
    change(p, 8, "page", "/pricing");
    struct lead absorbed = contact_lead(p, 7), survivor = contact_lead(p, 8);
    remember(p, absorbed.id, "lead-book", "page-of-7");
    p->now += 1000;
    merge(p, 7, 8);
    struct lead l = contact_lead(p, 8);
    assert_int_equal(l.id, survivor.id);
    assert_int_equal(l.score, 755);
    PROPERTY(l, "company", "Acme");
    TEXT(remote(p, l.id, "lead-book"), "page-of-7");
    l = contact_lead(p, 7);
    assert_int_equal(l.state, LEAD_MERGED);
    assert_int_equal(l.merged_into, survivor.id);
    assert_int_equal(ledger_rows(p, l.id), 0);
}

static void a_merge_of_records_never_heard_of_is_remembered(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    merge(p, 7, 8);
    p->now += 1000;
    change(p, 7, "demo_requested", "true");
    struct lead l = contact_lead(p, 8);
    assert_int_equal(l.score, 350);
    assert_int_equal(newest_event(p).lead, l.id);
    assert_int_equal(contact_lead(p, 7).score, 0);
    assert_int_equal(count_leads(p), 2);
}

static void merges_of_merges_lead_to_the_last_one(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 5, "demo_requested", "true");
    merge(p, 7, 8); /* the second step comes first */
    merge(p, 6, 7);
    merge(p, 5, 6);
    struct lead l = contact_lead(p, 8);
    assert_int_equal(l.score, 350);
    for (int64_t id = 5; id <= 7; id++) {
        assert_int_equal(contact_lead(p, id).state, LEAD_MERGED);
        assert_int_equal(contact_lead(p, id).merged_into, l.id);
    }
    change(p, 5, "page", "/pricing");
    assert_int_equal(contact_lead(p, 8).score, 605);
}

static void a_record_that_was_absorbed_stays_where_it_went(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    merge(p, 7, 8);
    merge(p, 7, 9);
    change(p, 7, "demo_requested", "true");
    assert_int_equal(contact_lead(p, 8).score, 350);
    assert_int_equal(contact_lead(p, 9).score, 0);
}

static void a_long_chain_of_merges_is_followed(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 100, "demo_requested", "true");
    for (int64_t id = 100; id < 150; id++)
        merge(p, id, id + 1);
    assert_int_equal(contact_lead(p, 150).score, 350);
    change(p, 100, "page", "/pricing");
    assert_int_equal(contact_lead(p, 150).score, 605);
    assert_int_equal(p->failures, 0);
}

static void a_merge_back_and_forth_makes_no_loop(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "demo_requested", "true");
    merge(p, 7, 8);
    merge(p, 8, 7);
    change(p, 7, "page", "/pricing");
    assert_int_equal(contact_lead(p, 8).score, 605);
    assert_int_equal(contact_lead(p, 8).state, LEAD_ACTIVE);
    assert_int_equal(contact_lead(p, 7).state, LEAD_MERGED);
}

static void the_deletion_of_an_absorbed_record_leaves_the_survivor_alone(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "demo_requested", "true");
    tell(p, "contact.deletion", 6);
    merge(p, 7, 8);
    merge(p, 6, 8);
    p->now += 1000;
    tell(p, "contact.deletion", 7);
    struct lead l = contact_lead(p, 8);
    assert_int_equal(l.state, LEAD_ACTIVE);
    assert_int_equal(l.score, 350);
    assert_int_equal(newest_event(p).lead, l.id); /* it is shown there all the same */
}

static void the_restore_of_an_absorbed_record_brings_no_survivor_back(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    merge(p, 7, 8);
    tell(p, "contact.deletion", 8);
    p->now += 1000;
    tell(p, "contact.restore", 7);
    assert_int_equal(contact_lead(p, 8).state, LEAD_DELETED);
}

static void a_merge_into_a_third_record_absorbs_both(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "demo_requested", "true");
    change(p, 8, "page", "/pricing");
    struct intake in = post_one(p, hubspot_json(p, "contact.merge", p->now,
                                                ",\"primaryObjectId\":8,\"mergedObjectIds\":[7],"
                                                "\"newObjectId\":9"));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(contact_lead(p, 9).score, 605);
    assert_int_equal(contact_lead(p, 7).state, LEAD_MERGED);
    assert_int_equal(contact_lead(p, 8).state, LEAD_MERGED);
}

/* Deleted when it was absorbed, 7 had not taken the form's lead with it. */
static void an_address_that_comes_with_a_merge_joins_as_well(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    fill_form(p, "ada@example.com", "");
    tell(p, "contact.deletion", 7);
    change(p, 7, "email", "ada@example.com");
    merge(p, 7, 8);
    assert_int_equal(contact_lead(p, 8).id, email_lead(p, "ada@example.com").id);
    assert_int_equal(contact_lead(p, 8).score, 200);
}

static void pending_deliveries_of_the_absorbed_go_to_the_survivor(void **state)
{
    struct pipeline *p = *state;
    static const char conf[] = BASIC_SOURCES SLACK RULES
        "[route demo]\nwhen = event.property == \"demo_requested\"\nto = sales-slack\n";

    load(p, conf);
    change(p, 7, "demo_requested", "true");
    change(p, 7, "demo_requested", "again");
    change(p, 8, "demo_requested", "true");
    size_t rescans = p->rescans, notices = p->notices;
    merge(p, 7, 8);
    struct deliveries list = deliveries(p, "sales-slack", "pending");
    assert_int_equal(list.n, 3);
    for (size_t i = 0; i < list.n; i++)
        assert_int_equal(list.items[i].lead, contact_lead(p, 8).id);
    /* The first of all is told of, and nothing else is read again for it. */
    assert_int_equal(p->known[list.ids[2]].lead, contact_lead(p, 8).id);
    assert_int_equal(p->notices, notices + 1);
    assert_int_equal(p->rescans, rescans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(contacts_are_told_apart_by_portal_and_id),
        CHECKS(forms_are_told_apart_by_normalised_address),
        CHECKS(a_form_of_a_known_contact_is_the_contacts),
        CHECKS(an_older_form_lead_survives_and_becomes_the_contact),
        CHECKS(a_younger_form_lead_goes_into_the_contact),
        CHECKS(a_second_contact_with_the_address_is_not_joined),
        CHECKS(a_joined_lead_keeps_the_fate_of_the_record),
        CHECKS(a_deleted_contact_takes_no_form_lead_with_it),
        CHECKS(a_merge_moves_what_is_known_to_the_survivor),
        CHECKS(a_merge_of_records_never_heard_of_is_remembered),
        CHECKS(merges_of_merges_lead_to_the_last_one),
        CHECKS(a_record_that_was_absorbed_stays_where_it_went),
        CHECKS(a_long_chain_of_merges_is_followed),
        CHECKS(a_merge_back_and_forth_makes_no_loop),
        CHECKS(the_deletion_of_an_absorbed_record_leaves_the_survivor_alone),
        CHECKS(the_restore_of_an_absorbed_record_brings_no_survivor_back),
        CHECKS(a_merge_into_a_third_record_absorbs_both),
        CHECKS(an_address_that_comes_with_a_merge_joins_as_well),
        CHECKS(pending_deliveries_of_the_absorbed_go_to_the_survivor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
