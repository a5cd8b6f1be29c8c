/* tests/sandbox/notion.c - Notion: one database with one data source, its schema and pages. */
#include "notion_pages.h"

#include <inttypes.h>

#include "funneld/base/clock.h"

#define TOKEN  "ntn_sandbox"
#define OLDEST "2025-09-03"
#define NEWEST "2026-03-11"

enum { PAGE_SIZE_MAX = 100, BODY_MAX = 500 * 1000 };

static int64_t n_requests;

static void refuse(struct answer *ret, int status, const char *code, const char *message)
{
    struct sbuf *b = answer_json(ret, status);

    json_open(b, '{');
    json_kv_text(b, "object", "error");
    json_kv_int(b, "status", status);
    json_kv_text(b, "code", code);
    json_kv_text(b, "message", message);
    json_key(b, "request_id");
    sbuf_printf(b, "\"00000000-0000-4000-b000-%012" PRId64 "\"", n_requests);
    json_close(b, '}');
}

static void refuse_and_note(struct answer *ret, int status, const char *code, const char *message)
{
    refuse(ret, status, code, message);
    offence("notion", "%s: %s", code, message);
}

static void invalid(struct answer *ret, const char *message)
{
    refuse_and_note(ret, 400, "validation_error", message);
}

static void absent(const struct call *c, struct answer *ret, const char *what, struct str id)
{
    refuse(ret, 404, "object_not_found",
           arena_printf(c->arena,
                        "Could not find %s with ID: %.*s. Make sure the relevant pages and "
                        "databases are shared with your integration.",
                        what, STR_ARG(id))
               .at);
}

/* One path, its verbs, and what they need. */
struct request {
    const struct call *call;
    struct str id;
    const json *body; /* NULL for GET */
};

static void get_database(const struct request *r, struct answer *ret)
{
    struct sbuf *b;

    if (!notion_same_id(r->id, STR(NOTION_DATABASE))) {
        absent(r->call, ret, "database", r->id);
        return;
    }
    b = answer_json(ret, 200);
    sbuf_text(b,
              "{\"object\":\"database\",\"id\":\"" NOTION_DATABASE
              "\",\"title\":[{\"type\":\"text\",\"text\":{\"content\":\"Lead book\",\"link\":null},"
              "\"annotations\":{\"bold\":false,\"italic\":false,\"strikethrough\":false,"
              "\"underline\":false,\"code\":false,\"color\":\"default\"},\"plain_text\":"
              "\"Lead book\",\"href\":null}],\"description\":[],\"parent\":{\"type\":\"workspace\","
              "\"workspace\":true},\"is_inline\":false,\"in_trash\":false,\"is_locked\":false,"
              "\"created_time\":\"2026-01-01T00:00:00.000Z\",\"last_edited_time\":"
              "\"2026-01-01T00:00:00.000Z\",\"data_sources\":[{\"id\":\"" NOTION_DATA_SOURCE
              "\",\"name\":\"Leads\"}],\"icon\":null,\"cover\":null,\"url\":"
              "\"https://www.notion.so/668d797c76fa49349b05ad288df2d136\",\"public_url\":null}");
}

static bool data_source_known(const struct request *r, struct answer *ret)
{
    if (notion_same_id(r->id, STR(NOTION_DATA_SOURCE)))
        return true;
    absent(r->call, ret, "data_source", r->id);
    return false;
}

