/* tests/unit/test_pipeline_verdicts.c - attempts that begin and end: rows, pages, answers. */
#include "contact_event.h"
#include "pipeline_ends.h"

static const char waiting[] = BASIC_SOURCES SLACK NOTION CRM RULES
    "[route demo]\nwhen = event.property == \"demo_requested\"\nto = sales-slack\n"
    "wait_for = enrichment\n"
    "[route page]\nwhen = event.property == \"page\"\nto = lead-book\n";

static void an_attempt_of_a_delivery_that_is_gone_does_not_begin(void **state)
{
    struct pipeline *p = *state;

    load(p, waiting);
    change(p, 7, "page", "a");
    change(p, 8, "page", "a");
    struct deliveries list = deliveries(p, "lead-book", "pending");
    const int64_t both[] = {list.items[0].id, list.items[1].id};
    change(p, 7, "page", "b"); /* supersedes one of them */
    struct attempts begin = {.deliveries = both, .n = 2, .at = p->now};
    run(p, &begin.work, WORK_ATTEMPTS);
    assert_int_equal(p->rc, RC_DENIED);
    assert_int_equal(get_delivery(p->w, both[0]).open_attempt_at, 0);
    assert_int_equal(get_delivery(p->w, both[1]).open_attempt_at, 0);
}

static void verdicts_end_or_delay_a_delivery(void **state)
{
    struct pipeline *p = *state;

    load(p, waiting);
    change(p, 7, "page", "a");
    struct delivery d = only(p, "lead-book", "pending");
    struct attempt_end end = end_of(p, &d, ATTEMPT_RETRY);
    end.due_at = p->now + 5000;
    end.status = 503;
    end.detail = STR("HTTP 503");
    p->known[d.id].due_at = end.due_at; /* the deliverer chose it */
    give(p, &end);
    d = get_delivery(p->w, d.id);
    assert_int_equal(d.state, DELIVERY_PENDING);
    assert_int_equal(d.due_at, end.due_at);
    assert_int_equal(d.attempts, 1);

    end = end_of(p, &d, ATTEMPT_DELIVERED);
    end.remote_id = STR("page-1");
    end.remote_lead = STR("page-1");
    give(p, &end);
    d = get_delivery(p->w, d.id);
    assert_int_equal(d.state, DELIVERY_DELIVERED);
    TEXT(d.remote_id, "page-1");
    struct str page;
    OK(read_remote(p->w->reader, d.lead, STR("lead-book"), &p->w->arena, &page));
    TEXT(page, "page-1");

    end = end_of(p, &d, ATTEMPT_DELIVERED);
    give(p, &end);
    assert_false(end.applied);
    struct attempt_view *views;
    size_t n;
    OK(read_attempts(p->w->reader, d.id, &p->w->arena, &views, &n));
    assert_int_equal(n, 3);
}

/* Its page was made while the lead went into another: the survivor must not get a second one. */
static void a_page_made_during_a_merge_is_the_survivors(void **state)
{
    struct pipeline *p = *state;
    struct str page;

    load(p, waiting);
    change(p, 7, "page", "a");
    struct delivery d = only(p, "lead-book", "pending");
    struct attempt_end end = end_of(p, &d, ATTEMPT_DELIVERED);
    end.remote_lead = STR("page-of-7");
    merge(p, 7, 8);
    give(p, &end);
    int64_t survivor = contact_lead(p, 8).id;
    OK(read_remote(p->w->reader, survivor, STR("lead-book"), &p->w->arena, &page));
    TEXT(page, "page-of-7");

    end.remote_lead = STR("page-of-7-again"); /* now it has one of its own */
    give(p, &end);
    end.remote_lead = STR("");
    give(p, &end);
    OK(read_remote(p->w->reader, survivor, STR("lead-book"), &p->w->arena, &page));
    TEXT(page, "page-of-7");
}

static void an_answer_that_the_store_refuses_is_kept_raw_and_the_verdict_stands(void **state)
{
    struct pipeline *p = *state;
    const struct field nameless = {.name = STR_NULL, .value = STR("x")};
    struct event e;

    load(p, waiting);
    change(p, 7, "page", "a");
    struct delivery asked = only(p, "crm", "pending");
    struct attempt_end end = end_of(p, &asked, ATTEMPT_DELIVERED);
    enriched_event(STR("crm"), PORTAL, 7, p->now, NULL, 0, p->now, &p->w->arena, &e);
    e.request_id = STR("req-1");
    e.properties = &nameless;
    e.n_properties = 1;
    end.events = &e;
    end.n_events = 1;
    end.enriched = true;
    give(p, &end);
    assert_int_equal(count_deliveries(p, "crm", "delivered"), 1);
    assert_int_equal(contact_lead(p, 7).enriched_at, p->now);
    assert_int_equal(newest_event(p).state, EVENT_UNPROCESSABLE);
    assert_true(counted(METRIC_EVENTS_UNPROCESSABLE, "crm", NULL) == 1);
}

static void only_an_answer_of_the_crm_makes_a_lead_fresh(void **state)
{
    struct pipeline *p = *state;

    load(p, waiting);
    change(p, 7, "page", "a");
    struct delivery d = only(p, "lead-book", "pending");
    struct attempt_end end = end_of(p, &d, ATTEMPT_DELIVERED);
    end.remote_lead = STR("page-1");
    give(p, &end);
    assert_int_equal(contact_lead(p, 7).enriched_at, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(an_attempt_of_a_delivery_that_is_gone_does_not_begin),
        CHECKS(verdicts_end_or_delay_a_delivery),
        CHECKS(a_page_made_during_a_merge_is_the_survivors),
        CHECKS(an_answer_that_the_store_refuses_is_kept_raw_and_the_verdict_stands),
        CHECKS(only_an_answer_of_the_crm_makes_a_lead_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
