/* tests/unit/test_pipeline_objects.c - what events of companies, deals and tickets do to leads. */
#include "contact_event.h"
#include "objects_world.h"

#define WON_RULE                                                                                   \
    "[rule won]\nwhen = event.property == \"dealstage\" and event.value == \"closedwon\"\n"        \
    "points = 50\n[rule big]\nwhen = lead.deal_amount >= 1000\npoints = 30\n"
#define WON_ROUTE                                                                                  \
    "[route won]\nwhen = event.type == \"deal.propertyChange\" and lead.deal_stage == "            \
    "\"closedwon\"\nto = sales-slack\n"
#define DEALS     BASIC_SOURCES SLACK WON_RULE WON_ROUTE
#define DEALS_CRM DEALS CRM

static void a_deals_stage_and_amount_become_facts_of_its_lead(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    link_deal(p, 9, 7);
    change_deal(p, 9, "amount", "1200");
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "deal_amount", "1200");
    PROPERTY(l, "deal_id", "9");
    PROPERTY(l, "deals", "1");
    assert_int_equal(l.score, 300);
    change_deal(p, 9, "dealstage", "closedwon");
    l = contact_lead(p, 7);
    PROPERTY(l, "deal_stage", "closedwon");
    assert_int_equal(l.score, 800);
    assert_int_equal(ledger_rows(p, l.id), 1);
    assert_int_equal(count_deliveries(p, "sales-slack", "pending"), 1);
    struct delivery d = deliveries(p, "sales-slack", "pending").items[0];
    TEXT(d.facts.event_type, "deal.propertyChange");
    TEXT(d.facts.event_value, "closedwon");
    assert_int_equal(d.lead, l.id);
}

static void an_event_of_nobodys_object_is_unlinked_and_remembered(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    change_deal(p, 9, "dealstage", "closedwon");
    struct event_view e = newest_event(p);
    assert_int_equal(e.state, EVENT_UNLINKED);
    assert_int_equal(e.lead, 0);
    assert_non_null(e.reason.at);
    link_deal(p, 9, 7);
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "deal_stage", "closedwon");
    assert_true(counted(METRIC_EVENTS_RECEIVED, "hubspot", "deal.propertyChange") == 1);
    assert_true(counted(METRIC_EVENTS_RECEIVED, "hubspot", "deal.associationChange") == 1);
}

struct seen {
    size_t n, unlinked, of_lead[16];
};

static void see_event(void *self, const struct event_view *e)
{
    struct seen *s = self;

    s->n++;
    s->unlinked += e->state == EVENT_UNLINKED;
    if (e->lead < (int64_t)ARRAY_LEN(s->of_lead))
        s->of_lead[e->lead]++;
}

static struct seen events(struct pipeline *p)
{
    const struct list_filter all = {.limit = 1000};
    struct seen s = {0};

    OK(read_events(p->w->reader, &all, see_event, &s));
    return s;
}

static void the_event_is_the_first_leads_and_each_lead_has_one_of_its_own(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    link_deal(p, 9, 7);
    link_deal(p, 9, 8);
    struct seen before = events(p);
    change_deal(p, 9, "amount", "10");
    struct seen after = events(p);
    int64_t seven = contact_lead(p, 7).id, eight = contact_lead(p, 8).id;
    assert_int_equal(after.n - before.n, 3);
    assert_int_equal(after.of_lead[eight] - before.of_lead[eight],
                     2); /* the greatest id is first */
    assert_int_equal(after.of_lead[seven] - before.of_lead[seven], 1);
    assert_int_equal(after.unlinked, 0);
    assert_true(counted(METRIC_EVENTS_RECEIVED, "hubspot", "deal.propertyChange") == 1);
    struct event_view told = newest_event(p);
    TEXT(told.type, "deal.propertyChange");
    TEXT(told.source, "hubspot");
    TEXT(told.request_id, "req-1");
    assert_non_null(str_find(told.body, STR("\"contactId\":7")));
    assert_non_null(str_find(told.body, STR("\"event\":{")));
}

