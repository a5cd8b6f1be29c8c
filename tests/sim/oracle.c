/* tests/sim/oracle.c - the record of what was answered, and what of it is in the database. */
#include "oracle_priv.h"

#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "net.h"
#include "funneld/base/clock.h"
#include "story.h"

#define WINDOW_MS (24 * HOURS_MS) /* a form without id counts again after it */

enum { STARTS = 512 };

static struct {
    struct fate {
        bool stored, promised, kept;
        int64_t received_at; /* of the event that is stored */
        int64_t answered_at; /* of the last that was new; `kept`: it is there */
    } fates[FACTS];          /* by the fact's `same` */
    struct {
        int64_t after; /* events with a greater id */
        int variant;
    } starts[STARTS];
    size_t n_starts;
    struct subscribed subscribed[HOOKS];
    size_t n_subscribed;
    bool wanted[HOOKS]; /* a subscription that was not answered yet */
    bool pause_unknown;
    bool dead[DELIVERIES], retried[DELIVERIES]; /* by id */
} record;

void oracle_begin(void)
{
    memset(&record, 0, sizeof record);
    facts_begin();
}

sqlite3 *oracle_open(void)
{
    sqlite3 *db = NULL;

    disk_spare(true);
    if (sqlite3_open_v2(variants_database(), &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK)
        return db;
    broken("the database cannot be opened: %s", sqlite3_errmsg(db));
    oracle_close(db);
    return NULL;
}

void oracle_close(sqlite3 *db)
{
    (void)sqlite3_close(db); /* cannot be busy: all statements are gone */
    disk_spare(false);
}

sqlite3_stmt *ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        broken("the oracle's SQL: %s", sqlite3_errmsg(db));
    return s;
}

bool next(sqlite3_stmt *s)
{
    int code = s ? sqlite3_step(s) : SQLITE_DONE;

    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        broken("reading the database: %s", sqlite3_errstr(code));
    (void)sqlite3_finalize(s); /* repeats what the step said */
    return false;
}

bool read_rows(sqlite3 *db, struct row ret[ROWS], size_t *ret_n)
{
    sqlite3_stmt *s = ask(db, "SELECT id, lead, occurred_at, received_at, state, body_sha256 FROM "
                              "event ORDER BY id");
    size_t n = 0;

    while (next(s)) {
        struct row *r = &ret[n];

        *r = (struct row){.id = sqlite3_column_int64(s, 0),
                          .lead = sqlite3_column_int64(s, 1),
                          .occurred_at = sqlite3_column_int64(s, 2),
                          .received_at = sqlite3_column_int64(s, 3),
                          .state = sqlite3_column_int(s, 4)};
        if (n == ROWS - 1 || !fact_told(sqlite3_column_blob(s, 5), &r->fact))
            broken("event %lld was never sent", (long long)r->id);
        else
            n++;
    }
    *ret_n = n;
    return !story_broken();
}

static bool counts_again(const struct fact *f, int64_t before, int64_t now)
{
    return f->kind == FACT_FORM && !f->form && before + WINDOW_MS <= now;
}

void oracle_answered(const struct answer *a)
{
    uint32_t fresh = 0, unprocessable = 0;

    if (!a->accepted)
        return;
    for (size_t i = 0; i < a->n; i++) {
        const struct fact *f = fact_get(a->facts[i]);
        struct fate *fate = &record.fates[f->same];

        if (!fate->stored || counts_again(f, fate->received_at, a->received_at)) {
            fresh++;
            unprocessable += f->kind == FACT_ODD;
            fate->received_at = fate->answered_at = a->received_at;
        }
        fate->stored = fate->promised = true;
    }
    if (fresh != a->fresh || a->n - fresh != a->duplicates || unprocessable != a->unprocessable)
        broken("answered %u new, %u duplicates, %u unprocessable; right is %u, %zu, %u", a->fresh,
               a->duplicates, a->unprocessable, fresh, a->n - fresh, unprocessable);
}

