/* http/server.h - the two listeners: the public one for senders, the admin one for operators.
 *
 * libmicrohttpd in poll mode with a thread pool. A request is verified and decoded in its pool
 * thread, suspended, handed to the writer, resumed after the commit; the pool never waits for
 * the disk. What libmicrohttpd 0.9.75 lets through and we close: contracts/libraries.md 1.1.
 */
#ifndef FUNNELD_HTTP_SERVER_H
#define FUNNELD_HTTP_SERVER_H

#include "funneld/base/ref.h"
#include "funneld/config/option.h"
#include "funneld/connectors/connector.h"
#include "funneld/ingest/source.h"
#include "funneld/store/work.h"

struct server_settings { /* [server] */
    struct str listen, tls_cert, tls_key, public_url, hooks_token;
    struct str_list trusted_proxies;
    int64_t max_body, threads, max_connections, max_connections_per_address;
    int64_t idle_timeout_ms, header_timeout_ms, body_timeout_ms, shutdown_timeout_ms;
    bool confine; /* app/confine.h */
};
struct admin_settings { /* [admin] */
    struct str listen, token, socket;
};
extern const struct section_spec server_spec, admin_spec;

/* Cross-field checks: certificate without key, token beyond loopback, bad addresses. */
void server_check(const struct server_settings *s, const struct conf_section *section,
                  struct conf_problems *problems);
void admin_check(const struct admin_settings *s, const struct conf_section *section,
                 struct conf_problems *problems);

/* What it works by; immutable, shared by reference. */
struct sites {
    const struct server_settings *server;
    const struct admin_settings *admin;
    const struct source *sources;
    size_t n_sources;
    const struct routes *routes; /* that can be subscribed to; NULL: none */
    const struct connector *connectors;
    size_t n_connectors;
    const struct connector *crm; /* for links to the record; NULL: none */
    struct ref *owner;
};

struct http_ports {
    /* RC_BUSY: overloaded; RC_CLOSED: stopping. work->done() is called from the writer. */
    enum rc (*submit)(void *self, struct work *work);
    void *self;
    /* Before /metrics is rendered: refresh what is read on demand (queue depths). May be NULL. */
    void (*before_metrics)(void *self);
};

struct server;
/* Starts both listeners. Takes over sites->owner, but only when it returns RC_OK (reload, too). At
 * most one server with TLS per process. PORT in the environment overrides [server] listen's port.
 */
MUST_CHECK enum rc server_start(const struct sites *sites, const struct http_ports *ports,
                                struct server **ret, struct why *why);
/* New sources, limits, token and certificates; all or nothing. Listen addresses, thread and
 * connection counts stay, and so does whether there is TLS (server_tls_changes). RC_INVALID:
 * certificate and key do not match or cannot be read; nothing changed. */
MUST_CHECK enum rc server_reload(struct server *s, const struct sites *sites, struct why *why);
/* Whether the two differ in having TLS at all, which only a restart changes. */
bool server_tls_changes(const struct server_settings *a, const struct server_settings *b);
/* Closes what is past its header, body or commit deadline; call about four times a second. */
void server_tick(struct server *s, int64_t mono_ms);
/* Stops accepting, answers `Connection: close` and 503 to what is new. */
void server_drain(struct server *s);
size_t server_connections(const struct server *s); /* open on the public listener */
size_t server_suspended(const struct server *s);   /* requests that wait for their commit */
size_t server_busy(
    struct server *s); /* public requests from their first line to their answer's end */
/* Whatever still waits for its commit is answered 503. Events that the writer holds at that time
 * stay valid until their done(). NULL is fine. */
void server_stop(struct server *s);
uint16_t server_port(const struct server *s); /* as bound, for port 0 in tests */
uint16_t server_admin_port(const struct server *s);

const char *http_library(void); /* version of libmicrohttpd that runs, "0.9.75" */
const char *tls_library(void);  /* and of GnuTLS */

#endif
