/* assemble.h - what was chosen, fitted to all rows, as a model. */
#ifndef FUNNELD_MODEL_ASSEMBLE_H
#define FUNNELD_MODEL_ASSEMBLE_H

#include "choose.h"

/* All that was learnt in a lesson. */
struct pupils {
    struct logistic_lesson logistic;
    struct tree_lesson trees;
    bool has_trees;
    struct chosen chosen;
};

/* Fills m but for its arena, and the report's samples; *ret_trees is empty where it has none.
 * RC_CLOSED: it was stopped. */
MUST_CHECK enum rc assemble(struct lesson *l, const struct pupils *p, struct model *m,
                            struct str *ret_trees, struct why *why);

#endif
