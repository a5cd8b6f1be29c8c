/* connectors/notion.c - one page per lead in a Notion data source, kept current.
 *
 *     discover -> schema -> page known? patch it
 *                           else query by Lead ID -> none: create, one: patch, more: the oldest
 *     log = yes: patched -> read the page's blocks -> append a line that is not there
 *
 * The key column makes it safe to repeat everything but the create; after a create of unknown
 * fate the query finds the page, after such an append its blocks show the line. The schema is read
 * once and kept in the session; Notion's validation_error makes us read it again, once per job.
 */
#include "notion_priv.h"

#include "funneld/base/clock.h"
#include "funneld/base/url.h"

enum { BODY_MAX = 500 * 1000, URL_MAX = 2048, LOG_MAX = 1000 }; /* Notion takes 500 KB */

#define OLDEST_VERSION "2025-09-03" /* the first with data sources */

static const struct option notion_options[] = {
    {.key = "token",
     .type = OPTION_SECRET,
     .offset = offsetof(struct notion, token),
     .flags = OPTION_REQUIRED,
     .example = "${NOTION_TOKEN}",
     .help = "secret of an internal integration; a person must share the database with it"},
    {.key = "database",
     .type = OPTION_TEXT,
     .offset = offsetof(struct notion, database),
     .flags = OPTION_REQUIRED,
     .example = "668d797c76fa49349b05ad288df2d136",
     .help = "id of the database (it stands in its address), or of a data source"},
    {.key = "data_source",
     .type = OPTION_TEXT,
     .offset = offsetof(struct notion, data_source),
     .example = "Leads",
     .help = "name or id, where the database has several"},
    {.key = "property.",
     .type = OPTION_MAP,
     .offset = offsetof(struct notion, renamed),
     .example = "My name",
     .help = "another name (or id) for a column: name lead_id score email band reasons crm updated "
             "status probability churn"},
    {.key = "log",
     .type = OPTION_BOOL,
     .offset = offsetof(struct notion, log),
     .fallback = "no",
     .help = "append a line to the lead's page for each delivery; two more requests each"},
    {.key = "log_max",
     .type = OPTION_INT,
     .offset = offsetof(struct notion, log_max),
     .fallback = "50",
     .min = 1,
     .max = LOG_MAX,
     .help = "lines on one page at most; Notion's free plan counts blocks for ever"},
    {.key = "version",
     .type = OPTION_TEXT,
     .offset = offsetof(struct notion, version),
     .fallback = OLDEST_VERSION,
     .help = "Notion-Version to speak"},
    CONNECTOR_OPTIONS(struct notion, "https://api.notion.com", "60s", "1", "150/m", "5s"),
};

static const struct section_spec notion_spec = {
    .kind = "connector",
    .type = "notion",
    .named = true,
    .options = notion_options,
    .n_options = ARRAY_LEN(notion_options),
    .size = sizeof(struct notion),
    .help = "a page per lead in a Notion database",
};

static void notion_check(const void *settings, const struct conf_section *section,
                         struct conf_problems *problems)
{
    const struct notion *s = settings;
    struct str id;
    int64_t at;

    if (s->database.len && !notion_id(s->database, problems->arena, &id))
        conf_problem(problems, section, conf_find(section, "database"),
                     "the 32 hex digits in the database's address",
                     "this is no id of a Notion database");
    if (!time_parse(s->version, &at) || str_cmp(s->version, STR(OLDEST_VERSION)) < 0)
        conf_problem(problems, section, conf_find(section, "version"), OLDEST_VERSION,
                     "data sources need Notion-Version " OLDEST_VERSION " or later");
    notion_check_renamed(s, section, problems);
}

static void notion_session_free(void *session)
{
    struct notion_session *n = session;

    arena_free(&n->arena);
}

/* The id is Notion's, and one segment of the path whatever it holds. `rest` is what follows it. */
static enum rc start(const struct job *job, const char *method, const char *path, struct str id,
                     const char *rest, struct http_request *ret, struct why *why)
{
    const struct notion *s = job->settings;
    struct sbuf url AUTO(sbuf_free) = SBUF(URL_MAX);

    sbuf_add(&url, s->common.url);
    sbuf_text(&url, path);
    url_encode(&url, id);
    sbuf_text(&url, rest);
    *ret = (struct http_request){.method = method, .repeatable = true};
    request_bearer(ret, s->token, job->arena);
    http_header_add(ret, "Notion-Version", s->version);
    return url_seal(&url, job->arena, &ret->url, why);
}

static enum rc build_discovery(struct job *job, struct http_request *ret, struct why *why)
{
    const struct notion *s = job->settings;
    const struct notion_talk *talk = job->scratch;
    struct str id = talk->data_source;

    if (job->step == NOTION_STEP_DATABASE && !notion_id(s->database, job->arena, &id))
        id = s->database;
    enum rc rc = start(job, "GET",
                       job->step == NOTION_STEP_DATABASE ? "/v1/databases/" : "/v1/data_sources/",
                       id, "", ret, why);
    http_header_add(ret, "Content-Type", STR("application/json"));
    return rc;
}

static enum rc build_query(struct job *job, struct http_request *ret, struct why *why)
{
    const struct notion_session *n = job->session;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    enum rc rc = start(job, "POST", "/v1/data_sources/", n->schema.data_source, "/query", ret, why);

