/* tests/sim/net_priv.h - requests on their way, and what is planned for each. */
#ifndef FUNNELD_SIM_NET_PRIV_H
#define FUNNELD_SIM_NET_PRIV_H

#include "net.h"
#include "oracle_priv.h"

enum { CALLS = 256, ANSWER_MAX = 1 << 20 };

struct call {
    bool used, waits; /* waits: the daemon is to hear the answer */
    void *tag;
    struct arena arena;
    enum service service;
    struct str method, path, query, body;
    const char *command; /* of a mail: what the reply is to */
    size_t doubts;
    bool jumped, repeatable;
    int64_t serve_at, answer_at; /* INT64_MAX: never, done */
    enum http_fate fate;
    int status; /* of the answer; 0: what the service says */
    int64_t retry_after_ms;
    struct str text;
};

struct net {
    uint64_t chance;
    int64_t now;
    struct call calls[CALLS];
    struct call *taken; /* its answer is being read */
    enum net_mood moods[SERVICES];
    bool refused[SERVICES];
    size_t ends, doubts[DELIVERIES];
    enum { GOES_ON, PAUSED_SOON, PAUSED } paused[SERVICES];
};
extern struct net net;

/* work_ms: how long a service may work on a request whose answer nobody gets. */
struct net_service {
    const char *name, *host;
    serve *serve;
    int64_t work_ms;
    int refusal;
    const char *refuses;
};
extern const struct net_service net_services[SERVICES];

/* net_plan.c: when the service does it (or never), and what the daemon hears when. Returns its name
 * in words; *ret_lost: the answer is. */
const char *net_plan(struct call *c, int64_t timeout, bool *ret_lost);

#endif
