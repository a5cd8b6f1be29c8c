/* connectors/slack_judge.c - what Slack's answers mean for the delivery.
 *
 * A failure comes as HTTP 200 with "ok": false and a code; only 429 and rare 5xx use the status.
 * Webhooks answer with a status and a word. What needs a person (a revoked token, a channel that
 * is gone) is dead with a reason, to be put back with `funneld retry` once it is mended.
 */
#include "slack_priv.h"

#include "funneld/base/clock.h"

enum { LOOK_PAGES_MAX = 50 };

#define QUOTA_PAUSE_MS (30 * SECONDS_MS) /* 429 without Retry-After */
#define LONG_PAUSE_MS  (15 * MINUTES_MS) /* a workspace that moves, a free plan that is full */

enum class {
    CLASS_UNKNOWN,
    CLASS_DESTINATION, /* the token, the app or the workspace: needs a person */
    CLASS_CHANNEL,
    CLASS_MESSAGE,
    CLASS_BLOCKS, /* perhaps only the blocks: once more as text */
    CLASS_RETRY,
    CLASS_PARTIAL, /* "part may have happened" */
    CLASS_QUOTA,
    CLASS_LONG,
};

static const struct slack_error {
    const char *code;
    enum class class;
} slack_errors[] = {
    {"invalid_auth", CLASS_DESTINATION},
    {"not_authed", CLASS_DESTINATION},
    {"account_inactive", CLASS_DESTINATION},
    {"token_revoked", CLASS_DESTINATION},
    {"token_expired", CLASS_DESTINATION},
    {"missing_scope", CLASS_DESTINATION},
    {"no_permission", CLASS_DESTINATION},
    {"not_allowed_token_type", CLASS_DESTINATION},
    {"ekm_access_denied", CLASS_DESTINATION},
    {"org_login_required", CLASS_DESTINATION},
    {"enterprise_is_restricted", CLASS_DESTINATION},
    {"team_access_not_granted", CLASS_DESTINATION},
    {"access_denied", CLASS_DESTINATION},
    {"accesslimited", CLASS_DESTINATION},
    {"method_deprecated", CLASS_DESTINATION},
    {"deprecated_endpoint", CLASS_DESTINATION},
    {"channel_not_found", CLASS_CHANNEL},
    {"not_in_channel", CLASS_CHANNEL},
    {"is_archived", CLASS_CHANNEL},
    {"messages_tab_disabled", CLASS_CHANNEL},
    {"team_not_found", CLASS_CHANNEL},
    {"restricted_action", CLASS_CHANNEL},
    {"restricted_action_read_only_channel", CLASS_CHANNEL},
    {"restricted_action_thread_only_channel", CLASS_CHANNEL},
    {"restricted_action_thread_locked", CLASS_CHANNEL},
    {"restricted_action_non_threadable_channel", CLASS_CHANNEL},
    {"invalid_blocks", CLASS_BLOCKS},
    {"invalid_blocks_format", CLASS_BLOCKS},
    {"msg_blocks_too_long", CLASS_BLOCKS},
    {"no_text", CLASS_MESSAGE},
    {"too_many_attachments", CLASS_MESSAGE},
    {"attachment_payload_limit_exceeded", CLASS_MESSAGE},
    {"markdown_text_conflict", CLASS_MESSAGE},
    {"cannot_reply_to_message", CLASS_MESSAGE},
    {"metadata_too_large", CLASS_MESSAGE},
    {"invalid_metadata_format", CLASS_MESSAGE},
    {"invalid_metadata_schema", CLASS_MESSAGE},
    {"invalid_arguments", CLASS_MESSAGE},
    {"invalid_arg_name", CLASS_MESSAGE},
    {"invalid_array_arg", CLASS_MESSAGE},
    {"invalid_charset", CLASS_MESSAGE},
    {"invalid_form_data", CLASS_MESSAGE},
    {"invalid_post_type", CLASS_MESSAGE},
    {"missing_post_type", CLASS_MESSAGE},
    {"duplicate_message_not_found", CLASS_MESSAGE},
    {"duplicate_channel_not_found", CLASS_MESSAGE},
    {"ratelimited", CLASS_QUOTA},
    {"rate_limited", CLASS_QUOTA},
    {"internal_error", CLASS_PARTIAL},
    {"fatal_error", CLASS_PARTIAL},
    {"service_unavailable", CLASS_RETRY},
    {"request_timeout", CLASS_RETRY},
    {"team_added_to_org", CLASS_LONG},
    {"message_limit_exceeded", CLASS_LONG},
};

