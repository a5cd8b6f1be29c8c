/* ingest/slack_form.c - one field out of a form (application/x-www-form-urlencoded). */
#include "slack_priv.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* + is a blank, %XX a byte; false: an escape that is none. */
static bool unescape(struct str raw, struct arena *a, struct str *ret)
{
    char *text = arena_alloc(a, raw.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.at[i] == '+' ? ' ' : raw.at[i];

        if (c == '%') {
            int high = i + 2 < raw.len ? digit(raw.at[i + 1]) : -1;
            int low = i + 2 < raw.len ? digit(raw.at[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        text[n++] = c;
    }
    *ret = (struct str){text, n};
    return true;
}

bool form_field(struct str body, const char *name, struct arena *a, struct str *ret)
{
    struct str rest = body, part, key, value = STR_NULL;
    size_t times = 0;

    while (str_split(&rest, '&', &part)) {
        if (!str_split(&part, '=', &key) || !str_is(key, name))
            continue;
        value = part.at ? part : STR("");
        times++;
    }
    return times == 1 && unescape(value, a, ret);
}

bool slack_is_probe(struct str body, struct arena *a)
{
    struct str probe;

    return form_field(body, "ssl_check", a, &probe) && str_is(probe, "1");
}
