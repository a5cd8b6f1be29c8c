/* tests/sim/test_sim.c - the simulation itself: the same seed tells the same story, and the oracle
 * sees what is wrong. */
#include "cm.h"

#include <sqlite3.h>
#include <string.h>

#include "daemon.h"
#include "disk.h"
#include "driver.h"
#include "funneld/observe/log.h"
#include "net.h"
#include "oracle.h"
#include "story.h"

enum { BEGIN = 1000000 };

static int setup(void **state)
{
    (void)state;
    disk_install();
    variants_load();
    log_configure(&(struct log_settings){.level = LOG_ERROR + 1});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    variants_free();
    disk_remove();
    return 0;
}

static void the_same_seed_tells_the_same_story_twice(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        story_begin(false);
        assert_null(run_life(seed));
        uint64_t first = story_hash();

        story_begin(false);
        assert_null(run_life(seed));
        assert_int_equal(first, story_hash());
        story_begin(false);
        assert_null(run_cuts(seed, 3));
        assert_int_not_equal(first, story_hash());
    }
}

/* A daemon that has taken one demo request of contact 1. */
static void tell_one_fact(void)
{
    struct fact f = {.kind = FACT_CHANGE, .contact = 1, .at = BEGIN, .name = "demo_requested"};
    struct request_plan plan = {.n = 1};

    disk_format(1);
    story_begin(false);
    net_begin(1);
    services_begin(true);
    daemon_begin(BEGIN);
    memcpy(f.value, "true", sizeof "true");
    plan.facts[0] = fact_add(f);
    assert_true(daemon_start(4));
    assert_true(daemon_request(&plan));
    assert_true(daemon_write());
    oracle_check_leads();
    assert_null(story_broken());
}

static void the_oracle_sees_what_is_wrong_in_the_database(void **state)
{
    static const struct {
        const char *sql, *says;
    } wrongs[] = {
        {"DELETE FROM event", "lost"},
        {"INSERT INTO event SELECT 2, lead, prev, source, type, state, reason, occurred_at,"
         " received_at, request_id, body, body_sha256 FROM event",
         "twice"},
        {"UPDATE event SET body_sha256 = x'00'", "never sent"},
        {"DELETE FROM dedupe", "dedupe keys"},
        {"UPDATE lead SET score = score + 1", "score"},
        {"UPDATE lead SET properties = x''", "properties"},
        {"UPDATE lead SET crm_id = 2", "contact"},
        {"UPDATE lead SET ledger = '[]'", "ledger"},
        {"UPDATE terms SET points = 1", "ledger"},
        {"UPDATE lead SET last_event = NULL", "chain"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
        sqlite3 *db;

        tell_one_fact();
        assert_int_equal(sqlite3_open(variants_database(), &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, wrongs[i].sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        oracle_check_leads();
        if (!story_broken() || !strstr(story_broken(), wrongs[i].says))
            fail_msg("%s: %s", wrongs[i].sql, story_broken());
        run_clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_tells_the_same_story_twice),
        cmocka_unit_test(the_oracle_sees_what_is_wrong_in_the_database),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
