/* connectors/hubspot_probe.c - does the token work, may it read contacts, are the properties there
 * that are read and those that are written?
 *
 *     CONTACTS -> SCOPES -> PROPERTIES, one after another -> done
 *                           404 and it is to be made: MAKE
 *
 * Contacts are searched as a catch-up does, for those that change from now on. What a private app
 * may do HubSpot tells at an address that its API reference does not have: where it is not
 * answered, the scope to write stays unknown, and nothing else depends on it.
 */
#include "hubspot_priv.h"

#include <inttypes.h>

#define TOKEN_INFO  "/oauth/v2/private-apps/get/access-token-info"
#define WRITE_SCOPE "crm.objects.contacts.write"

enum { BODY_MAX = 4096 };

enum stage { CONTACTS, SCOPES, PROPERTIES, MAKE };

struct question {
    enum object_kind kind; /* OBJECT_NONE: of contacts */
    struct str name;
    enum hubspot_output output; /* that is written there; HUBSPOT_OUTPUTS: it is read */
};

/* p->at is which of them is asked. */
struct questions {
    struct question *items;
    size_t n;
    bool left_out[OBJECT_KIND_COUNT]; /* kinds that we may not be told of */
};

/* Those that are written: by a route, or by one that is to come. */
static bool writes(const struct probe *p)
{
    return p->routes.n || !p->enriches;
}

static void add_read(struct questions *q, enum object_kind kind, const struct str_list *names)
{
    for (size_t i = 0; i < names->n; i++)
        q->items[q->n++] = (struct question){kind, names->items[i], HUBSPOT_OUTPUTS};
}

static void add_written(struct questions *q, const struct hubspot *s)
{
    for (int o = 0; o < HUBSPOT_OUTPUTS; o++) {
        struct str name = hubspot_output_property(s, (enum hubspot_output)o);

        if (name.len)
            q->items[q->n++] = (struct question){OBJECT_NONE, name, (enum hubspot_output)o};
    }
}

static struct questions *list(const struct probe *p)
{
    const struct hubspot *s = p->job.settings;
    struct questions *q = ARENA_NEW(p->arena, struct questions);
    size_t max = s->properties.n + HUBSPOT_OUTPUTS;

    for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++)
        max += s->object_properties[kind].n;
    q->items = arena_array(p->arena, max, sizeof *q->items);
    add_read(q, OBJECT_NONE, &s->properties);
    if (writes(p))
        add_written(q, s);
    for (int kind = OBJECT_COMPANY; kind < OBJECT_KIND_COUNT && p->enriches; kind++)
        add_read(q, (enum object_kind)kind, &s->object_properties[kind]);
    return q;
}

/* NULL: all were asked. */
static const struct question *current(struct probe *p)
{
    const struct questions *q = p->scratch;

    while (p->at < q->n && q->left_out[q->items[p->at].kind])
        p->at++;
    return p->at < q->n ? &q->items[p->at] : NULL;
}

static void leave_out(struct probe *p, enum object_kind kind)
{
    struct questions *q = p->scratch;

    q->left_out[kind] = true;
}

/* Where no catch-up will ever ask for the properties, there may be too many for a search. */
static enum rc ask_contacts(struct probe *p, struct http_request *ret, struct why *why)
{
    struct hubspot s = *(const struct hubspot *)p->job.settings;
    struct job job;

    p->scratch = list(p);
    if (p->create && !writes(p))
        probe_find(p, FINDING_NOT_USED, STR("properties to write"),
                   STR("no route delivers to it, so none is made"));
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
    p->optional = true;
    json_open(&b, '{');
    json_kv(&b, "tokenKey", s->token);
    json_close(&b, '}');
    hubspot_request(s, "POST", STR(TOKEN_INFO), ret, p->arena);
    return request_body(ret, &b, "application/json", p->arena, why);
}

static enum rc ask_property(struct probe *p, const struct question *q, struct http_request *ret,
                            struct why *why)
{
    const struct hubspot *s = p->job.settings;

    p->about = q->kind ? arena_printf(p->arena, "property %.*s of %s", STR_ARG(q->name),
                                      object_kind_plural(q->kind))
                       : arena_printf(p->arena, "property %.*s", STR_ARG(q->name));
    return p->stage == MAKE ? hubspot_property_make(s, q->output, ret, p->arena, why)
                            : hubspot_property_ask(s, q->kind, q->name, ret, p->arena, why);
}

enum rc hubspot_probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    if (p->stage == CONTACTS)
        return ask_contacts(p, ret, why);
    if (p->stage == SCOPES)
        return ask_scopes(p, ret, why);
    const struct question *q = current(p);
    return q ? ask_property(p, q, ret, why) : RC_NONE;
}

/* A token that may not read contacts may still write them. */
static void take_contacts(struct probe *p, const struct http_response *r)
{
    struct str read = STR("scope crm.objects.contacts.read");
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_hubspots = answer_object(r, &doc);

    if (!is_hubspots && (r->status == 200 || r->status == 401 || r->status == 403)) {
        probe_odd(p, r);
        return;
    }
    (void)hubspot_judge(&p->job, r);
    if (r->status == 401)
        p->about = STR("token");
    else if (r->status == 403 || (r->status == 200 && hubspot_is_list(doc.root)))
        probe_find(p, FINDING_WORKS, STR("token"), STR_NULL);
    if (r->status == 403)
        p->about = read;
    if (!probe_refused(p))
        probe_find(p, FINDING_WORKS, read, STR_NULL);
    p->over = p->over && r->status != 403;
    p->stage = SCOPES;
}

