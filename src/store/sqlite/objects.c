/* store/sqlite/objects.c - the CRM's companies, deals and tickets, and which contacts they have.
 *
 * Of each pair the newest word counts, and of the same time that which ends it. All contacts of an
 * object that were read at a time are a word about every contact there is, so that an older one is
 * void; what was told of nobody before then is written down as ended, whichever came first.
 */
#include "db.h"

#include <stdio.h>
#include <string.h>

static enum rc row_object(struct db *db, sqlite3_stmt *s, struct arena *a, struct object *ret)
{
    struct object o = {
        .id = sqlite3_column_int64(s, 0),
        .record.id = -sqlite3_column_int64(s, 0),
        .kind = (enum object_kind)sqlite3_column_int(s, 1),
        .record.portal_id = sqlite3_column_int64(s, 2),
        .record.crm_id = sqlite3_column_int64(s, 3),
        .record.state = (enum lead_state)sqlite3_column_int(s, 4),
        .record.state_at = sqlite3_column_int64(s, 5),
        .record.merged_into = sqlite3_column_int64(s, 6),
        .record.enriched_at = sqlite3_column_int64(s, 7),
        .changed_at = sqlite3_column_int64(s, 8),
        .contacts_at = sqlite3_column_int64(s, 9),
        .record.waiting = col_str(s, 11, a),
    };
    const char *properties = sqlite3_column_blob(s, 10);
    enum rc rc = properties_read((struct str){properties, (size_t)sqlite3_column_bytes(s, 10)}, a,
                                 &o.record);

    if (rc == RC_OK)
        *ret = o;
    else
        (void)!snprintf(db->error, sizeof db->error, "the properties of object %lld cannot be read",
                        (long long)o.id);
    return rc;
}

static enum rc first_object(struct db *db, sqlite3_stmt *s, enum rc rc, struct arena *a,
                            struct object *ret)
{
    if (rc == RC_OK)
        rc = row_object(db, s, a, ret);
    db_end(s);
    return rc;
}

enum rc read_object(struct reader *r, int64_t id, struct arena *a, struct object *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_OBJECT_GET, "i", id);

    return first_object(&r->db, s, rc, a, ret);
}

enum rc read_object_by_crm(struct reader *r, enum object_kind kind, int64_t portal_id,
                           int64_t crm_id, struct arena *a, struct object *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_OBJECT_BY_CRM, "iid", portal_id, crm_id, (int)kind);

    return first_object(&r->db, s, rc, a, ret);
}

enum rc read_object_kinds(struct reader *r, int64_t portal_id, bool ret[OBJECT_KIND_COUNT])
{
    bool known[OBJECT_KIND_COUNT] = {false};
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_OBJECT_KINDS, "i", portal_id);

    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK) {
        int kind = sqlite3_column_int(s, 0);

        if (kind > OBJECT_NONE && kind < OBJECT_KIND_COUNT)
            known[kind] = true;
    }
    rc = db_finish(s, rc);
    if (rc == RC_OK)
        memcpy(ret, known, sizeof known);
    return rc;
}

static enum rc write_properties(struct store *st, const struct lead *record, struct str *ret)
{
    enum rc rc = properties_write(record, &st->properties);

    if (rc == RC_OK)
        *ret = record->n_properties ? sbuf_str(&st->properties) : STR("");
    return rc;
}

enum rc store_object_add(struct store *st, struct object *o)
{
    const struct lead *r = &o->record;
    struct str bytes;
    enum rc rc = write_properties(st, r, &bytes);

    if (rc == RC_OK)
        rc = db_run(store_db(st), SQL_OBJECT_ADD, "diidiniiibt", (int)o->kind, r->portal_id,
                    r->crm_id, (int)r->state, r->state_at, r->merged_into, r->enriched_at,
                    o->changed_at, o->contacts_at, bytes.at, bytes.len, r->waiting);
    if (rc != RC_OK)
        return rc;
    o->id = sqlite3_last_insert_rowid(store_db(st)->handle);
    o->record.id = -o->id;
    return RC_OK;
}

enum rc store_object_save(struct store *st, const struct object *o)
{
    const struct lead *r = &o->record;
    struct str bytes;
    int64_t rows = 0;
    enum rc rc = write_properties(st, r, &bytes);

