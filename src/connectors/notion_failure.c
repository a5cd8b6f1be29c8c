/* connectors/notion_failure.c - what Notion's refusals and troubles mean.
 *
 * Only a create, or an entry appended to a page's log, may have happened without our knowing; every
 * other request is just repeated.
 */
#include "notion_priv.h"

#include "funneld/base/clock.h"

#define QUOTA_PAUSE_MS (10 * SECONDS_MS) /* 429 or 529 without Retry-After */
#define EDGE_PAUSE_MS  (30 * SECONDS_MS) /* HTML from the edge in front of Notion */

enum notion_class {
    NOTION_UNKNOWN,
    NOTION_DEAD,   /* this will never be taken */
    NOTION_RETRY,  /* not done */
    NOTION_UNSURE, /* perhaps done */
    NOTION_BROKEN, /* nothing will be taken until a person mends it */
};

static const struct notion_error {
    const char *code;
    enum notion_class class;
    const char *advice;
} notion_errors[] = {
    {"invalid_json", NOTION_DEAD, ""},
    {"invalid_request_url", NOTION_DEAD, "; check the connector's `version` and `url`"},
    {"invalid_request", NOTION_DEAD, ""},
    {"missing_version", NOTION_BROKEN, "; check the connector's `version`"},
    {"validation_error", NOTION_DEAD, ""},
    {"invalid_grant", NOTION_BROKEN, "; check the connector's token"},
    {"unauthorized", NOTION_BROKEN, "; check the connector's token"},
    {"restricted_resource", NOTION_BROKEN,
     "; the integration must be allowed to read, insert and update content"},
    {"object_not_found", NOTION_BROKEN,
     "; share the database with the integration (Connections) and check its id"},
    {"conflict_error", NOTION_RETRY, ""},
    {"rate_limited", NOTION_RETRY, ""},
    {"service_overload", NOTION_RETRY, ""},
    {"internal_server_error", NOTION_UNSURE, ""},
    {"bad_gateway", NOTION_UNSURE, ""},
    {"gateway_timeout", NOTION_UNSURE, ""},
    {"service_unavailable", NOTION_UNSURE, ""},
    {"database_connection_unavailable", NOTION_UNSURE, ""},
};

static enum verdict unless_done(const struct job *job)
{
    return job->step == NOTION_STEP_CREATE || job->step == NOTION_STEP_APPEND_LOG
               ? VERDICT_AMBIGUOUS
               : VERDICT_RETRY;
}

/* Neither Notion's JSON nor its request id: the edge in front of it. Its 403 is no permission. */
static enum judged judge_edge(struct job *job, const struct http_response *r)
{
    struct str reason = http_reason(r, job->arena);

    if (status_is_temporary(r->status) && r->status != 408)
        return judge_all(job, unless_done(job), reason);
    if (r->status < 300)
        return judge_all(job, unless_done(job), STR("Notion's answer is not what it documents"));
    if (r->status < 400)
        return judge_broken(job, redirect_reason(r, job->arena));
    job_rest(job, r, EDGE_PAUSE_MS);
    return judge_all(job, VERDICT_RETRY, reason);
}

/* A free workspace takes so many blocks and no more; under which code is not documented. */
static bool says_full(const struct job *job, const struct http_response *r, struct str message)
{
    struct str words = text_lower(str_cut(message, 500), job->arena);

    return r->status >= 400 && r->status < 500 && str_find(words, STR("block")) &&
           str_find(words, STR("limit")) &&
           (str_find(words, STR("plan")) || str_find(words, STR("workspace")));
}

static const struct notion_error *error_of(const struct job *job, const struct http_response *r,
                                           struct str code, struct str message)
{
    static const struct notion_error full = {
        "", NOTION_BROKEN,
        "; the workspace takes no more blocks: a larger plan, or another workspace, is needed"};
    static const struct notion_error passing = {"", NOTION_UNSURE, ""};
    static const struct notion_error unknown = {"", NOTION_UNKNOWN, ""};

    if (says_full(job, r, message))
        return &full;
    for (size_t i = 0; i < ARRAY_LEN(notion_errors); i++)
        if (str_is(code, notion_errors[i].code))
            return &notion_errors[i];
    return status_is_temporary(r->status) ? &passing : &unknown;
}

static struct str error_reason(const json *answer, const char *advice, struct arena *a)
{
    struct str code = json_string(json_get(answer, "code"));
    struct str message = str_cut(json_string(json_get(answer, "message")), 300);
    struct str id = str_cut(json_string(json_get(answer, "request_id")), 64);

    if (!id.len)
        return arena_printf(a, "%.*s: %.*s%s", STR_ARG(code), STR_ARG(message), advice);
    return arena_printf(a, "%.*s: %.*s%s (request id %.*s)", STR_ARG(code), STR_ARG(message),
                        advice, STR_ARG(id));
}

static enum judged judge_code(struct job *job, const struct http_response *r, const json *answer)
{
    const struct notion_error *e = error_of(job, r, json_string(json_get(answer, "code")),
                                            json_string(json_get(answer, "message")));
    struct str reason = error_reason(answer, e->advice, job->arena);
    bool is_of_all = job->step < NOTION_STEP_CREATE;

    if (e->class == NOTION_RETRY)
        return judge_all(job, VERDICT_RETRY, reason);
    if (e->class == NOTION_UNSURE)
        return judge_all(job, unless_done(job), reason);
    if (e->class == NOTION_BROKEN || is_of_all)
        return judge_broken(job, reason);
    return e->class == NOTION_DEAD ? judge_all(job, VERDICT_DEAD, reason)
                                   : judge_unknown(job, reason);
}

/* The schema may have changed under us: read it again, once per job, and do the same again. */
static bool refresh(struct job *job, struct str code)
{
    struct notion_session *n = job->session;
    struct notion_talk *talk = job->scratch;
    bool stale = str_is(code, "validation_error") || str_is(code, "object_not_found");

    if (!stale || talk->refreshed || !n->ready || job->step > NOTION_STEP_PATCH)
        return false;
    talk->refreshed = true;
    talk->data_source = STR_NULL;
    n->ready = false;
    return true;
}

enum judged notion_failure(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status == 429 || r->status == 529) {
        job_rest(job, r, QUOTA_PAUSE_MS);
        return judge_all(job, VERDICT_RETRY, http_reason(r, job->arena));
    }
    if (!answer_object(r, &doc) || !json_string(json_get(doc.root, "code")).len)
        return judge_edge(job, r);
    if (refresh(job, json_string(json_get(doc.root, "code"))))
        return judge_settled(job);
    return judge_code(job, r, doc.root);
}