static const struct class_verdict {
    enum verdict verdict;
    int64_t pause_ms;
    const char *advice;
} class_verdicts[] = {
    [CLASS_DESTINATION] = {VERDICT_DEAD, 0, "; check the connector's token and the app's scopes"},
    [CLASS_CHANNEL] = {VERDICT_DEAD, 0, "; check the connector's channel and invite the app to it"},
    [CLASS_MESSAGE] = {VERDICT_DEAD, 0, ""},
    [CLASS_BLOCKS] = {VERDICT_DEAD, 0, ""},
    [CLASS_RETRY] = {VERDICT_RETRY, 0, ""},
    [CLASS_PARTIAL] = {VERDICT_AMBIGUOUS, 0, ""},
    [CLASS_QUOTA] = {VERDICT_RETRY, QUOTA_PAUSE_MS, ""},
    [CLASS_LONG] = {VERDICT_RETRY, LONG_PAUSE_MS, ""},
};

static enum class class_of(struct str code) {
    for (size_t i = 0; i < ARRAY_LEN(slack_errors);
         i++) if (str_is(code, slack_errors[i].code)) return slack_errors[i]
        .class;
    return CLASS_UNKNOWN;
}

/* "missing_scope (needed: chat:write)", "invalid_blocks (must be less than ...)" */
static struct str error_reason(const json *answer, struct str code, enum class class,
                               struct arena *a)
{
    struct str needed = str_cut(json_string(json_get(answer, "needed")), 200);
    struct str detail =
        str_cut(json_string(json_path(answer, "response_metadata.messages.0")), 200);
    const char *advice = class_verdicts[class].advice ? class_verdicts[class].advice : "";

    code = str_cut(code, 100);
    if (needed.len)
        return arena_printf(a, "%.*s (needed: %.*s)%s", STR_ARG(code), STR_ARG(needed), advice);
    if (detail.len)
        return arena_printf(a, "%.*s (%.*s)%s", STR_ARG(code), STR_ARG(detail), advice);
    return arena_printf(a, "%.*s%s", STR_ARG(code), advice);
}

static enum judged post_as_text(struct job *job)
{
    job->step = SLACK_POST_TEXT;
    return JUDGED_CONTINUE;
}

static enum judged judge_refusal(struct job *job, const struct http_response *r, const json *answer)
{
    struct str code = json_string(json_get(answer, "error"));
    enum class class = class_of(code);
    const struct class_verdict *v = &class_verdicts[class];
    struct str reason = error_reason(answer, code, class, job->arena);

    if (class == CLASS_BLOCKS && job->step == SLACK_POST)
        return post_as_text(job);
    if (class == CLASS_UNKNOWN && status_is_temporary(r->status))
        return judge_all(job, VERDICT_AMBIGUOUS, http_reason(r, job->arena));
    if (class == CLASS_UNKNOWN)
        return judge_unknown(job, code.len ? reason : http_reason(r, job->arena));
    if (v->pause_ms)
        job_rest(job, r, v->pause_ms);
    return judge_all(job, v->verdict, reason);
}

/* Where no JSON came: what the status alone says about a message that was posted. */
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

static enum judged judge_429(struct job *job, const struct http_response *r, enum verdict v)
{
    job_rest(job, r, QUOTA_PAUSE_MS);
    return judge_all(job, v, STR("Slack's rate limit is used up"));
}

static struct str message_id(struct str channel, struct str ts, struct arena *a)
{
    return arena_printf(a, "%.*s:%.*s", STR_ARG(channel), STR_ARG(ts));
}

static enum judged judge_post(struct job *job, const struct http_response *r)
{
    const struct slack *s = job->settings;
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status == 429)
        return judge_429(job, r, VERDICT_RETRY);
    if (!answer_object(r, &doc) || !json_get(doc.root, "ok"))
        return judge_status(job, r);
    if (!json_true(json_get(doc.root, "ok")))
        return judge_refusal(job, r, doc.root);

    struct str channel = json_string(json_get(doc.root, "channel"));
    struct str ts = json_string(json_get(doc.root, "ts"));
    job->outcomes[0].remote_id = message_id(channel.len ? channel : s->channel, ts, job->arena);
    return judge_all(job, VERDICT_DELIVERED, STR_NULL);
}

