/* tests/unit/test_pipeline_groups.c - group commit: what waits goes together, or not at all. */
#include "fault_vfs.h"
#include "pipeline_world.h"

enum { GROUP = 3 };

static struct intake intake_of(struct pipeline *p, int64_t contact, const char *value)
{
    struct str element = change_json(p, contact, "page", value, p->now);

    return decoded(p, "hubspot", arena_printf(&p->w->arena, "[%.*s]", STR_ARG(element)));
}

static void what_waits_is_committed_together(void **state)
{
    struct pipeline *p = *state;
    struct intake in[GROUP];

    load(p, PLAIN_CONF);
    for (int i = 0; i < GROUP; i++) {
        in[i] = intake_of(p, 7, i == 2 ? "b" : "a");
        submit(p, &in[i].work, WORK_INTAKE);
    }
    step(p);
    COUNTS(in[0], 1, 0, 0);
    COUNTS(in[1], 0, 1, 0); /* of its neighbour, which is not committed yet */
    COUNTS(in[2], 1, 0, 0);
    struct sbuf page AUTO(sbuf_free) = SBUF(1 << 20);
    metrics_render(&page);
    assert_non_null(str_find(sbuf_str(&page), STR("funneld_commit_events_sum 2\n")));
    assert_non_null(str_find(sbuf_str(&page), STR("funneld_commit_events_count 1\n")));
}

static void a_commit_takes_no_more_than_its_weight(void **state)
{
    struct pipeline *p = *state;
    struct intake in[GROUP];

    load(p, PLAIN_CONF);
    for (int i = 0; i < 2; i++) {
        in[i] = intake_of(p, 7 + i, "a");
        in[i].work.mail.weight = COMMIT_WEIGHT * 2 / 3;
    }
    submit(p, &in[0].work, WORK_INTAKE);
    in[1].work.kind = WORK_INTAKE;
    in[1].work.done = work_done;
    assert_int_equal(writer_submit(p->writer, &in[1].work), RC_BUSY); /* the box is as small */
    step(p);
    COUNTS(in[0], 1, 0, 0);
    OK(writer_submit(p->writer, &in[1].work));
    step(p);
    COUNTS(in[1], 1, 0, 0);
}

static void verdicts_and_commands_are_taken_when_intake_is_not(void **state)
{
    struct pipeline *p = *state;
    struct retry_filter all = {0};
    struct command c = {.kind = COMMAND_RETRY, .arg = &all};

    load(p, PLAIN_CONF);
    struct intake in = intake_of(p, 7, "a");
    in.work.mail.weight = COMMIT_WEIGHT;
    submit(p, &in.work, WORK_INTAKE);
    submit(p, &c.work, WORK_COMMAND);
    step(p);
    COUNTS(in, 1, 0, 0);
    if (c.work.mail.weight)
        step(p);
    assert_int_equal(c.work.mail.weight, 0);
}

/* max_size below what is there: nothing can grow. */
static void set_max_size(struct pipeline *p, int64_t bytes)
{
    struct store_settings s = p->w->settings;

    s.max_size = bytes;
    store_limits(p->w->store, &s);
}

/* Nobody sends to a place that calls itself unhealthy. */
static void a_full_store_finds_out_by_itself_that_there_is_room(void **state)
{
    struct pipeline *p = *state;
    char big[64 * 1024];

    load(p, PLAIN_CONF);
    change(p, 1, "page", "a");
    set_max_size(p, 1);
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    struct intake in = intake_of(p, 7, big);
    submit(p, &in.work, WORK_INTAKE);
    step(p);
    assert_int_equal(in.work.rc, RC_FULL);
    step(p); /* nothing waits, and there is still no room */
    assert_int_equal(atomic_load(&health.store), STORE_FULL);
    set_max_size(p, 0);
    step(p);
    assert_int_equal(atomic_load(&health.store), STORE_OK);
}

