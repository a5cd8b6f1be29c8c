/* tests/sim/hub_people.c - see hub.h. */
#include <inttypes.h>
#include <stdio.h>

#include "funneld/base/clock.h"
#include "funneld/base/mem.h"
#include "hub.h"
#include "random.h"

enum { IMPORT = 130, DEMO = 5, CUSTOMERS = 25 };

static struct {
    uint64_t chance;
    int64_t begin, end, deeds, done;
} w;

static int below(int n)
{
    return (int)random_below(&w.chance, (uint64_t)n);
}

void hub_people_begin(uint64_t seed, int64_t begin, int64_t end, int64_t deeds)
{
    w.chance = seed;
    w.begin = begin;
    w.end = end;
    w.deeds = deeds;
    w.done = 0;
}

int64_t hub_people_next(void)
{
    return w.done < w.deeds ? w.begin + (w.end - w.begin) / w.deeds * (w.done + 1) : INT64_MAX;
}

/* Any of the first ones of a kind; NULL: there is none. */
static struct hub_record *some_of(enum hub_kind kind, size_t first)
{
    size_t n = 0, wanted;

    for (size_t i = 0; hub_at(i) && n < first; i++)
        n += hub_at(i)->kind == kind;
    if (!n)
        return NULL;
    wanted = (size_t)below((int)n);
    for (size_t i = 0;; i++)
        if (hub_at(i)->kind == kind && wanted-- == 0)
            return hub_at(i);
}

static struct hub_record *some(enum hub_kind kind)
{
    return some_of(kind, SIZE_MAX);
}

/* People who have much to do with us. */
static struct hub_record *customer(void)
{
    return some_of(HUB_CONTACT, CUSTOMERS);
}

/* What the webhooks say */

/* asks: a rule about events may fire for it. */
static void tell_of(const struct hub_record *r, const char *what, const char *more, bool asks,
                    int64_t now)
{
    struct arena a AUTO(arena_free) = {0};

    hub_tell(arena_printf(&a,
                          "\"subscriptionId\":1,\"appId\":2,\"portalId\":%d,\"occurredAt\":%" PRId64
                          ",\"subscriptionType\":\"%s.%s\",\"objectId\":%" PRId64
                          ",\"changeSource\":\"CRM_UI\"%s",
                          HUB_PORTAL, now, hub_name[r->kind], what, r->id, more),
             asks ? r->id : 0, now);
}

static void change(struct hub_record *r, int property, const char *value, int64_t now)
{
    char more[400];

    hub_set(r, property, str_of(value), now);
    (void)!snprintf(more, sizeof more, ",\"propertyName\":\"%s\",\"propertyValue\":\"%s\"",
                    hub_properties[r->kind][property], value);
    tell_of(r, "propertyChange", more, property == DEMO && r->kind == HUB_CONTACT, now);
}

static void tell_association(const char *side, const char *type, int64_t from, int64_t to,
                             bool linked, int64_t now)
{
    struct arena a AUTO(arena_free) = {0};

    hub_tell(
        arena_printf(&a,
                     "\"subscriptionId\":1,\"appId\":2,\"portalId\":%d,\"occurredAt\":%" PRId64
                     ",\"subscriptionType\":\"%s.associationChange\",\"associationType\":\"%s\""
                     ",\"fromObjectId\":%" PRId64 ",\"toObjectId\":%" PRId64
                     ",\"associationRemoved\":%s",
                     HUB_PORTAL, now, side, type, from, to, linked ? "false" : "true"),
        0, now);
}

/* Told from both sides. It counts as a change of the object: how many contacts it has is a property
 * of it. */
static void link_contact(struct hub_record *o, int64_t contact, bool linked, int64_t now)
{
    bool deal = o->kind == HUB_DEAL;

    if (!hub_link(o->kind, o->id, contact, linked))
        return;
    hub_touch(o, now);
    tell_association(hub_name[o->kind], deal ? "DEAL_TO_CONTACT" : "COMPANY_TO_CONTACT", o->id,
                     contact, linked, now);
    tell_association("contact", deal ? "CONTACT_TO_DEAL" : "CONTACT_TO_COMPANY", contact, o->id,
                     linked, now);
}

/* Deeds */