static const json *find_message(const json *messages, struct str delivery)
{
    for (const json *m = json_first(messages); m; m = json_next(m))
        if (str_is(json_string(json_path(m, "metadata.event_type")), SLACK_EVENT_TYPE) &&
            str_eq(json_string(json_path(m, "metadata.event_payload.delivery")), delivery))
            return m;
    return NULL;
}

static enum judged look_next(struct job *job, const json *answer)
{
    struct slack_look *look = job->scratch;
    struct str cursor = json_string(json_path(answer, "response_metadata.next_cursor"));

    if (json_true(json_get(answer, "has_more")) && cursor.len && ++look->pages < LOOK_PAGES_MAX)
        look->cursor = arena_str(job->arena, cursor);
    else
        job->step = SLACK_POST;
    return JUDGED_CONTINUE;
}

/* Looking failed. For a while: the delivery stays ambiguous. For good (no scope for the history,
 * say): post; what is wrong with the channel, posting will tell. */
static enum judged look_failed(struct job *job, const struct http_response *r, enum class class)
{
    int64_t pause = class_verdicts[class].pause_ms;
    bool later = class == CLASS_RETRY || class == CLASS_PARTIAL || pause;

    if (!later && !status_is_temporary(r->status) && r->status >= 200) {
        job->step = SLACK_POST;
        return JUDGED_CONTINUE;
    }
    if (pause)
        job_rest(job, r, pause);
    return judge_all(job, VERDICT_AMBIGUOUS, http_reason(r, job->arena));
}

static enum judged judge_look(struct job *job, const struct http_response *r)
{
    const struct slack *s = job->settings;
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status == 429)
        return judge_429(job, r, VERDICT_AMBIGUOUS);
    if (!answer_object(r, &doc))
        return look_failed(job, r, r->status == 200 ? CLASS_RETRY : CLASS_UNKNOWN);
    if (!json_true(json_get(doc.root, "ok")))
        return look_failed(job, r, class_of(json_string(json_get(doc.root, "error"))));

    const json *m = find_message(json_get(doc.root, "messages"), job->parcels[0].public_id);
    if (!m)
        return look_next(job, doc.root);
    job->outcomes[0].remote_id = message_id(s->channel, json_string(json_get(m, "ts")), job->arena);
    return judge_all(job, VERDICT_DELIVERED, STR_NULL);
}

static const struct webhook_error {
    int status;
    enum verdict verdict;
    const char *advice;
} webhook_errors[] = {
    {400, VERDICT_DEAD, ""},
    {403, VERDICT_DEAD, "; the webhook may not post there: ask a workspace admin"},
    {404, VERDICT_DEAD, "; the webhook was revoked: put a new one into the connector's `webhook`"},
    {410, VERDICT_DEAD, "; the channel is archived"},
};

static enum judged judge_webhook(struct job *job, const struct http_response *r)
{
    struct str said = str_trim(r->body), reason = http_reason(r, job->arena);

    if (r->status == 429)
        return judge_429(job, r, VERDICT_RETRY);
    if (r->status == 200 && str_is(said, "ok"))
        return judge_all(job, VERDICT_DELIVERED, STR_NULL);
    if (r->status == 500 && str_is(said, "rollup_error"))
        return judge_all(job, VERDICT_RETRY, reason);
    if (r->status == 400 && class_of(said) == CLASS_BLOCKS && job->step == SLACK_POST)
        return post_as_text(job);
    for (size_t i = 0; i < ARRAY_LEN(webhook_errors); i++)
        if (webhook_errors[i].status == r->status)
            return judge_all(
                job, webhook_errors[i].verdict,
                arena_printf(job->arena, "%.*s%s", STR_ARG(reason), webhook_errors[i].advice));
    return judge_status(job, r);
}

enum judged slack_judge(struct job *job, const struct http_response *r)
{
    const struct slack *s = job->settings;

    if (job->step == SLACK_LOOK)
        return judge_look(job, r);
    return s->webhook.len ? judge_webhook(job, r) : judge_post(job, r);
}
