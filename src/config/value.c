/* config/value.c - from the text of one option to its typed value. */
#include <string.h>

#include "conf_priv.h"
#include "funneld/base/clock.h"
#include "funneld/base/url.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* From the largest down, so that a limit is shown in the largest unit that fits. */
static const struct unit durations[] = {
    {"d", DAYS_MS}, {"h", HOURS_MS}, {"m", MINUTES_MS}, {"s", SECONDS_MS}, {"ms", 1}, {NULL, 0},
};
static const struct unit sizes[] = {
    {"TiB", INT64_C(1) << 40},
    {"GiB", INT64_C(1) << 30},
    {"MiB", INT64_C(1) << 20},
    {"KiB", INT64_C(1) << 10},
    {"", 1},
    {NULL, 0},
};
static const struct unit rates[] = {{"/h", 3600}, {"/m", 60}, {"/s", 1}, {NULL, 0}};

struct value_type {
    const char *what, *form; /* "is not <what>", and how it is written */
    enum rc (*parse)(const struct option *o, struct str text, struct arena *a, void *field,
                     struct why *why);
    struct str (*limit)(int64_t limit, struct arena *a); /* a limit as it would be written */
    bool may_be_empty;
};

static const struct value_type types[];

static const struct unit *split_unit(struct str text, const struct unit units[],
                                     struct str *ret_number)
{
    size_t n = 0;

    while (n < text.len && text.at[n] && strchr("0123456789.-", text.at[n]))
        n++;
    *ret_number = (struct str){text.at, n};
    for (const struct unit *u = units; u->name; u++)
        if (str_is(str_from(text, n), u->name))
            return u;
    return NULL;
}

/* Limits as written */

static struct str in_units(int64_t limit, const struct unit *u, struct arena *a)
{
    while (limit % u->factor)
        u++; /* the last unit is 1 */
    return arena_printf(a, "%lld%s", (long long)(limit / u->factor), limit ? u->name : "");
}

static struct str limit_duration(int64_t limit, struct arena *a)
{
    return in_units(limit, durations, a);
}

static struct str limit_size(int64_t limit, struct arena *a)
{
    return in_units(limit, sizes, a);
}

static struct str limit_int(int64_t limit, struct arena *a)
{
    return arena_printf(a, "%lld", (long long)limit);
}

static struct str limit_decimal(int64_t limit, struct arena *a)
{
    return arena_printf(a, "%.1f", (double)limit / 10);
}

static struct str limit_rate(int64_t limit, struct arena *a)
{
    return arena_printf(a, "%lld/s", (long long)limit);
}

static struct str limit_bytes(int64_t limit, struct arena *a)
{
    return arena_printf(a, "%lld bytes", (long long)limit);
}

static struct str limit_items(int64_t limit, struct arena *a)
{
    return arena_printf(a, "%lld items", (long long)limit);
}

static bool has_min(const struct option *o)
{
    return o->min || o->max;
}

static bool has_max(const struct option *o)
{
    return o->max || o->min < 0;
}

static enum rc outside(const struct option *o, const char *how, int64_t limit, struct arena *a,
                       struct why *why)
{
    return why_fail(RC_INVALID, why, "is %s than %s", how, types[o->type].limit(limit, a).at);
}

static enum rc check_limits(const struct option *o, int64_t v, struct arena *a, struct why *why)
{
    if (has_min(o) && v < o->min)
        return outside(o, "less", o->min, a, why);
    if (has_max(o) && v > o->max)
        return outside(o, "more", o->max, a, why);
    return RC_OK;
}

/* Numbers. RC_NONE: it does not have the form of its type. */

static enum rc keep_int(const struct option *o, int64_t v, struct arena *a, void *field,
                        struct why *why)
{
    enum rc rc = check_limits(o, v, a, why);

    if (!rc)
        memcpy(field, &v, sizeof v);
    return rc;
}

static enum rc parse_int(const struct option *o, struct str text, struct arena *a, void *field,
                         struct why *why)
{
    int64_t v;

    return str_int64(text, &v) ? keep_int(o, v, a, field, why) : RC_NONE;
}

static enum rc parse_decimal(const struct option *o, struct str text, struct arena *a, void *field,
                             struct why *why)
{
    struct str rest = text, whole;
    int64_t v, tenth = 0;
    bool negative = str_starts(text, STR("-"));

