/* tests/sim/disk.c - contents, unsynced changes, and what a power cut leaves of them. */
#include "disk_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "funneld/base/mem.h"
#include "random.h"

enum { SECTOR = 512 };

static struct {
    struct disk_file files[FILES];
    uint64_t chance, era;
    int64_t changes;
    int64_t end_in; /* changes until the end; 0: none is ordered */
    enum disk_end how;
    bool ended;
    bool spared;
    int64_t room;    /* -1: endless */
    int64_t fail_in; /* calls until one fails; 0: none */
    int fail_times;
    bool failed;
} disk;

static int below(int n)
{
    return (int)random_below(&disk.chance, (uint64_t)n);
}

uint64_t disk_chance(void)
{
    return random_next(&disk.chance);
}

uint64_t disk_era(void)
{
    return disk.era;
}

int64_t disk_changes(void)
{
    return disk.changes;
}

/* Contents */

static void resize(struct content *c, int64_t size)
{
    if (size > c->cap) {
        c->cap = size + size / 2 + 4096;
        c->at = mem_grow(c->at, (size_t)c->cap, 1);
    }
    if (size > c->size)
        memset(c->at + c->size, 0, (size_t)(size - c->size));
    c->size = size;
}

static void put(struct content *c, const uint8_t *bytes, int64_t len, int64_t offset)
{
    if (len <= 0)
        return;
    if (offset + len > c->size)
        resize(c, offset + len);
    memcpy(c->at + offset, bytes, (size_t)len);
}

static void apply(struct content *c, const struct change *change)
{
    if (change->bytes)
        put(c, change->bytes, change->len, change->offset);
    else if (change->offset < c->size)
        resize(c, change->offset);
}

static void forget_changes(struct disk_file *f)
{
    for (size_t i = 0; i < f->n_changes; i++)
        free(f->changes[i].bytes);
    f->n_changes = 0;
}

static void remember(struct disk_file *f, const void *bytes, int64_t len, int64_t offset)
{
    struct change c = {.offset = offset, .len = len};

    if (bytes) {
        c.bytes = mem_array((size_t)len + 1, 1);
        memcpy(c.bytes, bytes, (size_t)len);
    }
    if (f->n_changes == f->cap_changes) {
        f->cap_changes = f->cap_changes ? 2 * f->cap_changes : 64;
        f->changes = mem_grow(f->changes, f->cap_changes, sizeof *f->changes);
    }
    f->changes[f->n_changes++] = c;
    apply(&f->now, &c);
}

/* Files */

struct disk_file *disk_find(const char *name)
{
    for (int i = 0; i < FILES; i++)
        if (disk.files[i].linked && strcmp(disk.files[i].name, name) == 0)
            return &disk.files[i];
    return NULL;
}

void disk_drop_memory(struct disk_file *f)
{
    for (int i = 0; i < SHM_REGIONS; i++) {
        free(f->shm[i]);
        f->shm[i] = NULL;
    }
    f->shm_users = 0;
}

void disk_forget(struct disk_file *f)
{
    forget_changes(f);
    disk_drop_memory(f);
    free(f->changes);
    free(f->now.at);
    free(f->synced.at);
    *f = (struct disk_file){0};
}

struct disk_file *disk_make(const char *name)
{
    struct disk_file *f = NULL;

    for (int i = 0; i < FILES; i++) /* the one that a power cut might have brought back is gone */
        if (disk.files[i].name[0] && !disk.files[i].linked && !disk.files[i].handles &&
            strcmp(disk.files[i].name, name) == 0)
            disk_forget(&disk.files[i]);
    for (int i = 0; i < FILES && !f; i++)
        if (!disk.files[i].name[0])
            f = &disk.files[i];
    assert(f && strlen(name) < NAME);
    memcpy(f->name, name, strlen(name) + 1);
    f->linked = true;
    return f;
}

void disk_unlink(struct disk_file *f, bool lasting)
{
    f->linked = false;
    if (lasting || !f->lasting) {
        f->lasting = false;
        if (!f->handles)
            disk_forget(f);
    }
}

/* Calls */

static void end(void)
{
    disk.ended = true;
    disk.end_in = 0;
    disk.era++;
}

enum disk_answer disk_ask(enum disk_call call)
{
    if (disk.ended)
        return DISK_IS_DEAD;
    if (disk.spared)
        return DISK_GOES_ON;
    if (disk.fail_in > 0 && --disk.fail_in == 0) {
        if (--disk.fail_times > 0)
            disk.fail_in = 1;
        disk.failed = true;
        return DISK_HAS_FAILED;
    }
    if (call == DISK_READ)
        return DISK_GOES_ON;
    disk.changes++;
    if (disk.end_in > 0 && --disk.end_in == 0) {
        end();
        return DISK_IS_DEAD;
    }
    return DISK_GOES_ON;
}

int64_t disk_read(const struct disk_file *f, void *ret, int64_t len, int64_t offset)
{
    int64_t n = f->now.size - offset;

    n = n < 0 ? 0 : n > len ? len : n;
    if (n)
        memcpy(ret, f->now.at + offset, (size_t)n);
    memset((char *)ret + n, 0, (size_t)(len - n));
    return n;
}

