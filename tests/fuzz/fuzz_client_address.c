/* tests/fuzz/fuzz_client_address.c - X-Forwarded-For: nobody whom no trusted proxy named is
 * believed.
 *
 * Lines: the peer, X-Forwarded-For, then one trusted network each.
 */
#include "fuzz.h"

#include "../../src/http/client_priv.h"

enum { TRUSTED_MAX = 8 };

static bool is_trusted(const struct network *trusted, size_t n, const struct in6_addr *a)
{
    for (size_t i = 0; i < n; i++)
        if (network_has(&trusted[i], a))
            return true;
    return false;
}

static struct in6_addr flipped(struct in6_addr a, unsigned bit)
{
    a.s6_addr[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
    return a;
}

/* The bits of its prefix matter, and no others. */
static void check_network(const struct network *n)
{
    struct in6_addr inside = flipped(n->address, n->bits % 128);
    struct in6_addr outside = flipped(n->address, (n->bits + 127) % 128);

    assert_true(n->bits <= 128 && network_has(n, &n->address));
    if (n->bits < 128)
        assert_true(network_has(n, &inside));
    if (n->bits > 0)
        assert_false(network_has(n, &outside));
}

static void check_text(const struct in6_addr *a)
{
    char text[INET6_ADDRSTRLEN];
    struct network again;

    address_text(a, text);
    assert_true(network_parse(str_of(text), &again));
    assert_memory_equal(&again.address, a, sizeof *a);
    assert_int_equal(again.bits, 128);
    assert_true(network_has(&again, a));
}

static bool same(const struct in6_addr *a, const struct in6_addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct network peer, trusted[TRUSTED_MAX];
    struct str rest = fuzz_text(data, size), line = STR(""), forwarded = STR("");
    size_t n = 0;

    if (str_chr(rest, '\0') || !fuzz_line(&rest, &line) || !network_parse(line, &peer))
        return 0;
    (void)fuzz_line(&rest, &forwarded);
    while (n < TRUSTED_MAX && fuzz_line(&rest, &line))
        if (network_parse(line, &trusted[n]))
            check_network(&trusted[n++]);
    struct in6_addr client = client_address(peer.address, forwarded, trusted, n);
    struct in6_addr alone = client_address(peer.address, forwarded, trusted, 0);
    struct in6_addr again = client_address(client, STR(""), trusted, n);

    check_text(&client);
    assert_true(same(&alone, &peer.address)); /* without proxies the header says nothing */
    assert_true(same(&again, &client));
    if (!is_trusted(trusted, n, &peer.address))
        assert_true(same(&client, &peer.address));
    if (!is_trusted(trusted, n, &client)) { /* what a client adds in front of it changes nothing */
        struct arena a AUTO(arena_free) = {0};
        struct str more = arena_printf(&a, "192.0.2.66, %.*s", STR_ARG(forwarded));
        struct in6_addr spoofed = client_address(peer.address, more, trusted, n);

        if (forwarded.len)
            assert_true(same(&spoofed, &client));
    }
    return 0;
}
