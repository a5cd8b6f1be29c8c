/* cli/train_ids.h - which rows of a table are of one lead: those that have the same id. */
#ifndef FUNNELD_CLI_TRAIN_IDS_H
#define FUNNELD_CLI_TRAIN_IDS_H

#include "funneld/base/mem.h"
#include "funneld/base/str.h"

struct train_ids {
    struct arena *arena;
    struct str *ids;            /* [n_groups]: the caller's slices; empty where a row has none */
    uint32_t *slots;            /* 1 + number of an id; 0: free */
    size_t n_slots, n_ids, cap; /* n_ids: different ones */
    uint32_t n_groups;
};

/* The number of the lead that the next row is of. Ids are trimmed; a row without one is a lead of
 * its own. */
uint32_t train_ids_group(struct train_ids *t, struct str id);

#endif
