/* store/sqlite/models.c - trained models, and which of them served which goal when. */
#include "db.h"

static struct model_record row_model(sqlite3_stmt *s, struct arena *a)
{
    return (struct model_record){
        .id = sqlite3_column_int64(s, 0),
        .name = a ? col_str(s, 1, a) : col_view(s, 1),
        .version = sqlite3_column_int64(s, 2),
        .goal = sqlite3_column_int(s, 3),
        .created_at = sqlite3_column_int64(s, 4),
        .usable = sqlite3_column_int(s, 5),
        .active = sqlite3_column_int(s, 6),
    };
}

static enum rc newest_version(struct db *db, struct str name, int64_t *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(db, &s, SQL_MODEL_VERSION, "t", name);

    if (rc == RC_OK)
        *ret = sqlite3_column_int64(s, 0);
    db_end(s);
    return rc;
}

enum rc store_model_add(struct store *st, struct model_record *m)
{
    struct db *db = store_db(st);
    int64_t newest = 0;
    enum rc rc = newest_version(db, m->name, &newest);

    if (rc == RC_NONE)
        rc = RC_OK;
    if (rc == RC_OK)
        rc = db_run(db, SQL_MODEL_ADD, "tididbb", m->name, newest + 1, m->goal, m->created_at,
                    (int)m->usable, m->sidecar.at, m->sidecar.len, m->trees.at, m->trees.len);
    if (rc != RC_OK)
        return rc;
    m->id = sqlite3_last_insert_rowid(db->handle);
    m->version = newest + 1;
    return RC_OK;
}

/* One moment of a goal's history. */
struct use {
    int64_t id, model;
    int64_t below, below_model; /* the use under it; below 0: none */
};

static enum rc newest_use(struct db *db, int goal, struct use *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(db, &s, SQL_MODEL_USED, "d", goal);

    if (rc == RC_OK)
        *ret = (struct use){
            .id = sqlite3_column_int64(s, 0),
            .model = sqlite3_column_int64(s, 1),
            .below = sqlite3_column_int64(s, 2),
            .below_model = sqlite3_column_int64(s, 3),
        };
    db_end(s);
    return rc;
}

static enum rc has_model(struct db *db, int goal, int64_t id)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(db, &s, SQL_MODEL_OF_GOAL, "id", id, goal);

    db_end(s);
    return rc;
}

/* What is below a use that is gone back to; 0: nothing. */
static enum rc below_that(struct db *db, const struct use *top, int64_t *ret)
{
    if (!top->below) {
        *ret = 0;
        return RC_OK;
    }
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(db, &s, SQL_MODEL_USE_BELOW, "i", top->below);
    if (rc == RC_OK)
        *ret = sqlite3_column_int64(s, 0);
    db_end(s);
    return rc;
}

/* RC_EXISTS: it is so already. */
static enum rc use_before(struct db *db, int goal, int64_t id, struct use *ret)
{
    enum rc rc = id ? has_model(db, goal, id) : RC_OK;

    if (rc != RC_OK)
        return rc;
    rc = newest_use(db, goal, ret);
    if (rc != RC_OK && rc != RC_NONE)
        return rc;
    return ret->model == id ? RC_EXISTS : RC_OK;
}

enum rc store_model_use(struct store *st, int goal, int64_t id, int64_t now_ms, struct str reason)
{
    struct db *db = store_db(st);
    struct use top = {0};
    enum rc rc = use_before(db, goal, id, &top);

    if (rc != RC_OK)
        return rc == RC_EXISTS ? RC_OK : rc;
    return db_run(db, SQL_MODEL_USE, "dinit", goal, id, top.id, now_ms, reason);
}

enum rc store_model_back(struct store *st, int goal, int64_t id, int64_t now_ms, struct str reason)
{
    struct db *db = store_db(st);
    struct use top = {0};
    int64_t below = 0;
    enum rc rc = use_before(db, goal, id, &top);

    if (rc == RC_OK && id != top.below_model)
        return store_model_use(st, goal, id, now_ms, reason);
    if (rc == RC_OK)
        rc = below_that(db, &top, &below);
    if (rc != RC_OK)
        return rc == RC_EXISTS ? RC_OK : rc;
    return db_run(db, SQL_MODEL_USE, "dinit", goal, id, below, now_ms, reason);
}

enum rc read_models(struct reader *r, model_seen *seen, void *self)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_MODELS, "");

    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK) {
        struct model_record m = row_model(s, NULL);

        seen(self, &m);
    }
    return db_finish(s, rc);
}

static enum rc first_model(sqlite3_stmt *s, enum rc rc, struct arena *a, struct model_record *ret)
{
    if (rc == RC_OK) {
        struct model_record m = row_model(s, a);

        m.sidecar = col_bytes(s, 7, a);
        m.trees = col_bytes(s, 8, a);
        *ret = m;
    }
    db_end(s);
    return rc;
}

enum rc read_model(struct reader *r, int64_t id, struct arena *a, struct model_record *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_MODEL_GET, "i", id);

    return first_model(s, rc, a, ret);
}

enum rc read_model_card(struct reader *r, int64_t id, struct arena *a, struct model_record *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_MODEL_CARD, "i", id);

    if (rc == RC_OK)
        *ret = row_model(s, a);
    db_end(s);
    return rc;
}

enum rc read_model_named(struct reader *r, struct str name, int64_t version, struct arena *a,
                         struct model_record *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = version ? db_first(&r->db, &s, SQL_MODEL_NAMED, "ti", name, version)
                         : db_first(&r->db, &s, SQL_MODEL_NEWEST, "t", name);

    return first_model(s, rc, a, ret);
}

enum rc read_model_at(struct reader *r, int goal, int64_t at, int64_t *ret_id)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_MODEL_AT, "di", goal, at);
    int64_t id = rc == RC_OK ? sqlite3_column_int64(s, 0) : 0;

    db_end(s);
    if (rc == RC_OK && !id)
        rc = RC_NONE;
    if (rc == RC_OK)
        *ret_id = id;
    return rc;
}

enum rc read_model_before(struct reader *r, int goal, int64_t *ret_id)
{
    struct use top = {0};
    enum rc rc = newest_use(&r->db, goal, &top);

    if (rc == RC_OK && !top.model && !top.below)
        rc = RC_NONE; /* there is nothing left to go back to */
    if (rc == RC_OK)
        *ret_id = top.below_model;
    return rc;
}
