/* tests/unit/test_google_probe.c - what Google says of the account, the spreadsheet and its tabs.
 */
#include "google_fixture.h"
#include "probe_fixture.h"

#define TOKEN_URL   "https://oauth2.googleapis.com/token"
#define SPREADSHEET "spreadsheet sheet-1"
#define RANGE       "{\"range\":\"Leads!A1:Z1\",\"majorDimension\":\"ROWS\""
#define ROW(cells)  RANGE ",\"values\":[[" cells "]]}"
#define FULL_ROW                                                                                   \
    ROW("\"Delivery ID\",\"Time\",\"Lead\",\"Email\",\"Score\",\"Band\",\"Reasons\",\"CRM\"")
#define NO_TAB FAILURE("400", "INVALID_ARGUMENT", "Unable to parse range: 'Leads'!1:1")

static void start(const char *more)
{
    probe_again(section(more));
    asks_and_is_told("POST", TOKEN_URL, 200, TOKEN);
    found("credentials", FINDING_WORKS, "of funneld@example.org");
}

static void what_works_is_said(void **state)
{
    (void)state;
    start("");
    asks_and_is_told("GET", "/v4/spreadsheets/sheet-1/values/%27Leads%27%211%3A1", 200, FULL_ROW);
    is_done();
    found("tab Leads", FINDING_WORKS, NULL);
    found("column Delivery ID of tab Leads", FINDING_WORKS, NULL);
    found("column CRM of tab Leads", FINDING_WORKS, NULL);
    found_nothing_of("column Lead ID of tab Leads"); /* only where rows are found by it */
    found("writing", FINDING_NOT_ASKED, "as editor");
}

static void what_a_token_is_refused_for_is_said(void **state)
{
    static const struct {
        int status;
        const char *body, *detail;
    } cases[] = {
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}",
         "the key was deleted or is another account's: make a new one"},
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"in a reasonable timeframe\"}",
         "check this machine's clock"},
        {400, "{\"error\":\"invalid_grant\",\"error_description\":\"account not found\"}",
         "the service account was deleted: make a new one"},
        {401, "{\"error\":\"invalid_client\"}", "check the connector's credentials"},
        {403, "{\"error\":\"disabled_client\"}", "the service account is disabled: enable it"},
        {404, "<html>", "no access token, HTTP 404"},
        {200, "<html>", "garbage in the answer"},
        {503, "", "has trouble"},
        {429, "", "asked too much just now"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        probe_again(section(""));
        asks_and_is_told("POST", TOKEN_URL, cases[i].status, cases[i].body);
        is_done();
        assert_int_equal(x.probe.n, 1);
        found("credentials", FINDING_FAILS, cases[i].detail);
    }
}

static void what_the_spreadsheet_is_refused_for_is_said(void **state)
{
    static const struct {
        int status;
        const char *body, *detail;
    } cases[] = {
        {403, FAILURE("403", "PERMISSION_DENIED", "The caller does not have permission"),
         "share the spreadsheet, as editor, with funneld@example.org"},
        {404, FAILURE("404", "NOT_FOUND", "Requested entity was not found."),
         "check the connector's `spreadsheet`"},
        {404, "<html>", "try again in 30 s"},
        {200, "<html>", "try again in a minute"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start("");
        asks_and_is_told("GET", "/values/", cases[i].status, cases[i].body);
        is_done();
        found(SPREADSHEET, FINDING_FAILS, cases[i].detail);
    }
    start("");
    asks_and_is_told("GET", "/values/", 503, "");
    found("tab Leads", FINDING_FAILS, "has trouble");
    is_done();
}

/* As a job does: perhaps the token has just expired. */
static void a_token_that_is_not_taken_is_renewed_once(void **state)
{
    (void)state;
    start("");
    asks_and_is_told("GET", "/values/", 401, "");
    asks_and_is_told("POST", TOKEN_URL, 200, TOKEN);
    asks_and_is_told("GET", "/values/", 401, "");
    is_done();
    assert_int_equal(x.probe.n, 2);
    found(SPREADSHEET, FINDING_FAILS, "a new access token is refused as well");
}

static void what_is_no_sheet_is_said(void **state)
{
    static const char *const odd[] = {"{}", "{\"values\":[[\"Delivery ID\"]]}", "{\"ok\":true}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        start("");
        asks_and_is_told("GET", "/values/", 200, odd[i]);
        is_done();
        found("tab Leads", FINDING_FAILS,
              "what answers is not the service: check the connector's `url`");
    }
}

static void each_tab_is_looked_at(void **state)
{
    (void)state;
    probe_start(section("range.a = One!A:H\nrange.b = Two!A:H\nrange.c = One!A:H\n"));
    probe_route("a");
    probe_route("b");
    probe_route("c");
    probe_route("other");
    asks_and_is_told("POST", TOKEN_URL, 200, TOKEN);
    asks_and_is_told("GET", "%27One%27", 400, NO_TAB);
    asks_and_is_told("GET", "%27Two%27", 200, RANGE "}");
    asks_and_is_told("GET", "%27Leads%27", 200, FULL_ROW);
    is_done();
    found("tab One", FINDING_FAILS,
          "the tab of `range` is missing or was renamed: give it its name back");
    found("tab Two", FINDING_WORKS, "the header is written together with the first row");
    found("tab Leads", FINDING_WORKS, NULL);
}

static void each_column_is_looked_at(void **state)
{
    (void)state;
    start("");
    asks_and_is_told("GET", "/values/", 200, ROW("\"Time\",\"lead\",\"E-mail\""));
    is_done();
    found("tab Leads", FINDING_WORKS, NULL);
    found("column Delivery ID of tab Leads", FINDING_FAILS,
          "row 1 of the tab Leads has no column \"Delivery ID\": add it");
    found("column Lead of tab Leads", FINDING_WORKS, NULL);
    found("column Email of tab Leads", FINDING_NOT_USED, "no heading in row 1 is called so");

    start("mode = upsert\n");
    asks_and_is_told("GET", "/values/", 200, FULL_ROW);
    found("column Lead ID of tab Leads", FINDING_FAILS, "has no column \"Lead ID\"");

    start("");
    asks_and_is_told("GET", "/values/", 200, ROW("\"\",\"Delivery ID\""));
    found("tab Leads", FINDING_FAILS, "must begin in A1");
    found("column Delivery ID of tab Leads", FINDING_WORKS, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, probe_teardown)
        T(what_works_is_said),
        T(what_a_token_is_refused_for_is_said),
        T(what_the_spreadsheet_is_refused_for_is_said),
        T(a_token_that_is_not_taken_is_renewed_once),
        T(what_is_no_sheet_is_said),
        T(each_tab_is_looked_at),
        T(each_column_is_looked_at),
    };

    return cmocka_run_group_tests(tests, make_key, drop_key);
}
