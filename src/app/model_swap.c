/* app/model_swap.c - another model comes into service. */
#include "daemon_priv.h"

void daemon_model_swap(struct daemon *d, enum model_goal goal, struct model *m)
{
    (void)d;
    (void)goal;
    model_drop(m);
}