/* Each fact once, and all that was promised. */
static void compare(const struct row rows[], size_t n)
{
    for (size_t i = 0; i < FACTS; i++)
        record.fates[i].stored = record.fates[i].kept = false;
    for (size_t i = 0; i < n && !story_broken(); i++) {
        const struct fact *f = fact_get(rows[i].fact);
        struct fate *fate = &record.fates[f->same];

        if (fate->stored && !counts_again(f, fate->received_at, rows[i].received_at))
            broken("event %lld is there twice", (long long)rows[i].id);
        fate->stored = true;
        fate->received_at = rows[i].received_at;
        fate->kept |= rows[i].received_at == fate->answered_at;
    }
    for (size_t i = 0; i < facts_count(); i++)
        if (record.fates[i].promised && !record.fates[i].stored)
            broken("an event that was answered 200 is lost: kind %d of contact %lld at %lld",
                   fact_get(i)->kind, (long long)fact_get(i)->contact, (long long)fact_get(i)->at);
        else if (record.fates[i].answered_at && !record.fates[i].kept)
            broken("an event that was received at %lld says another time",
                   (long long)record.fates[i].answered_at);
}

static void begin_with(int variant, int64_t after)
{
    if (record.n_starts && record.starts[record.n_starts - 1].after == after)
        record.n_starts--; /* nothing happened under it */
    if (record.n_starts == STARTS)
        abort();
    record.starts[record.n_starts].after = after;
    record.starts[record.n_starts++].variant = variant;
}

const struct variant *variant_of(int64_t event)
{
    size_t i = record.n_starts;

    while (i > 1 && record.starts[i - 1].after >= event)
        i--;
    return &variants[record.starts[i - 1].variant];
}

/* Subscriptions */

const struct subscribed *subscription_at(size_t i)
{
    return i < record.n_subscribed ? &record.subscribed[i] : NULL;
}

bool subscription_is_there(int64_t id)
{
    for (size_t i = 0; i < record.n_subscribed; i++)
        if (record.subscribed[i].id == id)
            return record.subscribed[i].is_there;
    return false;
}

static void see_subscription(int hook, int64_t id, int64_t newest_event)
{
    size_t i = 0;

    while (i < record.n_subscribed && record.subscribed[i].id != id)
        i++;
    if (i == record.n_subscribed) {
        if (!record.wanted[hook])
            broken("hook %d is subscribed, and nobody asked for it", hook);
        record.subscribed[record.n_subscribed++] =
            (struct subscribed){.hook = hook, .id = id, .after = newest_event};
    }
    record.wanted[hook] = false;
    record.subscribed[i].is_there = true;
}

static int64_t number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = ask(db, sql);
    int64_t n = 0;

    while (next(s))
        n = sqlite3_column_int64(s, 0);
    return n;
}

static void read_subscriptions(sqlite3 *db)
{
    int64_t newest = number_of(db, "SELECT coalesce(max(id), 0) FROM event");
    sqlite3_stmt *s = ask(db, "SELECT id, target FROM subscription");

    for (size_t i = 0; i < record.n_subscribed; i++)
        record.subscribed[i].is_there = false;
    while (next(s)) {
        const char *target = (const char *)sqlite3_column_text(s, 1);

        see_subscription(zap_of(str_of(target)), sqlite3_column_int64(s, 0), newest);
    }
}

void oracle_subscribed(int hook)
{
    sqlite3 *db;

    record.wanted[hook] = true;
    if (!disk_ended() && (db = oracle_open()) != NULL) {
        read_subscriptions(db);
        oracle_close(db);
    }
}

bool oracle_may_post(int hook)
{
    sqlite3 *db = oracle_open();
    bool may = false;

    if (!db)
        return true; /* which is broken already */
    read_subscriptions(db);
    oracle_close(db);
    for (size_t i = 0; i < record.n_subscribed; i++)
        may |= record.subscribed[i].hook == hook && record.subscribed[i].is_there;
    return may;
}

/* Pauses */

