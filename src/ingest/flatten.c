/* ingest/flatten.c - nested JSON as flat fields, the way Zapier names them.
 *
 * {"a":{"b":1}} is a__b = 1. Of an array that holds only scalars the values are joined by ", "
 * (["x","y"] is "x, y"); any other array is flattened by position (items__0__sku). Nulls and
 * empty arrays and objects are missing. Names and their number have a ceiling, because a deep
 * body could otherwise repeat a long name for each of its leaves.
 */
#include <string.h>

#include "ingest_priv.h"

static bool is_container(const json *node)
{
    return json_type(node) == JSON_OBJECT || json_type(node) == JSON_ARRAY;
}

static bool holds_containers(const json *array)
{
    for (const json *c = json_first(array); c; c = json_next(c))
        if (is_container(c))
            return true;
    return false;
}

static void add(struct flat *f, struct str name, struct str value, struct arena *a)
{
    f->items = arena_more(a, f->items, f->n, &f->cap, sizeof *f->items);
    f->items[f->n++] = (struct field){name, value};
}

static struct str joined(const json *array, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 4); /* bounded by the body */
    bool any = false;

    for (const json *c = json_first(array); c; c = json_next(c)) {
        struct str value = json_scalar(c, a);

        if (!value.at)
            continue;
        if (any)
            sbuf_add(&b, STR(", "));
        sbuf_add(&b, value);
        any = true;
    }
    if (!any)
        return STR_NULL;
    return b.len ? arena_str(a, sbuf_str(&b)) : STR("");
}

struct str flat_value(const json *node, struct arena *a)
{
    if (json_type(node) == JSON_ARRAY && !holds_containers(node))
        return joined(node, a);
    return json_scalar(node, a); /* missing of an object or an array of such */
}

static void walk(struct flat *f, struct str prefix, const json *node, struct arena *a);

static void visit(struct flat *f, struct str name, const json *node, struct arena *a)
{
    struct str value = flat_value(node, a);

    if (value.at)
        add(f, name, value, a);
    else if (is_container(node))
        walk(f, name, node, a);
}

/* Depth is at most 64: base/json saw to it. */
static void walk(struct flat *f, struct str prefix, const json *node, struct arena *a)
{
    size_t index = 0;

    for (const json *c = json_first(node); c; c = json_next(c), index++) {
        if (f->n == FLAT_MAX) {
            f->cut = true;
            return;
        }
        struct str part =
            json_type(node) == JSON_ARRAY ? arena_printf(a, "%zu", index) : json_name(c);
        size_t joint = prefix.at ? prefix.len + 2 : 0;

        if (joint + part.len > FLAT_NAME_MAX) {
            f->cut = true;
            continue;
        }
        struct str name = prefix.at ? arena_printf(a, "%.*s__%.*s", STR_ARG(prefix), STR_ARG(part))
                                    : arena_str(a, part);
        visit(f, name, c, a);
    }
}

struct flat flatten(const json *object, struct arena *a)
{
    struct flat f = {0};

    walk(&f, STR_NULL, object, a);
    return f;
}
