/* connectors/hubspot_setup.c - the properties that are written: there, missing, made.
 *
 *     UNKNOWN -> GET property -> 200: THERE, or UNFIT
 *                             -> 404: MISSING -> POST, when it is to be made -> 201: CREATED
 *                             -> else: REFUSED                               -> 409: THERE
 *                                                                            -> else: REFUSED
 */
#include "funneld/connectors/hubspot.h"

#include <assert.h>

#include "hubspot_priv.h"

#define PROPERTIES "/crm/v3/properties/contacts"

enum { BODY_MAX = 4096, TYPES_MAX = 3 };

static const struct definition {
    const char *label, *type, *field, *help;
    const char *types[TYPES_MAX]; /* that hold what is written; the one that is made among them */
} definitions[HUBSPOT_OUTPUTS] = {
    [HUBSPOT_SCORE] = {"Lead score (funneld)",
                       "number",
                       "number",
                       "What the lead is worth, as funneld sees it",
                       {"number", "string"}},
    [HUBSPOT_BAND] =
        {"Lead band (funneld)", "string", "text", "cold, warm or hot", {"string", "enumeration"}},
    [HUBSPOT_REASONS] = {"Lead score: reasons (funneld)",
                         "string",
                         "textarea",
                         "What the score is made of",
                         {"string"}},
    [HUBSPOT_UPDATED] = {"Lead score: written at (funneld)",
                         "datetime",
                         "date",
                         "When funneld wrote the score",
                         {"datetime", "string"}},
};

void hubspot_setup_begin(const void *settings, bool create, struct arena *a,
                         struct hubspot_setup *ret)
{
    static_assert((int)HUBSPOT_OUTPUTS <= (int)HUBSPOT_SETUP_MAX, "there is room for every output");
    *ret = (struct hubspot_setup){.settings = settings, .arena = a, .create = create};
    for (int o = 0; o < HUBSPOT_OUTPUTS; o++) {
        struct str name = hubspot_output_property(settings, (enum hubspot_output)o);

        if (name.len)
            ret->items[ret->n++] = (struct hubspot_property){.output = o, .name = name};
    }
}

static bool is_settled(const struct hubspot_setup *s)
{
    enum hubspot_setup_state state = s->items[s->at].state;

    return state != SETUP_UNKNOWN && (state != SETUP_MISSING || !s->create);
}

static enum rc build_creation(const struct hubspot_setup *s, struct http_request *ret,
                              struct why *why)
{
    const struct hubspot_property *p = &s->items[s->at];
    const struct definition *d = &definitions[p->output];
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);

    json_open(&b, '{');
    json_kv_text(&b, "groupName", "contactinformation");
    json_kv(&b, "name", p->name);
    json_kv_text(&b, "label", d->label);
    json_kv_text(&b, "type", d->type);
    json_kv_text(&b, "fieldType", d->field);
    json_kv_text(&b, "description", d->help);
    json_key(&b, "hasUniqueValue");
    json_bool(&b, false);
    json_close(&b, '}');
    hubspot_request(s->settings, "POST", STR(PROPERTIES), ret, s->arena);
    return request_body(ret, &b, "application/json", s->arena, why);
}

enum rc hubspot_setup_next(struct hubspot_setup *s, struct http_request *ret, struct why *why)
{
    while (s->at < s->n && is_settled(s))
        s->at++;
    if (s->at == s->n)
        return RC_NONE;
    struct hubspot_property *p = &s->items[s->at];
    if (p->state == SETUP_MISSING)
        return build_creation(s, ret, why);
    hubspot_request(s->settings, "GET",
                    arena_printf(s->arena, PROPERTIES "/%.*s", STR_ARG(p->name)), ret, s->arena);
    return RC_OK;
}

static const char *advice_for(const struct http_response *r, bool creating)
{
    if (r->status == 401)
        return "the token is not valid: put a new one into the connector's `token`";
    if (r->status == 403)
        return creating ? "the private app needs the scope crm.schemas.contacts.write"
                        : "the private app needs the scope crm.schemas.contacts.read";
    return "HubSpot does not do it";
}

static void refuse(struct hubspot_setup *s, const struct http_response *r, bool creating)
{
    struct hubspot_property *p = &s->items[s->at];

    p->state = SETUP_REFUSED;
    p->detail = arena_printf(s->arena, "%s (%.*s)", advice_for(r, creating),
                             STR_ARG(http_reason(r, s->arena)));
}

static void look_at_type(struct hubspot_setup *s, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct hubspot_property *p = &s->items[s->at];
    const struct definition *d = &definitions[p->output];

    if (!answer_object(r, &doc)) {
        refuse(s, r, false);
        return;
    }
    struct str type = json_string(json_get(doc.root, "type"));
    for (size_t i = 0; i < TYPES_MAX && d->types[i]; i++)
        if (str_is(type, d->types[i]))
            p->state = SETUP_THERE;
    if (p->state == SETUP_THERE)
        return;
    p->state = SETUP_UNFIT;
    p->detail = arena_printf(s->arena, "it is of type %.*s, not %s: name another with property.%s",
                             STR_ARG(str_cut(type, 64)), d->type,
                             hubspot_output_key((enum hubspot_output)p->output));
}

static void take_creation(struct hubspot_setup *s, const struct http_response *r)
{
    struct hubspot_property *p = &s->items[s->at];

    if (r->status == 201 || r->status == 200)
        p->state = SETUP_CREATED;
    else if (r->status == 409) /* somebody was faster */
        p->state = SETUP_THERE;
    else
        refuse(s, r, true);
}

void hubspot_setup_take(struct hubspot_setup *s, const struct http_response *r)
{
    struct hubspot_property *p = &s->items[s->at];

    if (p->state == SETUP_MISSING)
        take_creation(s, r);
    else if (r->status == 200)
        look_at_type(s, r);
    else if (r->status == 404)
        p->state = SETUP_MISSING;
    else
        refuse(s, r, false);
}
