/* limits.h - the bounds against which bench.py holds the daemon, each in a file of its own. */
#ifndef FUNNELD_BENCH_LIMITS_H
#define FUNNELD_BENCH_LIMITS_H

#include <microhttpd.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"

void need(bool ok, const char *what); /* or says what failed, and exits */

/* limit_http.c: libmicrohttpd as the daemon uses it */
struct web {
    MHD_AccessHandlerCallback handle;
    MHD_RequestCompletedCallback completed; /* NULL: nothing to do */
    void *self;
    unsigned threads;
    const char *certificate, *key; /* NULL: plain */
};
/* Serves at a port of its choice and says which, until SIGTERM, then calls `end`. */
void web_serve(const struct web *w, void (*end)(void *self));
struct MHD_Response *web_answer(void);

/* limit_store.c: HMAC, JSON, and the commit of an event and one queue row */
struct bare_store {
    sqlite3 *db;
    sqlite3_stmt *stmts[4];
};
void bare_store_open(struct bare_store *s, const char *path);
void bare_store_close(struct bare_store *s);
void bare_store_begin(struct bare_store *s);
void bare_store_commit(struct bare_store *s);
void bare_store_add(struct bare_store *s, int64_t id, int64_t occurred_at, struct str body);
bool signature_right(const struct signed_request *r, struct arena *a);
int64_t occurred_at(struct str body); /* of an array's only event */

/* What can be asked for. */
void bare_http(const char *certificate, const char *key);
void bare_durable(const char *path, const char *certificate, const char *key);
void bare_loop(const char *path, size_t group, size_t events);
void bare_send(const char *url, const char *body_file, size_t requests, size_t connections);

/* A file as text; free() it. */
char *text_of_file(const char *path, size_t *ret_len);
/* {"requests":...,"rate":...} */
void print_rate(size_t n, int64_t took_us);

#endif
