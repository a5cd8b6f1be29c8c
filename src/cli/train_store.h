/* cli/train_store.h - `train` without a file: what the store has to learn from. */
#ifndef FUNNELD_CLI_TRAIN_STORE_H
#define FUNNELD_CLI_TRAIN_STORE_H

#include "cli_priv.h"
#include "funneld/model/train.h"
#include "funneld/pipeline/learning.h"

/* Reads --horizon, the configuration and, for o->goal, the store; sets o->horizon_ms, and says on
 * standard error what was left out and why. o->progress, o->self and o->stop are used as they are.
 * DONE: ret->set is there, until learning_free, which the caller owes in any case. */
int train_read_store(struct cli *cli, struct train_options *o, struct learning *ret);

#endif
