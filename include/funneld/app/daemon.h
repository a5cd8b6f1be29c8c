/* app/daemon.h - the daemon: builds the parts in order, stops them in reverse. */
#ifndef FUNNELD_APP_DAEMON_H
#define FUNNELD_APP_DAEMON_H

#include "funneld/app/config.h"

/* Runs in the foreground until SIGTERM or SIGINT. Takes over the configuration, which must be
 * without problems, and reads `path` again on SIGHUP. Returns the exit status. */
int daemon_run(struct config *config, const char *path);

#endif
