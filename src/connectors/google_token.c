/* connectors/google_token.c - an access token for a Google service account (RFC 7523).
 *
 * A new assertion is signed for every attempt: one kept for later would be too old when the
 * clock of this machine or a long outage comes between.
 */
#include "google_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/url.h"

#define SCOPE          "https://www.googleapis.com/auth/spreadsheets"
#define AUDIENCE       "https://oauth2.googleapis.com/token" /* also where a stand-in is asked */
#define GRANT          "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
#define RENEW_EARLY_MS (5 * MINUTES_MS)
#define QUOTA_PAUSE_MS (30 * SECONDS_MS)

static const char check_credentials[] = "check the connector's credentials";

enum {
    CLAIMS_MAX = 4096,
    ASSERTION_MAX = 16 * 1024,
    LIFETIME_S = 3600, /* the longest that Google takes */
    BACKDATED_S = 30,  /* an iat in Google's future is refused */
};

/* In environment variables the line ends of the PEM often arrive as backslash-n. */
static struct str repair_line_ends(struct str pem, struct arena *a)
{
    char *out = arena_alloc(a, pem.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < pem.len; i++) {
        bool escaped = pem.at[i] == '\\' && i + 1 < pem.len && pem.at[i + 1] == 'n';

        out[n++] = escaped ? '\n' : pem.at[i];
        i += escaped;
    }
    return (struct str){out, n};
}

enum rc google_key_read(struct str credentials, struct arena *a, struct google_key *ret,
                        struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct google_key key = {0};

    /* Nothing of what the parser says: it may quote the secret. */
    if (json_parse(credentials, &doc, NULL) || json_type(doc.root) != JSON_OBJECT)
        return why_fail(RC_INVALID, why, "the credentials are no service-account JSON");
    if (!str_is(json_string(json_get(doc.root, "type")), "service_account"))
        return why_fail(RC_INVALID, why, "the credentials are not of type service_account");
    key.client_email = arena_str(a, json_string(json_get(doc.root, "client_email")));
    key.key_id = arena_str(a, json_string(json_get(doc.root, "private_key_id")));
    key.token_uri = arena_str(a, json_string(json_get(doc.root, "token_uri")));
    key.pem = repair_line_ends(json_string(json_get(doc.root, "private_key")), a);
    if (!key.client_email.len)
        return why_fail(RC_INVALID, why, "the credentials have no client_email");
    if (!key.pem.len)
        return why_fail(RC_INVALID, why, "the credentials have no private_key");
    *ret = key;
    return RC_OK;
}

struct str google_account(const struct google_sheets *s, struct arena *a)
{
    struct google_key key;
    enum rc rc = google_key_read(s->credentials, a, &key, NULL);

    assert(rc == RC_OK);
    return key.client_email;
}

/* A key file from elsewhere must not send our assertion to another host. */
static void check_token_uri(const struct google_key *key, const struct conf_section *section,
                            struct conf_problems *problems)
{
    struct url url;

    if (conf_find(section, "token_url") || !key->token_uri.len)
        return;
    if (url_parse(key->token_uri, &url, NULL) || !str_is(url.host, "oauth2.googleapis.com") ||
        !str_is(url.scheme, "https"))
        conf_problem(problems, section, conf_find(section, "credentials"),
                     "token_url = ... if that is meant",
                     "the credentials' token_uri is not at oauth2.googleapis.com");
}

void google_check_key(const struct google_sheets *s, const struct conf_section *section,
                      struct conf_problems *problems)
{
    const struct conf_entry *entry = conf_find(section, "credentials");
    struct rsa_key *rsa = NULL;
    struct google_key key = {0};
    struct why why = {{0}};

    if (!s->credentials.len)
        return;
    if (google_key_read(s->credentials, problems->arena, &key, &why)) {
        conf_problem(problems, section, entry, "the file that Google gives for a service account",
                     "%s", why.text);
        return;
    }
    if (rsa_key_load(key.pem, &rsa, NULL))
        conf_problem(problems, section, entry, "the file that Google gives for a service account",
                     "the credentials' private_key is no RSA key in PEM form");
    rsa_key_free(rsa);
    check_token_uri(&key, section, problems);
}

bool google_token_good(const struct google_session *g, int64_t now_ms)
{
    return g->token && now_ms < g->token_renew_at;
}

void google_token_drop(struct google_session *g)
{
    if (g->token)
        explicit_bzero(g->token, strlen(g->token));
    free(g->token);
    g->token = NULL;
    g->token_renew_at = 0;
}

static enum rc header_and_claims(const struct google_key *key, int64_t now_ms, struct arena *a,
                                 struct str *ret, struct why *why)
{
    struct sbuf header AUTO(sbuf_free) = SBUF(CLAIMS_MAX);
    struct sbuf claims AUTO(sbuf_free) = SBUF(CLAIMS_MAX);
    int64_t issued = now_ms / SECONDS_MS - BACKDATED_S;

    json_open(&header, '{');
    json_kv_text(&header, "alg", "RS256");
    json_kv_text(&header, "typ", "JWT");
    if (key->key_id.len)
        json_kv(&header, "kid", key->key_id);
    json_close(&header, '}');

