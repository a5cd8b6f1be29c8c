/* app/status.c - one screen: health, queue per connector. */
#include "daemon_priv.h"

#include <math.h>

#include "funneld/app/control.h"
#include "funneld/base/clock.h"
#include "funneld/base/json.h"
#include "funneld/observe/health.h"
#include "funneld/observe/log.h"
#include "funneld/observe/metrics.h"

/* What the delivery thread sees coming; null: that it never ends like this, or nobody looks. */
static void outlook(struct str name, bool running, struct sbuf *b)
{
    double eta = metric_value(metric(METRIC_QUEUE_ETA, name, STR_NULL));

    json_key(b, "eta_seconds");
    if (running && isfinite(eta))
        json_int(b, (int64_t)ceil(eta));
    else
        json_null(b);
    json_key(b, "circuit_open");
    json_bool(b, metric_value(metric(METRIC_CIRCUIT_OPEN, name, STR_NULL)) > 0);
}

static void connector_status(const struct connector *k, struct reader *reader, bool running,
                             int64_t now_ms, struct sbuf *b)
{
    int64_t depth = 0, oldest = 0;
    bool paused = false;

    if (reader && read_queue(reader, k->name, &depth, &oldest) != RC_OK)
        depth = oldest = 0; /* shown as empty; the store's failure is in the status */
    if (reader && read_paused(reader, k->name, &paused) != RC_OK)
        paused = false;
    json_open(b, '{');
    json_kv(b, "name", k->name);
    json_kv_text(b, "type", k->type->name);
    json_kv_int(b, "depth", depth);
    json_kv_int(b, "oldest_seconds", depth && now_ms > oldest ? (now_ms - oldest) / 1000 : 0);
    json_key(b, "paused");
    json_bool(b, paused);
    outlook(k->name, running, b);
    json_close(b, '}');
}

static bool healthy(int64_t now_ms)
{
    struct sbuf unread AUTO(sbuf_free) = SBUF(256);

    return health_render(HEALTH_READY, now_ms, &unread) == 200;
}

static void model_status(void *self, const struct model_record *m)
{
    struct sbuf *b = self;

    if (!m->active)
        return;
    json_open(b, '{');
    json_kv_text(b, "goal", goal_name((enum model_goal)m->goal));
    json_kv(b, "name", m->name);
    json_kv_int(b, "version", m->version);
    json_close(b, '}');
}

/* rescored_percent: how far all leads were looked at again; null: none is left to be. */
static void models_status(struct reader *reader, bool running, struct sbuf *b)
{
    int percent = atomic_load(&health.rescored_percent);

    json_key(b, "models");
    json_open(b, '[');
    if (reader)
        rc_ignored(read_models(reader, model_status, b)); /* shown as none */
    json_close(b, ']');
    json_key(b, "rescored_percent");
    if (running && percent != RESCORED_ALL)
        json_int(b, percent);
    else
        json_null(b);
}

void status_write(const struct config *c, struct reader *reader, bool running, int64_t now_ms,
                  struct sbuf *b)
{
    json_open(b, '{');
    json_kv_text(b, "status", !running ? "down" : healthy(now_ms) ? "pass" : "fail");
    json_kv_text(b, "version", FUNNELD_VERSION);
    json_kv_int(b, "uptime_seconds",
                running ? (now_ms - atomic_load(&health.started_at)) / 1000 : 0);
    json_key(b, "connectors");
    json_open(b, '[');
    for (size_t i = 0; i < c->n_connectors; i++)
        connector_status(&c->connectors[i], reader, running, now_ms, b);
    json_close(b, ']');
    models_status(reader, running, b);
    json_key(b, "config");
    json_open(b, '{');
    json_kv_time(b, "loaded_at", c->loaded_at);
    json_key(b, "ok");
    json_bool(b, running ? atomic_load(&health.config_ok) : c->problems.n == 0);
    json_close(b, '}');
    json_close(b, '}');
}

void daemon_log_summary(struct daemon *d)
{
    int64_t now = clock_now_ms();

    log_write(LOG_INFO, "status", L_TEXT("status", healthy(now) ? "pass" : "fail"),
              L_INT("uptime_seconds", (now - atomic_load(&health.started_at)) / 1000), L_END);
    pthread_mutex_lock(&d->overview_lock);
    for (size_t i = 0; i < d->config->n_connectors; i++) {
        int64_t depth = 0, oldest = 0;
        struct str name = d->config->connectors[i].name;

        if (read_queue(d->overview_reader, name, &depth, &oldest) == RC_OK)
            log_write(LOG_INFO, "status.connector", L_STR("connector", name), L_INT("depth", depth),
                      L_INT("oldest_seconds", depth ? (now - oldest) / 1000 : 0), L_END);
    }
    pthread_mutex_unlock(&d->overview_lock);
}
