/* client.c - one keep-alive connection that sends a request and waits for its answer. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool shake_hands(struct client *c, SSL_CTX *tls)
{
    if (!tls)
        return true;
    c->ssl = SSL_new(tls);
    return c->ssl && SSL_set_fd(c->ssl, c->fd) == 1 && SSL_connect(c->ssl) == 1;
}

bool client_open(struct client *c, uint16_t port, SSL_CTX *tls)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    c->ssl = NULL;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return false;
    if (connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0 || !shake_hands(c, tls))
        return false;
    return fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0;
}

void client_close(struct client *c)
{
    SSL_free(c->ssl);
    if (c->fd >= 0)
        (void)close(c->fd); /* all that mattered was read */
}

enum progress client_start(struct client *c, struct str request, int64_t now_us)
{
    c->unsent = request;
    c->began_us = now_us;
    c->got = 0;
    return client_write(c);
}

/* What a call that moved nothing means; never asks a plain socket's errno of TLS. */
static enum progress stuck(const struct client *c, int result)
{
    if (!c->ssl)
        return result < 0 && (errno == EAGAIN || errno == EINTR) ? CLIENT_WAITS : CLIENT_BROKEN;
    int error = SSL_get_error(c->ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? CLIENT_WAITS
                                                                         : CLIENT_BROKEN;
}

enum progress client_write(struct client *c)
{
    while (c->unsent.len) {
        int n = c->ssl ? SSL_write(c->ssl, c->unsent.at, (int)c->unsent.len)
                       : (int)send(c->fd, c->unsent.at, c->unsent.len, MSG_NOSIGNAL);
        if (n <= 0)
            return stuck(c, n) == CLIENT_WAITS ? CLIENT_WANTS_WRITE : CLIENT_BROKEN;
        c->unsent = str_from(c->unsent, (size_t)n);
    }
    return CLIENT_WAITS;
}

/* "HTTP/1.1 200 OK ... Content-Length: 64"; our servers write the name like this. */
static bool whole_answer(const struct client *c, int *ret_status, struct str *ret_body)
{
    const struct str all = {c->in, c->got}, name = STR("\r\nContent-Length: ");
    const char *end = str_find(all, STR("\r\n\r\n"));
    int64_t status, length;

    if (!end)
        return false;
    struct str head = {c->in, (size_t)(end - c->in) + 2};
    const char *field = str_find(head, name);
    struct str rest = field ? str_from(head, (size_t)(field - c->in) + name.len) : STR_NULL, text;
    if (head.len < 12 || !str_split(&rest, '\r', &text) || !str_int64(text, &length) ||
        !str_int64((struct str){c->in + 9, 3}, &status))
        return false;
    *ret_status = (int)status;
    *ret_body = str_from(all, head.len + 2);
    return ret_body->len == (size_t)length;
}

enum progress client_read(struct client *c, int *ret_status, struct str *ret_body)
{
    while (c->got < sizeof c->in) {
        size_t room = sizeof c->in - c->got;
        int n = c->ssl ? SSL_read(c->ssl, c->in + c->got, (int)room)
                       : (int)recv(c->fd, c->in + c->got, room, 0);
        if (n <= 0)
            return stuck(c, n);
        c->got += (size_t)n;
        if (whole_answer(c, ret_status, ret_body))
            return CLIENT_ANSWERED;
    }
    return CLIENT_BROKEN; /* longer than any answer of ours */
}
