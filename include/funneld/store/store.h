/* store/store.h - the port to what is kept: domain words, no SQL.
 *
 * `struct store` is the writer's: one thread, the only connection that writes or checkpoints.
 * `struct reader` only reads (its own snapshot per call) and belongs to one thread; a store is
 * also a reader (store_reader). Ids and times come from the caller or from counters of the
 * store, never from SQL's clock. Every function returns RC_OK or
 *   RC_NONE    no such row          RC_EXISTS  duplicate
 *   RC_INVALID a row says what cannot be; the others are well
 *   RC_FULL    no space: the transaction is gone, try later
 *   RC_IO, RC_CORRUPT  stop writing, restart
 * and leaves its out-parameters untouched unless RC_OK. Slices returned live in the arena given.
 */
#ifndef FUNNELD_STORE_STORE_H
#define FUNNELD_STORE_STORE_H

#include <stdatomic.h>

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/config/option.h"
#include "funneld/lead/object.h"
#include "funneld/route/delivery.h"
#include "funneld/score/scorecard.h"
#include "funneld/store/models.h"
#include "funneld/store/work.h"

struct store_settings {
    struct str path;
    int64_t max_size;     /* bytes; 0: the disk decides */
    int64_t checkpoint;   /* bytes of WAL after which the writer checkpoints */
    int64_t retention_ms; /* events older than this are purged; 0: never */
};
extern const struct section_spec store_spec;

struct store;
struct reader;

/* Takes the lock, creates or migrates the database. RC_BUSY: another process holds it. Links in the
 * path are followed: one file has one lock, whatever it is called. */
MUST_CHECK enum rc store_open(const struct store_settings *s, int64_t now_ms, struct store **ret,
                              struct why *why);
void store_close(struct store *st); /* NULL is fine; checkpoints */
struct reader *store_reader(struct store *st);
/* RC_NONE: there is no database yet; RC_INVALID: of a newer or older schema. */
MUST_CHECK enum rc reader_open(const char *path, struct reader **ret, struct why *why);
void reader_close(struct reader *r);
const char *reader_database_id(const struct reader *r); /* 8 hex digits */
int store_schema_version(void);                         /* newest that this build knows */
/* Whether it met an I/O error or corruption: nothing more may be written before a restart. */
bool store_damaged(const struct store *st);
/* The last failure in the database's own words, for the log. */
const char *store_error(const struct store *st);
const char *reader_error(const struct reader *r);
/* After a reload: the new max_size and checkpoint; path cannot change. */
void store_limits(struct store *st, const struct store_settings *s);

/* Transactions: one per batch; a savepoint for what may fail alone. */
MUST_CHECK enum rc store_begin(struct store *st);
MUST_CHECK enum rc store_commit(struct store *st);
void store_rollback(struct store *st);
MUST_CHECK enum rc store_savepoint(struct store *st);
MUST_CHECK enum rc store_release(struct store *st);
/* Back to the savepoint, and release it. RC_IO: that failed, and the whole transaction is gone. */
MUST_CHECK enum rc store_undo(struct store *st);
/* Whether a commit of some pages goes through, after one did not. */
MUST_CHECK enum rc store_probe(struct store *st);
/* Copies the WAL back when it has grown past an eighth of the limit, which nobody notices; while
 * work waits, past four times the limit, for most pages of a longer one are then copied once
 * instead of often. Call between transactions. */
MUST_CHECK enum rc store_checkpoint(struct store *st, bool work_waits);
MUST_CHECK enum rc store_checkpoint_all(struct store *st); /* however short it is */

/* An online copy; what is committed meanwhile is in it. step is the writer's, between transactions
 * (RC_BUSY: the next one may go better), and so is end between the first step and one that was done
 * or failed. finish verifies (given up when *stop becomes true; NULL: never), syncs, and puts the
 * copy at `path`, where it replaces what was there; RC_INVALID from begin: it must not. A failure
 * concerns the copy alone. */
struct backup;
MUST_CHECK enum rc backup_begin(struct store *st, const char *path, struct backup **ret,
                                struct why *why);
