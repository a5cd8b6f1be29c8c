/* tests/unit/test_pipeline_echo.c - what we wrote to the CRM comes back as its news; and what the
 * CRM tells of the time in which we were away. */
#include "contact_event.h"
#include "objects_world.h"
#include "pipeline_ends.h"

static const char both_ways[] = BASIC_SOURCES SLACK CRM RULES
    "[rule any]\nwhen = event.type == \"contact.propertyChange\"\npoints = 1\n"
    "[rule fed]\nwhen = lead.funneld_score >= 1\npoints = 7\n"
    "[route all]\nwhen = score >= 0\nto = crm, sales-slack\n";

static size_t all_deliveries(struct pipeline *p)
{
    return count_deliveries(p, NULL, NULL);
}

static void our_own_change_sets_nothing_off(void **state)
{
    static const char *const outputs[] = {"funneld_score", "funneld_band", "funneld_reasons",
                                          "funneld_updated"};
    struct pipeline *p = *state;

    load(p, both_ways);
    change(p, 7, "page", "a");
    struct lead before = contact_lead(p, 7);
    size_t deliveries_before = all_deliveries(p);
    assert_true(deliveries_before > 0);
    for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
        p->now += 1000;
        change(p, 7, outputs[i], "90"); /* accepted: it is stored */
        struct event_view e = newest_event(p);
        assert_int_equal(e.state, EVENT_PROCESSED);
        assert_int_equal(e.lead, before.id);
    }
    struct lead after = contact_lead(p, 7);
    assert_int_equal(all_deliveries(p), deliveries_before);
    assert_int_equal(after.score, before.score);
    assert_int_equal(ledger_rows(p, after.id), 1);
    assert_null(property(&after, "funneld_score").at);
    assert_true(counted(METRIC_EVENTS_RECEIVED, "hubspot", "contact.propertyChange") == 5);
}

/* As after a restore of an older database. */
static void an_echo_of_a_contact_that_nobody_knows_asks_nobody(void **state)
{
    struct pipeline *p = *state;

    load(p, both_ways);
    change(p, 7, "funneld_score", "90");
    assert_int_equal(all_deliveries(p), 0);
    assert_false(contact_lead(p, 7).evaluated);
    change(p, 7, "page", "a");
    assert_true(all_deliveries(p) > 0);
}

static void what_is_renamed_is_known_by_its_name(void **state)
{
    struct pipeline *p = *state;

    load(p, BASIC_SOURCES SLACK CRM "property.score = lead_score\nproperty.reasons =\n"
                                    "[route all]\nwhen = score >= 0\nto = sales-slack\n");
    change(p, 7, "lead_score", "90");
    assert_int_equal(all_deliveries(p), 0);
    change(p, 7, "funneld_score", "90"); /* somebody else's now */
    size_t n = all_deliveries(p);
    assert_true(n > 0);
    change(p, 7, "funneld_reasons", "none");
    assert_true(all_deliveries(p) > n);
}

static void without_a_crm_no_property_is_ours(void **state)
{
    struct pipeline *p = *state;

    load(p, BASIC_SOURCES SLACK "[route all]\nwhen = score >= 0\nto = sales-slack\n");
    change(p, 7, "funneld_score", "90");
    assert_int_equal(all_deliveries(p), 1);
}

static void asking_and_telling_wait_side_by_side(void **state)
{
    struct pipeline *p = *state;

    load(p, both_ways);
    change(p, 7, "page", "a");
    change(p, 7, "page", "b");
    assert_int_equal(count_deliveries(p, "crm", "pending"), 2);
    assert_int_equal(count_deliveries(p, "crm", "superseded"), 1);
    struct deliveries list = deliveries(p, "crm", "pending");
    TEXT(list.items[0].route, "all");
    TEXT(list.items[1].route, "enrichment");
}

/* Puts a catch-up into the queue as the daemon does at its start. */
static struct delivery begin_catch_up(struct pipeline *p)
{
    struct event e = {.source = STR("crm"),
                      .type = STR("catch-up.started"),
                      .state = EVENT_UNLINKED,
                      .reason = STR("the CRM is asked"),
                      .occurred_at = p->now,
                      .received_at = p->now,
                      .request_id = STR("catch-up-1"),
                      .body = STR("{}")};
    struct delivery d = {
        .route = route_catch_up, .connector = STR("crm"), .created_at = p->now, .due_at = p->now};

    struct lead nobody = {0};

    OK(store_begin(p->w->store));
    OK(store_dedupe(p->w->store, &e, &d.event));
    OK(store_event_add(p->w->store, d.event, NULL, &e, true, p->now));
    OK(store_delivery_add(p->w->store, &nobody, &d, &p->w->arena));
    OK(store_commit(p->w->store));
    p->known[d.id] = (struct due_row){.id = d.id, .due_at = d.due_at};
    return get_delivery(p->w, d.id);
}