static void a_full_store_fails_the_whole_group_and_recovers(void **state)
{
    struct pipeline *p = *state;
    struct intake in[GROUP];
    char big[64 * 1024];
    const struct list_filter all = {.limit = 1000};
    struct shown before = {0}, after = {0};

    load(p, PLAIN_CONF);
    change(p, 1, "page", "a");
    OK(read_events(p->w->reader, &all, show_event, &before));
    set_max_size(p, 1);
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    size_t notices = p->notices;
    for (int i = 0; i < GROUP; i++) {
        in[i] = intake_of(p, 7 + i, i == 1 ? big : "demo");
        submit(p, &in[i].work, WORK_INTAKE);
    }
    step(p);
    for (int i = 0; i < GROUP; i++)
        assert_int_equal(in[i].work.rc, RC_FULL);
    OK(read_events(p->w->reader, &all, show_event, &after));
    assert_int_equal(after.n, before.n);
    assert_int_equal(p->notices, notices);
    assert_int_equal(p->failures, 0);
    assert_int_equal(atomic_load(&health.store), STORE_FULL);
    assert_true(counted(METRIC_EVENTS_RECEIVED, "hubspot", "contact.propertyChange") == 1);
    assert_false(has_contact(p, 7));

    set_max_size(p, 0);
    for (int i = 0; i < GROUP; i++) {
        run(p, &in[i].work, WORK_INTAKE);
        COUNTS(in[i], 1, 0, 0);
    }
    assert_int_equal(atomic_load(&health.store), STORE_OK);
}

static enum rc make_room(struct store *st, void *arg, struct why *why)
{
    (void)why;
    store_limits(st, arg);
    return RC_OK;
}

/* Senders do not stop while the operator raises max_size. */
static void a_command_does_not_fail_with_events_that_find_no_room(void **state)
{
    struct pipeline *p = *state;
    char big[64 * 1024];
    struct command room = {.kind = COMMAND_CALL, .fn = make_room, .arg = &p->w->settings};

    load(p, PLAIN_CONF);
    set_max_size(p, 1);
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    struct intake first = intake_of(p, 7, big), last = intake_of(p, 8, "a");
    submit(p, &first.work, WORK_INTAKE);
    submit(p, &room.work, WORK_COMMAND);
    submit(p, &last.work, WORK_INTAKE);
    step(p);
    assert_int_equal(first.work.rc, RC_FULL);
    assert_int_equal(last.work.rc, RC_FULL);
    OK(room.work.rc);
    assert_int_equal(atomic_load(&health.store), STORE_FULL); /* an event has yet to fit */
    assert_false(has_contact(p, 8));
    run(p, &first.work, WORK_INTAKE);
    COUNTS(first, 1, 0, 0);
    assert_int_equal(atomic_load(&health.store), STORE_OK);
}

/* Between commit and checkpoint: the latter finds no room in the file. */
static void done_and_fill_disk(struct work *work)
{
    fault_arm((struct fault){.only = "xWrite", .kind = FAULT_FULL, .times = 1});
    work_done(work);
}

static size_t lines_logged(const char *path, const char *word)
{
    FILE *f = fopen(path, "r");
    char line[512];
    size_t n = 0;

    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        n += strstr(line, word) != NULL;
    assert_int_equal(fclose(f), 0);
    return n;
}

static void change_on_full_disk(struct pipeline *p, const char *value)
{
    struct intake in = intake_of(p, 7, value);

    submit(p, &in.work, WORK_INTAKE);
    in.work.done = done_and_fill_disk;
    step(p);
    COUNTS(in, 1, 0, 0);
    assert_true(fault_fired());
    fault_clear();
}