    if (!str_split(&rest, '.', &whole) || !str_int64(whole, &v) ||
        __builtin_mul_overflow(v, 10, &v))
        return RC_NONE;
    if (rest.at && (rest.len != 1 || !str_int64(rest, &tenth)))
        return RC_NONE;
    if (__builtin_add_overflow(v, negative ? -tenth : tenth, &v))
        return RC_NONE;
    return keep_int(o, v, a, field, why);
}

static enum rc parse_units(const struct option *o, struct str text, const struct unit units[],
                           struct arena *a, void *field, struct why *why)
{
    struct str number;
    const struct unit *u = split_unit(text, units, &number);
    int64_t v;

    if (!str_int64(number, &v) || v < 0)
        return RC_NONE;
    if (!u && !(v == 0 && number.len == text.len))
        return RC_NONE;
    if (u && __builtin_mul_overflow(v, u->factor, &v))
        return RC_NONE;
    return keep_int(o, v, a, field, why);
}

static enum rc parse_duration(const struct option *o, struct str text, struct arena *a, void *field,
                              struct why *why)
{
    return parse_units(o, text, durations, a, field, why);
}

static enum rc parse_size(const struct option *o, struct str text, struct arena *a, void *field,
                          struct why *why)
{
    return parse_units(o, text, sizes, a, field, why);
}

static enum rc parse_rate(const struct option *o, struct str text, struct arena *a, void *field,
                          struct why *why)
{
    struct str number;
    const struct unit *u = split_unit(text, rates, &number);
    double v;

    if (!u || !str_decimal(number, &v) || v < 0)
        return RC_NONE;
    if (v == 0)
        return why_fail(RC_INVALID, why, "is 0, so that nothing would ever be sent");
    v /= (double)u->factor;
    if (has_min(o) && v < (double)o->min)
        return outside(o, "less", o->min, a, why);
    if (has_max(o) && v > (double)o->max)
        return outside(o, "more", o->max, a, why);
    memcpy(field, &v, sizeof v);
    return RC_OK;
}

static enum rc parse_choice(const struct option *o, struct str text, struct arena *a, void *field,
                            struct why *why)
{
    (void)a;
    for (int64_t i = 0; o->choices[i]; i++) {
        if (str_is(text, o->choices[i])) {
            memcpy(field, &i, sizeof i);
            return RC_OK;
        }
    }
    return why_fail(RC_INVALID, why, "is not one of its values");
}

static enum rc parse_bool(const struct option *o, struct str text, struct arena *a, void *field,
                          struct why *why)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true},    {"no", false}, {"true", true},
                 {"false", false}, {"on", true},  {"off", false}};

    (void)o;
    (void)a;
    (void)why;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_ieq(text, str_of(words[i].word))) {
            memcpy(field, &words[i].value, sizeof words[i].value);
            return RC_OK;
        }
    }
    return RC_NONE;
}

/* Texts */

static enum rc parse_text(const struct option *o, struct str text, struct arena *a, void *field,
                          struct why *why)
{
    struct str copy = arena_str(a, text);
    enum rc rc = check_limits(o, (int64_t)text.len, a, why);

    if (!rc)
        memcpy(field, &copy, sizeof copy);
    return rc;
}

static enum rc parse_url(const struct option *o, struct str text, struct arena *a, void *field,
                         struct why *why)
{
    struct url u;
    struct why inner = {0};

    if (url_parse(text, &u, &inner))
        return why_fail(RC_INVALID, why, "is not a URL: %s", inner.text);
    if (str_is(u.scheme, "http") && !host_is_loopback(u.host))
        return why_fail(RC_INVALID, why,
                        "is http:// to another machine, in the clear for everyone "
                        "on the way; only https:// goes there");
    while (str_ends(text, STR("/")))
        text.len--;
    return parse_text(o, text, a, field, why);
}

static enum rc parse_mail_url(const struct option *o, struct str text, struct arena *a, void *field,
                              struct why *why)
{
    struct url u;
    struct why inner = {0};

    while (str_ends(text, STR("/")) && !str_ends(text, STR("//")))
        text.len--;
    if (mail_url_parse(text, &u, &inner))
        return why_fail(RC_INVALID, why, "is not a mail server's URL: %s", inner.text);
    if (u.target.len)
        return why_fail(RC_INVALID, why,
                        "names a mail server: behind its host and port is nothing");
    return parse_text(o, text, a, field, why);
}

static enum rc parse_address(const struct option *o, struct str text, struct arena *a, void *field,
                             struct why *why)
{
    struct str host;
    uint16_t port;
    struct why inner = {0};

