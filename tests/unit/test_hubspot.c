/* tests/unit/test_hubspot.c - HubSpot requests: settings, who may post, and signing like HubSpot.
 */
#include "cm.h"

#include <string.h>

#include "hubspot_fixture.h"

static enum refusal verify(struct fixture *f, struct request *r)
{
    struct why why = {0};
    enum refusal refused = f->source.type->verify(&f->source, request_raw(r), &f->a, &why);

    assert_int_equal(refused != REFUSED_NOT, why.text[0] != '\0');
    assert_null(strstr(why.text, "one"));
    return refused;
}

static struct request signed_request(struct fixture *f, const char *version)
{
    return request_signed(&f->source, version, f->source.type->sample(NOW, &f->a), NOW, &f->a);
}

static void every_version_that_sign_makes_is_accepted(void **state)
{
    static const char *const versions[] = {"v1", "v2", "v3", ""};
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct request r = signed_request(&f, versions[i]);

        assert_int_equal(r.n, 3);
        assert_true(str_is(field_get(r.headers, r.n, "Content-Type"), "application/json"));
        assert_int_equal(verify(&f, &r), REFUSED_NOT);
        r.raw.body.len--;
        assert_int_equal(verify(&f, &r), REFUSED_SIGNATURE);
    }
}

static void sign_refuses_what_it_cannot_sign(void **state)
{
    struct field headers[4];
    struct str url;
    size_t n;
    struct why why;
    FIXTURE(f, plain);

    (void)state;
    assert_int_equal(f.source.type->sign(&f.source, STR_NULL, STR("v4"), STR("[]"), NOW, &f.a,
                                         headers, &n, &url, &why),
                     RC_INVALID);
    f.source.public_url = STR_NULL;
    assert_int_equal(f.source.type->sign(&f.source, STR("http://localhost"), STR("v3"), STR("[]"),
                                         NOW, &f.a, headers, &n, &url, &why),
                     RC_INVALID);
}

static void another_base_url_is_called_but_the_public_one_signed(void **state)
{
    struct field headers[4];
    struct str url;
    struct request r = {.raw = {.method = STR("POST"),
                                .target = STR("/webhooks/hubspot"),
                                .body = STR("[]"),
                                .received_at = NOW}};
    FIXTURE(f, plain);

    (void)state;
    assert_int_equal(f.source.type->sign(&f.source, STR("http://127.0.0.1:8443/"), STR("v3"),
                                         STR("[]"), NOW, &f.a, headers, &r.n, &url, NULL),
                     RC_OK);
    memcpy(r.headers, headers, r.n * sizeof *headers);
    assert_true(str_is(url, "http://127.0.0.1:8443/webhooks/hubspot"));
    assert_int_equal(verify(&f, &r), REFUSED_NOT);
}

static void unsigned_request_is_refused(void **state)
{
    FIXTURE(f, plain);
    struct request r = signed_request(&f, "v3");

    (void)state;
    request_drop(&r, "X-HubSpot-Signature-v3");
    assert_int_equal(verify(&f, &r), REFUSED_SIGNATURE);
}

static void wrong_v3_is_not_excused_by_a_right_v1(void **state)
{
    FIXTURE(f, plain);
    struct request r = signed_request(&f, "v1");

    (void)state;
    assert_int_equal(verify(&f, &r), REFUSED_NOT);
    request_add(&r, "X-HubSpot-Request-Timestamp", arena_printf(&f.a, "%lld", (long long)NOW));
    request_add(&r, "x-hubspot-signature-V3", STR("MbW7+pUXjnvuaQrzODzTHCp4Sl8GAgPkXDIllhBp0vI="));
    assert_int_equal(verify(&f, &r), REFUSED_SIGNATURE);
    request_set(&r, "X-HubSpot-Signature-v3", STR(""));
    assert_int_equal(verify(&f, &r), REFUSED_SIGNATURE);
}

static void right_v3_counts_alone(void **state)
{
    FIXTURE(f, plain);
    struct request r = signed_request(&f, "v3");

    (void)state;
    request_add(&r, "X-HubSpot-Signature", STR("0000"));
    request_add(&r, "X-HubSpot-Signature-Version", STR("v1"));
    assert_int_equal(verify(&f, &r), REFUSED_NOT);
}

