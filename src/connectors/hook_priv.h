/* connectors/hook_priv.h - what http, zapier and rest_hooks share: each posts one message to one
 * address and reads no more than the status of the answer.
 *
 * They send the delivery's own id, but whether the receiver looks at it nobody knows: after an
 * attempt that may have worked there is nothing to ask, only to send again or not.
 */
#ifndef FUNNELD_CONNECTORS_HOOK_PRIV_H
#define FUNNELD_CONNECTORS_HOOK_PRIV_H

#include "connectors_priv.h"

enum hook_doubt { HOOK_DOUBT_RESEND, HOOK_DOUBT_DROP };
extern const char *const hook_doubts[];

#define HOOK_DOUBT_OPTION(struct_type)                                                             \
    {                                                                                              \
        .key = "on_ambiguous", .type = OPTION_CHOICE,                                              \
        .offset = offsetof(struct_type, on_ambiguous), .choices = hook_doubts,                     \
        .example = "resend", .help = "what to do about a message that may have arrived"            \
    }

/* Cross-field check of an address that is a secret; says nothing of it. */
void hook_check_url(struct str url, const struct conf_section *section,
                    struct conf_problems *problems);

/* RC_INVALID: it may have arrived, and is not to be sent again. */
MUST_CHECK enum rc hook_begin(const struct job *job, int64_t on_ambiguous, struct why *why);

/* What one status means; what a table does not hold is tried again until give_up. */
enum hook_class {
    HOOK_DEAD,     /* this message or this address: needs a person */
    HOOK_THROTTLE, /* the receiver or what stands before it has too much to do */
    HOOK_MISSING,  /* perhaps only while it is being replaced: dead after three days */
    HOOK_GONE,     /* it says itself that it will not come back */
};
struct hook_status {
    int status;
    enum hook_class class;
    const char *advice;
};
enum hook_rest { HOOK_REST_LANE, HOOK_REST_NOBODY }; /* who rests while one is throttled */

enum judged hook_judge(struct job *job, const struct http_response *r,
                       const struct hook_status table[], size_t n, enum hook_rest rest);

/* lead_payload.c: what others are told of a lead, keys flat and never renamed */
/* "lead.hot", "lead.warm", "lead.cold" where it has come into that band, else "lead.changed". */
const char *lead_event(const struct parcel *p);
void lead_payload(struct sbuf *b, const struct parcel *p, struct arena *a); /* an object */
/* The route's message, or the built-in one, for a chat. */
struct str lead_message(const struct parcel *p, struct arena *a);

#endif
