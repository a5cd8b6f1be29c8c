/* socket.c - a listening socket for both address families where the machine has both. */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "funneld/base/url.h"
#include "server_priv.h"

static bool bind_and_listen(int fd, const struct addrinfo *a)
{
    int on = 1, off = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
        return false;
    if (a->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
        return false;
    return !bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, SOMAXCONN);
}

/* -1 and errno where it fails. */
static int listen_at(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

    if (fd < 0 || bind_and_listen(fd, a))
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static int listen_host(const char *host, const char *port, const char **ret_error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int fd = -1, bad = getaddrinfo(host, port, &hints, &found);

    *ret_error = bad ? gai_strerror(bad) : NULL;
    for (struct addrinfo *a = bad ? NULL : found; a && fd < 0; a = a->ai_next) {
        fd = listen_at(a);
        if (fd < 0)
            *ret_error = strerrordesc_np(errno);
    }
    if (found)
        freeaddrinfo(found);
    return fd;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound = {.v6 = {0}};
    socklen_t len = sizeof(bound);

    if (getsockname(fd, &bound.any, &len))
        return 0;
    return ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
}

enum rc socket_listen(struct str address, int64_t port, int *ret_fd, uint16_t *ret_port,
                      struct why *why)
{
    struct str host;
    uint16_t written;
    const char *error = NULL;
    enum rc rc = host_port_parse(address, &host, &written, why);

    if (rc)
        return why_wrap(rc, why, "listen = %.*s", STR_ARG(address));
    bool any = !host.len || str_is(host, "::");
    struct arena a AUTO(arena_free) = {0};
    struct str service = arena_printf(&a, "%d", port >= 0 ? (int)port : (int)written);
    int fd = listen_host(any ? "::" : arena_text(&a, host), service.at, &error);
    if (fd < 0 && any) /* a kernel without IPv6 */
        fd = listen_host("0.0.0.0", service.at, &error);
    if (fd < 0)
        return why_fail(RC_IO, why, "cannot listen on %.*s (port %.*s): %s", STR_ARG(address),
                        STR_ARG(service), error ? error : "no such address");
    *ret_fd = fd;
    *ret_port = port_of(fd);
    return RC_OK;
}
