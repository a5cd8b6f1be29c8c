/* ingest/hubspot_verify.c - who sent a HubSpot request, and how to send one like it. */
#include <string.h>

#include "hubspot_priv.h"

static const char *const version_names[HUBSPOT_VERSIONS] = {
    [HUBSPOT_V1] = "v1",
    [HUBSPOT_V2] = "v2",
    [HUBSPOT_V3] = "v3",
};

struct signature_headers {
    struct str v3, older, version, timestamp;
};

static const struct header_rule {
    const char *name;
    size_t offset;
    enum refusal repeated;
} header_rules[] = {
    {"X-HubSpot-Signature-v3", offsetof(struct signature_headers, v3), REFUSED_SIGNATURE},
    {"X-HubSpot-Signature", offsetof(struct signature_headers, older), REFUSED_SIGNATURE},
    {"X-HubSpot-Signature-Version", offsetof(struct signature_headers, version), REFUSED_SIGNATURE},
    {"X-HubSpot-Request-Timestamp", offsetof(struct signature_headers, timestamp),
     REFUSED_TIMESTAMP},
};

/* Which of two equal headers a proxy in front of us believed cannot be known: neither counts. */
static enum refusal read_headers(const struct raw_request *r, struct signature_headers *ret,
                                 struct why *why)
{
    for (size_t i = 0; i < ARRAY_LEN(header_rules); i++) {
        const struct header_rule *rule = &header_rules[i];
        struct str value = STR_NULL;

        if (header_get(r, rule->name, &value) == HEADER_REPEATED)
            return refuse(rule->repeated, why, "%s was sent twice", rule->name);
        memcpy((char *)ret + rule->offset, &value, sizeof value);
    }
    return REFUSED_NOT;
}

/* v3 if it is there, and then nothing else; otherwise what the version header says; v1 is older
 * than that header. */
static enum refusal choose(const struct hubspot_auth *h, const struct signature_headers *headers,
                           enum hubspot_version *ret, struct why *why)
{
    if (headers->v3.at) {
        *ret = HUBSPOT_V3;
        return REFUSED_NOT;
    }
    if (h->require == REQUIRE_V3)
        return refuse(REFUSED_SIGNATURE, why, "X-HubSpot-Signature-v3 is missing and required");
    if (!headers->older.at)
        return refuse(REFUSED_SIGNATURE, why, "the request is not signed");
    bool v1 = !headers->version.at || str_is(headers->version, "v1");
    if (v1 && h->require == REQUIRE_V2) /* it does not cover the address: any app's would do */
        return refuse(REFUSED_SIGNATURE, why, "workflows sign with v2 or v3, not with v1");
    if (v1)
        *ret = HUBSPOT_V1;
    else if (str_is(headers->version, "v2"))
        *ret = HUBSPOT_V2;
    else
        return refuse(REFUSED_SIGNATURE, why, "X-HubSpot-Signature-Version is neither v1 nor v2");
    return REFUSED_NOT;
}

/* Both secrets are always tried: the time taken does not tell which one is in use. */
static bool is_signed(const struct hubspot_auth *h, enum hubspot_version version,
                      const struct hubspot_request *signed_request, struct str signature,
                      int64_t now_ms, struct arena *a)
{
    bool now = hubspot_signature_valid(version, signed_request, h->secret, signature, now_ms, a);
    bool before =
        hubspot_signature_valid(version, signed_request, h->secret_previous, signature, now_ms, a);

    return now || before;
}

static struct str join(struct str base, struct str target, struct arena *a)
{
    while (str_ends(base, STR("/")))
        base.len--;
    return arena_printf(a, "%.*s%.*s", STR_ARG(base), STR_ARG(target));
}

/* Which signature there is, and whether it is of our time. */
static enum refusal read_signature(const struct hubspot_auth *h, const struct raw_request *r,
                                   struct signature_headers *ret, enum hubspot_version *ret_version,
                                   struct why *why)
{
    enum refusal refused = read_headers(r, ret, why);

    if (!refused)
        refused = choose(h, ret, ret_version, why);
    if (refused)
        return refused;
    if (*ret_version == HUBSPOT_V3 && !hubspot_timestamp_valid(ret->timestamp, r->received_at))
        return refuse(REFUSED_TIMESTAMP, why, "X-HubSpot-Request-Timestamp is %s",
                      ret->timestamp.at ? "not a time within 5 minutes of ours" : "missing");
    return REFUSED_NOT;
}

