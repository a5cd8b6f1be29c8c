/* cli/target.c - which rows of a table had which outcome. */
#include "target.h"

/* Up to the next colon that no backslash stands before, without those backslashes; what is behind
 * it stays in *rest, missing where there is none. */
static struct str split_value(struct str *rest, struct arena *a)
{
    char *value = arena_array(a, rest->len + 1, sizeof *value);
    size_t i = 0, n = 0;

    for (; i < rest->len && rest->at[i] != ':'; i++) {
        if (rest->at[i] == '\\' && i + 1 < rest->len && rest->at[i + 1] == ':')
            i++;
        value[n++] = rest->at[i];
    }
    *rest = i < rest->len ? str_from(*rest, i + 1) : STR_NULL;
    return str_trim((struct str){value, n});
}

enum rc target_parse(struct str text, struct target *ret, struct arena *a, struct why *why)
{
    struct target t = {0};
    struct str rest = text;

    if (!str_chr(text, '=') || !str_split(&rest, '=', &t.column) || !rest.len)
        return why_fail(RC_INVALID, why, "%.*s is not COLUMN=POSITIVE or COLUMN=POSITIVE:NEGATIVE",
                        STR_ARG(str_cut(text, 80)));
    t.positive = split_value(&rest, a);
    bool both = rest.at != NULL;
    t.negative = both ? split_value(&rest, a) : STR_NULL;
    t.column = str_trim(t.column);
    if (rest.at)
        return why_fail(RC_INVALID, why,
                        "%.*s has a colon too many: one that belongs to a value is written \\:",
                        STR_ARG(str_cut(text, 80)));
    if (!t.column.len || !t.positive.len || (both && !t.negative.len))
        return why_fail(RC_INVALID, why, "%.*s names no column, or no value",
                        STR_ARG(str_cut(text, 80)));
    if (str_ieq(t.positive, t.negative))
        return why_fail(RC_INVALID, why, "%.*s is both the one outcome and the other",
                        STR_ARG(str_cut(t.positive, 80)));
    *ret = t;
    return RC_OK;
}

enum target_class target_class(const struct target *t, struct str cell)
{
    struct str value = str_trim(cell);

    if (!value.len)
        return TARGET_UNKNOWN;
    if (str_ieq(value, t->positive))
        return TARGET_POSITIVE;
    return !t->negative.at || str_ieq(value, t->negative) ? TARGET_NEGATIVE : TARGET_UNKNOWN;
}
