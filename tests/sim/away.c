/* tests/sim/away.c - see away.h.
 *
 * What people do in the CRM is the same in both lives. In the one the daemon is there for all of
 * it. In the other it is killed for three days: HubSpot sends each webhook at most ten times again
 * and gives up what is older than a day; then the daemon is back, asks the CRM what changed, and
 * gets the youngest webhooks late, between new ones. In the end both must know the same, and have
 * written the same (away_world.c says what may differ); and both must know what the CRM has.
 */
#include "away_priv.h"

#include <assert.h>
#include <string.h>

#include "disk.h"
#include "funneld/app/catch_up.h"
#include "funneld/base/clock.h"
#include "funneld/observe/metrics.h"
#include "funneld/pipeline/writer.h"
#include "hub.h"
#include "random.h"
#include "request.h"
#include "story.h"

#define BEGIN_MS INT64_C(1769081994066)
#define LIFE_MS  (10 * DAYS_MS)
#define GONE_MS  (3 * DAYS_MS)
#define AWAY_MS  (3 * DAYS_MS)

enum { INTAKE_MAX = 8 << 20, PEACE_HOURS = 24 * 4 };

static struct {
    int64_t now, wake_at;
    struct config *config;
    struct store *store;
    struct reader *reader;
    struct writer *writer;
    struct deliverer *deliverer;
    struct transport transport;
    bool runs, waits;
} d;

/* The daemon */

static void notify(void *self, struct str connector, const struct due_row *row)
{
    (void)self;
    deliverer_notify(d.deliverer, connector, row);
}

static void rescan(void *self)
{
    (void)self;
    deliverer_rescan(d.deliverer);
}

static void failed(void *self)
{
    (void)self;
    broken("the store failed");
}

static enum rc submit(void *self, struct work *work)
{
    (void)self;
    d.waits = true;
    return writer_submit(d.writer, work);
}

static void commit(void)
{
    d.waits = false;
    (void)writer_step(d.writer, d.now, 0);
}

static void ignore(struct work *work)
{
    (void)work;
}

static enum rc command(enum command_kind kind, command_fn *fn, void *arg)
{
    struct command c = {.work = {.mail.weight = 1, .kind = WORK_COMMAND, .done = ignore},
                        .kind = kind,
                        .arg = arg,
                        .fn = fn};
    enum rc rc = submit(NULL, &c.work);

    commit();
    return rc == RC_OK ? c.work.rc : rc;
}

static enum rc call(void *self, command_fn *fn, void *arg)
{
    (void)self;
    return command(COMMAND_CALL, fn, arg);
}

static void catch_up(void)
{
    const struct catch_up_ports to = {.reader = d.reader, .call = call};
    enum rc rc = catch_up_begin(&to, d.config, d.now);

    if (rc != RC_OK)
        broken("the catch-up does not begin: %s", rc_text(rc));
    deliverer_rescan(d.deliverer);
}

static void start_daemon(void)
{
    struct writer_ports ports = {.notify = notify, .rescan = rescan, .failed = failed};
    struct why why = {0};
    enum rc rc = store_open(&d.config->store, d.now, &d.store, &why);

    assert(rc == RC_OK);
    rc = reader_open(away_database(), &d.reader, &why);
    assert(rc == RC_OK);
    d.transport = *away_transport();
    const struct deliver_ports out = {
        .reader = d.reader, .transport = &d.transport, .submit = submit, .seed = 1};
    (void)ref_take(&d.config->ref);
    d.deliverer = deliverer_new(&out, &d.config->lanes);
    ports.store = d.store;
    d.writer = writer_new(&ports, INTAKE_MAX);
    (void)ref_take(&d.config->ref);
    rc = command(COMMAND_RULES, NULL, &d.config->rules);
    assert(rc == RC_OK);
    (void)rc;
    d.runs = true;
    d.wake_at = d.now;
    catch_up();
}

/* What is under way is lost. */
static void kill_daemon(void)
{
    deliverer_free(d.deliverer);
    writer_close(d.writer);
    while (writer_step(d.writer, d.now, 0))
        ;
    writer_free(d.writer);
    reader_close(d.reader);
    store_close(d.store);
    away_net_hang_up();
    d.runs = false;
    d.wake_at = INT64_MAX;
}

/* Webhooks: signed, over the real decoder, into a commit. */

static bool taken(void *self, struct str body)
{
    const struct source *source = config_source(d.config, STR("hubspot"));
    struct arena a AUTO(arena_free) = {0};
    struct intake in = {.work = {.kind = WORK_INTAKE, .done = ignore}};
    struct why why = {0};

    (void)self;
    if (!d.runs)
        return false;
    struct request r = request_signed(source, "v3", body, d.now, &a);
    r.raw.received_at = d.now;
    enum refusal refusal = source->type->verify(source, request_raw(&r), &a, &why);
    if (!refusal)
        refusal = source->type->decode(source, request_raw(&r), &a, &in.events, &in.n, &why);
    if (refusal) {
        broken("a good webhook was refused: %s", why.text);
        return false;
    }
    in.work.mail.weight = EVENT_WEIGHT * (in.n + 1);
    enum rc rc = submit(NULL, &in.work);
    commit();
    if (rc != RC_OK || in.work.rc != RC_OK || in.unprocessable)
        broken("a webhook was not taken: %s", rc_text(in.work.rc));
    return true;
}