MUST_CHECK enum rc backup_step(struct backup *b, int pages, bool *ret_done, struct why *why);
/* Puts on disk what was copied so far, so that little is left to finish: a disk that is flooded at
 * once keeps commits waiting. From any thread, between steps. */
MUST_CHECK enum rc backup_sync(struct backup *b, struct why *why);
MUST_CHECK enum rc backup_finish(struct backup *b, atomic_bool *stop, int64_t *ret_bytes,
                                 struct why *why);
void backup_end(struct backup *b); /* NULL is fine; removes what was not finished */
/* Where links lead to from the path of a database; the path itself where there is nothing yet. The
 * caller frees it. */
char *store_real_path(const char *path);
/* Puts a verified copy of `from` at `path`, a real one, with a new database id; what was there is
 * then called `kept`, which must not exist. RC_BUSY: a daemon uses it. */
MUST_CHECK enum rc store_restore(const char *path, const char *from, const char *kept,
                                 struct why *why);

/* Events */
/* Claims the event's dedupe key. RC_EXISTS: *ret_id is the event that has it. */
MUST_CHECK enum rc store_dedupe(struct store *st, const struct event *e, int64_t *ret_id);
/* The newest of the lead's events from now on; lead NULL: nobody's. As with all that takes a lead
 * it may change, the caller saves the lead in the same transaction. */
MUST_CHECK enum rc store_event_add(struct store *st, int64_t id, struct lead *lead,
                                   const struct event *e, bool keep_body, int64_t now_ms);

/* Stored events that are decoded again (pipeline/replay.h). */
/* The key of what event `id` turns out to be, which may be another than it was stored with, is its
 * own. RC_EXISTS: *ret_id is the event that has it. */
MUST_CHECK enum rc store_dedupe_again(struct store *st, const struct event *e, int64_t id,
                                      int64_t *ret_id);
/* Event `id`, which had no effect, is one of the lead's, in its place among them, and is processed
 * since now, with the body that says what it was taken for. RC_NONE: it was processed before. */
MUST_CHECK enum rc store_event_take(struct store *st, int64_t id, struct lead *lead,
                                    const struct event *e, bool keep_body, int64_t now_ms);
/* Why it still has none. */
MUST_CHECK enum rc store_event_restate(struct store *st, int64_t id, const struct event *e);
/* What of the next ids, `span` of them from *after on, is unprocessable or unlinked; *after: up to
 * where that is known. At most `room` of them; fewer do not mean that there are no more. */
struct untaken_filter {
    int64_t since, until; /* received in between; 0 and INT64_MAX: whenever */
    struct str source;    /* missing: any */
    int state;            /* an event_state; EVENT_PROCESSED: either of the two */
};
MUST_CHECK enum rc read_untaken(struct reader *r, const struct untaken_filter *f, int64_t span,
                                size_t room, int64_t *after, int64_t ret[], size_t *ret_n,
                                bool *ret_end);
/* The same of leads that are neither merged nor erased and whose newest event is not older. */
MUST_CHECK enum rc read_leads_heard_of(struct reader *r, int64_t since, int64_t span, size_t room,
                                       int64_t *after, int64_t ret[], size_t *ret_n, bool *ret_end);

/* Leads, properties loaded */
MUST_CHECK enum rc read_lead(struct reader *r, int64_t id, struct arena *a, struct lead *ret);
MUST_CHECK enum rc read_lead_by_crm(struct reader *r, int64_t portal_id, int64_t crm_id,
                                    struct arena *a, struct lead *ret);
/* The oldest active one with this address. */
MUST_CHECK enum rc read_lead_by_email(struct reader *r, struct str email, struct arena *a,
                                      struct lead *ret);
MUST_CHECK enum rc store_lead_add(struct store *st, struct lead *l); /* sets l->id */
/* The row, and all properties if one of them is marked as changed, or the lead is erased. */
MUST_CHECK enum rc store_lead_save(struct store *st, const struct lead *l);
/* What models say of an active lead now, written where nothing happened to it since it was read:
 * else RC_NONE. */
