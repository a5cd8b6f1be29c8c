/* limit_http.c - the bare answer of libmicrohttpd, and a server of it for the other limits. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "funneld/base/rc.h"
#include "limits.h"

enum { THREADS = 2, CONNECTIONS = 4096, MEMORY = 32 * 1024 };

static char answer[] = "{\"accepted\":1,\"duplicates\":0,\"unprocessable\":0,"
                       "\"request_id\":\"01234567-89ab-4cde-8f01-23456789abcd\"}";

struct MHD_Response *web_answer(void)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(sizeof answer - 1, answer, MHD_RESPMEM_PERSISTENT);

    need(r && MHD_add_response_header(r, "Content-Type", "application/json"), "making the answer");
    return r;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request)
{
    static char begun;

    (void)url, (void)method, (void)version, (void)data;
    if (!*request) {
        *request = &begun;
        return MHD_YES;
    }
    if (*size) {
        *size = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

static struct MHD_Daemon *start(const struct web *w, char *certificate, char *key)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (char[]){"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"}},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, key},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME |
                     (certificate ? MHD_USE_TLS : 0u);
    unsigned pool = w->threads > 1 ? w->threads : 0; /* a pool of one is no pool */

    /* clang-format off */
    return MHD_start_daemon(flags, 0, NULL, NULL, w->handle, w->self,
                            MHD_OPTION_SOCK_ADDR, &at,
                            MHD_OPTION_THREAD_POOL_SIZE, pool,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
                            MHD_OPTION_NOTIFY_COMPLETED, w->completed, w->self,
                            MHD_OPTION_ARRAY, certificate ? tls : &tls[ARRAY_LEN(tls) - 1],
                            MHD_OPTION_END);
    /* clang-format on */
}

void web_serve(const struct web *w, void (*end)(void *self))
{
    size_t len;
    char *certificate = w->certificate ? text_of_file(w->certificate, &len) : NULL;
    char *key = w->key ? text_of_file(w->key, &len) : NULL;
    sigset_t stop;
    int caught;

    need(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0, "prctl");
    need(sigemptyset(&stop) == 0 && sigaddset(&stop, SIGTERM) == 0 &&
             pthread_sigmask(SIG_BLOCK, &stop, NULL) == 0,
         "blocking signals");
    struct MHD_Daemon *d = start(w, certificate, key);
    need(d != NULL, "starting libmicrohttpd");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
    need(info && printf("listening on %u\n", info->port) > 0 && fflush(stdout) == 0, "listening");
    need(sigwait(&stop, &caught) == 0, "waiting");
    end(w->self);
    MHD_stop_daemon(d);
    free(certificate);
    free(key);
}

static void nothing(void *self)
{
    (void)self;
}

void bare_http(const char *certificate, const char *key)
{
    struct MHD_Response *response = web_answer();

    web_serve(&(struct web){.handle = handle,
                            .self = response,
                            .threads = THREADS,
                            .certificate = certificate,
                            .key = key},
              nothing);
    MHD_destroy_response(response);
}
