/* tests/sim/fact.c - see fact.h. */
#include "fact.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "funneld/base/mem.h"
#include "variant.h"

struct telling {
    uint8_t sha256[SHA256_LEN];
    size_t fact;
};

static struct {
    struct fact facts[FACTS];
    struct telling tellings[TELLINGS];
    size_t n_facts, n_tellings;
} said;

void facts_begin(void)
{
    said.n_facts = said.n_tellings = 0;
}

size_t facts_count(void)
{
    return said.n_facts;
}

const struct fact *fact_get(size_t i)
{
    return &said.facts[i];
}

static bool equal(const struct fact *a, const struct fact *b)
{
    return a->kind == b->kind && a->contact == b->contact && a->other == b->other &&
           a->at == b->at && a->form == b->form && strcmp(a->name, b->name) == 0 &&
           strcmp(a->value, b->value) == 0 && strcmp(a->company, b->company) == 0 &&
           strcmp(a->email, b->email) == 0;
}

size_t fact_add(struct fact f)
{
    size_t n = said.n_facts;

    f.same = n;
    for (size_t i = n; i-- > 0;) {
        const struct fact *g = &said.facts[i];

        if (equal(g, &f))
            return i;
        if (f.kind == FACT_FORM && g->kind == FACT_FORM && f.form && f.form == g->form)
            f.same = g->same;
    }
    assert(n < FACTS);
    said.facts[said.n_facts++] = f;
    return n;
}

bool fact_told(const uint8_t sha256[SHA256_LEN], size_t *ret_fact)
{
    for (size_t i = said.n_tellings; i-- > 0;)
        if (memcmp(said.tellings[i].sha256, sha256, SHA256_LEN) == 0) {
            *ret_fact = said.tellings[i].fact;
            return true;
        }
    return false;
}

static const char *const types[FACT_KINDS] = {
    [FACT_CHANGE] = "contact.propertyChange",   [FACT_CREATION] = "contact.creation",
    [FACT_DELETION] = "contact.deletion",       [FACT_RESTORE] = "contact.restore",
    [FACT_ERASURE] = "contact.privacyDeletion", [FACT_MERGE] = "contact.merge",
    [FACT_COMPANY] = "company.creation",        [FACT_ODD] = "contact.propertyChange",
};

static struct str hubspot_text(const struct fact *f, int64_t serial, struct arena *a)
{
    struct str head = arena_printf(
        a,
        "{\"eventId\":%" PRId64 ",\"subscriptionId\":%" PRId64 ",\"appId\":2,\"portalId\":%d,"
        "\"attemptNumber\":%" PRId64 ",\"occurredAt\":%" PRId64 ",\"subscriptionType\":\"%s\"",
        serial, serial % 3, PORTAL, serial % 5, f->at, types[f->kind]);

    if (f->kind == FACT_MERGE)
        return arena_printf(
            a, "%.*s,\"primaryObjectId\":%" PRId64 ",\"mergedObjectIds\":[%" PRId64 "]}",
            STR_ARG(head), f->contact, f->other);
    if (f->name[0])
        return arena_printf(a,
                            "%.*s,\"objectId\":%" PRId64 ",\"propertyName\":\"%s\","
                            "\"propertyValue\":\"%s\"}",
                            STR_ARG(head), f->contact, f->name, f->value);
    return arena_printf(a, "%.*s,\"objectId\":%" PRId64 "}", STR_ARG(head), f->contact);
}

static struct str form_text(const struct fact *f, struct arena *a)
{
    struct str id = f->form ? arena_printf(a, "\"event_id\":\"f%" PRId64 "\",", f->form) : STR("");
    struct str at = f->at ? arena_printf(a, "\"occurred_at\":%" PRId64 ",", f->at) : STR("");

    return arena_printf(a, "{%.*s%.*s\"email\":\"%s\",\"company\":\"%s\",\"%s\":\"%s\"}",
                        STR_ARG(id), STR_ARG(at), f->email, f->company, f->name, f->value);
}

/* As the daemon is to keep it: the parts that count, by name. */
static struct str crm_text(const struct fact *f, struct arena *a)
{
    return arena_printf(a,
                        "{\"objectId\":%" PRId64 ",\"portalId\":%d,\"properties\":{\"company\":"
                        "\"%s\",\"email\":\"%s\"},\"updatedAt\":%" PRId64 "}",
                        f->contact, PORTAL, f->company, f->email, f->at);
}

struct str fact_tell(size_t fact, int64_t serial, struct arena *a)
{
    const struct fact *f = &said.facts[fact];
    struct telling *t = &said.tellings[said.n_tellings];
    struct str text = f->kind == FACT_FORM                 ? form_text(f, a)
                      : f->kind == FACT_CRM                ? crm_text(f, a)
                      : f->kind == FACT_ODD && !f->contact ? arena_printf(a, "\"%s\"", f->value)
                                                           : hubspot_text(f, serial, a);
    size_t known;

    sha256(&text, 1, t->sha256);
    t->fact = fact;
    if (fact_told(t->sha256, &known))
        return text;
    assert(said.n_tellings < TELLINGS - 1);
    said.n_tellings++;
    return text;
}
