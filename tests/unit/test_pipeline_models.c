/* tests/unit/test_pipeline_models.c - what models say of a lead, in the transaction of its event.
 */
#include "served_world.h"

static const char conf[] = BASIC_SOURCES SLACK RULES
    "[route likely]\nwhen = probability >= 80\nto = sales-slack\n"
    "[route leaving]\nwhen = churn > 90 and not probability > 50\nto = sales-slack\n";

static const char risen[] = BASIC_SOURCES SLACK
    "[route risen]\nwhen = probability >= 70 and probability.previous < 70\nto = sales-slack\n"
    "[route leaves]\nwhen = churn >= 50 and churn.previous < 50\nto = sales-slack\n";

/* A millisecond later: news, not the same again. */
static void says(struct pipeline *p, int64_t contact, const char *property, const char *value)
{
    p->now++;
    change(p, contact, property, value);
}

static void expect_told(struct pipeline *p, size_t n)
{
    assert_int_equal(deliveries(p, "sales-slack", NULL).n, n);
}

static void an_event_changes_what_may_come_of_its_lead(void **state)
{
    struct pipeline *p = *state;

    load(p, conf);
    use_models(p, demo_model(), age_model());
    change(p, 1, "page", "/home");
    struct lead l = contact_lead(p, 1);
    CHANCE(l.probability, 119); /* sigmoid(-2) */
    CHANCE(l.churn, 269);       /* sigmoid(-1) */
    change(p, 1, "company", "Acme");
    CHANCE(contact_lead(p, 1).probability, 500);
    p->now += 10 * DAYS_MS;
    change(p, 1, "demo_requested", "true");
    l = contact_lead(p, 1);
    CHANCE(l.probability, 982); /* sigmoid(4) */
    CHANCE(l.churn, 500);
}

static void without_a_model_it_is_not_known(void **state)
{
    struct pipeline *p = *state;

    load(p, conf);
    change(p, 1, "demo_requested", "true");
    assert_false(contact_lead(p, 1).probability.known);
    use_models(p, demo_model(), NULL);
    change(p, 1, "page", "/home");
    struct lead l = contact_lead(p, 1);
    CHANCE(l.probability, 881); /* what it did before counts: sigmoid(-2 + 4) */
    assert_false(l.churn.known);
    use_models(p, NULL, NULL);
    CHANCE(contact_lead(p, 1).probability, 881); /* until it is looked at again */
    p->now++;
    change(p, 1, "page", "/home");
    assert_false(contact_lead(p, 1).probability.known);
}

static void it_is_known_only_of_those_among_whom_it_is_foreseen(void **state)
{
    struct pipeline *p = *state;

    load(p, BASIC_SOURCES SLACK AMONG_WON "[route any]\nwhen = churn >= 0\nto = sales-slack\n");
    use_models(p, demo_model(), age_model());
    says(p, 1, "page", "/home");
    assert_false(contact_lead(p, 1).churn.known);
    CHANCE(contact_lead(p, 1).probability, 119); /* that is foreseen of all */
    expect_told(p, 0);
    says(p, 1, "stage", "won");
    CHANCE(contact_lead(p, 1).churn, 269);
    expect_told(p, 1);
    says(p, 1, "stage", "left");
    assert_false(contact_lead(p, 1).churn.known);
    expect_told(p, 1);
}

static void where_it_is_not_foreseen_the_band_is_by_points(void **state)
{
    struct pipeline *p = *state;

    load(p, BASIC_SOURCES "[score]\nbands = probability\n"
                          "[goal conversion]\namong = lead.stage == \"open\"\n");
    use_models(p, demo_model(), NULL);
    says(p, 1, "demo_requested", "true");
    assert_int_equal(contact_lead(p, 1).band, BAND_COLD);
    says(p, 1, "stage", "open");
    assert_int_equal(contact_lead(p, 1).band, BAND_HOT);
    says(p, 1, "stage", "won");
    assert_int_equal(contact_lead(p, 1).band, BAND_COLD);
    assert_false(contact_lead(p, 1).probability.known);
}

static void a_route_may_ask_for_it(void **state)
{
    struct pipeline *p = *state;

    load(p, conf);
    change(p, 1, "demo_requested", "true"); /* null compares false, either way */
    use_models(p, demo_model(), age_model());
    change(p, 1, "page", "/home");
    struct deliveries list = deliveries(p, "sales-slack", NULL);
    assert_int_equal(list.n, 1);
    TEXT(list.items[0].route, "likely");
    p->now += 60 * DAYS_MS; /* the demo is long ago, the lead old */
    change(p, 1, "page", "/home");
    list = deliveries(p, "sales-slack", NULL);
    assert_int_equal(list.n, 2);
    TEXT(list.items[0].route, "leaving");
}

