/* ingest/workflow_priv.h - the parts of the HubSpot workflow source among themselves. */
#ifndef FUNNELD_INGEST_WORKFLOW_PRIV_H
#define FUNNELD_INGEST_WORKFLOW_PRIV_H

#include "hubspot_priv.h"
#include "mapping_priv.h"

struct workflow {
    struct source_common common;
    struct hubspot_auth auth;
    struct str api_key, api_key_previous, api_key_header, api_key_query;
    int64_t portal, object; /* enum object_kind; OBJECT_NONE: contacts */
    struct str enrolment;   /* path */
    struct str enrich;
    int64_t dedupe_window;
};

/* What the settings add to a body, in the form in which it is kept with it. */
struct mapping workflow_mapping(const struct workflow *w, struct arena *a);

/* Turns the body into an event that event_init has prepared. */
void workflow_event(const json *node, const struct workflow *w, const struct mapping *m,
                    struct arena *a, struct event *e);

/* workflow_verify.c */
enum refusal workflow_verify_head(const struct source *s, const struct raw_request *r,
                                  struct arena *a, struct why *why);
enum refusal workflow_verify(const struct source *s, const struct raw_request *r, struct arena *a,
                             struct why *why);
const char *workflow_proof(const struct source *s, const struct raw_request *r);
enum rc workflow_sign(const struct source *s, struct str base_url, struct str version,
                      struct str body, int64_t now_ms, struct arena *a, struct field ret_headers[4],
                      size_t *ret_n, struct str *ret_url, struct why *why);

#endif
