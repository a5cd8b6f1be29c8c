/* webhook.c - the public listener: sources' paths and /healthz. */
#include "funneld/base/clock.h"
#include "funneld/observe/health.h"
#include "server_priv.h"

static bool draining(const struct request *r)
{
    return atomic_load_explicit(&r->listener->server->draining, memory_order_relaxed);
}

static void public_health(struct request *r)
{
    if (!request_is(r, "GET") && !request_is(r, "HEAD")) {
        r->reply = REPLY_METHOD;
        r->allow = "GET, HEAD";
        return;
    }
    int status = health_render(HEALTH_PUBLIC, clock_now_ms(), &r->content);
    if (draining(r)) {
        status = 503;
        sbuf_reset(&r->content);
        sbuf_text(&r->content, "{\"status\":\"fail\"}");
    }
    answer_content(r, status, "application/json");
}

/* JSON, or no type at all; a form where a source takes it. */
static bool is_of_taken_type(const struct request *r)
{
    const struct head_field *type = &r->head.type;

    if (head_is_encoded(&r->head))
        return false;
    return !type->n ||
           (type->n == 1 && source_takes(r->site ? r->site->source : NULL, type->value));
}

enum reply judge_head(const struct request *r)
{
    const struct head *h = &r->head;

    if (!request_is(r, "POST"))
        return REPLY_METHOD;
    if (draining(r))
        return REPLY_SHUTDOWN;
    if (!h->has_length && !h->chunked)
        return REPLY_LENGTH;
    if (!is_of_taken_type(r))
        return REPLY_MEDIA_TYPE;
    if (h->has_length && h->bytes > r->set->sites.server->max_body)
        return REPLY_TOO_LARGE;
    return REPLY_NONE;
}

static struct raw_request raw_of(const struct request *r)
{
    return (struct raw_request){
        .method = r->method,
        .target = r->target,
        .body = {r->body ? r->body : "", r->body_len},
        .received_at = clock_now_ms(),
        .request_id = {r->id, REQUEST_ID},
        .header = request_header,
        .self = r,
    };
}

static void refuse(struct request *r, enum refusal refusal)
{
    r->reply = reply_of_refusal(refusal);
    /* What did not prove who it is learns no more than that. */
    if (r->reply != REPLY_SIGNATURE && r->reply != REPLY_TIMESTAMP)
        r->detail = str_of(r->why.text);
}

static void verify_head(struct request *r)
{
    const struct source *source = r->site->source;
    const struct raw_request raw = raw_of(r);

    refuse(r, source->type->verify_head(source, &raw, &r->arena, &r->why));
}

void webhook_route(struct request *r)
{
    r->site = site_find(r->set, r->path);
    if (r->reply)
        return;
    if (str_is(r->path, "/healthz")) {
        public_health(r);
        return;
    }
    if (hooks_route(r))
        return;
    r->reply = r->site ? judge_head(r) : REPLY_NOT_FOUND;
    r->allow = "POST";
    if (!r->reply)
        verify_head(r);
}

static size_t weight(const struct intake *in)
{
    size_t sum = 0;

    for (size_t i = 0; i < in->n; i++)
        sum += in->events[i].body.len > EVENT_WEIGHT ? in->events[i].body.len : EVENT_WEIGHT;
    return sum;
}

/* Beyond five minutes everything is refused: what is on its way there should be seen before. */
static void note_skew(const struct site *site, const struct raw_request *raw)
{
    int64_t signed_at;

    if (site->skew && site->source->type->signed_at(raw, &signed_at))
        metric_set(site->skew, (double)(raw->received_at - signed_at) / 1000);
}

/* For the receipt of each event. */
static void note_proof(struct request *r, const struct raw_request *raw)
{
    const struct source *source = r->site->source;
    struct str proof = source->type->proof ? str_of(source->type->proof(source, raw)) : STR_NULL;

    for (size_t i = 0; i < r->intake.n; i++)
        r->intake.events[i].signature = proof;
}

static void finish_events(struct request *r)
{
    const struct source *source = r->site->source;
    const struct raw_request raw = raw_of(r);
    enum refusal refusal = source->type->verify(source, &raw, &r->arena, &r->why);

    if (!refusal)
        note_skew(r->site, &raw);
    if (!refusal)
        refusal =
            source->type->decode(source, &raw, &r->arena, &r->intake.events, &r->intake.n, &r->why);
    if (refusal) {
        refuse(r, refusal);
        return;
    }
    note_proof(r, &raw);
    if (!r->intake.n) { /* an empty batch: there is nothing to commit */
        r->reply = REPLY_ACCEPTED;
        return;
    }
    r->intake.work.kind = WORK_INTAKE;
    r->intake.work.mail.weight = weight(&r->intake);
    wait_for_commit(r, clock_mono_us());
}

void webhook_finish(struct request *r)
{
    if (r->site)
        finish_events(r);
    else
        hooks_finish(r);
}
