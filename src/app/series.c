/* app/series.c - the metrics that follow from the configuration, and those read on demand. */
#include "daemon_priv.h"

#include "funneld/base/clock.h"
#include "funneld/observe/metrics.h"

static void source_series(struct str name)
{
    for (size_t i = 0; i < n_known_event_types; i++)
        (void)metric(METRIC_EVENTS_RECEIVED, name, str_of(known_event_types[i]));
    (void)metric(METRIC_EVENTS_RECEIVED, name, STR("other"));
    (void)metric(METRIC_EVENTS_DUPLICATE, name, STR_NULL);
    (void)metric(METRIC_EVENTS_UNPROCESSABLE, name, STR_NULL);
}

static void connector_series(struct str name)
{
    static const char *const outcomes[] = {"delivered", "retried", "dead", "superseded",
                                           "cancelled"};

    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
        (void)metric(METRIC_DELIVERIES, name, str_of(outcomes[i]));
    (void)metric(METRIC_DELIVERY_SECONDS, name, STR_NULL);
    (void)metric(METRIC_QUEUE_DEPTH, name, STR_NULL);
    (void)metric(METRIC_QUEUE_OLDEST, name, STR_NULL);
    (void)metric(METRIC_QUEUE_ETA, name, STR_NULL);
    (void)metric(METRIC_CIRCUIT_OPEN, name, STR_NULL);
}

void daemon_make_series(const struct config *c)
{
    for (size_t i = 0; i < c->n_sources; i++)
        source_series(c->sources[i].name);
    for (size_t i = 0; i < c->n_connectors; i++) {
        connector_series(c->connectors[i].name);
        if (c->connectors[i].type->enriches) /* its answers come in as events */
            source_series(c->connectors[i].name);
    }
    (void)metric(METRIC_COMMIT_SECONDS, STR_NULL, STR_NULL);
    (void)metric(METRIC_COMMIT_EVENTS, STR_NULL, STR_NULL);
    metric_set(metric(METRIC_RELOAD_SUCCESS, STR_NULL, STR_NULL), 1);
    (void)metric(METRIC_RESTART_REQUIRED, STR_NULL, STR_NULL);
    (void)metric(METRIC_PROMISE_VIOLATIONS, STR_NULL, STR_NULL);
    metric_set(metric(METRIC_BUILD_INFO, STR(FUNNELD_VERSION), STR_NULL), 1);
}

static void queue_series(struct reader *reader, struct str name, int64_t now_ms)
{
    int64_t depth = 0, oldest = 0;

    if (read_queue(reader, name, &depth, &oldest) != RC_OK)
        return; /* the last known values stand; the store's health says what is wrong */
    double age = depth ? (double)(now_ms - oldest) / 1000 : 0;
    metric_set(metric(METRIC_QUEUE_DEPTH, name, STR_NULL), (double)depth);
    metric_set(metric(METRIC_QUEUE_OLDEST, name, STR_NULL), age > 0 ? age : 0);
}

void daemon_overview(void *daemon)
{
    struct daemon *d = daemon;

    pthread_mutex_lock(&d->overview_lock);
    for (size_t i = 0; i < d->overview_config->n_connectors; i++)
        queue_series(d->overview_reader, d->overview_config->connectors[i].name, clock_now_ms());
    pthread_mutex_unlock(&d->overview_lock);
}