struct lead_chances {
    int64_t id, last_event; /* as it was read, */
    enum band was;          /* its band too */
    struct chance probability, churn;
    enum band band;
    struct str activity; /* missing: as it is */
};
MUST_CHECK enum rc store_lead_chances(struct store *st, const struct lead_chances *c);
/* Events, ledger, pending deliveries, remote objects of `from` go to `into` (its own remotes win),
 * and so do the associations of its contact. What waits for `into` is looked at as a whole, which
 * a crowd makes as long as the move of as many events. */
MUST_CHECK enum rc store_lead_move(struct store *st, struct lead *from, struct lead *into,
                                   struct arena *a);
/* Ledger, bodies, facts and answers go, properties and addresses of leads merged into it as well,
 * its own when it is saved; pending and held deliveries are cancelled, dead ones can no longer be
 * retried. Ids of the lead's objects in other services stay: they are needed to remove those. The
 * associations of its contact go, and what was known of deals and tickets that nobody else has. */
MUST_CHECK enum rc store_lead_erase(struct store *st, struct lead *lead, int64_t now_ms,
                                    void (*cancelled)(void *self, struct str connector),
                                    void *self);

/* Objects of the CRM, properties loaded, and which contacts (by their ids in the CRM) they have. Of
 * each pair the newest word counts, whatever came first; an association that ended is remembered.
 */
MUST_CHECK enum rc read_object(struct reader *r, int64_t id, struct arena *a, struct object *ret);
MUST_CHECK enum rc read_object_by_crm(struct reader *r, enum object_kind kind, int64_t portal_id,
                                      int64_t crm_id, struct arena *a, struct object *ret);
MUST_CHECK enum rc store_object_add(struct store *st, struct object *o); /* sets o->id */
MUST_CHECK enum rc store_object_save(struct store *st, const struct object *o);
/* A word of `at`: the contact is associated with the object, or is not. */
MUST_CHECK enum rc store_associate(struct store *st, const struct object *o, int64_t contact,
                                   bool linked, int64_t at);
/* What the CRM said of all its contacts; older words of any contact are void then. The caller saves
 * the object. */
MUST_CHECK enum rc store_contacts_read(struct store *st, struct object *o,
                                       const struct contact_list *list);
/* Contacts of `from` become those of `into`. */
MUST_CHECK enum rc store_object_move(struct store *st, const struct object *from,
                                     const struct object *into);
/* Of which kinds any is known. */
MUST_CHECK enum rc read_object_kinds(struct reader *r, int64_t portal_id,
                                     bool ret[OBJECT_KIND_COUNT]);
/* Those that it has now, the greatest ids first. */
MUST_CHECK enum rc read_object_contacts(struct reader *r, int64_t object, size_t limit,
                                        int64_t ret[], size_t *ret_n);
/* Those that it has or had, the newest objects first. */
MUST_CHECK enum rc read_contact_objects(struct reader *r, int64_t portal_id, int64_t contact,
                                        size_t limit, struct arena *a, struct linked_object **ret,
                                        size_t *ret_n);

/* Ledger */
/* Its event is one of the lead's, whose ledger is then in the arena. */
MUST_CHECK enum rc store_ledger_add(struct store *st, struct lead *lead,
                                    const struct ledger_row *row, struct arena *a);
/* The same of many, in the order of events, at the cost of one walk through the ledger. */
MUST_CHECK enum rc store_ledger_add_all(struct store *st, struct lead *lead,
                                        const struct ledger_row *rows, size_t n, struct arena *a);
/* What the lead, as given, has; in the order of events. Texts live until the transaction is rolled
 * back or the reader closed. RC_INVALID: it cannot be read. */
MUST_CHECK enum rc read_ledger(struct reader *r, const struct lead *lead, int64_t received_by,
                               struct arena *a, struct ledger_row **ret, size_t *ret_n);
/* The rule set that was loaded at a time; remembered when it differs from the newest. */
MUST_CHECK enum rc store_ruleset_add(struct store *st, struct str text, int64_t now_ms);
MUST_CHECK enum rc read_ruleset(struct reader *r, int64_t at, struct arena *a, struct str *ret);

