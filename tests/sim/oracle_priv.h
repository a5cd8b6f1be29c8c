/* tests/sim/oracle_priv.h - what the oracle knows, shared by its parts. */
#ifndef FUNNELD_SIM_ORACLE_PRIV_H
#define FUNNELD_SIM_ORACLE_PRIV_H

#include <sqlite3.h>

#include "oracle.h"
#include "variant.h"

/* The database, read by SQL of our own. */
sqlite3_stmt *ask(sqlite3 *db, const char *sql); /* NULL: broken */
bool next(sqlite3_stmt *s);                      /* false: finalized */
sqlite3 *oracle_open(void);                      /* NULL: broken; meanwhile the disk is spared */
void oracle_close(sqlite3 *db);

struct row { /* of `event` */
    int64_t id, lead, occurred_at, received_at;
    int state;
    size_t fact;
};
enum { ROWS = 4096, DELIVERIES = 8192, PERSONS = 512, CONTACTS_MAX = 64, KEY = 24 };
/* All events, by id; false: broken. */
bool read_rows(sqlite3 *db, struct row ret[ROWS], size_t *ret_n);
const struct variant *variant_of(int64_t event); /* by which it was processed */

/* People, as they must be after these events (people.c). */
enum { COMPANY, DEMO, EMAIL, PAGE, NAMES };
extern const char *const names[NAMES];
enum person_state { ACTIVE, DELETED, MERGED };

struct known {
    bool is;
    char value[FACT_TEXT];
    int64_t at;
    uint8_t key[KEY];
};

struct person { /* the n-th is lead n + 1 */
    int64_t crm;
    char email[FACT_TEXT]; /* empty: none */
    enum person_state state;
    int64_t state_at;
    bool erased, judged, in_merge; /* in_merge: one was merged with it, or it with another */
    size_t into;
    struct known known[NAMES];
    int64_t score; /* tenths */
};

struct firing { /* a line of the ledger */
    int64_t event, points, half_life_ms, occurred_at;
    const char *rule;
    size_t person;
    bool gone; /* erased with the person */
};

struct told { /* a delivery that must be there */
    int64_t event;
    const char *route, *connector;
    size_t person; /* whose it was then */
};

struct past { /* a score, as it was at an event */
    int64_t event, score;
    size_t person;
};

struct people {
    struct person at[PERSONS];
    struct firing firings[ROWS];
    struct told told[4 * ROWS];
    struct past past[ROWS];
    size_t n, n_firings, n_told, n_past;
    bool crm_told[CONTACTS_MAX]; /* of which contacts an answer of the CRM is stored */
    uint8_t keys[FACTS][KEY];    /* dedupe keys, by the fact's `same`: they settle ties */
};
void people_begin(struct people *p);
void people_fold(struct people *p, const struct row *row);
size_t person_now(const struct people *p, size_t person); /* whoever it was merged into */

struct subscribed {
    int hook;
    int64_t id, after; /* of events after this one it hears */
    bool is_there;     /* now */
};
const struct subscribed *subscription_at(size_t i); /* NULL: no more */
bool subscription_is_there(int64_t id);

void check_leads(sqlite3 *db, struct people *p);       /* check_leads.c */
void check_queue(sqlite3 *db, const struct people *p); /* check_queue.c */
bool was_retried(int64_t delivery);                    /* when it was dead */

#endif
