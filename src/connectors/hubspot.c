/* connectors/hubspot.c - HubSpot's CRM: what it knows of contacts, and what we tell it of them. */
#include "hubspot_priv.h"

#include <ctype.h>
#include <inttypes.h>

#include "funneld/base/clock.h"

enum { NAME_MAX_LEN = 100 };

/* HubSpot counts a private app's requests in any ten seconds, and allows 100 in the smallest plan;
 * and an account's searches in each second, five. One below that, for theirs and our seconds do not
 * begin together. */
#define REQUESTS_PER_SECOND 10.0
#define SEARCHES_PER_SECOND 4.0

static const struct option hubspot_options[] = {
    {.key = "token",
     .type = OPTION_SECRET,
     .offset = offsetof(struct hubspot, token),
     .flags = OPTION_REQUIRED,
     .example = "${HUBSPOT_API_KEY}",
     .help = "access token of a private app with crm.objects.contacts.read; .write for routes"},
    {.key = "properties",
     .type = OPTION_LIST,
     .offset = offsetof(struct hubspot, properties),
     .fallback = "email, firstname, lastname, company, phone, lifecyclestage",
     .help = "what to read of a contact"},
    {.key = "company_properties",
     .type = OPTION_LIST,
     .offset = offsetof(struct hubspot, object_properties[OBJECT_COMPANY]),
     .fallback = "name, domain, industry, numberofemployees",
     .help = "what to read of a company; rules find it as lead.company_NAME"},
    {.key = "deal_properties",
     .type = OPTION_LIST,
     .offset = offsetof(struct hubspot, object_properties[OBJECT_DEAL]),
     .fallback = "dealname, dealstage, amount, pipeline, closedate",
     .help = "what to read of a deal; rules find it as lead.deal_stage, lead.deal_amount ..."},
    {.key = "ticket_properties",
     .type = OPTION_LIST,
     .offset = offsetof(struct hubspot, object_properties[OBJECT_TICKET]),
     .fallback = "subject, hs_pipeline_stage, hs_ticket_priority",
     .help = "what to read of a ticket; rules find it as lead.ticket_stage ..."},
    {.key = "stale_after",
     .type = OPTION_DURATION,
     .offset = offsetof(struct hubspot, stale_after_ms),
     .fallback = "24h",
     .help = "a record read longer ago is read again when something happens to it"},
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
    {.key = "property.",
     .type = OPTION_MAP,
     .offset = offsetof(struct hubspot, renamed),
     .example = "my_property",
     .help = "where a route writes: score band reasons updated probability churn, funneld_score "
             "and so on unless renamed; empty: not at all"},
    {.key = "catch_up",
     .type = OPTION_BOOL,
     .offset = offsetof(struct hubspot, catch_up),
     .fallback = "yes",
     .help = "after an outage of funneld's own, ask which contacts changed meanwhile"},
    {.key = "catch_up_after",
     .type = OPTION_DURATION,
     .offset = offsetof(struct hubspot, catch_up_after_ms),
     .fallback = "1h",
     .min = 1000,
     .help = "a shorter outage is left to HubSpot, which sends again"},
    CONNECTOR_OPTIONS(struct hubspot, "https://api.hubapi.com", "15s", "4", "8/s", "0"),
};

static const struct section_spec hubspot_spec = {
    .kind = "connector",
    .type = "hubspot",
    .named = true,
    .options = hubspot_options,
    .n_options = ARRAY_LEN(hubspot_options),
    .size = sizeof(struct hubspot),
    .help = "HubSpot CRM: reads what is known of a contact, company, deal or ticket; as a route's "
            "target, writes the score",
};

/* Outputs */