static void an_association_told_from_both_sides_is_told_once(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS "[rule linked]\nwhen = event.type == \"deal.associationChange\"\npoints = 5\n");
    struct intake in = post_one(p, association_json(p, "contact.associationChange",
                                                    "CONTACT_TO_DEAL", 7, 9, false, p->now));
    COUNTS(in, 1, 0, 0);
    in = post_one(
        p, association_json(p, "deal.associationChange", "DEAL_TO_CONTACT", 9, 7, false, p->now));
    COUNTS(in, 1, 0, 0);
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "deals", "1");
    assert_int_equal(ledger_rows(p, l.id), 1);
}

static void what_ends_is_cleared(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    link_deal(p, 9, 7);
    change_deal(p, 9, "amount", "1200");
    p->now += 1000;
    unlink_deal(p, 9, 7);
    struct lead l = contact_lead(p, 7);
    assert_null(property(&l, "deals").at);
    assert_null(property(&l, "deal_amount").at);
    assert_null(property(&l, "deal_id").at);
    assert_int_equal(l.score, 0);
    p->now += 1000;
    link_deal(p, 9, 7);
    l = contact_lead(p, 7);
    PROPERTY(l, "deal_amount", "1200");
    p->now += 1000;
    tell(p, "deal.deletion", 9);
    l = contact_lead(p, 7);
    assert_null(property(&l, "deals").at);
    assert_null(property(&l, "deal_amount").at);
    p->now += 1000;
    tell(p, "deal.restore", 9);
    l = contact_lead(p, 7);
    PROPERTY(l, "deal_amount", "1200");
}

static void of_several_deals_the_one_that_changed_last_speaks(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    link_deal(p, 9, 7);
    link_deal(p, 10, 7);
    change_deal(p, 9, "amount", "1200");
    change_deal(p, 9, "pipeline", "default");
    p->now += 1000;
    change_deal(p, 10, "amount", "5");
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "deal_amount", "5");
    PROPERTY(l, "deals", "2");
    PROPERTY(l, "deal_id", "10");
    assert_null(property(&l, "deal_pipeline").at);
    p->now += 1000;
    change_deal(p, 9, "dealstage", "closedwon");
    l = contact_lead(p, 7);
    PROPERTY(l, "deal_amount", "1200");
    PROPERTY(l, "deal_pipeline", "default");
}

static void a_merge_of_deals_moves_contacts_and_properties(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    link_deal(p, 9, 7);
    change_deal(p, 9, "amount", "1200");
    link_deal(p, 10, 8);
    change_deal(p, 10, "pipeline", "default");
    p->now += 1000;
    struct intake in = post_one(p, object_merge_json(p, "deal", 9, 10, p->now));
    COUNTS(in, 1, 0, 0);
    for (int contact = 7; contact <= 8; contact++) {
        struct lead l = contact_lead(p, contact);

        PROPERTY(l, "deal_amount", "1200");
        PROPERTY(l, "deal_pipeline", "default");
        PROPERTY(l, "deal_id", "10");
        PROPERTY(l, "deals", "1");
    }
    p->now += 1000;
    tell(p, "deal.deletion", 9); /* the loser's record is gone: that says nothing of the winner */
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "deals", "1");
    change_deal(p, 9, "dealstage", "late");
    l = contact_lead(p, 8);
    PROPERTY(l, "deal_stage", "late");
}

static void a_merge_of_contacts_moves_their_deals(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    link_deal(p, 9, 7);
    change_deal(p, 9, "amount", "1200");
    tell(p, "contact.creation", 8);
    p->now += 1000;
    merge(p, 7, 8);
    struct lead l = contact_lead(p, 8);
    PROPERTY(l, "deal_amount", "1200");
    change_deal(p, 9, "amount", "1300");
    l = contact_lead(p, 8);
    PROPERTY(l, "deal_amount", "1300");
    unlink_deal(p, 9, 7); /* named by its old id */
    l = contact_lead(p, 8);
    assert_null(property(&l, "deals").at);
}

static void of_two_contacts_that_become_one_the_facts_are_those_of_both(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    link_deal(p, 9, 7);
    change_deal(p, 9, "amount", "1200");
    p->now += 1000;
    link_deal(p, 10, 8);
    change_deal(p, 10, "dealstage", "new");
    p->now += 1000;
    merge(p, 7, 8);
    struct lead l = contact_lead(p, 8);
    PROPERTY(l, "deals", "2");
    PROPERTY(l, "deal_stage", "new");
    assert_null(property(&l, "deal_amount").at); /* of the other one, which changed before */
}

