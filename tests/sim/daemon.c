/* tests/sim/daemon.c - see daemon.h. */
#include "daemon_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "funneld/base/clock.h"
#include "funneld/observe/health.h"
#include "net.h"
#include "oracle.h"
#include "story.h"

enum { INTAKE_MAX = 1 << 20, TURNS_MAX = 2000, NEVER_MS = 1000 };

struct sim_daemon d;

int64_t wall(void)
{
    return d.now + d.skew;
}

int64_t daemon_now(void)
{
    return d.now;
}

bool daemon_runs(void)
{
    return d.runs;
}

bool daemon_is_broken(void)
{
    return d.is_broken;
}

bool daemon_waits(void)
{
    return d.waiting > 0;
}

void daemon_begin(int64_t now)
{
    memset(&d, 0, sizeof d);
    d.now = now;
    d.transport = *net_transport();
    oracle_begin();
}

/* Ports */

static void notify(void *self, struct str connector, const struct due_row *row)
{
    (void)self;
    if (!disk_ended())
        deliverer_notify(d.deliverer, connector, row);
}

static void rescan(void *self)
{
    (void)self;
    if (!disk_ended())
        deliverer_rescan(d.deliverer);
}

static void failed(void *self)
{
    (void)self;
    if (!d.is_broken && !disk_ended())
        story("%lld the store is broken", (long long)d.now);
    d.is_broken = true;
}

enum rc daemon_submit(void *self, struct work *work)
{
    (void)self;
    enum rc rc = writer_submit(d.writer, work);

    d.waiting += rc == RC_OK;
    return rc;
}

/* All that waits fits into one commit. */
bool daemon_commit(void)
{
    d.waiting = 0;
    return writer_step(d.writer, wall(), 0);
}

/* Start and end */

static void free_parts(void)
{
    deliverer_free(d.deliverer);
    writer_free(d.writer);
    reader_close(d.reader);
    store_close(d.store);
    d.deliverer = NULL;
    d.writer = NULL;
    d.reader = NULL;
    d.store = NULL;
    d.waiting = 0;
    d.runs = false;
}

static void drain(void)
{
    if (!d.writer)
        return;
    writer_close(d.writer);
    while (daemon_commit())
        ;
}

static enum rc open_store(struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    const struct config *c = variant_config(d.variant);
    enum rc rc = store_open(&c->store, wall(), &d.store, why);

    return rc == RC_OK ? reader_open(arena_text(&a, c->store.path), &d.reader, why) : rc;
}

static void command_done(struct work *work)
{
    work->mail.weight = 0;
}

static enum rc command(enum command_kind kind, void *arg)
{
    struct command c = {.work = {.mail.weight = 1, .kind = WORK_COMMAND, .done = command_done},
                        .kind = kind,
                        .arg = arg};
    enum rc rc = daemon_submit(NULL, &c.work);

    while (rc == RC_OK && c.work.mail.weight)
        (void)daemon_commit();
    return rc == RC_OK ? c.work.rc : rc;
}

static enum rc load_rules(int variant)
{
    struct config *c = variant_config(variant);

    (void)ref_take(&c->ref);
    enum rc rc = command(COMMAND_RULES, &c->rules);
    if (rc != RC_OK)
        ref_drop(&c->ref);
    return rc;
}

/* Every other daemon has room for so few heads that most stay on disk. */
enum { FEW_HEADS = 4 };

static enum rc start_parts(struct why *why)
{
    const struct writer_ports to = {
        .store = d.store, .notify = notify, .rescan = rescan, .failed = failed};
    const struct deliver_ports ports = {.reader = d.reader,
                                        .transport = &d.transport,
                                        .submit = daemon_submit,
                                        .seed = (uint64_t)d.now,
                                        .window = d.now % 2 ? FEW_HEADS : 0};
    struct config *c = variant_config(d.variant);

    (void)ref_take(&c->ref);
    d.deliverer = deliverer_new(&ports, &c->lanes);
    d.writer = writer_new(&to, INTAKE_MAX);
    enum rc rc = load_rules(d.variant);
    return rc == RC_OK ? rc : why_fail(rc, why, "the rules were not taken: %s", rc_text(rc));
}

