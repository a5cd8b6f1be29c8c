/* connectors/hubspot_search.c - which contacts, companies, deals and tickets changed while we were
 * away, a page at a time.
 *
 * A page is a job, and its records are committed together with how far it has come, so that nothing
 * piles up and a crash costs a page. Where it is stands in the delivery's remote_id:
 *
 *     2026-01-01T00:00:00.000Z       those changed then or later, the oldest first
 *     2026-01-01T00:00:00.000Z/123   more than a page changed in this one millisecond: those, by id
 *
 * There is no paging by offset: a record that changes meanwhile goes to the end of the list, and
 * every offset behind it would pass one over. Nor does HubSpot give more than 10,000 that way.
 *
 * When a record was changed is lastmodifieddate of a contact, hs_lastmodifieddate of all else.
 */
#include "hubspot_priv.h"

#include <inttypes.h>
#include <string.h>

#include "funneld/base/clock.h"

enum { PAGE = 100, BODY_MAX = 3000 }; /* characters, says HubSpot */

struct place {
    int64_t time;
    bool within; /* the millisecond */
    int64_t id;  /* after this one */
};

struct page {
    struct record *records;
    size_t n;
    int64_t last_time, last_id;
    bool full;
};

static struct str place_text(const struct place *p, struct arena *a)
{
    char time[TIME_TEXT];

    time_text(p->time, time);
    return p->within ? arena_printf(a, "%s/%" PRId64, time, p->id) : arena_str(a, str_of(time));
}

static bool read_place(const struct delivery *d, struct place *ret)
{
    struct str rest = d->remote_id, time;

    *ret = (struct place){.time = d->facts.event_time};
    if (!rest.len)
        return true;
    (void)str_split(&rest, '/', &time);
    ret->within = time.len < d->remote_id.len;
    return time_parse(time, &ret->time) && (!ret->within || str_int64(rest, &ret->id));
}

static void write_filter(struct sbuf *b, const char *property, const char *operator, int64_t value)
{
    json_open(b, '{');
    json_kv_text(b, "propertyName", property);
    json_kv_text(b, "operator", operator);
    json_kv_id(b, "value", value);
    json_close(b, '}');
}

static enum object_kind kind_of(const struct job *job)
{
    return object_kind_of_plural(job->parcels[0].d.facts.event_property);
}

static const struct str_list *wanted(const struct job *job)
{
    const struct hubspot *s = job->settings;

    return kind_of(job) ? &s->object_properties[kind_of(job)] : &s->properties;
}

static const char *modified(const struct job *job)
{
    return kind_of(job) ? "hs_lastmodifieddate" : "lastmodifieddate";
}

static void write_filters(struct sbuf *b, const struct place *p, const char *modified)
{
    json_key(b, "filterGroups");
    json_open(b, '[');
    json_open(b, '{');
    json_key(b, "filters");
    json_open(b, '[');
    write_filter(b, modified, p->within ? "EQ" : "GTE", p->time);
    if (p->within && p->id)
        write_filter(b, "hs_object_id", "GT", p->id);
    json_close(b, ']');
    json_close(b, '}');
    json_close(b, ']');
}

static void write_order(struct sbuf *b, const struct place *p, const char *modified)
{
    json_key(b, "sorts");
    json_open(b, '[');
    json_open(b, '{');
    json_kv_text(b, "propertyName", p->within ? "hs_object_id" : modified);
    json_kv_text(b, "direction", "ASCENDING");
    json_close(b, '}');
    json_close(b, ']');
}

static enum rc search_build(struct job *job, struct http_request *ret, struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    const enum object_kind kind = kind_of(job);
    struct place p;

    if (!read_place(&job->parcels[0].d, &p))
        return why_fail(RC_INVALID, why, "where the catch-up is cannot be read");
    json_open(&b, '{');
    write_filters(&b, &p, modified(job));
    write_order(&b, &p, modified(job));
    hubspot_write_names(&b, wanted(job), modified(job));
    json_kv_int(&b, "limit", PAGE);
    json_close(&b, '}');
    if (b.failed)
        return why_fail(RC_INVALID, why,
                        "HubSpot takes searches of %d characters at most: shorten `%s%sproperties`",
                        BODY_MAX, object_kind_name(kind), kind ? "_" : "");
    hubspot_request(job->settings, "POST",
                    arena_printf(job->arena, "/crm/v3/objects/%s/search",
                                 kind ? object_kind_plural(kind) : "contacts"),
                    ret, job->arena);
    return request_body(ret, &b, "application/json", job->arena, why);
}

