/* tests/sandbox/hubspot_tokens.c - which private app asks HubSpot, and what it may do. */
#include "hubspot_crm.h"

enum { ACCOUNT = 242711451 };

static const struct hubspot_token tokens[] = {
    {"pat-sandbox", "crm.objects.contacts.read,crm.objects.contacts.write,"
                    "crm.schemas.contacts.read,crm.schemas.contacts.write,"
                    "crm.objects.companies.read,crm.objects.deals.read,tickets,"
                    "crm.schemas.companies.read,crm.schemas.deals.read"},
    {"pat-reader", "crm.objects.contacts.read,crm.schemas.contacts.read"},
    {"pat-writer", "crm.objects.contacts.write"},
    {"pat-deals", "crm.objects.contacts.read,crm.schemas.contacts.read,crm.objects.deals.read"},
};

const struct hubspot_token *hubspot_token_of(const struct call *c)
{
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        if (call_bearer_is(c, tokens[i].text))
            return &tokens[i];
    return NULL;
}

/* Reading a record and whose it is takes one scope; what properties it may have, another. */
static const struct {
    const char *records, *contacts, *scope;
    const char *properties, *schema;
} kinds[] = {
    {"/crm/v3/objects/companies/", "/crm/v4/associations/companies/", "crm.objects.companies.read",
     HUBSPOT_SCHEMAS "/companies/", "crm.schemas.companies.read"},
    {"/crm/v3/objects/deals/", "/crm/v4/associations/deals/", "crm.objects.deals.read",
     HUBSPOT_SCHEMAS "/deals/", "crm.schemas.deals.read"},
    {"/crm/v3/objects/tickets/", "/crm/v4/associations/tickets/", "tickets",
     HUBSPOT_SCHEMAS "/tickets/", "tickets"},
};

static const char *scope_of(const struct call *c)
{
    bool get = str_is(c->method, "GET");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_starts(c->path, str_of(kinds[i].records)) ||
            str_starts(c->path, str_of(kinds[i].contacts)))
            return kinds[i].scope;
        if (str_starts(c->path, str_of(kinds[i].properties)))
            return kinds[i].schema;
    }
    if (str_starts(c->path, STR(HUBSPOT_SCHEMAS "/contacts")))
        return get ? "crm.schemas.contacts.read" : "crm.schemas.contacts.write";
    if (get || str_ends(c->path, STR("/batch/read")) || str_ends(c->path, STR("/search")))
        return "crm.objects.contacts.read";
    return str_is(c->path, HUBSPOT_TOKEN_INFO) ? NULL : "crm.objects.contacts.write";
}

bool hubspot_may(const struct call *c, const struct hubspot_token *t, struct answer *ret)
{
    const char *scope = scope_of(c);

    if (!scope || is_listed(scope, t->scopes))
        return true;
    hubspot_offence(ret, 403, "MISSING_SCOPES",
                    "This app hasn't been granted all required scopes to make this call.");
    return false;
}

/* Whoever knows a token may ask about it. */
void hubspot_token_info(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct hubspot_token *t = NULL;

    if (!hubspot_body(c, &doc, ret))
        return;
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        if (str_is(json_string(json_get(doc.root, "tokenKey")), tokens[i].text))
            t = &tokens[i];
    if (!t) {
        hubspot_offence(ret, 404, "OBJECT_NOT_FOUND", "there is no such token");
        return;
    }
    struct str rest = str_of(t->scopes), one;
    struct sbuf *b = answer_json(ret, 200);
    json_open(b, '{');
    json_kv_int(b, "userId", 1);
    json_kv_int(b, "hubId", ACCOUNT);
    json_kv_int(b, "appId", 2);
    json_key(b, "scopes");
    json_open(b, '[');
    while (str_split(&rest, ',', &one))
        json_str(b, one);
    json_close(b, ']');
    json_close(b, '}');
}
