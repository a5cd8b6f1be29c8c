/* tests/unit/test_pipeline_life.c - the writer's beginning and end: without rules, broken, closed.
 */
#include "pipeline_world.h"

#include <sys/stat.h>

#include "refused_step.h"

static struct intake news_of(struct pipeline *p, int64_t contact)
{
    struct str element = change_json(p, contact, "page", "a", p->now);

    return decoded(p, "hubspot", arena_printf(&p->w->arena, "[%.*s]", STR_ARG(element)));
}

struct calls {
    int n;
    enum rc rc; /* what each answers */
};

static enum rc count_call(struct store *st, void *arg, struct why *why)
{
    struct calls *c = arg;

    (void)st;
    return why_fail(c->rc, why, "call %d", ++c->n);
}

static void a_writer_that_never_got_rules_ends_as_well(void **state)
{
    struct pipeline *p = *state;
    const struct writer_ports ports = {.store = p->w->store};

    writer_free(NULL);
    writer_free(writer_new(&ports, 1));
}

static void a_command_that_was_withdrawn_is_not_done(void **state)
{
    struct pipeline *p = *state;
    struct calls calls = {.rc = RC_IO};
    struct command c = {.kind = COMMAND_CALL, .fn = count_call, .arg = &calls};

    load(p, PLAIN_CONF);
    atomic_store(&c.stage, COMMAND_WITHDRAWN);
    run(p, &c.work, WORK_COMMAND);
    assert_int_equal(p->rc, RC_TIMEOUT);
    assert_int_equal(calls.n, 0);
    assert_int_equal(p->failures, 0);
    change(p, 7, "page", "a"); /* it failed alone */
}

static void a_broken_writer_does_nothing_any_more(void **state)
{
    struct pipeline *p = *state;
    struct calls calls = {.rc = RC_IO};
    struct command breaking = {.kind = COMMAND_CALL, .fn = count_call, .arg = &calls};
    struct command chore = {.kind = COMMAND_CHORE, .fn = count_call, .arg = &calls};

    load(p, PLAIN_CONF);
    run(p, &breaking.work, WORK_COMMAND);
    assert_int_equal(p->rc, RC_IO);
    assert_int_equal(calls.n, 1);
    struct intake in = news_of(p, 7);
    run(p, &in.work, WORK_INTAKE);
    assert_int_equal(p->rc, RC_IO);
    assert_false(has_contact(p, 7));
    run(p, &chore.work, WORK_COMMAND);
    assert_int_equal(p->rc, RC_IO);
    assert_int_equal(calls.n, 1);
    step(p); /* nor does it look for room */
    assert_int_equal(atomic_load(&health.store), STORE_FAILED);
}

/* A chore that meets an error of the disk, whatever it makes of that. */
static enum rc meet_damage(struct store *st, void *arg, struct why *why)
{
    int64_t bands[BAND_COUNT];

    (void)why;
    refusal_arm((struct refused_step){.code = *(int *)arg, .times = 1});
    return read_bands(store_reader(st), bands);
}

static void a_chore_breaks_the_writer(struct pipeline *p, int code, enum rc rc)
{
    int full = SQLITE_FULL;
    struct command harmless = {.kind = COMMAND_CHORE, .fn = meet_damage, .arg = &full};
    struct command damaging = {.kind = COMMAND_CHORE, .fn = meet_damage, .arg = &code};

    load(p, PLAIN_CONF);
    run(p, &harmless.work, WORK_COMMAND);
    assert_int_equal(p->rc, RC_FULL);
    assert_int_equal(p->failures, 0);
    change(p, 7, "page", "a");
    run(p, &damaging.work, WORK_COMMAND);
    assert_int_equal(p->rc, rc);
    assert_int_equal(p->failures, 1);
    struct intake in = news_of(p, 8);
    run(p, &in.work, WORK_INTAKE);
    assert_int_equal(p->rc, rc);
    assert_false(has_contact(p, 8));
}

static void a_chore_that_finds_the_store_damaged_breaks_the_writer(void **state)
{
    a_chore_breaks_the_writer(*state, SQLITE_CORRUPT, RC_CORRUPT);
}

static void a_chore_that_finds_the_disk_broken_breaks_the_writer(void **state)
{
    a_chore_breaks_the_writer(*state, SQLITE_IOERR, RC_IO);
}

/* Only beside events is there something to leave out. */
static void a_command_that_finds_no_room_is_not_done_twice(void **state)
{
    struct pipeline *p = *state;
    struct calls calls = {.rc = RC_FULL};
    struct command c = {.kind = COMMAND_CALL, .fn = count_call, .arg = &calls};

    load(p, PLAIN_CONF);
    run(p, &c.work, WORK_COMMAND);
    assert_int_equal(p->rc, RC_FULL);
    assert_int_equal(calls.n, 1);
}

static void a_healthy_writer_without_work_leaves_the_store_alone(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    refusal_arm((struct refused_step){.code = SQLITE_IOERR, .times = 1});
    assert_true(writer_step(p->writer, p->now, 0));
    refusal.times = 0;
    assert_int_equal(refused, 0);
}

static off_t file_size(const struct pipeline *p)
{
    struct stat file;

    assert_int_equal(stat(p->w->path.at, &file), 0);
    return file.st_size;
}

