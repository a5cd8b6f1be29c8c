/* connectors/notion_judge.c - what Notion answered: the next step, or delivered. */
#include "notion_priv.h"

#include <assert.h>

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
        return notion_failure(job, r);
    if (notion_choose(job->settings, doc.root, job->arena, &talk->data_source, &why))
        return judge_broken(job, arena_printf(job->arena, "%s", why.text));
    return JUDGED_CONTINUE;
}

static enum judged judge_schema(struct job *job, const struct http_response *r)
{
    const struct notion_talk *talk = job->scratch;
    struct notion_session *n = job->session;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct why why = {{0}};

    if (r->status != 200 || !answer_object(r, &doc))
        return notion_failure(job, r);
    arena_reset(&n->arena);
    n->schema = (struct notion_schema){0};
    if (notion_schema_read(job->settings, json_get(doc.root, "properties"), &n->arena, &n->schema,
                           &why))
        return judge_broken(job, arena_printf(job->arena, "%s", why.text));
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
            return str_eq(notion_plain_text(json_get(p, "rich_text"), a), lead);
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
        return notion_failure(job, r);
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
    talk->page = talk->cursor = STR_NULL;
    talk->log_entries = talk->pages_read = 0;
    talk->goal = NOTION_STEP_QUERY;
    return judge_settled(job);
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
    const struct notion *s = job->settings;
    struct notion_talk *talk = job->scratch;
    struct outcome *o = &job->outcomes[0];
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_object = answer_object(r, &doc);

    if (job->step == NOTION_STEP_PATCH && is_object &&
        (says_gone(r->status, doc.root) || (r->status == 200 && in_trash(doc.root))))
        return page_is_gone(job);

    struct str id = json_string(json_get(doc.root, "id"));
    if (r->status != 200 || !id.len)
        return notion_failure(job, r);
    o->remote_id = arena_str(job->arena, id);
    if (!str_eq(job->parcels[0].remote_lead, talk->page) || !talk->page.len)
        o->remote_lead = o->remote_id;
    if (!s->log || job->step == NOTION_STEP_CREATE) /* it was made with its first entry */
        return judge_all(job, VERDICT_DELIVERED, STR_NULL);
    talk->goal = NOTION_STEP_READ_LOG;
    return JUDGED_CONTINUE;
}

static enum judged judge_read_log(struct job *job, const struct http_response *r)
{
    struct notion_talk *talk = job->scratch;
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_object = answer_object(r, &doc);

    if (is_object && says_gone(r->status, doc.root))
        return page_is_gone(job);
    if (r->status != 200 || !is_object || json_type(json_get(doc.root, "results")) != JSON_ARRAY)
        return notion_failure(job, r);
    switch (notion_log_read(job, doc.root)) {
    case NOTION_LOG_MORE:
        return JUDGED_CONTINUE;
    case NOTION_LOG_APPEND:
        talk->goal = NOTION_STEP_APPEND_LOG;
        return JUDGED_CONTINUE;
    default:
        return judge_all(job, VERDICT_DELIVERED, STR_NULL);
    }
}

static enum judged judge_append_log(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_object = answer_object(r, &doc);

    if (is_object && says_gone(r->status, doc.root))
        return page_is_gone(job);
    if (r->status != 200 || !is_object)
        return notion_failure(job, r);
    return judge_all(job, VERDICT_DELIVERED, STR_NULL);
}

enum judged notion_judge(struct job *job, const struct http_response *r)
{
    static enum judged (*const judges[])(struct job *, const struct http_response *) = {
        [NOTION_STEP_DATABASE] = judge_database,
        [NOTION_STEP_SCHEMA] = judge_schema,
        [NOTION_STEP_QUERY] = judge_query,
        [NOTION_STEP_CREATE] = judge_page,
        [NOTION_STEP_PATCH] = judge_page,
        [NOTION_STEP_READ_LOG] = judge_read_log,
        [NOTION_STEP_APPEND_LOG] = judge_append_log,
    };

    return judges[job->step](job, r);
}
