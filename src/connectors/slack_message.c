/* connectors/slack_message.c - what a lead looks like in Slack (Block Kit).
 *
 * Everything that a lead may have typed stands in plain_text objects and is escaped, so that
 * nobody is pinged and no link is shown that the lead made up. Sizes stay far below Slack's:
 * besides the documented limits there is one over all blocks that no document states.
 */
#include "slack_priv.h"

#include "funneld/base/clock.h"

enum {
    HEADER_POINTS = 150, /* Slack's own limit */
    FIELD_POINTS = 200,
    SECTION_POINTS = 2900,
    FALLBACK_POINTS = 1000,
    CONTEXT_POINTS = 300,
    URL_BYTES_MAX = 3000,
    TEMPLATE_BYTES_MAX = 64 * 1024,
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
    const struct delivery_facts *f = &p->d.facts;
    struct event event = {
        .source = f->event_source,
        .type = f->event_type,
        .property = f->event_property,
        .value = f->event_value,
        .occurred_at = f->event_time,
    };
    struct template_values values = {
        .facts = {.event = &event,
                  .lead = p->lead,
                  .score = f->score,
                  .previous = f->previous,
                  .band = f->band},
        .reasons = f->reasons,
        .name = lead_name(p->lead, a),
        .url = p->crm_url,
    };
    struct sbuf b AUTO(sbuf_free) = SBUF(TEMPLATE_BYTES_MAX);

    template_write(p->message, &values, ESCAPE_SLACK, a, &b);
    return arena_str(a, cut_escaped(str_trim(sbuf_str(&b)), SECTION_POINTS));
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

static void field(struct sbuf *b, const char *label, struct str value, struct arena *a)
{
    if (!value.len)
        return;
    struct str shown = slack_line(value, FIELD_POINTS, a);

    text_object(b, "plain_text", arena_printf(a, "%s\n%.*s", label, STR_ARG(shown)));
}

static struct str score_line(const struct delivery_facts *f, struct arena *a)
{
    struct str score = score_text(f->score, a), before = score_text(f->previous, a);

    if (f->score == f->previous)
        return score;
    return arena_printf(a, "%.*s (before: %.*s)", STR_ARG(score), STR_ARG(before));
}

static void fields_block(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    const struct lead *l = p->lead;
    struct str email = lead_text(l, "email");

    block_open(b, "section");
    json_key(b, "fields");
    json_open(b, '[');
    field(b, "Score", score_line(&p->d.facts, a), a);
    field(b, "E-mail", email.len ? email : l->email, a);
    field(b, "Company", lead_text(l, "company"), a);
    field(b, "Job title", lead_text(l, "jobtitle"), a);
    field(b, "Phone", lead_text(l, "phone"), a);
    json_close(b, ']');
    json_close(b, '}');
}

static void context_block(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;
    char when[TIME_TEXT];
    struct str line;

    time_text(f->event_time, when);
    line = arena_printf(a, "%.*s from %.*s at %.16sZ, route %.*s", STR_ARG(f->event_type),
                        STR_ARG(f->event_source), when, STR_ARG(p->d.route));
    block_open(b, "context");
    json_key(b, "elements");
    json_open(b, '[');
    text_object(b, "plain_text", slack_line(line, CONTEXT_POINTS, a));
    json_close(b, ']');
    json_close(b, '}');
}

/* A button with a URL needs no interactivity set up in the app. */
static void link_block(struct sbuf *b, struct str url)
{
    if (!url.len || url.len > URL_BYTES_MAX)
        return;
    block_open(b, "actions");
    json_key(b, "elements");
    json_open(b, '[');
    block_open(b, "button");
    json_kv_text(b, "action_id", "open_crm");
    json_key(b, "text");
    text_object(b, "plain_text", STR("Open in the CRM"));
    json_kv(b, "url", url);
    json_close(b, '}');
    json_close(b, ']');
    json_close(b, '}');
}

static struct str title_of(const struct parcel *p, struct arena *a)
{
    struct str name = lead_name(p->lead, a);

    return arena_printf(a, "%.*s is %s", STR_ARG(text_points(str_trim(name), 100)),
                        band_name(p->d.facts.band));
}

static struct str fallback_text(const struct parcel *p, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;
    struct str title = title_of(p, a), score = score_text(f->score, a), line;

    line = arena_printf(a, "%.*s: score %.*s%s%.*s", STR_ARG(title), STR_ARG(score),
                        f->reasons.len ? " - " : "", STR_ARG(f->reasons));
    return slack_line(line, FALLBACK_POINTS, a);
}

static void built_in_blocks(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    struct str reasons = slack_text(p->d.facts.reasons, SECTION_POINTS, a);

    text_block(b, "header", "plain_text", slack_line(title_of(p, a), HEADER_POINTS, a));
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

    json_kv(b, "text", own.len ? own : fallback_text(p, a));
    if (form == SLACK_WITH_BLOCKS) {
        json_key(b, "blocks");
        json_open(b, '[');
        if (own.len)
            text_block(b, "section", "mrkdwn", own);
        else
            built_in_blocks(b, p, a);
        link_block(b, p->crm_url);
        json_close(b, ']');
    }
    metadata(b, p->public_id);
    json_key(b, "unfurl_links");
    json_bool(b, false);
    json_key(b, "unfurl_media");
    json_bool(b, false);
}