/* Rules are loaded, the log is empty and has this limit; returns the file's size. */
static off_t with_limit(struct pipeline *p, int64_t bytes)
{
    struct store_settings s = p->w->settings;

    load(p, PLAIN_CONF);
    OK(store_checkpoint_all(p->w->store));
    s.checkpoint = bytes;
    store_limits(p->w->store, &s);
    return file_size(p);
}

static void the_log_is_copied_back_when_nothing_waits(void **state)
{
    struct pipeline *p = *state;
    struct calls calls = {.rc = RC_OK};
    struct command c = {.kind = COMMAND_CALL, .fn = count_call, .arg = &calls};
    char value[100 * 1024] = {0};

    memset(value, 'a', sizeof value - 1); /* more than the limit, less than four times of it */
    off_t before = with_limit(p, 128 * 1024);
    struct str element = change_json(p, 7, "page", value, p->now);
    struct intake in =
        decoded(p, "hubspot", arena_printf(&p->w->arena, "[%.*s]", STR_ARG(element)));
    in.work.mail.weight = COMMIT_WEIGHT; /* a group of its own, behind which the other waits */
    submit(p, &in.work, WORK_INTAKE);
    submit(p, &c.work, WORK_COMMAND);
    assert_true(writer_step(p->writer, p->now, 0));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(calls.n, 0);
    assert_int_equal(file_size(p), before);
    assert_true(writer_step(p->writer, p->now, 0));
    assert_int_equal(calls.n, 1);
    assert_true(file_size(p) > before + (off_t)sizeof value);
}

/* By its own clock: it may have waited long for work. */
static void its_thread_ends_when_all_is_done(void **state)
{
    struct pipeline *p = *state;

    load(p, PLAIN_CONF);
    struct calls calls = {.rc = RC_OK};
    struct command c = {.kind = COMMAND_CALL, .fn = count_call, .arg = &calls};
    struct intake in = news_of(p, 7);
    in.work.mail.weight = COMMIT_WEIGHT; /* a group of its own */
    submit(p, &in.work, WORK_INTAKE);
    submit(p, &c.work, WORK_COMMAND);
    writer_close(p->writer);
    p->now = clock_now_ms();
    assert_null(writer_run(p->writer));
    COUNTS(in, 1, 0, 0);
    assert_int_equal(calls.n, 1);
    assert_true(atomic_load(&health.writer_beat) >= p->now);
    struct lead l = contact_lead(p, 7);
    assert_true(l.created_at == START); /* when it was received, which is another thing */
    assert_true(deliveries(p, NULL, NULL).n == 0);
    struct sbuf page AUTO(sbuf_free) = SBUF(1 << 20);
    metrics_render(&page);
    const char *sum = str_find(sbuf_str(&page), STR("funneld_commit_seconds_sum "));
    assert_non_null(sum);
    assert_true(strtod(sum + sizeof "funneld_commit_seconds_sum", NULL) < 60);
}

static enum rc write_much(struct store *st, void *arg, struct why *why)
{
    (void)why;
    OK(store_begin(st));
    OK(store_ruleset_add(st, *(struct str *)arg, 5));
    return store_commit(st);
}

/* An eighth of the limit, when nothing waits: so little that nobody notices. */
static void a_quiet_log_is_copied_back_early(void **state)
{
    struct pipeline *p = *state;
    char text[40 * 1024];
    struct str much = {text, sizeof text};
    struct command c = {
        .kind = COMMAND_CALL, .fn = count_call, .arg = &(struct calls){.rc = RC_OK}};
    struct command big = {.kind = COMMAND_CHORE, .fn = write_much, .arg = &much};

    memset(text, 'a', sizeof text);
    off_t before = with_limit(p, 256 * 1024);
    run(p, &c.work, WORK_COMMAND);
    assert_int_equal(file_size(p), before); /* too little */
    run(p, &big.work, WORK_COMMAND);
    assert_true(file_size(p) > before);
}

/* A purge while nobody posts writes as much as any sender. */
static void the_log_is_copied_back_after_chores_too(void **state)
{
    struct pipeline *p = *state;
    char text[300 * 1024];
    struct str much = {text, sizeof text};
    struct command c = {.kind = COMMAND_CHORE, .fn = write_much, .arg = &much};

    memset(text, 'a', sizeof text);
    off_t before = with_limit(p, 128 * 1024);
    run(p, &c.work, WORK_COMMAND);
    OK(p->rc);
    assert_true(file_size(p) > before + (off_t)sizeof text / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKS(a_writer_that_never_got_rules_ends_as_well),
        CHECKS(a_command_that_was_withdrawn_is_not_done),
        CHECKS(a_broken_writer_does_nothing_any_more),
        CHECKS(a_chore_that_finds_the_store_damaged_breaks_the_writer),
        CHECKS(a_chore_that_finds_the_disk_broken_breaks_the_writer),
        CHECKS(a_command_that_finds_no_room_is_not_done_twice),
        CHECKS(a_healthy_writer_without_work_leaves_the_store_alone),
        CHECKS(the_log_is_copied_back_when_nothing_waits),
        CHECKS(a_quiet_log_is_copied_back_early),
        CHECKS(the_log_is_copied_back_after_chores_too),
        CHECKS(its_thread_ends_when_all_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
