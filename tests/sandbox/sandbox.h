/* tests/sandbox/sandbox.h - strict stand-ins for Slack, Notion, Google, HubSpot, Zapier
 * and any receiver of webhooks, in one process.
 *
 * Each service is a table of functions over its own state. main.c takes requests off the wire and
 * calls them one at a time under one lock; faults.c decides beforehand whether a request is
 * spoiled. What a contract forbids is refused with the service's own error body and noted, so
 * that a test can ask for the list of offences.
 */
#ifndef FUNNELD_TESTS_SANDBOX_H
#define FUNNELD_TESTS_SANDBOX_H

#include "funneld/base/json.h"
#include "funneld/base/mem.h"
#include "funneld/base/sbuf.h"
#include "funneld/lead/event.h"

enum { ANSWER_HEADERS = 6, ANSWER_MAX = 64 << 20 };

struct call {
    struct str method, path; /* the path as sent, still percent-encoded */
    const struct field *headers, *query;
    size_t n_headers, n_query;
    struct str body;
    struct arena *arena; /* lives as long as the call */
    int64_t now_ms;
};

struct answer {
    int status;
    const char *content_type;
    struct sbuf body;
    struct field headers[ANSWER_HEADERS];
    size_t n_headers;
};

struct service {
    const char *name;
    bool (*owns)(struct str path);
    void (*handle)(const struct call *c, struct answer *ret);
    /* The service's own words for a failure that it was told to have. */
    void (*fail)(int status, struct answer *ret);
    void (*dump)(struct sbuf *b); /* writes an object: all that it holds */
    void (*reset)(void);
};

extern const struct service slack_service, notion_service, google_service, sheets_service,
    hubspot_service, hubspot_objects_service, hooks_service;

/* Calls */
struct str call_header(const struct call *c, const char *name);
struct str call_query(const struct call *c, const char *name); /* the first; missing: none */
bool call_is(const struct call *c, const char *method, const char *path);
bool call_type_is(const struct call *c, const char *type); /* media type, parameters aside */
bool call_bearer_is(const struct call *c, const char *token);
/* Takes the next segment off the path, decoded. */
bool path_next(struct str *rest, struct arena *a, struct str *ret);
struct str percent_decode(struct str s, bool form, struct arena *a); /* form: + is a blank */
/* name=value&...; the number of fields */
size_t form_decode(struct str body, struct arena *a, struct field **ret);
struct str form_get(const struct field *fields, size_t n, const char *name);
bool is_listed(const char *one, const char *list); /* list: "a,b" */
size_t utf16_units(struct str s);
size_t code_points(struct str s);

/* Answers */
void answer_header(struct answer *r, const char *name, struct str value);
struct sbuf *answer_json(struct answer *r, int status); /* status set, body empty */
void answer_text(struct answer *r, int status, const char *text);

/* What the contract forbids, as "slack: ..."; shown in the state. */
void offence(const char *service, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Faults */
enum fault_mode {
    FAULT_NONE,
    FAULT_STATUS,
    FAULT_PROCESSED_NO_ANSWER,
    FAULT_PROCESSED_STATUS,
    FAULT_DROP,
    FAULT_GARBAGE,
    FAULT_SLOW
};
struct fault {
    enum fault_mode mode;
    struct str service, path, method; /* path: a prefix; missing: any */
    int64_t times, status, delay_ms;
    struct str retry_after, body; /* body: instead of the service's own */
    struct fault *next;
};
struct fault fault_take(const struct service *s, const struct call *c);
bool fault_add(const json *order, struct answer *ret);
void fault_reset(void);

/* Control: /_sandbox/ */
void control_handle(const struct call *c, struct answer *ret);
void control_count(const struct call *c);

bool google_credentials_make(const char *path);
bool google_credentials_load(const char *path);
bool google_access_token_good(const struct call *c); /* a token that /token gave out */
/* false: *ret holds the answer already. */
bool slack_click(const json *order, const struct call *c, struct answer *ret);
bool hubspot_contacts_load(const json *contacts, struct answer *ret);
bool hubspot_objects_load(const json *objects, struct answer *ret);

extern const struct service *const services[];
extern const size_t n_services;

#endif
