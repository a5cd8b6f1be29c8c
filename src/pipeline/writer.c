/* pipeline/writer.c - group commit.
 *
 * A step takes what waits, does it in one transaction and answers all of it after the commit. A
 * full disk or a failed write fails the whole group: nothing of it is stored and every sender
 * hears 503; on a full disk what is no event gets a second try without the events. One bad event
 * or command fails alone: as good as none is bad, a group is first done without savepoints for its
 * events, and again with them when the store refused one.
 */
#include "batch.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/observe/health.h"
#include "funneld/observe/log.h"

enum { IDLE_WAIT_MS = 1000 };

struct writer {
    struct writer_ports ports;
    struct mailbox *box;
    atomic_bool closing;
    /* The writer thread's own. */
    const struct rules *rules;
    struct models *models; /* NULL: none were handed over yet */
    struct explaining explaining;
    struct arena arena, kept;
    enum rc broken;     /* RC_IO or RC_CORRUPT: nothing more is written before a restart */
    enum rc last;       /* of the last commit: a change is logged once */
    enum rc checkpoint; /* of the last checkpoint: it failed until one does not */
};

struct writer *writer_new(const struct writer_ports *ports, size_t max_weight)
{
    struct writer *w = mem_alloc(sizeof *w);

    w->ports = *ports;
    w->box = mailbox_new(max_weight);
    return w;
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    mailbox_free(w->box);
    arena_free(&w->arena);
    arena_free(&w->kept);
    if (w->rules)
        ref_drop(w->rules->owner);
    if (w->models)
        ref_drop(&w->models->ref);
    free(w);
}

enum rc writer_submit(struct writer *w, struct work *work)
{
    if (work->kind == WORK_INTAKE)
        return mailbox_put(w->box, &work->mail);
    work->mail.weight = 1; /* bounded by what is in flight, so never refused */
    return mailbox_force(w->box, &work->mail);
}

void writer_close(struct writer *w)
{
    atomic_store(&w->closing, true);
    mailbox_close(w->box);
}

static enum rc do_intake(struct batch *b, struct intake *in)
{
    in->accepted = in->duplicates = in->unprocessable = 0;
    for (size_t i = 0; i < in->n; i++) {
        bool fresh = false, raw = false;
        enum rc rc = process_alone(b, &in->events[i], &fresh, &raw);

        arena_reset(b->arena);
        atomic_store(&health.writer_beat, clock_now_ms()); /* slow is not stuck */
        if (rc != RC_OK)
            return rc;
        in->accepted += fresh;
        in->duplicates += !fresh;
        in->unprocessable += fresh && raw;
    }
    return RC_OK;
}

/* Rows of connectors that there are not wait as held. */
static enum rc hold_and_release(struct batch *b, const struct rules *r)
{
    struct str *names = arena_array(b->arena, r->n_connectors, sizeof *names);

    for (size_t i = 0; i < r->n_connectors; i++)
        names[i] = r->connectors[i].name;
    b->rescan = true;
    return store_connectors(b->store, names, r->n_connectors);
}

static enum rc load_rules(struct batch *b, const struct rules *r)
{
    enum rc rc = hold_and_release(b, r);

    return rc == RC_OK ? store_ruleset_add(b->store, r->scorecard.text, b->now_ms) : rc;
}

/* What was dead while something newer came is not said any more where that says it all. */
static enum rc fold_overtaken(struct batch *b)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < b->rules->n_connectors && rc == RC_OK; i++) {
        const struct connector *c = &b->rules->connectors[i];
        int64_t n = 0;

        if (!connector_upserts(c))
            continue;
        rc = store_delivery_fold_again(b->store, c->name, b->now_ms, &n);
        if (rc == RC_OK)
            batch_count(b, metric(METRIC_DELIVERIES, c->name, STR("superseded")), n);
    }
    return rc;
}

static enum rc retry(struct batch *b, struct retry_filter *f, int64_t *ret_n)
{
    enum rc rc = store_retry(b->store, f, b->now_ms, ret_n);

    if (rc == RC_OK)
        rc = hold_and_release(b, b->rules);
    return rc == RC_OK ? fold_overtaken(b) : rc;
}

/* Whoever asked may have given up waiting; then it must not happen behind its back. A group that
 * is tried twice finds it taken. */
static enum rc do_command(struct batch *b, struct command *c)
{
    int waiting = COMMAND_WAITING;

    if (!atomic_compare_exchange_strong(&c->stage, &waiting, COMMAND_TAKEN) &&
        waiting == COMMAND_WITHDRAWN)
        return RC_TIMEOUT;
    switch (c->kind) {
    case COMMAND_RULES:
        return load_rules(b, c->arg);
    case COMMAND_MODELS: /* nothing to be stored */
        return RC_OK;
    case COMMAND_RETRY:
        return retry(b, c->arg, &c->count);
    case COMMAND_REPLAY:
        return replay_slice(b, c->arg);
    default: /* COMMAND_CALL; do_chores has the chores */
        return c->fn(b->store, c->arg, &c->why);
    }
}

