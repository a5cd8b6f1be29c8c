/* connectors/email_message.c - one message as it goes over the wire: RFC 5322 and MIME.
 *
 * Text first, HTML behind it, both quoted-printable: a boundary that begins with =_ stands in
 * neither. Whatever a lead typed is escaped in the HTML and is a text there; the only link is the
 * one to the CRM, which is ours.
 */
#include "email_priv.h"

#include "funneld/base/crypto.h"

enum { MESSAGE_MAX = 2 << 20, ID_BYTES = 8 };

static struct str recipient_key(struct str to, struct arena *a)
{
    uint8_t hash[SHA256_LEN];
    char *hex = arena_alloc(a, 2 * ID_BYTES + 1);
    struct str lower =
        email_normalise(to, a); /* an address that is written otherwise is the same */

    sha256(&lower, 1, hash);
    hex_encode(hash, ID_BYTES, hex);
    return (struct str){hex, 2 * ID_BYTES};
}

struct str email_message_id(const struct email *s, const struct parcel *p, struct str to,
                            struct arena *a)
{
    return arena_printf(a, "<%.*s.%.*s@%.*s>", STR_ARG(p->public_id), STR_ARG(recipient_key(to, a)),
                        STR_ARG(email_domain(email_from_address(s))));
}

bool email_is_told(struct str told, struct str to, struct arena *a)
{
    return str_find(told, arena_printf(a, ".%.*s@", STR_ARG(recipient_key(to, a)))) != NULL;
}

static struct str subject_of(const struct parcel *p, struct arena *a)
{
    struct str own = STR_NULL;

    if (p->message && p->message->subject)
        own = text_line(message_written(p, p->message->subject, ESCAPE_NONE, a),
                        EMAIL_HEADER_POINTS, a);
    return own.len ? own : text_line(message_title(p, a), EMAIL_HEADER_POINTS, a);
}

static void write_headers(struct sbuf *b, const struct email *s, const struct parcel *p,
                          struct str to, struct str boundary, struct arena *a)
{
    struct str name = STR_NULL, address = STR_NULL;

    rc_ignored(email_mailbox_parse(s->from, &name, &address, NULL)); /* it was checked */
    name = text_line(name, EMAIL_HEADER_POINTS, a);
    sbuf_text(b, "Date: ");
    email_write_date(b, p->d.created_at); /* not the clock: the same on every try */
    sbuf_text(b, "\r\nFrom: ");
    if (name.len) {
        email_write_name(b, name);
        sbuf_text(b, name.len + address.len > 40 ? "\r\n " : " ");
    }
    sbuf_printf(b, "<%.*s>\r\nTo: <%.*s>\r\nSubject: ", STR_ARG(address), STR_ARG(to));
    email_write_text(b, subject_of(p, a));
    sbuf_printf(b, "\r\nMessage-ID: %.*s\r\n", STR_ARG(email_message_id(s, p, to, a)));
    sbuf_printf(b,
                "MIME-Version: 1.0\r\n"
                "Auto-Submitted: auto-generated\r\n"
                "Content-Type: multipart/alternative;\r\n boundary=\"%.*s\"\r\n\r\n",
                STR_ARG(boundary));
}

