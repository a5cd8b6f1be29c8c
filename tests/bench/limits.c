/* limits.c - what the machine and the libraries give when nothing but the bare work is done.
 *
 *     limits http [CERTIFICATE KEY]     libmicrohttpd answering every POST alike, until SIGTERM
 *     limits loop FILE GROUP EVENTS     HMAC, JSON, SQLite's group commit of event and queue row
 *
 * The bounds against which bench.py holds the daemon: same poll mode, pool, TLS priorities,
 * pragmas and checkpoint size as there.
 */
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"
#include "funneld/base/rc.h"
#include "pool.h"

enum { THREADS = 2, CONNECTIONS = 4096, MEMORY = 32 * 1024, CHECKPOINT_PAGES = 4096 };

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "limits: %s failed\n", what);
    exit(1);
}

/* The bare answer */

static char answer[] = "{\"accepted\":1,\"duplicates\":0,\"unprocessable\":0,"
                       "\"request_id\":\"01234567-89ab-4cde-8f01-23456789abcd\"}";

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

static char *text_of_file(const char *path)
{
    static const size_t max = 64 * 1024;
    char *text = mem_alloc(max);
    FILE *f = fopen(path, "re");

    need(f != NULL, path);
    need(fread(text, 1, max - 1, f) > 0, path);
    need(fclose(f) == 0, path);
    return text;
}

static void bare_http(const char *certificate, const char *key)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char *cert_text = certificate ? text_of_file(certificate) : NULL;
    char *key_text = key ? text_of_file(key) : NULL;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (char[]){"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"}},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, cert_text},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, key_text},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof answer - 1, answer, MHD_RESPMEM_PERSISTENT);
    sigset_t stop;
    int caught;

    need(response && MHD_add_response_header(response, "Content-Type", "application/json"),
         "making the answer");
    need(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0, "prctl");
    need(sigemptyset(&stop) == 0 && sigaddset(&stop, SIGTERM) == 0 &&
             pthread_sigmask(SIG_BLOCK, &stop, NULL) == 0,
         "blocking signals");
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | (certificate ? MHD_USE_TLS : 0u), 0, NULL,
        NULL, handle, response, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_ARRAY,
        certificate ? tls : &tls[ARRAY_LEN(tls) - 1], MHD_OPTION_END);
    need(d != NULL, "starting libmicrohttpd");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
    need(info && printf("listening on %u\n", info->port) > 0 && fflush(stdout) == 0, "listening");
    need(sigwait(&stop, &caught) == 0, "waiting");
    MHD_stop_daemon(d);
    MHD_destroy_response(response);
    free(cert_text);
    free(key_text);
}

/* The bare durable loop */

enum { SQL_BEGIN, SQL_COMMIT, SQL_EVENT, SQL_QUEUE, SQL_COUNT };

static const char *const sql[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_EVENT] = "INSERT INTO event (id, occurred_at, body) VALUES (?1, ?2, ?3)",
    [SQL_QUEUE] = "INSERT INTO delivery (id, event, due_at, state) VALUES (?1, ?1, ?2, 0)",
};

struct loop {
    sqlite3 *db;
    sqlite3_stmt *stmts[SQL_COUNT];
};

static void open_loop(struct loop *l, const char *path)
{
    char pragma[64];
    int n = snprintf(pragma, sizeof pragma, "PRAGMA wal_autocheckpoint = %d", CHECKPOINT_PAGES);

    need(n > 0 && n < (int)sizeof pragma, "a pragma");
    need(sqlite3_open(path, &l->db) == SQLITE_OK, path);
    need(sqlite3_exec(l->db,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size ="
                      " -16000;"
                      "CREATE TABLE event (id INTEGER PRIMARY KEY, occurred_at INTEGER NOT NULL,"
                      " body TEXT NOT NULL) STRICT;"
                      "CREATE TABLE delivery (id INTEGER PRIMARY KEY, event INTEGER NOT NULL,"
                      " due_at INTEGER NOT NULL, state INTEGER NOT NULL) STRICT",
                      NULL, NULL, NULL) == SQLITE_OK,
         "creating the tables");
    need(sqlite3_exec(l->db, pragma, NULL, NULL, NULL) == SQLITE_OK, pragma);
    for (int i = 0; i < SQL_COUNT; i++)
        need(sqlite3_prepare_v3(l->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &l->stmts[i], NULL) ==
                 SQLITE_OK,
             sql[i]);
}

