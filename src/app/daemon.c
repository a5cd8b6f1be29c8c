/* app/daemon.c - the main thread: signals, control socket, time for the others; no work. */
#include "daemon_priv.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "confine.h"
#include "funneld/base/clock.h"
#include "funneld/observe/health.h"
#include "funneld/observe/log.h"
#include "scheduler.h"
#include "systemd.h"

enum { TICK_MS = 250 };

enum turn { TURN_ON, TURN_STOP };

static enum rc catch_signals(int *ret_fd, struct why *why)
{
    static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LEN(caught); i++)
        (void)sigaddset(&set, caught[i]);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL); /* inherited by every thread */
    int fd = error ? -1 : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return why_fail(RC_IO, why, "cannot catch signals: %s", strerror(error ? error : errno));
    *ret_fd = fd;
    return RC_OK;
}

/* Beside the database, over the last one. */
static void back_up(struct daemon *d)
{
    struct arena a AUTO(arena_free) = {0};
    struct why why = {0};

    if (scheduler_backup(d->scheduler,
                         arena_printf(&a, "%.*s.backup", STR_ARG(d->started->store.path)), &why))
        log_write(LOG_WARN, "backup.refused", L_WHY(&why), L_END);
}

static enum turn on_signal(struct daemon *d, int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof info) != sizeof info)
        return TURN_ON;
    switch (info.ssi_signo) {
    case SIGHUP:
        daemon_reload(d);
        return TURN_ON;
    case SIGUSR1:
        daemon_log_summary(d);
        return TURN_ON;
    case SIGUSR2:
        back_up(d);
        return TURN_ON;
    default:
        log_write(LOG_INFO, "stop", L_TEXT("reason", strsignal((int)info.ssi_signo)), L_END);
        return TURN_STOP;
    }
}

/* The watchdog hears from the threads that do the work, not from a timer of its own. */
static void feed_watchdog(int64_t every_ms, int64_t *last_us)
{
    struct sbuf unread AUTO(sbuf_free) = SBUF(256);
    int64_t now = clock_mono_us();

    if (!every_ms || now - *last_us < every_ms * 1000 ||
        health_render(HEALTH_LIVE, clock_now_ms(), &unread) != 200)
        return;
    *last_us = now;
    systemd_notify("WATCHDOG=1");
}

static void loop(struct daemon *d, int signal_fd)
{
    struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN},
                           {.fd = d->control_fd, .events = POLLIN}};
    int64_t watchdog_ms = systemd_watchdog_ms(), fed_us = 0;

    for (;;) {
        int n = poll(fds, ARRAY_LEN(fds), TICK_MS);

        server_tick(d->server, clock_mono_us() / 1000);
        feed_watchdog(watchdog_ms, &fed_us);
        if (atomic_load(&d->store_failed))
            return;
        if (atomic_exchange(&d->models_changed, false))
            daemon_models_load(d);
        if (n > 0 && fds[0].revents && on_signal(d, signal_fd) == TURN_STOP)
            return;
        if (n > 0 && fds[1].revents)
            control_serve(d);
    }
}

void daemon_warn_of_exposure(const struct config *c)
{
    struct arena a AUTO(arena_free) = {0};
    const char *how = config_exposed(c, &a), *which = config_guessable(c, &a);

    if (how)
        log_write(LOG_WARN, "config.exposed", L_TEXT("reason", how), L_END);
    if (which)
        log_write(LOG_WARN, "config.guessable", L_TEXT("reason", which), L_END);
}

/* Before there is another thread or anything from outside. */
static void confine(const struct server_settings *s)
{
    struct why why = {0};

    confine_core();
    if (geteuid() == 0)
        log_write(LOG_WARN, "start.root",
                  L_TEXT("reason", "it runs as root, which it has no need to"), L_END);
    if (s->confine && confine_calls(&why) != RC_OK)
        log_write(LOG_WARN, "start.unconfined", L_WHY(&why), L_END);
}

int daemon_run(struct config *config, const char *path)
{
    struct daemon d = {.config = config,
                       .started = config,
                       .path = path,
                       .control_fd = -1,
                       .overview_lock = PTHREAD_MUTEX_INITIALIZER};
    struct why why = {0};
    int signal_fd = -1;

    (void)ref_take(&d.started->ref);
    log_configure(&config->log);
    confine(&config->server);
    daemon_warn_of_exposure(config);
    enum rc rc = catch_signals(&signal_fd, &why);
    if (rc == RC_OK)
        rc = daemon_start(&d, &why);
    if (rc == RC_OK) {
        log_write(LOG_INFO, "start", L_TEXT("version", FUNNELD_VERSION),
                  L_STR("listen", config->server.listen), L_STR("admin", config->admin.listen),
                  L_STR("store", config->store.path), L_END);
        systemd_notify("READY=1");
        loop(&d, signal_fd);
        systemd_notify("STOPPING=1");
    } else if (rc == RC_BUSY && daemon_told_to_stop(signal_fd)) {
        log_write(LOG_INFO, "stop", L_WHY(&why), L_END);
        rc = RC_OK;
    } else {
        log_write(LOG_ERROR, "start.failed", L_WHY(&why), L_END);
    }
    int status = daemon_stop(&d, signal_fd);
    if (signal_fd >= 0)
        (void)close(signal_fd);
    return rc != RC_OK || atomic_load(&d.store_failed) ? 1 : status;
}
