/* cli/files.h - whole files of a command: read, and written so that they are whole or not there. */
#ifndef FUNNELD_CLI_FILES_H
#define FUNNELD_CLI_FILES_H

#include <sys/types.h>

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"

/* RC_NONE: there is no such file; RC_TOOBIG: it has more bytes than that. */
MUST_CHECK enum rc file_read(const char *path, size_t max, struct arena *a, struct str *ret,
                             struct why *why);
/* Replaces what is there once all of it is written; a pipe or device is written to, and a link
 * stays one. */
MUST_CHECK enum rc file_write(const char *path, mode_t mode, struct str text, struct why *why);
/* The same for another user: the owner of `like`, where we may give files away. */
MUST_CHECK enum rc file_write_for(const char *like, const char *path, struct str text,
                                  struct why *why);

#endif
