/* base/standard_webhooks.c - keys, signatures and their check. */
#include "funneld/base/standard_webhooks.h"

#include <string.h>

#include "funneld/base/crypto.h"

enum { VERSION_LEN = 3, SIGNATURE_LEN = VERSION_LEN + SHA256_BASE64 - 1, SECRET_MAX = 256 };

static const char version[] = "v1,";

/* OpenSSL skips blanks and line ends that no secret holds. */
static bool is_base64(struct str text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789+/=";

    for (size_t i = 0; i < text.len; i++)
        if (!text.at[i] || !strchr(alphabet, text.at[i]))
            return false;
    return text.len > 0;
}

enum rc standard_key(struct str secret, struct arena *a, struct str *ret, struct why *why)
{
    const struct str prefix = STR("whsec_");
    struct str text = str_starts(secret, prefix) ? str_from(secret, prefix.len) : secret, key;

    if (text.len > SECRET_MAX || !is_base64(text) || !base64_decode(a, text, &key))
        return why_fail(RC_INVALID, why, "it is not whsec_ and base64");
    if (key.len < STANDARD_KEY_MIN || key.len > STANDARD_KEY_MAX)
        return why_fail(RC_INVALID, why, "it holds %zu bytes, and must hold %d to %d", key.len,
                        STANDARD_KEY_MIN, STANDARD_KEY_MAX);
    *ret = key;
    return RC_OK;
}

struct str standard_sign(struct str key, const struct standard_message *m, struct arena *a)
{
    const struct str parts[] = {m->id, STR("."), m->timestamp, STR("."), m->body};
    uint8_t mac[SHA256_LEN];

    hmac_sha256(key, parts, ARRAY_LEN(parts), mac);
    struct str text = base64_encode(a, (struct str){(const char *)mac, sizeof mac});
    return arena_printf(a, "%s%.*s", version, STR_ARG(text));
}

bool standard_signed(struct str key, const struct standard_message *m)
{
    struct arena a AUTO(arena_free) = {0};
    struct str ours = standard_sign(key, m, &a), rest = m->signatures, one;
    bool fits = false;

    while (str_split(&rest, ' ', &one))
        fits |= one.len == SIGNATURE_LEN && crypto_equal(one, ours);
    return fits;
}

bool standard_time(struct str timestamp, int64_t *ret_unix_s)
{
    return timestamp.len && timestamp.at[0] != '-' && str_int64(timestamp, ret_unix_s);
}

bool standard_time_fits(int64_t unix_s, int64_t now_ms)
{
    int64_t now_s = now_ms / 1000;

    return unix_s >= now_s - STANDARD_TOLERANCE_S && unix_s <= now_s + STANDARD_TOLERANCE_S;
}
