/* app/catch_up.c - after we were away, each CRM is asked which records changed meanwhile.
 *
 * HubSpot sends what failed again for 24 hours at most, in growing intervals, and then drops it. A
 * catch-up is a delivery of the CRM's connector that belongs to no lead, under an event that says
 * since when: so it is tried again, keeps to the limits, survives a restart and can be looked at.
 *
 * Contacts are asked for, and of companies, deals and tickets those kinds of which any is known: an
 * account that never told of deals may not even let us read them.
 */
#include "funneld/app/catch_up.h"

#include "daemon_priv.h"
#include "funneld/lead/object.h"

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"
#include "funneld/base/json.h"
#include "funneld/observe/log.h"

/* HubSpot's search shows a change some time after it was made. */
#define OVERLAP_MS (5 * MINUTES_MS)

enum { LEADS_LOOKED_AT = 1000, EVENTS_LOOKED_AT = 2000, BODY_MAX = 1024 };

struct catch_up {
    struct str connector;
    int64_t portal, since, now;
    bool kinds[OBJECT_KIND_COUNT];
};

struct portals {
    int64_t first;
    bool several;
};

static void see_portal(void *self, const struct lead *l)
{
    struct portals *p = self;

    if (!l->crm_id || !l->portal_id)
        return;
    p->several |= p->first && p->first != l->portal_id;
    p->first = l->portal_id;
}

enum rc catch_up_portal(struct reader *r, const void *settings, int64_t *ret)
{
    const struct list_filter newest = {.limit = LEADS_LOOKED_AT};
    struct portals seen = {0};

    *ret = hubspot_portal(settings);
    if (*ret || !r)
        return RC_OK;
    enum rc rc = read_leads(r, &newest, see_portal, &seen);
    if (rc == RC_OK && !seen.several)
        *ret = seen.first;
    return rc;
}

struct newest {
    int64_t id, received_at; /* id: of the oldest that was looked at */
    size_t n;
};

/* What was imported says nothing of whether we heard the CRM. */
static void see_time(void *self, const struct event_view *e)
{
    struct newest *newest = self;

    newest->n++;
    newest->id = e->id;
    if (!newest->received_at && !str_eq(e->type, imported_type))
        newest->received_at = e->received_at;
}

static enum rc newest_received(struct reader *r, int64_t *ret)
{
    struct newest newest = {0};
    struct list_filter some = {.limit = 1};
    enum rc rc = RC_OK;

    do {
        newest.n = 0;
        some.after = newest.id;
        rc = read_events(r, &some, see_time, &newest);
        some.limit = EVENTS_LOOKED_AT;
    } while (rc == RC_OK && newest.n && !newest.received_at);
    *ret = newest.received_at;
    return rc;
}

/* When we last were there for certain; 0: never before. */
static enum rc last_seen(struct reader *r, int64_t *ret)
{
    int64_t trusted = 0, doubted = 0, received = 0;
    enum rc rc = read_trusted(r, &trusted, &doubted);

    if (rc == RC_OK)
        rc = newest_received(r, &received);
    if (rc == RC_OK)
        *ret = received > trusted ? received : trusted;
    return rc;
}

static void make_event(const struct catch_up *c, struct arena *a, struct event *ret)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    uint8_t hash[SHA256_LEN];

    *ret = (struct event){.source = c->connector,
                          .type = STR("catch-up.started"),
                          .state = EVENT_UNLINKED,
                          .reason = STR("the CRM is asked what changed while funneld was away"),
                          .occurred_at = c->now,
                          .received_at = c->now,
                          .request_id = arena_printf(a, "catch-up-%lld", (long long)c->now)};
    json_open(&b, '{');
    json_kv_int(&b, "portalId", c->portal);
    json_kv_time(&b, "since", c->since);
    json_kv_time(&b, "until", c->now);
    json_close(&b, '}');
    ret->body = arena_str(a, sbuf_str(&b));
    const struct str parts[] = {c->connector, STR("\n"), ret->body};
    sha256(parts, ARRAY_LEN(parts), hash);
    ret->key = dedupe_key_of(c->now, hash);
}