static void signature_without_a_version_is_v1(void **state)
{
    FIXTURE(f, plain);
    struct request r = signed_request(&f, "v1");

    (void)state;
    request_drop(&r, "X-HubSpot-Signature-Version");
    assert_int_equal(verify(&f, &r), REFUSED_NOT);
    request_set(&r, "X-HubSpot-Signature-Version", STR("v2"));
    assert_int_equal(verify(&f, &r), REFUSED_SIGNATURE);
    request_set(&r, "X-HubSpot-Signature-Version", STR("v3"));
    assert_int_equal(verify(&f, &r), REFUSED_SIGNATURE);
    request_set(&r, "X-HubSpot-Signature-Version", STR("V1"));
    assert_int_equal(verify(&f, &r), REFUSED_SIGNATURE);
}

static void headers_sent_twice_are_refused_even_when_equal(void **state)
{
    static const struct {
        const char *version, *name;
        enum refusal refused;
    } cases[] = {
        {"v3", "X-HubSpot-Signature-v3", REFUSED_SIGNATURE},
        {"v3", "X-HubSpot-Request-Timestamp", REFUSED_TIMESTAMP},
        {"v2", "X-HubSpot-Signature", REFUSED_SIGNATURE},
        {"v2", "X-HubSpot-Signature-Version", REFUSED_SIGNATURE},
    };
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request r = signed_request(&f, cases[i].version);
        struct str value = field_get(r.headers, r.n, cases[i].name);

        assert_non_null(value.at);
        assert_int_equal(verify(&f, &r), REFUSED_NOT);
        request_add(&r, cases[i].name, value);
        assert_int_equal(verify(&f, &r), cases[i].refused);
    }
}

static void v3_needs_a_timestamp_near_our_clock(void **state)
{
    FIXTURE(f, plain);
    struct request r = signed_request(&f, "v3");

    (void)state;
    r.raw.received_at = NOW + 300000;
    assert_int_equal(verify(&f, &r), REFUSED_NOT);
    r.raw.received_at = NOW + 300001;
    assert_int_equal(verify(&f, &r), REFUSED_TIMESTAMP);
    r.raw.received_at = NOW - 300001;
    assert_int_equal(verify(&f, &r), REFUSED_TIMESTAMP);
    r.raw.received_at = NOW;
    request_drop(&r, "X-HubSpot-Request-Timestamp");
    assert_int_equal(verify(&f, &r), REFUSED_TIMESTAMP);
}

static void require_v3_refuses_older_signatures(void **state)
{
    FIXTURE(f, "secret = one\nrequire = v3\n");
    struct request v1 = signed_request(&f, "v1"), v2 = signed_request(&f, "v2");
    struct request v3 = signed_request(&f, "v3");

    (void)state;
    assert_int_equal(verify(&f, &v1), REFUSED_SIGNATURE);
    assert_int_equal(verify(&f, &v2), REFUSED_SIGNATURE);
    assert_int_equal(verify(&f, &v3), REFUSED_NOT);
}

static void previous_secret_is_accepted_while_it_is_set(void **state)
{
    static const char *const versions[] = {"v1", "v2", "v3"};
    FIXTURE(old, plain);
    FIXTURE(both, "secret = two\nsecret_previous = one\n");
    FIXTURE(only_new, "secret = two\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct request r = signed_request(&old, versions[i]);
        struct request fresh = signed_request(&both, versions[i]);

        assert_int_equal(verify(&both, &r), REFUSED_NOT);
        assert_int_equal(verify(&both, &fresh), REFUSED_NOT);
        assert_int_equal(verify(&only_new, &r), REFUSED_SIGNATURE);
    }
}

static void signed_uri_is_the_public_one_with_the_raw_target(void **state)
{
    FIXTURE(f, plain);
    struct request r = signed_request(&f, "v3");

    (void)state;
    r.raw.target = STR("/webhooks/hubspot?x=1");
    assert_int_equal(verify(&f, &r), REFUSED_SIGNATURE);
    r.raw.target = STR("/webhooks%2fhubspot"); /* v3 signs what it decodes to */
    assert_int_equal(verify(&f, &r), REFUSED_NOT);
    r.raw.target = STR("/webhooks/hubspot");
    f.source.public_url = STR("https://other.example.com");
    assert_int_equal(verify(&f, &r), REFUSED_SIGNATURE);
}

