/* limit_store.c - the bare durable loop: HMAC, JSON, SQLite's commit of an event and a queue row.
 */
#include <cjson/cJSON.h>

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"
#include "funneld/base/rc.h"
#include "limits.h"

enum { SQL_BEGIN, SQL_COMMIT, SQL_EVENT, SQL_QUEUE, SQL_COUNT };

static const char *const sql[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_EVENT] = "INSERT INTO event (id, occurred_at, body) VALUES (?1, ?2, ?3)",
    [SQL_QUEUE] = "INSERT INTO delivery (id, event, due_at, state) VALUES (?1, ?1, ?2, 0)",
};

/* As in store/sqlite/open.c; the daemon lets the log grow to as many pages while work waits. */
static const char pragmas[] =
    "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"
    "PRAGMA foreign_keys = ON; PRAGMA cache_size = -24000; PRAGMA journal_size_limit = 67108864;"
    "PRAGMA wal_autocheckpoint = 16384;";

void bare_store_open(struct bare_store *s, const char *path)
{
    need(sqlite3_open(path, &s->db) == SQLITE_OK, path);
    need(sqlite3_exec(s->db, pragmas, NULL, NULL, NULL) == SQLITE_OK, pragmas);
    need(sqlite3_exec(s->db,
                      "CREATE TABLE event (id INTEGER PRIMARY KEY, occurred_at INTEGER NOT NULL,"
                      " body TEXT NOT NULL) STRICT;"
                      "CREATE TABLE delivery (id INTEGER PRIMARY KEY, event INTEGER NOT NULL,"
                      " due_at INTEGER NOT NULL, state INTEGER NOT NULL) STRICT",
                      NULL, NULL, NULL) == SQLITE_OK,
         "creating the tables");
    for (int i = 0; i < SQL_COUNT; i++)
        need(sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmts[i], NULL) ==
                 SQLITE_OK,
             sql[i]);
}

void bare_store_close(struct bare_store *s)
{
    for (int i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(s->stmts[i]); /* repeats what step said */
    need(sqlite3_close(s->db) == SQLITE_OK, "closing");
}

static void step(struct bare_store *s, int which)
{
    need(sqlite3_step(s->stmts[which]) == SQLITE_DONE &&
             sqlite3_reset(s->stmts[which]) == SQLITE_OK,
         sql[which]);
}

void bare_store_begin(struct bare_store *s)
{
    step(s, SQL_BEGIN);
}

void bare_store_commit(struct bare_store *s)
{
    step(s, SQL_COMMIT);
}

void bare_store_add(struct bare_store *s, int64_t id, int64_t at, struct str body)
{
    sqlite3_stmt *event = s->stmts[SQL_EVENT], *queue = s->stmts[SQL_QUEUE];

    need(sqlite3_bind_int64(event, 1, id) == SQLITE_OK &&
             sqlite3_bind_int64(event, 2, at) == SQLITE_OK &&
             sqlite3_bind_text(event, 3, body.at + 1, (int)body.len - 2, SQLITE_STATIC) ==
                 SQLITE_OK &&
             sqlite3_bind_int64(queue, 1, id) == SQLITE_OK &&
             sqlite3_bind_int64(queue, 2, at) == SQLITE_OK,
         "binding");
    step(s, SQL_EVENT);
    step(s, SQL_QUEUE);
}

bool signature_right(const struct signed_request *r, struct arena *a)
{
    const struct str parts[] = {STR("POST"), STR(POOL_PUBLIC_URL POOL_PATH), r->body, r->timestamp};
    uint8_t digest[SHA256_LEN];

    hmac_sha256(STR(POOL_SECRET), parts, ARRAY_LEN(parts), digest);
    return crypto_equal(base64_encode(a, (struct str){(const char *)digest, sizeof digest}),
                        r->signature);
}

int64_t occurred_at(struct str body)
{
    cJSON *array = cJSON_ParseWithLength(body.at, body.len);
    const cJSON *time =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(array, 0), "occurredAt");

    need(cJSON_IsNumber(time), "the JSON");
    int64_t ret = (int64_t)time->valuedouble;
    cJSON_Delete(array);
    return ret;
}

void bare_loop(const char *path, size_t group, size_t events)
{
    struct arena arena = {0};
    struct bare_store s;
    struct pool pool;

    pool_make(&pool, &(struct pool_plan){.requests = events, .batch = 1, .now_ms = clock_now_ms()});
    bare_store_open(&s, path);
    int64_t began = clock_mono_us();
    for (size_t i = 0; i < pool.n;) {
        bare_store_begin(&s);
        for (size_t end = i + group; i < end && i < pool.n; i++) {
            const struct signed_request *r = &pool.requests[i];

            need(signature_right(r, &arena), "the signature");
            arena_reset(&arena);
            bare_store_add(&s, (int64_t)i + 1, occurred_at(r->body), r->body);
        }
        bare_store_commit(&s);
    }
    print_rate(events, clock_mono_us() - began);
    bare_store_close(&s);
    pool_free(&pool);
    arena_free(&arena);
}
