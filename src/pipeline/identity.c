/* pipeline/identity.c - whose event is it: by CRM id, by e-mail, merged, joined. */
#include "batch.h"

enum { MAX_HOPS = 32 }; /* merges of merges; a longer chain would be a loop */

/* From a merged lead to the one that lives on. */
static enum rc follow(struct batch *b, struct lead *lead)
{
    for (int hops = 0; lead->state == LEAD_MERGED; hops++) {
        enum rc rc =
            hops < MAX_HOPS ? read_lead(b->reader, lead->merged_into, b->arena, lead) : RC_CORRUPT;

        if (rc != RC_OK)
            return rc == RC_NONE ? RC_CORRUPT : rc;
    }
    return RC_OK;
}

static enum rc add_lead(struct batch *b, const struct event *e, int64_t crm_id, struct lead *ret)
{
    *ret = (struct lead){
        .portal_id = crm_id ? e->portal_id : 0,
        .crm_id = crm_id,
        .email = crm_id ? STR_NULL : e->email,
        .created_at = e->received_at,
    };
    return store_lead_add(b->store, ret);
}

static enum rc by_crm(struct batch *b, const struct event *e, int64_t crm_id, struct lead *ret)
{
    enum rc rc = read_lead_by_crm(b->reader, e->portal_id, crm_id, b->arena, ret);

    return rc == RC_NONE ? add_lead(b, e, crm_id, ret) : rc;
}

enum rc find_lead(struct batch *b, const struct event *e, struct lead *ret)
{
    int64_t crm_id = e->effect == EFFECT_MERGE ? e->merge_into : e->object_id;
    enum rc rc;

    if (crm_id) {
        rc = by_crm(b, e, crm_id, ret);
    } else {
        rc = read_lead_by_email(b->reader, e->email, b->arena, ret);
        if (rc == RC_NONE)
            rc = add_lead(b, e, 0, ret);
    }
    if (rc != RC_OK)
        return rc;
    /* The CRM deletes the record that a merge absorbed: that says nothing of the survivor. */
    if (ret->state == LEAD_MERGED && e->effect == EFFECT_DELETE)
        return RC_OK;
    return follow(b, ret);
}

/* `from` becomes a signpost to `into`. */
static enum rc absorb(struct batch *b, struct lead *from, struct lead *into)
{
    const struct lead before = *from;
    enum rc rc = store_lead_move(b->store, from->id, into->id);

    if (rc != RC_OK)
        return rc;
    b->rescan = true; /* its pending deliveries belong to another lead now */
    lead_absorb(into, from, b->arena);
    from->state = LEAD_MERGED;
    from->merged_into = into->id;
    count_band(b, &before, from);
    return store_lead_save(b->store, from);
}

enum rc merge_leads(struct batch *b, const struct event *e, struct lead *into)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < e->n_merged && rc == RC_OK; i++) {
        struct lead from;

        if (e->merged[i] == e->merge_into)
            continue;
        rc = by_crm(b, e, e->merged[i], &from);
        if (rc == RC_OK && from.id != into->id && from.state != LEAD_MERGED && !from.erased)
            rc = absorb(b, &from, into);
    }
    return rc;
}

enum rc join_by_email(struct batch *b, struct lead *lead)
{
    struct lead other;

    if (!lead->crm_id || !lead->email.len)
        return RC_OK;
    enum rc rc = read_lead_by_email(b->reader, lead->email, b->arena, &other);
    if (rc != RC_OK)
        return rc == RC_NONE ? RC_OK : rc;
    if (other.id == lead->id || other.crm_id)
        return RC_OK;
    if (other.id > lead->id)
        return absorb(b, &other, lead);

    /* The older one lives on and takes the CRM's ids, which only one row may have. */
    const struct lead before = other;
    other.portal_id = lead->portal_id;
    other.crm_id = lead->crm_id;
    other.enriched_at = lead->enriched_at;
    lead->portal_id = lead->crm_id = 0;
    rc = absorb(b, lead, &other);
    if (rc != RC_OK)
        return rc;
    count_band(b, &before, &(struct lead){.state = LEAD_MERGED}); /* counted anew by the caller */
    *lead = other;
    return RC_OK;
}
