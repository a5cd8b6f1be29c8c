/* client.h - one keep-alive connection that sends a request and waits for its answer. */
#ifndef FUNNELD_BENCH_CLIENT_H
#define FUNNELD_BENCH_CLIENT_H

#include <openssl/ssl.h>
#include <stdint.h>

#include "funneld/base/str.h"

enum progress { CLIENT_WAITS, CLIENT_WANTS_WRITE, CLIENT_ANSWERED, CLIENT_BROKEN };

struct client {
    int fd;
    SSL *ssl; /* NULL: plain */
    struct str unsent;
    int64_t began_us;
    size_t got;
    char in[4096]; /* an answer is a few hundred bytes */
};

/* Connected to 127.0.0.1, hands shaken, not blocking from then on. */
bool client_open(struct client *c, uint16_t port, SSL_CTX *tls);
void client_close(struct client *c);

/* Until CLIENT_ANSWERED `request` must stay; *ret_status and *ret_body are valid until the next
 * start. */
enum progress client_start(struct client *c, struct str request, int64_t now_us);
enum progress client_write(struct client *c);
enum progress client_read(struct client *c, int *ret_status, struct str *ret_body);

#endif
