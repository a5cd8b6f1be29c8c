/* tests/sandbox/notion_pages.c - the pages of the one data source, and filters over them. */
#include "notion_pages.h"

#include <inttypes.h>

#include "funneld/base/clock.h"

static struct arena memory;
static struct notion_page *first, **last = &first;
static int64_t n_pages;

void notion_pages_reset(void)
{
    first = NULL;
    last = &first;
    n_pages = 0;
    notion_blocks_reset();
    arena_free(&memory);
    memory = (struct arena){0};
    notion_columns_reset();
}

struct notion_page *notion_pages_first(void)
{
    return first;
}

bool notion_same_id(struct str a, struct str b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a.len && a.at[i] == '-')
            i++;
        while (k < b.len && b.at[k] == '-')
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len && a.len;
        if (a.at[i++] != b.at[k++])
            return false;
    }
}

struct notion_page *notion_page_find(struct str id)
{
    for (struct notion_page *p = first; p; p = p->next)
        if (notion_same_id(p->id, id))
            return p;
    return NULL;
}

struct notion_page *notion_page_add(int64_t now_ms)
{
    struct notion_page *p = ARENA_NEW(&memory, struct notion_page);

    p->id = arena_printf(&memory, "00000000-0000-4000-9000-%012" PRId64, ++n_pages);
    p->created_at = p->edited_at = now_ms;
    *last = p;
    last = &p->next;
    return p;
}

void notion_page_append(struct notion_page *p, const json *children, int64_t now_ms)
{
    notion_blocks_add(p, children, now_ms, &memory);
}

const char *notion_page_set(struct notion_page *p, const json *properties, struct arena *scratch)
{
    struct str values[NOTION_COLUMNS_N];
    size_t i;

    for (i = 0; i < NOTION_COLUMNS_N; i++)
        values[i] = p->values[i];
    for (const json *v = json_first(properties); v; v = json_next(v)) {
        struct notion_column *c = notion_column_find(json_name(v));
        const char *complaint;

        if (!c)
            return arena_printf(scratch, "%.*s is not a property that exists.",
                                STR_ARG(json_name(v)))
                .at;
        complaint = notion_value_read(c, v, scratch, &memory, &values[c - notion_columns]);
        if (complaint)
            return complaint;
    }
    for (i = 0; i < NOTION_COLUMNS_N; i++)
        p->values[i] = values[i];
    return NULL;
}

static struct str empty_value(const char *type)
{
    return str_is(str_of(type), "title") || str_is(str_of(type), "rich_text") ? STR("[]")
                                                                              : STR("null");
}

static void show_properties(struct sbuf *b, const struct notion_page *p)
{
    json_open(b, '{');
    for (size_t i = 0; i < NOTION_COLUMNS_N; i++) {
        const struct notion_column *c = &notion_columns[i];

        json_key(b, c->name);
        json_open(b, '{');
        json_kv_text(b, "id", c->id);
        json_kv_text(b, "type", c->type);
        json_key(b, c->type);
        json_raw(b, p->values[i].at ? p->values[i] : empty_value(c->type));
        json_close(b, '}');
    }
    json_close(b, '}');
}

void notion_page_show(struct sbuf *b, const struct notion_page *p)
{
    json_open(b, '{');
    json_kv_text(b, "object", "page");
    json_kv(b, "id", p->id);
    json_kv_time(b, "created_time", p->created_at);
    json_kv_time(b, "last_edited_time", p->edited_at);
    json_key(b, "created_by");
    json_raw(b, STR("{\"object\":\"user\",\"id\":\"00000000-0000-4000-a000-000000000001\"}"));
    json_key(b, "last_edited_by");
    json_raw(b, STR("{\"object\":\"user\",\"id\":\"00000000-0000-4000-a000-000000000001\"}"));
    json_key(b, "cover");
    json_null(b);
    json_key(b, "icon");
    json_null(b);
    json_key(b, "parent");
    json_raw(b, STR("{\"type\":\"data_source_id\",\"data_source_id\":\"" NOTION_DATA_SOURCE
                    "\",\"database_id\":\"" NOTION_DATABASE "\"}"));
    json_key(b, "archived");
    json_bool(b, p->in_trash);
    json_key(b, "in_trash");
    json_bool(b, p->in_trash);
    json_key(b, "properties");
    show_properties(b, p);
    json_key(b, "url");
    sbuf_printf(b, "\"https://www.notion.so/%.*s\"", STR_ARG(p->id));
    json_key(b, "public_url");
    json_null(b);
    json_close(b, '}');
}

