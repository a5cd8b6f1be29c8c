/* tests/unit/test_hubspot_search.c - which records changed while we were away, page by page. */
#include "cm.h"

#include "crm_test.h"

#define PATH "/crm/v3/objects/contacts/search"
#define RECORD(id, at)                                                                             \
    "{\"id\":\"" id "\",\"properties\":{\"email\":\"" id "@example.org\",\"lastmodifieddate\":"    \
    "\"" at "\"},\"createdAt\":\"2025-01-01T00:00:00Z\",\"updatedAt\":\"" at "\",\"archived\":"    \
    "false}"
#define LAST(results) "{\"total\":2,\"results\":[" results "]}"
#define FULL(results)                                                                              \
    "{\"total\":900,\"results\":[" results "],\"paging\":{\"next\":{\"after\":\"100\"}}}"
#define T0    "2026-01-01T00:00:00.000Z" /* FIXTURE_NOW */
#define LATER "2026-01-01T00:00:07.250Z"

/* remote_id NULL: the first page. */
static void start(const char *section, const char *remote_id)
{
    struct delivery *d = &f.parcels[0].d;

    fixture_start(&f, section);
    fixture_route(&f, "catch-up");
    d->lead = 0;
    d->remote_id = str_of(remote_id);
    d->facts.event_time = FIXTURE_NOW;
    d->facts.event_property = STR("portalId");
    d->facts.event_value = STR("62515");
}

static void the_first_page_begins_where_we_left(void **state)
{
    (void)state;
    start(SECTION, NULL);
    fixture_build(&f);
    golden(&f, "hubspot/search.http");
    assert_true(f.request.repeatable);
}

static void the_next_page_begins_at_the_last_change_seen(void **state)
{
    (void)state;
    start(SECTION, LATER);
    fixture_build(&f);
    golden(&f, "hubspot/search_next.http");
}

static void within_one_millisecond_contacts_are_paged_by_id(void **state)
{
    (void)state;
    start(SECTION, LATER "/0");
    fixture_build(&f);
    assert_null(str_find(f.request.body, STR("GT\"")));
    fixture_end(&f);
    start(SECTION, LATER "/4711");
    fixture_build(&f);
    golden(&f, "hubspot/search_within.http");
}

static void what_changed_comes_back_as_records(void **state)
{
    const struct record *r;

    (void)state;
    start(SECTION, NULL);
    fixture_last(&f, "POST", PATH, 200, LAST(RECORD("7", T0) "," RECORD("8", LATER)));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, "2 contacts");
    assert_int_equal(f.outcomes[0].n_recovered, 2);
    r = &f.outcomes[0].recovered[1];
    assert_int_equal(r->crm_id, 8);
    assert_int_equal(r->portal_id, 62515);
    assert_int_equal(r->updated_at, FIXTURE_NOW + 7250);
    assert_int_equal(r->n_properties, 6); /* those of the configuration */
    assert_true(str_is(r->properties[0].name, "email"));
    assert_true(str_is(r->properties[0].value, "8@example.org"));
    assert_null(f.outcomes[0].properties); /* it enriches no lead */
    assert_false(f.outcomes[0].enriched);
}

static void of_companies_deals_and_tickets_it_is_asked_the_same(void **state)
{
    (void)state;
    start(SECTION, NULL);
    f.parcels[0].d.facts.event_property = STR("deals");
    fixture_build(&f);
    golden(&f, "hubspot/search_deals.http");
    fixture_end(&f);
    start(SECTION, NULL);
    f.parcels[0].d.facts.event_property = STR("deals");
    fixture_last(&f, "POST", "/crm/v3/objects/deals/search", 200,
                 LAST("{\"id\":\"9\",\"properties\":{\"dealstage\":\"won\","
                      "\"hs_lastmodifieddate\":\"" LATER "\"},\"updatedAt\":\"" LATER "\"}"));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, "1 deal");
    assert_int_equal(f.outcomes[0].n_recovered, 1);
    const struct record *r = &f.outcomes[0].recovered[0];
    assert_int_equal(r->kind, OBJECT_DEAL);
    assert_int_equal(r->crm_id, 9);
    assert_int_equal(r->portal_id, 62515);
    assert_int_equal(r->n_properties, 5);
    assert_true(str_is(r->properties[1].value, "won"));
}

