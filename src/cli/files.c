/* cli/files.c - whole files of a command. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* it was only read, or is removed */
}

enum rc file_read(const char *path, size_t max, struct arena *a, struct str *ret, struct why *why)
{
    int fd AUTO(closep) = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    size_t len = 0;

    if (fd < 0 || fstat(fd, &st) != 0)
        return why_fail(errno == ENOENT ? RC_NONE : RC_IO, why, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return why_fail(RC_INVALID, why, "%s is no file", path);
    if ((size_t)st.st_size > max)
        return why_fail(RC_TOOBIG, why, "%s has over %zu bytes", path, max);
    char *text = arena_alloc(a, (size_t)st.st_size + 1);
    while (len < (size_t)st.st_size) {
        ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return why_fail(RC_IO, why, "%s: %s", path, n ? strerror(errno) : "it became shorter");
        len += (size_t)n;
    }
    *ret = (struct str){text, len};
    return RC_OK;
}

static bool write_bytes(int fd, struct str text)
{
    while (text.len) {
        ssize_t n = write(fd, text.at, text.len);

        if (n < 0 && errno != EINTR)
            return false;
        text = str_from(text, n > 0 ? (size_t)n : 0);
    }
    return true;
}

static bool write_all(int fd, struct str text)
{
    return write_bytes(fd, text) && fsync(fd) == 0;
}

static enum rc write_to(int fd, const char *part, const char *path, struct str text,
                        struct why *why)
{
    bool written = write_all(fd, text);
    int error = errno;

    if (close(fd) != 0 && written) {
        written = false;
        error = errno;
    }
    if (written && rename(part, path) == 0)
        return RC_OK;
    error = written ? errno : error;
    (void)unlink(part); /* what is left of it has no use */
    return why_fail(error == ENOSPC ? RC_FULL : RC_IO, why, "%s: %s", path, strerror(error));
}

static int create(const char *part, mode_t mode)
{
    return open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
}

/* A pipe or a device is written to, not replaced. */
static enum rc write_into(const char *path, struct str text, struct why *why)
{
    int fd AUTO(closep) = open(path, O_WRONLY | O_CLOEXEC);

    if (fd >= 0 && write_bytes(fd, text))
        return RC_OK;
    return why_fail(errno == ENOSPC ? RC_FULL : RC_IO, why, "%s: %s", path, strerror(errno));
}

static enum rc replace(const char *path, mode_t mode, struct str text, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    const char *part = arena_printf(&a, "%s.part-%d", path, (int)getpid()).at;
    int fd = create(part, mode);

    return fd < 0 ? why_fail(RC_IO, why, "%s: %s", path, strerror(errno))
                  : write_to(fd, part, path, text, why);
}

enum rc file_write(const char *path, mode_t mode, struct str text, struct why *why)
{
    char *place = realpath(path, NULL); /* a link stays one */
    struct stat st;
    bool special = place && stat(place, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
    enum rc rc =
        special ? write_into(place, text, why) : replace(place ? place : path, mode, text, why);

    free(place);
    return rc;
}

enum rc file_write_for(const char *like, const char *path, struct str text, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    const char *part = arena_printf(&a, "%s.part", path).at;
    int fd = create(part, 0600);
    struct stat st;

    if (fd < 0)
        return why_fail(RC_IO, why, "%s: %s", path, strerror(errno));
    if (geteuid() == 0 && stat(like, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) != 0) {
        int error = errno;

        (void)close(fd); /* nothing is in it */
        (void)unlink(part);
        return why_fail(RC_IO, why, "%s: %s", path, strerror(error));
    }
    return write_to(fd, part, path, text, why);
}
