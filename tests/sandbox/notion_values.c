/* tests/sandbox/notion_values.c - the columns of the one data source, and values for them. */
#include "notion_values.h"

#include "funneld/base/clock.h"

enum { TEXT_UNITS_MAX = 2000, ELEMENTS_MAX = 100, EMAIL_MAX = 200, URL_MAX = 2000 };

struct notion_column notion_columns[NOTION_COLUMNS_N];
static struct arena memory; /* of the options */

static const struct notion_column at_start[NOTION_COLUMNS_N] = {
    {.name = "Name", .id = "title", .type = "title"},
    {.name = "Lead ID", .id = "LDid", .type = "rich_text"},
    {.name = "Score", .id = "%3AScr", .type = "number"},
    {.name = "Email", .id = "EmAl", .type = "email"},
    {.name = "Band", .id = "BnD%5D", .type = "select"},
    {.name = "Reasons", .id = "ReSn", .type = "rich_text"},
    {.name = "CRM", .id = "CrMu", .type = "url"},
    {.name = "Updated", .id = "UpDt", .type = "date"},
    {.name = "Status", .id = "StAt", .type = "status"},
};

static void add_option(struct notion_column *c, struct str name)
{
    if (c->n_options < NOTION_OPTIONS_MAX)
        c->options[c->n_options++] = arena_str(&memory, name);
}

void notion_columns_reset(void)
{
    static const char *const states[] = {"Active", "Deleted", "Merged"};

    arena_free(&memory);
    memory = (struct arena){0};
    for (size_t i = 0; i < NOTION_COLUMNS_N; i++)
        notion_columns[i] = at_start[i];
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        add_option(notion_column_find(STR("Status")), str_of(states[i]));
}

struct notion_column *notion_column_find(struct str key)
{
    for (size_t i = 0; i < NOTION_COLUMNS_N; i++)
        if (str_is(key, notion_columns[i].name) || str_is(key, notion_columns[i].id))
            return &notion_columns[i];
    return NULL;
}

static void write_options(struct sbuf *b, const struct notion_column *c)
{
    json_key(b, "options");
    json_open(b, '[');
    for (size_t i = 0; i < c->n_options; i++) {
        json_open(b, '{');
        json_key(b, "id");
        sbuf_printf(b, "\"%s-%zu\"", c->id, i);
        json_kv(b, "name", c->options[i]);
        json_kv_text(b, "color", "default");
        json_close(b, '}');
    }
    json_close(b, ']');
}

void notion_columns_write(struct sbuf *b)
{
    json_open(b, '{');
    for (size_t i = 0; i < NOTION_COLUMNS_N; i++) {
        const struct notion_column *c = &notion_columns[i];
        bool choices = str_is(str_of(c->type), "select") || str_is(str_of(c->type), "status");

        json_key(b, c->name);
        json_open(b, '{');
        json_kv_text(b, "id", c->id);
        json_kv_text(b, "name", c->name);
        json_kv_text(b, "type", c->type);
        json_key(b, c->type);
        json_open(b, '{');
        if (choices)
            write_options(b, c);
        if (str_is(str_of(c->type), "status")) {
            json_key(b, "groups");
            json_raw(b, STR("[]"));
        }
        if (str_is(str_of(c->type), "number"))
            json_kv_text(b, "format", "number");
        json_close(b, '}');
        json_close(b, '}');
    }
    json_close(b, '}');
}

/* One value on its way in. */
struct reading {
    struct notion_column *column;
    struct arena *arena; /* of complaints */
    struct sbuf *out;    /* the value as it is shown */
};

static const char *wrong(const struct reading *r, const char *what)
{
    return arena_printf(r->arena, "body failed validation: body.properties.%s.%s", r->column->name,
                        what)
        .at;
}

static void write_element(struct sbuf *b, struct str content, struct str link)
{
    json_open(b, '{');
    json_kv_text(b, "type", "text");
    json_key(b, "text");
    json_open(b, '{');
    json_kv(b, "content", content);
    json_key(b, "link");
    if (link.at) {
        json_open(b, '{');
        json_kv(b, "url", link);
        json_close(b, '}');
    } else {
        json_null(b);
    }
    json_close(b, '}');
    json_key(b, "annotations");
    json_raw(b, STR("{\"bold\":false,\"italic\":false,\"strikethrough\":false,\"underline\":false,"
                    "\"code\":false,\"color\":\"default\"}"));
    json_kv(b, "plain_text", content);
    json_kv(b, "href", link);
    json_close(b, '}');
}

static const char *read_element(const struct reading *r, const json *e, size_t i)
{
    struct str type = json_string(json_get(e, "type"));
    struct str content = json_string(json_path(e, "text.content"));
    struct str link = json_string(json_path(e, "text.link.url"));

    if ((type.at && !str_is(type, "text")) || !content.at)
        return wrong(
            r, arena_printf(r->arena, "%s[%zu].text.content should be a string", r->column->type, i)
                   .at);
    if (utf16_units(content) > TEXT_UNITS_MAX)
        return wrong(r, arena_printf(r->arena,
                                     "%s[%zu].text.content.length should be \xe2\x89\xa4 `2000`, "
                                     "instead was `%zu`.",
                                     r->column->type, i, utf16_units(content))
                            .at);
    if (link.len > URL_MAX)
        return wrong(r, "text.link.url.length should be \xe2\x89\xa4 `2000`");
    write_element(r->out, content, link);
    return NULL;
}

