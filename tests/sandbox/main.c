/* tests/sandbox/main.c - the listener of the sandbox and its command line. */
#include "sandbox.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "funneld/base/clock.h"

enum { BODY_MAX = 16 << 20, FIELDS_MAX = 128, DELAY_STEP_MS = 20 };

struct options {
    uint16_t port;
    const char *tls_cert, *tls_key;
};

struct context { /* of one request */
    struct arena arena;
    struct sbuf body;
    bool started;
    struct field headers[FIELDS_MAX], query[FIELDS_MAX];
    size_t n_headers, n_query;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool stopping;

/* Leaves the URL as it was sent: a range with %2F must stay one segment. */
static size_t keep_escapes(void *cls, struct MHD_Connection *c, char *s)
{
    (void)cls;
    (void)c;
    return strlen(s);
}

static void *context_new(void *cls, const char *uri, struct MHD_Connection *c)
{
    struct context *x = mem_alloc(sizeof(*x));

    (void)cls;
    (void)uri;
    (void)c;
    x->body = (struct sbuf)SBUF(BODY_MAX);
    return x;
}

static void context_end(void *cls, struct MHD_Connection *c, void **con_cls,
                        enum MHD_RequestTerminationCode code)
{
    struct context *x = *con_cls;

    (void)cls;
    (void)c;
    (void)code;
    if (!x)
        return;
    sbuf_free(&x->body);
    arena_free(&x->arena);
    free(x);
    *con_cls = NULL;
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct context *x = cls;

    (void)kind;
    if (x->n_headers < FIELDS_MAX)
        x->headers[x->n_headers++] = (struct field){str_of(name), str_of(value ? value : "")};
    return MHD_YES;
}

/* '+' has become a blank by now, as in a form. */
static enum MHD_Result take_query(void *cls, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct context *x = cls;

    (void)kind;
    if (x->n_query < FIELDS_MAX)
        x->query[x->n_query++] =
            (struct field){percent_decode(str_of(name), false, &x->arena),
                           percent_decode(str_of(value ? value : ""), false, &x->arena)};
    return MHD_YES;
}

static void pause_ms(int64_t ms)
{
    struct timespec step = {.tv_nsec = DELAY_STEP_MS * 1000000L};

    for (int64_t waited = 0; waited < ms && !atomic_load(&stopping); waited += DELAY_STEP_MS)
        (void)nanosleep(&step, NULL);
}

static const struct service *service_of(struct str path)
{
    for (size_t i = 0; i < n_services; i++)
        if (services[i]->owns(path))
            return services[i];
    return NULL;
}

static void spoil(const struct service *s, const struct fault *f, struct answer *ret)
{
    if (f->mode == FAULT_GARBAGE) {
        answer_text(ret, 200, "<html><body>garbage</body></html>");
        return;
    }
    if (f->mode != FAULT_STATUS && f->mode != FAULT_PROCESSED_STATUS)
        return;
    s->fail((int)f->status, ret);
    if (f->body.at) {
        sbuf_reset(&ret->body);
        sbuf_add(&ret->body, f->body);
    }
    ret->status = (int)f->status;
    if (f->retry_after.len)
        answer_header(ret, "Retry-After", f->retry_after);
}

/* false: the connection is to be cut. */
static bool serve(const struct call *c, struct answer *ret)
{
    const struct service *s = service_of(c->path);
    struct fault fault = {.mode = FAULT_NONE};

    (void)pthread_mutex_lock(&lock);
    if (str_starts(c->path, STR("/_sandbox/"))) {
        control_handle(c, ret);
    } else if (!s) {
        answer_text(ret, 404, "no service of the sandbox has this path\n");
    } else {
        control_count(c);
        fault = fault_take(s, c);
        if (fault.mode != FAULT_DROP && fault.mode != FAULT_STATUS)
            s->handle(c, ret);
        fault.retry_after = arena_str(c->arena, fault.retry_after); /* a reset may come */
        spoil(s, &fault, ret);
    }
    (void)pthread_mutex_unlock(&lock);
    pause_ms(fault.delay_ms);
    return fault.mode != FAULT_DROP && fault.mode != FAULT_PROCESSED_NO_ANSWER;
}

static enum MHD_Result send_answer(struct MHD_Connection *conn, const struct answer *r,
                                   struct arena *a)
{
    struct str body = sbuf_str(&r->body);
    struct MHD_Response *response;
    enum MHD_Result sent;

