/* connectors/slack_blocks.c - Block Kit, as far as our messages need it. */
#include "slack_priv.h"

void slack_text_object(struct sbuf *b, const char *type, struct str text)
{
    bool mrkdwn = str_is(str_of(type), "mrkdwn");

    json_open(b, '{');
    json_kv_text(b, "type", type);
    json_kv(b, "text", text);
    /* Untrusted ":fire:" stays as typed; names and links in a template are not looked for. */
    json_key(b, mrkdwn ? "verbatim" : "emoji");
    json_bool(b, mrkdwn);
    json_close(b, '}');
}

static void block_open(struct sbuf *b, const char *type)
{
    json_open(b, '{');
    json_kv_text(b, "type", type);
}

void slack_text_block(struct sbuf *b, const char *block, const char *type, struct str text)
{
    block_open(b, block);
    json_key(b, "text");
    slack_text_object(b, type, text);
    json_close(b, '}');
}

static void elements_open(struct sbuf *b)
{
    json_key(b, "elements");
    json_open(b, '[');
}

void slack_context(struct sbuf *b, const char *type, struct str text)
{
    block_open(b, "context");
    elements_open(b);
    slack_text_object(b, type, text);
    json_close(b, ']');
    json_close(b, '}');
}

void slack_actions_open(struct sbuf *b, struct str block_id)
{
    block_open(b, "actions");
    if (block_id.len)
        json_kv(b, "block_id", block_id);
    elements_open(b);
}

void slack_actions_close(struct sbuf *b)
{
    json_close(b, ']');
    json_close(b, '}');
}

void slack_button(struct sbuf *b, const struct slack_button *button)
{
    block_open(b, "button");
    json_kv_text(b, "action_id", button->action);
    json_key(b, "text");
    slack_text_object(b, "plain_text", button->text);
    if (button->value.len)
        json_kv(b, "value", button->value);
    if (button->url.len)
        json_kv(b, "url", button->url);
    if (button->style)
        json_kv_text(b, "style", button->style);
    json_close(b, '}');
}

void slack_quiet(struct sbuf *b)
{
    json_key(b, "unfurl_links");
    json_bool(b, false);
    json_key(b, "unfurl_media");
    json_bool(b, false);
}
