/* connectors/hubspot_probe.c - does the token work, may it read contacts, are the properties there
 * that are read and those that are written?
 *
 *     CONTACTS -> PROPERTIES, one after another -> SCOPES -> done
 *                  404 and it is to be made: MAKE
 *
 * Contacts are searched as a catch-up does, for those that change from now on. What a private app
 * may do HubSpot tells at an address that its API reference does not have: where it is not
 * answered, the scope to write stays unknown.
 */
#include "hubspot_priv.h"

#include <inttypes.h>

#define TOKEN_INFO  "/oauth/v2/private-apps/get/access-token-info"
#define WRITE_SCOPE "crm.objects.contacts.write"

enum { BODY_MAX = 4096 };

enum stage { CONTACTS, PROPERTIES, MAKE, SCOPES, END };

/* Those that are written: by a route, or by one that is to come. */
static bool writes(const struct probe *p)
{
    return p->routes.n || p->create || !p->enriches;
}

static bool next_output(const struct probe *p, int *o)
{
    while (*o < HUBSPOT_OUTPUTS &&
           !hubspot_output_property(p->job.settings, (enum hubspot_output) * o).len)
        ++*o;
    return writes(p) && *o < HUBSPOT_OUTPUTS;
}

/* p->at counts the properties that are read, then the outputs. false: all were asked for. */
static bool next_property(struct probe *p, bool *ret_output, enum hubspot_output *ret)
{
    const struct hubspot *s = p->job.settings;
    int o = (int)(p->at - s->properties.n);

    *ret_output = p->at >= s->properties.n;
    if (!*ret_output)
        return true;
    if (!next_output(p, &o))
        return false;
    p->at = s->properties.n + (size_t)o;
    *ret = (enum hubspot_output)o;
    return true;
}

/* Where no catch-up will ever ask for the properties, there may be too many for a search. */
static enum rc ask_contacts(struct probe *p, struct http_request *ret, struct why *why)
{
    struct hubspot s = *(const struct hubspot *)p->job.settings;
    struct job job;

    p->about = STR("contacts");
    p->parcel.d.route = route_catch_up;
    p->parcel.d.facts.event_time = p->now_ms;
    if (!s.catch_up)
        s.properties.n = 0;
    job = p->job;
    job.settings = &s;
    return hubspot_build(&job, ret, why);
}

static enum rc ask_scopes(struct probe *p, struct http_request *ret, struct why *why)
{
    const struct hubspot *s = p->job.settings;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);

    p->about = STR("scope " WRITE_SCOPE);
    json_open(&b, '{');
    json_kv(&b, "tokenKey", s->token);
    json_close(&b, '}');
    hubspot_request(s, "POST", STR(TOKEN_INFO), ret, p->arena);
    return request_body(ret, &b, "application/json", p->arena, why);
}

static enum rc ask_property(struct probe *p, struct http_request *ret, struct why *why)
{
    const struct hubspot *s = p->job.settings;
    enum hubspot_output o = HUBSPOT_OUTPUTS;
    bool output;

    if (!next_property(p, &output, &o)) {
        p->stage = SCOPES;
        return ask_scopes(p, ret, why);
    }
    struct str name = output ? hubspot_output_property(s, o) : s->properties.items[p->at];
    p->about = arena_printf(p->arena, "property %.*s", STR_ARG(name));
    return p->stage == MAKE ? hubspot_property_make(s, o, ret, p->arena, why)
                            : hubspot_property_ask(s, name, ret, p->arena, why);
}

enum rc hubspot_probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    switch (p->stage) {
    case CONTACTS:
        return ask_contacts(p, ret, why);
    case PROPERTIES:
    case MAKE:
        return ask_property(p, ret, why);
    case SCOPES:
        return ask_scopes(p, ret, why);
    default:
        return RC_NONE;
    }
}

/* A token that may not read contacts may still write them. */
static void take_contacts(struct probe *p, const struct http_response *r)
{
    struct str read = STR("scope crm.objects.contacts.read");

    (void)hubspot_judge(&p->job, r);
    if (r->status == 401)
        p->about = STR("token");
    else if (r->status == 200 || r->status == 403)
        probe_find(p, FINDING_WORKS, STR("token"), STR_NULL);
    if (r->status == 403)
        p->about = read;
    if (!probe_refused(p))
        probe_find(p, FINDING_WORKS, read, STR_NULL);
    p->over = p->over && r->status != 403;
    p->stage = PROPERTIES;
}

static void next(struct probe *p)
{
    p->at++;
    p->stage = PROPERTIES;
}

/* Of the type that is written, where it is. */
static void take_found(struct probe *p, const struct http_response *r, bool output,
                       enum hubspot_output o)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    if (!answer_object(r, &doc)) {
        probe_odd(p, r);
        return;
    }
    struct str type = json_string(json_get(doc.root, "type"));
    if (!output || hubspot_property_fits(o, type))
        probe_find(p, FINDING_WORKS, p->about, STR_NULL);
    else
        probe_find(p, FINDING_FAILS, p->about,
                   arena_printf(p->arena,
                                "it is of type %.*s, not %s: name another with property.%s",
                                STR_ARG(str_cut(type, 64)), hubspot_property_type(o),
                                hubspot_output_key(o)));
    next(p);
}

