/* tests/unit/test_workflow.c - HubSpot's workflows: who may post, and what becomes of a body. */
#include "cm.h"

#include "source_fixture.h"

#define KEY "api_key = k+y/1\napi_key_header = X-API-Key\n"

/* All properties, in the form of the old contacts API. */
static const char legacy[] =
    "{\"vid\":1246965,\"canonical-vid\":1246965,\"merged-vids\":[],\"portal-id\":62515,"
    "\"is-contact\":true,\"properties\":{\"email\":{\"value\":\"Ada@Example.com\",\"versions\":[{"
    "\"value\":\"Ada@Example.com\",\"timestamp\":1}]},\"firstname\":{\"value\":\"Ada\"},"
    "\"empty\":{\"value\":\"\"},\"none\":{\"value\":null},\"odd\":{},\"seats\":{\"value\":12}},"
    "\"form-submissions\":[],\"identity-profiles\":[{\"vid\":1246965}]}";
static const char flat[] =
    "{\"portalId\":62515,\"hs_object_id\":\"1246965\",\"email\":\"ada@example.com\",\"seats\":12,"
    "\"vip\":true,\"tags\":[\"a\",\"b\"],\"none\":null,\"empty\":\"\",\"deep\":{\"x\":1}}";
static const char action[] =
    "{\"callbackId\":\"ap-62515-56776413549-7-0\",\"origin\":{\"portalId\":62515,"
    "\"actionDefinitionId\":2,\"actionDefinitionVersion\":3},\"context\":{\"workflowId\":9},"
    "\"object\":{\"objectId\":1246965,\"objectType\":\"CONTACT\",\"properties\":{\"email\":"
    "\"ada@example.com\",\"firstname\":\"Ada\"}},\"inputFields\":{\"plan\":\"pro\"}}";

static void every_shape_links_to_the_contact(void **state)
{
    static const struct {
        const char *body;
        size_t n_properties;
        const char *name, *value;
    } cases[] = {
        {legacy, 3, "seats", "12"},
        {flat, 4, "tags", "a, b"},
        {action, 2, "firstname", "Ada"},
    };
    FIXTURE(f, "hubspot_workflow", KEY);

    (void)state;
    assert_string_equal(problem_of(&f), "");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct event e = decode_one(&f, cases[i].body), again = decode_again(&f, &e);

        assert_int_equal(e.state, EVENT_PROCESSED);
        is(e.type, "workflow.enrolled");
        assert_int_equal(e.effect, EFFECT_PROPERTIES);
        assert_int_equal(e.portal_id, 62515);
        assert_int_equal(e.object_id, 1246965);
        is(e.email, NULL); /* it follows the record's property */
        assert_int_equal(e.occurred_at, NOW);
        assert_int_equal(e.n_properties, cases[i].n_properties);
        is(property(&e, cases[i].name), cases[i].value);
        is(e.body, cases[i].body);
        assert_true(same_key(&e, &again));
        assert_int_equal(again.n_properties, e.n_properties);
        assert_int_equal(again.object_id, e.object_id);
    }
}

static void an_action_tells_its_fields_to_rules(void **state)
{
    FIXTURE(f, "hubspot_workflow", KEY);
    struct event e = decode_one(&f, action);

    (void)state;
    is(field_get(e.data, e.n_data, "inputFields__plan"), "pro");
    is(field_get(e.data, e.n_data, "origin__actionDefinitionId"), "2");
}

