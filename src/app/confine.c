/* app/confine.c - the list of system calls that a daemon for webhooks has no business with.
 *
 * Denied are calls by name, not allowed ones: what libc, GnuTLS or SQLite call may change with any
 * update, what an intruder wants does not. A denied call fails with EPERM, so a library that only
 * tried goes on.
 */
#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0
#endif

/* The leak checker of a sanitizer's build follows its own process from another one. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FOLLOWED 1
#else
#define FOLLOWED 0
#endif

static const unsigned denied[] = {
    SYS_execve,
    SYS_execveat,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_personality,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setgroups,
    SYS_capset,
    SYS_acct,
    SYS_quotactl,
    SYS_swapon,
    SYS_swapoff,
    SYS_reboot,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_open_by_handle_at,
    SYS_fanotify_init,
    SYS_mknodat,
    SYS_syslog,
    SYS_nfsservctl,
    SYS_lookup_dcookie,
    SYS_clock_adjtime,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_pidfd_getfd,
    SYS_process_madvise,
    SYS_kcmp,
#ifdef __x86_64__
    SYS_fork,
    SYS_vfork,
    SYS_mknod,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_uselib,
    SYS_kexec_file_load,
#endif
#if !FOLLOWED
    SYS_ptrace,
#endif
};

static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK /* for addresses */};

enum { CALLS = sizeof denied / sizeof *denied, FAMILIES = sizeof families / sizeof *families };

struct filter {
    struct sock_filter steps[2 * CALLS + 2 * FAMILIES + 32];
    unsigned short n;
};

static void add(struct filter *f, unsigned code, unsigned k, unsigned yes, unsigned no)
{
    f->steps[f->n++] =
        (struct sock_filter){(unsigned short)code, (unsigned char)yes, (unsigned char)no, k};
}

static void load(struct filter *f, size_t offset)
{
    add(f, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static void answer(struct filter *f, unsigned what)
{
    add(f, BPF_RET | BPF_K, what, 0, 0);
}

/* Where the loaded word is `value`, the answer; else on. */
static void answer_if(struct filter *f, unsigned value, unsigned what)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(f, what);
}

/* Arguments are 64 bits wide; the low half is what counts for an int. */
static size_t argument(int i)
{
    size_t at = offsetof(struct seccomp_data, args) + (size_t)i * sizeof(__u64);

    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? at + sizeof(__u32) : at;
}

static void only_threads(struct filter *f)
{
    /* clone3 hides its flags behind a pointer; without it libc falls back on clone. */
    answer_if(f, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
    load(f, argument(0));
    add(f, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
    answer(f, SECCOMP_RET_ALLOW);
    answer(f, SECCOMP_RET_ERRNO | EPERM);
}

static void only_families(struct filter *f)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 2 * FAMILIES + 2);
    load(f, argument(0));
    for (size_t i = 0; i < FAMILIES; i++)
        answer_if(f, (unsigned)families[i], SECCOMP_RET_ALLOW);
    answer(f, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
}

static void build(struct filter *f)
{
    load(f, offsetof(struct seccomp_data, arch));
    add(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    answer(f, SECCOMP_RET_ERRNO | EPERM); /* a call in another architecture's numbers */
    load(f, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    add(f, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1); /* x32 */
    answer(f, SECCOMP_RET_ERRNO | EPERM);
#endif
    for (size_t i = 0; i < CALLS; i++)
        answer_if(f, denied[i], SECCOMP_RET_ERRNO | EPERM);
    if (!FOLLOWED)
        only_threads(f);
    only_families(f);
    answer(f, SECCOMP_RET_ALLOW);
}

enum rc confine_calls(struct why *why)
{
    struct filter f = {.n = 0};

    if (!ARCH)
        return why_fail(RC_INVALID, why, "there is no filter for this processor");
    build(&f);
    const struct sock_fprog program = {.len = f.n, .filter = f.steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return why_fail(RC_INVALID, why, "the kernel takes no filter of system calls: %s",
                        strerror(errno));
    return RC_OK;
}

void confine_core(void)
{
    /* Lowering a limit cannot fail. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}
