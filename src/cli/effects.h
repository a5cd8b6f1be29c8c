/* cli/effects.h - what an event did to its lead, found by going through the lead's past again. */
#ifndef FUNNELD_CLI_EFFECTS_H
#define FUNNELD_CLI_EFFECTS_H

#include "cli_priv.h"
#include "shape.h"

/* *ret_unknown: why there are none to show, in words; NULL: *ret is set. */
int effects_of(struct cli *cli, const struct event_view *e, struct effects *ret,
               const char **ret_unknown);

#endif
