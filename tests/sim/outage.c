/* tests/sim/outage.c - a week in which one service is dead, and the drain when it is back.
 *
 * Every event goes to four services. In one life Slack is dead for the whole week and comes back
 * when nothing new comes in; in the other it works. What the other three got, and how late, must be
 * the same; Slack must get all of it, as fast as it takes messages and never faster.
 *
 * The services are strict: each counts its own requests by the limit that it documents (contracts),
 * and one too many is a 429 that this run must not see.
 */
#include "outage.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "funneld/app/config.h"
#include "funneld/base/clock.h"
#include "funneld/base/url.h"
#include "funneld/observe/metrics.h"
#include "funneld/pipeline/writer.h"
#include "random.h"
#include "request.h"
#include "story.h"

#define BEGIN_MS INT64_C(1769081994066)
#define WEEK_MS  (7 * DAYS_MS)

enum { CALLS = 64, LANES = 4, INTAKE_MAX = 8 << 20 };

static const struct {
    const char *connector, *host;
    double per_second, burst; /* that it takes */
    const char *answer;
} services[LANES] = {
    {"sales-slack", "slack.com", 1.0, 3,
     "{\"ok\":true,\"channel\":\"C0123456789\",\"ts\":\"1.1\"}"},
    {"hook", "hooks.slack.com", 1.0, 3, "ok"},
    {"zap", "hooks.zapier.com", 66.0, 100, "{\"status\":\"success\"}"},
    {"warehouse", "warehouse.example.com", 100.0, 100, ""},
};

struct call {
    void *tag;
    int64_t answer_at;
    int service;
    bool used, dead, refused;
};

static struct {
    int64_t now, wake_at;
    uint64_t chance;
    struct config *config;
    struct store *store;
    struct reader *reader;
    struct writer *writer;
    struct deliverer *deliverer;
    struct transport transport;
    struct call calls[CALLS];
    double busy_until[LANES];
    int64_t refusals;
    bool waits, slack_is_dead;
} o;

/* The network */

static int service_of(struct str url)
{
    struct url parts;
    struct why why;
    enum rc rc = url_parse(url, &parts, &why);

    assert(rc == RC_OK);
    (void)rc;
    for (int s = 0; s < LANES; s++)
        if (str_is(parts.host, services[s].host))
            return s;
    abort();
}

/* As the service counts: a token each 1 / per_second, so many saved up. */
static bool takes(int service)
{
    double step = 1000.0 / services[service].per_second;
    double at = o.busy_until[service] > (double)o.now ? o.busy_until[service] : (double)o.now;

    if (at - (double)o.now > (services[service].burst - 1) * step)
        return false;
    o.busy_until[service] = at + step;
    return true;
}

static enum rc start(void *self, const struct transport_call *call, struct why *why)
{
    struct call *c = o.calls;

    (void)self;
    (void)why;
    while (c->used)
        c++;
    assert(c < o.calls + CALLS);
    *c = (struct call){.used = true,
                       .tag = call->tag,
                       .service = service_of(call->request->url),
                       .answer_at = o.now + 50 + (int64_t)random_below(&o.chance, 100)};
    c->dead = o.slack_is_dead && c->service == 0;
    c->refused = !c->dead && !takes(c->service);
    o.refusals += c->refused;
    return RC_OK;
}

static struct call *next_answer(void)
{
    for (struct call *c = o.calls; c < o.calls + CALLS; c++)
        if (c->used && c->answer_at <= o.now)
            return c;
    return NULL;
}

static bool take(void *self, struct transport_result *ret)
{
    struct call *c = next_answer();

    (void)self;
    if (!c)
        return false;
    *ret = (struct transport_result){c->tag,
                                     {.fate = c->dead ? HTTP_NOT_SENT : HTTP_ANSWERED,
                                      .status = c->dead      ? 0
                                                : c->refused ? 429
                                                             : 200,
                                      .body = str_of(services[c->service].answer),
                                      .retry_after_ms = -1,
                                      .error = STR("the connection was refused")}};
    c->used = false;
    return true;
}

static void rests(void *self, int timeout_ms)
{
    (void)self;
    (void)timeout_ms;
}

static void wakes(void *self)
{
    (void)self;
}

/* The daemon */

static void notify(void *self, struct str connector, const struct due_row *row)
{
    (void)self;
    deliverer_notify(o.deliverer, connector, row);
}

static void rescan(void *self)
{
    (void)self;
    deliverer_rescan(o.deliverer);
}

static void failed(void *self)
{
    (void)self;
    broken("the store failed");
}

static enum rc submit(void *self, struct work *work)
{
    (void)self;
    o.waits = true;
    return writer_submit(o.writer, work);
}

static void commit(void)
{
    o.waits = false;
    (void)writer_step(o.writer, o.now, 0);
}

static void ignore(struct work *work)
{
    (void)work;
}

static void start_daemon(void)
{
    const struct writer_ports to = {.notify = notify, .rescan = rescan, .failed = failed};
    struct writer_ports ports = to;
    struct command rules = {.work = {.mail.weight = 1, .kind = WORK_COMMAND, .done = ignore},
                            .kind = COMMAND_RULES,
                            .arg = &o.config->rules};
    struct why why = {0};
    enum rc rc = store_open(&o.config->store, o.now, &o.store, &why);

    assert(rc == RC_OK);
    rc = reader_open(outage_database(), &o.reader, &why);
    assert(rc == RC_OK);
    o.transport = (struct transport){.start = start, .take = take, .wait = rests, .wake = wakes};
    const struct deliver_ports out = {
        .reader = o.reader, .transport = &o.transport, .submit = submit, .seed = 1};
    (void)ref_take(&o.config->ref);
    o.deliverer = deliverer_new(&out, &o.config->lanes);
    ports.store = o.store;
    o.writer = writer_new(&ports, INTAKE_MAX);
    (void)ref_take(&o.config->ref);
    rc = submit(NULL, &rules.work);
    assert(rc == RC_OK);
    (void)rc;
    commit();
}