/* Before the body is there: what the headers alone give away, and no more. */
static void a_head_is_refused_where_no_body_could_help(void **state)
{
    struct why why;
    FIXTURE(f, plain);
    struct request r = signed_request(&f, "v3");
    const struct source_type *type = f.source.type;

    (void)state;
    request_set(&r, "X-HubSpot-Signature-v3", STR("wrong"));
    assert_int_equal(type->verify_head(&f.source, request_raw(&r), &f.a, &why), REFUSED_NOT);
    r.raw.received_at = NOW + 300001;
    assert_int_equal(type->verify_head(&f.source, request_raw(&r), &f.a, &why), REFUSED_TIMESTAMP);
    request_drop(&r, "X-HubSpot-Signature-v3");
    assert_int_equal(type->verify_head(&f.source, request_raw(&r), &f.a, &why), REFUSED_SIGNATURE);
}

static void the_time_of_signing_is_known_of_v3_alone(void **state)
{
    int64_t at = 0;
    FIXTURE(f, plain);
    struct request r = signed_request(&f, "v3"), v2 = signed_request(&f, "v2");

    (void)state;
    assert_true(f.source.type->signed_at(request_raw(&r), &at));
    assert_int_equal(at, NOW);
    assert_false(f.source.type->signed_at(request_raw(&v2), &at));
    request_add(&r, "X-HubSpot-Request-Timestamp", STR("1"));
    assert_false(f.source.type->signed_at(request_raw(&r), &at)); /* which one? */
    request_set(&r, "X-HubSpot-Request-Timestamp", STR("noon"));
    assert_false(f.source.type->signed_at(request_raw(&r), &at));
}

static void a_receipt_names_the_signature(void **state)
{
    static const char *const versions[] = {"v1", "v2", "v3"};
    FIXTURE(f, plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct request r = signed_request(&f, versions[i]);

        assert_string_equal(f.source.type->proof(&f.source, request_raw(&r)), versions[i]);
    }
    struct request r = signed_request(&f, "v3"); /* what counts where both are there */
    request_add(&r, "X-HubSpot-Signature", STR("x"));
    assert_string_equal(f.source.type->proof(&f.source, request_raw(&r)), "v3");
}

static void every_kind_of_sender_has_a_proof(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_source_types; i++)
        if (!source_types[i]->proof)
            fail_msg("%s says nothing of it in a receipt", source_types[i]->name);
}

static void settings_that_cannot_work_are_problems(void **state)
{
    struct fixture f AUTO(stop) = {0};
    static const struct {
        const char *lines;
        const char *public_url;
        size_t problems;
    } cases[] = {
        {"secret = one\n", NULL, 1},
        {"secret = one\npath = webhooks\n", "https://x", 1},
        {"secret = one\npath = /a?b=c\n", "https://x", 1},
        {"secret = one\npath = /a%20b\n", "https://x", 1},
        {"secret = one\npath = /a\n", "https://x", 0},
        {"secret = one\nmax_events = 0\n", "https://x", 1},
        {"secret = one\nrequire = v1\n", "https://x", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f.source.public_url = str_of(cases[i].public_url);
        bind(&f, cases[i].lines);
        assert_int_equal(f.problems.n, cases[i].problems);
    }
    f.source.public_url = STR("https://x");
    bind(&f, "");
    assert_true(f.problems.n > 0);
    bind(&f, "secret =\n");
    assert_true(f.problems.n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_that_sign_makes_is_accepted),
        cmocka_unit_test(sign_refuses_what_it_cannot_sign),
        cmocka_unit_test(another_base_url_is_called_but_the_public_one_signed),
        cmocka_unit_test(unsigned_request_is_refused),
        cmocka_unit_test(wrong_v3_is_not_excused_by_a_right_v1),
        cmocka_unit_test(right_v3_counts_alone),
        cmocka_unit_test(signature_without_a_version_is_v1),
        cmocka_unit_test(headers_sent_twice_are_refused_even_when_equal),
        cmocka_unit_test(v3_needs_a_timestamp_near_our_clock),
        cmocka_unit_test(require_v3_refuses_older_signatures),
        cmocka_unit_test(previous_secret_is_accepted_while_it_is_set),
        cmocka_unit_test(signed_uri_is_the_public_one_with_the_raw_target),
        cmocka_unit_test(a_head_is_refused_where_no_body_could_help),
        cmocka_unit_test(the_time_of_signing_is_known_of_v3_alone),
        cmocka_unit_test(a_receipt_names_the_signature),
        cmocka_unit_test(every_kind_of_sender_has_a_proof),
        cmocka_unit_test(settings_that_cannot_work_are_problems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
