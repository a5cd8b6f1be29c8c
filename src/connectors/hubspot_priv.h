/* connectors/hubspot_priv.h - the things that HubSpot's CRM is asked, each in its own file: who
 * contacts are (hubspot_read.c), what their companies, deals and tickets are (hubspot_objects.c),
 * to keep what we think of contacts (hubspot_write.c), what changed while we were away
 * (hubspot_search.c), all contacts with their past (hubspot_list.c), whether it is set up for all
 * that (hubspot_probe.c). What all answers have in common is judged in hubspot_judge.c.
 */
#ifndef FUNNELD_CONNECTORS_HUBSPOT_H
#define FUNNELD_CONNECTORS_HUBSPOT_H

#include "connectors_priv.h"

#define HUBSPOT_CONTACTS "/crm/v3/objects/contacts"

struct hubspot {
    struct connector_common common;
    struct str token;
    struct str_list properties, object_properties[OBJECT_KIND_COUNT];
    int64_t stale_after_ms;
    struct str ui_url;
    int64_t portal;
    struct str_pairs renamed;
    bool catch_up;
    int64_t catch_up_after_ms;
};

/* What is written of a lead, each into a property of its contact. */
enum hubspot_output {
    HUBSPOT_SCORE,
    HUBSPOT_BAND,
    HUBSPOT_REASONS,
    HUBSPOT_UPDATED,
    HUBSPOT_PROBABILITY, /* the last two only where they are known: most have no model */
    HUBSPOT_CHURN,
    HUBSPOT_OUTPUTS
};
const char *hubspot_output_key(enum hubspot_output o);
bool hubspot_is_of_models(enum hubspot_output o);
/* Empty: it is not to be written. */
struct str hubspot_output_property(const struct hubspot *s, enum hubspot_output o);
bool hubspot_writes(const void *settings, struct str property);

/* One way to talk, as a job begins it. */
struct hubspot_talk {
    const char *scope; /* that a private app needs for it */
    const char *property_advice;
    bool aside; /* what it may not do is no reason for the others to rest */
    enum rc (*build)(struct job *job, struct http_request *ret, struct why *why);
    /* HTTP 200 or 207 with a JSON object. */
    enum judged (*answered)(struct job *job, const json *answer);
    /* 400, 404, 409: it may be one input's fault. doc may have no root. NULL: it is the job's. */
    enum judged (*refused)(struct job *job, int status, struct str category, struct str reason);
    /* Whether the request that was sent has one contact in its path, which may be what a 404 is
     * about. NULL: none has. */
    bool (*names_one)(const struct job *job);
    /* HubSpot said that a property is missing: the rest of the job goes without it. NULL or false:
     * it cannot. */
    bool (*without)(struct job *job, struct str said);
};
/* What reading takes, of a contact and of each kind of object: the scope, and the option that names
 * what is read. */
#define HUBSPOT_READS_CONTACT(X) X(OBJECT_NONE, "crm.objects.contacts.read", "properties")
#define HUBSPOT_READS_OBJECTS(X)                                                                   \
    X(OBJECT_COMPANY, "crm.objects.companies.read", "company_properties")                          \
    X(OBJECT_DEAL, "crm.objects.deals.read", "deal_properties")                                    \
    X(OBJECT_TICKET, "tickets", "ticket_properties")
#define HUBSPOT_READS(X)       HUBSPOT_READS_CONTACT(X) HUBSPOT_READS_OBJECTS(X)
#define HUBSPOT_ADVICE(option) "check the connector's `" option "`"
extern const struct hubspot_talk hubspot_read, hubspot_list, hubspot_write,
    hubspot_objects[OBJECT_KIND_COUNT];
const struct hubspot_talk *hubspot_search_for(const struct delivery *d); /* NULL: no catch-up */
const struct hubspot_talk *hubspot_talk_of(const struct parcel *p);

/* hubspot_halves.c: those of a job that are asked about, batch by batch. */
enum { HUBSPOT_BATCH_MAX = 100 };
struct hubspot_halves {
    size_t *sent; /* which parcels are in the last request */
    size_t n_sent, limit;
    int requests;
};
bool hubspot_is_open(const struct job *job, size_t i); /* it has no verdict yet */
void hubspot_halves_begin(struct hubspot_halves *h, const struct job *job);
/* The next ones without a verdict that `takes` agrees to; false: there are none. */
bool hubspot_halves_take(struct hubspot_halves *h, const struct job *job,
                         bool (*takes)(const struct job *job, size_t i));
/* After those that were sent have what they were sent for. */
enum judged hubspot_halves_answered(struct hubspot_halves *h, struct job *job);
/* After the whole request was refused; one alone gets its verdict. */
struct hubspot_refused {
    int status;
    struct str category, reason, gone; /* gone: the reason of what is not there */
    bool reads;                        /* that it is not there is all that was asked */
};
bool hubspot_is_gone(const struct hubspot_refused *r);
enum judged hubspot_halves_refused(struct hubspot_halves *h, struct job *job,
                                   const struct hubspot_refused *r);

/* Whether the lead is a contact of the account that the token is of. */
bool hubspot_is_contact(const struct hubspot *s, const struct lead *l);
extern const char hubspot_not_ours[], hubspot_gone[], hubspot_odd[]; /* reasons */
bool hubspot_is_list(const json *answer);                            /* it has results[] */
/* The record's element in results[] or the one of errors[] that speaks of it; NULL: there is none.
 */
const json *hubspot_find_result(const json *results, int64_t crm_id);
const json *hubspot_find_error(const json *errors, int64_t crm_id);
/* What the record says of the properties that are wanted; empty ones included. */
const struct field *hubspot_properties(const struct job *job, const struct str_list *wanted,
                                       const json *record);
int64_t hubspot_updated_at(const struct job *job, const json *record);
bool hubspot_lacks_property(struct str said); /* it is about one that is not there */
/* Of one parcel, because HubSpot refuses it alone: "CATEGORY: message". */
void hubspot_judge_element(struct job *job, size_t i, const json *error);

/* Properties (hubspot_properties.c); OBJECT_NONE: of contacts, of which they are made */
MUST_CHECK enum rc hubspot_property_ask(const struct hubspot *s, enum object_kind kind,
                                        struct str name, struct http_request *ret, struct arena *a,
                                        struct why *why);
MUST_CHECK enum rc hubspot_property_make(const struct hubspot *s, enum hubspot_output o,
                                         struct http_request *ret, struct arena *a,
                                         struct why *why);
/* Whether it names the property, as a word of its own. */
bool hubspot_names(struct str said, struct str property);
/* Why what HubSpot tells of the property keeps it from being written; missing: nothing does. */
struct str hubspot_property_misfit(enum hubspot_output o, const json *property, struct arena *a);

/* hubspot_probe.c */
enum rc hubspot_probe_next(struct probe *p, struct http_request *ret, struct why *why);
void hubspot_probe_take(struct probe *p, const struct http_response *r);

void hubspot_request(const struct hubspot *s, const char *method, struct str path,
                     struct http_request *ret, struct arena *a);
/* "properties":[...] of these; more: one behind them, NULL: none. */
void hubspot_write_names(struct sbuf *b, const struct str_list *names, const char *more);
enum rc hubspot_build(struct job *job, struct http_request *ret, struct why *why);
enum judged hubspot_judge(struct job *job, const struct http_response *r);

#endif
