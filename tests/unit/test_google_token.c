/* tests/unit/test_google_token.c - signed assertions, and when a token is renewed. */
#include "google_fixture.h"

static struct str decoded(struct str text)
{
    char *standard = arena_alloc(&f.arena, text.len + 4);
    struct str ret;
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        standard[n++] = text.at[i] == '-' ? '+' : text.at[i] == '_' ? '/' : text.at[i];
    while (n % 4)
        standard[n++] = '=';
    assert_true(base64_decode(&f.arena, (struct str){standard, n}, &ret));
    return ret;
}

static void assertion_is_signed_by_our_key(struct str assertion)
{
    struct str rest = assertion, header, claims, signature, text;
    struct json_doc doc = {0};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int64_t iat = 0, exp = 0;

    assert_true(str_split(&rest, '.', &header));
    assert_true(str_split(&rest, '.', &claims));
    signature = decoded(rest);
    text = (struct str){assertion.at, header.len + 1 + claims.len};
    assert_true(str_is(decoded(header), "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"kid-1\"}"));
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(ctx, (const unsigned char *)signature.at, signature.len,
                                      (const unsigned char *)text.at, text.len),
                     1);
    EVP_MD_CTX_free(ctx);

    assert_int_equal(json_parse(decoded(claims), &doc, NULL), RC_OK);
    assert_true(str_is(json_string(json_get(doc.root, "iss")), "funneld@example.org"));
    assert_true(str_is(json_string(json_get(doc.root, "scope")),
                       "https://www.googleapis.com/auth/spreadsheets"));
    assert_true(
        str_is(json_string(json_get(doc.root, "aud")), "https://oauth2.googleapis.com/token"));
    assert_true(json_int64(json_get(doc.root, "iat"), &iat));
    assert_true(json_int64(json_get(doc.root, "exp"), &exp));
    assert_int_equal(iat, FIXTURE_NOW / 1000 - 30);
    assert_int_equal(exp, iat + 3600);
    json_doc_free(&doc);
}

static void the_token_request_carries_a_signed_assertion(void **state)
{
    static const char grant[] =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";

    (void)state;
    fixture_start(&f, section(""));
    fixture_build(&f);
    assert_string_equal(f.request.method, "POST");
    assert_true(str_is(f.request.url, "https://oauth2.googleapis.com/token"));
    assert_true(
        str_is(fixture_header(&f.request, "Content-Type"), "application/x-www-form-urlencoded"));
    assert_true(str_starts(f.request.body, str_of(grant)));
    assertion_is_signed_by_our_key(str_from(f.request.body, sizeof(grant) - 1));
}

static void literal_backslash_n_in_the_key_is_repaired(void **state)
{
    (void)state;
    fixture_start(
        &f, section_with(with_line_ends_as("\\\\n"), "https://oauth2.googleapis.com/token", ""));
    fixture_build(&f);
    assertion_is_signed_by_our_key(
        (struct str){str_find(f.request.body, STR("assertion=")) + 10,
                     f.request.body.len - (size_t)(str_find(f.request.body, STR("assertion=")) +
                                                   10 - f.request.body.at)});
}

static void a_refused_token_is_renewed_once(void **state)
{
    (void)state;
    start_known("", HEADER);
    fixture_step(&f, "POST", ":append", 401, FAILURE("401", "UNAUTHENTICATED", "bad"));
    assert_true(f.job.settled);
    fixture_step(&f, "POST", "/token", 200, TOKEN);
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A2:H2"));
    fixture_verdict(&f, 0, VERDICT_DELIVERED, NULL);

    fixture_job(&f, 1);
    fixture_step(&f, "POST", ":append", 401, "");
    fixture_step(&f, "POST", "/token", 200, TOKEN);
    fixture_last(&f, "POST", ":append", 401, "");
    fixture_broken(&f, 0, "refused as well");
}