    if (rc)
        return rc;
    json_open(&b, '{');
    json_key(&b, "filter");
    json_open(&b, '{');
    json_kv(&b, "property", n->schema.columns[NOTION_LEAD_ID].id);
    json_key(&b, "rich_text");
    json_open(&b, '{');
    json_kv(&b, "equals", job->parcels[0].lead_public_id);
    json_close(&b, '}');
    json_close(&b, '}');
    json_key(&b, "sorts");
    json_open(&b, '[');
    json_open(&b, '{');
    json_kv_text(&b, "timestamp", "created_time");
    json_kv_text(&b, "direction", "ascending");
    json_close(&b, '}');
    json_close(&b, ']');
    json_kv_int(&b, "page_size", 10);
    json_close(&b, '}');
    return request_body(ret, &b, "application/json", job->arena, why);
}

static enum rc build_page(struct job *job, struct http_request *ret, struct why *why)
{
    const struct notion *s = job->settings;
    const struct notion_session *n = job->session;
    const struct notion_talk *talk = job->scratch;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    bool create = job->step == NOTION_STEP_CREATE;
    enum rc rc = create ? start(job, "POST", "/v1/pages", STR(""), "", ret, why)
                        : start(job, "PATCH", "/v1/pages/", talk->page, "", ret, why);

    if (rc)
        return rc;
    json_open(&b, '{');
    if (create) {
        ret->repeatable = false;
        json_key(&b, "parent");
        json_open(&b, '{');
        json_kv_text(&b, "type", "data_source_id");
        json_kv(&b, "data_source_id", n->schema.data_source);
        json_close(&b, '}');
    }
    notion_page_write(&b, &n->schema, &job->parcels[0], job->now_ms, job->arena);
    if (create && s->log)
        notion_log_write(&b, &job->parcels[0], job->arena);
    json_close(&b, '}');
    return request_body(ret, &b, "application/json", job->arena, why);
}

static enum rc build_read_log(struct job *job, struct http_request *ret, struct why *why)
{
    const struct notion_talk *talk = job->scratch;
    struct sbuf rest AUTO(sbuf_free) = SBUF(URL_MAX);

    sbuf_text(&rest, "/children?page_size=100");
    if (talk->cursor.len) {
        sbuf_text(&rest, "&start_cursor=");
        url_encode(&rest, talk->cursor);
    }
    return start(job, "GET", "/v1/blocks/", talk->page, arena_text(job->arena, sbuf_str(&rest)),
                 ret, why);
}

static enum rc build_append_log(struct job *job, struct http_request *ret, struct why *why)
{
    const struct notion_talk *talk = job->scratch;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    enum rc rc = start(job, "PATCH", "/v1/blocks/", talk->page, "/children", ret, why);

    if (rc)
        return rc;
    ret->repeatable = false;
    json_open(&b, '{');
    notion_log_write(&b, &job->parcels[0], job->arena);
    json_close(&b, '}');
    return request_body(ret, &b, "application/json", job->arena, why);
}

enum rc notion_build(struct job *job, struct http_request *ret, struct why *why)
{
    static enum rc (*const builders[])(struct job *, struct http_request *, struct why *) = {
        [NOTION_STEP_DATABASE] = build_discovery,
        [NOTION_STEP_SCHEMA] = build_discovery,
        [NOTION_STEP_QUERY] = build_query,
        [NOTION_STEP_CREATE] = build_page,
        [NOTION_STEP_PATCH] = build_page,
        [NOTION_STEP_READ_LOG] = build_read_log,
        [NOTION_STEP_APPEND_LOG] = build_append_log,
    };
    const struct notion_session *n = job->session;
    struct notion_talk *talk = job->scratch;

    if (job->step == NOTION_STEP_START) {
        job->scratch = talk = ARENA_NEW(job->arena, struct notion_talk);
        talk->page = job->parcels[0].remote_lead;
        /* In doubt, a page of the lead's own may be there beside that of one merged into it. */
        talk->goal = talk->page.len && !job->look ? NOTION_STEP_PATCH : NOTION_STEP_QUERY;
    }
    if (n->ready)
        job->step = talk->goal;
    else
        job->step = talk->data_source.len ? NOTION_STEP_SCHEMA : NOTION_STEP_DATABASE;
    return builders[job->step](job, ret, why);
}

/* Three a second on average is what Notion documents; newer texts are less exact. */
static size_t notion_quotas(const struct job *job, struct quota ret[])
{
    const struct notion *s = job->settings;

    ret[0] = (struct quota){.key = quota_key(s->token, "notion"),
                            .per_second = s->common.rate > 2.5 ? s->common.rate : 2.5,
                            .burst = 3};
    return 1;
}

const struct connector_type notion_connector = {
    .name = "notion",
    .spec = &notion_spec,
    .session_size = sizeof(struct notion_session),
    .session_free = notion_session_free,
    .max_batch = 1,
    .upsert = true,
    .routable = true,
    .check = notion_check,
    .build = notion_build,
    .quotas = notion_quotas,
    .judge = notion_judge,
    .probe_next = notion_probe_next,
    .probe_take = notion_probe_take,
};
