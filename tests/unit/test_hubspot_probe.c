/* tests/unit/test_hubspot_probe.c - what HubSpot says of the token, its scopes and the properties,
 * and making those that are missing. */
#include "probe_fixture.h"

#define SECTION    "type = hubspot\ntoken = pat-test\nproperties = email\n"
#define SEARCH     "/crm/v3/objects/contacts/search"
#define PROPERTY   "/crm/v3/properties/contacts/"
#define TOKEN_INFO "/oauth/v2/private-apps/get/access-token-info"
#define NUMBER     "{\"type\":\"number\"}"
#define STRING     "{\"type\":\"string\"}"
#define BAND(name) "{\"label\":\"It is " name "\",\"value\":\"" name "\"}"
#define BANDS(a, b, c)                                                                             \
    "{\"type\":\"enumeration\",\"options\":[" BAND(a) "," BAND(b) "," BAND(c) "]}"

#define NO_SCOPE "{\"category\":\"MISSING_SCOPES\"}"

/* Routes, and whether it enriches, are known before. */
static void scopes_are(int status, const char *scopes)
{
    asks_and_is_told("POST", SEARCH, 200, "{\"results\":[]}");
    asks_and_is_told("POST", TOKEN_INFO, status, scopes);
}

static void start(const char *section)
{
    probe_again(section);
    scopes_are(404, "");
}

static void outputs_are(int status, const char *body)
{
    asks_and_is_told("GET", PROPERTY "email", 200, STRING);
    asks_and_is_told("GET", PROPERTY "funneld_score", status, body);
    asks_and_is_told("GET", PROPERTY "funneld_band", status, body);
    asks_and_is_told("GET", PROPERTY "funneld_reasons", status, body);
    asks_and_is_told("GET", PROPERTY "funneld_updated", status, body);
    asks_and_is_told("GET", PROPERTY "funneld_probability", status, body);
    asks_and_is_told("GET", PROPERTY "funneld_churn", status, body);
}

static void what_works_is_said(void **state)
{
    (void)state;
    probe_start(SECTION "portal = 62515\n");
    probe_route("hot");
    asks("POST", SEARCH);
    golden(&x.f, "hubspot/probe_contacts.http");
    is_told(200, "{\"results\":[{\"id\":\"1\",\"properties\":{}}],\"paging\":{\"next\":{}}}");
    asks("POST", TOKEN_INFO);
    golden(&x.f, "hubspot/probe_scopes.http");
    is_told(200, "{\"hubId\":62515,\"scopes\":[\"oauth\",\"crm.objects.contacts.write\"]}");
    asks("GET", PROPERTY "email");
    is_told(200, STRING);
    asks("GET", PROPERTY "funneld_score");
    golden(&x.f, "hubspot/property_get.http");
    is_told(200, "{\"name\":\"funneld_score\",\"type\":\"number\"}");
    asks_and_is_told("GET", PROPERTY "funneld_band", 200, BANDS("cold", "warm", "hot"));
    asks_and_is_told("GET", PROPERTY "funneld_reasons", 200, STRING);
    asks_and_is_told("GET", PROPERTY "funneld_updated", 200, "{\"type\":\"datetime\"}");
    asks_and_is_told("GET", PROPERTY "funneld_probability", 200, NUMBER);
    asks_and_is_told("GET", PROPERTY "funneld_churn", 200, NUMBER);
    is_done();
    assert_int_equal(x.probe.n, 11);
    for (size_t i = 0; i < x.probe.n; i++) {
        assert_int_equal(x.probe.findings[i].state, FINDING_WORKS);
        assert_null(x.probe.findings[i].detail.at);
    }
}

