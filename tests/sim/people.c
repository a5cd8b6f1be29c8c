/* tests/sim/people.c - who is who, what is known of them, what they are worth, who hears of it:
 * design 1.7 once more, in the plainest way. */
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "funneld/base/clock.h"
#include "oracle_priv.h"
#include "story.h"

#define AHEAD_MS (5 * MINUTES_MS) /* an event from further ahead counts as received now */

const char *const names[NAMES] = {"company", "demo_requested", "email", "page"};

void people_begin(struct people *p)
{
    p->n = p->n_firings = p->n_told = p->n_past = 0;
    memset(p->crm_told, 0, sizeof p->crm_told);
}

size_t person_now(const struct people *p, size_t person)
{
    while (p->at[person].state == MERGED)
        person = p->at[person].into;
    return person;
}

/* What is no address is none. */
static void address(const char *text, char ret[FACT_TEXT])
{
    size_t n = strchr(text, '@') ? strlen(text) : 0;

    for (size_t i = 0; i < n; i++)
        ret[i] = (char)tolower((unsigned char)text[i]);
    ret[n] = '\0';
}

/* Finding people */

static size_t add_person(struct people *p, int64_t crm, const char *email)
{
    struct person *q = &p->at[p->n];

    assert(p->n < PERSONS);
    *q = (struct person){.crm = crm};
    address(email, q->email);
    return p->n++;
}

static size_t by_contact(struct people *p, int64_t contact)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->at[i].crm == contact)
            return i;
    return add_person(p, contact, "");
}

/* The oldest active one with this address, but for one; p->n: there is none. */
static size_t by_email(const struct people *p, const char *email, size_t but)
{
    char wanted[FACT_TEXT];

    address(email, wanted);
    for (size_t i = 0; i < p->n && wanted[0]; i++)
        if (i != but && p->at[i].state == ACTIVE && strcmp(p->at[i].email, wanted) == 0)
            return i;
    return p->n;
}

/* Knowledge */

static bool learn(struct person *q, int name, const char *value, int64_t at, const uint8_t key[KEY])
{
    struct known *k = &q->known[name];

    if (q->erased ||
        (k->is && (at < k->at || (at == k->at && memcmp(key, k->key, sizeof k->key) <= 0))))
        return false;
    *k = (struct known){.is = true, .at = at};
    (void)!snprintf(k->value, FACT_TEXT, "%s", value);
    memcpy(k->key, key, sizeof k->key);
    if (name == EMAIL)
        address(value, q->email);
    return true;
}

static int name_of(const char *text)
{
    int i = 0;

    while (i < NAMES && strcmp(names[i], text) != 0)
        i++;
    assert(i < NAMES);
    return i;
}

static bool set_state(struct person *q, enum person_state state, int64_t at)
{
    bool deleted_first = at == q->state_at && state == DELETED && q->state == ACTIVE;

    if (q->state == MERGED || (at <= q->state_at && !deleted_first))
        return false;
    q->state = state;
    q->state_at = at;
    return true;
}

/* What is left is a tombstone with the contact's number, for all who were one with it. */
static void erase(struct people *p, size_t who)
{
    for (size_t i = 0; i < p->n; i++) {
        struct person *q = &p->at[i];

        if (person_now(p, i) != who)
            continue;
        q->erased = true;
        q->email[0] = '\0';
        memset(q->known, 0, sizeof q->known);
    }
    for (size_t i = 0; i < p->n_firings; i++)
        p->firings[i].gone |= p->firings[i].person == who;
    p->at[who].score = 0;
}