static void a_checkpoint_that_finds_no_room_is_logged_once(void **state)
{
    struct pipeline *p = *state;
    struct store_settings eager = p->w->settings;
    struct str log = arena_printf(&p->w->arena, "%s/log", p->w->dir);

    eager.checkpoint = 1;
    store_limits(p->w->store, &eager);
    load(p, PLAIN_CONF);
    int fd = open(log.at, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600),
        old = dup(STDERR_FILENO);
    assert_true(fd >= 0 && old >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    change_on_full_disk(p, "a");
    change_on_full_disk(p, "b");
    enum store_health full = (enum store_health)atomic_load(&health.store);
    size_t while_full = lines_logged(log.at, "level=error ev=store.failed");
    step(p); /* finds that there is room, and copies what waited */
    change(p, 7, "page", "c");
    size_t afterwards = lines_logged(log.at, "ev=store.");
    assert_true(dup2(old, STDERR_FILENO) >= 0 && close(old) == 0 && close(fd) == 0);
    assert_int_equal(full, STORE_FULL);
    assert_int_equal(while_full, 1);
    assert_int_equal(afterwards, 2);
    assert_int_equal(lines_logged(log.at, "level=error ev=store.failed"), 1);
    assert_int_equal(atomic_load(&health.store), STORE_OK);
}

static void count_lead(void *self, const struct lead *l)
{
    (void)l;
    ++*(int64_t *)self;
}

static enum rc look_and_fail(struct store *st, void *arg, struct why *why)
{
    OK(store_begin(st)); /* it has the store for itself */
    store_rollback(st);
    OK(read_leads(store_reader(st), &(struct list_filter){.limit = 9}, count_lead, arg));
    return why_fail(RC_IO, why, "the copy cannot be written");
}

static void a_chore_is_done_after_the_commit_and_fails_alone(void **state)
{
    struct pipeline *p = *state;
    int64_t leads = 0;
    struct command c = {.kind = COMMAND_CHORE, .fn = look_and_fail, .arg = &leads};

    load(p, PLAIN_CONF);
    submit(p, &c.work, WORK_COMMAND); /* taken together with the event behind it */
    struct intake in = intake_of(p, 7, "a");
    submit(p, &in.work, WORK_INTAKE);
    step(p);
    COUNTS(in, 1, 0, 0);
    assert_int_equal(leads, 1);
    assert_int_equal(c.work.rc, RC_IO);
    assert_string_equal(c.why.text, "the copy cannot be written");
    assert_int_equal(p->failures, 0);
    change(p, 8, "page", "b"); /* the store is well */
}

static enum rc refuse_call(struct store *st, void *arg, struct why *why)
{
    (void)st;
    return why_fail(*(enum rc *)arg, why, "I will not");
}

static void a_command_that_fails_fails_alone(void **state)
{
    struct pipeline *p = *state;
    enum rc wanted = RC_INVALID;
    struct command c = {.kind = COMMAND_CALL, .fn = refuse_call, .arg = &wanted};

    load(p, PLAIN_CONF);
    struct intake in = intake_of(p, 7, "a");
    submit(p, &in.work, WORK_INTAKE);
    submit(p, &c.work, WORK_COMMAND);
    struct intake last = intake_of(p, 8, "a");
    submit(p, &last.work, WORK_INTAKE);
    step(p);
    COUNTS(in, 1, 0, 0);
    COUNTS(last, 1, 0, 0);
    assert_int_equal(c.work.rc, RC_INVALID);
    assert_string_equal(c.why.text, "I will not");
}

/* The second of two reports is nonsense: what the first had released is not told. */
static void reports_that_fail_together_tell_nothing(void **state)
{
    struct pipeline *p = *state;
    static const char conf[] =
        CRM_CONF "[route demo]\nwhen = event.property == \"demo_requested\"\nto = sales-slack\n"
                 "wait_for = enrichment\n";

    load(p, conf);
    change(p, 7, "demo_requested", "true");
    struct delivery asked = deliveries(p, "crm", "pending").items[0];
    struct delivery held_back = deliveries(p, "sales-slack", "pending").items[0];
    struct attempt_end ends[] = {
        {.delivery = asked.id, .lead = asked.lead, .connector = asked.connector, .enriched = true},
        {.delivery = held_back.id, .verdict = (enum attempt_verdict)9},
    };
    struct verdicts v = {.ends = ends, .n = ARRAY_LEN(ends)};
    size_t notices = p->notices;
    p->now += 1000;
    struct intake in = intake_of(p, 8, "a");
    submit(p, &v.work, WORK_VERDICTS);
    submit(p, &in.work, WORK_INTAKE);
    step(p);
    assert_int_equal(v.work.rc, RC_INVALID);
    COUNTS(in, 1, 0, 0);
    assert_int_equal(p->notices, notices + 1); /* the question about 8 */
    assert_int_equal(get_delivery(p->w, asked.id).state, DELIVERY_PENDING);
    assert_int_equal(get_delivery(p->w, asked.id).attempts, 0);
    assert_int_equal(contact_lead(p, 7).enriched_at, 0);
}

static void an_io_error_asks_for_a_restart(void **state)
{
    struct pipeline *p = *state;
    enum rc wanted = RC_IO;
    struct command c = {.kind = COMMAND_CALL, .fn = refuse_call, .arg = &wanted};

    load(p, PLAIN_CONF);
    struct intake in = intake_of(p, 7, "a");
    submit(p, &in.work, WORK_INTAKE);
    submit(p, &c.work, WORK_COMMAND);
    step(p);
    assert_int_equal(in.work.rc, RC_IO);
    assert_int_equal(c.work.rc, RC_IO);
    assert_int_equal(p->failures, 1);
    assert_int_equal(atomic_load(&health.store), STORE_FAILED);
    assert_false(has_contact(p, 7));
}

static void new_rules_hold_for_what_came_after_them(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    struct intake in = intake_of(p, 7, "/pricing");
    struct intake last = intake_of(p, 8, "/pricing");
    submit(p, &in.work, WORK_INTAKE);
    struct command c = rules_command(
        p, BASIC_SOURCES "[rule pricing]\nwhen = event.property == \"page\"\npoints = 1\n");
    submit(p, &c.work, WORK_COMMAND);
    submit(p, &last.work, WORK_INTAKE);
    step(p);
    OK(c.work.rc);
    assert_int_equal(contact_lead(p, 7).score, 255);
    assert_int_equal(contact_lead(p, 8).score, 10);
}

static void the_first_rules_and_the_first_event_may_share_a_group(void **state)
{
    struct pipeline *p = *state;
    struct command c = rules_command(p, PLAIN_CONF);
    struct intake in = intake_of(p, 7, "/pricing");

    submit(p, &c.work, WORK_COMMAND);
    submit(p, &in.work, WORK_INTAKE);
    step(p);
    COUNTS(in, 1, 0, 0);
    assert_int_equal(contact_lead(p, 7).score, 255);
}

/* Rules that were not committed are the sender's to drop, and the old ones go on. */
static void rules_of_a_failed_group_are_not_taken_over(void **state)
{
    struct pipeline *p = *state;
    enum rc wanted = RC_FULL;
    struct command failing = {.kind = COMMAND_CALL, .fn = refuse_call, .arg = &wanted};

    load(p, PLAIN_CONF);
    const struct rules *old = p->rules;
    struct command c = rules_command(
        p, BASIC_SOURCES "[rule pricing]\nwhen = event.property == \"page\"\npoints = 1\n");
    submit(p, &c.work, WORK_COMMAND);
    submit(p, &failing.work, WORK_COMMAND);
    step(p);
    assert_int_equal(c.work.rc, RC_FULL);
    ref_drop(p->rules->owner);
    p->rules = old;
    struct intake in = intake_of(p, 7, "/pricing");
    run(p, &in.work, WORK_INTAKE);
    assert_int_equal(contact_lead(p, 7).score, 255);
}

static void a_closed_writer_still_does_what_waits(void **state)
{
    struct pipeline *p = *state;
    struct retry_filter all = {0};
    struct command c = {.kind = COMMAND_RETRY, .arg = &all};

    load(p, PLAIN_CONF);
    struct intake in = intake_of(p, 7, "a"), late = intake_of(p, 8, "a");
    submit(p, &in.work, WORK_INTAKE);
    writer_close(p->writer);
    late.work.kind = WORK_INTAKE;
    late.work.mail.weight = 1;
    assert_int_equal(writer_submit(p->writer, &late.work), RC_CLOSED);
    c.work.kind = WORK_COMMAND;
    assert_int_equal(writer_submit(p->writer, &c.work), RC_CLOSED);
    assert_true(writer_step(p->writer, p->now, 0));
    COUNTS(in, 1, 0, 0);
    assert_false(writer_step(p->writer, p->now, 0));
}

static void a_step_without_work_does_nothing(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    step(p);
    assert_true(metric_value(metric(METRIC_COMMIT_SECONDS, STR_NULL, STR_NULL)) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(what_waits_is_committed_together),
        CHECKS(a_commit_takes_no_more_than_its_weight),
        CHECKS(verdicts_and_commands_are_taken_when_intake_is_not),
        CHECKS(a_full_store_finds_out_by_itself_that_there_is_room),
        CHECKS(a_full_store_fails_the_whole_group_and_recovers),
        CHECKS(a_command_does_not_fail_with_events_that_find_no_room),
        CHECKS(a_checkpoint_that_finds_no_room_is_logged_once),
        CHECKS(a_command_that_fails_fails_alone),
        CHECKS(a_chore_is_done_after_the_commit_and_fails_alone),
        CHECKS(reports_that_fail_together_tell_nothing),
        CHECKS(an_io_error_asks_for_a_restart),
        CHECKS(new_rules_hold_for_what_came_after_them),
        CHECKS(the_first_rules_and_the_first_event_may_share_a_group),
        CHECKS(rules_of_a_failed_group_are_not_taken_over),
        CHECKS(a_closed_writer_still_does_what_waits),
        CHECKS(a_step_without_work_does_nothing),
    };

    fault_install(); /* it also leaves out the syncs */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fault_remove();
    return failed;
}
