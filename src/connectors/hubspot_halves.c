/* connectors/hubspot_halves.c - whose fault it is when HubSpot refuses a whole batch.
 *
 *     a batch -> answered: the next ones, twice as many
 *             -> refused: half as many, until one is refused alone: that one it is
 */
#include "hubspot_priv.h"

enum { REQUESTS_MAX = 48 }; /* of one job; what is not decided by then is tried another time */

void hubspot_halves_begin(struct hubspot_halves *h, const struct job *job)
{
    *h = (struct hubspot_halves){
        .sent = arena_array(job->arena, job->n, sizeof *h->sent),
        .limit = HUBSPOT_BATCH_MAX,
    };
}

bool hubspot_is_open(const struct job *job, size_t i)
{
    return job->outcomes[i].verdict == VERDICT_NONE;
}

bool hubspot_halves_take(struct hubspot_halves *h, const struct job *job,
                         bool (*takes)(const struct job *job, size_t i))
{
    h->n_sent = 0;
    for (size_t i = 0; i < job->n && h->n_sent < h->limit; i++)
        if (hubspot_is_open(job, i) && takes(job, i))
            h->sent[h->n_sent++] = i;
    return h->n_sent > 0;
}

static bool all_decided(const struct job *job)
{
    for (size_t i = 0; i < job->n; i++)
        if (hubspot_is_open(job, i))
            return false;
    return true;
}

static enum judged go_on(struct hubspot_halves *h, struct job *job)
{
    if (all_decided(job))
        return JUDGED_DONE;
    if (++h->requests < REQUESTS_MAX)
        return JUDGED_CONTINUE;
    return judge_all(job, VERDICT_RETRY,
                     STR("not all of the batch were asked in one go; the rest goes another time"));
}

enum judged hubspot_halves_answered(struct hubspot_halves *h, struct job *job)
{
    h->limit = h->limit < HUBSPOT_BATCH_MAX ? h->limit * 2 : HUBSPOT_BATCH_MAX;
    return go_on(h, job);
}

bool hubspot_is_gone(const struct hubspot_refused *r)
{
    return r->status == 404 || str_is(r->category, "OBJECT_NOT_FOUND");
}

static void judge_gone(struct job *job, size_t i, const struct hubspot_refused *r)
{
    job->outcomes[i].enriched |= r->reads;
    judge_one(job, i, VERDICT_DEAD, r->gone);
}

enum judged hubspot_halves_refused(struct hubspot_halves *h, struct job *job,
                                   const struct hubspot_refused *r)
{
    size_t i = h->sent[0];

    if (h->n_sent > 1)
        h->limit = h->n_sent / 2;
    else if (r->status == 409)
        judge_unclear(job, i, r->reason);
    else if (hubspot_is_gone(r))
        judge_gone(job, i, r);
    else
        judge_one(job, i, VERDICT_DEAD, r->reason);
    return go_on(h, job);
}