static void a_rise_is_announced_once_and_again_after_a_fall(void **state)
{
    struct pipeline *p = *state;

    load(p, risen);
    use_models(p, demo_model(), age_model());
    says(p, 1, "page", "/home");
    expect_told(p, 0);
    says(p, 1, "demo_requested", "true");
    says(p, 1, "page", "/pricing");
    struct deliveries list = deliveries(p, "sales-slack", NULL);
    assert_int_equal(list.n, 1);
    CHANCE(list.items[0].facts.probability, 881);
    assert_int_equal(list.items[0].facts.previous_probability, 119);
    assert_int_equal(list.items[0].facts.previous_churn, 269);
    p->now += 60 * DAYS_MS;
    says(p, 1, "page", "/home");
    says(p, 1, "page", "/blog");
    list = deliveries(p, "sales-slack", NULL);
    assert_int_equal(list.n, 2);
    TEXT(list.items[0].route, "leaves");
    says(p, 1, "demo_requested", "again");
    expect_told(p, 3);
}

static void a_rise_is_announced_once_whatever_became_of_the_model(void **state)
{
    struct pipeline *p = *state;

    load(p, risen);
    says(p, 1, "demo_requested", "true");
    expect_told(p, 0);
    use_models(p, demo_model(), NULL);
    says(p, 1, "page", "/home"); /* the first model that there ever was */
    expect_told(p, 1);
    assert_int_equal(deliveries(p, "sales-slack", NULL).items[0].facts.previous_probability, 0);
    use_models(p, NULL, NULL);
    says(p, 1, "page", "/blog"); /* not known: the comparison is false */
    assert_false(contact_lead(p, 1).probability.known);
    use_models(p, demo_model(), NULL);
    says(p, 1, "page", "/home");
    CHANCE(contact_lead(p, 1).probability, 881);
    expect_told(p, 1);
}

static void who_is_erased_was_never_told_of(void **state)
{
    struct pipeline *p = *state;

    load(p, risen);
    use_models(p, demo_model(), age_model());
    says(p, 1, "demo_requested", "true");
    assert_int_equal(contact_lead(p, 1).told_probability, 881);
    assert_int_equal(contact_lead(p, 1).told_churn, 269);
    tell(p, "contact.privacyDeletion", 1);
    assert_int_equal(contact_lead(p, 1).told_probability, 0);
    assert_int_equal(contact_lead(p, 1).told_churn, 0);
}

static void what_was_told_of_either_is_not_told_again_after_a_merge(void **state)
{
    struct pipeline *p = *state;

    load(p, risen);
    use_models(p, demo_model(), NULL);
    says(p, 1, "demo_requested", "true");
    says(p, 2, "company", "Acme");
    const int64_t gone = contact_lead(p, 1).id;
    expect_told(p, 1);
    merge(p, 1, 2);
    expect_told(p, 1);
    assert_int_equal(get_lead(p->w, gone).told_probability, 0);
    assert_int_equal(contact_lead(p, 2).told_probability, 982);
}

static void a_message_keeps_what_was_said_and_why(void **state)
{
    struct pipeline *p = *state;

    load(p, conf);
    use_models(p, demo_model(), age_model());
    change(p, 1, "demo_requested", "true");
    const struct delivery_facts f = deliveries(p, "sales-slack", NULL).items[0].facts;
    CHANCE(f.probability, 881);
    CHANCE(f.churn, 269);
    assert_non_null(str_find(f.chance_reasons, STR("demo")));
    assert_true(f.churn_reasons.at != NULL);
}

static void nobody_explains_what_nobody_reads(void **state)
{
    struct pipeline *p = *state;

    load(p, BASIC_SOURCES NOTION "[route all]\nwhen = probability > 0\nto = lead-book\n");
    use_models(p, demo_model(), NULL);
    change(p, 1, "demo_requested", "true");
    const struct delivery_facts f = deliveries(p, "lead-book", NULL).items[0].facts;
    CHANCE(f.probability, 881);
    assert_null(f.chance_reasons.at);
}

static void a_model_is_let_go_when_it_is_replaced(void **state)
{
    struct pipeline *p = *state;
    struct model *m = demo_model();

    load(p, conf);
    (void)model_take(m);
    use_models(p, m, NULL);
    assert_int_equal(atomic_load(&m->references), 2);
    change(p, 1, "page", "/home");
    assert_int_equal(atomic_load(&m->references), 2);
    use_models(p, demo_model(), NULL);
    assert_int_equal(atomic_load(&m->references), 1);
    model_drop(m);
}

/* Of one group: what stands before the swap is judged by the old one, what comes after by the new.
 */
