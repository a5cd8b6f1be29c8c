/* ingest/hubspot_signature.h - HubSpot's three ways to sign a request (hubspot.md 2).
 *
 * Over the exact bytes received, compared as text in constant time. Pure; any thread.
 */
#ifndef FUNNELD_INGEST_HUBSPOT_SIGNATURE_H
#define FUNNELD_INGEST_HUBSPOT_SIGNATURE_H

#include "funneld/base/mem.h"
#include "funneld/base/str.h"

#define HUBSPOT_CLOCK_SKEW_MS INT64_C(300000)

enum hubspot_version { HUBSPOT_V1, HUBSPOT_V2, HUBSPOT_V3, HUBSPOT_VERSIONS };

struct hubspot_request {
    struct str method;    /* upper case */
    struct str uri;       /* absolute, escapes as they came over the wire */
    struct str body;      /* raw bytes */
    struct str timestamp; /* X-HubSpot-Request-Timestamp, verbatim; v3 only */
};

/* The text that belongs into the signature header. */
struct str hubspot_signature(enum hubspot_version version, const struct hubspot_request *r,
                             struct str secret, struct arena *a);

/* Whether the header's text proves knowledge of the secret and, for v3, the timestamp is within
 * five minutes of now. An empty secret proves nothing. */
bool hubspot_signature_valid(enum hubspot_version version, const struct hubspot_request *r,
                             struct str secret, struct str signature, int64_t now_ms,
                             struct arena *a);

/* Digits only, Unix milliseconds, at most five minutes from now in either direction. */
bool hubspot_timestamp_valid(struct str timestamp, int64_t now_ms);

/* What v3 signs in place of the URI: twelve escapes decoded, once. */
struct str hubspot_signed_uri(struct str uri, struct arena *a);

#endif
