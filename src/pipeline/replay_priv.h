/* pipeline/replay_priv.h - the two parts of a replay: events that come to effect, leads that are
 * gone through again. */
#ifndef FUNNELD_PIPELINE_REPLAY_PRIV_H
#define FUNNELD_PIPELINE_REPLAY_PRIV_H

#include "batch.h"
#include "funneld/pipeline/past.h"

bool replay_wants(const struct replay_filter *f, const struct event_view *v);
void replay_count_unread(struct replay *p, const struct event_view *v, enum rc rc);

/* An event was gone through, or a lead was told: slow is not stuck. */
void replay_step(struct replay *p);

/* replay_lead.c: what the lead's events would have done by the rules of now, and had not. */
MUST_CHECK enum rc replay_lead(struct batch *b, struct replay *p, int64_t id);

#endif
