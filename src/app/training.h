/* app/training.h - one look at the model of a goal, by the trainer's thread.
 *
 * What goes wrong is logged; the model in use stays as it is then.
 */
#ifndef FUNNELD_APP_TRAINING_H
#define FUNNELD_APP_TRAINING_H

#include "daemon_priv.h"

struct training {
    struct daemon *daemon;
    struct reader *reader;
    const struct config *config;
    atomic_bool *stop;
    int64_t now_ms;
    int64_t *contests; /* [GOAL_COUNT]: when the last one was, as far as this process knows */
};

void training_look(const struct training *t, enum model_goal goal);

#endif
