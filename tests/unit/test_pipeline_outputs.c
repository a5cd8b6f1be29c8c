/* tests/unit/test_pipeline_outputs.c - scores to routes to queue rows; enrichment. */
#include "contact_event.h"
#include "pipeline_ends.h"

static const char waiting[] = BASIC_SOURCES SLACK NOTION CRM RULES
    "[route demo]\nwhen = event.property == \"demo_requested\"\nto = sales-slack\n"
    "wait_for = enrichment\n"
    "[route page]\nwhen = event.property == \"page\"\nto = lead-book\n";

/* The CRM knows this company of the contact: the answer to the one question that waits. */
static void answer_enrichment(struct pipeline *p, int64_t contact, const char *company,
                              int64_t updated_at)
{
    const struct field known = {STR("company"), str_of(company)};
    const struct delivery asked = only(p, "crm", "pending");
    struct attempt_end end = end_of(p, &asked, ATTEMPT_DELIVERED);
    struct event e;

    enriched_event(STR("crm"), PORTAL, contact, updated_at, &known, 1, p->now, &p->w->arena, &e);
    e.request_id = STR("req-1");
    end.events = &e;
    end.n_events = 1;
    end.enriched = true;
    give(p, &end);
    assert_true(end.applied);
}

static void a_lead_is_asked_for_once(void **state)
{
    struct pipeline *p = *state;

    load(p, CRM_CONF);
    change(p, 7, "page", "a");
    change(p, 7, "page", "b");
    struct delivery d = only(p, "crm", "pending");
    TEXT(d.route, "enrichment");
    assert_int_equal(d.lead, contact_lead(p, 7).id);
    assert_int_equal(d.due_at, p->now);
    change(p, 8, "page", "a");
    assert_int_equal(count_deliveries(p, "crm", NULL), 2);
}

static void a_form_lead_is_not_asked_for(void **state)
{
    struct pipeline *p = *state;

    load(p, CRM_CONF);
    fill_form(p, "ada@example.com", "");
    assert_int_equal(count_deliveries(p, "crm", NULL), 0);
}

static void the_answer_comes_with_the_verdict_in_one_commit(void **state)
{
    struct pipeline *p = *state;

    load(p, CRM_CONF);
    change(p, 7, "demo_requested", "true");
    p->now += 500;
    answer_enrichment(p, 7, "Acme", p->now - 1000);
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "company", "Acme");
    assert_int_equal(l.score, 500);
    assert_int_equal(l.enriched_at, p->now);
    assert_int_equal(count_deliveries(p, "crm", "delivered"), 1);
    assert_int_equal(count_deliveries(p, "crm", "pending"), 0);
    struct event_view e = newest_event(p);
    TEXT(e.type, "contact.enriched");
    TEXT(e.source, "crm");
    assert_int_equal(e.occurred_at, p->now - 1000);
    assert_true(counted(METRIC_EVENTS_RECEIVED, "crm", "other") == 1);
}

static void a_stale_lead_is_asked_for_again(void **state)
{
    struct pipeline *p = *state;

    load(p, CRM_CONF);
    change(p, 7, "page", "a");
    answer_enrichment(p, 7, "Acme", p->now);
    p->now += 24 * HOURS_MS - 1;
    change(p, 7, "page", "b");
    assert_int_equal(count_deliveries(p, "crm", "pending"), 0);
    p->now += 1;
    change(p, 7, "page", "c");
    assert_int_equal(count_deliveries(p, "crm", "pending"), 1);
}

static void a_lead_that_a_clock_ahead_had_told_of_is_asked_for_again(void **state)
{
    struct pipeline *p = *state;

    load(p, CRM_CONF);
    change(p, 7, "page", "a");
    answer_enrichment(p, 7, "Acme", p->now);
    p->now -= 1;
    change(p, 7, "page", "b");
    assert_int_equal(count_deliveries(p, "crm", "pending"), 1);
}

static void a_lead_is_asked_for_again_after_a_restore_and_a_merge(void **state)
{
    struct pipeline *p = *state;

    load(p, CRM_CONF);
    change(p, 7, "page", "a");
    answer_enrichment(p, 7, "Acme", p->now);
    p->now += 1000;
    tell(p, "contact.deletion", 7);
    assert_int_equal(count_deliveries(p, "crm", "pending"), 0);
    p->now += 1000;
    tell(p, "contact.restore", 7);
    answer_enrichment(p, 7, "Acme Ltd", p->now);
    p->now += 1000;
    merge(p, 6, 7);
    assert_int_equal(contact_lead(p, 7).enriched_at, 0);
    answer_enrichment(p, 7, "Acme & Co", p->now);
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "company", "Acme & Co");
}

