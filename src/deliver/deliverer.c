/* deliver/deliverer.c - all lanes, all attempts, one thread. */
#include "attempt_priv.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "funneld/observe/health.h"

enum {
    MAILBOX_ROWS = 16384, /* notifications that wait; when there are more, the disk is read */
    ROUNDS_MAX = 64,      /* of one step, so that the clock is read again now and then */
    MAIL_MAX = 1024,      /* of one round */
    WAIT_MAX_MS = 1000,
};

struct deliverer {
    struct engine engine; /* first */
    struct lane *lanes;
    int64_t last_ms; /* of the last step */
    /* Shared with other threads */
    atomic_bool probe;  /* somebody may have mended what was broken */
    atomic_bool rescan; /* a notification was lost, or many rows changed */
    atomic_bool woken;  /* the transport has been woken since the last turn */
    atomic_bool stopping;
    atomic_size_t busy; /* attempts; at least 1 during a step */
};

struct post_row {
    struct post post; /* first */
    struct due_row row;
    size_t name_len;
    char name[]; /* of the connector */
};

struct post_lanes {
    struct post post; /* first */
    struct lanes lanes;
};

/* Mailbox */

/* One wake-up a turn is enough, however many rows a commit brings. */
static void wake(struct deliverer *d)
{
    struct transport *t = d->engine.ports.transport;

    if (!atomic_exchange(&d->woken, true))
        t->wake(t->self);
}

static void posted(struct engine *e)
{
    wake((struct deliverer *)(void *)e);
}

void deliverer_notify(struct deliverer *d, struct str connector, const struct due_row *row)
{
    struct post_row *p = mem_alloc(sizeof *p + connector.len);

    p->post = (struct post){.mail.weight = 1, .kind = POST_ROW};
    p->row = *row;
    p->name_len = connector.len;
    memcpy(p->name, connector.at, connector.len);
    if (mailbox_put(d->engine.mailbox, &p->post.mail) != RC_OK) {
        free(p);
        atomic_store(&d->rescan, true);
    }
    wake(d);
}

void deliverer_rescan(struct deliverer *d)
{
    atomic_store(&d->rescan, true);
    wake(d);
}

void deliverer_probe(struct deliverer *d)
{
    atomic_store(&d->probe, true);
    deliverer_rescan(d);
}

void deliverer_reload(struct deliverer *d, const struct lanes *lanes)
{
    struct post_lanes *p = mem_alloc(sizeof *p);

    *p = (struct post_lanes){{.mail.weight = 1, .kind = POST_LANES}, *lanes};
    enum rc rc = mailbox_force(d->engine.mailbox, &p->post.mail);
    assert(rc == RC_OK); /* it is never closed */
    (void)rc;
    wake(d);
}

void deliverer_stop(struct deliverer *d)
{
    atomic_store(&d->stopping, true);
    wake(d);
}

bool deliverer_idle(struct deliverer *d)
{
    return atomic_load(&d->busy) == 0;
}

/* Lanes */

static struct lane *find_lane(struct deliverer *d, struct str name)
{
    for (struct lane *l = d->lanes; l; l = l->next)
        if (str_eq(l->name, name))
            return l;
    return NULL;
}

static const struct connector *find_connector(const struct lanes *lanes, struct str name)
{
    for (size_t i = 0; i < lanes->n; i++)
        if (str_eq(lanes->connectors[i].name, name))
            return &lanes->connectors[i];
    return NULL;
}

/* Takes over lanes->owner. */
static void use_lanes(struct deliverer *d, const struct lanes *lanes, int64_t now_ms)
{
    struct ref *old = d->engine.lanes.owner;

    d->engine.lanes = *lanes;
    for (size_t i = 0; i < lanes->n; i++)
        if (!find_lane(d, lanes->connectors[i].name)) {
            struct lane *l = lane_new(lanes->connectors[i].name, d->engine.ports.window);

            l->next = d->lanes;
            d->lanes = l;
        }
    for (struct lane *l = d->lanes; l; l = l->next)
        lane_configure(l, find_connector(lanes, l->name), now_ms);
    ref_drop(old);
}

static void drop_removed(struct deliverer *d)
{
    for (struct lane **at = &d->lanes; *at;) {
        struct lane *l = *at;

        if (l->connector || l->running) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        lane_free(l);
    }
}

/* The parts of a step; each says whether it did anything. */

