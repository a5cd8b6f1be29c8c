/* tests/sandbox/slack_blocks.c - the rules of Block Kit, with Slack's own complaints. */
#include "slack_blocks.h"

#include "slack_messages.h"

enum {
    BLOCKS_MAX = 50,
    TOTAL_MAX = 13200, /* over all blocks; not documented, reported */
    ID_MAX = 255,
};

struct check { /* one walk over the blocks */
    struct arena *arena;
    struct str detail; /* missing: nothing is wrong so far */
    size_t total;
};

static void complain(struct check *c, struct str at, const char *what)
{
    if (!c->detail.at)
        c->detail = arena_printf(c->arena, "%s [json-pointer:%.*s]", what, STR_ARG(at));
}

static struct str below(struct check *c, struct str at, const char *key)
{
    return arena_printf(c->arena, "%.*s/%s", STR_ARG(at), key);
}

static struct str element(struct check *c, struct str at, const char *key, size_t i)
{
    return arena_printf(c->arena, "%.*s/%s/%zu", STR_ARG(at), key, i);
}

enum texts { PLAIN_ONLY, ANY_TEXT };

/* Of somebody who is there: only what we say ourselves mentions people by their ids. */
static bool is_mention_of_user(struct str text)
{
    const char *end = str_chr(text, '>');

    return str_starts(text, STR("<@")) && end &&
           user_by_id((struct str){text.at + 2, (size_t)(end - text.at) - 2});
}

/* A mention that nobody escaped would ping people. */
static void check_escapes(struct str text, bool plain)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '<' && i + 1 < text.len && str_chr(STR("!@#"), text.at[i + 1]) &&
            (plain || !is_mention_of_user(str_from(text, i))))
            offence("slack", "a mention in a text: %.*s", STR_ARG(str_cut(str_from(text, i), 40)));
}

static void check_text(struct check *c, const json *text, struct str at, enum texts allowed,
                       size_t max)
{
    struct str type = json_string(json_get(text, "type")),
               value = json_string(json_get(text, "text"));
    bool plain = str_is(type, "plain_text");

    if (json_type(text) != JSON_OBJECT || (!plain && !str_is(type, "mrkdwn")))
        complain(c, below(c, at, "type"), "unsupported type");
    else if (allowed == PLAIN_ONLY && !plain)
        complain(c, below(c, at, "type"), "must be a plain_text object");
    else if (!value.len)
        complain(c, below(c, at, "text"), "must be more than 0 characters");
    else if (code_points(value) > max)
        complain(c, below(c, at, "text"),
                 arena_printf(c->arena, "must be less than %zu characters", max + 1).at);
    else if (json_get(text, plain ? "verbatim" : "emoji"))
        complain(c, at, "no more keys are allowed");
    else
        check_escapes(value, plain);
    c->total += code_points(value);
}

static void check_id(struct check *c, const json *node, struct str at, const char *key)
{
    if (json_string(json_get(node, key)).len > ID_MAX)
        complain(c, below(c, at, key), "must be less than 256 characters");
}

static void check_header(struct check *c, const json *block, struct str at)
{
    check_text(c, json_get(block, "text"), below(c, at, "text"), PLAIN_ONLY, 150);
}

static void check_section(struct check *c, const json *block, struct str at)
{
    const json *fields = json_get(block, "fields");
    size_t i = 0;

    if (!json_get(block, "text") && !fields)
        complain(c, at, "missing required field: text or fields");
    if (json_get(block, "text"))
        check_text(c, json_get(block, "text"), below(c, at, "text"), ANY_TEXT, 3000);
    if (fields && (json_count(fields) < 1 || json_count(fields) > 10))
        complain(c, below(c, at, "fields"), "no more than 10 items allowed");
    for (const json *f = json_first(fields); f; f = json_next(f))
        check_text(c, f, element(c, at, "fields", i++), ANY_TEXT, 2000);
}

