/* connectors/hubspot_objects.c - what companies, deals and tickets are, and whose.
 *
 * A conversation of two requests: the records, then their associations with contacts, up to a
 * hundred of one kind at a time; more of them where a batch is refused as a whole
 * (hubspot_halves.c).
 *
 *   POST /crm/v3/objects/deals/batch/read                 as of contacts (hubspot.md 4.1)
 *   POST /crm/v4/associations/deals/contacts/batch/read   {"inputs":[{"id":"9"}]} ->
 *     {"results":[{"from":{"id":"9"},"to":[{"toObjectId":"7","associationTypes":[...]}],
 *                  "paging":{"next":{"after":"..."}}}],"errors":[...]}
 *
 * From HubSpot's reference "Retrieve associations" (developers.hubspot.com,
 * legacy/crm/associations/ associate-records/batch/get-associations): `paging` is there only when
 * there are more than it gives; ids are texts there and have been numbers elsewhere, so both are
 * read. The batch read of records takes no `associations`, only that of one record does.
 * UNVERIFIED: what an object without contacts gives. It may be missing, have an empty list, or have
 * an error whose subCategory ends in NO_ASSOCIATIONS_FOUND under 207; all three mean that it has
 * none. Also UNVERIFIED: that the scope for tickets is called `tickets`.
 */
#include "hubspot_priv.h"

#include <inttypes.h>

#include "funneld/base/clock.h"

enum { BODY_MAX = 64 * 1024, CONTACTS_MAX = 1000 };

/* What was said of associations is taken as of a little earlier: of changes that were under way,
 * the webhook tells. */
#define UNDER_WAY_MS (1 * MINUTES_MS)

static const char not_ours[] = "the record is none of this HubSpot account";

enum step { STEP_RECORDS, STEP_CONTACTS };

/* What the first answer said of an object, kept until the second: an outcome is whole or nothing.
 */
struct kept {
    const struct field *properties;
    int64_t updated_at;
};
struct reading {
    int64_t asked_at; /* for the contacts */
    struct kept *records;
    struct hubspot_halves halves;
};

static enum object_kind kind_of(const struct job *job)
{
    return job->parcels[0].object->kind;
}

static const struct str_list *wanted(const struct job *job)
{
    const struct hubspot *s = job->settings;

    return &s->object_properties[kind_of(job)];
}

static bool is_ours(const struct job *job, size_t i)
{
    const struct hubspot *s = job->settings;

    return !s->portal || job->parcels[i].object->record.portal_id == s->portal;
}

static bool is_unread(const struct job *job, size_t i)
{
    const struct reading *r = job->scratch;

    return !r->records[i].properties;
}

static bool is_read(const struct job *job, size_t i)
{
    return !is_unread(job, i);
}

