/* observe/health.h - is it alive, ready, well? Written by the threads, read by endpoints.
 *
 * Shared state, all atomic; one per process.
 */
#ifndef FUNNELD_OBSERVE_HEALTH_H
#define FUNNELD_OBSERVE_HEALTH_H

#include <stdatomic.h>
#include <stdint.h>

#include "funneld/base/sbuf.h"

enum store_health { STORE_OK, STORE_FULL, STORE_FAILED };

enum { RESCORED_ALL = 101 };

struct health {
    _Atomic int64_t started_at;  /* Unix ms */
    _Atomic int64_t writer_beat; /* Unix ms of the writer's last turn */
    _Atomic int64_t deliverer_beat;
    atomic_int store;  /* enum store_health */
    atomic_bool ready; /* start is complete */
    atomic_bool stopping;
    _Atomic int64_t config_loaded_at; /* Unix ms */
    atomic_bool config_ok;            /* the last reload worked */
    atomic_int rescored_percent; /* of all leads, by the models in use; RESCORED_ALL: at rest */
};

extern struct health health;

enum health_kind { HEALTH_LIVE, HEALTH_READY, HEALTH_PUBLIC, HEALTH_DETAILED };
/* Writes the JSON body; returns the HTTP status, 200 or 503. A thread whose beat is older than
 * 10 s is stuck. */
int health_render(enum health_kind kind, int64_t now_ms, struct sbuf *b);

#endif
