/* tests/sandbox/slack.c - Slack: posting, reading history, one incoming webhook. */
#include "slack_blocks.h"

#include <inttypes.h>
#include <stdlib.h>

#define TOKEN   "xoxb-sandbox"
#define WEBHOOK "/services/T00000000/B00000000/sandbox"

enum { TEXT_MAX = 40000, METADATA_MAX = 2048, ARGS_MAX = 64, HISTORY_MAX = 999 };

struct message {
    struct str channel, ts, text, blocks, metadata; /* blocks and metadata: JSON, or missing */
    struct str via;
    int64_t received_at;
    struct message *next; /* the one before */
};

static struct arena memory;
static struct message *newest;
static size_t n_messages;
static int64_t last_us; /* of the newest ts: they are unique in a channel */

static const struct channel {
    const char *id, *error; /* NULL: the bot may post there */
} channels[] = {
    {"C0123456789", NULL},
    {"C0ARCHIVED0", "is_archived"},
    {"C0PRIVATE00", "not_in_channel"},
};

/* The arguments of a method: a JSON body, or a form whose values may be JSON in turn. */
struct args {
    struct json_doc doc;
    struct field *fields;
    size_t n;
    const char *warning;
};

static void args_free(struct args *a)
{
    json_doc_free(&a->doc);
}

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

static const char *read_args(const struct call *c, struct args *ret)
{
    struct str type = call_header(c, "Content-Type");
    bool charset = str_find(type, STR("charset=")) != NULL;

    if (str_is(c->method, "GET")) {
        ret->n = form_decode(STR(""), c->arena, &ret->fields);
        return NULL;
    }
    if (!type.at && c->body.len)
        return "missing_post_type";
    if (call_type_is(c, "application/json")) {
        ret->warning = charset ? NULL : "missing_charset";
        if (json_parse(c->body, &ret->doc, NULL))
            return "invalid_json";
        return json_type(ret->doc.root) == JSON_OBJECT ? NULL : "json_not_object";
    }
    if (!c->body.len || call_type_is(c, "application/x-www-form-urlencoded")) {
        ret->warning = charset ? "superfluous_charset" : NULL;
        ret->n = form_decode(c->body, c->arena, &ret->fields);
        return NULL;
    }
    return "invalid_post_type";
}

/* A scalar argument as text. */
static struct str arg(const struct call *c, const struct args *a, const char *name)
{
    struct str value;

    if (a->doc.root)
        return json_scalar(json_get(a->doc.root, name), c->arena);
    value = form_get(a->fields, a->n, name);
    return value.at ? value : call_query(c, name);
}

/* A structured argument as JSON: nested in a JSON body, as text in a form. */
static struct str arg_json(const struct call *c, const struct args *a, const char *name)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    const json *node = a->doc.root ? json_get(a->doc.root, name) : NULL;
    struct str ret;

    if (!node)
        return a->doc.root ? STR_NULL : form_get(a->fields, a->n, name);
    if (json_type(node) == JSON_STRING) /* allowed there too */
        return arena_str(c->arena, json_string(node));
    json_node(&b, node);
    return sbuf_seal(&b, c->arena, &ret) ? STR_NULL : ret;
}

static const char *authenticate(const struct call *c, const struct args *a)
{
    struct str header = call_header(c, "Authorization");

    if (header.at)
        return call_bearer_is(c, TOKEN) ? NULL : "invalid_auth";
    if (a->doc.root)
        return "not_authed"; /* with a JSON body the token goes in the header only */
    header = arg(c, a, "token");
    if (!header.at)
        return "not_authed";
    return str_is(header, TOKEN) ? NULL : "invalid_auth";
}

static const char *check_channel(struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(channels); i++)
        if (str_is(id, channels[i].id))
            return channels[i].error;
    return "channel_not_found";
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

static struct message *keep(const struct call *c, struct str channel, struct str text,
                            struct str blocks, struct str metadata, const char *via)
{
    struct message *m = ARENA_NEW(&memory, struct message);
    int64_t us = c->now_ms * 1000;

    last_us = us > last_us ? us : last_us + 1;
    *m = (struct message){
        .channel = arena_str(&memory, channel),
        .ts = arena_printf(&memory, "%" PRId64 ".%06" PRId64, last_us / 1000000, last_us % 1000000),
        .text =
            arena_str(&memory, (struct str){text.at, text.len > TEXT_MAX ? TEXT_MAX : text.len}),
        .blocks = arena_str(&memory, blocks),
        .metadata = arena_str(&memory, metadata),
        .via = str_of(via),
        .received_at = c->now_ms,
        .next = newest,
    };
    newest = m;
    n_messages++;
    return m;
}

enum shown { WITHOUT_METADATA, WITH_METADATA };

