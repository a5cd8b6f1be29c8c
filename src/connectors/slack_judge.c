/* connectors/slack_judge.c - what Slack's answers mean for the delivery.
 *
 * A failure comes as HTTP 200 with "ok": false and a code; only 429 and rare 5xx use the status.
 */
#include "slack_priv.h"

#include "funneld/base/clock.h"

struct str slack_reason(const json *answer, struct arena *a)
{
    struct str code = json_string(json_get(answer, "error"));
    struct str needed = str_cut(json_string(json_get(answer, "needed")), 200);
    struct str detail =
        str_cut(json_string(json_path(answer, "response_metadata.messages.0")), 200);
    const char *advice = slack_verdict_of(slack_class_of(code))->advice;

    code = str_cut(code, 100);
    if (needed.len)
        return arena_printf(a, "%.*s (needed: %.*s)%s", STR_ARG(code), STR_ARG(needed), advice);
    if (detail.len)
        return arena_printf(a, "%.*s (%.*s)%s", STR_ARG(code), STR_ARG(detail), advice);
    return arena_printf(a, "%.*s%s", STR_ARG(code), advice);
}

/* The same once more, without blocks; false: there were none. */
static bool retry_as_text(struct job *job)
{
    struct slack_talk *talk = job->scratch;

    if (talk->form == SLACK_TEXT_ONLY)
        return false;
    talk->form = SLACK_TEXT_ONLY;
    return true;
}

static enum judged judge_class(struct job *job, const struct http_response *r,
                               enum slack_class class, struct str reason)
{
    const struct slack_class_verdict *v = slack_verdict_of(class);

    if (v->pause_ms)
        job_rest(job, r, v->pause_ms);
    job->broken = job->broken || v->broken;
    return judge_all(job, v->verdict, reason);
}

/* The first message was deleted, or its thread closed: this one begins another. */
static enum judged forget_parent(struct job *job)
{
    struct slack_talk *talk = job->scratch;

    talk->parent = (struct slack_ref){0};
    talk->form = SLACK_WITH_BLOCKS;
    job->outcomes[0].remote_lead = STR("");
    job->step = SLACK_POST;
    return judge_settled(job);
}

static enum judged judge_refusal(struct job *job, const struct http_response *r, const json *answer)
{
    struct str code = json_string(json_get(answer, "error"));
    enum slack_class class = slack_class_of(code);
    struct str reason = slack_reason(answer, job->arena);

    if (job->step == SLACK_REPLY && slack_parent_is_gone(code))
        return forget_parent(job);
    if (class == SLACK_BLOCKS && retry_as_text(job))
        return judge_settled(job);
    if (class == SLACK_UNKNOWN && status_is_temporary(r->status))
        return judge_all(job, VERDICT_AMBIGUOUS, http_reason(r, job->arena));
    if (class == SLACK_UNKNOWN)
        return judge_unknown(job, code.len ? reason : http_reason(r, job->arena));
    return judge_class(job, r, class, reason);
}

/* Where no JSON came: what the status alone says about a message that was sent. */
static enum judged judge_status(struct job *job, const struct http_response *r)
{
    struct str reason = http_reason(r, job->arena);

    if (r->status == 408)
        return judge_all(job, VERDICT_RETRY, reason);
    if (r->status < 300 || r->status >= 500)
        return judge_all(job, VERDICT_AMBIGUOUS, reason);
    if (r->status < 400)
        return judge_redirect(job, r);
    return judge_unknown(job, reason);
}

enum judged slack_judge_429(struct job *job, const struct http_response *r, enum verdict v)
{
    job_rest(job, r, slack_verdict_of(SLACK_QUOTA)->pause_ms);
    return judge_all(job, v, STR("Slack's rate limit is used up"));
}

static struct str posted_ref(const struct job *job, const json *answer)
{
    const struct slack *s = job->settings;
    struct str channel = json_string(json_get(answer, "channel"));

    return slack_ref_text(channel.len ? channel : s->channel, json_string(json_get(answer, "ts")),
                          job->arena);
}

static enum judged posted(struct job *job, const json *answer)
{
    const struct slack *s = job->settings;
    struct str ref = posted_ref(job, answer);
    size_t alone;

    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            job->outcomes[i].remote_id = ref;
    if (s->thread && slack_is_single(job, &alone))
        job->outcomes[alone].remote_lead = slack_thread_text(ref, &job->parcels[alone], job->arena);
    return judge_all(job, VERDICT_DELIVERED, STR_NULL);
}

/* The reply is there, whatever becomes of the first message now. */
static enum judged replied(struct job *job, const json *answer)
{
    struct slack_talk *talk = job->scratch;

    job->outcomes[0].remote_id = posted_ref(job, answer);
    judge_one(job, 0, VERDICT_DELIVERED, STR_NULL);
    if (!str_eq(talk->parent.route, job->parcels[0].d.route))
        return JUDGED_DONE; /* the first message is another route's, and says another thing */
    talk->form = SLACK_WITH_BLOCKS;
    job->step = SLACK_REFRESH;
    return JUDGED_CONTINUE;
}

static enum judged accepted(struct job *job, const json *answer)
{
    switch (job->step) {
    case SLACK_REPLY:
        return replied(job, answer);
    case SLACK_UPDATE:
        return judge_all(job, VERDICT_DELIVERED, STR_NULL);
    default:
        return posted(job, answer);
    }
}

static enum judged judge_speech(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status == 429)
        return slack_judge_429(job, r, VERDICT_RETRY);
    if (!answer_object(r, &doc) || !json_get(doc.root, "ok"))
        return judge_status(job, r);
    if (!json_true(json_get(doc.root, "ok")))
        return judge_refusal(job, r, doc.root);
    return accepted(job, doc.root);
}

/* A helper call: it failed, and what counts was done before. */
static enum judged judge_refresh(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status == 429)
        job_rest(job, r, slack_verdict_of(SLACK_QUOTA)->pause_ms);
    else if (answer_object(r, &doc) &&
             str_is(json_string(json_get(doc.root, "error")), "message_not_found"))
        job->outcomes[0].remote_lead = STR("");
    return JUDGED_DONE;
}

static enum judged judge_webhook(struct job *job, const struct http_response *r)
{
    struct str said = str_trim(r->body), reason = http_reason(r, job->arena);
    enum slack_class class = slack_webhook_class(r->status, said);

    if (r->status == 429)
        return slack_judge_429(job, r, VERDICT_RETRY);
    if (r->status == 200 && str_is(said, "ok"))
        return judge_all(job, VERDICT_DELIVERED, STR_NULL);
    if (r->status < 400 || class == SLACK_UNKNOWN)
        return judge_status(job, r);
    if (class == SLACK_BLOCKS && retry_as_text(job))
        return judge_settled(job);
    return judge_class(
        job, r, class,
        arena_printf(job->arena, "%.*s%s", STR_ARG(reason), slack_verdict_of(class)->advice));
}

enum judged slack_judge(struct job *job, const struct http_response *r)
{
    const struct slack *s = job->settings;

    switch (job->step) {
    case SLACK_OWNER:
        return slack_owner_judge(job, r);
    case SLACK_LOOK:
    case SLACK_LOOK_THREAD:
        return slack_look_judge(job, r);
    case SLACK_REFRESH:
        return judge_refresh(job, r);
    default:
        return s->webhook.len ? judge_webhook(job, r) : judge_speech(job, r);
    }
}
