/* ingest/envelope.c - an event's own JSON together with what made sense of it.
 *
 * A past score is rebuilt from stored bodies, maybe years after the mapping was changed: so the
 * mapping of that day is kept with what was sent. What took effect and has no envelope had no
 * mapping. One that could not be processed is kept as it was sent, for a better mapping. A
 * sender's own JSON that looks like an envelope gets one.
 */
#include "mapping_priv.h"

static bool is_envelope(const json *node)
{
    return json_type(node) == JSON_OBJECT && json_get(node, "funneld");
}

static bool needs_envelope(const json *node, const struct mapping *m, const struct event *e)
{
    if (is_envelope(node))
        return true;
    return e->state == EVENT_PROCESSED && (m->map.n || m->id.len);
}

struct str envelope_seal(const json *node, struct str own, const struct mapping *m,
                         const struct event *e, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 4); /* bounded by body and configuration */

    if (!needs_envelope(node, m, e))
        return own;
    json_open(&b, '{');
    json_key(&b, "funneld");
    json_open(&b, '{');
    json_key(&b, "map");
    json_open(&b, '{');
    for (size_t i = 0; i < m->map.n; i++) {
        json_key_str(&b, m->map.items[i].name);
        json_str(&b, m->map.items[i].value);
    }
    json_close(&b, '}');
    if (m->id.len)
        json_kv(&b, "id", m->id);
    json_close(&b, '}');
    json_key(&b, "sent");
    json_raw(&b, own);
    json_close(&b, '}');
    return arena_str(a, sbuf_str(&b));
}

static bool read_map(const json *object, struct mapping *m, struct arena *a)
{
    struct str_pair *pairs = arena_array(a, json_count(object) + 1, sizeof *pairs);
    struct path_error error;
    size_t n = 0;

    if (json_type(object) != JSON_OBJECT)
        return false;
    for (const json *c = json_first(object); c; c = json_next(c)) {
        struct str path = json_scalar(c, a);

        if (!path_valid(path, &error))
            return false;
        pairs[n++] = (struct str_pair){arena_str(a, json_name(c)), path, 0};
    }
    m->map = (struct str_pairs){pairs, n};
    return true;
}

enum rc envelope_open(const json *stored, enum rereading reading, struct mapping *m,
                      struct arena *a, const json **ret_sent, struct why *why)
{
    const json *own = json_get(stored, "funneld"), *sent = json_get(stored, "sent");
    struct mapping then = *m;

    then.map = (struct str_pairs){0};
    if (is_envelope(stored)) {
        if (!sent || !read_map(json_get(own, "map"), &then, a))
            return why_fail(RC_INVALID, why, "what was stored with it is damaged");
        m->id = then.id = json_scalar(json_get(own, "id"), a);
    }
    if (reading == READ_AS_IT_CAME)
        *m = then;
    *ret_sent = is_envelope(stored) ? sent : stored;
    return RC_OK;
}

struct str envelope_renew(const json *sent, const struct mapping *m, const struct event *e,
                          struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SIZE_MAX / 4); /* as long as what was stored */

    json_node(&b, sent);
    return envelope_seal(sent, arena_str(a, sbuf_str(&b)), m, e, a);
}
