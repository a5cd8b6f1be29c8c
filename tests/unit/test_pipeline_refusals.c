/* tests/unit/test_pipeline_refusals.c - whatever statement the store refuses: work is done as a
 * whole or not at all, what was counted and told is what was stored, and a second try succeeds.
 */
#include "contact_event.h"
#include "pipeline_world.h"

#include "fault_vfs.h"
#include "funneld/observe/log.h"
#include "refused_step.h"

enum { GROUP_MAX = 3, ROUNDS_OF_A_WORLD = 20, STATEMENTS_MAX = 400 };

static const char conf[] = CRM_CONF
    "[route demo]\nwhen = event.property == \"demo_requested\"\nto = sales-slack, lead-book\n"
    "wait_for = enrichment\n"
    "[route page]\nwhen = event.property == \"page\"\nto = lead-book\n"
    "[route pricing]\nwhen = event.value == \"/pricing\"\nto = sales-slack\n"
    "[rule anything]\nwhen = event.source == \"hubspot\"\npoints = 1\n";

/* What is submitted together; its parts live until it is answered. */
struct task {
    struct work *works[GROUP_MAX];
    enum work_kind kinds[GROUP_MAX];
    size_t n;
    struct intake in[GROUP_MAX];
    struct verdicts verdicts;
    struct attempt_end ends[2];
    struct event answer;
    struct field known;
    struct attempts attempts;
    int64_t ids[2];
    struct command command;
    struct retry_filter filter;
};

static void put(struct task *g, struct work *work, enum work_kind kind)
{
    g->works[g->n] = work;
    g->kinds[g->n++] = kind;
}

static struct intake *put_events(struct pipeline *p, struct task *g, struct str elements)
{
    struct intake *in = &g->in[g->n];

    *in = decoded(p, "hubspot", arena_printf(&p->w->arena, "[%.*s]", STR_ARG(elements)));
    put(g, &in->work, WORK_INTAKE);
    return in;
}

/* Each round is about people of its own. */
static int64_t somebody(void)
{
    static int64_t contact = 100;

    return ++contact;
}

static struct str address_of(struct pipeline *p, int64_t contact)
{
    return arena_printf(&p->w->arena, "p%lld@example.com", (long long)contact);
}

static struct delivery newest(struct pipeline *p, const char *connector)
{
    struct deliveries list = deliveries(p, connector, "pending");

    assert_true(list.n > 0);
    return list.items[0];
}

static void put_end(struct pipeline *p, struct task *g, const char *connector, const char *remote)
{
    struct delivery d = newest(p, connector);

    g->ends[g->verdicts.n++] = (struct attempt_end){.delivery = d.id,
                                                    .lead = d.lead,
                                                    .connector = d.connector,
                                                    .started_at = p->now,
                                                    .ended_at = p->now,
                                                    .remote_lead = str_of(remote)};
    g->verdicts.ends = g->ends;
}

/* The CRM's answer to the newest question: the contact's address. */
static void put_answer(struct pipeline *p, struct task *g, int64_t contact)
{
    g->known = (struct field){STR("email"), address_of(p, contact)};
    enriched_event(STR("crm"), PORTAL, contact, p->now, &g->known, 1, p->now, &p->w->arena,
                   &g->answer);
    g->answer.request_id = STR("req-1");
    put_end(p, g, "crm", NULL);
    g->ends[g->verdicts.n - 1].events = &g->answer;
    g->ends[g->verdicts.n - 1].n_events = 1;
    g->ends[g->verdicts.n - 1].enriched = true;
}

static void news(struct pipeline *p, struct task *g)
{
    int64_t who = somebody();
    struct str demo = change_json(p, who, "demo_requested", "true", p->now);
    struct str page = change_json(p, who, "page", "/pricing", p->now);
    struct str firm = hubspot_json(p, "company.propertyChange", p->now, ",\"objectId\":7");

    put_events(
        p, g,
        arena_printf(&p->w->arena, "%.*s,%.*s,%.*s", STR_ARG(demo), STR_ARG(firm), STR_ARG(page)));
    put_events(p, g, demo);
    struct intake *form = &g->in[g->n];
    *form = decoded(p, "zapier", form_json(p, address_of(p, who).at, p->now, ""));
    put(g, &form->work, WORK_INTAKE);
}

