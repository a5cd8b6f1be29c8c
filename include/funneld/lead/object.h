/* lead/object.h - a company, deal or ticket of the CRM, and what leads learn from theirs.
 *
 * Pure. A record folds as that of a contact does, so any order of the same events ends in the same
 * object. What a lead knows of its objects are properties like any other, made anew from all of
 * them whenever one changes; of several of a kind, the one that changed last speaks:
 *
 * - deal_stage, deal_amount ...: the properties dealstage, amount of its deal. The name is that of
 * the kind and of the property, less a leading `hs_` and the kind's own name: hs_ticket_priority is
 *   ticket_priority. The stage of a ticket, hs_pipeline_stage, is ticket_stage.
 * - deal_id: the id in the CRM of the one that speaks.
 * - deals, companies, tickets: how many it has.
 *
 * What the one that speaks does not have is cleared. A deleted object says nothing, and of a kind
 * that a lead has none of, it knows nothing: then even the number is missing.
 */
#ifndef FUNNELD_LEAD_OBJECT_H
#define FUNNELD_LEAD_OBJECT_H

#include "funneld/lead/lead.h"

struct object {
    int64_t id;
    enum object_kind kind;
    struct lead record;  /* crm_id, state, properties, enriched_at, waiting; merged_into is an
                            object's id, and its own id is -id, as deliveries tell it */
    int64_t changed_at;  /* of the newest event of its record */
    int64_t contacts_at; /* of the newest reading of all its contacts: what is older is void */
};

/* One that is, or was, associated with a contact. */
struct linked_object {
    struct object object;
    bool linked;
    int64_t at; /* since when */
};

const char *object_kind_name(enum object_kind kind);   /* "deal" */
const char *object_kind_plural(enum object_kind kind); /* "deals", also in the CRM's addresses */
enum object_kind object_kind_of(struct str name);      /* OBJECT_NONE: of no kind */
enum object_kind object_kind_of_plural(struct str name);
/* The kind in front of a type's point, "deal" of "deal.creation". */
enum object_kind object_kind_of_type(struct str type);

/* Folds one event of the object in; true when anything changed. */
bool object_fold(struct object *o, const struct event *e, struct arena *a);
/* Takes over what the other knows, newest wins; the caller marks `from` as merged. */
void object_absorb(struct object *o, const struct object *from, struct arena *a);

/* "deal_stage" for the dealstage of a deal. */
struct str fact_name(enum object_kind kind, struct str property, struct arena *a);
/* What a contact's lead is to know of all its objects, as they are now; sorted by name, in the
 * arena. */
void lead_facts(const struct linked_object *objects, size_t n, struct arena *a,
                const struct property **ret, size_t *ret_n);
/* The key that a fact's property has. */
struct dedupe_key fact_key(const struct property *fact);

#endif