static void without_a_record_the_address_links(void **state)
{
    static const struct {
        const char *lines, *body;
        int64_t portal, object;
        const char *email; /* NULL: by the record, or unprocessable where there is none */
    } cases[] = {
        {"", "{\"email\":\" Ada@Example.com \"}", 0, 0, "ada@example.com"},
        {"", "{\"hs_object_id\":5,\"email\":\"a@b\"}", 0, 0, "a@b"},
        {"portal = 7\n", "{\"hs_object_id\":5,\"email\":\"a@b\"}", 7, 5, NULL},
        {"portal = 7\n", "{\"hs_object_id\":5,\"portalId\":8}", 8, 5, NULL},
        {"portal = 7\n", "{\"objectId\":\"9007199254740993\"}", 7, INT64_C(9007199254740993), NULL},
        {"portal = 7\n", "{\"properties\":{\"hs_object_id\":{\"value\":\"5\"}}}", 7, 5, NULL},
        {"portal = 7\n", "{\"canonical-vid\":6,\"vid\":5}", 7, 6, NULL},
        {"portal = 7\n", "{\"vid\":-5,\"email\":\"a@b\"}", 0, 0, "a@b"},
        {"portal = 7\n", "{\"vid\":1.5,\"email\":\"a@b\"}", 0, 0, "a@b"},
        {"", "{\"hs_object_id\":5}", 0, 0, NULL},
        {"", "{\"hs_object_id\":5,\"portalId\":0}", 0, 0, NULL},
        {"portal = 1\n", "{\"hs_object_id\":5}", 1, 5, NULL},
        {"", "{\"email\":\"nobody\"}", 0, 0, NULL},
        {"", "{\"email\":[\"a@b\",\"c@d\"]}", 0, 0, NULL},
        {"", "{\"firstname\":\"Ada\"}", 0, 0, NULL},
        {"", "{}", 0, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a AUTO(arena_free) = {0};
        FIXTURE(f, "hubspot_workflow", arena_printf(&a, KEY "%s", cases[i].lines).at);
        struct event e = decode_one(&f, cases[i].body);
        bool linked = cases[i].object || cases[i].email;

        if ((e.state == EVENT_PROCESSED) != linked || e.object_id != cases[i].object)
            fail_msg("%s", cases[i].body);
        assert_int_equal(e.portal_id, cases[i].portal);
        if (linked)
            is(e.email, cases[i].email);
        else
            assert_true(e.reason.len > 0);
        bool wants_portal = str_find(e.reason, STR("set portal")) != NULL;
        assert_int_equal(wants_portal, !linked && strstr(cases[i].body, "object_id"));
    }
}

static void five_thousand_properties_are_enough(void **state)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    FIXTURE(f, "hubspot_workflow", KEY);

    (void)state;
    sbuf_text(&b, "{\"portalId\":1,\"vid\":2");
    for (int i = 0; i < 5000; i++)
        sbuf_printf(&b, ",\"p%d\":1", i);
    struct str most = arena_printf(&f.a, "%s}", b.at),
               more = arena_printf(&f.a, "%s,\"x\":1}", b.at);
    assert_int_equal(decode_one(&f, most.at).n_properties, 5000);
    assert_int_equal(decode_one(&f, more.at).state, EVENT_UNPROCESSABLE);
}