static void open_post(struct deliverer *d, struct mail *mail, int64_t now_ms)
{
    struct post *post = (struct post *)(void *)mail;

    if (post->kind == POST_WORK_DONE) {
        attempt_work_done((struct attempt *)(void *)((char *)post - offsetof(struct attempt, post)),
                          now_ms);
        return;
    }
    if (post->kind == POST_LANES) {
        use_lanes(d, &((struct post_lanes *)(void *)post)->lanes, now_ms);
    } else {
        struct post_row *p = (struct post_row *)(void *)post;
        struct lane *l = find_lane(d, (struct str){p->name, p->name_len});

        if (l)
            lane_notify(l, d->engine.ports.reader, &p->row, now_ms);
    }
    free(post);
}

static bool read_mail(struct deliverer *d, int64_t now_ms)
{
    struct mail *mail = mailbox_take(d->engine.mailbox, MAIL_MAX, 0);
    bool any = mail != NULL;

    while (mail) {
        struct mail *next = mail->next;

        open_post(d, mail, now_ms);
        mail = next;
    }
    return any;
}

/* After the mail: what was lost came before what was in it. */
static void heed_rescan(struct deliverer *d, int64_t now_ms)
{
    if (atomic_exchange(&d->rescan, false))
        for (struct lane *l = d->lanes; l; l = l->next)
            lane_rescan(l, now_ms);
}

static void heed_probe(struct deliverer *d, int64_t now_ms)
{
    if (atomic_exchange(&d->probe, false))
        for (struct lane *l = d->lanes; l; l = l->next)
            lane_probe_now(l, now_ms);
}

static void heed_clock(struct deliverer *d, int64_t now_ms)
{
    int64_t back = d->last_ms > now_ms ? d->last_ms - now_ms : 0;

    d->last_ms = now_ms;
    for (struct lane *l = d->lanes; l; l = l->next)
        lane_clock(l, now_ms, back);
    for (struct attempt *a = d->engine.attempts; a && back; a = a->next)
        a->wake_at -= back;
    governor_shift(&d->engine.governor, back);
}

static bool take_results(struct deliverer *d, int64_t now_ms)
{
    struct transport *t = d->engine.ports.transport;
    struct transport_result result;
    bool any = false;

    while (t->take(t->self, &result)) {
        attempt_answered(result.tag, &result.response, now_ms);
        any = true;
    }
    return any;
}

static bool starts_nothing(const struct deliverer *d)
{
    return atomic_load(&d->stopping) || d->engine.store_closed;
}

static bool resume_sleepers(struct deliverer *d, int64_t now_ms)
{
    bool any = false;

    for (struct attempt *a = d->engine.attempts, *next; a; a = next) {
        next = a->next;
        if (starts_nothing(d) && attempt_give_way(a, now_ms))
            continue;
        if (attempt_sleeps(a) && a->wake_at <= now_ms) {
            attempt_resume(a, now_ms);
            any = true;
        }
    }
    return any;
}

/* What the lane's next attempt will begin with. */
static size_t next_quotas(const struct lane *l, int64_t now_ms, struct quota ret[])
{
    if (!l->connector)
        return 0;
    const struct job next = {
        .settings = l->connector->settings, .session = l->session->data, .now_ms = now_ms};
    return connector_quotas(l->connector, &next, ret);
}

/* When the account lets it. */
static int64_t quota_at(const struct deliverer *d, const struct lane *l, int64_t now_ms)
{
    struct quota quotas[QUOTAS_MAX];
    size_t n = next_quotas(l, now_ms, quotas);

    return governor_ready_at(&d->engine.governor, quotas, n, now_ms);
}

static void tell_outlook(struct deliverer *d, int64_t now_ms)
{
    for (struct lane *l = d->lanes; l; l = l->next) {
        struct quota quotas[QUOTAS_MAX];
        size_t n = next_quotas(l, now_ms, quotas);
        double per_second = 0;

        for (size_t i = 0; i < n; i++)
            if (per_second <= 0 || quotas[i].per_second < per_second)
                per_second = quotas[i].per_second;
        lane_tell_eta(l, d->engine.ports.reader, per_second, now_ms);
    }
}

static bool run_lane(struct deliverer *d, struct lane *l, int64_t now_ms)
{
    bool any = false;

    for (;;) {
        lane_scan(l, d->engine.ports.reader, now_ms);
        if (starts_nothing(d) || !lane_may_start(l, now_ms) || quota_at(d, l, now_ms) > now_ms)
            return any;

        struct attempt *a = attempt_gather(&d->engine, l, now_ms);
        if (!a)
            return any;
        attempt_begin(a, now_ms);
        any = true;
    }
}

