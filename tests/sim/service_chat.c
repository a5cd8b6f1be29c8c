/* tests/sim/service_chat.c - a second channel of Slack's, in which messages have threads, and many
 * at once become one. */
#include "services.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

enum { PAGE = 20, METADATA = 4096 };

static struct message {
    char metadata[METADATA]; /* as it was sent */
    int64_t at;
    size_t parent; /* 0: none; else the message's number, from 1 */
} messages[POSTS];
static size_t n_messages, refused_looks;
static struct posts told; /* one for each delivery that a message tells of */

const struct posts *chat_posts(void)
{
    return &told;
}

void chat_blind(void)
{
    refused_looks++;
}

void chat_begin(void)
{
    n_messages = refused_looks = told.n = 0;
}

static void put_ts(struct sbuf *b, size_t n)
{
    sbuf_printf(b, "\"%" PRId64 ".%03" PRId64 "%03zu\"", messages[n - 1].at / 1000,
                messages[n - 1].at % 1000, n % 1000);
}

/* 0: there is no such message. */
static size_t message_at(struct str ts)
{
    for (size_t n = 1; n <= n_messages; n++) {
        struct sbuf b AUTO(sbuf_free) = SBUF(64);

        put_ts(&b, n);
        if (ts.len + 2 == b.len && memcmp(b.at + 1, ts.at, ts.len) == 0)
            return n;
    }
    return 0;
}

static void tell(struct exchange *x, struct str delivery)
{
    posts_add(&told, delivery, x);
    told.items[told.n - 1].place = (int)n_messages;
    told.items[told.n - 1].parent = (int)messages[n_messages - 1].parent;
    story("%lld chat message %zu under %zu tells of%s", (long long)x->now, n_messages,
          messages[n_messages - 1].parent, strchr(told.items[told.n - 1].delivery, '-'));
    told.items[told.n - 1].blind = refused_looks;
}

/* "rs.1.13": in base 36, each what it is more than the one before. */
static void tell_all(struct exchange *x, struct str database, struct str numbers)
{
    struct str part;
    int64_t id = 0;

    while (str_split(&numbers, '.', &part)) {
        id += (int64_t)strtoll(arena_text(x->arena, part), NULL, 36);
        tell(x, arena_printf(x->arena, "%.*s-%" PRId64, STR_ARG(database), id));
    }
}

static void post(struct exchange *x, const json *root)
{
    const json *payload = json_path(root, "metadata.event_payload");
    struct str one = json_string(json_get(payload, "delivery"));
    struct str many = json_string(json_get(payload, "deliveries"));
    struct str thread = json_string(json_get(root, "thread_ts"));
    struct sbuf b AUTO(sbuf_free) = SBUF(METADATA - 1);

    if ((!one.len && !many.len) || n_messages == POSTS) {
        answer_text(x, 200, "{\"ok\":false,\"error\":\"invalid_metadata_format\"}");
        return;
    }
    if (thread.len && !message_at(thread)) {
        answer_text(x, 200, "{\"ok\":false,\"error\":\"thread_not_found\"}");
        return;
    }
    struct message *m = &messages[n_messages++];
    *m = (struct message){.at = x->now, .parent = thread.len ? message_at(thread) : 0};
    if (one.len) {
        sbuf_printf(&b,
                    "{\"event_type\":\"funneld_lead\",\"event_payload\":{\"delivery\":\"%.*s\"}}",
                    STR_ARG(one));
        tell(x, one);
    } else {
        struct str database = json_string(json_get(payload, "database"));

        sbuf_printf(&b,
                    "{\"event_type\":\"funneld_digest\",\"event_payload\":{\"database\":\"%.*s\","
                    "\"deliveries\":\"%.*s\"}}",
                    STR_ARG(database), STR_ARG(many));
        tell_all(x, database, many);
    }
    (void)!snprintf(m->metadata, METADATA, "%s", b.at);
    x->status = 200;
    sbuf_text(x->answer, "{\"ok\":true,\"channel\":\"C0999999999\",\"ts\":");
    put_ts(x->answer, n_messages);
    sbuf_text(x->answer, "}");
}

/* The channel newest first; or a thread, its first message first. */
static void history(struct exchange *x, size_t thread)
{
    struct str text;
    int64_t oldest = query_param(x, "oldest", &text) ? (int64_t)(strtod(text.at, NULL) * 1000) : 0;
    int64_t skip = 0, at = 0, n = 0;

    if (query_param(x, "cursor", &text) && !str_int64(text, &skip))
        skip = 0;
    x->status = 200;
    sbuf_text(x->answer, "{\"ok\":true,\"messages\":[");
    for (size_t i = 1; i <= n_messages; i++) {
        size_t m = thread ? i : n_messages + 1 - i;
        bool in =
            thread ? m == thread || messages[m - 1].parent == thread : !messages[m - 1].parent;

        if (!in || messages[m - 1].at < oldest || at++ < skip || n == PAGE)
            continue;
        sbuf_text(x->answer, n++ ? ",{\"ts\":" : "{\"ts\":");
        put_ts(x->answer, m);
        sbuf_printf(x->answer, ",\"metadata\":%s}", messages[m - 1].metadata);
    }
    bool more = at > skip + n;
    sbuf_printf(x->answer, "],\"has_more\":%s,\"response_metadata\":{\"next_cursor\":\"",
                more ? "true" : "false");
    if (more)
        sbuf_printf(x->answer, "%" PRId64, skip + n);
    sbuf_text(x->answer, "\"}}");
}

void chat_serve(struct exchange *x)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str ts = STR("");

    if (str_is(x->path, "/api/conversations.history"))
        history(x, 0);
    else if (str_is(x->path, "/api/conversations.replies") && query_param(x, "ts", &ts) &&
             message_at(ts))
        history(x, message_at(ts));
    else if (json_parse(x->body, &doc, NULL))
        answer_text(x, 200, "{\"ok\":false,\"error\":\"invalid_json\"}");
    else if (str_is(x->path, "/api/chat.postMessage"))
        post(x, doc.root);
    else if (str_is(x->path, "/api/chat.update") &&
             message_at(json_string(json_get(doc.root, "ts"))))
        answer_text(x, 200, "{\"ok\":true}");
    else
        answer_text(x, 200, "{\"ok\":false,\"error\":\"message_not_found\"}");
}
