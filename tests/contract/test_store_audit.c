/* tests/contract/test_store_audit.c - every kind of damage is seen, and nothing where there is
 * none. */
#include "plant.h"
#include "store_world.h"

struct seen {
    size_t n;
    char text[4096];
};

static void see(void *self, const struct violation *v)
{
    struct seen *s = self;
    size_t used = strlen(s->text);

    s->n++;
    (void)!snprintf(s->text + used, sizeof s->text - used, "%s %lld: %s\n", v->table,
                    (long long)v->id, v->what);
}

static struct seen audit(struct world *w, size_t rows)
{
    struct audit_cursor c = {0};
    struct seen s = {0};
    bool done = false;

    for (int slices = 0; !done; slices++) {
        assert_true(slices < 1000);
        if (read_audit(w->reader, &c, rows, T0 + 10, see, &s, &done) != RC_OK)
            fail_msg("%s", reader_error(w->reader));
    }
    OK(read_integrity(w->reader, 1 << 30, see, &s));
    return s;
}

/* Two deals, the first of which has a contact; of the second the CRM is asked. */
static void put_objects(struct world *w, int64_t event)
{
    struct object o[2];

    for (int64_t i = 0; i < 2; i++) {
        o[i] = (struct object){.kind = OBJECT_DEAL, .record = {.portal_id = 5, .crm_id = 90 + i}};
        OK(store_object_add(w->store, &o[i]));
        assert_int_equal(o[i].id, i + 1);
    }
    OK(store_associate(w->store, &o[0], 77, true, T0));
    struct delivery d = {.event = event,
                         .route = STR("enrichment"),
                         .connector = STR("crm"),
                         .created_at = T0,
                         .due_at = T0};
    OK(store_delivery_add(w->store, &o[1].record, &d, &w->arena));
    assert_int_equal(d.lead, -2);
    OK(store_object_save(w->store, &o[1]));
}

/* Two, one in use after the other. */
static void put_models(struct world *w)
{
    for (int64_t i = 1; i <= 2; i++) {
        struct model_record m = {.name = STR("main"), .created_at = T0, .sidecar = STR("{}")};

        OK(store_model_add(w->store, &m));
        assert_int_equal(m.id, i);
        OK(store_model_use(w->store, 0, m.id, T0 + i, STR("activated")));
    }
}

/* Three leads, one merged into another, events of all states, deliveries of most. */
static void fill(struct world *w)
{
    OK(store_begin(w->store));
    int64_t a = put_lead(w, "ada@example.com"), b = put_lead(w, "bob@example.com");
    int64_t c = put_lead(w, "cleo@example.com");
    (void)put_row(w, a, "demo", T0 - 3, 1000);
    (void)put_row(w, b, "visit", T0 - 2, 1000);
    (void)put_row(w, b, "visit", T0 - 1, 1000);
    (void)put_delivery(w, a, "slack", T0);
    int64_t done = put_delivery(w, b, "slack", T0), dead = put_delivery(w, a, "notion", T0);
    move_lead(w, b, a);
    struct lead merged = get_lead(w, b);
    merged.state = LEAD_MERGED;
    merged.merged_into = a;
    OK(store_lead_save(w->store, &merged));
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = done,
                                                         .lead = a,
                                                         .connector = STR("slack"),
                                                         .verdict = ATTEMPT_DELIVERED,
                                                         .started_at = T0,
                                                         .ended_at = T0 + 1}));
    OK(store_attempt_end(w->store, &(struct attempt_end){.delivery = dead,
                                                         .lead = a,
                                                         .connector = STR("notion"),
                                                         .verdict = ATTEMPT_DEAD,
                                                         .started_at = T0,
                                                         .ended_at = T0 + 1,
                                                         .detail = STR("no such column")}));
    struct event odd = event_at(T0 + 5, 99);
    odd.state = EVENT_UNPROCESSABLE;
    odd.reason = STR("no objectId");
    (void)put_event(w, 0, &odd);
    OK(store_remote_set(w->store, a, STR("notion"), STR("page"), T0));
    put_objects(w, put_event_at(w, c, T0 + 6));
    put_models(w);
    OK(store_commit(w->store));
}

static void a_store_that_keeps_its_promises_is_found_so(void **state)
{
    struct world *w = *state;
    bool done = false;

    fill(w);
    for (size_t rows = 1; rows < 5; rows++)
        assert_string_equal(audit(w, rows).text, "");
    OK(store_begin(w->store));
    OK(store_purge_events(w->store, T0 + 1, INT64_MAX, 100, &done));
    OK(store_commit(w->store));
    assert_string_equal(audit(w, 1000).text, ""); /* what was purged is not missing */

    OK(store_begin(w->store)); /* nor is what a merge left of a score */
    struct lead merged = get_lead(w, 2);
    merged.score = 350;
    OK(store_lead_save(w->store, &merged));
    OK(store_commit(w->store));
    assert_string_equal(audit(w, 1000).text, "");
}

