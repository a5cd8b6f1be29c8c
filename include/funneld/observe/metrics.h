/* observe/metrics.h - the numbers behind /metrics (design 1.5), in Prometheus' text format 0.0.4.
 *
 * A series is made once (at 0) for its labels and then lives as long as the process; its handle
 * is kept by whoever counts. Counting is one relaxed atomic; any thread. Values of labels are
 * escaped when rendered.
 */
#ifndef FUNNELD_OBSERVE_METRICS_H
#define FUNNELD_OBSERVE_METRICS_H

#include <stdint.h>

#include "funneld/base/sbuf.h"
#include "funneld/base/str.h"

/* name, type, label 1, label 2, help */
#define METRIC_LIST(X)                                                                             \
    X(EVENTS_RECEIVED, "funneld_events_received_total", COUNTER, "source", "type",                 \
      "Events committed for the first time.")                                                      \
    X(EVENTS_DUPLICATE, "funneld_events_duplicate_total", COUNTER, "source", NULL,                 \
      "Events that were there already.")                                                           \
    X(EVENTS_UNPROCESSABLE, "funneld_events_unprocessable_total", COUNTER, "source", NULL,         \
      "Events stored raw because they could not be understood.")                                   \
    X(REQUESTS_REJECTED, "funneld_requests_rejected_total", COUNTER, "source", "reason",           \
      "Requests of which nothing was stored.")                                                     \
    X(REQUEST_SECONDS, "funneld_request_seconds", HISTOGRAM, "source", "code",                     \
      "From the end of the request's headers to its answer.")                                      \
    X(CLOCK_SKEW, "funneld_clock_skew_seconds", GAUGE, "source", NULL,                             \
      "How far our clock is ahead of the time that the last request was signed at.")               \
    X(COMMIT_SECONDS, "funneld_commit_seconds", HISTOGRAM, NULL, NULL,                             \
      "One group commit, work included.")                                                          \
    X(COMMIT_EVENTS, "funneld_commit_events", HISTOGRAM, NULL, NULL, "Events in one commit.")      \
    X(DELIVERIES, "funneld_deliveries_total", COUNTER, "connector", "outcome",                     \
      "Ends of deliveries and of their attempts.")                                                 \
    X(DELIVERY_SECONDS, "funneld_delivery_seconds", HISTOGRAM, "connector", NULL,                  \
      "From commit of the event to delivered.")                                                    \
    X(QUEUE_DEPTH, "funneld_queue_depth", GAUGE, "connector", NULL, "Deliveries pending.")         \
    X(QUEUE_OLDEST, "funneld_queue_oldest_seconds", GAUGE, "connector", NULL,                      \
      "Age of the oldest pending delivery.")                                                       \
    X(QUEUE_ETA, "funneld_queue_eta_seconds", GAUGE, "connector", NULL,                            \
      "When the queue will be empty at the pace of late; 0: it is, +Inf: it stands still.")        \
    X(CIRCUIT_OPEN, "funneld_circuit_open", GAUGE, "connector", NULL,                              \
      "Whether the service fails and is only probed.")                                             \
    X(LEADS, "funneld_leads", GAUGE, "band", NULL, "Active leads by band at the last evaluation.") \
    X(RELOAD_SUCCESS, "funneld_config_reload_success", GAUGE, NULL, NULL,                          \
      "Whether the last reload of the configuration worked.")                                      \
    X(RESTART_REQUIRED, "funneld_config_restart_required", GAUGE, NULL, NULL,                      \
      "Whether the file holds changes that need a restart.")                                       \
    X(PROMISE_VIOLATIONS, "funneld_promise_violations", GAUGE, NULL, NULL,                         \
      "Rows of the database that break a promise, as of the last look through all of it.")         \
    X(CERT_EXPIRY, "funneld_tls_certificate_expiry_timestamp_seconds", GAUGE, NULL, NULL,          \
      "End of the certificate's validity.")                                                        \
    X(MODEL_DRIFT, "funneld_model_drift", GAUGE, "name", NULL,                                     \
      "How the model does: 0 not known, 1 it holds, 2 it drifts, 3 it is worse than none.")        \
    X(MODEL_PSI, "funneld_model_psi", GAUGE, "name", "input",                                      \
      "How far an input has moved from what the model learnt: from 0.25 on another population.")   \
    X(MODEL_MATURED, "funneld_model_matured_leads", GAUGE, "name", NULL,                           \
      "Leads whose time is over since the model was trained.")                                     \
    X(MODEL_PREDICTED, "funneld_model_predicted_ratio", GAUGE, "name", NULL,                       \
      "Mean probability that the model gave them.")                                                \
    X(MODEL_OBSERVED, "funneld_model_observed_ratio", GAUGE, "name", NULL,                         \
      "How many of them reached the goal.")                                                        \
    X(MODEL_ECE, "funneld_model_calibration_error", GAUGE, "name", NULL,                           \
      "Expected calibration error over them.")                                                     \
    X(MODEL_INFO, "funneld_model_info", GAUGE, "name", "version",                                  \
      "1 while this model is in service, 0 when another one took its place.")                      \
    X(BUILD_INFO, "funneld_build_info", GAUGE, "version", NULL, "Always 1.")

enum metric {
#define X(id, name, type, l1, l2, help) METRIC_##id,
    METRIC_LIST(X)
#undef X
        METRIC_COUNT
};

struct series;
/* The series for these labels, made at 0 when new. Never NULL. */
struct series *metric(enum metric m, struct str label1, struct str label2);
void metric_add(struct series *s, int64_t n);        /* counters and gauges */
void metric_set(struct series *s, double value);     /* gauges */
void metric_observe(struct series *s, double value); /* histograms */
double metric_value(const struct series *s);         /* counters, gauges; a histogram's count */

/* Everything, process_* included. Content-Type: text/plain; version=0.0.4; charset=utf-8 */
void metrics_render(struct sbuf *b);
void metrics_reset(void); /* tests only: forgets every series */

#endif
