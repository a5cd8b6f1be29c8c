/* connectors/probe.h - does what a connector is set up with work? A conversation with its service.
 *
 *     probe_begin() -> probe_next() -> send -> probe_take() -> probe_next() ... -> RC_NONE
 *
 * Pure, as a job is. What becomes known is a list of findings, one for each credential, scope,
 * channel, database, sheet, column and property. Nothing is told or written; what is missing is
 * made only where `create` is set and the service lets us. Slices live in the caller's arena.
 */
#ifndef FUNNELD_CONNECTORS_PROBE_H
#define FUNNELD_CONNECTORS_PROBE_H

#include "funneld/connectors/connector.h"

enum finding_state {
    FINDING_WORKS,
    FINDING_CREATED,
    FINDING_FAILS,
    FINDING_NOT_ASKED, /* it cannot be without doing it; detail says more */
    FINDING_NOT_KNOWN, /* it was asked about, and the answer does not tell; detail says why */
    FINDING_NOT_USED,  /* it is there or not, and left alone; detail says why */
};
const char *finding_state_name(enum finding_state s); /* "works" */

struct finding {
    struct str what; /* "token", "channel C0123456789", "property funneld_score" */
    enum finding_state state;
    struct str detail; /* for people: what is wrong and what to do, or what else is known; missing:
                          nothing */
};

struct probe {
    /* Set by the caller, before probe_begin */
    const struct connector *connector;
    struct arena *arena;
    struct str_list routes;            /* that deliver to it */
    bool enriches;                     /* a source has it asked about its leads */
    bool create;                       /* what is missing */
    bool says_probability, says_churn; /* deliveries bring them: a model is in use */
    /* Set by the caller, before each probe_next */
    int64_t now_ms;

    struct finding *findings;
    size_t n;

    /* The connector's own */
    size_t cap;
    int questions;    /* so far */
    bool over;        /* no more of them */
    bool optional;    /* set with the one under way: nothing depends on it, so take hears of trouble
                         and silence as well, which are no findings by themselves */
    struct str about; /* what the one under way is about */
    int stage;        /* the type's own, 0 at the start */
    size_t at;        /* the same, within the stage */
    void *scratch;
    struct job
        job; /* of one delivery that nobody will see, for those whose questions are a job's */
    struct parcel parcel;
    struct outcome outcome;
    struct lead lead;
};

void probe_begin(struct probe *p);
void probe_end(struct probe *p);
/* RC_NONE: all is known. RC_INVALID: it cannot be asked; why says it, and it is found already. */
MUST_CHECK enum rc probe_next(struct probe *p, struct http_request *ret, struct why *why);
/* Its secrets starred out, as in a job's answers. */
void probe_take(struct probe *p, const struct http_response *r);

#endif
