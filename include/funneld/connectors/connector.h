/* connectors/connector.h - how we speak with one service: request out, verdict in.
 *
 * A connector is a table of pure functions: it never connects, waits, logs or reads a clock. A
 * job is one conversation about one or more deliveries of the same connector; the engine calls
 *
 *     build() -> send -> judge() -> (JUDGED_CONTINUE: build() again) -> one verdict per delivery
 *
 * What lasts longer than a job (an access token, a discovered schema) is kept in the session,
 * one per connector, owned by the delivery thread. A new service is one file and one line in
 * connector_types[].
 */
#ifndef FUNNELD_CONNECTORS_CONNECTOR_H
#define FUNNELD_CONNECTORS_CONNECTOR_H

#include "funneld/base/http.h"
#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/config/conf.h"
#include "funneld/lead/object.h"
#include "funneld/route/delivery.h"
#include "funneld/route/route.h"

struct connector_common { /* first member of every connector's settings: keys that all have */
    struct str url, ca_file;
    int64_t timeout_ms, concurrency;
    double rate; /* requests a second */
    int64_t settle_ms, give_up_ms, backoff_ms, backoff_max_ms;
};

/* The common options with a connector's own defaults: put last into its option table. */
#define CONNECTOR_OPTIONS(struct_type, url_, timeout_, concurrency_, rate_, settle_)               \
    {.key = "url",                                                                                 \
     .type = OPTION_URL,                                                                           \
     .offset = offsetof(struct_type, common.url),                                                  \
     .fallback = url_,                                                                             \
     .help = "where the service answers; http:// only to loopback"},                               \
        CONNECTOR_PACE(struct_type, timeout_, concurrency_, rate_, settle_, "14d", "2s", "15m")

/* Without the URL, for those that have one of another kind. */
#define CONNECTOR_PACE(struct_type, timeout_, concurrency_, rate_, settle_, give_up_, backoff_,    \
                       backoff_max_)                                                               \
    {.key = "ca_file",                                                                             \
     .type = OPTION_TEXT,                                                                          \
     .offset = offsetof(struct_type, common.ca_file),                                              \
     .example = "/etc/ssl/certs/ca-certificates.crt",                                              \
     .help = "trust these roots instead of the system's"},                                         \
        {.key = "timeout",                                                                         \
         .type = OPTION_DURATION,                                                                  \
         .offset = offsetof(struct_type, common.timeout_ms),                                       \
         .fallback = timeout_,                                                                     \
         .min = 100,                                                                               \
         .max = 600000,                                                                            \
         .help = "of one request"},                                                                \
        {.key = "concurrency",                                                                     \
         .type = OPTION_INT,                                                                       \
         .offset = offsetof(struct_type, common.concurrency),                                      \
         .fallback = concurrency_,                                                                 \
         .min = 1,                                                                                 \
         .max = 64,                                                                                \
         .help = "requests in flight at once"},                                                    \
        {.key = "rate",                                                                            \
         .type = OPTION_RATE,                                                                      \
         .offset = offsetof(struct_type, common.rate),                                             \
         .fallback = rate_,                                                                        \
         .help = "requests at most"},                                                              \
        {.key = "settle",                                                                          \
         .type = OPTION_DURATION,                                                                  \
         .offset = offsetof(struct_type, common.settle_ms),                                        \
         .fallback = settle_,                                                                      \
         .min = 0,                                                                                 \
         .max = 3600000,                                                                           \
         .help = "how long after an ambiguous attempt the service is asked whether it arrived"},   \
        {.key = "give_up",                                                                         \
         .type = OPTION_DURATION,                                                                  \
         .offset = offsetof(struct_type, common.give_up_ms),                                       \
         .fallback = give_up_,                                                                     \
         .help = "age at which a delivery that never got through is dead; 0: never"},              \
        {.key = "backoff",                                                                         \
         .type = OPTION_DURATION,                                                                  \
         .offset = offsetof(struct_type, common.backoff_ms),                                       \
         .fallback = backoff_,                                                                     \
         .min = 1,                                                                                 \
         .help = "first wait between attempts; doubles, with full jitter"},                        \
    {                                                                                              \
        .key = "backoff_max", .type = OPTION_DURATION,                                             \
        .offset = offsetof(struct_type, common.backoff_max_ms), .fallback = backoff_max_,          \
        .min = 1, .help = "longest wait between attempts"                                          \
    }

