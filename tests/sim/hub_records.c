/* tests/sim/hub_records.c - see hub.h. */
#include "hub.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "random.h"

enum { LINKS = 8192, INDEX_LAG_MS = 60000 };

const char *const hub_plural[HUB_KINDS] = {"contacts", "companies", "deals"};
const char *const hub_name[HUB_KINDS] = {"contact", "company", "deal"};
const char *const hub_properties[HUB_KINDS][HUB_PROPERTIES + 1] = {
    {"email", "firstname", "company", "jobtitle", "hubspot_owner_id", "demo_requested",
     "funneld_score", "funneld_band", "funneld_reasons", "funneld_updated", NULL},
    {"name", "industry", NULL},
    {"dealstage", "amount", NULL},
};

static struct {
    struct hub_record records[HUB_RECORDS];
    size_t n;
    struct {
        enum hub_kind kind;
        int64_t object, contact;
        bool linked;
    } links[LINKS];
    size_t n_links;
    uint64_t chance;
} h;

void hub_begin(uint64_t seed)
{
    memset(&h, 0, sizeof h);
    h.chance = seed;
}

struct hub_record *hub_add(enum hub_kind kind, int64_t now)
{
    struct hub_record *r = &h.records[h.n++];

    assert(h.n <= HUB_RECORDS);
    *r = (struct hub_record){.kind = kind, .id = 1000 + (int64_t)h.n};
    hub_touch(r, now);
    return r;
}

struct hub_record *hub_at(size_t i)
{
    return i < h.n ? &h.records[i] : NULL;
}

struct hub_record *hub_find(enum hub_kind kind, int64_t id)
{
    struct hub_record *r = id > 1000 ? hub_at((size_t)(id - 1001)) : NULL;

    return r && r->kind == kind ? r : NULL;
}

int hub_property(enum hub_kind kind, struct str name)
{
    for (int i = 0; hub_properties[kind][i]; i++)
        if (str_is(name, hub_properties[kind][i]))
            return i;
    return -1;
}

static void index_one(struct hub_record *r, int64_t now)
{
    if (!r->index_at || r->index_at > now)
        return;
    r->indexed = r->now;
    r->is_indexed = true;
    r->index_at = 0;
}

void hub_touch(struct hub_record *r, int64_t now)
{
    index_one(r, now);
    r->now.modified_at = now;
    r->index_at = now + 1000 + (int64_t)random_below(&h.chance, INDEX_LAG_MS);
}

void hub_set(struct hub_record *r, int property, struct str value, int64_t now)
{
    index_one(r, now);
    (void)!snprintf(r->now.values[property], HUB_VALUE, "%.*s", STR_ARG(value));
    hub_touch(r, now);
}

void hub_index(int64_t now)
{
    for (size_t i = 0; i < h.n; i++)
        index_one(&h.records[i], now);
}

bool hub_link(enum hub_kind kind, int64_t object, int64_t contact, bool linked)
{
    for (size_t i = 0; i < h.n_links; i++)
        if (h.links[i].kind == kind && h.links[i].object == object &&
            h.links[i].contact == contact) {
            bool changes = h.links[i].linked != linked;

            h.links[i].linked = linked;
            return changes;
        }
    assert(h.n_links < LINKS);
    h.links[h.n_links].kind = kind;
    h.links[h.n_links].object = object;
    h.links[h.n_links].contact = contact;
    h.links[h.n_links++].linked = linked;
    return linked;
}

int64_t hub_linked(enum hub_kind kind, int64_t object, size_t i)
{
    for (size_t k = 0; k < h.n_links; k++)
        if (h.links[k].kind == kind && h.links[k].object == object && h.links[k].linked && !i--)
            return h.links[k].contact;
    return 0;
}