static bool has_urgent(const struct lane *l, int64_t now_ms)
{
    const struct line *next = lane_next_line(l, now_ms);

    return next && line_next(next, now_ms)->urgent;
}

/* Lanes with something urgent draw first from the quotas that they share with others. */
static bool run_lanes(struct deliverer *d, int64_t now_ms)
{
    bool any = false;

    for (struct lane *l = d->lanes; l; l = l->next)
        if (has_urgent(l, now_ms))
            any |= run_lane(d, l, now_ms);
    for (struct lane *l = d->lanes; l; l = l->next)
        any |= run_lane(d, l, now_ms);
    return any;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_turn(const struct deliverer *d, int64_t now_ms)
{
    int64_t at = NEVER;

    for (const struct attempt *a = d->engine.attempts; a; a = a->next)
        if (attempt_sleeps(a))
            at = earlier(at, a->wake_at);
    if (!starts_nothing(d))
        for (const struct lane *l = d->lanes; l; l = l->next)
            at = earlier(at, lane_wake_at(l, quota_at(d, l, now_ms), now_ms));
    return at;
}

static size_t count_attempts(const struct deliverer *d)
{
    size_t n = 0;

    for (const struct attempt *a = d->engine.attempts; a; a = a->next)
        n++;
    return n;
}

int64_t deliverer_step(struct deliverer *d, int64_t now_ms, int64_t steady_ms)
{
    bool more = true;

    atomic_store(&health.deliverer_beat, now_ms);
    atomic_store(&d->busy, 1 + count_attempts(d));
    atomic_store(&d->woken, false);
    heed_clock(d, now_ms);
    d->engine.trusted_ms = trusted_time(&d->engine.trusted, now_ms, steady_ms);
    for (int round = 0; more && round < ROUNDS_MAX; round++) {
        more = read_mail(d, now_ms);
        heed_rescan(d, now_ms);
        heed_probe(d, now_ms);
        more |= take_results(d, now_ms);
        more |= resume_sleepers(d, now_ms);
        more |= run_lanes(d, now_ms);
    }
    drop_removed(d);
    tell_outlook(d, now_ms);
    atomic_store(&d->busy, count_attempts(d));
    return more ? now_ms : next_turn(d, now_ms);
}

void *deliverer_run(void *deliverer)
{
    struct deliverer *d = deliverer;
    struct transport *t = d->engine.ports.transport;

    for (;;) {
        int64_t next = deliverer_step(d, clock_now_ms(), clock_mono_us() / 1000);

        if (atomic_load(&d->stopping) && deliverer_idle(d))
            return NULL;

        int64_t wait = next == NEVER ? WAIT_MAX_MS : next - clock_now_ms();
        wait = wait < 0 ? 0 : earlier(wait, WAIT_MAX_MS);
        t->wait(t->self, (int)wait);
    }
}

struct deliverer *deliverer_new(const struct deliver_ports *ports, const struct lanes *lanes)
{
    struct deliverer *d = mem_alloc(sizeof *d);

    d->engine = (struct engine){.ports = *ports,
                                .mailbox = mailbox_new(MAILBOX_ROWS),
                                .random = ports->seed,
                                .trusted = ports->trusted,
                                .posted = posted};
    use_lanes(d, lanes, 0); /* the first step reads the disk */
    return d;
}

static void throw_mail_away(struct deliverer *d)
{
    for (struct mail *mail; (mail = mailbox_take(d->engine.mailbox, 1, 0));) {
        struct post *post = (struct post *)(void *)mail;

        if (post->kind == POST_LANES)
            ref_drop(((struct post_lanes *)(void *)post)->lanes.owner);
        if (post->kind != POST_WORK_DONE) /* those are part of their attempt */
            free(post);
    }
}

void deliverer_free(struct deliverer *d)
{
    if (!d)
        return;
    throw_mail_away(d);
    while (d->engine.attempts)
        attempt_free(d->engine.attempts);
    while (d->lanes) {
        struct lane *l = d->lanes;

        d->lanes = l->next;
        lane_free(l);
    }
    governor_free(&d->engine.governor);
    ref_drop(d->engine.lanes.owner);
    mailbox_free(d->engine.mailbox);
    free(d);
}
