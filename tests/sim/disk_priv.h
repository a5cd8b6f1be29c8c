/* tests/sim/disk_priv.h - the files of the disk, for those who speak SQLite. */
#ifndef FUNNELD_SIM_DISK_PRIV_H
#define FUNNELD_SIM_DISK_PRIV_H

#include <stddef.h>

#include "disk.h"

enum { FILES = 16, NAME = 512, SHM_REGIONS = 64, SHM_LOCKS = 8 };

struct content {
    uint8_t *at;
    int64_t size, cap;
};

struct change { /* not yet synced */
    int64_t offset, len;
    uint8_t *bytes; /* NULL: a truncation to offset */
};

struct disk_file {
    char name[NAME]; /* empty: the slot is free */
    bool linked;     /* there is such a name */
    bool lasting;    /* the name survives a power cut */
    struct content now, synced;
    struct change *changes;
    size_t n_changes, cap_changes;
    int handles;
    /* SQLite's locks and shared memory; of the processes, gone with them */
    int shared;
    const void *reserved, *pending, *exclusive;
    void *shm[SHM_REGIONS];
    int shm_size, shm_users;
    int shm_shared[SHM_LOCKS];
    const void *shm_exclusive[SHM_LOCKS];
};

enum disk_call { DISK_READ, DISK_WRITE, DISK_SYNC, DISK_OTHER };

/* What a call answers before it does anything: DISK_GOES_ON, or why it does not. */
enum disk_answer { DISK_GOES_ON, DISK_IS_DEAD, DISK_HAS_FAILED, DISK_IS_FULL };
enum disk_answer disk_ask(enum disk_call call);

struct disk_file *disk_find(const char *name); /* NULL: no such file */
struct disk_file *disk_make(const char *name);
void disk_forget(struct disk_file *f);               /* the slot is free again */
void disk_unlink(struct disk_file *f, bool lasting); /* the name goes */
int64_t disk_read(const struct disk_file *f, void *ret, int64_t len, int64_t offset);
enum disk_answer disk_write(struct disk_file *f, const void *bytes, int64_t len, int64_t offset);
enum disk_answer disk_truncate(struct disk_file *f, int64_t size);
enum disk_answer disk_sync(struct disk_file *f);
uint64_t disk_chance(void); /* for SQLite's own random numbers */
uint64_t disk_era(void);    /* grows with every end: handles of older ones are dead */
void disk_drop_memory(struct disk_file *f);

#endif
