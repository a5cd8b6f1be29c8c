/* connectors/notion_judge.c - what Notion's answers mean: the next step, or a verdict.
 *
 * Only a create may have happened without our knowing; every other request is just repeated.
 */
#include "notion_priv.h"

#include <assert.h>

#include "funneld/base/clock.h"

#define QUOTA_PAUSE_MS (10 * SECONDS_MS) /* 429 or 529 without Retry-After */
#define EDGE_PAUSE_MS  (30 * SECONDS_MS) /* HTML from the edge in front of Notion */
static const struct notion_error {
    const char *code;
    enum verdict verdict; /* AMBIGUOUS: of a create; any other request is just repeated */
    const char *advice;
} notion_errors[] = {
    {"invalid_json", VERDICT_DEAD, ""},
    {"invalid_request_url", VERDICT_DEAD, "; check the connector's `version` and `url`"},
    {"invalid_request", VERDICT_DEAD, ""},
    {"missing_version", VERDICT_DEAD, "; check the connector's `version`"},
    {"validation_error", VERDICT_DEAD, ""},
    {"invalid_grant", VERDICT_DEAD, "; check the connector's token"},
    {"unauthorized", VERDICT_DEAD, "; check the connector's token"},
    {"restricted_resource", VERDICT_DEAD,
     "; the integration must be allowed to read, insert and update content"},
    {"object_not_found", VERDICT_DEAD,
     "; share the database with the integration (Connections) and check its id"},
    {"conflict_error", VERDICT_RETRY, ""},
    {"rate_limited", VERDICT_RETRY, ""},
    {"service_overload", VERDICT_RETRY, ""},
    {"internal_server_error", VERDICT_AMBIGUOUS, ""},
    {"bad_gateway", VERDICT_AMBIGUOUS, ""},
    {"gateway_timeout", VERDICT_AMBIGUOUS, ""},
    {"service_unavailable", VERDICT_AMBIGUOUS, ""},
    {"database_connection_unavailable", VERDICT_AMBIGUOUS, ""},
};

static enum verdict unless_created(const struct job *job)
{
    return job->step == NOTION_STEP_CREATE ? VERDICT_AMBIGUOUS : VERDICT_RETRY;
}

/* Neither Notion's JSON nor its request id: the edge in front of it. Its 403 is no permission. */
static enum judged judge_edge(struct job *job, const struct http_response *r)
{
    struct str reason = http_reason(r, job->arena);

    if (status_is_temporary(r->status) && r->status != 408)
        return judge_all(job, unless_created(job), reason);
    if (r->status < 300)
        return judge_all(job, unless_created(job), STR("Notion's answer is not what it documents"));
    if (r->status < 400)
        return judge_redirect(job, r);
    job_rest(job, r, EDGE_PAUSE_MS);
    return judge_all(job, VERDICT_RETRY, reason);
}

static struct str error_reason(const json *answer, struct str code, const char *advice,
                               struct arena *a)
{
    struct str message = str_cut(json_string(json_get(answer, "message")), 300);
    struct str id = str_cut(json_string(json_get(answer, "request_id")), 64);

    if (!id.len)
        return arena_printf(a, "%.*s: %.*s%s", STR_ARG(code), STR_ARG(message), advice);
    return arena_printf(a, "%.*s: %.*s%s (request id %.*s)", STR_ARG(code), STR_ARG(message),
                        advice, STR_ARG(id));
}

static enum judged judge_code(struct job *job, const struct http_response *r, const json *answer)
{
    struct str code = json_string(json_get(answer, "code"));
    const struct notion_error *known = NULL;

    for (size_t i = 0; i < ARRAY_LEN(notion_errors) && !known; i++)
        if (str_is(code, notion_errors[i].code))
            known = &notion_errors[i];

    struct str reason = error_reason(answer, code, known ? known->advice : "", job->arena);
    if (!known && status_is_temporary(r->status))
        return judge_all(job, unless_created(job), reason);
    if (!known)
        return judge_unknown(job, reason);
    return judge_all(
        job, known->verdict == VERDICT_AMBIGUOUS ? unless_created(job) : known->verdict, reason);
}

/* The schema may have changed under us: read it again, once per job, and do the same again. */
static bool refresh(struct job *job, struct str code)
{
    struct notion_session *n = job->session;
    struct notion_talk *talk = job->scratch;
    bool stale = str_is(code, "validation_error") || str_is(code, "object_not_found");

    if (!stale || talk->refreshed || !n->ready)
        return false;
    talk->refreshed = true;
    talk->data_source = STR_NULL;
    n->ready = false;
    return true;
}

static enum judged judge_failure(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status == 429 || r->status == 529) {
        job_rest(job, r, QUOTA_PAUSE_MS);
        return judge_all(job, VERDICT_RETRY, http_reason(r, job->arena));
    }
    if (!answer_object(r, &doc) || !json_string(json_get(doc.root, "code")).len)
        return judge_edge(job, r);
    if (refresh(job, json_string(json_get(doc.root, "code"))))
        return JUDGED_CONTINUE;
    return judge_code(job, r, doc.root);
}

static enum judged judge_database(struct job *job, const struct http_response *r)
{
    struct notion_talk *talk = job->scratch;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct why why = {{0}};

