/* tests/unit/pipeline_world.h - a writer on a real store, in one thread and in virtual time.
 *
 * Rules come from a configuration file, events through the real decoders. After each step what
 * must always hold is checked: the leads' gauge is what a scan counts, each head is told of.
 */
#ifndef FUNNELD_TESTS_PIPELINE_WORLD_H
#define FUNNELD_TESTS_PIPELINE_WORLD_H

#include "store_world.h"

#include "funneld/app/config.h"
#include "funneld/base/clock.h"
#include "funneld/observe/health.h"
#include "funneld/observe/metrics.h"
#include "funneld/pipeline/writer.h"
#include "request.h"

enum { PORTAL = 62515, MAX_ROWS = 4096 };
#define START        INT64_C(1769081994066) /* virtual time begins here */
#define MAYBE        __attribute__((unused))
#define CHECKS(test) cmocka_unit_test_setup_teardown(test, pipeline_setup, pipeline_teardown)

struct pipeline {
    struct world *w;
    struct writer *writer;
    const struct rules *rules;      /* the writer's, as loaded last */
    int64_t now, serial;            /* serial: eventId of the next HubSpot event */
    struct due_row known[MAX_ROWS]; /* by id: what the deliverer was told */
    size_t notices, rescans, failures;
    enum rc rc; /* of the last work */
};

#define BASIC_SOURCES                                                                              \
    "[server]\npublic_url = https://hooks.example.com\n"                                           \
    "[source zapier]\ntype = zapier\nsecret = two\n"                                               \
    "[source hubspot]\ntype = hubspot\nsecret = one\n"
#define SLACK "[connector sales-slack]\ntype = slack\ntoken = xoxb-1\nchannel = C0123456789\n"
#define NOTION                                                                                     \
    "[connector lead-book]\ntype = notion\ntoken = t\n"                                            \
    "database = 668d797c76fa49349b05ad288df2d136\n"
#define CRM "[connector crm]\ntype = hubspot\ntoken = t\n"
#define RULES                                                                                      \
    "[score]\nwarm = 40\nhot = 80\n"                                                               \
    "[rule demo-request]\nwhen = event.property == \"demo_requested\" and event.value == "         \
    "\"true\"\npoints = 35\n"                                                                      \
    "[rule pricing]\nwhen = event.property == \"page\" and event.value contains \"pricing\"\n"     \
    "points = 25.5\n"                                                                              \
    "[rule form]\nwhen = event.source == \"zapier\"\npoints = 20\n"                                \
    "[rule acme]\nwhen = lead.company == \"Acme\"\npoints = 15\n"
#define HOT_ROUTE                                                                                  \
    "[route hot-lead]\nwhen = score >= 80 and score.previous < 80\nto = sales-slack, lead-book\n"
#define PLAIN_CONF BASIC_SOURCES SLACK NOTION RULES HOT_ROUTE
#define CRM_CONF   PLAIN_CONF CRM

/* What the writer tells */

static void on_notice(void *self, struct str connector, const struct due_row *row)
{
    struct pipeline *p = self;
    struct delivery d = get_delivery(p->w, row->id);

    assert_true(row->id > 0 && row->id < MAX_ROWS);
    SAME(d.connector, connector);
    p->known[row->id] = *row;
    p->notices++;
}

static void on_rescan(void *self)
{
    ((struct pipeline *)self)->rescans++;
}

static void on_failure(void *self)
{
    ((struct pipeline *)self)->failures++;
}

/* Lists, kept in the world's arena */

struct deliveries {
    int64_t ids[256];
    struct delivery items[256];
    size_t n;
};

static void keep_id(void *self, const struct delivery *d)
{
    struct deliveries *list = self;

    assert_true(list->n < ARRAY_LEN(list->ids));
    list->ids[list->n++] = d->id;
}

/* Newest first. connector and state may be NULL. */
static struct deliveries deliveries(struct pipeline *p, const char *connector, const char *state)
{
    struct deliveries list = {0};
    const struct list_filter f = {
        .limit = 1000, .connector = str_of(connector), .state = str_of(state)};

    OK(read_deliveries(p->w->reader, &f, keep_id, &list));
    for (size_t i = 0; i < list.n; i++)
        list.items[i] = get_delivery(p->w, list.ids[i]);
    return list;
}

static MAYBE size_t count_deliveries(struct pipeline *p, const char *connector, const char *state)
{
    return deliveries(p, connector, state).n;
}

static MAYBE double counted(enum metric m, const char *label1, const char *label2)
{
    return metric_value(metric(m, str_of(label1), str_of(label2)));
}

/* What holds after every step */

static void check_bands(struct pipeline *p)
{
    int64_t bands[BAND_COUNT];

    OK(read_bands(p->w->reader, bands));
    for (int i = 0; i < BAND_COUNT; i++) {
        double gauge = counted(METRIC_LEADS, band_name((enum band)i), NULL);

        if ((int64_t)gauge != bands[i])
            fail_msg("%s: the gauge says %g, a scan %lld", band_name((enum band)i), gauge,
                     (long long)bands[i]);
    }
}

