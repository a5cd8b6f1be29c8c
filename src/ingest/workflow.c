/* ingest/workflow.c - the webhooks that HubSpot's workflows send: settings, and a request's body.
 *
 * One JSON object for one enrolled record, to a path of its own: these are not the webhooks of an
 * app. HubSpot sends it again for up to three days when we answer 503.
 */
#include <stddef.h>

#include "workflow_priv.h"

static const char *const require_choices[] = {[REQUIRE_ANY] = "any", [REQUIRE_V3] = "v3", NULL};
static const char *const object_choices[] = {[OBJECT_NONE] = "contact",
                                             [OBJECT_COMPANY] = "company",
                                             [OBJECT_DEAL] = "deal",
                                             [OBJECT_TICKET] = "ticket",
                                             NULL};

static const struct option workflow_options[] = {
    {.key = "path",
     .type = OPTION_TEXT,
     .offset = offsetof(struct workflow, common.path),
     .fallback = "/webhooks/hubspot-workflow",
     .help = "where the workflow posts to, below [server] public_url"},
    {.key = "secret",
     .type = OPTION_SECRET,
     .offset = offsetof(struct workflow, auth.secret),
     .example = "${HUBSPOT_CLIENT_SECRET}",
     .help =
         "client secret of the app whose id the workflow's action names; HubSpot signs with it"},
    {.key = "secret_previous",
     .type = OPTION_SECRET,
     .offset = offsetof(struct workflow, auth.secret_previous),
     .example = "${HUBSPOT_CLIENT_SECRET_PREVIOUS}",
     .help = "also accepted, while the secret is being rotated"},
    {.key = "require",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct workflow, auth.require),
     .fallback = "any",
     .choices = require_choices,
     .help = "v3 refuses signature v2, which can be replayed for ever; v1 is never accepted"},
    {.key = "api_key",
     .type = OPTION_SECRET,
     .offset = offsetof(struct workflow, api_key),
     .example = "${HUBSPOT_WORKFLOW_KEY}",
     .help = "instead of secret: the value of the action's API key"},
    {.key = "api_key_previous",
     .type = OPTION_SECRET,
     .offset = offsetof(struct workflow, api_key_previous),
     .example = "${HUBSPOT_WORKFLOW_KEY_PREVIOUS}",
     .help = "also accepted, while the key is being rotated"},
    {.key = "api_key_header",
     .type = OPTION_TEXT,
     .offset = offsetof(struct workflow, api_key_header),
     .example = "X-API-Key",
     .help = "name of the API key where the action sends it as a header"},
    {.key = "api_key_query",
     .type = OPTION_TEXT,
     .offset = offsetof(struct workflow, api_key_query),
     .example = "api_key",
     .help = "name of the API key where the action sends it as a query parameter"},
    {.key = "object",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct workflow, object),
     .fallback = "contact",
     .choices = object_choices,
     .help = "what the workflow enrols; what is not a contact is stored and counted"},
    {.key = "portal",
     .type = OPTION_INT,
     .offset = offsetof(struct workflow, portal),
     .min = 1,
     .max = INT64_MAX,
     .example = "62515",
     .help = "the HubSpot account, where the body does not name it"},
    {.key = "enrolment",
     .type = OPTION_TEXT,
     .offset = offsetof(struct workflow, enrolment),
     .example = "enrolment_id",
     .help = "key or $.path of an id that differs for each enrolment; the same id counts once"},
    {.key = "dedupe_window",
     .type = OPTION_DURATION,
     .offset = offsetof(struct workflow, dedupe_window),
     .fallback = "24h",
     .min = SECONDS_MS,
     .max = 3650 * DAYS_MS,
     .help = "without such an id the same body counts once in this time"},
    {.key = "enrich",
     .type = OPTION_TEXT,
     .offset = offsetof(struct workflow, enrich),
     .example = "crm",
     .help = "hubspot connector that is asked who a contact is"},
};

static const struct section_spec workflow_spec = {
    .kind = "source",
    .type = "hubspot_workflow",
    .named = true,
    .options = workflow_options,
    .n_options = ARRAY_LEN(workflow_options),
    .size = sizeof(struct workflow),
    .help = "webhooks of HubSpot workflows: the action \"Send a webhook\", or an app's own action",
};

static void check_proof(const struct workflow *w, const struct conf_section *section,
                        struct str public_url, struct conf_problems *problems)
{
    bool named = w->api_key_header.len || w->api_key_query.len;

