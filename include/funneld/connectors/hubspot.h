/* connectors/hubspot.h - the properties that a hubspot connector writes: does the account have
 * them, are they of a type that takes what is written, and make those that are missing.
 *
 * Pure, a conversation like a job's: next() gives a request, take() its answer, until next() says
 * that all is known. HubSpot's answers decide; nothing is made unless `create` is set.
 */
#ifndef FUNNELD_CONNECTORS_HUBSPOT_SETUP_H
#define FUNNELD_CONNECTORS_HUBSPOT_SETUP_H

#include "funneld/base/http.h"
#include "funneld/base/mem.h"
#include "funneld/base/rc.h"

enum { HUBSPOT_SETUP_MAX = 8 };

enum hubspot_setup_state {
    SETUP_UNKNOWN,
    SETUP_THERE,
    SETUP_MISSING, /* and it was not to be created */
    SETUP_CREATED,
    SETUP_UNFIT,   /* it is of a type that cannot hold what is written */
    SETUP_REFUSED, /* detail says why nothing is known of it */
};

struct hubspot_property {
    int output;      /* the connector's own */
    struct str name; /* internal */
    enum hubspot_setup_state state;
    struct str detail; /* for people: what is wrong and what to do; missing: nothing */
};

struct hubspot_setup {
    const void *settings;
    struct arena *arena; /* the caller's */
    bool create;
    struct hubspot_property items[HUBSPOT_SETUP_MAX];
    size_t n, at;
};

void hubspot_setup_begin(const void *settings, bool create, struct arena *a,
                         struct hubspot_setup *ret);
/* RC_NONE: there is nothing more to ask. */
MUST_CHECK enum rc hubspot_setup_next(struct hubspot_setup *s, struct http_request *ret,
                                      struct why *why);
void hubspot_setup_take(struct hubspot_setup *s, const struct http_response *r);

#endif
