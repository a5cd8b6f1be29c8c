/* ingest/proof.c - secrets, HMACs and Standard Webhooks: checking and making them. */
#include "proof_priv.h"

#include <string.h>

#include "funneld/base/standard_webhooks.h"

const char *const proof_encodings[] = {[PROOF_HEX] = "hex", [PROOF_BASE64] = "base64", NULL};

static const enum digest digests[] = {
    [PROOF_SHA256] = DIGEST_SHA256,
    [PROOF_SHA1] = DIGEST_SHA1,
    [PROOF_SHA512] = DIGEST_SHA512,
};

/* From 1973 on as milliseconds, up to the year 5138 as seconds. */
#define SECONDS_BELOW INT64_C(100000000000)
#define SKEW_MS       (STANDARD_TOLERANCE_S * SECONDS_MS)

bool proof_is_secret(const struct proof *p, struct str given)
{
    bool now = p->secret.len && crypto_equal(given, p->secret);
    bool before = p->secret_previous.len && crypto_equal(given, p->secret_previous);

    return now || before;
}

/* A header that must be there once. Which of two a proxy in front of us believed cannot be known.
 */
static enum refusal need(const struct raw_request *r, const char *name, enum refusal refusal,
                         struct str *ret, struct why *why)
{
    switch (header_get(r, name, ret)) {
    case HEADER_ONCE:
        return REFUSED_NOT;
    case HEADER_REPEATED:
        return refuse(refusal, why, "%s was sent twice", name);
    default:
        return refuse(refusal, why, "%s is missing", name);
    }
}

static bool is_near(struct str timestamp, bool seconds_only, int64_t now_ms)
{
    int64_t sent;

    if (!standard_time(timestamp, &sent))
        return false;
    if (seconds_only || sent < SECONDS_BELOW)
        return standard_time_fits(sent, now_ms);
    return sent >= now_ms - SKEW_MS && sent <= now_ms + SKEW_MS;
}

static enum refusal need_time(const struct raw_request *r, const char *name, bool seconds_only,
                              struct str *ret, struct why *why)
{
    enum refusal refused = need(r, name, REFUSED_TIMESTAMP, ret, why);

    if (!refused && !is_near(*ret, seconds_only, r->received_at))
        return refuse(REFUSED_TIMESTAMP, why, "%s is not a time within 5 minutes of ours", name);
    return refused;
}

/* What is signed, and the header with the signature. */
struct claim {
    struct str id, timestamp, signature;
};

static const char *header_name(const struct proof *p, struct arena *a)
{
    return arena_text(a, p->header.len ? p->header : STR("Authorization"));
}

static struct str prefix_of(const struct proof *p)
{
    return p->kind == PROOF_SECRET && !p->header.len && !p->prefix.len ? STR("Bearer ") : p->prefix;
}

static enum refusal read_standard(const struct raw_request *r, struct claim *ret, struct why *why)
{
    enum refusal refused = need(r, "webhook-id", REFUSED_SIGNATURE, &ret->id, why);

    /* The dot parts what is signed: with one in the id, one text would be two requests. */
    if (!refused && (!ret->id.len || str_chr(ret->id, '.')))
        refused = refuse(REFUSED_SIGNATURE, why, "webhook-id is empty or has a dot in it");
    if (!refused)
        refused = need_time(r, "webhook-timestamp", true, &ret->timestamp, why);
    if (!refused)
        refused = need(r, "webhook-signature", REFUSED_SIGNATURE, &ret->signature, why);
    return refused;
}

static enum refusal read_claim(const struct proof *p, const struct raw_request *r, struct arena *a,
                               struct claim *ret, struct why *why)
{
    *ret = (struct claim){0};
    if (p->kind == PROOF_STANDARD)
        return read_standard(r, ret, why);
    const char *name = header_name(p, a);
    enum refusal refused = need(r, name, REFUSED_SIGNATURE, &ret->signature, why);
    if (!refused && p->kind != PROOF_SECRET && p->timestamp_header.len)
        refused = need_time(r, arena_text(a, p->timestamp_header), false, &ret->timestamp, why);
    return refused;
}

/* Schemes of Authorization are compared without regard to case, as HTTP has it. */
static bool take_prefix(struct str *text, struct str prefix)
{
    if (!prefix.len)
        return true;
    if (text->len < prefix.len || !str_ieq((struct str){text->at, prefix.len}, prefix))
        return false;
    *text = str_from(*text, prefix.len);
    return true;
}

static struct str encode(const struct proof *p, const uint8_t *bytes, size_t n, struct arena *a)
{
    if (p->encoding == PROOF_BASE64)
        return base64_encode(a, (struct str){(const char *)bytes, n});
    char *text = arena_alloc(a, 2 * n + 1);
    hex_encode(bytes, n, text);
    return (struct str){text, 2 * n};
}

static struct str signature(const struct proof *p, struct str secret, const struct claim *c,
                            struct str body, struct arena *a)
{
    const struct str parts[] = {c->timestamp, STR("."), body};
    size_t first = c->timestamp.at ? 0 : 2;
    uint8_t bytes[HMAC_MAX];

    return encode(p, bytes,
                  hmac(digests[p->kind], secret, parts + first, ARRAY_LEN(parts) - first, bytes),
                  a);
}

static struct str upper(struct str hex, struct arena *a)
{
    char *text = arena_alloc(a, hex.len + 1);

