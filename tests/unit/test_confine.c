/* tests/unit/test_confine.c - what a confined process can no longer do, and what it still can. */
#include "cm.h"

#include <errno.h>
#include <netdb.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "../../src/app/confine.h"

/* In a process of its own, for it is for good. *what: its exit status, or 128 and a signal. */
static int in_confinement(int (*what)(void))
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        confine_core();
        _exit(confine_calls(NULL) == RC_OK ? what() : 99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int start_a_program(void)
{
    (void)execl("/bin/true", "true", (char *)NULL);
    return errno;
}

static int start_a_program_by_descriptor(void)
{
    (void)syscall(SYS_execveat, -1, "/bin/true", NULL, NULL, 0);
    return errno;
}

static int look_into_another_process(void)
{
    return syscall(SYS_process_vm_readv, getppid(), NULL, 0L, NULL, 0L, 0L) == -1 ? errno : 0;
}

static int mount_something(void)
{
    return mount("none", "/mnt", "tmpfs", 0, NULL) == 0 ? 0 : errno;
}

static int become_another_user(void)
{
    return setuid(getuid()) == 0 ? 0 : errno;
}

static int load_into_the_kernel(void)
{
    return syscall(SYS_bpf, 0, NULL, 0) == -1 ? errno : 0;
}

static void what_an_intruder_wants_is_denied(void **state)
{
    static int (*const wants[])(void) = {
        start_a_program, start_a_program_by_descriptor, look_into_another_process,
        mount_something, become_another_user,           load_into_the_kernel,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wants); i++)
        assert_int_equal(in_confinement(wants[i]), EPERM);
}

static int make_a_process(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    return child < 0 ? errno : 0;
}

/* A sanitizer's leak checker needs one. */
static void no_other_process_is_made(void **state)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    const int wanted = 0;
#else
    const int wanted = EPERM;
#endif

    (void)state;
    assert_int_equal(in_confinement(make_a_process), wanted);
}

static int open_raw_socket(void)
{
    return socket(AF_PACKET, SOCK_DGRAM, 0) < 0 ? errno : 0;
}

static void sockets_are_those_of_the_internet(void **state)
{
    (void)state;
    assert_int_equal(in_confinement(open_raw_socket), EAFNOSUPPORT);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int daily_work(void)
{
    static const int families[] = {AF_UNIX, AF_INET};
    struct addrinfo *found = NULL;
    thrd_t thread;

    if (thrd_create(&thread, nothing, NULL) != thrd_success ||
        thrd_join(thread, NULL) != thrd_success)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (socket(families[i], SOCK_STREAM, 0) < 0)
            return 2;
    if (getaddrinfo("localhost", "80", NULL, &found) != 0)
        return 3;
    freeaddrinfo(found);
    return access("/", R_OK) == 0 ? 0 : 4;
}

static void its_own_work_goes_on(void **state)
{
    (void)state;
    assert_int_equal(in_confinement(daily_work), 0);
}

static void a_core_dump_is_off(void **state)
{
    struct rlimit now;

    (void)state;
    confine_core();
    assert_int_equal(getrlimit(RLIMIT_CORE, &now), 0);
    assert_true(now.rlim_cur == 0 && now.rlim_max == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_intruder_wants_is_denied),
        cmocka_unit_test(no_other_process_is_made),
        cmocka_unit_test(sockets_are_those_of_the_internet),
        cmocka_unit_test(its_own_work_goes_on),
        cmocka_unit_test(a_core_dump_is_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