static const char *const companies[] = {"Acme", "Initech", "Globex", ""};
static const char *const titles[] = {"Clerk", "Director of Sales", "Engineer", ""};
static const char *const owners[] = {"71", "72", "73", ""};
static const char *const stages[] = {"open", "negotiation", "closedwon", "closedlost"};
static const char *const amounts[] = {"100", "1500", "90000", ""};
static const char *const industries[] = {"SOFTWARE", "BANKING", "FARMING"};

static struct hub_record *make_contact(int64_t now)
{
    struct hub_record *r = hub_add(HUB_CONTACT, now);
    char email[64], name[32];

    (void)!snprintf(email, sizeof email, "person%" PRId64 "@example.org", r->id);
    (void)!snprintf(name, sizeof name, "N%" PRId64, r->id);
    tell_of(r, "creation", "", false, now);
    change(r, 0, email, now);
    change(r, 1, name, now);
    change(r, 2, companies[below(4)], now);
    return r;
}

static void meet(int64_t now)
{
    (void)make_contact(now);
}

/* Of many contacts in one millisecond. */
static void import(int64_t now)
{
    for (int i = 0; i < IMPORT; i++)
        (void)make_contact(now);
}

static void change_contact(int64_t now)
{
    struct hub_record *r = some(HUB_CONTACT);
    char email[64];

    if (!r)
        return;
    switch (below(6)) {
    case 0:
        (void)!snprintf(email, sizeof email, "New%" PRId64 ".%d@example.org", r->id, below(1000));
        change(r, 0, email, now);
        break;
    case 1:
        change(r, 2, companies[below(4)], now);
        break;
    case 2:
    case 3:
        change(r, 3, titles[below(4)], now);
        break;
    default:
        change(r, 4, owners[below(4)], now);
    }
}

static void ask_for_a_demo(int64_t now)
{
    struct hub_record *r = some(HUB_CONTACT);

    if (r)
        change(r, DEMO, below(3) ? "true" : "false", now);
}

static void make_deal(int64_t now)
{
    struct hub_record *who = customer(), *r = hub_add(HUB_DEAL, now);

    tell_of(r, "creation", "", false, now);
    change(r, 0, stages[below(2)], now);
    change(r, 1, amounts[below(4)], now);
    if (who && below(4))
        link_contact(r, who->id, true, now);
}

static void change_deal(int64_t now)
{
    struct hub_record *r = some(HUB_DEAL);

    if (r && below(2))
        change(r, 0, stages[below(4)], now);
    else if (r)
        change(r, 1, amounts[below(4)], now);
}

static void make_company(int64_t now)
{
    struct hub_record *who = customer(), *r = hub_add(HUB_COMPANY, now);

    tell_of(r, "creation", "", false, now);
    change(r, 0, companies[below(3)], now);
    change(r, 1, industries[below(3)], now);
    if (who)
        link_contact(r, who->id, true, now);
}

static void change_company(int64_t now)
{
    struct hub_record *r = some(HUB_COMPANY);

    if (r)
        change(r, 1, industries[below(3)], now);
}

static void link_object(int64_t now)
{
    struct hub_record *r = some(below(2) ? HUB_DEAL : HUB_COMPANY), *who = customer();

    if (r && who)
        link_contact(r, who->id, true, now);
}

static void unlink_object(int64_t now)
{
    struct hub_record *r = some(below(2) ? HUB_DEAL : HUB_COMPANY);
    int64_t contact = r ? hub_linked(r->kind, r->id, 0) : 0;

    if (contact)
        link_contact(r, contact, false, now);
}

static const struct {
    void (*act)(int64_t now);
    int weight;
} deeds[] = {
    {meet, 12},          {change_contact, 30}, {ask_for_a_demo, 12},
    {make_deal, 8},      {change_deal, 14},    {make_company, 4},
    {change_company, 6}, {link_object, 8},     {unlink_object, 5},
};

static void do_something(int64_t now)
{
    int at = 0, i = 0;

    for (size_t d = 0; d < ARRAY_LEN(deeds); d++)
        at += deeds[d].weight;
    at = below(at);
    for (; at >= deeds[i].weight; i++)
        at -= deeds[i].weight;
    deeds[i].act(now);
}

void hub_people(int64_t now)
{
    while (hub_people_next() <= now) {
        int64_t at = hub_people_next();

        w.done++;
        if (w.done == w.deeds * 4 / 10) /* in the midst of the outage */
            import(at);
        else
            do_something(at);
        hub_send(at);
    }
}
