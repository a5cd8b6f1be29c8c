/* tests/sandbox/slack.c - Slack: posting, updating, threads, history, one incoming webhook. */
#include "slack_args.h"
#include "slack_blocks.h"
#include "slack_messages.h"
#include "slack_who.h"

#include <stdlib.h>

#define WEBHOOK "/services/T00000000/B00000000/sandbox"

enum { METADATA_MAX = 2048, HISTORY_MAX = 999, UPDATE_TEXT_MAX = 4000 };

static void fail(struct answer *ret, const char *error, const char *detail)
{
    struct sbuf *b = answer_json(ret, 200);

    json_open(b, '{');
    json_key(b, "ok");
    json_bool(b, false);
    json_kv_text(b, "error", error);
    if (detail) {
        json_key(b, "response_metadata");
        json_open(b, '{');
        json_key(b, "messages");
        json_open(b, '[');
        json_text(b, detail);
        json_close(b, ']');
        json_close(b, '}');
    }
    json_close(b, '}');
    offence("slack", "%s%s%s", error, detail ? ": " : "", detail ? detail : "");
}

static const char *check_metadata(struct str text)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (!text.at)
        return NULL;
    if (json_parse(text, &doc, NULL) || !json_string(json_get(doc.root, "event_type")).len)
        return "invalid_metadata_format";
    if (json_type(json_get(doc.root, "event_payload")) != JSON_OBJECT)
        return "invalid_metadata_format";
    return text.len > METADATA_MAX ? "metadata_too_large" : NULL;
}

static void answer_posted(struct answer *ret, const struct message *m, const char *warning)
{
    struct sbuf *b = answer_json(ret, 200);

    json_open(b, '{');
    json_key(b, "ok");
    json_bool(b, true);
    json_kv(b, "channel", m->channel);
    json_kv(b, "ts", m->ts);
    json_key(b, "message");
    message_write(b, m, WITH_METADATA);
    if (warning) {
        json_kv_text(b, "warning", warning);
        json_key(b, "response_metadata");
        json_open(b, '{');
        json_key(b, "warnings");
        json_open(b, '[');
        json_text(b, warning);
        json_close(b, ']');
        json_close(b, '}');
    }
    json_close(b, '}');
}

/* What a message is to say, judged by Slack's rules. */
struct content {
    struct str text, blocks, metadata, detail;
};

static const char *read_content(const struct call *c, const struct args *a, struct content *ret)
{
    const char *error = NULL;

    *ret = (struct content){.text = arg(c, a, "text"),
                            .blocks = arg_json(c, a, "blocks"),
                            .metadata = arg_json(c, a, "metadata")};
    if (!ret->text.len && !ret->blocks.at && !arg_json(c, a, "attachments").at)
        error = "no_text";
    if (!error)
        error = blocks_check(ret->blocks, c->arena, &ret->detail);
    return error ? error : check_metadata(ret->metadata);
}

static void set_content(struct message *m, const struct content *content)
{
    m->text = message_text(content->text);
    m->blocks = message_json(content->blocks);
    if (content->metadata.at)
        m->metadata = message_json(content->metadata);
}

/* A thread hangs on a message of the channel, never on a reply. */
static const char *check_thread(struct str channel, struct str thread)
{
    const struct message *parent = thread.at ? message_find(channel, thread) : NULL;

    if (!thread.at)
        return NULL;
    if (!parent)
        return "thread_not_found";
    return parent->thread_ts.at ? "cannot_reply_to_message" : NULL;
}

static const char *const post_args[] = {"channel",
                                        "text",
                                        "blocks",
                                        "attachments",
                                        "metadata",
                                        "thread_ts",
                                        "unfurl_links",
                                        "unfurl_media",
                                        "reply_broadcast",
                                        "parse",
                                        "link_names",
                                        "mrkdwn",
                                        NULL};

static void post_message(const struct call *c, const struct args *a, struct answer *ret)
{
    struct str channel = arg(c, a, "channel"), thread = arg(c, a, "thread_ts");
    const char *error = channel_check(channel);
    struct content content = {0};

    args_check(a, "chat.postMessage", post_args);
    if (!error)
        error = read_content(c, a, &content);
    if (!error)
        error = check_thread(channel, thread);
    if (error) {
        fail(ret, error, content.detail.at);
        return;
    }
    struct message *m = message_keep(c, channel, "chat.postMessage");
    set_content(m, &content);
    m->thread_ts = message_json(thread);
    answer_posted(ret, m, a->warning);
}

