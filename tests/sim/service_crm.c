/* tests/sim/service_crm.c - HubSpot's contacts, read a batch at a time. */
#include "services.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "funneld/base/clock.h"

enum { CONTACTS = 16, VALUE = 64 };

static struct contact {
    bool is_there;
    char company[VALUE], email[VALUE];
    int64_t updated_at;
} contacts[CONTACTS];

static void (*listener)(void *, int64_t, int64_t, const char *, const char *);
static void *listeners_own;

void crm_begin(void)
{
    memset(contacts, 0, sizeof contacts);
}

void crm_listen(void (*told)(void *self, int64_t contact, int64_t updated_at, const char *company,
                             const char *email),
                void *self)
{
    listener = told;
    listeners_own = self;
}

void crm_set(int64_t contact, const char *name, const char *value, int64_t now)
{
    struct contact *c = &contacts[contact % CONTACTS];

    c->is_there = true;
    c->updated_at = now;
    if (strcmp(name, "company") == 0)
        (void)!snprintf(c->company, VALUE, "%s", value);
    if (strcmp(name, "email") == 0)
        (void)!snprintf(c->email, VALUE, "%s", value);
}

void crm_remove(int64_t contact)
{
    contacts[contact % CONTACTS].is_there = false;
}

static void put_contact(struct exchange *x, int64_t id, bool first)
{
    const struct contact *c = &contacts[id % CONTACTS];
    char updated[TIME_TEXT];

    time_text(c->updated_at, updated);
    sbuf_printf(x->answer,
                "%s{\"id\":\"%" PRId64 "\",\"properties\":{\"company\":\"%s\",\"email\":\"%s\"},"
                "\"updatedAt\":\"%s\"}",
                first ? "" : ",", id, c->company, c->email, updated);
    listener(listeners_own, id, c->updated_at, c->company, c->email);
}

void crm_serve(struct exchange *x)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool first = true;
    int64_t id;

    if (json_parse(x->body, &doc, NULL)) {
        answer_text(x, 400, "{\"message\":\"Invalid input JSON\"}");
        return;
    }
    x->status = 200;
    sbuf_text(x->answer, "{\"status\":\"COMPLETE\",\"results\":[");
    if (!str_is(x->path, "/crm/v3/objects/contacts/batch/read")) { /* of companies it has none */
        sbuf_text(x->answer, "]}");
        return;
    }
    for (const json *i = json_first(json_get(doc.root, "inputs")); i; i = json_next(i)) {
        if (!json_int64(json_get(i, "id"), &id) || !contacts[id % CONTACTS].is_there)
            continue;
        put_contact(x, id, first);
        first = false;
    }
    sbuf_text(x->answer, "]}");
}
