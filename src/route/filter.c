/* route/filter.c - what a template can do to a value: {{lead.name | title | truncate:40}}.
 *
 * Upper and lower case know Latin, Greek and Cyrillic, whatever the C locale: all of it lies in
 * two bytes of UTF-8, and so does its other case.
 */
#include "template_priv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "funneld/base/clock.h"

enum { POINTS_MAX = 10000, DECIMALS_MAX = 6 };

struct filter {
    const char *name;
    int64_t min, max; /* of the number behind the colon; max 0: it takes none */
    bool needs_number;
    struct str (*apply)(struct str value, int64_t n, enum language l, struct arena *a);
};

/* Letters */

/* Lower-case letters from..to whose capitals lie `down` below, each or every second one. */
static const struct letters {
    unsigned from, to, down, every;
} alphabets[] = {
    {'a', 'z', 32, 1},     {0xe0, 0xf6, 32, 1},   {0xf8, 0xfe, 32, 1},   {0x101, 0x12f, 1, 2},
    {0x133, 0x137, 1, 2},  {0x13a, 0x148, 1, 2},  {0x14b, 0x177, 1, 2},  {0x17a, 0x17e, 1, 2},
    {0x3b1, 0x3c1, 32, 1}, {0x3c3, 0x3cb, 32, 1}, {0x430, 0x44f, 32, 1}, {0x450, 0x45f, 80, 1},
    {0x461, 0x481, 1, 2},
};

static unsigned upper_of(unsigned c)
{
    for (size_t i = 0; i < ARRAY_LEN(alphabets); i++) {
        const struct letters *l = &alphabets[i];

        if (c >= l->from && c <= l->to && (c - l->from) % l->every == 0)
            return c - l->down;
    }
    return c;
}

static unsigned lower_of(unsigned c)
{
    for (size_t i = 0; i < ARRAY_LEN(alphabets); i++) {
        const struct letters *l = &alphabets[i];

        if (c >= l->from - l->down && c <= l->to - l->down &&
            (c - (l->from - l->down)) % l->every == 0)
            return c + l->down;
    }
    return c;
}

/* One or two bytes at s.at[i]; longer ones have no case here. */
static unsigned letter_at(struct str s, size_t i, size_t *len)
{
    unsigned c = (unsigned char)s.at[i];

    *len = 1;
    if ((c & 0xe0) != 0xc0 || i + 1 >= s.len || ((unsigned char)s.at[i + 1] & 0xc0) != 0x80)
        return c < 0x80 ? c : 0;
    *len = 2;
    return (c & 0x1f) << 6 | ((unsigned char)s.at[i + 1] & 0x3f);
}

static void put_letter(char *to, unsigned c, size_t len)
{
    if (len == 1) {
        *to = (char)c;
    } else {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
    }
}

static bool is_word_end(unsigned c)
{
    return c && c < 0x80 && strchr(" \t\n-/.,;:()\"&", (int)c) != NULL;
}

enum letter_case { CASE_UPPER, CASE_LOWER, CASE_TITLE };

static struct str in_case(struct str value, enum letter_case how, struct arena *a)
{
    char *to = arena_alloc(a, value.len);
    bool first = true;
    size_t len;

    memcpy(to, value.at, value.len);
    for (size_t i = 0; i < value.len; i += len) {
        unsigned c = letter_at(value, i, &len);

        if (c) /* 0: a byte of something longer */
            put_letter(
                to + i,
                how == CASE_UPPER || (how == CASE_TITLE && first) ? upper_of(c) : lower_of(c), len);
        first = is_word_end(c);
    }
    return (struct str){to, value.len};
}

static struct str upper(struct str value, int64_t n, enum language l, struct arena *a)
{
    (void)n;
    (void)l;
    return in_case(value, CASE_UPPER, a);
}

static struct str lower(struct str value, int64_t n, enum language l, struct arena *a)
{
    (void)n;
    (void)l;
    return in_case(value, CASE_LOWER, a);
}

static struct str title(struct str value, int64_t n, enum language l, struct arena *a)
{
    (void)n;
    (void)l;
    return in_case(value, CASE_TITLE, a);
}

static struct str trim(struct str value, int64_t n, enum language l, struct arena *a)
{
    (void)n;
    (void)l;
    (void)a;
    return str_trim(value);
}

/* n code points at most, the last of them an ellipsis where something was cut. */
static struct str truncated(struct str value, int64_t n, enum language l, struct arena *a)
{
    int64_t points = 0;
    size_t room = 0;

    (void)l;
    for (size_t i = 0; i < value.len; i++) {
        if (((unsigned char)value.at[i] & 0xc0) == 0x80)
            continue;
        if (points == n - 1)
            room = i;
        if (++points > n)
            return arena_printf(a, "%.*s\xe2\x80\xa6", (int)room, value.at);
    }
    return value;
}

/* Numbers and times */

