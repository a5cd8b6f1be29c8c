/* tests/unit/test_http_connector.c - what any receiver is sent, and what its answer means. */
#include "hook_fixture.h"

#include "funneld/base/standard_webhooks.h"

#define URL        "https://example.com/in/s3cret/"
#define PLAIN      "type = http\nurl = " URL "\n"
#define NEW_SECRET "whsec_wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM="
#define OLD_SECRET "whsec_ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ"
#define SIGNED     PLAIN "secret = " NEW_SECRET "\nsecret_previous = " OLD_SECRET "\n"

static void a_lead_is_an_event_with_its_data(void **state)
{
    (void)state;
    fixture_start(&f, PLAIN);
    fixture_build(&f);
    golden(&f, "http/json.http");
}

static void it_is_signed_with_the_new_secret_and_the_old(void **state)
{
    struct str keys[2];

    (void)state;
    fixture_start(&f, SIGNED "header.Authorization = Bearer abc\nheader.X-Team = sales\n");
    fixture_build(&f);
    golden(&f, "http/signed.http");
    struct standard_message m = {
        .id = fixture_header(&f.request, "webhook-id"),
        .timestamp = fixture_header(&f.request, "webhook-timestamp"),
        .signatures = fixture_header(&f.request, "webhook-signature"),
        .body = f.request.body,
    };
    assert_int_equal(standard_key(STR(NEW_SECRET), &f.arena, &keys[0], NULL), RC_OK);
    assert_int_equal(standard_key(STR(OLD_SECRET), &f.arena, &keys[1], NULL), RC_OK);
    assert_true(str_eq(m.id, f.parcels[0].public_id));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_true(standard_signed(keys[i], &m));
    m.body = str_from(m.body, 1);
    assert_false(standard_signed(keys[0], &m));
}

/* The next try: the same id and body, signed at its own time. */
static void each_try_is_signed_anew_under_the_same_id(void **state)
{
    struct str id, body, signature;

    (void)state;
    fixture_start(&f, SIGNED);
    fixture_build(&f);
    id = fixture_header(&f.request, "webhook-id");
    body = f.request.body;
    signature = fixture_header(&f.request, "webhook-signature");
    fixture_job(&f, 1);
    f.job.now_ms += 7000;
    fixture_build(&f);
    assert_true(str_eq(fixture_header(&f.request, "webhook-id"), id));
    assert_true(str_eq(f.request.body, body));
    assert_true(str_is(fixture_header(&f.request, "webhook-timestamp"), "1767225607"));
    assert_false(str_eq(fixture_header(&f.request, "webhook-signature"), signature));
}

static void a_cloudevent_may_be_signed_as_well(void **state)
{
    (void)state;
    fixture_start(&f, SIGNED "format = cloudevents\n");
    fixture_build(&f);
    golden(&f, "http/cloudevent.http");
}

static void a_message_is_a_text_for_people(void **state)
{
    struct expr_error error;

    (void)state;
    fixture_start(&f, PLAIN "format = message\n");
    fixture_build(&f);
    golden(&f, "http/message.http");
    assert_int_equal(template_compile(STR("{{lead.firstname}} & {{score}}\n{{reasons}}"), &f.arena,
                                      fixture_template(&f, 0), &error),
                     RC_OK);
    fixture_build(&f);
    golden(&f, "http/template.http");
}

static void a_message_says_what_models_say(void **state)
{
    struct expr_error error;

    (void)state;
    fixture_start(&f, PLAIN "format = message\n");
    fixture_chances(&f);
    fixture_build(&f);
    golden(&f, "http/message_chances.http");
    assert_int_equal(template_compile(STR("{{probability}} % ({{probability.reasons}}), {{churn}} %"
                                          " ({{churn.reasons}})"),
                                      &f.arena, fixture_template(&f, 0), &error),
                     RC_OK);
    fixture_build(&f);
    golden(&f, "http/template_chances.http");
}

/* Which chat it is nobody told us: nothing of a lead's may call a channel or hide an address. */
static void a_message_calls_nobody(void **state)
{
    static const char *const calls[] = {"<", ">", " @channel", "](", "\r"};
    struct expr_error error;
    struct json_doc doc = {0};

    (void)state;
    fixture_start(&f, PLAIN "format = message\n");
    fixture_hostile(&f);
    fixture_build(&f);
    golden(&f, "http/message_hostile.http");
    body_parse(&doc);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        assert_null(str_find(json_string(json_get(doc.root, "text")), str_of(calls[i])));
    assert_non_null(
        str_find(json_string(json_get(doc.root, "text")), STR("E-mail: ada@example.org\n")));
    json_doc_free(&doc);
    assert_int_equal(template_compile(STR("<!here> [{{lead.phone}}](https://a) {{lead.email}}"),
                                      &f.arena, fixture_template(&f, 0), &error),
                     RC_OK);
    fixture_build(&f);
    golden(&f, "http/template_hostile.http");
}

