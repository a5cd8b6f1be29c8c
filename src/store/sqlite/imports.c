/* store/sqlite/imports.c - how far imports have come. */
#include "db.h"

enum rc store_import_set(struct store *st, const struct import_place *p)
{
    if (!p->place.at)
        return db_run(store_db(st), SQL_IMPORT_END, "t", p->connector);
    return db_run(store_db(st), SQL_IMPORT_SET, "ttii", p->connector, p->place, p->contacts,
                  p->changed_at);
}

enum rc read_import(struct reader *r, struct str connector, struct arena *a,
                    struct import_place *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_IMPORT_GET, "t", connector);

    if (rc == RC_OK)
        *ret = (struct import_place){.connector = connector,
                                     .place = col_str(s, 0, a),
                                     .contacts = sqlite3_column_int64(s, 1),
                                     .changed_at = sqlite3_column_int64(s, 2)};
    db_end(s);
    return rc;
}
