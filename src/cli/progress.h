/* cli/progress.h - how far a long command has come, on standard error: a bar on a terminal, else a
 * line now and then.
 */
#ifndef FUNNELD_CLI_PROGRESS_H
#define FUNNELD_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "import" */
    int64_t began_us, shown_us;
    bool terminal, any; /* any: a bar stands there */
};

struct progress progress_begin(const char *what);
/* share: 0 to 1, below 0: nobody knows; detail: static or until the call returns. */
void progress_show(struct progress *p, double share, const char *detail);
void progress_end(struct progress *p); /* the bar goes */

#endif
