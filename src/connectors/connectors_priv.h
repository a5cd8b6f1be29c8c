/* connectors/connectors_priv.h - what the connectors share: requests, answers, text limits. */
#ifndef FUNNELD_CONNECTORS_PRIV_H
#define FUNNELD_CONNECTORS_PRIV_H

#include "funneld/base/json.h"
#include "funneld/connectors/connector.h"
#include "funneld/connectors/probe.h"

extern const struct connector_type slack_connector, notion_connector, google_sheets_connector,
    hubspot_connector, email_connector, http_connector, zapier_connector;

/* So often a delivery is tried again after an answer that no table knows; then it is dead. Attempts
 * that found the service away count for nothing. */
enum { UNCLEAR_ANSWERS_MAX = 3 };

/* Requests */
void request_bearer(struct http_request *r, struct str token, struct arena *a);
/* Takes over the body and names its type. RC_INVALID when the builder ran over its ceiling. */
MUST_CHECK enum rc request_body(struct http_request *r, const struct sbuf *b,
                                const char *content_type, struct arena *a, struct why *why);
MUST_CHECK enum rc url_seal(const struct sbuf *b, struct arena *a, struct str *ret,
                            struct why *why);

/* Answers */
bool answer_object(const struct http_response *r, struct json_doc *ret); /* false: no JSON object */
bool status_is_temporary(int status); /* 408 and 5xx: never kills a delivery (design 1.2) */
/* The whole connector rests for as long as the service says, else for fallback_ms. */
void job_rest(struct job *job, const struct http_response *r, int64_t fallback_ms);
void judge_one(struct job *job, size_t i, enum verdict v, struct str reason);
/* RETRY for the first such answers, then DEAD. */
void judge_unclear(struct job *job, size_t i, struct str reason);
/* The same for each parcel that has no verdict yet. */
enum judged judge_unknown(struct job *job, struct str reason);
/* 3xx: none of the services redirects its API, so the address is wrong. */
enum judged judge_redirect(struct job *job, const struct http_response *r);
struct str redirect_reason(const struct http_response *r, struct arena *a);
/* The next request: this one was refused, or the outcomes say what it did (job->settled). */
enum judged judge_settled(struct job *job);
/* Nothing gets through until a person has mended what the reason says: RETRY, and the connector
 * rests. */
enum judged judge_broken(struct job *job, struct str reason);

/* Probes */
void probe_find(struct probe *p, enum finding_state state, struct str what, struct str detail);
/* Nothing is sent but what a connection needs, to this address. */
void probe_connect(struct probe *p, struct str url, struct http_request *ret);
/* What a job's judge made of the answer. true: it has refused it, which was found; the rest need
 * not be asked. */
bool probe_refused(struct probe *p);
/* "try again in 30 s"; 0: in a minute. */
struct str probe_when(int64_t wait_ms, struct arena *a);
/* An answer that is not the service's. */
void probe_odd(struct probe *p, const struct http_response *r);
/* Of those that can be asked nothing: they would take a question for a message. */
enum rc probe_hook_next(struct probe *p, struct str url, struct http_request *ret);
void probe_hook_take(struct probe *p, const char *what);

/* Texts */
struct str text_lower(struct str s, struct arena *a);    /* ASCII */
struct str score_text(int64_t tenths, struct arena *a);  /* 875 -> "87.5", 800 -> "80" */
struct str text_points(struct str s, size_t max_points); /* at most so many code points */
struct str text_units(struct str s, size_t max_units);   /* at most so many UTF-16 units */
size_t text_point_len(struct str s, size_t at); /* bytes of the code point that begins there */
/* One line: control characters become blanks, what is no UTF-8 U+FFFD, the ends are trimmed; at
 * most max_points code points, the last an ellipsis where something was left out. */
struct str text_line(struct str raw, size_t max_points, struct arena *a);
struct str lead_text(const struct lead *l, const char *property); /* missing: unknown */

/* Messages (message.c): what a parcel says, in its language. Nothing is escaped or cut yet. */
enum {
    MESSAGE_LINES_MAX = 5,
    MESSAGE_VALUE_POINTS = 500,
    MESSAGE_REASON_POINTS = 4000,
    MESSAGE_BYTES_MAX = 64 * 1024
};
struct message_line {
    const char *label;
    struct str value;
};
/* Score, e-mail, company, job title, phone: those that are known. */
size_t message_lines(const struct parcel *p, struct arena *a,
                     struct message_line ret[MESSAGE_LINES_MAX]);
struct str message_title(const struct parcel *p, struct arena *a);   /* "Ada Lovelace is hot" */
struct str message_summary(const struct parcel *p, struct arena *a); /* title, score and reasons */
struct str message_origin(const struct parcel *p, struct arena *a); /* event, source, time, route */
/* What the models say, each with its reasons: "72 % likely to convert: country is DE +3 points".
 * Returns how many. */
enum { MESSAGE_CHANCES_MAX = 2 };
size_t message_chances(const struct parcel *p, struct arena *a,
                       struct str ret[MESSAGE_CHANCES_MAX]);
/* A template of the route's message; at most MESSAGE_BYTES_MAX, cut between characters. */
struct str message_written(const struct parcel *p, const struct template *t, enum escaping how,
                           struct arena *a);
/* All of it as text, lines with LF: the route's own, else the built-in one. */
struct str message_text(const struct parcel *p, enum escaping how, struct arena *a);

#endif
