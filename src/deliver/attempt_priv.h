/* deliver/attempt_priv.h - one attempt: a connector's job from its first request to the verdicts
 * that are committed.
 *
 *              +---------------------- judge: continue ----------------------+
 *              v                                                             |
 *   READY -> build -> (not repeatable, first time) MARKING -> transport SENT +-> REPORTING -> gone
 *     waits for the rate                 |                                        ^  |
 *                                        +-> not stored: rows go back, gone       +--+ UNREPORTED
 *                                                                              not stored: again in
 * 1 s
 *
 * Of its deliveries nothing else happens in the lane until it is gone. The delivery thread owns
 * it, except that the writer holds `mark` or `report` while MARKING or REPORTING.
 */
#ifndef FUNNELD_DELIVER_ATTEMPT_H
#define FUNNELD_DELIVER_ATTEMPT_H

#include "funneld/deliver/deliverer.h"
#include "governor_priv.h"
#include "lane_priv.h"

enum attempt_state {
    ATTEMPT_READY,
    ATTEMPT_MARKING,
    ATTEMPT_SENT,
    ATTEMPT_REPORTING,
    ATTEMPT_UNREPORTED,
};

/* What comes through the deliverer's mailbox. */
enum post_kind { POST_ROW, POST_LANES, POST_WORK_DONE };
struct post {
    struct mail mail; /* first: a mail is a post */
    enum post_kind kind;
};

struct attempt {
    struct attempt *next, *prev;
    struct engine *engine;
    struct lane *lane;
    struct line *line; /* all its deliveries are of this one */
    struct lanes by;   /* as they were when it began; holds a reference */
    const struct connector *connector;
    struct session *session;
    struct arena arena;
    struct job job;
    struct parcel *parcels; /* job.parcels, until the job begins */
    struct http_request request;
    enum attempt_state state;
    int64_t started_at, wake_at; /* wake_at: READY and UNREPORTED only */
    int64_t marked_at;           /* 0: it is not on disk that the attempt began */
    bool may_have_acted;         /* not repeatable, it left, and nobody said what it did */
    int steps, status;
    struct str answer;               /* of the last request, how it began; in the arena */
    int64_t retry_after_ms;          /* of the last answer; -1: none */
    struct quota quotas[QUOTAS_MAX]; /* that the last request drew from */
    size_t n_quotas;
    enum attempt_health health; /* as the last answer says */
    struct attempts mark;
    struct verdicts report;
    struct post post; /* says in the mailbox that the writer has done mark or report */
};

/* What an attempt needs of the deliverer; also the head of struct deliverer. */
struct engine {
    struct deliver_ports ports;
    struct mailbox *mailbox;
    struct lanes lanes;
    uint64_t random;
    struct attempt *attempts;
    struct governor governor;
    struct trusted_time trusted;
    int64_t trusted_ms;               /* as of this step: by what a delivery is too old */
    bool store_closed;                /* nothing can be recorded any more, so nothing may begin */
    void (*posted)(struct engine *e); /* from the writer's thread: the mailbox has something */
};

/* gather.c: an attempt at the heads of the lane that are due; NULL: none after all. */
struct attempt *attempt_gather(struct engine *e, struct lane *lane, int64_t now_ms);

/* attempt.c */
struct attempt *attempt_new(struct engine *e, struct lane *lane, struct line *line, size_t room,
                            int64_t now_ms);
void attempt_begin(struct attempt *a, int64_t now_ms);
void attempt_answered(struct attempt *a, const struct http_response *r, int64_t now_ms);
void attempt_work_done(struct attempt *a, int64_t now_ms);
void attempt_resume(struct attempt *a, int64_t now_ms); /* wake_at has come */
/* At the end of the process: one that waits for its next request ends without a trace, unless the
 * disk says that it began. */
bool attempt_give_way(struct attempt *a, int64_t now_ms);
bool attempt_sleeps(const struct attempt *a);
void attempt_free(struct attempt *a);

/* verdict.c: from outcomes to what is stored, and from what was stored to what is next. */
void attempt_settle(struct attempt *a, int64_t now_ms); /* fills report */
void attempt_recorded(struct attempt *a, int64_t now_ms);
/* What is to be said of a parcel without a verdict when the conversation breaks off. */
enum verdict attempt_doubt(const struct attempt *a);

#endif