static void what_the_search_is_refused_for_is_said(void **state)
{
    static const struct {
        int status;
        const char *body, *what, *detail;
        bool over;
    } cases[] = {
        {401, "{\"category\":\"INVALID_AUTHENTICATION\"}", "token", "put a new one into", true},
        {403, "{\"category\":\"MISSING_SCOPES\"}", "scope crm.objects.contacts.read",
         "the private app needs crm.objects.contacts.read", false},
        {404, "", "contacts", "check the connector's `url`", true},
        {405, "", "contacts", "check the connector's `url`", true},
        {400, "{\"message\":\"no\",\"category\":\"VALIDATION_ERROR\"}", "contacts", "HTTP 400: no",
         true},
        {302, "", "contacts", "never redirects", true},
        {423, "", "contacts", "try again in 2 s", true},
        {477, "", "contacts", "try again in 60 s", true},
        {500, "", "contacts", "has trouble; try again in a minute (HTTP 500)", true},
        {429, "{\"policyName\":\"DAILY\"}", "contacts", "asked too much just now", true},
        {200, "{}", "contacts", "not what it documents", true},
        {200, "<html>", "contacts", "what answers is not the service", true},
        {401, "<html>", "contacts", "what answers is not the service", true},
        {403, "<html>", "contacts", "what answers is not the service", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        probe_again(SECTION);
        asks_and_is_told("POST", SEARCH, cases[i].status, cases[i].body);
        found(cases[i].what, FINDING_FAILS, cases[i].detail);
        if (cases[i].over) {
            is_done();
            assert_int_equal(x.probe.n, 1); /* nor is anything said of the token */
        } else {
            found("token", FINDING_WORKS, NULL);
            asks("POST", TOKEN_INFO);
        }
    }
}

static void a_wait_that_hubspot_wants_is_said(void **state)
{
    struct http_response r = fixture_response(429, "");

    (void)state;
    probe_start(SECTION);
    asks("POST", SEARCH);
    r.retry_after_ms = 7500;
    probe_take(&x.probe, &r);
    found("contacts", FINDING_FAILS, "try again in 8 s");
    is_done();
}

static void a_property_that_is_read_and_is_not_there_is_said(void **state)
{
    (void)state;
    start(SECTION);
    asks_and_is_told("GET", PROPERTY "email", 404, "");
    found("property email", FINDING_FAILS, "check the connector's `properties`");
}

static void what_is_missing_is_made_if_that_is_wanted(void **state)
{
    static const struct {
        const char *name, *file;
        int status;
        enum finding_state state;
    } cases[] = {
        {"funneld_score", "hubspot/property_create_score.http", 201, FINDING_CREATED},
        {"funneld_band", "hubspot/property_create_band.http", 409, FINDING_WORKS},
        {"funneld_reasons", "hubspot/property_create_reasons.http", 200, FINDING_CREATED},
        {"funneld_updated", "hubspot/property_create_updated.http", 201, FINDING_CREATED},
        {"funneld_probability", "hubspot/property_create_probability.http", 201, FINDING_CREATED},
        {"funneld_churn", "hubspot/property_create_churn.http", 201, FINDING_CREATED},
    };

    (void)state;
    probe_start(SECTION);
    x.probe.create = true;
    scopes_are(404, "");
    asks_and_is_told("GET", PROPERTY "email", 404, ""); /* not ours: nobody makes it */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        asks_and_is_told("GET", cases[i].name, 404, "{\"category\":\"OBJECT_NOT_FOUND\"}");
        asks("POST", "/crm/v3/properties/contacts");
        golden(&x.f, cases[i].file);
        is_told(cases[i].status, "{}");
        found(arena_printf(&x.f.arena, "property %s", cases[i].name).at, cases[i].state, NULL);
    }
    is_done();
}

/* Nobody writes there, and nobody will. */
static void nothing_is_made_where_nothing_is_written(void **state)
{
    (void)state;
    probe_start(SECTION "company_properties =\ndeal_properties =\nticket_properties =\n");
    x.probe.create = x.probe.enriches = true;
    scopes_are(200, "{\"scopes\":[]}");
    asks_and_is_told("GET", PROPERTY "email", 404, "");
    is_done();
    found("properties to write", FINDING_NOT_USED, "no route delivers to it");
}