/* A rescan tells of all that is pending; what waits behind a head is looked for after it. */
static void check_known(struct pipeline *p, bool rescanned)
{
    struct deliveries pending = deliveries(p, NULL, "pending");

    for (size_t i = 0; i < pending.n; i++) {
        const struct delivery *d = &pending.items[i];
        struct due_row *row = &p->known[d->id], head;

        OK(read_due_of_lead(p->w->reader, d->connector, d->lead, d->target, &head));
        if (rescanned || head.id != d->id)
            *row = due_row_of(d);
        assert_int_equal(row->id, d->id);
        assert_int_equal(row->lead, d->lead);
        assert_int_equal(row->due_at, d->due_at);
        assert_true(d->urgent || !row->urgent); /* it may hold up what is */
    }
}

/* Work */

static void work_done(struct work *work)
{
    work->mail.weight = 0; /* answered */
}

static void submit(struct pipeline *p, struct work *work, enum work_kind kind)
{
    work->kind = kind;
    work->done = work_done;
    if (!work->mail.weight)
        work->mail.weight = 1;
    OK(writer_submit(p->writer, work));
}

static void step(struct pipeline *p)
{
    size_t rescans = p->rescans;

    assert_true(writer_step(p->writer, p->now, 0));
    check_bands(p);
    check_known(p, p->rescans > rescans);
}

static void run(struct pipeline *p, struct work *work, enum work_kind kind)
{
    submit(p, work, kind);
    step(p);
    assert_int_equal(work->mail.weight, 0);
    p->rc = work->rc;
}

/* A configuration's rules as a command for the writer, which owns them when it succeeds. */
static struct command rules_command(struct pipeline *p, const char *text)
{
    struct str path = arena_printf(&p->w->arena, "%s/t.conf", p->w->dir);
    FILE *f = fopen(path.at, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    struct config *c = config_load(path.at, p->now);
    if (c->problems.n)
        fail_msg("line %d: %.*s", c->problems.first->line, STR_ARG(c->problems.first->message));
    p->rules = &c->rules;
    return (struct command){.kind = COMMAND_RULES, .arg = &c->rules};
}

static MAYBE void load(struct pipeline *p, const char *text)
{
    struct command c = rules_command(p, text);

    run(p, &c.work, WORK_COMMAND);
    OK(p->rc);
}

static int pipeline_setup(void **state)
{
    struct pipeline *p = mem_alloc(sizeof *p);
    void *w = NULL;

    if (world_setup(&w) != 0)
        return -1;
    metrics_reset();
    p->w = w;
    p->now = START;
    p->serial = 1000;
    const struct writer_ports ports = {.store = p->w->store,
                                       .notify = on_notice,
                                       .rescan = on_rescan,
                                       .failed = on_failure,
                                       .self = p};
    p->writer = writer_new(&ports, COMMIT_WEIGHT);
    *state = p;
    return 0;
}

static int pipeline_teardown(void **state)
{
    struct pipeline *p = *state;
    void *w = p->w;

    writer_close(p->writer);
    while (writer_step(p->writer, p->now, 0))
        ;
    writer_free(p->writer);
    check_promises(p->w, p->now);
    free(p);
    metrics_reset();
    return world_teardown(&w);
}

/* Events */

static const struct source *source(struct pipeline *p, const char *name)
{
    for (size_t i = 0; i < p->rules->n_sources; i++)
        if (str_is(p->rules->sources[i].name, name))
            return &p->rules->sources[i];
    fail_msg("there is no source %s", name);
    return NULL;
}

/* As the HTTP side would have it after decoding; the events live in the world's arena. */
static struct intake decoded(struct pipeline *p, const char *name, struct str body)
{
    const struct source *s = source(p, name);
    struct request r = {.raw = {.method = STR("POST"),
                                .target = source_path(s),
                                .body = body,
                                .received_at = p->now,
                                .request_id = STR("req-1")}};
    struct intake in = {0};
    struct why why = {0};

    request_add(&r, "Content-Type", STR("application/json"));
    if (s->type->decode(s, request_raw(&r), &p->w->arena, &in.events, &in.n, &why))
        fail_msg("%s: %.*s", why.text, STR_ARG(body));
    return in;
}

static struct intake post(struct pipeline *p, const char *name, struct str body)
{
    struct intake in = decoded(p, name, body);

