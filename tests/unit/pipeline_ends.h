/* tests/unit/pipeline_ends.h - how attempts ended, as the deliverer reports it. */
#ifndef FUNNELD_TESTS_PIPELINE_ENDS_H
#define FUNNELD_TESTS_PIPELINE_ENDS_H

#include "pipeline_world.h"

static struct attempt_end end_of(struct pipeline *p, const struct delivery *d,
                                 enum attempt_verdict verdict)
{
    return (struct attempt_end){.delivery = d->id,
                                .lead = d->lead,
                                .connector = d->connector,
                                .verdict = verdict,
                                .started_at = p->now,
                                .ended_at = p->now,
                                .status = 200};
}

static MAYBE void give(struct pipeline *p, struct attempt_end *end)
{
    struct verdicts v = {.ends = end, .n = 1};

    run(p, &v.work, WORK_VERDICTS);
    OK(p->rc);
}

static MAYBE struct delivery only(struct pipeline *p, const char *connector, const char *state)
{
    struct deliveries list = deliveries(p, connector, state);

    assert_int_equal(list.n, 1);
    return list.items[0];
}

#endif
