/* tests/unit/test_cli_past.c - a lead and its rules as they were, rebuilt from what is stored. */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/cli/past.h"

/* The connector has the name of a source on purpose. */
static const char conf_text[] = "[server]\npublic_url = https://h.example\n"
                                "[source hubspot]\ntype = hubspot\nsecret = s\n"
                                "[source zapier]\ntype = zapier\nsecret = s\n"
                                "[connector hubspot]\ntype = hubspot\ntoken = t\n"
                                "[rule present]\nwhen = lead.email contains \"@\"\npoints = 1\n"
                                "[store]\npath = ";

static char folder[] = "/tmp/funneld-past-XXXXXX";
static struct cli cli;
static struct store *store;
static struct lead lead;

static const char *file(const char *name)
{
    return arena_printf(&cli.arena, "%s/%s", folder, name).at;
}

static int stop(void **state)
{
    static const char *const files[] = {"t.db", "t.db-wal", "t.db-shm", "t.db.lock", "f.conf"};

    (void)state;
    store_close(store);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlink(file(files[i])); /* not all are there */
    ref_drop(&cli.config->ref);
    arena_free(&cli.arena);
    return rmdir(folder);
}

/* An event of the lead as the writer would have stored it. */
static void stored(const char *source, const char *type, int64_t received_at, const char *body)
{
    struct event e = {
        .source = str_of(source),
        .type = str_of(type),
        .received_at = received_at,
        .occurred_at = received_at,
        .request_id = STR("r"),
        .body = body ? str_of(body) : STR("{}"),
    };
    int64_t id = 0;

    memcpy(e.key.bytes, &received_at, sizeof received_at);
    assert_int_equal(store_dedupe(store, &e, &id), RC_OK);
    assert_int_equal(store_event_add(store, id, &lead, &e, body != NULL, e.received_at), RC_OK);
    assert_int_equal(store_lead_save(store, &lead), RC_OK);
}

static void fill(void)
{
    stored("zapier", "zapier.event", 1000,
           "{\"email\":\"ada@example.com\",\"company\":\"A\",\"occurred_at\":900}");
    stored("hubspot", "contact.propertyChange", 2000,
           "{\"eventId\":1,\"portalId\":5,\"objectId\":6,\"occurredAt\":1500,"
           "\"subscriptionType\":\"contact.propertyChange\",\"propertyName\":\"company\","
           "\"propertyValue\":\"B\"}");
    stored("hubspot", "contact.enriched", 3000,
           "{\"objectId\":6,\"portalId\":5,\"properties\":{\"company\":\"C\",\"phone\":null},"
           "\"updatedAt\":1200}");
    stored("hubspot", "contact.enriched", 4000,
           "{\"objectId\":6,\"portalId\":5,\"properties\":{\"phone\":\"123\"},\"updatedAt\":3500}");
    stored("zapier", "zapier.event", 5000, NULL); /* erased */
    stored("gone", "zapier.event", 6000, "{\"email\":\"x@y.z\"}");
    stored("zapier", "zapier.event", 7000, "not JSON");
}

static int start(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    FILE *f = fopen(file("f.conf"), "we");
    assert_non_null(f);
    assert_true(fprintf(f, "%s%s/t.db\n", conf_text, folder) > 0);
    assert_int_equal(fclose(f), 0);
    cli.config = config_load(file("f.conf"), 1);
    assert_int_equal(cli.config->problems.n, 0);
    assert_int_equal(store_open(&cli.config->store, 1, &store, NULL), RC_OK);
    cli.reader = store_reader(store);
    lead = (struct lead){.created_at = 1};
    assert_int_equal(store_lead_add(store, &lead), RC_OK);
    fill();
    return 0;
}

static struct str company(int64_t at)
{
    struct lead then = {0};

    assert_int_equal(past_lead(&cli, &lead, at, &then), DONE);
    return lead_get(&then, STR("company"));
}

static void only_what_was_received_by_then_counts(void **state)
{
    struct lead then = {.id = 77};

    (void)state;
    assert_int_equal(past_lead(&cli, &lead, 999, &then), DONE);
    assert_int_equal(then.id, lead.id);
    assert_int_equal(then.n_properties, 0);
    assert_null(then.email.at);
    assert_true(str_is(company(1000), "A"));
    assert_true(str_is(company(1999), "A"));
    assert_true(str_is(company(2000), "B"));
}

