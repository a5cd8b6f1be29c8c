/* tests/fault/faults.c - preloaded into the daemon, makes the n-th call of a function fail.
 *
 * The test maps the file that $FUNNELD_FAULTS names: per function, in the order of the list below,
 * two 64-bit numbers that both sides may change at any time:
 *     countdown  the call that brings it from 1 to 0 fails; 0: none does
 *     seen       calls so far
 * Left out is what cannot fail when its arguments are right: MHD_get_connection_info for what a
 * connection always has, curl_easy_getinfo, removing a handle that was added, whatever frees.
 * A wrapper passes six words on, which is all that any of these functions takes in registers.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* name, what it returns when it fails; as the library's documentation says */
#define CALLS(X)                                                                                   \
    X(MHD_create_response_from_buffer, 0)                                                          \
    X(MHD_add_response_header, 0)                                                                  \
    X(MHD_queue_response, 0)                                                                       \
    X(curl_global_init, 2)                                                                         \
    X(curl_multi_init, 0)                                                                          \
    X(curl_multi_setopt, 3)                                                                        \
    X(curl_multi_add_handle, 3)                                                                    \
    X(curl_multi_perform, 3)                                                                       \
    X(curl_multi_poll, 3)                                                                          \
    X(curl_multi_wakeup, 8)                                                                        \
    X(curl_easy_init, 0)                                                                           \
    X(curl_easy_setopt, 27)                                                                        \
    X(curl_slist_append, 0)                                                                        \
    X(gnutls_load_file, -64)                                                                       \
    X(gnutls_pcert_list_import_x509_raw, -25)                                                      \
    X(gnutls_privkey_init, -25)                                                                    \
    X(gnutls_privkey_import_x509_raw, -25)                                                         \
    X(gnutls_pubkey_init, -25)                                                                     \
    X(gnutls_pubkey_import_privkey, -25)                                                           \
    X(gnutls_pubkey_get_key_id, -25)                                                               \
    X(gnutls_x509_crt_init, -25)                                                                   \
    X(gnutls_x509_crt_import, -25)                                                                 \
    X(gnutls_x509_crt_get_expiration_time, -1)                                                     \
    X(pthread_create, EAGAIN)

enum call {
    ALLOCATE, /* malloc, calloc, realloc */
    START_DAEMON,
#define X(name, failure) CALL_##name,
    CALLS(X)
#undef X
        CALL_COUNT
};

struct counter {
    _Atomic int64_t countdown, seen;
};

static struct counter unmapped[CALL_COUNT], *counters = unmapped;

/* Where a call that failed was not expected to: for whoever reads the test's output. */
static void show_where(int number)
{
    void *frames[40];

    backtrace_symbols_fd(frames, backtrace(frames, 40), STDERR_FILENO);
    (void)signal(number, SIG_DFL); /* it happens again, and ends the process */
}

__attribute__((constructor)) static void map_counters(void)
{
    (void)signal(SIGSEGV, show_where);
    (void)signal(SIGABRT, show_where); /* an abort without words is somebody else's */
    const char *path = getenv("FUNNELD_FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED
                      : mmap(NULL, sizeof unmapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED)
        _exit(98); /* a test without its faults must not pass */
    (void)close(fd);
    counters = at;
}

static int fails(enum call which)
{
    struct counter *c = &counters[which];

    atomic_fetch_add(&c->seen, 1);
    return atomic_load(&c->countdown) > 0 && atomic_fetch_sub(&c->countdown, 1) == 1;
}

#define X(name, failure)                                                                           \
    long name(long a, long b, long c, long d, long e, long f);                                     \
    long name(long a, long b, long c, long d, long e, long f)                                      \
    {                                                                                              \
        static long (*next)(long, long, long, long, long, long);                                   \
                                                                                                   \
        if (fails(CALL_##name))                                                                    \
            return failure;                                                                        \
        if (!next)                                                                                 \
            next = (long (*)(long, long, long, long, long, long))dlsym(RTLD_NEXT, #name);          \
        return next(a, b, c, d, e, f);                                                             \
    }
CALLS(X)
#undef X

#pragma GCC diagnostic ignored "-Wstrict-prototypes" /* what the builtin wants is no prototype */
typedef void untyped();

/* Its options are on the stack: they are passed on as they lie. */
void *MHD_start_daemon(unsigned flags, ...);
void *MHD_start_daemon(unsigned flags, ...)
{
    void (*next)(void) = (void (*)(void))dlsym(RTLD_NEXT, "MHD_start_daemon");

    (void)flags;
    if (fails(START_DAEMON))
        return NULL;
    __builtin_return(__builtin_apply((untyped *)next, __builtin_apply_args(), 512));
}

/* The C library's own, under the names that it exports them by. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    if (!fails(ALLOCATE))
        return __libc_malloc(size);
    errno = ENOMEM;
    return NULL;
}

void *calloc(size_t n, size_t size)
{
    if (!fails(ALLOCATE))
        return __libc_calloc(n, size);
    errno = ENOMEM;
    return NULL;
}

void *realloc(void *old, size_t size)
{
    if (!fails(ALLOCATE))
        return __libc_realloc(old, size);
    errno = ENOMEM;
    return NULL;
}
