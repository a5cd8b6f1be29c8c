/* tests/sim/sender.h - what HubSpot and Zapier have to say, drawn from the seed. */
#ifndef FUNNELD_SIM_SENDER_H
#define FUNNELD_SIM_SENDER_H

#include "daemon.h"

void sender_begin(void);
/* A new request: news, repetitions, batches, out of order, odd elements. */
struct request_plan sender_plan(uint64_t *chance, int64_t now);
/* One that was sent before, once more. */
struct request_plan sender_repeat(uint64_t *chance, int64_t now);

#endif