/* Whoever dies in the middle of a write has written the first sectors of it. */
enum disk_answer disk_write(struct disk_file *f, const void *bytes, int64_t len, int64_t offset)
{
    int64_t more = offset + len - f->now.size;

    if (disk.ended)
        return DISK_IS_DEAD;
    enum disk_answer answer = disk_ask(DISK_WRITE);
    if (answer == DISK_GOES_ON && more > 0 && disk.room >= 0 && more > disk.room)
        answer = DISK_IS_FULL;
    if (answer != DISK_GOES_ON) {
        int64_t part = below((int)(len / SECTOR) + 1) * (int64_t)SECTOR;

        if (answer == DISK_IS_FULL && offset + part > f->now.size)
            part = 0;
        remember(f, bytes, part < len ? part : len, offset);
        return answer;
    }
    if (more > 0 && disk.room >= 0)
        disk.room -= more;
    remember(f, bytes, len, offset);
    return DISK_GOES_ON;
}

enum disk_answer disk_truncate(struct disk_file *f, int64_t size)
{
    enum disk_answer answer = disk_ask(DISK_OTHER);

    if (answer == DISK_GOES_ON)
        remember(f, NULL, 0, size);
    return answer;
}

/* The kernel tells of a failure once and takes the pages for written: some never will be. */
static void lose_some(struct disk_file *f)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n_changes; i++) {
        if (below(2)) {
            f->changes[kept++] = f->changes[i];
            continue;
        }
        free(f->changes[i].bytes);
    }
    f->n_changes = kept;
}

static void sync_folder(void)
{
    for (int i = 0; i < FILES; i++) {
        disk.files[i].lasting = disk.files[i].linked;
        if (disk.files[i].name[0] && !disk.files[i].linked && !disk.files[i].handles)
            disk_forget(&disk.files[i]);
    }
}

enum disk_answer disk_sync(struct disk_file *f)
{
    enum disk_answer answer = disk_ask(DISK_SYNC);

    if (answer == DISK_HAS_FAILED)
        lose_some(f);
    if (answer != DISK_GOES_ON)
        return answer;
    for (size_t i = 0; i < f->n_changes; i++)
        apply(&f->synced, &f->changes[i]);
    forget_changes(f);
    sync_folder();
    return answer;
}

/* The end */

enum mood { MOOD_KEEP, MOOD_LOSE, MOOD_MIX, MOOD_TEAR, MOODS };

static void tear(struct content *c, const struct change *change)
{
    for (int64_t at = 0; at < change->len; at += SECTOR) {
        int64_t len = change->len - at < SECTOR ? change->len - at : SECTOR;

        if (below(2))
            put(c, change->bytes + at, below(8) ? len : below((int)len + 1), change->offset + at);
    }
}

static void settle_change(struct content *c, const struct change *change, enum mood mood)
{
    if (mood == MOOD_MIX)
        mood = (enum mood)below(MOOD_MIX);
    else if (mood == MOOD_TEAR && (!change->bytes || below(3) == 0))
        mood = (enum mood)below(MOOD_MIX);
    if (mood == MOOD_KEEP)
        apply(c, change);
    else if (mood == MOOD_TEAR)
        tear(c, change);
}

static void cut_power(struct disk_file *f)
{
    enum mood mood = (enum mood)below(MOODS);

    for (size_t i = 0; i < f->n_changes; i++)
        settle_change(&f->synced, &f->changes[i], mood);
    forget_changes(f);
    resize(&f->now, f->synced.size);
    if (f->synced.size)
        memcpy(f->now.at, f->synced.at, (size_t)f->synced.size);
    if (f->linked != f->lasting)
        f->linked = below(2);
    f->lasting = f->linked;
}

void disk_end_at(int64_t n, enum disk_end how)
{
    disk.how = how;
    disk.end_in = n;
    if (n == 0 && !disk.ended)
        end();
}

bool disk_ended(void)
{
    return disk.ended;
}

void disk_restart(void)
{
    assert(disk.ended);
    for (int i = 0; i < FILES; i++) {
        struct disk_file *f = &disk.files[i];

        if (!f->name[0])
            continue;
        assert(!f->handles);
        disk_drop_memory(f);
        f->shared = 0;
        f->reserved = f->pending = f->exclusive = NULL;
        memset(f->shm_shared, 0, sizeof f->shm_shared);
        memset(f->shm_exclusive, 0, sizeof f->shm_exclusive);
        if (disk.how == DISK_POWER_CUT)
            cut_power(f);
        if (!f->linked && (disk.how == DISK_POWER_CUT || !f->lasting))
            disk_forget(f);
    }
    disk.ended = false;
}

void disk_fill(int64_t room)
{
    disk.room = room;
}

void disk_fail_at(int64_t n, int how_many)
{
    disk.fail_in = n;
    disk.fail_times = how_many;
    disk.failed = false;
}

bool disk_failed(void)
{
    return disk.failed;
}

void disk_spare(bool spare)
{
    disk.spared = spare;
}

void disk_format(uint64_t seed)
{
    for (int i = 0; i < FILES; i++) {
        assert(!disk.files[i].handles);
        if (disk.files[i].name[0])
            disk_forget(&disk.files[i]);
    }
    disk.chance = seed;
    disk.ended = disk.failed = false;
    disk.changes = disk.end_in = disk.fail_in = 0;
    disk.room = -1;
}
