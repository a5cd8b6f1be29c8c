/* cli/import_seen.c - rows of a file that say something else of the same lead at the same time:
 * which of them it was at last, nobody could tell. Known by hashes, so that a file of millions has
 * room.
 */
#include <string.h>

#include "import.h"

static int64_t hash(struct str text)
{
    uint8_t full[SHA256_LEN];
    int64_t ret;

    sha256(&text, 1, full);
    memcpy(&ret, full, sizeof ret);
    return ret ? ret : 1;
}

static int64_t who_and_when(const struct imported *i, struct arena *a)
{
    if (i->crm_id)
        return hash(arena_printf(a, "%lld:%lld %lld", (long long)i->portal_id, (long long)i->crm_id,
                                 (long long)i->at));
    return hash(arena_printf(a, "%.*s %lld", STR_ARG(i->email), (long long)i->at));
}

enum rc import_seen_add(struct import_seen *s, const struct imported *i, int64_t line,
                        struct arena *a, struct why *why)
{
    int64_t who = who_and_when(i, a);
    const int64_t *first = idmap_find(&s->lines, who), *says = idmap_find(&s->says, who);
    struct str body;

    if (imported_body(i, a, &body) != RC_OK)
        return RC_OK; /* it is too big, and left out for that */
    if (first && *says != hash(body))
        return why_fail(RC_INVALID, why,
                        "line %lld says something else of the same lead at the same time: map the "
                        "time of each row to @at, or leave one of them out",
                        (long long)*first);
    if (!first) {
        idmap_set(&s->lines, who, line);
        idmap_set(&s->says, who, hash(body));
    }
    return RC_OK;
}

void import_seen_free(struct import_seen *s)
{
    idmap_free(&s->lines);
    idmap_free(&s->says);
}
