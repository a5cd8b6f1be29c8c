/* deliver/attempt.c - one attempt, from its first request to the verdicts that are committed. */
#include "attempt_priv.h"
#include "mask_priv.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/observe/log.h"

/* Enough to page through a channel's history; a conversation that is longer goes in circles. With
 * the time-out of each request it also bounds how long an attempt can take. */
enum { STEPS_MAX = 64 };

/* What is kept of an answer that a delivery dies of. */
enum { ANSWER_KEPT = 2048 };

/* How often a store that cannot commit is asked again. */
#define STORE_REST_MS (1 * SECONDS_MS)

struct attempt *attempt_new(struct engine *e, struct lane *lane, struct line *line, size_t room,
                            int64_t now_ms)
{
    struct attempt *a = mem_alloc(sizeof *a);

    a->engine = e;
    a->lane = lane;
    a->line = line;
    a->by = e->lanes;
    if (a->by.owner)
        (void)ref_take(a->by.owner);
    a->connector = lane->connector;
    a->session = lane->session;
    a->session->users++;
    a->started_at = now_ms;
    a->retry_after_ms = -1;
    a->parcels = arena_array(&a->arena, room, sizeof *a->parcels);
    a->job = (struct job){.settings = a->connector->settings,
                          .session = a->session->data,
                          .parcels = a->parcels,
                          .outcomes = arena_array(&a->arena, room, sizeof *a->job.outcomes),
                          .arena = &a->arena};
    lane_begin(lane, line, now_ms);
    a->next = e->attempts;
    if (a->next)
        a->next->prev = a;
    e->attempts = a;
    return a;
}

void attempt_free(struct attempt *a)
{
    if (a->prev)
        a->prev->next = a->next;
    else
        a->engine->attempts = a->next;
    if (a->next)
        a->next->prev = a->prev;
    lane_end(a->lane, a->line);
    session_drop(a->session);
    ref_drop(a->by.owner);
    arena_free(&a->arena);
    free(a);
}

bool attempt_sleeps(const struct attempt *a)
{
    return a->state == ATTEMPT_READY || a->state == ATTEMPT_UNREPORTED;
}

/* Its rows wait again as the disk has them: what came meanwhile may have made them urgent. Nothing
 * was sent since it knew of them. */
static void put_back(struct attempt *a, int64_t now_ms)
{
    for (size_t i = 0; i < a->job.n; i++) {
        const struct due_row row = due_row_of(&a->parcels[i].d);

        (void)idmap_remove(&a->lane->flight, due_key(&row));
        lane_refresh(a->lane, a->engine->ports.reader, &row, now_ms);
    }
}

/* The store has closed for good: what the disk says of these deliveries stays true enough (an
 * attempt begun is open there), and a restart goes on from it. */
static void abandon(struct attempt *a, int64_t now_ms)
{
    a->engine->store_closed = true;
    put_back(a, now_ms);
    attempt_free(a);
}

/* In the writer's thread. */
static void post_done(struct attempt *a)
{
    struct engine *e = a->engine;

    a->post.kind = POST_WORK_DONE;
    a->post.mail.weight = 1;
    enum rc rc = mailbox_force(e->mailbox, &a->post.mail); /* from here on it may be gone */
    assert(rc == RC_OK); /* the box is open as long as attempts exist */
    (void)rc;
    e->posted(e);
}

static void mark_done(struct work *w)
{
    post_done((struct attempt *)(void *)((char *)w - offsetof(struct attempt, mark.work)));
}

static void report_done(struct work *w)
{
    post_done((struct attempt *)(void *)((char *)w - offsetof(struct attempt, report.work)));
}

static void submit(struct attempt *a, struct work *work, enum work_kind kind,
                   enum attempt_state state, int64_t now_ms)
{
    struct engine *e = a->engine;

    *work = (struct work){.mail.weight = 1, .kind = kind};
    work->done = kind == WORK_ATTEMPTS ? mark_done : report_done;
    a->state = state;
    if (e->ports.submit(e->ports.self, work) != RC_OK)
        abandon(a, now_ms);
}

/* The service wants a rest, from all that this request counted for. One of those who subscribed
 * speaks for himself alone. */
static void rest(struct attempt *a, int64_t until_ms)
{
    if (a->line->target) {
        lane_pause_target(a->lane, a->line->target, until_ms);
        return;
    }
    lane_pause(a->lane, until_ms);
    governor_block(&a->engine->governor, a->quotas, a->n_quotas, until_ms);
}

