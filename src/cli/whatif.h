/* cli/whatif.h - `replay` and its question what another configuration would have done. */
#ifndef FUNNELD_CLI_WHATIF_H
#define FUNNELD_CLI_WHATIF_H

#include "cli_priv.h"
#include "funneld/pipeline/replay.h"

/* Ids, times, state, source and lead as the command line has them; the reader is there. */
int replay_read_filter(struct cli *cli, struct replay_filter *f);

/* --config NEW: lead by lead, what each of two configurations makes of the same events. Opens the
 * database to read, and changes nothing. */
int whatif(struct cli *cli);

#endif