static const struct {
    const char *sql, *table, *what;
} damages[] = {
    {"UPDATE event SET state = 7 WHERE id = 1", "event", "its state is none that there is"},
    {"UPDATE event SET lead = NULL WHERE id = 1", "event", "belongs to no lead"},
    {"UPDATE event SET reason = NULL WHERE state = 1", "event", "without a reason"},
    {"UPDATE event SET body = '{}' WHERE id = 2", "event", "not the one that was committed"},
    {"UPDATE event SET body = NULL WHERE id = 2", "event", "nobody was erased"},
    {"UPDATE event SET occurred_at = received_at + 300001 WHERE id = 1", "event",
     "happened after it was received"},
    {"UPDATE event SET prev = 3 WHERE id = 3", "event", "the event before it is later"},
    {"UPDATE event SET prev = 1 WHERE id = (SELECT max(id) FROM event)", "event", "another lead's"},
    {"DELETE FROM event WHERE id = 2", "event", "the event before it is missing"},
    {"DELETE FROM event WHERE id = 2", "dedupe", "an event that is missing"},
    {"DELETE FROM event WHERE id = 2", "ledger", "its event is missing"},
    {"INSERT INTO dedupe VALUES (x'00', 1)", "dedupe", "is cut"},
    {"UPDATE lead SET state = 4 WHERE id = 3", "lead", "its state is none that there is"},
    {"UPDATE lead SET score = score + 1 WHERE id = 1", "lead", "is not fit and engagement"},
    {"UPDATE lead SET band = 9 WHERE id = 1", "lead", "its band is none that there is"},
    {"UPDATE lead SET properties = x'31' WHERE id = 1", "lead", "cannot be read"},
    {"UPDATE lead SET merged_into = 77 WHERE id = 2", "lead", "merged into a lead that is missing"},
    {"UPDATE lead SET erased = 1 WHERE id = 3", "lead", "something of it is left"},
    {"UPDATE lead SET told_churn = 1001 WHERE id = 3", "lead", "none of 0 to 100 %"},
    {"UPDATE lead SET last_event = 1 WHERE id = 3", "lead", "its newest event is another lead's"},
    {"UPDATE lead SET last_event = 4711 WHERE id = 3", "lead", "its newest event is missing"},
    {"UPDATE lead SET ledger = '[[1,1,2]]' WHERE id = 1", "lead", "its ledger cannot be read"},
    {"UPDATE lead SET ledger = '[' WHERE id = 1", "lead", "its ledger cannot be read"},
    {"UPDATE lead SET waiting = '[1' WHERE id = 3", "lead", "list of what waits cannot be read"},
    {"UPDATE lead SET waiting = '[77]' WHERE id = 1", "delivery", "its lead does not know of it"},
    {"UPDATE lead SET waiting = '' WHERE id = 1", "delivery", "its lead does not know of it"},
    {"DELETE FROM lead WHERE id = 1", "delivery", "its lead is missing"},
    {"DELETE FROM lead WHERE id = 1", "remote", "an object in a service"},
    {"UPDATE lead SET ledger = json_set(ledger, '$[0][3]', -77) WHERE id = 1", "ledger",
     "was received later"},
    {"UPDATE event SET replayed_at = received_at - 1 WHERE id = 1", "event",
     "took effect before it was received"},
    {"UPDATE event SET replayed_at = received_at WHERE state = 1", "event",
     "took effect and is not processed"},
    {"UPDATE lead SET erased = 1, email = NULL, ledger = '[]' WHERE id = 1; UPDATE attempt SET "
     "answer"
     " = x'00'",
     "attempt", "an answer about a lead that was erased"},
    {"DELETE FROM terms", "ledger", "the terms of a firing are missing"},
    {"UPDATE terms SET half_life = -1", "terms", "half-life is negative"},
    {"UPDATE delivery SET state = 6 WHERE id = 1", "delivery", "its state is none that there is"},
    {"UPDATE delivery SET done_at = 0 WHERE state = 2", "delivery", "it ended at no time"},
    {"UPDATE delivery SET done_at = 5 WHERE state = 0", "delivery", "it waits and has ended"},
    {"UPDATE delivery SET reason = '' WHERE state = 3", "delivery", "dead without a reason"},
    {"DELETE FROM attempt WHERE delivery = 2", "delivery", "delivered without an attempt"},
    {"DELETE FROM attempt WHERE delivery = 2", "delivery", "attempts of it are missing"},
    {"DELETE FROM event WHERE id = 4", "delivery", "its event is missing"},
    {"UPDATE delivery SET lead = 3 WHERE id = 1", "delivery", "another lead than its event's"},
    {"UPDATE lead SET erased = 1, email = NULL WHERE id = 1", "delivery", "that was erased"},
    {"UPDATE delivery SET due_at = 32503680000000 WHERE id = 1", "delivery",
     "no time that will come"},
    {"UPDATE delivery SET target = 9 WHERE id = 1", "delivery", "a subscription that has ended"},
    {"UPDATE delivery SET facts = '{' WHERE id = 1", "delivery", "facts cannot be read"},
    {"UPDATE delivery SET facts = '{}' WHERE id = 1", "delivery", "facts cannot be read"},
    {"DELETE FROM delivery WHERE id = 2", "attempt", "a delivery that is missing"},
    {"UPDATE attempt SET n = 3 WHERE delivery = 2", "attempt", "of the delivery is missing"},
    {"UPDATE object SET kind = 0 WHERE id = 1", "object", "its kind is none that there is"},
    {"UPDATE object SET state = 5 WHERE id = 1", "object", "its state is none that there is"},
    {"UPDATE object SET properties = x'31' WHERE id = 1", "object", "cannot be read"},
    {"UPDATE object SET state = 2, merged_into = 77 WHERE id = 1", "object",
     "merged into an object that is missing"},
    {"UPDATE object SET state = 2, merged_into = 2 WHERE id = 1", "object", "still has contacts"},
    {"DELETE FROM object WHERE id = 1", "association", "of an object that is missing"},
    {"UPDATE association SET portal_id = 99", "association", "another account's"},
    {"UPDATE lead SET portal_id = 5, crm_id = 77, erased = 1, email = NULL, properties = x'',"
     " ledger = '[]' WHERE id = 3",
     "association", "one that was erased"},
    {"DELETE FROM object WHERE id = 2", "delivery", "its object is missing"},
    {"UPDATE object SET waiting = '[]'", "delivery", "its object does not know"},
    {"UPDATE model SET goal = 5 WHERE id = 1", "model", "its goal is none that there is"},
    {"UPDATE model SET sidecar = x''", "model", "says nothing of itself"},
    {"DELETE FROM model WHERE id = 1", "model use", "of a model that is missing"},
    {"UPDATE model SET goal = 1 WHERE id = 1", "model use", "is for another goal"},
    {"UPDATE model_use SET below = 7 WHERE id = 2", "model use", "below it is later, missing"},
    {"UPDATE model_use SET goal = 1, model = 0 WHERE id = 1", "model use", "of another goal"},
    {"UPDATE queue SET depth = depth + 1", "queue", "not the number of deliveries that wait"},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX delivery_event ON "
     "delivery (lead)' WHERE name = 'delivery_event'",
     "file", "it is damaged"},
};

