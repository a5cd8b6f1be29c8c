/* tests/contract/plant.h - rows that no call of the port makes, through a connection of their own.
 */
#ifndef FUNNELD_TESTS_PLANT_H
#define FUNNELD_TESTS_PLANT_H

#include "cm.h"

#include <sqlite3.h>

static inline void plant_rows(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", error, sql);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#endif
