/* tests/unit/test_pipeline_scores.c - the stored score, its ledger, and who hears of a rise. */
#include "pipeline_world.h"

/* What is stored at the lead is what its ledger and rules give at that time. */
static void check_score(struct pipeline *p, const struct lead *l, int64_t at)
{
    struct ledger_row *rows;
    size_t n = ledger(p, l->id, &rows);
    struct verdict_score v;

    scorecard_evaluate(&p->rules->scorecard, l, rows, n, at, NULL, &v);
    assert_int_equal(l->score, v.score);
    assert_int_equal(l->fit, v.fit);
    assert_int_equal(l->engagement, v.engagement);
    assert_int_equal(l->band, v.band);
}

static void a_ledger_row_keeps_the_rule_as_it_was(void **state)
{
    struct pipeline *p = *state;
    struct ledger_row *rows;

    load(p,
         BASIC_SOURCES "[group engagement]\nmax = 60\n"
                       "[rule demo]\nwhen = event.property == \"demo_requested\"\npoints = 35\n"
                       "half_life = 30d\ngroup = engagement\nmax = 50\nwhy = asked for a demo\n");
    struct intake in = post_one(p, change_json(p, 7, "demo_requested", "true", p->now - 5000));
    COUNTS(in, 1, 0, 0);
    struct lead l = contact_lead(p, 7);
    assert_int_equal(ledger(p, l.id, &rows), 1);
    TEXT(rows[0].rule, "demo");
    TEXT(rows[0].group, "engagement");
    TEXT(rows[0].why, "asked for a demo");
    assert_int_equal(rows[0].points, 350);
    assert_int_equal(rows[0].half_life_ms, 30 * DAYS_MS);
    assert_int_equal(rows[0].max, 500);
    assert_int_equal(rows[0].occurred_at, p->now - 5000);
    assert_int_equal(rows[0].received_at, p->now);
    assert_int_equal(rows[0].event, newest_event(p).id);

    load(p, BASIC_SOURCES "[rule demo]\nwhen = event.property == \"demo_requested\"\npoints = 1\n");
    assert_int_equal(ledger(p, l.id, &rows), 1);
    assert_int_equal(rows[0].points, 350);
}

static void the_score_decays_to_the_time_of_the_event(void **state)
{
    struct pipeline *p = *state;

    load(p, BASIC_SOURCES "[rule demo]\nwhen = event.property == \"demo_requested\"\npoints = 40\n"
                          "half_life = 10d\n");
    change(p, 7, "demo_requested", "true");
    assert_int_equal(contact_lead(p, 7).score, 400);
    p->now += 10 * DAYS_MS;
    change(p, 7, "page", "x");
    struct lead l = contact_lead(p, 7);
    assert_int_equal(l.score, 200);
    check_score(p, &l, p->now);
    assert_int_equal(l.band, BAND_COLD);

    p->now += 10 * DAYS_MS; /* of the event's arrival: it may be late */
    struct intake in = post_one(p, change_json(p, 7, "page", "x", p->now - 15 * DAYS_MS));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(contact_lead(p, 7).score, 100);
}

static void a_fit_rule_follows_the_property(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "company", "Acme");
    assert_int_equal(contact_lead(p, 7).fit, 150);
    p->now += 1000;
    change(p, 7, "company", "Other");
    assert_int_equal(contact_lead(p, 7).fit, 0);
    assert_int_equal(ledger_rows(p, contact_lead(p, 7).id), 0);
}

static void a_rise_is_announced_once(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "company", "Acme"); /* 15 */
    p->now += 1000;
    change(p, 7, "demo_requested", "true"); /* 50 */
    assert_int_equal(count_deliveries(p, NULL, NULL), 0);
    p->now += 1000;
    change(p, 7, "demo_requested", "true"); /* 85 */
    struct deliveries list = deliveries(p, "sales-slack", NULL);
    assert_int_equal(list.n, 1);
    assert_int_equal(count_deliveries(p, "lead-book", NULL), 1);
    const struct delivery_facts *f = &list.items[0].facts;
    assert_int_equal(f->score, 850);
    assert_int_equal(f->previous, 500);
    assert_int_equal(f->fit, 150);
    assert_int_equal(f->engagement, 700);
    assert_int_equal(f->band, BAND_HOT);
    TEXT(f->reasons, "demo request (2x) +70, acme +15");
    TEXT(list.items[0].route, "hot-lead");
    p->now += 1000;
    change(p, 7, "demo_requested", "true"); /* 120 */
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 1);
}