    if (!w->auth.secret.len == !w->api_key.len)
        conf_problem(problems, section, conf_find(section, "api_key"),
                     "as the workflow's action: signed with an app's secret, or with an API key",
                     "set either secret or api_key");
    if (w->auth.secret.len && !public_url.len)
        conf_problem(problems, section, NULL, "set it to what the action's URL starts with",
                     "secret needs [server] public_url: HubSpot signs the whole URL");
    if (w->api_key.len && (!named || (w->api_key_header.len && w->api_key_query.len)))
        conf_problem(problems, section, conf_find(section, "api_key"),
                     "as the workflow's action sends it",
                     "api_key needs either api_key_header or api_key_query");
    if (w->api_key_header.at && !str_is_token(w->api_key_header))
        conf_problem(problems, section, conf_find(section, "api_key_header"), "as in X-API-Key",
                     "\"%.*s\" is not the name of a header", STR_ARG(w->api_key_header));
    if (!w->api_key.len && named)
        conf_problem(problems, section,
                     conf_find(section, w->api_key_header.len ? "api_key_header" : "api_key_query"),
                     "set api_key as well", "it names an API key that is not set");
}

static void workflow_check(const void *settings, const struct conf_section *section,
                           struct str public_url, struct conf_problems *problems)
{
    const struct workflow *w = settings;
    struct path_error error;

    check_common(&w->common, w->auth.secret, section, problems);
    check_proof(w, section, public_url, problems);
    if (w->enrolment.at && (path_is_constant(w->enrolment) || !path_valid(w->enrolment, &error)))
        conf_problem(problems, section, conf_find(section, "enrolment"),
                     "a key of the body, or a path as in $.properties.enrolment_id.value",
                     "\"%.*s\" is not where an id could stand", STR_ARG(w->enrolment));
}

struct mapping workflow_mapping(const struct workflow *w, struct arena *a)
{
    struct str_pair *pairs = arena_array(a, 2, sizeof *pairs);
    size_t n = 0;

    if (w->enrolment.len)
        pairs[n++] = (struct str_pair){STR("event_id"), w->enrolment, 0};
    if (w->portal)
        pairs[n++] =
            (struct str_pair){STR("portal_id"), arena_printf(a, "'%lld'", (long long)w->portal), 0};
    return (struct mapping){.map = {pairs, n}, .dedupe_window = w->dedupe_window};
}

static enum refusal workflow_decode(const struct source *s, const struct raw_request *r,
                                    struct arena *a, struct event **ret, size_t *ret_n,
                                    struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct mapping m = workflow_mapping(s->settings, a);

    if (json_parse(r->body, &doc, why))
        return REFUSED_JSON;
    if (json_type(doc.root) != JSON_OBJECT)
        return refuse(REFUSED_JSON, why, "the body is not a JSON object");
    const struct request_facts facts = request_facts(s, r, a);
    struct event *e = ARENA_NEW(a, struct event);
    event_init(e, &facts, str_trim(r->body), a);
    workflow_event(doc.root, s->settings, &m, a, e);
    e->body = envelope_seal(doc.root, e->body, &m, e, a);
    *ret = e;
    *ret_n = 1;
    return REFUSED_NOT;
}

/* What took effect was about a contact, whatever the workflow enrols now. */
static enum rc workflow_decode_stored(const struct source *s, const struct stored_body *stored,
                                      struct arena *a, struct event *ret, struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct workflow w = *(const struct workflow *)s->settings;
    struct mapping m = workflow_mapping(&w, a);
    const struct request_facts facts = {.source = arena_str(a, s->name),
                                        .received_at = stored->received_at};
    const json *sent;

    if (json_parse(stored->text, &doc, why) ||
        envelope_open(doc.root, stored->reading, &m, a, &sent, why))
        return why_wrap(RC_INVALID, why, "read a stored event of a workflow");
    if (stored->reading == READ_AS_IT_CAME)
        w.object = OBJECT_NONE;
    event_init(ret, &facts, stored->text, a);
    workflow_event(sent, &w, &m, a, ret);
    if (stored->reading == READ_ANEW)
        ret->body = envelope_renew(sent, &m, ret, a);
    return RC_OK;
}

static struct str workflow_sample(int64_t now_ms, struct arena *a)
{
    return arena_printf(a,
                        "{\"portalId\":62515,\"hs_object_id\":1246965,"
                        "\"email\":\"ada@example.com\",\"firstname\":\"Ada\","
                        "\"enrolment_id\":\"sample-%lld\"}",
                        (long long)now_ms);
}

const struct source_type workflow_source = {
    .name = "hubspot_workflow",
    .spec = &workflow_spec,
    .check = workflow_check,
    .verify_head = workflow_verify_head,
    .verify = workflow_verify,
    .proof = workflow_proof,
    .decode = workflow_decode,
    .decode_stored = workflow_decode_stored,
    .sign = workflow_sign,
    .sample = workflow_sample,
};
