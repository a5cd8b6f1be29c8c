/* cli/check_online.h - check --online: what the services say of the connectors. */
#ifndef FUNNELD_CLI_CHECK_ONLINE_H
#define FUNNELD_CLI_CHECK_ONLINE_H

#include "cli_priv.h"
#include "funneld/connectors/probe.h"

/* One for each connector of the configuration, in its order; all is known of them. NULL: it cannot
 * be asked, which was said. */
const struct probe *cli_ask_services(struct cli *cli);
bool cli_services_fail(const struct cli *cli, const struct probe probes[]);
void cli_print_services(struct cli *cli, const struct probe probes[]);
/* "online": [{connector, type, what, ok, state, detail}], into the object that is open; no
 * probes: an empty list. */
void cli_write_services(struct cli *cli, const struct probe probes[]);

#endif