static void get_data_source(const struct request *r, struct answer *ret)
{
    struct sbuf *b;

    if (!data_source_known(r, ret))
        return;
    b = answer_json(ret, 200);
    json_open(b, '{');
    json_kv_text(b, "object", "data_source");
    json_kv_text(b, "id", NOTION_DATA_SOURCE);
    json_key(b, "title");
    json_raw(b, STR("[]"));
    json_key(b, "description");
    json_raw(b, STR("[]"));
    json_key(b, "parent");
    json_raw(b, STR("{\"type\":\"database_id\",\"database_id\":\"" NOTION_DATABASE "\"}"));
    json_key(b, "archived");
    json_bool(b, false);
    json_key(b, "in_trash");
    json_bool(b, false);
    json_kv_text(b, "created_time", "2026-01-01T00:00:00.000Z");
    json_kv_text(b, "last_edited_time", "2026-01-01T00:00:00.000Z");
    json_key(b, "properties");
    notion_columns_write(b);
    json_kv_text(b, "url", "https://www.notion.so/668d797c76fa49349b05ad288df2d136");
    json_close(b, '}');
}

static bool known_keys(const struct request *r, const char *const keys[], size_t n,
                       struct answer *ret)
{
    for (const json *m = json_first(r->body); m; m = json_next(m)) {
        bool known = false;

        for (size_t i = 0; i < n; i++)
            known |= str_is(json_name(m), keys[i]);
        if (known)
            continue;
        invalid(ret, arena_printf(r->call->arena,
                                  "body failed validation: body.%.*s should be not present",
                                  STR_ARG(json_name(m)))
                         .at);
        return false;
    }
    return true;
}

/* Pages are kept in the order of their creation, which is the order that a query gives. */
static void query(const struct request *r, struct answer *ret)
{
    static const char *const keys[] = {"filter",   "sorts",    "page_size",  "start_cursor",
                                       "in_trash", "archived", "result_type"};
    struct str cursor = json_string(json_get(r->body, "start_cursor"));
    const struct notion_page *p;
    const char *complaint = NULL;
    int64_t size = PAGE_SIZE_MAX, n = 0;
    struct sbuf *b;

    if (!data_source_known(r, ret) || !known_keys(r, keys, ARRAY_LEN(keys), ret))
        return;
    (void)json_int64(json_get(r->body, "page_size"), &size);
    if (size < 1 || size > PAGE_SIZE_MAX) {
        invalid(ret, "body failed validation: body.page_size should be \xe2\x89\xa4 `100`");
        return;
    }
    b = answer_json(ret, 200);
    json_open(b, '{');
    json_kv_text(b, "object", "list");
    json_key(b, "results");
    json_open(b, '[');
    for (p = notion_pages_first(); p; p = p->next) {
        if (cursor.len && !str_eq(p->id, cursor))
            continue;
        if (n < size)
            cursor = STR_NULL;
        if (p->in_trash ||
            !notion_filter(p, json_get(r->body, "filter"), r->call->arena, &complaint))
            continue;
        if (n == size)
            break;
        notion_page_show(b, p);
        n++;
    }
    json_close(b, ']');
    json_kv(b, "next_cursor", p ? p->id : STR_NULL);
    json_key(b, "has_more");
    json_bool(b, p != NULL);
    json_kv_text(b, "type", "page_or_data_source");
    json_key(b, "page_or_data_source");
    json_raw(b, STR("{}"));
    json_close(b, '}');
    if (!complaint && json_get(r->body, "filter")) { /* a wrong filter is wrong without pages too */
        static const struct notion_page none;

        (void)notion_filter(&none, json_get(r->body, "filter"), r->call->arena, &complaint);
    }
    if (complaint)
        invalid(ret, complaint);
}

static void create(const struct request *r, struct answer *ret)
{
    static const char *const keys[] = {"parent", "properties", "children", "icon",
                                       "cover",  "template",   "position"};
    struct str parent = json_string(json_path(r->body, "parent.data_source_id"));
    struct notion_page draft = {.created_at = 0}, *p;
    const char *complaint;

    if (!known_keys(r, keys, ARRAY_LEN(keys), ret))
        return;
    if (!parent.at) {
        invalid(ret, "body failed validation: body.parent.data_source_id should be defined");
        return;
    }
    if (!notion_same_id(parent, STR(NOTION_DATA_SOURCE))) {
        absent(r->call, ret, "data_source", parent);
        return;
    }
    complaint = notion_blocks_check(json_get(r->body, "children"), r->call->arena);
    if (!complaint)
        complaint = notion_page_set(&draft, json_get(r->body, "properties"), r->call->arena);
    if (complaint) {
        invalid(ret, complaint);
        return;
    }
    p = notion_page_add(r->call->now_ms);
    for (size_t i = 0; i < NOTION_COLUMNS_N; i++)
        p->values[i] = draft.values[i];
    notion_page_append(p, json_get(r->body, "children"), r->call->now_ms);
    notion_page_show(answer_json(ret, 200), p);
}