    if (r->status == 404 && answer_object(r, &doc)) { /* perhaps the id of a data source */
        const struct notion *s = job->settings;

        bool is_id = notion_id(s->database, job->arena, &talk->data_source);
        assert(is_id); /* the configuration's check has read it */
        return JUDGED_CONTINUE;
    }
    if (r->status != 200 || !answer_object(r, &doc))
        return judge_failure(job, r);
    if (notion_choose(job->settings, doc.root, job->arena, &talk->data_source, &why))
        return judge_all(job, VERDICT_DEAD, arena_printf(job->arena, "%s", why.text));
    return JUDGED_CONTINUE;
}

static enum judged judge_schema(struct job *job, const struct http_response *r)
{
    const struct notion_talk *talk = job->scratch;
    struct notion_session *n = job->session;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct why why = {{0}};

    if (r->status != 200 || !answer_object(r, &doc))
        return judge_failure(job, r);
    arena_reset(&n->arena);
    n->schema = (struct notion_schema){0};
    if (notion_schema_read(job->settings, json_get(doc.root, "properties"), &n->arena, &n->schema,
                           &why))
        return judge_all(job, VERDICT_DEAD, arena_printf(job->arena, "%s", why.text));
    n->schema.data_source = arena_str(&n->arena, talk->data_source);
    n->ready = true;
    return JUDGED_CONTINUE;
}

static bool in_trash(const json *page)
{
    return json_true(json_get(page, "in_trash")) || json_true(json_get(page, "archived"));
}

/* Whether Notion's `equals` minds the case is not documented, so compare again. */
static bool is_page_of(const json *page, struct str property, struct str lead, struct arena *a)
{
    const json *properties = json_get(page, "properties");

    for (const json *p = json_first(properties); p; p = json_next(p))
        if (str_eq(json_string(json_get(p, "id")), property))
            return str_eq(notion_plain_text(p, a), lead);
    return false;
}

static struct str oldest_page(const struct job *job, const json *results)
{
    const struct notion_session *n = job->session;
    struct str id = STR_NULL, born = STR_NULL;

    for (const json *page = json_first(results); page; page = json_next(page)) {
        struct str at = json_string(json_get(page, "created_time"));

        if (in_trash(page) || !is_page_of(page, n->schema.columns[NOTION_LEAD_ID].id,
                                          job->parcels[0].lead_public_id, job->arena))
            continue;
        if (id.len && str_cmp(at, born) >= 0)
            continue;
        id = json_string(json_get(page, "id"));
        born = at;
    }
    return arena_str(job->arena, id);
}

static enum judged judge_query(struct job *job, const struct http_response *r)
{
    struct notion_talk *talk = job->scratch;
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status != 200 || !answer_object(r, &doc) ||
        json_type(json_get(doc.root, "results")) != JSON_ARRAY)
        return judge_failure(job, r);
    struct str found = oldest_page(job, json_get(doc.root, "results"));
    if (!found.len && job->look && !talk->asked_twice) {
        talk->asked_twice = true; /* a page just made may not be visible at once */
        return JUDGED_CONTINUE;
    }
    talk->page = found.len ? found : talk->page;
    talk->goal = talk->page.len ? NOTION_STEP_PATCH : NOTION_STEP_CREATE;
    return JUDGED_CONTINUE;
}

/* A person deleted the page: forget it and look for another. */
static enum judged page_is_gone(struct job *job)
{
    struct notion_talk *talk = job->scratch;

    job->outcomes[0].remote_lead = STR("");
    if (talk->lost)
        return judge_all(job, VERDICT_RETRY,
                         STR("the lead's page was deleted while it was written"));
    talk->lost = true;
    talk->page = STR_NULL;
    talk->goal = NOTION_STEP_QUERY;
    return JUDGED_CONTINUE;
}

static bool says_gone(int status, const json *answer)
{
    struct str code = json_string(json_get(answer, "code"));
    struct str message = json_string(json_get(answer, "message"));

    if (status == 404)
        return str_is(code, "object_not_found");
    return status == 400 && str_is(code, "validation_error") &&
           (str_find(message, STR("archived")) || str_find(message, STR("in trash")));
}

static enum judged judge_page(struct job *job, const struct http_response *r)
{
    const struct notion_talk *talk = job->scratch;
    struct outcome *o = &job->outcomes[0];
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_object = answer_object(r, &doc);

    if (job->step == NOTION_STEP_PATCH && is_object &&
        (says_gone(r->status, doc.root) || (r->status == 200 && in_trash(doc.root))))
        return page_is_gone(job);

    struct str id = json_string(json_get(doc.root, "id"));
    if (r->status != 200 || !id.len)
        return judge_failure(job, r);
    o->remote_id = arena_str(job->arena, id);
    if (!str_eq(job->parcels[0].remote_lead, talk->page) || !talk->page.len)
        o->remote_lead = o->remote_id;
    return judge_all(job, VERDICT_DELIVERED, STR_NULL);
}

enum judged notion_judge(struct job *job, const struct http_response *r)
{
    switch (job->step) {
    case NOTION_STEP_DATABASE:
        return judge_database(job, r);
    case NOTION_STEP_SCHEMA:
        return judge_schema(job, r);
    case NOTION_STEP_QUERY:
        return judge_query(job, r);
    default:
        return judge_page(job, r);
    }
}
