/* connectors/hubspot_read.c - who contacts are, a hundred in one request. */
#include "hubspot_priv.h"

#include <inttypes.h>

#include "funneld/base/clock.h"

enum { BODY_MAX = 64 * 1024 };

static bool is_ours(const struct job *job, size_t i)
{
    return hubspot_is_contact(job->settings, job->parcels[i].lead);
}

static struct hubspot_halves *begin(struct job *job)
{
    struct hubspot_halves *h = ARENA_NEW(job->arena, struct hubspot_halves);

    hubspot_halves_begin(h, job);
    for (size_t i = 0; i < job->n; i++)
        if (!is_ours(job, i))
            judge_one(job, i, VERDICT_DEAD, str_of(hubspot_not_ours));
    job->scratch = h;
    return h;
}

static enum rc read_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct hubspot *s = job->settings;
    struct hubspot_halves *h = job->scratch ? job->scratch : begin(job);
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);

    if (!hubspot_halves_take(h, job, is_ours))
        return why_fail(RC_INVALID, why, "%s", hubspot_not_ours);
    json_open(&b, '{');
    hubspot_write_names(&b, &s->properties, NULL);
    json_key(&b, "inputs");
    json_open(&b, '[');
    for (size_t k = 0; k < h->n_sent; k++) {
        json_open(&b, '{');
        json_kv_id(&b, "id", job->parcels[h->sent[k]].lead->crm_id);
        json_close(&b, '}');
    }
    json_close(&b, ']');
    json_close(&b, '}');
    hubspot_request(s, "POST", STR(HUBSPOT_CONTACTS "/batch/read"), ret, job->arena);
    return request_body(ret, &b, "application/json", job->arena, why);
}

/* A property without value comes as null or not at all: both mean that it is empty. */
const struct field *hubspot_properties(const struct job *job, const struct str_list *wanted,
                                       const json *record)
{
    const json *values = json_get(record, "properties");
    struct field *fields = arena_array(job->arena, wanted->n + 1, sizeof *fields);

    for (size_t i = 0; i < wanted->n; i++) {
        struct str name = wanted->items[i];
        struct str value = json_scalar(json_get(values, arena_text(job->arena, name)), job->arena);

        fields[i].name = name;
        fields[i].value = value.at ? arena_str(job->arena, value) : STR("");
    }
    return fields;
}

int64_t hubspot_updated_at(const struct job *job, const json *record)
{
    int64_t at;

    return time_parse(json_string(json_get(record, "updatedAt")), &at) ? at : job->now_ms;
}

static void judge_found(struct job *job, size_t i, const json *record)
{
    struct outcome *o = &job->outcomes[i];
    const struct hubspot *s = job->settings;
    const struct lead *l = job->parcels[i].lead;

    o->properties = hubspot_properties(job, &s->properties, record);
    o->n_properties = s->properties.n;
    o->updated_at = hubspot_updated_at(job, record);
    o->portal_id = l->portal_id ? l->portal_id : s->portal;
    o->crm_id = l->crm_id;
    o->remote_id = arena_printf(job->arena, "%" PRId64, l->crm_id);
    o->enriched = true;
    judge_one(job, i, VERDICT_DELIVERED, STR_NULL);
}

static void judge_absent(struct job *job, size_t i, const json *error)
{
    struct str category = json_string(json_get(error, "category"));

    if (category.len && !str_is(category, "OBJECT_NOT_FOUND")) {
        hubspot_judge_element(job, i, error);
        return;
    }
    job->outcomes[i].enriched = true;
    judge_one(job, i, VERDICT_DEAD, str_of(hubspot_gone));
}

static enum judged read_answered(struct job *job, const json *answer)
{
    struct hubspot_halves *h = job->scratch;

    if (!hubspot_is_list(answer))
        return judge_all(job, VERDICT_RETRY, str_of(hubspot_odd));
    for (size_t k = 0; k < h->n_sent; k++) {
        size_t i = h->sent[k];
        int64_t id = job->parcels[i].lead->crm_id;
        const json *record = hubspot_find_result(json_get(answer, "results"), id);

        if (record)
            judge_found(job, i, record);
        else
            judge_absent(job, i, hubspot_find_error(json_get(answer, "errors"), id));
    }
    return hubspot_halves_answered(h, job);
}

static enum judged read_refused(struct job *job, int status, struct str category, struct str reason)
{
    const struct hubspot_refused refused = {status, category, reason, str_of(hubspot_gone), true};

    return hubspot_halves_refused(job->scratch, job, &refused);
}

#define TALK(kind, scope_, option)                                                                 \
    {                                                                                              \
        .scope = scope_, .property_advice = HUBSPOT_ADVICE(option), .build = read_build,           \
        .answered = read_answered, .refused = read_refused,                                        \
    }
const struct hubspot_talk hubspot_read = HUBSPOT_READS_CONTACT(TALK);
