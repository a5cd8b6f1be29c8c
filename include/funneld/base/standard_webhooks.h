/* base/standard_webhooks.h - signatures of the Standard Webhooks specification 1.0.0, both ways.
 *
 * What is signed is "<webhook-id>.<webhook-timestamp>.<body>", the body byte by byte as it is sent;
 * the timestamp is Unix seconds of this attempt. Symmetric keys only ("v1"). Pure; any thread.
 */
#ifndef FUNNELD_BASE_STANDARD_WEBHOOKS_H
#define FUNNELD_BASE_STANDARD_WEBHOOKS_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/base/str.h"

enum { STANDARD_KEY_MIN = 24, STANDARD_KEY_MAX = 64, STANDARD_TOLERANCE_S = 300 };

/* The bytes of a secret: "whsec_" and standard base64, or the base64 alone. RC_INVALID: it is not
 * base64, or not of 24 to 64 bytes; no why repeats any of it. */
MUST_CHECK enum rc standard_key(struct str secret, struct arena *a, struct str *ret,
                                struct why *why);

/* What the three headers and the body are; the signatures only where they are verified. */
struct standard_message {
    struct str id, timestamp, body, signatures;
};

/* "v1,<base64>". */
struct str standard_sign(struct str key, const struct standard_message *m, struct arena *a);

/* Whether one of the signatures, which have blanks between them, is that of this key. Those of
 * other versions are passed over. */
bool standard_signed(struct str key, const struct standard_message *m);

/* Seconds, strictly decimal; false: it is none. */
bool standard_time(struct str timestamp, int64_t *ret_unix_s);
/* Not more than five minutes away, either way. */
bool standard_time_fits(int64_t unix_s, int64_t now_ms);

#endif
