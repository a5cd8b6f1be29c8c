/* ingest/ingest_priv.h - what the kinds of senders share while they turn JSON into events. */
#ifndef FUNNELD_INGEST_PRIV_H
#define FUNNELD_INGEST_PRIV_H

#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "funneld/ingest/source.h"

extern const struct source_type hubspot_source;
extern const struct source_type zapier_source;
extern const struct source_type http_source;
extern const struct source_type workflow_source;
extern const struct source_type slack_source;

/* Later than this would not fit a four-digit year: no time that anybody meant. */
#define EVENT_TIME_MAX INT64_C(253402300799999)
/* A sender's clock may run ahead by this much before we take our own. */
#define EVENT_AHEAD_MS (5 * MINUTES_MS)

int64_t event_time(int64_t own, int64_t received_at);

enum refusal refuse(enum refusal r, struct why *why, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* In common: path must be usable, secret not empty. */
void check_common(const struct source_common *common, struct str secret,
                  const struct conf_section *section, struct conf_problems *problems);

enum header_state { HEADER_MISSING, HEADER_ONCE, HEADER_REPEATED };
enum header_state header_get(const struct raw_request *r, const char *name, struct str *ret);
/* application/json or application/...+json, with or without parameters. */
bool media_type_is_json(struct str content_type);
/* application/x-www-form-urlencoded */
bool media_type_is_form(struct str content_type);

/* What every event of one request has in common; copied into the arena once. */
struct request_facts {
    struct str source, request_id;
    int64_t received_at;
};
struct request_facts request_facts(const struct source *s, const struct raw_request *r,
                                   struct arena *a);
void event_init(struct event *e, const struct request_facts *facts, struct str body,
                struct arena *a);
/* Odd, but no reason to refuse its neighbours: kept raw. The reason is static text. */
void event_odd(struct event *e, const char *reason);

/* fact.c: SHA-256 over a canonical form in which no two facts look alike. */
struct fact_rules {
    const char *domain;         /* keeps the kinds of senders apart */
    struct str scope;           /* more of the same; may be missing */
    const char *const *ignored; /* NULL-terminated names of top-level members */
    struct str type_key, type;  /* put in as one more member; missing: none */
};
void fact_hash(const json *node, const struct fact_rules *rules, struct arena *a,
               uint8_t ret[SHA256_LEN]);
/* The same over one text that stands for the fact. */
void fact_hash_text(const char *domain, struct str scope, struct str text, uint8_t ret[SHA256_LEN]);

/* flatten.c: {"a":{"b":1}} to a__b = 1. */
enum { FLAT_NAME_MAX = 255, FLAT_MAX = 1000 };
struct flat {
    struct field *items;
    size_t n, cap;
    bool cut; /* a name was too long or there were too many */
};
struct flat flatten(const json *object, struct arena *a);
/* A scalar as text, an array of scalars joined; whatever would need names is missing. */
struct str flat_value(const json *node, struct arena *a);

#endif
