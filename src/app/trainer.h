/* app/trainer.h - the thread that looks whether the models in use still hold, and trains new ones.
 *
 * At the lowest priority, with a reader of its own. Once in [model] check_every it reads what
 * became of the leads, says how the model does in metrics and log, and does what [model] on_drift
 * says where the model is worse than none. Every [model] retrain it trains a challenger, which
 * takes over when it beats the model in use on the newest leads.
 */
#ifndef FUNNELD_APP_TRAINER_H
#define FUNNELD_APP_TRAINER_H

#include "daemon_priv.h"

struct trainer;

/* The reader becomes the trainer's. */
MUST_CHECK enum rc trainer_start(struct daemon *d, struct reader *reader, struct trainer **ret,
                                 struct why *why);
void trainer_stop(struct trainer *t);   /* asks it to end; while the writer still works */
bool trainer_joined(struct trainer *t); /* true once its thread has ended */
void trainer_free(struct trainer *t);   /* joined; NULL is fine */
void trainer_reload(struct trainer *t, struct config *c); /* takes a reference */

#endif
