/* deliver/curl/guard.c - a request to an address that a third party gave reaches no machine of
 * ours.
 *
 * A name may lead elsewhere each time it is looked up, so what counts is the address that is
 * connected to. curl asks for a socket for each address that it tries, but not where it uses a
 * connection again: a guarded request has one of its own, which is not kept, and is asked about
 * once more when it is connected.
 */
#include "exchange_priv.h"

#include <string.h>
#include <sys/socket.h>

#include "funneld/base/address.h"

static bool may_reach(const struct sockaddr *to)
{
    if (to->sa_family == AF_INET)
        return address4_is_public(((const struct sockaddr_in *)(const void *)to)->sin_addr);
    return to->sa_family == AF_INET6 &&
           address6_is_public(&((const struct sockaddr_in6 *)(const void *)to)->sin6_addr);
}

static curl_socket_t on_socket(void *self, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct exchange *x = self;

    (void)purpose;
    if (may_reach(&to->addr))
        return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    x->blocked = true;
    return CURL_SOCKET_BAD;
}

static int on_connected(void *self, char *remote, char *local, int remote_port, int local_port)
{
    struct exchange *x = self;
    struct in6_addr address;

    (void)local;
    (void)remote_port;
    (void)local_port;
    if (address_of_text(str_of(remote), &address) && address6_is_public(&address))
        return CURL_PREREQFUNC_OK;
    x->blocked = true;
    return CURL_PREREQFUNC_ABORT;
}

enum rc guard_set(struct exchange *x)
{
    bool ok = true;

#define SET(option, value) ok &= curl_easy_setopt(x->easy, option, value) == CURLE_OK
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(CURLOPT_OPENSOCKETDATA, x);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, x);
    SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
#undef SET
    return ok ? RC_OK : RC_IO;
}
