/* body.c - collects a request's body within its limits.
 *
 * Memory follows the bytes that really came, never an announced length; and all bodies together
 * have a ceiling, because 4096 senders may each be allowed a megabyte. A signature is judged when
 * the body is there, so a forged one costs memory until then: whoever holds more than a share of
 * it cannot take the last share, which is left for the others.
 */
#include "server_priv.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_FIRST = 1024 };
#define BODIES_MAX ((size_t)128 << 20)

#define SHARE (BODIES_MAX / 4)

/* Two clients in one slot have one share between them. */
enum { SLOTS = 1024 };

static atomic_size_t bodies; /* bytes held by all requests of the process */
static atomic_size_t held[SLOTS];

static void give_back(struct request *r, size_t bytes)
{
    if (!bytes)
        return;
    atomic_fetch_sub_explicit(&held[r->body_slot], bytes, memory_order_relaxed);
    atomic_fetch_sub_explicit(&bodies, bytes, memory_order_relaxed);
}

static bool take(struct request *r, size_t bytes)
{
    if (!r->body_cap) {
        struct in6_addr client = request_client(r);
        r->body_slot = address_hash(&client) % SLOTS;
    }
    atomic_size_t *own = &held[r->body_slot];
    size_t mine = atomic_fetch_add_explicit(own, bytes, memory_order_relaxed) + bytes;
    size_t all = atomic_fetch_add_explicit(&bodies, bytes, memory_order_relaxed) + bytes;
    if (all <= (mine > SHARE ? BODIES_MAX - SHARE : BODIES_MAX))
        return true;
    give_back(r, bytes);
    return false;
}

void body_drop(struct request *r)
{
    give_back(r, r->body_cap);
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
    if (!take(r, cap - r->body_cap))
        return false;
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
