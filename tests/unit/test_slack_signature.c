/* tests/unit/test_slack_signature.c - who sent a click: Slack's vectors, forgeries, probes. */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>

#include "funneld/base/json.h"
#include "random.h"
#include "slack_clicks.h"
#include "vectors.h"

/* What verify says at this time to a body with these headers; a missing value is not sent. */
static enum refusal judged(struct clicks *f, struct str body, struct str timestamp,
                           struct str signature, int64_t now, struct why *why)
{
    struct request r = request_of(body, now);

    if (timestamp.at)
        request_add(&r, "X-Slack-Request-Timestamp", timestamp);
    if (signature.at)
        request_add(&r, "X-Slack-Signature", signature);
    enum refusal head = f->source.type->verify_head(&f->source, request_raw(&r), &f->a, why);
    enum refusal whole = f->source.type->verify(&f->source, request_raw(&r), &f->a, why);
    assert_true(!head || head == whole); /* what the head refuses, the whole does */
    return whole;
}

static enum refusal judged_vector(const json *v, struct arena *a)
{
    struct str secret = json_string(json_get(v, "secret"));
    int64_t now = 0, bytes = -1;

    CLICKS(f, arena_printf(a, "secret = %.*s\n", STR_ARG(secret)).at);
    assert_true(json_int64(json_get(v, "now_s"), &now));
    assert_true(json_int64(json_get(v, "body_bytes"), &bytes));
    struct str body = json_string(json_get(v, "body"));
    assert_int_equal(body.len, bytes);
    return judged(&f, body, json_string(json_get(v, "timestamp")),
                  json_string(json_get(v, "header_value")), now * SECONDS_MS, NULL);
}

static void every_published_vector_is_judged_right(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct json_doc doc AUTO(json_doc_free) = {0};
    size_t n = 0, valid = 0;

    (void)state;
    assert_int_equal(json_parse(read_file("tests/data/slack-signatures.json", &a), &doc, NULL),
                     RC_OK);
    for (const json *v = json_first(json_get(doc.root, "vectors")); v; v = json_next(v), n++) {
        bool good = judged_vector(v, &a) == REFUSED_NOT;

        if (good != json_true(json_get(v, "valid")))
            fail_msg("%.*s", STR_ARG(json_string(json_get(v, "name"))));
        valid += good;
    }
    assert_int_equal(n, 16);
    assert_int_equal(valid, 6);
    /* Slack's package lets the future pass, its document does not. */
    const json *policy = json_first(json_get(doc.root, "policy_cases"));
    assert_true(str_is(json_string(json_get(policy, "name")), "future-600-s"));
    assert_int_equal(judged_vector(policy, &a), REFUSED_TIMESTAMP);
}

#define BODY "payload=%7B%7D"

static struct str sign_at(struct clicks *f, struct str timestamp, struct str body)
{
    const struct str parts[] = {STR("v0:"), timestamp, STR(":"), body};
    uint8_t digest[SHA256_LEN];
    char hex[SHA256_HEX];

    hmac_sha256(STR("one"), parts, ARRAY_LEN(parts), digest);
    hex_encode(digest, sizeof digest, hex);
    return arena_printf(&f->a, "v0=%s", hex);
}

static void five_minutes_either_way_are_allowed_and_no_second_more(void **state)
{
    static const struct {
        int64_t off_ms;
        enum refusal refusal;
    } cases[] = {
        {0, REFUSED_NOT},
        {300 * SECONDS_MS, REFUSED_NOT},
        {300 * SECONDS_MS + 999, REFUSED_NOT}, /* Slack counts seconds */
        {301 * SECONDS_MS, REFUSED_TIMESTAMP},
        {-300 * SECONDS_MS, REFUSED_NOT},
        {-300 * SECONDS_MS - 1, REFUSED_TIMESTAMP},
        {-600 * SECONDS_MS, REFUSED_TIMESTAMP},
        {3650 * DAYS_MS, REFUSED_TIMESTAMP},
    };
    const int64_t at = INT64_C(1769081994);
    CLICKS(f, "secret = one\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str timestamp = arena_printf(&f.a, "%lld", (long long)at);
        struct str signature = sign_at(&f, timestamp, STR(BODY));

        assert_int_equal(
            judged(&f, STR(BODY), timestamp, signature, at * SECONDS_MS + cases[i].off_ms, NULL),
            cases[i].refusal);
    }
}