static const struct {
    const char *key, *property;
} outputs[HUBSPOT_OUTPUTS] = {
    [HUBSPOT_SCORE] = {"score", "funneld_score"},
    [HUBSPOT_BAND] = {"band", "funneld_band"},
    [HUBSPOT_REASONS] = {"reasons", "funneld_reasons"},
    [HUBSPOT_UPDATED] = {"updated", "funneld_updated"},
    [HUBSPOT_PROBABILITY] = {"probability", "funneld_probability"},
    [HUBSPOT_CHURN] = {"churn", "funneld_churn"},
};

const char *hubspot_output_key(enum hubspot_output o)
{
    return outputs[o].key;
}

bool hubspot_is_of_models(enum hubspot_output o)
{
    return o == HUBSPOT_PROBABILITY || o == HUBSPOT_CHURN;
}

struct str hubspot_output_property(const struct hubspot *s, enum hubspot_output o)
{
    for (size_t i = 0; i < s->renamed.n; i++)
        if (str_is(s->renamed.items[i].name, outputs[o].key))
            return s->renamed.items[i].value;
    return str_of(outputs[o].property);
}

bool hubspot_writes(const void *settings, struct str property)
{
    for (int o = 0; o < HUBSPOT_OUTPUTS; o++) {
        struct str own = hubspot_output_property(settings, (enum hubspot_output)o);

        if (own.len && str_eq(own, property))
            return true;
    }
    return false;
}

/* Checks */

struct check {
    const struct hubspot *s;
    const struct conf_section *section;
    struct conf_problems *problems;
};

static const struct conf_entry *entry_of(const struct check *c, const struct str_pair *pair)
{
    struct str key = arena_printf(c->problems->arena, "property.%.*s", STR_ARG(pair->name));

    return conf_find(c->section, key.at);
}

