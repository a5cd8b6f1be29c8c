/* store/sqlite/leads.c - leads; moving and erasing. */
#include "db.h"

#include <string.h>

#include "funneld/route/route.h"

static enum rc load(struct db *db, sqlite3_stmt *s, enum rc rc, struct arena *a, struct lead *ret)
{
    struct lead l;

    if (rc == RC_OK)
        rc = row_lead(db, s, a, &l);
    db_end(s);
    if (rc == RC_OK)
        *ret = l;
    return rc;
}

enum rc read_lead(struct reader *r, int64_t id, struct arena *a, struct lead *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_LEAD_GET, "i", id);

    return load(&r->db, s, rc, a, ret);
}

enum rc read_lead_by_crm(struct reader *r, int64_t portal_id, int64_t crm_id, struct arena *a,
                         struct lead *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_LEAD_BY_CRM, "ii", portal_id, crm_id);

    return load(&r->db, s, rc, a, ret);
}

enum rc read_lead_by_email(struct reader *r, struct str email, struct arena *a, struct lead *ret)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_first(&r->db, &s, SQL_LEAD_BY_EMAIL, "t", email);

    return load(&r->db, s, rc, a, ret);
}

/* The parameters of LEAD_ADD, LEAD_SAVE and LEAD_TOUCH, but for the last ones' id. */
#define LEAD_FORMAT "intdidniiiiiddnbttmmbtii"
#define LEAD_VALUES(l, properties)                                                                 \
    (l)->crm_id ? (l)->portal_id : 0, (l)->crm_id, (l)->email, (int)(l)->state, (l)->state_at,     \
        (int)(l)->erased, (l)->merged_into, (l)->created_at, (l)->enriched_at, (l)->score,         \
        (l)->fit, (l)->engagement, (int)(l)->band, (int)(l)->evaluated, (l)->last_event,           \
        (properties).at, (properties).len, (l)->ledger, (l)->waiting, (int)(l)->probability.known, \
        (l)->probability.tenths, (int)(l)->churn.known, (l)->churn.tenths, (l)->activity.at,       \
        (l)->activity.len, (l)->source, (l)->told_probability, (l)->told_churn

/* *ret: what becomes of them; missing: they stay as they are. */
static enum rc changed_properties(struct store *st, const struct lead *l, struct str *ret)
{
    bool changed = l->erased;

    for (size_t i = 0; i < l->n_properties && !changed; i++)
        changed = l->properties[i].changed;
    *ret = STR_NULL;
    if (!changed)
        return RC_OK;
    enum rc rc = properties_write(l, &st->properties);
    if (rc != RC_OK)
        return rc;
    *ret = l->n_properties ? sbuf_str(&st->properties) : STR("");
    return RC_OK;
}

enum rc store_lead_add(struct store *st, struct lead *l)
{
    struct str properties;
    enum rc rc = changed_properties(st, l, &properties);

    if (rc == RC_OK)
        rc = db_run(store_db(st), SQL_LEAD_ADD, LEAD_FORMAT, LEAD_VALUES(l, properties));
    if (rc == RC_OK)
        l->id = sqlite3_last_insert_rowid(store_db(st)->handle);
    return rc;
}

enum rc store_lead_save(struct store *st, const struct lead *l)
{
    struct str properties;
    int64_t rows = 0;
    enum rc rc = changed_properties(st, l, &properties);

    if (rc == RC_OK)
        rc = db_change(store_db(st), &rows, SQL_LEAD_TOUCH, LEAD_FORMAT "i",
                       LEAD_VALUES(l, properties), l->id);
    if (rc == RC_OK && rows == 0) /* it got another identity, or there is none */
        rc = db_change(store_db(st), &rows, SQL_LEAD_SAVE, LEAD_FORMAT "i",
                       LEAD_VALUES(l, properties), l->id);
    return rc == RC_OK && rows == 0 ? RC_NONE : rc;
}

enum rc store_lead_chances(struct store *st, const struct lead_chances *c)
{
    int64_t rows = 0;
    enum rc rc = db_change(store_db(st), &rows, SQL_LEAD_CHANCES, "indmmdb", c->id, c->last_event,
                           (int)c->was, (int)c->probability.known, c->probability.tenths,
                           (int)c->churn.known, c->churn.tenths, (int)c->band, c->activity.at,
                           c->activity.len);

    return rc == RC_OK && rows == 0 ? RC_NONE : rc;
}

/* Events stay in their order, for the oldest are purged from the end of the chain. */
static enum rc move_events(struct db *db, struct lead *from, struct lead *into)
{
    enum rc rc = from->last_event ? db_run(db, SQL_EVENT_MOVE, "iin", from->last_event, into->id,
                                           into->last_event)
                                  : RC_OK;

    if (rc != RC_OK)
        return rc;
    if (from->last_event > into->last_event)
        into->last_event = from->last_event;
    from->last_event = 0;
    return RC_OK;
}

