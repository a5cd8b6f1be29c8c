/* tests/unit/test_pipeline_damage.c - rows that only a damaged file has, on the way of an event. */
#include "pipeline_world.h"

#include "plant.h"

static struct intake news_of(struct pipeline *p, int64_t contact)
{
    struct str element = change_json(p, contact, "page", "b", p->now);

    return decoded(p, "hubspot", arena_printf(&p->w->arena, "[%.*s]", STR_ARG(element)));
}

/* No merge leads there; a damaged file may. Told of such a lead, a report goes on without it. */
static void where_merges_lead_round_and_round_an_event_is_kept_raw(void **state)
{
    struct pipeline *p = *state;

    load(p, CRM_CONF);
    change(p, 7, "page", "a");
    change(p, 8, "page", "a");
    struct lead seven = contact_lead(p, 7), eight = contact_lead(p, 8);
    struct delivery asked = deliveries(p, "crm", "pending").items[1];
    plant_rows(p->w->path.at, "UPDATE lead SET state = 2, merged_into = 3 - id");
    struct attempt_end end = {
        .delivery = asked.id, .lead = seven.id, .ended_at = p->now, .enriched = true};
    struct verdicts v = {.ends = &end, .n = 1};
    struct intake in = news_of(p, 7);
    assert_int_equal(seven.id + eight.id, 3);
    assert_int_equal(asked.lead, seven.id);
    submit(p, &in.work, WORK_INTAKE);
    submit(p, &v.work, WORK_VERDICTS);
    assert_true(writer_step(p->writer, p->now, 0));
    plant_rows(p->w->path.at, "UPDATE lead SET state = 0, merged_into = NULL");
    COUNTS(in, 1, 0, 1);
    assert_int_equal(newest_event(p).state, EVENT_UNPROCESSABLE);
    OK(v.work.rc);
    assert_int_equal(contact_lead(p, 7).enriched_at, 0);
    assert_int_equal(p->failures, 0);
}

static void where_the_survivor_is_not_there_an_event_is_kept_raw(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "page", "a");
    plant_rows(p->w->path.at, "UPDATE lead SET state = 2, merged_into = 99");
    struct intake in = news_of(p, 7);
    submit(p, &in.work, WORK_INTAKE);
    assert_true(writer_step(p->writer, p->now, 0));
    COUNTS(in, 1, 0, 1);
    assert_int_equal(p->failures, 0);
    plant_rows(p->w->path.at, "UPDATE lead SET state = 0, merged_into = NULL");
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "page", "a");
}

/* One row that says what cannot be stops neither its neighbours nor the daemon. */
static void where_a_lead_cannot_be_read_an_event_is_kept_raw(void **state)
{
    static const char *const damages[] = {"UPDATE lead SET properties = x'31' WHERE crm_id = 7",
                                          "UPDATE lead SET ledger = '[' WHERE crm_id = 7",
                                          "UPDATE lead SET ledger = '[[1,77,1,1]]' WHERE crm_id = "
                                          "7"};
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "page", "a");
    change(p, 8, "page", "a");
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        p->now += 1000;
        struct intake in = news_of(p, 7), other = news_of(p, 8);
        plant_rows(p->w->path.at, damages[i]);
        submit(p, &other.work, WORK_INTAKE);
        submit(p, &in.work, WORK_INTAKE);
        assert_true(writer_step(p->writer, p->now, 0));
        COUNTS(other, 1, 0, 0);
        COUNTS(in, 1, 0, 1);
        assert_non_null(str_find(newest_event(p).reason, STR("could not be processed")));
        plant_rows(p->w->path.at, "UPDATE lead SET properties = x'', ledger = '[]'");
    }
    assert_int_equal(p->failures, 0);
}

static void a_report_about_a_lead_that_is_gone_is_no_error(void **state)
{
    struct pipeline *p = *state;

    load(p, CRM_CONF);
    change(p, 7, "page", "a");
    struct delivery asked = deliveries(p, "crm", "pending").items[0];
    struct attempt_end end = {
        .delivery = asked.id, .lead = 99, .ended_at = p->now, .enriched = true};
    struct verdicts v = {.ends = &end, .n = 1};
    run(p, &v.work, WORK_VERDICTS);
    OK(p->rc);
    assert_true(end.applied);
    assert_int_equal(contact_lead(p, 7).enriched_at, 0);
}

/* Of lead 1, over so many others, into lead 2; undone before the end. */
static void plant_chain(struct pipeline *p, int between)
{
    static const char rows[] =
        "INSERT INTO lead (id, state, state_at, erased, merged_into, created_at, enriched_at, "
        "score,"
        " fit, engagement, band, evaluated) WITH RECURSIVE n(i) AS (SELECT 1001 UNION ALL SELECT"
        " i + 1 FROM n WHERE i < %d) SELECT i, 2, 0, 0, i + 1, 0, 0, 0, 0, 0, 0, 0 FROM n;"
        "UPDATE lead SET merged_into = 2 WHERE id = %d;"
        "UPDATE lead SET state = 2, merged_into = 1001 WHERE id = 1";

    plant_rows(p->w->path.at, arena_printf(&p->w->arena, rows, 1000 + between, 1000 + between).at);
}

static void a_chain_of_a_thousand_merges_is_followed_and_no_longer_one(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "page", "a");
    change(p, 8, "page", "a");
    assert_int_equal(contact_lead(p, 7).id, 1);
    for (int between = 999; between <= 1000; between++) {
        p->now += 1000;
        struct intake in = news_of(p, 7);
        plant_chain(p, between);
        submit(p, &in.work, WORK_INTAKE);
        assert_true(writer_step(p->writer, p->now, 0));
        plant_rows(p->w->path.at, "DELETE FROM lead WHERE id > 1000;"
                                  "UPDATE lead SET state = 0, merged_into = NULL");
        COUNTS(in, 1, 0, between == 1000);
        struct lead l = contact_lead(p, 8);
        PROPERTY(l, "page", "b");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(where_merges_lead_round_and_round_an_event_is_kept_raw),
        CHECKS(where_the_survivor_is_not_there_an_event_is_kept_raw),
        CHECKS(where_a_lead_cannot_be_read_an_event_is_kept_raw),
        CHECKS(a_report_about_a_lead_that_is_gone_is_no_error),
        CHECKS(a_chain_of_a_thousand_merges_is_followed_and_no_longer_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