static const struct page_case {
    const char *place, *answer;
    enum verdict verdict;
    const char *next; /* NULL: nowhere */
} page_cases[] = {
    {NULL, LAST(""), VERDICT_DELIVERED, NULL},
    {NULL, LAST(RECORD("7", LATER)), VERDICT_DELIVERED, NULL},
    {NULL, FULL(RECORD("7", T0) "," RECORD("8", LATER)), VERDICT_MORE, LATER},
    {LATER, FULL(RECORD("7", LATER) "," RECORD("8", LATER)), VERDICT_MORE, LATER "/0"},
    {LATER "/0", FULL(RECORD("7", LATER) "," RECORD("8", LATER)), VERDICT_MORE, LATER "/8"},
    {LATER "/8", LAST(RECORD("9", LATER)), VERDICT_MORE, "2026-01-01T00:00:07.251Z"},
    {LATER "/8", LAST(""), VERDICT_MORE, "2026-01-01T00:00:07.251Z"},
    {LATER, FULL(""), VERDICT_RETRY, NULL}, /* round in circles */
    {LATER, FULL(RECORD("7", T0)), VERDICT_RETRY, NULL},
    {LATER "/8", FULL(""), VERDICT_RETRY, NULL},
    {LATER "/8", FULL(RECORD("8", LATER)), VERDICT_RETRY, NULL},
    {NULL, LAST("{\"id\":\"x\"}"), VERDICT_RETRY, NULL},
    {NULL, LAST("{\"id\":\"-7\"}"), VERDICT_RETRY, NULL},
    {NULL, LAST("7"), VERDICT_RETRY, NULL},
    {NULL, "{\"total\":0}", VERDICT_RETRY, NULL},
    {NULL, "{\"results\":{}}", VERDICT_RETRY, NULL},
};

static void a_page_says_where_the_next_one_begins(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(page_cases); i++) {
        const struct page_case *c = &page_cases[i];
        const struct outcome *o = &f.outcomes[0];

        start(SECTION, c->place);
        fixture_last(&f, "POST", PATH, 200, c->answer);
        fixture_verdict(&f, 0, c->verdict, NULL);
        if (!str_eq(o->remote_id, str_of(c->next)))
            fail_msg("case %zu goes on at %.*s", i, STR_ARG(o->remote_id));
        assert_true(c->verdict != VERDICT_RETRY || (o->n_recovered == 0 && o->reason.len));
        fixture_end(&f);
    }
}

static void a_record_without_its_times_counts_as_changed_now(void **state)
{
    (void)state;
    start(SECTION "portal = 7\n", NULL);
    f.parcels[0].d.facts.event_value = STR("nothing"); /* of another version */
    fixture_last(&f, "POST", PATH, 200, LAST("{\"id\":\"7\"}"));
    assert_int_equal(f.outcomes[0].recovered[0].updated_at, FIXTURE_NOW);
    assert_int_equal(f.outcomes[0].recovered[0].portal_id, 7);
}

static void what_cannot_be_asked_is_dead(void **state)
{
    static const char *const places[] = {"yesterday", LATER "/x", "/7", LATER "/"};
    struct sbuf b AUTO(sbuf_free) = SBUF(8192);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        start(SECTION, places[i]);
        assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
        assert_non_null(strstr(f.why.text, "cannot be read"));
        fixture_end(&f);
    }
    sbuf_text(&b, SECTION "properties = email");
    for (int i = 0; i < 150; i++)
        sbuf_printf(&b, ",\n  a_property_of_many_%d", i);
    sbuf_text(&b, "\n");
    start(b.at, NULL);
    assert_int_equal(f.type->build(&f.job, &f.request, &f.why), RC_INVALID);
    assert_non_null(strstr(f.why.text, "shorten `properties`"));
}

static const struct status_case {
    int status;
    const char *body;
    enum verdict verdict;
    int64_t pause_ms;
    const char *reason;
    bool broken;
} status_cases[] = {
    {400, "{\"category\":\"VALIDATION_ERROR\",\"message\":\"bad filter\"}", VERDICT_DEAD, 0,
     "bad filter", false},
    {401, "{}", VERDICT_RETRY, 0, "token is not valid", true},
    {403, "{}", VERDICT_RETRY, 0, "crm.objects.contacts.read", true},
    {404, "{\"category\":\"OBJECT_NOT_FOUND\"}", VERDICT_RETRY, 0, "`url`", true},
    {409, "{}", VERDICT_RETRY, 0, "does not document", false},
    {429, "{\"policyName\":\"SECONDLY\"}", VERDICT_RETRY, 11000, "ten seconds", false},
    {500, "", VERDICT_RETRY, 0, "HTTP 500", false},
    {200, "nothing", VERDICT_RETRY, 0, "not what it documents", false},
};

static void every_status_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(status_cases); i++) {
        const struct status_case *c = &status_cases[i];

        start(SECTION, NULL);
        fixture_last(&f, "POST", PATH, c->status, c->body);
        fixture_verdict(&f, 0, c->verdict, c->reason);
        assert_int_equal(f.job.pause_ms, c->pause_ms);
        assert_int_equal(f.job.broken, c->broken);
        fixture_end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(the_first_page_begins_where_we_left),
        T(the_next_page_begins_at_the_last_change_seen),
        T(within_one_millisecond_contacts_are_paged_by_id),
        T(what_changed_comes_back_as_records),
        T(of_companies_deals_and_tickets_it_is_asked_the_same),
        T(a_page_says_where_the_next_one_begins),
        T(a_record_without_its_times_counts_as_changed_now),
        T(what_cannot_be_asked_is_dead),
        T(every_status_has_its_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
