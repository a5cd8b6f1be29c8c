/* tests/unit/test_pipeline_replay.c - events that took effect, asked again by the rules of now. */
#include "replay_world.h"

static void a_rule_that_came_later_fires_for_what_was_there(void **state)
{
    struct pipeline *p = *state;
    struct ledger_row *rows;

    load(p, FEW_CONF);
    ada(p);
    assert_int_equal(contact_lead(p, 7).score, 500);
    int64_t page_at = p->now - MINUTE;
    load(p, MORE_CONF);
    struct replay_sums s = replay_all(p);
    assert_int_equal(s.asked, 3);
    assert_int_equal(s.fired, 1);
    assert_int_equal(s.leads, 1);
    struct lead l = contact_lead(p, 7);
    assert_int_equal(l.score, 850);
    assert_int_equal(ledger(p, l.id, &rows), 2);
    TEXT(rows[1].rule, "page");
    assert_int_equal(rows[1].occurred_at, page_at);
    assert_int_equal(rows[1].received_at, p->now); /* it counts from now on */
}

static void what_fired_keeps_its_points(void **state)
{
    struct pipeline *p = *state;

    load(p, FEW_CONF);
    ada(p);
    load(p, SOURCES SHEETS SCORE "[rule demo]\nwhen = event.property == \"demo\"\npoints = 5\n");
    NOTHING_NEW(replay_all(p));
    assert_int_equal(contact_lead(p, 7).score, 500);
}

/* The rise was at the page, and the message says what was so then. */
static void a_route_that_came_later_is_asked_what_it_would_have_heard(void **state)
{
    struct pipeline *p = *state;

    load(p, SOURCES SHEETS SCORE DEMO PAGE);
    ada(p);
    int64_t page = newest_event(p).id;
    change(p, 7, "phone", "1");
    later(p);
    load(p, MORE_CONF);
    struct replay_sums s = replay_all(p);
    assert_int_equal(s.fired, 0);
    assert_int_equal(s.deliveries, 1);
    struct deliveries d = deliveries(p, NULL, "pending");
    assert_int_equal(d.n, 1);
    assert_int_equal(d.items[0].event, page);
    TEXT(d.items[0].connector, "sales-slack");
    assert_int_equal(d.items[0].facts.score, 850);
    assert_int_equal(d.items[0].facts.previous, 500);
    TEXT(d.items[0].facts.event_property, "page");
    TEXT(d.items[0].facts.reasons, "demo +50, page +35");
    assert_int_equal(d.items[0].due_at, p->now);
}

static void nothing_is_told_twice(void **state)
{
    struct pipeline *p = *state;

    load(p, MORE_CONF);
    ada(p);
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 1);
    NOTHING_NEW(replay_all(p));
    load(p, ALL_CONF);
    assert_int_equal(replay_all(p).deliveries, 1); /* the new connector alone */
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 1);
    assert_int_equal(count_deliveries(p, "lead-book", NULL), 1);
    NOTHING_NEW(replay_all(p));
}

static void but_for_again(void **state)
{
    struct pipeline *p = *state;

    load(p, MORE_CONF);
    ada(p);
    assert_int_equal(replay(p, (struct replay){.again = true}).deliveries, 1);
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 2);
}

/* An older event must not set the page in the service back. */
static void what_keeps_an_object_current_says_what_the_lead_is_now(void **state)
{
    struct pipeline *p = *state;

    load(p, SOURCES SHEETS SCORE DEMO PAGE ACME);
    ada(p);
    change(p, 7, "page", "again");
    later(p);
    load(p, ALL_CONF);
    assert_int_equal(replay_all(p).deliveries, 2);
    struct deliveries d = deliveries(p, "lead-book", "pending");
    assert_int_equal(d.n, 1);
    assert_int_equal(d.items[0].facts.score, 1300);
    assert_int_equal(deliveries(p, "sales-slack", "pending").items[0].facts.score, 950);
}

static void fit_is_that_of_the_rules_of_now(void **state)
{
    struct pipeline *p = *state;

    load(p, FEW_CONF);
    ada(p);
    load(p, SOURCES SHEETS SCORE DEMO ACME);
    assert_int_equal(replay_all(p).leads, 1);
    assert_int_equal(contact_lead(p, 7).score, 600);
    assert_int_equal(contact_lead(p, 7).fit, 100);
    NOTHING_NEW(replay_all(p));
}

