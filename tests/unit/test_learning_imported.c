/* tests/unit/test_learning_imported.c - rows of leads that were imported are like those of leads
 * that came in.
 */
#include "contact_event.h"
#include "learning_world.h"

#undef CONF
#define CONF PLAIN_CONF CRM GOAL

static void version(struct pipeline *p, int64_t crm_id, const char *name, const char *value,
                    int64_t first_at, int64_t at)
{
    const struct imported i = {.portal_id = PORTAL,
                               .crm_id = crm_id,
                               .at = at,
                               .first_at = first_at,
                               .property = str_of(name),
                               .value = str_of(value)};

    (void)import_one(p, &i);
}

/* What the CRM says when it is asked. */
static void enriched(struct pipeline *p, int64_t crm_id, const char *name, const char *value)
{
    const struct field fields[] = {{str_of(name), str_of(value)}};
    struct event *e = ARENA_NEW(&p->w->arena, struct event);

    enriched_event(STR("crm"), PORTAL, crm_id, p->now, fields, 1, p->now, &p->w->arena, e);
    e->request_id = STR("r");
    struct intake in = {.events = e, .n = 1};
    run(p, &in.work, WORK_INTAKE);
    OK(p->rc);
}

/* Of two leads with equal properties the model would else say what their history looks like. */
static void an_imported_lead_is_like_one_that_was_asked_for(void **state)
{
    struct pipeline *p = *state;
    const int64_t then = START - 300 * DAY;

    load(p, CONF);
    version(p, 7, "createdate", "2025-01-01", then, then);
    version(p, 7, "company", "Acme", then, then + 400);
    tell(p, "contact.creation", 8);
    enriched(p, 8, "company", "Acme");
    p->now += 300 * DAY;
    struct learning l = learn(p, 0);
    size_t of7 = 0, of8 = 0;
    while (l.set.time[of7] != (double)(then + DAY))
        of7++;
    while (l.set.time[of8] != (double)(START + DAY))
        of8++;
    TEXT(text_at(&l, "company", of7), "Acme");
    TEXT(text_at(&l, "company", of8), "Acme");
    for (size_t i = 0; i < l.set.table.n_columns; i++) {
        const struct column *c = &l.set.table.columns[i];

        if (c->numbers && !(isnan(c->numbers[of7]) && isnan(c->numbers[of8])))
            assert_true(fabs(c->numbers[of7] - c->numbers[of8]) < 1e-9);
    }
    learning_free(&l);
}

static void what_only_the_history_has_is_no_behaviour_to_learn_from(void **state)
{
    struct pipeline *p = *state;
    const int64_t then = START - 300 * DAY;

    load(p, CONF);
    for (int64_t c = 1; c <= 20; c++) {
        version(p, c, "page", "pricing", then, then + 2 * DAY);
        version(p, c, "visits", "9", then, then + 3 * DAY);
    }
    change(p, 1, "page", "home");
    change(p, 2, "page", "home");
    change(p, 3, "page", "home");
    change(p, 3, "visits", "10");
    struct learning l = learn(p, 0);
    assert_non_null(column(&l, "@event.page.days"));
    assert_null(column(&l, "@event.visits.days"));
    assert_string_equal(why_left_out(&l, "@event.visits"),
                        "leads of today do not show it: it came by import");
    learning_free(&l);
}

/* That it was in the file says that it was still there, and its age was not known. */
static void what_an_import_told_later_is_not_in_earlier_rows(void **state)
{
    struct pipeline *p = *state;
    const struct field field = {STR("plan"), STR("large")};

    load(p, CONF);
    change(p, 7, "plan", "small");
    p->now += 20 * DAY;
    const struct imported i = {.portal_id = PORTAL,
                               .crm_id = 7,
                               .at = p->now,
                               .first_at = START - 500 * DAY,
                               .properties = &field,
                               .n_properties = 1};
    (void)import_one(p, &i);
    p->now += 300 * DAY;
    struct learning l = learn(p, 0);
    assert_true(fabs(number_at(&l, "@age.days", 1) - 1) < 1e-9);
    assert_true(fabs(number_at(&l, "@age.days", 3) - 530) < 1e-9);
    learning_free(&l);
}

static void that_it_was_imported_is_no_source(void **state)
{
    struct pipeline *p = *state;
    const int64_t then = START - 100 * DAY;

    load(p, CONF);
    version(p, 7, "plan", "small", then, then);
    change(p, 8, "plan", "small");
    version(p, 8, "plan", "none", then, then);
    p->now += 300 * DAY;
    struct learning l = learn(p, 0);
    for (size_t i = 0; i < l.set.table.n_rows; i++) {
        struct str source = text_at(&l, "@source", i);

        if (l.set.time[i] < (double)START || l.set.group[i] == l.set.group[0])
            assert_null(source.at);
        else
            TEXT(source, "hubspot");
    }
    learning_free(&l);
}

static void what_was_purged_and_imported_again_is_worth_it_once(void **state)
{
    struct pipeline *p = *state;
    bool done = false;

    load(p, PLAIN_CONF GOAL); /* nothing waits for the event */
    change(p, 7, "page", "pricing");
    p->now += 100 * DAY;
    change(p, 9, "note", "the newest event stays");
    while (!done)
        OK(store_purge_events(p->w->store, START + DAY, INT64_MAX, 100, &done));
    version(p, 7, "plan", "small", START - DAY, START - DAY);
    version(p, 7, "page", "pricing", START - DAY, START + 900);
    p->now += 300 * DAY;
    struct learning l = learn(p, 0);
    assert_true(number_at(&l, "@engagement", 2) == 25.5);
    learning_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(an_imported_lead_is_like_one_that_was_asked_for),
        CHECKS(what_only_the_history_has_is_no_behaviour_to_learn_from),
        CHECKS(what_an_import_told_later_is_not_in_earlier_rows),
        CHECKS(what_was_purged_and_imported_again_is_worth_it_once),
        CHECKS(that_it_was_imported_is_no_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
