/* tests/unit/test_pipeline_events.c - an event takes effect once; odd ones are kept; counts. */
#include "contact_event.h"
#include "pipeline_world.h"

static void a_retry_with_another_event_id_and_attempt_number_is_a_duplicate(void **state)
{
    struct pipeline *p = *state;
    static const char first[] =
        "[{\"eventId\":1,\"subscriptionId\":1,\"appId\":2,\"portalId\":62515,"
        "\"attemptNumber\":0,\"occurredAt\":1769081990000,\"subscriptionType\":"
        "\"contact.propertyChange\",\"objectId\":7,\"propertyName\":\"demo_requested\","
        "\"propertyValue\":\"true\",\"sourceId\":\"a\",\"changeSource\":\"FORM\"}]";
    static const char again[] =
        "[{\"eventId\":2,\"subscriptionId\":9,\"appId\":3,\"portalId\":62515,"
        "\"attemptNumber\":4,\"occurredAt\":1769081990000,\"subscriptionType\":"
        "\"contact.propertyChange\",\"objectId\":7,\"propertyName\":\"demo_requested\","
        "\"propertyValue\":\"true\",\"sourceId\":\"b\",\"changeSource\":\"CRM_UI\"}]";

    load(p, PLAIN_CONF);
    struct intake in = post(p, "hubspot", str_of(first));
    COUNTS(in, 1, 0, 0);
    in = post(p, "hubspot", str_of(again));
    COUNTS(in, 0, 1, 0);
    struct lead l = contact_lead(p, 7);
    assert_int_equal(l.score, 350);
    assert_int_equal(ledger_rows(p, l.id), 1);
    assert_true(counted(METRIC_EVENTS_RECEIVED, "hubspot", "contact.propertyChange") == 1);
    assert_true(counted(METRIC_EVENTS_DUPLICATE, "hubspot", NULL) == 1);
}

static void the_generic_form_of_a_fact_is_a_duplicate_of_the_older_one(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "demo_requested", "true");
    struct str generic =
        hubspot_json(p, "object.propertyChange", p->now,
                     ",\"objectTypeId\":\"0-1\",\"objectId\":7,\"propertyName\":"
                     "\"demo_requested\",\"propertyValue\":\"true\",\"isSensitive\":false");
    struct intake in = post_one(p, generic);
    COUNTS(in, 0, 1, 0);
    assert_int_equal(contact_lead(p, 7).score, 350);
}

static void a_duplicate_within_one_request_counts_once(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    struct str a = change_json(p, 7, "demo_requested", "true", p->now);
    struct str b = change_json(p, 7, "demo_requested", "true", p->now);
    struct intake in =
        post(p, "hubspot", arena_printf(&p->w->arena, "[%.*s,%.*s]", STR_ARG(a), STR_ARG(b)));
    COUNTS(in, 1, 1, 0);
    assert_int_equal(contact_lead(p, 7).score, 350);
}

static void the_same_value_at_another_time_is_another_fact(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "demo_requested", "true");
    p->now += 1;
    change(p, 7, "demo_requested", "true");
    assert_int_equal(contact_lead(p, 7).score, 700);
}

static void a_form_without_an_id_counts_once_within_the_window(void **state)
{
    struct pipeline *p = *state;
    const struct str form = STR("{\"email\":\"ada@example.com\",\"company\":\"Acme\"}");

    load(p, PLAIN_CONF);
    struct intake in = post(p, "zapier", form);
    COUNTS(in, 1, 0, 0);
    p->now += 24 * HOURS_MS - 1;
    in = post(p, "zapier", form);
    COUNTS(in, 0, 1, 0);
    p->now += 1;
    in = post(p, "zapier", form);
    COUNTS(in, 1, 0, 0);
    assert_int_equal(ledger_rows(p, email_lead(p, "ada@example.com").id), 2);
}

static void the_newest_value_wins_whatever_comes_first(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    struct intake in = post_one(p, change_json(p, 7, "company", "New", p->now));
    COUNTS(in, 1, 0, 0);
    in = post_one(p, change_json(p, 7, "company", "Old", p->now - 1000));
    COUNTS(in, 1, 0, 0);
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "company", "New");
    in = post_one(p, change_json(p, 7, "company", "", p->now + 1));
    COUNTS(in, 1, 0, 0);
    l = contact_lead(p, 7);
    assert_null(property(&l, "company").at);
}