static void plant(struct world *w, const char *sql)
{
    store_close(w->store);
    w->store = NULL;
    plant_rows(w->path.at, sql);
    world_reopen(w);
}

static void every_kind_of_damage_is_seen(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        fill(w);
        assert_string_equal(audit(w, 1000).text, "");
        plant(w, damages[i].sql);
        struct seen s = audit(w, 3);
        struct str line = arena_printf(&w->arena, "%s ", damages[i].table);
        if (!strstr(s.text, damages[i].what) || !strstr(s.text, line.at))
            fail_msg("%s: seen was only: %s", damages[i].sql, s.text);
        store_close(w->store);
        w->store = NULL;
        assert_int_equal(unlink(w->path.at), 0);
        world_reopen(w);
    }
}

/* Writes noise over the 10th of the leaves (pages of type 13) that hold events. */
static void damage_an_event_page(const char *path)
{
    enum { PAGE = 4096, LEAF = 13 };
    char page[PAGE], noise[PAGE];
    int fd = open(path, O_RDWR), seen = 0;
    off_t at = 0;

    assert_true(fd >= 0);
    while (seen < 10) {
        assert_int_equal(pread(fd, page, PAGE, at), PAGE);
        seen += page[0] == LEAF && memmem(page, PAGE, "contact.propertyChange", 22);
        at += PAGE;
    }
    memset(noise, 0xa5, PAGE);
    assert_int_equal(pwrite(fd, noise, PAGE, at - PAGE), PAGE);
    assert_int_equal(close(fd), 0);
}

/* A page that is none, under a daemon that runs: the next table is looked at all the same. */
static void a_table_that_is_damaged_is_told_and_the_next_is_looked_at(void **state)
{
    struct world *w = *state;

    fill(w);
    OK(store_begin(w->store));
    for (int i = 0; i < 2000; i++)
        (void)put_event_at(w, 3, T0 + 100 + i);
    OK(store_commit(w->store));
    plant(w, "UPDATE lead SET band = 9 WHERE id = 1; PRAGMA wal_checkpoint(TRUNCATE)");
    store_close(w->store);
    w->store = NULL;
    damage_an_event_page(w->path.at);
    world_reopen(w);
    struct seen s = audit(w, 5000);
    if (!strstr(s.text, "it is damaged") || !strstr(s.text, "its band is none that there is"))
        fail_msg("seen was only: %s", s.text);
    store_close(w->store);
    w->store = NULL;
    assert_int_equal(unlink(w->path.at), 0);
    world_reopen(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_store_that_keeps_its_promises_is_found_so),
        RUN(every_kind_of_damage_is_seen),
        RUN(a_table_that_is_damaged_is_told_and_the_next_is_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
