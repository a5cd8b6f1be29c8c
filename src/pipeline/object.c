/* pipeline/object.c - what is told of a company, deal or ticket, and to which of its leads.
 *
 * The event changes the object, and is then one of the first lead that has it; of none, it stays
 * unlinked. To every lead that has the object, or had it until now, it is told by an event of the
 * lead's own, of the same type, property and value, that carries as facts all that is known of the
 * lead's objects. These go on as all events do: rules fire, the score is made anew, routes are
 * asked. Deals and tickets make their contacts leads; the contacts of a company are told where they
 * are leads already, for it may have thousands.
 *
 * What the CRM said when it was asked is told only to those whose facts it changes, and has no
 * property, so that nothing fires twice. An association is told once, from whichever side it came.
 * A search does not say whose a record is: one that it found is asked about.
 */
#include "replay_priv.h"

/* Contacts, each once. What is beyond its room is not told. */
struct whom {
    int64_t contacts[4 * TOLD_MAX];
    size_t n;
};

static void add_contact(struct whom *w, int64_t contact)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->contacts[i] == contact)
            return;
    if (w->n < ARRAY_LEN(w->contacts))
        w->contacts[w->n++] = contact;
}

/* Those that the object has at present; *ret_n: how many. */
static enum rc add_contacts(struct batch *b, const struct object *o, struct whom *w, size_t *ret_n)
{
    int64_t ids[TOLD_MAX];
    size_t n = 0;
    enum rc rc = read_object_contacts(b->reader, o->id, ARRAY_LEN(ids), ids, &n);

    for (size_t i = 0; i < n; i++)
        add_contact(w, ids[i]);
    *ret_n = n;
    return rc;
}

static enum rc object_by_crm(struct batch *b, enum object_kind kind, int64_t portal_id,
                             int64_t crm_id, struct object *ret)
{
    enum rc rc = read_object_by_crm(b->reader, kind, portal_id, crm_id, b->arena, ret);

    if (rc != RC_NONE)
        return rc;
    *ret = (struct object){.kind = kind, .record = {.portal_id = portal_id, .crm_id = crm_id}};
    return store_object_add(b->store, ret);
}

/* *ret_absorbed: the event is about a record that was merged into this one. */
static enum rc find_object(struct batch *b, enum object_kind kind, int64_t portal_id,
                           int64_t crm_id, struct object *ret, bool *ret_absorbed)
{
    enum rc rc = object_by_crm(b, kind, portal_id, crm_id, ret);

    *ret_absorbed = rc == RC_OK && ret->record.state == LEAD_MERGED;
    for (int hops = 0; rc == RC_OK && ret->record.state == LEAD_MERGED; hops++)
        rc = hops < MERGE_HOPS_MAX ? read_object(b->reader, ret->record.merged_into, b->arena, ret)
                                   : RC_INVALID;
    return rc == RC_NONE ? RC_INVALID : rc; /* merged into none that there is */
}

/* The lead of a contact. RC_NONE: there is none, or nothing may be told of the person. */
static enum rc lead_of(struct batch *b, int64_t portal_id, int64_t contact, struct lead *ret)
{
    enum rc rc = read_lead_by_crm(b->reader, portal_id, contact, b->arena, ret);

    if (rc == RC_OK)
        rc = follow_merges(b, ret);
    return rc == RC_OK && ret->erased ? RC_NONE : rc;
}

/* By which contact the associations of this one are known. RC_DENIED: the person was erased. */
static enum rc known_contact(struct batch *b, int64_t portal_id, int64_t contact, int64_t *ret)
{
    struct lead lead;
    enum rc rc = read_lead_by_crm(b->reader, portal_id, contact, b->arena, &lead);

    *ret = contact;
    if (rc == RC_OK)
        rc = follow_merges(b, &lead);
    if (rc != RC_OK)
        return rc == RC_NONE ? RC_OK : rc;
    if (lead.crm_id)
        *ret = lead.crm_id;
    return lead.erased ? RC_DENIED : RC_OK;
}

static enum rc associate(struct batch *b, const struct event *e, const struct object *o,
                         struct whom *w)
{
    int64_t contact;
    enum rc rc = known_contact(b, e->portal_id, e->association.contact_id, &contact);

    if (rc != RC_OK)
        return rc == RC_DENIED ? RC_OK : rc;
    add_contact(w, contact);
    return store_associate(b->store, o, contact, !e->association.removed, e->occurred_at);
}

/* The list may name the losers of merges that we heard of, and people who were erased. */
static enum rc take_contacts(struct batch *b, const struct event *e, bool absorbed,
                             struct object *o)
{
    struct contact_list list = e->contacts;
    int64_t *ids = arena_array(b->arena, list.n + 1, sizeof *ids);
    size_t n = 0;
    enum rc rc = RC_OK;