static void hostile_texts_stay_inside_their_strings(void **state)
{
    struct json_doc doc = {0};
    const json *data;

    (void)state;
    fixture_start(&f, SIGNED);
    fixture_hostile(&f);
    fixture_build(&f);
    golden(&f, "http/hostile.http");
    body_parse(&doc);
    data = json_get(doc.root, "data");
    assert_true(str_starts(json_string(json_get(data, "firstname")), STR("<!channel> =HYPERLINK")));
    assert_non_null(str_find(json_string(json_get(data, "lastname")), STR("\r\nX-Injected: b")));
    for (size_t i = 0; i < f.request.n_headers; i++)
        assert_null(str_chr(f.request.headers[i].value, '\n'));
    assert_true(f.request.body.len < 40 * 1024);
    json_doc_free(&doc);
}

static void a_hostile_cloudevent_is_one_object(void **state)
{
    struct json_doc doc = {0};

    (void)state;
    fixture_start(&f, SIGNED "format = cloudevents\n");
    fixture_hostile(&f);
    fixture_build(&f);
    golden(&f, "http/cloudevent_hostile.http");
    body_parse(&doc);
    assert_int_equal(json_count(doc.root), 8);
    json_doc_free(&doc);
}

/* What is not known is null, not left out: others have mapped it. */
static void keys_are_the_same_for_every_lead(void **state)
{
    struct json_doc full = {0}, bare = {0};

    (void)state;
    fixture_start(&f, PLAIN);
    fixture_build(&f);
    body_parse(&full);
    f.leads[0] = (struct lead){.id = 7};
    f.parcels[0].crm_url = STR_NULL;
    f.parcels[0].d.facts = (struct delivery_facts){0};
    fixture_build(&f);
    golden(&f, "http/bare.http");
    body_parse(&bare);
    const json *a = json_first(json_get(full.root, "data"));
    const json *b = json_first(json_get(bare.root, "data"));
    for (; a && b; a = json_next(a), b = json_next(b)) {
        assert_true(str_eq(json_name(a), json_name(b)));
        assert_true(json_type(a) != JSON_OBJECT && json_type(a) != JSON_ARRAY);
    }
    assert_true(!a && !b);
    json_doc_free(&full);
    json_doc_free(&bare);
}