/* One delivery with all that a message may need. */
struct parcel {
    struct delivery d;
    const struct lead *lead;     /* as it is now */
    const struct object *object; /* whose record is asked for; NULL: the lead's own */
    struct str public_id;        /* "<database id>-<n>" of the delivery */
    struct str lead_public_id;
    struct str crm_url;     /* link to the record in the CRM; missing: not a CRM contact */
    struct str remote_lead; /* the lead's object in this service, e.g. Notion page id; missing */
    struct str target;      /* the address that subscribed; missing: none did, or not any more */
    const struct message *message; /* of the route, for this connector; NULL: built-in */
    enum language language;        /* of the built-in message */
};

enum verdict {
    VERDICT_NONE, /* not decided: the job goes on */
    VERDICT_DELIVERED,
    VERDICT_RETRY,     /* the service did nothing, or repeating is harmless: try later */
    VERDICT_AMBIGUOUS, /* it may have happened: look before repeating */
    VERDICT_DEAD,      /* this will never work; reason says what to do */
    VERDICT_MORE,      /* a part is done, remote_id says which: at once again, from there on */
};

/* What a property was since a time, as the CRM's history has it. */
struct version {
    struct str name, value;
    int64_t at;
};

struct record {            /* of the CRM */
    enum object_kind kind; /* OBJECT_NONE: a contact */
    const struct field *properties;
    size_t n_properties;
    int64_t updated_at, portal_id, crm_id;
    int64_t created_at;             /* of an import; 0: it does not say */
    const struct version *versions; /* of an import, in any order */
    size_t n_versions;
};

struct outcome { /* of one parcel */
    enum verdict verdict;
    struct str reason;      /* for people; never a secret */
    struct str remote_id;   /* what the service made: message ts, page id, row */
    struct str remote_lead; /* to be remembered for the lead; missing: nothing new, empty: forget */
    const struct field
        *properties; /* enrichment: what the CRM knows, folded in as contact.enriched */
    size_t n_properties;
    int64_t updated_at;           /* of the CRM record; 0 when properties is NULL */
    int64_t portal_id, crm_id;    /* of the CRM record, with properties */
    struct contact_list contacts; /* of the object that was asked for, with properties */
    bool unclear;                 /* RETRY, but for all we know this answer is final: d.unclear */
    bool target_gone;             /* who subscribed wants no more: the subscription ends */
    bool enriched;                /* the CRM was asked about it, whatever it said */
    /* Catch-up: what changed while we were away, each folded in as contact.recovered,
     * deal.recovered ...; import: all contacts. */
    const struct record *recovered;
    size_t n_recovered;
    bool without_history; /* import: it was refused for these */
};

/* A limit that a service sets on all who use one account, whichever connector asks: so many
 * requests per second on average, `burst` at once. */
struct quota {
    uint64_t key; /* quota_key() of the account and of what the limit is for */
    double per_second, burst;
};
enum { QUOTAS_MAX = 4 };

/* What an answer said of a quota: so many requests are left, for so long. */
struct quota_left {
    uint64_t key;
    int64_t requests, window_ms;
};

struct job {
    const void *settings; /* starts with struct connector_common */
    void *session;        /* session_size bytes, zeroed when the connector is (re)loaded */
    int64_t now_ms;       /* set by the engine before each call */
    const struct parcel *parcels;
    struct outcome *outcomes; /* one per parcel, filled by judge */
    size_t n;
    bool look;           /* an earlier attempt is ambiguous: look before repeating */
    int step;            /* the connector's own; 0 at the start */
    void *scratch;       /* the connector's own, in arena, across steps of this job */
    struct arena *arena; /* lives as long as the job */
    int64_t pause_ms;    /* judge may ask that the whole connector rests: Retry-After of a quota */
    struct quota_left left; /* judge may say what is left of a quota; key 0: nothing was said */
    bool digest; /* set by the engine: one message for all parcels, of a flooded channel */
    /* Set by judge: the service itself does not work for us (a revoked token, a channel that is
     * gone) and a person must mend it. The connector rests, what waits for it is kept; with RETRY
     * and a reason that says what to mend. */
    bool broken;
    /* Set by judge with JUDGED_CONTINUE: what this request did is known for sure, because it was
     * refused or because the outcomes say it. If the next one fails, nobody has to look for it. */
    bool settled;
};

/* Parcels of a job with `digest`, at most; without it there are no more than the type takes. */
enum { DIGEST_MAX = 250 };

struct probe; /* probe.h */

enum judged {
    JUDGED_CONTINUE, /* build the next request of this job */
    JUDGED_DONE,     /* every outcome has a verdict */
};

