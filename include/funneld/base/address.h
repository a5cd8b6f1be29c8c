/* base/address.h - which addresses of the Internet protocol are on the Internet. Pure. */
#ifndef FUNNELD_BASE_ADDRESS_H
#define FUNNELD_BASE_ADDRESS_H

#include <netinet/in.h>

#include "funneld/base/str.h"

/* false: this machine, its network, a service of the cloud that it runs in, or no place at all
 * (special-purpose ranges). An IPv4 address inside an IPv6 one is judged as itself. */
bool address4_is_public(struct in_addr address);
bool address6_is_public(const struct in6_addr *address);

/* An address as text, without brackets; false: it is none, in the one form that has no second. */
bool address_of_text(struct str text, struct in6_addr *ret); /* IPv4 as ::ffff:a.b.c.d */

#endif
