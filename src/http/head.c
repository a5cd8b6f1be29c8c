/* head.c - reads a request's headers once and finds what must not be let through.
 *
 * Four holes leave no trace in the texts that libmicrohttpd 0.9.75 gives: a folded line (its end
 * is glued to the NAME), a NUL (the text is cut there), a bare LF, and more than one blank in the
 * request line. But the texts point into the buffer that was read, so in a sound head method,
 * target and version are one byte apart, each name starts exactly CR LF after the value before
 * it, and the head ends CR LF CR LF after the last. Other versions may lay out their
 * buffers differently, and newer ones refuse these heads themselves: there it is not looked at.
 */
#include "head_priv.h"

#include <string.h>

#include "funneld/base/rc.h"

/* RFC 9110 5.6.2: a name with any other character means that sender, proxy and we could read
 * the head differently ("Content-Length : 5"). */
static bool has_controls(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static const struct {
    struct str name;
    size_t offset;
} fields[] = {
    {{"Content-Length", 14}, offsetof(struct head, length)},
    {{"Transfer-Encoding", 17}, offsetof(struct head, coding)},
    {{"Host", 4}, offsetof(struct head, host)},
    {{"Content-Type", 12}, offsetof(struct head, type)},
    {{"Content-Encoding", 16}, offsetof(struct head, content_encoding)},
    {{"Expect", 6}, offsetof(struct head, expect)},
};

struct reading {
    struct head head;
    uintptr_t next; /* where the next line must start */
};

enum { CRLF = 2 };

static enum MHD_Result see(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_size,
                           const char *text, size_t text_size)
{
    struct reading *reading = cls;
    struct head *h = &reading->head;
    struct str name = {key, key_size};
    struct str value = {text ? text : "", text ? text_size : 0};

    (void)kind;
    h->odd_line |= (uintptr_t)key != reading->next;
    reading->next = (uintptr_t)text + text_size + CRLF;
    h->odd_name |= !str_is_token(name);
    h->odd_value |= has_controls(value);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (!str_ieq(name, fields[i].name))
            continue;
        struct head_field *f = (struct head_field *)((char *)h + fields[i].offset);
        if (!f->n++)
            f->value = value;
    }
    return MHD_YES;
}

static bool digits_only(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
    return s.len > 0;
}

static bool layout_is_known(void)
{
    return strcmp(MHD_get_version(), "0.9.75") == 0;
}

/* By its parts: method, target, version. */
static bool is_odd_line(const char *method, struct str target, const char *version)
{
    return (uintptr_t)method + strlen(method) + 1 + target.len + 1 != (uintptr_t)version;
}

void head_read(struct MHD_Connection *connection, const char *method, struct str target,
               const char *version, struct head *ret)
{
    struct reading reading = {.next = (uintptr_t)version + strlen(version) + CRLF};
    struct head *h = &reading.head;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, see, &reading); /* the number */
    h->odd_line |= is_odd_line(method, target, version);
    h->odd_line |= reading.next + CRLF != (uintptr_t)method + info->header_size;
    h->odd_line &= layout_is_known();
    h->chunked = h->coding.n == 1 && str_ieq(h->coding.value, STR("chunked"));
    h->has_length = h->length.n == 1 && digits_only(h->length.value);
    if (h->has_length && !str_int64(h->length.value, &h->bytes))
        h->bytes = INT64_MAX;
    *ret = *h;
}

static bool has_nul(struct str target)
{
    for (size_t i = 0; i + 2 < target.len; i++)
        if (memcmp(target.at + i, "%00", 3) == 0)
            return true;
    return false;
}

static bool has_blanks(struct str target)
{
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.at[i] <= ' ' || target.at[i] == 0x7f)
            return true;
    return false;
}

enum hole head_hole(const struct head *h, struct str target, struct str version,
                    const char **ret_detail)
{
    const struct {
        bool open;
        enum hole kind;
        const char *detail;
    } holes[] = {
        {h->odd_line, HOLE_FRAMING,
         "A line of the head is folded, holds a NUL byte or a blank too many, or does not end in "
         "CR LF."},
        {h->odd_name, HOLE_FRAMING, "A header's name holds a character that no name may hold."},
        {h->length.n && h->coding.n, HOLE_FRAMING,
         "Content-Length and Transfer-Encoding do not go together."},
        {h->length.n > 1, HOLE_FRAMING, "Content-Length was sent more than once."},
        {h->length.n && !h->has_length, HOLE_FRAMING, "Content-Length is not a number."},
        {h->coding.n && !h->chunked, HOLE_FRAMING,
         "The only Transfer-Encoding understood is chunked."},
        {h->coding.n && !str_is(version, "HTTP/1.1"), HOLE_FRAMING,
         "Transfer-Encoding needs HTTP/1.1."},
        {h->host.n > 1, HOLE_OTHER, "Host was sent more than once."},
        {h->odd_value, HOLE_OTHER, "A header's value holds a control character."},
        {!str_starts(target, STR("/")), HOLE_OTHER, "The request target must be a path."},
        {has_nul(target) || has_blanks(target), HOLE_OTHER,
         "The request target holds a character that no path may hold."},
    };

    for (size_t i = 0; i < ARRAY_LEN(holes); i++) {
        if (holes[i].open) {
            *ret_detail = holes[i].detail;
            return holes[i].kind;
        }
    }
    return HOLE_NONE;
}

bool head_has_body(const struct head *h)
{
    return h->coding.n || (h->length.n && (!h->has_length || h->bytes > 0));
}

bool head_is_encoded(const struct head *h)
{
    return h->content_encoding.n && !str_ieq(h->content_encoding.value, STR("identity"));
}
