/* tests/unit/test_standard_webhooks.c - signatures against the vectors of the reference package. */
#include "cm.h"

#include <stdio.h>
#include <string.h>

#include "funneld/base/crypto.h"
#include "funneld/base/json.h"
#include "funneld/base/standard_webhooks.h"

static struct arena arena;
static struct json_doc doc;

static int load_vectors(void **state)
{
    enum { MAX = 1 << 20 };
    char *text = arena_alloc(&arena, MAX);
    FILE *f = fopen("tests/data/standard-webhooks.json", "rb");

    (void)state;
    assert_non_null(f);
    size_t n = fread(text, 1, MAX, f);
    assert_int_equal(fclose(f), 0);
    assert_in_range(n, 1, MAX - 1);
    assert_int_equal(json_parse((struct str){text, n}, &doc, NULL), RC_OK);
    return 0;
}

static int free_vectors(void **state)
{
    (void)state;
    json_doc_free(&doc);
    arena_free(&arena);
    return 0;
}

static struct str key_of(struct str secret)
{
    struct str key = STR_NULL;

    assert_int_equal(standard_key(secret, &arena, &key, NULL), RC_OK);
    return key;
}

static struct standard_message message_of(const json *v)
{
    return (struct standard_message){
        .id = json_string(json_get(v, "webhook_id")),
        .timestamp = json_scalar(json_get(v, "webhook_timestamp"), &arena),
        .body = json_string(json_get(v, "payload_utf8")),
    };
}

static void assert_str(struct str got, struct str want)
{
    if (!str_eq(got, want))
        fail_msg("\"%.*s\" is not \"%.*s\"", STR_ARG(got), STR_ARG(want));
}

static void every_secret_of_the_vectors_is_the_key_that_they_say(void **state)
{
    const json *secrets = json_get(doc.root, "secrets");

    (void)state;
    assert_true(json_count(secrets) >= 4);
    for (const json *s = json_first(secrets); s; s = json_next(s)) {
        struct str key = key_of(json_string(json_get(s, "whsec")));
        char hex[2 * STANDARD_KEY_MAX + 1];

        hex_encode((const uint8_t *)key.at, key.len, hex);
        assert_str(str_of(hex), json_string(json_get(s, "key_hex")));
    }
}

static void every_vector_is_signed_as_the_reference_signs(void **state)
{
    const json *sign = json_get(doc.root, "sign");

    (void)state;
    assert_true(json_count(sign) >= 10);
    for (const json *v = json_first(sign); v; v = json_next(v)) {
        struct standard_message m = message_of(v);
        struct str key = key_of(json_string(json_get(v, "secret")));

        assert_str(standard_sign(key, &m, &arena), json_string(json_get(v, "webhook_signature")));
    }
}

static void two_keys_make_the_header_of_a_rotation(void **state)
{
    const json *r = json_get(doc.root, "rotation");
    const json *secret = json_first(json_get(r, "secrets_new_then_old"));
    struct standard_message m = message_of(r);
    struct str next = standard_sign(key_of(json_string(secret)), &m, &arena);
    struct str old = standard_sign(key_of(json_string(json_next(secret))), &m, &arena);

    (void)state;
    assert_str(arena_printf(&arena, "%.*s %.*s", STR_ARG(next), STR_ARG(old)),
               json_string(json_get(r, "webhook_signature_header")));
}

static struct str header_of(const json *headers, const char *name)
{
    for (const json *h = json_first(headers); h; h = json_next(h))
        if (str_ieq(json_name(h), str_of(name)))
            return json_string(h);
    return STR_NULL;
}

static bool verifies(const json *v)
{
    const json *headers = json_get(v, "headers");
    struct standard_message m = {
        .id = header_of(headers, "webhook-id"),
        .timestamp = header_of(headers, "webhook-timestamp"),
        .signatures = header_of(headers, "webhook-signature"),
        .body = json_string(json_get(v, "payload_utf8")),
    };
    int64_t sent, now;

    assert_true(json_int64(json_get(v, "now"), &now));
    return m.id.at && m.signatures.at && standard_time(m.timestamp, &sent) &&
           standard_time_fits(sent, now * 1000) &&
           standard_signed(key_of(json_string(json_get(v, "secret"))), &m);
}

