/* store/work.h - what may be asked of the writer, the one thread that changes the database.
 *
 * Sender allocates and fills a work, puts it into the writer's mailbox and lets go. The writer
 * does it inside a transaction with whatever else is waiting, sets `rc` after the commit (or the
 * rollback) and calls done() in its own thread; done() owns the work again and must not block.
 */
#ifndef FUNNELD_STORE_WORK_H
#define FUNNELD_STORE_WORK_H

#include <stdatomic.h>

#include "funneld/base/mailbox.h"
#include "funneld/base/ref.h"
#include "funneld/lead/event.h"
#include "funneld/route/delivery.h"

enum work_kind { WORK_INTAKE, WORK_ATTEMPTS, WORK_VERDICTS, WORK_COMMAND };

/* A commit takes at most 8 MiB or 2,000 events: an event weighs its bytes, at least this. */
enum { COMMIT_WEIGHT = 8 << 20, EVENT_WEIGHT = COMMIT_WEIGHT / 2000 };

struct work {
    struct mail mail; /* first: a mail is a work */
    enum work_kind kind;
    enum rc rc; /* RC_OK: committed. RC_FULL, RC_IO, RC_CLOSED: nothing of it is stored */
    void (*done)(struct work *);
};

/* The events of one request. */
struct intake {
    struct work work;
    struct event *events;
    size_t n;
    uint32_t accepted, duplicates, unprocessable; /* set with rc; unprocessable are in accepted */
};

/* "An attempt of these deliveries begins now": committed before a request that is not
 * repeatable leaves. */
struct attempts {
    struct work work;
    const int64_t *deliveries;
    size_t n;
    int64_t at;
};

enum attempt_verdict {
    ATTEMPT_DELIVERED,
    ATTEMPT_RETRY,
    ATTEMPT_AMBIGUOUS,
    ATTEMPT_DEAD,
    ATTEMPT_MORE, /* a part of it is done: no failure, and counted as no attempt */
};
const char *attempt_verdict_name(enum attempt_verdict v); /* "delivered" "retry" ... */

/* How an attempt ended. Slices must live until done(). */
struct attempt_end {
    int64_t delivery, lead; /* lead as in struct delivery */
    struct str connector;
    enum attempt_verdict verdict;
    int64_t started_at, ended_at;
    int status;                 /* HTTP status, 0: none came */
    struct str detail;          /* why, for people; becomes the reason of a dead delivery */
    struct str answer;          /* DEAD: how the service's answer began; missing: none came */
    int64_t due_at;             /* when to try (RETRY), look (AMBIGUOUS), go on (MORE) */
    struct str remote_id;       /* what the service made so far; missing: nothing new */
    struct str remote_lead;     /* remember for (lead, connector); missing: leave, empty: forget */
    const struct event *events; /* of the CRM's answer, to fold in, in the same commit */
    size_t n_events;
    int64_t target;   /* the subscription it was for; 0: none */
    bool target_gone; /* which ends with this */
    bool in_doubt;    /* DEAD, but it may have arrived: a later retry looks first */
    bool unclear;     /* RETRY, AMBIGUOUS: the answer counts into the delivery's `unclear` */
    bool enriched;    /* the lead's enriched_at becomes ended_at */
    bool applied;     /* set by the writer: the row was still pending */
};

struct verdicts {
    struct work work;
    struct attempt_end *ends;
    size_t n;
};

enum command_kind {
    COMMAND_RULES,  /* swap what the pipeline works by; `arg` is a struct rules, taken over */
    COMMAND_MODELS, /* swap the models that it asks; `arg` is a struct models, taken over */
    COMMAND_RETRY,  /* dead deliveries become pending again */
    COMMAND_REPLAY, /* a slice of stored events is processed again; `arg` is a struct replay */
    COMMAND_CALL,   /* run fn(store, arg) inside the transaction */
    COMMAND_CHORE,  /* run fn(store, arg) by itself, after the commit of what it was taken with */
};

enum command_stage { COMMAND_WAITING, COMMAND_TAKEN, COMMAND_WITHDRAWN };

struct store;
typedef enum rc command_fn(struct store *st, void *arg, struct why *why);
struct command {
    struct work work;
    enum command_kind kind;
    atomic_int stage; /* the writer takes it, or the sender withdraws it: whoever is first */
    void *arg;
    command_fn *fn;
    int64_t count; /* COMMAND_RETRY: how many */
    struct why why;
};

/* For COMMAND_RETRY's arg: all that is set must match. */
struct retry_filter {
    const int64_t *ids;
    size_t n_ids;
    struct str connector, route, reason; /* reason: contained in, case-insensitive */
    int64_t since, lead;                 /* dead since then; 0: whenever, of any lead */
    int64_t limit; /* so many dead ones are looked at, at most, but for ids; 0: all */
    int64_t after; /* with a greater id; 0: any */
    bool more;     /* set by the store: there are dead ones behind `last`, */
    int64_t last;  /* the last that was looked at, for the next `after` */
};

/* A row that the deliverer should know of, sent to it after the commit. */
struct due_row {
    int64_t id, lead, due_at, open_attempt_at;
    bool urgent;
    int64_t target; /* 0: none */
};

static inline struct due_row due_row_of(const struct delivery *d)
{
    return (struct due_row){d->id, d->lead, d->due_at, d->open_attempt_at, d->urgent, d->target};
}

/* Whom it is for: of each lead, and each subscription that hears of it, deliveries go in order. No
 * database has 2^40 leads. */
static inline int64_t due_key(const struct due_row *row)
{
    return (int64_t)((uint64_t)row->lead ^ (uint64_t)row->target << 40);
}

#endif