/* `from` becomes a signpost to `into`, which takes over what it has. */
static void absorb(struct people *p, size_t from, size_t into)
{
    struct person *f = &p->at[from], *t = &p->at[into];

    for (size_t i = 0; i < p->n_firings; i++)
        if (p->firings[i].person == from)
            p->firings[i].person = into;
    if (f->judged && (!t->judged || t->score < f->score)) { /* what was told of one is told */
        t->score = f->score;
        t->judged = true;
    }
    if (!t->erased) {
        for (int i = 0; i < NAMES; i++)
            if (f->known[i].is)
                (void)learn(t, i, f->known[i].value, f->known[i].at, f->known[i].key);
        if (!t->known[EMAIL].is && !t->email[0])
            memcpy(t->email, f->email, FACT_TEXT);
        if (!t->crm && f->crm) {
            t->crm = f->crm;
            (void)set_state(t, f->state, f->state_at);
            f->crm = 0;
        }
    }
    f->state = MERGED;
    f->into = into;
    f->in_merge = t->in_merge = true;
}

/* Worth */

static bool has(const struct person *q, int name, const char *value)
{
    return q->known[name].is && strcmp(q->known[name].value, value) == 0;
}

static void fire(struct people *p, const struct row *row, size_t who, const char *rule,
                 int64_t points, int64_t half_life_ms)
{
    assert(p->n_firings < ROWS);
    p->firings[p->n_firings++] = (struct firing){.event = row->id,
                                                 .points = points,
                                                 .half_life_ms = half_life_ms,
                                                 .occurred_at = row->occurred_at,
                                                 .rule = rule,
                                                 .person = who};
}

static int64_t worth(const struct firing *f, int64_t at)
{
    int64_t age = at - f->occurred_at;

    if (!f->half_life_ms || age <= 0)
        return f->points;
    return llround((double)f->points * pow(0.5, (double)age / (double)f->half_life_ms));
}

static int64_t score(const struct people *p, size_t who, int64_t at, const struct variant *v)
{
    int64_t doing = 0;

    for (size_t i = 0; i < p->n_firings; i++)
        if (p->firings[i].person == who && !p->firings[i].gone)
            doing += worth(&p->firings[i], at);
    return (doing > v->cap ? v->cap : doing) + (has(&p->at[who], COMPANY, "Acme") ? v->acme : 0);
}

static void tell(struct people *p, const struct row *row, size_t who, const char *route,
                 const char *connector, bool is_there)
{
    if (!is_there)
        return;
    assert(p->n_told < 4 * ROWS);
    p->told[p->n_told++] = (struct told){row->id, route, connector, who};
}

static bool is_change(const struct fact *f, const char *name)
{
    return f->kind == FACT_CHANGE && strcmp(f->name, name) == 0;
}

static void judge(struct people *p, const struct row *row, size_t who)
{
    const struct fact *f = fact_get(row->fact);
    const struct variant *v = variant_of(row->id);
    struct person *q = &p->at[who];
    int64_t before = q->judged ? q->score : 0;

    if (is_change(f, "demo_requested") && strcmp(f->value, "true") == 0)
        fire(p, row, who, "demo", v->demo, 0);
    if (is_change(f, "page") && strstr(f->value, "pricing"))
        fire(p, row, who, "page", v->page, v->page_half_life_ms);
    if (f->kind == FACT_FORM)
        fire(p, row, who, "form", v->form, 0);
    q->score = score(p, who, row->received_at, v);
    q->judged = true;
    p->past[p->n_past++] = (struct past){row->id, q->score, who};
    if (q->state != ACTIVE)
        return;
    bool hot = q->score >= v->hot && before < v->hot, page = is_change(f, "page");
    tell(p, row, who, "hot", "hook", hot);
    tell(p, row, who, "hot", "sales-slack", hot && v->slack);
    tell(p, row, who, "hot", "lead-log", hot && v->sheets);
    tell(p, row, who, "book", "lead-book", v->notion && q->score >= v->book);
    tell(p, row, who, "page", "sales-slack", page && v->slack);
    tell(p, row, who, "page", "lead-log", page && v->sheets);
    tell(p, row, who, "page", "chat", page && v->more);
    tell(p, row, who, "page", "lead-grid", page && v->more);
    tell(p, row, who, "page", "mail", page && v->more);
    tell(p, row, who, "page", "warehouse", page && v->more);
    tell(p, row, who, "page", "subscribers", page && v->more);
}

/* The effect of one event */

