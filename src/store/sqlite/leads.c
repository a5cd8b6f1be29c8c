/* store/sqlite/leads.c - leads and their properties; moving and erasing. */
#include "db.h"

#include <string.h>

#include "funneld/route/route.h"

static enum rc read_properties(struct db *db, struct lead *l, struct arena *a)
{
    const struct str email = l->email;
    sqlite3_stmt *s = NULL;
    enum rc rc = db_query(db, &s, SQL_PROPERTY_LIST, "i", l->id);

    while (rc == RC_OK && (rc = db_step(db, s)) == RC_OK) {
        struct dedupe_key key = {0};

        if (sqlite3_column_bytes(s, 3) == sizeof key.bytes)
            memcpy(key.bytes, sqlite3_column_blob(s, 3), sizeof key.bytes);
        if (lead_put(l, col_str(s, 0, a), col_str(s, 1, a), sqlite3_column_int64(s, 2), &key, a))
            l->properties[l->n_properties - 1].changed = false; /* rows come sorted by name */
    }
    l->email = email; /* as stored: a sender's identity need not be a property */
    return db_finish(s, rc);
}

/* The lead of the first row, with its properties. */
static enum rc load(struct db *db, sqlite3_stmt *s, enum rc rc, struct arena *a, struct lead *ret)
{
    struct lead l;

    if (rc == RC_OK)
        row_lead(s, a, &l);
    db_end(s);
    if (rc != RC_OK)
        return rc;
    rc = read_properties(db, &l, a);
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
#define LEAD_FORMAT "intdidniiiiiddnn"
#define LEAD_VALUES(l)                                                                             \
    (l)->crm_id ? (l)->portal_id : 0, (l)->crm_id, (l)->email, (int)(l)->state, (l)->state_at,     \
        (int)(l)->erased, (l)->merged_into, (l)->created_at, (l)->enriched_at, (l)->score,         \
        (l)->fit, (l)->engagement, (int)(l)->band, (int)(l)->evaluated, (l)->last_event,           \
        (l)->last_ledger

static enum rc save_properties(struct store *st, const struct lead *l)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < l->n_properties && rc == RC_OK; i++) {
        const struct property *p = &l->properties[i];

        if (p->changed)
            rc = db_run(store_db(st), SQL_PROPERTY_PUT, "ittib", l->id, p->name,
                        p->value.at ? p->value : STR(""), p->at, p->key.bytes, sizeof p->key.bytes);
    }
    return rc;
}

enum rc store_lead_add(struct store *st, struct lead *l)
{
    enum rc rc = db_run(store_db(st), SQL_LEAD_ADD, LEAD_FORMAT, LEAD_VALUES(l));

    if (rc == RC_OK)
        l->id = sqlite3_last_insert_rowid(store_db(st)->handle);
    return rc == RC_OK ? save_properties(st, l) : rc;
}

enum rc store_lead_save(struct store *st, const struct lead *l)
{
    int64_t rows = 0;
    enum rc rc =
        db_change(store_db(st), &rows, SQL_LEAD_TOUCH, LEAD_FORMAT "i", LEAD_VALUES(l), l->id);

    if (rc == RC_OK && rows == 0) /* it got another identity, or there is none */
        rc = db_change(store_db(st), &rows, SQL_LEAD_SAVE, LEAD_FORMAT "i", LEAD_VALUES(l), l->id);
    if (rc == RC_OK && rows == 0)
        return RC_NONE;
    return rc == RC_OK ? save_properties(st, l) : rc;
}

/* The chain from `first` is hung in front of the other: its tail points to what `into` had. */
static enum rc move_chain(struct db *db, enum statement which, int64_t *first,
                          const struct lead *into, int64_t *ret_first)
{
    enum rc rc = *first ? db_run(db, which, "iin", *first, into->id, *ret_first) : RC_OK;

    if (rc == RC_OK && *first)
        *ret_first = *first;
    *first = 0;
    return rc;
}

enum rc store_lead_move(struct store *st, struct lead *from, struct lead *into)
{
    struct db *db = store_db(st);
    /* Deliveries are found by the events, while the chain is that of `from` alone. */
    enum rc rc = db_run(db, SQL_DELIVERY_MOVE, "ni", from->last_event, into->id);

    if (rc == RC_OK)
        rc = move_chain(db, SQL_EVENT_MOVE, &from->last_event, into, &into->last_event);
    if (rc == RC_OK)
        rc = move_chain(db, SQL_LEDGER_MOVE, &from->last_ledger, into, &into->last_ledger);
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
    enum rc rc = db_run(db, SQL_PROPERTY_ERASE, "i", lead->id);

    if (rc == RC_OK)
        rc = db_run(db, SQL_LEAD_ERASE_MERGED, "i", lead->id);
    if (rc == RC_OK)
        rc = db_run(db, SQL_LEDGER_ERASE, "n", lead->last_ledger);
    if (rc == RC_OK)
        rc = db_run(db, SQL_EVENT_ERASE, "n", lead->last_event);
    if (rc == RC_OK)
        rc = forget_facts(st, lead);
    if (rc != RC_OK)
        return rc;
    lead->last_ledger = 0;
    return cancel_deliveries(st, lead, now_ms, cancelled, self);
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
        row_lead(s, &a, &l);
        rc = read_properties(&r->db, &l, &a);
        if (rc == RC_OK)
            seen(self, &l);
    }
    return db_finish(s, rc);
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
