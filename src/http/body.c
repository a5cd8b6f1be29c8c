/* body.c - collects a request's body within its limits.
 *
 * Memory follows the bytes that really came, never an announced length; and all bodies together
 * have a ceiling, because 4096 senders may each be allowed a megabyte.
 */
#include "server_priv.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_FIRST = 1024 };
#define BODIES_MAX ((size_t)128 << 20)

static atomic_size_t bodies; /* bytes held by all requests of the process */

void body_drop(struct request *r)
{
    atomic_fetch_sub_explicit(&bodies, r->body_cap, memory_order_relaxed);
    free(r->body);
    r->body = NULL;
    r->body_len = r->body_cap = 0;
}

static bool body_grow(struct request *r, size_t need, size_t max)
{
    size_t cap = r->body_cap ? r->body_cap : BODY_FIRST;

    while (cap < need)
        cap *= 2;
    if (cap > max)
        cap = max;
    size_t more = cap - r->body_cap;
    if (atomic_fetch_add_explicit(&bodies, more, memory_order_relaxed) + more > BODIES_MAX) {
        atomic_fetch_sub_explicit(&bodies, more, memory_order_relaxed);
        return false;
    }
    r->body = mem_grow(r->body, cap, 1);
    r->body_cap = cap;
    return true;
}

void body_add(struct request *r, struct str piece, size_t max)
{
    size_t need = r->body_len + piece.len;

    if (need > max)
        r->reply = REPLY_TOO_LARGE;
    else if (need > r->body_cap && !body_grow(r, need, max))
        r->reply = REPLY_OVERLOAD;
    if (r->reply) {
        body_drop(r);
        return;
    }
    memcpy(r->body + r->body_len, piece.at, piece.len);
    r->body_len = need;
}
