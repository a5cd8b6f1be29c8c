/* cli/values.c - times, ids and shell words, read and written. */
#include "values.h"

#include <stdlib.h>
#include <string.h>

#include "funneld/base/clock.h"

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {
    {"d", DAYS_MS}, {"h", HOURS_MS}, {"m", MINUTES_MS}, {"s", SECONDS_MS}, {"ms", 1},
};

static bool parse_ago(struct str text, int64_t *ret_ms)
{
    size_t n = 0;

    while (n < text.len && text.at[n] >= '0' && text.at[n] <= '9')
        n++;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_is(str_from(text, n), units[i].name))
            return str_int64((struct str){text.at, n}, ret_ms) &&
                   !__builtin_mul_overflow(*ret_ms, units[i].ms, ret_ms);
    return false;
}

bool value_time(struct str text, int64_t now_ms, int64_t *ret_ms)
{
    int64_t ago;

    if (parse_ago(text, &ago)) {
        *ret_ms = now_ms - ago;
        return true;
    }
    return time_parse(text, ret_ms) && *ret_ms >= 0;
}

bool value_id(struct str text, const char *database_id, int64_t *ret)
{
    const char *dash = text.len && text.at[0] != '-' ? str_chr(text, '-') : NULL;
    int64_t id;

    if (dash) {
        struct str front = {text.at, (size_t)(dash - text.at)};

        if (!database_id || !str_is(front, database_id))
            return false;
        text = str_from(text, front.len + 1);
    }
    if (!str_int64(text, &id) || id <= 0)
        return false;
    *ret = id;
    return true;
}

bool value_crm(struct str text, int64_t *ret_portal, int64_t *ret_id)
{
    struct str portal;
    int64_t p, id;

    if (!str_split(&text, ':', &portal) || !text.at)
        return false;
    if (!str_int64(portal, &p) || !str_int64(text, &id) || p <= 0 || id <= 0)
        return false;
    *ret_portal = p;
    *ret_id = id;
    return true;
}

struct str show_time(int64_t unix_ms, struct arena *a)
{
    char text[TIME_TEXT];

    if (!unix_ms)
        return STR("-");
    time_text(unix_ms, text);
    text[10] = ' ';
    return arena_str(a, (struct str){text, sizeof "2026-11-24 13:57:39" - 1});
}

struct str show_duration(int64_t ms, struct arena *a)
{
    size_t i = 0;

    if (ms < SECONDS_MS)
        return ms > 0 ? arena_printf(a, "%lldms", (long long)ms) : STR("0s");
    while (units[i].ms > ms)
        i++;
    long long first = ms / units[i].ms;
    if (units[i].ms == SECONDS_MS)
        return arena_printf(a, "%llds", first);
    long long second = ms % units[i].ms / units[i + 1].ms;
    if (!second)
        return arena_printf(a, "%lld%s", first, units[i].name);
    return arena_printf(a, "%lld%s %lld%s", first, units[i].name, second, units[i + 1].name);
}

struct str show_tenths(int64_t tenths, struct arena *a)
{
    return arena_printf(a, "%s%lld.%lld", tenths < 0 ? "-" : "", llabs(tenths / 10),
                        llabs(tenths % 10));
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_@%+=:,./-", c));
}

void shell_quote(struct sbuf *b, struct str word)
{
    size_t plain = 0;

    while (plain < word.len && is_plain(word.at[plain]))
        plain++;
    if (word.len && plain == word.len) {
        sbuf_add(b, word);
        return;
    }
    sbuf_char(b, '\'');
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] == '\'')
            sbuf_text(b, "'\\''"); /* nothing is special inside single quotes but their end */
        else
            sbuf_char(b, word.at[i]);
    }
    sbuf_char(b, '\'');
}