static void an_erased_person_has_no_deals_and_gets_none(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    link_deal(p, 9, 7);
    change_deal(p, 9, "dealname", "Ada Lovelace - new deal");
    link_deal(p, 10, 7);
    link_deal(p, 10, 8);
    change_deal(p, 10, "amount", "5");
    p->now += 1000;
    tell(p, "contact.privacyDeletion", 7);
    assert_int_equal(object_of(p, OBJECT_DEAL, 9).record.n_properties, 0);
    assert_int_equal(object_of(p, OBJECT_DEAL, 10).record.n_properties, 1); /* another's as well */
    p->now += 1000;
    link_deal(p, 9, 7);
    change_deal(p, 9, "amount", "1200");
    assert_int_equal(newest_event(p).state, EVENT_UNLINKED);
    struct lead l = contact_lead(p, 7);
    assert_true(l.erased);
    assert_int_equal(l.n_properties, 0);
    change_deal(p, 10, "amount", "6");
    l = contact_lead(p, 8);
    PROPERTY(l, "deal_amount", "6");
}

static void a_company_tells_only_those_who_are_leads(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    tell(p, "contact.creation", 7);
    for (int contact = 7; contact <= 8; contact++) {
        struct intake in =
            post_one(p, association_json(p, "company.associationChange", "COMPANY_TO_CONTACT", 5,
                                         contact, false, p->now));
        COUNTS(in, 1, 0, 0);
    }
    struct intake in =
        post_one(p, object_change_json(p, "company", 5, "industry", "BANKING", p->now));
    COUNTS(in, 1, 0, 0);
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "company_industry", "BANKING");
    assert_false(has_contact(p, 8));
    tell(p, "contact.creation", 8); /* and once it is a lead, it has heard of its company */
    l = contact_lead(p, 8);
    PROPERTY(l, "company_industry", "BANKING");
    PROPERTY(l, "companies", "1");
    TEXT(newest_event(p).type, "contact.linked");
}

static void not_more_leads_are_told_at_once_than_the_limit(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS);
    for (int contact = 1; contact <= 130; contact++)
        link_deal(p, 9, contact);
    struct seen before = events(p);
    change_deal(p, 9, "amount", "5");
    assert_int_equal(events(p).n - before.n, 1 + 100);
    struct lead last = contact_lead(p, 130), first = contact_lead(p, 1);
    PROPERTY(last, "deal_amount", "5");
    assert_null(property(&first, "deal_amount").at);
    struct event e;
    enriched_event(STR("crm"), PORTAL, 1, p->now, NULL, 0, p->now, &p->w->arena, &e);
    e.request_id = STR("req-1");
    struct intake in = {.events = &e, .n = 1};
    run(p, &in.work, WORK_INTAKE);
    OK(p->rc);
    first = contact_lead(p, 1);
    PROPERTY(first, "deal_amount", "5");
}

/* Enrichment */

static struct delivery only_question(struct pipeline *p)
{
    struct deliveries list = deliveries(p, "crm", "pending");

    assert_int_equal(list.n, 1);
    return list.items[0];
}

static void an_object_is_asked_for_once_before_anybody_is_known_to_have_it(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS_CRM);
    tell(p, "deal.creation", 9);
    change_deal(p, 9, "amount", "5");
    struct delivery d = only_question(p);
    assert_int_equal(d.lead, -object_of(p, OBJECT_DEAL, 9).id);
    assert_int_equal(d.due_at, p->now + 2000);
    TEXT(d.route, "enrichment");
}

