/* config/value_same.c - whether two settings are the same. */
#include "conf_priv.h"

#include <string.h>

static bool same_int(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(int64_t)) == 0;
}

static bool same_rate(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(double)) == 0;
}

static bool same_bool(const void *a, const void *b)
{
    return *(const bool *)a == *(const bool *)b;
}

static bool same_text(const void *a, const void *b)
{
    const struct str *x = a, *y = b;

    return str_eq(*x, *y);
}

static bool same_list(const void *a, const void *b)
{
    const struct str_list *x = a, *y = b;

    for (size_t i = 0; i < x->n && x->n == y->n; i++)
        if (!str_eq(x->items[i], y->items[i]))
            return false;
    return x->n == y->n;
}

static bool same_map(const void *a, const void *b)
{
    const struct str_pairs *x = a, *y = b;

    for (size_t i = 0; i < x->n && x->n == y->n; i++)
        if (!str_eq(x->items[i].name, y->items[i].name) ||
            !str_eq(x->items[i].value, y->items[i].value))
            return false;
    return x->n == y->n;
}

bool value_same(enum option_type type, const void *a, const void *b)
{
    static bool (*const kinds[])(const void *, const void *) = {
        [OPTION_TEXT] = same_text,     [OPTION_SECRET] = same_text,  [OPTION_URL] = same_text,
        [OPTION_MAIL_URL] = same_text, [OPTION_ADDRESS] = same_text, [OPTION_INT] = same_int,
        [OPTION_DECIMAL] = same_int,   [OPTION_DURATION] = same_int, [OPTION_SIZE] = same_int,
        [OPTION_RATE] = same_rate,     [OPTION_CHOICE] = same_int,   [OPTION_BOOL] = same_bool,
        [OPTION_LIST] = same_list,     [OPTION_MAP] = same_map,      [OPTION_SECRETS] = same_map,
    };

    return kinds[type](a, b);
}