/* Two values of one millisecond: which wins depends on the facts alone. */
static void a_tie_ends_the_same_in_either_order(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    change(p, 7, "company", "One");
    change(p, 7, "company", "Two");
    struct lead first = contact_lead(p, 7);
    struct str won = property(&first, "company");

    /* The key covers the object id as well: compare with the rule, not with another lead. */
    struct intake a = decoded(
        p, "hubspot",
        arena_printf(&p->w->arena, "[%.*s]", STR_ARG(change_json(p, 7, "company", "One", p->now))));
    struct intake b = decoded(
        p, "hubspot",
        arena_printf(&p->w->arena, "[%.*s]", STR_ARG(change_json(p, 7, "company", "Two", p->now))));
    bool one = memcmp(a.events[0].key.bytes, b.events[0].key.bytes, DEDUPE_KEY_LEN) > 0;
    SAME(won, one ? STR("One") : STR("Two"));
}

static void an_event_far_in_the_future_counts_as_received_now(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    int64_t far = p->now + 5 * MINUTES_MS + 1, near = p->now + 5 * MINUTES_MS;
    struct intake in = post_one(p, change_json(p, 7, "company", "Far", far));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(newest_event(p).occurred_at, p->now);
    in = post_one(p, change_json(p, 7, "company", "Near", near));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(newest_event(p).occurred_at, near);
    struct lead l = contact_lead(p, 7);
    PROPERTY(l, "company", "Near");

    /* Its own time, not the time of arrival, makes it the same fact. */
    p->now += 60000;
    in = post_one(p, change_json(p, 7, "company", "Far", far));
    COUNTS(in, 0, 1, 0);
}

static void events_of_companies_are_stored_unlinked_and_counted(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    struct intake in = post_one(
        p, hubspot_json(p, "company.propertyChange", p->now,
                        ",\"objectId\":7,\"propertyName\":\"name\",\"propertyValue\":\"Acme\""));
    COUNTS(in, 1, 0, 0);
    struct event_view e = newest_event(p);
    assert_int_equal(e.state, EVENT_UNLINKED);
    assert_int_equal(e.lead, 0);
    assert_non_null(e.body.at);
    assert_false(has_contact(p, 7));
    assert_true(counted(METRIC_EVENTS_RECEIVED, "hubspot", "company.propertyChange") == 1);
    assert_true(counted(METRIC_EVENTS_UNPROCESSABLE, "hubspot", NULL) == 0);
}

static void an_unknown_type_is_counted_as_other(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    tell(p, "starship.launch", 7);
    assert_true(counted(METRIC_EVENTS_RECEIVED, "hubspot", "other") == 1);
}

static void an_odd_element_is_kept_raw_beside_good_ones(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    struct str good = change_json(p, 7, "demo_requested", "true", p->now);
    struct intake in =
        post(p, "hubspot",
             arena_printf(&p->w->arena, "[{\"occurredAt\":\"soon\",\"x\":1},%.*s]", STR_ARG(good)));
    COUNTS(in, 2, 0, 1);
    assert_int_equal(contact_lead(p, 7).score, 350);
    assert_true(counted(METRIC_EVENTS_UNPROCESSABLE, "hubspot", NULL) == 1);
    struct event_view e;
    OK(read_event(p->w->reader, 1, &p->w->arena, &e));
    assert_int_equal(e.state, EVENT_UNPROCESSABLE);
    TEXT(e.body, "{\"occurredAt\":\"soon\",\"x\":1}");
    assert_true(e.reason.len > 0);

    in = post(p, "hubspot", STR("[{\"occurredAt\":\"soon\",\"x\":1}]"));
    COUNTS(in, 0, 1, 0);
}