void oracle_paused(bool unknown)
{
    record.pause_unknown |= unknown;
}

/* Those that were paused by a command that was obeyed still are, after whatever came between. */
static void read_paused(sqlite3 *db)
{
    bool paused[SERVICES] = {false};
    sqlite3_stmt *q = ask(db, "SELECT connector FROM hold WHERE paused = 1");

    while (next(q))
        for (int s = 0; s < SERVICES; s++)
            paused[s] |= strcmp((const char *)sqlite3_column_text(q, 0), connector_names[s]) == 0;
    for (int s = 0; s < SERVICES; s++) {
        if (paused[s] != net_is_paused((enum service)s) && !record.pause_unknown)
            broken("connector %s is %s", connector_names[s],
                   paused[s] ? "paused" : "not paused any more");
        net_pause((enum service)s, paused[s]);
    }
    record.pause_unknown = false;
}

void oracle_started(int variant)
{
    static struct row rows[ROWS];
    sqlite3 *db = oracle_open();
    size_t n = 0;

    if (db && read_rows(db, rows, &n))
        compare(rows, n);
    if (db) {
        read_subscriptions(db);
        read_paused(db);
    }
    if (db)
        oracle_close(db);
    begin_with(variant, n ? rows[n - 1].id : 0);
}

void oracle_reloaded(int variant)
{
    oracle_started(variant);
}

void oracle_retrying(void)
{
    sqlite3 *db = oracle_open();
    sqlite3_stmt *s = db ? ask(db, "SELECT id FROM delivery WHERE state = 3") : NULL;

    memset(record.dead, 0, sizeof record.dead);
    while (next(s))
        record.dead[sqlite3_column_int64(s, 0)] = true;
    if (db)
        oracle_close(db);
}

void oracle_retried(void)
{
    for (size_t i = 0; i < DELIVERIES; i++)
        record.retried[i] |= record.dead[i];
}

bool was_retried(int64_t delivery)
{
    return record.retried[delivery];
}

static void check_integrity(sqlite3 *db)
{
    sqlite3_stmt *s = ask(db, "PRAGMA integrity_check");

    while (next(s))
        if (strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0)
            broken("integrity_check: %s", sqlite3_column_text(s, 0));
}

/* Which fact has which key, and none has two. */
static void read_keys(sqlite3 *db, const struct row rows[], size_t n, struct people *p)
{
    sqlite3_stmt *s = ask(db, "SELECT event, key FROM dedupe");
    static bool seen[FACTS];
    size_t n_keys = 0, n_facts = 0;

    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < n; i++) {
        n_facts += !seen[fact_get(rows[i].fact)->same];
        seen[fact_get(rows[i].fact)->same] = true;
    }
    while (next(s)) {
        int64_t event = sqlite3_column_int64(s, 0);
        size_t i = 0;

        while (i < n && rows[i].id != event)
            i++;
        if (i == n || sqlite3_column_bytes(s, 1) != KEY)
            broken("a dedupe key without its event %lld", (long long)event);
        else
            memcpy(p->keys[fact_get(rows[i].fact)->same], sqlite3_column_blob(s, 1), KEY);
        n_keys++;
    }
    if (n_keys != n_facts)
        broken("%zu dedupe keys for %zu facts", n_keys, n_facts);
}

static void check_all(bool leads_only)
{
    static struct row rows[ROWS];
    static struct people people;
    sqlite3 *db = oracle_open();
    size_t n = 0;

    if (!db)
        return;
    check_integrity(db);
    people_begin(&people);
    if (read_rows(db, rows, &n)) {
        compare(rows, n);
        read_keys(db, rows, n, &people);
        for (size_t i = 0; i < n && !story_broken(); i++)
            people_fold(&people, &rows[i]);
        check_leads(db, &people);
        read_subscriptions(db);
        if (!leads_only && !story_broken())
            check_queue(db, &people);
    }
    oracle_close(db);
}

void oracle_check(void)
{
    check_all(false);
}

void oracle_check_leads(void)
{
    check_all(true);
}
