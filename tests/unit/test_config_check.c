/* tests/unit/test_config_check.c - what no section of the configuration can see alone. */
#include "config_file.h"

static void a_hubspot_source_needs_the_public_url(void **state)
{
    (void)state;
    bad("[source hubspot]\ntype = hubspot\nsecret = s\n", 1, "public_url", "HubSpot's target URL");
    good("[source forms]\ntype = zapier\nsecret = s\n");
}

static void two_sources_cannot_have_one_path(void **state)
{
    (void)state;
    bad(HOOKS "[source forms]\ntype = zapier\nsecret = s\npath = /webhooks/hubspot\n", 9,
        "is that of [source hubspot] already", "a path of its own");
    good(HOOKS "[source other]\ntype = hubspot\nsecret = s\npath = /webhooks/other\n");
}

static void a_builtin_path_cannot_be_a_sources(void **state)
{
    static const char *const own[] = {"/healthz", "/livez",   "/readyz",      "/metrics",
                                      "/hooks",   "/hooks/1", "/hooks/sample"};
    char text[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        int n = snprintf(text, sizeof text,
                         "[source forms]\ntype = zapier\nsecret = s\npath = %s\n", own[i]);
        assert_in_range(n, 1, sizeof text - 1);
        bad(text, 4, "is funneld's own", "choose another");
    }
    good("[source forms]\ntype = zapier\nsecret = s\npath = /hooksy\n");
}

#define WITH_BUTTONS "[connector talk]\ntype = slack\ntoken = t\nchannel = C0123456789\nbuttons = "

static void buttons_need_a_source_of_clicks(void **state)
{
    (void)state;
    bad("[source forms]\ntype = zapier\nsecret = s\n" WITH_BUTTONS "yes\n", 8,
        "no source that clicks could come in by", "[source NAME] with type = slack");
    good("[source forms]\ntype = zapier\nsecret = s\n" WITH_BUTTONS "no\n");
    good("[source clicks]\ntype = slack\nsecret = s\n" WITH_BUTTONS "yes\n");
}

static void a_path_that_cannot_be_posted_to_is_one_problem(void **state)
{
    (void)state;
    bad("[source forms]\ntype = zapier\nsecret = s\npath = hooks?a=1\n", 4, "not a path", "");
}

static void the_connector_named_crm_enriches_unless_told_otherwise(void **state)
{
    (void)state;
    good(HOOKS CRM);
    assert_true(str_is(config->sources[0].enrich_with, "crm"));
    assert_ptr_equal(config->crm, &config->connectors[0]);

    good(HOOKS "enrich = none\n" CRM);
    assert_null(config->sources[0].enrich_with.at);
    assert_ptr_equal(config->crm, &config->connectors[0]); /* for links */

    good(HOOKS);
    assert_null(config->sources[0].enrich_with.at);
    assert_null(config->crm);

    good(HOOKS "[connector other]\ntype = hubspot\ntoken = t\n");
    assert_null(config->sources[0].enrich_with.at);

    /* Called crm, but nothing that knows contacts. */
    good(HOOKS "[connector crm]\ntype = slack\ntoken = t\nchannel = C1\n");
    assert_null(config->sources[0].enrich_with.at);
    assert_null(config->crm);
}

static void enrich_names_another_connector(void **state)
{
    (void)state;
    good(HOOKS "enrich = second\n" CRM "[connector second]\ntype = hubspot\ntoken = t\n");
    assert_true(str_is(config->sources[0].enrich_with, "second"));
    assert_ptr_equal(config->crm, &config->connectors[1]);
}

static void enrich_with_an_unknown_connector_is_a_problem(void **state)
{
    (void)state;
    bad(HOOKS "enrich = cmr\n" CRM, 6, "there is no [connector cmr]", "did you mean \"crm\"?");
    bad(HOOKS "enrich = team\n" SLACK, 6, "of type slack cannot enrich", "type hubspot");
    bad(HOOKS "enrich = ${FUNNELD_TEST_UNSET}\n" CRM, 6, "FUNNELD_TEST_UNSET", "");
}

static void a_route_to_an_unknown_connector_is_a_problem(void **state)
{
    (void)state;
    bad(SLACK RULE ROUTE("taem") FORMS, 10, "there is no [connector taem]",
        "did you mean \"team\"?");
    bad(SLACK RULE ROUTE("team, zzzzzzzz") FORMS, 10, "there is no [connector zzzzzzzz]",
        "add a [connector NAME] section");
    bad(RULE ROUTE("${FUNNELD_TEST_UNSET}") FORMS, 6, "FUNNELD_TEST_UNSET", "");
}

static void a_route_may_write_to_the_crm(void **state)
{
    (void)state;
    good(CRM RULE ROUTE("crm") FORMS);
}

static void a_route_names_each_connector_once(void **state)
{
    (void)state;
    bad(SLACK RULE ROUTE("team, team") FORMS, 10, "twice", "");
}

#define SUBSCRIBERS "[connector subs]\ntype = rest_hooks\n"

static void subscribers_need_a_token_to_prove_themselves_with(void **state)
{
    (void)state;
    bad(SUBSCRIBERS FORMS, 1, "needs a token", "hooks_token = ");
    good("[server]\nhooks_token = t\n" SUBSCRIBERS FORMS);
    good("[server]\nhooks_token = t\n" FORMS);
}