/* Time */

static void settle(void)
{
    hub_people(d.now);
    hub_hooks(d.now, taken, NULL);
    away_net_pass(d.now);
    for (bool again = d.runs; again;) {
        d.wake_at = deliverer_step(d.deliverer, d.now, d.now);
        again = d.waits || away_net_answers() || d.wake_at <= d.now;
        if (d.waits)
            commit();
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_moment(void)
{
    return earlier(earlier(d.wake_at, away_net_next()),
                   earlier(hub_people_next(), hub_hooks_next()));
}

static void pass_until(int64_t end)
{
    settle();
    while (d.now < end && !story_broken()) {
        int64_t at = earlier(next_moment(), end);

        d.now = at > d.now ? at : d.now + 1;
        settle();
    }
}

/* Until nobody has anything to do any more. */
static void find_peace(void)
{
    for (int h = 0; h < PEACE_HOURS && next_moment() != INT64_MAX && !story_broken(); h++)
        pass_until(d.now + HOURS_MS);
    if (next_moment() != INT64_MAX)
        broken("it finds no peace");
}

static void begin(uint64_t seed, int64_t deeds)
{
    metrics_reset();
    disk_format(seed);
    d.now = d.wake_at = BEGIN_MS;
    away_net_begin(seed);
    hub_begin(random_next(&seed));
    hub_people_begin(random_next(&seed), BEGIN_MS, BEGIN_MS + LIFE_MS, deeds);
    hub_api_begin();
    start_daemon();
}

static void end(void)
{
    if (hub_refusals())
        broken("the CRM refused %lld requests", (long long)hub_refusals());
    if (d.runs)
        kill_daemon();
}

static void live(bool away)
{
    pass_until(BEGIN_MS + GONE_MS);
    if (away) {
        kill_daemon();
        pass_until(BEGIN_MS + GONE_MS + AWAY_MS);
        start_daemon();
        pass_until(d.now + away_below(10 * SECONDS_MS)); /* and once more in the midst of it */
        kill_daemon();
        pass_until(d.now + SECONDS_MS); /* what was asked in the last second, no one remembers */
        start_daemon();
    }
    pass_until(BEGIN_MS + LIFE_MS);
    find_peace();
}

/* Comparing */

/* Of each contact the text that begins at its place. */
struct picture {
    struct sbuf text;
    size_t begins[HUB_RECORDS + 1], n;
};

static void take_picture(struct picture *p)
{
    for (size_t i = 0; hub_at(i) && !story_broken(); i++) {
        p->begins[p->n++] = p->text.len;
        if (hub_at(i)->kind == HUB_CONTACT)
            away_describe(d.reader, hub_at(i)->id, &p->text);
    }
    p->begins[p->n] = p->text.len;
}

static struct str part_of(const struct picture *p, size_t i)
{
    return (struct str){p->text.at + p->begins[i], p->begins[i + 1] - p->begins[i]};
}

static void compare(const struct picture *away, const struct picture *there)
{
    if (away->n != there->n)
        broken("people did other things"); /* a fault of the simulation itself */
    for (size_t i = 0; i < there->n && !story_broken(); i++)
        if (!str_eq(part_of(away, i), part_of(there, i)))
            broken("after the outage:\n%.*s\nwithout it:\n%.*s", STR_ARG(part_of(away, i)),
                   STR_ARG(part_of(there, i)));
}

static void count_found(void *self, const struct event_view *e)
{
    *(int64_t *)self += is_recovered_type(e->type);
}

static int64_t found(void)
{
    const struct list_filter all = {.limit = INT32_MAX};
    int64_t n = 0;

    if (read_events(d.reader, &all, count_found, &n) != RC_OK)
        broken("the events cannot be read");
    return n;
}

const char *run_away(uint64_t seed, int64_t deeds, struct away *ret)
{
    static struct picture away, there;

    away = (struct picture){.text = SBUF(64 << 20)};
    there = (struct picture){.text = SBUF(64 << 20)};
    *ret = (struct away){0};
    d.config = away_config();
    hub_hooks_begin(seed);
    begin(seed, deeds);
    live(true);
    if (!story_broken())
        take_picture(&away);
    ret->recovered = found();
    ret->given_up = hub_given_up();
    end();
    if (!story_broken()) { /* what was given up is remembered */
        begin(seed, deeds);
        live(false);
        take_picture(&there);
        end();
    }
    if (!story_broken())
        compare(&away, &there);
    for (size_t i = 0; i < there.n; i++)
        ret->contacts += part_of(&there, i).len > 0;
    sbuf_free(&away.text);
    sbuf_free(&there.text);
    ref_drop(&d.config->ref);
    hub_hooks_begin(0);
    return story_broken();
}