    if (rc == RC_OK)
        rc = db_change(store_db(st), &rows, SQL_OBJECT_SAVE, "idiniiibt", o->id, (int)r->state,
                       r->state_at, r->merged_into, r->enriched_at, o->changed_at, o->contacts_at,
                       bytes.at, bytes.len, r->waiting);
    return rc == RC_OK && rows == 0 ? RC_NONE : rc;
}

enum rc store_associate(struct store *st, const struct object *o, int64_t contact, bool linked,
                        int64_t at)
{
    struct db *db = store_db(st);

    if (at < o->contacts_at)
        return db_run(db, SQL_ASSOCIATE_VOID, "iiii", o->id, contact, o->record.portal_id,
                      o->contacts_at);
    return db_run(db, SQL_ASSOCIATE, "iiidi", o->id, contact, o->record.portal_id, (int)linked, at);
}

enum rc store_contacts_read(struct store *st, struct object *o, const struct contact_list *list)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < list->n && rc == RC_OK; i++)
        rc = store_associate(st, o, list->ids[i], true, list->read_at);
    if (rc != RC_OK || !list->all || list->read_at < o->contacts_at)
        return rc;
    o->contacts_at = list->read_at;
    return db_run(store_db(st), SQL_ASSOCIATIONS_END, "ii", o->id, list->read_at);
}

enum rc store_object_move(struct store *st, const struct object *from, const struct object *into)
{
    struct db *db = store_db(st);
    enum rc rc = db_run(db, SQL_ASSOCIATIONS_MOVE, "iii", from->id, into->id, into->contacts_at);

    if (rc == RC_OK)
        rc = db_run(db, SQL_ASSOCIATIONS_MOVE_VOID, "iii", from->id, into->id, into->contacts_at);
    return rc == RC_OK ? db_run(db, SQL_ASSOCIATIONS_DROP, "i", from->id) : rc;
}

enum rc read_object_contacts(struct reader *r, int64_t object, size_t limit, int64_t ret[],
                             size_t *ret_n)
{
    sqlite3_stmt *s = NULL;
    size_t n = 0;
    enum rc rc = db_query(&r->db, &s, SQL_OBJECT_CONTACTS, "ii", object, (int64_t)limit);

    while (rc == RC_OK && n < limit && (rc = db_step(&r->db, s)) == RC_OK)
        ret[n++] = sqlite3_column_int64(s, 0);
    rc = db_finish(s, rc);
    if (rc == RC_OK)
        *ret_n = n;
    return rc;
}

enum rc read_contact_objects(struct reader *r, int64_t portal_id, int64_t contact, size_t limit,
                             struct arena *a, struct linked_object **ret, size_t *ret_n)
{
    struct linked_object *found = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *s = NULL;
    enum rc rc =
        db_query(&r->db, &s, SQL_CONTACT_OBJECTS, "iii", portal_id, contact, (int64_t)limit);

    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK) {
        found = arena_more(a, found, n, &cap, sizeof *found);
        rc = row_object(&r->db, s, a, &found[n].object);
        found[n].linked = sqlite3_column_int(s, 12);
        found[n].at = sqlite3_column_int64(s, 13);
        n += rc == RC_OK;
    }
    rc = db_finish(s, rc);
    if (rc == RC_OK) {
        *ret = found;
        *ret_n = n;
    }
    return rc;
}

enum rc contact_move(struct db *db, const struct lead *from, const struct lead *into)
{
    if (!from->crm_id || !into->crm_id || from->crm_id == into->crm_id)
        return RC_OK; /* or else `into` becomes that contact */
    enum rc rc = db_run(db, SQL_CONTACT_MOVE, "iii", from->portal_id, from->crm_id, into->crm_id);
    return rc == RC_OK ? db_run(db, SQL_CONTACT_DROP, "ii", from->portal_id, from->crm_id) : rc;
}

enum rc contact_erase(struct db *db, const struct lead *lead)
{
    if (!lead->crm_id)
        return RC_OK;
    enum rc rc = db_run(db, SQL_OBJECT_FORGET, "ii", lead->portal_id, lead->crm_id);
    return rc == RC_OK ? db_run(db, SQL_CONTACT_DROP, "ii", lead->portal_id, lead->crm_id) : rc;
}
