/* lead/event.h - one fact that a CRM or a form told us, typed.
 *
 * Bytes become a struct event in ingest or are refused there; past it nobody reads JSON again.
 * Slices live in the arena of the request that brought the event.
 */
#ifndef FUNNELD_LEAD_EVENT_H
#define FUNNELD_LEAD_EVENT_H

#include <stdint.h>

#include "funneld/base/crypto.h"
#include "funneld/base/str.h"

/* Of a SHA-256 that only has to tell facts or requests apart: no two share it by accident. */
enum { HASH_LEN = 16 };
enum { DEDUPE_KEY_LEN = 8 + HASH_LEN };

/* Orders events of one property: big-endian time, then the fact's SHA-256, cut. memcmp compares. */
struct dedupe_key {
    uint8_t bytes[DEDUPE_KEY_LEN];
};

enum event_effect {
    EFFECT_NONE,       /* stored and scored, changes no property (contact.creation ...) */
    EFFECT_PROPERTIES, /* sets properties: propertyChange, Zapier, contact.enriched, .recovered */
    EFFECT_DELETE,     /* contact.deletion */
    EFFECT_RESTORE,    /* contact.restore */
    EFFECT_ERASE,      /* contact.privacyDeletion */
    EFFECT_MERGE,      /* contact.merge */
    EFFECT_FACTS, /* sets what is known of the lead's companies, deals and tickets, whatever was
                     known before */
};

/* What the CRM has beside contacts. Its records fold by the same effects. */
enum object_kind { OBJECT_NONE, OBJECT_COMPANY, OBJECT_DEAL, OBJECT_TICKET, OBJECT_KIND_COUNT };

enum event_state {
    EVENT_PROCESSED,
    EVENT_UNPROCESSABLE, /* stored raw with the reason */
    EVENT_UNLINKED,      /* of a company, deal, ticket ...: stored and counted */
};

struct field {
    struct str name, value; /* value missing = null */
};

/* An object of the CRM has a contact, or has it no more. */
struct association {
    enum object_kind kind; /* OBJECT_NONE: the event says nothing of the sort */
    int64_t object_id, contact_id;
    bool removed;
};

/* The contacts that an object had when its record was read. */
struct contact_list {
    const int64_t *ids;
    size_t n;
    bool all;        /* false: it may have more */
    int64_t read_at; /* 0: they were not read */
};

struct property; /* lead/lead.h */

struct event {
    struct str source; /* name of the [source], or of the connector that enriched */
    struct str type;   /* as sent, "contact.propertyChange"; object.* mapped to contact.* ... */
    enum event_state state;
    struct str reason; /* why it is not processed */
    enum event_effect effect;
    int64_t occurred_at; /* Unix ms; never more than 5 min after received_at */
    int64_t received_at;
    int64_t portal_id, object_id; /* 0: none */
    struct str email;             /* identity of a sender without CRM ids; normalised */
    struct str lead;     /* "<database id>-<n>": identity of a lead that the sender heard of from
                            us; goes before the others. Missing: it did not */
    struct str answered; /* the same of the delivery whose message it answers; missing: none */
    struct str remote;   /* and that message in the service: it is to be brought up to date */
    struct str property, value;     /* event.property, event.value; missing where there is none */
    const struct field *properties; /* what it sets on the lead */
    size_t n_properties;
    const struct field *data; /* event.data.KEY: the event's own keys, nested ones joined by __ */
    size_t n_data;
    int64_t merge_into;    /* CRM id of the record that survives */
    const int64_t *merged; /* CRM ids that it absorbed */
    size_t n_merged;
    enum object_kind object; /* whose record object_id is; OBJECT_NONE: a contact's */
    struct association association;
    struct contact_list contacts;
    const struct property *facts; /* of EFFECT_FACTS */
    size_t n_facts;
    bool imported;    /* taken from a past: known since it happened, and nobody is told */
    int64_t first_at; /* of an imported one: since when there has been this lead; 0: not said */
    struct dedupe_key key;
    int64_t dedupe_window_ms; /* 0: the key alone decides; else the first with this hash in the
                                 window counts (Zapier without event_id) */
    struct str body;          /* this event's own JSON, never its neighbours' */
    struct str request_id;    /* ours */
    struct str signature;     /* what proved its sender: "v3", "secret"; missing: nobody sent it */
};

struct dedupe_key dedupe_key_of(int64_t time, const uint8_t hash[SHA256_LEN]);
int64_t dedupe_key_time(const struct dedupe_key *key);
const char *event_state_name(enum event_state s); /* "processed" ... */

#endif