static const char *const update_args[] = {
    "channel", "ts",         "text",  "blocks",   "attachments",     "metadata",
    "as_user", "link_names", "parse", "file_ids", "reply_broadcast", NULL};

static const char *check_update(const struct message *m, const struct content *content)
{
    if (!m)
        return "message_not_found";
    if (!str_is(m->via, "chat.postMessage"))
        return "cant_update_message";
    return code_points(content->text) > UPDATE_TEXT_MAX ? "msg_too_long" : NULL;
}

static void update_message(const struct call *c, const struct args *a, struct answer *ret)
{
    struct str channel = arg(c, a, "channel");
    struct message *m = message_find(channel, arg(c, a, "ts"));
    const char *error = channel_check(channel);
    struct content content = {0};

    args_check(a, "chat.update", update_args);
    if (!error)
        error = read_content(c, a, &content);
    if (!error)
        error = check_update(m, &content);
    if (error) {
        fail(ret, error, content.detail.at);
        return;
    }
    set_content(m, &content);
    m->edits++;
    answer_posted(ret, m, a->warning);
}

static void delete_message(const struct call *c, const struct args *a, struct answer *ret)
{
    struct message *m = message_find(arg(c, a, "channel"), arg(c, a, "ts"));

    if (!m) {
        fail(ret, "message_not_found", NULL);
        return;
    }
    m->deleted = true;
    sbuf_text(answer_json(ret, 200), "{\"ok\":true}");
}

static bool in_range(const struct message *m, struct str oldest, struct str latest, bool inclusive)
{
    double at = strtod(m->ts.at, NULL), from = 0, to = 1e12;

    (void)str_decimal(oldest, &from);
    (void)str_decimal(latest, &to);
    return inclusive ? at >= from && at <= to : at > from && at < to;
}

/* One page of a list of messages; the cursor is the ts of the first message of the next. */
struct page {
    struct str cursor;
    int64_t limit, n;
    enum shown shown;
    bool inclusive;
};

static bool is_yes(struct str value)
{
    return str_is(value, "true") || str_is(value, "1");
}

static const char *read_page(const struct call *c, const struct args *a, struct page *ret)
{
    *ret = (struct page){.cursor = arg(c, a, "cursor"), .limit = 100};
    (void)str_int64(arg(c, a, "limit"), &ret->limit);
    ret->shown = is_yes(arg(c, a, "include_all_metadata")) ? WITH_METADATA : WITHOUT_METADATA;
    ret->inclusive = is_yes(arg(c, a, "inclusive"));
    return ret->limit < 1 || ret->limit > HISTORY_MAX ? "invalid_limit" : NULL;
}

static struct sbuf *page_open(struct answer *ret)
{
    struct sbuf *b = answer_json(ret, 200);

    json_open(b, '{');
    json_key(b, "ok");
    json_bool(b, true);
    json_key(b, "messages");
    json_open(b, '[');
    return b;
}

static void page_close(struct sbuf *b, const struct message *next)
{
    json_close(b, ']');
    json_key(b, "has_more");
    json_bool(b, next != NULL);
    json_kv_int(b, "pin_count", 0);
    json_key(b, "response_metadata");
    json_open(b, '{');
    json_kv(b, "next_cursor", next ? next->ts : STR(""));
    json_close(b, '}');
    json_close(b, '}');
}

/* Newest first, without replies. */
static void history(const struct call *c, const struct args *a, struct answer *ret)
{
    struct str channel = arg(c, a, "channel");
    const char *error = channel_check(channel);
    const struct message *m;
    struct page page;

    if (!error)
        error = read_page(c, a, &page);
    if (error) {
        fail(ret, error, NULL);
        return;
    }
    struct sbuf *b = page_open(ret);
    for (m = messages_newest(); m; m = m->next) {
        if (!str_eq(m->channel, channel) || m->deleted || m->thread_ts.at ||
            (page.cursor.len && str_cmp(m->ts, page.cursor) > 0) ||
            !in_range(m, arg(c, a, "oldest"), arg(c, a, "latest"), page.inclusive))
            continue;
        if (++page.n > page.limit)
            break;
        message_write(b, m, page.shown);
    }
    page_close(b, m);
}