struct connector_type {
    const char *name; /* "slack" */
    const struct section_spec *spec;
    size_t session_size;
    void (*session_free)(void *session);          /* NULL: nothing to free inside */
    size_t max_batch;                             /* parcels per job */
    int64_t (*batch_limit)(const void *settings); /* NULL: max_batch */
    /* More than count deliveries within the window become one message, a job with `digest`. false:
     * never, as configured; NULL: this service has none. */
    bool (*digest)(const void *settings, int64_t *ret_count, int64_t *ret_window_ms);
    /* Whether two deliveries may be in one job, where that depends on more than the connector;
     * NULL: always. */
    bool (*together)(const void *settings, const struct parcel *first, const struct parcel *other);
    bool (*upserts)(const void *settings); /* where `upsert` depends on them; NULL: it does not */
    bool upsert;     /* a newer delivery for the same lead replaces a pending one */
    bool enriches;   /* can be `enrich = NAME` of a source */
    bool explains;   /* says why the models say what they say */
    bool routable;   /* may stand in a route's `to` */
    bool subscribed; /* a delivery for each subscription of the route, instead of one */
    bool answers;    /* an event may answer one of its messages; a delivery with a remote_id then
                        brings that message up to date */
    void (*check)(const void *settings, const struct conf_section *section,
                  struct conf_problems *problems); /* cross-field checks; NULL: none */
    /* What is set for single routes, by their names: the configuration's check wants routes of
     * these names that deliver to the connector. NULL: nothing is. */
    const struct str_pairs *(*per_route)(const void *settings);
    /* Whether it writes this property of a contact: news of it are our own doing. NULL: none. */
    bool (*writes)(const void *settings, struct str property);
    /* RC_INVALID: the job cannot be expressed; why becomes the dead reason of every parcel.
     * RC_NONE: there is nothing to send, build has given every parcel its verdict. */
    enum rc (*build)(struct job *job, struct http_request *ret, struct why *why);
    /* The quotas that the request which build() would make next draws from, at most QUOTAS_MAX. May
     * be asked before there are parcels. NULL: the connector's own rate is the only limit. */
    size_t (*quotas)(const struct job *job, struct quota ret[]);
    /* Called for HTTP_ANSWERED only, unless it asks for more: a request that was not sent is
     * retried, one with unknown fate is RETRY when repeatable, else AMBIGUOUS. */
    enum judged (*judge)(struct job *job, const struct http_response *r);
    /* Whether it works (probe.h). next: sets p->about; RC_NONE: there is nothing more to ask. take:
     * called for answers that say something of it; whoever has no answer, or too much to do, has
     * been heard before, unless the question was optional. */
    enum rc (*probe_next)(struct probe *p, struct http_request *ret, struct why *why);
    void (*probe_take)(struct probe *p, const struct http_response *r);
};

/* One [connector NAME]. */
struct connector {
    const struct connector_type *type;
    struct str name;
    const void *settings;
};

static inline size_t connector_quotas(const struct connector *c, const struct job *job,
                                      struct quota ret[])
{
    return c->type->quotas ? c->type->quotas(job, ret) : 0;
}

static inline bool connector_upserts(const struct connector *c)
{
    return c->type->upserts ? c->type->upserts(c->settings) : c->type->upsert;
}

extern const struct connector_type *const connector_types[];
extern const size_t n_connector_types;

/* A name for a limit that tells nothing of the secret that it is made from. */
uint64_t quota_key(struct str account, const char *limit);

/* Helpers for the verdict tables */
enum judged judge_all(struct job *job, enum verdict v,
                      struct str reason); /* for every parcel that has none yet */
/* "HTTP 503: <first 200 printable bytes of the body>" */
struct str http_reason(const struct http_response *r, struct arena *a);

/* Whether the event says no more than that one of these has written to a contact: the CRM tells its
 * listeners of every change, whoever made it. */
bool is_own_echo(const struct connector connectors[], size_t n, const struct event *e);

/* hubspot: how the CRM shows a contact; when a lead is stale; how long we must have been away to
 * ask what changed meanwhile (0: never), and of which account, as far as is configured. */
struct str hubspot_contact_url(const void *settings, int64_t portal_id, int64_t crm_id,
                               struct arena *a);
int64_t hubspot_stale_after_ms(const void *settings);
int64_t hubspot_catch_up_after_ms(const void *settings);
int64_t hubspot_portal(const void *settings);

/* rest_hooks: whether this may be subscribed, and how it is kept; RC_INVALID: why says what is
 * wrong with it, for whoever asked. */
extern const struct connector_type rest_hooks_connector;
MUST_CHECK enum rc rest_hooks_target(const void *settings, struct str url, struct arena *a,
                                     struct str *ret, struct why *why);
int64_t rest_hooks_max(const void *settings); /* subscriptions of all routes */
/* What the editor of Zaps subscribes when a person tries one out: nothing may be sent there. */
bool rest_hooks_is_trial(struct str target);
/* What a subscriber is sent: one flat object. */
void rest_hooks_payload(struct sbuf *b, const struct parcel *p, struct arena *a);

#endif