static void next(struct probe *p)
{
    p->at++;
    p->stage = PROPERTIES;
}

/* Where it is written, it must take that. */
static void take_found(struct probe *p, const struct http_response *r, const struct question *q)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str misfit = STR_NULL;

    if (!answer_object(r, &doc) || !json_string(json_get(doc.root, "type")).len) {
        probe_odd(p, r);
        return;
    }
    if (q->output != HUBSPOT_OUTPUTS)
        misfit = hubspot_property_misfit(q->output, doc.root, p->arena);
    probe_find(p, misfit.len ? FINDING_FAILS : FINDING_WORKS, p->about, misfit);
    next(p);
}

/* Nothing is written there before there is a model. */
static bool is_idle(const struct probe *p, enum hubspot_output o)
{
    return (o == HUBSPOT_PROBABILITY && !p->says_probability) ||
           (o == HUBSPOT_CHURN && !p->says_churn);
}

static void take_missing(struct probe *p, const struct question *q)
{
    const struct hubspot_talk *talk = q->kind ? &hubspot_objects[q->kind] : &hubspot_read;
    bool written = q->output != HUBSPOT_OUTPUTS;

    if (written && p->create) {
        p->stage = MAKE;
        return;
    }
    probe_find(p, is_idle(p, q->output) ? FINDING_NOT_USED : FINDING_FAILS, p->about,
               written ? arena_printf(p->arena,
                                      "HubSpot has no such property: make it with `funneld check "
                                      "--online --create`, or name another with property.%s",
                                      hubspot_output_key(q->output))
                       : arena_printf(p->arena,
                                      "HubSpot has no such property: %s; the name is the internal "
                                      "one",
                                      talk->property_advice));
    next(p);
}

/* Properties are told of and made by scopes of their own, which nothing else needs. UNVERIFIED:
 * that those of tickets are told of by the scope that tells of tickets. */
static struct str schema_scope(const struct probe *p, enum object_kind kind)
{
    if (kind == OBJECT_TICKET)
        return str_of(hubspot_objects[kind].scope);
    return arena_printf(p->arena, "crm.schemas.%s.%s", kind ? object_kind_plural(kind) : "contacts",
                        p->stage == MAKE ? "write" : "read");
}

static void take_no_scope(struct probe *p, const struct http_response *r, enum object_kind kind)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool needed = p->create && writes(p) && !kind; /* for what is to be made */
    struct str scope = schema_scope(p, kind);

    if (!answer_object(r, &doc)) {
        probe_odd(p, r);
        return;
    }
    probe_find(p, needed ? FINDING_FAILS : FINDING_NOT_KNOWN,
               arena_printf(p->arena, "scope %.*s", STR_ARG(scope)),
               arena_printf(p->arena, "%s: the private app needs the scope %.*s (%.*s)",
                            p->stage == MAKE ? "nothing can be made without it"
                                             : "whether the properties are there is not known",
                            STR_ARG(scope), STR_ARG(http_reason(r, p->arena))));
    leave_out(p, kind);
    p->stage = PROPERTIES;
}

static void take_property(struct probe *p, const struct http_response *r)
{
    const struct question *q = current(p); /* the one that was asked */

    if (r->status == 403) {
        take_no_scope(p, r, q->kind);
    } else if (p->stage == MAKE && (r->status == 201 || r->status == 200)) {
        probe_find(p, FINDING_CREATED, p->about, STR_NULL);
        next(p);
    } else if (p->stage == MAKE && r->status == 409) { /* somebody was faster */
        probe_find(p, FINDING_WORKS, p->about, STR_NULL);
        next(p);
    } else if (p->stage == PROPERTIES && r->status == 200) {
        take_found(p, r, q);
    } else if (p->stage == PROPERTIES && r->status == 404) {
        take_missing(p, q);
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
        if (holds(scopes, scope)) {
            probe_find(p, FINDING_WORKS, what, STR_NULL);
            continue;
        }
        probe_find(p, FINDING_NOT_USED, what,
                   STR("the token lacks it: give it to the private app if leads are to know of "
                       "these objects"));
        leave_out(p, (enum object_kind)kind);
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

    p->stage = PROPERTIES;
    find_account(p, doc.root);
    if (told)
        find_kinds(p, json_get(doc.root, "scopes"));
    if (!writes(p))
        return;
    if (!told)
        probe_find(p, FINDING_NOT_KNOWN, p->about,
                   STR("HubSpot does not say which scopes the token has; the first "
                       "update shows it"));
    else if (holds(json_get(doc.root, "scopes"), WRITE_SCOPE))
        probe_find(p, FINDING_WORKS, p->about, STR_NULL);
    else
        probe_find(p, p->routes.n ? FINDING_FAILS : FINDING_NOT_USED, p->about,
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