/* A token is everybody's: nothing is dead for the want of one. */
static const struct token_case {
    int status;
    const char *body;
    bool broken;
    const char *reason;
} token_cases[] = {
#define REFUSED(error, text) "{\"error\":\"" error "\",\"error_description\":\"" text "\"}"
    {400,
     REFUSED("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and "
                              "in a reasonable timeframe. Check your iat and exp values"),
     true, "check this machine's clock"},
    {400, REFUSED("invalid_grant", "Invalid JWT Signature."), true, "make a new one"},
    {400, REFUSED("invalid_grant", "Invalid grant: account not found"), true, "was deleted"},
    {400, REFUSED("invalid_grant", "x"), true, "check the connector's credentials"},
    {400, REFUSED("invalid_scope", "x"), true, "enable the Sheets API"},
    {401, REFUSED("unauthorized_client", "x"), true, "may not ask for tokens"},
    {401, REFUSED("invalid_client", "x"), true, "check the connector's credentials"},
    {403, REFUSED("access_denied", "x"), true, "ask the administrator"},
    {403, REFUSED("admin_policy_enforced", "x"), true, "ask the administrator"},
    {403, REFUSED("org_internal", "x"), true, "ask the administrator"},
    {401, REFUSED("disabled_client", "x"), true, "is disabled: enable it"},
    {400, REFUSED("brand_new", "x"), true, "brand_new: x; check the connector's credentials"},
    {302, "", true, "HTTP 302"},
    {403, "<html>", true, "HTTP 403"},
    {404, "<html>", true, "HTTP 404"},
    {408, "", false, "HTTP 408"},
    {429, "", false, "HTTP 429"},
    {500, REFUSED("internal_failure", "x"), false, "HTTP 500"},
    {503, "", false, "HTTP 503"},
    {200, "{}", false, "garbage"},
    {200, "ya29.secret", false, "garbage"},
#undef REFUSED
};

static void every_answer_of_the_token_endpoint_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(token_cases); i++) {
        const struct token_case *c = &token_cases[i];

        fixture_start(&f, section(""));
        fixture_last(&f, "POST", "/token", c->status, c->body);
        fixture_verdict(&f, 0, VERDICT_RETRY, c->reason);
        assert_int_equal(f.job.broken, c->broken);
        assert_int_equal(f.job.pause_ms > 0, c->status == 429);
        assert_null(str_find(f.outcomes[0].reason, STR("ya29")));
        fixture_end(&f);
    }
}

/* Of the account, whichever sheet: a minute's reads and writes apart, tokens for nothing. */
static void reads_and_writes_are_quotas_of_the_account(void **state)
{
    const struct str account = STR("funneld@example.org");

    (void)state;
    fixture_start(&f, section(""));
    assert_true(fixture_quota(&f).key == 0); /* a token first */
    fixture_step(&f, "POST", "/token", 200, TOKEN);
    assert_true(fixture_quota(&f).key == quota_key(account, "sheets reads"));
    assert_true(fixture_quota(&f).per_second == 1 && fixture_quota(&f).burst == 1);
    fixture_step(&f, "GET", "1%3A1", 200, HEADER);
    assert_true(fixture_quota(&f).key == quota_key(account, "sheets writes"));
    fixture_last(&f, "POST", ":append", 200, APPENDED("Leads!A2:H2"));

    fixture_job(&f, 0); /* asked of a lane with nothing in hand */
    assert_true(fixture_quota(&f).key == quota_key(account, "sheets writes"));
    fixture_job(&f, 1);
    f.job.look = true;
    assert_true(fixture_quota(&f).key == quota_key(account, "sheets reads"));
    fixture_end(&f);

    fixture_start(&f, section("rate = 5/s\n"));
    fixture_step(&f, "POST", "/token", 200, TOKEN);
    assert_true(fixture_quota(&f).per_second == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_token_request_carries_a_signed_assertion, teardown),
        cmocka_unit_test_teardown(literal_backslash_n_in_the_key_is_repaired, teardown),
        cmocka_unit_test_teardown(a_refused_token_is_renewed_once, teardown),
        cmocka_unit_test_teardown(reads_and_writes_are_quotas_of_the_account, teardown),
        cmocka_unit_test_teardown(every_answer_of_the_token_endpoint_has_its_verdict, teardown),
    };

    return cmocka_run_group_tests(tests, make_key, drop_key);
}
