/* tests/sandbox/slack_who.c - who asks Slack, by which token, and whom it knows. */
#include "slack_who.h"

#include <string.h>

#include "slack_messages.h"

static const struct token tokens[] = {
    {"xoxb-sandbox", "chat:write,channels:history,users:read.email"},
    {"xoxb-narrow", "chat:write,channels:read"},
    {"xoxb-reader", "channels:history"},
};

const char *token_find(const struct call *c, const struct args *a, const struct token **ret)
{
    struct str header = call_header(c, "Authorization"), given = arg(c, a, "token");

    if (!header.at && (a->doc.root || !given.at))
        return "not_authed"; /* with a JSON body the token goes in the header only */
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        if (header.at ? call_bearer_is(c, tokens[i].text) : str_is(given, tokens[i].text)) {
            *ret = &tokens[i];
            return NULL;
        }
    return "invalid_auth";
}

void answer_missing_scope(struct answer *ret, const struct token *t, const char *needed)
{
    struct sbuf *b = answer_json(ret, 200);

    json_open(b, '{');
    json_key(b, "ok");
    json_bool(b, false);
    json_kv_text(b, "error", "missing_scope");
    json_kv_text(b, "needed", needed);
    json_kv_text(b, "provided", t->scopes);
    json_close(b, '}');
    offence("slack", "missing_scope: %s", needed);
}

void who_am_i(const struct call *c, const struct args *a, struct answer *ret)
{
    (void)c;
    (void)a;
    sbuf_text(answer_json(ret, 200),
              "{\"ok\":true,\"url\":\"https://sandbox.slack.com/\",\"team\":\"Sandbox\",\"user\":"
              "\"funneld\",\"team_id\":\"T00000000\",\"user_id\":\"U0SANDBOX00\",\"bot_id\":"
              "\"B0SANDBOX00\"}");
}

/* Of a channel that it is not in, a bot is told as well, unless it is private. */
void who_is_in(const struct call *c, const struct args *a, struct answer *ret)
{
    struct str id = arg(c, a, "channel");
    const char *error = channel_check(id);
    bool gone = error && strcmp(error, "channel_not_found") == 0;
    struct sbuf *b = answer_json(ret, 200);

    json_open(b, '{');
    json_key(b, "ok");
    json_bool(b, !gone);
    if (gone) {
        json_kv_text(b, "error", error);
        offence("slack", "%s", error);
    } else {
        json_key(b, "channel");
        json_open(b, '{');
        json_kv(b, "id", id);
        json_kv_text(b, "name", "leads");
        json_key(b, "is_channel");
        json_bool(b, true);
        json_key(b, "is_archived");
        json_bool(b, error && strcmp(error, "is_archived") == 0);
        json_key(b, "is_member");
        json_bool(b, !error);
        json_close(b, '}');
    }
    json_close(b, '}');
}

void who_has_address(const struct call *c, const struct args *a, struct answer *ret)
{
    const struct user *user = user_by_email(arg(c, a, "email"));

    if (!user) { /* to ask for somebody else is no offence */
        sbuf_text(answer_json(ret, 200), "{\"ok\":false,\"error\":\"users_not_found\"}");
        return;
    }
    struct sbuf *b = answer_json(ret, 200);
    json_open(b, '{');
    json_key(b, "ok");
    json_bool(b, true);
    json_key(b, "user");
    json_open(b, '{');
    json_kv_text(b, "id", user->id);
    json_kv_text(b, "team_id", "T00000000");
    json_key(b, "deleted");
    json_bool(b, user->deleted);
    json_close(b, '}');
    json_close(b, '}');
}
