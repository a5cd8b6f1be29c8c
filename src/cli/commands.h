/* cli/commands.h - the table of commands and its help. */
#ifndef FUNNELD_CLI_COMMANDS_H
#define FUNNELD_CLI_COMMANDS_H

#include "cli_priv.h"

#define CLI_EVERYWHERE (TAKES(HELP) | TAKES(CONFIG))

extern const struct cli_command cli_commands[];
extern const size_t n_cli_commands;

const struct cli_command *cli_command_find(struct str name); /* NULL: there is none */
void cli_help_command(const struct cli_command *c, struct sbuf *out);
void cli_help(struct sbuf *out);

#endif