static void nothing_is_made_unless_it_is_wanted(void **state)
{
    (void)state;
    start(SECTION "property.score = lead_score\nproperty.band =\nproperty.reasons =\n");
    asks_and_is_told("GET", PROPERTY "email", 200, STRING);
    asks_and_is_told("GET", PROPERTY "lead_score", 404, "");
    asks_and_is_told("GET", PROPERTY "funneld_updated", 404, "");
    asks_and_is_told("GET", PROPERTY "funneld_probability", 404, "");
    asks_and_is_told("GET", PROPERTY "funneld_churn", 200, NUMBER);
    is_done();
    found("property lead_score", FINDING_FAILS,
          "--online --create`, or name another with "
          "property.score");
    found("property funneld_updated", FINDING_FAILS, "property.updated");
    found("property funneld_probability", FINDING_NOT_USED, "property.probability");
    found("scope crm.objects.contacts.write", FINDING_NOT_KNOWN, "does not say which scopes");
}

/* Then it is written. */
static void what_a_model_in_use_says_must_have_a_property(void **state)
{
    (void)state;
    start(SECTION "property.score =\nproperty.band =\nproperty.reasons =\nproperty.updated =\n");
    x.probe.says_probability = true;
    asks_and_is_told("GET", PROPERTY "email", 200, STRING);
    asks_and_is_told("GET", PROPERTY "funneld_probability", 404, "");
    asks_and_is_told("GET", PROPERTY "funneld_churn", 404, "");
    is_done();
    found("property funneld_probability", FINDING_FAILS, "property.probability");
    found("property funneld_churn", FINDING_NOT_USED, "property.churn");
}

static void a_property_of_another_type_is_said(void **state)
{
    (void)state;
    start(SECTION);
    outputs_are(200, "{\"type\":\"date\"}");
    found("property funneld_score", FINDING_FAILS,
          "it is of type date, not number: name another with property.score");
    found("property funneld_band", FINDING_FAILS, "not string: name another with property.band");
    start(SECTION);
    asks_and_is_told("GET", PROPERTY "email", 200, "{\"type\":\"odd\"}"); /* it is read as text */
    found("property email", FINDING_WORKS, NULL);
    asks_and_is_told("GET", PROPERTY "funneld_score", 200, "{}");
    found("property funneld_score", FINDING_FAILS, "what answers is not the service");
    is_done();
}

