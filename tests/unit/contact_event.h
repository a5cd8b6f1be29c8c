/* tests/unit/contact_event.h - what a CRM read brings back of a contact. */
#ifndef FUNNELD_TESTS_CONTACT_EVENT_H
#define FUNNELD_TESTS_CONTACT_EVENT_H

#include "funneld/ingest/source.h"

static inline void enriched_event(struct str source, int64_t portal_id, int64_t object_id,
                                  int64_t updated_at, const struct field *properties, size_t n,
                                  int64_t received_at, struct arena *a, struct event *ret)
{
    const struct crm_record contact = {
        .portal_id = portal_id,
        .id = object_id,
        .updated_at = updated_at,
        .properties = properties,
        .n_properties = n,
    };

    record_event(source, &contact, received_at, a, ret);
}

#endif
