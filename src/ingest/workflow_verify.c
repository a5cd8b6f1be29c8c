/* ingest/workflow_verify.c - which workflow sent it: signed by HubSpot, or with an API key. */
#include "workflow_priv.h"

#include "funneld/base/url.h"

static bool is_key(const struct workflow *w, struct str given)
{
    bool now = w->api_key.len && crypto_equal(given, w->api_key);
    bool before = w->api_key_previous.len && crypto_equal(given, w->api_key_previous);

    return now || before;
}

/* The parameter's value, and how often it is there. */
static size_t query_get(struct str target, struct str name, struct arena *a, struct str *ret)
{
    const char *mark = str_chr(target, '?');
    struct str query = mark ? str_from(target, (size_t)(mark - target.at) + 1) : STR_NULL;
    struct str part, key, decoded;
    size_t n = 0;

    while (str_split(&query, '&', &part)) {
        (void)str_split(&part, '=', &key); /* "" of "" */
        if (!form_decode(key, a, &decoded) || !str_eq(decoded, name))
            continue;
        n++;
        if (!form_decode(part.at ? part : STR(""), a, ret))
            *ret = STR_NULL;
    }
    return n;
}

static enum refusal verify_key(const struct workflow *w, const struct raw_request *r,
                               struct arena *a, struct why *why)
{
    struct str given = STR_NULL,
               name = w->api_key_header.len ? w->api_key_header : w->api_key_query;
    size_t n = 0;

    if (w->api_key_header.len)
        given = r->header(r->self, arena_text(a, name), &n);
    else
        n = query_get(r->target, name, a, &given);
    if (n != 1)
        return refuse(REFUSED_SIGNATURE, why, "the API key in %.*s is missing or sent twice",
                      STR_ARG(name));
    if (!is_key(w, given))
        return refuse(REFUSED_SIGNATURE, why, "the API key in %.*s is wrong", STR_ARG(name));
    return REFUSED_NOT;
}

/* Whatever is accepted, v1 is not. */
static struct hubspot_auth auth_of(const struct workflow *w)
{
    struct hubspot_auth auth = w->auth;

    if (auth.require == REQUIRE_ANY)
        auth.require = REQUIRE_V2;
    return auth;
}

enum refusal workflow_verify_head(const struct source *s, const struct raw_request *r,
                                  struct arena *a, struct why *why)
{
    const struct workflow *w = s->settings;
    const struct hubspot_auth auth = auth_of(w);

    return w->api_key.len ? verify_key(w, r, a, why) : hubspot_auth_head(&auth, r, why);
}

enum refusal workflow_verify(const struct source *s, const struct raw_request *r, struct arena *a,
                             struct why *why)
{
    const struct workflow *w = s->settings;
    const struct hubspot_auth auth = auth_of(w);

    return w->api_key.len ? verify_key(w, r, a, why) : hubspot_auth_verify(&auth, s, r, a, why);
}

const char *workflow_proof(const struct source *s, const struct raw_request *r)
{
    const struct workflow *w = s->settings;

    return w->api_key.len ? "api-key" : hubspot_proof(s, r);
}

enum rc workflow_sign(const struct source *s, struct str base_url, struct str version,
                      struct str body, int64_t now_ms, struct arena *a, struct field ret_headers[4],
                      size_t *ret_n, struct str *ret_url, struct why *why)
{
    const struct workflow *w = s->settings;
    const struct hubspot_auth auth = auth_of(w);
    struct str base = base_url.len ? base_url : s->public_url;
    struct sbuf url AUTO(sbuf_free) = SBUF(SIZE_MAX / 4); /* bounded by the configuration */

    if (!w->api_key.len)
        return hubspot_auth_sign(&auth, s, base_url, version, body, now_ms, a, ret_headers, ret_n,
                                 ret_url, why);
    if (!base.len)
        return why_fail(RC_INVALID, why, "where to? say --url, or set [server] public_url");
    while (str_ends(base, STR("/")))
        base.len--;
    sbuf_add(&url, base);
    sbuf_add(&url, w->common.path);
    ret_headers[0] = (struct field){STR("Content-Type"), STR("application/json")};
    *ret_n = 1;
    if (w->api_key_header.len) {
        ret_headers[(*ret_n)++] = (struct field){w->api_key_header, w->api_key};
    } else {
        sbuf_char(&url, '?');
        url_encode(&url, w->api_key_query);
        sbuf_char(&url, '=');
        url_encode(&url, w->api_key);
    }
    return sbuf_seal(&url, a, ret_url);
}
