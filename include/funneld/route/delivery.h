/* route/delivery.h - a promise to tell one connector one thing. */
#ifndef FUNNELD_ROUTE_DELIVERY_H
#define FUNNELD_ROUTE_DELIVERY_H

#include <stdint.h>

#include "funneld/base/str.h"
#include "funneld/lead/lead.h"

enum delivery_state {
    DELIVERY_PENDING,
    DELIVERY_HELD, /* pending, while its connector is paused or gone; never stored */
    DELIVERY_DELIVERED,
    DELIVERY_DEAD,
    DELIVERY_SUPERSEDED,
    DELIVERY_CANCELLED,
    DELIVERY_STATE_COUNT
};
const char *delivery_state_name(enum delivery_state s);

/* What a message says, as it was at commit. Stored as JSON with the delivery. */
struct delivery_facts {
    int64_t score, previous, fit, engagement; /* tenths */
    enum band band, previous_band;
    struct chance probability, churn;
    int64_t previous_probability, previous_churn;      /* tenths of a percent */
    struct str reasons, chance_reasons, churn_reasons; /* the latter two: of those, in words */
    struct str event_source, event_type, event_property, event_value;
    int64_t event_time;
};

/* Routes that no configuration has: what a CRM is asked. */
extern const struct str route_enrichment; /* who a contact is */
/* What changed while we were away: of no lead (0); facts.event_time is since when, event_property
 * which records ("deals"; contacts are any other word), event_value the account, remote_id how far
 * it has come. */
extern const struct str route_catch_up;
extern const struct str route_import; /* no delivery: how a connector is asked for all contacts */

struct delivery {
    int64_t id, event;
    int64_t lead; /* below 0: none; it asks the CRM about the object -lead */
    struct str route, connector;
    enum delivery_state state;
    bool urgent; /* before all that is not, where they share a quota */
    int64_t attempts;
    int64_t unclear; /* of these, how many ended with an answer that nobody can interpret */
    int64_t created_at, due_at, done_at;
    int64_t open_attempt_at; /* an attempt began and its end is not known; 0: none */
    int64_t wait_until;      /* held back for enrichment until then at the latest; 0: not */
    struct str reason;
    struct str
        remote_id; /* what it made; of one that never ended: what it is to bring up to date */
    struct str request_id; /* of the request that brought the event: the thread through the log */
    int64_t target;        /* the subscription that it is for; 0: none, its connector knows where */
    struct delivery_facts facts;
};

#endif