    if (host_port_parse(text, &host, &port, &inner))
        return why_fail(RC_INVALID, why, "is not an address: %s", inner.text);
    return parse_text(o, text, a, field, why);
}

static enum rc parse_list(const struct option *o, struct str text, struct arena *a, void *field,
                          struct why *why)
{
    struct str rest = text.len ? text : STR_NULL, item, *items = NULL;
    struct str_list list = {0};

    while (str_split(&rest, ',', &item)) {
        item = str_trim(item);
        if (!item.len)
            return why_fail(RC_INVALID, why, "has an empty item");
        items = conf_room(a, items, list.n, sizeof *items);
        items[list.n++] = arena_str(a, item);
    }
    enum rc rc = check_limits(o, (int64_t)list.n, a, why);
    if (rc)
        return rc;
    list.items = items;
    memcpy(field, &list, sizeof list);
    return RC_OK;
}

static const struct value_type types[] = {
    [OPTION_TEXT] = {.what = "a text",
                     .parse = parse_text,
                     .limit = limit_bytes,
                     .may_be_empty = true},
    [OPTION_SECRET] = {.what = "a secret", .parse = parse_text, .limit = limit_bytes},
    [OPTION_URL] = {.what = "a URL",
                    .form = "as in https://api.example.com",
                    .parse = parse_url,
                    .limit = limit_bytes},
    [OPTION_MAIL_URL] = {.what = "a mail server's URL",
                         .form = "as in smtp://mail.example.com:587, smtps://mail.example.com:465",
                         .parse = parse_mail_url,
                         .limit = limit_bytes},
    [OPTION_ADDRESS] = {.what = "an address",
                        .form = "as in [::]:8443, 127.0.0.1:8444",
                        .parse = parse_address,
                        .limit = limit_bytes},
    [OPTION_INT] = {.what = "a whole number",
                    .form = "as in 4",
                    .parse = parse_int,
                    .limit = limit_int},
    [OPTION_DECIMAL] = {.what = "a number with at most one decimal",
                        .form = "as in 35, 2.5, -10",
                        .parse = parse_decimal,
                        .limit = limit_decimal},
    [OPTION_DURATION] = {.what = "a duration",
                         .form = "a whole number and ms, s, m, h or d, as in 250ms, 30s, 14d",
                         .parse = parse_duration,
                         .limit = limit_duration},
    [OPTION_SIZE] = {.what = "a size",
                     .form = "bytes, or a whole number and KiB, MiB, GiB or TiB, as in 1MiB",
                     .parse = parse_size,
                     .limit = limit_size},
    [OPTION_RATE] = {.what = "a rate",
                     .form = "a number and /s, /m or /h, as in 2.5/s, 60/m",
                     .parse = parse_rate,
                     .limit = limit_rate},
    [OPTION_CHOICE] = {.what = "one of its values", .parse = parse_choice, .limit = limit_int},
    [OPTION_BOOL] = {.what = "yes or no",
                     .form = "yes, no, true, false, on or off",
                     .parse = parse_bool,
                     .limit = limit_int},
    [OPTION_LIST] = {.what = "a list",
                     .form = "items with commas between them",
                     .parse = parse_list,
                     .limit = limit_items,
                     .may_be_empty = true},
};

static const char *choice_hint(const struct option *o, struct str text, struct arena *a)
{
    size_t n = 0;

    while (o->choices[n])
        n++;
    return conf_suggest(text, o->choices, n, a);
}

enum rc value_parse(const struct option *o, struct str text, struct arena *a, void *field,
                    const char **hint, struct why *why)
{
    const struct value_type *t = &types[o->type];

    if (!text.len && (!t->may_be_empty || (o->flags & OPTION_REQUIRED))) {
        *hint = o->type == OPTION_CHOICE ? choice_hint(o, text, a) : t->form;
        return why_fail(RC_INVALID, why, "is empty");
    }
    enum rc rc = t->parse(o, text, a, field, why);
    if (rc == RC_NONE)
        (void)why_fail(rc, why, "is not %s", t->what); /* answered as RC_INVALID below */
    if (rc == RC_NONE || o->type == OPTION_URL || o->type == OPTION_MAIL_URL ||
        o->type == OPTION_ADDRESS)
        *hint = t->form;
    if (rc && o->type == OPTION_CHOICE)
        *hint = choice_hint(o, text, a);
    return rc ? RC_INVALID : RC_OK;
}
