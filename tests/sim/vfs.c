/* tests/sim/vfs.c - the disk as SQLite sees it: files, locks, shared memory. */
#include "disk_priv.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "funneld/base/mem.h"

#define VIRTUAL_DAY INT64_C(212636880000000) /* Julian milliseconds; SQLite's clock is not used */

struct handle {
    sqlite3_file base; /* first: SQLite's view of it */
    struct disk_file *file;
    uint64_t era;
    int lock;
    bool maps;
    uint16_t shm_shared, shm_exclusive; /* bits of the locks that it holds */
};

static sqlite3_vfs vfs, *before;

static struct handle *own(sqlite3_file *f)
{
    return (struct handle *)(void *)f;
}

static bool dead(const struct handle *h)
{
    return h->era != disk_era();
}

static int code_of(enum disk_answer answer, int io)
{
    return answer == DISK_GOES_ON ? SQLITE_OK : answer == DISK_IS_FULL ? SQLITE_FULL : io;
}

/* Locks of the whole file. Nobody waits here: there is one thread. */

static int file_lock(sqlite3_file *f, int level)
{
    struct handle *h = own(f);
    struct disk_file *d = h->file;

    if (dead(h))
        return SQLITE_IOERR_LOCK;
    if (h->lock >= level)
        return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        if (d->pending || d->exclusive)
            return SQLITE_BUSY;
        d->shared++;
    } else if (level == SQLITE_LOCK_RESERVED) {
        if (d->reserved || d->pending)
            return SQLITE_BUSY;
        d->reserved = h;
    } else {
        if ((d->pending && d->pending != h) || (d->reserved && d->reserved != h))
            return SQLITE_BUSY;
        d->pending = h;
        h->lock = SQLITE_LOCK_PENDING;
        if (level == SQLITE_LOCK_EXCLUSIVE && d->shared > 1)
            return SQLITE_BUSY;
        d->exclusive = h;
    }
    h->lock = level;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *f, int level)
{
    struct handle *h = own(f);
    struct disk_file *d = h->file;

    if (dead(h) || h->lock <= level)
        return SQLITE_OK;
    d->reserved = d->reserved == h ? NULL : d->reserved;
    d->pending = d->pending == h ? NULL : d->pending;
    d->exclusive = d->exclusive == h ? NULL : d->exclusive;
    if (level == SQLITE_LOCK_NONE)
        d->shared--;
    h->lock = level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *f, int *ret)
{
    const struct disk_file *d = own(f)->file;

    *ret = d->reserved || d->pending || d->exclusive;
    return dead(own(f)) ? SQLITE_IOERR_CHECKRESERVEDLOCK : SQLITE_OK;
}

/* Shared memory */

static int file_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **ret)
{
    struct handle *h = own(f);
    struct disk_file *d = h->file;

    *ret = NULL;
    if (dead(h) || disk_ask(DISK_READ) != DISK_GOES_ON)
        return SQLITE_IOERR_SHMMAP;
    assert(region < SHM_REGIONS && (!d->shm_size || d->shm_size == size));
    d->shm_size = size;
    if (!h->maps)
        d->shm_users++;
    h->maps = true;
    if (!d->shm[region] && extend)
        d->shm[region] = mem_alloc((size_t)size);
    *ret = d->shm[region];
    return SQLITE_OK;
}

static bool others_hold(const struct handle *h, int slot, bool exclusively)
{
    const struct disk_file *d = h->file;
    int shared = d->shm_shared[slot] - ((h->shm_shared >> slot) & 1);

    if (d->shm_exclusive[slot] && d->shm_exclusive[slot] != h)
        return true;
    return exclusively && shared > 0;
}

static void shm_take(struct handle *h, int slot, bool exclusively)
{
    uint16_t bit = (uint16_t)(1u << slot);

    if (exclusively) {
        h->file->shm_exclusive[slot] = h;
        h->shm_exclusive |= bit;
    } else if (!(h->shm_shared & bit)) {
        h->file->shm_shared[slot]++;
        h->shm_shared |= bit;
    }
}

static void shm_drop(struct handle *h, int slot)
{
    uint16_t bit = (uint16_t)(1u << slot);

    if (h->shm_exclusive & bit)
        h->file->shm_exclusive[slot] = NULL;
    if (h->shm_shared & bit)
        h->file->shm_shared[slot]--;
    h->shm_exclusive &= (uint16_t)~bit;
    h->shm_shared &= (uint16_t)~bit;
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    struct handle *h = own(f);
    bool exclusively = flags & SQLITE_SHM_EXCLUSIVE;

    if (dead(h))
        return SQLITE_IOERR_SHMLOCK;
    for (int i = offset; i < offset + n; i++)
        if (flags & SQLITE_SHM_UNLOCK)
            shm_drop(h, i);
        else if (others_hold(h, i, exclusively))
            return SQLITE_BUSY;
    for (int i = offset; i < offset + n && flags & SQLITE_SHM_LOCK; i++)
        shm_take(h, i, exclusively);
    return SQLITE_OK;
}