static const char *read_texts(const struct reading *r, const json *value)
{
    const char *complaint = NULL;
    size_t i = 0;

    if (json_type(value) != JSON_ARRAY)
        return wrong(r, "should be an array");
    if (json_count(value) > ELEMENTS_MAX)
        return wrong(r, "length should be \xe2\x89\xa4 `100`");
    json_open(r->out, '[');
    for (const json *e = json_first(value); e && !complaint; e = json_next(e))
        complaint = read_element(r, e, i++);
    json_close(r->out, ']');
    return complaint;
}

static const char *read_number(const struct reading *r, const json *value)
{
    double number;

    if (json_type(value) == JSON_NULL)
        json_null(r->out);
    else if (json_number(value, &number))
        json_num(r->out, number);
    else
        return wrong(r, "number should be a number");
    return NULL;
}

static bool option_known(const struct notion_column *c, struct str name)
{
    for (size_t i = 0; i < c->n_options; i++)
        if (str_eq(c->options[i], name))
            return true;
    return false;
}

static const char *read_option(const struct reading *r, const json *value)
{
    struct str name = json_string(json_get(value, "name"));
    bool status = str_is(str_of(r->column->type), "status");

    if (json_type(value) == JSON_NULL) {
        json_null(r->out);
        return NULL;
    }
    if (!name.len || str_chr(name, ',') || code_points(name) > 100)
        return wrong(r, "name should be a name without commas");
    if (!option_known(r->column, name) && status)
        return arena_printf(r->arena,
                            "Status is not a valid option: status option \"%.*s\" does not exist",
                            STR_ARG(name))
            .at;
    if (!option_known(r->column, name))
        add_option(r->column, name);
    json_open(r->out, '{');
    json_kv_text(r->out, "id", "opt");
    json_kv(r->out, "name", name);
    json_kv_text(r->out, "color", "default");
    json_close(r->out, '}');
    return NULL;
}

static const char *read_line(const struct reading *r, const json *value, size_t max)
{
    struct str text = json_string(value);

    if (json_type(value) == JSON_NULL) {
        json_null(r->out);
        return NULL;
    }
    if (!text.len)
        return wrong(r, "should be a non-empty string or null");
    if (text.len > max)
        return wrong(r, arena_printf(r->arena, "length should be \xe2\x89\xa4 `%zu`", max).at);
    json_str(r->out, text);
    return NULL;
}

static const char *read_email(const struct reading *r, const json *value)
{
    return read_line(r, value, EMAIL_MAX);
}

static const char *read_url(const struct reading *r, const json *value)
{
    return read_line(r, value, URL_MAX);
}

static const char *read_date(const struct reading *r, const json *value)
{
    struct str start = json_string(json_get(value, "start"));
    int64_t at;

    if (json_type(value) == JSON_NULL) {
        json_null(r->out);
        return NULL;
    }
    if (!str_chr(start, '-') || !time_parse(start, &at))
        return wrong(r, "date.start should be a valid ISO 8601 date string");
    json_open(r->out, '{');
    json_kv(r->out, "start", start);
    json_kv(r->out, "end", json_string(json_get(value, "end")));
    json_kv(r->out, "time_zone", json_string(json_get(value, "time_zone")));
    json_close(r->out, '}');
    return NULL;
}

static const struct reader {
    const char *type;
    const char *(*read)(const struct reading *r, const json *value);
} readers[] = {
    {"title", read_texts},   {"rich_text", read_texts}, {"number", read_number},
    {"select", read_option}, {"status", read_option},   {"email", read_email},
    {"url", read_url},       {"date", read_date},
};

static const char *read_by_type(const struct reading *r, const json *value)
{
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        if (str_is(str_of(r->column->type), readers[i].type))
            return readers[i].read(r, value);
    return wrong(r, "cannot be written");
}

const char *notion_value_read(struct notion_column *c, const json *value, struct arena *scratch,
                              struct arena *keep, struct str *ret)
{
    struct sbuf out AUTO(sbuf_free) = SBUF(4 << 20);
    struct reading r = {c, scratch, &out};
    const char *complaint;

    for (const json *m = json_first(value); m; m = json_next(m))
        if (!str_is(json_name(m), c->type) && !str_is(json_name(m), "type") &&
            !str_is(json_name(m), "id") && !str_is(json_name(m), "name"))
            return arena_printf(scratch, "%s is expected to be %s.", c->name, c->type).at;
    if (json_type(value) != JSON_OBJECT || !json_get(value, c->type))
        return arena_printf(scratch, "%s is expected to be %s.", c->name, c->type).at;
    complaint = read_by_type(&r, json_get(value, c->type));
    if (!complaint)
        *ret = arena_str(keep, sbuf_str(&out));
    return complaint;
}

struct str notion_value_text(struct str stored, struct arena *a)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str text = STR("");

    if (!stored.at || json_parse(stored, &doc, NULL))
        return text;
    if (json_type(doc.root) == JSON_OBJECT)
        return arena_str(a, json_string(json_get(doc.root, "name")));
    if (json_type(doc.root) != JSON_ARRAY)
        return arena_str(a, json_scalar(doc.root, a));
    for (const json *e = json_first(doc.root); e; e = json_next(e))
        text = arena_printf(a, "%.*s%.*s", STR_ARG(text),
                            STR_ARG(json_string(json_get(e, "plain_text"))));
    return text;
}