static void what_is_no_contact_is_stored_and_counted(void **state)
{
    static const struct {
        const char *lines, *body;
        enum event_state state;
    } cases[] = {
        {"", "{\"companyId\":1,\"portalId\":2,\"email\":\"a@b\"}", EVENT_UNLINKED},
        {"", "{\"dealId\":1,\"portalId\":2}", EVENT_UNLINKED},
        {"", "{\"vid\":3,\"companyId\":1,\"portalId\":2}", EVENT_PROCESSED},
        {"", "{\"objectTypeId\":\"0-3\",\"hs_object_id\":1,\"portalId\":2}", EVENT_UNLINKED},
        {"", "{\"objectTypeId\":\"0-1\",\"hs_object_id\":1,\"portalId\":2}", EVENT_PROCESSED},
        {"", "{\"object\":{\"objectId\":1,\"objectType\":\"DEAL\"},\"origin\":{\"portalId\":2}}",
         EVENT_UNLINKED},
        {"object = deal\n", "{\"hs_object_id\":1,\"portalId\":2,\"email\":\"a@b\"}",
         EVENT_UNLINKED},
        {"object = deal\n",
         "{\"object\":{\"objectId\":1,\"objectType\":\"contact\"},\"origin\":{\"portalId\":2}}",
         EVENT_PROCESSED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a AUTO(arena_free) = {0};
        FIXTURE(f, "hubspot_workflow", arena_printf(&a, KEY "%s", cases[i].lines).at);
        struct event e = decode_one(&f, cases[i].body), again = decode_again(&f, &e);

        if (e.state != cases[i].state)
            fail_msg("%s", cases[i].body);
        assert_int_equal(again.state, e.state);
        assert_int_equal(e.state == EVENT_UNLINKED, e.effect == EFFECT_NONE && e.reason.len);
    }
}

static void the_same_enrolment_counts_once(void **state)
{
    FIXTURE(plain, "hubspot_workflow", KEY "dedupe_window = 2h\n");
    FIXTURE(by_id, "hubspot_workflow", KEY "enrolment = run\n");
    FIXTURE(by_path, "hubspot_workflow", KEY "enrolment = $.properties.run.value\n");
    struct event e = decode_one(&plain, "{\"email\":\"a@b\",\"run\":\"1\"}");
    struct event same = decode_one(&plain, "{ \"run\":\"1\", \"email\":\"a@b\" }");
    struct event other = decode_one(&plain, "{\"email\":\"a@b\",\"run\":\"2\"}");

    (void)state;
    assert_int_equal(e.dedupe_window_ms, 2 * HOURS_MS);
    assert_true(same_key(&e, &same));
    assert_false(same_key(&e, &other));
    e = decode_one(&by_id, "{\"email\":\"a@b\",\"run\":\"1\"}");
    same = decode_one(&by_id, "{\"email\":\"a@b\",\"run\":1,\"x\":2}");
    other = decode_one(&by_id, "{\"email\":\"a@b\",\"run\":\"2\"}");
    assert_int_equal(e.dedupe_window_ms, 0);
    assert_int_equal(dedupe_key_time(&e.key), 0);
    assert_true(same_key(&e, &same));
    assert_false(same_key(&e, &other));
    other = decode_one(&by_id, "{\"run\":\"1\",\"email\":\"a@b\"}");
    assert_true(same_key(&e, &other));
    other = decode_one(&by_path, "{\"properties\":{\"email\":\"a@b\",\"run\":{\"value\":\"1\"}}}");
    assert_true(same_key(&e, &other));
    other = decode_one(&by_id, "{\"email\":\"a@b\",\"run\":\"\"}");
    assert_int_equal(other.dedupe_window_ms, 24 * HOURS_MS);
    e = decode_one(&plain, action);
    assert_int_equal(e.dedupe_window_ms, 0); /* callbackId is one of each run */
    plain.source.name = STR("another");
    other = decode_one(&plain, action);
    assert_false(same_key(&e, &other));
}

static void stored_events_remember_what_the_settings_added(void **state)
{
    FIXTURE(then, "hubspot_workflow", KEY "enrolment = run\nportal = 7\n");
    FIXTURE(now, "hubspot_workflow", KEY);
    struct event e = decode_one(&then, "{\"hs_object_id\":5,\"run\":\"1\",\"x\":\"y\"}");
    struct event again = decode_again(&now, &e);

    (void)state;
    assert_int_equal(again.state, EVENT_PROCESSED);
    assert_int_equal(again.portal_id, 7);
    is(property(&again, "x"), "y");
    assert_true(same_key(&e, &again));
    assert_int_equal(again.dedupe_window_ms, 0);
}

/* What it enrols now says nothing of what it enrolled then. */
static void stored_events_are_about_what_they_were(void **state)
{
    FIXTURE(contacts, "hubspot_workflow", KEY);
    FIXTURE(deals, "hubspot_workflow", KEY "object = deal\nportal = 9\n");
    const char *body = "{\"email\":\"a@b\",\"hs_object_id\":5,\"x\":\"y\"}";
    struct event e = decode_one(&contacts, body), again = decode_again(&deals, &e);

    (void)state;
    assert_int_equal(again.state, EVENT_PROCESSED);
    assert_int_equal(again.portal_id, 0);
    is(again.email, "a@b");
    assert_true(same_key(&e, &again));
    e = decode_one(&deals, body);
    assert_int_equal(e.state, EVENT_UNLINKED);
    again = decode_again(&contacts, &e); /* a mistake in the settings can be mended */
    assert_int_equal(again.state, EVENT_PROCESSED);
    again = decode_as_stored(&deals, again.body, READ_ANEW);
    assert_int_equal(again.state, EVENT_UNLINKED);
}

static void bodies_of_another_shape_are_refused(void **state)
{
    static const char *const cases[] = {"", "1", "[]", "[{\"email\":\"a@b\"}]", "null", "{", "a=b"};
    struct event *events;
    size_t n;
    FIXTURE(f, "hubspot_workflow", KEY);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(decode_as(&f, "application/json", str_of(cases[i]), &events, &n),
                         REFUSED_JSON);
    assert_int_equal(decode_as(&f, NULL, str_of(flat), &events, &n), REFUSED_NOT);
}

static enum refusal verify(struct fixture *f, struct request *r)
{
    struct why why = {0};
    enum refusal refused = f->source.type->verify(&f->source, request_raw(r), &f->a, &why);
    enum refusal early = f->source.type->verify_head(&f->source, request_raw(r), &f->a, NULL);

    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    if (early)
        assert_int_equal(early, refused);
    return refused;
}

static void signatures_are_v2_or_v3(void **state)
{
    FIXTURE(f, "hubspot_workflow", "secret = one\nsecret_previous = two\n");
    FIXTURE(strict, "hubspot_workflow", "secret = one\nrequire = v3\n");
    FIXTURE(app, "hubspot", "path = /webhooks/hubspot-workflow\nsecret = one\n");
    FIXTURE(previous, "hubspot_workflow", "secret = two\n");
    struct str body = f.source.type->sample(NOW, &f.a);

    (void)state;
    struct request v2 = request_signed(&f.source, "", body, NOW, &f.a);
    struct request v3 = request_signed(&f.source, "v3", body, NOW, &f.a);
    struct request v1 = request_signed(&app.source, "v1", body, NOW, &f.a);
    struct request old = request_signed(&previous.source, "v2", body, NOW, &f.a);
    struct request none = {.raw = v2.raw}, unnamed = v2, both = v3;
    assert_non_null(request_header(&v2, "X-HubSpot-Signature-Version", &none.n).at);
    none.n = 0;
    assert_int_equal(verify(&f, &v2), REFUSED_NOT);
    assert_int_equal(verify(&f, &v3), REFUSED_NOT);
    assert_int_equal(verify(&f, &old), REFUSED_NOT);
    assert_int_equal(verify(&strict, &v2), REFUSED_SIGNATURE);
    assert_int_equal(verify(&strict, &v3), REFUSED_NOT);
    assert_int_equal(verify(&app, &v1), REFUSED_NOT);
    assert_int_equal(verify(&f, &v1), REFUSED_SIGNATURE); /* any address would do for it */
    assert_int_equal(verify(&f, &none), REFUSED_SIGNATURE);
    request_drop(&unnamed, "X-HubSpot-Signature-Version");
    assert_int_equal(verify(&f, &unnamed), REFUSED_SIGNATURE);
    request_set(&both, "X-HubSpot-Signature-v3", STR("AAAA"));
    request_add(&both, "X-HubSpot-Signature", request_header(&v2, "X-HubSpot-Signature", &none.n));
    request_add(&both, "X-HubSpot-Signature-Version", STR("v2"));
    assert_int_equal(verify(&f, &both), REFUSED_SIGNATURE); /* v3 is there, so v3 counts */
    v2.raw.target = STR("/webhooks/hubspot-workflow?x=1");
    assert_int_equal(verify(&f, &v2), REFUSED_SIGNATURE);
    assert_int_equal(f.source.type->sign(&f.source, STR(""), STR("v1"), body, NOW, &f.a, v1.headers,
                                         &v1.n, &body, NULL),
                     RC_INVALID);
}

static void api_keys_stand_in_a_header_or_in_the_query(void **state)
{
    static const struct {
        const char *target, *header;
        bool by_header, by_query;
    } cases[] = {
        {"/w", "k+y/1", true, false},
        {"/w", "k+y/2", false, false},
        {"/w", "", false, false},
        {"/w", NULL, false, false},
        {"/w?a%2Db=k%2By%2F1", NULL, false, true},
        {"/w?a-b=k%2By/1", NULL, false, true},
        {"/w?x=1&a-b=k%2by%2f1&y", NULL, false, true},
        {"/w?a-b=k+y/1", NULL, false, false}, /* a + is a blank */
        {"/w?a-b=k%2By%2F1&a-b=k%2By%2F1", NULL, false, false},
        {"/w?a-b=k%2By%2F1&a-b=", NULL, false, false},
        {"/w?a-b", NULL, false, false},
        {"/w?a-b=%", NULL, false, false},
        {"/w?A-B=k%2By%2F1", NULL, false, false},
        {"/w?", NULL, false, false},
    };
    FIXTURE(header, "hubspot_workflow", KEY);
    FIXTURE(query, "hubspot_workflow", "api_key = k+y/1\napi_key_query = a-b\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request r = {
            .raw = {.method = STR("POST"), .target = str_of(cases[i].target), .received_at = NOW}};

        if (cases[i].header)
            request_add(&r, "x-api-key", str_of(cases[i].header));
        if ((verify(&header, &r) == REFUSED_NOT) != cases[i].by_header ||
            (verify(&query, &r) == REFUSED_NOT) != cases[i].by_query)
            fail_msg("%s", cases[i].target);
    }
}

