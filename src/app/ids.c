/* app/ids.c - the ids that a command names, on their way to the daemon. */
#include "funneld/app/control.h"

void control_ids_write(struct sbuf *b, const int64_t ids[], size_t n)
{
    json_key(b, "ids");
    json_open(b, '[');
    for (size_t i = 0; i < n; i++)
        json_int(b, ids[i]);
    json_close(b, ']');
}

enum rc control_ids_read(const json *request, struct arena *a, const int64_t **ret, size_t *ret_n,
                         struct why *why)
{
    const json *list = json_get(request, "ids");
    int64_t *ids = arena_array(a, json_count(list) + 1, sizeof *ids);
    size_t n = 0;

    /* What is not understood must not widen the filter: an empty one is for all. */
    if (json_type(list) != JSON_ARRAY)
        return why_fail(RC_INVALID, why, "ids is a list");
    for (const json *id = json_first(list); id; id = json_next(id))
        if (!json_int64(id, &ids[n++]))
            return why_fail(RC_INVALID, why, "an id is not a number");
    *ret = ids;
    *ret_n = n;
    return RC_OK;
}
