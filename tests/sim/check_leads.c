/* tests/sim/check_leads.c - leads, ledger and chains in the database, against what must be. */
#include <stdlib.h>
#include <string.h>

#include "oracle_priv.h"
#include "story.h"

/* A lead's properties as stored: of each "bytes of name:bytes of value:time:", name, value, key;
 * the time may be missing where it is how the key begins. */
static bool take_number(const char **at, const char *end, int64_t *ret)
{
    char *colon;

    *ret = strtoll(*at, &colon, 10);
    if (colon >= end || *colon != ':')
        return false;
    *at = colon + 1;
    return true;
}

static int64_t time_of(const char *key)
{
    uint64_t time = 0;

    for (int i = 0; i < 8; i++)
        time = time << 8 | (uint8_t)key[i];
    return (int64_t)time;
}

static int name_at(const char *text, int64_t len)
{
    for (int i = 0; i < NAMES; i++)
        if ((int64_t)strlen(names[i]) == len && memcmp(text, names[i], (size_t)len) == 0)
            return i;
    return NAMES;
}

static bool is_known(const struct known *k, const char *value, int64_t len, int64_t at,
                     const char *key)
{
    return k->is && (int64_t)strlen(k->value) == len && memcmp(value, k->value, (size_t)len) == 0 &&
           k->at == at && memcmp(k->key, key, sizeof k->key) == 0;
}

static void check_properties(const struct person *q, long long id, const char *at, int n)
{
    const char *end = at + n;
    int seen = 0, wanted = 0;

    for (int i = 0; i < NAMES; i++)
        wanted += q->known[i].is;
    while (at < end) {
        int64_t name_len, value_len, when = 0;
        bool untimed = false;

        if (!take_number(&at, end, &name_len) || !take_number(&at, end, &value_len) ||
            (!(untimed = *at == ':') && !take_number(&at, end, &when))) {
            broken("lead %lld: its properties cannot be read", id);
            return;
        }
        at += untimed;
        const char *key = at + name_len + value_len;
        int i = name_at(at, name_len);

        if (i == NAMES ||
            !is_known(&q->known[i], at + name_len, value_len, untimed ? time_of(key) : when, key))
            broken("lead %lld: %.*s is not the newest: %.*s", id, (int)name_len, at, (int)value_len,
                   at + name_len);
        at = key + KEY;
        seen++;
    }
    if (seen != wanted)
        broken("lead %lld: %d properties instead of %d", id, seen, wanted);
}

static void check_number(const char *what, long long id, int64_t is, int64_t wanted)
{
    if (is != wanted)
        broken("lead %lld: %s is %lld, right is %lld", id, what, (long long)is, (long long)wanted);
}

static int band_of(const struct person *q)
{
    return q->score >= 800 ? 2 : q->score >= 200 ? 1 : 0;
}

static void check_lead(sqlite3_stmt *s, const struct people *p)
{
    long long id = sqlite3_column_int64(s, 0);
    const char *email = (const char *)sqlite3_column_text(s, 2);

    if (id < 1 || id > (long long)p->n) {
        broken("lead %lld comes from no event", id);
        return;
    }
    const struct person *q = &p->at[id - 1];
    check_number("its contact", id, sqlite3_column_int64(s, 1), q->crm);
    check_number("its state", id, sqlite3_column_int64(s, 3), q->state);
    check_number("erased", id, sqlite3_column_int64(s, 4), q->erased);
    if (q->state == MERGED) {
        check_number("what it went into", id, sqlite3_column_int64(s, 5), (int64_t)q->into + 1);
        return;
    }
    if (strcmp(email ? email : "", q->email) != 0)
        broken("lead %lld: its address is %s, right is %s", id, email, q->email);
    check_number("its score in tenths", id, sqlite3_column_int64(s, 6), q->score);
    if (!q->erased)
        check_number("its band", id, sqlite3_column_int64(s, 7), q->judged ? band_of(q) : 0);
    check_properties(q, id, sqlite3_column_blob(s, 8), sqlite3_column_bytes(s, 8));
}

static const struct firing *next_firing(const struct people *p, size_t *i)
{
    while (*i < p->n_firings && p->firings[*i].gone)
        ++*i;
    return *i < p->n_firings ? &p->firings[(*i)++] : NULL;
}

