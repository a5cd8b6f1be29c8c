/* app/training.h - one look at the model of a goal, by the trainer's thread.
 *
 * What goes wrong is logged; the model in use stays as it is then.
 */
#ifndef FUNNELD_APP_TRAINING_H
#define FUNNELD_APP_TRAINING_H

#include "daemon_priv.h"

/* The model that was looked at last, whose metrics stand. */
struct looked {
    int64_t id;
    struct model *model; /* NULL: none was */
    struct str name;
    struct arena arena;
};
void looked_drop(struct looked *l);

struct training {
    struct daemon *daemon;
    struct reader *reader;
    const struct config *config;
    atomic_bool *stop;
    int64_t now_ms;
    struct looked *looked; /* [GOAL_COUNT] */
    int64_t *contests;     /* [GOAL_COUNT]: when the last one was, as far as this process knows */
};

void training_look(struct training *t, enum model_goal goal);

#endif