static void take_missing(struct probe *p, bool output, enum hubspot_output o)
{
    if (output && p->create) {
        p->stage = MAKE;
        return;
    }
    probe_find(p, FINDING_FAILS, p->about,
               output ? arena_printf(p->arena,
                                     "HubSpot has no such property: make it with `funneld check "
                                     "--online --create`, or name another with property.%s",
                                     hubspot_output_key(o))
                      : STR("HubSpot has no such property: check the connector's `properties`; the "
                            "name is the internal one"));
    next(p);
}

/* Properties are told of and made by scopes of their own, which nothing else needs. */
static void take_no_scope(struct probe *p, const struct http_response *r)
{
    const char *scope =
        p->stage == MAKE ? "crm.schemas.contacts.write" : "crm.schemas.contacts.read";

    probe_find(p, p->create ? FINDING_FAILS : FINDING_NOT_ASKED,
               arena_printf(p->arena, "scope %s", scope),
               arena_printf(p->arena, "%s: the private app needs the scope %s (%.*s)",
                            p->stage == MAKE ? "nothing can be made without it"
                                             : "whether the properties are there is not known",
                            scope, STR_ARG(http_reason(r, p->arena))));
    p->stage = SCOPES;
}

static void take_property(struct probe *p, const struct http_response *r)
{
    enum hubspot_output o = HUBSPOT_OUTPUTS;
    bool output;

    (void)next_property(p, &output, &o); /* the one that was asked for */
    if (r->status == 403) {
        take_no_scope(p, r);
    } else if (p->stage == MAKE && (r->status == 201 || r->status == 200)) {
        probe_find(p, FINDING_CREATED, p->about, STR_NULL);
        next(p);
    } else if (p->stage == MAKE && r->status == 409) { /* somebody was faster */
        probe_find(p, FINDING_WORKS, p->about, STR_NULL);
        next(p);
    } else if (p->stage == PROPERTIES && r->status == 200) {
        take_found(p, r, output, o);
    } else if (p->stage == PROPERTIES && r->status == 404) {
        take_missing(p, output, o);
    } else {
        probe_find(p, FINDING_FAILS, p->about,
                   arena_printf(p->arena, "HubSpot does not do it (%.*s)",
                                STR_ARG(http_reason(r, p->arena))));
        next(p);
    }
}

static bool holds(const json *list, const char *text)
{
    for (const json *i = json_first(list); i; i = json_next(i))
        if (str_is(json_string(i), text))
            return true;
    return false;
}

/* A kind whose scope lacks is not asked about, and costs nothing else. */
static void find_kinds(struct probe *p, const json *scopes)
{
    for (int kind = 0; kind < OBJECT_KIND_COUNT && p->enriches; kind++) {
        const char *scope = hubspot_objects[kind].scope;

        if (!scope)
            continue;
        struct str what = arena_printf(p->arena, "scope %s", scope);
        if (holds(scopes, scope))
            probe_find(p, FINDING_WORKS, what, STR_NULL);
        else
            probe_find(p, FINDING_NOT_USED, what,
                       STR("the token lacks it: give it to the private app if leads are to know of "
                           "these objects"));
    }
}

static void find_account(struct probe *p, const json *answer)
{
    const struct hubspot *s = p->job.settings;
    int64_t account;

    if (!s->portal || !json_int64(json_get(answer, "hubId"), &account))
        return;
    if (account == s->portal)
        probe_find(p, FINDING_WORKS, STR("portal"), STR_NULL);
    else
        probe_find(p, FINDING_FAILS, STR("portal"),
                   arena_printf(p->arena,
                                "the token is of the account %" PRId64 ", not %" PRId64
                                ": correct the connector's `portal` or its `token`",
                                account, s->portal));
}

static void take_scopes(struct probe *p, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool told = r->status == 200 && answer_object(r, &doc) &&
                json_type(json_get(doc.root, "scopes")) == JSON_ARRAY;

    p->stage = END;
    find_account(p, doc.root);
    if (told)
        find_kinds(p, json_get(doc.root, "scopes"));
    if (!writes(p))
        return;
    if (!told)
        probe_find(p, FINDING_NOT_ASKED, p->about,
                   STR("HubSpot does not say which scopes the token has; the first "
                       "update shows it"));
    else if (holds(json_get(doc.root, "scopes"), WRITE_SCOPE))
        probe_find(p, FINDING_WORKS, p->about, STR_NULL);
    else
        probe_find(p, p->routes.n ? FINDING_FAILS : FINDING_NOT_ASKED, p->about,
                   STR("the token lacks it, so nothing can be written to contacts: give it to the "
                       "private app"));
}

void hubspot_probe_take(struct probe *p, const struct http_response *r)
{
    if (p->stage == CONTACTS)
        take_contacts(p, r);
    else if (p->stage == SCOPES)
        take_scopes(p, r);
    else
        take_property(p, r);
}
