/* lead/lead.c - folding events into what we know of a lead.
 *
 * Whatever order events come in, the end is the same: a property keeps the greatest
 * (time, dedupe key), the state the greatest (time, deletion before restore), and an erasure
 * beats all. Each is a maximum over the set of events, so order cannot matter.
 */
#include "funneld/lead/lead.h"

#include <assert.h>
#include <string.h>

#include "funneld/lead/activity.h"

enum { EMAIL_MAX = 254 };

const char *lead_state_name(enum lead_state s)
{
    static const char *const names[] = {
        [LEAD_ACTIVE] = "active",
        [LEAD_DELETED] = "deleted",
        [LEAD_MERGED] = "merged",
    };

    return names[s];
}

const char *band_name(enum band b)
{
    static const char *const names[BAND_COUNT] = {
        [BAND_COLD] = "cold",
        [BAND_WARM] = "warm",
        [BAND_HOT] = "hot",
    };

    return names[b];
}

static bool has_blank_or_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] <= ' ' || s.at[i] == 0x7f)
            return true;
    return false;
}

struct str email_normalise(struct str raw, struct arena *a)
{
    struct str s = str_trim(raw);
    const char *sign = str_chr(s, '@');

    if (!sign || sign == s.at || sign + 1 == s.at + s.len || s.len > EMAIL_MAX)
        return STR_NULL;
    if (str_chr(str_from(s, (size_t)(sign - s.at) + 1), '@') || has_blank_or_control(s))
        return STR_NULL;
    char *lower = arena_alloc(a, s.len + 1);
    for (size_t i = 0; i < s.len; i++)
        lower[i] = s.at[i] >= 'A' && s.at[i] <= 'Z' ? (char)(s.at[i] - 'A' + 'a') : s.at[i];
    return (struct str){lower, s.len};
}

