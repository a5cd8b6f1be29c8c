/* tests/sandbox/notion_blocks.c - the blocks of a page: paragraphs, appended at its end. */
#include "notion_pages.h"

#include <inttypes.h>

#include "funneld/base/clock.h"

static int64_t n_blocks;

void notion_blocks_reset(void)
{
    n_blocks = 0;
}

static const char *read_block(const json *block, struct arena *scratch, struct str *ret)
{
    static const char *const keys[] = {"object", "type", "paragraph"};
    struct notion_column paragraph = {.name = "children.paragraph", .type = "rich_text"};
    struct str object = json_string(json_get(block, "object"));

    for (const json *m = json_first(block); m; m = json_next(m)) {
        bool known = false;

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            known |= str_is(json_name(m), keys[i]);
        if (!known)
            return arena_printf(scratch,
                                "body failed validation: body.children[0].%.*s should be "
                                "not present",
                                STR_ARG(json_name(m)))
                .at;
    }
    if (json_type(block) != JSON_OBJECT || (object.at && !str_is(object, "block")) ||
        !json_get(block, "paragraph"))
        return "body failed validation: body.children[0].paragraph should be defined";
    return notion_value_read(&paragraph, json_get(block, "paragraph"), scratch, scratch, ret);
}

const char *notion_blocks_check(const json *children, struct arena *scratch)
{
    const char *complaint = NULL;
    struct str text;

    if (children && json_type(children) != JSON_ARRAY)
        return "body failed validation: body.children should be an array";
    if (json_count(children) > NOTION_CHILDREN_MAX)
        return "body failed validation: body.children.length should be \xe2\x89\xa4 `100`";
    for (const json *b = json_first(children); b && !complaint; b = json_next(b))
        complaint = read_block(b, scratch, &text);
    return complaint;
}

void notion_blocks_add(struct notion_page *p, const json *children, int64_t now_ms,
                       struct arena *keep)
{
    for (const json *c = json_first(children); c; c = json_next(c)) {
        struct notion_block *b = ARENA_NEW(keep, struct notion_block), **at = &p->blocks;

        *b = (struct notion_block){.created_at = now_ms};
        b->id = arena_printf(keep, "00000000-0000-4000-b000-%012" PRId64, ++n_blocks);
        (void)read_block(c, keep, &b->text); /* it was checked before */
        while (*at)
            at = &(*at)->next;
        *at = b;
        p->n_blocks++;
    }
}

static void show_block(struct sbuf *b, const struct notion_block *block, struct str page)
{
    json_open(b, '{');
    json_kv_text(b, "object", "block");
    json_kv(b, "id", block->id);
    json_key(b, "parent");
    json_open(b, '{');
    json_kv_text(b, "type", "page_id");
    json_kv(b, "page_id", page);
    json_close(b, '}');
    json_kv_time(b, "created_time", block->created_at);
    json_kv_time(b, "last_edited_time", block->created_at);
    json_key(b, "has_children");
    json_bool(b, false);
    json_key(b, "in_trash");
    json_bool(b, false);
    json_kv_text(b, "type", "paragraph");
    json_key(b, "paragraph");
    json_open(b, '{');
    json_key(b, "rich_text");
    json_raw(b, block->text);
    json_kv_text(b, "color", "default");
    json_close(b, '}');
    json_close(b, '}');
}

static void show_list(struct sbuf *b, const struct notion_page *p, const struct notion_block *from,
                      int64_t size)
{
    json_open(b, '{');
    json_kv_text(b, "object", "list");
    json_key(b, "results");
    json_open(b, '[');
    for (; from && size > 0; from = from->next, size--)
        show_block(b, from, p->id);
    json_close(b, ']');
    json_kv(b, "next_cursor", from ? from->id : STR_NULL);
    json_key(b, "has_more");
    json_bool(b, from != NULL);
    json_kv_text(b, "type", "block");
    json_key(b, "block");
    json_raw(b, STR("{}"));
    json_close(b, '}');
}

bool notion_blocks_list(struct sbuf *b, const struct notion_page *p, struct str cursor,
                        int64_t size)
{
    const struct notion_block *from = p->blocks;

    while (from && cursor.len && !str_eq(from->id, cursor))
        from = from->next;
    if (size < 1 || size > NOTION_CHILDREN_MAX || (cursor.len && !from))
        return false;
    show_list(b, p, from, size);
    return true;
}

void notion_blocks_appended(struct sbuf *b, const struct notion_page *p, int64_t n)
{
    const struct notion_block *from = p->blocks;

    for (int64_t skip = p->n_blocks - n; skip > 0; skip--)
        from = from->next;
    show_list(b, p, from, n);
}
