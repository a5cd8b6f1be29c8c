/* connectors/hubspot_judge.c - what HubSpot's answers mean, whatever was asked. */
#include "hubspot_priv.h"

#include "funneld/base/clock.h"

/* 429 without Retry-After: the interval of the rolling limit, a little stretched. The daily one
 * ends at midnight in a time zone that we do not know: ask again every hour. */
#define INTERVAL_PAUSE_MS  (11 * SECONDS_MS)
#define DAILY_PAUSE_MS     (1 * HOURS_MS)
#define LOCKED_PAUSE_MS    (2 * SECONDS_MS)
#define MIGRATION_PAUSE_MS (1 * MINUTES_MS)

const char hubspot_not_ours[] = "the lead is no contact of this HubSpot account";
const char hubspot_gone[] = "no such contact: it was deleted or merged";
const char hubspot_odd[] = "HubSpot's answer is not what it documents";

/* Elements */

bool hubspot_is_list(const json *answer)
{
    return json_type(json_get(answer, "results")) == JSON_ARRAY;
}

const json *hubspot_find_result(const json *results, int64_t crm_id)
{
    for (const json *r = json_first(results); r; r = json_next(r)) {
        int64_t id;

        if (json_int64(json_get(r, "id"), &id) && id == crm_id)
            return r;
    }
    return NULL;
}

/* One id or a list of them. */
static bool names(const json *ids, int64_t crm_id)
{
    int64_t id;

    if (json_int64(ids, &id))
        return id == crm_id;
    for (const json *i = json_first(ids); i; i = json_next(i))
        if (json_int64(i, &id) && id == crm_id)
            return true;
    return false;
}

const json *hubspot_find_error(const json *errors, int64_t crm_id)
{
    for (const json *e = json_first(errors); e; e = json_next(e))
        if (names(json_path(e, "context.ids"), crm_id) ||
            names(json_path(e, "context.objectWriteTraceId"), crm_id))
            return e;
    return NULL;
}

/* A property that is not there is no fault of this contact: it would be so for every one. */
bool hubspot_lacks_property(struct str text)
{
    return str_find(text, STR("PROPERTY_DOESNT_EXIST")) != NULL;
}

static struct str missing_property(struct job *job, struct str what)
{
    const struct hubspot_talk *talk = hubspot_talk_of(&job->parcels[0]);

    job->broken = !talk->aside;
    return arena_printf(job->arena, "%s (%.*s)", talk->property_advice, STR_ARG(what));
}

void hubspot_judge_element(struct job *job, size_t i, const json *error)
{
    struct str category = json_string(json_get(error, "category"));
    struct str message = json_string(json_get(error, "message"));
    struct str reason = arena_printf(job->arena, "%.*s: %.*s", STR_ARG(str_cut(category, 64)),
                                     STR_ARG(str_cut(message, 200)));

    if (hubspot_lacks_property(message))
        judge_one(job, i, VERDICT_RETRY, missing_property(job, reason));
    else if (str_is(category, "OBJECT_NOT_FOUND"))
        judge_one(job, i, VERDICT_DEAD, str_of(hubspot_gone));
    else if (str_is(category, "VALIDATION_ERROR"))
        judge_one(job, i, VERDICT_DEAD, reason);
    else if (str_is(category, "RATE_LIMITS")) /* that never kills */
        judge_one(job, i, VERDICT_RETRY, reason);
    else
        judge_unclear(job, i, reason);
}

/* Refusals */

struct refusal {
    struct str category, what; /* what: the status and HubSpot's message, for people */
    bool is_hubspots;          /* it is JSON: nothing that stands in front of HubSpot */
    bool missing_property;
};

static struct refusal read_refusal(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct refusal ret = {.what = http_reason(r, job->arena)};

    if (!answer_object(r, &doc))
        return ret;
    struct str message = json_string(json_get(doc.root, "message"));
    struct str id = json_string(json_get(doc.root, "correlationId"));
    ret.is_hubspots = true;
    ret.category = arena_str(job->arena, json_string(json_get(doc.root, "category")));
    ret.missing_property = hubspot_lacks_property(r->body);
    if (message.len)
        ret.what =
            arena_printf(job->arena, "HTTP %d: %.*s", r->status, STR_ARG(str_cut(message, 200)));
    if (id.len)
        ret.what = arena_printf(job->arena, "%.*s, correlation id %.*s", STR_ARG(ret.what),
                                STR_ARG(str_cut(id, 64)));
    return ret;
}

/* The service as it is configured: what a person must mend before anything gets through. */
static const struct {
    int status;
    const char *advice;
} broken[] = {
    {401, "the token is not valid: put a new one into the connector's `token`"},
    {403, "the token lacks a scope: the private app needs"},
    {404, "HubSpot does not know this address: check the connector's `url`"},
    {405, "HubSpot does not take this request: check the connector's `url`"},
};

