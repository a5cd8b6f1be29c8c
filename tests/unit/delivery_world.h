/* tests/unit/delivery_world.h - all around a deliverer, in virtual time: a store that can wait or
 * fail, a transport that answers when told to.
 */
#ifndef FUNNELD_TESTS_DELIVERY_WORLD_H
#define FUNNELD_TESTS_DELIVERY_WORLD_H

#include <stdio.h>
#include <string.h>

#include "fake_connector.h"
#include "fake_queue.h"
#include "funneld/deliver/deliverer.h"
#include "funneld/ingest/source.h"
#include "funneld/observe/log.h"
#include "funneld/observe/metrics.h"

/* The rest of the store, and what else the deliverer asks */
static int64_t fake_unreadable; /* the id of a row that says what cannot be */

enum rc read_delivery(struct reader *r, int64_t id, struct arena *a, struct delivery *ret)
{
    (void)r;
    (void)a;
    if (fake_read_error)
        return fake_read_error;
    if (id == fake_unreadable)
        return RC_INVALID;
    if (!fake_row(id))
        return RC_NONE;
    *ret = *fake_row(id);
    return RC_OK;
}

enum rc read_lead(struct reader *r, int64_t id, struct arena *a, struct lead *ret)
{
    (void)r;
    (void)a;
    if (fake_read_error)
        return fake_read_error;
    *ret = (struct lead){.id = id, .portal_id = 5, .crm_id = 500 + id};
    return RC_OK;
}

enum rc read_object(struct reader *r, int64_t id, struct arena *a, struct object *ret)
{
    (void)r;
    (void)a;
    if (fake_read_error)
        return fake_read_error;
    if (id == 404)
        return RC_NONE;
    *ret = (struct object){
        .id = id, .kind = OBJECT_DEAL, .record = {.portal_id = 5, .crm_id = 900 + id}};
    return RC_OK;
}

enum rc read_remote(struct reader *r, int64_t lead, struct str connector, struct arena *a,
                    struct str *ret)
{
    (void)r;
    (void)connector;
    if (fake_read_error)
        return fake_read_error;
    if (lead == 2)
        return RC_NONE;
    *ret = arena_printf(a, "page%d", (int)lead);
    return RC_OK;
}

enum rc read_subscription(struct reader *r, int64_t id, struct arena *a, struct subscription *ret)
{
    (void)r;
    if (fake_read_error)
        return fake_read_error;
    if (id == fake_ended)
        return RC_NONE;
    *ret = (struct subscription){.id = id, .target = arena_printf(a, "https://hook/%d", (int)id)};
    return RC_OK;
}

const char *reader_database_id(const struct reader *r)
{
    (void)r;
    return "0badcafe";
}

const struct message *routes_message(const struct routes *r, struct str route, struct str connector)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->items[i].name, route) && str_eq(r->items[i].messages->connector, connector))
            return r->items[i].messages;
    return NULL;
}

struct str hubspot_contact_url(const void *settings, int64_t portal_id, int64_t crm_id,
                               struct arena *a)
{
    (void)settings;
    return arena_printf(a, "https://crm/%d/%d", (int)portal_id, (int)crm_id);
}

/* The world */
enum { WORLD_MAX = 512, NAMES_MAX = 4 };

struct sent {
    void *tag;
    char path[200];
    bool open;
};

struct ended { /* an attempt_end as the store saw it */
    int64_t delivery, due_at, at, started_at;
    enum attempt_verdict verdict;
    int status;
    char detail[100];
    int64_t event_time; /* of the first event that came with it; 0: none */
    size_t n_events;
    bool remote_id;
    bool enriched, applied, in_doubt, unclear;
};

struct world {
    struct deliverer *d;
    int64_t now, next; /* next: what the last step returned */
    int64_t steady;    /* by the clock that does not jump; 0: as now */
    struct fake_settings settings[NAMES_MAX];
    struct connector connectors[NAMES_MAX];
    struct lanes lanes;
    enum rc transport_rc; /* what start() answers */
    struct sent sent[WORLD_MAX];
    size_t n_sent;
    struct transport_result results[WORLD_MAX];
    size_t n_results, n_taken;
    enum { STORE_COMMITS, STORE_WAITS, STORE_FAILS, STORE_CLOSED } store;
    struct work *waiting[WORLD_MAX];
    size_t n_waiting, n_marked;
    struct ended ends[WORLD_MAX];
    size_t n_ends;
    struct transport transport;
};

