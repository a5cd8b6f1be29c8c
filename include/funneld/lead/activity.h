/* lead/activity.h - how often a lead did what, day by day, for the last 90 days.
 *
 * Kept with the lead as a few bytes, so that counting costs no read of its events. A kind is the
 * name of the property that changed, or the event's type where none did: "hs_email_open",
 * "form.submitted". What the CRM was asked (".enriched", ".recovered"), what we say ourselves
 * (".linked"), what became of its record (created, deleted, restored, merged) and, of an imported
 * one, what it was created with is no activity; news of an object count as what the lead was told.
 * Days are those of the event's own time, UTC. Order does not matter: the same events make the same
 * bytes. At most ACTIVITY_KINDS kinds in 90 days; of more, those whose last event is oldest go, and
 * are counted anew if they come again. Pure.
 */
#ifndef FUNNELD_LEAD_ACTIVITY_H
#define FUNNELD_LEAD_ACTIVITY_H

#include "funneld/lead/event.h"
#include "funneld/base/mem.h"

enum { ACTIVITY_KINDS = 24, ACTIVITY_DAYS = 90 };

struct activity; /* decoded, in an arena */

/* What was written; what cannot be read (or is missing) is an empty one. */
struct activity *activity_read(struct str bytes, struct arena *a);
struct str activity_write(const struct activity *t, struct arena *a);
/* false: it is none. Text lives as long as the event. */
bool activity_kind(const struct event *e, struct str *ret);
void activity_add(struct activity *t, struct str kind, int64_t occurred_at, struct arena *a);
void activity_merge(struct activity *t, const struct activity *from, struct arena *a);
/* In the `days` days (at most 90) before `at`. */
uint32_t activity_count(const struct activity *t, uint32_t kind_hash, int64_t at, int days);
/* Days since the last one, with fractions; NaN: none in 90 days. */
double activity_recency(const struct activity *t, uint32_t kind_hash, int64_t at);
uint32_t activity_hash(struct str kind); /* never 0 */

#endif
