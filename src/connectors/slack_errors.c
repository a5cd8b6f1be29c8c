/* connectors/slack_errors.c - what each of Slack's words means for the delivery.
 *
 * What needs a person (a revoked token, a channel that is gone) is no fault of the message: it is
 * kept, and the connector rests until it works again.
 */
#include "slack_priv.h"

#include "funneld/base/clock.h"

#define QUOTA_PAUSE_MS (30 * SECONDS_MS) /* 429 without Retry-After */
#define LONG_PAUSE_MS  (15 * MINUTES_MS) /* a workspace that moves, a free plan that is full */

static const struct slack_error {
    const char *code;
    enum slack_class class;
} errors[] = {
    {"invalid_auth", SLACK_DESTINATION},
    {"not_authed", SLACK_DESTINATION},
    {"account_inactive", SLACK_DESTINATION},
    {"token_revoked", SLACK_DESTINATION},
    {"token_expired", SLACK_DESTINATION},
    {"missing_scope", SLACK_DESTINATION},
    {"no_permission", SLACK_DESTINATION},
    {"not_allowed_token_type", SLACK_DESTINATION},
    {"ekm_access_denied", SLACK_DESTINATION},
    {"org_login_required", SLACK_DESTINATION},
    {"enterprise_is_restricted", SLACK_DESTINATION},
    {"team_access_not_granted", SLACK_DESTINATION},
    {"access_denied", SLACK_DESTINATION},
    {"accesslimited", SLACK_DESTINATION},
    {"method_deprecated", SLACK_DESTINATION},
    {"deprecated_endpoint", SLACK_DESTINATION},
    {"channel_not_found", SLACK_CHANNEL},
    {"not_in_channel", SLACK_CHANNEL},
    {"is_archived", SLACK_CHANNEL},
    {"messages_tab_disabled", SLACK_CHANNEL},
    {"team_not_found", SLACK_CHANNEL},
    {"restricted_action", SLACK_CHANNEL},
    {"restricted_action_read_only_channel", SLACK_CHANNEL},
    {"restricted_action_thread_only_channel", SLACK_CHANNEL},
    {"restricted_action_thread_locked", SLACK_CHANNEL},
    {"restricted_action_non_threadable_channel", SLACK_CHANNEL},
    {"invalid_blocks", SLACK_BLOCKS},
    {"invalid_blocks_format", SLACK_BLOCKS},
    {"msg_blocks_too_long", SLACK_BLOCKS},
    {"block_mismatch", SLACK_BLOCKS},
    {"no_text", SLACK_MESSAGE},
    {"too_many_attachments", SLACK_MESSAGE},
    {"attachment_payload_limit_exceeded", SLACK_MESSAGE},
    {"markdown_text_conflict", SLACK_MESSAGE},
    {"cannot_reply_to_message", SLACK_MESSAGE},
    {"thread_not_found", SLACK_MESSAGE},
    {"message_not_found", SLACK_MESSAGE},
    {"metadata_too_large", SLACK_MESSAGE},
    {"invalid_metadata_format", SLACK_MESSAGE},
    {"invalid_metadata_schema", SLACK_MESSAGE},
    {"invalid_arguments", SLACK_MESSAGE},
    {"invalid_arg_name", SLACK_MESSAGE},
    {"invalid_array_arg", SLACK_MESSAGE},
    {"invalid_charset", SLACK_MESSAGE},
    {"invalid_form_data", SLACK_MESSAGE},
    {"invalid_post_type", SLACK_MESSAGE},
    {"missing_post_type", SLACK_MESSAGE},
    {"duplicate_message_not_found", SLACK_MESSAGE},
    {"duplicate_channel_not_found", SLACK_MESSAGE},
    {"cant_update_message", SLACK_MESSAGE},
    {"edit_window_closed", SLACK_MESSAGE},
    {"is_inactive", SLACK_MESSAGE},
    {"msg_too_long", SLACK_MESSAGE},
    {"ratelimited", SLACK_QUOTA},
    {"rate_limited", SLACK_QUOTA},
    {"internal_error", SLACK_PARTIAL},
    {"fatal_error", SLACK_PARTIAL},
    {"service_unavailable", SLACK_RETRY},
    {"request_timeout", SLACK_RETRY},
    {"external_channel_migrating", SLACK_RETRY},
    {"update_failed", SLACK_RETRY},
    {"streaming_state_conflict", SLACK_RETRY},
    {"team_added_to_org", SLACK_LONG},
    {"message_limit_exceeded", SLACK_LONG},
};