/* Rows in the order in which the rules fired, none more, none less. */
static void check_ledger(sqlite3 *db, const struct people *p)
{
    sqlite3_stmt *s =
        ask(db, "SELECT event, lead, rule, points, half_life, occurred_at FROM ledger "
                "ORDER BY event, CASE rule WHEN 'demo' THEN 0 WHEN 'page' THEN 1 "
                "ELSE 2 END, position");
    size_t i = 0;

    while (next(s)) {
        const struct firing *f = next_firing(p, &i);
        long long event = sqlite3_column_int64(s, 0);

        if (!f || f->event != event || (int64_t)f->person + 1 != sqlite3_column_int64(s, 1) ||
            strcmp(f->rule, (const char *)sqlite3_column_text(s, 2)) != 0 ||
            f->points != sqlite3_column_int64(s, 3) ||
            f->half_life_ms != sqlite3_column_int64(s, 4) ||
            f->occurred_at != sqlite3_column_int64(s, 5))
            broken("the ledger's line of rule %s, lead %lld, for event %lld is not what fired",
                   sqlite3_column_text(s, 2), (long long)sqlite3_column_int64(s, 1), event);
    }
    const struct firing *missing = next_firing(p, &i);
    if (missing)
        broken("the ledger has no line of rule %s for event %lld", missing->rule,
               (long long)missing->event);
}

/* Every event of a lead hangs in its chain, in a chain that ends. */
static void check_chains(sqlite3 *db)
{
    sqlite3_stmt *s =
        ask(db, "WITH RECURSIVE chain(lead, id) AS (SELECT id, last_event FROM lead WHERE "
                "last_event IS NOT NULL UNION SELECT chain.lead, e.prev FROM chain JOIN event e "
                "ON e.id = chain.id AND e.prev IS NOT NULL) "
                "SELECT l.id, (SELECT count(*) FROM chain JOIN event e ON e.id = chain.id AND "
                "e.lead = l.id WHERE chain.lead = l.id), "
                "(SELECT count(*) FROM event e WHERE e.lead = l.id) FROM lead l");

    while (next(s))
        if (sqlite3_column_int64(s, 1) != sqlite3_column_int64(s, 2))
            broken("lead %lld: %lld events in its chain, %lld are its own",
                   (long long)sqlite3_column_int64(s, 0), (long long)sqlite3_column_int64(s, 1),
                   (long long)sqlite3_column_int64(s, 2));
}

static void check_event_leads(sqlite3 *db, const struct people *p)
{
    sqlite3_stmt *s = ask(db, "SELECT count(*), coalesce(max(id), 0) FROM lead");

    while (next(s))
        if (sqlite3_column_int64(s, 0) != (int64_t)p->n ||
            sqlite3_column_int64(s, 1) != (int64_t)p->n)
            broken("%lld leads, up to %lld; right is %zu", (long long)sqlite3_column_int64(s, 0),
                   (long long)sqlite3_column_int64(s, 1), p->n);
    s = ask(db, "SELECT event.id, lead.id FROM event LEFT JOIN lead ON lead.id = event.lead "
                "WHERE (event.state = 0) <> (lead.id IS NOT NULL AND lead.state <> 2)");
    while (next(s))
        broken("event %lld belongs to nobody, or to one who was merged",
               (long long)sqlite3_column_int64(s, 0));
}

static void check_bodies(sqlite3 *db)
{
    sqlite3_stmt *s =
        ask(db, "SELECT event.id FROM event LEFT JOIN lead ON lead.id = event.lead "
                "WHERE (event.body IS NULL) <> (lead.id IS NOT NULL AND lead.erased)");

    while (next(s))
        broken("the body of event %lld is gone, or should be",
               (long long)sqlite3_column_int64(s, 0));
}

void check_leads(sqlite3 *db, struct people *p)
{
    sqlite3_stmt *s = ask(db, "SELECT id, coalesce(crm_id, 0), email, state, erased, merged_into, "
                              "score, band, properties FROM lead ORDER BY id");

    while (next(s))
        check_lead(s, p);
    check_event_leads(db, p);
    check_ledger(db, p);
    check_chains(db);
    check_bodies(db);
}