    if (!list.read_at)
        return RC_OK;
    for (size_t i = 0; i < list.n && rc == RC_OK; i++) {
        rc = known_contact(b, e->portal_id, list.ids[i], &ids[n]);
        n += rc == RC_OK;
        if (rc == RC_DENIED)
            rc = RC_OK;
    }
    if (rc != RC_OK)
        return rc;
    list.ids = ids;
    list.n = n;
    list.all = list.all && !absorbed; /* of the loser of a merge: the winner may have more */
    return store_contacts_read(b->store, o, &list);
}

static enum rc absorb_object(struct batch *b, struct object *from, struct object *into,
                             struct whom *w)
{
    size_t n = 0;
    enum rc rc = add_contacts(b, from, w, &n);

    if (rc == RC_OK)
        rc = store_object_move(b->store, from, into);
    if (rc != RC_OK)
        return rc;
    object_absorb(into, from, b->arena);
    from->record.state = LEAD_MERGED;
    from->record.merged_into = into->id;
    return store_object_save(b->store, from);
}

static enum rc merge_objects(struct batch *b, const struct event *e, struct object *into,
                             struct whom *w)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < e->n_merged && rc == RC_OK; i++) {
        struct object from;

        rc = object_by_crm(b, e->object, e->portal_id, e->merged[i], &from);
        if (rc == RC_OK && from.id != into->id && from.record.state != LEAD_MERGED)
            rc = absorb_object(b, &from, into, w);
    }
    return rc;
}

static enum rc change_object(struct batch *b, const struct event *e, bool absorbed,
                             struct object *o, struct whom *w)
{
    bool fate = e->effect == EFFECT_DELETE || e->effect == EFFECT_RESTORE;
    enum rc rc = RC_OK;

    if (absorbed && fate)
        return RC_OK; /* of the loser of a merge: it says nothing of the winner */
    if (e->effect == EFFECT_MERGE)
        rc = merge_objects(b, e, o, w);
    (void)object_fold(o, e, b->arena);
    if (e->effect == EFFECT_MERGE || e->effect == EFFECT_RESTORE || is_recovered_type(e->type))
        o->record.enriched_at = 0; /* ask the CRM anew what it is and whose */
    if (rc == RC_OK)
        rc = take_contacts(b, e, absorbed, o);
    return rc;
}

static struct dedupe_key told_key(const struct event *of, int64_t contact)
{
    const struct association *x = &of->association;
    const int64_t ids[] = {contact, of->portal_id, x->kind, x->object_id, x->removed};
    const struct str parts[] = {
        STR("told"),
        {(const char *)ids, sizeof ids},
        {(const char *)of->key.bytes, x->kind ? 8 : sizeof of->key.bytes}, /* 8: the time alone */
    };
    uint8_t hash[SHA256_LEN];

    sha256(parts, ARRAY_LEN(parts), hash);
    return dedupe_key_of(dedupe_key_time(&of->key), hash);
}

static enum rc facts_of(struct batch *b, const struct lead *lead, struct told *t)
{
    struct linked_object *objects = NULL;
    size_t n = 0;
    enum rc rc = read_contact_objects(b->reader, lead->portal_id, lead->crm_id, OBJECTS_MAX,
                                      b->arena, &objects, &n);

    if (rc == RC_OK)
        lead_facts(objects, n, b->arena, &t->facts, &t->n_facts);
    return rc;
}

static enum rc tell(struct batch *b, const struct told *t)
{
    struct event e;
    int64_t id = 0;
    enum rc rc = told_event(t, b->arena, &e, NULL);

    if (rc == RC_OK)
        rc = store_dedupe(b->store, &e, &id);
    if (rc != RC_OK)
        return rc == RC_EXISTS ? RC_OK : rc; /* the other side of the association told it */
    struct replay *replay = b->replay;
    b->replay = NULL; /* this one comes in now */
    if (replay)
        replay_step(replay);
    rc = process_linked(b, &e, id);
    b->replay = replay;
    return rc;
}

/* Asked for, and no news of its own. */
static bool is_reading(const struct event *e)
{
    return e->contacts.read_at || is_recovered_type(e->type);
}

static enum rc tell_lead(struct batch *b, const struct event *e, struct str type,
                         const struct lead *lead)
{
    struct told t = {.of = e, .type = type, .contact_id = lead->crm_id};
    enum rc rc = facts_of(b, lead, &t);

    if (rc != RC_OK || (is_reading(e) && lead_knows(lead, t.facts, t.n_facts)))
        return rc;
    t.key = told_key(e, lead->crm_id);
    return tell(b, &t);
}

static enum rc tell_contact(struct batch *b, const struct event *e, struct str type,
                            int64_t contact, bool *ret_told)
{
    struct lead lead;
    enum rc rc = lead_of(b, e->portal_id, contact, &lead);

    *ret_told = rc == RC_OK;
    return rc == RC_OK ? tell_lead(b, e, type, &lead) : rc == RC_NONE ? RC_OK : rc;
}