static void write_inputs(const struct job *job, struct sbuf *b)
{
    const struct reading *r = job->scratch;

    json_key(b, "inputs");
    json_open(b, '[');
    for (size_t k = 0; k < r->halves.n_sent; k++) {
        json_open(b, '{');
        json_kv_id(b, "id", job->parcels[r->halves.sent[k]].object->record.crm_id);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static struct reading *begin(struct job *job)
{
    struct reading *r = ARENA_NEW(job->arena, struct reading);

    r->records = arena_array(job->arena, job->n, sizeof *r->records);
    hubspot_halves_begin(&r->halves, job);
    for (size_t i = 0; i < job->n; i++)
        if (!is_ours(job, i))
            judge_one(job, i, VERDICT_DEAD, str_of(not_ours));
    job->scratch = r;
    return r;
}

/* All records before any contacts. */
static bool choose(struct job *job)
{
    struct reading *r = job->scratch;

    job->step = STEP_RECORDS;
    if (hubspot_halves_take(&r->halves, job, is_unread))
        return true;
    job->step = STEP_CONTACTS;
    return hubspot_halves_take(&r->halves, job, is_read);
}

static enum rc objects_build(struct job *job, struct http_request *ret, struct why *why)
{
    struct reading *r = job->scratch ? job->scratch : begin(job);
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    const char *kind = object_kind_plural(kind_of(job));

    if (!choose(job))
        return why_fail(RC_INVALID, why, "%s", not_ours);
    json_open(&b, '{');
    if (job->step == STEP_RECORDS)
        hubspot_write_names(&b, wanted(job), NULL);
    write_inputs(job, &b);
    json_close(&b, '}');
    r->asked_at = job->now_ms;
    struct str path =
        job->step == STEP_RECORDS
            ? arena_printf(job->arena, "/crm/v3/objects/%s/batch/read", kind)
            : arena_printf(job->arena, "/crm/v4/associations/%s/contacts/batch/read", kind);
    hubspot_request(job->settings, "POST", path, ret, job->arena);
    return request_body(ret, &b, "application/json", job->arena, why);
}

/* Records */

static struct str gone(const struct job *job)
{
    return arena_printf(job->arena, "no such %s: it was deleted or merged",
                        object_kind_name(kind_of(job)));
}

static void judge_absent(struct job *job, size_t i, const json *error)
{
    struct str category = json_string(json_get(error, "category"));

    if (category.len && !str_is(category, "OBJECT_NOT_FOUND")) {
        hubspot_judge_element(job, i, error);
        return;
    }
    job->outcomes[i].enriched = true;
    judge_one(job, i, VERDICT_DEAD, gone(job));
}

static void take_records(struct job *job, const json *answer)
{
    struct reading *r = job->scratch;

    for (size_t k = 0; k < r->halves.n_sent; k++) {
        size_t i = r->halves.sent[k];
        int64_t id = job->parcels[i].object->record.crm_id;
        const json *record = hubspot_find_result(json_get(answer, "results"), id);

        if (record)
            r->records[i] = (struct kept){hubspot_properties(job, wanted(job), record),
                                          hubspot_updated_at(job, record)};
        else
            judge_absent(job, i, hubspot_find_error(json_get(answer, "errors"), id));
    }
}

/* Contacts */

/* false: one may have failed in which there are contacts. */
static bool only_says_none(const json *answer)
{
    for (const json *e = json_first(json_get(answer, "errors")); e; e = json_next(e))
        if (!str_ends(json_string(json_get(e, "subCategory")), STR("NO_ASSOCIATIONS_FOUND")))
            return false;
    return true;
}

struct found {
    int64_t *ids;
    size_t n, cap;
    bool all, any;
};

static void add_contacts(struct found *f, const json *result, struct arena *a)
{
    for (const json *t = json_first(json_get(result, "to")); t; t = json_next(t)) {
        int64_t id;

        if (!json_int64(json_get(t, "toObjectId"), &id) || id <= 0 || f->n == CONTACTS_MAX) {
            f->all = false;
            continue;
        }
        f->ids = arena_more(a, f->ids, f->n, &f->cap, sizeof *f->ids);
        f->ids[f->n++] = id;
    }
    if (json_type(json_path(result, "paging.next")) == JSON_OBJECT)
        f->all = false;
    f->any = true;
}

static struct found contacts_of(struct job *job, const json *answer, int64_t object)
{
    struct found f = {.all = true};

    for (const json *x = json_first(json_get(answer, "results")); x; x = json_next(x)) {
        int64_t from;

        if (json_int64(json_path(x, "from.id"), &from) && from == object)
            add_contacts(&f, x, job->arena);
    }
    f.all = f.all && (f.any || only_says_none(answer));
    return f;
}

static void deliver(struct job *job, size_t i, const struct found *f)
{
    const struct reading *r = job->scratch;
    const struct lead *record = &job->parcels[i].object->record;
    struct outcome *o = &job->outcomes[i];

    o->properties = r->records[i].properties;
    o->n_properties = wanted(job)->n;
    o->updated_at = r->records[i].updated_at;
    o->portal_id = record->portal_id;
    o->crm_id = record->crm_id;
    o->contacts = (struct contact_list){
        .ids = f->ids, .n = f->n, .all = f->all, .read_at = r->asked_at - UNDER_WAY_MS};
    o->remote_id = arena_printf(job->arena, "%" PRId64, record->crm_id);
    o->enriched = true;
    judge_one(job, i, VERDICT_DELIVERED, STR_NULL);
}

static void take_contacts(struct job *job, const json *answer)
{
    const struct reading *r = job->scratch;

    for (size_t k = 0; k < r->halves.n_sent; k++) {
        size_t i = r->halves.sent[k];
        struct found f = contacts_of(job, answer, job->parcels[i].object->record.crm_id);

        deliver(job, i, &f);
    }
}

static enum judged objects_answered(struct job *job, const json *answer)
{
    struct reading *r = job->scratch;

    if (!hubspot_is_list(answer))
        return judge_all(job, VERDICT_RETRY, str_of(hubspot_odd));
    if (job->step == STEP_RECORDS)
        take_records(job, answer);
    else
        take_contacts(job, answer);
    return hubspot_halves_answered(&r->halves, job);
}

static enum judged objects_refused(struct job *job, int status, struct str category,
                                   struct str reason)
{
    struct reading *r = job->scratch;
    const struct hubspot_refused refused = {status, category, reason, gone(job), true};

    /* The record has just been described: HubSpot says nothing of whose it is. */
    if (job->step == STEP_CONTACTS && r->halves.n_sent == 1 && hubspot_is_gone(&refused)) {
        deliver(job, r->halves.sent[0], &(struct found){.all = false});
        return hubspot_halves_answered(&r->halves, job);
    }
    return hubspot_halves_refused(&r->halves, job, &refused);
}

#define TALK(kind, scope_, option)                                                                 \
    [kind] = {.scope = scope_,                                                                     \
              .property_advice = HUBSPOT_ADVICE(option),                                           \
              .aside = true,                                                                       \
              .build = objects_build,                                                              \
              .answered = objects_answered,                                                        \
              .refused = objects_refused},
const struct hubspot_talk hubspot_objects[OBJECT_KIND_COUNT] = {HUBSPOT_READS_OBJECTS(TALK)};