/* But for one where the reference reads less than what is there. */
static void every_vector_is_judged_right(void **state)
{
    const json *verify = json_get(doc.root, "verify");
    size_t stricter = 0;

    (void)state;
    assert_true(json_count(verify) >= 15);
    for (const json *v = json_first(verify); v; v = json_next(v)) {
        struct str name = json_string(json_get(v, "name"));
        bool lenient = str_is(name, "timestamp-trailing-garbage");
        bool valid = json_true(json_get(v, "valid")) && !lenient;

        stricter += lenient;
        if (verifies(v) != valid)
            fail_msg("%.*s is judged wrong", STR_ARG(name));
    }
    assert_int_equal(stricter, 1);
}

static void a_secret_that_is_none_is_refused(void **state)
{
    static const struct {
        const char *secret, *says;
    } bad[] = {
        {"", "not whsec_"},
        {"whsec_", "not whsec_"},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "not whsec_"},   /* a character short */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", "not whsec_"},  /* no base64 */
        {" whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "not whsec_"}, /* OpenSSL would take it */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", "not whsec_"},
        {"whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "not whsec_"}, /* another kind of key */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==", "holds 22 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct str key = STR_NULL;
        struct why why = {0};

        assert_int_equal(standard_key(str_of(bad[i].secret), &arena, &key, &why), RC_INVALID);
        if (!strstr(why.text, bad[i].says))
            fail_msg("\"%s\" does not say %s", why.text, bad[i].says);
        assert_null(key.at);
    }
}

static void a_key_above_64_bytes_is_refused(void **state)
{
    char bytes[STANDARD_KEY_MAX + 1] = {0};
    struct str key;
    struct why why = {0};

    (void)state;
    assert_int_equal(standard_key(base64_encode(&arena, (struct str){bytes, STANDARD_KEY_MAX}),
                                  &arena, &key, NULL),
                     RC_OK);
    assert_int_equal(key.len, STANDARD_KEY_MAX);
    assert_int_equal(
        standard_key(base64_encode(&arena, (struct str){bytes, sizeof bytes}), &arena, &key, &why),
        RC_INVALID);
    assert_non_null(strstr(why.text, "holds 65 bytes"));
}

static void only_a_plain_number_is_a_timestamp(void **state)
{
    static const char *const bad[] = {
        "", "abc", "-1", "+1", " 1", "1 ", "1.5", "1e3", "99999999999999999999"};
    int64_t t;

    (void)state;
    assert_false(standard_time(STR_NULL, &t));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (standard_time(str_of(bad[i]), &t))
            fail_msg("\"%s\" was taken for a time", bad[i]);
    assert_true(standard_time(STR("1700000005"), &t));
    assert_int_equal(t, 1700000005);
    assert_false(standard_time_fits(INT64_MAX, 0));
}

static void a_signature_with_a_character_changed_or_missing_is_none(void **state)
{
    struct str key = key_of(STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    struct standard_message m = {STR("a-1"), STR("1"), STR("{}"), STR_NULL};
    struct str right = standard_sign(key, &m, &arena);

    (void)state;
    m.signatures = right;
    assert_true(standard_signed(key, &m));
    for (size_t i = 0; i < right.len; i++) {
        struct str wrong = arena_str(&arena, right);

        ((char *)(uintptr_t)wrong.at)[i] ^= 1;
        m.signatures = wrong;
        assert_false(standard_signed(key, &m));
        m.signatures = (struct str){right.at, i};
        assert_false(standard_signed(key, &m));
    }
    m.signatures = arena_printf(&arena, "v1,x  %.*s", STR_ARG(right));
    assert_true(standard_signed(key, &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_secret_of_the_vectors_is_the_key_that_they_say),
        cmocka_unit_test(every_vector_is_signed_as_the_reference_signs),
        cmocka_unit_test(two_keys_make_the_header_of_a_rotation),
        cmocka_unit_test(every_vector_is_judged_right),
        cmocka_unit_test(a_secret_that_is_none_is_refused),
        cmocka_unit_test(a_key_above_64_bytes_is_refused),
        cmocka_unit_test(only_a_plain_number_is_a_timestamp),
        cmocka_unit_test(a_signature_with_a_character_changed_or_missing_is_none),
    };

    return cmocka_run_group_tests(tests, load_vectors, free_vectors);
}