static void the_type_says_what_band_it_came_into(void **state)
{
    static const struct {
        enum band before, now;
        const char *type;
    } cases[] = {
        {BAND_COLD, BAND_HOT, "lead.hot"},      {BAND_WARM, BAND_HOT, "lead.hot"},
        {BAND_HOT, BAND_HOT, "lead.changed"},   {BAND_COLD, BAND_WARM, "lead.warm"},
        {BAND_HOT, BAND_WARM, "lead.warm"},     {BAND_HOT, BAND_COLD, "lead.cold"},
        {BAND_COLD, BAND_COLD, "lead.changed"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_doc doc = {0};

        fixture_start(&f, PLAIN);
        f.parcels[0].d.facts.previous_band = cases[i].before;
        f.parcels[0].d.facts.band = cases[i].now;
        fixture_build(&f);
        body_parse(&doc);
        assert_true(str_is(json_string(json_get(doc.root, "type")), cases[i].type));
        assert_true(str_is(json_string(json_path(doc.root, "data.event")), cases[i].type));
        json_doc_free(&doc);
        fixture_end(&f);
    }
}

static void what_can_be_known_again_may_be_sent_again(void **state)
{
    static const struct {
        const char *section;
        bool repeatable;
    } cases[] = {
        {PLAIN, true},
        {PLAIN "format = cloudevents\n", true},
        {PLAIN "format = message\n", false}, /* nothing in it says which one it is */
        {SIGNED "format = message\n", true},
        {SIGNED "on_ambiguous = drop\n", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture_start(&f, cases[i].section);
        fixture_build(&f);
        assert_int_equal(f.request.repeatable, cases[i].repeatable);
        assert_true(f.request.secret_url);
        assert_false(f.request.guarded);
        assert_true(str_is(f.request.url, URL)); /* with its last slash */
        fixture_end(&f);
    }
    doubted(PLAIN);
}

static void every_status_has_its_verdict(void **state)
{
    static const struct status_case cases[] = {
        {301, VERDICT_DEAD, "put the new address into"},
        {302, VERDICT_RETRY, "redirects, which is not followed"},
        {307, VERDICT_RETRY, "redirects, which is not followed"},
        {308, VERDICT_DEAD, "put the new address into"},
        {400, VERDICT_DEAD, "HTTP 400: no <b>  thanks; it does not take this message"},
        {401, VERDICT_DEAD, "check the connector's `secret`"},
        {403, VERDICT_DEAD, "check the connector's `secret`"},
        {404, VERDICT_RETRY, "HTTP 404"},
        {405, VERDICT_DEAD, "takes no POST"},
        {406, VERDICT_DEAD, "`format`"},
        {408, VERDICT_RETRY, "HTTP 408"},
        {409, VERDICT_RETRY, "HTTP 409"},
        {410, VERDICT_DEAD, "gone for good"},
        {411, VERDICT_DEAD, "`format`"},
        {413, VERDICT_DEAD, "too large"},
        {414, VERDICT_DEAD, "`url`"},
        {415, VERDICT_DEAD, "`format`"},
        {422, VERDICT_DEAD, "`format`"},
        {425, VERDICT_RETRY, "HTTP 425"},
        {429, VERDICT_RETRY, "HTTP 429"},
        {431, VERDICT_DEAD, "headers"},
        {451, VERDICT_DEAD, "HTTP 451"},
        {500, VERDICT_RETRY, "HTTP 500"},
        {502, VERDICT_AMBIGUOUS, "HTTP 502"}, /* a retry where nothing can have happened */
        {503, VERDICT_RETRY, "HTTP 503"},
        {504, VERDICT_AMBIGUOUS, "HTTP 504"},
    };

    (void)state;
    statuses(PLAIN, cases, ARRAY_LEN(cases));
    missing(PLAIN, "check the connector's `url`");
}

static void who_has_too_much_to_do_is_left_alone_for_a_while(void **state)
{
    struct http_response r = fixture_response(429, "");

    (void)state;
    fixture_start(&f, PLAIN);
    fixture_build(&f);
    (void)fixture_judge(&f, 429, "");
    assert_int_equal(f.job.pause_ms, 60000);
    r.retry_after_ms = 7000;
    fixture_job(&f, 1);
    (void)f.type->judge(&f.job, &r);
    assert_int_equal(f.job.pause_ms, 7000);
    fixture_job(&f, 1);
    (void)fixture_judge(&f, 504, "");
    assert_int_equal(f.job.pause_ms, 5000);
    fixture_job(&f, 1);
    (void)fixture_judge(&f, 500, "");
    assert_int_equal(f.job.pause_ms, 0);
}

static void settings_that_cannot_work_are_refused(void **state)
{
    (void)state;
    refused("type = http\n", "url");
    refused("type = http\nurl = example.com/s3cret\n", "no address");
    refused("type = http\nurl = ftp://example.com/s3cret\n", "no address");
    refused("type = http\nurl = http://example.com/s3cret\n", "on this machine only");
    refused("type = http\nurl = https://u:s3cret@example.com/\n", "no address");
    refused(PLAIN "secret = s3cret\n", "the secret cannot sign");
    refused(PLAIN "secret = whsec_s3cret+\n", "the secret cannot sign");
    refused(PLAIN "secret = whsec_czNjcmV0czNjcmV0\n", "holds 12 bytes");
    refused(PLAIN "secret_previous = " OLD_SECRET "\n", "needs a secret beside it");
    refused(PLAIN "format = xml\n", "format");
    refused(PLAIN "on_ambiguous = look\n", "on_ambiguous");
    refused(PLAIN "header.Content-Length = 5\n", "set by funneld itself");
    refused(PLAIN "header.Webhook-Id = s3cret\n", "set by funneld itself");
    refused(PLAIN "header.X-A = s3cret\nheader.x-a = s3cret\n", "is set twice");
    refused(PLAIN "header.X-A = s3cret ; of the team\n", "has \" ;\" in it");
    refused(PLAIN "header.A = 1\nheader.B = 1\nheader.C = 1\nheader.D = 1\nheader.E = 1\n"
                  "header.F = 1\nheader.G = 1\nheader.H = 1\nheader.I = 1\n",
            "at most 8 headers");
    fixture_start(&f, "type = http\nurl = http://127.0.0.1:8080/in\n");
}

/* A value that goes on over a line would start a header of its own. */
static void a_header_of_two_lines_is_refused(void **state)
{
    (void)state;
    refused(PLAIN "header.X-A = one\n  two s3cret\n", "holds a control character");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
        T(a_lead_is_an_event_with_its_data),
        T(a_hostile_cloudevent_is_one_object),
        T(it_is_signed_with_the_new_secret_and_the_old),
        T(each_try_is_signed_anew_under_the_same_id),
        T(a_cloudevent_may_be_signed_as_well),
        T(a_message_is_a_text_for_people),
        T(a_message_says_what_models_say),
        T(a_message_calls_nobody),
        T(hostile_texts_stay_inside_their_strings),
        T(keys_are_the_same_for_every_lead),
        T(the_type_says_what_band_it_came_into),
        T(what_can_be_known_again_may_be_sent_again),
        T(every_status_has_its_verdict),
        T(who_has_too_much_to_do_is_left_alone_for_a_while),
        T(settings_that_cannot_work_are_refused),
        T(a_header_of_two_lines_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
