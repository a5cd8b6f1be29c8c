/* connectors/email_encode.c - texts in the forms that mail has for them.
 *
 * Headers are cleaned before they are encoded: no byte below 0x20 comes out of here except the
 * CRLF and the blank of a fold, so nothing that a lead typed begins a header of its own. In bodies
 * every byte that could be read as something else is =XX.
 */
#include "email_priv.h"

#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"

enum {
    LINE_MAX_BYTES = 76,
    PLAIN_MAX = 60, /* beside "Subject: ", still one line */
    WORD_BYTES = 39 /* 52 in base64: with =?UTF-8?B? ?= 64, and on the first line a header's name */
};

static bool is_plain(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] < 0x20 || line.at[i] > 0x7e)
            return false;
    return line.len <= PLAIN_MAX && !str_find(line, STR("=?"));
}

/* No character is cut in two, whatever the reader does with each word. */
static void write_words(struct sbuf *b, struct str line)
{
    struct arena a AUTO(arena_free) = {0};

    while (line.len) {
        struct str part = str_cut(line, WORD_BYTES);

        sbuf_printf(b, "=?UTF-8?B?%.*s?=", STR_ARG(base64_encode(&a, part)));
        line = str_from(line, part.len);
        if (line.len)
            sbuf_text(b, "\r\n ");
    }
}

void email_write_text(struct sbuf *b, struct str line)
{
    if (is_plain(line))
        sbuf_add(b, line);
    else
        write_words(b, line);
}

static bool is_atoms(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] && strchr("()<>[]:;@\\,.\"", line.at[i]))
            return false;
    return true;
}

void email_write_name(struct sbuf *b, struct str line)
{
    if (!is_plain(line)) {
        write_words(b, line);
        return;
    }
    if (is_atoms(line)) {
        sbuf_add(b, line);
        return;
    }
    sbuf_char(b, '"');
    for (size_t i = 0; i < line.len; i++) {
        if (line.at[i] == '"' || line.at[i] == '\\')
            sbuf_char(b, '\\');
        sbuf_char(b, line.at[i]);
    }
    sbuf_char(b, '"');
}

/* A line that begins with a dot would end the message, one with "From " a mailbox file's entry. */
static bool is_special(struct str line, size_t i)
{
    unsigned char c = (unsigned char)line.at[i];

    if (c == ' ' || c == '\t')
        return i + 1 == line.len;
    return c < 0x21 || c > 0x7e || c == '=' || (c == '.' && i == 0) ||
           (c == 'F' && i == 0 && str_starts(line, STR("From ")));
}

static void write_line(struct sbuf *b, struct str line)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t used = 0;

    for (size_t i = 0; i < line.len; i++) {
        bool special = is_special(line, i);
        size_t width = special ? 3 : 1, room = i + 1 == line.len ? 0 : 1; /* for a soft = */

        if (used + width + room > LINE_MAX_BYTES) {
            sbuf_text(b, "=\r\n");
            used = 0;
            special |= line.at[i] == '.' || line.at[i] == 'F'; /* it begins a line now */
            width = special ? 3 : 1;
        }
        if (special) {
            sbuf_char(b, '=');
            sbuf_char(b, hex[(unsigned char)line.at[i] >> 4]);
            sbuf_char(b, hex[(unsigned char)line.at[i] & 15]);
        } else {
            sbuf_char(b, line.at[i]);
        }
        used += width;
    }
    sbuf_text(b, "\r\n");
}

void email_write_body(struct sbuf *b, struct str text)
{
    struct str line;

    while (str_split(&text, '\n', &line)) {
        if (str_ends(line, STR("\r")))
            line.len--;
        write_line(b, line);
    }
}

void email_write_date(struct sbuf *b, int64_t unix_ms)
{
    static const char days[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[TIME_TEXT];

    unix_ms = unix_ms > 0 ? unix_ms : 0;
    time_text(unix_ms, text);
    int month = (text[5] - '0') * 10 + text[6] - '0';
    sbuf_printf(b, "%s, %.2s %s %.4s %.8s +0000", days[unix_ms / DAYS_MS % 7], text + 8,
                months[month - 1], text, text + 11);
}
