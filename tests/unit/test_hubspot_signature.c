/* tests/unit/test_hubspot_signature.c - HubSpot's signatures against the published vectors, and
 * against a hundred thousand forgeries. */
#include "cm.h"

#include <stdio.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "funneld/ingest/hubspot_signature.h"
#include "random.h"
#include "vectors.h"

static const char vectors_path[] = "tests/data/hubspot-signatures.json";

struct vector {
    struct str name;
    enum hubspot_version version;
    struct hubspot_request request;
    struct str signed_uri, secret, signature;
    int64_t now_ms;
    bool valid;
};

static struct vector vector_of(const json *node)
{
    struct vector v = {
        .name = json_string(json_get(node, "name")),
        .request = {.method = json_string(json_get(node, "method")),
                    .uri = json_string(json_get(node, "uri")),
                    .body = json_string(json_get(node, "body")),
                    .timestamp = json_string(json_get(node, "timestamp"))},
        .signed_uri = json_string(json_get(node, "signed_uri")),
        .secret = json_string(json_get(node, "secret")),
        .signature = json_string(json_get(node, "header_value")),
        .valid = json_true(json_get(node, "valid")),
    };
    struct str version = json_string(json_get(node, "version"));
    int64_t bytes;

    v.version = str_is(version, "v1")   ? HUBSPOT_V1
                : str_is(version, "v2") ? HUBSPOT_V2
                                        : HUBSPOT_V3;
    if (!json_int64(json_get(node, "now_ms"), &v.now_ms))
        v.now_ms = INT64_C(1769081994066); /* v1 and v2 have no clock */
    assert_true(json_int64(json_get(node, "body_bytes"), &bytes));
    assert_int_equal(v.request.body.len, bytes);
    assert_non_null(v.secret.at);
    assert_non_null(v.signature.at);
    return v;
}

static bool accepted(const struct vector *v, struct arena *a)
{
    return hubspot_signature_valid(v->version, &v->request, v->secret, v->signature, v->now_ms, a);
}

static void every_published_vector_is_judged_right(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct json_doc doc AUTO(json_doc_free) = {0};
    size_t n = 0, valid = 0;

    (void)state;
    assert_int_equal(json_parse(read_file(vectors_path, &a), &doc, NULL), RC_OK);
    for (const json *c = json_first(json_get(doc.root, "vectors")); c; c = json_next(c)) {
        struct vector v = vector_of(c);

        if (accepted(&v, &a) != v.valid)
            fail_msg("%.*s should be %s", STR_ARG(v.name), v.valid ? "accepted" : "refused");
        if (v.version == HUBSPOT_V3)
            assert_true(str_eq(hubspot_signed_uri(v.request.uri, &a), v.signed_uri));
        n++;
        valid += v.valid;
    }
    assert_int_equal(n, 49);
    assert_in_range(valid, 20, 48);
}

static void policy_cases_are_refused_although_the_hash_is_right(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    struct json_doc doc AUTO(json_doc_free) = {0};
    size_t n = 0;

    (void)state;
    assert_int_equal(json_parse(read_file(vectors_path, &a), &doc, NULL), RC_OK);
    for (const json *c = json_first(json_get(doc.root, "policy_cases")); c; c = json_next(c)) {
        struct vector v = vector_of(c);

        assert_true(str_eq(hubspot_signature(v.version, &v.request, v.secret, &a), v.signature));
        assert_false(accepted(&v, &a));
        n++;
    }
    assert_int_equal(n, 2);
}

static void only_twelve_escapes_are_decoded_in_either_case(void **state)
{
    static const struct {
        const char *uri, *is;
    } cases[] = {
        {"/a%3ab%3Ac%2Fd%2fe", "/a:b:c/d/e"},
        {"%3F%40%21%24%27%28%29%2A%2C%3B", "?@!$'()*,;"},
        {"%3f%2a%2c%3b", "?*,;"},
        {"%20%25%26%3D%2B", "%20%25%26%3D%2B"},
        {"%3~%3{%3`%3@", "%3~%3{%3`%3@"},
        {"%%3A%3", "%:%3"},
        {"%253A", "%253A"},
        {"%", "%"},
    };
    struct arena a AUTO(arena_free) = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(str_is(hubspot_signed_uri(str_of(cases[i].uri), &a), cases[i].is));
}

static void timestamp_is_digits_within_five_minutes_either_way(void **state)
{
    const int64_t now = INT64_C(1769081994066);
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"1769081994066", true},
        {"1769081694066", true},  /* exactly five minutes ago */
        {"1769081694065", false}, /* one more */
        {"1769082294066", true},
        {"1769082294067", false},
        {"1769081994", false},
        {"1769081994066.0", false},
        {"+1769081994066", false},
        {" 1769081994066", false},
        {"1769081994066 ", false},
        {"-1769081994066", false},
        {"1.769081994066e12", false},
        {"99999999999999999999999", false},
        {"", false},
        {NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(hubspot_timestamp_valid(str_of(cases[i].text), now), cases[i].valid);
}

static void empty_secret_proves_nothing(void **state)
{
    struct arena a AUTO(arena_free) = {0};
    const struct hubspot_request r = {STR("POST"), STR("https://x/y"), STR("[]"), STR("1000")};

    (void)state;
    for (int v = 0; v < HUBSPOT_VERSIONS; v++) {
        struct str signature = hubspot_signature((enum hubspot_version)v, &r, STR(""), &a);

        assert_false(
            hubspot_signature_valid((enum hubspot_version)v, &r, STR(""), signature, 1000, &a));
    }
}