/* No decoder makes such an event: a property without a name, which a column forbids. */
static void news_beside_an_odd_event(struct pipeline *p, struct task *g)
{
    static const struct field nameless = {.name = {NULL, 0}, .value = {"x", 1}};
    int64_t who = somebody();

    put_events(p, g, change_json(p, who, "page", "a", p->now))->events->properties = &nameless;
    put_events(p, g, change_json(p, who, "demo_requested", "true", p->now));
    struct command *c = &g->command;
    g->filter = (struct retry_filter){.connector = STR("crm")};
    *c = (struct command){.kind = COMMAND_RETRY, .arg = &g->filter};
    put(g, &c->work, WORK_COMMAND);
}

static void an_answer_that_joins(struct pipeline *p, struct task *g, bool form_is_older)
{
    int64_t who = somebody();

    if (form_is_older)
        fill_form(p, address_of(p, who).at, "");
    change(p, who, "demo_requested", "true");
    if (!form_is_older)
        fill_form(p, address_of(p, who).at, "");
    put_end(p, g, "lead-book", "page-1");
    put_answer(p, g, who);
    put(g, &g->verdicts.work, WORK_VERDICTS);
    put_events(p, g, change_json(p, somebody(), "page", "b", p->now));
}

static void an_answer_that_joins_the_older(struct pipeline *p, struct task *g)
{
    an_answer_that_joins(p, g, true);
}

static void an_answer_that_joins_the_younger(struct pipeline *p, struct task *g)
{
    an_answer_that_joins(p, g, false);
}

static void an_answer_about_one_merged_meanwhile(struct pipeline *p, struct task *g)
{
    int64_t who = somebody();

    change(p, who, "demo_requested", "true");
    put_end(p, g, "lead-book", "page-1");
    put_answer(p, g, who);
    merge(p, who, somebody());
    put(g, &g->verdicts.work, WORK_VERDICTS);
}

static void a_merge(struct pipeline *p, struct task *g)
{
    int64_t from = somebody(), unheard = somebody(), into = somebody();

    change(p, from, "demo_requested", "true");
    change(p, into, "page", "a");
    put_events(
        p, g,
        hubspot_json(p, "contact.merge", p->now,
                     arena_printf(&p->w->arena,
                                  ",\"primaryObjectId\":%lld,\"mergedObjectIds\":[%lld,%lld]",
                                  (long long)into, (long long)from, (long long)unheard)
                         .at));
}

static void a_merge_of_an_erased_one(struct pipeline *p, struct task *g)
{
    int64_t from = somebody(), into = somebody();

    change(p, from, "page", "a");
    tell(p, "contact.privacyDeletion", from);
    change(p, into, "demo_requested", "true");
    put_events(p, g, merge_json(p, from, into, p->now));
}

static void an_erasure_and_what_comes_after_it(struct pipeline *p, struct task *g)
{
    int64_t who = somebody();

    change(p, who, "demo_requested", "true");
    struct str gone = fact_json(p, "contact.privacyDeletion", who, p->now);
    put_events(p, g, gone);
    put_events(p, g, change_json(p, who, "page", "a", p->now));
    put_events(p, g, gone);
}

static void attempts_that_begin(struct pipeline *p, struct task *g)
{
    change(p, somebody(), "demo_requested", "true");
    g->ids[0] = newest(p, "sales-slack").id;
    g->ids[1] = newest(p, "lead-book").id;
    g->attempts = (struct attempts){.deliveries = g->ids, .n = 2, .at = p->now};
    put(g, &g->attempts.work, WORK_ATTEMPTS);
    put_events(p, g, change_json(p, somebody(), "page", "a", p->now));
}

