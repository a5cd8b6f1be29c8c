/* deliver/mask.c - a service that repeats what it was sent gives away no secret.
 *
 * What a service answers ends in reasons, which are logged, stored and shown. So whatever of the
 * answer is one of the connector's secrets, or what the request proved itself with, is starred out
 * before anybody looks at it; the answer keeps its length and form. Reasons could not be masked
 * once they are made: by then a secret may be cut in the middle. What decides by words that a
 * password may be has the answer as it came, too (struct http_response).
 */
#include "mask_priv.h"

#include <string.h>

#include "funneld/base/crypto.h"
#include "funneld/base/url.h"

/* What is shorter may be a word: a part of an address is left then, and a secret is hidden only
 * where it stands alone; below SHORTEST_ALONE not even there. */
enum { SHORTEST = 8, SHORTEST_PART = 9, SHORTEST_ALONE = 4, SHORTEST_MADE = 16 };

struct masking {
    struct str text;
    char *copy; /* of it, once something was found */
    struct arena *arena;
};

static bool is_of_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (unsigned char)c >= 0x80;
}

static bool stands_alone(struct str text, size_t from, size_t len)
{
    return (!from || !is_of_word(text.at[from - 1])) &&
           (from + len == text.len || !is_of_word(text.at[from + len]));
}

static void star_out(struct masking *m, size_t from, size_t len)
{
    if (!m->copy) {
        m->copy = arena_alloc(m->arena, m->text.len);
        memcpy(m->copy, m->text.at, m->text.len);
        m->text.at = m->copy;
    }
    memset(m->copy + from, '*', len);
}

static void mask(struct masking *m, struct str secret)
{
    struct str rest = m->text;

    if (secret.len < SHORTEST_ALONE)
        return;
    for (const char *at; (at = str_find(rest, secret));) {
        size_t from = (size_t)(at - m->text.at);
        bool hidden = secret.len >= SHORTEST || stands_alone(m->text, from, secret.len);

        if (hidden)
            star_out(m, from, secret.len);
        rest = str_from(m->text, from + (hidden ? secret.len : 1));
    }
}

/* Of an address that is a secret, each long part of its path and query: a service may write its
 * slashes as \/, or name a parameter alone. */
static void mask_parts(struct masking *m, struct str secret)
{
    struct url url;

    if (url_parse(secret, &url, NULL) != RC_OK)
        return;
    for (struct str rest = url.target; rest.len;) {
        size_t len = 0;

        while (len < rest.len && !str_chr(STR("/?&="), rest.at[len]))
            len++;
        if (len >= SHORTEST_PART)
            mask(m, (struct str){rest.at, len});
        rest = str_from(rest, len < rest.len ? len + 1 : len);
    }
}

static bool holds(struct str text, const char *word)
{
    for (struct str rest = text; rest.len; rest = str_from(rest, 1))
        if (str_ieq(str_cut(rest, strlen(word)), str_of(word)))
            return true;
    return false;
}

static bool is_scheme(struct str word)
{
    static const char *const schemes[] = {"apikey", "basic", "bearer", "digest", "token"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (str_ieq(word, str_of(schemes[i])))
            return true;
    return false;
}

/* By a machine, of letters and digits without a blank. */
static bool is_made(struct str value)
{
    bool digit = false;

    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == ' ')
            return false;
        digit |= value.at[i] >= '0' && value.at[i] <= '9';
    }
    return digit && value.len >= SHORTEST_MADE;
}

/* Of a header that says who asks: `X-Team: sales` is none, and "sales" may be in any answer. */
static bool is_secret(const struct str_pair *header)
{
    static const char *const names[] = {"auth", "cookie", "credential", "key",
                                        "pass", "secret", "token"};
    struct str rest = header->value, first;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (holds(header->name, names[i]))
            return true;
    return is_made(header->value) ||
           (str_split(&rest, ' ', &first) && rest.len && is_scheme(first));
}

static void mask_map(struct masking *m, const void *field)
{
    struct str_pairs map;

    memcpy(&map, field, sizeof map);
    for (size_t i = 0; i < map.n; i++) {
        struct str value = map.items[i].value;
        const char *blank = str_chr(value, ' '); /* "Bearer abc": behind the scheme, too */

        if (!is_secret(&map.items[i]))
            continue;
        mask(m, value);
        if (blank)
            mask(m, str_from(value, (size_t)(blank - value.at) + 1));
    }
}

static void mask_settings(struct masking *m, const struct connector *c)
{
    const struct section_spec *spec = c->type->spec;

    for (size_t i = 0; i < spec->n_options; i++) {
        const struct option *o = &spec->options[i];
        struct str secret;

        if (o->type == OPTION_SECRETS)
            mask_map(m, (const char *)c->settings + o->offset);
        if (o->type != OPTION_SECRET)
            continue;
        memcpy(&secret, (const char *)c->settings + o->offset, sizeof secret);
        mask(m, secret);
        mask_parts(m, secret);
    }
}

/* As AUTH PLAIN and AUTH LOGIN say it. */
static void mask_login(struct masking *m, const struct envelope *e)
{
    const struct str nul = {"", 1};
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 2); /* of settings, which are bounded */

    if (!e->password.len)
        return;
    mask(m, base64_encode(m->arena, e->password));
    sbuf_add(&b, nul);
    sbuf_add(&b, e->user);
    sbuf_add(&b, nul);
    sbuf_add(&b, e->password);
    mask(m, base64_encode(m->arena, sbuf_str(&b)));
}

struct str mask_secrets(const struct connector *c, const struct http_request *sent, struct str text,
                        struct arena *a)
{
    struct masking m = {.text = text, .arena = a};

    if (!text.len)
        return text;
    mask_settings(&m, c);
    if (sent->envelope)
        mask_login(&m, sent->envelope);
    if (sent->secret_url) {
        mask(&m, sent->url);
        mask_parts(&m, sent->url);
    }
    for (size_t i = 0; i < sent->n_headers; i++) {
        struct str value = sent->headers[i].value;
        const char *space = str_chr(value, ' ');

        if (strcmp(sent->headers[i].name, "Authorization") == 0)
            mask(&m, space ? str_from(value, (size_t)(space - value.at) + 1) : value);
    }
    return m.text;
}