/* score.previous is what was stored, not what that has decayed to. */
static void a_score_that_decayed_below_is_announced_again_only_after_an_evaluation(void **state)
{
    struct pipeline *p = *state;
    static const char conf[] = BASIC_SOURCES SLACK
        "[rule demo]\nwhen = event.property == \"demo_requested\"\npoints = 80\nhalf_life = 10d\n"
        "[route hot]\nwhen = score >= 80 and score.previous < 80\nto = sales-slack\n";

    load(p, conf);
    change(p, 7, "demo_requested", "true");
    assert_int_equal(count_deliveries(p, NULL, NULL), 1);
    p->now += 100 * DAYS_MS;
    change(p, 7, "demo_requested", "true"); /* 80.1, and the stored one is 80 */
    assert_int_equal(count_deliveries(p, NULL, NULL), 1);
    p->now += 100 * DAYS_MS;
    change(p, 7, "page", "x"); /* evaluates: 0.1 */
    change(p, 7, "demo_requested", "true");
    assert_int_equal(count_deliveries(p, NULL, NULL), 2);
}

static void previous_is_zero_before_the_first_evaluation(void **state)
{
    struct pipeline *p = *state;
    static const char conf[] = BASIC_SOURCES SLACK
        "[rule bad]\nwhen = event.property == \"page\"\npoints = -10\n"
        "[route first]\nwhen = score.previous == 0 and score < 0\nto = sales-slack\n";

    load(p, conf);
    change(p, 7, "page", "x");
    struct deliveries list = deliveries(p, "sales-slack", NULL);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.items[0].facts.score, -100);
    assert_int_equal(list.items[0].facts.previous, 0);
    p->now += 1;
    change(p, 7, "page", "x");
    assert_int_equal(count_deliveries(p, NULL, NULL), 1);
}

static void a_rise_announced_of_either_record_is_not_announced_of_both(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 8, "page", "/pricing");
    for (int i = 0; i < 3; i++, p->now++)
        change(p, 7, "demo_requested", "true");
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 1);
    merge(p, 7, 8); /* 130.5, of which 105 were told */
    assert_int_equal(contact_lead(p, 8).score, 1305);
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 1);

    change(p, 17, "demo_requested", "true");
    change(p, 18, "demo_requested", "true");
    change(p, 18, "page", "/pricing");
    merge(p, 17, 18); /* 95.5: neither was hot */
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 2);

    change(p, 27, "page", "/pricing");
    for (int i = 0; i < 3; i++, p->now++)
        change(p, 28, "demo_requested", "true");
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 3);
    merge(p, 27, 28); /* told of the one that stays */
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 3);
}

static void an_event_fires_its_rules_at_the_lead_that_survives(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    fill_form(p, "ada@example.com", "");
    struct lead l = email_lead(p, "ada@example.com");
    load(p, BASIC_SOURCES "[rule mail]\nwhen = event.property == \"email\"\npoints = 5\n"
                          "[rule form]\nwhen = event.source == \"zapier\"\npoints = 20\n");
    change(p, 7, "email", "ada@example.com");
    assert_int_equal(contact_lead(p, 7).id, l.id);
    assert_int_equal(contact_lead(p, 7).score, 250);
    assert_int_equal(ledger_rows(p, l.id), 2);
}

static void a_route_sees_the_event_the_lead_and_the_band(void **state)
{
    struct pipeline *p = *state;
    static const char conf[] = BASIC_SOURCES SLACK RULES
        "[route r]\nwhen = event.type == \"contact.propertyChange\" and lead.company == \"Acme\""
        " and score.band == \"warm\"\nto = sales-slack\n";

    load(p, conf);
    change(p, 7, "demo_requested", "true");
    assert_int_equal(count_deliveries(p, NULL, NULL), 0);
    change(p, 7, "company", "Acme");
    struct deliveries list = deliveries(p, "sales-slack", NULL);
    assert_int_equal(list.n, 1);
    TEXT(list.items[0].facts.event_property, "company");
}

static void rule_sets_are_remembered_with_their_time(void **state)
{
    struct pipeline *p = *state;
    struct str text;

    load(p, PLAIN_CONF);
    int64_t first = p->now;
    p->now += 1000;
    load(p, PLAIN_CONF); /* the same again is nothing new */
    p->now += 1000;
    load(p, BASIC_SOURCES "[rule other]\nwhen = event.property == \"x\"\npoints = 1\n");
    assert_int_equal(read_ruleset(p->w->reader, first - 1, &p->w->arena, &text), RC_NONE);
    OK(read_ruleset(p->w->reader, p->now - 1, &p->w->arena, &text));
    assert_non_null(str_find(text, STR("demo-request")));
    OK(read_ruleset(p->w->reader, p->now, &p->w->arena, &text));
    assert_null(str_find(text, STR("demo-request")));
    SAME(text, p->rules->scorecard.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_ledger_row_keeps_the_rule_as_it_was),
        CHECKS(the_score_decays_to_the_time_of_the_event),
        CHECKS(a_fit_rule_follows_the_property),
        CHECKS(a_rise_is_announced_once),
        CHECKS(a_score_that_decayed_below_is_announced_again_only_after_an_evaluation),
        CHECKS(previous_is_zero_before_the_first_evaluation),
        CHECKS(a_rise_announced_of_either_record_is_not_announced_of_both),
        CHECKS(an_event_fires_its_rules_at_the_lead_that_survives),
        CHECKS(a_route_sees_the_event_the_lead_and_the_band),
        CHECKS(rule_sets_are_remembered_with_their_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
