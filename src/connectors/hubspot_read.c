/* connectors/hubspot_read.c - who contacts are, a hundred in one request. */
#include "hubspot_priv.h"

#include <inttypes.h>

#include "funneld/base/clock.h"

enum { BODY_MAX = 64 * 1024 };

static void write_names(struct sbuf *b, const struct str_list *names)
{
    json_key(b, "properties");
    json_open(b, '[');
    for (size_t i = 0; i < names->n; i++)
        json_str(b, names->items[i]);
    json_close(b, ']');
}

static enum rc read_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct hubspot *s = job->settings;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    size_t asked = 0;

    json_open(&b, '{');
    write_names(&b, &s->properties);
    json_key(&b, "inputs");
    json_open(&b, '[');
    for (size_t i = 0; i < job->n; i++) {
        if (!hubspot_is_contact(s, job->parcels[i].lead))
            continue;
        json_open(&b, '{');
        json_kv_id(&b, "id", job->parcels[i].lead->crm_id);
        json_close(&b, '}');
        asked++;
    }
    json_close(&b, ']');
    json_close(&b, '}');
    if (!asked)
        return why_fail(RC_INVALID, why, "%s", hubspot_not_ours);
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
    const struct hubspot *s = job->settings;

    if (!hubspot_is_list(answer))
        return judge_all(job, VERDICT_RETRY, str_of(hubspot_odd));
    for (size_t i = 0; i < job->n; i++) {
        const struct lead *l = job->parcels[i].lead;
        const json *record = hubspot_find_result(json_get(answer, "results"), l->crm_id);

        if (!hubspot_is_contact(s, l))
            judge_one(job, i, VERDICT_DEAD, str_of(hubspot_not_ours));
        else if (record)
            judge_found(job, i, record);
        else
            judge_absent(job, i, hubspot_find_error(json_get(answer, "errors"), l->crm_id));
    }
    return JUDGED_DONE;
}

const struct hubspot_talk hubspot_read = {
    .scope = "crm.objects.contacts.read",
    .property_advice = "check the connector's `properties`",
    .build = read_build,
    .answered = read_answered,
};
