/* tests/fuzz/fuzz_path.c - a path on the first line, followed into the JSON below. */
#include "source.h"

#include "../../src/ingest/mapping_priv.h"

/* What a path finds is what flatten.c has under its name; but of a joined array it knows no part.
 */
static bool is_flat(const struct flat *flat, struct str name, struct str value)
{
    for (size_t i = 0; i < flat->n; i++)
        if (str_eq(flat->items[i].name, name) && str_eq(flat->items[i].value, value))
            return true;
    return false;
}

static void check_found(const json *root, struct str path, struct arena *a)
{
    struct str value = flat_value(path_find(root, path), a);
    struct flat flat = flatten(root, a);

    if (value.at && !flat.cut && json_type(root) == JSON_OBJECT && !str_ends(path, STR("]")))
        assert_true(is_flat(&flat, path_flat_name(path, a), value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = fuzz_text(data, size), path = STR("");
    struct arena a AUTO(arena_free) = {0};
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct path_error error = {0};

    (void)fuzz_line(&rest, &path); /* "" of "" */
    if (!path_valid(path, &error)) {
        assert_true(error.column <= path.len && error.text);
        return 0;
    }
    assert_true(path.len > 0);
    struct str name = path_flat_name(path, &a);
    if (path_is_constant(path) || path.at[0] != '$')
        fuzz_same(name, path);
    else if (!json_parse(rest.at ? rest : STR(""), &doc, NULL))
        check_found(doc.root, path, &a);
    return 0;
}