/* Long ones are cut: to compare, not to parse. */
static void keep_text(char *to, size_t size, struct str s)
{
    s = str_cut(s, size - 1);
    if (s.len)
        memcpy(to, s.at, s.len);
    to[s.len] = '\0';
}

static void store_attempts(struct world *w, struct attempts *a)
{
    for (size_t i = 0; i < a->n; i++) {
        fake_row(a->deliveries[i])->open_attempt_at = a->at;
        w->n_marked++;
    }
}

static void store_end(struct world *w, struct attempt_end *e)
{
    struct delivery *d = fake_row(e->delivery);

    e->applied = d->state == DELIVERY_PENDING;
    if (w->n_ends < WORLD_MAX) {
        struct ended *x = &w->ends[w->n_ends++];

        *x = (struct ended){.delivery = e->delivery,
                            .due_at = e->due_at,
                            .at = e->ended_at,
                            .started_at = e->started_at,
                            .verdict = e->verdict,
                            .status = e->status,
                            .event_time = e->n_events ? e->events->occurred_at : 0,
                            .n_events = e->n_events,
                            .remote_id = e->remote_id.len > 0,
                            .enriched = e->enriched,
                            .applied = e->applied,
                            .in_doubt = e->in_doubt,
                            .unclear = e->unclear};
        keep_text(x->detail, sizeof x->detail, e->detail);
    }
    if (!e->applied)
        return;
    d->attempts = e->verdict == ATTEMPT_MORE ? 0 : d->attempts + 1;
    if (e->verdict != ATTEMPT_AMBIGUOUS)
        d->open_attempt_at = 0;
    if (e->verdict == ATTEMPT_DELIVERED || e->verdict == ATTEMPT_DEAD)
        d->state = e->verdict == ATTEMPT_DEAD ? DELIVERY_DEAD : DELIVERY_DELIVERED;
    else
        d->due_at = e->due_at;
}

static void store_do(struct world *w, struct work *work)
{
    work->rc = w->store == STORE_FAILS ? RC_FULL : RC_OK;
    if (work->rc == RC_OK && work->kind == WORK_ATTEMPTS)
        store_attempts(w, (struct attempts *)(void *)work);
    if (work->rc == RC_OK && work->kind == WORK_VERDICTS) {
        struct verdicts *v = (struct verdicts *)(void *)work;

        for (size_t i = 0; i < v->n; i++)
            store_end(w, &v->ends[i]);
    }
    work->done(work);
}

static enum rc world_submit(void *self, struct work *work)
{
    struct world *w = self;

    if (w->store == STORE_CLOSED)
        return RC_CLOSED;
    if (w->store == STORE_WAITS)
        w->waiting[w->n_waiting++] = work;
    else
        store_do(w, work);
    return RC_OK;
}

static MAYBE void world_commit(struct world *w)
{
    size_t n = w->n_waiting;

    w->n_waiting = 0;
    for (size_t i = 0; i < n; i++)
        store_do(w, w->waiting[i]);
}

static enum rc world_start(void *self, const struct transport_call *call, struct why *why)
{
    struct world *w = self;
    struct str path = str_from(call->request->url, sizeof "http://localhost/" - 1);

    if (w->transport_rc)
        return why_fail(w->transport_rc, why, "it must not be sent");
    if (w->n_sent == WORLD_MAX) /* forget the first half, answered long ago */
        memmove(w->sent, w->sent + WORLD_MAX / 2, (w->n_sent = WORLD_MAX / 2) * sizeof *w->sent);
    struct sent *s = &w->sent[w->n_sent++];
    *s = (struct sent){.tag = call->tag, .open = true};
    keep_text(s->path, sizeof s->path, path);
    return RC_OK;
}

static bool world_take(void *self, struct transport_result *ret)
{
    struct world *w = self;

    if (w->n_taken == w->n_results) {
        w->n_taken = w->n_results = 0;
        return false;
    }
    *ret = w->results[w->n_taken++];
    return true;
}