static void a_dry_run_says_the_same_and_changes_nothing(void **state)
{
    struct pipeline *p = *state;

    load(p, FEW_CONF);
    ada(p);
    struct intake in = post(p, "zapier", STR("{\"email\":5}"));
    COUNTS(in, 1, 0, 1);
    load(p, ALL_CONF);
    size_t notices = p->notices;
    struct replay_sums dry = replay(p, (struct replay){.dry_run = true});
    assert_int_equal(dry.deliveries, 2);
    assert_int_equal(dry.left, 1);
    assert_int_equal(count_deliveries(p, NULL, NULL), 0);
    assert_int_equal(contact_lead(p, 7).score, 500);
    assert_int_equal(ledger_rows(p, contact_lead(p, 7).id), 1);
    assert_int_equal(p->notices, notices);
    struct replay_sums real = replay_all(p);
    assert_memory_equal(&real, &dry, sizeof real);
    assert_int_equal(count_deliveries(p, NULL, NULL), 2);
}

static void only_what_is_asked_for_is_processed_again(void **state)
{
    struct pipeline *p = *state;
    int64_t ids[] = {0, 0};

    load(p, SOURCES SHEETS SCORE);
    int64_t began = p->now;
    ada(p);
    change(p, 8, "demo", "true");
    ids[0] = newest_event(p).id;
    later(p);
    fill_form(p, "eve@example.com", ",\"demo\":\"true\"");
    change(p, 9, "demo", "true");
    ids[1] = newest_event(p).id;
    load(p, FEW_CONF);
    struct replay r = {.dry_run = true};
    assert_int_equal(replay(p, r).fired, 3);
    r.filter.lead = contact_lead(p, 8).id;
    assert_int_equal(replay(p, r).fired, 1);
    assert_int_equal(replay(p, r).asked, 1);
    r.filter = (struct replay_filter){.ids = ids, .n_ids = 2};
    assert_int_equal(replay(p, r).fired, 2);
    assert_int_equal(replay(p, r).asked, 2);
    r.filter = (struct replay_filter){.since = p->now};
    assert_int_equal(replay(p, r).asked, 2);
    r.filter = (struct replay_filter){.until = began};
    assert_int_equal(replay(p, r).asked, 1);
    r.filter = (struct replay_filter){.source = STR("zapier")};
    assert_int_equal(replay(p, r).asked, 1);
    r.filter = (struct replay_filter){.state = EVENT_UNLINKED};
    assert_int_equal(replay(p, r).asked, 0);
}

/* The second half of Ada's life was gone through alone: the first fired what it had fired. */
static void what_is_not_asked_for_is_still_her_past(void **state)
{
    struct pipeline *p = *state;

    load(p, SOURCES SHEETS SCORE DEMO);
    ada(p);
    int64_t since = p->now;
    change(p, 7, "page", "pricing");
    load(p, MORE_CONF);
    assert_int_equal(replay(p, (struct replay){.filter.since = since}).fired, 1);
    struct deliveries d = deliveries(p, "sales-slack", NULL);
    assert_int_equal(d.n, 1);
    assert_int_equal(d.items[0].facts.score, 850);
    assert_int_equal(d.items[0].facts.previous, 500);
}

static void of_an_erased_lead_nothing_is_told(void **state)
{
    struct pipeline *p = *state;

    load(p, FEW_CONF);
    ada(p);
    tell(p, "contact.privacyDeletion", 7);
    int64_t raw = keep_raw(p, "hubspot", change_json(p, 7, "page", "x", p->now), 1);
    load(p, ALL_CONF);
    struct replay_sums s = replay_all(p);
    assert_int_equal(s.deliveries + s.fired + s.asked, 0);
    assert_null(view(p, raw).body.at); /* what turned out to be theirs goes as well */
    assert_int_equal(contact_lead(p, 7).n_properties, 0);
}

static void of_a_deleted_contact_nobody_hears(void **state)
{
    struct pipeline *p = *state;

    load(p, SOURCES SHEETS SCORE DEMO PAGE);
    ada(p);
    tell(p, "contact.deletion", 7);
    load(p, MORE_CONF);
    assert_int_equal(replay_all(p).deliveries, 0);
}