static void get_page(const struct request *r, struct answer *ret)
{
    const struct notion_page *p = notion_page_find(r->id);

    if (p)
        notion_page_show(answer_json(ret, 200), p);
    else
        absent(r->call, ret, "page", r->id);
}

static void update(const struct request *r, struct answer *ret)
{
    static const char *const keys[] = {"properties", "in_trash", "archived",
                                       "icon",       "cover",    "is_locked"};
    struct notion_page *p = notion_page_find(r->id);
    const json *trash = json_get(r->body, "in_trash");
    const char *complaint;

    if (!p) {
        absent(r->call, ret, "page", r->id);
        return;
    }
    if (!known_keys(r, keys, ARRAY_LEN(keys), ret))
        return;
    if (!trash)
        trash = json_get(r->body, "archived");
    if (p->in_trash && (!trash || json_true(trash))) {
        refuse(ret, 400, "validation_error",
               "Can't edit block that is archived. You must unarchive the block before editing.");
        return;
    }
    complaint = notion_page_set(p, json_get(r->body, "properties"), r->call->arena);
    if (complaint) {
        invalid(ret, complaint);
        return;
    }
    if (trash)
        p->in_trash = json_true(trash);
    p->edited_at = r->call->now_ms;
    p->edits++;
    notion_page_show(answer_json(ret, 200), p);
}

static void append_children(const struct request *r, struct answer *ret)
{
    static const char *const keys[] = {"children", "position", "after"};
    struct notion_page *p = notion_page_find(r->id);
    const json *children = json_get(r->body, "children");
    const char *complaint = notion_blocks_check(children, r->call->arena);

    if (!p) {
        absent(r->call, ret, "block", r->id);
        return;
    }
    if (!known_keys(r, keys, ARRAY_LEN(keys), ret))
        return;
    if (p->in_trash) {
        refuse(ret, 400, "validation_error",
               "Can't edit block that is archived. You must unarchive the block before editing.");
    } else if (complaint || !json_count(children)) {
        invalid(ret,
                complaint ? complaint : "body failed validation: body.children should be defined");
    } else {
        notion_page_append(p, children, r->call->now_ms);
        notion_blocks_appended(answer_json(ret, 200), p, (int64_t)json_count(children));
    }
}

static void get_children(const struct request *r, struct answer *ret)
{
    const struct notion_page *p = notion_page_find(r->id);
    struct str size = call_query(r->call, "page_size");
    int64_t n = PAGE_SIZE_MAX;

    if (!p)
        absent(r->call, ret, "block", r->id);
    else if ((size.at && !str_int64(size, &n)) ||
             !notion_blocks_list(answer_json(ret, 200), p, call_query(r->call, "start_cursor"), n))
        invalid(ret, "path failed validation: page_size or start_cursor");
}

static const struct endpoint {
    const char *method, *collection, *tail; /* /v1/<collection>/<id>/<tail>; NULL: none */
    void (*run)(const struct request *r, struct answer *ret);
} endpoints[] = {
    {"GET", "databases", NULL, get_database},
    {"GET", "data_sources", NULL, get_data_source},
    {"POST", "data_sources", "query", query},
    {"POST", "pages", NULL, create},
    {"GET", "pages", NULL, get_page},
    {"PATCH", "pages", NULL, update},
    {"PATCH", "blocks", "children", append_children},
    {"GET", "blocks", "children", get_children},
};

