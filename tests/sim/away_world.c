/* tests/sim/away_world.c - see away.h. What two worlds must have in common, and what may differ:
 *
 * - ids and numbers of events, and when they were received: nothing of it is described;
 * - since when a property is known (a search says when the record changed, not which of its
 *   properties), so values alone are;
 * - what an engagement rule made of an event that HubSpot gave up: its line, its points, and with
 *   them the sum, the band and the reasons; the rest of the engagement must agree line by line;
 * - of several deals (companies) of one lead, which one changed last and so speaks as
 * lead.deal_..., and with that the fit: a search dates a record by its last change of any kind, a
 * new association too. How many there are, and each of them, must agree.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "away.h"
#include "funneld/lead/object.h"
#include "funneld/store/store.h"
#include "hub.h"
#include "story.h"

enum { LINKED_MAX = 100 };

struct view {
    struct reader *reader;
    struct lead lead;
    struct linked_object *objects;
    size_t n_objects;
    size_t linked[OBJECT_KIND_COUNT];
    int64_t missed; /* tenths of points that were given up */
    struct sbuf *ret;
    struct arena arena;
};

static enum hub_kind hub_kind_of(enum object_kind kind)
{
    return kind == OBJECT_DEAL ? HUB_DEAL : HUB_COMPANY;
}

static bool is_there(const struct linked_object *x)
{
    return x->linked && x->object.record.state == LEAD_ACTIVE;
}

/* Of the kind of which the lead has several, all but how many. */
static bool may_differ(const struct view *v, struct str name)
{
    for (int k = OBJECT_COMPANY; k < OBJECT_KIND_COUNT; k++) {
        struct str part;
        struct str rest = name;

        if (v->linked[k] > 1 && str_split(&rest, '_', &part) && rest.at &&
            str_is(part, object_kind_name((enum object_kind)k)))
            return true;
    }
    return false;
}

static void put_properties(struct view *v, const struct lead *l)
{
    for (size_t i = 0; i < l->n_properties; i++)
        if (l->properties[i].value.len && !may_differ(v, l->properties[i].name))
            sbuf_printf(v->ret, " %.*s=%.*s", STR_ARG(l->properties[i].name),
                        STR_ARG(l->properties[i].value));
}

static int by_id(const void *left, const void *right)
{
    const struct linked_object *x = left, *y = right;

    return (x->object.record.crm_id > y->object.record.crm_id) -
           (x->object.record.crm_id < y->object.record.crm_id);
}

static void put_objects(struct view *v)
{
    struct view alone = {.ret = v->ret};

    if (v->n_objects)
        qsort(v->objects, v->n_objects, sizeof *v->objects, by_id);
    for (size_t i = 0; i < v->n_objects; i++) {
        const struct object *o = &v->objects[i].object;

        if (!is_there(&v->objects[i]))
            continue;
        sbuf_printf(v->ret, "\n  %s %" PRId64 ":", object_kind_name(o->kind), o->record.crm_id);
        put_properties(&alone, &o->record);
    }
}

static bool has_several(const struct view *v)
{
    return v->linked[OBJECT_DEAL] > 1 || v->linked[OBJECT_COMPANY] > 1;
}

static void put_ledger(struct view *v)
{
    struct ledger_row *rows = NULL;
    size_t n = 0;
    int64_t sum = 0;

    if (read_ledger(v->reader, &v->lead, INT64_MAX, &v->arena, &rows, &n) != RC_OK)
        broken("the ledger of contact %lld cannot be read", (long long)v->lead.crm_id);
    for (size_t i = 0; i < n; i++) {
        sum += rows[i].points;
        if (hub_gave_up(v->lead.crm_id, rows[i].occurred_at))
            v->missed += rows[i].points;
    }
    if (sum != v->lead.engagement || v->lead.fit + sum != v->lead.score)
        broken("contact %lld: its score is not the sum of its lines", (long long)v->lead.crm_id);
    sbuf_printf(v->ret, "\n  engagement %" PRId64, sum - v->missed);
    if (!has_several(v))
        sbuf_printf(v->ret, " fit %" PRId64, v->lead.fit);
}

/* Lines in the order in which they happened: events come in any order. */
static void put_lines(struct view *v)
{
    struct ledger_row *rows = NULL;
    size_t n = 0;
    int64_t last = INT64_MIN;

    if (read_ledger(v->reader, &v->lead, INT64_MAX, &v->arena, &rows, &n) != RC_OK)
        return;
    for (;;) {
        const struct ledger_row *next = NULL;

        for (size_t i = 0; i < n; i++)
            if (rows[i].occurred_at > last && (!next || rows[i].occurred_at < next->occurred_at))
                next = &rows[i];
        if (!next)
            return;
        last = next->occurred_at;
        if (!hub_gave_up(v->lead.crm_id, last))
            sbuf_printf(v->ret, " %.*s@%" PRId64, STR_ARG(next->rule), last);
    }
}

