/* tests/unit/test_pipeline_rescore.c - leads to whom nothing happens are looked at again. */
#include "served_world.h"

#include "funneld/pipeline/rescore.h"

static const char conf[] =
    BASIC_SOURCES SLACK RULES "[route likely]\nwhen = probability >= 0\nto = sales-slack\n";

static enum rc write_slice(struct store *st, void *arg, struct why *why)
{
    (void)why;
    return rescore_write(st, arg);
}

static void put_down(struct pipeline *p, struct rescoring *s)
{
    struct command c = {.kind = COMMAND_CHORE, .fn = write_slice, .arg = s};

    run(p, &c.work, WORK_COMMAND);
    OK(p->rc);
}

/* All slices. Returns how many leads were changed. */
static size_t rescore(struct pipeline *p, struct models *m)
{
    struct rescoring *s = mem_alloc(sizeof *s);
    size_t changed = 0;

    s->rules = p->rules;
    s->models = m;
    for (s->before = INT64_MAX; !s->done;) {
        OK(rescore_read(p->w->reader, s, p->now));
        put_down(p, s);
        changed += s->n_changed;
    }
    arena_free(&s->arena);
    free(s);
    return changed;
}

static void all_leads_are_looked_at_by_a_new_model(void **state)
{
    enum { LEADS = 2 * RESCORE_SLICE + 7 };
    struct pipeline *p = *state;
    struct models *m = models_of(demo_model(), NULL);

    load(p, BASIC_SOURCES RULES);
    for (int i = 1; i <= LEADS; i++)
        change(p, i, i % 2 ? "page" : "demo_requested", "true");
    tell(p, "contact.deletion", 1);
    assert_int_equal(rescore(p, m), LEADS - 1); /* who is deleted is no lead */
    CHANCE(contact_lead(p, 2).probability, 881);
    CHANCE(contact_lead(p, 3).probability, 119);
    CHANCE(contact_lead(p, LEADS).probability, 119);
    assert_false(contact_lead(p, 1).probability.known);
    assert_int_equal(rescore(p, m), 0); /* nothing is written that was there */
    ref_drop(&m->ref);
}

static void nobody_is_told_and_the_score_stays(void **state)
{
    struct pipeline *p = *state;
    struct models *m = models_of(demo_model(), NULL);

    load(p, conf);
    change(p, 1, "demo_requested", "true");
    struct lead before = contact_lead(p, 1);
    p->now += 40 * DAYS_MS;
    assert_int_equal(rescore(p, m), 1);
    struct lead after = contact_lead(p, 1);
    CHANCE(after.probability, 119); /* what was asked for is too long ago */
    assert_int_equal(after.score, before.score);
    assert_int_equal(after.band, before.band);
    assert_int_equal(count_deliveries(p, NULL, NULL), 0);
    ref_drop(&m->ref);
}

/* By the next event, and by no other; a fall that nobody was told of does not count. */
static void a_rise_found_by_looking_is_announced_once(void **state)
{
    struct pipeline *p = *state;
    struct models *m = models_of(demo_model(), NULL);

    load(p, BASIC_SOURCES SLACK "[route risen]\nwhen = probability >= 70 and probability.previous "
                                "< 70\nto = sales-slack\n");
    change(p, 1, "demo_requested", "true"); /* no model said anything then */
    assert_int_equal(rescore(p, m), 1);
    CHANCE(contact_lead(p, 1).probability, 881);
    assert_int_equal(contact_lead(p, 1).told_probability, 0);
    use_models(p, demo_model(), NULL);
    p->now++;
    change(p, 1, "page", "/home");
    assert_int_equal(count_deliveries(p, NULL, NULL), 1);
    assert_int_equal(contact_lead(p, 1).told_probability, 881);
    p->now += 40 * DAYS_MS;
    assert_int_equal(rescore(p, m), 1);
    CHANCE(contact_lead(p, 1).probability, 119);
    assert_int_equal(contact_lead(p, 1).told_probability, 881);
    change(p, 1, "demo_requested", "again");
    CHANCE(contact_lead(p, 1).probability, 881);
    assert_int_equal(count_deliveries(p, NULL, NULL), 1);
    ref_drop(&m->ref);
}

