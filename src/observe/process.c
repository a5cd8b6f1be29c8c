/* observe/process.c - what the kernel knows of this process. */
#include "process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "funneld/observe/health.h"

static void gauge(struct sbuf *b, const char *name, const char *type, const char *help,
                  double value)
{
    sbuf_printf(b, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name, value);
}

static double cpu_seconds(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u) != 0)
        return 0;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = -3; /* ".", ".." and the directory itself */

    if (!dir)
        return -1;
    while (readdir(dir))
        n++;
    (void)closedir(dir); /* it was only read */
    return n;
}

static void memory(struct sbuf *b)
{
    unsigned long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return;
    if (fscanf(f, "%lu %lu", &pages, &resident) == 2) {
        double page = (double)sysconf(_SC_PAGESIZE);

        gauge(b, "process_virtual_memory_bytes", "gauge", "Virtual memory size.",
              (double)pages * page);
        gauge(b, "process_resident_memory_bytes", "gauge", "Resident memory size.",
              (double)resident * page);
    }
    (void)fclose(f); /* it was only read */
}

void process_metrics_render(struct sbuf *b)
{
    struct rlimit limit;
    int open = open_descriptors();

    gauge(b, "process_cpu_seconds_total", "counter", "User and system CPU time.", cpu_seconds());
    if (open >= 0)
        gauge(b, "process_open_fds", "gauge", "Open file descriptors.", open);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        gauge(b, "process_max_fds", "gauge", "Limit of open file descriptors.",
              (double)limit.rlim_cur);
    memory(b);
    gauge(b, "process_start_time_seconds", "gauge", "Start of the process since the epoch.",
          (double)atomic_load(&health.started_at) / 1000);
}
