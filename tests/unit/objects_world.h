/* tests/unit/objects_world.h - short ways to tell a writer of companies, deals and tickets. */
#ifndef FUNNELD_TESTS_OBJECTS_WORLD_H
#define FUNNELD_TESTS_OBJECTS_WORLD_H

#include "pipeline_world.h"

static MAYBE struct str object_change_json(struct pipeline *p, const char *kind, int64_t id,
                                           const char *name, const char *value, int64_t at)
{
    struct str more = arena_printf(&p->w->arena,
                                   ",\"objectId\":%lld,\"propertyName\":\"%s\","
                                   "\"propertyValue\":\"%s\"",
                                   (long long)id, name, value);

    return hubspot_json(p, arena_printf(&p->w->arena, "%s.propertyChange", kind).at, at, more.at);
}

/* As told by the side that `type` names, "DEAL_TO_CONTACT". */
static MAYBE struct str association_json(struct pipeline *p, const char *subscription,
                                         const char *type, int64_t from, int64_t to, bool removed,
                                         int64_t at)
{
    struct str more =
        arena_printf(&p->w->arena,
                     ",\"associationType\":\"%s\",\"fromObjectId\":%lld,"
                     "\"toObjectId\":%lld,\"associationRemoved\":%s",
                     type, (long long)from, (long long)to, removed ? "true" : "false");

    return hubspot_json(p, subscription, at, more.at);
}

static MAYBE struct str object_merge_json(struct pipeline *p, const char *kind, int64_t from,
                                          int64_t into, int64_t at)
{
    struct str more =
        arena_printf(&p->w->arena, ",\"primaryObjectId\":%lld,\"mergedObjectIds\":[%lld]",
                     (long long)into, (long long)from);

    return hubspot_json(p, arena_printf(&p->w->arena, "%s.merge", kind).at, at, more.at);
}

/* Each happens now and is received now. */

static MAYBE void change_deal(struct pipeline *p, int64_t deal, const char *name, const char *value)
{
    struct intake in = post_one(p, object_change_json(p, "deal", deal, name, value, p->now));

    COUNTS(in, 1, 0, 0);
}

static MAYBE void link_deal(struct pipeline *p, int64_t deal, int64_t contact)
{
    struct intake in = post_one(p, association_json(p, "deal.associationChange", "DEAL_TO_CONTACT",
                                                    deal, contact, false, p->now));

    COUNTS(in, 1, 0, 0);
}

static MAYBE void unlink_deal(struct pipeline *p, int64_t deal, int64_t contact)
{
    struct intake in = post_one(p, association_json(p, "deal.associationChange", "DEAL_TO_CONTACT",
                                                    deal, contact, true, p->now));

    COUNTS(in, 1, 0, 0);
}

static MAYBE struct object object_of(struct pipeline *p, enum object_kind kind, int64_t id)
{
    struct object o;

    OK(read_object_by_crm(p->w->reader, kind, PORTAL, id, &p->w->arena, &o));
    return o;
}

/* What the CRM says of it, as a delivery brings it back. */
static MAYBE struct event record_read(struct pipeline *p, const struct object *o,
                                      int64_t updated_at, const struct field *properties, size_t n,
                                      const int64_t *contacts, size_t n_contacts, int64_t read_at)
{
    const struct crm_record r = {
        .kind = o->kind,
        .portal_id = o->record.portal_id,
        .id = o->record.crm_id,
        .updated_at = updated_at,
        .properties = properties,
        .n_properties = n,
        .contacts = {.ids = contacts, .n = n_contacts, .all = true, .read_at = read_at},
    };
    struct event e;

    record_event(STR("crm"), &r, p->now, &p->w->arena, &e);
    e.request_id = STR("req-1");
    return e;
}

static MAYBE void answer(struct pipeline *p, const struct event *e, int64_t of)
{
    struct delivery d = get_delivery(p->w, of);
    struct attempt_end end = {.delivery = d.id,
                              .lead = d.lead,
                              .connector = d.connector,
                              .verdict = ATTEMPT_DELIVERED,
                              .started_at = p->now,
                              .ended_at = p->now,
                              .enriched = true};
    struct verdicts w = {.ends = &end, .n = 1};

    end.events = e;
    end.n_events = 1;
    run(p, &w.work, WORK_VERDICTS);
    OK(p->rc);
}

#endif
