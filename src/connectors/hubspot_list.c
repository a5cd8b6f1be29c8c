/* connectors/hubspot_list.c - all contacts, a page at a time, with the history of their properties.
 *
 * The place is HubSpot's own `after`, kept in the delivery's remote_id. Each page is asked for with
 * the versions of its properties; where that is refused without them, which is said, and the next
 * one with them again. With history a page has 50 contacts at most, else 100. UNVERIFIED: that
 * `after` is good for days; where it is refused, the import begins anew, and what is known changes
 * nothing. A version has its
 * time as ISO 8601 or in milliseconds; one without a time says nothing of the past.
 */
#include <string.h>

#include "funneld/base/clock.h"
#include "hubspot_priv.h"

enum { PAGE = 100, HISTORY_PAGE = 50, PATH_MAX_BYTES = 8000, VERSIONS_MOST = 20000 };

/* What a goal looks at, whether it is read otherwise or not. */
static const char *const always[] = {"lifecyclestage", "createdate"};

static bool stands_in(const struct str_list *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_is(names->items[i], name))
            return true;
    return false;
}

static struct str_list wanted(const struct job *job)
{
    const struct hubspot *s = job->settings;
    struct str *names = arena_array(job->arena, s->properties.n + ARRAY_LEN(always), sizeof *names);
    struct str_list ret = {.items = names};

    for (size_t i = 0; i < s->properties.n; i++)
        names[ret.n++] = s->properties.items[i];
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        if (!stands_in(&s->properties, always[i]))
            names[ret.n++] = str_of(always[i]);
    return ret;
}

/* What is asked for, one after the other while it is refused. */
enum { STEP_HISTORY, STEP_PLAIN, STEP_ANEW, STEP_ANEW_PLAIN };

struct list_place {
    bool plain; /* without history */
    struct str after;
};

static struct list_place place_of(const struct job *job)
{
    bool anew = job->step == STEP_ANEW || job->step == STEP_ANEW_PLAIN;

    return (struct list_place){.plain = job->step == STEP_PLAIN || job->step == STEP_ANEW_PLAIN,
                               .after = anew ? STR_NULL : job->parcels[0].d.remote_id};
}

static void write_list(struct sbuf *b, const char *key, const struct str_list *names)
{
    sbuf_printf(b, "&%s=", key);
    for (size_t i = 0; i < names->n; i++)
        sbuf_printf(b, "%s%.*s", i ? "," : "", STR_ARG(names->items[i]));
}

/* Its own word for a place, which it may change; nothing in it may leave the query. */
static void write_after(struct sbuf *b, struct str after)
{
    if (after.len)
        sbuf_text(b, "&after=");
    for (size_t i = 0; i < after.len; i++) {
        unsigned char c = (unsigned char)after.at[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            strchr("-_.~", c))
            sbuf_char(b, (char)c);
        else
            sbuf_printf(b, "%%%02X", c);
    }
}

/* One that did not come through may have been too long, or too slow to make. */
static int page_size(const struct job *job, const struct list_place *p)
{
    int64_t attempts = job->parcels[0].d.attempts;
    int size = p->plain ? PAGE : HISTORY_PAGE;

    for (; attempts > 0 && size > 1; attempts--)
        size /= 2;
    return size;
}

static enum rc list_build(struct job *job, struct http_request *ret, struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(PATH_MAX_BYTES);
    const struct list_place p = place_of(job);
    const struct str_list names = wanted(job);

    sbuf_printf(&b, HUBSPOT_CONTACTS "?limit=%d", page_size(job, &p));
    write_list(&b, "properties", &names);
    if (!p.plain)
        write_list(&b, "propertiesWithHistory", &names);
    write_after(&b, p.after);
    if (b.failed)
        return why_fail(RC_INVALID, why,
                        "the address would have more than %d characters: shorten `properties`",
                        PATH_MAX_BYTES);
    hubspot_request(job->settings, "GET", arena_str(job->arena, sbuf_str(&b)), ret, job->arena);
    return RC_OK;
}

static bool version_time(const json *v, struct arena *a, int64_t *ret)
{
    return time_parse(json_scalar(json_get(v, "timestamp"), a), ret) && *ret > 0;
}