enum { PIECES = 5, MUTATIONS = 100000, PIECE_MAX = 512 };

/* The pieces of a request that an attacker may touch. */
struct forgery {
    char text[PIECES][PIECE_MAX];
    size_t len[PIECES];
};
enum { METHOD, URI, BODY, TIMESTAMP, SIGNATURE };

static struct str piece(const struct forgery *f, int i)
{
    return (struct str){f->text[i], f->len[i]};
}

static void put_piece(struct forgery *f, int i, struct str s)
{
    assert_in_range(s.len, 0, PIECE_MAX - 2);
    memcpy(f->text[i], s.at, s.len);
    f->len[i] = s.len;
}

/* Changes, inserts or removes one byte; sometimes in a way that people would not notice. */
static void mutate(struct forgery *f, uint64_t *seed)
{
    static const char tempting[] = "0123456789abcdefABCDEF=+/ %:?&\r\n\0Tt";
    int i = (int)random_below(seed, PIECES);
    char *text = f->text[i], byte = tempting[random_below(seed, sizeof tempting)];
    size_t at = random_below(seed, f->len[i] + 1);

    switch (random_below(seed, 4)) {
    case 0:
        if (at < f->len[i])
            text[at] = byte;
        break;
    case 1:
        if (at < f->len[i])
            text[at] = (char)(text[at] ^ (1 << random_below(seed, 8)));
        break;
    case 2:
        memmove(text + at + 1, text + at, f->len[i] - at);
        text[at] = byte;
        f->len[i]++;
        break;
    default:
        if (at < f->len[i]) {
            memmove(text + at, text + at + 1, f->len[i] - at - 1);
            f->len[i]--;
        }
    }
}

/* What v3 hashes, put together without the code under test. */
static struct str signed_bytes(const struct forgery *f, struct arena *a)
{
    static const char *const escapes[] = {"%3A", "%2F", "%3F", "%40", "%21", "%24",
                                          "%27", "%28", "%29", "%2A", "%2C", "%3B"};
    static const char plain[] = ":/?@!$'()*,;";
    struct sbuf b AUTO(sbuf_free) = SBUF(4 * PIECE_MAX);
    struct str uri = piece(f, URI), ret = STR_NULL;

    sbuf_add(&b, piece(f, METHOD));
    while (uri.len) {
        size_t i = 0;

        while (i < ARRAY_LEN(escapes) &&
               !(uri.len >= 3 && str_ieq((struct str){uri.at, 3}, str_of(escapes[i]))))
            i++;
        sbuf_char(&b, i < ARRAY_LEN(escapes) ? plain[i] : uri.at[0]);
        uri = str_from(uri, i < ARRAY_LEN(escapes) ? 3 : 1);
    }
    sbuf_add(&b, piece(f, BODY));
    sbuf_add(&b, piece(f, TIMESTAMP));
    assert_int_equal(sbuf_seal(&b, a, &ret), RC_OK);
    return ret;
}

static bool accepts_forgery(const struct forgery *f, struct str secret, struct arena *a)
{
    const struct hubspot_request r = {piece(f, METHOD), piece(f, URI), piece(f, BODY),
                                      piece(f, TIMESTAMP)};

    return hubspot_signature_valid(HUBSPOT_V3, &r, secret, piece(f, SIGNATURE),
                                   INT64_C(1769081994066), a);
}

static void a_hundred_thousand_forgeries_are_refused(void **state)
{
    const struct str secret = STR("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy");
    const struct hubspot_request honest = {
        STR("POST"), STR("https://hooks.example.com/webhooks/hubspot?src=hs%3Aapp%20x%253A"),
        STR("[{\"eventId\":1,\"portalId\":62515,\"objectId\":123}]"), STR("1769081994066")};
    struct arena a AUTO(arena_free) = {0};
    struct forgery original = {0};
    uint64_t seed = 20261124;
    int tried = 0;

    (void)state;
    put_piece(&original, METHOD, honest.method);
    put_piece(&original, URI, honest.uri);
    put_piece(&original, BODY, honest.body);
    put_piece(&original, TIMESTAMP, honest.timestamp);
    put_piece(&original, SIGNATURE, hubspot_signature(HUBSPOT_V3, &honest, secret, &a));
    assert_true(accepts_forgery(&original, secret, &a));
    while (tried < MUTATIONS) {
        struct arena turn AUTO(arena_free) = {0};
        struct forgery f = original;

        mutate(&f, &seed);
        if (str_eq(signed_bytes(&f, &turn), signed_bytes(&original, &turn)) &&
            str_eq(piece(&f, SIGNATURE), piece(&original, SIGNATURE)))
            continue;
        tried++;
        if (accepts_forgery(&f, secret, &turn))
            fail_msg("forgery %d was accepted: %.*s %.*s", tried, STR_ARG(piece(&f, METHOD)),
                     STR_ARG(piece(&f, URI)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_vector_is_judged_right),
        cmocka_unit_test(policy_cases_are_refused_although_the_hash_is_right),
        cmocka_unit_test(only_twelve_escapes_are_decoded_in_either_case),
        cmocka_unit_test(timestamp_is_digits_within_five_minutes_either_way),
        cmocka_unit_test(empty_secret_proves_nothing),
        cmocka_unit_test(a_hundred_thousand_forgeries_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