static void a_route_tells_each_subscriber_once(void **state)
{
    (void)state;
    bad("[server]\nhooks_token = t\n" SUBSCRIBERS "[connector more]\ntype = rest_hooks\n" RULE
        "[route hot]\nwhen = score >= 80\nto = subs, more\n" FORMS,
        12, "one rest_hooks connector only", "leave one of them out");
}

static void a_route_cannot_be_called_enrichment(void **state)
{
    (void)state;
    bad(SLACK "[route enrichment]\nwhen = score >= 80\nto = team\n" FORMS, 5,
        "cannot be called enrichment", "another name");
    bad(SLACK "[route catch-up]\nwhen = score >= 80\nto = team\n" FORMS, 5,
        "cannot be called catch-up", "another name");
}

#define SHEET(more) "[connector log]\ntype = google_sheets\ncredentials = x\nspreadsheet = s\n" more

/* The credentials are nonsense, which is a problem of its own. */
static void a_tab_of_a_route_needs_the_route(void **state)
{
    const struct conf_problem *p;

    (void)state;
    read_config(SHEET("range.hto = Hot!A:H\n") RULE ROUTE("log") FORMS);
    p = problem("no [route hto] delivers to [connector log]");
    assert_int_equal(p->line, 5);
    assert_true(holds(p->hint, "did you mean \"hot\"?"));

    read_config(SHEET("range.hot = Hot!A:H\n") SLACK RULE ROUTE("team") FORMS);
    p = problem("no [route hot] delivers to [connector log]"); /* it goes elsewhere */
    assert_true(holds(p->hint, "name a route with this connector in its `to`"));

    read_config(SHEET("range.hot = Hot!A:H\n") SLACK RULE ROUTE("team, log") FORMS);
    assert_int_equal(config->problems.n, 1);
    assert_true(holds(config->problems.first->message, "credentials"));
}

static void a_section_without_its_name_is_a_problem_like_any_other(void **state)
{
    static const char *const named[] = {"[source]\ntype = zapier\nsecret = s\npath = /livez\n",
                                        FORMS "[route]\nwhen = score >= 1\nto = nobody\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(named); i++) {
        read_config(named[i]);
        assert_int_equal(config->problems.n, 2);
        (void)problem("needs a name");
        assert_int_equal(problem(i ? "no [connector nobody]" : "/livez")->line, i ? 6 : 4);
    }
}

static void a_control_socket_has_at_most_107_bytes(void **state)
{
    char text[512], name[256];

    (void)state;
    memset(name, 'a', sizeof name);
    for (int len = 102; len <= 103; len++) { /* and ".sock" */
        int n = snprintf(text, sizeof text, "[store]\npath = /%.*s\n" FORMS, len - 1, name);
        assert_in_range(n, 1, sizeof text - 1);
        if (len == 102)
            good(text);
        else
            bad(text, 1, "has 108 bytes", "[admin] socket");
    }
    int n = snprintf(text, sizeof text,
                     "[store]\npath = /%.*s\n[admin]\nsocket = /tmp/f.sock\n" FORMS, 150, name);
    assert_in_range(n, 1, sizeof text - 1);
    good(text);
    assert_true(str_is(config->control_socket, "/tmp/f.sock"));
    n = snprintf(text, sizeof text, "[admin]\nsocket = /%.*s\n" FORMS, 107, name);
    assert_in_range(n, 1, sizeof text - 1);
    bad(text, 2, "at most 107 bytes", "shorter");
}

static void listeners_are_checked_across_their_keys(void **state)
{
    (void)state;
    bad("[server]\ntls_cert = /etc/cert.pem\n" FORMS, 2, "tls_cert without tls_key", "");
    bad("[server]\ntls_key = /etc/key.pem\n" FORMS, 2, "tls_key without tls_cert", "");
    bad("[server]\ntrusted_proxies = 10.0.0.0/8, example.com\n" FORMS, 2,
        "\"example.com\" is no network", "");
    bad("[admin]\nlisten = 0.0.0.0:8444\n" FORMS, 2, "has no token", "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_hubspot_source_needs_the_public_url),
        CHECKS(two_sources_cannot_have_one_path),
        CHECKS(a_builtin_path_cannot_be_a_sources),
        CHECKS(buttons_need_a_source_of_clicks),
        CHECKS(a_path_that_cannot_be_posted_to_is_one_problem),
        CHECKS(the_connector_named_crm_enriches_unless_told_otherwise),
        CHECKS(enrich_names_another_connector),
        CHECKS(enrich_with_an_unknown_connector_is_a_problem),
        CHECKS(a_route_to_an_unknown_connector_is_a_problem),
        CHECKS(a_route_may_write_to_the_crm),
        CHECKS(a_route_names_each_connector_once),
        CHECKS(subscribers_need_a_token_to_prove_themselves_with),
        CHECKS(a_route_tells_each_subscriber_once),
        CHECKS(a_route_cannot_be_called_enrichment),
        CHECKS(a_tab_of_a_route_needs_the_route),
        CHECKS(a_section_without_its_name_is_a_problem_like_any_other),
        CHECKS(a_control_socket_has_at_most_107_bytes),
        CHECKS(listeners_are_checked_across_their_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
