/* cli/shape.h - events, leads, deliveries and scores as JSON objects (design 1.6). Pure.
 *
 * Ids are strings of the plain number, times ISO 8601 with milliseconds, what is missing is null.
 */
#ifndef FUNNELD_CLI_SHAPE_H
#define FUNNELD_CLI_SHAPE_H

#include "funneld/base/json.h"
#include "funneld/store/store.h"

void shape_event(const struct event_view *e, struct sbuf *b);

/* What an event did to its lead. */
struct property_change {
    struct str name, before, after; /* missing: there was none */
};
struct effects {
    const struct property_change *properties;
    size_t n_properties;
    const struct ledger_row *fired; /* received_at: since when it counts */
    size_t n_fired;
    int64_t score_before, score_after;
    enum band band_before, band_after;
};
struct delivery_receipt {
    struct delivery d;
    struct attempt_view *attempts;
    size_t n_attempts;
    struct str link; /* to what it made there; missing: none can be made */
};
/* effects NULL: it had none, or they are not known any more. */
void shape_event_whole(const struct event_view *e, const struct effects *effects,
                       const struct delivery_receipt *deliveries, size_t n, struct sbuf *b);
void shape_lead(const struct lead *l, struct sbuf *b);
void shape_delivery(const struct delivery *d, struct sbuf *b);
void shape_delivery_whole(const struct delivery *d, const struct attempt_view *attempts, size_t n,
                          struct sbuf *b);
/* models: a JSON array, of chances.h. */
void shape_score(int64_t lead, int64_t at, const struct verdict_score *v, struct str models,
                 struct sbuf *b);

#endif
