/* tests/sandbox/slack_messages.c - what was posted, and who is in the workspace. */
#include "slack_messages.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TEXT_MAX = 40000 };

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

static const struct user users[] = {
    {"U0ADA", "ada@sandbox.example", false},
    {"W0BOB", "bob@sandbox.example", false},
    {"U0GRACE", "grace@sandbox.example", false},
    {"U0GONE", "gone@sandbox.example", true},
};

const struct user *user_by_email(struct str email)
{
    for (size_t i = 0; i < ARRAY_LEN(users); i++)
        if (str_is(email, users[i].email))
            return &users[i];
    return NULL;
}

const struct user *user_by_id(struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(users); i++)
        if (str_is(id, users[i].id))
            return &users[i];
    return NULL;
}

const char *channel_check(struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(channels); i++)
        if (str_is(id, channels[i].id))
            return channels[i].error;
    return "channel_not_found";
}

const struct message *messages_newest(void)
{
    return newest;
}

struct message *message_find(struct str channel, struct str ts)
{
    for (struct message *m = newest; m; m = m->next)
        if (!m->deleted && str_eq(m->channel, channel) && str_eq(m->ts, ts))
            return m;
    return NULL;
}

struct str message_text(struct str text)
{
    return arena_str(&memory, (struct str){text.at, text.len > TEXT_MAX ? TEXT_MAX : text.len});
}

struct str message_json(struct str value)
{
    return arena_str(&memory, value);
}

struct message *message_keep(const struct call *c, struct str channel, const char *via)
{
    struct message *m = ARENA_NEW(&memory, struct message);
    int64_t us = c->now_ms * 1000;

    last_us = us > last_us ? us : last_us + 1;
    *m = (struct message){
        .channel = arena_str(&memory, channel),
        .ts = arena_printf(&memory, "%" PRId64 ".%06" PRId64, last_us / 1000000, last_us % 1000000),
        .via = str_of(via),
        .received_at = c->now_ms,
        .next = newest,
    };
    newest = m;
    n_messages++;
    return m;
}

void message_write(struct sbuf *b, const struct message *m, enum shown shown)
{
    json_open(b, '{');
    json_kv_text(b, "type", "message");
    json_kv_text(b, "subtype", "bot_message");
    json_kv(b, "text", m->text);
    json_kv(b, "ts", m->ts);
    if (m->thread_ts.at)
        json_kv(b, "thread_ts", m->thread_ts);
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

static void dump_message(struct sbuf *b, const struct message *m)
{
    json_open(b, '{');
    json_kv(b, "channel", m->channel);
    json_kv(b, "ts", m->ts);
    json_kv(b, "thread_ts", m->thread_ts);
    json_kv(b, "text", m->text);
    json_kv(b, "via", m->via);
    json_kv_int(b, "received_at", m->received_at);
    json_kv_int(b, "edits", m->edits);
    json_key(b, "deleted");
    json_bool(b, m->deleted);
    json_key(b, "blocks");
    json_raw(b, m->blocks.at ? m->blocks : STR("null"));
    json_key(b, "metadata");
    json_raw(b, m->metadata.at ? m->metadata : STR("null"));
    json_close(b, '}');
}

void messages_dump(struct sbuf *b)
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

void messages_reset(void)
{
    newest = NULL;
    n_messages = 0;
    arena_free(&memory);
    memory = (struct arena){0};
}