static void write_message(struct sbuf *b, const struct message *m, enum shown shown)
{
    json_open(b, '{');
    json_kv_text(b, "type", "message");
    json_kv_text(b, "subtype", "bot_message");
    json_kv(b, "text", m->text);
    json_kv(b, "ts", m->ts);
    json_kv_text(b, "user", "U0SANDBOX00");
    json_kv_text(b, "bot_id", "B0SANDBOX00");
    json_kv_text(b, "app_id", "A0SANDBOX00");
    json_kv_text(b, "team", "T00000000");
    if (m->blocks.at) {
        json_key(b, "blocks");
        json_raw(b, m->blocks);
    }
    if (m->metadata.at && shown == WITH_METADATA) {
        json_key(b, "metadata");
        json_raw(b, m->metadata);
    }
    json_close(b, '}');
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
    write_message(b, m, WITH_METADATA);
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

static void post_message(const struct call *c, const struct args *a, struct answer *ret)
{
    struct str channel = arg(c, a, "channel"), text = arg(c, a, "text");
    struct str blocks = arg_json(c, a, "blocks"), metadata = arg_json(c, a, "metadata");
    struct str detail = STR_NULL;
    const char *error = check_channel(channel);

    if (!error && !text.len && !blocks.at && !arg_json(c, a, "attachments").at)
        error = "no_text";
    if (!error)
        error = blocks_check(blocks, c->arena, &detail);
    if (!error)
        error = check_metadata(metadata);
    if (error)
        fail(ret, error, detail.at);
    else
        answer_posted(ret, keep(c, channel, text, blocks, metadata, "chat.postMessage"),
                      a->warning);
}

static bool in_range(const struct message *m, struct str oldest, struct str latest, bool inclusive)
{
    double at = strtod(m->ts.at, NULL), from = 0, to = 1e12;

    (void)str_decimal(oldest, &from);
    (void)str_decimal(latest, &to);
    return inclusive ? at >= from && at <= to : at > from && at < to;
}

/* The cursor is the ts of the first message of the next page. */
static void history(const struct call *c, const struct args *a, struct answer *ret)
{
    struct str channel = arg(c, a, "channel"), cursor = arg(c, a, "cursor");
    struct str metadata = arg(c, a, "include_all_metadata"), inclusive = arg(c, a, "inclusive");
    const char *error = check_channel(channel);
    int64_t limit = 100, n = 0;
    struct sbuf *b;
    const struct message *m;

    (void)str_int64(arg(c, a, "limit"), &limit);
    if (!error && (limit < 1 || limit > HISTORY_MAX))
        error = "invalid_limit";
    if (error) {
        fail(ret, error, NULL);
        return;
    }
    b = answer_json(ret, 200);
    json_open(b, '{');
    json_key(b, "ok");
    json_bool(b, true);
    json_key(b, "messages");
    json_open(b, '[');
    for (m = newest; m; m = m->next) {
        if (!str_eq(m->channel, channel) || (cursor.len && str_cmp(m->ts, cursor) > 0) ||
            !in_range(m, arg(c, a, "oldest"), arg(c, a, "latest"),
                      str_is(inclusive, "true") || str_is(inclusive, "1")))
            continue;
        if (++n > limit)
            break;
        write_message(b, m,
                      str_is(metadata, "true") || str_is(metadata, "1") ? WITH_METADATA
                                                                        : WITHOUT_METADATA);
    }
    json_close(b, ']');
    json_key(b, "has_more");
    json_bool(b, m != NULL);
    json_kv_int(b, "pin_count", 0);
    json_key(b, "response_metadata");
    json_open(b, '{');
    json_kv(b, "next_cursor", m ? m->ts : STR(""));
    json_close(b, '}');
    json_close(b, '}');
}

static void auth_test(const struct call *c, const struct args *a, struct answer *ret)
{
    (void)c;
    (void)a;
    sbuf_text(answer_json(ret, 200),
              "{\"ok\":true,\"url\":\"https://sandbox.slack.com/\",\"team\":\"Sandbox\",\"user\":"
              "\"funneld\",\"team_id\":\"T00000000\",\"user_id\":\"U0SANDBOX00\",\"bot_id\":"
              "\"B0SANDBOX00\"}");
}

static const struct method {
    const char *path;
    void (*run)(const struct call *c, const struct args *a, struct answer *ret);
} methods[] = {
    {"/api/chat.postMessage", post_message},
    {"/api/conversations.history", history},
    {"/api/auth.test", auth_test},
};

static void call_method(const struct call *c, struct answer *ret)
{
    struct args args AUTO(args_free) = {0};
    const char *error = read_args(c, &args);

    if (!error)
        error = authenticate(c, &args);
    if (error) {
        fail(ret, error, NULL);
        return;
    }
    answer_header(ret, "X-OAuth-Scopes", STR("chat:write,channels:history"));
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_is(c->path, methods[i].path)) {
            methods[i].run(c, &args, ret);
            return;
        }
    fail(ret, "unknown_method", NULL);
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
        (void)keep(c, STR("C0123456789"), text, blocks, metadata, "webhook");
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

static void dump_message(struct sbuf *b, const struct message *m)
{
    json_open(b, '{');
    json_kv(b, "channel", m->channel);
    json_kv(b, "ts", m->ts);
    json_kv(b, "text", m->text);
    json_kv(b, "via", m->via);
    json_kv_int(b, "received_at", m->received_at);
    json_key(b, "blocks");
    json_raw(b, m->blocks.at ? m->blocks : STR("null"));
    json_key(b, "metadata");
    json_raw(b, m->metadata.at ? m->metadata : STR("null"));
    json_close(b, '}');
}

/* Oldest first. */
static void slack_dump(struct sbuf *b)
{
    const struct message **all = mem_array(n_messages + 1, sizeof(*all));
    size_t n = n_messages;

    for (const struct message *m = newest; m; m = m->next)
        all[--n] = m;
    json_open(b, '{');
    json_key(b, "messages");
    json_open(b, '[');
    for (n = 0; n < n_messages; n++)
        dump_message(b, all[n]);
    json_close(b, ']');
    json_close(b, '}');
    free(all);
}

static void slack_reset(void)
{
    newest = NULL;
    n_messages = 0;
    arena_free(&memory);
    memory = (struct arena){0};
}

const struct service slack_service = {
    .name = "slack",
    .owns = slack_owns,
    .handle = slack_handle,
    .fail = slack_fail,
    .dump = slack_dump,
    .reset = slack_reset,
};