/* Beyond, a double does not hold every unit of the last decimal. */
static bool round_to(struct str value, int64_t decimals, struct arena *a, struct str *ret)
{
    static const double powers[DECIMALS_MAX + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    double number;

    if (!str_decimal(value, &number) || fabs(number) * powers[decimals] > 1e15)
        return false;
    int64_t units = llround(number * powers[decimals]), one = llround(powers[decimals]);
    const char *sign = units < 0 ? "-" : "";
    units = units < 0 ? -units : units;
    *ret = decimals ? arena_printf(a, "%s%" PRId64 ".%0*" PRId64, sign, units / one, (int)decimals,
                                   units % one)
                    : arena_printf(a, "%s%" PRId64, sign, units);
    return true;
}

static struct str rounded(struct str value, int64_t n, enum language l, struct arena *a)
{
    struct str ret;

    (void)l;
    return round_to(value, n < 0 ? 0 : n, a, &ret) ? ret : value;
}

/* 1,234,567.5 - in Spanish 1.234.567,5, and four digits stay together. */
static struct str grouped(struct str value, int64_t n, enum language l, struct arena *a)
{
    static const struct {
        char group, point;
        size_t shortest;
    } forms[LANGUAGE_COUNT] = {[LANGUAGE_EN] = {',', '.', 4}, [LANGUAGE_ES] = {'.', ',', 5}};
    double number;

    if (!str_decimal(value, &number) || (n >= 0 && !round_to(value, n, a, &value)))
        return value;
    const char *point = str_chr(value, '.');
    size_t sign = value.at[0] == '-', whole = point ? (size_t)(point - value.at) : value.len, k = 0;
    bool groups = whole - sign >= forms[l].shortest;
    char *to = arena_alloc(a, 2 * value.len);
    for (size_t i = 0; i < value.len; i++) {
        if (groups && i > sign && i < whole && (whole - i) % 3 == 0)
            to[k++] = forms[l].group;
        to[k++] = i == whole ? forms[l].point : value.at[i];
    }
    return (struct str){to, k};
}

static struct str date(struct str value, int64_t n, enum language l, struct arena *a)
{
    static const char *const months[LANGUAGE_COUNT][12] = {
        [LANGUAGE_EN] = {"January", "February", "March", "April", "May", "June", "July", "August",
                         "September", "October", "November", "December"},
        [LANGUAGE_ES] = {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
                         "septiembre", "octubre", "noviembre", "diciembre"},
    };
    char text[TIME_TEXT];
    int64_t at;

    (void)n;
    if (!time_parse(value, &at))
        return value;
    time_text(at, text);
    int month = (text[5] - '0') * 10 + text[6] - '0';
    const char *day = text + 8 + (text[8] == '0'), *of = l == LANGUAGE_ES ? " de " : " ";
    return arena_printf(a, "%.*s%s%s%s%.4s", (int)(text + 10 - day), day, of, months[l][month - 1],
                        of, text);
}

static const struct filter filters[] = {
    {.name = "upper", .apply = upper},
    {.name = "lower", .apply = lower},
    {.name = "title", .apply = title},
    {.name = "trim", .apply = trim},
    {.name = "truncate", .min = 1, .max = POINTS_MAX, .needs_number = true, .apply = truncated},
    {.name = "round", .min = 0, .max = DECIMALS_MAX, .apply = rounded},
    {.name = "number", .min = 0, .max = DECIMALS_MAX, .apply = grouped},
    {.name = "date", .apply = date},
};

static const struct filter *find_filter(struct str name, struct why *why)
{
    const char *names[ARRAY_LEN(filters)];

    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        if (str_is(name, filters[i].name))
            return &filters[i];
        names[i] = filters[i].name;
    }
    const char *near = conf_nearest(name, names, ARRAY_LEN(names));
    struct str shown = str_cut(name, 40);
    if (near)
        (void)why_fail(RC_INVALID, why, "unknown filter %.*s; did you mean %s?", STR_ARG(shown),
                       near); /* the caller says RC_INVALID */
    else
        (void)why_fail(RC_INVALID, why,
                       "after | comes a text in quotes for a missing value, as in \"someone\", or "
                       "one of upper lower title trim truncate:N round:N number:N date");
    return NULL;
}

enum rc filter_parse(struct str word, struct filter_call *ret, struct str *bad, struct why *why)
{
    const char *colon = str_chr(word, ':');
    struct str name = {word.at, colon ? (size_t)(colon - word.at) : word.len};
    struct str number = colon ? str_from(word, name.len + 1) : STR_NULL;

    *bad = word;
    *ret = (struct filter_call){.filter = find_filter(str_trim(name), why), .n = -1};
    const struct filter *f = ret->filter;
    if (!f)
        return RC_INVALID;
    *bad = number.at ? number : word;
    if (number.at && !f->max)
        return why_fail(RC_INVALID, why, "%s takes no number", f->name);
    if (!number.at && f->needs_number)
        return why_fail(RC_INVALID, why, "%s needs a number, as in %s:40", f->name, f->name);
    if (number.at && (!str_int64(str_trim(number), &ret->n) || ret->n < f->min || ret->n > f->max))
        return why_fail(RC_INVALID, why, "%s takes a number from %" PRId64 " to %" PRId64, f->name,
                        f->min, f->max);
    return RC_OK;
}

struct str filter_apply(const struct filter_call *c, struct str value, enum language l,
                        struct arena *a)
{
    return value.len ? c->filter->apply(value, c->n, l, a) : value;
}
