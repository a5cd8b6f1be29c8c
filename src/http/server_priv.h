/* server_priv.h - the server, its two listeners, and one request on its way through them.
 *
 * A request belongs to its pool thread. While it waits for its commit the writer holds a second
 * reference; whoever drops the last one frees it, so it points at nothing that server_stop frees
 * except through `listener`, which only the HTTP side follows.
 */
#ifndef FUNNELD_HTTP_SERVER_PRIV_H
#define FUNNELD_HTTP_SERVER_PRIV_H

#include <microhttpd.h>

#include "client_priv.h"
#include "deadlines_priv.h"
#include "head_priv.h"
#include "hooks_priv.h"
#include "sites_priv.h"
#include "waiting_priv.h"

struct request;

struct listener {
    struct MHD_Daemon *daemon;
    struct server *server;
    void (*route)(struct request *);  /* headers are there: decides the reply or finds the site */
    void (*finish)(struct request *); /* body is there and no reply decided */
    struct conns conns;
    uint16_t port;
    int quiet_fd; /* the listening socket after it stopped accepting; -1 before */
};

struct server {
    struct listener public, admin;
    struct http_ports ports;
    struct waiting waiting;
    atomic_bool draining;
    _Atomic int64_t drained_us; /* when draining began */
    bool tls;
    pthread_mutex_t lock;
    struct site_set *set; /* lock */
};

struct site_set *server_sites(struct server *s); /* a reference */

/* What a request is answered. */
enum reply {
    REPLY_NONE, /* not decided yet */
    REPLY_ACCEPTED,
    REPLY_CONTENT, /* health, metrics: status, media_type, content */
    REPLY_MALFORMED,
    REPLY_FRAMING,
    REPLY_SIGNATURE,
    REPLY_TIMESTAMP,
    REPLY_JSON,
    REPLY_TOKEN,
    REPLY_HOOKS_TOKEN,
    REPLY_HOOK, /* what is wrong with what /hooks was sent stands in detail */
    REPLY_FULL,
    REPLY_NOT_FOUND,
    REPLY_METHOD,
    REPLY_LENGTH,
    REPLY_TOO_LARGE,
    REPLY_MEDIA_TYPE,
    REPLY_OVERLOAD,
    REPLY_DISK,
    REPLY_SHUTDOWN,
    REPLY_DEADLINE,
    REPLY_COUNT
};

enum { REQUEST_ID = 26 };

enum step { STEP_HEADERS, STEP_BODY, STEP_WAITING, STEP_ANSWERED };

struct request {
    union { /* first: the work that the writer sees is the request */
        struct intake intake;
        struct command command; /* of /hooks */
    };
    atomic_int refs;
    struct wait wait;
    struct listener *listener;
    struct MHD_Connection *connection;
    struct conn *conn;
    struct site_set *set;
    struct arena arena; /* target, events */
    char id[REQUEST_ID + 1];
    enum step step;
    struct str target, path, method;
    struct head head;
    int64_t started_us;
    const struct site *site;            /* NULL: of no source */
    struct hook *hook;                  /* NULL: it asks nothing of the store but to take events */
    void (*conclude)(struct request *); /* after the commit, in place of REPLY_ACCEPTED; or NULL */
    char *body;
    size_t body_len, body_cap;
    size_t body_slot; /* whose share of the memory for bodies it counts towards */
    size_t received;  /* body bytes, kept or not */

    enum reply reply;
    struct str detail; /* in the place of the reply's own sentence; for the sender, too */
    struct why why;    /* for the log only */
    const char *allow; /* for REPLY_METHOD */
    int status;        /* for REPLY_CONTENT */
    const char *media_type;
    struct sbuf content;
    bool closes; /* the connection ends with the answer */
};

/* request.c: called by the listener, in the connection's thread */
struct request *request_new(struct listener *l, struct MHD_Connection *connection,
                            const char *target);
void request_release(struct request *r);
enum MHD_Result request_step(struct request *r, const char *method, const char *version,
                             const char *data, size_t *size);
bool request_is(const struct request *r, const char *method);
/* A request header by name; *ret_count: how often it was sent. The first one's value. */
struct str request_header(const void *request, const char *name, size_t *ret_count);
struct in6_addr request_client(const struct request *r);
void request_id_new(char ret[REQUEST_ID + 1]);

/* body.c */
void body_add(struct request *r, struct str piece, size_t max);
void body_drop(struct request *r);

/* answer.c */
enum MHD_Result answer(struct request *r);
void answer_content(struct request *r, int status, const char *media_type);
enum reply reply_of_rc(enum rc rc);
enum reply reply_of_refusal(enum refusal refusal);

/* webhook.c, admin.c: what the listeners do */
enum reply judge_head(const struct request *r); /* what HTTP alone can say about a POST */
void webhook_route(struct request *r);
void webhook_finish(struct request *r);
void admin_route(struct request *r);

/* listener.c */
struct listener_options {
    struct str address;
    int64_t port; /* -1: the one in the address */
    int64_t threads, max_connections, max_per_address;
    bool tls;
};
MUST_CHECK enum rc listener_start(struct listener *l, const struct listener_options *o,
                                  struct why *why);
void listener_limits(struct listener *l, const struct server_settings *s);
void listener_quiet(struct listener *l); /* stops accepting */
void listener_stop(struct listener *l);

/* socket.c: bound and listening; an empty host or [::] means both families where there are two */
MUST_CHECK enum rc socket_listen(struct str address, int64_t port, int *ret_fd, uint16_t *ret_port,
                                 struct why *why);

#endif
