/* tests/sim/service_slack.c - a channel with its history, and an incoming webhook. */
#include "services.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct posts messages, hooked;
static bool can_look;
static size_t refused_looks;

const struct posts *slack_posts(void)
{
    return &messages;
}

const struct posts *hook_posts(void)
{
    return &hooked;
}

void slack_blind(void)
{
    refused_looks++;
}

void slack_begin(bool look)
{
    messages.n = hooked.n = 0;
    can_look = look;
    refused_looks = 0;
}

static bool read_delivery_id(const struct exchange *x, struct json_doc *doc, struct str *ret)
{
    if (json_parse(x->body, doc, NULL))
        return false;
    *ret = json_string(json_path(doc->root, "metadata.event_payload.delivery"));
    return ret->len > 0;
}

/* "1769081994.066007": seconds, then what makes it unique in the channel. */
static void put_ts(struct sbuf *b, size_t i)
{
    sbuf_printf(b, "\"%" PRId64 ".%03" PRId64 "%03zu\"", messages.items[i].at / 1000,
                messages.items[i].at % 1000, i % 1000);
}

static void post(struct exchange *x)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str id;

    if (!read_delivery_id(x, &doc, &id)) {
        answer_text(x, 200, "{\"ok\":false,\"error\":\"invalid_metadata_format\"}");
        return;
    }
    posts_add(&messages, id, x);
    messages.items[messages.n - 1].blind = refused_looks;
    x->status = 200;
    sbuf_text(x->answer, "{\"ok\":true,\"channel\":\"C0123456789\",\"ts\":");
    put_ts(x->answer, messages.n - 1);
    sbuf_text(x->answer, "}");
}

static int64_t oldest_ms(const struct exchange *x)
{
    struct str text;

    return query_param(x, "oldest", &text) ? (int64_t)(strtod(text.at, NULL) * 1000) : 0;
}

static void put_message(struct sbuf *b, size_t i, bool first)
{
    sbuf_printf(b, "%s{\"type\":\"message\",\"ts\":", first ? "" : ",");
    put_ts(b, i);
    sbuf_printf(b,
                ",\"metadata\":{\"event_type\":\"funneld_lead\",\"event_payload\":{\"delivery\":"
                "\"%s\"}}}",
                messages.items[i].delivery);
}

/* Newest first, a page at a time; the cursor is how many were shown. */
static void history(struct exchange *x)
{
    enum { PAGE = 20 };
    int64_t oldest = oldest_ms(x), skip = 0;
    size_t n = 0, i = messages.n;
    struct str cursor;

    if (!can_look) {
        slack_blind();
        answer_text(x, 200,
                    "{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"channels:history\"}");
        return;
    }
    if (query_param(x, "cursor", &cursor) && !str_int64(cursor, &skip))
        skip = 0;
    i -= (size_t)skip < i ? (size_t)skip : i;
    x->status = 200;
    sbuf_text(x->answer, "{\"ok\":true,\"messages\":[");
    for (; i > 0 && n < PAGE && messages.items[i - 1].at >= oldest; i--, n++)
        put_message(x->answer, i - 1, n == 0);
    bool more = i > 0 && messages.items[i - 1].at >= oldest;
    sbuf_printf(x->answer, "],\"has_more\":%s,\"response_metadata\":{\"next_cursor\":\"",
                more ? "true" : "false");
    if (more)
        sbuf_printf(x->answer, "%" PRId64, skip + (int64_t)n);
    sbuf_text(x->answer, "\"}}");
}

void slack_serve(struct exchange *x)
{
    if (str_is(x->path, "/api/chat.postMessage"))
        post(x);
    else if (str_is(x->path, "/api/conversations.history"))
        history(x);
    else
        answer_text(x, 200, "{\"ok\":false,\"error\":\"unknown_method\"}");
}

void hook_serve(struct exchange *x)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str id;

    if (!read_delivery_id(x, &doc, &id)) {
        answer_text(x, 400, "invalid_payload");
        return;
    }
    posts_add(&hooked, id, x);
    answer_text(x, 200, "ok");
}