static const struct endpoint *find_endpoint(const struct call *c, struct str *ret_id)
{
    struct str rest = str_from(c->path, 3), collection = STR(""), tail = STR_NULL;

    *ret_id = STR_NULL;
    (void)path_next(&rest, c->arena, &collection);
    if (path_next(&rest, c->arena, ret_id))
        (void)path_next(&rest, c->arena, &tail);
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        const struct endpoint *e = &endpoints[i];
        bool needs_id = e->run != create;

        if (str_is(c->method, e->method) && str_is(collection, e->collection) && !rest.len &&
            needs_id == (ret_id->len > 0) && (e->tail ? str_is(tail, e->tail) : !tail.at))
            return e;
    }
    return NULL;
}

static bool version_good(const struct call *c, struct answer *ret)
{
    struct str version = call_header(c, "Notion-Version");

    if (!version.len)
        refuse_and_note(ret, 400, "missing_version",
                        "Notion-Version header failed validation: Notion-Version header should be "
                        "defined");
    else if (str_cmp(version, STR(OLDEST)) < 0)
        refuse_and_note(ret, 400, "invalid_request_url", "Invalid request URL.");
    else if (str_cmp(version, STR(NEWEST)) > 0)
        invalid(ret, "Notion-Version header failed validation");
    else
        return true;
    return false;
}

static void notion_handle(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct request r = {.call = c};
    const struct endpoint *e;

    n_requests++;
    if (!call_bearer_is(c, TOKEN)) {
        refuse_and_note(ret, 401, "unauthorized", "API token is invalid.");
        return;
    }
    if (!version_good(c, ret))
        return;
    e = find_endpoint(c, &r.id);
    if (!e) {
        refuse_and_note(ret, 400, "invalid_request_url", "Invalid request URL.");
        return;
    }
    if (!str_is(c->method, "GET")) {
        if (!call_type_is(c, "application/json") || json_parse(c->body, &doc, NULL) ||
            json_type(doc.root) != JSON_OBJECT) {
            refuse_and_note(ret, 400, "invalid_json", "Error parsing JSON body.");
            return;
        }
        if (c->body.len > BODY_MAX) {
            invalid(ret, "body is larger than 500 KB");
            return;
        }
        r.body = doc.root;
    }
    e->run(&r, ret);
}

static bool notion_owns(struct str path)
{
    return str_starts(path, STR("/v1/"));
}

static const struct status_code {
    int status;
    const char *code;
} status_codes[] = {
    {400, "validation_error"},      {401, "unauthorized"},     {403, "restricted_resource"},
    {404, "object_not_found"},      {409, "conflict_error"},   {429, "rate_limited"},
    {500, "internal_server_error"}, {502, "bad_gateway"},      {503, "service_unavailable"},
    {504, "gateway_timeout"},       {529, "service_overload"},
};

static void notion_fail(int status, struct answer *ret)
{
    const char *code = "internal_server_error";

    for (size_t i = 0; i < ARRAY_LEN(status_codes); i++)
        if (status_codes[i].status == status)
            code = status_codes[i].code;
    refuse(ret, status, code, "The sandbox was told to fail.");
}

static void notion_dump(struct sbuf *b)
{
    struct arena a = {0};

    json_open(b, '{');
    json_key(b, "pages");
    json_open(b, '[');
    for (const struct notion_page *p = notion_pages_first(); p; p = p->next)
        notion_page_dump(b, p, &a);
    json_close(b, ']');
    json_close(b, '}');
    arena_free(&a);
}

static void notion_reset(void)
{
    n_requests = 0;
    notion_pages_reset();
}

const struct service notion_service = {
    .name = "notion",
    .owns = notion_owns,
    .handle = notion_handle,
    .fail = notion_fail,
    .dump = notion_dump,
    .reset = notion_reset,
};