static void file_shm_barrier(sqlite3_file *f)
{
    (void)f;
}

static int file_shm_unmap(sqlite3_file *f, int forget)
{
    struct handle *h = own(f);

    if (!dead(h)) {
        for (int i = 0; i < SHM_LOCKS; i++)
            shm_drop(h, i);
        if (h->maps && --h->file->shm_users == 0 && forget)
            disk_drop_memory(h->file);
    }
    h->maps = false;
    return SQLITE_OK;
}

/* Content */

static int file_close(sqlite3_file *f)
{
    struct handle *h = own(f);

    (void)file_shm_unmap(f, 0);
    (void)file_unlock(f, SQLITE_LOCK_NONE);
    if (--h->file->handles == 0 && !h->file->linked && !h->file->lasting)
        disk_forget(h->file);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *f, void *buffer, int n, sqlite3_int64 offset)
{
    struct handle *h = own(f);

    if (dead(h) || disk_ask(DISK_READ) != DISK_GOES_ON)
        return SQLITE_IOERR_READ;
    return disk_read(h->file, buffer, n, offset) == n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *f, const void *buffer, int n, sqlite3_int64 offset)
{
    struct handle *h = own(f);

    if (dead(h))
        return SQLITE_IOERR_WRITE;
    return code_of(disk_write(h->file, buffer, n, offset), SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    struct handle *h = own(f);

    if (dead(h))
        return SQLITE_IOERR_TRUNCATE;
    return code_of(disk_truncate(h->file, size), SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *f, int flags)
{
    struct handle *h = own(f);

    (void)flags;
    if (dead(h))
        return SQLITE_IOERR_FSYNC;
    return code_of(disk_sync(h->file), SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    if (dead(own(f)) || disk_ask(DISK_READ) != DISK_GOES_ON)
        return SQLITE_IOERR_FSTAT;
    *ret = own(f)->file->now.size;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    (void)f;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *f)
{
    (void)f;
    return 4096;
}

/* As SQLite takes it of any file on Linux: a write leaves the bytes beside it alone. */
static int file_device(sqlite3_file *f)
{
    (void)f;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* without mapping of the file itself, which the store does not use */
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* The disk as a whole */

static struct disk_file *open_file(const char *name, int flags)
{
    static int temporary;
    char anonymous[32];
    struct disk_file *f;

    if (!name) {
        (void)!snprintf(anonymous, sizeof anonymous, "temporary-%d", temporary++);
        f = disk_make(anonymous);
        f->linked = false;
        return f;
    }
    f = disk_find(name);
    return f || !(flags & SQLITE_OPEN_CREATE) ? f : disk_make(name);
}

static int vfs_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags,
                    int *ret_flags)
{
    struct handle *h = own(f);

    (void)v;
    h->base.pMethods = NULL;
    if (disk_ask(flags & SQLITE_OPEN_CREATE ? DISK_OTHER : DISK_READ) != DISK_GOES_ON)
        return SQLITE_CANTOPEN;
    struct disk_file *file = open_file(name, flags);
    if (!file)
        return SQLITE_CANTOPEN;
    *h = (struct handle){.base = {.pMethods = &methods}, .file = file, .era = disk_era()};
    file->handles++;
    if (ret_flags)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int sync)
{
    struct disk_file *f = disk_find(name);
    enum disk_answer answer = disk_ask(DISK_OTHER);

    (void)v;
    if (answer != DISK_GOES_ON)
        return SQLITE_IOERR_DELETE;
    if (!f)
        return SQLITE_IOERR_DELETE_NOENT;
    disk_unlink(f, sync);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
    (void)v;
    (void)flags;
    if (disk_ask(DISK_READ) != DISK_GOES_ON)
        return SQLITE_IOERR_ACCESS;
    *ret = disk_find(name) != NULL;
    return SQLITE_OK;
}

static int vfs_path(sqlite3_vfs *v, const char *name, int size, char *ret)
{
    (void)v;
    return snprintf(ret, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *v, int n, char *ret)
{
    (void)v;
    for (int i = 0; i < n; i++)
        ret[i] = (char)disk_chance();
    return n;
}

static int vfs_sleep(sqlite3_vfs *v, int us)
{
    (void)v;
    return us;
}

static int vfs_time(sqlite3_vfs *v, sqlite3_int64 *ret)
{
    (void)v;
    *ret = VIRTUAL_DAY;
    return SQLITE_OK;
}

void disk_install(void)
{
    before = sqlite3_vfs_find(NULL);
    vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct handle),
        .mxPathname = NAME - 16,
        .zName = "disk",
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTimeInt64 = vfs_time,
    };
    (void)sqlite3_vfs_register(&vfs, 1); /* cannot fail once SQLite is initialised */
}

void disk_remove(void)
{
    (void)sqlite3_vfs_unregister(&vfs);
    (void)sqlite3_vfs_register(before, 1);
}
