/* settings.c - what [server] and [admin] can be told. */
#include "client_priv.h"
#include "funneld/base/url.h"
#include "funneld/config/conf.h"
#include "funneld/http/server.h"

#define SERVER(field) offsetof(struct server_settings, field)
#define ADMIN(field)  offsetof(struct admin_settings, field)

enum { MAX_THREADS = 64, MAX_CONNECTIONS = 1000000, SOCKET_PATH_MAX = 107 };
#define MAX_BODY (INT64_C(64) << 20)
#define HOUR_MS  (INT64_C(3600) * 1000)

static const struct option server_options[] = {
    {.key = "listen",
     .type = OPTION_ADDRESS,
     .offset = SERVER(listen),
     .fallback = "[::]:8443",
     .flags = OPTION_RESTART,
     .help = "Where senders connect: both families; IPv4 alone if the kernel has no IPv6. PORT in "
             "the environment overrides the port."},
    {.key = "tls_cert",
     .type = OPTION_TEXT,
     .offset = SERVER(tls_cert),
     .example = "/etc/funneld/tls/fullchain.pem",
     .help =
         "PEM file: certificate, then its issuers. Leave both out for plain HTTP behind a proxy."},
    {.key = "tls_key",
     .type = OPTION_TEXT,
     .offset = SERVER(tls_key),
     .example = "/etc/funneld/tls/privkey.pem",
     .help = "PEM file: the certificate's private key."},
    {.key = "public_url",
     .type = OPTION_URL,
     .offset = SERVER(public_url),
     .example = "https://hooks.example.com",
     .help = "The address that senders use and sign; required with a hubspot source."},
    {.key = "hooks_token",
     .type = OPTION_SECRET,
     .offset = SERVER(hooks_token),
     .example = "${FUNNELD_HOOKS_TOKEN}",
     .help = "Who sends it (Authorization: Bearer, or X-Api-Key) may subscribe at /hooks; required "
             "with a rest_hooks connector."},
    {.key = "trusted_proxies",
     .type = OPTION_LIST,
     .offset = SERVER(trusted_proxies),
     .example = "10.0.0.0/8",
     .help = "Networks whose X-Forwarded-For is believed; it only decides the client in the log."},
    {.key = "max_body",
     .type = OPTION_SIZE,
     .offset = SERVER(max_body),
     .fallback = "1MiB",
     .min = 1024,
     .max = MAX_BODY,
     .help = "Largest request body; larger ones are answered 413."},
    {.key = "threads",
     .type = OPTION_INT,
     .offset = SERVER(threads),
     .fallback = "2",
     .min = 1,
     .max = MAX_THREADS,
     .flags = OPTION_RESTART,
     .help = "Threads that serve senders."},
    {.key = "max_connections",
     .type = OPTION_INT,
     .offset = SERVER(max_connections),
     .fallback = "4096",
     .min = 1,
     .max = MAX_CONNECTIONS,
     .flags = OPTION_RESTART,
     .help = "Connections open at once, idle ones too; more wait in the kernel."},
    {.key = "max_connections_per_address",
     .type = OPTION_INT,
     .offset = SERVER(max_connections_per_address),
     .fallback = "0",
     .min = 0,
     .max = MAX_CONNECTIONS,
     .flags = OPTION_RESTART,
     .help = "The same for one client address; 0 is off. Useless behind a proxy."},
    {.key = "idle_timeout",
     .type = OPTION_DURATION,
     .offset = SERVER(idle_timeout_ms),
     .fallback = "75s",
     .min = 1000,
     .max = HOUR_MS,
     .help = "How long a connection is kept for its next request."},
    {.key = "header_timeout",
     .type = OPTION_DURATION,
     .offset = SERVER(header_timeout_ms),
     .fallback = "10s",
     .min = 100,
     .max = HOUR_MS,
     .help = "How long a request's headers may take, TLS handshake included."},
    {.key = "body_timeout",
     .type = OPTION_DURATION,
     .offset = SERVER(body_timeout_ms),
     .fallback = "20s",
     .min = 100,
     .max = HOUR_MS,
     .help = "How long a request's body may take, and reading the answer."},
    {.key = "shutdown_timeout",
     .type = OPTION_DURATION,
     .offset = SERVER(shutdown_timeout_ms),
     .fallback = "8s",
     .min = 100,
     .max = HOUR_MS,
     .help = "How long stopping may take before it is forced."},
    {.key = "confine",
     .type = OPTION_BOOL,
     .offset = SERVER(confine),
     .fallback = "yes",
     .flags = OPTION_RESTART,
     .help = "Gives up system calls that it has no use for, where the kernel can (seccomp)."},
};