/* The one that is put back is overtaken by the one that waits. */
static void a_retry_of_what_was_overtaken(struct pipeline *p, struct task *g)
{
    struct verdicts dead = {0};
    int64_t who = somebody();

    change(p, who, "page", "a");
    struct delivery d = newest(p, "lead-book");
    struct attempt_end end = {.delivery = d.id,
                              .lead = d.lead,
                              .connector = d.connector,
                              .verdict = ATTEMPT_DEAD,
                              .detail = STR("no")};
    dead.ends = &end;
    dead.n = 1;
    run(p, &dead.work, WORK_VERDICTS);
    OK(p->rc);
    change(p, who, "page", "b");
    g->filter = (struct retry_filter){.connector = STR("lead-book")};
    g->command = (struct command){.kind = COMMAND_RETRY, .arg = &g->filter};
    put(g, &g->command.work, WORK_COMMAND);
    put_events(p, g, change_json(p, somebody(), "page", "c", p->now));
}

static void other_rules(struct pipeline *p, struct task *g)
{
    g->command = rules_command(p, conf);
    put(g, &g->command.work, WORK_COMMAND);
    put_events(p, g, change_json(p, somebody(), "page", "c", p->now));
}

static const struct scene {
    const char *name;
    void (*set)(struct pipeline *p, struct task *g);
} scenes[] = {
    {"news", news},
    {"news beside an odd event", news_beside_an_odd_event},
    {"an answer that joins the older", an_answer_that_joins_the_older},
    {"an answer that joins the younger", an_answer_that_joins_the_younger},
    {"an answer about one merged meanwhile", an_answer_about_one_merged_meanwhile},
    {"a merge", a_merge},
    {"a merge of an erased one", a_merge_of_an_erased_one},
    {"an erasure and what comes after it", an_erasure_and_what_comes_after_it},
    {"attempts that begin", attempts_that_begin},
    {"a retry of what was overtaken", a_retry_of_what_was_overtaken},
    {"other rules", other_rules},
};

static void count_event(void *self, const struct event_view *e)
{
    (void)e;
    ++*(int64_t *)self;
}

/* Each event that is stored was counted once, and nothing else. */
static int64_t check_counts(struct pipeline *p)
{
    static const char *const sources[] = {"hubspot", "zapier", "crm"};
    static const char *const types[] = {"contact.propertyChange", "company.propertyChange",
                                        "contact.merge", "contact.privacyDeletion", "other"};
    int64_t stored = 0;
    double told = 0;

    OK(read_events(p->w->reader, &(struct list_filter){.limit = 100000}, count_event, &stored));
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        for (size_t j = 0; j < ARRAY_LEN(types); j++)
            told += counted(METRIC_EVENTS_RECEIVED, sources[i], types[j]);
    assert_int_equal((int64_t)told, stored);
    return stored;
}

static void submit_group(struct pipeline *p, struct task *g)
{
    for (size_t i = 0; i < g->n; i++)
        submit(p, g->works[i], g->kinds[i]);
}

/* What was refused leaves nothing behind, so that it can be done again. */
static void finish(struct pipeline *p, struct task *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct work *w = g->works[i];

        assert_int_equal(w->mail.weight, 0); /* answered */
        if (w->rc != RC_OK) {
            atomic_store(&g->command.stage, COMMAND_WAITING);
            run(p, w, g->kinds[i]);
        }
        OK(w->rc);
        if (g->kinds[i] == WORK_INTAKE) {
            const struct intake *in = (const struct intake *)w;

            assert_int_equal(in->accepted + in->duplicates, in->n);
        }
    }
    check_counts(p);
}

static bool breaks(int code)
{
    return code == SQLITE_IOERR || code == SQLITE_CORRUPT;
}

static enum rc rc_of(int code)
{
    return code == SQLITE_CONSTRAINT ? RC_INVALID
           : code == SQLITE_FULL     ? RC_FULL
           : code == SQLITE_BUSY     ? RC_BUSY
           : code == SQLITE_IOERR    ? RC_IO
                                     : RC_CORRUPT;
}

