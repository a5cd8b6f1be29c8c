/* tests/contract/test_sqlite_plans.c - every statement goes by an index or says why it does not.
 *
 * Reads EXPLAIN QUERY PLAN of all statements on a fresh schema, without statistics, as in service.
 */
#include "store_world.h"

#include <sqlite3.h>

enum statement {
#define STMT(name, sql) SQL_##name,
#include "../../src/store/sqlite/statements.def"
#undef STMT
    SQL_COUNT
};

static const struct {
    const char *name, *sql;
} statements[SQL_COUNT] = {
#define STMT(name, sql) [SQL_##name] = {#name, sql},
#include "../../src/store/sqlite/statements.def"
#undef STMT
};

/* What these look through whole is asked for by people, or once at start or reload. */
static const enum statement may_scan[] = {
    SQL_LEAD_BANDS,
    SQL_SUBSCRIPTION_COUNT,
};

/* A table that is small for ever, or a step of a recursion. */
static bool small(const char *detail)
{
    static const char *const names[] = {"SCAN chain",
                                        "SCAN person",
                                        "SCAN CONSTANT ROW",
                                        "SCAN ruleset",
                                        "SCAN model",
                                        "SCAN queue",
                                        "SCAN linked",
                                        "SCAN (subquery",
                                        "SCAN s",
                                        "SCAN pragma_",
                                        "SCAN q",
                                        "SCAN f VIRTUAL TABLE",
                                        "SCAN hold",
                                        "SCAN ended",
                                        "SCAN b",
                                        "SCAN i VIRTUAL TABLE",
                                        "SCAN w",
                                        "SCAN json_each VIRTUAL TABLE"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strncmp(detail, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

struct plan {
    char text[2048];
    bool scans, sorts;
};

static void plan_of(sqlite3 *db, enum statement which, struct plan *ret)
{
    struct arena a AUTO(arena_free) = {0};
    struct str sql = arena_printf(&a, "EXPLAIN QUERY PLAN %s", statements[which].sql);
    sqlite3_stmt *s = NULL;
    size_t len = 0;

    *ret = (struct plan){0};
    if (sqlite3_prepare_v2(db, sql.at, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", statements[which].name, sqlite3_errmsg(db));
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(s, 3);
        int n = snprintf(ret->text + len, sizeof ret->text - len, "%s\n", detail);

        assert_true(n > 0 && (size_t)n < sizeof ret->text - len);
        len += (size_t)n;
        ret->scans |= strncmp(detail, "SCAN ", 5) == 0 && !small(detail);
        ret->sorts |= strstr(detail, "TEMP B-TREE") != NULL;
    }
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
}

/* A plan names the store's own functions and calls none. */
static void never_called(sqlite3_context *context, int n, sqlite3_value **values)
{
    (void)n;
    (void)values;
    sqlite3_result_error(context, "a plan runs nothing", -1);
}

static sqlite3 *schema(struct world *w)
{
    static const char *const functions[] = {"sha256", "properties_ok", "ledger_ok", "facts_ok"};
    sqlite3 *db = NULL;

    store_close(w->store);
    w->store = NULL;
    assert_int_equal(sqlite3_open(w->path.at, &db), SQLITE_OK);
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        assert_int_equal(sqlite3_create_function(db, functions[i], 1, SQLITE_UTF8, NULL,
                                                 never_called, NULL, NULL),
                         SQLITE_OK);
    return db;
}

static void no_statement_scans_a_table_whole(void **state)
{
    sqlite3 *db = schema(*state);
    struct plan plan;

    for (int i = 0; i < SQL_COUNT; i++) {
        bool allowed = false;

        for (size_t k = 0; k < ARRAY_LEN(may_scan); k++)
            allowed |= may_scan[k] == (enum statement)i;
        plan_of(db, (enum statement)i, &plan);
        if (plan.scans && !allowed)
            fail_msg("%s scans:\n%s", statements[i].name, plan.text);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static const struct {
    enum statement which;
    const char *with;
    bool sorts;
} wanted[] = {
    {SQL_DEDUPE_GET, "SEARCH d USING PRIMARY KEY (key=?)", false},
    {SQL_DELIVERY_DUE,
     "SEARCH delivery USING INDEX delivery_due (connector=? AND urgent=? AND due_at>?)", false},
    {SQL_DELIVERY_DUE_OF_TARGET,
     "delivery_target (target=? AND connector=? AND urgent=? AND due_at>?)", false},
    {SQL_DELIVERY_TARGETS, "SEARCH delivery USING INDEX delivery_target (target>?)", false},
    {SQL_DELIVERY_TARGETS, "SEARCH d USING INDEX delivery_target (target=? AND connector=?)",
     false},
    {SQL_DELIVERY_DUE_OF_LEAD, "SEARCH o USING INTEGER PRIMARY KEY (rowid=?)", false},
    {SQL_DELIVERY_DUE_OF_LEAD, "delivery_crowd (lead=? AND connector=? AND target=? AND urgent=?)",
     false},
    {SQL_DELIVERY_FOLD, "delivery_crowd (lead=? AND connector=?)", false},
    {SQL_DELIVERY_WAITING, "delivery_crowd (lead=? AND connector=?)", false},
    {SQL_DELIVERY_RELEASE, "delivery_asking (lead=?)", false},
    {SQL_DELIVERY_CROWD, "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)", false},
    {SQL_DELIVERY_HEADS, "delivery_crowd (lead=?)", true},
    {SQL_DELIVERY_HEADS, "SEARCH o USING INTEGER PRIMARY KEY (rowid=?)", true}, /* of one lead */
    {SQL_DELIVERY_FOLD, "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)", false},
    {SQL_DELIVERY_WAITING, "SEARCH o USING INTEGER PRIMARY KEY (rowid=?)", false},
    {SQL_DELIVERY_DUE_OF_NOBODY, "delivery_of_nobody (connector=?)", false},
    {SQL_DELIVERY_QUEUE, "SEARCH queue USING PRIMARY KEY (connector=?)", false},
    {SQL_DELIVERY_QUEUE, "SEARCH delivery USING INDEX delivery_pending (connector=?)", false},
    {SQL_DELIVERY_RELEASE, "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)", false},
    {SQL_DELIVERY_MOVE, "SEARCH delivery USING INDEX delivery_event (event=?)", false},
    {SQL_DELIVERY_CANCEL, "SEARCH delivery USING INDEX delivery_event (event=?)", false},
    {SQL_DELIVERY_FORGET, "SEARCH delivery USING INDEX delivery_event (event=?)", false},
    {SQL_DELIVERY_OF_EVENT, "SEARCH delivery USING INDEX delivery_event (event=?)", false},
    {SQL_DELIVERY_RETRY, "SEARCH delivery USING INDEX delivery_dead (id>? AND id<?)", false},
    {SQL_DELIVERY_DEAD_SPAN, "USING INDEX delivery_dead (id>?)", false},
    {SQL_DELIVERY_FOLD_AGAIN, "delivery_pending (connector=? AND created_at=?)", true},
    {SQL_DELIVERY_FOLD_AGAIN, "delivery_crowd (lead=? AND connector=?)", true},
    {SQL_DELIVERY_FOLD_AGAIN, "SEARCH o USING INTEGER PRIMARY KEY (rowid=?)", true},
    {SQL_DELIVERY_FOLD_AGAIN, "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)", true},
    {SQL_DELIVERY_FOLD_AGAIN,
     "q USING AUTOMATIC COVERING INDEX (lead=? AND connector=? AND asks=?)", true},
    {SQL_DELIVERY_HURRY_AGAIN, "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)", true},
    {SQL_DELIVERY_HEIR, "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)", true},
    {SQL_DELIVERY_HURRY,
     "delivery_crowd (lead=? AND connector=? AND target=? AND urgent=? AND id<?)", false},
    {SQL_DELIVERY_HURRY, "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)", false},
    {SQL_DELIVERY_HURRY_ALL, "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)", true},
    {SQL_LEAD_BY_CRM, "SEARCH lead USING INDEX lead_crm (portal_id=? AND crm_id=?)", false},
    {SQL_LEAD_BY_EMAIL, "SEARCH lead USING INDEX lead_email (email=?)", false},
    {SQL_LEAD_ERASE_MERGED, "SEARCH l USING COVERING INDEX lead_merged (merged_into=?)", false},
    {SQL_TERMS_AFTER, "SEARCH terms USING INTEGER PRIMARY KEY (rowid>?)", false},
    {SQL_LEDGERS, "SEARCH lead USING INTEGER PRIMARY KEY (rowid>?)", false},
    {SQL_AUDIT_LEDGER, "SEARCH lead USING INTEGER PRIMARY KEY (rowid>?)", false},
    {SQL_EVENT_HISTORY, "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)", true},
    {SQL_EVENT_LIST_OF_LEAD, "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)", true},
    {SQL_ATTEMPT_ADD, "SEARCH attempt USING PRIMARY KEY (delivery=?)", false},
    {SQL_ATTEMPT_LIST, "SEARCH attempt USING PRIMARY KEY (delivery=?)", false},
    {SQL_DELIVERY_CANCEL_TARGET, "delivery_target (target=?)", false},
    {SQL_ENDED_ADD, "SEARCH delivery USING INDEX delivery_target (target=?)", false},
    {SQL_ENDED_DROP, "SEARCH delivery USING INDEX delivery_target (target=?)", false},
    {SQL_SUBSCRIPTION_OF_ROUTE, "SEARCH subscription USING INDEX", true}, /* of one route */
    {SQL_SUBSCRIPTION_BY_TOKEN, "SEARCH subscription USING INDEX", false},
    {SQL_SUBSCRIPTION_GET, "SEARCH subscription USING INTEGER PRIMARY KEY (rowid=?)", false},
    {SQL_REMOTE_MOVE, "SEARCH remote USING PRIMARY KEY (lead=?)", false},
};

static void statements_use_the_indexes_made_for_them(void **state)
{
    sqlite3 *db = schema(*state);
    struct plan plan;

    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        plan_of(db, wanted[i].which, &plan);
        if (!strstr(plan.text, wanted[i].with))
            fail_msg("%s: wanted %s, got\n%s", statements[wanted[i].which].name, wanted[i].with,
                     plan.text);
        if (plan.sorts && !wanted[i].sorts)
            fail_msg("%s sorts:\n%s", statements[wanted[i].which].name, plan.text);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int prepared_again(sqlite3 *db, enum statement which)
{
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, statements[which].sql, -1, &s, NULL), SQLITE_OK);
    for (int round = 1; round <= 3; round++) {
        for (int i = 1; i <= sqlite3_bind_parameter_count(s); i++)
            assert_int_equal(sqlite3_bind_int(s, i, round), SQLITE_OK);
        while (sqlite3_step(s) == SQLITE_ROW)
            ; /* whatever comes of it: such values mean nothing */
        (void)sqlite3_reset(s);
    }
    int n = sqlite3_stmt_status(s, SQLITE_STMTSTATUS_REPREPARE, 0);
    (void)sqlite3_finalize(s);
    return n;
}

/* A value that is compared with the constant of a partial index would make it so; and that costs
 * more than most statements. */
static void no_statement_is_prepared_again_for_other_values(void **state)
{
    sqlite3 *db = schema(*state);

    for (int i = 0; i < SQL_COUNT; i++) {
        if (!strchr(statements[i].sql, '?'))
            continue;
        assert_int_equal(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
        if (prepared_again(db, (enum statement)i))
            fail_msg("%s", statements[i].name);
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* one that failed may have done so */
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(no_statement_scans_a_table_whole),
        RUN(statements_use_the_indexes_made_for_them),
        RUN(no_statement_is_prepared_again_for_other_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
