/* base/url.c - URLs taken apart. */
#include "funneld/base/url.h"

#include <string.h>

static bool is_port(struct str text, uint16_t *ret)
{
    int64_t port;

    if (!str_int64(text, &port) || port < 0 || port > 65535)
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* "host", "host:port", "[v6]:port"; the port stays as it was when none is written. */
static bool split_authority(struct str authority, struct str *host, uint16_t *port)
{
    struct str rest;

    if (authority.len && authority.at[0] == '[') {
        const char *end = str_chr(authority, ']');

        if (!end)
            return false;
        *host = (struct str){authority.at + 1, (size_t)(end - authority.at - 1)};
        rest = str_from(authority, host->len + 2);
    } else {
        const char *colon = str_chr(authority, ':');

        *host = (struct str){authority.at, colon ? (size_t)(colon - authority.at) : authority.len};
        rest = str_from(authority, host->len);
    }
    if (!rest.len)
        return true;
    return rest.at[0] == ':' && is_port(str_from(rest, 1), port);
}

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == ':';
}

struct scheme {
    const char *name;
    uint16_t port;
};

static const struct scheme web[] = {{"https", 443}, {"http", 80}},
                           mail[] = {{"smtps", 465}, {"smtp", 587}};

static bool read_scheme(struct str text, const struct scheme schemes[], size_t n, struct url *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct str name = str_of(schemes[i].name);

        if (str_starts(text, name) && str_starts(str_from(text, name.len), STR("://"))) {
            *ret = (struct url){.scheme = {text.at, name.len}, .port = schemes[i].port};
            return true;
        }
    }
    return false;
}

/* What stands behind the scheme. */
static enum rc read_rest(struct str rest, struct url *u, struct why *why)
{
    size_t end = 0;

    while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
        end++;
    struct str authority = {rest.at, end};
    u->target = str_from(rest, end);
    if (str_chr(authority, '@'))
        return why_fail(RC_INVALID, why, "a URL here has no user:password@ part");
    if (!split_authority(authority, &u->host, &u->port) || !u->host.len || !u->port)
        return why_fail(RC_INVALID, why, "the URL's host or port is not valid");
    for (size_t i = 0; i < u->host.len; i++)
        if (!is_host_char(u->host.at[i]))
            return why_fail(RC_INVALID, why, "the URL's host is not valid");
    return RC_OK;
}

static enum rc parse(struct str text, const struct scheme schemes[2], struct url *ret,
                     struct why *why)
{
    struct url u;

    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] <= ' ' || text.at[i] == 0x7f)
            return why_fail(RC_INVALID, why, "a URL holds no blanks or control characters");
    if (!read_scheme(text, schemes, 2, &u))
        return why_fail(RC_INVALID, why, "a URL starts with %s:// (or %s://)", schemes[0].name,
                        schemes[1].name);
    if (str_chr(text, '#'))
        return why_fail(RC_INVALID, why, "a URL here has no #fragment");
    enum rc rc = read_rest(str_from(text, u.scheme.len + 3), &u, why);
    if (rc == RC_OK)
        *ret = u;
    return rc;
}

enum rc url_parse(struct str text, struct url *ret, struct why *why)
{
    return parse(text, web, ret, why);
}

enum rc mail_url_parse(struct str text, struct url *ret, struct why *why)
{
    return parse(text, mail, ret, why);
}

bool host_is_loopback(struct str host)
{
    if (str_ieq(host, STR("localhost")) || str_is(host, "::1"))
        return true;
    struct str rest = host, part;
    int64_t n;
    int parts = 0;
    while (str_split(&rest, '.', &part)) {
        if (!str_int64(part, &n) || n < 0 || n > 255 || (parts == 0 && n != 127))
            return false;
        parts++;
    }
    return parts == 4;
}

void url_encode(struct sbuf *b, struct str raw)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < raw.len; i++) {
        unsigned char c = (unsigned char)raw.at[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c && strchr("-._~", c))) {
            sbuf_char(b, (char)c);
        } else {
            sbuf_char(b, '%');
            sbuf_char(b, hex[c >> 4]);
            sbuf_char(b, hex[c & 15]);
        }
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool url_decode(struct sbuf *b, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '%') {
            sbuf_char(b, text.at[i] == '+' ? ' ' : text.at[i]);
            continue;
        }
        int high = i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_digit(text.at[i + 2]) : -1;

        if (high < 0 || low < 0)
            return false;
        sbuf_char(b, (char)(high << 4 | low));
        i += 2;
    }
    return true;
}

enum rc host_port_parse(struct str text, struct str *ret_host, uint16_t *ret_port, struct why *why)
{
    struct str host;
    const char *colon = str_chr(text, ':');

    if (!colon)
        return why_fail(RC_INVALID, why, "an address is written HOST:PORT, as in [::]:8443");
    uint16_t port = 0;
    bool has_port = text.at[text.len - 1] != ':' && text.at[text.len - 1] != ']';
    if (!has_port || !split_authority(text, &host, &port))
        return why_fail(RC_INVALID, why, "the address has no valid port (0 to 65535)");
    *ret_host = host;
    *ret_port = port;
    return RC_OK;
}