static void a_timestamp_is_digits_only(void **state)
{
    static const char *const odd[] = {"",
                                      " 1769081994",
                                      "1769081994 ",
                                      "+1769081994",
                                      "-1769081994",
                                      "1769081994.0",
                                      "0x697209ea",
                                      "1e9",
                                      "1769081994000",
                                      "99999999999999999999"};
    CLICKS(f, "secret = one\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct str signature = sign_at(&f, str_of(odd[i]), STR(BODY));

        assert_int_equal(judged(&f, STR(BODY), str_of(odd[i]), signature, NOW, NULL),
                         REFUSED_TIMESTAMP);
    }
    struct str signature = sign_at(&f, STR("-100"), STR(BODY)); /* of a clock that was never set */
    assert_int_equal(judged(&f, STR(BODY), STR("-100"), signature, 100 * SECONDS_MS, NULL),
                     REFUSED_TIMESTAMP);
}

static void what_is_missing_or_doubled_is_named(void **state)
{
    const struct str now = STR("1769081994");
    CLICKS(f, "secret = one\n");
    struct str signature = sign_at(&f, now, STR(BODY));
    struct why why;

    (void)state;
    assert_int_equal(judged(&f, STR(BODY), now, STR_NULL, NOW, &why), REFUSED_SIGNATURE);
    assert_string_equal(why.text, "X-Slack-Signature is missing");
    assert_int_equal(judged(&f, STR(BODY), STR_NULL, signature, NOW, &why), REFUSED_TIMESTAMP);
    assert_string_equal(why.text, "X-Slack-Request-Timestamp is missing");
    assert_int_equal(judged(&f, STR(BODY), STR_NULL, STR_NULL, NOW, &why), REFUSED_SIGNATURE);
    for (int twice = 0; twice < 2; twice++) {
        struct request r = request_of(STR(BODY), NOW);

        request_add(&r, "X-Slack-Request-Timestamp", now);
        request_add(&r, "X-Slack-Signature", signature);
        request_add(&r, twice ? "X-Slack-Signature" : "X-Slack-Request-Timestamp",
                    twice ? signature : now);
        assert_int_equal(f.source.type->verify(&f.source, request_raw(&r), &f.a, &why),
                         twice ? REFUSED_SIGNATURE : REFUSED_TIMESTAMP);
        assert_non_null(strstr(why.text, "sent twice"));
    }
}

static void no_forgery_of_many_passes(void **state)
{
    const struct str now = STR("1769081994");
    CLICKS(f, "secret = one\n");
    struct str good = sign_at(&f, now, STR(BODY));
    uint64_t random = 1;

    (void)state;
    assert_int_equal(judged(&f, STR(BODY), now, good, NOW, NULL), REFUSED_NOT);
    for (int i = 0; i < 20000; i++) {
        struct arena a AUTO(arena_free) = {0};
        char *text = mem_text(good);
        size_t at = (size_t)(random_below(&random, good.len));

        text[at] = (char)(text[at] ^ (1 << random_below(&random, 7)));
        assert_int_equal(judged(&f, STR(BODY), now, (struct str){text, good.len}, NOW, NULL),
                         REFUSED_SIGNATURE);
        free(text);
    }
}

static void the_previous_secret_counts_while_it_is_there(void **state)
{
    const struct str now = STR("1769081994");
    CLICKS(f, "secret = two\nsecret_previous = one\n");
    CLICKS(later, "secret = two\n");
    struct str old = sign_at(&f, now, STR(BODY));

    (void)state;
    assert_int_equal(judged(&f, STR(BODY), now, old, NOW, NULL), REFUSED_NOT);
    assert_int_equal(judged(&later, STR(BODY), now, old, NOW, NULL), REFUSED_SIGNATURE);
}

