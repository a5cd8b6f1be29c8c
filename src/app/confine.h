/* app/confine.h - what the process gives up for good before it starts its work.
 *
 * seccomp(2): no program is started, no other process made, looked into or followed, nothing
 * mounted, loaded or renamed in the kernel, and sockets are Unix-domain and IP only: whoever takes
 * over the parser finds that much less to use. No core dumps, which would hold secrets.
 */
#ifndef FUNNELD_APP_CONFINE_H
#define FUNNELD_APP_CONFINE_H

#include "funneld/base/rc.h"

/* No core file, whatever the limits were; systemd-coredump heeds the limit as well. */
void confine_core(void);
/* For this thread and all that it will start. RC_INVALID: the kernel or the processor has no such
 * filter; the process goes on without. */
MUST_CHECK enum rc confine_calls(struct why *why);

#endif
