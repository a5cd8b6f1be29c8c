/* tests/contract/fault_vfs.c - see fault_vfs.h. */
#include "fault_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct file {
    sqlite3_file base; /* first: SQLite's view of it */
    const char *name;
    sqlite3_file *real; /* stands behind this struct */
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    struct fault fault;
    bool armed, fired;
    char where[256];
} state;

enum call {
    CALL_OPEN,
    CALL_CREATE,
    CALL_DELETE,
    CALL_ACCESS,
    CALL_READ,
    CALL_WRITE,
    CALL_TRUNCATE,
    CALL_SYNC,
    CALL_SIZE,
    CALL_LOCK,
    CALL_RESERVED,
    CALL_CONTROL,
    CALL_SIZE_HINT,
    CALL_SHM_MAP,
    CALL_SHM_LOCK,
};

/* How each call fails; 0: not in this way. */
static const struct {
    const char *name;
    int io, full;
} calls[] = {
    [CALL_OPEN] = {"xOpen", SQLITE_CANTOPEN, 0},
    [CALL_CREATE] = {"xOpen", SQLITE_CANTOPEN, SQLITE_CANTOPEN},
    [CALL_DELETE] = {"xDelete", SQLITE_IOERR_DELETE, 0},
    [CALL_ACCESS] = {"xAccess", SQLITE_IOERR_ACCESS, 0},
    [CALL_READ] = {"xRead", SQLITE_IOERR_READ, 0},
    [CALL_WRITE] = {"xWrite", SQLITE_IOERR_WRITE, SQLITE_FULL},
    [CALL_TRUNCATE] = {"xTruncate", SQLITE_IOERR_TRUNCATE, 0},
    [CALL_SYNC] = {"xSync", SQLITE_IOERR_FSYNC, 0},
    [CALL_SIZE] = {"xFileSize", SQLITE_IOERR_FSTAT, 0},
    [CALL_LOCK] = {"xLock", SQLITE_IOERR_LOCK, 0},
    [CALL_RESERVED] = {"xCheckReservedLock", SQLITE_IOERR_CHECKRESERVEDLOCK, 0},
    [CALL_CONTROL] = {"xFileControl", SQLITE_IOERR, 0},
    [CALL_SIZE_HINT] = {"xFileControl", SQLITE_IOERR, SQLITE_FULL},
    [CALL_SHM_MAP] = {"xShmMap", SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMSIZE},
    [CALL_SHM_LOCK] = {"xShmLock", SQLITE_IOERR_SHMLOCK, 0},
};

static bool shared_memory = true;

static const char *tail(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path ? path : "";
}

/* What this call has to fail with; SQLITE_OK: nothing. */
static int failure(enum call call, const char *path)
{
    int code = state.fault.kind == FAULT_IO ? calls[call].io : calls[call].full;

    if (!state.armed || !code ||
        (state.fault.only && strcmp(state.fault.only, calls[call].name) != 0))
        return SQLITE_OK;
    if (state.fault.after > 0) {
        state.fault.after--;
        return SQLITE_OK;
    }
    if (state.fault.times <= 0)
        return SQLITE_OK;
    state.fault.times--;
    if (!state.fired)
        (void)snprintf(state.where, sizeof state.where, "%s %.200s", calls[call].name, tail(path));
    state.fired = true;
    return code;
}

static struct file *own(sqlite3_file *f)
{
    return (struct file *)f;
}

static int file_close(sqlite3_file *f)
{
    return own(f)->real->pMethods->xClose(own(f)->real);
}

static int file_read(sqlite3_file *f, void *buffer, int n, sqlite3_int64 offset)
{
    int code = failure(CALL_READ, own(f)->name);

    return code ? code : own(f)->real->pMethods->xRead(own(f)->real, buffer, n, offset);
}

static int file_write(sqlite3_file *f, const void *buffer, int n, sqlite3_int64 offset)
{
    sqlite3_file *real = own(f)->real;
    int code = failure(CALL_WRITE, own(f)->name);

    if (code && real->pMethods->xWrite(real, buffer, n / 2, offset) != SQLITE_OK)
        return SQLITE_IOERR_WRITE;
    return code ? code : real->pMethods->xWrite(real, buffer, n, offset);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int code = failure(CALL_TRUNCATE, own(f)->name);

    return code ? code : own(f)->real->pMethods->xTruncate(own(f)->real, size);
}