static void close_loop(struct loop *l)
{
    for (int i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(l->stmts[i]); /* repeats what step said */
    need(sqlite3_close(l->db) == SQLITE_OK, "closing");
}

static void step(struct loop *l, int which)
{
    need(sqlite3_step(l->stmts[which]) == SQLITE_DONE &&
             sqlite3_reset(l->stmts[which]) == SQLITE_OK,
         sql[which]);
}

static void check_signature(const struct signed_request *r, struct arena *a)
{
    const struct str parts[] = {STR("POST"), STR(POOL_PUBLIC_URL POOL_PATH), r->body, r->timestamp};
    uint8_t digest[SHA256_LEN];

    hmac_sha256(STR(POOL_SECRET), parts, ARRAY_LEN(parts), digest);
    struct str ours = base64_encode(a, (struct str){(const char *)digest, sizeof digest});
    need(crypto_equal(ours, r->signature), "the signature");
    arena_reset(a);
}

static int64_t occurred_at(struct str body)
{
    cJSON *array = cJSON_ParseWithLength(body.at, body.len);
    const cJSON *time =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(array, 0), "occurredAt");

    need(cJSON_IsNumber(time), "the JSON");
    int64_t ret = (int64_t)time->valuedouble;
    cJSON_Delete(array);
    return ret;
}

static void store_event(struct loop *l, const struct signed_request *r, int64_t id)
{
    sqlite3_stmt *event = l->stmts[SQL_EVENT], *queue = l->stmts[SQL_QUEUE];
    int64_t at = occurred_at(r->body);

    need(sqlite3_bind_int64(event, 1, id) == SQLITE_OK &&
             sqlite3_bind_int64(event, 2, at) == SQLITE_OK &&
             sqlite3_bind_text(event, 3, r->body.at + 1, (int)r->body.len - 2, SQLITE_STATIC) ==
                 SQLITE_OK &&
             sqlite3_bind_int64(queue, 1, id) == SQLITE_OK &&
             sqlite3_bind_int64(queue, 2, at) == SQLITE_OK,
         "binding");
    step(l, SQL_EVENT);
    step(l, SQL_QUEUE);
}

static void bare_loop(const char *path, size_t group, size_t events)
{
    struct arena arena = {0};
    struct loop l;
    struct pool pool;

    pool_make(&pool, &(struct pool_plan){.requests = events, .batch = 1, .now_ms = clock_now_ms()});
    open_loop(&l, path);
    int64_t began = clock_mono_us();
    for (size_t i = 0; i < pool.n;) {
        step(&l, SQL_BEGIN);
        for (size_t end = i + group; i < end && i < pool.n; i++) {
            check_signature(&pool.requests[i], &arena);
            store_event(&l, &pool.requests[i], (int64_t)i + 1);
        }
        step(&l, SQL_COMMIT);
    }
    double seconds = (double)(clock_mono_us() - began) / 1e6;
    (void)printf("{\"requests\":%zu,\"events\":%zu,\"seconds\":%.3f,\"rate\":%.0f}\n", events,
                 events, seconds, (double)events / seconds);
    close_loop(&l);
    pool_free(&pool);
    arena_free(&arena);
}

int main(int argc, char *argv[])
{
    int64_t group, events;

    if ((argc == 2 || argc == 4) && !strcmp(argv[1], "http")) {
        bare_http(argv[2], argc == 4 ? argv[3] : NULL);
        return 0;
    }
    if (argc == 5 && !strcmp(argv[1], "loop") && str_int64(str_of(argv[3]), &group) && group > 0 &&
        str_int64(str_of(argv[4]), &events) && events > 0 && events <= 10000000) {
        bare_loop(argv[2], (size_t)group, (size_t)events);
        return 0;
    }
    (void)fputs("usage: limits http [CERTIFICATE KEY] | limits loop FILE GROUP EVENTS\n", stderr);
    return 2;
}