/* The CRM deletes the record that a merge absorbed: that says nothing of the survivor. */
static void a_deletion_of_an_absorbed_record_is_not_the_leads(void **state)
{
    struct pipeline *p = *state;

    load(p, SOURCES SHEETS SCORE DEMO PAGE);
    change(p, 6, "company", "Acme");
    ada(p);
    merge(p, 6, 7);
    later(p);
    tell(p, "contact.deletion", 6);
    later(p);
    change(p, 7, "page", "again");
    load(p, MORE_CONF);
    assert_int_equal(replay_all(p).deliveries, 1);
    assert_int_equal(contact_lead(p, 7).state, LEAD_ACTIVE);
}

/* To act on what we wrote to the CRM ourselves would go round for ever, in a replay as well. */
static void our_own_echo_is_no_news_in_a_replay_either(void **state)
{
    struct pipeline *p = *state;
    static const char *const confs[] = {
        SOURCES SHEETS CRM SCORE DEMO, SOURCES SHEETS CRM SCORE DEMO
        "[rule echo]\nwhen = event.property == \"funneld_score\"\npoints = 5\n"
        "[route back]\nwhen = event.property != \"demo\"\nto = crm\n"};

    load(p, confs[0]);
    change(p, 7, "demo", "true");
    change(p, 7, "funneld_score", "50");
    load(p, confs[1]);
    struct replay_sums s = replay_all(p);
    assert_int_equal(s.asked, 2);
    assert_int_equal(s.fired + s.deliveries + s.leads, 0);
    struct lead l = contact_lead(p, 7);
    assert_null(property(&l, "funneld_score").at);
    assert_int_equal(l.score, 500);
}

/* It says of a lead what it could not say before. */
static void new_properties_of_an_old_event_are_taken_over(void **state)
{
    struct pipeline *p = *state;
    struct lead l;

    load(p, FEW_CONF);
    fill_form(p, "eve@example.com", ",\"company\":\"Acme\"");
    l = email_lead(p, "eve@example.com");
    l.properties = NULL; /* as if no release before had understood them */
    l.n_properties = l.cap_properties = 0;
    const struct dedupe_key key = key_of(1, 1);
    assert_true(lead_put(&l, STR("old"), STR("1"), 1, &key, &p->w->arena));
    OK(store_begin(p->w->store));
    OK(store_lead_save(p->w->store, &l));
    OK(store_commit(p->w->store));
    load(p, SOURCES SHEETS SCORE ACME);
    assert_int_equal(replay_all(p).leads, 1);
    l = email_lead(p, "eve@example.com");
    PROPERTY(l, "company", "Acme");
    assert_int_equal(l.score, 100);
}

/* One lead's damage is told, and is nobody else's. */
static void what_the_store_refuses_is_left_alone(void **state)
{
    struct pipeline *p = *state;
    struct lead l;

    load(p, FEW_CONF);
    ada(p);
    change(p, 8, "page", "x");
    l = contact_lead(p, 7);
    struct str ledger_was = l.ledger;
    l.ledger = STR("[[");
    OK(store_begin(p->w->store));
    OK(store_lead_save(p->w->store, &l));
    OK(store_commit(p->w->store));
    load(p, MORE_CONF);
    struct replay_sums s = replay_all(p);
    assert_int_equal(s.failed, 1);
    assert_int_equal(s.fired, 1);
    assert_int_equal(contact_lead(p, 8).score, 350);
    l.ledger = ledger_was;
    OK(store_begin(p->w->store));
    OK(store_lead_save(p->w->store, &l));
    OK(store_commit(p->w->store));
    s = replay_all(p);
    assert_int_equal(s.failed, 0);
    assert_int_equal(s.fired, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_rule_that_came_later_fires_for_what_was_there),
        CHECKS(what_fired_keeps_its_points),
        CHECKS(a_route_that_came_later_is_asked_what_it_would_have_heard),
        CHECKS(nothing_is_told_twice),
        CHECKS(but_for_again),
        CHECKS(what_keeps_an_object_current_says_what_the_lead_is_now),
        CHECKS(fit_is_that_of_the_rules_of_now),
        CHECKS(a_dry_run_says_the_same_and_changes_nothing),
        CHECKS(only_what_is_asked_for_is_processed_again),
        CHECKS(what_is_not_asked_for_is_still_her_past),
        CHECKS(of_an_erased_lead_nothing_is_told),
        CHECKS(of_a_deleted_contact_nobody_hears),
        CHECKS(a_deletion_of_an_absorbed_record_is_not_the_leads),
        CHECKS(our_own_echo_is_no_news_in_a_replay_either),
        CHECKS(new_properties_of_an_old_event_are_taken_over),
        CHECKS(what_the_store_refuses_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
