/* pipeline/identity.c - whose event is it: by CRM id, by e-mail, merged, joined. */
#include "batch.h"

enum rc follow_merges(struct batch *b, struct lead *lead)
{
    for (int hops = 0; lead->state == LEAD_MERGED; hops++) {
        enum rc rc = hops < MERGE_HOPS_MAX ? read_lead(b->reader, lead->merged_into, b->arena, lead)
                                           : RC_INVALID;

        if (rc != RC_OK)
            return rc == RC_NONE ? RC_INVALID : rc; /* merged into nobody */
    }
    return RC_OK;
}

static enum rc add_lead(struct batch *b, const struct event *e, int64_t crm_id, struct lead *ret)
{
    *ret = (struct lead){
        .portal_id = e->portal_id,
        .crm_id = crm_id,
        .email = crm_id ? STR_NULL : e->email,
        .created_at = e->received_at,
        .source = e->source,
    };
    return store_lead_add(b->store, ret);
}

static enum rc by_crm(struct batch *b, const struct event *e, int64_t crm_id, struct lead *ret)
{
    enum rc rc = read_lead_by_crm(b->reader, e->portal_id, crm_id, b->arena, ret);

    return rc == RC_NONE ? add_lead(b, e, crm_id, ret) : rc;
}

bool own_id(const struct batch *b, struct str public_id, int64_t *ret)
{
    struct str database;
    int64_t id;

    if (!str_split(&public_id, '-', &database) ||
        !str_is(database, reader_database_id(b->reader)) || !str_int64(public_id, &id) || id < 1)
        return false;
    *ret = id;
    return true;
}

enum rc check_lead(struct batch *b, const struct event *e, const char **ret_reason)
{
    struct lead lead;
    int64_t id;

    if (!own_id(b, e->lead, &id)) {
        *ret_reason = "its lead is one of another database";
        return RC_NONE;
    }
    *ret_reason = "there is no such lead";
    return read_lead(b->reader, id, b->arena, &lead);
}

static int64_t record_of(const struct event *e)
{
    return e->effect == EFFECT_MERGE ? e->merge_into : e->object_id;
}

static enum rc look_up(struct batch *b, const struct event *e, struct lead *ret)
{
    int64_t crm_id = record_of(e), own;

    if (e->lead.at)
        return own_id(b, e->lead, &own) ? read_lead(b->reader, own, b->arena, ret) : RC_NONE;
    return crm_id ? read_lead_by_crm(b->reader, e->portal_id, crm_id, b->arena, ret)
                  : read_lead_by_email(b->reader, e->email, b->arena, ret);
}

enum rc read_lead_of(struct batch *b, const struct event *e, struct lead *ret)
{
    enum rc rc = look_up(b, e, ret);

    return rc == RC_OK ? follow_merges(b, ret) : rc;
}

enum rc find_lead(struct batch *b, const struct event *e, struct lead *ret, bool *ret_absorbed)
{
    enum rc rc = look_up(b, e, ret);

    if (rc == RC_NONE && !e->lead.at)
        rc = add_lead(b, e, record_of(e), ret);
    if (rc != RC_OK)
        return rc;
    *ret_absorbed = ret->state == LEAD_MERGED;
    return follow_merges(b, ret);
}

/* What was told of either was told of this person: a rise is announced once. */
static void keep_announced(struct lead *into, const struct lead *from)
{
    if (from->told_probability > into->told_probability)
        into->told_probability = from->told_probability;
    if (from->told_churn > into->told_churn)
        into->told_churn = from->told_churn;
    if (!from->evaluated || (into->evaluated && into->score >= from->score))
        return;
    into->score = from->score;
    into->evaluated = true;
}

static void notice(void *self, struct str connector, const struct due_row *row)
{
    batch_notice(self, connector, row);
}

/* `from` becomes a signpost to `into`. The CRM's ids, which only one row may have, go along where
 * `into` has none; the caller saves it. */
static enum rc absorb(struct batch *b, struct lead *from, struct lead *into)
{
    enum rc rc = store_lead_move(b->store, from, into, b->arena);

    if (rc != RC_OK)
        return rc;
    rc = read_heads(b->reader, into, notice, b); /* what waits is another lead's now */
    if (rc != RC_OK)
        return rc;
    keep_announced(into, from);
    lead_absorb(into, from, b->arena);
    if (from->portal_id == into->portal_id && from->crm_id == into->crm_id)
        from->portal_id = from->crm_id = 0;
    from->state = LEAD_MERGED;
    from->merged_into = into->id;
    from->activity = STR_NULL;
    from->probability = from->churn = (struct chance){0};
    from->told_probability = from->told_churn = 0;
    return store_lead_save(b->store, from);
}

/* Both records are one person's: the erasure of one is that of the other, in either order. */
static void erase_as_well(struct batch *b, const struct event *e, struct lead *lead)
{
    struct event erasure = *e;

    erasure.effect = EFFECT_ERASE;
    (void)lead_fold(lead, &erasure, b->arena); /* false: it was erased before */
}

enum rc merge_leads(struct batch *b, const struct event *e, struct lead *into)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < e->n_merged && rc == RC_OK; i++) {
        struct lead from;

        rc = by_crm(b, e, e->merged[i], &from);
        if (rc != RC_OK || from.id == into->id || from.state == LEAD_MERGED)
            continue;
        count_band(b, &from, NULL);
        if (from.erased)
            erase_as_well(b, e, into);
        rc = absorb(b, &from, into);
    }
    return rc;
}

enum rc join_by_email(struct batch *b, struct lead *lead)
{
    struct lead other;

    if (!lead->crm_id || !lead->email.len || lead->state != LEAD_ACTIVE)
        return RC_OK;
    enum rc rc = read_lead_by_email(b->reader, lead->email, b->arena, &other);
    if (rc != RC_OK)
        return rc == RC_NONE ? RC_OK : rc;
    if (other.id == lead->id || other.crm_id)
        return RC_OK;
    count_band(b, &other, NULL);
    if (other.id > lead->id)
        return absorb(b, &other, lead);
    rc = absorb(b, lead, &other);
    if (rc == RC_OK)
        *lead = other;
    return rc;
}
