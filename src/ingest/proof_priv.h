/* ingest/proof_priv.h - how a sender that is not HubSpot proves who it is.
 *
 * A secret as it is, an HMAC of the body, or Standard Webhooks (outbound-webhooks.md 2). Our own
 * text is compared with theirs in constant time, theirs is never decoded; a header that comes
 * twice proves nothing. The clock is received_at.
 */
#ifndef FUNNELD_INGEST_PROOF_PRIV_H
#define FUNNELD_INGEST_PROOF_PRIV_H

#include "ingest_priv.h"

/* The order of the choices of `signature`. */
enum proof_kind { PROOF_STANDARD, PROOF_SHA256, PROOF_SHA1, PROOF_SHA512, PROOF_SECRET };
enum proof_encoding { PROOF_HEX, PROOF_BASE64 };

struct proof {
    struct str secret, secret_previous;
    int64_t kind, encoding;
    struct str header, prefix, timestamp_header;
};

extern const char *const proof_encodings[];

#define PROOF_OPTIONS(settings_, member_)                                                          \
    {.key = "signature_header",                                                                    \
     .type = OPTION_TEXT,                                                                          \
     .offset = offsetof(settings_, member_.header),                                                \
     .example = "X-Signature",                                                                     \
     .help = "header that the signature stands in; standard has names of its own"},                \
        {.key = "signature_prefix",                                                                \
         .type = OPTION_TEXT,                                                                      \
         .offset = offsetof(settings_, member_.prefix),                                            \
         .example = "sha256=",                                                                     \
         .help = "what stands in front of the signature in its header"},                           \
        {.key = "signature_encoding",                                                              \
         .type = OPTION_CHOICE,                                                                    \
         .offset = offsetof(settings_, member_.encoding),                                          \
         .fallback = "hex",                                                                        \
         .choices = proof_encodings,                                                               \
         .help = "how an hmac is written"},                                                        \
    {                                                                                              \
        .key = "timestamp_header", .type = OPTION_TEXT,                                            \
        .offset = offsetof(settings_, member_.timestamp_header), .example = "X-Timestamp",         \
        .help = "signed as well: the hmac is then of this header's text, a dot, and the body; in " \
                "seconds or milliseconds, at most 5 minutes from now"                              \
    }

/* Settings that cannot go together. */
void proof_check(const struct proof *p, const struct conf_section *section,
                 struct conf_problems *problems);

/* From the headers alone, as far as that goes. */
enum refusal proof_head(const struct proof *p, const struct raw_request *r, struct arena *a,
                        struct why *why);
enum refusal proof_verify(const struct proof *p, const struct raw_request *r, struct arena *a,
                          struct why *why);

/* Both are always compared: the time taken does not tell which one is in use. */
bool proof_is_secret(const struct proof *p, struct str given);

/* What `funneld sign` does for every sender that does not sign the address. */
MUST_CHECK enum rc proof_sign_request(const struct source *s, const struct proof *p,
                                      struct str base_url, struct str body, int64_t now_ms,
                                      struct arena *a, struct field ret_headers[4], size_t *ret_n,
                                      struct str *ret_url, struct why *why);

#endif