/* Deliveries */
/* Sets d->id and d->lead. The event must be one of the lead's: by its events a lead's deliveries
 * are found. The lead keeps, in the arena, that it waits, and must be saved afterwards. As of one
 * lead and target deliveries go in order, all that waits before an urgent one is urgent as well.
 * One that asks the CRM about an object has the object's record in place of a lead. */
MUST_CHECK enum rc store_delivery_add(struct store *st, struct lead *lead, struct delivery *d,
                                      struct arena *a);
/* Pending ones of (connector, lead) without an open attempt, older than `newer`, are superseded.
 * *ret_urgent: one of them was urgent, and so is the newer one now. */
MUST_CHECK enum rc store_delivery_fold(struct store *st, struct str connector,
                                       const struct lead *lead, int64_t newer, int64_t now_ms,
                                       int64_t *ret_n, bool *ret_urgent);
/* Of those of the connector that were put back at `now`, what a newer one has overtaken is
 * superseded; the newer one is urgent if one of them was. */
MUST_CHECK enum rc store_delivery_fold_again(struct store *st, struct str connector, int64_t now_ms,
                                             int64_t *ret_n);
/* Whether one of this (connector, route, lead) waits already. */
MUST_CHECK enum rc read_delivery_waiting(struct reader *r, struct str connector, struct str route,
                                         const struct lead *lead, bool *ret);
/* The oldest of the connector that waits for the lead, as given. */
MUST_CHECK enum rc read_first_waiting(struct reader *r, struct str connector,
                                      const struct lead *lead, struct due_row *ret);
/* The heads of what waits for the lead, as given, whatever the connector and the target. */
typedef void due_seen(void *self, struct str connector, const struct due_row *row);
MUST_CHECK enum rc read_heads(struct reader *r, const struct lead *lead, due_seen *seen,
                              void *self);
/* Whether there ever was one of this (event, route, connector). */
MUST_CHECK enum rc read_delivery_known(struct reader *r, int64_t event, struct str route,
                                       struct str connector, bool *ret);
/* Those of the lead that wait for enrichment become due; each is reported. */
MUST_CHECK enum rc store_delivery_release(struct store *st, const struct lead *lead, int64_t now_ms,
                                          due_seen *released, void *self);
MUST_CHECK enum rc store_attempt_begin(struct store *st, int64_t delivery, int64_t at);
/* Writes the history row and the new state; RC_NONE: the delivery is no longer pending (its
 * history row is written all the same). One that is held meanwhile ends, or is put off, all the
 * same. */
MUST_CHECK enum rc store_attempt_end(struct store *st, const struct attempt_end *end);
MUST_CHECK enum rc store_remote_set(struct store *st, int64_t lead, struct str connector,
                                    struct str remote, int64_t now_ms);
/* In the order of their ids. What then waits before something urgent of its lead and target is
 * urgent. */
MUST_CHECK enum rc store_retry(struct store *st, struct retry_filter *f, int64_t now_ms,
                               int64_t *ret_n);
/* What is pending for a connector that is not in the list, or is paused, is held: it is shown so,
 * is not due, and no attempt at it begins. In the list again and not paused, it goes on. */
MUST_CHECK enum rc store_connectors(struct store *st, const struct str names[], size_t n);
MUST_CHECK enum rc store_pause(struct store *st, struct str connector, bool paused);
MUST_CHECK enum rc read_paused(struct reader *r, struct str connector, bool *ret);

/* Subscriptions: who else wants to hear of a route, at which address */
struct subscription {
    int64_t id;       /* a delivery's target; never given twice */
    struct str token; /* what the subscriber calls it by */
    struct str route, target;
    int64_t created_at;
};
/* The one with this route and target: a new one with the token given, or the one that there is,
 * whose failures are forgotten. */
MUST_CHECK enum rc store_subscribe(struct store *st, struct arena *a, struct subscription *s,
                                   bool *ret_fresh);
/* It ends, and what waits for it, or is held, is cancelled; the connector of each is reported.
 * Where much waits, that is done bit by bit (store_cancel_ended), and no attempt at it begins
 * meanwhile. RC_NONE: no subscription is called so. */
