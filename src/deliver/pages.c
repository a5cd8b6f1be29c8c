/* deliver/pages.c - one conversation after another, each about a page. */
#include "funneld/deliver/pages.h"

#include <math.h>
#include <stdlib.h>

#include "mask_priv.h"

enum { LOOK_MS = 1000, DOUBLINGS_MOST = 16, QUOTA_SPARED = 10 };

struct reading {
    const struct transport *transport;
    int64_t (*clock_ms)(void);
    const struct pages *pages;
    struct arena arena; /* of the page under way */
    struct sbuf place;
    int64_t asked_at; /* 0: never yet */
    int failures;     /* in a row */
    struct job job;
    struct parcel parcel;
    struct outcome outcome;
    struct lead nobody;
};

static const struct connector_common *common_of(const struct reading *r)
{
    return r->pages->connector->settings;
}

static void wait_until(const struct reading *r, int64_t until)
{
    for (int64_t now; (now = r->clock_ms()) < until;)
        r->transport->wait(r->transport->self,
                           (int)(until - now < LOOK_MS ? until - now : LOOK_MS));
}

/* By our share of the connector's rate. */
static void wait_for_turn(const struct reading *r)
{
    int by = r->pages->shared_by > 1 ? r->pages->shared_by : 1;
    double rate = common_of(r)->rate / by;

    if (r->asked_at && rate > 0)
        wait_until(r, r->asked_at + (int64_t)ceil(1000 / rate));
}

static struct http_response seen(struct reading *r, const struct http_request *request,
                                 const struct http_response *response)
{
    const struct connector *c = r->pages->connector;
    struct http_response ret = *response;

    ret.unmasked = arena_str(&r->arena, response->body);
    ret.body = mask_secrets(c, request, ret.unmasked, &r->arena);
    ret.error = mask_secrets(c, request, arena_str(&r->arena, response->error), &r->arena);
    for (size_t i = 0; i < ret.n_kept; i++)
        ret.kept[i].value =
            mask_secrets(c, request, arena_str(&r->arena, response->kept[i].value), &r->arena);
    return ret;
}

static struct http_response send(struct reading *r, const struct http_request *request)
{
    const struct transport_call call = {.request = request,
                                        .timeout_ms = common_of(r)->timeout_ms,
                                        .ca_file = common_of(r)->ca_file,
                                        .tag = r};
    struct transport_result result;
    struct why why = {{0}};

    wait_for_turn(r);
    r->asked_at = r->clock_ms();
    if (r->transport->start(r->transport->self, &call, &why) != RC_OK)
        return (struct http_response){.fate = HTTP_NOT_SENT,
                                      .error = arena_str(&r->arena, str_of(why.text)),
                                      .retry_after_ms = -1};
    while (!r->transport->take(r->transport->self, &result))
        r->transport->wait(r->transport->self, LOOK_MS);
    return seen(r, request, &result.response);
}

static void begin_job(struct reading *r)
{
    arena_reset(&r->arena);
    r->outcome = (struct outcome){0};
    r->parcel = (struct parcel){.d = {.route = r->pages->route,
                                      .connector = r->pages->connector->name,
                                      .attempts = r->failures,
                                      .remote_id = arena_str(&r->arena, sbuf_str(&r->place))},
                                .lead = &r->nobody,
                                .public_id = STR(""),
                                .lead_public_id = STR("")};
    void *session = r->job.session;
    r->job = (struct job){.settings = r->pages->connector->settings,
                          .session = session,
                          .parcels = &r->parcel,
                          .outcomes = &r->outcome,
                          .n = 1,
                          .arena = &r->arena};
}

/* Until it has a verdict. RC_INVALID: it cannot be asked at all. */
static enum rc converse(struct reading *r, struct why *why)
{
    const struct connector_type *type = r->pages->connector->type;
    enum judged judged = JUDGED_CONTINUE;

    begin_job(r);
    while (judged == JUDGED_CONTINUE) {
        struct http_request request = {0};

        r->job.now_ms = r->clock_ms();
        enum rc rc = type->build(&r->job, &request, why);
        if (rc != RC_OK)
            return rc;
        const struct http_response response = send(r, &request);
        r->job.now_ms = r->clock_ms();
        if (response.fate != HTTP_ANSWERED) {
            r->outcome.verdict = VERDICT_RETRY;
            r->outcome.reason = response.error;
            return RC_OK;
        }
        judged = type->judge(&r->job, &response);
    }
    return RC_OK;
}

static enum rc give_up(const struct reading *r, struct why *why)
{
    return why_fail(RC_IO, why, "%.*s", STR_ARG(str_cut(r->outcome.reason, 400)));
}

/* What a person must mend is not asked for again. */
static enum rc rest(struct reading *r, struct why *why)
{
    int64_t backoff = common_of(r)->backoff_ms << (r->failures < DOUBLINGS_MOST ? r->failures : 16);
    int64_t ms = backoff < common_of(r)->backoff_max_ms ? backoff : common_of(r)->backoff_max_ms;

    if (r->job.pause_ms > 0)
        ms = r->job.pause_ms;
    if (r->job.broken || r->failures++ == r->pages->failures_most)
        return give_up(r, why);
    if (r->pages->rests)
        r->pages->rests(r->pages->self, ms, r->outcome.reason);
    wait_until(r, r->clock_ms() + ms);
    return RC_OK;
}

/* Near the end of what an account may ask, others come first. */
static void spare_quota(struct reading *r)
{
    const struct quota_left *left = &r->job.left;

    if (left->key && left->window_ms > 0 && left->requests < QUOTA_SPARED)
        wait_until(r, r->clock_ms() + left->window_ms);
}

static enum rc take_page(struct reading *r, bool *ret_done, struct why *why)
{
    enum rc rc = r->pages->took(r->pages->self, &r->outcome, why);

    if (rc != RC_OK)
        return rc;
    r->failures = 0;
    sbuf_reset(&r->place);
    sbuf_add(&r->place, r->outcome.remote_id);
    *ret_done = r->outcome.verdict == VERDICT_DELIVERED;
    if (!*ret_done)
        spare_quota(r);
    return RC_OK;
}

static enum rc read_all(struct reading *r, struct why *why)
{
    bool done = false;
    enum rc rc = RC_OK;

    while (rc == RC_OK && !done) {
        rc = converse(r, why);
        if (rc != RC_OK)
            return rc;
        enum verdict v = r->outcome.verdict;
        if (v == VERDICT_DELIVERED || v == VERDICT_MORE)
            rc = take_page(r, &done, why);
        else if (v == VERDICT_DEAD)
            rc = give_up(r, why);
        else
            rc = rest(r, why);
    }
    return rc;
}

enum rc pages_read(const struct transport *t, int64_t (*clock_ms)(void), const struct pages *p,
                   struct why *why)
{
    struct reading r = {.transport = t, .clock_ms = clock_ms, .pages = p, .place = SBUF(64 * 1024)};
    size_t session = p->connector->type->session_size;

    r.job.session = session ? mem_alloc(session) : NULL;
    sbuf_add(&r.place, p->place);
    enum rc rc = read_all(&r, why);
    if (r.job.session && p->connector->type->session_free)
        p->connector->type->session_free(r.job.session);
    free(r.job.session);
    sbuf_free(&r.place);
    arena_free(&r.arena);
    return rc;
}