/* One round: the scene, and the refusal in it; false: there was nothing left to refuse. */
static bool play(struct pipeline *p, const struct scene *scene, struct refused_step r)
{
    struct task g = {0};
    int64_t before;
    bool failed = false;

    p->now += 1000;
    scene->set(p, &g);
    before = check_counts(p);
    size_t rescans = p->rescans;
    submit_group(p, &g);
    refusal_arm(r);
    assert_true(writer_step(p->writer, p->now, 0));
    refusal.times = 0;
    if (!refused) {
        finish(p, &g);
        return false;
    }
    for (size_t i = 0; i < g.n; i++) {
        if (g.works[i]->rc != RC_OK && g.works[i]->rc != rc_of(r.code) && !p->failures)
            fail_msg("%s, %d after %d: %s", scene->name, r.code, r.after, rc_text(g.works[i]->rc));
        failed |= g.works[i]->rc != RC_OK;
    }
    if (p->failures) {
        assert_true(failed);
        assert_true(breaks(r.code) || refused_release);
        assert_int_equal(p->failures, 1);
        assert_int_equal(check_counts(p), before);
        if (g.command.kind == COMMAND_RULES && scene->set == other_rules)
            ref_drop(p->rules->owner);
        return true;
    }
    assert_false(breaks(r.code));
    check_bands(p);
    check_known(p, p->rescans > rescans); /* of what went well, all was told */
    finish(p, &g);
    return true;
}

static struct pipeline *world_of(const struct pipeline *old)
{
    void *state = (void *)(uintptr_t)old;

    if (old)
        assert_int_equal(pipeline_teardown(&state), 0);
    assert_int_equal(pipeline_setup(&state), 0);
    load(state, conf);
    return state;
}

/* times: so often, with `gap` statements between them. */
static void refuse_each(const struct scene *scene, int code, int times, int gap)
{
    struct pipeline *p = world_of(NULL);

    for (int n = 0; n < STATEMENTS_MAX; n++) {
        const struct refused_step r = {.after = n, .code = code, .times = times, .gap = gap};

        if (!play(p, scene, r)) {
            void *state = p;

            assert_true(n > 5);
            assert_int_equal(pipeline_teardown(&state), 0);
            return;
        }
        if (p->failures || n % ROUNDS_OF_A_WORLD == ROUNDS_OF_A_WORLD - 1)
            p = world_of(p);
    }
    fail_msg("%s never ends", scene->name);
}

static void refuse_in_all_scenes(int code, int times, int gap)
{
    for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
        refuse_each(&scenes[i], code, times, gap);
}

static void what_is_refused_once_fails_alone_or_is_kept_raw(void **state)
{
    (void)state;
    refuse_in_all_scenes(SQLITE_CONSTRAINT, 1, 0);
}

static void what_is_refused_with_care_as_well_fails_the_group(void **state)
{
    (void)state;
    refuse_in_all_scenes(SQLITE_CONSTRAINT, 2, 1);
}

static void a_store_that_is_busy_or_full_fails_the_group(void **state)
{
    (void)state;
    refuse_in_all_scenes(SQLITE_BUSY, 1, 0);
    refuse_in_all_scenes(SQLITE_FULL, 1, 0);
    refuse_in_all_scenes(SQLITE_FULL, 2, 0);
}

static void a_store_that_breaks_stores_nothing_of_the_group(void **state)
{
    (void)state;
    refuse_each(&scenes[0], SQLITE_IOERR, 1, 0);
    refuse_each(&scenes[2], SQLITE_CORRUPT, 1, 0);
}

static int quiet(void **state)
{
    static const struct log_settings s = {.level = LOG_ERROR + 1};

    (void)state;
    log_configure(&s);
    fault_install(); /* it leaves out the syncs */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_once_fails_alone_or_is_kept_raw),
        cmocka_unit_test(what_is_refused_with_care_as_well_fails_the_group),
        cmocka_unit_test(a_store_that_is_busy_or_full_fails_the_group),
        cmocka_unit_test(a_store_that_breaks_stores_nothing_of_the_group),
    };

    return cmocka_run_group_tests(tests, quiet, NULL);
}
