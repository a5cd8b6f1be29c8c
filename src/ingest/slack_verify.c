/* ingest/slack_verify.c - who sent a request: Slack's signature v0 over the raw body.
 *
 * Slack's document rejects what is more than five minutes away on either side; its own package
 * looks at the past only.
 */
#include <stdlib.h>

#include "slack_priv.h"

enum { SKEW_SECONDS = 300, PROBE_BYTES_MAX = 512 };

struct str slack_signature(struct str secret, struct str timestamp, struct str body,
                           struct arena *a)
{
    const struct str parts[] = {STR("v0:"), timestamp, STR(":"), body};
    uint8_t digest[SHA256_LEN];
    char hex[SHA256_HEX];

    hmac_sha256(secret, parts, ARRAY_LEN(parts), digest);
    hex_encode(digest, sizeof digest, hex);
    return arena_printf(a, "v0=%s", hex);
}

struct signature_headers {
    struct str signature, timestamp;
};

static enum refusal read_headers(const struct raw_request *r, struct signature_headers *ret,
                                 struct why *why)
{
    if (header_get(r, "X-Slack-Signature", &ret->signature) == HEADER_REPEATED)
        return refuse(REFUSED_SIGNATURE, why, "X-Slack-Signature was sent twice");
    if (header_get(r, "X-Slack-Request-Timestamp", &ret->timestamp) == HEADER_REPEATED)
        return refuse(REFUSED_TIMESTAMP, why, "X-Slack-Request-Timestamp was sent twice");
    return REFUSED_NOT;
}

/* Digits only: a sign or a blank before them is nothing that Slack signs. */
static bool read_seconds(struct str text, int64_t *ret)
{
    return text.len && text.at[0] != '-' && str_int64(text, ret);
}

static bool is_of_now(struct str timestamp, int64_t now_ms)
{
    int64_t sent, now = now_ms / SECONDS_MS;

    return read_seconds(timestamp, &sent) && sent >= now - SKEW_SECONDS &&
           sent <= now + SKEW_SECONDS;
}

static bool is_unsigned(const struct signature_headers *h)
{
    return !h->signature.at && !h->timestamp.at;
}

/* Only of a body this short it is worth waiting to see whether it is a probe. */
static bool may_be_probe(const struct raw_request *r)
{
    struct str length;
    int64_t bytes;

    return header_get(r, "Content-Length", &length) == HEADER_ONCE && str_int64(length, &bytes) &&
           bytes <= PROBE_BYTES_MAX;
}

static enum refusal judge_headers(const struct signature_headers *h, const struct raw_request *r,
                                  struct why *why)
{
    if (!h->signature.at)
        return refuse(REFUSED_SIGNATURE, why, "X-Slack-Signature is missing");
    if (!is_of_now(h->timestamp, r->received_at))
        return refuse(REFUSED_TIMESTAMP, why, "X-Slack-Request-Timestamp is %s",
                      h->timestamp.at ? "not a time within 5 minutes of ours" : "missing");
    return REFUSED_NOT;
}

enum refusal slack_verify_head(const struct source *s, const struct raw_request *r, struct arena *a,
                               struct why *why)
{
    struct signature_headers h = {0};
    enum refusal refused = read_headers(r, &h, why);

    (void)s;
    (void)a;
    if (refused || (is_unsigned(&h) && may_be_probe(r)))
        return refused;
    return judge_headers(&h, r, why);
}

static bool is_signed_with(struct str secret, const struct signature_headers *h, struct str body,
                           struct arena *a)
{
    return secret.len && crypto_equal(slack_signature(secret, h->timestamp, body, a), h->signature);
}

enum refusal slack_verify(const struct source *s, const struct raw_request *r, struct arena *a,
                          struct why *why)
{
    const struct slack_source *own = s->settings;
    struct signature_headers h = {0};
    enum refusal refused = read_headers(r, &h, why);

    if (!refused && is_unsigned(&h) && slack_is_probe(r->body, a))
        return REFUSED_NOT;
    if (!refused)
        refused = judge_headers(&h, r, why);
    if (refused)
        return refused;
    /* Both are always tried: the time taken does not tell which one is in use. */
    bool now = is_signed_with(own->secret, &h, r->body, a);
    bool before = is_signed_with(own->secret_previous, &h, r->body, a);
    if (!now && !before)
        return refuse(REFUSED_SIGNATURE, why, "the v0 signature is wrong");
    return REFUSED_NOT;
}

bool slack_signed_at(const struct raw_request *r, int64_t *ret_unix_ms)
{
    struct signature_headers h = {0};
    int64_t seconds;

    if (read_headers(r, &h, NULL) || !read_seconds(h.timestamp, &seconds) ||
        seconds > EVENT_TIME_MAX / SECONDS_MS)
        return false;
    *ret_unix_ms = seconds * SECONDS_MS;
    return true;
}

enum rc slack_sign(const struct source *s, struct str base_url, struct str version, struct str body,
                   int64_t now_ms, struct arena *a, struct field ret_headers[4], size_t *ret_n,
                   struct str *ret_url, struct why *why)
{
    const struct slack_source *own = s->settings;
    struct str base = base_url.len ? base_url : s->public_url;
    struct str timestamp = arena_printf(a, "%lld", (long long)(now_ms / SECONDS_MS));

    (void)version; /* there is one */
    if (!base.len)
        return why_fail(RC_INVALID, why, "where to? say --url, or set [server] public_url");
    while (str_ends(base, STR("/")))
        base.len--;
    ret_headers[0] = (struct field){STR("Content-Type"), STR("application/x-www-form-urlencoded")};
    ret_headers[1] = (struct field){STR("X-Slack-Request-Timestamp"), timestamp};
    ret_headers[2] =
        (struct field){STR("X-Slack-Signature"), slack_signature(own->secret, timestamp, body, a)};
    *ret_n = 3;
    *ret_url = arena_printf(a, "%.*s%.*s", STR_ARG(base), STR_ARG(own->common.path));
    return RC_OK;
}
