/* ingest/source.h - the kinds of senders: raw request in, verified typed events out.
 *
 * Pure: the clock is an argument. One file per kind and one line in source_types[]. Verifying
 * and decoding are apart, so that a stored body can be decoded again when a past score is
 * rebuilt. Any thread; settings are immutable.
 */
#ifndef FUNNELD_INGEST_SOURCE_H
#define FUNNELD_INGEST_SOURCE_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/config/conf.h"
#include "funneld/lead/event.h"

/* The request as the network brought it. */
struct raw_request {
    struct str method;
    struct str target; /* request target exactly as sent, path and query */
    struct str body;
    int64_t received_at; /* Unix ms */
    struct str request_id;
    /* A request header by name (case-insensitive). Sets *ret_count to how often it was sent. */
    struct str (*header)(const void *self, const char *name, size_t *ret_count);
    const void *self;
};

enum refusal { /* label of funneld_requests_rejected_total{reason} */
               REFUSED_NOT,
               REFUSED_SIGNATURE,
               REFUSED_TIMESTAMP,
               REFUSED_JSON,
               REFUSED_MEDIA_TYPE,
               REFUSED_TOO_LARGE,
};

/* What is stored of an event, and by which settings of its source it is read again. */
enum rereading {
    READ_AS_IT_CAME, /* it took effect: by those of that day, which are kept with it */
    READ_ANEW,       /* by those of now; what says which event it is stays */
};
struct stored_body {
    struct str text;
    int64_t received_at;
    enum rereading reading;
};

struct source_common { /* first member of every source's settings */
    struct str path;
};

struct source;
struct source_type {
    const char *name;                /* "hubspot" */
    const struct section_spec *spec; /* settings start with struct source_common */
    bool takes_forms;                /* bodies of forms, not only JSON */
    bool silent; /* what is accepted is answered with no body: the sender would show it */
    /* Cross-field checks only; public_url is [server] public_url or missing. */
    void (*check)(const void *settings, const struct conf_section *section, struct str public_url,
                  struct conf_problems *problems);
    /* From the headers alone: REFUSED_NOT where verify may still agree once the body is there.
     * What is refused here costs no memory for a body. */
    enum refusal (*verify_head)(const struct source *s, const struct raw_request *r,
                                struct arena *a, struct why *why);
    /* REFUSED_NOT when the sender proved who it is. */
    enum refusal (*verify)(const struct source *s, const struct raw_request *r, struct arena *a,
                           struct why *why);
    /* What a request that was verified proved itself with, for the receipt: "v3", "secret". Static
     * text. NULL: no sender of this kind can tell. */
    const char *(*proof)(const struct source *s, const struct raw_request *r);
    /* When it was sent by the sender's own clock, which it signed; of a request that was verified.
     * false: it does not say. NULL: no sender of this kind does. */
    bool (*signed_at)(const struct raw_request *r, int64_t *ret_unix_ms);
    /* A body that is not of the outer shape refuses the whole; odd elements become events of
     * state EVENT_UNPROCESSABLE. *ret lives in a. request ids and hash are filled in too. */
    enum refusal (*decode)(const struct source *s, const struct raw_request *r, struct arena *a,
                           struct event **ret, size_t *ret_n, struct why *why);
    /* Rebuilds the event from what was stored of it. Read anew, its body is what has to be stored
     * of it once it takes effect. */
    enum rc (*decode_stored)(const struct source *s, const struct stored_body *stored,
                             struct arena *a, struct event *ret, struct why *why);
    /* For `funneld sign`: fills url, headers and body of a request that verify() accepts. */
    enum rc (*sign)(const struct source *s, struct str base_url, struct str version,
                    struct str body, int64_t now_ms, struct arena *a, struct field ret_headers[4],
                    size_t *ret_n, struct str *ret_url, struct why *why);
    struct str (*sample)(int64_t now_ms, struct arena *a); /* a body for sign without --body */
};

struct source {
    const struct source_type *type;
    struct str name;
    struct str public_url; /* no trailing slash; missing where none is configured */
    const void *settings;
    struct str enrich_with; /* connector to ask who a contact is; missing: none */
};

extern const struct source_type *const source_types[];
extern const size_t n_source_types;

struct str source_path(const struct source *s);
/* Whether a body of this media type is one that it may decode; NULL: JSON alone. */
bool source_takes(const struct source *s, struct str content_type);

/* The 48 subscription types of HubSpot's webhooks (hubspot.md 1.3), for metrics labels. */
extern const char *const known_event_types[];
extern const size_t n_known_event_types;
size_t event_type_index(struct str type); /* n_known_event_types for any other */

/* A record as the CRM has it. */
struct crm_record {
    enum object_kind kind; /* OBJECT_NONE: a contact */
    int64_t portal_id, id, updated_at;
    const struct field *properties;
    size_t n_properties;
    struct contact_list contacts; /* of an object */
};
/* The event that a CRM read brings back: `contact.enriched`, `deal.enriched` ..., canonical JSON
 * body included. */
void record_event(struct str source, const struct crm_record *r, int64_t received_at,
                  struct arena *a, struct event *ret);
/* What it is called where the record was found by asking what changed: `contact.recovered` ... */
struct str recovered_type(enum object_kind kind, struct arena *a);
bool is_recovered_type(struct str type);
/* Rebuilds it from that body. */
MUST_CHECK enum rc enriched_decode(struct str body, int64_t received_at, struct arena *a,
                                   struct event *ret, struct why *why);

/* What an event of a CRM's object says to one lead that has it: the type, property, value and data
 * that were sent, and as facts all that is known of the lead's objects from now on. */
struct told {
    const struct event *of; /* the object's event, or that of the contact itself */
    struct str type;        /* of->type, or another side's name for the same */
    int64_t contact_id;     /* of the lead */
    struct dedupe_key key;  /* of this lead's event */
    const struct property *facts;
    size_t n_facts;
};
/* Its body is canonical JSON. RC_TOOBIG: there is too much to tell. */
MUST_CHECK enum rc told_event(const struct told *t, struct arena *a, struct event *ret,
                              struct why *why);
/* Rebuilds it from that body. */
MUST_CHECK enum rc told_decode(struct str body, int64_t received_at, struct arena *a,
                               struct event *ret, struct why *why);

/* What a file or the CRM's history says of a lead's past: "contact.imported". */
extern const struct str imported_type;
struct imported {
    struct str email;           /* missing: none */
    int64_t portal_id, crm_id;  /* 0: none; one of the two identities must be there */
    int64_t at;                 /* when it was so */
    int64_t first_at;           /* since when there has been this lead; 0: since then */
    struct str property, value; /* one that changed, as of history; missing: it is a state */
    const struct field *properties;
    size_t n_properties;
};
/* The body that it is handed over as, canonical JSON. RC_TOOBIG. */
MUST_CHECK enum rc imported_body(const struct imported *i, struct arena *a, struct str *ret);
/* Rebuilds it from that body; the same fact again has the same dedupe key. RC_INVALID: it says of
 * nobody, or has no time. */
MUST_CHECK enum rc imported_decode(struct str body, int64_t received_at, struct arena *a,
                                   struct event *ret, struct why *why);
/* The same as it comes in: of that source, which must outlive it, in a request of its own time. */
MUST_CHECK enum rc imported_event(struct str source, struct str body, int64_t received_at,
                                  struct arena *a, struct event *ret, struct why *why);

#endif