enum rc store_lead_move(struct store *st, struct lead *from, struct lead *into, struct arena *a)
{
    struct db *db = store_db(st);
    /* Deliveries are found by the events, while the chain is that of `from` alone. */
    enum rc rc = db_run(db, SQL_DELIVERY_MOVE, "ni", from->last_event, into->id);

    if (rc == RC_OK)
        rc = move_events(db, from, into);
    if (rc == RC_OK)
        rc = ledger_move(st, from, into, a);
    if (rc == RC_OK)
        rc = waiting_move(st, from, into, a);
    if (rc == RC_OK)
        rc = db_run(db, SQL_DELIVERY_HURRY_ALL, "ti", into->waiting, into->id);
    if (rc == RC_OK)
        rc = contact_move(db, from, into);
    return rc == RC_OK ? db_run(db, SQL_REMOTE_MOVE, "ii", from->id, into->id) : rc;
}

static enum rc forget_facts(struct store *st, const struct lead *lead)
{
    const struct delivery_facts nothing = {0};
    struct sbuf facts AUTO(sbuf_free) = SBUF(4096);

    facts_to_json(&nothing, &facts);
    if (facts.failed)
        return RC_TOOBIG;
    return db_run(store_db(st), SQL_DELIVERY_FORGET, "nt", lead->last_event, sbuf_str(&facts));
}

static enum rc cancel_deliveries(struct store *st, const struct lead *lead, int64_t now_ms,
                                 void (*cancelled)(void *self, struct str connector), void *self)
{
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(store_db(st), &s, SQL_DELIVERY_CANCEL, "ni", lead->last_event, now_ms);

    while (rc == RC_OK && (rc = db_step(store_db(st), s)) == RC_OK)
        cancelled(self, col_view(s, 0));
    return db_finish(s, rc);
}

enum rc store_lead_erase(struct store *st, struct lead *lead, int64_t now_ms,
                         void (*cancelled)(void *self, struct str connector), void *self)
{
    struct db *db = store_db(st);
    enum rc rc = db_run(db, SQL_LEAD_ERASE_MERGED, "i", lead->id);

    if (rc == RC_OK)
        rc = db_run(db, SQL_EVENT_ERASE, "n", lead->last_event);
    if (rc == RC_OK)
        rc = contact_erase(db, lead);
    if (rc == RC_OK)
        rc = forget_facts(st, lead);
    if (rc != RC_OK)
        return rc;
    rc = cancel_deliveries(st, lead, now_ms, cancelled, self);
    if (rc == RC_OK)
        rc = db_run(db, SQL_ANSWER_FORGET, "n", lead->last_event);
    if (rc != RC_OK)
        return rc;
    lead->erased = true; /* and so its own properties go as well, when it is saved */
    lead->n_properties = lead->cap_properties = 0;
    lead->properties = NULL;
    lead->ledger = lead->waiting = lead->activity = STR_NULL;
    lead->probability = lead->churn = (struct chance){0};
    lead->told_probability = lead->told_churn = 0;
    return RC_OK;
}

static int lead_state_of(struct str name)
{
    if (!name.at)
        return EVERY_STATE;
    for (int i = LEAD_ACTIVE; i <= LEAD_MERGED; i++)
        if (str_is(name, lead_state_name((enum lead_state)i)))
            return i;
    return NO_STATE;
}

enum rc read_leads(struct reader *r, const struct list_filter *f, lead_seen *seen, void *self)
{
    struct arena a AUTO(arena_free) = {0};
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_LEAD_LIST, "idi", f->after ? f->after : INT64_MAX,
                          lead_state_of(f->state), f->since);

    for (int64_t n = 0; n < f->limit && rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK; n++) {
        struct lead l;

        arena_reset(&a);
        rc = row_lead(&r->db, s, &a, &l);
        if (rc == RC_INVALID) /* with what can be read of it */
            rc = RC_OK;
        if (rc == RC_OK)
            seen(self, &l);
    }
    return db_finish(s, rc);
}

enum rc read_last_lead(struct reader *r, int64_t *ret)
{
    return db_count(&r->db, SQL_LEAD_LAST_ID, ret);
}

enum rc read_bands(struct reader *r, int64_t ret[BAND_COUNT])
{
    int64_t counts[BAND_COUNT] = {0};
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(&r->db, &s, SQL_LEAD_BANDS, "");

    while (rc == RC_OK && (rc = db_step(&r->db, s)) == RC_OK) {
        int band = sqlite3_column_int(s, 0);

        if (band >= 0 && band < BAND_COUNT)
            counts[band] = sqlite3_column_int64(s, 1);
    }
    rc = db_finish(s, rc);
    if (rc == RC_OK)
        memcpy(ret, counts, sizeof counts);
    return rc;
}
