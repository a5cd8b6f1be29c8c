/* connectors/hubspot.c - HubSpot's CRM: what it knows of a contact, read a hundred at a time. */
#include "connectors_priv.h"

#include <inttypes.h>

#include "funneld/base/clock.h"

enum { BATCH_MAX = 100, BODY_MAX = 64 * 1024 };

/* 429 without Retry-After: the interval of the rolling limit, a little stretched. The daily one
 * ends at midnight in a time zone that we do not know: ask again every hour. */
#define INTERVAL_PAUSE_MS  (11 * SECONDS_MS)
#define DAILY_PAUSE_MS     (1 * HOURS_MS)
#define LOCKED_PAUSE_MS    (2 * SECONDS_MS)
#define MIGRATION_PAUSE_MS (1 * MINUTES_MS)

struct hubspot {
    struct connector_common common;
    struct str token;
    struct str_list properties;
    int64_t stale_after_ms;
    struct str ui_url;
    int64_t portal;
};

static const struct option hubspot_options[] = {
    {.key = "token",
     .type = OPTION_SECRET,
     .offset = offsetof(struct hubspot, token),
     .flags = OPTION_REQUIRED,
     .example = "${HUBSPOT_API_KEY}",
     .help = "access token of a private app with crm.objects.contacts.read"},
    {.key = "properties",
     .type = OPTION_LIST,
     .offset = offsetof(struct hubspot, properties),
     .fallback = "email, firstname, lastname, company, phone, lifecyclestage",
     .help = "what to read of a contact"},
    {.key = "stale_after",
     .type = OPTION_DURATION,
     .offset = offsetof(struct hubspot, stale_after_ms),
     .fallback = "24h",
     .help = "a contact read longer ago is read again when something happens to it"},
    {.key = "ui_url",
     .type = OPTION_URL,
     .offset = offsetof(struct hubspot, ui_url),
     .fallback = "https://app.hubspot.com",
     .help = "where people look at a contact; for links in messages"},
    {.key = "portal",
     .type = OPTION_INT,
     .offset = offsetof(struct hubspot, portal),
     .example = "62515",
     .help = "the account of the token; contacts of other accounts are then not asked for"},
    CONNECTOR_OPTIONS(struct hubspot, "https://api.hubapi.com", "15s", "4", "8/s", "0"),
};

static const struct section_spec hubspot_spec = {
    .kind = "connector",
    .type = "hubspot",
    .named = true,
    .options = hubspot_options,
    .n_options = ARRAY_LEN(hubspot_options),
    .size = sizeof(struct hubspot),
    .help = "HubSpot CRM: reads what is known of a contact",
};

static bool can_be_asked(const struct hubspot *s, const struct lead *l)
{
    return l->crm_id > 0 && (!s->portal || !l->portal_id || l->portal_id == s->portal);
}

static enum rc hubspot_build(struct job *job, struct http_request *ret, struct why *why)
{
    const struct hubspot *s = job->settings;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    size_t asked = 0;

    json_open(&b, '{');
    json_key(&b, "properties");
    json_open(&b, '[');
    for (size_t i = 0; i < s->properties.n; i++)
        json_str(&b, s->properties.items[i]);
    json_close(&b, ']');
    json_key(&b, "inputs");
    json_open(&b, '[');
    for (size_t i = 0; i < job->n; i++) {
        if (!can_be_asked(s, job->parcels[i].lead))
            continue;
        json_open(&b, '{');
        json_kv_id(&b, "id", job->parcels[i].lead->crm_id);
        json_close(&b, '}');
        asked++;
    }
    json_close(&b, ']');
    json_close(&b, '}');
    if (!asked)
        return why_fail(RC_INVALID, why, "the lead is no contact of this HubSpot account");

    *ret = (struct http_request){.method = "POST", .repeatable = true};
    ret->url =
        arena_printf(job->arena, "%.*s/crm/v3/objects/contacts/batch/read", STR_ARG(s->common.url));
    request_bearer(ret, s->token, job->arena);
    return request_body(ret, &b, "application/json", job->arena, why);
}

static const json *find_result(const json *results, int64_t crm_id)
{
    for (const json *r = json_first(results); r; r = json_next(r)) {
        int64_t id;

        if (json_int64(json_get(r, "id"), &id) && id == crm_id)
            return r;
    }
    return NULL;
}

/* The element of errors[] that speaks of this id; NULL: none does. */
static const json *find_error(const json *errors, int64_t crm_id)
{
    for (const json *e = json_first(errors); e; e = json_next(e)) {
        const json *ids = json_path(e, "context.ids");

        for (const json *i = json_first(ids); i; i = json_next(i)) {
            int64_t id;

            if (json_int64(i, &id) && id == crm_id)
                return e;
        }
    }
    return NULL;
}

/* A property without value comes as null or not at all: both mean that it is empty. */
static void take_properties(struct job *job, const json *record, struct outcome *o)
{
    const struct hubspot *s = job->settings;
    const json *values = json_get(record, "properties");

    o->properties = arena_array(job->arena, s->properties.n, sizeof(*o->properties));
    o->n_properties = s->properties.n;
    for (size_t i = 0; i < s->properties.n; i++) {
        struct str name = s->properties.items[i];
        struct str value = json_scalar(json_get(values, arena_text(job->arena, name)), job->arena);

        o->properties[i].name = name;
        o->properties[i].value = value.at ? arena_str(job->arena, value) : STR("");
    }
}