static void the_previous_key_counts_as_well(void **state)
{
    FIXTURE(f, "hubspot_workflow", KEY "api_key_previous = old\n");
    FIXTURE(one, "hubspot_workflow", KEY);
    static const struct {
        const char *key;
        bool both, one;
    } cases[] = {
        {"k+y/1", true, true}, {"old", true, false}, {"new", false, false}, {"", false, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request r = {
            .raw = {.method = STR("POST"), .target = STR("/w"), .received_at = NOW}};

        request_add(&r, "X-API-Key", str_of(cases[i].key));
        assert_int_equal(verify(&f, &r) == REFUSED_NOT, cases[i].both);
        assert_int_equal(verify(&one, &r) == REFUSED_NOT, cases[i].one);
    }
}

static void what_sign_makes_is_accepted_and_processed(void **state)
{
    static const char *const lines[] = {
        "secret = one\n", KEY, "api_key = k+y/1\napi_key_query = a-b\n",
        "api_key = k2\napi_key_previous = k+y/1\napi_key_query = a-b\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        FIXTURE(f, "hubspot_workflow", lines[i]);
        struct field headers[4];
        struct str url, body = f.source.type->sample(NOW, &f.a);
        struct request r = {.raw = {.method = STR("POST"), .body = body, .received_at = NOW}};

        assert_int_equal(f.source.type->sign(&f.source, STR(""), STR(""), body, NOW, &f.a, headers,
                                             &r.n, &url, NULL),
                         RC_OK);
        memcpy(r.headers, headers, r.n * sizeof *headers);
        is(headers[0].name, "Content-Type");
        is(headers[0].value, "application/json");
        assert_int_equal(r.n, i == 0 ? 3 : i == 1 ? 2 : 1);
        assert_true(str_starts(url, f.source.public_url));
        r.raw.target = str_from(url, f.source.public_url.len);
        assert_int_equal(verify(&f, &r), REFUSED_NOT);
        assert_int_equal(decode_one(&f, arena_text(&f.a, body)).state, EVENT_PROCESSED);
    }
}

static void settings_that_do_not_go_together_are_problems(void **state)
{
    static const struct {
        const char *lines, *problem;
    } cases[] = {
        {"", "set either secret or api_key"},
        {"secret = one\n" KEY, "set either secret or api_key"},
        {"api_key = k\n", "either api_key_header or api_key_query"},
        {KEY "api_key_query = q\n", "either api_key_header or api_key_query"},
        {"secret = one\napi_key_query = q\n", "an API key that is not set"},
        {"api_key = k\napi_key_header = X API Key\n", "not the name of a header"},
        {"api_key = k\napi_key_header = X-Key:\n", "not the name of a header"},
        {KEY "enrolment = a b\n", "where an id could stand"},
        {KEY "enrolment = 'x'\n", "where an id could stand"},
        {KEY "object = person\n", "person"},
        {KEY "path = w\n", "not a path"},
        {KEY "portal = 0\n", "portal"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        FIXTURE(f, "hubspot_workflow", cases[i].lines);

        if (!strstr(problem_of(&f), cases[i].problem))
            fail_msg("%s: %s", cases[i].lines, problem_of(&f));
    }
    struct fixture f AUTO(stop) = {.source = {.type = type_named("hubspot_workflow")}};
    bind(&f, "secret = one\n");
    assert_non_null(strstr(problem_of(&f), "public_url"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_links_to_the_contact),
        cmocka_unit_test(an_action_tells_its_fields_to_rules),
        cmocka_unit_test(without_a_record_the_address_links),
        cmocka_unit_test(five_thousand_properties_are_enough),
        cmocka_unit_test(what_is_no_contact_is_stored_and_counted),
        cmocka_unit_test(the_same_enrolment_counts_once),
        cmocka_unit_test(stored_events_remember_what_the_settings_added),
        cmocka_unit_test(stored_events_are_about_what_they_were),
        cmocka_unit_test(bodies_of_another_shape_are_refused),
        cmocka_unit_test(signatures_are_v2_or_v3),
        cmocka_unit_test(api_keys_stand_in_a_header_or_in_the_query),
        cmocka_unit_test(the_previous_key_counts_as_well),
        cmocka_unit_test(what_sign_makes_is_accepted_and_processed),
        cmocka_unit_test(settings_that_do_not_go_together_are_problems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