/* What is written at the CRM is what we think, in any world. */
static void check_written(const struct view *v, const struct hub_record *x)
{
    const char *score = x->now.values[hub_property(HUB_CONTACT, STR("funneld_score"))];
    const char *band = x->now.values[hub_property(HUB_CONTACT, STR("funneld_band"))];

    if (!*score || llround(strtod(score, NULL) * 10) != v->lead.score ||
        !str_is(str_of(band), band_name(v->lead.band)))
        broken("contact %lld: the CRM has score \"%s\" and band \"%s\" instead of %lld and %s",
               (long long)x->id, score, band, (long long)v->lead.score, band_name(v->lead.band));
}

static struct str value_of(const struct lead *l, const char *name)
{
    for (size_t i = 0; i < l->n_properties; i++)
        if (str_is(l->properties[i].name, name))
            return l->properties[i].value;
    return STR("");
}

/* Every property that is read, of the record of a contact or of an object. */
static void check_known(const struct lead *l, const struct hub_record *x)
{
    for (int p = 0; hub_properties[x->kind][p]; p++) {
        const char *name = hub_properties[x->kind][p];
        struct str value = value_of(l, name);

        if (!str_starts(str_of(name), STR("funneld_")) && !str_is(value, x->now.values[p]))
            broken("%s %lld: %s is \"%.*s\", at the CRM \"%s\"", hub_name[x->kind],
                   (long long)x->id, name, STR_ARG(value), x->now.values[p]);
    }
}

static bool is_linked_there(const struct linked_object *x, int64_t contact)
{
    int64_t other;

    for (size_t i = 0;
         (other = hub_linked(hub_kind_of(x->object.kind), x->object.record.crm_id, i)) != 0; i++)
        if (other == contact)
            return true;
    return false;
}

static void check_objects(const struct view *v, int64_t contact)
{
    size_t known = 0, there = 0;

    for (size_t i = 0; i < v->n_objects; i++) {
        const struct object *o = &v->objects[i].object;
        const struct hub_record *x = hub_find(hub_kind_of(o->kind), o->record.crm_id);

        if (!is_there(&v->objects[i]))
            continue;
        known++;
        check_known(&o->record, x);
        if (!is_linked_there(&v->objects[i], contact))
            broken("contact %lld has not %s %lld any more", (long long)contact,
                   object_kind_name(o->kind), (long long)o->record.crm_id);
    }
    for (size_t r = 0; hub_at(r); r++)
        for (size_t i = 0; hub_at(r)->kind && hub_linked(hub_at(r)->kind, hub_at(r)->id, i); i++)
            there += hub_linked(hub_at(r)->kind, hub_at(r)->id, i) == contact;
    if (known != there)
        broken("contact %lld: %zu objects are known, it has %zu", (long long)contact, known, there);
}

static bool load(struct view *v, int64_t contact)
{
    enum rc rc = read_lead_by_crm(v->reader, HUB_PORTAL, contact, &v->arena, &v->lead);

    if (rc == RC_OK)
        rc = read_contact_objects(v->reader, HUB_PORTAL, contact, LINKED_MAX, &v->arena,
                                  &v->objects, &v->n_objects);
    for (size_t i = 0; i < v->n_objects; i++)
        v->linked[v->objects[i].object.kind] += is_there(&v->objects[i]);
    if (rc != RC_OK)
        broken("contact %lld is nobody's: %s", (long long)contact, rc_text(rc));
    return rc == RC_OK;
}

void away_describe(struct reader *r, int64_t contact, struct sbuf *ret)
{
    const struct hub_record *x = hub_find(HUB_CONTACT, contact);
    struct view v = {.reader = r, .ret = ret};

    if (load(&v, contact)) {
        sbuf_printf(ret, "%" PRId64 " %s <%.*s>", contact, lead_state_name(v.lead.state),
                    STR_ARG(v.lead.email));
        put_properties(&v, &v.lead);
        put_objects(&v);
        put_ledger(&v);
        put_lines(&v);
        if (!hub_gave_up(contact, 0) && !has_several(&v))
            sbuf_printf(ret, "\n  %s, written: %s", band_name(v.lead.band),
                        x->now.values[hub_property(HUB_CONTACT, STR("funneld_reasons"))]);
        check_known(&v.lead, x);
        check_objects(&v, contact);
        check_written(&v, x);
    }
    arena_free(&v.arena);
}