static bool is_property_name(struct str s)
{
    if (!s.len || s.len > NAME_MAX_LEN || !islower((unsigned char)s.at[0]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!islower((unsigned char)s.at[i]) && !isdigit((unsigned char)s.at[i]) && s.at[i] != '_')
            return false;
    return true;
}

static void check_renamed(const struct check *c, const struct str_pair *pair)
{
    const char *keys[HUBSPOT_OUTPUTS];
    bool known = false;

    for (int o = 0; o < HUBSPOT_OUTPUTS; o++) {
        keys[o] = outputs[o].key;
        known |= str_is(pair->name, keys[o]);
    }
    if (!known)
        conf_problem(c->problems, c->section, entry_of(c, pair),
                     conf_nearest(pair->name, keys, HUBSPOT_OUTPUTS),
                     "nothing called %.*s is written to a contact", STR_ARG(pair->name));
    else if (pair->value.len && !is_property_name(pair->value))
        conf_problem(c->problems, c->section, entry_of(c, pair),
                     "its internal name, as in lead_score: a-z, 0-9 and _",
                     "this is no name of a HubSpot property");
}

static void check_outputs_differ(const struct check *c)
{
    for (int o = 0; o < HUBSPOT_OUTPUTS; o++)
        for (int k = 0; k < o; k++) {
            struct str name = hubspot_output_property(c->s, (enum hubspot_output)o);

            if (name.len && str_eq(name, hubspot_output_property(c->s, (enum hubspot_output)k)))
                conf_problem(c->problems, c->section, NULL, "give each a property of its own",
                             "%s and %s would be written into one property, %.*s", outputs[k].key,
                             outputs[o].key, STR_ARG(name));
        }
}

/* What we write must not come back as what the CRM knows, or a score feeds itself. */
static void check_not_read(const struct check *c)
{
    for (size_t i = 0; i < c->s->properties.n; i++)
        if (hubspot_writes(c->s, c->s->properties.items[i]))
            conf_problem(c->problems, c->section, conf_find(c->section, "properties"),
                         "leave it out of `properties`, or rename it with property.NAME",
                         "%.*s is what funneld itself writes: a score must not feed on it",
                         STR_ARG(c->s->properties.items[i]));
}

static void hubspot_check(const void *settings, const struct conf_section *section,
                          struct conf_problems *problems)
{
    const struct check c = {settings, section, problems};

    for (size_t i = 0; i < c.s->renamed.n; i++)
        check_renamed(&c, &c.s->renamed.items[i]);
    check_outputs_differ(&c);
    check_not_read(&c);
}

/* Jobs */

const struct hubspot_talk *hubspot_talk_of(const struct parcel *p)
{
    const struct hubspot_talk *search = hubspot_search_for(&p->d);

    if (p->object)
        return &hubspot_objects[p->object->kind];
    if (str_eq(p->d.route, route_enrichment))
        return &hubspot_read;
    if (str_eq(p->d.route, route_import))
        return &hubspot_list;
    return search ? search : &hubspot_write;
}

static bool hubspot_together(const void *settings, const struct parcel *first,
                             const struct parcel *other)
{
    const struct hubspot_talk *talk = hubspot_talk_of(first);

    (void)settings;
    return !hubspot_search_for(&first->d) && talk == hubspot_talk_of(other);
}

static const char *const wanted_headers[] = {
    "X-HubSpot-RateLimit-Remaining", "X-HubSpot-RateLimit-Interval-Milliseconds",
    "X-HubSpot-RateLimit-Daily-Remaining", "X-HubSpot-RateLimit-Daily"};

void hubspot_request(const struct hubspot *s, const char *method, struct str path,
                     struct http_request *ret, struct arena *a)
{
    *ret = (struct http_request){.method = method,
                                 .repeatable = true,
                                 .keep = wanted_headers,
                                 .n_keep = ARRAY_LEN(wanted_headers)};
    ret->url = arena_printf(a, "%.*s%.*s", STR_ARG(s->common.url), STR_ARG(path));
    request_bearer(ret, s->token, a);
}

void hubspot_write_names(struct sbuf *b, const struct str_list *names, const char *more)
{
    json_key(b, "properties");
    json_open(b, '[');
    for (size_t i = 0; i < names->n; i++)
        json_str(b, names->items[i]);
    if (more)
        json_text(b, more);
    json_close(b, ']');
}

enum rc hubspot_build(struct job *job, struct http_request *ret, struct why *why)
{
    return hubspot_talk_of(&job->parcels[0])->build(job, ret, why);
}

/* A larger plan allows more requests, which `rate` says; but no more searches. */
static size_t hubspot_quotas(const struct job *job, struct quota ret[])
{
    const struct hubspot *s = job->settings;
    double allowed = s->common.rate > REQUESTS_PER_SECOND ? s->common.rate : REQUESTS_PER_SECOND;
    size_t n = 0;

    ret[n++] = (struct quota){quota_key(s->token, "app"), allowed, 1};
    if (job->n && hubspot_search_for(&job->parcels[0].d))
        ret[n++] = (struct quota){quota_key(s->token, "search"), SEARCHES_PER_SECOND, 1};
    return n;
}

/* Questions of others */

bool hubspot_is_contact(const struct hubspot *s, const struct lead *l)
{
    return l->crm_id > 0 && (!s->portal || !l->portal_id || l->portal_id == s->portal);
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

int64_t hubspot_catch_up_after_ms(const void *settings)
{
    const struct hubspot *s = settings;

    return s->catch_up ? s->catch_up_after_ms : 0;
}

int64_t hubspot_portal(const void *settings)
{
    const struct hubspot *s = settings;

    return s->portal;
}

const struct connector_type hubspot_connector = {
    .name = "hubspot",
    .spec = &hubspot_spec,
    .max_batch = HUBSPOT_BATCH_MAX,
    .upsert = true,
    .enriches = true,
    .routable = true,
    .check = hubspot_check,
    .together = hubspot_together,
    .writes = hubspot_writes,
    .build = hubspot_build,
    .quotas = hubspot_quotas,
    .judge = hubspot_judge,
    .probe_next = hubspot_probe_next,
    .probe_take = hubspot_probe_take,
};