/* No decoder makes such an event: a property without a name, which a column forbids. */
static void an_event_that_the_store_refuses_is_kept_raw_and_its_neighbours_go_on(void **state)
{
    struct pipeline *p = *state;
    const struct field nameless = {.name = STR_NULL, .value = STR("x")};

    load(p, PLAIN_CONF);
    struct str one = change_json(p, 7, "demo_requested", "true", p->now);
    struct str two = change_json(p, 8, "demo_requested", "true", p->now);
    struct str three = change_json(p, 9, "demo_requested", "true", p->now);
    struct intake in = decoded(
        p, "hubspot",
        arena_printf(&p->w->arena, "[%.*s,%.*s,%.*s]", STR_ARG(one), STR_ARG(two), STR_ARG(three)));
    in.events[1].properties = &nameless;
    run(p, &in.work, WORK_INTAKE);
    COUNTS(in, 3, 0, 1);
    assert_int_equal(contact_lead(p, 7).score, 350);
    assert_int_equal(contact_lead(p, 9).score, 350);
    assert_false(has_contact(p, 8));
    struct event_view e;
    OK(read_event(p->w->reader, in.n == 3 ? newest_event(p).id - 1 : 0, &p->w->arena, &e));
    assert_int_equal(e.state, EVENT_UNPROCESSABLE);
    assert_non_null(str_find(e.reason, STR("could not be processed")));
    SAME(e.body, two);
    assert_true(counted(METRIC_EVENTS_UNPROCESSABLE, "hubspot", NULL) == 1);
    assert_true(counted(METRIC_EVENTS_RECEIVED, "hubspot", "contact.propertyChange") == 3);
    assert_int_equal(p->failures, 0);

    struct intake again = post_one(p, two);
    COUNTS(again, 0, 1, 0);
}

static struct intake waiting_intake(struct pipeline *p, int64_t contact)
{
    struct str json = change_json(p, contact, "page", "a", p->now);

    return decoded(p, "hubspot", arena_printf(&p->w->arena, "[%.*s]", STR_ARG(json)));
}

/* The store refuses one event, and the group is done again with care: a report, commands and
 * neighbours that were done before it must not count twice. */
static void a_group_that_is_done_again_does_nothing_twice(void **state)
{
    const struct field nameless = {.name = STR_NULL, .value = STR("x")};
    struct pipeline *p = *state;
    static const char conf[] =
        BASIC_SOURCES SLACK RULES "[route demo]\nwhen = event.property == \"demo_requested\"\nto"
                                  " = sales-slack\n";

    load(p, conf);
    change(p, 7, "demo_requested", "true");
    struct delivery d = deliveries(p, "sales-slack", "pending").items[0];
    struct attempt_end end = {.delivery = d.id,
                              .lead = d.lead,
                              .connector = d.connector,
                              .verdict = ATTEMPT_DEAD,
                              .detail = STR("no")};
    struct verdicts v = {.ends = &end, .n = 1};
    struct retry_filter filter = {.ids = &d.id, .n_ids = 1};
    struct command retry = {.kind = COMMAND_RETRY, .arg = &filter};
    struct command rules = rules_command(
        p, BASIC_SOURCES SLACK "[rule demo]\nwhen = event.property == \"demo_requested\"\npoints = "
                               "1\n[route demo]\nwhen = event.property == \"demo_requested\"\nto ="
                               " sales-slack\n");
    struct intake first = waiting_intake(p, 8), bad = waiting_intake(p, 9);
    struct intake last = waiting_intake(p, 10);
    size_t notices = p->notices;
    double before = (double)counted(METRIC_EVENTS_RECEIVED, "hubspot", "contact.propertyChange");
    bad.events[0].properties = &nameless;
    submit(p, &first.work, WORK_INTAKE);
    submit(p, &v.work, WORK_VERDICTS);
    submit(p, &retry.work, WORK_COMMAND);
    submit(p, &rules.work, WORK_COMMAND);
    submit(p, &bad.work, WORK_INTAKE);
    submit(p, &last.work, WORK_INTAKE);
    step(p);
    COUNTS(first, 1, 0, 0);
    COUNTS(bad, 1, 0, 1);
    COUNTS(last, 1, 0, 0);
    OK(v.work.rc);
    OK(retry.work.rc);
    OK(rules.work.rc);
    assert_int_equal(retry.count, 1);
    struct attempt_view *attempts;
    size_t n = 0;
    OK(read_attempts(p->w->reader, d.id, &p->w->arena, &attempts, &n));
    assert_int_equal(n, 1);
    assert_int_equal(get_delivery(p->w, d.id).state, DELIVERY_PENDING);
    assert_int_equal(p->notices, notices);
    assert_true((double)counted(METRIC_EVENTS_RECEIVED, "hubspot", "contact.propertyChange") ==
                before + 3);
    assert_false(has_contact(p, 9));
    change(p, 11, "demo_requested", "true");
    assert_int_equal(contact_lead(p, 11).score, 10); /* by the new rules */
}