    for (size_t i = 0; i < hex.len; i++)
        text[i] = (char)(hex.at[i] >= 'a' && hex.at[i] <= 'f' ? hex.at[i] - 'a' + 'A' : hex.at[i]);
    return (struct str){text, hex.len};
}

static bool is_signed_with(const struct proof *p, struct str secret, const struct claim *c,
                           struct str body, struct arena *a)
{
    const struct standard_message m = {c->id, c->timestamp, body, c->signature};
    struct str key;

    if (!secret.len)
        return false;
    if (p->kind == PROOF_STANDARD)
        return standard_key(secret, a, &key, NULL) == RC_OK && standard_signed(key, &m);
    struct str ours = signature(p, secret, c, body, a);
    bool same = crypto_equal(c->signature, ours);
    if (p->encoding == PROOF_HEX)
        same |= crypto_equal(c->signature, upper(ours, a));
    return same;
}

static enum refusal check_secret(const struct proof *p, struct str given, struct arena *a,
                                 struct why *why)
{
    if (!take_prefix(&given, prefix_of(p)) || !proof_is_secret(p, str_trim(given)))
        return refuse(REFUSED_SIGNATURE, why, "the secret in %s is wrong", header_name(p, a));
    return REFUSED_NOT;
}

enum refusal proof_head(const struct proof *p, const struct raw_request *r, struct arena *a,
                        struct why *why)
{
    struct claim c;
    enum refusal refused = read_claim(p, r, a, &c, why);

    if (!refused && p->kind == PROOF_SECRET)
        refused = check_secret(p, c.signature, a, why);
    return refused;
}

enum refusal proof_verify(const struct proof *p, const struct raw_request *r, struct arena *a,
                          struct why *why)
{
    struct claim c;
    enum refusal refused = read_claim(p, r, a, &c, why);

    if (refused)
        return refused;
    if (p->kind == PROOF_SECRET)
        return check_secret(p, c.signature, a, why);
    bool prefixed = p->kind == PROOF_STANDARD || take_prefix(&c.signature, p->prefix);
    bool now = is_signed_with(p, p->secret, &c, r->body, a);
    bool before = is_signed_with(p, p->secret_previous, &c, r->body, a);
    if (prefixed && (now || before))
        return REFUSED_NOT;
    return refuse(REFUSED_SIGNATURE, why, "the signature in %s is wrong",
                  p->kind == PROOF_STANDARD ? "webhook-signature" : header_name(p, a));
}

static void add(struct field ret[4], size_t *n, struct str name, struct str value)
{
    ret[(*n)++] = (struct field){name, value};
}

static void sign_standard(const struct proof *p, struct str body, int64_t now_ms, struct arena *a,
                          struct field ret[4], size_t *ret_n)
{
    const struct standard_message m = {
        .id = arena_printf(a, "msg_%lld", (long long)now_ms),
        .timestamp = arena_printf(a, "%lld", (long long)(now_ms / SECONDS_MS)),
        .body = body,
    };
    struct str key = STR("");

    rc_ignored(standard_key(p->secret, a, &key, NULL)); /* the configuration's check saw to it */
    add(ret, ret_n, STR("webhook-id"), m.id);
    add(ret, ret_n, STR("webhook-timestamp"), m.timestamp);
    add(ret, ret_n, STR("webhook-signature"), standard_sign(key, &m, a));
}

static void sign_hmac(const struct proof *p, struct str body, int64_t now_ms, struct arena *a,
                      struct field ret[4], size_t *ret_n)
{
    struct claim c = {0};

    if (p->timestamp_header.len) {
        c.timestamp = arena_printf(a, "%lld", (long long)(now_ms / SECONDS_MS));
        add(ret, ret_n, p->timestamp_header, c.timestamp);
    }
    struct str text = signature(p, p->secret, &c, body, a);
    add(ret, ret_n, p->header, arena_printf(a, "%.*s%.*s", STR_ARG(p->prefix), STR_ARG(text)));
}

static void sign(const struct proof *p, struct str body, int64_t now_ms, struct arena *a,
                 struct field ret[4], size_t *ret_n)
{
    struct str prefix = prefix_of(p);

    if (p->kind == PROOF_STANDARD)
        sign_standard(p, body, now_ms, a, ret, ret_n);
    else if (p->kind == PROOF_SECRET)
        add(ret, ret_n, str_of(header_name(p, a)),
            arena_printf(a, "%.*s%.*s", STR_ARG(prefix), STR_ARG(p->secret)));
    else
        sign_hmac(p, body, now_ms, a, ret, ret_n);
}

enum rc proof_sign_request(const struct source *s, const struct proof *p, struct str base_url,
                           struct str body, int64_t now_ms, struct arena *a,
                           struct field ret_headers[4], size_t *ret_n, struct str *ret_url,
                           struct why *why)
{
    struct str base = base_url.len ? base_url : s->public_url;

    if (!base.len)
        return why_fail(RC_INVALID, why, "where to? say --url, or set [server] public_url");
    while (str_ends(base, STR("/")))
        base.len--;
    ret_headers[0] = (struct field){STR("Content-Type"), STR("application/json")};
    *ret_n = 1;
    sign(p, body, now_ms, a, ret_headers, ret_n);
    *ret_url = arena_printf(a, "%.*s%.*s", STR_ARG(base), STR_ARG(source_path(s)));
    return RC_OK;
}