/* Both sections may be called hubspot. */
static void an_answer_does_not_ask_again_where_source_and_connector_share_a_name(void **state)
{
    struct pipeline *p = *state;
    static const char conf[] = "[server]\npublic_url = https://hooks.example.com\n"
                               "[source hubspot]\ntype = hubspot\nsecret = one\nenrich = hubspot\n"
                               "[connector hubspot]\ntype = hubspot\ntoken = t\n" RULES;
    const struct field known = {STR("company"), STR("Acme")};
    struct event e;

    load(p, conf);
    change(p, 7, "page", "a");
    struct delivery asked = only(p, "hubspot", "pending");
    struct attempt_end end = end_of(p, &asked, ATTEMPT_DELIVERED);
    enriched_event(STR("hubspot"), PORTAL, 7, p->now, &known, 1, p->now, &p->w->arena, &e);
    e.request_id = STR("req-1");
    end.events = &e;
    end.n_events = 1;
    end.enriched = true;
    give(p, &end);
    assert_int_equal(count_deliveries(p, "hubspot", "pending"), 0);
}

/* The CRM knows contacts by number: who has none yet is nobody to ask for. */
static void only_leads_with_a_number_are_asked_for(void **state)
{
    struct pipeline *p = *state;

    load(p, "[server]\npublic_url = https://hooks.example.com\n"
            "[source hubspot]\ntype = hubspot\nsecret = one\nenrich = none\n"
            "[source shop]\ntype = http\nsignature = bearer\nsecret = two\n"
            "[connector crm]\ntype = hubspot\ntoken = t\n" RULES);
    (void)post(p, "shop", STR("{\"email\":\"ada@example.com\"}"));
    assert_int_equal(count_deliveries(p, "crm", "pending"), 0);
    change(p, 7, "email", "ada@example.com");
    assert_int_equal(count_deliveries(p, "crm", "pending"), 0); /* that source does not ask */
    (void)post(p, "shop", STR("{\"email\":\"ada@example.com\",\"again\":1}"));
    assert_int_equal(only(p, "crm", "pending").lead, contact_lead(p, 7).id);
}

static void what_waits_for_enrichment_is_due_in_thirty_seconds(void **state)
{
    struct pipeline *p = *state;

    load(p, waiting);
    change(p, 7, "demo_requested", "true");
    struct delivery d = only(p, "sales-slack", "pending");
    assert_int_equal(d.due_at, p->now + 30000);
    assert_int_equal(d.wait_until, p->now + 30000);
    change(p, 7, "page", "a"); /* its route does not wait */
    assert_int_equal(only(p, "lead-book", "pending").due_at, p->now);
    p->now += 1000;
    change(p, 7, "demo_requested", "true"); /* each message for itself */
    assert_int_equal(deliveries(p, "sales-slack", "pending").items[0].due_at, p->now + 30000);
}

static void news_does_not_put_an_upsert_off_again(void **state)
{
    struct pipeline *p = *state;

    load(
        p, BASIC_SOURCES NOTION RULES CRM
        "[route book]\nwhen = event.property == \"page\"\nto = lead-book\nwait_for = enrichment\n");
    change(p, 7, "page", "a");
    int64_t until = only(p, "lead-book", "pending").due_at;
    p->now += 20000;
    change(p, 7, "page", "b"); /* takes its place, and its time */
    assert_int_equal(only(p, "lead-book", "pending").due_at, until);
    p->now = until;
    change(p, 7, "page", "c");
    assert_int_equal(only(p, "lead-book", "pending").wait_until, 0);
    p->now += 10000;
    change(p, 7, "page", "d");
    assert_int_equal(only(p, "lead-book", "pending").due_at, p->now);
}

static void the_answer_releases_what_waits(void **state)
{
    struct pipeline *p = *state;

    load(p, waiting);
    change(p, 7, "demo_requested", "true");
    p->now += 700;
    answer_enrichment(p, 7, "Acme", p->now);
    struct delivery d = only(p, "sales-slack", "pending");
    assert_int_equal(d.due_at, p->now);
    assert_int_equal(d.wait_until, 0);
    assert_int_equal(p->known[d.id].due_at, p->now);
    assert_int_equal(d.facts.score, 350); /* as it was at commit */
}

static void the_answer_releases_what_waits_at_a_lead_merged_meanwhile(void **state)
{
    struct pipeline *p = *state;

    load(p, waiting);
    change(p, 7, "demo_requested", "true");
    struct delivery asked = only(p, "crm", "pending");
    struct attempt_end end = end_of(p, &asked, ATTEMPT_DELIVERED);
    merge(p, 7, 8);
    p->now += 700;
    end.enriched = true;
    give(p, &end);
    assert_int_equal(only(p, "sales-slack", "pending").due_at, p->now);
    assert_int_equal(contact_lead(p, 8).enriched_at, p->now - 700);
}

static void a_fresh_lead_is_not_held_back(void **state)
{
    struct pipeline *p = *state;

    load(p, waiting);
    change(p, 7, "company", "x");
    answer_enrichment(p, 7, "Acme", p->now);
    p->now += 1000;
    change(p, 7, "demo_requested", "true");
    assert_int_equal(only(p, "sales-slack", "pending").due_at, p->now);
    assert_int_equal(only(p, "sales-slack", "pending").wait_until, 0);
}