static bool is_command(const struct work *work, enum command_kind kind)
{
    return work->kind == WORK_COMMAND && ((const struct command *)work)->kind == kind;
}

static bool is_rules(const struct work *work)
{
    return is_command(work, COMMAND_RULES);
}

static bool is_models(const struct work *work)
{
    return is_command(work, COMMAND_MODELS);
}

static enum rc do_unit(struct batch *b, struct work *work)
{
    switch (work->kind) {
    case WORK_ATTEMPTS:
        return apply_attempts(b, (struct attempts *)work);
    case WORK_VERDICTS:
        return apply_verdicts(b, (struct verdicts *)work);
    default:
        return do_command(b, (struct command *)work);
    }
}

/* Events stand for themselves; the rest is one unit each. */
static enum rc do_work(struct batch *b, struct work *work)
{
    if (work->kind == WORK_INTAKE)
        return work->rc = do_intake(b, (struct intake *)work);
    const struct batch_mark mark = batch_mark(b);
    enum rc rc = store_savepoint(b->store);
    if (rc != RC_OK)
        return rc;
    work->rc = do_unit(b, work);
    arena_reset(b->arena);
    if (work->rc == RC_OK && is_rules(work))
        b->rules = ((struct command *)work)->arg; /* for what follows in this group already */
    if (work->rc == RC_OK && is_models(work))
        b->models = ((struct command *)work)->arg;
    if (work->rc == RC_OK)
        return store_release(b->store);
    enum rc undone = store_undo(b->store);
    batch_undo(b, mark);
    return loses_group(work->rc) || b->stumbled ? work->rc : undone;
}

static enum rc commit_group(struct batch *b, struct mail *mails)
{
    enum rc rc = store_begin(b->store);

    for (struct mail *m = mails; m && rc == RC_OK; m = m->next)
        rc = do_work(b, (struct work *)m);
    if (rc == RC_OK)
        return store_commit(b->store);
    store_rollback(b->store);
    return rc;
}

static enum rc do_group(struct writer *w, struct mail *mails, int64_t now_ms, bool careful,
                        struct batch *ret)
{
    *ret = (struct batch){
        .store = w->ports.store,
        .reader = store_reader(w->ports.store),
        .rules = w->rules,
        .models = w->models,
        .explaining = &w->explaining,
        .now_ms = now_ms,
        .arena = &w->arena,
        .kept = &w->kept,
        .last_notice = &ret->notices,
        .careful = careful,
    };
    return commit_group(ret, mails);
}

static void tell(struct writer *w, const struct batch *b)
{
    for (const struct count *c = b->counts; c; c = c->next)
        metric_add(c->series, c->n);
    if (b->rescan)
        w->ports.rescan(w->ports.self);
    for (const struct notice *n = b->notices; n; n = n->next)
        w->ports.notify(w->ports.self, n->connector, &n->row);
}

static void take_rules(struct writer *w, const struct work *work)
{
    const struct command *c = (const struct command *)work;

    if (!is_rules(work) || work->rc != RC_OK)
        return;
    if (w->rules)
        ref_drop(w->rules->owner);
    w->rules = c->arg;
}

static void take_models(struct writer *w, const struct work *work)
{
    const struct command *c = (const struct command *)work;

    if (!is_models(work) || work->rc != RC_OK)
        return;
    if (w->models)
        ref_drop(&w->models->ref);
    w->models = c->arg;
}

static void note_outcome(struct writer *w, enum rc rc)
{
    atomic_store(&health.store, rc == RC_OK || rc == RC_BUSY ? STORE_OK
                                : rc == RC_FULL              ? STORE_FULL
                                                             : STORE_FAILED);
    if (rc != w->last && rc == RC_OK)
        log_write(LOG_INFO, "store.recovered", L_END);
    else if (rc != w->last)
        log_write(LOG_ERROR, "store.failed", L_TEXT("status", rc_text(rc)),
                  L_TEXT("reason", store_error(w->ports.store)), L_END);
    w->last = rc;
    if (rc != RC_IO && rc != RC_CORRUPT)
        return;
    w->broken = rc; /* not survived by guessing: restart on what is on disk */
    w->ports.failed(w->ports.self);
}

static void answer(struct writer *w, struct mail *mails, enum rc rc)
{
    for (struct mail *m = mails, *next; m; m = next) {
        struct work *work = (struct work *)m;

        next = m->next; /* done() may free it */
        if (rc != RC_OK)
            work->rc = rc;
        take_rules(w, work);
        take_models(w, work);
        work->done(work);
    }
}

