/* tests/sandbox/google.c - Google's token endpoint: verifies the assertion as Google does.
 *
 * Without --credentials there is no account, so every assertion is refused.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "funneld/base/clock.h"

#define EMAIL        "funneld@sandbox.example"
#define TOKEN_URI    "https://oauth2.googleapis.com/token"
#define GRANT        "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define SCOPE        "https://www.googleapis.com/auth/spreadsheets"
#define TOKEN_PREFIX "ya29.sandbox-"

enum { LIFETIME_S = 3600, SKEW_S = 10, FILE_MAX_BYTES = 64 * 1024, TOKENS_MAX = 1024 };

static EVP_PKEY *account_key; /* of the one service account */
static struct arena memory;
static struct token {
    struct str text;
    int64_t expires_at;
} tokens[TOKENS_MAX];
static size_t n_tokens;

/* Credentials */

static bool write_file(const char *path, struct str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = fd >= 0 && write(fd, text.at, text.len) == (ssize_t)text.len;

    if (fd >= 0 && close(fd))
        done = false;
    if (!done)
        perror(path);
    return done;
}

static void write_credentials(struct sbuf *b, struct str pem)
{
    json_open(b, '{');
    json_kv_text(b, "type", "service_account");
    json_kv_text(b, "project_id", "sandbox");
    json_kv_text(b, "private_key_id", "sandbox-key-1");
    json_kv(b, "private_key", pem);
    json_kv_text(b, "client_email", EMAIL);
    json_kv_text(b, "client_id", "100000000000000000001");
    json_kv_text(b, "auth_uri", "https://accounts.google.com/o/oauth2/auth");
    json_kv_text(b, "token_uri", TOKEN_URI);
    json_kv_text(b, "universe_domain", "googleapis.com");
    json_close(b, '}');
    sbuf_text(b, "\n");
}

bool google_credentials_make(const char *path)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(FILE_MAX_BYTES);
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    bool done = false;
    char *at = NULL;

    if (key && bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) {
        long n = BIO_get_mem_data(bio, &at);

        write_credentials(&b, (struct str){at, (size_t)n});
        done = !b.failed && write_file(path, sbuf_str(&b));
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    return done;
}

static bool take_key(struct str pem)
{
    BIO *bio = pem.len ? BIO_new_mem_buf(pem.at, (int)pem.len) : NULL;

    account_key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return account_key != NULL;
}

bool google_credentials_load(const char *path)
{
    static char text[FILE_MAX_BYTES];
    struct json_doc doc AUTO(json_doc_free) = {0};
    FILE *file = fopen(path, "r");
    size_t n;

    if (!file) {
        perror(path);
        return false;
    }
    n = fread(text, 1, sizeof(text), file);
    if (fclose(file) || json_parse((struct str){text, n}, &doc, NULL) ||
        !take_key(json_string(json_get(doc.root, "private_key")))) {
        (void)fprintf(stderr, "sandbox: %s is no service-account file\n", path);
        return false;
    }
    return true;
}

/* Assertions */

static bool base64url(struct str text, struct arena *a, struct str *ret)
{
    char *standard = arena_alloc(a, text.len + 4);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '=' || text.at[i] == '+' || text.at[i] == '/')
            return false; /* without padding, and its own alphabet */
        standard[n++] = text.at[i] == '-' ? '+' : text.at[i] == '_' ? '/' : text.at[i];
    }
    while (n % 4)
        standard[n++] = '=';
    return base64_decode(a, (struct str){standard, n}, ret);
}

static bool signature_good(struct str text, struct str signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = account_key && ctx &&
                EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, account_key) == 1 &&
                EVP_DigestVerify(ctx, (const unsigned char *)signature.at, signature.len,
                                 (const unsigned char *)text.at, text.len) == 1;

    EVP_MD_CTX_free(ctx);
    return good;
}

static const char *check_claims(const json *claims, int64_t now)
{
    int64_t iat, exp;

    if (!str_is(json_string(json_get(claims, "iss")), EMAIL))
        return "Invalid grant: account not found";
    if (!str_is(json_string(json_get(claims, "aud")), TOKEN_URI))
        return "Invalid JWT: Failed audience check.";
    if (!json_int64(json_get(claims, "iat"), &iat) || !json_int64(json_get(claims, "exp"), &exp) ||
        iat > now + SKEW_S || exp <= now || exp - iat > LIFETIME_S || now - iat > LIFETIME_S)
        return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
               "timeframe. Check your iat and exp values in the JWT claim.";
    return NULL;
}