static void newest_news_win_not_the_last_to_come(void **state)
{
    (void)state;
    assert_true(str_is(company(3000), "B")); /* the record read was older */
}

static void address_of_a_form_is_the_leads(void **state)
{
    struct lead then = {0};

    (void)state;
    assert_int_equal(past_lead(&cli, &lead, 1000, &then), DONE);
    assert_true(str_is(then.email, "ada@example.com"));
}

static void records_read_by_a_connector_named_like_a_source_are_understood(void **state)
{
    struct lead then = {0};

    (void)state;
    assert_int_equal(past_lead(&cli, &lead, 3999, &then), DONE);
    assert_null(lead_get(&then, STR("phone")).at);
    assert_int_equal(past_lead(&cli, &lead, 4000, &then), DONE);
    assert_true(str_is(lead_get(&then, STR("phone")), "123"));
}

static void what_cannot_be_read_any_more_is_left_out(void **state)
{
    struct lead then = {0};

    (void)state;
    assert_int_equal(past_lead(&cli, &lead, 9999, &then), DONE);
    assert_true(str_is(lead_get(&then, STR("company")), "B"));
    assert_true(str_is(lead_get(&then, STR("phone")), "123"));
    assert_true(str_is(then.email, "ada@example.com"));
}

/* Last, for it takes away what the others ask for. */
static void what_was_set_by_purged_events_is_known_as_far_back_as_events_are_kept(void **state)
{
    struct lead now = lead, then = {0};
    bool done = false;

    (void)state;
    assert_int_equal(past_lead(&cli, &lead, 9999, &now), DONE); /* what the writer had folded */
    assert_int_equal(store_purge_events(store, 2500, INT64_MAX, 10, &done), RC_OK);
    assert_int_equal(past_lead(&cli, &now, 2500, &then), DONE);
    assert_true(str_is(lead_get(&then, STR("company")), "B")); /* by an event that is gone */
    assert_null(lead_get(&then, STR("phone")).at);             /* by one that came later */
    assert_int_equal(past_lead(&cli, &now, 2000, &then), FAILED);
}

static const struct scorecard *card_of(int64_t at)
{
    const struct scorecard *card = NULL;

    assert_int_equal(past_scorecard(&cli, at, &card), DONE);
    return card;
}

static void rules_are_those_that_were_loaded_then(void **state)
{
    const struct scorecard *card;

    (void)state;
    assert_int_equal(store_ruleset_add(store,
                                       STR("[score]\nwarm=1\nhot=2.5\n\n[rule old]\n"
                                           "when=event.type == \"a\"\npoints=-7\nhalf_life=1d\n"),
                                       2000),
                     RC_OK);
    assert_int_equal(store_ruleset_add(store, cli.config->scorecard.text, 3000), RC_OK);
    assert_ptr_equal(card_of(1999), &cli.config->scorecard); /* none is known from then */
    card = card_of(2999);
    assert_int_equal(card->n_rules, 1);
    assert_true(str_is(card->rules[0].name, "old"));
    assert_int_equal(card->rules[0].points, -70);
    assert_true(card->rules[0].engagement);
    assert_int_equal(card->hot, 25);
    card = card_of(3000);
    assert_true(str_is(card->rules[0].name, "present"));
    assert_int_equal(card->rules[0].points, 10);
}

static void rules_that_cannot_be_read_any_more_are_a_failure(void **state)
{
    const struct scorecard *card;

    (void)state;
    assert_int_equal(store_ruleset_add(store, STR("[rule r]\nwhen=lead.a ~ 5\npoints=1\n"), 9000),
                     RC_OK);
    assert_int_equal(past_scorecard(&cli, 9000, &card), FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_received_by_then_counts),
        cmocka_unit_test(newest_news_win_not_the_last_to_come),
        cmocka_unit_test(address_of_a_form_is_the_leads),
        cmocka_unit_test(records_read_by_a_connector_named_like_a_source_are_understood),
        cmocka_unit_test(what_cannot_be_read_any_more_is_left_out),
        cmocka_unit_test(rules_are_those_that_were_loaded_then),
        cmocka_unit_test(rules_that_cannot_be_read_any_more_are_a_failure),
        cmocka_unit_test(what_was_set_by_purged_events_is_known_as_far_back_as_events_are_kept),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