/* Those of a thread, the first message always among them; they are few here. */
static void replies(const struct call *c, const struct args *a, struct answer *ret)
{
    struct str channel = arg(c, a, "channel"), ts = arg(c, a, "ts");
    const struct message *parent = message_find(channel, ts);
    const char *error = channel_check(channel);
    struct page page;

    if (!error && !parent)
        error = "thread_not_found";
    if (!error)
        error = read_page(c, a, &page);
    if (error) {
        fail(ret, error, NULL);
        return;
    }
    struct sbuf *b = page_open(ret);
    message_write(b, parent, page.shown);
    for (const struct message *m = messages_newest(); m; m = m->next)
        if (!m->deleted && str_eq(m->channel, channel) && str_eq(m->thread_ts, ts) &&
            in_range(m, arg(c, a, "oldest"), arg(c, a, "latest"), page.inclusive))
            message_write(b, m, page.shown);
    page_close(b, NULL);
}

static const struct method {
    const char *path;
    void (*run)(const struct call *c, const struct args *a, struct answer *ret);
    const char *scope; /* NULL: any token will do */
} methods[] = {
    {"/api/auth.test", who_am_i, NULL},
    {"/api/chat.postMessage", post_message, "chat:write"},
    {"/api/chat.update", update_message, "chat:write"},
    {"/api/chat.delete", delete_message, "chat:write"},
    {"/api/conversations.history", history, "channels:history"},
    {"/api/conversations.replies", replies, "channels:history"},
    {"/api/conversations.info", who_is_in, "channels:read"},
    {"/api/users.lookupByEmail", who_has_address, "users:read.email"},
};

static void run_method(const struct method *m, const struct call *c, const struct args *args,
                       const struct token *token, struct answer *ret)
{
    answer_header(ret, "X-OAuth-Scopes", str_of(token->scopes));
    if (m->scope && !is_listed(m->scope, token->scopes))
        answer_missing_scope(ret, token, m->scope);
    else
        m->run(c, args, ret);
}

static void call_method(const struct call *c, struct answer *ret)
{
    struct args args AUTO(args_free) = {0};
    const struct token *token = NULL;
    const char *error = args_read(c, &args);

    if (!error)
        error = token_find(c, &args, &token);
    for (size_t i = 0; i < ARRAY_LEN(methods) && !error; i++)
        if (str_is(c->path, methods[i].path)) {
            run_method(&methods[i], c, &args, token, ret);
            return;
        }
    fail(ret, error ? error : "unknown_method", NULL);
}

static void refuse_webhook(struct answer *ret, int status, const char *word)
{
    answer_text(ret, status, word);
    offence("slack", "webhook: %s", word);
}

static void webhook(const struct call *c, struct answer *ret)
{
    struct args args AUTO(args_free) = {0};
    struct str text, blocks, metadata, detail = STR_NULL;
    const char *error;

    if (!call_is(c, "POST", WEBHOOK)) {
        refuse_webhook(ret, 404, "no_service");
        return;
    }
    if (json_parse(c->body, &args.doc, NULL) || json_type(args.doc.root) != JSON_OBJECT) {
        refuse_webhook(ret, 400, "invalid_payload");
        return;
    }
    text = arg(c, &args, "text");
    blocks = arg_json(c, &args, "blocks");
    metadata = arg_json(c, &args, "metadata");
    error = !text.len && !blocks.at ? "no_text" : blocks_check(blocks, c->arena, &detail);
    if (!error && check_metadata(metadata))
        error = "invalid_payload";
    if (arg(c, &args, "channel").at) /* a webhook has its own */
        refuse_webhook(ret, 404, "channel_not_found");
    else if (error)
        refuse_webhook(ret, 400, error);
    else {
        set_content(message_keep(c, STR("C0123456789"), "webhook"),
                    &(struct content){.text = text, .blocks = blocks, .metadata = metadata});
        answer_text(ret, 200, "ok");
    }
}

static bool slack_owns(struct str path)
{
    return str_starts(path, STR("/api/")) || str_starts(path, STR("/services/"));
}

static void slack_handle(const struct call *c, struct answer *ret)
{
    if (str_starts(c->path, STR("/services/")))
        webhook(c, ret);
    else
        call_method(c, ret);
}

static void slack_fail(int status, struct answer *ret)
{
    struct sbuf *b = answer_json(ret, status);

    json_open(b, '{');
    json_key(b, "ok");
    json_bool(b, false);
    json_kv_text(b, "error", status == 429 ? "ratelimited" : "internal_error");
    json_close(b, '}');
}

const struct service slack_service = {
    .name = "slack",
    .owns = slack_owns,
    .handle = slack_handle,
    .fail = slack_fail,
    .dump = messages_dump,
    .reset = messages_reset,
};