static void an_event_that_came_meanwhile_has_the_last_word(void **state)
{
    struct pipeline *p = *state;
    struct models *m = models_of(demo_model(), NULL);
    struct rescoring *s = mem_alloc(sizeof *s);

    load(p, BASIC_SOURCES RULES);
    change(p, 1, "page", "/home");
    *s = (struct rescoring){.rules = p->rules, .models = m, .before = INT64_MAX};
    OK(rescore_read(p->w->reader, s, p->now));
    assert_int_equal(s->n_changed, 1);
    use_models(p, demo_model(), NULL);
    p->now++;
    change(p, 1, "demo_requested", "true");
    put_down(p, s);
    CHANCE(contact_lead(p, 1).probability, 881);
    arena_free(&s->arena);
    free(s);
    ref_drop(&m->ref);
}

static void bands_follow_and_are_counted(void **state)
{
    struct pipeline *p = *state;
    struct models *m = models_of(demo_model(), NULL), *none = models_of(NULL, NULL);

    load(p, BASIC_SOURCES "[score]\nbands = probability\n");
    for (int i = 1; i <= 5; i++)
        change(p, i, i < 3 ? "demo_requested" : "page", "true");
    assert_int_equal(rescore(p, m), 5); /* each step counts the gauge against a scan */
    assert_int_equal(contact_lead(p, 1).band, BAND_HOT);
    assert_int_equal(contact_lead(p, 5).band, BAND_COLD);
    assert_int_equal(rescore(p, none), 5);
    assert_int_equal(contact_lead(p, 1).band, BAND_COLD);
    assert_false(contact_lead(p, 1).probability.known);
    ref_drop(&m->ref);
    ref_drop(&none->ref);
}

static void who_is_not_among_those_any_more_loses_it(void **state)
{
    struct pipeline *p = *state;
    struct models *m = models_of(NULL, age_model());

    load(p, BASIC_SOURCES AMONG_WON);
    change(p, 1, "stage", "won");
    change(p, 2, "stage", "open");
    assert_int_equal(rescore(p, m), 1);
    CHANCE(contact_lead(p, 1).churn, 269);
    assert_false(contact_lead(p, 2).churn.known);
    p->now++;
    change(p, 1, "stage", "left"); /* no model is asked: what was said stays */
    CHANCE(contact_lead(p, 1).churn, 269);
    assert_int_equal(rescore(p, m), 1);
    assert_false(contact_lead(p, 1).churn.known);
    load(p, BASIC_SOURCES); /* without the goal all are */
    assert_int_equal(rescore(p, m), 2);
    ref_drop(&m->ref);
}

static void who_was_never_counted_is_counted(void **state)
{
    struct pipeline *p = *state;
    struct models *m = models_of(demo_model(), NULL);

    load(p, BASIC_SOURCES RULES);
    change(p, 1, "demo_requested", "true");
    struct lead l = contact_lead(p, 1);
    const struct str counted_then = l.activity;
    l.activity = STR_NULL;
    OK(store_begin(p->w->store));
    OK(store_lead_save(p->w->store, &l));
    OK(store_commit(p->w->store));
    assert_int_equal(rescore(p, m), 1);
    l = contact_lead(p, 1);
    CHANCE(l.probability, 881);
    SAME(l.activity, counted_then);
    ref_drop(&m->ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(all_leads_are_looked_at_by_a_new_model),
        CHECKS(nobody_is_told_and_the_score_stays),
        CHECKS(a_rise_found_by_looking_is_announced_once),
        CHECKS(an_event_that_came_meanwhile_has_the_last_word),
        CHECKS(bands_follow_and_are_counted),
        CHECKS(who_is_not_among_those_any_more_loses_it),
        CHECKS(who_was_never_counted_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