static bool apply(struct people *p, const struct row *row, size_t who)
{
    const struct fact *f = fact_get(row->fact);
    struct person *q = &p->at[who];
    const uint8_t *key = p->keys[f->same];
    bool changed = false;

    switch (f->kind) {
    case FACT_CHANGE:
        return learn(q, name_of(f->name), f->value, row->occurred_at, key);
    case FACT_FORM: { /* what was left empty was not filled in */
        char email[FACT_TEXT];

        address(f->email, email);
        changed = learn(q, EMAIL, email, row->occurred_at, key);
        if (f->company[0])
            changed |= learn(q, COMPANY, f->company, row->occurred_at, key);
        if (f->value[0])
            changed |= learn(q, name_of(f->name), f->value, row->occurred_at, key);
        return changed;
    }
    case FACT_CRM:
        changed = learn(q, COMPANY, f->company, row->occurred_at, key);
        return learn(q, EMAIL, f->email, row->occurred_at, key) || changed;
    case FACT_DELETION:
        return set_state(q, DELETED, row->occurred_at);
    case FACT_RESTORE:
        return set_state(q, ACTIVE, row->occurred_at);
    default:
        return false;
    }
}

/* A person known by an address alone who turns out to be this contact. Returns who remains. */
static size_t join(struct people *p, size_t who)
{
    const struct person *q = &p->at[who];
    size_t other = q->crm && q->state == ACTIVE ? by_email(p, q->email, who) : p->n;

    if (other == p->n || p->at[other].crm)
        return who;
    if (other > who) {
        absorb(p, other, who);
        return who;
    }
    absorb(p, who, other);
    return other;
}

static void merge(struct people *p, const struct fact *f, size_t into)
{
    size_t from = f->other == f->contact ? into : by_contact(p, f->other);

    if (from == into || p->at[from].state == MERGED)
        return;
    bool erased = p->at[from].erased;
    absorb(p, from, into);
    if (erased)
        p->at[into].erased = true;
}

static size_t find(struct people *p, const struct fact *f, bool *ret_absorbed)
{
    size_t who = f->kind == FACT_FORM ? by_email(p, f->email, p->n) : by_contact(p, f->contact);

    if (f->kind == FACT_FORM && who == p->n)
        who = add_person(p, 0, f->email);
    *ret_absorbed = p->at[who].state == MERGED;
    return person_now(p, who);
}

static void check_row(const struct row *row)
{
    const struct fact *f = fact_get(row->fact);
    int64_t at = f->at && f->at <= row->received_at + AHEAD_MS ? f->at : row->received_at;
    int state = f->kind == FACT_ODD ? 1 : f->kind == FACT_COMPANY ? 2 : 0;

    if (row->occurred_at != at || row->state != state)
        broken("event %lld: occurred at %lld in state %d; right is %lld, %d", (long long)row->id,
               (long long)row->occurred_at, row->state, (long long)at, state);
}

void people_fold(struct people *p, const struct row *row)
{
    const struct fact *f = fact_get(row->fact);
    bool absorbed;

    check_row(row);
    if (f->kind == FACT_ODD || f->kind == FACT_COMPANY)
        return;
    if (f->kind == FACT_CRM)
        p->crm_told[f->contact % CONTACTS_MAX] = true;
    size_t who = find(p, f, &absorbed);
    struct person *q = &p->at[who];

    if (q->erased && f->kind != FACT_MERGE)
        return;
    if (absorbed && (f->kind == FACT_DELETION || f->kind == FACT_RESTORE))
        return; /* of a record that is part of another now */
    if (f->kind == FACT_ERASURE) {
        q->state = DELETED;
        q->state_at = row->occurred_at;
        erase(p, who);
        return;
    }
    if (f->kind == FACT_MERGE)
        merge(p, f, who);
    if (q->erased) {
        if (q->state != DELETED) { /* only the other one was */
            q->state = DELETED;
            q->state_at = row->occurred_at;
        }
        erase(p, who);
        return;
    }
    if (f->kind == FACT_MERGE || apply(p, row, who))
        who = join(p, who);
    judge(p, row, who);
}
