/* ingest/hubspot.c - HubSpot's app webhooks: settings, and a request's body into events. */
#include <stddef.h>

#include "hubspot_priv.h"

static const char *const require_choices[] = {
    [REQUIRE_ANY] = "any",
    [REQUIRE_V3] = "v3",
    NULL,
};

static const struct option hubspot_options[] = {
    {.key = "path",
     .type = OPTION_TEXT,
     .offset = offsetof(struct hubspot, common.path),
     .fallback = "/webhooks/hubspot",
     .help = "where HubSpot posts to, below [server] public_url"},
    {.key = "secret",
     .type = OPTION_SECRET,
     .offset = offsetof(struct hubspot, auth.secret),
     .flags = OPTION_REQUIRED,
     .example = "${HUBSPOT_CLIENT_SECRET}",
     .help = "the app's client secret; HubSpot signs with it"},
    {.key = "secret_previous",
     .type = OPTION_SECRET,
     .offset = offsetof(struct hubspot, auth.secret_previous),
     .example = "${HUBSPOT_CLIENT_SECRET_PREVIOUS}",
     .help = "also accepted, while the secret is being rotated"},
    {.key = "require",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct hubspot, auth.require),
     .fallback = "any",
     .choices = require_choices,
     .help = "v3 refuses signatures v1 and v2, which can be replayed for ever"},
    {.key = "enrich",
     .type = OPTION_TEXT,
     .offset = offsetof(struct hubspot, enrich),
     .example = "crm",
     .help = "hubspot connector that is asked who a contact is"},
    {.key = "max_events",
     .type = OPTION_INT,
     .offset = offsetof(struct hubspot, max_events),
     .fallback = "1000",
     .min = 1,
     .max = 10000,
     .help = "events in one request; HubSpot sends up to 100"},
};

static const struct section_spec hubspot_spec = {
    .kind = "source",
    .type = "hubspot",
    .named = true,
    .options = hubspot_options,
    .n_options = ARRAY_LEN(hubspot_options),
    .size = sizeof(struct hubspot),
    .help = "webhooks of a HubSpot app",
};

static void hubspot_check(const void *settings, const struct conf_section *section,
                          struct str public_url, struct conf_problems *problems)
{
    const struct hubspot *h = settings;

    check_common(&h->common, h->auth.secret, section, problems);
    if (!public_url.len)
        conf_problem(problems, section, NULL, "set it to what HubSpot's target URL starts with",
                     "a hubspot source needs [server] public_url: HubSpot signs the whole URL");
}

static enum refusal hubspot_verify_head(const struct source *s, const struct raw_request *r,
                                        struct arena *a, struct why *why)
{
    const struct hubspot *h = s->settings;

    (void)a;
    return hubspot_auth_head(&h->auth, r, why);
}

static enum refusal hubspot_verify(const struct source *s, const struct raw_request *r,
                                   struct arena *a, struct why *why)
{
    const struct hubspot *h = s->settings;

    return hubspot_auth_verify(&h->auth, s, r, a, why);
}

static enum rc hubspot_sign(const struct source *s, struct str base_url, struct str version,
                            struct str body, int64_t now_ms, struct arena *a,
                            struct field ret_headers[4], size_t *ret_n, struct str *ret_url,
                            struct why *why)
{
    const struct hubspot *h = s->settings;

    return hubspot_auth_sign(&h->auth, s, base_url, version, body, now_ms, a, ret_headers, ret_n,
                             ret_url, why);
}

/* HubSpot always says application/json. We only mind another type when the body bears it out:
 * a rightly signed event is not worth losing over a label. */
static enum refusal refuse_body(const struct raw_request *r, struct why *why)
{
    struct str type;

    if (header_get(r, "Content-Type", &type) == HEADER_ONCE && !media_type_is_json(type))
        return refuse(REFUSED_MEDIA_TYPE, why, "the body is not JSON but \"%.*s\"",
                      (int)str_cut(type, 100).len, type.at);
    return REFUSED_JSON;
}

static enum refusal decode_array(const struct source *s, const struct raw_request *r,
                                 const struct json_doc *doc, struct arena *a, struct event **ret,
                                 size_t *ret_n, struct why *why)
{
    const struct hubspot *h = s->settings;
    size_t n = doc->n_elements, i = 0;

    if (json_type(doc->root) != JSON_ARRAY)
        return refuse(REFUSED_JSON, why, "the body is not a JSON array of events");
    if (n > (size_t)h->max_events)
        return refuse(REFUSED_TOO_LARGE, why, "%zu events in one request, at most %lld are taken",
                      n, (long long)h->max_events);
    const struct request_facts facts = request_facts(s, r, a);
    struct event *events = arena_array(a, n + 1, sizeof *events);
    for (const json *node = json_first(doc->root); node && i < n; node = json_next(node), i++) {
        event_init(&events[i], &facts, doc->elements[i], a);
        hubspot_event(node, a, &events[i]);
    }
    *ret = events;
    *ret_n = i;
    return REFUSED_NOT;
}

static enum refusal hubspot_decode(const struct source *s, const struct raw_request *r,
                                   struct arena *a, struct event **ret, size_t *ret_n,
                                   struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (json_parse(r->body, &doc, why))
        return refuse_body(r, why);
    return decode_array(s, r, &doc, a, ret, ret_n, why);
}

static enum rc hubspot_decode_stored(const struct source *s, const struct stored_body *stored,
                                     struct arena *a, struct event *ret, struct why *why)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct request_facts facts = {.source = arena_str(a, s->name),
                                        .received_at = stored->received_at};

    if (json_parse(stored->text, &doc, why))
        return why_wrap(RC_INVALID, why, "read a stored HubSpot event");
    event_init(ret, &facts, stored->text, a);
    hubspot_event(doc.root, a, ret);
    return RC_OK;
}

static struct str hubspot_sample(int64_t now_ms, struct arena *a)
{
    /* eventId differs from sample to sample, as it does in life; the time makes it a new fact. */
    return arena_printf(a,
                        "[{\"eventId\":%lld,\"subscriptionId\":4578255,\"portalId\":62515,"
                        "\"appId\":54321,\"occurredAt\":%lld,"
                        "\"subscriptionType\":\"contact.propertyChange\",\"attemptNumber\":0,"
                        "\"objectId\":1246965,\"propertyName\":\"demo_requested\","
                        "\"propertyValue\":\"true\",\"changeSource\":\"CRM_UI\"}]",
                        (long long)(now_ms % 1000000000), (long long)now_ms);
}

const struct source_type hubspot_source = {
    .name = "hubspot",
    .spec = &hubspot_spec,
    .check = hubspot_check,
    .verify_head = hubspot_verify_head,
    .verify = hubspot_verify,
    .proof = hubspot_proof,
    .signed_at = hubspot_signed_at,
    .decode = hubspot_decode,
    .decode_stored = hubspot_decode_stored,
    .sign = hubspot_sign,
    .sample = hubspot_sample,
};
