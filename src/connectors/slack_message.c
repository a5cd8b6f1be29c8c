/* connectors/slack_message.c - what a lead looks like in Slack (Block Kit).
 *
 * Everything that a lead may have typed stands in plain_text objects and is escaped, so that
 * nobody is pinged and no link is shown that the lead made up. Sizes stay far below Slack's:
 * besides the documented limits there is one over all blocks that no document states.
 */
#include "slack_priv.h"

enum {
    HEADER_POINTS = 150, /* Slack's own limit */
    FIELD_POINTS = 200,
    SECTION_POINTS = 2900,
    FALLBACK_POINTS = 1000,
    CONTEXT_POINTS = 300,
    URL_BYTES_MAX = 3000,
};

static const struct str ellipsis = {"\xe2\x80\xa6", 3};

static struct str entity(const char *at, size_t len, bool keep_lines)
{
    unsigned char c = (unsigned char)*at;

    if (c == '&')
        return STR("&amp;");
    if (c == '<')
        return STR("&lt;");
    if (c == '>')
        return STR("&gt;");
    if (c == '\n' && keep_lines)
        return STR("\n");
    if (c < 0x20 || c == 0x7f)
        return STR(" ");
    return (struct str){at, len};
}

static size_t point_len(struct str s, size_t at)
{
    size_t n = 1;

    while (at + n < s.len && ((unsigned char)s.at[at + n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* ASCII pieces (entities) count their bytes, any other piece is one code point. */
static size_t points_of(struct str piece)
{
    return (unsigned char)piece.at[0] < 0x80 ? piece.len : 1;
}

static struct str escape(struct str raw, size_t max_points, bool keep_lines, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(max_points * 4 + 8);
    size_t used = 0, room_at = 0; /* room_at: what fits together with the ellipsis */
    struct str ret = STR("");

    for (size_t i = 0; i < raw.len;) {
        size_t n = point_len(raw, i);
        struct str piece = entity(raw.at + i, n, keep_lines);

        used += points_of(piece);
        if (used > max_points) {
            ret = (struct str){b.at, room_at};
            return arena_printf(a, "%.*s%.*s", STR_ARG(ret), STR_ARG(ellipsis));
        }
        sbuf_add(&b, piece);
        if (used < max_points)
            room_at = b.len;
        i += n;
    }
    if (sbuf_seal(&b, a, &ret))
        return STR("");
    return ret;
}

struct str slack_line(struct str raw, size_t max_points, struct arena *a)
{
    return escape(str_trim(raw), max_points, false, a);
}

struct str slack_text(struct str raw, size_t max_points, struct arena *a)
{
    return escape(str_trim(raw), max_points, true, a);
}

/* The template escaped its values itself; only its length is still to be bounded. */
static struct str cut_escaped(struct str s, size_t max_points)
{
    struct str cut = text_points(s, max_points);

    for (size_t back = 1; cut.len < s.len && back <= 5 && back <= cut.len; back++) {
        char c = cut.at[cut.len - back];

        if (c == ';')
            break;
        if (c == '&')
            return (struct str){cut.at, cut.len - back};
    }
    return cut;
}

static struct str template_text(const struct parcel *p, struct arena *a)
{
    return arena_str(
        a, cut_escaped(message_written(p, p->message->text, ESCAPE_SLACK, a), SECTION_POINTS));
}

static void text_object(struct sbuf *b, const char *type, struct str text)
{
    json_open(b, '{');
    json_kv_text(b, "type", type);
    json_kv(b, "text", text);
    /* Untrusted ":fire:" stays as typed; names and links in a template are not looked for. */
    json_key(b, str_is(str_of(type), "mrkdwn") ? "verbatim" : "emoji");
    json_bool(b, str_is(str_of(type), "mrkdwn"));
    json_close(b, '}');
}

static void block_open(struct sbuf *b, const char *type)
{
    json_open(b, '{');
    json_kv_text(b, "type", type);
}

static void text_block(struct sbuf *b, const char *block, const char *text_type, struct str text)
{
    block_open(b, block);
    json_key(b, "text");
    text_object(b, text_type, text);
    json_close(b, '}');
}

static void fields_block(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    struct message_line lines[MESSAGE_LINES_MAX];
    size_t n = message_lines(p, a, lines);

    block_open(b, "section");
    json_key(b, "fields");
    json_open(b, '[');
    for (size_t i = 0; i < n; i++)
        text_object(b, "plain_text",
                    arena_printf(a, "%s\n%.*s", lines[i].label,
                                 STR_ARG(slack_line(lines[i].value, FIELD_POINTS, a))));
    json_close(b, ']');
    json_close(b, '}');
}

static void context_block(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    block_open(b, "context");
    json_key(b, "elements");
    json_open(b, '[');
    text_object(b, "plain_text", slack_line(message_origin(p, a), CONTEXT_POINTS, a));
    json_close(b, ']');
    json_close(b, '}');
}

/* A button with a URL needs no interactivity set up in the app. */
static void link_block(struct sbuf *b, const struct parcel *p)
{
    struct str url = p->crm_url;

    if (!url.len || url.len > URL_BYTES_MAX)
        return;
    block_open(b, "actions");
    json_key(b, "elements");
    json_open(b, '[');
    block_open(b, "button");
    json_kv_text(b, "action_id", "open_crm");
    json_key(b, "text");
    text_object(b, "plain_text", str_of(phrase_text(p->language, PHRASE_OPEN_CRM)));
    json_kv(b, "url", url);
    json_close(b, '}');
    json_close(b, ']');
    json_close(b, '}');
}

static void built_in_blocks(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    struct str reasons = slack_text(p->d.facts.reasons, SECTION_POINTS, a);

    text_block(b, "header", "plain_text", slack_line(message_title(p, a), HEADER_POINTS, a));
    fields_block(b, p, a);
    if (reasons.len)
        text_block(b, "section", "plain_text", reasons);
    context_block(b, p, a);
}

static void metadata(struct sbuf *b, struct str delivery)
{
    json_key(b, "metadata");
    json_open(b, '{');
    json_kv_text(b, "event_type", SLACK_EVENT_TYPE);
    json_key(b, "event_payload");
    json_open(b, '{');
    json_kv(b, "delivery", delivery);
    json_close(b, '}');
    json_close(b, '}');
}

void slack_message(struct sbuf *b, const struct parcel *p, enum slack_form form, struct arena *a)
{
    struct str own = p->message ? template_text(p, a) : STR("");

    json_kv(b, "text", own.len ? own : slack_line(message_summary(p, a), FALLBACK_POINTS, a));
    if (form == SLACK_WITH_BLOCKS) {
        json_key(b, "blocks");
        json_open(b, '[');
        if (own.len)
            text_block(b, "section", "mrkdwn", own);
        else
            built_in_blocks(b, p, a);
        link_block(b, p);
        json_close(b, ']');
    }
    metadata(b, p->public_id);
    json_key(b, "unfurl_links");
    json_bool(b, false);
    json_key(b, "unfurl_media");
    json_bool(b, false);
}