static void a_swap_takes_effect_where_it_stands_among_events(void **state)
{
    struct pipeline *p = *state;

    load(p, conf);
    struct command c = {.kind = COMMAND_MODELS, .arg = models_of(demo_model(), NULL)};
    struct intake one =
        decoded(p, "zapier", form_json(p, "a@example.com", p->now, ",\"page\":\"x\""));
    struct intake two =
        decoded(p, "zapier", form_json(p, "b@example.com", p->now, ",\"page\":\"x\""));
    submit(p, &one.work, WORK_INTAKE);
    submit(p, &c.work, WORK_COMMAND);
    submit(p, &two.work, WORK_INTAKE);
    step(p);
    COUNTS(one, 1, 0, 0);
    COUNTS(two, 1, 0, 0);
    assert_false(email_lead(p, "a@example.com").probability.known);
    CHANCE(email_lead(p, "b@example.com").probability, 119);
}

static void merged_leads_are_judged_by_what_both_did(void **state)
{
    struct pipeline *p = *state;

    load(p, conf);
    use_models(p, demo_model(), NULL);
    change(p, 1, "demo_requested", "true");
    change(p, 2, "company", "Acme");
    merge(p, 1, 2);
    CHANCE(contact_lead(p, 2).probability, 982);
    tell(p, "contact.privacyDeletion", 2);
    struct lead l = contact_lead(p, 2);
    assert_false(l.probability.known);
    assert_null(l.activity.at);
}

static void expect_band(struct pipeline *p, const char *bands, enum band plain, enum band acme,
                        enum band asked)
{
    load(p,
         arena_printf(&p->w->arena,
                      BASIC_SOURCES "[score]\nwarm = 40\nhot = 80\nbands = %s\n"
                                    "[rule acme]\nwhen = lead.company == \"Acme\"\npoints = 90\n",
                      bands)
             .at);
    p->now += 60 * DAYS_MS; /* what was asked for before is long ago */
    change(p, 1, "page", "/home");
    change(p, 2, "company", "Acme");
    change(p, 3, "demo_requested", "true");
    assert_int_equal(contact_lead(p, 1).band, plain);
    assert_int_equal(contact_lead(p, 2).band, acme);
    assert_int_equal(contact_lead(p, 3).band, asked);
}

/* 11.9, 50 and 88.1 %; the model's quartiles are 20, 50 and 80 %. */
static void bands_may_be_by_points_probability_or_quartile(void **state)
{
    struct pipeline *p = *state;

    expect_band(p, "probability", BAND_COLD, BAND_HOT, BAND_COLD); /* no model: points */
    use_models(p, demo_model(), NULL);
    expect_band(p, "points", BAND_COLD, BAND_HOT, BAND_COLD);
    expect_band(p, "probability", BAND_COLD, BAND_WARM, BAND_HOT);
    expect_band(p, "quartile", BAND_COLD, BAND_WARM, BAND_HOT);
}

/* Most are as likely as any other where a model knows little: that is no reason to call them all.
 */
static void where_quartiles_coincide_a_lead_must_be_above_them(void **state)
{
    static const double same[3] = {0.04, 0.04, 0.04}, upper[3] = {0.01, 0.04, 0.04},
                        near[3] = {0.041, 0.042, 0.0424};
    const struct scorecard c = {.bands = BANDS_QUARTILE};

    (void)state;
    assert_int_equal(chance_band(&c, same, 0.04, 0), BAND_COLD);
    assert_int_equal(chance_band(&c, same, 0.0400000000001, 0), BAND_COLD); /* by rounding */
    assert_int_equal(chance_band(&c, same, 0.05, 0), BAND_HOT);
    assert_int_equal(chance_band(&c, upper, 0.04, 0), BAND_WARM);
    assert_int_equal(chance_band(&c, upper, 0.03, 0), BAND_COLD);
    assert_int_equal(chance_band(&c, near, 0.0415, 0), BAND_COLD); /* all are 4.2 % in tenths */
    assert_int_equal(chance_band(&c, near, 0.042, 0), BAND_WARM);
    assert_int_equal(chance_band(&c, near, 0.0424, 0), BAND_HOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(an_event_changes_what_may_come_of_its_lead),
        CHECKS(without_a_model_it_is_not_known),
        CHECKS(it_is_known_only_of_those_among_whom_it_is_foreseen),
        CHECKS(where_it_is_not_foreseen_the_band_is_by_points),
        CHECKS(a_route_may_ask_for_it),
        CHECKS(a_rise_is_announced_once_and_again_after_a_fall),
        CHECKS(a_rise_is_announced_once_whatever_became_of_the_model),
        CHECKS(who_is_erased_was_never_told_of),
        CHECKS(what_was_told_of_either_is_not_told_again_after_a_merge),
        CHECKS(a_message_keeps_what_was_said_and_why),
        CHECKS(nobody_explains_what_nobody_reads),
        CHECKS(a_model_is_let_go_when_it_is_replaced),
        CHECKS(a_swap_takes_effect_where_it_stands_among_events),
        CHECKS(merged_leads_are_judged_by_what_both_did),
        CHECKS(bands_may_be_by_points_probability_or_quartile),
        cmocka_unit_test(where_quartiles_coincide_a_lead_must_be_above_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
