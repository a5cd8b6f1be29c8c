/* tests/sim/disk.h - a disk in memory, as an SQLite VFS: what was synced stays, the rest may not.
 *
 * A file has two contents: what programs read, and what would be found after a power cut. Writes
 * and truncations reach the second one with the next sync of that file; until then a power cut
 * keeps, loses or tears each of them on its own, in sectors of 512 bytes. A sync of one file says
 * nothing of what is in others; but names are journalled in order, as by ext4 and XFS: with any
 * sync the files that were made are there for good, and those that were deleted are gone. After a
 * sync that failed what it should have written may never reach the disk, as on Linux. Shared memory
 * lives as long as the process.
 *
 * One disk, one thread. It is SQLite's default VFS between disk_install and disk_remove.
 */
#ifndef FUNNELD_SIM_DISK_H
#define FUNNELD_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum disk_end {
    DISK_KILL,      /* the process: what was written is there */
    DISK_POWER_CUT, /* the machine: what was not synced may be lost */
};

void disk_install(void);
void disk_remove(void);

void disk_format(uint64_t seed); /* empty; no trouble ahead */

/* The end comes at the n-th change from now (1: the next one; 0: at once). From then on every call
 * fails and does nothing: whatever the dead process still tries. */
void disk_end_at(int64_t n, enum disk_end how);
bool disk_ended(void);
void disk_restart(void); /* every file of the dead process must be closed */

/* Troubles; each lasts until it is called off or the disk is formatted. */
void disk_fill(int64_t room);               /* so many more bytes fit; -1: as many as you like */
void disk_fail_at(int64_t n, int how_many); /* the n-th call fails and so many after it; 0: none */
bool disk_failed(void);                     /* since that was ordered */

void disk_spare(bool spare); /* calls of a bystander: they neither count nor fail */

int64_t disk_changes(void); /* writes, truncations, deletions and syncs since it was formatted */

#endif
