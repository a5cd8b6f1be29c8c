/* tests/contract/fault_vfs.h - an SQLite VFS over the default one, whose n-th call fails.
 *
 * Syncs are counted but not done: power cuts are not its subject. One thread.
 */
#ifndef FUNNELD_TESTS_FAULT_VFS_H
#define FUNNELD_TESTS_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_IO,   /* any call that may fail does, in the way that is its own */
    FAULT_FULL, /* what needs room on the disk finds none; a write gets half of it done */
};

struct fault {
    const char *only; /* "xShmMap"; NULL: whatever can fail so */
    enum fault_kind kind;
    int64_t after; /* so many calls that could fail so are let through */
    int64_t times; /* how many fail then, one after the other */
};

void fault_install(void); /* as the default VFS */
void fault_remove(void);
void fault_allow_shared_memory(bool allow); /* for files opened from now on */
void fault_arm(struct fault f);
void fault_clear(void);        /* from here on all goes well */
bool fault_fired(void);        /* since it was armed */
const char *fault_where(void); /* the call that failed first, "xWrite funneld.db-wal" */

#endif
