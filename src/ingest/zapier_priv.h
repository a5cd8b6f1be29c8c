/* ingest/zapier_priv.h - the parts of the Zapier source among themselves. */
#ifndef FUNNELD_INGEST_ZAPIER_PRIV_H
#define FUNNELD_INGEST_ZAPIER_PRIV_H

#include "ingest_priv.h"

struct zapier {
    struct source_common common;
    struct str secret, secret_previous;
    int64_t dedupe_window;
};

/* Turns one JSON value into an event that event_init has prepared. */
void zapier_event(const json *node, const struct zapier *z, struct arena *a, struct event *e);

#endif
