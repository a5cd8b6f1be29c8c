/* pool.h - HubSpot webhooks signed beforehand, so that a timed run only sends.
 *
 * Every event is another fact: each run goes through the contacts in a scattered order of its own,
 * so that no lead's row lies beside the one before, and times differ from one run to the next.
 * Signatures hold for five minutes.
 */
#ifndef FUNNELD_BENCH_POOL_H
#define FUNNELD_BENCH_POOL_H

#include "funneld/base/mem.h"
#include "funneld/base/str.h"

#define POOL_SECRET     "bench-client-secret"
#define POOL_PUBLIC_URL "https://hooks.example.com"
#define POOL_PATH       "/webhooks/hubspot"

struct signed_request {
    struct str wire; /* as it is sent: head and body */
    struct str body, timestamp, signature;
};

struct pool {
    struct arena arena;
    struct signed_request *requests;
    size_t n, body_bytes; /* of all bodies */
};

struct pool_plan {
    size_t requests;
    size_t batch;      /* events in each */
    uint32_t contacts; /* at least, whom the events are of; 0: 100,000 */
    int64_t now_ms;    /* when they are signed; events happened shortly before */
    const char *path;  /* of another server, signed GitHub's way as well; NULL: POOL_PATH */
};

void pool_make(struct pool *p, const struct pool_plan *plan);
void pool_free(struct pool *p);

#endif