enum refusal hubspot_auth_head(const struct hubspot_auth *auth, const struct raw_request *r,
                               struct why *why)
{
    struct signature_headers headers = {0};
    enum hubspot_version version = HUBSPOT_V3;

    return read_signature(auth, r, &headers, &version, why);
}

enum refusal hubspot_auth_verify(const struct hubspot_auth *auth, const struct source *s,
                                 const struct raw_request *r, struct arena *a, struct why *why)
{
    struct signature_headers headers = {0};
    enum hubspot_version version = HUBSPOT_V3;

    enum refusal refused = read_signature(auth, r, &headers, &version, why);
    if (refused)
        return refused;
    const struct hubspot_request signed_request = {
        .method = r->method,
        .uri = join(s->public_url, r->target, a),
        .body = r->body,
        .timestamp = headers.timestamp,
    };
    struct str signature = version == HUBSPOT_V3 ? headers.v3 : headers.older;
    if (!is_signed(auth, version, &signed_request, signature, r->received_at, a))
        return refuse(REFUSED_SIGNATURE, why, "the %s signature is wrong for %.300s",
                      version_names[version], signed_request.uri.at);
    return REFUSED_NOT;
}

const char *hubspot_proof(const struct source *s, const struct raw_request *r)
{
    const struct hubspot_auth any = {.require = REQUIRE_ANY};
    struct signature_headers headers = {0};
    enum hubspot_version version = HUBSPOT_V3;

    (void)s;
    if (!read_headers(r, &headers, NULL))
        (void)choose(&any, &headers, &version, NULL); /* verify has agreed to the choice */
    return version_names[version];
}

/* v3 alone signs it. */
bool hubspot_signed_at(const struct raw_request *r, int64_t *ret_unix_ms)
{
    struct signature_headers headers = {0};

    return !read_headers(r, &headers, NULL) && headers.v3.at &&
           str_int64(headers.timestamp, ret_unix_ms);
}

static bool version_parse(const struct hubspot_auth *auth, struct str text,
                          enum hubspot_version *ret)
{
    if (!text.len)
        text = auth->require == REQUIRE_V2 ? STR("v2") : STR("v3");
    for (size_t i = 0; i < HUBSPOT_VERSIONS; i++) {
        if (!str_is(text, version_names[i]))
            continue;
        *ret = (enum hubspot_version)i;
        return true;
    }
    return false;
}

static size_t sign_headers(enum hubspot_version version, struct str signature, struct str timestamp,
                           struct field ret[4])
{
    bool v3 = version == HUBSPOT_V3;

    ret[0] = (struct field){STR("Content-Type"), STR("application/json")};
    ret[1] =
        (struct field){v3 ? STR("X-HubSpot-Signature-v3") : STR("X-HubSpot-Signature"), signature};
    ret[2] =
        v3 ? (struct field){STR("X-HubSpot-Request-Timestamp"), timestamp}
           : (struct field){STR("X-HubSpot-Signature-Version"), str_of(version_names[version])};
    return 3;
}

/* Sent to base_url, but signed for public_url: that is what verify puts together. */
enum rc hubspot_auth_sign(const struct hubspot_auth *auth, const struct source *s,
                          struct str base_url, struct str version, struct str body, int64_t now_ms,
                          struct arena *a, struct field ret_headers[4], size_t *ret_n,
                          struct str *ret_url, struct why *why)
{
    enum hubspot_version v;

    if (!version_parse(auth, version, &v))
        return why_fail(RC_INVALID, why, "\"%.*s\" is not a signature version: v1, v2 or v3",
                        (int)str_cut(version, 40).len, version.at);
    if (v == HUBSPOT_V1 && auth->require == REQUIRE_V2)
        return why_fail(RC_INVALID, why, "workflows sign with v2 or v3, not with v1");
    if (!s->public_url.len)
        return why_fail(RC_INVALID, why, "[server] public_url is not set, and HubSpot signs it");
    const struct hubspot_request to_sign = {
        .method = STR("POST"),
        .uri = join(s->public_url, source_path(s), a),
        .body = body,
        .timestamp = arena_printf(a, "%lld", (long long)now_ms),
    };
    *ret_n = sign_headers(v, hubspot_signature(v, &to_sign, auth->secret, a), to_sign.timestamp,
                          ret_headers);
    *ret_url = join(base_url.len ? base_url : s->public_url, source_path(s), a);
    return RC_OK;
}
