/* app/parts.c - building the parts in order, stopping them in reverse.
 *
 *     store -> deliverer -> writer, which tells it -> their threads -> scheduler -> trainer ->
 *     listeners -> control socket
 *
 * Down: no new connections, requests in hand finish, attempts in flight finish or are left open
 * (and are looked at after the next start), the scheduler asks for nothing more, the writer does
 * what waits, the store closes.
 */
#include "daemon_priv.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "funneld/app/control.h"
#include "funneld/base/clock.h"
#include "funneld/observe/health.h"
#include "funneld/observe/log.h"
#include "funneld/observe/metrics.h"
#include "scheduler.h"
#include "trainer.h"

enum {
    INTAKE_WEIGHT = 4 * COMMIT_WEIGHT, /* what may wait for the writer: some commits' worth */
    THREAD_STACK = 1 << 20,
    STORE_PATIENCE_S = 15,
    LOOK_MS = 100,
    WAIT_MS = 20,
    ANSWER_US = 250 * 1000,
};

static void notify(void *self, struct str connector, const struct due_row *row)
{
    struct daemon *d = self;

    deliverer_notify(d->deliverer, connector, row);
}

static void rescan(void *self)
{
    struct daemon *d = self;

    deliverer_rescan(d->deliverer);
}

static void failed(void *self)
{
    struct daemon *d = self;

    atomic_store(&d->store_failed, true);
}

static enum rc submit(void *self, struct work *work)
{
    struct daemon *d = self;

    return writer_submit(d->writer, work);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_write(LOG_WARN, "start.descriptors", L_TEXT("reason", strerror(errno)), L_END);
}

enum rc daemon_thread(pthread_t *ret, void *(*run)(void *), void *arg, struct why *why)
{
    pthread_attr_t attr;

    (void)pthread_attr_init(&attr); /* cannot fail on Linux */
    (void)pthread_attr_setstacksize(&attr, THREAD_STACK);
    int error = pthread_create(ret, &attr, run, arg);
    (void)pthread_attr_destroy(&attr);
    return error ? why_fail(RC_IO, why, "cannot start a thread: %s", strerror(error)) : RC_OK;
}

static enum rc set_bands(struct daemon *d, struct why *why)
{
    int64_t bands[BAND_COUNT];
    enum rc rc = read_bands(d->overview_reader, bands);

    if (rc != RC_OK)
        return why_fail(rc, why, "counting leads: %s", reader_error(d->overview_reader));
    for (int i = 0; i < BAND_COUNT; i++)
        metric_set(metric(METRIC_LEADS, str_of(band_name((enum band)i)), STR_NULL),
                   (double)bands[i]);
    return RC_OK;
}

static bool stop_is_pending(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* A backup from the command line may have the database for a while, and so may the daemon before
 * this one; who restarts us counts how often we fail. */
static enum rc open_store(struct daemon *d, struct why *why)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    int64_t until = clock_mono_us() + STORE_PATIENCE_S * INT64_C(1000000);
    enum rc rc = store_open(&d->config->store, clock_now_ms(), &d->store, why);

    if (rc == RC_BUSY)
        log_write(LOG_WARN, "start.waits", L_WHY(why), L_END);
    while (rc == RC_BUSY && clock_mono_us() < until && !stop_is_pending()) {
        (void)nanosleep(&pause, NULL); /* no signal ends it: they are blocked */
        rc = store_open(&d->config->store, clock_now_ms(), &d->store, why);
    }
    return rc;
}

static enum rc start_store(struct daemon *d, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    const char *path = arena_text(&a, d->config->store.path);
    enum rc rc = open_store(d, why);

    if (rc == RC_OK)
        rc = reader_open(path, &d->overview_reader, why);
    if (rc == RC_OK)
        rc = reader_open(path, &d->deliver_reader, why);
    return rc == RC_OK ? set_bands(d, why) : rc;
}

static enum rc start_writer(struct daemon *d, struct why *why)
{
    const struct writer_ports ports = {
        .store = d->store, .notify = notify, .rescan = rescan, .failed = failed, .self = d};

    d->writer = writer_new(&ports, INTAKE_WEIGHT);
    enum rc rc = daemon_thread(&d->writer_thread, writer_run, d->writer, why);
    d->writer_runs = rc == RC_OK;
    if (rc != RC_OK)
        return rc;
    (void)ref_take(&d->config->ref);
    return daemon_command(d, COMMAND_RULES, &d->config->rules, NULL, NULL, why);
}

