/* tests/unit/test_notion_probe.c - what Notion says of the token, the database and its properties.
 */
#include "notion_fixture.h"
#include "probe_fixture.h"

#define DATABASE     "database 668d797c76fa49349b05ad288df2d136"
#define GET_DATABASE "/v1/databases/668d797c-76fa-4934-9b05-ad288df2d136"

static void columns_are(const char *section, const char *schema)
{
    probe_again(section);
    asks_and_is_told("GET", GET_DATABASE, 200, ONE_SOURCE);
    asks_and_is_told("GET", "/v1/data_sources/ds-1", 200, schema);
    is_done();
    found("token", FINDING_WORKS, NULL);
    found(DATABASE, FINDING_WORKS, NULL);
}

static void what_works_is_said(void **state)
{
    (void)state;
    columns_are(SECTION, SCHEMA(P("Who", "title", "title") "," P("Lead ID", "a", "rich_text") "," P(
                             "Score", "b", "number") "," P("Status", "c", "select")));
    assert_int_equal(x.probe.n, 7);
    found("property Name", FINDING_WORKS, NULL); /* found by its type, whatever it is called */
    found("property Lead ID", FINDING_WORKS, NULL);
    found("property Score", FINDING_WORKS, NULL);
    found("property Status", FINDING_WORKS, NULL);
    found("writing", FINDING_NOT_ASKED, "read, insert and update content");
}

/* All of them at once, not only the first. */
static void each_property_that_does_not_fit_is_named(void **state)
{
    (void)state;
    columns_are(
        SECTION "property.email = E-Mail\nproperty.crm = Score\nlog = yes\n",
        SCHEMA(P("Who", "title", "title") "," P("Points", "b", "number") "," P(
            "Score", "s", "url") "," P("Band", "c", "checkbox") "," P("Reasons", "", "rich_text")));
    found("property Name", FINDING_WORKS, NULL);
    found("property Lead ID", FINDING_FAILS, "has no column \"Lead ID\": give it its name back");
    found("property Score", FINDING_FAILS,
          "is of type url, expected number: change its type in Notion, or name another with "
          "`property.score = ...`");
    found("property E-Mail", FINDING_FAILS, "`property.email = ...`");
    found("property Band", FINDING_NOT_USED, "it is of type checkbox, not select");
    found("property Reasons", FINDING_FAILS, "has no id");
    found_nothing_of("property Updated"); /* nobody asked for it */
    found("writing", FINDING_NOT_ASKED, "for its log too");
}

static void one_column_for_two_things_is_said(void **state)
{
    (void)state;
    columns_are(SECTION "property.reasons = Lead ID\n",
                SCHEMA(P("Who", "title", "title") "," P("Lead ID", "a", "rich_text") "," P(
                    "Score", "b", "number")));
    found("property Lead ID", FINDING_WORKS, NULL);
    found("property Lead ID (reasons)", FINDING_FAILS,
          "Lead ID and Reasons are one column of the data source");
}

static void what_is_refused_is_said(void **state)
{
    static const struct {
        int status;
        const char *body, *what, *detail;
    } cases[] = {
        {401, ERROR("401", "unauthorized", "API token is invalid."), "token",
         "unauthorized: API token is invalid.; check the connector's token"},
        {403, ERROR("403", "restricted_resource", "no"), DATABASE,
         "the integration must be allowed to"},
        {400, ERROR("400", "missing_version", "no"), DATABASE, "check the connector's `version`"},
        {400, ERROR("400", "invalid_request_url", "no"), DATABASE,
         "check the connector's `version`"},
        {400, ERROR("400", "validation_error", "no"), DATABASE, "validation_error: no"},
        {409, ERROR("409", "conflict_error", "no"), DATABASE, "; try again in a minute"},
        {418, ERROR("418", "teapot", "no"), DATABASE, "teapot: no"},
        {429, ERROR("429", "rate_limited", "no"), DATABASE, "asked too much just now"},
        {529, ERROR("529", "service_overload", "no"), DATABASE, "asked too much just now"},
        {503, "<html>", DATABASE, "has trouble"},
        {403, "<html>", DATABASE, "HTTP 403: <html>; try again in 30 s"}, /* of the edge */
        {302, "", DATABASE, "never redirects"},
        {200, "<html>", DATABASE, "not what it documents"},
        {200, "{\"data_sources\":[]}", DATABASE, "no data source that we may see"},
        {200, TWO_SOURCES, DATABASE, "name one with `data_source = NAME`: Leads, Archive"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        probe_again(SECTION);
        asks_and_is_told("GET", GET_DATABASE, cases[i].status, cases[i].body);
        found(cases[i].what, FINDING_FAILS, cases[i].detail);
        is_done();
    }
}

static void what_is_not_shared_is_said(void **state)
{
    static const char *const gone = ERROR("404", "object_not_found", "Could not find it.");

    (void)state;
    probe_start(SECTION);
    asks_and_is_told("GET", GET_DATABASE, 404, gone);
    asks_and_is_told("GET", "/v1/data_sources/668d797c-76fa-4934-9b05-ad288df2d136", 404, gone);
    is_done();
    found("token", FINDING_WORKS, NULL);
    found(DATABASE, FINDING_FAILS,
          "; share the database with the integration (Connections) and check its id");
}

static void the_id_of_a_data_source_does_as_well(void **state)
{
    (void)state;
    probe_start(SECTION);
    asks_and_is_told("GET", GET_DATABASE, 404, ERROR("404", "object_not_found", "no"));
    asks_and_is_told("GET", "/v1/data_sources/668d797c-76fa-4934-9b05-ad288df2d136", 200,
                     SCHEMA(P("Who", "title", "title")));
    is_done();
    found(DATABASE, FINDING_WORKS, NULL);
    found("property Score", FINDING_FAILS, "has no column");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, probe_teardown)
        T(what_works_is_said),
        T(each_property_that_does_not_fit_is_named),
        T(one_column_for_two_things_is_said),
        T(what_is_refused_is_said),
        T(what_is_not_shared_is_said),
        T(the_id_of_a_data_source_does_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
