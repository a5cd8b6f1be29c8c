/* app/daemon_priv.h - the parts of the running daemon, all owned by the main thread. */
#ifndef FUNNELD_APP_DAEMON_PRIV_H
#define FUNNELD_APP_DAEMON_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "funneld/app/daemon.h"
#include "funneld/base/json.h"
#include "funneld/model/model.h"

struct daemon {
    struct config *config;  /* in force */
    struct config *started; /* what a restart alone changes is still as it says */
    const char *path;
    struct store *store; /* the writer thread's, once that runs */
    struct writer *writer;
    pthread_t writer_thread;
    struct reader *deliver_reader; /* the delivery thread's */
    struct transport transport;
    struct deliverer *deliverer;
    pthread_t deliver_thread;
    struct server *server;
    struct scheduler *scheduler;
    struct trainer *trainer;
    int control_fd;
    bool writer_runs, deliverer_runs;
    atomic_bool models_changed; /* the store has others in use than those that serve */
    atomic_bool store_failed;   /* set by the writer: restart on what is on disk */
    /* Shared with the admin listener's thread, under the lock. */
    pthread_mutex_t overview_lock;
    struct reader *overview_reader;
    struct config *overview_config;
    struct models *models; /* that serve; written by the main thread. NULL: not loaded yet */
};

/* With a stack that is small, but enough for all that ours do. */
MUST_CHECK enum rc daemon_thread(pthread_t *ret, void *(*run)(void *), void *arg, struct why *why);

/* parts.c: everything up in order, everything down in reverse. */
MUST_CHECK enum rc daemon_start(struct daemon *d, struct why *why);
/* Reads what came in; true for SIGTERM and SIGINT. */
bool daemon_told_to_stop(int signal_fd);
/* Within the shutdown time-out; returns the exit status. */
int daemon_stop(struct daemon *d, int signal_fd);

/* daemon.c: a log line where others can read its secrets. */
void daemon_warn_of_exposure(const struct config *c);

/* series.c: every label combination of a configuration starts at 0. */
void daemon_make_series(const struct config *c);
void daemon_overview(void *daemon); /* before /metrics: depth and age of each queue */

/* catch_up.c: once, before the first request comes in. What goes wrong is logged. */
void daemon_catch_up(struct daemon *d);

/* reload.c: SIGHUP; all or nothing. */
void daemon_reload(struct daemon *d);

/* command.c: asks the writer and waits; RC_TIMEOUT: it did not come to it within 5 s, and will not
 * any more. */
MUST_CHECK enum rc daemon_command(struct daemon *d, enum command_kind kind, void *arg,
                                  command_fn *fn, int64_t *ret_count, struct why *why);
/* A COMMAND_CHORE for another thread than the main one: waits until it is done. */
MUST_CHECK enum rc daemon_chore(struct daemon *d, command_fn *fn, void *arg, struct why *why);

/* Waiting for news by the steady clock, which nobody sets; ETIMEDOUT, as pthread_cond_timedwait. */
void steady_wait_init(pthread_mutex_t *lock, pthread_cond_t *told);
int steady_wait(pthread_mutex_t *lock, pthread_cond_t *told, int64_t until_ms);

/* control.c */
MUST_CHECK enum rc control_listen(const char *path, int *ret_fd, struct why *why);
void control_serve(struct daemon *d); /* one client, at most a second */

/* pause.c: the connectors that the request names. */
MUST_CHECK enum rc daemon_pause(struct daemon *d, const json *request, bool paused,
                                struct why *why);

/* replay.c: the slice that the request asks for; the answer goes into b. */
MUST_CHECK enum rc daemon_replay(struct daemon *d, const json *request, struct sbuf *b,
                                 struct why *why);

/* model.c: a model is added or chosen; the answer goes into b. */
MUST_CHECK enum rc daemon_model(struct daemon *d, const json *request, struct sbuf *b,
                                struct why *why);
/* What commands that were killed left of models. */
void daemon_models_sweep(struct daemon *d);
/* model_swap.c: from now on it serves the goal; NULL: none does. Takes the reference. Where it
 * fails the main thread tries again with what the store has. */
MUST_CHECK enum rc daemon_model_swap(struct daemon *d, enum model_goal goal, struct model *m,
                                     struct why *why);
/* import.c: the rows that the request brings. */
MUST_CHECK enum rc daemon_import(struct daemon *d, const json *request, struct sbuf *b,
                                 struct why *why);
/* Those that the store has in use; what cannot be read is logged, and what serves goes on. */
void daemon_models_load(struct daemon *d);

/* Log lines for a person who sent SIGUSR1. */
void daemon_log_summary(struct daemon *d);

#endif