static int64_t changed_at(const struct job *job, const json *record)
{
    int64_t at;

    if (time_parse(json_string(json_get(json_get(record, "properties"), modified(job))), &at))
        return at;
    return hubspot_updated_at(job, record);
}

static int64_t portal_of(const struct job *job)
{
    const struct hubspot *s = job->settings;
    int64_t portal;

    return str_int64(job->parcels[0].d.facts.event_value, &portal) ? portal : s->portal;
}

static bool read_page(struct job *job, const json *answer, struct page *ret)
{
    const json *results = json_get(answer, "results");
    struct page p = {.full = json_path(answer, "paging.next") != NULL};

    p.records = arena_array(job->arena, json_count(results) + 1, sizeof *p.records);
    for (const json *r = json_first(results); r; r = json_next(r)) {
        struct record *record = &p.records[p.n++];

        if (!json_int64(json_get(r, "id"), &record->crm_id) || record->crm_id <= 0)
            return false;
        record->kind = kind_of(job);
        record->portal_id = portal_of(job);
        record->properties = hubspot_properties(job, wanted(job), r);
        record->n_properties = wanted(job)->n;
        record->updated_at = hubspot_updated_at(job, r);
        p.last_time = changed_at(job, r);
        p.last_id = record->crm_id;
    }
    *ret = p;
    return true;
}

/* false: the answer does not go on from where we are, and would go round in circles. */
static bool next_place(const struct place *at, const struct page *p, struct place *ret)
{
    if (!at->within) {
        *ret = (struct place){.time = p->last_time, .within = p->last_time == at->time};
        return p->n && p->last_time >= at->time;
    }
    *ret = (struct place){.time = at->time + !p->full, .within = p->full};
    if (p->full)
        ret->id = p->last_id;
    return !p->full || (p->n && p->last_id > at->id);
}

static const char *words_for(enum object_kind kind, size_t n)
{
    if (kind)
        return n == 1 ? object_kind_name(kind) : object_kind_plural(kind);
    return n == 1 ? "contact" : "contacts";
}

static enum judged search_answered(struct job *job, const json *answer)
{
    struct outcome *o = &job->outcomes[0];
    struct place at, next;
    struct page p;

    (void)read_place(&job->parcels[0].d, &at); /* build has read it */
    if (!hubspot_is_list(answer) || !read_page(job, answer, &p))
        return judge_all(job, VERDICT_RETRY, str_of(hubspot_odd));
    bool done = !p.full && !at.within;
    if (!done && !next_place(&at, &p, &next)) {
        judge_unclear(job, 0, STR("HubSpot's search does not give what comes next"));
        return JUDGED_DONE;
    }
    o->recovered = p.records;
    o->n_recovered = p.n;
    o->remote_id = done ? STR_NULL : place_text(&next, job->arena);
    judge_one(job, 0, done ? VERDICT_DELIVERED : VERDICT_MORE,
              arena_printf(job->arena, "%zu %s", p.n, words_for(kind_of(job), p.n)));
    return JUDGED_DONE;
}

#define TALK(kind, scope_, option)                                                                 \
    [kind] = {.scope = scope_,                                                                     \
              .property_advice = HUBSPOT_ADVICE(option),                                           \
              .aside = kind != OBJECT_NONE,                                                        \
              .build = search_build,                                                               \
              .answered = search_answered},
static const struct hubspot_talk searches[OBJECT_KIND_COUNT] = {HUBSPOT_READS(TALK)};

const struct hubspot_talk *hubspot_search_for(const struct delivery *d)
{
    return str_eq(d->route, route_catch_up)
               ? &searches[object_kind_of_plural(d->facts.event_property)]
               : NULL;
}
