/* tests/fuzz/fuzz_url.c - URLs and addresses: taken apart and put together they are the same. */
#include "fuzz.h"

#include "funneld/base/url.h"

static struct str url_text(const struct url *u, struct arena *a)
{
    bool v6 = str_chr(u->host, ':');

    return arena_printf(a, "%.*s://%s%.*s%s:%u%.*s", STR_ARG(u->scheme), v6 ? "[" : "",
                        STR_ARG(u->host), v6 ? "]" : "", u->port, STR_ARG(u->target));
}

static void check_url(struct str text, enum rc (*parse)(struct str, struct url *, struct why *),
                      struct arena *a)
{
    struct url u = {0}, again = {0};
    struct why why = {0};

    if (parse(text, &u, &why)) {
        assert_true(why.text[0]);
        return;
    }
    assert_true(u.host.len && u.port);
    for (const char *c = " @/?#[]\\\t\r\n\x7f"; *c; c++)
        assert_null(str_chr(u.host, *c));
    assert_true(!u.target.len || u.target.at[0] == '/' || u.target.at[0] == '?');
    assert_int_equal(parse(url_text(&u, a), &again, &why), RC_OK);
    fuzz_same(u.scheme, again.scheme);
    fuzz_same(u.host, again.host);
    fuzz_same(u.target, again.target);
    assert_int_equal(u.port, again.port);
}

static void check_address(struct str text, struct arena *a)
{
    struct str host, again_host;
    uint16_t port, again;
    struct why why = {0};

    if (host_port_parse(text, &host, &port, &why)) {
        assert_true(why.text[0]);
        return;
    }
    if (str_chr(host, ']') || str_chr(host, '\0'))
        return; /* it cannot be written that way */
    struct str same = arena_printf(a, "[%.*s]:%u", STR_ARG(host), port);
    assert_int_equal(host_port_parse(same, &again_host, &again, &why), RC_OK);
    fuzz_same(host, again_host);
    assert_int_equal(port, again);
}

static int nibble(char c)
{
    return c <= '9' ? c - '0' : c - 'A' + 10;
}

static void check_escapes(struct str text, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(text.len * 3 + 1);
    char *plain = arena_alloc(a, text.len + 1);
    size_t n = 0;

    url_encode(&b, text);
    for (size_t i = 0; i < b.len; i++) {
        bool escaped = b.at[i] == '%';

        assert_true(escaped || (b.at[i] && !strchr("/?#&=+% \"<>'", b.at[i])));
        plain[n++] = (char)(escaped ? nibble(b.at[i + 1]) * 16 + nibble(b.at[i + 2]) : b.at[i]);
        i += escaped ? 2 : 0;
    }
    fuzz_same(text, (struct str){plain, n});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct str text = fuzz_text(data, size);

    check_url(text, url_parse, &a);
    check_url(text, mail_url_parse, &a);
    check_address(text, &a);
    check_escapes(text, &a);
    if (host_is_loopback(text))
        assert_true(str_is(text, "::1") || str_ieq(text, STR("localhost")) ||
                    str_starts(text, STR("127.")) || fuzz_holds(text, "127."));
    return 0;
}