static void stop_daemon(void)
{
    deliverer_free(o.deliverer);
    writer_close(o.writer);
    writer_free(o.writer);
    reader_close(o.reader);
    store_close(o.store);
}

/* Time */

/* What a commit brings has to be heard of, too. */
static void settle(void)
{
    for (bool again = true; again;) {
        o.wake_at = deliverer_step(o.deliverer, o.now, o.now);
        again = o.waits || next_answer() || o.wake_at <= o.now;
        if (o.waits)
            commit();
    }
}

static int64_t next_moment(int64_t end)
{
    int64_t at = o.wake_at < end ? o.wake_at : end;

    for (const struct call *c = o.calls; c < o.calls + CALLS; c++)
        if (c->used && c->answer_at < at)
            at = c->answer_at;
    return at > o.now ? at : o.now + 1;
}

static void pass_until(int64_t end)
{
    settle();
    while (o.now < end) {
        o.now = next_moment(end);
        settle();
    }
}

/* Senders */

static void tell(int64_t contact, const struct source *source)
{
    struct arena a AUTO(arena_free) = {0};
    struct intake in = {.work = {.kind = WORK_INTAKE, .done = ignore}};
    struct request r = {0};
    struct why why = {0};

    r.raw.body = arena_printf(
        &a,
        "[{\"eventId\":%lld,\"portalId\":62515,\"occurredAt\":%lld,\"subscriptionType\":"
        "\"contact.propertyChange\",\"objectId\":%lld,\"propertyName\":\"page\",\"propertyValue\":"
        "\"pricing\"}]",
        (long long)contact, (long long)o.now, (long long)contact);
    r.raw.method = STR("POST");
    r.raw.received_at = o.now;
    r.raw.request_id = arena_printf(&a, "r%lld", (long long)contact);
    request_add(&r, "Content-Type", STR("application/json"));
    enum refusal refusal =
        source->type->decode(source, request_raw(&r), &a, &in.events, &in.n, &why);
    assert(!refusal);
    (void)refusal;
    in.work.mail.weight = 2 * EVENT_WEIGHT;
    enum rc rc = submit(NULL, &in.work);
    assert(rc == RC_OK);
    (void)rc;
    commit();
    if (in.work.rc != RC_OK || in.accepted != 1)
        broken("an event was not taken");
}

/* What came of it */

static int64_t number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    int64_t n = -1;

    if (sqlite3_open_v2(outage_database(), &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return n;
}

static int64_t late_ms(const char *connector, const char *what)
{
    char sql[400];

    (void)!snprintf(
        sql, sizeof sql,
        "SELECT %s FROM (SELECT done_at - created_at AS late, row_number() OVER (ORDER BY "
        "done_at - created_at) * 100 / count(*) OVER () AS part FROM delivery WHERE connector "
        "= '%s' AND state = 2)",
        what, connector);
    return number(sql);
}

static int64_t waiting(void)
{
    return number("SELECT coalesce(sum(depth), 0) FROM queue");
}

static void live(bool dead, int64_t events, struct outage *ret)
{
    const struct source *source = config_source(o.config, STR("hubspot"));

    metrics_reset();
    disk_format(7);
    o.now = o.wake_at = BEGIN_MS;
    o.chance = 7;
    o.refusals = 0;
    o.slack_is_dead = dead;
    memset(o.busy_until, 0, sizeof o.busy_until);
    start_daemon();
    for (int64_t i = 1; i <= events; i++) {
        pass_until(BEGIN_MS + WEEK_MS / events * i);
        tell(i, source);
    }
    pass_until(BEGIN_MS + WEEK_MS);
    ret->queued = waiting();
    o.slack_is_dead = false;
    int64_t back = o.now;
    while (waiting() > 0 && o.now < back + 10 * WEEK_MS)
        pass_until(o.now + 10 * SECONDS_MS);
    ret->drained_ms = o.now - back;
    ret->left = number("SELECT count(*) FROM delivery WHERE state <> 2");
    ret->too_fast = o.refusals;
    for (int s = 1; s < LANES; s++) {
        ret->mean_ms[s - 1] = late_ms(services[s].connector, "avg(late)");
        ret->p99_ms[s - 1] = late_ms(services[s].connector, "min(iif(part >= 99, late, NULL))");
    }
    stop_daemon();
}

static bool same(int64_t a, int64_t b)
{
    return llabs(a - b) * 10 <= b;
}

const char *run_outage(int64_t events, struct outage *dead, struct outage *well)
{
    story_begin(false);
    o.config = outage_config();
    live(false, events, well);
    live(true, events, dead);
    ref_drop(&o.config->ref);
    if (dead->queued < events)
        broken("%lld of %lld messages waited", (long long)dead->queued, (long long)events);
    if (dead->left || well->left)
        broken("%lld messages did not arrive", (long long)(dead->left + well->left));
    if (dead->too_fast || well->too_fast)
        broken("%lld requests came too fast", (long long)(dead->too_fast + well->too_fast));
    if (dead->drained_ms > events * 1050 + 15 * MINUTES_MS)
        broken("the drain took %lld s", (long long)(dead->drained_ms / 1000));
    for (int s = 0; s < OUTAGE_OTHERS; s++)
        if (!same(dead->mean_ms[s], well->mean_ms[s]) || !same(dead->p99_ms[s], well->p99_ms[s]))
            broken("%s was %lld ms late instead of %lld", services[s + 1].connector,
                   (long long)dead->mean_ms[s], (long long)well->mean_ms[s]);
    return story_broken();
}
