/* sites_priv.h - what the listeners work by, prepared: routes, networks, series. Immutable. */
#ifndef FUNNELD_HTTP_SITES_PRIV_H
#define FUNNELD_HTTP_SITES_PRIV_H

#include "client_priv.h"
#include "funneld/http/server.h"
#include "funneld/observe/metrics.h"

/* Labels of funneld_requests_rejected_total{reason}. */
#define REJECTED_LIST(X)                                                                           \
    X(SIGNATURE, "signature")                                                                      \
    X(TIMESTAMP, "timestamp")                                                                      \
    X(JSON, "json")                                                                                \
    X(LENGTH, "length")                                                                            \
    X(TOO_LARGE, "too_large")                                                                      \
    X(MEDIA_TYPE, "media_type")                                                                    \
    X(METHOD, "method")                                                                            \
    X(OVERLOAD, "overload")                                                                        \
    X(DISK, "disk")                                                                                \
    X(SHUTDOWN, "shutdown")

enum rejected {
#define X(name, label) REJECTED_##name,
    REJECTED_LIST(X)
#undef X
        REJECTED_COUNT
};

enum { SITE_CODES = 8 };

struct site {
    const struct source *source;
    struct str path;
    struct series *rejected[REJECTED_COUNT];
    struct series *seconds[SITE_CODES];
    struct series *skew; /* NULL: its senders sign no time */
};

struct site_set {
    struct ref ref;
    struct sites sites;
    struct site *items; /* one for each source */
    size_t n;
    struct network *trusted;
    size_t n_trusted;
};

/* Takes a reference of its own to sites->owner. RC_INVALID: a trusted proxy is no network. */
MUST_CHECK enum rc site_set_new(const struct sites *sites, struct site_set **ret, struct why *why);
void site_set_drop(struct site_set *set);                                  /* NULL is fine */
const struct site *site_find(const struct site_set *set, struct str path); /* NULL: unknown */
const char *rejected_label(enum rejected r);
struct series *site_seconds(const struct site *site, int status); /* NULL: not one of ours */

#endif
