/* ingest/slack_priv.h - the parts of the Slack source among themselves. */
#ifndef FUNNELD_INGEST_SLACK_PRIV_H
#define FUNNELD_INGEST_SLACK_PRIV_H

#include "ingest_priv.h"

struct slack_source {
    struct source_common common;
    struct str secret, secret_previous;
    int64_t snooze;
};

/* slack_verify.c: the signature v0 of a request, "v0=" and 64 lower-case hex digits. */
struct str slack_signature(struct str secret, struct str timestamp, struct str body,
                           struct arena *a);
enum refusal slack_verify_head(const struct source *s, const struct raw_request *r, struct arena *a,
                               struct why *why);
enum refusal slack_verify(const struct source *s, const struct raw_request *r, struct arena *a,
                          struct why *why);
bool slack_signed_at(const struct raw_request *r, int64_t *ret_unix_ms);
enum rc slack_sign(const struct source *s, struct str base_url, struct str version, struct str body,
                   int64_t now_ms, struct arena *a, struct field ret_headers[4], size_t *ret_n,
                   struct str *ret_url, struct why *why);

/* slack_form.c: the value of a field in a form; false: it is not there once, or badly escaped. */
bool form_field(struct str body, const char *name, struct arena *a, struct str *ret);
/* "ssl_check=1": Slack looks whether an address answers, and signs nothing. */
bool slack_is_probe(struct str body, struct arena *a);

/* slack_click.c: one element of `actions` in a payload; what is kept of it is its own JSON. */
struct str slack_click_body(const json *payload, const json *action, const struct slack_source *s,
                            int64_t received_at, struct arena *a);
/* And from that to the event, which event_init has prepared with this body. */
void slack_click_event(const json *click, struct arena *a, struct event *e);

#endif
