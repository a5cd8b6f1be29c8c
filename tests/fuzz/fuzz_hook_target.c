/* tests/fuzz/fuzz_hook_target.c - an address that a third party gave: what may be subscribed means
 * the same to us, to libcurl, and a second time. */
#include "fuzz.h"

#include <curl/curl.h>

#include "connector_fixture.h"

#include "funneld/base/address.h"
#include "funneld/base/url.h"

static const char *const sections[] = {
    "type = rest_hooks\n",
    "type = rest_hooks\nallow = *\n",
    "type = rest_hooks\nallow = hooks.zapier.com, 127.0.0.1, [::1]:8443, localhost, a.b:81\n",
};

static const struct fixture *loaded(size_t i)
{
    static struct fixture fixtures[ARRAY_LEN(sections)];

    if (!fixtures[i].type)
        fixture_start(&fixtures[i], sections[i]);
    return &fixtures[i];
}

static void same_host(CURLU *u, const struct url *ours, struct arena *a)
{
    char *host = NULL;
    bool six = str_chr(ours->host, ':');
    struct str mine =
        arena_printf(a, "%s%.*s%s", six ? "[" : "", STR_ARG(ours->host), six ? "]" : "");

    assert_int_equal(curl_url_get(u, CURLUPART_HOST, &host, 0), CURLUE_OK);
    if (!six) /* of an IPv6 address curl may show the shorter form */
        assert_string_equal(host, mine.at);
    curl_free(host);
}

static void same_port(CURLU *u, const struct url *ours, struct arena *a)
{
    char *port = NULL;

    assert_int_equal(curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT), CURLUE_OK);
    assert_string_equal(port, arena_printf(a, "%u", ours->port).at);
    curl_free(port);
}

/* Two parsers that disagree are the way past any list of hosts. */
static void curl_agrees(struct str target, const struct url *ours, struct arena *a)
{
    CURLU *u = curl_url();

    assert_non_null(u);
    if (curl_url_set(u, CURLUPART_URL, arena_text(a, target), CURLU_DISALLOW_USER) == CURLUE_OK) {
        same_host(u, ours, a);
        same_port(u, ours, a);
    }
    curl_url_cleanup(u);
}

static void check(size_t i, const struct url *u)
{
    bool local = i == 2 && host_is_loopback(u->host);
    struct in6_addr address;

    assert_true(str_is(u->scheme, "https") || local);
    if (i == 0)
        assert_true(str_is(u->host, "hooks.zapier.com") && u->port == 443);
    if (i == 1)
        assert_true(u->port == 443 && !address_of_text(u->host, &address) &&
                    !host_is_loopback(u->host) && str_chr(u->host, '.'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        const void *settings = loaded(i)->settings;
        struct arena a AUTO(arena_free) = {0};
        struct str once, twice;
        struct url u;

        if (rest_hooks_target(settings, text, &a, &once, NULL))
            continue;
        assert_int_equal(rest_hooks_target(settings, once, &a, &twice, NULL), RC_OK);
        fuzz_same(once, twice);
        assert_int_equal(url_parse(once, &u, NULL), RC_OK);
        check(i, &u);
        curl_agrees(once, &u, &a);
    }
    return 0;
}