static void check_context(struct check *c, const json *block, struct str at)
{
    const json *elements = json_get(block, "elements");
    size_t i = 0;

    if (json_count(elements) < 1 || json_count(elements) > 10)
        complain(c, below(c, at, "elements"), "no more than 10 items allowed");
    for (const json *e = json_first(elements); e; e = json_next(e), i++)
        if (!str_is(json_string(json_get(e, "type")), "image"))
            check_text(c, e, element(c, at, "elements", i), ANY_TEXT, 3000);
}

static void check_button(struct check *c, const json *button, struct str at)
{
    struct str url = json_string(json_get(button, "url"));

    if (!str_is(json_string(json_get(button, "type")), "button"))
        complain(c, below(c, at, "type"), "unsupported type");
    check_text(c, json_get(button, "text"), below(c, at, "text"), PLAIN_ONLY, 75);
    check_id(c, button, at, "action_id");
    if (url.len > 3000 || json_string(json_get(button, "value")).len > 2000)
        complain(c, at, "must be less than 3001 characters");
    struct str style = json_string(json_get(button, "style"));
    if (style.at && !str_is(style, "primary") && !str_is(style, "danger"))
        complain(c, below(c, at, "style"), "must be a valid enum value");
    if (url.at && !str_starts(url, STR("https://")) && !str_starts(url, STR("http://")))
        complain(c, below(c, at, "url"), "must be a valid url");
}

static void check_action_ids(struct check *c, const json *elements, struct str at)
{
    for (const json *e = json_first(elements); e; e = json_next(e)) {
        struct str id = json_string(json_get(e, "action_id"));

        for (const json *o = json_next(e); id.at && o; o = json_next(o))
            if (str_eq(id, json_string(json_get(o, "action_id"))))
                complain(c, at, "action_id is not unique");
    }
}

static void check_actions(struct check *c, const json *block, struct str at)
{
    const json *elements = json_get(block, "elements");
    size_t i = 0;

    check_action_ids(c, elements, at);
    if (json_count(elements) < 1 || json_count(elements) > 25)
        complain(c, below(c, at, "elements"), "no more than 25 items allowed");
    for (const json *e = json_first(elements); e; e = json_next(e))
        check_button(c, e, element(c, at, "elements", i++));
}

static void check_image(struct check *c, const json *block, struct str at)
{
    struct str alt = json_string(json_get(block, "alt_text"));

    if (!alt.len || code_points(alt) > 2000)
        complain(c, below(c, at, "alt_text"), "must be less than 2001 characters");
}

static void check_nothing(struct check *c, const json *block, struct str at)
{
    (void)c;
    (void)block;
    (void)at;
}

static const struct kind {
    const char *type;
    void (*check)(struct check *c, const json *block, struct str at);
} kinds[] = {
    {"header", check_header},   {"section", check_section}, {"context", check_context},
    {"actions", check_actions}, {"image", check_image},     {"divider", check_nothing},
};

static void check_block(struct check *c, const json *block, struct str at)
{
    struct str type = json_string(json_get(block, "type"));

    check_id(c, block, at, "block_id");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is(type, kinds[i].type)) {
            kinds[i].check(c, block, at);
            return;
        }
    complain(c, below(c, at, "type"), "unsupported type");
}

const char *blocks_check(struct str blocks, struct arena *a, struct str *ret_detail)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct check c = {.arena = a};
    size_t i = 0;

    if (!blocks.at)
        return NULL;
    if (json_parse(blocks, &doc, NULL) || json_type(doc.root) != JSON_ARRAY)
        return "invalid_blocks_format";
    if (json_count(doc.root) > BLOCKS_MAX)
        complain(&c, STR("/blocks"), "no more than 50 items allowed");
    for (const json *b = json_first(doc.root); b; b = json_next(b))
        check_block(&c, b, arena_printf(a, "/blocks/%zu", i++));
    *ret_detail = c.detail;
    if (c.detail.at)
        return "invalid_blocks";
    return c.total > TOTAL_MAX ? "msg_blocks_too_long" : NULL;
}
