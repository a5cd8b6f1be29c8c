/* server.c - both listeners together: start, reload, tick, drain, stop. */
#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "funneld/base/clock.h"
#include "funneld/base/url.h"
#include "funneld/observe/log.h"
#include "server_priv.h"
#include "tls_priv.h"

enum { ADMIN_CONNECTIONS = 64, IDLE_WHILE_DRAINING_US = 1000 * 1000 };

struct site_set *server_sites(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    struct site_set *set = s->set;
    ref_take(&set->ref);
    pthread_mutex_unlock(&s->lock);
    return set;
}

static void swap_sites(struct server *s, struct site_set *set)
{
    listener_limits(&s->public, set->sites.server);
    listener_limits(&s->admin, set->sites.server);
    pthread_mutex_lock(&s->lock);
    struct site_set *before = s->set;
    s->set = set;
    pthread_mutex_unlock(&s->lock);
    site_set_drop(before);
}

/* Platforms such as Railway say in PORT where they connect to. */
static enum rc port_of_environment(int64_t *ret, struct why *why)
{
    const char *text = getenv("PORT");
    int64_t port = -1;

    if (text && (!str_int64(str_of(text), &port) || port < 0 || port > 65535))
        return why_fail(RC_INVALID, why, "PORT = \"%s\" in the environment is no port", text);
    *ret = port;
    return RC_OK;
}

static struct server *server_new(const struct http_ports *ports)
{
    struct server *s = mem_alloc(sizeof(*s));
    int bad = pthread_mutex_init(&s->lock, NULL);

    assert(!bad);
    s->ports = *ports;
    waiting_init(&s->waiting);
    s->public.server = s->admin.server = s;
    s->public.route = webhook_route;
    s->public.finish = webhook_finish;
    s->admin.route = admin_route; /* decides all: nothing is left to finish */
    s->public.quiet_fd = s->admin.quiet_fd = -1;
    conns_init(&s->public.conns);
    conns_init(&s->admin.conns);
    return s;
}

static enum rc start_listeners(struct server *s, const struct sites *sites, struct why *why)
{
    const struct server_settings *o = sites->server;
    int64_t port = -1;
    enum rc rc = port_of_environment(&port, why);

    if (rc)
        return rc;
    rc = listener_start(&s->admin,
                        &(struct listener_options){.address = sites->admin->listen,
                                                   .port = -1,
                                                   .threads = 1,
                                                   .max_connections = ADMIN_CONNECTIONS},
                        why);
    if (rc)
        return why_wrap(rc, why, "[admin]");
    rc =
        listener_start(&s->public,
                       &(struct listener_options){.address = o->listen,
                                                  .port = port,
                                                  .threads = o->threads,
                                                  .max_connections = o->max_connections,
                                                  .max_per_address = o->max_connections_per_address,
                                                  .tls = s->tls},
                       why);
    return rc ? why_wrap(rc, why, "[server]") : RC_OK;
}

enum rc server_start(const struct sites *sites, const struct http_ports *ports, struct server **ret,
                     struct why *why)
{
    struct site_set *set;
    struct tls_pair *pair = NULL;
    enum rc rc = site_set_new(sites, &set, why);

    if (rc)
        return rc;
    if (sites->server->tls_cert.len)
        rc = tls_load(sites->server->tls_cert, sites->server->tls_key, &pair, why);
    if (rc) {
        site_set_drop(set);
        return rc;
    }
    struct server *s = server_new(ports);
    s->tls = pair != NULL;
    if (pair)
        tls_swap(pair);
    swap_sites(s, set);
    rc = start_listeners(s, sites, why);
    if (rc) {
        server_stop(s);
        return rc;
    }
    ref_drop(sites->owner); /* taken over: the set has its own */
    *ret = s;
    return RC_OK;
}

enum rc server_reload(struct server *s, const struct sites *sites, struct why *why)
{
    struct site_set *set;
    struct tls_pair *pair = NULL;
    enum rc rc = site_set_new(sites, &set, why);

    if (rc)
        return rc;
    if (s->tls && sites->server->tls_cert.len)
        rc = tls_load(sites->server->tls_cert, sites->server->tls_key, &pair, why);
    if (rc) {
        site_set_drop(set);
        return RC_INVALID;
    }
    if (pair)
        tls_swap(pair);
    swap_sites(s, set);
    ref_drop(sites->owner);
    return RC_OK;
}

void server_tick(struct server *s, int64_t mono_ms)
{
    int64_t now_us = mono_ms * 1000;
    bool gone =
        atomic_load(&s->draining) && now_us - atomic_load(&s->drained_us) >= IDLE_WHILE_DRAINING_US;

    waiting_expire(&s->waiting, now_us);
    conns_cut(&s->public.conns, gone ? CUT_LATE_AND_IDLE : CUT_LATE, now_us);
    conns_cut(&s->admin.conns, CUT_LATE, now_us);
}

void server_drain(struct server *s)
{
    if (atomic_exchange(&s->draining, true))
        return;
    atomic_store(&s->drained_us, clock_mono_us());
    listener_quiet(&s->public);
}

size_t server_connections(const struct server *s)
{
    return atomic_load(&s->public.conns.n);
}

size_t server_suspended(const struct server *s)
{
    return atomic_load(&s->waiting.n);
}

size_t server_busy(struct server *s)
{
    return conns_busy(&s->public.conns);
}

/* libmicrohttpd aborts when it is stopped with a suspended connection. Whatever still waits is
 * answered 503; a wait that the writer is just ending lasts a few more instructions. */
static void end_waits(struct server *s)
{
    const struct timespec moment = {.tv_nsec = 1000 * 1000};

    waiting_close(&s->waiting);
    while (atomic_load(&s->waiting.n)) {
        waiting_expire(&s->waiting, INT64_MAX);
        (void)nanosleep(&moment, NULL); /* shorter is fine */
    }
}

void server_stop(struct server *s)
{
    if (!s)
        return;
    atomic_store(&s->draining, true);
    end_waits(s);
    listener_stop(&s->public);
    listener_stop(&s->admin);
    conns_end(&s->public.conns);
    conns_end(&s->admin.conns);
    waiting_end(&s->waiting);
    if (s->tls)
        tls_end();
    site_set_drop(s->set);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

uint16_t server_port(const struct server *s)
{
    return s->public.port;
}

uint16_t server_admin_port(const struct server *s)
{
    return s->admin.port;
}