static void dump_values(struct sbuf *b, const struct notion_page *p, struct arena *a)
{
    json_open(b, '{');
    for (size_t i = 0; i < NOTION_COLUMNS_N; i++) {
        struct str type = str_of(notion_columns[i].type);

        json_key(b, notion_columns[i].name);
        if (str_is(type, "number") || str_is(type, "date"))
            json_raw(b, p->values[i].at ? p->values[i] : STR("null"));
        else
            json_str(b, notion_value_text(p->values[i], a));
    }
    json_close(b, '}');
}

void notion_page_dump(struct sbuf *b, const struct notion_page *p, struct arena *a)
{
    json_open(b, '{');
    json_kv(b, "id", p->id);
    json_key(b, "in_trash");
    json_bool(b, p->in_trash);
    json_kv_time(b, "created_time", p->created_at);
    json_kv_time(b, "last_edited_time", p->edited_at);
    json_kv_int(b, "edits", p->edits);
    json_key(b, "lines");
    json_open(b, '[');
    for (const struct notion_block *line = p->blocks; line; line = line->next)
        json_str(b, notion_value_text(line->text, a));
    json_close(b, ']');
    json_key(b, "properties");
    dump_values(b, p, a);
    json_close(b, '}');
}

static bool condition(struct str have, const json *test, const char **complaint)
{
    struct str op = json_name(json_first(test));
    struct str want = json_string(json_first(test));
    double a, b;

    if (str_is(op, "is_empty"))
        return !have.len;
    if (str_is(op, "is_not_empty"))
        return have.len;
    if (json_number(json_first(test), &b)) {
        if (!str_decimal(have, &a))
            return false;
        return str_is(op, "equals") ? a == b : str_is(op, "greater_than") ? a > b : a < b;
    }
    if (str_is(op, "equals"))
        return str_eq(have, want);
    if (str_is(op, "does_not_equal"))
        return !str_eq(have, want);
    if (str_is(op, "contains"))
        return str_find(have, want) != NULL;
    if (str_is(op, "starts_with"))
        return str_starts(have, want);
    if (str_is(op, "ends_with"))
        return str_ends(have, want);
    *complaint = "body failed validation: body.filter has an unknown condition";
    return false;
}

static bool all_or_any(const struct notion_page *p, const json *list, bool all, struct arena *a,
                       const char **complaint)
{
    for (const json *f = json_first(list); f; f = json_next(f))
        if (notion_filter(p, f, a, complaint) != all)
            return !all;
    return all;
}

bool notion_filter(const struct notion_page *p, const json *filter, struct arena *a,
                   const char **complaint)
{
    const struct notion_column *c;
    struct str have;

    if (!filter)
        return true;
    if (json_get(filter, "and"))
        return all_or_any(p, json_get(filter, "and"), true, a, complaint);
    if (json_get(filter, "or"))
        return all_or_any(p, json_get(filter, "or"), false, a, complaint);
    c = notion_column_find(json_string(json_get(filter, "property")));
    if (!c) {
        *complaint = arena_printf(a, "Could not find property with name or id: %.*s",
                                  STR_ARG(json_string(json_get(filter, "property"))))
                         .at;
        return false;
    }
    if (json_count(json_get(filter, c->type)) != 1) {
        *complaint =
            arena_printf(a, "body failed validation: body.filter.%s should be defined", c->type).at;
        return false;
    }
    have = notion_value_text(p->values[c - notion_columns], a);
    return condition(have.at ? have : STR(""), json_get(filter, c->type), complaint);
}