static const char *check_assertion(const struct call *c, struct str assertion, bool *ret_scope)
{
    struct json_doc header AUTO(json_doc_free) = {0}, claims AUTO(json_doc_free) = {0};
    struct str rest = assertion, part[2], decoded[2], signature;

    if (!str_split(&rest, '.', &part[0]) || !str_split(&rest, '.', &part[1]) || !rest.len ||
        !base64url(part[0], c->arena, &decoded[0]) || !base64url(part[1], c->arena, &decoded[1]) ||
        !base64url(rest, c->arena, &signature))
        return "Bad Request";
    if (json_parse(decoded[0], &header, NULL) || json_parse(decoded[1], &claims, NULL))
        return "Bad Request";
    if (!str_is(json_string(json_get(header.root, "alg")), "RS256") ||
        !signature_good((struct str){assertion.at, part[0].len + 1 + part[1].len}, signature))
        return "Invalid JWT Signature.";
    *ret_scope = str_find(json_string(json_get(claims.root, "scope")), STR(SCOPE)) != NULL;
    return check_claims(claims.root, c->now_ms / 1000);
}

static void refuse(struct answer *ret, int status, const char *error, const char *text)
{
    struct sbuf *b = answer_json(ret, status);

    json_open(b, '{');
    json_kv_text(b, "error", error);
    json_kv_text(b, "error_description", text);
    json_close(b, '}');
}

static void give_token(const struct call *c, struct answer *ret)
{
    struct token *t = &tokens[n_tokens++ % TOKENS_MAX];
    struct sbuf *b = answer_json(ret, 200);

    t->text = arena_printf(&memory, TOKEN_PREFIX "%zu", n_tokens);
    t->expires_at = c->now_ms + (LIFETIME_S - 1) * SECONDS_MS;
    json_open(b, '{');
    json_kv(b, "access_token", t->text);
    json_kv_int(b, "expires_in", LIFETIME_S - 1);
    json_kv_text(b, "token_type", "Bearer");
    json_close(b, '}');
}

static void google_handle(const struct call *c, struct answer *ret)
{
    struct field *fields;
    size_t n = form_decode(c->body, c->arena, &fields);
    bool scope = false;
    const char *wrong;

    if (!str_is(c->method, "POST") || !call_type_is(c, "application/x-www-form-urlencoded")) {
        refuse(ret, 400, "invalid_request", "POST a form");
        offence("google", "the token request is no form");
        return;
    }
    if (!str_is(form_get(fields, n, "grant_type"), GRANT)) {
        refuse(ret, 400, "unsupported_grant_type", "Invalid grant_type");
        offence("google", "unsupported grant_type");
        return;
    }
    wrong = check_assertion(c, form_get(fields, n, "assertion"), &scope);
    if (wrong)
        refuse(ret, 400, "invalid_grant", wrong);
    else if (!scope)
        refuse(ret, 400, wrong = "invalid_scope", "Invalid OAuth scope or ID token audience");
    else
        give_token(c, ret);
    if (wrong)
        offence("google", "%s", wrong);
}

bool google_access_token_good(const struct call *c)
{
    size_t kept = n_tokens < TOKENS_MAX ? n_tokens : TOKENS_MAX;

    for (size_t i = 0; i < kept; i++)
        if (call_bearer_is(c, arena_text(c->arena, tokens[i].text)))
            return c->now_ms < tokens[i].expires_at;
    return false;
}

static bool google_owns(struct str path)
{
    return str_is(path, "/token");
}

static void google_fail(int status, struct answer *ret)
{
    refuse(ret, status, status >= 500 ? "internal_failure" : "invalid_grant",
           "The sandbox was told to fail.");
}

static void google_dump(struct sbuf *b)
{
    json_open(b, '{');
    json_kv_int(b, "tokens", (int64_t)n_tokens);
    json_close(b, '}');
}

static void google_reset(void)
{
    n_tokens = 0;
    arena_free(&memory);
    memory = (struct arena){0};
}

const struct service google_service = {
    .name = "google",
    .owns = google_owns,
    .handle = google_handle,
    .fail = google_fail,
    .dump = google_dump,
    .reset = google_reset,
};