    json_open(&claims, '{');
    json_kv(&claims, "iss", key->client_email);
    json_kv_text(&claims, "scope", SCOPE);
    json_kv_text(&claims, "aud", AUDIENCE);
    json_kv_int(&claims, "iat", issued);
    json_kv_int(&claims, "exp", issued + LIFETIME_S);
    json_close(&claims, '}');
    if (header.failed || claims.failed)
        return why_fail(RC_INVALID, why, "the credentials are too long");
    *ret = arena_printf(a, "%.*s.%.*s", STR_ARG(base64url_encode(a, sbuf_str(&header))),
                        STR_ARG(base64url_encode(a, sbuf_str(&claims))));
    return RC_OK;
}

static enum rc sign(const struct google_key *key, struct str text, struct arena *a, struct str *ret,
                    struct why *why)
{
    struct rsa_key *rsa = NULL;
    struct str signature = STR_NULL;
    enum rc rc = rsa_key_load(key->pem, &rsa, why);

    if (!rc)
        rc = rsa_sign_sha256(rsa, text, a, &signature, why);
    rsa_key_free(rsa);
    if (rc)
        return why_wrap(RC_INVALID, why, "cannot sign with the credentials' private_key");
    *ret = arena_printf(a, "%.*s.%.*s", STR_ARG(text), STR_ARG(base64url_encode(a, signature)));
    return RC_OK;
}

enum rc google_token_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct google_sheets *s = job->settings;
    struct sbuf b AUTO(sbuf_free) = SBUF(ASSERTION_MAX);
    struct google_key key = {0};
    struct str claims = STR_NULL, assertion = STR_NULL;
    enum rc rc = google_key_read(s->credentials, job->arena, &key, why);

    if (!rc)
        rc = header_and_claims(&key, job->now_ms, job->arena, &claims, why);
    if (!rc)
        rc = sign(&key, claims, job->arena, &assertion, why);
    if (rc)
        return rc;
    sbuf_text(&b, "grant_type=" GRANT "&assertion=");
    sbuf_add(&b, assertion); /* base64url and dots: nothing to escape */
    *ret = (struct http_request){.method = "POST", .url = s->token_url, .repeatable = true};
    return request_body(ret, &b, "application/x-www-form-urlencoded", job->arena, why);
}

static enum judged take_token(struct job *job, const json *answer)
{
    struct google_session *g = job->session;
    int64_t seconds, good_for;

    if (!json_int64(json_get(answer, "expires_in"), &seconds) || seconds <= 0 ||
        seconds > LIFETIME_S)
        seconds = LIFETIME_S;
    good_for = seconds * SECONDS_MS;
    good_for -= good_for > 2 * RENEW_EARLY_MS ? RENEW_EARLY_MS : good_for / 2;
    google_token_drop(g);
    g->token = mem_text(json_string(json_get(answer, "access_token")));
    g->token_renew_at = job->now_ms + good_for;
    return JUDGED_CONTINUE;
}

/* What Google says, and which of our things is wrong. All of it concerns every delivery. */
static const struct token_error {
    const char *error, *text; /* text: in the description; NULL: any */
    const char *advice;
} token_errors[] = {
    {"invalid_grant", "reasonable timeframe", "check this machine's clock"},
    {"invalid_grant", "Signature", "the key was deleted or is another account's: make a new one"},
    {"invalid_grant", "account not found", "the service account was deleted: make a new one"},
    {"invalid_grant", NULL, check_credentials},
    {"invalid_scope", NULL, "enable the Sheets API in the account's project"},
    {"unauthorized_client", NULL, "the service account may not ask for tokens"},
    {"invalid_client", NULL, check_credentials},
    {"access_denied", NULL, "ask the administrator of the Google organisation"},
    {"admin_policy_enforced", NULL, "ask the administrator of the Google organisation"},
    {"org_internal", NULL, "ask the administrator of the Google organisation"},
    {"disabled_client", NULL, "the service account is disabled: enable it"},
};

static const char *advice_for(struct str error, struct str text)
{
    for (size_t i = 0; i < ARRAY_LEN(token_errors); i++) {
        const struct token_error *e = &token_errors[i];

        if (str_is(error, e->error) && (!e->text || str_find(text, str_of(e->text))))
            return e->advice;
    }
    return check_credentials;
}

static enum judged judge_refusal(struct job *job, const json *answer)
{
    struct str error = str_cut(json_string(json_get(answer, "error")), 100);
    struct str text = str_cut(json_string(json_get(answer, "error_description")), 300);

    return judge_broken(job, arena_printf(job->arena, "no access token, %.*s: %.*s; %s",
                                          STR_ARG(error), STR_ARG(text), advice_for(error, text)));
}

enum judged google_token_judge(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_object = answer_object(r, &doc), refused = r->status >= 300 && r->status < 500;

    if (r->status == 200 && json_string(json_get(doc.root, "access_token")).len)
        return take_token(job, doc.root);
    if (r->status == 429)
        job_rest(job, r, QUOTA_PAUSE_MS);
    else if (refused && is_object && json_string(json_get(doc.root, "error")).len)
        return judge_refusal(job, doc.root);

    struct str reason = arena_printf(
        job->arena, "no access token, %.*s",
        STR_ARG(r->status == 200 ? STR("garbage in the answer") : http_reason(r, job->arena)));
    job->broken = refused && r->status != 408 && r->status != 429;
    return judge_all(job, VERDICT_RETRY, reason);
}
