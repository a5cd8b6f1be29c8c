/* tests/sim/hub.h - HubSpot as its documents have it: records that people change, the webhooks that
 * tell of it and are tried again, and the API with its limits. Whose clock is true time.
 *
 * - hub_records.c: contacts, companies, deals, and which contacts these have.
 * - hub_people.c: what people do there, drawn from a seed, whatever the daemon does.
 * - hub_hooks.c: webhooks, at most 10 times again within 24 hours, then given up.
 * - hub_api.c: batch reads, associations, batch updates, the search.
 */
#ifndef FUNNELD_SIM_HUB_H
#define FUNNELD_SIM_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "funneld/base/json.h"
#include "funneld/base/sbuf.h"

enum { HUB_PORTAL = 62515, HUB_VALUE = 200, HUB_PROPERTIES = 11, HUB_RECORDS = 2048 };

enum hub_kind { HUB_CONTACT, HUB_COMPANY, HUB_DEAL, HUB_KINDS };
extern const char *const hub_plural[HUB_KINDS], *const hub_name[HUB_KINDS];
/* The names of a kind's properties, NULL behind the last. */
extern const char *const hub_properties[HUB_KINDS][HUB_PROPERTIES + 1];

struct hub_state {
    char values[HUB_PROPERTIES][HUB_VALUE];
    int64_t modified_at;
};
struct hub_record {
    enum hub_kind kind;
    int64_t id;
    struct hub_state now, indexed; /* indexed: as the search sees it */
    int64_t index_at;              /* when it will see it as it is; 0: it does */
    bool is_indexed;
};

/* Records */

void hub_begin(uint64_t seed);
struct hub_record *hub_add(enum hub_kind kind, int64_t now);
struct hub_record *hub_find(enum hub_kind kind, int64_t id); /* NULL: there is none */
struct hub_record *hub_at(size_t i);                         /* NULL: no more */
int hub_property(enum hub_kind kind, struct str name);       /* -1: it does not exist */
void hub_touch(struct hub_record *r, int64_t now);
void hub_set(struct hub_record *r, int property, struct str value, int64_t now);
void hub_index(int64_t now); /* what is due is seen by the search */

bool hub_link(enum hub_kind kind, int64_t object, int64_t contact, bool linked);
/* The i-th contact that the object has; 0: no more. */
int64_t hub_linked(enum hub_kind kind, int64_t object, size_t i);

/* People: what they do until now; when they do something next. */

void hub_people_begin(uint64_t seed, int64_t begin, int64_t end, int64_t deeds);
void hub_people(int64_t now);
int64_t hub_people_next(void); /* INT64_MAX: nothing any more */

/* Webhooks: a request of several events. */

void hub_hooks_begin(uint64_t seed);
void hub_tell(struct str event, int64_t contact, int64_t at); /* contact: whose rule it may fire */
void hub_send(int64_t now);                                   /* what was told goes soon */
typedef bool hub_taken(void *self, struct str body);          /* false: not a 200 in time */
void hub_hooks(int64_t now, hub_taken *taken, void *self);
int64_t hub_hooks_next(void);
/* Whether an event of this contact and time (0: any) was given up for which a rule may fire. */
bool hub_gave_up(int64_t contact, int64_t at);
int64_t hub_given_up(void); /* requests */

/* The API */

void hub_api_begin(void);
int hub_serve(struct str method, struct str path, struct str body, int64_t now, struct sbuf *ret,
              struct arena *a);
int64_t hub_refusals(void); /* 429s, and requests that it does not document */
int64_t hub_searches(void);
int64_t hub_writes(void); /* records in batch updates */

#endif
