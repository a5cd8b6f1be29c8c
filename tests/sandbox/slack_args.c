/* tests/sandbox/slack_args.c - the arguments of a method of Slack's Web API. */
#include "slack_args.h"

void args_free(struct args *a)
{
    json_doc_free(&a->doc);
}

const char *args_read(const struct call *c, struct args *ret)
{
    struct str type = call_header(c, "Content-Type");
    bool charset = str_find(type, STR("charset=")) != NULL;

    if (str_is(c->method, "GET")) {
        ret->n = form_decode(STR(""), c->arena, &ret->fields);
        return NULL;
    }
    if (!type.at && c->body.len)
        return "missing_post_type";
    if (call_type_is(c, "application/json")) {
        ret->warning = charset ? NULL : "missing_charset";
        if (json_parse(c->body, &ret->doc, NULL))
            return "invalid_json";
        return json_type(ret->doc.root) == JSON_OBJECT ? NULL : "json_not_object";
    }
    if (!c->body.len || call_type_is(c, "application/x-www-form-urlencoded")) {
        ret->warning = charset ? "superfluous_charset" : NULL;
        ret->n = form_decode(c->body, c->arena, &ret->fields);
        return NULL;
    }
    return "invalid_post_type";
}

struct str arg(const struct call *c, const struct args *a, const char *name)
{
    struct str value;

    if (a->doc.root)
        return json_scalar(json_get(a->doc.root, name), c->arena);
    value = form_get(a->fields, a->n, name);
    return value.at ? value : call_query(c, name);
}

struct str arg_json(const struct call *c, const struct args *a, const char *name)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);
    const json *node = a->doc.root ? json_get(a->doc.root, name) : NULL;
    struct str ret;

    if (!node)
        return a->doc.root ? STR_NULL : form_get(a->fields, a->n, name);
    if (json_type(node) == JSON_STRING) /* allowed there too */
        return arena_str(c->arena, json_string(node));
    json_node(&b, node);
    return sbuf_seal(&b, c->arena, &ret) ? STR_NULL : ret;
}

void args_check(const struct args *a, const char *method, const char *const known[])
{
    for (const json *m = json_first(a->doc.root); m; m = json_next(m)) {
        size_t i = 0;

        while (known[i] && !str_is(json_name(m), known[i]))
            i++;
        if (!known[i])
            offence("slack", "%s takes no %.*s", method, STR_ARG(json_name(m)));
    }
}