static enum rc queue_one(struct store *st, const struct catch_up *c, const struct event *e,
                         int64_t event, struct str records, struct arena *a)
{
    struct lead nobody = {0};
    char portal[INT64_TEXT];
    struct delivery d = {.event = event,
                         .route = route_catch_up,
                         .connector = c->connector,
                         .created_at = c->now,
                         .due_at = c->now,
                         .facts = {.event_type = e->type,
                                   .event_source = e->source,
                                   .event_property = records,
                                   .event_value = str_of_int64(c->portal, portal),
                                   .event_time = c->since}};

    return store_delivery_add(st, &nobody, &d, a);
}

static enum rc queue_all(struct store *st, void *arg, struct why *why)
{
    const struct catch_up *c = arg;
    struct arena a AUTO(arena_free) = {0};
    struct event e;
    int64_t event = 0;

    (void)why; /* the store's own words will do */
    make_event(c, &a, &e);
    enum rc rc = store_dedupe(st, &e, &event);
    if (rc == RC_OK)
        rc = store_event_add(st, event, NULL, &e, true, c->now);
    if (rc == RC_OK)
        rc = queue_one(st, c, &e, event, STR("contacts"), &a);
    for (int k = OBJECT_COMPANY; k < OBJECT_KIND_COUNT && rc == RC_OK; k++)
        if (c->kinds[k])
            rc = queue_one(st, c, &e, event, str_of(object_kind_plural((enum object_kind)k)), &a);
    return rc;
}

static bool is_asked(const struct config *c, const struct connector *k)
{
    for (size_t i = 0; i < c->n_sources; i++)
        if (str_eq(c->sources[i].enrich_with, k->name))
            return true;
    return false;
}

static enum rc begin(const struct catch_up_ports *to, const struct connector *k, int64_t seen,
                     int64_t now)
{
    struct catch_up c = {.connector = k->name, .since = seen - OVERLAP_MS, .now = now};
    char since[TIME_TEXT];
    enum rc rc = catch_up_portal(to->reader, k->settings, &c.portal);

    if (rc == RC_OK && !c.portal) {
        log_write(LOG_WARN, "catch_up.impossible", L_STR("connector", k->name),
                  L_TEXT("reason", "it is not clear which HubSpot account the connector is for"),
                  L_TEXT("hint", "set the connector's `portal`"), L_END);
        return RC_OK;
    }
    if (rc == RC_OK)
        rc = read_object_kinds(to->reader, c.portal, c.kinds);
    if (rc == RC_OK)
        rc = to->call(to->self, queue_all, &c);
    if (rc != RC_OK)
        return rc;
    time_text(c.since, since);
    log_write(LOG_INFO, "catch_up.begins", L_STR("connector", k->name), L_TEXT("since", since),
              L_END);
    return RC_OK;
}

enum rc catch_up_begin(const struct catch_up_ports *to, const struct config *c, int64_t now_ms)
{
    int64_t seen = 0;
    enum rc rc = last_seen(to->reader, &seen);

    for (size_t i = 0; i < c->n_connectors && rc == RC_OK && seen; i++) {
        const struct connector *k = &c->connectors[i];
        int64_t after = k->type->enriches ? hubspot_catch_up_after_ms(k->settings) : 0;

        if (after && is_asked(c, k) && now_ms - seen >= after)
            rc = begin(to, k, seen, now_ms);
    }
    return rc;
}

static enum rc call(void *self, command_fn *fn, void *arg)
{
    return daemon_command(self, COMMAND_CALL, arg, fn, NULL, NULL);
}

void daemon_catch_up(struct daemon *d)
{
    const struct catch_up_ports to = {.reader = d->overview_reader, .call = call, .self = d};
    enum rc rc = catch_up_begin(&to, d->config, clock_now_ms());

    if (rc != RC_OK)
        log_write(LOG_ERROR, "catch_up.failed", L_TEXT("reason", rc_text(rc)), L_END);
    deliverer_rescan(d->deliverer);
}