static void a_property_that_does_not_take_what_is_written_is_said(void **state)
{
    static const struct {
        const char *definition, *detail;
    } cases[] = {
        {"{\"type\":\"string\",\"calculated\":true}", "nobody can write them: name another with "
                                                      "property.band"},
        {"{\"type\":\"string\",\"modificationMetadata\":{\"readOnlyValue\":true}}",
         "nobody can write them"},
        {"{\"type\":\"enumeration\"}", "its options lack cold, warm, hot: add them"},
        {BANDS("cold", "Warm", "hot"), "its options lack warm: add them, or name another with "
                                       "property.band"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start(SECTION);
        asks_and_is_told("GET", PROPERTY "email", 200, cases[i].definition);
        found("property email", FINDING_WORKS, NULL); /* it is read alone */
        asks_and_is_told("GET", PROPERTY "funneld_score", 200, NUMBER);
        asks_and_is_told("GET", PROPERTY "funneld_band", 200, cases[i].definition);
        found("property funneld_band", FINDING_FAILS, cases[i].detail);
        asks("GET", PROPERTY "funneld_reasons");
    }
    start(SECTION);
    asks_and_is_told("GET", PROPERTY "email", 200, STRING);
    asks_and_is_told("GET", PROPERTY "funneld_score", 200,
                     "{\"type\":\"number\",\"calculated\":false,"
                     "\"modificationMetadata\":{\"readOnlyValue\":false}}");
    found("property funneld_score", FINDING_WORKS, NULL);
}

static void what_a_property_is_refused_for_is_said(void **state)
{
    static const struct {
        int status;
        const char *body, *what, *detail;
        bool making, goes_on;
    } cases[] = {
        {401, "", "property funneld_score", "HubSpot does not do it (HTTP 401)", false, true},
        {400, "{\"message\":\"no such group\"}", "property funneld_score", "no such group", true,
         true},
        {500, "", "property funneld_score", "has trouble", true, false},
        {500, "", "property funneld_score", "has trouble", false, false},
        {200, "<html>", "property funneld_score", "what answers is not the service", false, false},
        {403, "<html>", "property funneld_score", "what answers is not the service", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start(SECTION);
        x.probe.create = true;
        asks_and_is_told("GET", PROPERTY "email", 200, STRING);
        asks("GET", PROPERTY "funneld_score");
        if (cases[i].making) {
            is_told(404, "");
            asks("POST", "/contacts");
        }
        is_told(cases[i].status, cases[i].body);
        found(cases[i].what, FINDING_FAILS, cases[i].detail);
        if (cases[i].goes_on)
            asks("GET", PROPERTY "funneld_band");
        else
            is_done();
    }
}

/* The scopes of schemas are needed for asking and making only. */
static void a_scope_for_properties_that_lacks_is_said_once(void **state)
{
    (void)state;
    start(SECTION);
    asks_and_is_told("GET", PROPERTY "email", 403, NO_SCOPE);
    is_done();
    found("scope crm.schemas.contacts.read", FINDING_NOT_KNOWN,
          "the private app needs the scope crm.schemas.contacts.read");
    found_nothing_of("property email");

    start(SECTION);
    x.probe.create = true;
    asks_and_is_told("GET", PROPERTY "email", 200, STRING);
    asks_and_is_told("GET", PROPERTY "funneld_score", 404, "");
    asks_and_is_told("POST", "/crm/v3/properties/contacts", 403, NO_SCOPE);
    is_done();
    found("scope crm.schemas.contacts.write", FINDING_FAILS, "crm.schemas.contacts.write");
}

static void who_only_asks_needs_nothing_to_write_to(void **state)
{
    (void)state;
    probe_start(SECTION "deal_properties =\n");
    x.probe.enriches = true;
    scopes_are(200, "{\"scopes\":[\"crm.objects.deals.read\"]}");
    asks_and_is_told("GET", PROPERTY "email", 200, STRING);
    is_done();
    found_nothing_of("scope crm.objects.contacts.write");
    found("scope crm.objects.deals.read", FINDING_WORKS, NULL);
    found("scope crm.objects.companies.read", FINDING_NOT_USED, "if leads are to know");
    found("scope tickets", FINDING_NOT_USED, "if leads are to know");
}

#define OBJECTS                                                                                    \
    SECTION "company_properties = name\ndeal_properties = dealname, amount\n"                      \
            "ticket_properties = subject, mood\n"

static void properties_of_what_leads_know_are_asked_for(void **state)
{
    (void)state;
    probe_start(OBJECTS);
    x.probe.enriches = true;
    scopes_are(200, "{\"scopes\":[\"crm.objects.deals.read\",\"tickets\"]}");
    asks_and_is_told("GET", PROPERTY "email", 200, STRING);
    asks("GET", "/crm/v3/properties/deals/dealname"); /* no scope for companies */
    golden(&x.f, "hubspot/property_get_deal.http");
    is_told(200, STRING);
    asks_and_is_told("GET", "/crm/v3/properties/deals/amount", 200, NUMBER);
    asks_and_is_told("GET", "/crm/v3/properties/tickets/subject", 200, STRING);
    asks_and_is_told("GET", "/crm/v3/properties/tickets/mood", 404, "");
    is_done();
    found("property dealname of deals", FINDING_WORKS, NULL);
    found("property amount of deals", FINDING_WORKS, NULL);
    found("property subject of tickets", FINDING_WORKS, NULL);
    found("property mood of tickets", FINDING_FAILS,
          "HubSpot has no such property: check the connector's `ticket_properties`");
}

/* Where the scopes are not told, the answers tell. */
static void a_kind_that_nothing_is_told_of_is_left_out(void **state)
{
    (void)state;
    probe_start(OBJECTS);
    x.probe.enriches = x.probe.create = true;
    scopes_are(404, "");
    asks_and_is_told("GET", PROPERTY "email", 403, NO_SCOPE);
    asks_and_is_told("GET", "/crm/v3/properties/companies/name", 200, STRING);
    asks_and_is_told("GET", "/crm/v3/properties/deals/dealname", 403, NO_SCOPE);
    asks_and_is_told("GET", "/crm/v3/properties/tickets/subject", 403, NO_SCOPE);
    is_done();
    found("property name of companies", FINDING_WORKS, NULL);
    found("scope crm.schemas.contacts.read", FINDING_NOT_KNOWN, "is not known");
    found("scope crm.schemas.deals.read", FINDING_NOT_KNOWN, "is not known");
    found("scope tickets", FINDING_NOT_KNOWN, "is not known");
}

/* HubSpot's reference does not have the address: it decides nothing. */
static void trouble_where_scopes_are_told_is_none(void **state)
{
    static const int statuses[] = {302, 404, 408, 429, 500, 503, 0};

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(statuses); i++) {
        bool reads = i % 2;
        struct http_response r = fixture_response(statuses[i / 2], "");

        if (!r.status)
            r = (struct http_response){
                .fate = HTTP_UNKNOWN, .error = STR("nobody"), .retry_after_ms = -1};
        probe_again(SECTION "portal = 62515\n");
        x.probe.enriches = reads;
        asks_and_is_told("POST", SEARCH, 200, "{\"results\":[]}");
        asks("POST", TOKEN_INFO);
        probe_take(&x.probe, &r);
        asks("GET", PROPERTY "email");
        assert_int_equal(x.probe.n, reads ? 2 : 3); /* token, scope to read */
        if (!reads)
            found("scope crm.objects.contacts.write", FINDING_NOT_KNOWN, "does not say");
    }
}

/* There may be more properties than a search takes, which matters to a catch-up alone. */
static void without_a_catch_up_no_property_is_searched(void **state)
{
    (void)state;
    probe_start(SECTION "catch_up = no\n");
    asks("POST", SEARCH);
    assert_non_null(str_find(x.f.request.body, STR("\"properties\":[\"lastmodifieddate\"]")));
}

static void the_scope_to_write_and_the_account_are_said(void **state)
{
    static const char *const odd[] = {"", "<html>", "[]", "{\"scopes\":\"all\"}"};

    (void)state;
    for (size_t routes = 0; routes < 2; routes++) {
        probe_again(SECTION "portal = 62515\n");
        if (routes)
            probe_route("hot");
        scopes_are(200, "{\"hubId\":7,\"scopes\":[\"oauth\",5]}");
        outputs_are(200, STRING);
        is_done();
        found("scope crm.objects.contacts.write", routes ? FINDING_FAILS : FINDING_NOT_USED,
              "give it to the private app");
        found("portal", FINDING_FAILS, "the token is of the account 7, not 62515");
    }
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        probe_again(SECTION "portal = 62515\n");
        scopes_are(200, odd[i]);
        found("scope crm.objects.contacts.write", FINDING_NOT_KNOWN, "does not say which scopes");
        found_nothing_of("portal");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, probe_teardown)
        T(what_works_is_said),
        T(what_the_search_is_refused_for_is_said),
        T(a_wait_that_hubspot_wants_is_said),
        T(a_property_that_is_read_and_is_not_there_is_said),
        T(what_is_missing_is_made_if_that_is_wanted),
        T(nothing_is_made_where_nothing_is_written),
        T(nothing_is_made_unless_it_is_wanted),
        T(what_a_model_in_use_says_must_have_a_property),
        T(a_property_of_another_type_is_said),
        T(a_property_that_does_not_take_what_is_written_is_said),
        T(what_a_property_is_refused_for_is_said),
        T(a_scope_for_properties_that_lacks_is_said_once),
        T(who_only_asks_needs_nothing_to_write_to),
        T(properties_of_what_leads_know_are_asked_for),
        T(a_kind_that_nothing_is_told_of_is_left_out),
        T(trouble_where_scopes_are_told_is_none),
        T(without_a_catch_up_no_property_is_searched),
        T(the_scope_to_write_and_the_account_are_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