typedef void connector_seen(void *self, struct str connector);
MUST_CHECK enum rc store_unsubscribe(struct store *st, struct str token, int64_t now_ms,
                                     connector_seen *cancelled, void *self);
MUST_CHECK enum rc store_subscription_end(struct store *st, int64_t id, int64_t now_ms,
                                          connector_seen *cancelled, void *self);
/* One that has ended and for which something still waits; RC_NONE: there is none. */
MUST_CHECK enum rc read_ended(struct reader *r, int64_t *ret);
/* Cancels more of that. RC_NONE: nothing waits for any. */
MUST_CHECK enum rc store_cancel_ended(struct store *st, int64_t now_ms, connector_seen *cancelled,
                                      void *self);
/* How an attempt at it went. RC_NONE: it has ended. */
MUST_CHECK enum rc store_subscription_well(struct store *st, int64_t id);
MUST_CHECK enum rc store_subscription_failed(struct store *st, int64_t id, int64_t at,
                                             int64_t *ret_failures, int64_t *ret_since);
/* Oldest first. */
MUST_CHECK enum rc read_subscriptions(struct reader *r, struct str route, struct arena *a,
                                      struct subscription **ret, size_t *ret_n);
MUST_CHECK enum rc read_subscription(struct reader *r, int64_t id, struct arena *a,
                                     struct subscription *ret);
MUST_CHECK enum rc read_subscription_count(struct reader *r, int64_t *ret);

/* Retention, in slices, each inside a transaction of the caller. What goes: events received before
 * a time, their dedupe keys, their deliveries that ended before it; and ledger rows that are worth
 * nothing any more. What stays: events with a delivery that has not ended, leads, their properties,
 * the ledger. */
/* The next `limit` events; *ret_done: this round is through, the next call begins anew. One that
 * was received after `now`, by a clock that was wrong, stays and holds up no other. */
MUST_CHECK enum rc store_purge_events(struct store *st, int64_t before, int64_t now, size_t limit,
                                      bool *ret_done);
MUST_CHECK enum rc store_purge_dedupe(struct store *st, int64_t before, size_t limit,
                                      bool *ret_done);
/* The lead's ledger rows that were worth nothing at `before` already. */
MUST_CHECK enum rc store_purge_ledger(struct store *st, int64_t lead, int64_t before);
/* Leads with such rows, among the next `limit` leads with any, behind *after; *ret_n 0 and *after
 * unchanged: no more. */
MUST_CHECK enum rc read_faded(struct reader *r, int64_t *after, int64_t before, size_t limit,
                              int64_t ret[], size_t *ret_n);
/* Until when the past was purged: what a lead was like and worth then is not known any more. 0: it
 * was not. */
MUST_CHECK enum rc read_purged(struct reader *r, int64_t *ret_received_at);
/* The time that was trusted last, and for how long the clock has said another: after a restart it
 * may be wrong. 0: none was kept, it did not. */
MUST_CHECK enum rc store_trust(struct store *st, int64_t now_ms, int64_t doubted_ms);
MUST_CHECK enum rc read_trusted(struct reader *r, int64_t *ret_now_ms, int64_t *ret_doubted_ms);
/* Gives up to `pages` free pages back to the file system, but keeps an eighth for what comes. */
MUST_CHECK enum rc store_vacuum(struct store *st, int pages, bool *ret_done);

/* Heads only: a delivery is seen when no older one of its (connector, lead, target) is pending.
 * Ordered by due_at, id. A call goes on where the last one stopped; it looks at DUE_ROWS_MAX rows
 * at most, of which there may be many more that are no heads. */
enum { DUE_ROWS_MAX = 8192 };
struct due_scan {
    struct str connector;
    bool urgent;
    int64_t target;     /* a subscription; 0: what is for none */
    int64_t due_at, id; /* of the row that was looked at last; id 0: it begins */
    bool done;          /* there is none behind it */
    size_t looked_at;   /* rows, by this call */
};
MUST_CHECK enum rc read_due(struct reader *r, struct due_scan *scan, size_t limit,
                            struct due_row ret[], size_t *ret_n);
/* The subscriptions for which something waits. */
MUST_CHECK enum rc read_targets(struct reader *r, struct str connector, struct arena *a,
                                int64_t **ret, size_t *ret_n);
