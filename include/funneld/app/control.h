/* app/control.h - how commands reach the running daemon: a Unix-domain socket, mode 0600, one
 * JSON object in a line each way.
 *
 *     {"command":"status"}                      the shape of design 1.6
 *     {"command":"retry","ids":["1"],"connector":null,"route":null,"reason":null,"since":0,"lead":0}
 *                                               {"retried":1,"more":false}
 *     {"command":"pause","connectors":["a"]}    {"paused":true}; resume: {"paused":false}
 *     {"command":"replay","ids":["1"],...}      {"done":false,"after":...}: a slice, see
 * replay_question
 *     {"command":"import","source":"import","rows":["{...}"],...}  {"fresh":1,"known":0,...}: a
 * batch, see import_question
 *     {"command":"backup","file":"/a/b.db"} {"state":"running","file":...,"bytes":0,"reason":null}
 *     {"command":"backup"}                      the same: running, done, failed or none
 *     {"command":"model","do":"activate","id":7}    see app/model.h
 *     any failure                               {"error":"..."}
 */
#ifndef FUNNELD_APP_CONTROL_H
#define FUNNELD_APP_CONTROL_H

#include "funneld/app/config.h"
#include "funneld/base/json.h"
#include "funneld/pipeline/import.h"
#include "funneld/pipeline/replay.h"

/* Client. RC_NONE: no daemon listens there. *ret is the answer without its line end. */
MUST_CHECK enum rc control_ask(struct str socket_path, struct str request, struct arena *a,
                               struct str *ret, struct why *why);

/* The same, and the answer parsed: *ret is an object that holds no error. RC_IO with the daemon's
 * own words where it does. */
MUST_CHECK enum rc control_request(struct str socket_path, struct str request, struct arena *a,
                                   struct json_doc *ret, struct why *why);

/* The same of what may take its time. RC_TIMEOUT: it may be done all the same. */
MUST_CHECK enum rc control_request_within(struct str socket_path, struct str request, int seconds,
                                          struct arena *a, struct json_doc *ret, struct why *why);

/* The member "ids" of a request; an empty list names none. RC_INVALID: it is no list of numbers. */
void control_ids_write(struct sbuf *b, const int64_t ids[], size_t n);
MUST_CHECK enum rc control_ids_read(const json *request, struct arena *a, const int64_t **ret,
                                    size_t *ret_n, struct why *why);

/* The JSON of `status`, by whoever has a reader: the daemon, or a command without one. */
void status_write(const struct config *c, struct reader *reader, bool running, int64_t now_ms,
                  struct sbuf *b);

/* A slice of a replay, asked of the daemon: it goes on from where the one before it ended. */
void replay_question(const struct replay *p, struct sbuf *b);
/* Sets in *p what the slice set. */
MUST_CHECK enum rc replay_answered(const json *answer, struct replay *p, struct why *why);
void replay_add(struct replay_sums *all, const struct replay_sums *slice);
/* Members of an object. */
void replay_sums_write(const struct replay_sums *s, struct sbuf *b);
void replay_queued_write(const struct replay_queued *q, struct sbuf *b);

/* Rows to be imported by the daemon: bodies as imported_body writes them. */
struct import_batch {
    struct str source; /* import_source, or the CRM's connector */
    const struct str *bodies;
    size_t n;
    const struct import_place *place; /* to be remembered with them; NULL: none */
};
extern const struct str import_source; /* of what comes out of files: "import" */
bool import_source_usable(const struct config *c, struct str name);
void import_question(const struct import_batch *q, struct sbuf *b);
/* Adds to *sums. *ret_busy: nothing was taken, it is to be asked again. */
MUST_CHECK enum rc import_answered(const json *answer, struct import_sums *sums, bool *ret_busy,
                                   struct why *why);

/* Which connectors pause or go on; a command_fn takes it. */
struct pause {
    const struct str *names;
    size_t n;
    bool paused;
};
enum rc pause_connectors(struct store *st, void *pause, struct why *why);

#endif