static enum rc make_deliverer(struct daemon *d, struct why *why)
{
    enum rc rc = curl_transport_new(&d->transport, why);

    if (rc != RC_OK)
        return rc;
    struct deliver_ports ports = {.reader = d->deliver_reader,
                                  .transport = &d->transport,
                                  .submit = submit,
                                  .self = d,
                                  .trusted = scheduler_trusted_start(d->deliver_reader)};
    random_bytes(&ports.seed, sizeof ports.seed);
    (void)ref_take(&d->config->ref);
    d->deliverer = deliverer_new(&ports, &d->config->lanes);
    return RC_OK;
}

static enum rc start_scheduler(struct daemon *d, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct reader *reader = NULL;
    enum rc rc = reader_open(arena_text(&a, d->config->store.path), &reader, why);

    return rc == RC_OK ? scheduler_start(d, reader, &d->scheduler, why) : rc;
}

static enum rc start_trainer(struct daemon *d, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};
    struct reader *reader = NULL;
    enum rc rc = reader_open(arena_text(&a, d->config->store.path), &reader, why);

    return rc == RC_OK ? trainer_start(d, reader, &d->trainer, why) : rc;
}

static enum rc start_server(struct daemon *d, struct why *why)
{
    const struct http_ports ports = {
        .submit = submit, .self = d, .before_metrics = daemon_overview};

    (void)ref_take(&d->config->ref);
    enum rc rc = server_start(&d->config->sites, &ports, &d->server, why);
    if (rc != RC_OK)
        ref_drop(&d->config->ref);
    return rc;
}

static void see_model(void *self, const struct model_record *m)
{
    (void)m;
    *(bool *)self = true;
}

/* What they said of leads may still stand there. */
static bool had_models(struct daemon *d)
{
    bool any = false;

    pthread_mutex_lock(&d->overview_lock);
    if (read_models(d->overview_reader, see_model, &any) != RC_OK)
        any = false; /* the store's own failure is told elsewhere */
    pthread_mutex_unlock(&d->overview_lock);
    return any;
}

enum rc daemon_start(struct daemon *d, struct why *why)
{
    struct arena a AUTO(arena_free) = {0};

    raise_descriptor_limit();
    atomic_store(&health.started_at, clock_now_ms());
    atomic_store(&health.writer_beat, clock_now_ms());
    atomic_store(&health.deliverer_beat, clock_now_ms());
    atomic_store(&health.config_loaded_at, d->config->loaded_at);
    atomic_store(&health.config_ok, true);
    daemon_make_series(d->config);
    d->overview_config = d->config;
    enum rc rc = start_store(d, why);
    if (rc == RC_OK)
        daemon_models_sweep(d);
    if (rc == RC_OK)
        rc = make_deliverer(d, why);
    if (rc == RC_OK)
        rc = start_writer(d, why);
    if (rc == RC_OK)
        daemon_models_load(d);
    if (rc == RC_OK)
        rc = daemon_thread(&d->deliver_thread, deliverer_run, d->deliverer, why);
    d->deliverer_runs = rc == RC_OK;
    if (rc == RC_OK)
        daemon_catch_up(d);
    if (rc == RC_OK)
        rc = start_scheduler(d, why);
    if (rc == RC_OK && d->models && (models_any(d->models) || had_models(d)))
        scheduler_rescore(d->scheduler);
    if (rc == RC_OK)
        rc = start_trainer(d, why);
    if (rc == RC_OK)
        rc = start_server(d, why);
    if (rc == RC_OK)
        rc = control_listen(arena_text(&a, d->config->control_socket), &d->control_fd, why);
    if (rc == RC_OK)
        atomic_store(&health.ready, true);
    return rc;
}

bool daemon_told_to_stop(int signal_fd)
{
    struct signalfd_siginfo info;

    return read(signal_fd, &info, sizeof info) == sizeof info &&
           (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT);
}

/* Waits for a condition; a second signal or the deadline end the process at once. */
static bool wait_until(struct daemon *d, bool (*met)(struct daemon *), int64_t deadline_us,
                       int signal_fd)
{
    while (!met(d)) {
        struct pollfd signalled = {.fd = signal_fd, .events = POLLIN};

        if (clock_mono_us() >= deadline_us)
            return false;
        if (poll(&signalled, 1, WAIT_MS) > 0 && daemon_told_to_stop(signal_fd)) {
            log_write(LOG_ERROR, "stop.forced", L_TEXT("reason", "a second signal"), L_END);
            _exit(1);
        }
        if (d->server)
            server_tick(d->server, clock_mono_us() / 1000);
    }
    return true;
}

