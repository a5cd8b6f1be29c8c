/* app/reload.c - SIGHUP: a new configuration for every part, or the old one for all. */
#include "daemon_priv.h"

#include "funneld/base/clock.h"
#include "funneld/observe/health.h"
#include "funneld/observe/metrics.h"
#include "scheduler.h"
#include "systemd.h"
#include "trainer.h"

#include "funneld/observe/log.h"

static void log_problems(const struct config *c)
{
    for (const struct conf_problem *p = c->problems.first; p; p = p->next)
        log_write(LOG_ERROR, "config.problem", L_STR("file", p->file), L_INT("line", p->line),
                  L_STR("section", p->section), L_STR("key", p->key), L_STR("reason", p->message),
                  L_END);
}

static enum rc set_limits(struct store *st, void *arg, struct why *why)
{
    (void)why;
    store_limits(st, arg);
    return RC_OK;
}

/* Each part holds a reference to the configuration that it works by. */
static struct config *held(struct config *c)
{
    (void)ref_take(&c->ref);
    return c;
}

static enum rc ask_writer(struct daemon *d, struct config *c, enum command_kind kind, void *arg,
                          struct why *why)
{
    enum rc rc = daemon_command(d, kind, arg, kind == COMMAND_CALL ? set_limits : NULL, NULL, why);

    if (kind == COMMAND_CALL || rc != RC_OK) /* the writer keeps rules */
        ref_drop(&c->ref);
    return rc;
}

/* The limits first: in a full store there is no room for new rules before there is a larger
 * max_size. */
static enum rc hand_to_writer(struct daemon *d, struct config *next, struct why *why)
{
    enum rc rc = ask_writer(d, held(next), COMMAND_CALL, &next->store, why);

    if (rc == RC_OK)
        rc = ask_writer(d, next, COMMAND_RULES, &held(next)->rules, why);
    if (rc == RC_OK)
        return RC_OK;
    rc_ignored(ask_writer(d, held(d->config), COMMAND_CALL, &d->config->store, NULL));
    return why_wrap(rc, why, "the store could not take the new rules");
}

/* The server first: it is the one that can refuse (a key that does not match). */
static enum rc hand_over(struct daemon *d, struct config *next, struct why *why)
{
    enum rc rc = server_reload(d->server, &held(next)->sites, why);

    if (rc != RC_OK) {
        ref_drop(&next->ref);
        return why_wrap(rc, why, "certificates");
    }
    rc = hand_to_writer(d, next, why);
    if (rc != RC_OK) {
        if (server_reload(d->server, &held(d->config)->sites, NULL) != RC_OK)
            ref_drop(&d->config->ref); /* the files changed meanwhile: the new pair stays */
        return rc;
    }
    (void)ref_take(&next->ref); /* the deliverer's */
    deliverer_reload(d->deliverer, &next->lanes);
    return RC_OK;
}

/* Compared with what it was started with: the same file read twice needs the restart twice. */
static void tell_what_needs_a_restart(const struct config *started, const struct config *next)
{
    struct arena a AUTO(arena_free) = {0};
    const char *what = config_restart_needed(started, next, &a);

    metric_set(metric(METRIC_RESTART_REQUIRED, STR_NULL, STR_NULL), what != NULL);
    if (what)
        log_write(LOG_WARN, "config.restart_required", L_TEXT("key", what),
                  L_TEXT("reason", "the old value stays in force until the next start"), L_END);
}

static void in_force(struct daemon *d, struct config *next)
{
    daemon_make_series(next);
    scheduler_retention(d->scheduler, next->store.retention_ms);
    trainer_reload(d->trainer, next);
    log_configure(&next->log);
    tell_what_needs_a_restart(d->started, next);
    daemon_warn_of_exposure(next);
    pthread_mutex_lock(&d->overview_lock);
    d->overview_config = next;
    pthread_mutex_unlock(&d->overview_lock);
    ref_drop(&d->config->ref);
    d->config = next;
    atomic_store(&health.config_loaded_at, next->loaded_at);
    log_write(LOG_INFO, "config.reloaded", L_STR("file", next->conf.file), L_END);
}

/* Other bands, or other leads of whom a goal is foreseen. */
static bool judges_otherwise(const struct config *was, const struct config *now)
{
    if (!str_eq(was->scorecard.text, now->scorecard.text))
        return true;
    for (int g = 0; g < GOAL_COUNT; g++)
        if (!str_eq(was->goals.of[g].among_text, now->goals.of[g].among_text))
            return true;
    return false;
}

void daemon_reload(struct daemon *d)
{
    struct why why = {0};

    systemd_notify_reloading();
    struct config *next = config_load(d->path, clock_now_ms());
    bool ok = next->problems.n == 0;

    if (!ok)
        log_problems(next);
    else if (hand_over(d, next, &why) != RC_OK)
        ok = false;
    atomic_store(&health.config_ok, ok);
    metric_set(metric(METRIC_RELOAD_SUCCESS, STR_NULL, STR_NULL), ok);
    if (ok) {
        bool other = judges_otherwise(d->config, next);

        in_force(d, next);
        daemon_models_load(d);
        if (other && d->models && models_any(d->models))
            scheduler_rescore(d->scheduler);
    } else {
        log_write(LOG_ERROR, "config.rejected", L_WHY(&why),
                  L_TEXT("hint", "the old configuration stays in force"), L_END);
        ref_drop(&next->ref);
    }
    systemd_notify("READY=1");
}