static struct str first_reason(const struct attempt *a)
{
    for (size_t i = 0; i < a->job.n; i++)
        if (a->job.outcomes[i].reason.len)
            return a->job.outcomes[i].reason;
    return STR_NULL;
}

static void finish(struct attempt *a, int64_t now_ms)
{
    if (a->job.pause_ms > 0)
        rest(a, now_ms + a->job.pause_ms);
    lane_note_health(a->lane, a->line, a->job.broken ? HEALTH_BROKEN : a->health, first_reason(a),
                     a->started_at, now_ms, random_next(&a->engine->random));
    attempt_settle(a, now_ms);
    submit(a, &a->report.work, WORK_VERDICTS, ATTEMPT_REPORTING, now_ms);
}

/* Those that have a verdict keep it. */
static void finish_rest(struct attempt *a, enum verdict v, struct str reason, int64_t now_ms)
{
    reason = arena_str(&a->arena, reason);
    for (size_t i = 0; i < a->job.n; i++)
        if (a->job.outcomes[i].verdict == VERDICT_NONE) {
            a->job.outcomes[i].verdict = v;
            a->job.outcomes[i].reason = reason;
        }
    finish(a, now_ms);
}

static void mark(struct attempt *a, int64_t now_ms)
{
    int64_t *ids = arena_array(&a->arena, a->job.n, sizeof *ids);
    size_t n = 0;

    for (size_t i = 0; i < a->job.n; i++)
        if (a->job.outcomes[i].verdict == VERDICT_NONE)
            ids[n++] = a->parcels[i].d.id;
    a->mark = (struct attempts){.deliveries = ids, .n = n, .at = now_ms};
    submit(a, &a->mark.work, WORK_ATTEMPTS, ATTEMPT_MARKING, now_ms);
}

static void send(struct attempt *a, int64_t now_ms)
{
    const struct connector_common *c = a->job.settings;
    struct transport *t = a->engine->ports.transport;
    struct transport_call call = {
        .request = &a->request, .timeout_ms = c->timeout_ms, .ca_file = c->ca_file, .tag = a};
    struct why why = {0};

    a->state = ATTEMPT_SENT;
    a->steps++;
    enum rc rc = t->start(t->self, &call, &why);
    if (rc == RC_INVALID)
        finish_rest(a, VERDICT_DEAD, str_of(why.text), now_ms);
    else if (rc)
        finish_rest(a, attempt_doubt(a), str_of(why.text), now_ms);
}

static void build(struct attempt *a, int64_t now_ms)
{
    struct why why = {0};

    a->job.now_ms = now_ms;
    a->request = (struct http_request){0};
    a->status = 0;
    a->answer = STR_NULL;
    a->retry_after_ms = -1;
    enum rc rc = a->connector->type->build(&a->job, &a->request, &why);
    if (rc == RC_NONE)
        finish(a, now_ms);
    else if (rc != RC_OK)
        finish_rest(a, VERDICT_DEAD, str_of(why.text), now_ms);
    else if (!a->request.repeatable && !a->marked_at)
        mark(a, now_ms);
    else
        send(a, now_ms);
}

/* The next turn that the lane's rate and the account's quotas have to give. */
static void reserve(struct attempt *a, int64_t now_ms)
{
    double per_second = ((const struct connector_common *)a->job.settings)->rate;
    struct governor *g = &a->engine->governor;

    a->wake_at = lane_ready_at(a->lane, per_second, now_ms);
    a->wake_at = governor_ready_at(g, a->quotas, a->n_quotas, a->wake_at);
    lane_count_request(a->lane, per_second, a->wake_at);
    governor_count(g, a->quotas, a->n_quotas, a->wake_at);
}

/* The next request of the conversation, when the rate lets it out. */
static void step(struct attempt *a, int64_t now_ms)
{
    if (a->steps >= STEPS_MAX) {
        finish_rest(a, attempt_doubt(a), STR("the conversation with the service does not end"),
                    now_ms);
        return;
    }
    a->state = ATTEMPT_READY;
    a->n_quotas = connector_quotas(a->connector, &a->job, a->quotas);
    reserve(a, now_ms);
    if (a->wake_at <= now_ms)
        build(a, now_ms);
}

void attempt_begin(struct attempt *a, int64_t now_ms)
{
    lane_count_start(a->lane, a->job.n, now_ms);
    step(a, now_ms);
}

static void heed_retry_after(struct attempt *a, const struct http_response *r, int64_t now_ms)
{
    a->retry_after_ms = r->retry_after_ms;
    if (r->retry_after_ms > 0 && (r->status == 429 || r->status == 503))
        rest(a, now_ms + r->retry_after_ms);
}

