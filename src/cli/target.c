/* cli/target.c - which rows of a table had which outcome. */
#include "target.h"

enum rc target_parse(struct str text, struct target *ret, struct why *why)
{
    struct target t = {0};
    struct str rest = text;

    if (!str_chr(text, '=') || !str_split(&rest, '=', &t.column) || !rest.len)
        return why_fail(RC_INVALID, why, "%.*s is not COLUMN=POSITIVE or COLUMN=POSITIVE:NEGATIVE",
                        STR_ARG(str_cut(text, 80)));
    bool both = str_chr(rest, ':') != NULL;
    (void)str_split(&rest, ':', &t.positive); /* there is something */
    t.negative = both ? str_trim(rest) : STR_NULL;
    t.column = str_trim(t.column);
    t.positive = str_trim(t.positive);
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