MUST_CHECK enum rc read_due_of_lead(struct reader *r, struct str connector, int64_t lead,
                                    int64_t target, struct due_row *ret);
MUST_CHECK enum rc read_delivery(struct reader *r, int64_t id, struct arena *a,
                                 struct delivery *ret);
MUST_CHECK enum rc read_remote(struct reader *r, int64_t lead, struct str connector,
                               struct arena *a, struct str *ret);

/* Lists for the command line: newest first, id < after (0: from the newest). */
struct list_filter {
    int64_t after, limit, since; /* since: Unix ms; 0: all */
    struct str state, connector, source;
    struct str route, reason; /* of deliveries; reason: contained in, case-insensitive */
    int64_t lead, event; /* 0: all; with event, the list is oldest first and the rest is ignored */
    int64_t span; /* of deliveries and a lead's events: no further back than so many; 0: all */
    bool told;    /* of deliveries: none of those by which the CRM is asked */
};

struct event_view {
    int64_t id, lead, occurred_at, received_at;
    int64_t committed_at; /* 0: not known */
    int64_t replayed_at;  /* it took effect only then; 0: when it came */
    struct str source, type, request_id, reason, body, signature;
    enum event_state state;
    char body_sha256[SHA256_HEX];
};
struct attempt_view {
    int64_t started_at, ended_at, status;
    enum attempt_verdict verdict;
    struct str detail;
    struct str answer; /* how it began, of one that ended dead; missing: not kept */
};

typedef void event_seen(void *self, const struct event_view *e);
typedef void lead_seen(void *self, const struct lead *l);
typedef void delivery_seen(void *self, const struct delivery *d);
MUST_CHECK enum rc read_events(struct reader *r, const struct list_filter *f, event_seen *seen,
                               void *self);
MUST_CHECK enum rc read_event(struct reader *r, int64_t id, struct arena *a,
                              struct event_view *ret);
MUST_CHECK enum rc read_leads(struct reader *r, const struct list_filter *f, lead_seen *seen,
                              void *self);
MUST_CHECK enum rc read_deliveries(struct reader *r, const struct list_filter *f,
                                   delivery_seen *seen, void *self);
MUST_CHECK enum rc read_attempts(struct reader *r, int64_t delivery, struct arena *a,
                                 struct attempt_view **ret, size_t *ret_n);
/* The lead's events (and those of leads merged into it) that had come to effect by a time, in that
 * order. */
MUST_CHECK enum rc read_lead_history(struct reader *r, int64_t lead, int64_t received_by,
                                     event_seen *seen, void *self);

/* Sums for metrics and status; by scan, at start and on demand only. */
/* The greatest id of any lead; 0: there is none. */
MUST_CHECK enum rc read_last_lead(struct reader *r, int64_t *ret);
MUST_CHECK enum rc read_bands(struct reader *r, int64_t ret[BAND_COUNT]);
MUST_CHECK enum rc read_queue(struct reader *r, struct str connector, int64_t *ret_depth,
                              int64_t *ret_oldest_created_at);

/* Audit: what the promises say of every row, a slice at a time; a cursor of zeroes begins. */
struct audit_cursor {
    int table;
    int64_t id;
    struct dedupe_key key;
};
struct violation {
    const char *table, *what; /* "delivery", "it is dead without a reason" */
    int64_t id;               /* 0: it has none */
    struct str detail;        /* missing, or in the database's own words */
};
typedef void violation_seen(void *self, const struct violation *v);
/* Looks at about `rows` rows; *ret_done: all were seen, and the next call begins anew. */
MUST_CHECK enum rc read_audit(struct reader *r, struct audit_cursor *c, size_t rows, int64_t now_ms,
                              violation_seen *seen, void *self, bool *ret_done);
/* The whole file, as the database itself checks it; nothing is done in one over `max_bytes`. */
MUST_CHECK enum rc read_integrity(struct reader *r, int64_t max_bytes, violation_seen *seen,
                                  void *self);

const char *store_library(void); /* version of SQLite that runs, "3.40.1" */

#endif
