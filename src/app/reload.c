/* app/reload.c - SIGHUP: a new configuration for every part, or the old one for all. */
#include "daemon_priv.h"

#include "funneld/base/clock.h"
#include "funneld/observe/health.h"
#include "funneld/observe/metrics.h"
#include "systemd.h"

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

static struct sites *sites_of(struct config *c)
{
    (void)ref_take(&c->ref);
    return &c->sites;
}

/* The server first: it is the one that can refuse (a key that does not match). */
static enum rc hand_over(struct daemon *d, struct config *next, struct why *why)
{
    enum rc rc = server_reload(d->server, sites_of(next), why);

    if (rc != RC_OK) {
        ref_drop(&next->ref);
        return why_wrap(rc, why, "certificates");
    }
    (void)ref_take(&next->ref); /* the writer's */
    rc = daemon_command(d, COMMAND_RULES, &next->rules, NULL, NULL, why);
    if (rc != RC_OK) {
        struct why ignored;

        if (rc != RC_TIMEOUT) /* else the writer may yet take them */
            ref_drop(&next->ref);
        if (server_reload(d->server, sites_of(d->config), &ignored) != RC_OK)
            ref_drop(&d->config->ref); /* the files changed meanwhile: the new pair stays */
        return why_wrap(rc, why, "the store could not take the new rules");
    }
    (void)ref_take(&next->ref); /* the deliverer's */
    deliverer_reload(d->deliverer, &next->lanes);
    return RC_OK;
}

/* What cannot change while running keeps its old value, in the new configuration as well. */
static void keep_what_needs_a_restart(const struct config *running, struct config *next)
{
    struct arena a AUTO(arena_free) = {0};
    const char *what = config_restart_needed(running, next, &a);

    metric_set(metric(METRIC_RESTART_REQUIRED, STR_NULL, STR_NULL), what != NULL);
    if (what)
        log_write(LOG_WARN, "config.restart_required", L_TEXT("key", what),
                  L_TEXT("reason", "the old value stays in force until the next start"), L_END);
}

static void in_force(struct daemon *d, struct config *next)
{
    struct why why = {0};

    daemon_make_series(next);
    log_configure(&next->log);
    keep_what_needs_a_restart(d->config, next);
    if (daemon_command(d, COMMAND_CALL, &next->store, set_limits, NULL, &why) != RC_OK)
        log_write(LOG_WARN, "config.limits", L_WHY(&why), L_END);
    pthread_mutex_lock(&d->overview_lock);
    d->overview_config = next;
    pthread_mutex_unlock(&d->overview_lock);
    ref_drop(&d->config->ref);
    d->config = next;
    atomic_store(&health.config_loaded_at, next->loaded_at);
    log_write(LOG_INFO, "config.reloaded", L_STR("file", next->conf.file), L_END);
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
        in_force(d, next);
    } else {
        log_write(LOG_ERROR, "config.rejected", L_WHY(&why),
                  L_TEXT("hint", "the old configuration stays in force"), L_END);
        ref_drop(&next->ref);
    }
    systemd_notify("READY=1");
}
