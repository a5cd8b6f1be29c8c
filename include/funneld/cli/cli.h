/* cli/cli.h - the command line: `funneld [-c FILE] [COMMAND] [ARGUMENTS]`. */
#ifndef FUNNELD_CLI_CLI_H
#define FUNNELD_CLI_CLI_H

/* Does what the arguments say; returns the exit status: 0 done, 1 it failed, 2 wrong usage or
 * configuration. argv ends in NULL. */
int cli_run(int argc, char *argv[]);

#endif
