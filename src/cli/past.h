/* cli/past.h - a lead and its rule set as they were at a time in the past. */
#ifndef FUNNELD_CLI_PAST_H
#define FUNNELD_CLI_PAST_H

#include "cli_priv.h"

/* Folds the stored events that were received by then anew, and counts what the lead did. What can
 * no longer be read (erased, or its source is gone from the configuration) is left out, and a note
 * says so. */
int past_lead(struct cli *cli, const struct lead *now, int64_t at, struct lead *ret);

/* The scorecard that was in force. Without one from that time it is the present one, with a note.
 * Lives as long as cli. */
int past_scorecard(struct cli *cli, int64_t at, const struct scorecard **ret);

#endif