/* A service that answers with sense is well, whatever it says. A mail server's 5xx has sense; with
 * 421 it goes. */
static enum attempt_health health_of(const struct http_response *r)
{
    bool failed = r->fate != HTTP_ANSWERED ||
                  (r->command ? r->status == 421 : r->status == 408 || r->status >= 500);

    return failed ? HEALTH_FAILED : HEALTH_WELL;
}

void attempt_answered(struct attempt *a, const struct http_response *r, int64_t now_ms)
{
    struct http_response answer = *r;

    answer.unmasked = r->body;
    answer.body = mask_secrets(a->connector, &a->request, r->body, a->job.arena);
    answer.error = mask_secrets(a->connector, &a->request, r->error, a->job.arena);
    if (!a->request.repeatable && r->fate != HTTP_NOT_SENT)
        a->may_have_acted = true;
    a->health = health_of(r);
    if (r->fate != HTTP_ANSWERED) {
        finish_rest(a, attempt_doubt(a), answer.error, now_ms);
        return;
    }
    a->status = r->status;
    a->answer = arena_str(&a->arena, str_cut(answer.body, ANSWER_KEPT));
    a->job.now_ms = now_ms;
    heed_retry_after(a, r, now_ms);
    bool goes_on = a->connector->type->judge(&a->job, &answer) == JUDGED_CONTINUE;
    governor_learn(&a->engine->governor, &a->job.left, now_ms);
    a->job.left = (struct quota_left){0};
    if (a->job.settled)
        a->may_have_acted = false;
    a->job.settled = false;
    if (goes_on)
        step(a, now_ms);
    else
        finish(a, now_ms);
}

/* Nothing was sent: the rows can be looked at afresh once the store commits again. */
static void mark_failed(struct attempt *a, enum rc rc, int64_t now_ms)
{
    if (rc != RC_DENIED) { /* that is no trouble: one was overtaken, the others go without it */
        log_write(LOG_WARN, "delivery.unmarked", L_STR("connector", a->lane->name),
                  L_TEXT("reason", rc_text(rc)), L_END);
        lane_pause(a->lane, now_ms + STORE_REST_MS);
    }
    put_back(a, now_ms);
    attempt_free(a);
}

/* The slot stays taken: while the store cannot commit, nothing new begins. */
static void report_failed(struct attempt *a, enum rc rc, int64_t now_ms)
{
    log_write(LOG_WARN, "delivery.unrecorded", L_STR("connector", a->lane->name),
              L_TEXT("reason", rc_text(rc)), L_END);
    a->state = ATTEMPT_UNREPORTED;
    a->wake_at = now_ms + STORE_REST_MS;
}

void attempt_work_done(struct attempt *a, int64_t now_ms)
{
    bool marking = a->state == ATTEMPT_MARKING;
    enum rc rc = marking ? a->mark.work.rc : a->report.work.rc;

    if (rc == RC_CLOSED) {
        abandon(a, now_ms);
    } else if (marking && rc) {
        mark_failed(a, rc, now_ms);
    } else if (marking) {
        a->marked_at = a->mark.at;
        send(a, now_ms);
    } else if (rc) {
        report_failed(a, rc, now_ms);
    } else {
        attempt_recorded(a, now_ms);
        attempt_free(a);
    }
}

bool attempt_give_way(struct attempt *a, int64_t now_ms)
{
    if (a->state != ATTEMPT_READY || a->marked_at)
        return false;
    put_back(a, now_ms);
    attempt_free(a);
    return true;
}

/* Since it was told when to leave, the service may have asked for a rest. Behind it there are turns
 * again: who waited for it does not leave all at once. Where less is left it keeps its turn, which
 * is later now: answers say so all the time, and a new turn each time it would never leave. */
static bool must_wait(struct attempt *a, int64_t now_ms)
{
    const struct governor *g = &a->engine->governor;
    int64_t rests = later(governor_rests_until(g, a->quotas, a->n_quotas), a->lane->paused_until);

    if (rests > now_ms)
        reserve(a, now_ms);
    else
        a->wake_at = governor_spread_until(g, a->quotas, a->n_quotas);
    return a->wake_at > now_ms;
}

void attempt_resume(struct attempt *a, int64_t now_ms)
{
    if (a->state == ATTEMPT_READY) {
        if (!must_wait(a, now_ms))
            build(a, now_ms);
    } else {
        submit(a, &a->report.work, WORK_VERDICTS, ATTEMPT_REPORTING, now_ms);
    }
}