static void nothing_waits_where_nobody_can_be_asked(void **state)
{
    struct pipeline *p = *state;
    static const char conf[] = BASIC_SOURCES SLACK RULES
        "[route demo]\nwhen = score > 0\nto = sales-slack\nwait_for = enrichment\n";

    load(p, conf);
    change(p, 7, "demo_requested", "true");
    assert_int_equal(only(p, "sales-slack", "pending").due_at, p->now);
}

static void a_newer_upsert_replaces_the_one_that_waits(void **state)
{
    struct pipeline *p = *state;
    static const char conf[] = BASIC_SOURCES SLACK NOTION RULES
        "[route all]\nwhen = event.property == \"page\"\nto = lead-book, sales-slack\n";

    load(p, conf);
    change(p, 7, "page", "a");
    int64_t first = only(p, "lead-book", "pending").id;
    change(p, 7, "page", "b");
    change(p, 8, "page", "a");
    assert_int_equal(only(p, "lead-book", "superseded").id, first);
    assert_int_equal(count_deliveries(p, "lead-book", "pending"), 2);
    assert_int_equal(count_deliveries(p, "sales-slack", "pending"), 3);
    assert_true(counted(METRIC_DELIVERIES, "lead-book", "superseded") == 1);
}

static void an_upsert_whose_attempt_is_open_is_not_replaced(void **state)
{
    struct pipeline *p = *state;
    static const char conf[] = BASIC_SOURCES NOTION RULES
        "[route all]\nwhen = event.property == \"page\"\nto = lead-book\n";

    load(p, conf);
    change(p, 7, "page", "a");
    int64_t first = only(p, "lead-book", "pending").id;
    struct attempts begin = {.deliveries = &first, .n = 1, .at = p->now};
    run(p, &begin.work, WORK_ATTEMPTS);
    OK(p->rc);
    assert_int_equal(get_delivery(p->w, first).open_attempt_at, p->now);
    change(p, 7, "page", "b");
    assert_int_equal(count_deliveries(p, "lead-book", "superseded"), 0);
    assert_int_equal(count_deliveries(p, "lead-book", "pending"), 2);
}

static void deliveries_of_a_removed_connector_are_held_until_it_is_back(void **state)
{
    struct pipeline *p = *state;

    load(p, waiting);
    change(p, 7, "page", "a");
    size_t rescans = p->rescans;
    load(p, BASIC_SOURCES SLACK RULES);
    assert_int_equal(count_deliveries(p, "lead-book", "held"), 1);
    assert_int_equal(count_deliveries(p, "crm", "held"), 1);
    load(p, waiting);
    assert_int_equal(count_deliveries(p, "lead-book", "pending"), 1);
    assert_int_equal(count_deliveries(p, "crm", "pending"), 1);
    assert_int_equal(p->rescans, rescans + 2);
}

static void dead_deliveries_are_retried_by_command(void **state)
{
    struct pipeline *p = *state;

    load(p, waiting);
    change(p, 7, "page", "a");
    change(p, 8, "page", "a");
    struct deliveries list = deliveries(p, "lead-book", "pending");
    for (size_t i = 0; i < list.n; i++) {
        struct attempt_end end = end_of(p, &list.items[i], ATTEMPT_DEAD);
        end.detail = i ? STR("token_revoked") : STR("no such database");
        give(p, &end);
    }
    struct retry_filter f = {.connector = STR("lead-book"), .reason = STR("TOKEN")};
    struct command c = {.kind = COMMAND_RETRY, .arg = &f};
    run(p, &c.work, WORK_COMMAND);
    OK(p->rc);
    assert_int_equal(c.count, 1);
    assert_int_equal(only(p, "lead-book", "pending").id, list.items[1].id);
    assert_int_equal(only(p, "lead-book", "dead").id, list.items[0].id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_lead_is_asked_for_once),
        CHECKS(a_form_lead_is_not_asked_for),
        CHECKS(the_answer_comes_with_the_verdict_in_one_commit),
        CHECKS(a_stale_lead_is_asked_for_again),
        CHECKS(a_lead_that_a_clock_ahead_had_told_of_is_asked_for_again),
        CHECKS(a_lead_is_asked_for_again_after_a_restore_and_a_merge),
        CHECKS(an_answer_does_not_ask_again_where_source_and_connector_share_a_name),
        CHECKS(only_leads_with_a_number_are_asked_for),
        CHECKS(what_waits_for_enrichment_is_due_in_thirty_seconds),
        CHECKS(news_does_not_put_an_upsert_off_again),
        CHECKS(the_answer_releases_what_waits),
        CHECKS(the_answer_releases_what_waits_at_a_lead_merged_meanwhile),
        CHECKS(a_fresh_lead_is_not_held_back),
        CHECKS(nothing_waits_where_nobody_can_be_asked),
        CHECKS(a_newer_upsert_replaces_the_one_that_waits),
        CHECKS(an_upsert_whose_attempt_is_open_is_not_replaced),
        CHECKS(deliveries_of_a_removed_connector_are_held_until_it_is_back),
        CHECKS(dead_deliveries_are_retried_by_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
