/* connectors/hubspot_properties.c - properties: is one there, does it take what is written, and
 * making one of contacts that is missing.
 *
 *     GET -> 200: there, or of another type
 *         -> 404: missing -> POST, when it is to be made -> 201: made
 *         -> else: refused                               -> 409: there
 *                                                        -> else: refused
 */
#include "hubspot_priv.h"

#include "funneld/base/url.h"

#define PROPERTIES "/crm/v3/properties/"

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
    [HUBSPOT_PROBABILITY] = {"Probability of conversion (funneld)",
                             "number",
                             "number",
                             "In percent, as funneld's model sees it",
                             {"number", "string"}},
    [HUBSPOT_CHURN] = {"Churn risk (funneld)",
                       "number",
                       "number",
                       "In percent, as funneld's model sees it",
                       {"number", "string"}},
};

enum rc hubspot_property_ask(const struct hubspot *s, enum object_kind kind, struct str name,
                             struct http_request *ret, struct arena *a, struct why *why)
{
    struct sbuf path AUTO(sbuf_free) = SBUF(URL_MAX);
    struct str sealed = STR_NULL;

    sbuf_printf(&path, PROPERTIES "%s/", kind ? object_kind_plural(kind) : "contacts");
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
    hubspot_request(s, "POST", STR(PROPERTIES "contacts"), ret, a);
    return request_body(ret, &b, "application/json", a, why);
}

static bool takes_type(const struct definition *d, struct str type)
{
    for (size_t i = 0; i < TYPES_MAX && d->types[i]; i++)
        if (str_is(type, d->types[i]))
            return true;
    return false;
}

static bool has_option(const json *options, const char *value)
{
    for (const json *o = json_first(options); o; o = json_next(o))
        if (str_is(json_string(json_get(o, "value")), value))
            return true;
    return false;
}

/* "warm, hot"; missing: none lacks. */
static struct str lacking_bands(const json *options, struct arena *a)
{
    struct str ret = STR_NULL;

    for (int b = 0; b < BAND_COUNT; b++) {
        const char *band = band_name((enum band)b);

        if (!has_option(options, band))
            ret = arena_printf(a, "%.*s%s%s", STR_ARG(ret), ret.len ? ", " : "", band);
    }
    return ret;
}

struct str hubspot_property_misfit(enum hubspot_output o, const json *property, struct arena *a)
{
    const struct definition *d = &definitions[o];
    struct str type = json_string(json_get(property, "type")), bands = STR_NULL;

    if (!takes_type(d, type))
        return arena_printf(a, "it is of type %.*s, not %s: name another with property.%s",
                            STR_ARG(str_cut(type, 64)), d->type, hubspot_output_key(o));
    if (json_true(json_get(property, "calculated")) ||
        json_true(json_path(property, "modificationMetadata.readOnlyValue")))
        return arena_printf(a,
                            "its values are HubSpot's own, and nobody can write them: name "
                            "another with property.%s",
                            hubspot_output_key(o));
    if (str_is(type, "enumeration"))
        bands = lacking_bands(json_get(property, "options"), a);
    if (bands.len)
        return arena_printf(a, "its options lack %.*s: add them, or name another with property.%s",
                            STR_ARG(bands), hubspot_output_key(o));
    return STR_NULL;
}

static bool is_of_a_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool hubspot_names(struct str said, struct str name)
{
    for (size_t i = 0; name.len && i + name.len <= said.len; i++)
        if (str_starts(str_from(said, i), name) && !(i && is_of_a_name(said.at[i - 1])) &&
            !(i + name.len < said.len && is_of_a_name(said.at[i + name.len])))
            return true;
    return false;
}