static bool requests_answered(struct daemon *d)
{
    return !d->server || server_busy(d->server) == 0;
}

static bool requests_done(struct daemon *d)
{
    return !d->server || server_suspended(d->server) == 0;
}

static bool attempts_done(struct daemon *d)
{
    return !d->deliverer_runs || deliverer_idle(d->deliverer);
}

static bool joined(pthread_t thread, bool *runs)
{
    if (*runs && pthread_tryjoin_np(thread, NULL) == 0)
        *runs = false;
    return !*runs;
}

static bool deliverer_joined(struct daemon *d)
{
    return joined(d->deliver_thread, &d->deliverer_runs);
}

static bool scheduler_ended(struct daemon *d)
{
    return !d->scheduler || scheduler_joined(d->scheduler);
}

static bool trainer_ended(struct daemon *d)
{
    return !d->trainer || trainer_joined(d->trainer);
}

static bool writer_joined(struct daemon *d)
{
    return joined(d->writer_thread, &d->writer_runs);
}

static void too_late(const char *what)
{
    log_write(LOG_ERROR, "stop.timeout", L_TEXT("reason", what),
              L_TEXT("hint", "all that was answered is on disk"), L_END);
    _exit(1);
}

/* Whoever takes longer to send a request is cut: told nothing, its sender tries again. A commit
 * that hung until now still has its answer to send. */
static void finish_requests(struct daemon *d, int64_t patience_us, int64_t deadline_us,
                            int signal_fd)
{
    bool answered = wait_until(d, requests_answered, patience_us, signal_fd);

    if (!wait_until(d, requests_done, deadline_us, signal_fd))
        too_late("a commit hangs");
    if (!answered && !wait_until(d, requests_answered, clock_mono_us() + ANSWER_US, signal_fd))
        log_write(LOG_INFO, "stop.slow_senders",
                  L_TEXT("reason", "requests that were still coming in were cut"), L_END);
    server_stop(d->server);
    d->server = NULL;
}

static void free_parts(struct daemon *d)
{
    struct arena a AUTO(arena_free) = {0};

    deliverer_free(d->deliverer);
    if (d->transport.free)
        d->transport.free(d->transport.self);
    scheduler_free(d->scheduler);
    trainer_free(d->trainer);
    writer_free(d->writer);
    if (d->models)
        ref_drop(&d->models->ref);
    reader_close(d->deliver_reader);
    reader_close(d->overview_reader);
    store_close(d->store);
    if (d->control_fd >= 0) {
        (void)close(d->control_fd);
        (void)unlink(arena_text(&a, d->started->control_socket)); /* the next start does it too */
    }
    ref_drop(&d->started->ref);
    ref_drop(&d->config->ref);
}

int daemon_stop(struct daemon *d, int signal_fd)
{
    int64_t now = clock_mono_us(), all = d->config->server.shutdown_timeout_ms * 1000;
    int64_t deadline = now + all, half = now + all / 2;

    atomic_store(&health.stopping, true);
    if (d->server)
        server_drain(d->server);
    if (d->deliverer)
        deliverer_stop(d->deliverer);
    if (d->scheduler)
        scheduler_stop(d->scheduler);
    if (d->trainer)
        trainer_stop(d->trainer);
    finish_requests(d, now + all / 4, deadline, signal_fd);
    bool idle = wait_until(d, attempts_done, half, signal_fd) &&
                wait_until(d, deliverer_joined, half, signal_fd);
    if (!wait_until(d, scheduler_ended, deadline, signal_fd))
        too_late("the scheduler waits for the disk");
    if (!wait_until(d, trainer_ended, deadline, signal_fd))
        too_late("a model is being trained");
    if (d->writer)
        writer_close(d->writer);
    if (!wait_until(d, writer_joined, deadline, signal_fd))
        too_late("the writer hangs");
    if (!idle) {
        /* Its thread may be inside a resolver or a slow service: leave it, the attempts are open
         * on disk and are looked at after the next start. */
        log_write(LOG_WARN, "stop.attempts_open",
                  L_TEXT("reason", "a service did not answer in time"), L_END);
        store_close(d->store);
        _exit(atomic_load(&d->store_failed) ? 1 : 0);
    }
    free_parts(d);
    return 0;
}
