/* lead/object.c - folding the CRM's objects, and making a lead's facts of them. */
#include "funneld/lead/object.h"

#include <inttypes.h>

static const struct {
    const char *name, *plural;
} kinds[OBJECT_KIND_COUNT] = {
    [OBJECT_NONE] = {"", ""},
    [OBJECT_COMPANY] = {"company", "companies"},
    [OBJECT_DEAL] = {"deal", "deals"},
    [OBJECT_TICKET] = {"ticket", "tickets"},
};

const char *object_kind_name(enum object_kind kind)
{
    return kinds[kind].name;
}

const char *object_kind_plural(enum object_kind kind)
{
    return kinds[kind].plural;
}

enum object_kind object_kind_of(struct str name)
{
    for (int k = OBJECT_COMPANY; k < OBJECT_KIND_COUNT; k++)
        if (str_is(name, kinds[k].name))
            return (enum object_kind)k;
    return OBJECT_NONE;
}

enum object_kind object_kind_of_plural(struct str name)
{
    for (int k = OBJECT_COMPANY; k < OBJECT_KIND_COUNT; k++)
        if (str_is(name, kinds[k].plural))
            return (enum object_kind)k;
    return OBJECT_NONE;
}

enum object_kind object_kind_of_type(struct str type)
{
    struct str name;

    return str_split(&type, '.', &name) && type.at ? object_kind_of(name) : OBJECT_NONE;
}

bool object_fold(struct object *o, const struct event *e, struct arena *a)
{
    bool changed = lead_fold(&o->record, e, a);

    if (e->association.kind || e->occurred_at <= o->changed_at)
        return changed;
    o->changed_at = e->occurred_at;
    return true;
}

void object_absorb(struct object *o, const struct object *from, struct arena *a)
{
    lead_absorb(&o->record, &from->record, a);
    if (from->changed_at > o->changed_at)
        o->changed_at = from->changed_at;
}

struct str fact_name(enum object_kind kind, struct str property, struct arena *a)
{
    struct str name = str_of(kinds[kind].name), rest = property;

    if (kind == OBJECT_TICKET && str_is(property, "hs_pipeline_stage"))
        return STR("ticket_stage");
    if (str_starts(rest, STR("hs_")))
        rest = str_from(rest, 3);
    if (str_starts(rest, name))
        rest = str_from(rest, name.len);
    while (rest.len && *rest.at == '_')
        rest = str_from(rest, 1);
    return arena_printf(a, "%.*s_%.*s", STR_ARG(name), STR_ARG(rest.len ? rest : property));
}

struct dedupe_key fact_key(const struct property *fact)
{
    const struct str parts[] = {STR("fact"), fact->name, STR("\n"), fact->value};
    uint8_t hash[SHA256_LEN];

    sha256(parts, ARRAY_LEN(parts), hash);
    return dedupe_key_of(fact->at, hash);
}

static void add(struct lead *facts, struct str name, struct str value, int64_t at, struct arena *a)
{
    const struct property fact = {.name = name, .value = value, .at = at};
    const struct dedupe_key key = fact_key(&fact);

    (void)lead_put(facts, name, value, at, &key, a); /* two may have one name: the newer one */
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool speaks_before(const struct object *o, const struct object *other)
{
    if (!other || o->changed_at != other->changed_at)
        return !other || o->changed_at > other->changed_at;
    return o->record.crm_id > other->record.crm_id;
}

/* Of the objects of a kind: those that there are, and the one that speaks for them. */
struct choice {
    const struct object *speaker;
    int64_t n, newest; /* newest: when anything of them changed */
};

static struct choice choose(enum object_kind kind, const struct linked_object *objects, size_t n)
{
    struct choice c = {0};

    for (size_t i = 0; i < n; i++) {
        const struct object *o = &objects[i].object;

        if (o->kind != kind || !objects[i].linked || o->record.state != LEAD_ACTIVE)
            continue;
        c.n++;
        c.newest = later(c.newest, later(objects[i].at, o->changed_at));
        if (speaks_before(o, c.speaker))
            c.speaker = o;
    }
    return c;
}

static void clear(struct lead *facts, struct str name, struct arena *a)
{
    static const struct dedupe_key none;

    (void)lead_put(facts, name, STR(""), 0, &none, a); /* what is known of it comes later */
}

/* What the speaker does not have is cleared: another may have said it before. */
static void clear_kind(enum object_kind kind, const struct linked_object *objects, size_t n,
                       struct lead *facts, struct arena *a)
{
    for (size_t i = 0; i < n; i++) {
        const struct object *o = &objects[i].object;

        if (o->kind != kind)
            continue;
        clear(facts, str_of(kinds[kind].plural), a);
        clear(facts, fact_name(kind, STR("id"), a), a);
        for (size_t k = 0; k < o->record.n_properties; k++)
            clear(facts, fact_name(kind, o->record.properties[k].name, a), a);
    }
}

static void add_kind(enum object_kind kind, const struct linked_object *objects, size_t n,
                     struct lead *facts, struct arena *a)
{
    const struct choice c = choose(kind, objects, n);
    char text[INT64_TEXT];

    clear_kind(kind, objects, n, facts, a);
    if (!c.speaker)
        return;
    for (size_t k = 0; k < c.speaker->record.n_properties; k++) {
        const struct property *p = &c.speaker->record.properties[k];

        add(facts, fact_name(kind, p->name, a), p->value, p->at, a);
    }
    add(facts, fact_name(kind, STR("id"), a), str_of_int64(c.speaker->record.crm_id, text),
        c.newest, a);
    add(facts, str_of(kinds[kind].plural), str_of_int64(c.n, text), c.newest, a);
}

void lead_facts(const struct linked_object *objects, size_t n, struct arena *a,
                const struct property **ret, size_t *ret_n)
{
    struct lead all = {0};

    for (int kind = OBJECT_COMPANY; kind < OBJECT_KIND_COUNT; kind++)
        add_kind((enum object_kind)kind, objects, n, &all, a);
    *ret = all.properties;
    *ret_n = all.n_properties;
}
