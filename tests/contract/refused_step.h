/* tests/contract/refused_step.h - a store whose n-th statement is refused, in the way one asks for.
 *
 * Stands before SQLite's own sqlite3_step in the one program that includes it. What is refused
 * was not done. A rollback never is: whoever could not even roll back has no disk.
 */
#ifndef FUNNELD_TESTS_REFUSED_STEP_H
#define FUNNELD_TESTS_REFUSED_STEP_H

#include <dlfcn.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

struct refused_step {
    int after; /* so many statements go through */
    int code;  /* "SQLITE_CONSTRAINT" */
    int times; /* so many are refused then */
    int gap;   /* so many go through between them */
};

static struct refused_step refusal; /* in force while times > 0, until a commit goes through */
static bool refused_release;        /* SQLite forgot what it had for an undo */
static int refused;                 /* since it was armed */

static inline void refusal_arm(struct refused_step r)
{
    refusal = r;
    refused = 0;
    refused_release = false;
}

static inline bool is_said(sqlite3_stmt *s, const char *word)
{
    const char *sql = sqlite3_sql(s);

    return sql && sqlite3_strnicmp(sql, word, (int)strlen(word)) == 0;
}

int sqlite3_step(sqlite3_stmt *s)
{
    static int (*real)(sqlite3_stmt *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "sqlite3_step");
    if (refusal.times > 0 && !is_said(s, "ROLLBACK") && refusal.after-- <= 0) {
        refusal.times--;
        refusal.after = refusal.gap;
        refused++;
        refused_release |= is_said(s, "RELEASE");
        return refusal.code;
    }
    int code = real(s);
    if (code == SQLITE_DONE && is_said(s, "COMMIT"))
        refusal.times = 0;
    return code;
}

#endif