static void write_part(struct sbuf *b, struct str boundary, const char *type, struct str text)
{
    sbuf_printf(b,
                "--%.*s\r\n"
                "Content-Type: %s; charset=utf-8\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                STR_ARG(boundary), type);
    email_write_body(b, text);
    sbuf_text(b, "\r\n");
}

/* Into what goes between tags: escaped, lines as lines. */
static void html_text(struct sbuf *b, struct str text)
{
    struct str line;
    bool first = true;

    while (str_split(&text, '\n', &line)) {
        if (!first)
            sbuf_text(b, "<br>\n");
        template_escape(b, line, ESCAPE_HTML);
        first = false;
    }
}

static void html_element(struct sbuf *b, const char *tag, struct str text)
{
    sbuf_printf(b, "<%s>", tag);
    html_text(b, text);
    sbuf_printf(b, "</%s>\n", tag);
}

static void html_table(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    struct message_line lines[MESSAGE_LINES_MAX];
    size_t n = message_lines(p, a, lines);

    sbuf_text(b, "<table cellpadding=\"4\">\n");
    for (size_t i = 0; i < n; i++) {
        sbuf_printf(b, "<tr><th align=\"left\">%s</th><td>", lines[i].label);
        html_text(b, text_line(lines[i].value, MESSAGE_VALUE_POINTS, a));
        sbuf_text(b, "</td></tr>\n");
    }
    sbuf_text(b, "</table>\n");
}

static void html_link(struct sbuf *b, const struct parcel *p)
{
    if (!str_starts(p->crm_url, STR("https://")) && !str_starts(p->crm_url, STR("http://")))
        return;
    sbuf_text(b, "<p><a href=\"");
    template_escape(b, p->crm_url, ESCAPE_HTML);
    sbuf_printf(b, "\">%s</a></p>\n", phrase_text(p->language, PHRASE_OPEN_CRM));
}

static void html_built_in(struct sbuf *b, const struct parcel *p, struct arena *a)
{
    struct str chances[MESSAGE_CHANCES_MAX];
    size_t n = message_chances(p, a, chances);

    html_element(b, "h2", text_line(message_title(p, a), MESSAGE_VALUE_POINTS, a));
    html_table(b, p, a);
    if (p->d.facts.reasons.len)
        html_element(b, "p", text_line(p->d.facts.reasons, MESSAGE_REASON_POINTS, a));
    for (size_t i = 0; i < n; i++)
        html_element(b, "p", text_line(chances[i], MESSAGE_REASON_POINTS, a));
    html_link(b, p);
    html_element(b, "small", text_line(message_origin(p, a), MESSAGE_VALUE_POINTS, a));
}

/* The route's own HTML, else its own text, else ours. */
static struct str html_of(const struct parcel *p, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(8 * MESSAGE_BYTES_MAX);
    const struct message *m = p->message;
    struct str own = m && m->html ? message_written(p, m->html, ESCAPE_HTML, a) : STR_NULL;

    if (own.len)
        return own;
    sbuf_printf(&b, "<!DOCTYPE html>\n<html lang=\"%s\">\n<body>\n", language_names[p->language]);
    own = m ? message_written(p, m->text, ESCAPE_NONE, a) : STR_NULL;
    if (own.len)
        html_element(&b, "p", own);
    else
        html_built_in(&b, p, a);
    sbuf_text(&b, "</body>\n</html>");
    return arena_str(a, sbuf_str(&b));
}

/* Control characters other than tab and line end are not for mail, nor is a CR alone. */
static struct str clean(struct str text, struct arena *a)
{
    char *to = arena_alloc(a, text.len);

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool line_end = c == '\n' || (c == '\r' && i + 1 < text.len && text.at[i + 1] == '\n');

        to[i] = line_end || c == '\t' || (c >= 0x20 && c != 0x7f) ? (char)c : ' ';
    }
    return (struct str){to, text.len};
}

enum rc email_message(const struct email *s, const struct parcel *p, struct str to, struct arena *a,
                      struct str *ret, struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(MESSAGE_MAX);
    struct str boundary = arena_printf(a, "=_%.*s", STR_ARG(str_cut(p->public_id, 60)));

    write_headers(&b, s, p, to, boundary, a);
    write_part(&b, boundary, "text/plain", clean(message_text(p, ESCAPE_NONE, a), a));
    write_part(&b, boundary, "text/html", clean(html_of(p, a), a));
    sbuf_printf(&b, "--%.*s--\r\n", STR_ARG(boundary));
    if (sbuf_seal(&b, a, ret))
        return why_fail(RC_INVALID, why, "the message would be above %zu bytes", b.max);
    return RC_OK;
}
