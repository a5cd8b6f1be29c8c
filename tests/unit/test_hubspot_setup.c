/* tests/unit/test_hubspot_setup.c - whether the properties are there that are written, and making
 * them. */
#include "cm.h"

#include "connector_fixture.h"

#include "funneld/connectors/hubspot.h"

#define SECTION "type = hubspot\ntoken = pat-test\n"

static struct fixture f;
static struct hubspot_setup setup;

static int teardown(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

static void start(const char *section, bool create)
{
    fixture_start(&f, section);
    hubspot_setup_begin(f.settings, create, &f.arena, &setup);
}

static void asks(const char *method, const char *path)
{
    f.request = (struct http_request){0};
    assert_int_equal(hubspot_setup_next(&setup, &f.request, &f.why), RC_OK);
    assert_string_equal(f.request.method, method);
    assert_true(str_ends(f.request.url, str_of(path)));
}

static void is_told(int status, const char *body)
{
    struct http_response r = fixture_response(status, body);

    hubspot_setup_take(&setup, &r);
}

static void is_done(void)
{
    assert_int_equal(hubspot_setup_next(&setup, &f.request, &f.why), RC_NONE);
    assert_int_equal(hubspot_setup_next(&setup, &f.request, &f.why), RC_NONE);
}

static void settled(size_t i, enum hubspot_setup_state state, const char *detail)
{
    const struct hubspot_property *p = &setup.items[i];

    assert_int_equal(p->state, state);
    if (detail ? !str_find(p->detail, str_of(detail)) : p->detail.at != NULL)
        fail_msg("%.*s: %.*s", STR_ARG(p->name), STR_ARG(p->detail));
}

static void what_is_there_stays_as_it_is(void **state)
{
    (void)state;
    start(SECTION, true);
    asks("GET", "/crm/v3/properties/contacts/funneld_score");
    golden(&f, "hubspot/property_get.http");
    is_told(200, "{\"name\":\"funneld_score\",\"type\":\"number\"}");
    asks("GET", "/funneld_band");
    is_told(200, "{\"type\":\"enumeration\"}");
    asks("GET", "/funneld_reasons");
    is_told(200, "{\"type\":\"string\"}");
    asks("GET", "/funneld_updated");
    is_told(200, "{\"type\":\"datetime\"}");
    is_done();
    for (size_t i = 0; i < 4; i++)
        settled(i, SETUP_THERE, NULL);
}

static void what_is_missing_is_made_if_that_is_wanted(void **state)
{
    static const char *const files[] = {
        "hubspot/property_create_score.http", "hubspot/property_create_band.http",
        "hubspot/property_create_reasons.http", "hubspot/property_create_updated.http"};

    (void)state;
    start(SECTION, true);
    assert_int_equal(setup.n, ARRAY_LEN(files));
    for (size_t i = 0; i < setup.n; i++) {
        asks("GET", setup.items[i].name.at);
        is_told(404, "{\"category\":\"OBJECT_NOT_FOUND\"}");
        asks("POST", "/crm/v3/properties/contacts");
        golden(&f, files[i]);
        is_told(i == 1 ? 409 : i == 2 ? 200 : 201, "{}");
        settled(i, i == 1 ? SETUP_THERE : SETUP_CREATED, NULL);
    }
    is_done();
}

static void nothing_is_made_unless_it_is_wanted(void **state)
{
    (void)state;
    start(SECTION "property.score = lead_score\nproperty.band =\nproperty.reasons =\n", false);
    assert_int_equal(setup.n, 2);
    asks("GET", "/lead_score");
    is_told(404, "");
    asks("GET", "/funneld_updated");
    is_told(404, "");
    is_done();
    settled(0, SETUP_MISSING, NULL);
    settled(1, SETUP_MISSING, NULL);
}

static void a_property_of_another_type_is_said(void **state)
{
    (void)state;
    start(SECTION, true);
    asks("GET", "/funneld_score");
    is_told(200, "{\"type\":\"date\"}");
    settled(0, SETUP_UNFIT, "it is of type date, not number: name another with property.score");
    asks("GET", "/funneld_band");
    is_told(200, "{}");
    settled(1, SETUP_UNFIT, "not string: name another with property.band");
}

static void what_is_refused_is_said(void **state)
{
    static const struct {
        int status;
        const char *body, *detail;
        bool creating;
    } cases[] = {
        {401, "", "put a new one", false},
        {403, "{\"category\":\"MISSING_SCOPES\"}", "crm.schemas.contacts.read", false},
        {403, "{\"category\":\"MISSING_SCOPES\"}", "crm.schemas.contacts.write", true},
        {400, "{\"message\":\"no such group\"}", "no such group", true},
        {500, "", "HTTP 500", true},
        {500, "", "HTTP 500", false},
        {200, "<html>", "HTTP 200", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        start(SECTION, true);
        asks("GET", "/funneld_score");
        if (cases[i].creating) {
            is_told(404, "");
            asks("POST", "/contacts");
        }
        is_told(cases[i].status, cases[i].body);
        settled(0, SETUP_REFUSED, cases[i].detail);
        asks("GET", "/funneld_band"); /* the others are looked at all the same */
        fixture_end(&f);
    }
}

static void no_answer_is_said(void **state)
{
    struct http_response r = {
        .fate = HTTP_NOT_SENT, .error = STR("no route to host"), .retry_after_ms = -1};

    (void)state;
    start(SECTION, false);
    asks("GET", "/funneld_score");
    hubspot_setup_take(&setup, &r);
    settled(0, SETUP_REFUSED, "no route to host");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(what_is_there_stays_as_it_is),
        T(what_is_missing_is_made_if_that_is_wanted),
        T(nothing_is_made_unless_it_is_wanted),
        T(a_property_of_another_type_is_said),
        T(what_is_refused_is_said),
        T(no_answer_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
