/* ingest/slack_form.c - one field out of a form (application/x-www-form-urlencoded). */
#include "mapping_priv.h"
#include "slack_priv.h"

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
    return times == 1 && form_decode(value, a, ret);
}

bool slack_is_probe(struct str body, struct arena *a)
{
    struct str probe;

    return form_field(body, "ssl_check", a, &probe) && str_is(probe, "1");
}
