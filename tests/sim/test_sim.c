/* tests/sim/test_sim.c - the simulation itself: the same seed tells the same story, and the oracle
 * sees what is wrong. */
#include "cm.h"

#include <sqlite3.h>
#include <string.h>

#include "daemon.h"
#include "disk.h"
#include "driver.h"
#include "funneld/base/clock.h"
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

/* A daemon that has taken the first n facts of contact 1. */
static void tell_facts(size_t n, int variant)
{
    static const struct fact facts[] = {
        {FACT_CHANGE, .contact = 1, .at = BEGIN, .name = "demo_requested", .value = "true"},
        {FACT_CHANGE, .contact = 1, .at = BEGIN, .name = "page", .value = "pricing"},
    };
    struct request_plan plan = {.n = n};

    disk_format(1);
    story_begin(false);
    net_begin(1);
    for (int s = 0; s < SERVICES; s++)
        net_set_mood((enum service)s, NET_PERFECT);
    services_begin(true);
    daemon_begin(BEGIN);
    for (size_t i = 0; i < n; i++)
        plan.facts[i] = fact_add(facts[i]);
    assert_true(daemon_start(variant));
    assert_true(daemon_request(&plan));
    assert_true(daemon_write());
    oracle_check_leads();
    assert_null(story_broken());
}

static void change_database(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(variants_database(), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void expect_broken(const char *plant, const char *says)
{
    if (!story_broken() || !strstr(story_broken(), says))
        fail_msg("%s: %s", plant, story_broken() ? story_broken() : "nothing was seen");
}

static void the_oracle_sees_what_is_wrong_in_the_database(void **state)
{
    static const struct {
        const char *sql, *says;
    } wrongs[] = {
        {"DELETE FROM event", "lost"},
        {"INSERT INTO event (id, lead, prev, source, type, state, reason, occurred_at, received_at,"
         " request_id, body, body_sha256) SELECT 2, lead, prev, source, type, state, reason, "
         "occurred_at,"
         " received_at, request_id, body, body_sha256 FROM event",
         "twice"},
        {"UPDATE event SET received_at = received_at + 1", "another time"},
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
        tell_facts(1, 4);
        change_database(wrongs[i].sql);
        oracle_check_leads();
        expect_broken(wrongs[i].sql, wrongs[i].says);
        run_clear();
    }
}

/* What a service did beside what it was asked for. */

static void do_at(serve *service, const char *method, const char *path, struct str body)
{
    struct arena a AUTO(arena_free) = {0};
    struct sbuf answer AUTO(sbuf_free) = SBUF(65536);
    struct exchange x = {.now = daemon_now(),
                         .method = str_of(method),
                         .path = str_of(path),
                         .body = body,
                         .arena = &a,
                         .answer = &answer};

    service(&x);
    assert_int_equal(x.status, 200);
}

static void post_at(serve *service, const char *delivery)
{
    struct arena a AUTO(arena_free) = {0};

    do_at(service, "POST", "/api/chat.postMessage",
          arena_printf(&a, "{\"metadata\":{\"event_payload\":{\"delivery\":\"%s\"}}}", delivery));
}

static void write_page(const char *method, const char *path, double score)
{
    struct arena a AUTO(arena_free) = {0};
    size_t n;

    do_at(notion_serve, method, path,
          arena_printf(&a,
                       "{\"properties\":{\"lead\":{\"rich_text\":[{\"text\":{\"content\":"
                       "\"%s\"}}]},\"score\":{\"number\":%.1f}}}",
                       notion_pages(&n)->lead, score));
}

static void a_second_message(void)
{
    post_at(slack_serve, slack_posts()->items[0].delivery);
}

static void a_second_message_of_the_webhook(void)
{
    post_at(hook_serve, hook_posts()->items[0].delivery);
}

static void a_message_of_nobody(void)
{
    post_at(slack_serve, "01234567-1");
}

static void messages_the_other_way_round(void)
{
    const struct posts posts = *slack_posts(), hooked = *hook_posts();

    slack_begin(true);
    post_at(hook_serve, hooked.items[0].delivery);
    for (size_t i = posts.n; i-- > 0;)
        post_at(slack_serve, posts.items[i].delivery);
}

static void a_second_page(void)
{
    write_page("POST", "/v1/pages", 60.5);
}

static void an_older_state_of_the_page(void)
{
    write_page("PATCH", "/v1/pages/page-0", 35);
}

static void the_oracle_sees_what_is_wrong_with_the_deliveries(void **state)
{
    static const struct {
        const char *what; /* SQL, where there is no plant */
        void (*plant)(void);
        const char *says;
    } wrongs[] = {
        {"a message again", a_second_message, "sales-slack got it again"},
        {"again by webhook", a_second_message_of_the_webhook, "hook got it again"},
        {"a message of nobody", a_message_of_nobody, "nobody sent"},
        {"another order", messages_the_other_way_round, "came after"},
        {"a missing row", sheets_begin, "lead-log never got it"},
        {"a second page", a_second_page, "2 pages"},
        {"a missing page", notion_begin, "no page"},
        {"an older page", an_older_state_of_the_page, "newest state"},
        {"UPDATE delivery SET state = 3, reason = NULL WHERE id = 1", NULL, "without a reason"},
        {"UPDATE delivery SET state = 3, reason = 'no' WHERE connector = 'sales-slack'", NULL,
         "nobody refused"},
        {"UPDATE delivery SET state = 0 WHERE id = 1", NULL, "waits for ever"},
        {"UPDATE delivery SET state = 4 WHERE connector = 'lead-log'", NULL, "was superseded"},
        {"UPDATE delivery SET state = 4 WHERE connector = 'lead-book'", NULL, "by none"},
        {"UPDATE delivery SET state = 5 WHERE id = 1", NULL, "was cancelled"},
        {"DELETE FROM delivery WHERE id = (SELECT max(id) FROM delivery)", NULL, "instead of"},
        {"UPDATE delivery SET route = 'page' WHERE connector = 'hook'", NULL, "route"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
        tell_facts(2, 0);
        while (!daemon_is_quiet())
            daemon_pass(HOURS_MS);
        oracle_check();
        assert_null(story_broken());
        assert_int_equal(slack_posts()->n, 2);
        if (wrongs[i].plant)
            wrongs[i].plant();
        else
            change_database(wrongs[i].what);
        oracle_check();
        expect_broken(wrongs[i].what, wrongs[i].says);
        run_clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_tells_the_same_story_twice),
        cmocka_unit_test(the_oracle_sees_what_is_wrong_in_the_database),
        cmocka_unit_test(the_oracle_sees_what_is_wrong_with_the_deliveries),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
