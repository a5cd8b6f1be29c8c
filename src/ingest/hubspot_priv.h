/* ingest/hubspot_priv.h - the parts of the HubSpot source among themselves. */
#ifndef FUNNELD_INGEST_HUBSPOT_PRIV_H
#define FUNNELD_INGEST_HUBSPOT_PRIV_H

#include "funneld/ingest/hubspot_signature.h"
#include "ingest_priv.h"

enum hubspot_require { REQUIRE_ANY, REQUIRE_V3, REQUIRE_V2 /* or v3 */ };

struct hubspot_auth {
    struct str secret, secret_previous;
    int64_t require; /* enum hubspot_require */
};

struct hubspot {
    struct source_common common;
    struct hubspot_auth auth;
    struct str enrich;
    int64_t max_events;
};

/* Turns one element of the array into an event that event_init has prepared. */
void hubspot_event(const json *node, struct arena *a, struct event *e);

enum refusal hubspot_auth_head(const struct hubspot_auth *auth, const struct raw_request *r,
                               struct why *why);
const char *hubspot_proof(const struct source *s, const struct raw_request *r);
bool hubspot_signed_at(const struct raw_request *r, int64_t *ret_unix_ms);
enum refusal hubspot_auth_verify(const struct hubspot_auth *auth, const struct source *s,
                                 const struct raw_request *r, struct arena *a, struct why *why);
/* Where the version is not given, the newest that HubSpot surely sends. */
enum rc hubspot_auth_sign(const struct hubspot_auth *auth, const struct source *s,
                          struct str base_url, struct str version, struct str body, int64_t now_ms,
                          struct arena *a, struct field ret_headers[4], size_t *ret_n,
                          struct str *ret_url, struct why *why);

#endif
