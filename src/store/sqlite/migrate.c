/* store/sqlite/migrate.c - numbered migrations, embedded at build time, never edited.
 *
 * Each runs in a transaction of its own together with its row in `migration` and user_version.
 * The row holds the SHA-256 of the file, so that an edited one is found out.
 */
#include "db.h"

#include <stdio.h>
#include <string.h>

enum { APPLICATION_ID = 0x666e6c64 }; /* "fnld" */

static const struct {
    int version;
    const char *name, *sql;
} migrations[] = {
#include "migrations.inc"
};

int store_schema_version(void)
{
    return migrations[ARRAY_LEN(migrations) - 1].version;
}

static enum rc number(struct db *db, const char *sql, int64_t *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_failed(db, sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL));

    if (rc == RC_OK)
        rc = db_step(db, s);
    if (rc == RC_OK)
        *ret = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s); /* repeats the error of the step */
    return rc;
}

static void checksum(const char *sql, char ret[SHA256_HEX])
{
    struct str text = str_of(sql);
    uint8_t hash[SHA256_LEN];

    sha256(&text, 1, hash);
    hex_encode(hash, sizeof hash, ret);
}

/* Already applied ones must be the ones that this build knows. */
static enum rc verify(struct db *db, size_t i, struct why *why)
{
    sqlite3_stmt *s = NULL;
    char sum[SHA256_HEX];
    enum rc rc = db_first(db, &s, SQL_MIGRATION_GET, "d", migrations[i].version);

    checksum(migrations[i].sql, sum);
    if (rc == RC_OK && !str_is(col_view(s, 0), sum))
        rc = why_fail(RC_CORRUPT, why, "migration %s differs from the one that made this database",
                      migrations[i].name);
    else if (rc == RC_NONE)
        rc = why_fail(RC_CORRUPT, why, "the database does not remember migration %s",
                      migrations[i].name);
    else if (rc != RC_OK)
        rc = why_fail(rc, why, "%s", db->error);
    db_end(s);
    return rc;
}

static enum rc steps(struct db *db, size_t i, int64_t now_ms)
{
    char set_version[64], sum[SHA256_HEX];

    checksum(migrations[i].sql, sum);
    (void)!snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d",
                    migrations[i].version);
    enum rc rc = db_exec(db, migrations[i].sql);
    if (rc == RC_OK)
        rc = db_run(db, SQL_MIGRATION_ADD, "dti", migrations[i].version, str_of(sum), now_ms);
    return rc == RC_OK ? db_exec(db, set_version) : rc;
}

static enum rc apply(struct db *db, size_t i, int64_t now_ms, struct why *why)
{
    enum rc rc = db_exec(db, "BEGIN IMMEDIATE");

    if (rc == RC_OK)
        rc = steps(db, i, now_ms);
    if (rc == RC_OK)
        rc = db_exec(db, "COMMIT");
    if (rc == RC_OK)
        return RC_OK;
    (void)why_fail(rc, why, "migration %s: %s", migrations[i].name, db->error);
    if (!sqlite3_get_autocommit(db->handle))
        rc_ignored(db_exec(db, "ROLLBACK")); /* the first error is the one to tell */
    return rc;
}

static enum rc prepare_file(struct db *db, struct why *why)
{
    char set_id[64];

    (void)!snprintf(set_id, sizeof set_id, "PRAGMA application_id = %d", APPLICATION_ID);
    enum rc rc = db_exec(db, set_id);
    if (rc == RC_OK)
        rc = db_exec(db, "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, sha256"
                         " TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
    return rc == RC_OK ? rc : why_fail(rc, why, "preparing a new database: %s", db->error);
}

static enum rc versions(struct db *db, int64_t *ret_application, int64_t *ret_version,
                        struct why *why)
{
    enum rc rc = number(db, "PRAGMA application_id", ret_application);

    if (rc == RC_OK)
        rc = number(db, "PRAGMA user_version", ret_version);
    return rc == RC_OK ? rc : why_fail(rc, why, "%s", db->error);
}

/* Whether nothing was ever made in it. A program that names itself nowhere has tables all the
 * same. */
static enum rc is_empty(struct db *db, bool *ret, struct why *why)
{
    int64_t tables = 0;
    enum rc rc = number(db, "SELECT count(*) FROM sqlite_schema", &tables);

    if (rc != RC_OK)
        return why_fail(rc, why, "%s", db->error);
    *ret = tables == 0;
    return RC_OK;
}

enum rc schema_accept(struct db *db, bool *ret_empty, struct why *why)
{
    int64_t application = 0, version = 0;
    bool empty = false;
    enum rc rc = versions(db, &application, &version, why);

    if (rc == RC_OK && version == 0)
        rc = is_empty(db, &empty, why);
    if (rc != RC_OK)
        return rc;
    if (application != APPLICATION_ID && !(application == 0 && empty))
        return why_fail(RC_INVALID, why, "this is a database of another program");
    if (version > store_schema_version())
        return why_fail(RC_INVALID, why,
                        "its schema is version %lld, newer than the %d that this funneld knows; run"
                        " the newer funneld",
                        (long long)version, store_schema_version());
    *ret_empty = empty;
    return RC_OK;
}

static enum rc apply_all(struct db *db, int64_t version, int64_t now_ms, struct why *why)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < ARRAY_LEN(migrations) && rc == RC_OK; i++)
        rc = migrations[i].version <= version ? verify(db, i, why) : apply(db, i, now_ms, why);
    return rc;
}

enum rc migrate(struct db *db, int64_t now_ms, struct why *why)
{
    int64_t application = 0, version = 0;
    enum rc rc = versions(db, &application, &version, why);

    if (rc == RC_OK && version == 0)
        rc = prepare_file(db, why);
    if (rc != RC_OK)
        return rc;
    /* The old image of all that one statement changes shall not be in memory. */
    if (version < store_schema_version() && db_exec(db, "PRAGMA temp_store = FILE") != RC_OK)
        return why_fail(RC_IO, why, "%s", db->error);
    rc = apply_all(db, version, now_ms, why);
    rc_ignored(db_exec(db, "PRAGMA temp_store = MEMORY")); /* as writer_pragmas say */
    return rc;
}

enum rc schema_check(struct db *db, struct why *why)
{
    int64_t application = 0, version = 0;
    enum rc rc = versions(db, &application, &version, why);

    if (rc != RC_OK)
        return rc;
    if (application != APPLICATION_ID)
        return why_fail(RC_INVALID, why, "this is not a funneld database");
    if (version != store_schema_version())
        return why_fail(RC_INVALID, why, "its schema is version %lld, this funneld wants %d; %s",
                        (long long)version, store_schema_version(),
                        version < store_schema_version() ? "run `funneld migrate`"
                                                         : "run the newer funneld");
    return RC_OK;
}
