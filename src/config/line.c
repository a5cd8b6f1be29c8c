/* config/line.c - takes one line of the configuration file apart. */
#include "line.h"

#include "conf_priv.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static enum rc check_bytes(struct str s, struct why *why)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];

        if (c == 0)
            return why_fail(RC_INVALID, why, "the line holds a NUL byte");
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return why_fail(RC_INVALID, why, "the line holds the control character 0x%02x", c);
    }
    if (!str_is_utf8(s))
        return why_fail(RC_INVALID, why, "the line is not UTF-8");
    return RC_OK;
}

/* An apostrophe opens a text only where no word ends: `it's` is not a quote. */
static bool opens_quote(struct str s, size_t i)
{
    if (s.at[i] == '"')
        return true;
    return s.at[i] == '\'' && (i == 0 || is_blank(s.at[i - 1]) || s.at[i - 1] == '(' ||
                               s.at[i - 1] == ',' || s.at[i - 1] == '=');
}

/* Cuts ` ; comment` off as inih would, except that inih does so inside quotes, too. */
static enum rc cut_comment(struct str *value, char *quote, struct line *l, struct why *why)
{
    for (size_t i = 0; i < value->len; i++) {
        char c = value->at[i];

        if (c == ';' && i > 0 && is_blank(value->at[i - 1])) {
            if (*quote) {
                l->hint = "a comment would start there: put the text into the environment or a "
                          "file, or leave out the blank before ;";
                return why_fail(RC_INVALID, why, "\" ;\" stands inside quotes");
            }
            l->commented = true;
            value->len = i;
            break;
        }
        if (*quote && c == '\\')
            i++;
        else if (*quote && c == *quote)
            *quote = 0;
        else if (!*quote && opens_quote(*value, i))
            *quote = c;
    }
    return RC_OK;
}

/* The word of `word = ...`, missing where there is none; == is a comparison. */
static struct str key_of(struct str body)
{
    const char *equals = str_chr(body, '=');

    if (!equals)
        return STR_NULL;
    size_t before = (size_t)(equals - body.at);
    if (str_starts(str_from(body, before), STR("==")))
        return STR_NULL;
    struct str word = str_trim((struct str){body.at, before});
    return conf_is_word(word) ? word : STR_NULL;
}

static enum rc read_header(struct str body, struct line *l, struct why *why)
{
    static const char form[] = "write [kind] or [kind name]; a name has letters, digits, _ . - "
                               "and at most 64 of them";
    const char *end = str_chr(body, ']');

    l->kind = LINE_SECTION;
    l->hint = form;
    if (!end)
        return why_fail(RC_INVALID, why, "the section's ] is missing");
    l->text = (struct str){body.at, (size_t)(end - body.at) + 1};
    struct str behind = str_trim(str_from(body, l->text.len));
    if (behind.len && behind.at[0] != ';' && behind.at[0] != '#')
        return why_fail(RC_INVALID, why, "there is something behind the section's ]");

    struct str inside = str_trim((struct str){l->text.at + 1, l->text.len - 2});
    size_t cut = 0;
    while (cut < inside.len && !is_blank(inside.at[cut]))
        cut++;
    struct str kind = {inside.at, cut}, name = str_trim(str_from(inside, cut));
    if (!inside.len)
        return why_fail(RC_INVALID, why, "the section has no name");
    if (!conf_is_word(kind) || (name.len && !conf_is_word(name)) || name.len > CONF_NAME_MAX ||
        kind.len > CONF_NAME_MAX)
        return why_fail(RC_INVALID, why, "\"%.*s\" is not a section's name", STR_ARG(inside));
    l->word = kind;
    l->name = name.len ? name : STR_NULL;
    return RC_OK;
}

static enum rc read_key(struct str body, char *quote, struct line *l, struct why *why)
{
    const char *equals = str_chr(body, '=');

    if (!equals) {
        l->hint = "write key = value, [section] or ; comment";
        return why_fail(RC_INVALID, why, "\"%.*s\" is not a setting", STR_ARG(str_cut(body, 60)));
    }
    size_t before = (size_t)(equals - body.at);
    struct str word = str_trim((struct str){body.at, before});
    if (!conf_is_word(word)) {
        l->hint = "a key has letters, digits, _ . - and stands in front of =";
        return why_fail(RC_INVALID, why, "\"%.*s\" is not a key", STR_ARG(str_cut(word, 60)));
    }
    l->kind = LINE_KEY;
    l->word = word;
    if (str_starts(str_from(body, before), STR("=="))) {
        l->hint = "a line that goes on with the value above is indented";
        return why_fail(RC_INVALID, why, "\"%.*s ==\" is a comparison, not a setting",
                        STR_ARG(word));
    }
    struct str value = str_from(body, before + 1);
    *quote = 0;
    enum rc rc = cut_comment(&value, quote, l, why);
    l->text = str_trim((struct str){body.at, before + 1 + value.len});
    return rc;
}

static enum rc read_more(struct str body, char *quote, struct line *l, struct why *why)
{
    struct line other = {0};
    struct str key = key_of(body);

    l->kind = LINE_MORE;
    l->hint = "keys and [sections] begin in the first column; a line that goes on with the value "
              "above must not look like one";
    if (body.at[0] == '[' && !read_header(body, &other, NULL))
        return why_fail(RC_INVALID, why, "%.*s is indented: it would join the value above",
                        STR_ARG(other.text));
    if (key.at)
        return why_fail(RC_INVALID, why, "\"%.*s =\" is indented: it would join the value above",
                        STR_ARG(key));
    l->hint = NULL;
    struct str value = body;
    enum rc rc = cut_comment(&value, quote, l, why);
    l->text = str_trim(value);
    return rc;
}

static enum rc read_body(struct str body, bool indented, bool in_value, char *quote, struct line *l,
                         struct why *why)
{
    if (indented && in_value)
        return read_more(body, quote, l, why);
    if (indented) {
        l->kind = LINE_LOST;
        l->hint = "keys and [sections] begin in the first column";
        return why_fail(RC_INVALID, why, "the line is indented, with no value above to go on with");
    }
    if (body.at[0] == '[')
        return read_header(body, l, why);
    return read_key(body, quote, l, why);
}

enum rc line_read(struct str physical, bool in_value, size_t max, char *quote, struct line *ret,
                  struct why *why)
{
    struct str body = str_trim(physical);
    bool indented = physical.len && is_blank(physical.at[0]);

    *ret = (struct line){.kind = LINE_LOST};
    if (check_bytes(body, why))
        return RC_INVALID;
    if (!body.len || body.at[0] == ';' || body.at[0] == '#') {
        ret->kind = body.len ? LINE_COMMENT : LINE_BLANK;
        return RC_OK;
    }
    enum rc rc = read_body(body, indented, in_value, quote, ret, why);
    if (rc)
        return rc;
    size_t len = ret->text.len + (ret->kind == LINE_MORE); /* one blank of its indent is kept */
    if (len > max) {
        ret->hint = "continue the value on the next line, indented; or take it from ${NAME} or "
                    "file:/path";
        return why_fail(RC_INVALID, why, "the line is %zu bytes long, %zu is the most", len, max);
    }
    return RC_OK;
}