static const char *broken_advice(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        if (broken[i].status == status)
            return broken[i].advice;
    return NULL;
}

static struct str broken_reason(const struct job *job, int status, const struct refusal *f)
{
    const char *scope = status == 403 ? hubspot_talk_of(&job->parcels[0])->scope : "";

    return arena_printf(job->arena, "%s%s%s (%.*s)", broken_advice(status), *scope ? " " : "",
                        scope, STR_ARG(f->what));
}

/* All fields of a refusal are optional. */
static bool is_of_inputs(const struct job *job, int status, const struct refusal *f)
{
    const struct hubspot_talk *talk = hubspot_talk_of(&job->parcels[0]);

    if (status != 404 || str_is(f->category, "OBJECT_NOT_FOUND"))
        return status == 400 || status == 404 || status == 409;
    return f->is_hubspots && !f->category.len && talk->names_one && talk->names_one(job);
}

static enum judged judge_refusal(struct job *job, const struct http_response *r)
{
    const struct hubspot_talk *talk = hubspot_talk_of(&job->parcels[0]);
    struct refusal f = read_refusal(job, r);
    struct str reason =
        arena_printf(job->arena, "HubSpot refuses the request (%.*s)", STR_ARG(f.what));

    if (f.missing_property && talk->without && talk->without(job, r->body))
        return judge_settled(job);
    if (f.missing_property)
        return judge_all(job, talk->aside ? VERDICT_DEAD : VERDICT_RETRY,
                         missing_property(job, f.what));
    if (talk->refused && is_of_inputs(job, r->status, &f))
        return talk->refused(job, r->status, f.category, reason);
    if (talk->aside && broken_advice(r->status) && r->status != 401)
        return judge_all(job, VERDICT_DEAD, broken_reason(job, r->status, &f));
    if (broken_advice(r->status))
        return judge_broken(job, broken_reason(job, r->status, &f));
    if (r->status == 400 || r->status == 414 || r->status == 415)
        return judge_all(job, VERDICT_DEAD, reason);
    return judge_unknown(job, arena_printf(job->arena,
                                           "HubSpot answers what it does not document"
                                           " (%.*s)",
                                           STR_ARG(f.what)));
}

/* Limits */

static bool kept_number(const struct http_response *r, const char *name, int64_t *ret)
{
    return str_int64(http_kept(r, name), ret) && *ret >= 0;
}

/* Of the day's requests, which others of the account need as well, the last tenth is spread over
 * the hours that it may have to last. */
static void learn_day(const struct http_response *r, struct quota_left *left)
{
    int64_t day, rest;

    if (!kept_number(r, "X-HubSpot-RateLimit-Daily", &day) ||
        !kept_number(r, "X-HubSpot-RateLimit-Daily-Remaining", &rest) || rest >= day / 10)
        return;
    left->requests = rest / 24;
    left->window_ms = DAILY_PAUSE_MS;
}

static void learn(struct job *job, const struct http_response *r)
{
    const struct hubspot *s = job->settings;
    struct quota_left left = {.key = quota_key(s->token, "app")};

    if (!kept_number(r, "X-HubSpot-RateLimit-Remaining", &left.requests) ||
        !kept_number(r, "X-HubSpot-RateLimit-Interval-Milliseconds", &left.window_ms))
        left.window_ms = 0;
    learn_day(r, &left);
    if (left.window_ms > 0 && left.window_ms <= DAYS_MS)
        job->left = left;
}

static enum judged judge_quota(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool daily =
        answer_object(r, &doc) && str_is(json_string(json_get(doc.root, "policyName")), "DAILY");

    job_rest(job, r, daily ? DAILY_PAUSE_MS : INTERVAL_PAUSE_MS);
    return judge_all(job, VERDICT_RETRY,
                     daily ? STR("HubSpot's daily limit of requests is used up")
                           : STR("HubSpot's limit of requests in ten seconds is used up"));
}

static enum judged judge_taken(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (!answer_object(r, &doc))
        return judge_all(job, VERDICT_RETRY, str_of(hubspot_odd));
    return hubspot_talk_of(&job->parcels[0])->answered(job, doc.root);
}

enum judged hubspot_judge(struct job *job, const struct http_response *r)
{
    learn(job, r);
    if (r->status == 200 || r->status == 207)
        return judge_taken(job, r);
    if (r->status == 429)
        return judge_quota(job, r);
    if (r->status == 423 || r->status == 477) {
        job_rest(job, r, r->status == 423 ? LOCKED_PAUSE_MS : MIGRATION_PAUSE_MS);
        return judge_all(job, VERDICT_RETRY, http_reason(r, job->arena));
    }
    if (status_is_temporary(r->status))
        return judge_all(job, VERDICT_RETRY, http_reason(r, job->arena));
    if (r->status >= 300 && r->status < 400)
        return judge_redirect(job, r);
    return judge_refusal(job, r);
}
