/* client_priv.h - networks, and who is at the other end: for the log and for fair shares. Pure. */
#ifndef FUNNELD_HTTP_CLIENT_PRIV_H
#define FUNNELD_HTTP_CLIENT_PRIV_H

#include <netinet/in.h>

#include "funneld/base/str.h"

/* Addresses of both families as IPv6; IPv4 is ::ffff:a.b.c.d. */
struct network {
    struct in6_addr address;
    unsigned bits; /* 0-128 */
};

/* "10.0.0.0/8", "fd00::/8", "192.0.2.7"; false when it is none. */
bool network_parse(struct str text, struct network *ret);
bool network_has(const struct network *n, const struct in6_addr *address);

struct in6_addr address_of(const struct sockaddr *sa); /* :: where there is none */
/* Equal for equal IPv4 addresses and for all of an IPv6 /64, which one customer gets whole. */
size_t address_hash(const struct in6_addr *a);
void address_text(const struct in6_addr *a, char ret[INET6_ADDRSTRLEN]);

/* The rightmost address of `forwarded` (X-Forwarded-For) that is no trusted proxy, seen from
 * the peer; the peer itself where it is no trusted proxy. */
struct in6_addr client_address(struct in6_addr peer, struct str forwarded,
                               const struct network *trusted, size_t n_trusted);

#endif
