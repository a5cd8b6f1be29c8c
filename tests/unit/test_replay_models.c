/* tests/unit/test_replay_models.c - what models said of a lead in its past, when that is asked
 * again.
 */
#include "replay_world.h"
#include "served_world.h"

#define PLAIN       SOURCES SHEETS SCORE
#define ROUTE(when) PLAIN "[route likely]\nwhen = " when "\nto = sales-slack\n"
#define BY(bands)   SOURCES SHEETS "[score]\nwarm = 40\nhot = 80\nbands = " bands "\n"
#define HOT         "[route hot]\nwhen = score.band == \"hot\"\nto = sales-slack\n"

/* Of contact 7, with 11.9 % at first, 88.1 % once she asks for a demo, and at the page after it. */
static void grace(struct pipeline *p)
{
    change(p, 7, "phone", "1");
    later(p);
    change(p, 7, "demo_requested", "true");
    later(p);
    change(p, 7, "page", "pricing");
    later(p);
}

static struct deliveries told_by(struct pipeline *p, const char *conf)
{
    load(p, conf);
    int64_t n = replay_all(p).deliveries;
    struct deliveries d = deliveries(p, "sales-slack", NULL);
    assert_int_equal(d.n, n);
    return d;
}

static void a_route_by_probability_is_asked_what_it_would_have_heard(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN);
    use_models(p, demo_model(), age_model());
    grace(p);
    struct deliveries d = told_by(p, ROUTE("probability >= 40"));
    assert_int_equal(d.n, 2); /* the demo and the page */
    const struct delivery_facts f = d.items[0].facts;
    CHANCE(f.probability, 881);
    CHANCE(f.churn, 269);
    assert_non_null(str_find(f.chance_reasons, STR("demo")));
    NOTHING_NEW(replay_all(p));
}

static void what_it_would_not_have_heard_it_does_not(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN);
    use_models(p, demo_model(), age_model());
    grace(p);
    assert_int_equal(told_by(p, ROUTE("not probability > 5")).n, 0);
    assert_int_equal(told_by(p, ROUTE("churn > 90")).n, 0);
}

static void it_was_known_only_while_the_lead_was_among_those(void **state)
{
    static const char *const stages[] = {"open", "won", "won again", "won", "left"};
    struct pipeline *p = *state;

    load(p, PLAIN);
    use_models(p, NULL, age_model());
    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        change(p, 7, "stage", stages[i]);
        later(p);
    }
    CHANCE(contact_lead(p, 7).churn, 269);
    assert_int_equal(told_by(p, ROUTE("churn >= 0") AMONG_WON).n, 2);
    assert_false(contact_lead(p, 7).churn.known);
}

static void a_rise_of_a_probability_was_where_it_rose(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN);
    use_models(p, demo_model(), NULL);
    grace(p);
    struct deliveries d = told_by(p, ROUTE("probability >= 80 and probability.previous < 80"));
    assert_int_equal(d.n, 1);
    TEXT(d.items[0].facts.event_property, "demo_requested");
    assert_int_equal(d.items[0].facts.previous_probability, 119);
}

static void without_a_model_nobody_hears(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN);
    grace(p);
    use_models(p, NULL, NULL);
    assert_int_equal(told_by(p, ROUTE("probability >= 0")).n, 0);
}

static void bands_of_then_are_by_probability_where_bands_are(void **state)
{
    struct pipeline *p = *state;

    load(p, BY("probability"));
    use_models(p, demo_model(), NULL);
    grace(p);
    struct deliveries d = told_by(p, BY("probability") HOT);
    assert_int_equal(d.n, 2);
    assert_int_equal(d.items[1].facts.band, BAND_HOT);
    assert_int_equal(d.items[1].facts.previous_band, BAND_COLD);
    assert_int_equal(d.items[0].facts.previous_band, BAND_HOT);
}

/* It is a window of 30 days. */
static void what_was_long_ago_then_does_not_count_any_more(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN);
    use_models(p, demo_model(), NULL);
    change(p, 7, "demo_requested", "true");
    p->now += 40 * DAYS_MS;
    change(p, 7, "page", "pricing");
    later(p);
    assert_int_equal(told_by(p, ROUTE("probability >= 80")).n, 1);
}

static int64_t contact_chance(struct pipeline *p)
{
    const struct lead l = contact_lead(p, 7);

    assert_true(l.probability.known);
    return l.probability.tenths;
}

/* Not what they said at its last event: leads are looked at again as time goes by. */
static void models_are_asked_of_the_lead_as_it_is_now(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN);
    use_models(p, demo_model(), NULL);
    grace(p);
    p->now += 40 * DAYS_MS;
    NOTHING_NEW(replay_all(p)); /* time alone is nothing new */
    load(p, PLAIN PAGE);
    assert_int_equal(replay_all(p).leads, 1);
    assert_int_equal(contact_chance(p), 119);
    load(p, PLAIN PAGE "[route all]\nwhen = probability >= 80\nto = lead-book\n");
    assert_int_equal(replay_all(p).deliveries, 2);
    struct deliveries d = deliveries(p, "lead-book", "pending");
    assert_int_equal(d.n, 1);
    CHANCE(d.items[0].facts.probability, 119); /* what keeps a page current */
}

static void a_rise_that_was_told_of_in_a_replay_is_no_rise_any_more(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN);
    grace(p);
    use_models(p, demo_model(), NULL);
    assert_int_equal(told_by(p, ROUTE("probability >= 80 and probability.previous < 80")).n, 1);
    change(p, 7, "page", "again");
    assert_int_equal(count_deliveries(p, "sales-slack", NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_route_by_probability_is_asked_what_it_would_have_heard),
        CHECKS(what_it_would_not_have_heard_it_does_not),
        CHECKS(it_was_known_only_while_the_lead_was_among_those),
        CHECKS(a_rise_of_a_probability_was_where_it_rose),
        CHECKS(without_a_model_nobody_hears),
        CHECKS(bands_of_then_are_by_probability_where_bands_are),
        CHECKS(what_was_long_ago_then_does_not_count_any_more),
        CHECKS(models_are_asked_of_the_lead_as_it_is_now),
        CHECKS(a_rise_that_was_told_of_in_a_replay_is_no_rise_any_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