    /* MHD copies, and does not change, what MUST_COPY points to. */
    response =
        MHD_create_response_from_buffer(body.len, body.len ? r->body.at : mem_text(STR("")),
                                        body.len ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_MUST_FREE);
    if (!response)
        return MHD_NO;
    if (r->content_type)
        (void)MHD_add_response_header(response, "Content-Type", r->content_type);
    for (size_t i = 0; i < r->n_headers; i++)
        (void)MHD_add_response_header(response, arena_text(a, r->headers[i].name),
                                      arena_text(a, r->headers[i].value));
    sent = MHD_queue_response(conn, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return sent;
}

static enum MHD_Result answer_request(struct MHD_Connection *conn, const char *url,
                                      const char *method, struct context *x)
{
    struct answer r = {.status = 500, .body = SBUF(ANSWER_MAX)};
    struct call c;
    enum MHD_Result result = MHD_NO;

    (void)MHD_get_connection_values(conn, MHD_HEADER_KIND, take_header, x);
    (void)MHD_get_connection_values(conn, MHD_GET_ARGUMENT_KIND, take_query, x);
    c = (struct call){
        .method = str_of(method),
        .path = str_of(url),
        .headers = x->headers,
        .n_headers = x->n_headers,
        .query = x->query,
        .n_query = x->n_query,
        .body = sbuf_str(&x->body),
        .arena = &x->arena,
        .now_ms = clock_now_ms(),
    };
    if (serve(&c, &r))
        result = send_answer(conn, &r, &x->arena);
    sbuf_free(&r.body);
    return result;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **con_cls)
{
    struct context *x = *con_cls;

    (void)cls;
    (void)version;
    if (!x)
        return MHD_NO;
    if (!x->started) {
        x->started = true;
        return MHD_YES;
    }
    if (*size) {
        sbuf_add(&x->body, (struct str){data, *size});
        *size = 0;
        return x->body.failed ? MHD_NO : MHD_YES;
    }
    return answer_request(conn, url, method, x);
}

static char *read_file(const char *path)
{
    struct sbuf b = SBUF(1 << 20);
    FILE *file = fopen(path, "r");
    char part[4096];
    size_t n;

    if (!file) {
        perror(path);
        return NULL;
    }
    while ((n = fread(part, 1, sizeof(part), file)) > 0)
        sbuf_add(&b, (struct str){part, n});
    if (ferror(file) || fclose(file) || b.failed) {
        sbuf_free(&b);
        return NULL;
    }
    return b.at;
}

static struct MHD_Daemon *start(const struct options *o)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(o->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ERROR_LOG;
    char *cert = NULL, *key = NULL;
    struct MHD_Daemon *daemon;

    if (o->tls_cert && (!(cert = read_file(o->tls_cert)) || !(key = read_file(o->tls_key)))) {
        free(cert);
        return NULL;
    }
    struct MHD_OptionItem tls[] = {
        {cert ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, cert},
        {cert ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, key},
        {MHD_OPTION_END, 0, NULL},
    };
    daemon = MHD_start_daemon(
        flags | (cert ? MHD_USE_TLS : 0), o->port, NULL, NULL, on_request, NULL,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_URI_LOG_CALLBACK, context_new,
        NULL, MHD_OPTION_NOTIFY_COMPLETED, context_end, NULL, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT, 512u, MHD_OPTION_CONNECTION_TIMEOUT, 300u,
        MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    free(cert);
    free(key);
    return daemon;
}

static int run(const struct options *o)
{
    struct MHD_Daemon *daemon;
    const union MHD_DaemonInfo *info;
    sigset_t signals;
    int got;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < n_services; i++)
        services[i]->reset();
    daemon = start(o);
    info = daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info) {
        (void)fprintf(stderr, "sandbox: cannot listen on port %u\n", o->port);
        return 1;
    }
    if (printf("listening on %u\n", info->port) < 0 || fflush(stdout))
        return 1;
    (void)sigwait(&signals, &got);
    atomic_store(&stopping, true);
    MHD_stop_daemon(daemon);
    return 0;
}

static int usage(void)
{
    (void)fputs("sandbox [--port N] [--credentials FILE] [--tls-cert FILE --tls-key FILE]\n"
                "sandbox --make-credentials FILE\n"
                "Slack: xoxb-sandbox, channel C0123456789, webhook "
                "/services/T00000000/B00000000/sandbox\n"
                "       xoxb-narrow and xoxb-reader lack scopes\n"
                "Notion: ntn_sandbox, database 668d797c76fa49349b05ad288df2d136\n"
                "Google: spreadsheet 1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms, tab Leads\n"
                "HubSpot: pat-sandbox; pat-reader and pat-writer lack scopes\n"
                "Webhooks: /hooks/catch/1234567/sandbox/, /hooks/standard/1234567/NAME/,\n"
                "/in/open, /in/signed by whsec_wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM=\n",
                stderr);
    return 2;
}

static bool take_option(struct options *o, const char *name, const char *value)
{
    int64_t port;

    if (strcmp(name, "--port") == 0) {
        if (!str_int64(str_of(value), &port) || port < 0 || port > 65535)
            return false;
        o->port = (uint16_t)port;
        return true;
    }
    if (strcmp(name, "--credentials") == 0)
        return google_credentials_load(value);
    if (strcmp(name, "--tls-cert") == 0)
        o->tls_cert = value;
    else if (strcmp(name, "--tls-key") == 0)
        o->tls_key = value;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {0};

    if (argc == 3 && strcmp(argv[1], "--make-credentials") == 0)
        return google_credentials_make(argv[2]) ? 0 : 1;
    for (int i = 1; i < argc; i += 2)
        if (i + 1 >= argc || !take_option(&o, argv[i], argv[i + 1]))
            return usage();
    if (!o.tls_cert != !o.tls_key)
        return usage();
    return run(&o);
}
