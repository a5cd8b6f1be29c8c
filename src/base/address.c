/* base/address.c - the special-purpose registries as tables (RFC 6890 and its updates). */
#include "funneld/base/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "funneld/base/rc.h"

static const struct {
    uint32_t network;
    unsigned bits;
} private4[] = {
    {0x00000000, 8},  /* 0.0.0.0: this network */
    {0x0a000000, 8},  /* 10.0.0.0: private */
    {0x64400000, 10}, /* 100.64.0.0: shared by a provider's customers */
    {0x7f000000, 8},  /* 127.0.0.0: loopback */
    {0xa9fe0000, 16}, /* 169.254.0.0: link-local, the metadata of clouds */
    {0xac100000, 12}, /* 172.16.0.0: private */
    {0xc0000000, 24}, /* 192.0.0.0: protocol assignments */
    {0xc0000200, 24}, /* 192.0.2.0: documentation */
    {0xc0586300, 24}, /* 192.88.99.0: once 6to4 relays */
    {0xc0a80000, 16}, /* 192.168.0.0: private */
    {0xc6120000, 15}, /* 198.18.0.0: benchmarks */
    {0xc6336400, 24}, /* 198.51.100.0: documentation */
    {0xcb007100, 24}, /* 203.0.113.0: documentation */
    {0xe0000000, 4},  /* 224.0.0.0: multicast */
    {0xf0000000, 4},  /* 240.0.0.0: reserved, broadcast */
};

struct range6 {
    uint8_t bytes[16];
    unsigned bits;
};

static const struct range6 internet6 = {{0x20}, 3}; /* 2000::/3, all that is given out */

static const struct range6 private6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 32},             /* 2001::: Teredo, an IPv4 address inside */
    {{0x20, 0x01, 0x00, 0x02, 0x00, 0x00}, 48}, /* 2001:2::: benchmarks */
    {{0x20, 0x01, 0x00, 0x10}, 28},             /* 2001:10::: ORCHID */
    {{0x20, 0x01, 0x00, 0x20}, 28},             /* 2001:20::: ORCHIDv2 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},             /* 2001:db8::: documentation */
    {{0x20, 0x02}, 16},                         /* 2002::: 6to4, an IPv4 address inside */
    {{0x3f, 0xff}, 20},                         /* 3fff::: documentation */
};

/* Whose last four bytes are an IPv4 address that packets go to. */
static const struct range6 holds4[] = {
    {{[10] = 0xff, [11] = 0xff}, 96}, /* ::ffff:0:0, mapped */
    {{0x00, 0x64, 0xff, 0x9b}, 96},   /* 64:ff9b::, translated by NAT64 */
};

bool address4_is_public(struct in_addr address)
{
    uint32_t host = ntohl(address.s_addr);

    for (size_t i = 0; i < ARRAY_LEN(private4); i++)
        if ((host ^ private4[i].network) >> (32 - private4[i].bits) == 0)
            return false;
    return true;
}

static bool in_range(const uint8_t bytes[16], const struct range6 *r)
{
    size_t whole = r->bits / 8;
    unsigned rest = r->bits % 8;

    if (memcmp(bytes, r->bytes, whole) != 0)
        return false;
    return !rest || (bytes[whole] ^ r->bytes[whole]) >> (8 - rest) == 0;
}

bool address6_is_public(const struct in6_addr *address)
{
    const uint8_t *bytes = address->s6_addr;
    struct in_addr inside;

    memcpy(&inside, bytes + 12, sizeof inside);
    for (size_t i = 0; i < ARRAY_LEN(holds4); i++)
        if (in_range(bytes, &holds4[i]))
            return address4_is_public(inside);
    for (size_t i = 0; i < ARRAY_LEN(private6); i++)
        if (in_range(bytes, &private6[i]))
            return false;
    return in_range(bytes, &internet6);
}

bool address_of_text(struct str text, struct in6_addr *ret)
{
    char z[INET6_ADDRSTRLEN] = "";
    struct in_addr four;
    struct in6_addr six = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    if (!text.len || text.len >= sizeof z || memchr(text.at, '\0', text.len))
        return false;
    memcpy(z, text.at, text.len);
    if (inet_pton(AF_INET, z, &four) == 1)
        memcpy(six.s6_addr + 12, &four, sizeof four);
    else if (inet_pton(AF_INET6, z, &six) != 1)
        return false;
    *ret = six;
    return true;
}
