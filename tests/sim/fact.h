/* tests/sim/fact.h - what senders may say, as the simulation itself keeps it, and its wire form. */
#ifndef FUNNELD_SIM_FACT_H
#define FUNNELD_SIM_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "funneld/base/crypto.h"

enum fact_kind {
    FACT_CHANGE,   /* HubSpot: a contact's property */
    FACT_CREATION, /* HubSpot: a contact ... */
    FACT_DELETION,
    FACT_RESTORE,
    FACT_ERASURE,
    FACT_MERGE,   /* `other` goes into `contact` */
    FACT_COMPANY, /* HubSpot: of no contact */
    FACT_ODD,     /* an element that says nothing sensible */
    FACT_FORM,    /* Zapier */
    FACT_CRM,     /* HubSpot's CRM, asked by the daemon */
    FACT_KINDS
};

enum { FACT_TEXT = 48, FACTS = 2048, TELLINGS = 4096 };

struct fact {
    enum fact_kind kind;
    int64_t contact, other;
    int64_t at;                             /* its own time; 0: it has none */
    int64_t form;                           /* a form's event_id; 0: it has none */
    char name[FACT_TEXT], value[FACT_TEXT]; /* a change's; a form's further field */
    char company[FACT_TEXT], email[FACT_TEXT];
    size_t same; /* the first fact that counts as this one: a form with the same id, or itself */
};

/* All that was said in a run; the oracle's memory. */
size_t facts_count(void);
const struct fact *fact_get(size_t i);
void facts_begin(void);
/* Finds the equal one or adds it. */
size_t fact_add(struct fact f);

/* What it looks like on the wire; serial: changes from one telling to the next where the sender
 * has something that does. The oracle remembers by the text's hash which fact it was. */
struct arena;
struct str fact_tell(size_t fact, int64_t serial, struct arena *a);
/* The fact of which this is a telling's hash; false: nobody ever said that. */
bool fact_told(const uint8_t sha256[SHA256_LEN], size_t *ret_fact);

#endif
