/* connectors/slack_text.c - untrusted text as Slack wants it, and references to messages. */
#include "slack_priv.h"

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
        size_t n = text_point_len(raw, i);
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

struct str slack_cut(struct str s, size_t max_points)
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

struct str slack_ref_text(struct str channel, struct str ts, struct arena *a)
{
    return arena_printf(a, "%.*s:%.*s", STR_ARG(channel), STR_ARG(ts));
}

static bool is_id(struct str s, const char *firsts)
{
    if (s.len < 2 || !str_chr(str_of(firsts), s.at[0]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!(s.at[i] >= 'A' && s.at[i] <= 'Z') && !(s.at[i] >= '0' && s.at[i] <= '9'))
            return false;
    return true;
}

bool slack_is_user(struct str id)
{
    return is_id(id, "UW") && id.len < SLACK_OWNER_ID;
}

struct str slack_thread_text(struct str ref, const struct parcel *p, struct arena *a)
{
    return arena_printf(a, "%.*s:%.*s", STR_ARG(ref), STR_ARG(p->d.route));
}

bool slack_ref_parse(struct str text, struct slack_ref *ret)
{
    struct str channel, ts;
    double number;

    if (!str_split(&text, ':', &channel) || !is_id(channel, "CGD") || !str_split(&text, ':', &ts) ||
        !str_chr(ts, '.') || ts.at[0] == '-' || !str_decimal(ts, &number))
        return false;
    *ret = (struct slack_ref){channel, ts, text};
    return true;
}
