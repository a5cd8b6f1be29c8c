/* tests/sandbox/slack_click.c - somebody presses a button: the request that Slack would send.
 *
 *     POST /_sandbox/click {"action": "funneld_claim", "secret": "...", "user": "U0ADA", "ts":
 * "..."}
 *
 * ts defaults to the newest message. Only a button that the message shows can be pressed. The
 * answer holds headers and body; to send it is the test's part.
 */
#include "slack_messages.h"

#include <inttypes.h>

#include "funneld/base/crypto.h"
#include "funneld/base/url.h"

static const struct message *pressed_message(struct str ts)
{
    const struct message *m = messages_newest();

    while (m && (m->deleted || (ts.len && !str_eq(m->ts, ts))))
        m = m->next;
    return m;
}

/* The block with this button, and the button itself. */
static const json *find_button(const json *blocks, struct str action, const json **ret_button)
{
    for (const json *b = json_first(blocks); b; b = json_next(b)) {
        const json *e = str_is(json_string(json_get(b, "type")), "actions")
                            ? json_first(json_get(b, "elements"))
                            : NULL;

        for (; e; e = json_next(e))
            if (str_eq(json_string(json_get(e, "action_id")), action)) {
                *ret_button = e;
                return b;
            }
    }
    return NULL;
}

static void write_action(struct sbuf *b, const json *block, const json *button, int64_t now_ms)
{
    struct str value = json_string(json_get(button, "value"));

    json_open(b, '{');
    json_kv(b, "action_id", json_string(json_get(button, "action_id")));
    json_kv(b, "block_id", json_string(json_get(block, "block_id")));
    json_key(b, "text");
    json_node(b, json_get(button, "text"));
    if (value.at)
        json_kv(b, "value", value);
    json_kv_text(b, "type", "button");
    json_key(b, "action_ts");
    sbuf_printf(b, "\"%" PRId64 ".%03" PRId64 "000\"", now_ms / 1000, now_ms % 1000);
    json_close(b, '}');
}

static void write_place(struct sbuf *b, const struct message *m)
{
    json_key(b, "container");
    json_open(b, '{');
    json_kv_text(b, "type", "message");
    json_kv(b, "message_ts", m->ts);
    json_kv(b, "channel_id", m->channel);
    json_close(b, '}');
    json_key(b, "channel");
    json_open(b, '{');
    json_kv(b, "id", m->channel);
    json_kv_text(b, "name", "sales");
    json_close(b, '}');
    json_key(b, "message");
    message_write(b, m, WITH_METADATA);
}

static void write_payload(struct sbuf *b, const struct message *m, struct str user,
                          const json *block, const json *button, int64_t now_ms)
{
    json_open(b, '{');
    json_kv_text(b, "type", "block_actions");
    json_key(b, "user");
    json_open(b, '{');
    json_kv(b, "id", user);
    json_kv_text(b, "username", "sandbox.user");
    json_kv_text(b, "team_id", "T00000000");
    json_close(b, '}');
    json_kv_text(b, "api_app_id", "A0SANDBOX00");
    json_kv_text(b, "token", "an-old-token");
    write_place(b, m);
    json_kv_text(b, "trigger_id", "1.2.abc");
    json_key(b, "team");
    json_raw(b, STR("{\"id\":\"T00000000\",\"domain\":\"sandbox\"}"));
    json_kv_text(b, "response_url", "https://hooks.slack.com/actions/T00000000/1/abc");
    json_key(b, "actions");
    json_open(b, '[');
    write_action(b, block, button, now_ms);
    json_close(b, ']');
    json_close(b, '}');
}

static void answer_signed(struct answer *ret, struct str form, struct str secret, int64_t now_ms,
                          struct arena *a)
{
    struct str timestamp = arena_printf(a, "%" PRId64, now_ms / 1000);
    const struct str parts[] = {STR("v0:"), timestamp, STR(":"), form};
    uint8_t digest[SHA256_LEN];
    char hex[SHA256_HEX];
    struct sbuf *b = answer_json(ret, 200);

    hmac_sha256(secret, parts, ARRAY_LEN(parts), digest);
    hex_encode(digest, sizeof(digest), hex);
    json_open(b, '{');
    json_key(b, "headers");
    json_open(b, '{');
    json_kv_text(b, "Content-Type", "application/x-www-form-urlencoded");
    json_kv(b, "X-Slack-Request-Timestamp", timestamp);
    json_kv(b, "X-Slack-Signature", arena_printf(a, "v0=%s", hex));
    json_close(b, '}');
    json_kv(b, "body", form);
    json_close(b, '}');
}

bool slack_click(const json *order, const struct call *c, struct answer *ret)
{
    struct json_doc blocks AUTO(json_doc_free) = {0};
    struct sbuf payload AUTO(sbuf_free) = SBUF(1 << 20), form AUTO(sbuf_free) = SBUF(4 << 20);
    struct str user = json_string(json_get(order, "user"));
    const struct message *m = pressed_message(json_string(json_get(order, "ts")));
    const json *block = NULL, *button = NULL;

    if (m && m->blocks.at && json_parse(m->blocks, &blocks, NULL) == RC_OK)
        block = find_button(blocks.root, json_string(json_get(order, "action")), &button);
    if (!block) {
        answer_text(ret, 400, "there is no such button\n");
        return false;
    }
    write_payload(&payload, m, user.at ? user : STR("U0ADA"), block, button, c->now_ms);
    sbuf_text(&form, "payload=");
    url_encode(&form, sbuf_str(&payload));
    answer_signed(ret, sbuf_str(&form), json_string(json_get(order, "secret")), c->now_ms,
                  c->arena);
    return false; /* it is answered */
}
