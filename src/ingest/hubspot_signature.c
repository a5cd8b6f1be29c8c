/* ingest/hubspot_signature.c - computing and checking HubSpot's signatures v1, v2 and v3. */
#include "funneld/ingest/hubspot_signature.h"

#include <string.h>

#include "funneld/base/crypto.h"
#include "funneld/base/rc.h"

/* The only escapes that v3 decodes before signing; %20, %25, %26 ... stay as they are. */
static const struct escape {
    char high, low, plain;
} v3_escapes[] = {
    {'3', 'A', ':'}, {'2', 'F', '/'}, {'3', 'F', '?'},  {'4', '0', '@'},
    {'2', '1', '!'}, {'2', '4', '$'}, {'2', '7', '\''}, {'2', '8', '('},
    {'2', '9', ')'}, {'2', 'A', '*'}, {'2', 'C', ','},  {'3', 'B', ';'},
};

static char upper_digit(char c)
{
    return c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c;
}

/* The character that an escape at the front of s stands for; NUL when it is none to decode. */
static char unescaped(struct str s)
{
    if (s.len < 3 || s.at[0] != '%')
        return '\0';
    for (size_t i = 0; i < ARRAY_LEN(v3_escapes); i++)
        if (s.at[1] == v3_escapes[i].high && upper_digit(s.at[2]) == v3_escapes[i].low)
            return v3_escapes[i].plain;
    return '\0';
}

struct str hubspot_signed_uri(struct str uri, struct arena *a)
{
    if (!str_chr(uri, '%'))
        return uri;
    char *text = arena_alloc(a, uri.len);
    size_t n = 0;
    for (struct str rest = uri; rest.len;) {
        char plain = unescaped(rest);

        text[n++] = plain ? plain : rest.at[0];
        rest = str_from(rest, plain ? 3 : 1);
    }
    return (struct str){text, n};
}

static struct str hex(const uint8_t digest[SHA256_LEN], struct arena *a)
{
    char *text = arena_alloc(a, SHA256_HEX);

    hex_encode(digest, SHA256_LEN, text);
    return (struct str){text, SHA256_HEX - 1};
}

static struct str sign_v1(const struct hubspot_request *r, struct str secret, struct arena *a)
{
    const struct str parts[] = {secret, r->body};
    uint8_t digest[SHA256_LEN];

    sha256(parts, ARRAY_LEN(parts), digest);
    return hex(digest, a);
}

static struct str sign_v2(const struct hubspot_request *r, struct str secret, struct arena *a)
{
    const struct str parts[] = {secret, r->method, r->uri, r->body};
    uint8_t digest[SHA256_LEN];

    sha256(parts, ARRAY_LEN(parts), digest);
    return hex(digest, a);
}

static struct str sign_v3(const struct hubspot_request *r, struct str secret, struct arena *a)
{
    const struct str parts[] = {r->method, hubspot_signed_uri(r->uri, a), r->body, r->timestamp};
    uint8_t digest[SHA256_LEN];

    hmac_sha256(secret, parts, ARRAY_LEN(parts), digest);
    return base64_encode(a, (struct str){(const char *)digest, SHA256_LEN});
}

struct str hubspot_signature(enum hubspot_version version, const struct hubspot_request *r,
                             struct str secret, struct arena *a)
{
    static struct str (*const sign[HUBSPOT_VERSIONS])(const struct hubspot_request *, struct str,
                                                      struct arena *) = {
        [HUBSPOT_V1] = sign_v1,
        [HUBSPOT_V2] = sign_v2,
        [HUBSPOT_V3] = sign_v3,
    };

    return sign[version](r, secret, a);
}

bool hubspot_timestamp_valid(struct str timestamp, int64_t now_ms)
{
    int64_t sent;

    if (!str_int64(timestamp, &sent))
        return false;
    return sent >= now_ms - HUBSPOT_CLOCK_SKEW_MS && sent <= now_ms + HUBSPOT_CLOCK_SKEW_MS;
}

bool hubspot_signature_valid(enum hubspot_version version, const struct hubspot_request *r,
                             struct str secret, struct str signature, int64_t now_ms,
                             struct arena *a)
{
    if (!secret.len)
        return false;
    if (version == HUBSPOT_V3 && !hubspot_timestamp_valid(r->timestamp, now_ms))
        return false;
    return crypto_equal(hubspot_signature(version, r, secret, a), signature);
}
