/* request.c - one request from its headers to its answer. */
#include "server_priv.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"

/* A chunked body over the limit is read and thrown away up to this many times the limit, so
 * that its sender can be told; beyond that the connection is closed without a word. */
enum { SWALLOW = 4 };

enum { ID_RANDOM = 16, ID_COUNTED = REQUEST_ID - ID_RANDOM };

static struct {
    pthread_once_t once;
    char prefix[ID_RANDOM];
    uint64_t factor;
    atomic_uint_fast64_t next;
} ids = {.once = PTHREAD_ONCE_INIT};

static const char base32[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford */

static void ids_init(void)
{
    uint8_t random[ID_RANDOM];

    random_bytes(random, sizeof(random));
    for (size_t i = 0; i < ID_RANDOM; i++)
        ids.prefix[i] = base32[random[i] % 32];
    random_bytes(&ids.factor, sizeof(ids.factor));
    ids.factor |= 1; /* odd: the product runs through every value before it repeats one */
}

void request_id_new(char ret[REQUEST_ID + 1])
{
    (void)pthread_once(&ids.once, ids_init); /* cannot fail with a valid once */
    uint64_t n = atomic_fetch_add_explicit(&ids.next, 1, memory_order_relaxed) * ids.factor;
    memcpy(ret, ids.prefix, ID_RANDOM);
    for (size_t i = 0; i < ID_COUNTED; i++, n >>= 5)
        ret[ID_RANDOM + i] = base32[n % 32];
    ret[REQUEST_ID] = '\0';
}

static struct conn *conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info->socket_context;
}

struct request *request_new(struct listener *l, struct MHD_Connection *connection,
                            const char *target)
{
    struct request *r = mem_alloc(sizeof(*r));

    atomic_init(&r->refs, 1);
    r->listener = l;
    r->connection = connection;
    r->conn = conn_of(connection);
    r->set = server_sites(l->server);
    r->target = arena_str(&r->arena, str_of(target));
    request_id_new(r->id);
    r->content.max = (size_t)64 << 20;
    conn_enter(&l->conns, r->conn, PHASE_HEADERS, clock_mono_us());
    return r;
}

void request_release(struct request *r)
{
    if (atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
        return;
    body_drop(r);
    hook_free(r->hook);
    sbuf_free(&r->content);
    arena_free(&r->arena);
    site_set_drop(r->set);
    free(r);
}

bool request_is(const struct request *r, const char *method)
{
    return str_is(r->method, method);
}

struct header_search {
    struct str name, value;
    size_t n;
};

static enum MHD_Result header_match(void *cls, enum MHD_ValueKind kind, const char *key,
                                    size_t key_size, const char *text, size_t text_size)
{
    struct header_search *search = cls;

    (void)kind;
    if (str_ieq((struct str){key, key_size}, search->name) && !search->n++)
        search->value = (struct str){text ? text : "", text ? text_size : 0};
    return MHD_YES;
}

struct str request_header(const void *request, const char *name, size_t *ret_count)
{
    const struct request *r = request;
    struct header_search search = {.name = str_of(name)};

    (void)MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, header_match, &search);
    *ret_count = search.n;
    return search.value;
}

/* Several lines of one header are one list, in the order in which they came. */
static enum MHD_Result join_forwarded(void *cls, enum MHD_ValueKind kind, const char *key,
                                      const char *text)
{
    struct sbuf *b = cls;

    (void)kind;
    if (str_ieq(str_of(key), STR("X-Forwarded-For"))) {
        if (b->len)
            sbuf_char(b, ',');
        sbuf_text(b, text ? text : "");
    }
    return MHD_YES;
}

struct in6_addr request_client(const struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct sbuf forwarded AUTO(sbuf_free) = SBUF(16 * 1024);

    if (r->set->n_trusted)
        (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, join_forwarded, &forwarded);
    return client_address(address_of(info ? info->client_addr : NULL), sbuf_str(&forwarded),
                          r->set->trusted, r->set->n_trusted);
}

static size_t max_body(const struct request *r)
{
    return (size_t)r->set->sites.server->max_body;
}

/* Whether the answer cannot wait for the body: its length is not to be trusted or too much, the
 * sender has not shown that it may send one, or asks before it does. */
static bool answers_at_once(const struct request *r)
{
    if (!head_has_body(&r->head))
        return false;
    return r->reply == REPLY_MALFORMED || r->reply == REPLY_FRAMING ||
           r->reply == REPLY_SIGNATURE || r->reply == REPLY_TIMESTAMP ||
           r->reply == REPLY_HOOKS_TOKEN || r->head.expect.n ||
           (r->head.has_length && (uint64_t)r->head.bytes > max_body(r));
}

static void close_holes(struct request *r, const char *version)
{
    const char *detail = NULL;
    enum hole hole = head_hole(&r->head, r->target, str_of(version), &detail);

    if (hole == HOLE_NONE)
        return;
    r->reply = hole == HOLE_FRAMING ? REPLY_FRAMING : REPLY_MALFORMED;
    r->detail = str_of(detail);
    r->closes = true;
}

static enum MHD_Result first_call(struct request *r, const char *method, const char *version)
{
    r->started_us = clock_mono_us();
    r->step = STEP_BODY;
    r->method = str_of(method);
    r->path = r->target;
    const char *query = str_chr(r->target, '?');
    if (query)
        r->path.len = (size_t)(query - r->target.at);
    conn_enter(&r->listener->conns, r->conn, PHASE_BODY, r->started_us);
    head_read(r->connection, method, r->target, version, &r->head);
    close_holes(r, version);
    r->listener->route(r);
    if (!r->reply || !answers_at_once(r))
        return MHD_YES;
    r->closes = true;
    r->conn->lingers = true;
    return answer(r);
}

static enum MHD_Result body_call(struct request *r, const char *data, size_t *size)
{
    struct str piece = {data, *size};

    *size = 0; /* all of it is consumed */
    r->received += piece.len;
    if (r->received > SWALLOW * max_body(r))
        return MHD_NO;
    if (!r->reply)
        body_add(r, piece, max_body(r));
    return MHD_YES;
}

static enum MHD_Result last_call(struct request *r)
{
    if (!r->reply)
        r->listener->finish(r);
    if (r->step == STEP_WAITING) /* from here on the writer may set the reply at any time */
        return MHD_YES;
    return answer(r);
}

enum MHD_Result request_step(struct request *r, const char *method, const char *version,
                             const char *data, size_t *size)
{
    switch (r->step) {
    case STEP_HEADERS:
        return first_call(r, method, version);
    case STEP_BODY:
        return *size ? body_call(r, data, size) : last_call(r);
    case STEP_WAITING:
        if (r->reply == REPLY_ACCEPTED && r->conclude)
            r->conclude(r);
        return answer(r);
    case STEP_ANSWERED:
        break;
    }
    return MHD_NO;
}