const struct section_spec server_spec = {
    .kind = "server",
    .options = server_options,
    .n_options = ARRAY_LEN(server_options),
    .size = sizeof(struct server_settings),
    .help = "The public listener, where senders post their webhooks.",
};

static const struct option admin_options[] = {
    {.key = "listen",
     .type = OPTION_ADDRESS,
     .offset = ADMIN(listen),
     .fallback = "127.0.0.1:8444",
     .flags = OPTION_RESTART,
     .help = "Health and metrics."},
    {.key = "token",
     .type = OPTION_SECRET,
     .offset = ADMIN(token),
     .example = "${FUNNELD_ADMIN_TOKEN}",
     .help = "Authorization: Bearer TOKEN; required when listening beyond loopback."},
    {.key = "socket",
     .type = OPTION_TEXT,
     .offset = ADMIN(socket),
     .flags = OPTION_RESTART,
     .example = "/run/funneld/control.sock",
     .help = "Control socket of the commands; without it the store's path and .sock."},
};

const struct section_spec admin_spec = {
    .kind = "admin",
    .options = admin_options,
    .n_options = ARRAY_LEN(admin_options),
    .size = sizeof(struct admin_settings),
    .help = "The admin listener, for operators and monitoring.",
};

static const struct conf_entry *entry(const struct conf_section *section, const char *key)
{
    return section ? conf_find(section, key) : NULL;
}

static void check_tls(const struct server_settings *s, const struct conf_section *section,
                      struct conf_problems *problems)
{
    if (s->tls_cert.len && !s->tls_key.len)
        conf_problem(problems, section, entry(section, "tls_cert"), "set tls_key, too",
                     "tls_cert without tls_key");
    if (s->tls_key.len && !s->tls_cert.len)
        conf_problem(problems, section, entry(section, "tls_key"), "set tls_cert, too",
                     "tls_key without tls_cert");
}

void server_check(const struct server_settings *s, const struct conf_section *section,
                  struct conf_problems *problems)
{
    struct network n;

    check_tls(s, section, problems);
    for (size_t i = 0; i < s->trusted_proxies.n; i++)
        if (!network_parse(s->trusted_proxies.items[i], &n))
            conf_problem(problems, section, entry(section, "trusted_proxies"),
                         "write it as 10.0.0.0/8, fd00::/8 or 192.0.2.7", "\"%.*s\" is no network",
                         STR_ARG(s->trusted_proxies.items[i]));
}

void admin_check(const struct admin_settings *s, const struct conf_section *section,
                 struct conf_problems *problems)
{
    struct str host;
    uint16_t port;
    bool local = !host_port_parse(s->listen, &host, &port, NULL) && host_is_loopback(host);

    if (!local && !s->token.len)
        conf_problem(problems, section, entry(section, "listen"),
                     "set token, or listen on 127.0.0.1",
                     "the admin listener is reachable beyond loopback and has no token");
    if (s->socket.len > SOCKET_PATH_MAX)
        conf_problem(problems, section, entry(section, "socket"), "choose a shorter path",
                     "a socket's path may have at most %d bytes", SOCKET_PATH_MAX);
}

bool server_tls_changes(const struct server_settings *a, const struct server_settings *b)
{
    return !a->tls_cert.len != !b->tls_cert.len;
}