static size_t count_versions(const json *history)
{
    size_t n = 0;

    for (const json *list = json_first(history); list; list = json_next(list))
        n += json_count(list);
    return n;
}

static void read_versions(struct job *job, const json *contact, struct record *r)
{
    const struct hubspot *s = job->settings;
    const json *history = json_get(contact, "propertiesWithHistory");
    size_t all = count_versions(history), left = 0;
    /* Of a robot's that has more, the newest of each: they come first. */
    size_t most = all > VERSIONS_MOST ? VERSIONS_MOST / json_count(history) + 1 : all;
    struct version *versions = arena_array(job->arena, all + 1, sizeof *versions);

    for (const json *list = json_first(history); list; list = json_next(list)) {
        struct str name = arena_str(job->arena, json_name(list));

        left = most;
        for (const json *v = json_first(list); v && left--; v = json_next(v)) {
            struct version *to = &versions[r->n_versions];

            if (hubspot_writes(s, name) || !version_time(v, job->arena, &to->at))
                continue;
            to->name = name;
            to->value = json_scalar(json_get(v, "value"), job->arena);
            to->value = to->value.at ? arena_str(job->arena, to->value) : STR("");
            r->n_versions++;
        }
    }
    r->versions = versions;
}

static bool read_contact(struct job *job, const struct str_list *names, const json *contact,
                         struct record *r)
{
    const struct hubspot *s = job->settings;

    if (!json_int64(json_get(contact, "id"), &r->crm_id) || r->crm_id <= 0)
        return false;
    r->portal_id = s->portal;
    r->properties = hubspot_properties(job, names, contact);
    r->n_properties = names->n;
    r->updated_at = hubspot_updated_at(job, contact);
    if (!time_parse(json_string(json_get(contact, "createdAt")), &r->created_at))
        r->created_at = 0;
    read_versions(job, contact, r);
    return true;
}

/* Missing: there is no page behind this one. */
static struct str next_place(const struct job *job, const json *answer)
{
    struct str after = json_scalar(json_path(answer, "paging.next.after"), job->arena);

    return after.len ? arena_str(job->arena, after) : STR_NULL;
}

static enum judged list_answered(struct job *job, const json *answer)
{
    const struct list_place p = place_of(job);
    const struct str_list names = wanted(job);
    const json *results = json_get(answer, "results");
    struct record *records = arena_array(job->arena, json_count(results) + 1, sizeof *records);
    struct outcome *o = &job->outcomes[0];
    size_t n = 0;

    if (!hubspot_is_list(answer))
        return judge_all(job, VERDICT_RETRY, str_of(hubspot_odd));
    for (const json *r = json_first(results); r; r = json_next(r))
        if (!read_contact(job, &names, r, &records[n++]))
            return judge_all(job, VERDICT_RETRY, str_of(hubspot_odd));
    struct str next = next_place(job, answer);
    if (next.len && str_eq(next, p.after))
        return judge_all(job, VERDICT_RETRY, STR("HubSpot's list does not go on"));
    o->recovered = records;
    o->n_recovered = n;
    o->remote_id = next;
    o->without_history = p.plain;
    judge_one(job, 0, next.len ? VERDICT_MORE : VERDICT_DELIVERED,
              arena_printf(job->arena, "%zu contacts", n));
    return JUDGED_DONE;
}

/* It may be the history that it does not give, or a place that it does not know any more. */
static enum judged list_refused(struct job *job, int status, struct str category, struct str reason)
{
    bool last = job->step == STEP_ANEW_PLAIN ||
                (job->step == STEP_PLAIN && !job->parcels[0].d.remote_id.len);

    (void)category;
    if (status != 400 || last)
        return judge_all(job, VERDICT_DEAD, reason);
    job->step++;
    return JUDGED_CONTINUE;
}

#define TALK(kind, scope_, option)                                                                 \
    {                                                                                              \
        .scope = scope_, .property_advice = HUBSPOT_ADVICE(option), .build = list_build,           \
        .answered = list_answered, .refused = list_refused,                                        \
    }
const struct hubspot_talk hubspot_list = HUBSPOT_READS_CONTACT(TALK);
