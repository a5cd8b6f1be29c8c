/* lead/lead.h - what we know of a lead, and how an event changes it.
 *
 * Pure: no clock, no I/O, no log. Newest wins per property by (time, dedupe key), so any order
 * of the same events ends in the same lead. A lead and all its slices live in one arena.
 */
#ifndef FUNNELD_LEAD_LEAD_H
#define FUNNELD_LEAD_LEAD_H

#include "funneld/base/mem.h"
#include "funneld/lead/event.h"

enum lead_state { LEAD_ACTIVE, LEAD_DELETED, LEAD_MERGED };
enum band { BAND_COLD, BAND_WARM, BAND_HOT, BAND_COUNT };

/* What a model says may come: tenths of a percent. */
struct chance {
    bool known; /* false: there is no model, or the lead was not looked at since */
    int64_t tenths;
};

struct property {
    struct str name, value; /* empty value: it was cleared; reads as missing */
    int64_t at;
    struct dedupe_key key;
    bool changed; /* differs from what is stored */
};

/* Merges of merges: a chain that is longer is taken for a loop. */
enum { MERGE_HOPS_MAX = 1000 };

struct lead {
    int64_t id;
    int64_t portal_id, crm_id; /* 0: not (yet) a CRM contact */
    struct str email;          /* normalised; follows the property `email` */
    enum lead_state state;
    int64_t state_at;    /* of the event that set it */
    bool erased;         /* privacy deletion: a tombstone that nothing brings back */
    int64_t merged_into; /* lead id */
    int64_t created_at;
    int64_t enriched_at;            /* when the CRM was last read; 0: never */
    int64_t score, fit, engagement; /* tenths, at the last evaluation */
    enum band band;
    struct chance probability, churn; /* of conversion, of leaving; at the last evaluation */
    struct str activity;              /* lead/activity.h; missing: not counted yet */
    struct str source;                /* that it was first heard of from; missing: not known */
    bool evaluated;                   /* whether it ever was: score.previous is 0 before */
    int64_t last_event;               /* the newest, the store's: the others follow */
    struct str ledger;                /* what fired for it, the store's: see read_ledger */
    struct str waiting;               /* which deliveries may wait for it, the store's */
    struct property *properties;      /* sorted by name */
    size_t n_properties, cap_properties;
    /* What models said when routes were last asked, tenths of a percent, of the newest event at
     * which they said it: probability.previous. 0: never. */
    int64_t told_probability, told_churn;
};

const char *lead_state_name(enum lead_state s);
const char *band_name(enum band b);

/* Lower case, trimmed; missing when it is no address (one @, both sides non-empty, <= 254 bytes).
 */
struct str email_normalise(struct str raw, struct arena *a);

struct str lead_get(const struct lead *l, struct str name); /* missing: unknown or cleared */
/* "Ada Lovelace" from firstname and lastname, else the e-mail, else "HubSpot contact 123". */
struct str lead_name(const struct lead *l, struct arena *a);

/* Folds one event in: properties, deletion, restore, erasure. true when anything changed. */
bool lead_fold(struct lead *l, const struct event *e, struct arena *a);
/* Takes over what the other lead knows, newest wins; the caller marks `from` as merged. */
void lead_absorb(struct lead *l, const struct lead *from, struct arena *a);
/* Puts one property with newest-wins; true when it won. Used by store to load as well. */
bool lead_put(struct lead *l, struct str name, struct str value, int64_t at,
              const struct dedupe_key *key, struct arena *a);
/* Puts them in the place of what they were, older or newer; true when any differs. */
bool lead_set_facts(struct lead *l, const struct property *facts, size_t n, struct arena *a);
/* Whether that would change anything. */
bool lead_knows(const struct lead *l, const struct property *facts, size_t n);

#endif