static void what_the_crm_says_of_a_deal_makes_leads_and_asks_who_they_are(void **state)
{
    static const struct field said[] = {{STR("dealstage"), STR("closedwon")},
                                        {STR("amount"), STR("1200")}};
    static const int64_t contacts[] = {7, 8};
    struct pipeline *p = *state;

    load(p, DEALS_CRM);
    tell(p, "deal.creation", 9);
    struct delivery asked = only_question(p);
    struct object o = object_of(p, OBJECT_DEAL, 9);
    p->now += 3000;
    struct event e = record_read(p, &o, p->now - 100, said, 2, contacts, 2, p->now - 60000);
    answer(p, &e, asked.id);
    for (int contact = 7; contact <= 8; contact++) {
        struct lead l = contact_lead(p, contact);

        PROPERTY(l, "deal_stage", "closedwon");
        assert_int_equal(l.score, 300); /* the stage was not seen to change: only `big` holds */
    }
    struct deliveries asks = deliveries(p, "crm", "pending");
    assert_int_equal(asks.n, 2);
    assert_int_equal(object_of(p, OBJECT_DEAL, 9).record.enriched_at, p->now);
    p->now += 1000;
    change_deal(p, 9, "amount", "1300"); /* it is known, and of somebody: it is not asked again */
    assert_int_equal(deliveries(p, "crm", "pending").n, 2);
    struct seen before = events(p);
    e = record_read(p, &o, p->now, (struct field[]){{STR("amount"), STR("1300")}}, 1, contacts, 2,
                    p->now - 60000);
    struct intake in = {.events = &e, .n = 1};
    run(p, &in.work, WORK_INTAKE);
    OK(p->rc);
    assert_int_equal(events(p).n, before.n + 1); /* which is no news to anybody */
}

static void one_that_nobody_has_is_asked_for_again(void **state)
{
    struct pipeline *p = *state;

    load(p, DEALS_CRM);
    tell(p, "deal.creation", 9);
    struct object o = object_of(p, OBJECT_DEAL, 9);
    struct event e = record_read(p, &o, p->now, NULL, 0, NULL, 0, p->now - 60000);
    answer(p, &e, only_question(p).id);
    change_deal(p, 9, "amount", "5");
    assert_int_equal(deliveries(p, "crm", "pending").n, 0);
    p->now += 60000;
    change_deal(p, 9, "amount", "6");
    assert_int_equal(only_question(p).lead, -o.id);
}

static void restore_and_merge_ask_again_and_deletion_does_not(void **state)
{
    static const int64_t contact = 7;
    struct pipeline *p = *state;

    load(p, DEALS_CRM);
    tell(p, "contact.creation", 7);
    struct delivery of_contact = only_question(p);
    struct event known;
    enriched_event(STR("crm"), PORTAL, 7, p->now, NULL, 0, p->now, &p->w->arena, &known);
    known.request_id = STR("req-1");
    answer(p, &known, of_contact.id);
    tell(p, "deal.creation", 9);
    struct object o = object_of(p, OBJECT_DEAL, 9);
    struct event e = record_read(p, &o, p->now, NULL, 0, &contact, 1, p->now - 60000);
    answer(p, &e, only_question(p).id);
    p->now += 1000;
    tell(p, "deal.deletion", 9);
    assert_int_equal(deliveries(p, "crm", "pending").n, 0);
    p->now += 1000;
    tell(p, "deal.restore", 9);
    answer(p, &e, only_question(p).id);
    p->now += 1000;
    struct intake in = post_one(p, object_merge_json(p, "deal", 10, 9, p->now));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(only_question(p).lead, -o.id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_deals_stage_and_amount_become_facts_of_its_lead),
        CHECKS(an_event_of_nobodys_object_is_unlinked_and_remembered),
        CHECKS(the_event_is_the_first_leads_and_each_lead_has_one_of_its_own),
        CHECKS(an_association_told_from_both_sides_is_told_once),
        CHECKS(what_ends_is_cleared),
        CHECKS(of_several_deals_the_one_that_changed_last_speaks),
        CHECKS(a_merge_of_deals_moves_contacts_and_properties),
        CHECKS(a_merge_of_contacts_moves_their_deals),
        CHECKS(of_two_contacts_that_become_one_the_facts_are_those_of_both),
        CHECKS(an_erased_person_has_no_deals_and_gets_none),
        CHECKS(a_company_tells_only_those_who_are_leads),
        CHECKS(not_more_leads_are_told_at_once_than_the_limit),
        CHECKS(an_object_is_asked_for_once_before_anybody_is_known_to_have_it),
        CHECKS(what_the_crm_says_of_a_deal_makes_leads_and_asks_who_they_are),
        CHECKS(one_that_nobody_has_is_asked_for_again),
        CHECKS(restore_and_merge_ask_again_and_deletion_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
