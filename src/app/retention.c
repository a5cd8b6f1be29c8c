/* app/retention.c - the scheduler's rounds of purging, slice by slice.
 *
 * A slice is a transaction of its own between the writer's others, small enough that no sender
 * notices it.
 */
#include "scheduler_priv.h"

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

enum {
    EVENTS = 250, /* in a slice */
    KEYS = 500,
    LEDGERS = 100,
    PAGES = 64,
    PAUSE_MS = 10,
    ROUND_MS = HOURS_MS,
    SHORTEST_ROUND_MS = SECONDS_MS,
    AFTER_FAILURE_MS = MINUTES_MS,
};

struct slice {
    int64_t before, now, doubted, lead;
    bool done;
};

static enum rc purge_events(struct store *st, void *arg, struct why *why)
{
    struct slice *slice = arg;
    enum rc rc = store_begin(st);

    if (rc == RC_OK)
        rc = store_purge_events(st, slice->before, slice->now, EVENTS, &slice->done);
    return scheduler_commit(st, rc, why);
}

static enum rc purge_keys(struct store *st, void *arg, struct why *why)
{
    struct slice *slice = arg;
    enum rc rc = store_begin(st);

    if (rc == RC_OK)
        rc = store_purge_dedupe(st, slice->before, KEYS, &slice->done);
    return scheduler_commit(st, rc, why);
}

static enum rc purge_ledger_of(struct store *st, void *arg, struct why *why)
{
    struct slice *slice = arg;
    enum rc rc = store_begin(st);

    if (rc == RC_OK)
        rc = store_purge_ledger(st, slice->lead, slice->before);
    return scheduler_commit(st, rc, why);
}

static enum rc vacuum(struct store *st, void *arg, struct why *why)
{
    struct slice *slice = arg;
    enum rc rc = store_vacuum(st, PAGES, &slice->done);

    return rc == RC_OK ? rc : why_fail(rc, why, "%s", store_error(st));
}

static enum rc events_phase(struct scheduler *s, struct slice *slice, struct why *why)
{
    return daemon_chore(s->daemon, purge_events, slice, why);
}

static enum rc keys_phase(struct scheduler *s, struct slice *slice, struct why *why)
{
    return daemon_chore(s->daemon, purge_keys, slice, why);
}

/* Looked for here, so that the writer has to do with those alone of whom something goes. */
static enum rc ledger_phase(struct scheduler *s, struct slice *slice, struct why *why)
{
    int64_t leads[LEDGERS], from = s->retention.ledger_after;
    size_t n = 0;
    enum rc rc =
        read_faded(s->reader, &s->retention.ledger_after, slice->before, LEDGERS, leads, &n);

    if (rc != RC_OK)
        return why_fail(rc, why, "%s", reader_error(s->reader));
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        slice->lead = leads[i];
        rc = daemon_chore(s->daemon, purge_ledger_of, slice, why);
    }
    slice->done = s->retention.ledger_after == from;
    return rc;
}

static enum rc vacuum_phase(struct scheduler *s, struct slice *slice, struct why *why)
{
    return daemon_chore(s->daemon, vacuum, slice, why);
}

static enum rc trust(struct store *st, void *arg, struct why *why)
{
    struct slice *slice = arg;
    enum rc rc = store_begin(st);

    if (rc == RC_OK)
        rc = store_trust(st, slice->now, slice->doubted);
    slice->done = true;
    return scheduler_commit(st, rc, why);
}

/* A start by a clock that is ahead must not take back the doubt. */
static enum rc trust_phase(struct scheduler *s, struct slice *slice, struct why *why)
{
    slice->now = scheduler_trusted_now(s);
    slice->doubted = scheduler_doubted_ms(s);
    return daemon_chore(s->daemon, trust, slice, why);
}

static enum rc (*const phases[])(struct scheduler *s, struct slice *slice, struct why *why) = {
    events_phase, keys_phase, ledger_phase, vacuum_phase, trust_phase};

/* Whatever is kept for a short time is looked at more often. */
static int64_t round_ms(int64_t retention_ms)
{
    int64_t part = retention_ms / 24;

    if (part > ROUND_MS)
        return ROUND_MS;
    return part < SHORTEST_ROUND_MS ? SHORTEST_ROUND_MS : part;
}

int64_t retention_step(struct scheduler *s)
{
    int64_t kept = atomic_load(&s->retention_ms);
    struct retention *r = &s->retention;
    struct why why = {0};

    if (kept != r->kept_ms)
        *r = (struct retention){.kept_ms = kept};
    if (!kept)
        return SCHEDULER_NEVER;
    if (!r->before) /* for the whole round, or senders who do not rest would make it endless */
        r->before = scheduler_trusted_now(s) - kept;
    struct slice slice = {.before = r->before, .now = r->before + kept};
    if (phases[r->phase](s, &slice, &why) != RC_OK) {
        log_write(LOG_WARN, "retention.failed", L_WHY(&why), L_END);
        *r = (struct retention){.kept_ms = kept};
        return AFTER_FAILURE_MS;
    }
    if (!slice.done)
        return PAUSE_MS;
    if ((size_t)++r->phase < ARRAY_LEN(phases))
        return PAUSE_MS;
    *r = (struct retention){.kept_ms = kept};
    return round_ms(kept);
}