static void recovered(struct pipeline *p, int64_t contact, const char *company, int64_t at,
                      struct event *ret)
{
    struct field *known = ARENA_NEW(&p->w->arena, struct field);

    *known = (struct field){STR("company"), str_of(company)};
    enriched_event(STR("crm"), PORTAL, contact, at, known, 1, p->now, &p->w->arena, ret);
    ret->type = STR("contact.recovered");
    ret->request_id = STR("catch-up-1");
}

static void what_changed_while_we_were_away_is_folded_in_page_by_page(void **state)
{
    struct pipeline *p = *state;
    struct event events[3];

    load(p, both_ways);
    change(p, 7, "company", "Old");
    p->now += DAYS_MS;
    struct delivery d = begin_catch_up(p);
    recovered(p, 7, "Acme", p->now - HOURS_MS, &events[0]);
    recovered(p, 8, "Acme", p->now - HOURS_MS, &events[1]); /* made meanwhile */
    recovered(p, 7, "Older", START - 1, &events[2]);
    struct attempt_end end = end_of(p, &d, ATTEMPT_MORE);
    end.events = events;
    end.n_events = 3;
    end.due_at = p->now;
    end.remote_id = STR("page 2");
    give(p, &end);
    assert_true(end.applied);
    struct lead known = contact_lead(p, 7), new = contact_lead(p, 8);
    PROPERTY(known, "company", "Acme");
    PROPERTY(new, "company", "Acme");
    assert_int_equal(new.fit, 150); /* scored as by any other news */
    assert_int_equal(get_delivery(p->w, d.id).state, DELIVERY_PENDING);
    TEXT(newest_event(p).type, "contact.recovered");

    size_t before = all_deliveries(p);
    end.verdict = ATTEMPT_DELIVERED; /* a page that comes twice changes nothing */
    give(p, &end);
    assert_int_equal(all_deliveries(p), before);
    assert_int_equal(get_delivery(p->w, d.id).state, DELIVERY_DELIVERED);
    assert_true(counted(METRIC_EVENTS_DUPLICATE, "crm", NULL) == 3);
}

/* A search says what a deal is, and not whose. */
static struct event found_deal(struct pipeline *p, int64_t deal, const char *stage)
{
    struct field *known = ARENA_NEW(&p->w->arena, struct field);
    const struct object o = {.kind = OBJECT_DEAL, .record = {.portal_id = PORTAL, .crm_id = deal}};

    *known = (struct field){STR("dealstage"), str_of(stage)};
    struct event e = record_read(p, &o, p->now - 1000, known, 1, NULL, 0, 0);
    e.type = recovered_type(OBJECT_DEAL, &p->w->arena);
    return e;
}

static size_t deals_asked_for(struct pipeline *p)
{
    struct deliveries all = deliveries(p, "crm", "pending");
    size_t n = 0;

    for (size_t i = 0; i < all.n; i++)
        n += all.items[i].lead < 0;
    return n;
}

static void a_deal_that_changed_while_we_were_away_is_asked_whose_it_is(void **state)
{
    struct pipeline *p = *state;
    static const int64_t contact = 7;

    load(p, both_ways);
    link_deal(p, 9, 7);
    struct object o = object_of(p, OBJECT_DEAL, 9);
    struct event known = record_read(p, &o, p->now, NULL, 0, &contact, 1, p->now - 60000);
    struct deliveries asked = deliveries(p, "crm", "pending");
    for (size_t i = 0; i < asked.n; i++)
        if (asked.items[i].lead < 0)
            answer(p, &known, asked.items[i].id);
    assert_int_equal(deals_asked_for(p), 0);
    p->now += 60000;
    struct delivery d = begin_catch_up(p);
    struct event events[] = {found_deal(p, 9, "closedwon"), found_deal(p, 10, "open")};
    struct attempt_end end = end_of(p, &d, ATTEMPT_DELIVERED);
    end.events = events;
    end.n_events = 2;
    give(p, &end);
    assert_true(end.applied);
    struct lead told = contact_lead(p, 7);
    PROPERTY(told, "deal_stage", "closedwon"); /* at once */
    assert_int_equal(object_of(p, OBJECT_DEAL, 10).record.n_properties, 1);
    assert_int_equal(deals_asked_for(p), 2); /* also the one that was asked about a minute ago */
    p->now += 1000;
    give(p, &end); /* the page comes twice */
    assert_int_equal(contact_lead(p, 7).last_event, told.last_event);
    assert_int_equal(deals_asked_for(p), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(our_own_change_sets_nothing_off),
        CHECKS(an_echo_of_a_contact_that_nobody_knows_asks_nobody),
        CHECKS(what_is_renamed_is_known_by_its_name),
        CHECKS(without_a_crm_no_property_is_ours),
        CHECKS(asking_and_telling_wait_side_by_side),
        CHECKS(what_changed_while_we_were_away_is_folded_in_page_by_page),
        CHECKS(a_deal_that_changed_while_we_were_away_is_asked_whose_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
