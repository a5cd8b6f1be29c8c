/* app/catch_up.h - asking each CRM what changed while we were away.
 *
 * Once, at the start and before the first request comes in: then the newest event that is stored
 * says when we last were there.
 */
#ifndef FUNNELD_APP_CATCH_UP_H
#define FUNNELD_APP_CATCH_UP_H

#include "funneld/app/config.h"
#include "funneld/store/store.h"

struct catch_up_ports {
    struct reader *reader;
    /* Calls it in the writer's thread, in a transaction, and waits for it. */
    enum rc (*call)(void *self, command_fn *fn, void *arg);
    void *self;
};

/* Queues a question for each connector that is asked about contacts and is not told to let it be,
 * where the absence was long enough; the deliverer has to scan anew. now_ms: Unix. */
MUST_CHECK enum rc catch_up_begin(const struct catch_up_ports *to, const struct config *c,
                                  int64_t now_ms);

/* Neither a search nor a list says of which account its records are: if the connector's settings do
 * not either, it is the one whose contacts we know. r NULL: nothing is stored. 0: that is not
 * clear. */
MUST_CHECK enum rc catch_up_portal(struct reader *r, const void *settings, int64_t *ret);

#endif