static void world_wait(void *self, int timeout_ms)
{
    (void)self;
    (void)timeout_ms;
}

static void world_wake(void *self)
{
    (void)self;
}

static void step(struct world *w)
{
    w->next = deliverer_step(w->d, w->now, w->steady ? w->steady : w->now);
}

static MAYBE void step_to(struct world *w, int64_t now)
{
    w->now = now;
    step(w);
}

static MAYBE void world_start_deliverer(struct world *w)
{
    struct deliver_ports ports = {
        .transport = &w->transport, .submit = world_submit, .self = w, .seed = 1};

    w->d = deliverer_new(&ports, &w->lanes);
    step(w);
}

static struct world *world_new(const char *const names[], size_t n)
{
    struct world *w = mem_alloc(sizeof *w);

    fake_clear();
    fake_ended = 0;
    metrics_reset();
    fake_sessions_freed = 0;
    w->now = 1700000000000;
    for (size_t i = 0; i < n; i++) {
        w->settings[i] = (struct fake_settings){.batch = 1,
                                                .common = {.timeout_ms = 1000,
                                                           .concurrency = 1,
                                                           .settle_ms = 5000,
                                                           .backoff_ms = 2000,
                                                           .backoff_max_ms = 60000}};
        w->connectors[i] = (struct connector){&fake_type, str_of(names[i]), &w->settings[i]};
    }
    w->lanes = (struct lanes){.connectors = w->connectors, .n = n};
    w->transport = (struct transport){w, world_start, world_take, world_wait, world_wake, NULL};
    return w;
}

static MAYBE const char *const one[] = {"c"};

/* Of a single connector, and at work */
static MAYBE struct world *world_one(void)
{
    struct world *w = world_new(one, 1);

    world_start_deliverer(w);
    return w;
}

static MAYBE void world_free(struct world *w)
{
    deliverer_free(w->d);
    free(w);
}

/* A row is committed and notified. */
static MAYBE int64_t post(struct world *w, const char *connector, int64_t lead)
{
    struct due_row row = fake_add(connector, lead, w->now);

    deliverer_notify(w->d, str_of(connector), &row);
    return row.id;
}

static struct sent *open_request(struct world *w, const char *path)
{
    for (size_t i = 0; i < w->n_sent; i++)
        if (w->sent[i].open && strcmp(w->sent[i].path, path) == 0)
            return &w->sent[i];
    return NULL;
}

static MAYBE size_t open_requests(const struct world *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_sent; i++)
        n += w->sent[i].open;
    return n;
}

static MAYBE void respond(struct world *w, struct sent *s, struct http_response r)
{
    s->open = false;
    w->results[w->n_results++] = (struct transport_result){s->tag, r};
    step(w);
}

/* status 0: the fate instead. */
static MAYBE void answer(struct world *w, const char *path, int status)
{
    struct sent *s = open_request(w, path);

    if (!s)
        fail_msg("there is no open request %s", path);
    else
        respond(w, s,
                (struct http_response){.fate = HTTP_ANSWERED,
                                       .status = status,
                                       .body = STR("none"),
                                       .retry_after_ms = -1});
}

static MAYBE void lose(struct world *w, const char *path, enum http_fate fate)
{
    struct sent *s = open_request(w, path);

    if (!s)
        fail_msg("there is no open request %s", path);
    else
        respond(w, s,
                (struct http_response){
                    .fate = fate, .retry_after_ms = -1, .error = STR("the line broke")});
}

static MAYBE const struct ended *last_end(const struct world *w)
{
    assert_true(w->n_ends > 0);
    return &w->ends[w->n_ends - 1];
}

static MAYBE int64_t counted(const char *connector, const char *outcome)
{
    return (int64_t)metric_value(metric(METRIC_DELIVERIES, str_of(connector), str_of(outcome)));
}

/* For a whole file: its failures are meant. */
static MAYBE int quiet(void **state)
{
    static const struct log_settings s = {.level = LOG_ERROR + 1};

    (void)state;
    log_configure(&s);
    return 0;
}

#endif
