/* tests/unit/imported_fixture.h - an imported fact, by way of its body as in life. */
#ifndef FUNNELD_TESTS_IMPORTED_FIXTURE_H
#define FUNNELD_TESTS_IMPORTED_FIXTURE_H

#include "funneld/ingest/source.h"

static inline enum rc imported_made(struct str source, const struct imported *i,
                                    int64_t received_at, struct arena *a, struct event *ret,
                                    struct why *why)
{
    struct str body;
    enum rc rc = imported_body(i, a, &body);

    return rc == RC_OK ? imported_event(source, body, received_at, a, ret, why) : rc;
}

#endif