static int file_sync(sqlite3_file *f, int flags)
{
    (void)flags;
    return failure(CALL_SYNC, own(f)->name);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    int code = failure(CALL_SIZE, own(f)->name);

    return code ? code : own(f)->real->pMethods->xFileSize(own(f)->real, ret);
}

static int file_lock(sqlite3_file *f, int level)
{
    int code = failure(CALL_LOCK, own(f)->name);

    return code ? code : own(f)->real->pMethods->xLock(own(f)->real, level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return own(f)->real->pMethods->xUnlock(own(f)->real, level);
}

static int file_reserved(sqlite3_file *f, int *ret)
{
    int code = failure(CALL_RESERVED, own(f)->name);

    return code ? code : own(f)->real->pMethods->xCheckReservedLock(own(f)->real, ret);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    int code = failure(op == SQLITE_FCNTL_SIZE_HINT ? CALL_SIZE_HINT : CALL_CONTROL, own(f)->name);

    if (code && op == SQLITE_FCNTL_PRAGMA)
        *(char **)arg = NULL; /* where the text of the error would be */
    return code ? code : own(f)->real->pMethods->xFileControl(own(f)->real, op, arg);
}

static int file_sector(sqlite3_file *f)
{
    return own(f)->real->pMethods->xSectorSize(own(f)->real);
}

static int file_device(sqlite3_file *f)
{
    return own(f)->real->pMethods->xDeviceCharacteristics(own(f)->real);
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    int code = failure(CALL_SHM_MAP, own(f)->name);

    return code ? code : own(f)->real->pMethods->xShmMap(own(f)->real, page, size, extend, ret);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    int code = flags & SQLITE_SHM_LOCK ? failure(CALL_SHM_LOCK, own(f)->name) : SQLITE_OK;

    return code ? code : own(f)->real->pMethods->xShmLock(own(f)->real, offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    own(f)->real->pMethods->xShmBarrier(own(f)->real);
}

static int file_shm_unmap(sqlite3_file *f, int remove)
{
    return own(f)->real->pMethods->xShmUnmap(own(f)->real, remove);
}

/* Version 2: without mapping of the file itself, which the store does not use. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
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

/* As a network file system would have it. */
static const sqlite3_io_methods methods_without_shm = {
    .iVersion = 1,
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
};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags,
                    int *ret_flags)
{
    struct file *file = own(f);
    int exists = 1;

    (void)vfs;
    if ((flags & SQLITE_OPEN_CREATE) && name)
        (void)state.real->xAccess(state.real, name, SQLITE_ACCESS_EXISTS, &exists);
    int code = failure(exists ? CALL_OPEN : CALL_CREATE, name);

    file->base.pMethods = NULL;
    file->name = name;
    file->real = (sqlite3_file *)(file + 1);
    if (code)
        return code;
    code = state.real->xOpen(state.real, name, file->real, flags, ret_flags);
    if (file->real->pMethods)
        file->base.pMethods = shared_memory ? &methods : &methods_without_shm;
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    int code = failure(CALL_DELETE, name);

    (void)vfs;
    return code ? code : state.real->xDelete(state.real, name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    int code = failure(CALL_ACCESS, name);

    (void)vfs;
    return code ? code : state.real->xAccess(state.real, name, flags, ret);
}

void fault_install(void)
{
    state.real = sqlite3_vfs_find(NULL);
    state.vfs = *state.real; /* what is not ours goes straight to the real one's functions */
    state.vfs.szOsFile = (int)sizeof(struct file) + state.real->szOsFile;
    state.vfs.zName = "fault";
    state.vfs.pNext = NULL;
    state.vfs.xOpen = vfs_open;
    state.vfs.xDelete = vfs_delete;
    state.vfs.xAccess = vfs_access;
    (void)sqlite3_vfs_register(&state.vfs, 1); /* cannot fail once SQLite is initialised */
}

void fault_allow_shared_memory(bool allow)
{
    shared_memory = allow;
}

void fault_remove(void)
{
    (void)sqlite3_vfs_unregister(&state.vfs);
    (void)sqlite3_vfs_register(state.real, 1);
}

void fault_arm(struct fault f)
{
    state.fault = f;
    state.armed = true;
    state.fired = false;
    state.where[0] = '\0';
}

void fault_clear(void)
{
    state.armed = false;
}

bool fault_fired(void)
{
    return state.fired;
}

const char *fault_where(void)
{
    return state.where;
}