bool daemon_start(int variant)
{
    struct why why = {0};

    d.variant = variant;
    d.is_broken = false;
    atomic_store(&health.store, STORE_OK);
    enum rc rc = open_store(&why);
    if (rc == RC_OK)
        rc = start_parts(&why);
    d.runs = rc == RC_OK && !disk_ended();
    story("%lld start as %s: %s", (long long)d.now, variants[variant].name,
          d.runs         ? "it runs"
          : disk_ended() ? "it died"
                         : rc_text(rc));
    if (d.runs) {
        oracle_started(variant);
        d.wake_at = wall();
        return true;
    }
    if (rc == RC_CORRUPT || rc == RC_INVALID)
        broken("it does not start: %s", why.text);
    if (!disk_ended()) {
        drain();
        free_parts();
    }
    return false;
}

void daemon_bury(void)
{
    assert(disk_ended());
    drain();
    net_hang_up();
    free_parts();
    disk_restart();
}

/* What is in flight has four seconds; then its fate is left open on the disk. */
void daemon_stop(void)
{
    story("%lld stop", (long long)d.now);
    deliverer_stop(d.deliverer);
    for (int i = 0; i < 40 && !deliverer_idle(d.deliverer) && !disk_ended(); i++) {
        daemon_settle();
        d.now += 100;
        (void)net_run(d.now);
    }
    drain();
    if (disk_ended())
        return;
    if (!deliverer_idle(d.deliverer)) {
        store_close(d.store);
        d.store = NULL;
    }
    net_hang_up();
    free_parts();
}

bool daemon_reload(int variant)
{
    struct config *c = variant_config(variant);

    assert(!d.waiting);
    enum rc rc = load_rules(variant);
    story("%lld reload as %s: %s", (long long)d.now, variants[variant].name, rc_text(rc));
    if (rc != RC_OK || disk_ended())
        return false;
    d.variant = variant;
    (void)ref_take(&c->ref);
    deliverer_reload(d.deliverer, &c->lanes);
    oracle_reloaded(variant);
    return true;
}

void daemon_retry(void)
{
    struct retry_filter all = {0};

    while (daemon_write()) /* what is dead by then is known */
        ;
    if (disk_ended())
        return;
    oracle_retrying();
    enum rc rc = command(COMMAND_RETRY, &all);
    story("%lld retry all: %s", (long long)d.now, rc_text(rc));
    if (rc == RC_OK || disk_ended())
        oracle_retried();
}

/* Time */

bool daemon_write(void)
{
    if (!d.waiting && atomic_load(&health.store) == STORE_OK)
        return false;
    bool waited = d.waiting > 0;
    (void)daemon_commit();
    return waited && !disk_ended();
}

void daemon_deliver(void)
{
    d.wake_at = deliverer_step(d.deliverer, wall(), d.now);
    if (deliverer_idle(d.deliverer))
        net_idle();
}

void daemon_settle(void)
{
    (void)net_run(d.now);
    for (int i = 0; i < TURNS_MAX && d.runs && !disk_ended(); i++) {
        daemon_deliver();
        if (!daemon_write() && !net_has_answers() && d.wake_at > wall())
            return;
    }
    if (d.runs && !disk_ended())
        broken("the deliverer turns without end");
}

static int64_t next_turn(int64_t end)
{
    int64_t at = net_run(d.now);

    if (d.runs && d.wake_at != INT64_MAX && d.wake_at - d.skew < at)
        at = d.wake_at - d.skew;
    if (d.runs && atomic_load(&health.store) != STORE_OK && d.now + NEVER_MS < at)
        at = d.now + NEVER_MS;
    return at <= d.now ? d.now + 1 : at < end ? at : end;
}

void daemon_pass(int64_t ms)
{
    int64_t end = d.now + ms;

    for (;;) {
        daemon_settle();
        if (d.now >= end || disk_ended() || d.is_broken)
            break;
        d.now = next_turn(end);
    }
    if (d.now < end && (disk_ended() || d.is_broken))
        return;
    d.now = end;
}

void daemon_wait(int64_t ms)
{
    d.now += ms;
}

void daemon_jump(int64_t ms)
{
    d.skew += ms;
    story("%lld the clock is set by %lld ms", (long long)d.now, (long long)ms);
    if (ms > 0)
        net_clock_jumped();
}

void daemon_right_clock(void)
{
    if (d.skew)
        daemon_jump(-d.skew);
}

bool daemon_is_quiet(void)
{
    return d.runs && !d.waiting && d.wake_at == INT64_MAX && net_run(d.now) == INT64_MAX &&
           deliverer_idle(d.deliverer);
}
