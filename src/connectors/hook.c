/* connectors/hook.c - addresses, doubts and verdicts of what is posted to an address. */
#include "hook_priv.h"

#include "funneld/base/clock.h"
#include "funneld/base/url.h"

#define QUOTA_PAUSE_MS   (60 * SECONDS_MS) /* 429 without Retry-After */
#define GATEWAY_PAUSE_MS (5 * SECONDS_MS)
#define MISSING_MS       (3 * DAYS_MS)

/* A clock that jumps ahead makes three days out of nothing, but no tries. */
enum { MISSING_TRIES = 10 };

const char *const hook_doubts[] = {"resend", "drop", NULL};

void hook_check_url(struct str text, const struct conf_section *section,
                    struct conf_problems *problems)
{
    const struct conf_entry *e = conf_find(section, "url");
    struct url url;

    if (!text.len) /* required: that is said already */
        return;
    /* No text of url_parse: it may hold the address, which is a secret. */
    if (url_parse(text, &url, NULL))
        conf_problem(problems, section, e, "write the whole address, as in https://example.com/in",
                     "the url is no address");
    else if (str_is(url.scheme, "http") && !host_is_loopback(url.host))
        conf_problem(problems, section, e, "https://...",
                     "the url may be http:// on this machine only");
}

enum rc hook_begin(const struct job *job, int64_t on_ambiguous, struct why *why)
{
    if (job->look && on_ambiguous == HOOK_DOUBT_DROP)
        return why_fail(RC_INVALID, why,
                        "the message may have arrived; on_ambiguous = drop does not repeat it");
    return RC_OK;
}

static const struct hook_status *find(const struct hook_status table[], size_t n, int status)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].status == status)
            return &table[i];
    return NULL;
}

/* A gateway that gave up waiting does not know whether the message got through behind it. */
static enum judged throttled(struct job *job, const struct http_response *r, struct str reason,
                             enum hook_rest rest)
{
    bool quota = r->status == 429;

    if (rest == HOOK_REST_LANE)
        job_rest(job, r, quota ? QUOTA_PAUSE_MS : GATEWAY_PAUSE_MS);
    return judge_all(job, quota ? VERDICT_RETRY : VERDICT_AMBIGUOUS, reason);
}

/* After days in which nobody could be asked, one 404 says nothing yet. */
static bool missing_for_days(const struct job *job)
{
    const struct delivery *d = &job->parcels[0].d;

    return d->unclear >= MISSING_TRIES && job->now_ms - d->created_at >= MISSING_MS;
}

static enum judged missing(struct job *job, struct str reason)
{
    job->outcomes[0].unclear = true;
    return judge_all(job, VERDICT_RETRY, reason);
}

static enum judged gone(struct job *job, struct str reason)
{
    job->outcomes[0].target_gone = true;
    return judge_all(job, VERDICT_DEAD, reason);
}

static enum judged judge_failure(struct job *job, const struct http_response *r,
                                 const struct hook_status *s, enum hook_rest rest)
{
    struct str reason = http_reason(r, job->arena);

    if (!s && r->status < 400)
        return judge_all(
            job, VERDICT_RETRY,
            arena_printf(job->arena, "HTTP %d: it redirects, which is not followed", r->status));
    if (!s)
        return judge_all(job, VERDICT_RETRY, reason);
    if (s->class == HOOK_THROTTLE)
        return throttled(job, r, reason, rest);
    if (s->class == HOOK_MISSING && !missing_for_days(job))
        return missing(job, reason);
    reason = arena_printf(job->arena, "%.*s%s", STR_ARG(reason), s->advice);
    return s->class == HOOK_DEAD ? judge_all(job, VERDICT_DEAD, reason) : gone(job, reason);
}

enum judged hook_judge(struct job *job, const struct http_response *r,
                       const struct hook_status table[], size_t n, enum hook_rest rest)
{
    if (r->status >= 200 && r->status <= 299)
        return judge_all(job, VERDICT_DELIVERED, STR_NULL);
    return judge_failure(job, r, find(table, n, r->status), rest);
}