static void a_probe_needs_no_signature_and_brings_nothing(void **state)
{
    static const struct {
        const char *body, *length;
        enum refusal head, whole;
    } cases[] = {
        {"ssl_check=1&token=x", "19", REFUSED_NOT, REFUSED_NOT},
        {"ssl_check=0&token=x", "19", REFUSED_NOT, REFUSED_SIGNATURE},
        {"payload=%7B%7D&ssl_check=2", "26", REFUSED_NOT, REFUSED_SIGNATURE},
        {"ssl_check=1", "513", REFUSED_SIGNATURE, REFUSED_NOT},
        {"ssl_check=1", NULL, REFUSED_SIGNATURE, REFUSED_NOT},
        {"ssl_check=1", "x", REFUSED_SIGNATURE, REFUSED_NOT},
    };
    CLICKS(f, "secret = one\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request r = request_of(str_of(cases[i].body), NOW);
        struct event *events = NULL;
        size_t n = 9;

        if (cases[i].length)
            request_add(&r, "Content-Length", str_of(cases[i].length));
        assert_int_equal(f.source.type->verify_head(&f.source, request_raw(&r), &f.a, NULL),
                         cases[i].head);
        assert_int_equal(f.source.type->verify(&f.source, request_raw(&r), &f.a, NULL),
                         cases[i].whole);
        if (cases[i].whole)
            continue;
        assert_int_equal(decode_form(&f, str_of(cases[i].body), &events, &n, NULL), REFUSED_NOT);
        assert_int_equal(n, 0);
    }
}

static void what_sign_makes_is_accepted(void **state)
{
    CLICKS(f, "secret = one\npath = /slack\n");
    struct str body = f.source.type->sample(NOW, &f.a);
    struct field headers[4];
    struct event *events;
    struct str url;
    struct why why;
    size_t n;
    int64_t at;

    (void)state;
    assert_int_equal(f.source.type->sign(&f.source, STR_NULL, STR_NULL, body, NOW, &f.a, headers,
                                         &n, &url, &why),
                     RC_INVALID);
    assert_non_null(strstr(why.text, "public_url"));
    f.source.public_url = STR("https://hooks.example.com");
    struct request r = request_signed(&f.source, NULL, body, NOW, &f.a);
    assert_int_equal(r.n, 3);
    assert_int_equal(f.source.type->verify(&f.source, request_raw(&r), &f.a, NULL), REFUSED_NOT);
    assert_true(f.source.type->signed_at(request_raw(&r), &at));
    assert_int_equal(at, NOW / SECONDS_MS * SECONDS_MS);
    assert_int_equal(f.source.type->sign(&f.source, STR("http://127.0.0.1:8080/"), STR_NULL, body,
                                         NOW, &f.a, headers, &n, &url, NULL),
                     RC_OK);
    assert_true(str_is(url, "http://127.0.0.1:8080/slack"));
    assert_int_equal(f.source.type->decode(&f.source, request_raw(&r), &f.a, &events, &n, NULL),
                     REFUSED_NOT);
    assert_int_equal(n, 1);
    assert_true(str_is(events[0].type, "slack.claim"));
    assert_int_equal(events[0].state, EVENT_PROCESSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_vector_is_judged_right),
        cmocka_unit_test(five_minutes_either_way_are_allowed_and_no_second_more),
        cmocka_unit_test(a_timestamp_is_digits_only),
        cmocka_unit_test(what_is_missing_or_doubled_is_named),
        cmocka_unit_test(no_forgery_of_many_passes),
        cmocka_unit_test(the_previous_secret_counts_while_it_is_there),
        cmocka_unit_test(a_probe_needs_no_signature_and_brings_nothing),
        cmocka_unit_test(what_sign_makes_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