/* The refused event is an answer's, and what went before it in the group must not stay. */
static void a_refused_answer_has_the_group_done_again_as_well(void **state)
{
    const struct field nameless = {.name = STR_NULL, .value = STR("x")};
    struct pipeline *p = *state;
    struct event e;

    load(p, BASIC_SOURCES SLACK RULES
         "[route demo]\nwhen = event.property == \"demo_requested\"\nto = sales-slack\n");
    change(p, 7, "demo_requested", "true");
    struct delivery d = deliveries(p, "sales-slack", "pending").items[0];
    enriched_event(STR("crm"), PORTAL, 7, p->now, NULL, 0, p->now, &p->w->arena, &e);
    e.request_id = STR("req-1");
    e.properties = &nameless;
    e.n_properties = 1;
    struct attempt_end end = {.delivery = d.id,
                              .lead = d.lead,
                              .connector = d.connector,
                              .ended_at = p->now,
                              .events = &e,
                              .n_events = 1};
    struct verdicts v = {.ends = &end, .n = 1};
    struct intake in = waiting_intake(p, 8);
    submit(p, &in.work, WORK_INTAKE);
    submit(p, &v.work, WORK_VERDICTS);
    step(p);
    COUNTS(in, 1, 0, 0);
    OK(v.work.rc);
    assert_int_equal(newest_event(p).state, EVENT_UNPROCESSABLE);
    assert_int_equal(get_delivery(p->w, d.id).attempts, 1);
}

static void what_an_undone_event_had_counted_and_told_is_taken_back(void **state)
{
    struct pipeline *p = *state;
    /* The first sends deliveries; only then the save of its lead fails. */
    static const char conf[] = BASIC_SOURCES SLACK RULES
        "[route all]\nwhen = event.source == \"hubspot\"\nto = sales-slack\n";
    const struct field nameless = {.name = STR_NULL, .value = STR("x")};

    load(p, conf);
    struct intake in = decoded(
        p, "hubspot",
        arena_printf(&p->w->arena, "[%.*s]", STR_ARG(change_json(p, 7, "page", "x", p->now))));
    in.events[0].properties = &nameless;
    run(p, &in.work, WORK_INTAKE);
    COUNTS(in, 1, 0, 1);
    assert_int_equal(p->notices, 0);
    assert_int_equal(count_deliveries(p, NULL, NULL), 0);
    assert_true(counted(METRIC_LEADS, "cold", NULL) == 0);
}

static void a_stored_event_knows_its_request_and_its_hash(void **state)
{
    struct pipeline *p = *state;
    uint8_t hash[SHA256_LEN];
    char hex[SHA256_HEX];

    load(p, PLAIN_CONF);
    struct str element = change_json(p, 7, "page", "x", p->now);
    struct intake in = post_one(p, element);
    COUNTS(in, 1, 0, 0);
    struct event_view e = newest_event(p);
    SAME(e.body, element);
    TEXT(e.request_id, "req-1");
    TEXT(e.source, "hubspot");
    sha256(&element, 1, hash);
    hex_encode(hash, SHA256_LEN, hex);
    assert_string_equal(e.body_sha256, hex);
    assert_int_equal(e.lead, contact_lead(p, 7).id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_retry_with_another_event_id_and_attempt_number_is_a_duplicate),
        CHECKS(the_generic_form_of_a_fact_is_a_duplicate_of_the_older_one),
        CHECKS(a_duplicate_within_one_request_counts_once),
        CHECKS(the_same_value_at_another_time_is_another_fact),
        CHECKS(a_form_without_an_id_counts_once_within_the_window),
        CHECKS(the_newest_value_wins_whatever_comes_first),
        CHECKS(a_tie_ends_the_same_in_either_order),
        CHECKS(an_event_far_in_the_future_counts_as_received_now),
        CHECKS(events_of_companies_are_stored_unlinked_and_counted),
        CHECKS(an_unknown_type_is_counted_as_other),
        CHECKS(an_odd_element_is_kept_raw_beside_good_ones),
        CHECKS(an_event_that_the_store_refuses_is_kept_raw_and_its_neighbours_go_on),
        CHECKS(a_group_that_is_done_again_does_nothing_twice),
        CHECKS(a_refused_answer_has_the_group_done_again_as_well),
        CHECKS(what_an_undone_event_had_counted_and_told_is_taken_back),
        CHECKS(a_stored_event_knows_its_request_and_its_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