static enum rc tell_all(struct batch *b, const struct event *e, const struct whom *w)
{
    size_t told = 0;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < w->n && told < TOLD_MAX && rc == RC_OK; i++) {
        bool is_lead = false;

        rc = tell_contact(b, e, e->type, w->contacts[i], &is_lead);
        told += is_lead;
    }
    return rc;
}

/* A contact that no event was about yet. */
static enum rc make_lead(struct batch *b, const struct event *e, int64_t contact)
{
    const struct event of_contact = {.source = e->source,
                                     .portal_id = e->portal_id,
                                     .object_id = contact,
                                     .received_at = e->received_at};
    struct lead lead;
    bool absorbed;

    return find_lead(b, &of_contact, &lead, &absorbed);
}

static enum rc make_leads(struct batch *b, const struct event *e, const struct whom *w)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < w->n && i < TOLD_MAX && e->object != OBJECT_COMPANY && rc == RC_OK; i++)
        rc = make_lead(b, e, w->contacts[i]);
    return rc;
}

/* The event itself is one of the first lead's, or of nobody. */
static enum rc keep(struct batch *b, const struct event *e, int64_t event, const struct whom *w)
{
    struct event unlinked = *e;
    struct lead lead;
    enum rc rc = RC_NONE;

    for (size_t i = 0; i < w->n && rc == RC_NONE; i++)
        rc = lead_of(b, e->portal_id, w->contacts[i], &lead);
    if (rc == RC_OK)
        rc = keep_event(b, e, event, &lead);
    if (rc == RC_OK)
        return store_lead_save(b->store, &lead);
    if (rc != RC_NONE)
        return rc;
    unlinked.state = EVENT_UNLINKED;
    unlinked.reason = STR("no lead is known to have this object");
    return keep_event(b, &unlinked, event, NULL);
}

/* Changes it. *ret_w: whom it concerns; *ret_of_nobody: no contact has it now. */
static enum rc apply(struct batch *b, const struct event *e, struct object *ret, struct whom *ret_w,
                     bool *ret_of_nobody)
{
    int64_t crm_id = e->effect == EFFECT_MERGE ? e->merge_into : e->object_id;
    bool absorbed = false;
    size_t n = 0;
    struct whom all = {0};
    enum rc rc = find_object(b, e->object, e->portal_id, crm_id, ret, &absorbed);

    if (rc == RC_OK)
        rc = add_contacts(b, ret, &all, &n);
    if (rc == RC_OK && e->association.kind)
        rc = associate(b, e, ret, ret_w);
    else if (rc == RC_OK)
        rc = change_object(b, e, absorbed, ret, &all);
    if (rc == RC_OK)
        rc = add_contacts(b, ret, &all, &n);
    *ret_of_nobody = n == 0;
    if (!e->association.kind)
        *ret_w = all;
    return rc;
}

enum rc process_object(struct batch *b, const struct event *e, int64_t event)
{
    struct whom w = {0};
    struct object o;
    bool of_nobody = false;
    enum rc rc = apply(b, e, &o, &w, &of_nobody);

    if (rc == RC_OK)
        rc = make_leads(b, e, &w);
    if (rc == RC_OK)
        rc = keep(b, e, event, &w);
    if (rc == RC_OK)
        rc = queue_object_read(b, e, event, &o, of_nobody);
    if (rc == RC_OK)
        rc = store_object_save(b->store, &o);
    return rc == RC_OK ? tell_all(b, e, &w) : rc;
}

enum rc note_association(struct batch *b, const struct event *e, int64_t event)
{
    const struct association *x = &e->association;
    const char *kind = object_kind_name(x->kind);
    struct whom w = {0};
    struct object o;
    bool unused;
    enum rc rc = find_object(b, x->kind, e->portal_id, x->object_id, &o, &unused);

    if (rc == RC_OK)
        rc = associate(b, e, &o, &w);
    if (rc == RC_OK)
        rc = queue_object_read(b, e, event, &o, false);
    if (rc == RC_OK)
        rc = store_object_save(b->store, &o);
    if (rc != RC_OK || !w.n)
        return rc;
    return tell_contact(b, e, arena_printf(b->arena, "%s.associationChange", kind), w.contacts[0],
                        &unused);
}

enum rc tell_missed(struct batch *b, const struct event *e, const struct lead *lead)
{
    struct told t = {.of = e, .type = STR("contact.linked"), .contact_id = lead->crm_id};

    if (!lead->crm_id || lead->erased)
        return RC_OK;
    enum rc rc = facts_of(b, lead, &t);
    if (rc != RC_OK || lead_knows(lead, t.facts, t.n_facts))
        return rc;
    t.key = told_key(e, lead->crm_id);
    return tell(b, &t);
}