static enum rc commit_and_tell(struct writer *w, struct mail *mails, int64_t now_ms)
{
    struct batch b = {0};
    enum rc rc = w->broken ? w->broken : do_group(w, mails, now_ms, false, &b);

    if (b.stumbled)
        rc = do_group(w, mails, now_ms, true, &b);
    if (rc != RC_OK)
        return rc;
    tell(w, &b);
    if (b.events)
        metric_observe(metric(METRIC_COMMIT_EVENTS, STR_NULL, STR_NULL), (double)b.events);
    return RC_OK;
}

/* Takes those of a kind out of *mails; both keep the order in which they came. */
static struct mail *take_out(struct mail **mails, bool (*wanted)(const struct work *))
{
    struct mail *taken = NULL, **last_taken = &taken, **last = mails;

    for (struct mail *m = *mails; m; m = m->next) {
        struct mail ***end = wanted((struct work *)m) ? &last_taken : &last;

        **end = m;
        *end = &m->next;
    }
    *last = *last_taken = NULL;
    return taken;
}

static bool is_intake(const struct work *work)
{
    return work->kind == WORK_INTAKE;
}

static bool is_chore(const struct work *work)
{
    return is_command(work, COMMAND_CHORE);
}

/* What goes wrong with one is told to who asked for it; only damage to the store is the store's. */
static void do_chores(struct writer *w, struct mail *mails)
{
    for (struct mail *m = mails, *next; m; m = next) {
        struct command *c = (struct command *)m;

        next = m->next; /* done() may free it */
        c->work.rc = w->broken ? w->broken : c->fn(w->ports.store, c->arg, &c->why);
        if (!w->broken && store_damaged(w->ports.store))
            note_outcome(w, c->work.rc == RC_CORRUPT ? RC_CORRUPT : RC_IO);
        c->work.done(&c->work);
    }
}

/* Where events find no room, verdicts may; and the command that makes room must not fail with
 * events that need it. */
static enum rc finish_without_intakes(struct writer *w, struct mail *mails, int64_t now_ms)
{
    struct mail *intakes = take_out(&mails, is_intake);
    bool again = intakes && mails;
    enum rc rc = again ? commit_and_tell(w, mails, now_ms) : RC_FULL;

    if (again && rc != RC_OK)
        note_outcome(w, rc);
    answer(w, intakes, RC_FULL);
    answer(w, mails, rc);
    return rc;
}

/* Commits may go well while the file has no room for what they wrote to the log. */
static void checkpoint(struct writer *w)
{
    enum rc before = w->checkpoint;

    w->checkpoint = store_checkpoint(w->ports.store, mailbox_weight(w->box) > 0);
    if (w->checkpoint != before)
        note_outcome(w, w->checkpoint);
}

/* Nobody sends to a place that calls itself unhealthy, so nobody would find that there is room
 * again. */
static void look_for_room(struct writer *w)
{
    if (w->last == RC_OK || w->broken)
        return;
    enum rc rc = store_probe(w->ports.store);
    if (rc == RC_OK) {
        checkpoint(w);
        rc = w->checkpoint;
    }
    note_outcome(w, rc);
}

static void do_mails(struct writer *w, struct mail *mails, int64_t now_ms)
{
    int64_t began = clock_mono_us();
    enum rc rc = commit_and_tell(w, mails, now_ms);

    note_outcome(w, rc == RC_OK ? w->checkpoint : rc);
    if (rc == RC_FULL)
        rc = finish_without_intakes(w, mails, now_ms);
    else
        answer(w, mails, rc);
    metric_observe(metric(METRIC_COMMIT_SECONDS, STR_NULL, STR_NULL),
                   (double)(clock_mono_us() - began) / 1e6);
    arena_reset(&w->kept);
    if (rc == RC_OK)
        checkpoint(w);
}

bool writer_step(struct writer *w, int64_t now_ms, int wait_ms)
{
    struct mail *mails = mailbox_take(w->box, COMMIT_WEIGHT, wait_ms);

    if (!mails) {
        look_for_room(w);
        return !atomic_load(&w->closing);
    }
    if (wait_ms)
        now_ms = clock_now_ms(); /* the wait may have been long */
    struct mail *chores = take_out(&mails, is_chore);
    if (mails)
        do_mails(w, mails, now_ms);
    do_chores(w, chores);
    if (chores && !w->broken)
        checkpoint(w); /* a purge writes as much as a sender does */
    return true;
}

void *writer_run(void *writer)
{
    struct writer *w = writer;

    do
        atomic_store(&health.writer_beat, clock_now_ms());
    while (writer_step(w, clock_now_ms(), IDLE_WAIT_MS));
    return NULL;
}