/* Where the name is, or where it belongs. */
static size_t position(const struct lead *l, struct str name, bool *ret_found)
{
    size_t low = 0, high = l->n_properties;

    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(l->properties[middle].name, name);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct str lead_get(const struct lead *l, struct str name)
{
    bool found;
    size_t i = position(l, name, &found);

    return found && l->properties[i].value.len ? l->properties[i].value : STR_NULL;
}

struct str lead_name(const struct lead *l, struct arena *a)
{
    struct str first = str_trim(lead_get(l, STR("firstname")));
    struct str last = str_trim(lead_get(l, STR("lastname")));

    if (first.len && last.len)
        return arena_printf(a, "%.*s %.*s", STR_ARG(first), STR_ARG(last));
    if (first.len || last.len)
        return arena_str(a, first.len ? first : last);
    if (l->email.len)
        return arena_str(a, l->email);
    if (l->crm_id)
        return arena_printf(a, "HubSpot contact %lld", (long long)l->crm_id);
    return arena_printf(a, "Lead %lld", (long long)l->id);
}

static struct property *insert(struct lead *l, size_t i, struct arena *a)
{
    l->properties =
        arena_more(a, l->properties, l->n_properties, &l->cap_properties, sizeof *l->properties);
    memmove(&l->properties[i + 1], &l->properties[i],
            (l->n_properties - i) * sizeof *l->properties);
    l->n_properties++;
    l->properties[i] = (struct property){0};
    return &l->properties[i];
}

static bool is_newer(int64_t at, const struct dedupe_key *key, const struct property *than)
{
    if (at != than->at)
        return at > than->at;
    return memcmp(key->bytes, than->key.bytes, DEDUPE_KEY_LEN) > 0;
}

bool lead_put(struct lead *l, struct str name, struct str value, int64_t at,
              const struct dedupe_key *key, struct arena *a)
{
    bool found;

    if (l->erased)
        return false;
    size_t i = position(l, name, &found);
    if (found && !is_newer(at, key, &l->properties[i]))
        return false;
    struct property *p = found ? &l->properties[i] : insert(l, i, a);
    if (!found)
        p->name = arena_str(a, name);
    p->value = value.len ? arena_str(a, value) : STR("");
    p->at = at;
    p->key = *key;
    p->changed = true;
    if (str_is(name, "email"))
        l->email = email_normalise(p->value, a);
    return true;
}

/* Cleared is cleared, whenever that was, and the same as never heard of. */
static bool is_known(const struct lead *l, const struct property *fact, size_t *ret_at,
                     bool *ret_found)
{
    size_t i = *ret_at = position(l, fact->name, ret_found);

    if (!fact->value.len)
        return !*ret_found || !l->properties[i].value.len;
    return *ret_found && l->properties[i].at == fact->at &&
           str_eq(l->properties[i].value, fact->value);
}

bool lead_knows(const struct lead *l, const struct property *facts, size_t n)
{
    bool found;
    size_t i;

    for (size_t k = 0; k < n; k++)
        if (!is_known(l, &facts[k], &i, &found))
            return false;
    return true;
}

bool lead_set_facts(struct lead *l, const struct property *facts, size_t n, struct arena *a)
{
    bool changed = false, found;
    size_t i;

    for (size_t k = 0; k < n && !l->erased; k++) {
        if (is_known(l, &facts[k], &i, &found))
            continue;
        struct property *p = found ? &l->properties[i] : insert(l, i, a);
        *p = (struct property){.name = arena_str(a, facts[k].name),
                               .value = facts[k].value.len ? arena_str(a, facts[k].value) : STR(""),
                               .at = facts[k].at,
                               .key = facts[k].key,
                               .changed = true};
        changed = true;
    }
    return changed;
}

/* A deletion wins over a restore of the same millisecond. A merged lead stays merged: its
 * record's later fate is that of the lead it went into. */
static bool set_state(struct lead *l, enum lead_state state, int64_t at)
{
    bool wins =
        at > l->state_at || (at == l->state_at && state == LEAD_DELETED && l->state == LEAD_ACTIVE);

    if (!wins || l->state == LEAD_MERGED)
        return false;
    l->state = state;
    l->state_at = at;
    return true;
}

static bool erase(struct lead *l, int64_t at)
{
    l->erased = true;
    l->properties = NULL;
    l->n_properties = l->cap_properties = 0;
    l->email = l->activity = STR_NULL;
    l->probability = l->churn = (struct chance){0};
    l->told_probability = l->told_churn = 0;
    l->state = LEAD_DELETED;
    l->state_at = at;
    return true;
}

static bool put_all(struct lead *l, const struct event *e, struct arena *a)
{
    bool changed = false;

    for (size_t i = 0; i < e->n_properties; i++)
        changed |=
            lead_put(l, e->properties[i].name, e->properties[i].value, e->occurred_at, &e->key, a);
    return changed;
}

bool lead_fold(struct lead *l, const struct event *e, struct arena *a)
{
    if (l->erased)
        return false;
    switch (e->effect) {
    case EFFECT_PROPERTIES:
        return put_all(l, e, a);
    case EFFECT_DELETE:
        return set_state(l, LEAD_DELETED, e->occurred_at);
    case EFFECT_RESTORE:
        return set_state(l, LEAD_ACTIVE, e->occurred_at);
    case EFFECT_ERASE:
        return erase(l, e->occurred_at);
    case EFFECT_FACTS:
        return lead_set_facts(l, e->facts, e->n_facts, a);
    case EFFECT_NONE:
    case EFFECT_MERGE: /* the pipeline's: it concerns more than one lead */
        return false;
    }
    return false;
}

/* Deletion and restore tell the fate of a CRM record. They come along only together with the
 * record itself: the losing record of a merge in the CRM is deleted there, its winner is not. */
static void take_record(struct lead *l, const struct lead *from)
{
    if (l->crm_id || !from->crm_id)
        return;
    l->portal_id = from->portal_id;
    l->crm_id = from->crm_id;
    if (from->state != LEAD_MERGED)
        (void)set_state(l, from->state, from->state_at); /* older than ours: ours stays */
}

/* Where one is not counted yet, neither is what they did together. */
static void absorb_activity(struct lead *l, const struct lead *from, struct arena *a)
{
    if (!l->activity.at || !from->activity.at) {
        l->activity = STR_NULL;
        return;
    }
    struct activity *both = activity_read(l->activity, a);
    activity_merge(both, activity_read(from->activity, a), a);
    l->activity = activity_write(both, a);
}

void lead_absorb(struct lead *l, const struct lead *from, struct arena *a)
{
    bool found;

    assert(l != from);
    if (l->erased)
        return;
    for (size_t i = 0; i < from->n_properties; i++) {
        const struct property *p = &from->properties[i];

        (void)lead_put(l, p->name, p->value, p->at, &p->key, a); /* losing is no failure */
    }
    (void)position(l, STR("email"), &found);
    if (!found && !l->email.at)
        l->email = arena_str(a, from->email);
    take_record(l, from);
    if (from->created_at && (!l->created_at || from->created_at < l->created_at)) {
        l->created_at = from->created_at;
        l->source = arena_str(a, from->source);
    }
    absorb_activity(l, from, a);
    if (from->enriched_at > l->enriched_at)
        l->enriched_at = from->enriched_at;
}
