/* connectors/hubspot_properties.c - properties of contacts: is one there, does it take what is
 * written, and making one that is missing.
 *
 *     GET -> 200: there, or of another type
 *         -> 404: missing -> POST, when it is to be made -> 201: made
 *         -> else: refused                               -> 409: there
 *                                                        -> else: refused
 */
#include "hubspot_priv.h"

#include "funneld/base/url.h"

#define PROPERTIES "/crm/v3/properties/contacts"

enum { BODY_MAX = 4096, URL_MAX = 1024, TYPES_MAX = 3 };

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

enum rc hubspot_property_ask(const struct hubspot *s, struct str name, struct http_request *ret,
                             struct arena *a, struct why *why)
{
    struct sbuf path AUTO(sbuf_free) = SBUF(URL_MAX);
    struct str sealed = STR_NULL;

    sbuf_text(&path, PROPERTIES "/");
    url_encode(&path, name);
    enum rc rc = url_seal(&path, a, &sealed, why);
    if (rc == RC_OK)
        hubspot_request(s, "GET", sealed, ret, a);
    return rc;
}

enum rc hubspot_property_make(const struct hubspot *s, enum hubspot_output o,
                              struct http_request *ret, struct arena *a, struct why *why)
{
    const struct definition *d = &definitions[o];
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);

    json_open(&b, '{');
    json_kv_text(&b, "groupName", "contactinformation");
    json_kv(&b, "name", hubspot_output_property(s, o));
    json_kv_text(&b, "label", d->label);
    json_kv_text(&b, "type", d->type);
    json_kv_text(&b, "fieldType", d->field);
    json_kv_text(&b, "description", d->help);
    json_key(&b, "hasUniqueValue");
    json_bool(&b, false);
    json_close(&b, '}');
    hubspot_request(s, "POST", STR(PROPERTIES), ret, a);
    return request_body(ret, &b, "application/json", a, why);
}

bool hubspot_property_fits(enum hubspot_output o, struct str type)
{
    const struct definition *d = &definitions[o];

    for (size_t i = 0; i < TYPES_MAX && d->types[i]; i++)
        if (str_is(type, d->types[i]))
            return true;
    return false;
}

const char *hubspot_property_type(enum hubspot_output o)
{
    return definitions[o].type;
}