static const struct slack_class_verdict verdicts[] = {
    [SLACK_DESTINATION] = {.verdict = VERDICT_RETRY,
                           .broken = true,
                           .advice = "; check the connector's token and the app's scopes"},
    [SLACK_CHANNEL] = {.verdict = VERDICT_RETRY,
                       .broken = true,
                       .advice = "; check the connector's channel and invite the app to it"},
    [SLACK_REVOKED] = {.verdict = VERDICT_RETRY,
                       .broken = true,
                       .advice = "; the webhook was revoked: put a new one into the connector's "
                                 "`webhook`"},
    [SLACK_FORBIDDEN] = {.verdict = VERDICT_RETRY,
                         .broken = true,
                         .advice = "; the webhook may not post there: ask a workspace admin"},
    [SLACK_MESSAGE] = {.verdict = VERDICT_DEAD, .advice = ""},
    [SLACK_BLOCKS] = {.verdict = VERDICT_DEAD, .advice = ""},
    [SLACK_RETRY] = {.verdict = VERDICT_RETRY, .advice = ""},
    [SLACK_PARTIAL] = {.verdict = VERDICT_AMBIGUOUS, .advice = ""},
    [SLACK_QUOTA] = {.verdict = VERDICT_RETRY, .pause_ms = QUOTA_PAUSE_MS, .advice = ""},
    [SLACK_LONG] = {.verdict = VERDICT_RETRY, .pause_ms = LONG_PAUSE_MS, .advice = ""},
    [SLACK_UNKNOWN] = {.advice = ""}, /* tried some times: judge_unknown */
};

static const struct slack_error *find(struct str code)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (str_is(code, errors[i].code))
            return &errors[i];
    return NULL;
}

enum slack_class slack_class_of(struct str code)
{
    const struct slack_error *e = find(code);

    return e ? e->class : SLACK_UNKNOWN;
}

static bool is_among(struct str code, const char *const codes[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(code, codes[i]))
            return true;
    return false;
}

bool slack_parent_is_gone(struct str code)
{
    static const char *const codes[] = {
        "message_not_found", "thread_not_found", "cannot_reply_to_message",
        "restricted_action_thread_locked", "restricted_action_non_threadable_channel"};

    return is_among(code, codes, ARRAY_LEN(codes));
}

bool slack_is_about_scope(struct str code)
{
    static const char *const codes[] = {"missing_scope", "no_permission", "not_allowed_token_type"};

    return is_among(code, codes, ARRAY_LEN(codes));
}

const struct slack_class_verdict *slack_verdict_of(enum slack_class class)
{
    return &verdicts[class];
}

/* Webhooks answer with a status and a word. Which status goes with some words is not documented,
 * so a word that we know counts before the status. */
static const struct {
    const char *word;
    enum slack_class class;
} words[] = {
    {"invalid_payload", SLACK_MESSAGE},
    {"user_not_found", SLACK_MESSAGE},
    {"action_prohibited", SLACK_FORBIDDEN},
    {"channel_not_found", SLACK_FORBIDDEN},
    {"invalid_token", SLACK_REVOKED},
    {"posting_to_general_channel_denied", SLACK_FORBIDDEN},
    {"channel_is_archived", SLACK_FORBIDDEN},
    {"no_service", SLACK_REVOKED},
    {"no_service_id", SLACK_REVOKED},
    {"no_active_hooks", SLACK_REVOKED},
    {"no_team", SLACK_REVOKED},
    {"team_disabled", SLACK_REVOKED},
    {"rollup_error", SLACK_RETRY},
};
static const struct {
    int status;
    enum slack_class class;
} statuses[] = {
    {400, SLACK_MESSAGE},
    {403, SLACK_FORBIDDEN},
    {404, SLACK_REVOKED},
    {410, SLACK_FORBIDDEN},
};

enum slack_class slack_webhook_class(int status, struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(word, words[i].word))
            return words[i].class;
    if (slack_class_of(word) != SLACK_UNKNOWN)
        return slack_class_of(word);
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].class;
    return SLACK_UNKNOWN;
}