    run(p, &in.work, WORK_INTAKE);
    return in;
}

/* Accepted, duplicates, unprocessable. */
#define COUNTS(in, a, d, u)                                                                        \
    do {                                                                                           \
        OK((in).work.rc);                                                                          \
        assert_int_equal((in).accepted, a);                                                        \
        assert_int_equal((in).duplicates, d);                                                      \
        assert_int_equal((in).unprocessable, u);                                                   \
    } while (0)

/* One element of HubSpot's array; `more` starts with a comma. */
static struct str hubspot_json(struct pipeline *p, const char *type, int64_t at, const char *more)
{
    return arena_printf(&p->w->arena,
                        "{\"eventId\":%lld,\"subscriptionId\":1,\"appId\":2,\"portalId\":%d,"
                        "\"attemptNumber\":0,\"occurredAt\":%lld,\"subscriptionType\":\"%s\"%s}",
                        (long long)p->serial++, PORTAL, (long long)at, type, more);
}

static struct str change_json(struct pipeline *p, int64_t contact, const char *name,
                              const char *value, int64_t at)
{
    struct str more = arena_printf(&p->w->arena,
                                   ",\"objectId\":%lld,\"propertyName\":\"%s\","
                                   "\"propertyValue\":\"%s\"",
                                   (long long)contact, name, value);

    return hubspot_json(p, "contact.propertyChange", at, more.at);
}

/* "contact.deletion" and others that name just the record. */
static MAYBE struct str fact_json(struct pipeline *p, const char *type, int64_t contact, int64_t at)
{
    struct str more = arena_printf(&p->w->arena, ",\"objectId\":%lld", (long long)contact);

    return hubspot_json(p, type, at, more.at);
}

static MAYBE struct str merge_json(struct pipeline *p, int64_t from, int64_t into, int64_t at)
{
    struct str more =
        arena_printf(&p->w->arena, ",\"primaryObjectId\":%lld,\"mergedObjectIds\":[%lld]",
                     (long long)into, (long long)from);

    return hubspot_json(p, "contact.merge", at, more.at);
}

/* `more` starts with a comma. */
static MAYBE struct str form_json(struct pipeline *p, const char *email, int64_t at,
                                  const char *more)
{
    return arena_printf(&p->w->arena,
                        "{\"event_id\":\"f%lld\",\"occurred_at\":%lld,\"email\":\"%s\"%s}",
                        (long long)p->serial++, (long long)at, email, more);
}

static struct intake post_one(struct pipeline *p, struct str element)
{
    return post(p, "hubspot", arena_printf(&p->w->arena, "[%.*s]", STR_ARG(element)));
}

/* Each happens now and is received now. */

static MAYBE void change(struct pipeline *p, int64_t contact, const char *name, const char *value)
{
    struct intake in = post_one(p, change_json(p, contact, name, value, p->now));

    COUNTS(in, 1, 0, 0);
}

static MAYBE void tell(struct pipeline *p, const char *type, int64_t contact)
{
    struct intake in = post_one(p, fact_json(p, type, contact, p->now));

    COUNTS(in, 1, 0, 0);
}

static MAYBE void merge(struct pipeline *p, int64_t from, int64_t into)
{
    struct intake in = post_one(p, merge_json(p, from, into, p->now));

    COUNTS(in, 1, 0, 0);
}

static MAYBE void fill_form(struct pipeline *p, const char *email, const char *more)
{
    struct intake in = post(p, "zapier", form_json(p, email, p->now, more));

    COUNTS(in, 1, 0, 0);
}

/* Leads */

static MAYBE bool has_contact(struct pipeline *p, int64_t contact)
{
    struct lead l;
    enum rc rc = read_lead_by_crm(p->w->reader, PORTAL, contact, &p->w->arena, &l);

    assert_true(rc == RC_OK || rc == RC_NONE);
    return rc == RC_OK;
}

static MAYBE struct lead contact_lead(struct pipeline *p, int64_t contact)
{
    struct lead l;

    OK(read_lead_by_crm(p->w->reader, PORTAL, contact, &p->w->arena, &l));
    return l;
}

static MAYBE struct lead email_lead(struct pipeline *p, const char *email)
{
    struct lead l;

    OK(read_lead_by_email(p->w->reader, str_of(email), &p->w->arena, &l));
    return l;
}

static MAYBE bool has_email(struct pipeline *p, const char *email)
{
    struct lead l;
    enum rc rc = read_lead_by_email(p->w->reader, str_of(email), &p->w->arena, &l);

    assert_true(rc == RC_OK || rc == RC_NONE);
    return rc == RC_OK;
}

static MAYBE struct str property(const struct lead *l, const char *name)
{
    return lead_get(l, str_of(name));
}

#define PROPERTY(l, name, wanted) TEXT(property(&(l), name), wanted)

static MAYBE size_t ledger(struct pipeline *p, int64_t lead, struct ledger_row **ret)
{
    size_t n = 0;

    struct lead l;

    OK(read_lead(p->w->reader, lead, &p->w->arena, &l));
    OK(read_ledger(p->w->reader, &l, INT64_MAX, &p->w->arena, ret, &n));
    return n;
}

static MAYBE size_t ledger_rows(struct pipeline *p, int64_t lead)
{
    struct ledger_row *rows;

    return ledger(p, lead, &rows);
}

/* The newest event of all. */
static MAYBE void keep_event(void *self, const struct event_view *e)
{
    *(int64_t *)self = e->id;
}

static MAYBE struct event_view newest_event(struct pipeline *p)
{
    const struct list_filter f = {.limit = 1};
    struct event_view e;
    int64_t id = 0;

    OK(read_events(p->w->reader, &f, keep_event, &id));
    OK(read_event(p->w->reader, id, &p->w->arena, &e));
    return e;
}

#endif