static void judge_found(struct job *job, size_t i, const json *record)
{
    struct outcome *o = &job->outcomes[i];
    const struct hubspot *s = job->settings;
    const struct lead *l = job->parcels[i].lead;

    take_properties(job, record, o);
    if (!time_parse(json_string(json_get(record, "updatedAt")), &o->updated_at))
        o->updated_at = job->now_ms;
    o->portal_id = l->portal_id ? l->portal_id : s->portal;
    o->crm_id = l->crm_id;
    o->remote_id = arena_printf(job->arena, "%" PRId64, l->crm_id);
    o->enriched = true;
    judge_one(job, i, VERDICT_DELIVERED, STR_NULL);
}

static void judge_absent(struct job *job, size_t i, const json *error)
{
    struct str category = json_string(json_get(error, "category"));
    bool early = job->parcels[i].d.attempts < UNKNOWN_ANSWER_TRIES;

    if (!error || !category.len || str_is(category, "OBJECT_NOT_FOUND")) {
        job->outcomes[i].enriched = true;
        judge_one(job, i, VERDICT_DEAD, STR("no such contact: it was deleted or merged"));
        return;
    }
    struct str message = str_cut(json_string(json_get(error, "message")), 200);
    judge_one(job, i, early ? VERDICT_RETRY : VERDICT_DEAD,
              arena_printf(job->arena, "%.*s: %.*s", STR_ARG(category), STR_ARG(message)));
}

static enum judged judge_records(struct job *job, const json *answer)
{
    const struct hubspot *s = job->settings;

    for (size_t i = 0; i < job->n; i++) {
        const struct lead *l = job->parcels[i].lead;
        const json *record = find_result(json_get(answer, "results"), l->crm_id);

        if (!can_be_asked(s, l))
            judge_one(job, i, VERDICT_DEAD, STR("the lead is no contact of this HubSpot account"));
        else if (record)
            judge_found(job, i, record);
        else
            judge_absent(job, i, find_error(json_get(answer, "errors"), l->crm_id));
    }
    return JUDGED_DONE;
}

static const struct refusal {
    int status;
    const char *advice;
} refusals[] = {
    {400, "HubSpot refuses the request; check the connector's `properties`"},
    {401, "the token is not valid: put a new one into the connector's `token`"},
    {403, "the token lacks a scope: the private app needs crm.objects.contacts.read"},
    {404, "HubSpot does not know this address: check the connector's `url`"},
    {405, "HubSpot does not take this request: check the connector's `url`"},
    {414, "HubSpot refuses the request"},
    {415, "HubSpot refuses the request"},
};

static struct str refused(struct job *job, const struct http_response *r, const char *advice)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str what = http_reason(r, job->arena), id = STR_NULL;

    if (answer_object(r, &doc)) {
        struct str message = json_string(json_get(doc.root, "message"));

        id = json_string(json_get(doc.root, "correlationId"));
        if (message.len)
            what = arena_printf(job->arena, "HTTP %d: %.*s", r->status,
                                STR_ARG(str_cut(message, 200)));
    }
    if (id.len)
        return arena_printf(job->arena, "%s (%.*s, correlation id %.*s)", advice, STR_ARG(what),
                            STR_ARG(str_cut(id, 64)));
    return arena_printf(job->arena, "%s (%.*s)", advice, STR_ARG(what));
}

static enum judged judge_quota(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool daily =
        answer_object(r, &doc) && str_is(json_string(json_get(doc.root, "policyName")), "DAILY");

    job_rest(job, r, daily ? DAILY_PAUSE_MS : INTERVAL_PAUSE_MS);
    return judge_all(job, VERDICT_RETRY,
                     daily ? STR("HubSpot's daily limit of requests is used up")
                           : STR("HubSpot's limit of requests in ten seconds is used up"));
}

static enum judged hubspot_judge(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (r->status == 200 || r->status == 207) {
        if (answer_object(r, &doc) && json_type(json_get(doc.root, "results")) == JSON_ARRAY)
            return judge_records(job, doc.root);
        return judge_all(job, VERDICT_RETRY, STR("HubSpot's answer is not what it documents"));
    }
    if (r->status == 429)
        return judge_quota(job, r);
    if (r->status == 423 || r->status == 477) {
        job_rest(job, r, r->status == 423 ? LOCKED_PAUSE_MS : MIGRATION_PAUSE_MS);
        return judge_all(job, VERDICT_RETRY, http_reason(r, job->arena));
    }
    if (status_is_temporary(r->status))
        return judge_all(job, VERDICT_RETRY, http_reason(r, job->arena));
    if (r->status >= 300 && r->status < 400)
        return judge_redirect(job, r);
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        if (refusals[i].status == r->status)
            return judge_all(job, VERDICT_DEAD, refused(job, r, refusals[i].advice));
    return judge_unknown(job, refused(job, r, "HubSpot answers what it does not document"));
}

struct str hubspot_contact_url(const void *settings, int64_t portal_id, int64_t crm_id,
                               struct arena *a)
{
    const struct hubspot *s = settings;
    int64_t portal = portal_id ? portal_id : s->portal;

    if (!portal || !crm_id)
        return STR_NULL;
    return arena_printf(a, "%.*s/contacts/%" PRId64 "/record/0-1/%" PRId64, STR_ARG(s->ui_url),
                        portal, crm_id);
}

int64_t hubspot_stale_after_ms(const void *settings)
{
    const struct hubspot *s = settings;

    return s->stale_after_ms;
}

const struct connector_type hubspot_connector = {
    .name = "hubspot",
    .spec = &hubspot_spec,
    .max_batch = BATCH_MAX,
    .upsert = true,
    .enriches = true,
    .build = hubspot_build,
    .judge = hubspot_judge,
};
