/* ingest/path.c - a path of a mapping, read step by step: checked once, followed per event. */
#include "mapping_priv.h"

enum { INDEX_DIGITS = 9 };

struct step {
    struct str name; /* of an object's member; missing: an element of an array */
    int64_t index;
};

/* [0] or ['name'], behind the bracket. */
static const char *read_bracket(struct str *rest, struct step *ret)
{
    char quote = rest->len ? rest->at[0] : '\0';

    if (quote == '\'' || quote == '"') {
        *rest = str_from(*rest, 1);
        const char *end = str_chr(*rest, quote);
        if (!end)
            return "the quote is not closed";
        ret->name = (struct str){rest->at, (size_t)(end - rest->at)};
        *rest = str_from(*rest, ret->name.len + 1);
        return str_take(rest, ']') ? NULL : "a ] is missing";
    }
    const char *end = str_chr(*rest, ']');
    struct str digits = {rest->at, end ? (size_t)(end - rest->at) : 0};
    if (!digits.len || digits.len > INDEX_DIGITS || digits.at[0] == '-' ||
        !str_int64(digits, &ret->index))
        return "in brackets stands a number, counted from 0, or a quoted name";
    *rest = str_from(*rest, digits.len + 1);
    return NULL;
}

static const char *read_name(struct str *rest, struct step *ret)
{
    size_t n = 0;

    while (n < rest->len && !str_chr(STR(".[]'\"*?() \t\n"), rest->at[n]))
        n++;
    if (n == 0)
        return "a name is missing; one with dots or blanks is written ['a b']";
    ret->name = (struct str){rest->at, n};
    *rest = str_from(*rest, n);
    return NULL;
}

/* The next step from the front of *rest, which is not empty. NULL, or what is wrong there. */
static const char *read_step(struct str *rest, struct step *ret)
{
    *ret = (struct step){0};
    if (str_take(rest, '.'))
        return read_name(rest, ret);
    if (str_take(rest, '['))
        return read_bracket(rest, ret);
    return "a path goes on with .name, [0] or ['name']";
}

static bool is_path(struct str s)
{
    return s.len && s.at[0] == '$';
}

bool path_is_constant(struct str path)
{
    return path.len >= 2 && path.at[0] == '\'' && path.at[path.len - 1] == '\'';
}

struct str path_constant(struct str path)
{
    return (struct str){path.at + 1, path.len - 2};
}

static bool fail(struct path_error *ret, size_t column, const char *text)
{
    *ret = (struct path_error){column, text};
    return false;
}

static bool key_valid(struct str key, struct path_error *ret)
{
    for (size_t i = 0; i < key.len; i++)
        if (str_chr(STR("'\"[]$ \t\n"), key.at[i]))
            return fail(ret, i, "a path into the body starts with $, a text stands in 'quotes'");
    return true;
}

bool path_valid(struct str path, struct path_error *ret)
{
    struct str rest = str_from(path, is_path(path));
    struct step step;

    if (!path.len)
        return fail(ret, 0, "it says nothing");
    if (path_is_constant(path))
        return true;
    if (!is_path(path))
        return key_valid(path, ret);
    if (!rest.len)
        return fail(ret, 1, "a path goes on with .name, [0] or ['name']");
    while (rest.len) {
        const char *problem = read_step(&rest, &step);

        if (problem)
            return fail(ret, path.len - rest.len, problem);
    }
    return true;
}

static const json *follow(const json *node, const struct step *step)
{
    int64_t index = 0;

    if (json_type(node) != (step->name.at ? JSON_OBJECT : JSON_ARRAY))
        return NULL;
    for (const json *c = json_first(node); c; c = json_next(c), index++)
        if (step->name.at ? str_eq(json_name(c), step->name) : index == step->index)
            return c;
    return NULL;
}

const json *path_find(const json *root, struct str path)
{
    struct str rest = str_from(path, 1);
    struct step step;

    while (root && rest.len) {
        if (read_step(&rest, &step))
            return NULL;
        root = follow(root, &step);
    }
    return root;
}

struct str path_flat_name(struct str path, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 4); /* bounded by the configuration's lines */
    struct str rest = str_from(path, 1);
    struct step step;

    if (!is_path(path))
        return path;
    while (rest.len && !read_step(&rest, &step)) {
        if (b.len)
            sbuf_text(&b, "__");
        if (step.name.at)
            sbuf_add(&b, step.name);
        else
            sbuf_int(&b, step.index);
    }
    return arena_str(a, sbuf_str(&b));
}
