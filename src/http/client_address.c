/* client_address.c - who sent a request, behind proxies that we trust. */
#include "client_priv.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static struct in6_addr mapped(const void *ipv4)
{
    struct in6_addr a = {0};

    memcpy(a.s6_addr, mapped_prefix, sizeof(mapped_prefix));
    memcpy(a.s6_addr + sizeof(mapped_prefix), ipv4, 4);
    return a;
}

static bool is_mapped(const struct in6_addr *a)
{
    return memcmp(a->s6_addr, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static bool address_parse(struct str text, struct in6_addr *ret, bool *ret_ipv4)
{
    char copy[INET6_ADDRSTRLEN];
    if (!text.len || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    struct in_addr v4;
    struct in6_addr v6;
    *ret_ipv4 = inet_pton(AF_INET, copy, &v4) == 1;
    if (*ret_ipv4)
        *ret = mapped(&v4);
    else if (inet_pton(AF_INET6, copy, &v6) == 1)
        *ret = v6;
    else
        return false;
    return true;
}

bool network_parse(struct str text, struct network *ret)
{
    const char *slash = str_chr(text, '/');
    struct str host = {text.at, slash ? (size_t)(slash - text.at) : text.len};
    struct network n;
    bool ipv4;
    if (!address_parse(host, &n.address, &ipv4))
        return false;
    int64_t most = ipv4 ? 32 : 128, bits = most;
    if (slash && !str_int64(str_from(text, host.len + 1), &bits))
        return false;
    if (bits < 0 || bits > most)
        return false;
    n.bits = (unsigned)bits + (ipv4 ? 96 : 0);
    *ret = n;
    return true;
}

bool network_has(const struct network *n, const struct in6_addr *address)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;
    if (memcmp(n->address.s6_addr, address->s6_addr, whole) != 0)
        return false;
    unsigned mask = 0xffu & (0xff00u >> rest);
    return !rest || ((n->address.s6_addr[whole] ^ address->s6_addr[whole]) & mask) == 0;
}

struct in6_addr address_of(const struct sockaddr *sa)
{
    if (sa && sa->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, sa, sizeof(v4));
        return mapped(&v4.sin_addr);
    }
    if (sa && sa->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, sa, sizeof(v6));
        return v6.sin6_addr;
    }
    return in6addr_any;
}

size_t address_hash(const struct in6_addr *a)
{
    size_t n = is_mapped(a) ? sizeof(a->s6_addr) : sizeof(a->s6_addr) / 2;
    uint32_t hash = 2166136261; /* FNV-1a */

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ a->s6_addr[i]) * 16777619;
    return hash;
}

void address_text(const struct in6_addr *a, char ret[INET6_ADDRSTRLEN])
{
    const char *text = is_mapped(a) ? inet_ntop(AF_INET, a->s6_addr + 12, ret, INET6_ADDRSTRLEN)
                                    : inet_ntop(AF_INET6, a, ret, INET6_ADDRSTRLEN);
    assert(text);
}

static bool trusts(const struct network *trusted, size_t n, const struct in6_addr *a)
{
    for (size_t i = 0; i < n; i++)
        if (network_has(&trusted[i], a))
            return true;
    return false;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80" */
static struct str without_port(struct str hop)
{
    if (hop.len && hop.at[0] == '[') {
        const char *end = str_chr(hop, ']');
        return end ? (struct str){hop.at + 1, (size_t)(end - hop.at) - 1} : STR_NULL;
    }
    const char *colon = str_chr(hop, ':');
    if (colon && !str_chr(str_from(hop, (size_t)(colon - hop.at) + 1), ':'))
        hop.len = (size_t)(colon - hop.at);
    return hop;
}

static struct str last_hop(struct str *rest)
{
    size_t start = rest->len;
    while (start && rest->at[start - 1] != ',')
        start--;
    struct str hop = str_trim(str_from(*rest, start));
    rest->len = start ? start - 1 : 0;
    return hop;
}

struct in6_addr client_address(struct in6_addr peer, struct str forwarded,
                               const struct network *trusted, size_t n_trusted)
{
    struct in6_addr client = peer, hop;
    bool ipv4;
    while (forwarded.len && trusts(trusted, n_trusted, &client)) {
        if (!address_parse(without_port(last_hop(&forwarded)), &hop, &ipv4))
            break;
        client = hop;
    }
    return client;
}
